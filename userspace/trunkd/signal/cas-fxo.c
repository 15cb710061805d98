/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * FXO signalling: an exchange's line card towards a telephone. It rings, tells the caller, gives dial tone and takes
 * digits; kewl opens the loop when its own side has hung up. Where that is agreed it reverses the battery for an answer.
 */
#include "signal/cas-inner.h"

/* Ringing of two seconds in six (Telcordia GR-506); the caller id half a second after the first. */
#define RING_MS 2000
#define PAUSE_MS 4000
#define CALLER_ID_AFTER_MS 500
/* A hook flash is 300 to 1000 ms (TIA/EIA-470); shorter is a hit, longer the end. */
#define FLASH_MIN_US 280000
#define FLASH_MAX_MS 1100
/* GR-506: an open loop of 600 ms and more disconnects. */
#define OPEN_MS 800
#define REFUSED_MS 60000
#define STARTED_MS 10

enum {
	ST_RINGING = CAS_HELD + 1, ST_PAUSE, ST_COLLECTING, ST_OFFERED, ST_TALKING, ST_FLASHING, ST_REFUSED, ST_CLEARING,
	N_STATES,
};

static const char *const states[N_STATES] = {
	[CAS_IDLE] = "idle", [CAS_DOWN] = "line down", [CAS_GUARD] = "guard", [CAS_HELD] = "off-hook for nothing",
	[ST_RINGING] = "ringing", [ST_PAUSE] = "between rings", [ST_COLLECTING] = "collecting", [ST_OFFERED] = "offered",
	[ST_TALKING] = "talking", [ST_FLASHING] = "on-hook for a moment", [ST_REFUSED] = "refused", [ST_CLEARING] = "clearing",
	[CAS_BLOCKED] = "blocked",
};

/* ---- calls to the telephone ---- */

static void ring(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_audio_close(slot); /* of a caller id that was longer than the pause */
	tl_cas_send(slot, HOOK_RING);
	tl_cas_start(&slot->cadence, RING_MS, EV_CADENCE);
}

static void call(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_sent++;
	slot->id_said = slot->cas->config.caller_id == TL_CALLER_ID_NONE;
	ring(slot, data);
	tl_cas_start(&slot->timer, STARTED_MS, EV_READY); /* the owner is told when it has the dialog */
}

static void started(void *user, const void *data)
{
	tl_cas_tell(user, TL_DIALOG_PROCEEDING, false);
	tl_cas_tell(user, TL_DIALOG_ALERTING, false);
}

static void pause_ringing(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_send(slot, HOOK_ON);
	tl_cas_start(&slot->cadence, PAUSE_MS, EV_CADENCE);
	if (!slot->id_said)
		tl_cas_start(&slot->timer, CALLER_ID_AFTER_MS, EV_SAY_ID);
}

static void say_id(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->id_said = true;
	slot->cas->counters.caller_ids++;
	tl_cas_send_caller_id(slot);
}

static void said(void *user, const void *data)
{
	tl_cas_audio_close(user);
}

static void answered(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	tl_cas_send(slot, HOOK_ON);
	tl_cas_settle(slot);
	tl_cas_tell(slot, TL_DIALOG_ANSWERED, true);
}

/* ---- calls from the telephone ---- */

static void off_hook(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.seizures_received++;
	g_string_truncate(slot->address, 0);
	slot->has_caller_id = false;
	if (slot->cas->number) {
		tl_cas_fire(slot, EV_COMPLETE, NULL);
		return;
	}
	tl_cas_hear_digits(slot, TL_INBAND_DTMF);
	tl_cas_tone(slot, TL_INBAND_DIAL_TONE);
	tl_cas_start(&slot->timer, slot->cas->config.first_digit_ms, EV_NO_DIGITS);
}

static void digit(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct tl_cas_config *config = &slot->cas->config;
	const struct cas_news *news = data;
	tl_cas_quiet(slot);
	if (slot->address->len < TL_DIGITS_MAX)
		g_string_append_c(slot->address, news->digit);
	if (tl_cas_address_is_complete(config->kind, TL_INBAND_DTMF, config->digits_max, slot->address->str))
		tl_cas_fire(slot, EV_COMPLETE, NULL);
	else
		tl_cas_start(&slot->timer, config->digit_ms, EV_COMPLETE);
}

static void complete(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_stop(&slot->timer);
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
	if (slot->cas->config.reversal)
		tl_cas_send(slot, HOOK_REVERSED);
}

/* ---- hook flash ---- */

static void on_hook(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (!slot->cas->config.flash)
		tl_cas_fire(slot, EV_GONE, NULL);
	else
		tl_cas_start(&slot->timer, FLASH_MAX_MS, EV_GONE);
}

static void flashed(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	tl_cas_stop(&slot->timer);
	if (news->lasted_us < FLASH_MIN_US)
		return;
	slot->cas->counters.flashes++;
	tl_cas_tell(slot, TL_DIALOG_FLASH, false);
}

/* ---- ends ---- */

/* The telephone hears a tone until it hangs up. */
static void refuse(void *user, const void *data)
{
	struct cas_slot *slot = user;
	const struct cas_news *news = data;
	tl_cas_rest(slot);
	tl_cas_start(&slot->timer, REFUSED_MS, EV_GIVE_UP);
	tl_cas_released(slot, news->cause, false);
	tl_cas_tone(slot, tl_inband_refusal(news->cause));
}

static void hang_up(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (slot->cas->kind->kewl)
		tl_cas_pulse(slot, HOOK_OPEN, OPEN_MS, HOOK_ON);
	else
		tl_cas_send(slot, HOOK_ON);
	refuse(slot, data);
}

static void no_digits(void *user, const void *data)
{
	struct cas_slot *slot = user;
	slot->cas->counters.no_digits++;
	refuse(slot, &(struct cas_news){ .cause = TL_CAUSE_INVALID_NUMBER });
}

static void hold(void *user, const void *data)
{
	struct cas_slot *slot = user;
	tl_cas_rest(slot);
	slot->cas->counters.held++;
}

static void idle(void *user, const void *data)
{
	struct cas_slot *slot = user;
	if (slot->steady == HOOK_OFF)
		tl_cas_fire(slot, EV_FAR_OFF, NULL);
	else if (slot->blocked)
		tl_cas_fire(slot, EV_BLOCK, NULL);
}

#define DOWN_FROM(state) { state, EV_DOWN, CAS_DOWN, tl_cas_down }

static const struct tl_fsm_row rows[] = {
	{ CAS_IDLE, EV_CALL, ST_RINGING, call },
	{ CAS_IDLE, EV_FAR_OFF, ST_COLLECTING, off_hook },
	{ CAS_IDLE, EV_FAR_ON, CAS_IDLE, NULL },
	{ CAS_IDLE, EV_BLOCK, CAS_BLOCKED, NULL },

	{ ST_RINGING, EV_READY, ST_RINGING, started },
	{ ST_RINGING, EV_CADENCE, ST_PAUSE, pause_ringing },
	{ ST_RINGING, EV_FAR_OFF, ST_TALKING, answered },
	{ ST_RINGING, EV_RELEASE, CAS_GUARD, tl_cas_let_go },
	{ ST_PAUSE, EV_READY, ST_PAUSE, started },
	{ ST_PAUSE, EV_SAY_ID, ST_PAUSE, say_id },
	{ ST_PAUSE, EV_SENT, ST_PAUSE, said },
	{ ST_PAUSE, EV_CADENCE, ST_RINGING, ring },
	{ ST_PAUSE, EV_FAR_OFF, ST_TALKING, answered },
	{ ST_PAUSE, EV_RELEASE, CAS_GUARD, tl_cas_let_go },

	{ ST_COLLECTING, EV_DIGIT, ST_COLLECTING, digit },
	{ ST_COLLECTING, EV_COMPLETE, ST_OFFERED, complete },
	{ ST_COLLECTING, EV_NO_DIGITS, ST_REFUSED, no_digits },
	{ ST_COLLECTING, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },
	{ ST_OFFERED, EV_ALERT, ST_OFFERED, alert },
	{ ST_OFFERED, EV_ANSWER, ST_TALKING, answer },
	{ ST_OFFERED, EV_RELEASE, ST_REFUSED, refuse },
	{ ST_OFFERED, EV_FAR_ON, CAS_GUARD, tl_cas_far_cleared },

	{ ST_TALKING, EV_FAR_ON, ST_FLASHING, on_hook },
	{ ST_TALKING, EV_RELEASE, ST_CLEARING, hang_up },
	{ ST_FLASHING, EV_FAR_OFF, ST_TALKING, flashed },
	{ ST_FLASHING, EV_GONE, CAS_GUARD, tl_cas_far_cleared },
	{ ST_FLASHING, EV_RELEASE, CAS_GUARD, tl_cas_let_go },

	{ ST_REFUSED, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ ST_REFUSED, EV_GIVE_UP, CAS_HELD, hold },
	{ ST_CLEARING, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ ST_CLEARING, EV_GIVE_UP, CAS_HELD, hold },
	{ CAS_HELD, EV_FAR_ON, CAS_GUARD, tl_cas_freed },
	{ CAS_GUARD, EV_GUARDED, CAS_IDLE, idle },
	{ CAS_GUARD, EV_FAR_OFF, CAS_GUARD, NULL },
	{ CAS_GUARD, EV_FAR_ON, CAS_GUARD, NULL },
	{ CAS_BLOCKED, EV_UNBLOCK, CAS_GUARD, tl_cas_freed },
	{ CAS_BLOCKED, EV_FAR_OFF, CAS_BLOCKED, NULL },
	{ CAS_BLOCKED, EV_FAR_ON, CAS_BLOCKED, NULL },

	DOWN_FROM(CAS_IDLE), DOWN_FROM(CAS_GUARD), DOWN_FROM(CAS_HELD), DOWN_FROM(ST_RINGING), DOWN_FROM(ST_PAUSE),
	DOWN_FROM(ST_COLLECTING), DOWN_FROM(ST_OFFERED), DOWN_FROM(ST_TALKING), DOWN_FROM(ST_FLASHING),
	DOWN_FROM(ST_REFUSED), DOWN_FROM(ST_CLEARING), DOWN_FROM(CAS_BLOCKED),
	{ CAS_DOWN, EV_UP, CAS_GUARD, tl_cas_freed },
};

const struct tl_fsm_machine tl_cas_fxo_machine = {
	.name = "cas-fxo",
	.states = states, .n_states = N_STATES,
	.events = tl_cas_event_names, .n_events = N_CAS_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows),
	.initial = CAS_DOWN,
};
