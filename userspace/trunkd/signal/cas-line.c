/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A timeslot's bits and what they mean. Changes shorter than a line's flutter mean nothing. */
#include "signal/cas-inner.h"

/* ANSI T1.403.02: a change of state must be recognised from 30 ms or so; an open loop is longer than a hit. */
#define SETTLE_MS 30
#define OPEN_SETTLE_MS 100
/* A line whose time stands still is in alarm: then this ends waiting for it. */
#define LINE_PATIENCE_US (30 * 1000000LL)

const char *const tl_cas_event_names[N_CAS_EVENTS] = {
	[EV_FAR_OFF] = "far off-hook", [EV_FAR_ON] = "far on-hook", [EV_RING] = "ringing", [EV_QUIET] = "ringing ends",
	[EV_OPEN] = "loop open", [EV_REVERSED] = "battery reversed", [EV_NORMAL] = "battery as before",
	[EV_DIGIT] = "digit", [EV_SENT] = "sent", [EV_CALLER_ID] = "caller id", [EV_CALL] = "call",
	[EV_ALERT] = "alert", [EV_ANSWER] = "answer", [EV_RELEASE] = "release", [EV_FLASH] = "flash", [EV_BLOCK] = "block",
	[EV_UNBLOCK] = "unblock", [EV_READY] = "ready", [EV_NO_WINK] = "no wink", [EV_NO_ACK] = "no acknowledgement",
	[EV_IS_ANSWER] = "is answer", [EV_IS_GLARE] = "is glare", [EV_YIELD] = "yield", [EV_AWAIT_ACK] = "await wink",
	[EV_COMPLETE] = "complete", [EV_NO_DIGITS] = "no digits", [EV_CADENCE] = "cadence", [EV_SAY_ID] = "say caller id",
	[EV_GONE] = "gone", [EV_GIVE_UP] = "give up", [EV_GUARDED] = "guarded", [EV_DOWN] = "line down", [EV_UP] = "line up",
};

/*
 * ABCD by hook; of loops Telcordia GR-303's: LCF 0101, -R 0000, LCFO 1111, RLCF 0100, loop closed 1111. On an E1 0000
 * would imitate the multiframe's alignment (ITU-T G.704 5.1.3.2.1), so D is 1. C and D
 * repeat A and B on a T1 with D4 framing, which has those two alone; so only these are looked at, but for a battery
 * that is reversed.
 */
static unsigned bits_of(const struct tl_cas *cas, enum cas_hook hook)
{
	static const uint8_t em_t1[] = { [HOOK_ON] = 0x0, [HOOK_OFF] = 0xf };
	static const uint8_t em_e1[] = { [HOOK_ON] = 0x1, [HOOK_OFF] = 0xd };
	static const uint8_t loop[] = { [HOOK_ON] = 0x5, [HOOK_OFF] = 0xf, [HOOK_RING] = 0x0, [HOOK_OPEN] = 0xf,
					 [HOOK_REVERSED] = 0x4 };
	bool e1 = tl_span_get_kind(cas->base.span) == TL_SPAN_E1;
	if (cas->config.kind <= TL_CAS_FGD)
		return e1 ? em_e1[hook] : em_t1[hook];
	return e1 && hook == HOOK_RING ? 0x1 : loop[hook];
}

static enum cas_hook hook_of(const struct tl_cas *cas, unsigned abcd)
{
	bool a = abcd & 8, b = abcd & 4;
	if (!cas->kind->telephone)
		return a ? HOOK_OFF : HOOK_ON;
	if (a)
		return cas->kind->kewl ? HOOK_OPEN : HOOK_ON;
	if (b && cas->config.reversal && !(abcd & 3))
		return HOOK_REVERSED;
	return b ? HOOK_ON : HOOK_RING;
}

void tl_cas_send(struct cas_slot *slot, enum cas_hook hook)
{
	tl_span_send_cas(slot->cas->base.span, slot->number, bits_of(slot->cas, hook));
}

void tl_cas_pulse(struct cas_slot *slot, enum cas_hook hook, unsigned ms, enum cas_hook then)
{
	tl_span_pulse_cas(slot->cas->base.span, slot->number, bits_of(slot->cas, hook), ms, bits_of(slot->cas, then));
}

/* ---- timers ---- */

static void on_timer(void *user)
{
	struct cas_timer *timer = user;
	int64_t left_us = timer->due_line_us - tl_span_line_us(timer->slot->cas->base.span);
	if (left_us > 0 && tl_clock_us() < timer->give_up_us)
		tl_timer_start(timer->timer, (unsigned)MAX(left_us / 1000, TL_TICK_US / 1000));
	else
		timer->on_due(timer->slot);
}

void tl_cas_start(struct cas_timer *timer, unsigned ms, enum cas_event event)
{
	timer->event = event;
	timer->due_line_us = tl_span_line_us(timer->slot->cas->base.span) + ms * 1000LL;
	timer->give_up_us = tl_clock_us() + ms * 1000LL + LINE_PATIENCE_US;
	tl_timer_start(timer->timer, ms);
}

void tl_cas_stop(struct cas_timer *timer)
{
	tl_timer_stop(timer->timer);
}

/* ---- hooks ---- */

bool tl_cas_fire(struct cas_slot *slot, enum cas_event event, const struct cas_news *news)
{
	static const struct cas_news none;
	int before = slot->fsm.state;
	bool known = tl_fsm_fire(&slot->fsm, event, slot, news ? news : &none);
	if (slot->fsm.state != before)
		tl_cas_slots_changed(slot->cas);
	return known;
}

static enum cas_event event_of(const struct cas_slot *slot, enum cas_hook before)
{
	switch (slot->steady) {
	case HOOK_ON: break;
	case HOOK_OFF: return EV_FAR_OFF;
	case HOOK_RING: return EV_RING;
	case HOOK_OPEN: return EV_OPEN;
	case HOOK_REVERSED: return EV_REVERSED;
	}
	if (!slot->cas->kind->telephone)
		return EV_FAR_ON;
	return before == HOOK_REVERSED ? EV_NORMAL : EV_QUIET;
}

static void settle(struct cas_slot *slot)
{
	const struct cas_news news = { .lasted_us = slot->heard_us - slot->steady_us };
	enum cas_hook before = slot->steady;
	tl_cas_stop(&slot->settle);
	slot->steady = slot->heard;
	slot->steady_us = slot->heard_us;
	if (!slot->cas->down)
		tl_cas_fire(slot, event_of(slot, before), &news);
}

static unsigned settle_ms(enum cas_hook hook)
{
	return hook == HOOK_OPEN ? OPEN_SETTLE_MS : SETTLE_MS;
}

/* Main may be late: what had lasted long enough when the next change came was meant. */
void tl_cas_on_bits(struct cas_slot *slot, unsigned abcd, int64_t line_us)
{
	enum cas_hook hook = hook_of(slot->cas, abcd);
	if (slot->heard != slot->steady && line_us - slot->heard_us >= settle_ms(slot->heard) * 1000LL)
		settle(slot);
	if (hook == slot->heard)
		return;
	slot->heard = hook;
	slot->heard_us = line_us;
	if (hook == slot->steady)
		tl_cas_stop(&slot->settle);
	else
		tl_cas_start(&slot->settle, settle_ms(hook), EV_FAR_ON);
}

static void on_timer_due(struct cas_slot *slot)
{
	tl_cas_fire(slot, slot->timer.event, NULL);
}

static void on_cadence_due(struct cas_slot *slot)
{
	tl_cas_fire(slot, slot->cadence.event, NULL);
}

static void timer_init(struct cas_timer *timer, struct cas_slot *slot, void (*on_due)(struct cas_slot *))
{
	timer->slot = slot;
	timer->on_due = on_due;
	timer->timer = tl_timer_new("cas", on_timer, timer);
}

void tl_cas_slot_init(struct cas_slot *slot, struct tl_cas *cas, unsigned number)
{
	slot->cas = cas;
	slot->number = number;
	slot->address = g_string_new(NULL);
	timer_init(&slot->timer, slot, on_timer_due);
	timer_init(&slot->cadence, slot, on_cadence_due);
	timer_init(&slot->settle, slot, settle);
	tl_fsm_init(&slot->fsm, cas->kind->machine);
	tl_cas_send(slot, HOOK_ON);
}

void tl_cas_rest(struct cas_slot *slot)
{
	tl_cas_stop(&slot->timer);
	tl_cas_stop(&slot->cadence);
	tl_cas_audio_close(slot);
}

void tl_cas_slot_done(struct cas_slot *slot)
{
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	tl_timer_free(slot->timer.timer);
	tl_timer_free(slot->cadence.timer);
	tl_timer_free(slot->settle.timer);
	g_string_free(slot->address, TRUE);
}
