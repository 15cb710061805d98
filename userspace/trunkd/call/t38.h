/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Legs that go over to T.38: ours by a re-INVITE, when a fax is to be received or the trunk that a SIP leg is bridged with
 * has a fax machine; the far end's when it asks. In a bridge with a trunk a gateway is between the two then. Thread: main.
 */
#pragma once

#include "call/node.h"

/** The far end of @leg may ask, now or later. */
void tl_leg_t38_allow(struct tl_leg *leg);
/** A fax is being received on @leg: the far end is asked; when it refuses, G.711 goes on. Harmless where it cannot be. */
void tl_leg_t38_offer(struct tl_leg *leg);
/** The dialog's media have changed; the port knows already. */
void tl_leg_t38_changed(struct tl_leg *leg);
/** What the far end said of its T.38; NULL: it speaks audio. Borrowed. */
const struct tl_t38_side *tl_leg_t38(const struct tl_leg *leg);

/** @leg has joined a bridge. */
void tl_gateway_joined(struct tl_leg *leg);
/** @leg leaves its bridge, is about to lose its port, or faxes itself. Harmless without a gateway. */
void tl_gateway_parted(struct tl_leg *leg);
/** @tone, of a called machine, was heard on @leg. */
void tl_gateway_heard(struct tl_leg *leg, enum tl_fax_tone tone);
/** Frees what the pool, which is gone, has left. */
void tl_gateways_end_all(struct tl_node *node);
