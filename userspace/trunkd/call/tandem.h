/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Calls that the node joins by itself: by its routes, or by a leg's rule. Thread: main. */
#pragma once

#include "call/node.h"

/** Sends @leg on to @target (ROUTE: by the called number); whatever comes of it, the leg is dealt with. */
void tl_tandem_begin(struct tl_leg *leg, const struct tl_target *target);
/** A leg with a partner has a new state. */
void tl_tandem_on_state(struct tl_leg *leg);
/** Early audio from @leg. */
void tl_tandem_on_progress(struct tl_leg *leg);
void tl_tandem_on_ended(struct tl_leg *leg, unsigned cause);
/** Somebody else disposes of @leg: the two no longer share their fate. */
void tl_tandem_part(struct tl_leg *leg);
