/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* How a call ends on every kind of line: actions that the three tables share. */
#include "signal/cas-inner.h"

void tl_cas_guard(struct cas_slot *slot)
{
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	tl_cas_start(&slot->timer, slot->cas->kind->guard_ms, EV_GUARDED);
}

void tl_cas_far_cleared(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!slot->dialog)
		slot->cas->counters.abandoned++;
	tl_cas_guard(slot);
	tl_cas_released(slot, TL_CAUSE_NORMAL_CLEARING, true);
}

void tl_cas_let_go(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	tl_cas_guard(slot);
	tl_cas_released(slot, news->cause, false);
}

void tl_cas_freed(void *user, const void *data)
{
	tl_cas_guard(user);
}

void tl_cas_down(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	slot->cas->counters.alarm_drops += slot->dialog != NULL;
	tl_cas_released(slot, TL_CAUSE_NETWORK_OUT_OF_ORDER, false);
}
