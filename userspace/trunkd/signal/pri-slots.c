/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Timeslots: who holds them, which one is next, and RESTART, one at a time (ITU-T Q.931 5.5). */
#include "signal/signal.h"

#include <errno.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "signal/pri-inner.h"

/* Q.931 table 9-2 gives two minutes, far too long to keep a channel from work. */
#define T316_MS 10000
#define N316 2

enum { SERVICE_IN = 0, SERVICE_OUT = 2 }; /* change status of SERVICE, ANSI T1.607 */

static bool is_bearer(const struct tl_pri *pri, unsigned slot)
{
	return slot && slot <= tl_span_slots(pri->config.span) && tl_span_is_bearer(pri->config.span, slot);
}

enum tl_slot_state tl_pri_slot_state(const struct tl_pri *pri, unsigned slot)
{
	if (!is_bearer(pri, slot))
		return TL_SLOT_UNUSABLE;
	const struct pri_slot *s = &pri->slots[slot];
	if (s->dialog)
		return TL_SLOT_BUSY;
	if (s->restart_wanted || pri->restarting == slot)
		return TL_SLOT_RESTARTING;
	if (s->blocked_here || s->blocked_there)
		return TL_SLOT_BLOCKED;
	return pri->alarms & TL_ALARM_DOWN ? TL_SLOT_UNUSABLE : TL_SLOT_IDLE;
}

unsigned tl_pri_idle_slots(const struct tl_pri *pri)
{
	unsigned n = 0;
	for (unsigned slot = 1; slot <= tl_span_slots(pri->config.span); slot++)
		n += tl_pri_slot_state(pri, slot) == TL_SLOT_IDLE;
	return n;
}

unsigned tl_pri_slot_hunt(struct tl_pri *pri, uint32_t refused)
{
	unsigned n = tl_span_slots(pri->config.span);
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = tl_slot_hunt(pri->config.hunt, pri->last_hunted, i, n);
		if (tl_pri_slot_state(pri, slot) == TL_SLOT_IDLE && !(refused & 1u << slot))
			return pri->last_hunted = slot;
	}
	pri->counters.no_channel++;
	return 0;
}

bool tl_pri_slot_can_take(const struct tl_pri *pri, unsigned slot)
{
	enum tl_slot_state state = tl_pri_slot_state(pri, slot);
	return state == TL_SLOT_IDLE || (state == TL_SLOT_RESTARTING && !pri->slots[slot].blocked_here);
}

void tl_pri_slot_take(struct tl_pri *pri, unsigned slot, struct pri_dialog *dialog)
{
	struct pri_slot *s = &pri->slots[slot];
	g_assert(is_bearer(pri, slot) && !s->dialog);
	s->dialog = dialog;
	/* A call that the far end offers is as good as its RESTART ACKNOWLEDGE; sending again would kill the call. */
	s->restart_wanted = false;
	if (pri->restarting == slot) {
		tl_timer_stop(pri->t316);
		pri->restarting = 0;
		tl_pri_restart_next(pri);
	}
	tl_pri_slots_changed(pri);
}

void tl_pri_slot_drop(struct tl_pri *pri, unsigned slot, bool resync)
{
	pri->slots[slot].dialog = NULL;
	pri->slots[slot].restart_wanted |= resync;
	tl_pri_slots_changed(pri);
	if (resync)
		tl_pri_restart_next(pri);
}

bool tl_pri_slot_is_tentative(const struct tl_pri *pri, unsigned slot)
{
	const struct pri_dialog *ours = pri->slots[slot].dialog;
	return ours && ours->outgoing && !ours->replied;
}

bool tl_pri_slot_yield(struct tl_pri *pri, unsigned slot)
{
	if (!tl_pri_slot_is_tentative(pri, slot))
		return false;
	pri->slots[slot].dialog->slot = 0; /* the far end will name another slot or refuse, and we hunt again */
	tl_pri_slot_drop(pri, slot, false);
	return true;
}

static gboolean tell_slots(gpointer user)
{
	struct tl_pri *pri = user;
	pri->slots_news = 0;
	pri->handler.on_slots(pri, pri->user);
	return G_SOURCE_REMOVE;
}

void tl_pri_slots_changed(struct tl_pri *pri)
{
	if (!pri->slots_news && pri->handler.on_slots)
		pri->slots_news = g_idle_add(tell_slots, pri);
}

void tl_pri_restart_all(struct tl_pri *pri)
{
	for (unsigned slot = 1; slot <= tl_span_slots(pri->config.span); slot++)
		if (is_bearer(pri, slot) && !pri->slots[slot].dialog)
			pri->slots[slot].restart_wanted = true;
	tl_pri_slots_changed(pri);
}

static void restart_send(struct tl_pri *pri)
{
	pri->restart_tries++;
	pri->counters.restarts_sent++;
	if (pri->restart_tries > 1)
		pri->counters.restart_retries++;
	pri_reset(pri->libpri, pri->restarting);
	tl_timer_start(pri->t316, T316_MS);
	tl_pri_schedule_arm(pri);
}

void tl_pri_restart_next(struct tl_pri *pri)
{
	if (!pri->up || pri->restarting)
		return;
	for (unsigned slot = 1; slot <= tl_span_slots(pri->config.span); slot++) {
		struct pri_slot *s = &pri->slots[slot];
		if (!s->restart_wanted || s->dialog)
			continue;
		s->restart_wanted = false;
		pri->restarting = slot;
		pri->restart_tries = 0;
		restart_send(pri);
		return;
	}
}

void tl_pri_restart_suspend(struct tl_pri *pri)
{
	tl_timer_stop(pri->t316);
	if (pri->restarting)
		pri->slots[pri->restarting].restart_wanted = true;
	pri->restarting = 0;
}

static void restart_done(struct tl_pri *pri)
{
	tl_timer_stop(pri->t316);
	pri->restarting = 0;
	tl_pri_slots_changed(pri);
	tl_pri_restart_next(pri);
}

/* A far end that answers no RESTART must not cost the channels: all are admitted, a refused SETUP will tell. */
void tl_pri_t316_expired(void *user)
{
	struct tl_pri *pri = user;
	if (pri->restart_tries < N316) {
		restart_send(pri);
		return;
	}
	tl_warning("%s: no answer to RESTART of timeslot %u; it and those waiting are taken as idle",
		   tl_span_name(pri->config.span), pri->restarting);
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		pri->slots[slot].restart_wanted = false;
	restart_done(pri);
}

void tl_pri_restart_acked(struct tl_pri *pri, int channel)
{
	if (pri->restarting && (channel == -1 || (unsigned)(channel & 0xff) == pri->restarting))
		restart_done(pri);
}

static void slot_restarted(struct tl_pri *pri, unsigned slot)
{
	const struct dialog_news news = { .cause = TL_CAUSE_TEMPORARY_FAILURE, .by_peer = true };
	struct pri_slot *s = &pri->slots[slot];
	s->restart_wanted = false;
	s->blocked_there = false;
	if (s->dialog)
		tl_pri_dialog_fire(s->dialog, EV_DROP, &news);
}

void tl_pri_restart_received(struct tl_pri *pri, int channel)
{
	unsigned slot = channel & 0xff;
	bool all = channel == -1 || slot == 0xff;
	pri->counters.restarts_received++;
	for (unsigned i = 1; i <= tl_span_slots(pri->config.span); i++)
		if (is_bearer(pri, i) && (all || i == slot))
			slot_restarted(pri, i);
	tl_pri_slots_changed(pri);
}

int tl_pri_restart(struct tl_pri *pri, unsigned slot)
{
	const struct dialog_news news = { .cause = TL_CAUSE_TEMPORARY_FAILURE };
	if (!is_bearer(pri, slot))
		return -EINVAL;
	if (pri->slots[slot].dialog)
		tl_pri_dialog_fire(pri->slots[slot].dialog, EV_DROP, &news);
	if (pri->restarting != slot)
		pri->slots[slot].restart_wanted = true;
	tl_pri_slots_changed(pri);
	tl_pri_restart_next(pri);
	return 0;
}

static void tell_service(struct tl_pri *pri, unsigned slot)
{
	if (pri->config.type != TL_PRI_NI2 || !pri->up)
		return;
	pri_maintenance_service(pri->libpri, 0, slot, pri->slots[slot].blocked_here ? SERVICE_OUT : SERVICE_IN);
	tl_pri_schedule_arm(pri);
}

void tl_pri_block(struct tl_pri *pri, unsigned slot, bool block)
{
	if (!is_bearer(pri, slot) || pri->slots[slot].blocked_here == block)
		return;
	pri->slots[slot].blocked_here = block;
	tl_pri_slots_changed(pri);
	tell_service(pri, slot);
}

void tl_pri_blocks_repeat(struct tl_pri *pri)
{
	for (unsigned slot = 1; slot <= tl_span_slots(pri->config.span); slot++)
		if (pri->slots[slot].blocked_here)
			tell_service(pri, slot);
}
