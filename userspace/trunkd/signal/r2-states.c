/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The states of a call on R2, seen from either side, as one table (ITU-T Q.412 for the line, Q.440 for the registers). */
#include "signal/r2-inner.h"

#include <string.h>

/* How long a far end may leave our clearing unanswered before the bearer is begun anew. */
#define GUARD_MS 30000
#define ANSWER_HEARD_MS 500 /* ITU-T Q.421 asks for 20 ms, a far end's OpenR2 for a look at the bits */

enum r2_state {
	NO_CALL, SEIZING, DELIVERED, OFFERED, ACCEPTING, ANSWERING, RECEIVED, ACTIVE, WITHDRAWING, REFUSED, CLEARING, RELEASED,
	N_R2_STATES,
};

static void emit(struct r2_dialog *d, const struct tl_dialog_event *event)
{
	if (d->base.on_event)
		d->base.on_event(&d->base, event, d->base.user);
}

static void order(struct r2_dialog *d, enum r2_order_kind kind)
{
	tl_r2_order(d->r2, d->slot, kind);
}

/* The first cause that either side gave is the call's. */
static void blame(struct r2_dialog *d, const struct r2_detail *detail)
{
	if (d->cause)
		return;
	d->cause = detail->cause ? detail->cause : TL_CAUSE_NORMAL_UNSPECIFIED;
	d->by_peer = detail->by_peer;
}

static void clear(struct r2_dialog *d, bool refused_collect)
{
	if (tl_timer_running(d->heard)) {
		d->clear_waits = true;
		d->clear_collect = refused_collect;
		return;
	}
	tl_r2_engine_order(d->r2->engine, &(struct r2_order){ .kind = R2_DISCONNECT, .slot = d->slot, .cause = d->cause,
							      .refused_collect = refused_collect });
}

/* A clear back right behind its answer is one change of bits, or none: the caller would wait for ever. */
static void say_answer(struct r2_dialog *d)
{
	order(d, R2_ANSWER);
	tl_timer_start(d->heard, ANSWER_HEARD_MS);
}

void tl_r2_answer_heard(void *user)
{
	struct r2_dialog *d = user;
	if (d->clear_waits)
		clear(d, d->clear_collect);
	d->clear_waits = false;
}

/* ---- the end ---- */

static void tell_released(struct r2_dialog *d)
{
	if (!d->told)
		emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_RELEASED, .cause = d->cause, .by_peer = d->by_peer });
	d->told = true;
}

static void finish(struct r2_dialog *d, bool anew)
{
	struct tl_r2 *r2 = d->r2;
	tl_timer_stop(d->guard);
	tl_timer_stop(d->heard);
	g_ptr_array_remove(r2->dialogs, d);
	tl_r2_quiet(d);
	d->r2 = NULL;
	if (d->slot)
		tl_r2_slot_drop(r2, d->slot, anew);
	d->slot = 0;
	d->doomed |= d->unowned;
	tell_released(d);
}

static void ended(void *user, const void *data)
{
	blame(user, data);
	finish(user, false);
}

/* The far end may well hear what we do not. */
static void dropped(void *user, const void *data)
{
	struct r2_dialog *d = user;
	blame(d, data);
	tl_timer_stop(d->heard);
	if (d->slot)
		clear(d, false);
	finish(d, true);
}

static void disconnected(void *user, const void *data)
{
	struct r2_dialog *d = user;
	blame(d, data);
	tl_timer_start(d->guard, GUARD_MS);
}

static void release_call(void *user, const void *data)
{
	struct r2_dialog *d = user;
	const struct r2_detail *detail = data;
	blame(d, detail);
	tl_timer_start(d->guard, GUARD_MS);
	clear(d, detail->collect);
}

/*
 * Accepted but not answered: the registers are silent, and clear back would be no change of bits (ITU-T Q.422). So the
 * caller hears why until he clears, or the guard ends it; the owner has no more to do with it.
 */
static void refuse(void *user, const void *data)
{
	struct r2_dialog *d = user;
	blame(d, data);
	if (d->r2->config.forced_release || d->answered) {
		tl_r2_dialog_fire(d, R2_EV_RELEASE, data);
		return;
	}
	tl_timer_start(d->guard, GUARD_MS);
	tell_released(d);
	tl_r2_refusal_tone(d);
}

/* Registers are in the middle of saying that the call is accepted, and must come to the end of it first. */
static void withdraw(void *user, const void *data)
{
	struct r2_dialog *d = user;
	blame(d, data);
	tl_timer_start(d->guard, GUARD_MS);
}

/* It was answered already, in a manner of speaking. */
static void withdraw_answered(void *user, const void *data)
{
	struct r2_dialog *d = user;
	d->answered = true;
	withdraw(d, data);
}

/* ---- a call we make ---- */

static void seize(void *user, const void *data)
{
	struct r2_dialog *d = user;
	struct r2_order call = { .kind = R2_CALL, .slot = d->slot };
	const struct tl_number *calling = &d->setup.calling;
	g_strlcpy(call.called, d->setup.called.digits, sizeof(call.called));
	g_strlcpy(call.calling, calling->digits, sizeof(call.calling));
	call.restricted = !*calling->digits || calling->presentation != TL_PRESENTATION_ALLOWED;
	d->r2->counters.calls_sent++;
	tl_r2_engine_order(d->r2->engine, &call);
}

/* A call came the other way, or the far end was not idle after all: the same on another bearer. */
static void hunt_again(void *user, const void *data)
{
	struct r2_dialog *d = user;
	struct tl_r2 *r2 = d->r2;
	r2->counters.glare++;
	d->refused |= 1u << d->slot;
	tl_r2_slot_drop(r2, d->slot, false);
	d->slot = d->hunted && d->hunts_left-- ? tl_r2_hunt(r2, d->refused) : 0;
	d->base.slot = d->slot;
	if (!d->slot) {
		tl_r2_dialog_fire(d, R2_EV_DROP, &(struct r2_detail){ .cause = TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE });
		return;
	}
	tl_r2_slot_take(r2, d->slot, d);
	seize(d, NULL);
	emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_MEDIA });
}

static void delivered(void *user, const void *data)
{
	struct r2_dialog *d = user;
	tl_r2_slot_audio(d->r2, d->slot);
	emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_ALERTING, .inband = true });
}

static void answered(void *user, const void *data)
{
	emit(user, &(struct tl_dialog_event){ .kind = TL_DIALOG_ANSWERED, .inband = true });
}

/* ---- a call that comes ---- */

static void accept(void *user, const void *data)
{
	order(user, R2_ACCEPT);
}

static void accepted(void *user, const void *data)
{
	struct r2_dialog *d = user;
	tl_r2_slot_audio(d->r2, d->slot);
}

static void answer(void *user, const void *data)
{
	say_answer(user);
}

static void accepted_then_answer(void *user, const void *data)
{
	accepted(user, data);
	answer(user, data);
}

static void accepted_then_refuse(void *user, const void *data)
{
	struct r2_dialog *d = user;
	accepted(d, data);
	if (d->answered)
		say_answer(d);
	refuse(d, data);
}

/* ---- the table ---- */

/* What may end a call in every state. */
#define ENDINGS(state)                                          \
	{ state, R2_EV_DISCONNECTED, CLEARING, disconnected },  \
	{ state, R2_EV_ENDED, RELEASED, ended },                \
	{ state, R2_EV_DROP, RELEASED, dropped }

/* What needs no further signal. */
#define SAID(state)                                             \
	{ state, R2_EV_PROCEED, state, NULL },                  \
	{ state, R2_EV_ALERT, state, NULL }

static const struct tl_fsm_row rows[] = {
	{ NO_CALL, R2_EV_DIAL, SEIZING, seize },
	{ NO_CALL, R2_EV_OFFER, OFFERED, NULL },
	{ NO_CALL, R2_EV_OFFER_ACCEPTING, ACCEPTING, NULL }, /* OpenR2 does it by itself: r2_immediate_accept */
	{ NO_CALL, R2_EV_DROP, RELEASED, dropped },

	{ SEIZING, R2_EV_REFUSED, SEIZING, hunt_again },
	{ SEIZING, R2_EV_ACCEPTED, DELIVERED, delivered },
	{ SEIZING, R2_EV_RELEASE, CLEARING, release_call },
	ENDINGS(SEIZING),

	{ DELIVERED, R2_EV_ANSWERED, ACTIVE, answered },
	{ DELIVERED, R2_EV_RELEASE, CLEARING, release_call },
	ENDINGS(DELIVERED),

	{ OFFERED, R2_EV_PROCEED, OFFERED, NULL }, /* R2 has no signal for it */
	{ OFFERED, R2_EV_ALERT, ACCEPTING, accept },
	{ OFFERED, R2_EV_ANSWER, ANSWERING, accept },
	{ OFFERED, R2_EV_RELEASE, CLEARING, release_call },
	ENDINGS(OFFERED),

	{ ACCEPTING, R2_EV_ANSWER, ANSWERING, NULL },
	{ ACCEPTING, R2_EV_ACCEPTED, RECEIVED, accepted },
	{ ACCEPTING, R2_EV_RELEASE, WITHDRAWING, withdraw },
	SAID(ACCEPTING),
	ENDINGS(ACCEPTING),

	{ ANSWERING, R2_EV_ACCEPTED, ACTIVE, accepted_then_answer },
	{ ANSWERING, R2_EV_RELEASE, WITHDRAWING, withdraw_answered },
	SAID(ANSWERING),
	ENDINGS(ANSWERING),

	{ RECEIVED, R2_EV_ANSWER, ACTIVE, answer },
	{ RECEIVED, R2_EV_RELEASE, REFUSED, refuse },
	SAID(RECEIVED),
	ENDINGS(RECEIVED),

	{ ACTIVE, R2_EV_RELEASE, CLEARING, release_call },
	ENDINGS(ACTIVE),

	{ WITHDRAWING, R2_EV_ACCEPTED, REFUSED, accepted_then_refuse },
	{ WITHDRAWING, R2_EV_RELEASE, WITHDRAWING, NULL },
	ENDINGS(WITHDRAWING),

	{ REFUSED, R2_EV_RELEASE, CLEARING, release_call },
	ENDINGS(REFUSED),

	/* The two ends' signals may cross. */
	{ CLEARING, R2_EV_REFUSED, RELEASED, ended },
	{ CLEARING, R2_EV_ACCEPTED, CLEARING, NULL },
	{ CLEARING, R2_EV_ANSWERED, CLEARING, NULL },
	{ CLEARING, R2_EV_DISCONNECTED, CLEARING, NULL },
	{ CLEARING, R2_EV_RELEASE, CLEARING, NULL },
	{ CLEARING, R2_EV_ENDED, RELEASED, ended },
	{ CLEARING, R2_EV_DROP, RELEASED, dropped },
};

static const char *const states[N_R2_STATES] = {
	[NO_CALL] = "null", [SEIZING] = "seizing", [DELIVERED] = "delivered", [OFFERED] = "offered",
	[ACCEPTING] = "accepting", [ANSWERING] = "accepting-to-answer", [RECEIVED] = "received", [ACTIVE] = "active",
	[WITHDRAWING] = "withdrawing", [REFUSED] = "refused", [CLEARING] = "clearing", [RELEASED] = "released",
};

static const char *const events[R2_N_EVENTS] = {
	[R2_EV_DIAL] = "dial", [R2_EV_OFFER] = "offer", [R2_EV_OFFER_ACCEPTING] = "offer-accepting",
	[R2_EV_PROCEED] = "proceed", [R2_EV_ALERT] = "alert",
	[R2_EV_ANSWER] = "answer", [R2_EV_RELEASE] = "release", [R2_EV_ACCEPTED] = "ACCEPTED", [R2_EV_ANSWERED] = "ANSWER",
	[R2_EV_DISCONNECTED] = "CLEAR", [R2_EV_ENDED] = "IDLE", [R2_EV_REFUSED] = "slot-refused", [R2_EV_DROP] = "drop",
};

const struct tl_fsm_machine tl_r2_dialog_machine = {
	.name = "r2-dialog",
	.states = states,
	.n_states = N_R2_STATES,
	.events = events,
	.n_events = R2_N_EVENTS,
	.rows = rows,
	.n_rows = G_N_ELEMENTS(rows),
	.initial = NO_CALL,
};
