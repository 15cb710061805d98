/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * FXS signalling: like a telephone on an exchange's line. It hears ringing and caller id; an answer only where the
 * exchange reverses the battery, and a disconnect on a plain loop neither.
 */
#include "signal/cas-inner.h"

/* The pause of four seconds between two rings, and more than a little. */
#define RINGING_GONE_MS 8000
#define FLASH_MS 500

enum { ST_RUNG = CAS_OWN, ST_OFFERED, ST_TALKING, ST_IGNORING, ST_SEIZED, ST_SENDING, ST_DIALLED, N_STATES };

static const char *const states[N_STATES] = {
	[CAS_IDLE] = "idle", [CAS_DOWN] = "line down", [CAS_GUARD] = "guard", [CAS_BLOCKED] = "blocked", [ST_RUNG] = "rung",
	[ST_OFFERED] = "offered", [ST_TALKING] = "talking", [ST_IGNORING] = "ringing in vain", [ST_SEIZED] = "seized",
	[ST_SENDING] = "sending", [ST_DIALLED] = "dialled",
};

/* ---- calls from the exchange ---- */

static void rung(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_received++;
	g_string_truncate(slot->address, 0);
	slot->has_caller_id = false;
	tl_cas_start(&slot->timer, RINGING_GONE_MS, EV_GONE);
	if (slot->cas->config.caller_id == TL_CALLER_ID_NONE)
		tl_cas_fire(slot, EV_COMPLETE, NULL);
	else
		tl_cas_hear_caller_id(slot);
}

static void caller_id(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	slot->cas->counters.caller_ids++;
	slot->caller_id = *news->caller_id;
	slot->has_caller_id = true;
	tl_cas_fire(slot, EV_COMPLETE, NULL);
}

static void offer(void *user, const void *data)
{
	tl_cas_offer(user);
}

/* Still there. */
static void rings_on(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_start(&slot->timer, RINGING_GONE_MS, EV_GONE);
}

static void answer(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_OFF);
}

/* ---- calls to the exchange ---- */

static void seize(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_sent++;
	tl_cas_send(slot, HOOK_OFF);
	tl_cas_start(&slot->timer, slot->cas->config.dial_tone_ms, EV_READY);
}

static void dial(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_send_digits(slot, TL_INBAND_DTMF, slot->dialog->setup.called.digits);
}

/* That is all a plain loop can tell: what comes now is heard. */
static void dialled(void *user, const void *data)
{
	struct cas_slot *slot = user;
	bool hears_answer = slot->cas->config.reversal && slot->steady != HOOK_REVERSED;
	tl_cas_settle(slot);
	tl_cas_tell(slot, TL_DIALOG_PROCEEDING, false);
	if (hears_answer)
		tl_cas_tell(slot, TL_DIALOG_PROGRESS, true);
	else
		tl_cas_fire(slot, EV_IS_ANSWER, NULL);
}

static void answered(void *user, const void *data)
{
	tl_cas_tell(user, TL_DIALOG_ANSWERED, true);
}

static void flash(void *user, const void *data)
{
	tl_cas_pulse(user, HOOK_ON, FLASH_MS, HOOK_OFF);
}

/* ---- ends ---- */

static void glare(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.glare++;
	tl_cas_guard(slot);
	tl_cas_released(slot, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE, true);
}

/* A telephone cannot refuse: it lets it ring. */
static void ignore(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	rings_on(slot, data);
	tl_cas_released(slot, news->cause, false);
}

static void idle(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (slot->steady == HOOK_RING)
		tl_cas_fire(slot, EV_RING, NULL);
	else if (slot->blocked)
		tl_cas_fire(slot, EV_BLOCK, NULL);
}

static void block(void *user, const void *data)
{
	tl_cas_send(user, HOOK_OFF);
}

#define DOWN_FROM(state) { state, EV_DOWN, CAS_DOWN, tl_cas_down }
#define DEAF(state, event) { state, event, state, NULL }
/* A battery says something of our own calls only. */
#define ANY_BATTERY(state) DEAF(state, EV_REVERSED), DEAF(state, EV_NORMAL)

static const struct tl_fsm_row rows[] = {
	{ CAS_IDLE, EV_RING, ST_RUNG, rung },
	{ CAS_IDLE, EV_CALL, ST_SEIZED, seize },
	{ CAS_IDLE, EV_BLOCK, CAS_BLOCKED, block },
	DEAF(CAS_IDLE, EV_QUIET), DEAF(CAS_IDLE, EV_OPEN),

	{ ST_RUNG, EV_CALLER_ID, ST_RUNG, caller_id },
	{ ST_RUNG, EV_COMPLETE, ST_OFFERED, offer },
	{ ST_RUNG, EV_RING, ST_OFFERED, offer },
	{ ST_RUNG, EV_QUIET, ST_RUNG, rings_on },
	{ ST_RUNG, EV_OPEN, CAS_GUARD, tl_cas_far_cleared },
	{ ST_RUNG, EV_GONE, CAS_GUARD, tl_cas_far_cleared },
	{ ST_OFFERED, EV_RING, ST_OFFERED, rings_on },
	{ ST_OFFERED, EV_QUIET, ST_OFFERED, rings_on },
	{ ST_OFFERED, EV_OPEN, CAS_GUARD, tl_cas_far_cleared },
	{ ST_OFFERED, EV_GONE, CAS_GUARD, tl_cas_far_cleared },
	DEAF(ST_OFFERED, EV_ALERT),
	{ ST_OFFERED, EV_ANSWER, ST_TALKING, answer },
	{ ST_OFFERED, EV_RELEASE, ST_IGNORING, ignore },
	{ ST_IGNORING, EV_RING, ST_IGNORING, rings_on },
	{ ST_IGNORING, EV_QUIET, ST_IGNORING, rings_on },
	{ ST_IGNORING, EV_OPEN, CAS_GUARD, tl_cas_freed },
	{ ST_IGNORING, EV_GONE, CAS_GUARD, tl_cas_freed },

	{ ST_SEIZED, EV_READY, ST_SENDING, dial },
	{ ST_SEIZED, EV_RING, CAS_GUARD, glare },
	{ ST_SEIZED, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	DEAF(ST_SEIZED, EV_QUIET), DEAF(ST_SEIZED, EV_OPEN),
	{ ST_SENDING, EV_SENT, ST_DIALLED, dialled },
	{ ST_SENDING, EV_OPEN, CAS_GUARD, tl_cas_far_cleared },
	{ ST_SENDING, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	DEAF(ST_SENDING, EV_RING), DEAF(ST_SENDING, EV_QUIET),
	{ ST_DIALLED, EV_IS_ANSWER, ST_TALKING, answered },
	{ ST_DIALLED, EV_REVERSED, ST_TALKING, answered },
	{ ST_DIALLED, EV_OPEN, CAS_GUARD, tl_cas_far_cleared },
	{ ST_DIALLED, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	DEAF(ST_DIALLED, EV_RING), DEAF(ST_DIALLED, EV_QUIET), DEAF(ST_DIALLED, EV_NORMAL),

	{ ST_TALKING, EV_OPEN, CAS_GUARD, tl_cas_far_cleared },
	{ ST_TALKING, EV_NORMAL, CAS_GUARD, tl_cas_far_cleared },
	DEAF(ST_TALKING, EV_REVERSED),
	{ ST_TALKING, EV_FLASH, ST_TALKING, flash },
	{ ST_TALKING, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	DEAF(ST_TALKING, EV_RING), DEAF(ST_TALKING, EV_QUIET),

	{ CAS_GUARD, EV_GUARDED, CAS_IDLE, idle },
	DEAF(CAS_GUARD, EV_RING), DEAF(CAS_GUARD, EV_QUIET), DEAF(CAS_GUARD, EV_OPEN),
	{ CAS_BLOCKED, EV_UNBLOCK, CAS_GUARD, tl_cas_freed },
	DEAF(CAS_BLOCKED, EV_RING), DEAF(CAS_BLOCKED, EV_QUIET), DEAF(CAS_BLOCKED, EV_OPEN),

	ANY_BATTERY(CAS_IDLE), ANY_BATTERY(CAS_GUARD), ANY_BATTERY(CAS_BLOCKED), ANY_BATTERY(ST_RUNG), ANY_BATTERY(ST_OFFERED),
	ANY_BATTERY(ST_IGNORING), ANY_BATTERY(ST_SEIZED), ANY_BATTERY(ST_SENDING),

	DOWN_FROM(CAS_IDLE), DOWN_FROM(CAS_GUARD), DOWN_FROM(CAS_BLOCKED), DOWN_FROM(ST_RUNG), DOWN_FROM(ST_OFFERED),
	DOWN_FROM(ST_TALKING), DOWN_FROM(ST_IGNORING), DOWN_FROM(ST_SEIZED), DOWN_FROM(ST_SENDING),
	DOWN_FROM(ST_DIALLED),
	{ CAS_DOWN, EV_UP, CAS_GUARD, tl_cas_freed },
};

const struct tl_fsm_machine tl_cas_fxs_machine = {
	.name = "cas-fxs",
	.states = states, .n_states = N_STATES,
	.events = tl_cas_event_names, .n_events = N_CAS_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows),
	.initial = CAS_DOWN,
};
