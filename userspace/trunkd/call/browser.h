/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A leg whose party is a browser: standing, answered at once. Its media come and
 * go (a page is loaded again, a network changes) and the leg stays, for a time
 * of grace. Thread: main.
 */
#pragma once

#include <stdbool.h>

#include "call/leg.h"

/**
 * tl_browser_connect - give @leg, new or there already, the browser that made @offer; its port is opened when it has
 * none. @answer (transfer full). TL_CONTROL_ERROR: the offer, or no place.
 */
bool tl_browser_connect(struct tl_leg *leg, const char *offer, char **answer, GError **error);
/** The leg is complete: it is offered and answered at once. */
void tl_browser_begin(struct tl_leg *leg);
/** What the media say of the leg's browser. */
void tl_browser_on_link(struct tl_leg *leg, enum tl_link_state state, const char *text);
bool tl_browser_is_connected(const struct tl_leg *leg);
