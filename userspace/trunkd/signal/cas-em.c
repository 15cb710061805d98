/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * E&M trunks, both ends alike: immediate, wink and feature group D (TIA/EIA-464, Telcordia GR-506). The only sign is
 * on-hook or off-hook each way: seizure, wink, answer, release.
 */
#include "signal/cas-inner.h"

#define TL_ROOM "signal"
#include "base/log.h"

/* Longer than a far end's detectors need to be there (TIA/EIA-464: 65 ms at least). */
#define PREDIAL_MS 150
/* TIA/EIA-464: a wink of 140-290 ms, begun 100 ms after the seizure or later; taken from 100 to 350, and what a line adds. */
#define WINK_DELAY_MS 150
#define WINK_HEARD_MIN_US 60000
#define WINK_HEARD_MAX_US 450000
/* Off-hook for longer than any wink. */
#define NOT_A_WINK_MS 600
#define NO_WINK_MS 5000
#define NO_ACK_MS 20000
#define GLARE_MS 5000
/* How long a released far end may stay off-hook, and hear our refusal, before its trunk counts as out of order. */
#define CLEAR_MS 60000

enum {
	ST_SEIZED = CAS_HELD + 1, ST_WINKING, ST_GLARE, ST_SENDING, ST_ACK, ST_ACKING, ST_DIALLED, ST_TALKING_OUT,
	ST_SEIZURE, ST_COLLECTING, ST_ACCEPTED, ST_OFFERED, ST_TALKING_IN,
	ST_REFUSED, ST_CLEARING,
	N_STATES,
};

static const char *const states[N_STATES] = {
	[CAS_IDLE] = "idle", [CAS_DOWN] = "line down", [CAS_GUARD] = "guard", [CAS_HELD] = "held by far end",
	[ST_SEIZED] = "seized", [ST_WINKING] = "wink", [ST_GLARE] = "glare", [ST_SENDING] = "sending", [ST_ACK] = "dialled, unacknowledged",
	[ST_ACKING] = "acknowledging wink", [ST_DIALLED] = "dialled", [ST_TALKING_OUT] = "answered by far end",
	[ST_SEIZURE] = "seizure", [ST_COLLECTING] = "collecting", [ST_ACCEPTED] = "accepted", [ST_OFFERED] = "offered",
	[ST_TALKING_IN] = "answered", [ST_REFUSED] = "refused", [ST_CLEARING] = "clearing", [CAS_BLOCKED] = "blocked",
};

static bool is_immediate(const struct cas_slot *slot)
{
	return slot->cas->config.kind == TL_CAS_EM_IMMEDIATE;
}

static bool was_wink(const struct cas_news *news)
{
	return news->lasted_us >= WINK_HEARD_MIN_US && news->lasted_us <= WINK_HEARD_MAX_US;
}

/* ---- calls to the far end ---- */

static void await_start(struct cas_slot *slot)
{
	tl_cas_start(&slot->timer, is_immediate(slot) ? PREDIAL_MS : NO_WINK_MS, is_immediate(slot) ? EV_READY : EV_NO_WINK);
}

static void seize(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_sent++;
	slot->acknowledged = false;
	tl_cas_send(slot, HOOK_OFF);
	await_start(slot);
}

static void await_end_of_wink(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_start(&slot->timer, NOT_A_WINK_MS, slot->fsm.state == ST_ACKING ? EV_IS_ANSWER : EV_IS_GLARE);
}

static void wink_ended(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!is_immediate(slot) && was_wink(data)) {
		tl_cas_fire(slot, EV_READY, NULL);
		return;
	}
	slot->cas->counters.bad_winks += !is_immediate(slot);
	await_start(slot);
}

static void send_address(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct tl_cas_config *config = &slot->cas->config;
	g_autofree char *address = tl_cas_address_format(config->kind, config->digits, &slot->dialog->setup);
	tl_cas_stop(&slot->timer);
	tl_cas_send_digits(slot, config->digits, address);
}

/* What the far end says to the last digit may be heard before the end of our own sending is. */
static void note_early_wink(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->acknowledged |= was_wink(data);
}

static void proceeding(struct cas_slot *slot)
{
	tl_cas_stop(&slot->timer);
	tl_cas_settle(slot);
	tl_cas_tell(slot, TL_DIALOG_PROCEEDING, false);
	tl_cas_tell(slot, TL_DIALOG_PROGRESS, true);
}

static void dialled(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_audio_close(slot);
	if (slot->cas->config.kind == TL_CAS_FGD && !slot->acknowledged)
		tl_cas_fire(slot, EV_AWAIT_ACK, NULL);
	else
		proceeding(slot);
	if (slot->dialog && slot->steady == HOOK_OFF)
		tl_cas_fire(slot, EV_FAR_OFF, NULL);
}

static void await_ack(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_start(&slot->timer, NO_ACK_MS, EV_NO_ACK);
}

static void ack_ended(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!was_wink(data)) {
		slot->cas->counters.bad_winks++;
		tl_cas_fire(slot, EV_AWAIT_ACK, NULL);
		return;
	}
	proceeding(slot);
}

static void answered(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!slot->dialog->base.slot) /* no wink came before it */
		proceeding(slot);
	tl_cas_stop(&slot->timer);
	tl_cas_tell(slot, TL_DIALOG_ANSWERED, true);
}

/* ---- glare ---- */

static void glare(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.glare++;
	if (slot->cas->config.holds)
		tl_cas_start(&slot->timer, GLARE_MS, EV_GIVE_UP);
	else
		tl_cas_fire(slot, EV_YIELD, NULL);
}

static void far_yielded(void *user, const void *data)
{
	await_start(user);
}

/* ---- calls from the far end ---- */

static void seizure(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_received++;
	g_string_truncate(slot->address, 0);
	slot->has_caller_id = false;
	tl_cas_hear_digits(slot, slot->cas->config.digits);
	if (is_immediate(slot))
		tl_cas_fire(slot, EV_READY, NULL);
	else
		tl_cas_start(&slot->timer, WINK_DELAY_MS, EV_READY);
}

static void yield(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_send(slot, HOOK_ON);
	tl_cas_released(slot, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE, true);
	seizure(slot, data);
}

static void wink(struct cas_slot *slot)
{
	if (!is_immediate(slot))
		tl_cas_pulse(slot, HOOK_OFF, slot->cas->config.wink_ms, HOOK_ON);
}

static void collect(void *user, const void *data)
{
	struct cas_slot *slot = user;
	wink(slot);
	tl_cas_start(&slot->timer, slot->cas->config.first_digit_ms, EV_NO_DIGITS);
}

/* The end of a DTMF number that has no end of its own is that nothing follows. */
static void digit(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct tl_cas_config *config = &slot->cas->config;
	const struct cas_news *news = data;
	bool open = config->digits == TL_INBAND_DTMF && config->kind != TL_CAS_FGD;
	if (slot->address->len >= 3 * TL_DIGITS_MAX)
		return; /* noise; the timer ends it */
	g_string_append_c(slot->address, news->digit);
	if (tl_cas_address_is_complete(config->kind, config->digits, config->digits_max, slot->address->str))
		tl_cas_fire(slot, EV_COMPLETE, NULL);
	else
		tl_cas_start(&slot->timer, config->digit_ms, open ? EV_COMPLETE : EV_NO_DIGITS);
}

/* An answer that ran into the wink would be one long off-hook: nobody can answer before the wink has ended. */
static void accept(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_stop(&slot->timer);
	if (slot->cas->config.kind != TL_CAS_FGD) {
		tl_cas_fire(slot, EV_READY, NULL);
		return;
	}
	wink(slot);
	tl_cas_start(&slot->timer, slot->cas->config.wink_ms + WINK_DELAY_MS, EV_READY);
}

static void complete(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!tl_cas_offer(slot))
		tl_cas_fire(slot, EV_RELEASE, &(struct cas_news){ .cause = TL_CAUSE_INVALID_NUMBER });
}

static void alert(void *user, const void *data)
{
	tl_cas_tone(user, TL_INBAND_RINGING);
}

static void answer(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_audio_close(slot);
	tl_cas_send(slot, HOOK_OFF);
}

/* ---- ends ---- */

static void no_start(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.no_wink++;
	tl_cas_guard(slot);
	tl_cas_released(slot, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE, false);
}

/* The far end is off-hook for its own reasons: until it says otherwise the trunk is not ours. */
static void both_hold(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	slot->cas->counters.held++;
	tl_cas_released(slot, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE, false);
}

static void clear(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	tl_cas_start(&slot->timer, CLEAR_MS, EV_GIVE_UP);
	tl_cas_released(slot, news->cause, false);
}

/* On-hook we are anyway: the caller can only be told by a tone, until it hangs up. */
static void refuse(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	tl_cas_rest(slot);
	tl_cas_start(&slot->timer, CLEAR_MS, EV_GIVE_UP);
	tl_cas_released(slot, news->cause, false);
	tl_cas_tone(slot, tl_inband_refusal(news->cause));
}

static void hold(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	slot->cas->counters.held++;
	tl_notice("span %s, timeslot %u: the far end stays off-hook", tl_span_name(slot->cas->base.span), slot->number);
}

static void no_digits(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.no_digits++;
	hold(slot, data);
}

static void idle(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (slot->steady == HOOK_OFF)
		tl_cas_fire(slot, EV_FAR_OFF, NULL);
	else if (slot->blocked)
		tl_cas_fire(slot, EV_BLOCK, NULL);
}

/* Digits may be on their way already. */
static void seized_early(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!is_immediate(slot))
		return; /* it waits for our wink: when the guard has ended */
	tl_cas_stop(&slot->timer);
	tl_cas_fire(slot, EV_GUARDED, NULL);
}

static void block(void *user, const void *data)
{
	tl_cas_send(user, HOOK_OFF);
}

#define DOWN_FROM(state) { state, EV_DOWN, CAS_DOWN, tl_cas_down }

static const struct tl_fsm_row rows[] = {
	{ CAS_IDLE, EV_CALL, ST_SEIZED, seize },
	{ CAS_IDLE, EV_FAR_OFF, ST_SEIZURE, seizure },
	{ CAS_IDLE, EV_FAR_ON, CAS_IDLE, NULL },
	{ CAS_IDLE, EV_BLOCK, CAS_BLOCKED, block },

	{ ST_SEIZED, EV_READY, ST_SENDING, send_address },
	{ ST_SEIZED, EV_FAR_OFF, ST_WINKING, await_end_of_wink },
	{ ST_SEIZED, EV_NO_WINK, CAS_GUARD, no_start },
	{ ST_SEIZED, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	{ ST_WINKING, EV_FAR_ON, ST_SEIZED, wink_ended },
	{ ST_WINKING, EV_IS_GLARE, ST_GLARE, glare },
	{ ST_WINKING, EV_RELEASE, ST_CLEARING, clear },
	{ ST_GLARE, EV_YIELD, ST_SEIZURE, yield },
	{ ST_GLARE, EV_FAR_ON, ST_SEIZED, far_yielded },
	{ ST_GLARE, EV_GIVE_UP, CAS_HELD, both_hold },
	{ ST_GLARE, EV_RELEASE, ST_CLEARING, clear },
	{ ST_SENDING, EV_SENT, ST_DIALLED, dialled },
	{ ST_SENDING, EV_FAR_OFF, ST_SENDING, NULL },
	{ ST_SENDING, EV_FAR_ON, ST_SENDING, note_early_wink },
	{ ST_SENDING, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	{ ST_ACK, EV_FAR_OFF, ST_ACKING, await_end_of_wink },
	{ ST_ACK, EV_NO_ACK, CAS_GUARD, no_start },
	{ ST_ACK, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	{ ST_ACKING, EV_FAR_ON, ST_DIALLED, ack_ended },
	{ ST_ACKING, EV_IS_ANSWER, ST_TALKING_OUT, answered },
	{ ST_ACKING, EV_RELEASE, ST_CLEARING, clear },
	{ ST_DIALLED, EV_AWAIT_ACK, ST_ACK, await_ack },
	{ ST_DIALLED, EV_FAR_OFF, ST_TALKING_OUT, answered },
	{ ST_DIALLED, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	{ ST_TALKING_OUT, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_TALKING_OUT, EV_RELEASE, ST_CLEARING, clear },

	{ ST_SEIZURE, EV_READY, ST_COLLECTING, collect },
	{ ST_SEIZURE, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_COLLECTING, EV_DIGIT, ST_COLLECTING, digit },
	{ ST_COLLECTING, EV_COMPLETE, ST_ACCEPTED, accept },
	{ ST_COLLECTING, EV_NO_DIGITS, CAS_HELD, no_digits },
	{ ST_COLLECTING, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_ACCEPTED, EV_READY, ST_OFFERED, complete },
	{ ST_ACCEPTED, EV_DIGIT, ST_ACCEPTED, NULL },
	{ ST_ACCEPTED, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_OFFERED, EV_ALERT, ST_OFFERED, alert },
	{ ST_OFFERED, EV_ANSWER, ST_TALKING_IN, answer },
	{ ST_OFFERED, EV_RELEASE, ST_REFUSED, refuse },
	{ ST_OFFERED, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_TALKING_IN, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_TALKING_IN, EV_RELEASE, ST_CLEARING, clear },

	{ ST_REFUSED, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ ST_REFUSED, EV_GIVE_UP, CAS_HELD, hold },
	{ ST_CLEARING, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ ST_CLEARING, EV_GIVE_UP, CAS_HELD, hold },
	{ CAS_HELD, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ CAS_GUARD, EV_GUARDED, CAS_IDLE, idle },
	{ CAS_GUARD, EV_FAR_OFF, CAS_GUARD, seized_early },
	{ CAS_GUARD, EV_FAR_ON, CAS_GUARD, NULL },
	{ CAS_BLOCKED, EV_UNBLOCK, CAS_GUARD, tl_cas_freed },
	{ CAS_BLOCKED, EV_FAR_OFF, CAS_BLOCKED, NULL },
	{ CAS_BLOCKED, EV_FAR_ON, CAS_BLOCKED, NULL },

	DOWN_FROM(CAS_IDLE), DOWN_FROM(CAS_GUARD), DOWN_FROM(CAS_HELD), DOWN_FROM(ST_SEIZED), DOWN_FROM(ST_WINKING),
	DOWN_FROM(ST_GLARE), DOWN_FROM(ST_SENDING), DOWN_FROM(ST_ACK), DOWN_FROM(ST_ACKING), DOWN_FROM(ST_DIALLED),
	DOWN_FROM(ST_TALKING_OUT), DOWN_FROM(ST_SEIZURE), DOWN_FROM(ST_COLLECTING), DOWN_FROM(ST_ACCEPTED), DOWN_FROM(ST_OFFERED),
	DOWN_FROM(ST_TALKING_IN), DOWN_FROM(ST_REFUSED), DOWN_FROM(ST_CLEARING), DOWN_FROM(CAS_BLOCKED),
	{ CAS_DOWN, EV_UP, CAS_GUARD, tl_cas_freed },
};

const struct tl_fsm_machine tl_cas_em_machine = {
	.name = "cas-em",
	.states = states, .n_states = N_STATES,
	.events = tl_cas_event_names, .n_events = N_CAS_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows),
	.initial = CAS_DOWN,
};
