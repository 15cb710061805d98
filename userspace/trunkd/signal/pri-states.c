/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The states of a call as ITU-T Q.931 2.1 names them, seen from either side, as one table. States that differ only
 * for libpri (connect request, disconnect request, release request) are one here.
 */
#include "signal/signal.h"

#include <errno.h>
#include <string.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "signal/pri-inner.h"

#define T302_MS 15000                      /* ITU-T Q.931 table 9-1: 10 to 15 s */
#define GUARD_MS (30000 + 2 * 4000 + 7000) /* T305, T308 twice, and a margin */

enum dialog_state {
	NO_CALL, INITIATED, OVERLAP_SENDING, OUTGOING_PROCEEDING, DELIVERED,
	OVERLAP_RECEIVING, INCOMING_PROCEEDING, RECEIVED, ACTIVE, CLEARING, RELEASED,
	N_DIALOG_STATES,
};

static void emit(struct pri_dialog *d, const struct tl_dialog_event *event)
{
	if (d->base.on_event)
		d->base.on_event(&d->base, event, d->base.user);
}

static void emit_kind(struct pri_dialog *d, enum tl_dialog_event_kind kind, const struct dialog_news *news)
{
	emit(d, &(struct tl_dialog_event){ .kind = kind, .inband = news->inband, .cause = news->cause });
}

static void sent(struct pri_dialog *d, int result)
{
	d->result = result ? -EIO : 0;
}

/* ---- the end ---- */

static void finish(struct pri_dialog *d, bool resync)
{
	struct tl_pri *pri = d->pri;
	unsigned slot = d->slot;
	tl_timer_stop(d->t302);
	tl_timer_stop(d->guard);
	g_ptr_array_remove(pri->dialogs, d);
	d->pri = NULL;
	d->slot = 0;
	if (slot)
		tl_pri_slot_drop(pri, slot, resync);
	emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_RELEASED, .cause = d->cause, .by_peer = d->by_peer });
}

/* The first cause that either side gave is the call's. */
static void blame(struct pri_dialog *d, const struct dialog_news *news)
{
	if (d->cause)
		return;
	d->cause = news->cause ? news->cause : TL_CAUSE_NORMAL_UNSPECIFIED;
	d->by_peer = news->by_peer;
}

static void begin_clearing(struct pri_dialog *d)
{
	tl_timer_stop(d->t302);
	tl_timer_start(d->guard, GUARD_MS);
}

/*
 * Some causes make libpri skip DISCONNECT. Before any reply to our SETUP it would send RELEASE COMPLETE and forget
 * the call without a word; with an incoming call it does not say when the RELEASE was answered.
 */
static unsigned cause_on_wire(const struct pri_dialog *d)
{
	if (!d->replied)
		return TL_CAUSE_NORMAL_CLEARING;
	switch (d->cause) {
	case PRI_CAUSE_CHANNEL_UNACCEPTABLE:
		return d->outgoing ? d->cause : TL_CAUSE_NORMAL_UNSPECIFIED;
	case TL_CAUSE_UNALLOCATED:
	case TL_CAUSE_NO_CIRCUIT:
	case TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE:
	case PRI_CAUSE_IDENTIFIED_CHANNEL_NOTEXIST:
	case TL_CAUSE_INCOMPATIBLE_DESTINATION: /* skip it only between CONNECT and its acknowledgement */
		return d->answered ? TL_CAUSE_NORMAL_UNSPECIFIED : d->cause;
	case PRI_CAUSE_CALL_AWARDED_DELIVERED:
	case PRI_CAUSE_NONSELECTED_USER_CLEARING:
	case PRI_CAUSE_INVALID_CALL_REFERENCE:
		return TL_CAUSE_NORMAL_UNSPECIFIED;
	default:
		return d->cause;
	}
}

static void release_call(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	blame(d, news);
	begin_clearing(d);
	sent(d, pri_hangup(d->pri->libpri, d->call, cause_on_wire(d)));
}

static void disconnected(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	blame(d, news);
	begin_clearing(d);
	pri_hangup(d->pri->libpri, d->call, d->cause);
}

static void released(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	blame(d, news);
	pri_hangup(d->pri->libpri, d->call, d->cause); /* RELEASE COMPLETE if one is due; libpri frees the call */
	d->call = NULL;
	finish(d, news->resync);
}

static void cleared(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	blame(d, news);
	d->call = NULL; /* libpri has freed it */
	finish(d, news->resync);
}

static void dropped(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	blame(d, news);
	if (d->call)
		pri_destroycall(d->pri->libpri, d->call);
	d->call = NULL;
	finish(d, news->resync);
}

/* ---- a call we make ---- */

static void send_setup(void *user, const void *data)
{
	struct pri_dialog *d = user;
	struct tl_pri *pri = d->pri;
	d->outgoing = true;
	d->call = pri_new_call(pri->libpri);
	d->result = d->call ? tl_pri_setup_send(pri, d->call, &d->setup, d->slot) : -ENOMEM;
	if (!d->result)
		pri->counters.setups_sent++;
}

/* Refused for its slot only: the same SETUP on another one (ITU-T Q.931 5.2.3.1, 5.7). */
static void hunt_again(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	struct tl_pri *pri = d->pri;
	pri_hangup(pri->libpri, d->call, news->cause);
	d->call = NULL;
	if (d->slot) { /* not lost to glare: the two ends disagree about it */
		d->refused |= 1u << d->slot;
		tl_pri_slot_drop(pri, d->slot, true);
	}
	d->slot = tl_pri_slot_hunt(pri, d->refused);
	d->hunts_left--;
	if (d->slot) {
		tl_pri_slot_take(pri, d->slot, d);
		send_setup(d, NULL);
	}
	if (!d->slot || d->result)
		tl_pri_dialog_fire(d, EV_DROP, news);
}

/* Takes the slot that the far end named, if it named one; false when it is not to be had. */
static bool settle(struct pri_dialog *d, int channel)
{
	unsigned slot = channel & 0xff;
	d->replied = true;
	if (channel == -1 || slot == 0xff || !slot)
		slot = d->slot;
	if (!slot)
		return false;
	if (slot != d->slot) {
		/* Another call of ours may have asked for it; the far end answers in order, and has that one still to place. */
		if (!tl_pri_slot_can_take(d->pri, slot) && !tl_pri_slot_yield(d->pri, slot))
			return false;
		if (d->slot)
			tl_pri_slot_drop(d->pri, d->slot, false);
		d->slot = slot;
		tl_pri_slot_take(d->pri, slot, d);
	}
	if (d->base.slot != d->slot) {
		d->base.slot = d->slot;
		emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_MEDIA });
	}
	return true;
}

/* False when the call is over for its slot (ITU-T Q.931 5.1.2.2), or the owner ended it meanwhile. */
static bool settled(struct pri_dialog *d, const struct dialog_news *news, enum dialog_state state)
{
	if (!settle(d, news->channel)) {
		tl_pri_dialog_fire(d, EV_RELEASE, &(struct dialog_news){ .cause = PRI_CAUSE_CHANNEL_UNACCEPTABLE });
		return false;
	}
	return d->fsm.state == (int)state;
}

static void send_waiting_digits(struct pri_dialog *d)
{
	int result = 0;
	for (const char *digit = d->digits_waiting; *digit && !result; digit++)
		result = pri_information(d->pri->libpri, d->call, *digit);
	d->digits_waiting[0] = '\0';
	sent(d, result);
}

static void keep_digits(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	if (strlen(d->digits_waiting) + strlen(news->digits) > TL_DIGITS_MAX)
		d->result = -ENOBUFS;
	else
		g_strlcat(d->digits_waiting, news->digits, sizeof(d->digits_waiting));
}

static void send_digits(void *user, const void *data)
{
	keep_digits(user, data);
	send_waiting_digits(user);
}

static void setup_acked(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	if (!settled(d, news, OVERLAP_SENDING))
		return;
	send_waiting_digits(d);
	if (news->inband)
		emit_kind(d, TL_DIALOG_PROGRESS, news);
}

static void proceeding(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	if (!settled(d, news, OUTGOING_PROCEEDING))
		return;
	emit_kind(d, TL_DIALOG_PROCEEDING, &(struct dialog_news){ 0 });
	if (news->inband && d->fsm.state == OUTGOING_PROCEEDING)
		emit_kind(d, TL_DIALOG_PROGRESS, news);
}

static void alerting(void *user, const void *data)
{
	if (settled(user, data, DELIVERED))
		emit_kind(user, TL_DIALOG_ALERTING, data);
}

static void progressing(void *user, const void *data)
{
	struct pri_dialog *d = user;
	if (settled(d, data, d->fsm.state))
		emit_kind(d, TL_DIALOG_PROGRESS, data);
}

static void connected(void *user, const void *data)
{
	if (settled(user, data, ACTIVE))
		emit_kind(user, TL_DIALOG_ANSWERED, data);
}

/* ---- a call that comes ---- */

static void offer(void *user, const void *data)
{
	struct pri_dialog *d = user;
	d->replied = true;
	sent(d, pri_proceeding(d->pri->libpri, d->call, d->slot, 0));
}

static void offer_overlap(void *user, const void *data)
{
	struct pri_dialog *d = user;
	d->replied = true;
	tl_timer_start(d->t302, T302_MS);
	sent(d, pri_setup_ack(d->pri->libpri, d->call, d->slot, 0, 0));
}

static void send_proceeding(void *user, const void *data)
{
	struct pri_dialog *d = user;
	tl_timer_stop(d->t302);
	sent(d, pri_proceeding(d->pri->libpri, d->call, d->slot, 0));
}

static void send_alerting(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	tl_timer_stop(d->t302);
	sent(d, pri_acknowledge(d->pri->libpri, d->call, d->slot, news->inband));
}

/* PROGRESS without a progress indicator is no message (ITU-T Q.931 3.1.8), and only "in-band" has one here. */
static void send_progress(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	if (news->inband)
		sent(d, pri_progress(d->pri->libpri, d->call, d->slot, 1));
}

static void send_connect(void *user, const void *data)
{
	struct pri_dialog *d = user;
	d->answered = true;
	tl_timer_stop(d->t302);
	sent(d, pri_answer(d->pri->libpri, d->call, d->slot, 0));
}

static void more_digits(void *user, const void *data)
{
	struct pri_dialog *d = user;
	const struct dialog_news *news = data;
	if (d->fsm.state == OVERLAP_RECEIVING && !news->complete)
		tl_timer_start(d->t302, T302_MS);
	else
		tl_timer_stop(d->t302);
	emit(d, &(struct tl_dialog_event){ .kind = TL_DIALOG_DIGITS, .digits = news->digits, .complete = news->complete });
}

/* ---- the table ---- */

/* What may end a call in every state in which libpri holds one and nobody has begun to clear. */
#define ENDINGS(state)                                         \
	{ state, EV_RELEASE, CLEARING, release_call },         \
	{ state, EV_DISCONNECT_IND, CLEARING, disconnected },  \
	{ state, EV_RELEASE_IND, RELEASED, released },         \
	{ state, EV_RELEASED_IND, RELEASED, cleared },         \
	{ state, EV_DROP, RELEASED, dropped }

/* What a called party may still say. */
#define ANSWERS(state)                                                 \
	{ state, EV_ALERT, RECEIVED, send_alerting },                  \
	{ state, EV_PROGRESS, state, send_progress },                  \
	{ state, EV_ANSWER, ACTIVE, send_connect },                    \
	{ state, EV_INFORMATION_IND, state, more_digits }

/* What a calling party may hear. */
#define REPLIES(state)                                                 \
	{ state, EV_PROCEEDING_IND, OUTGOING_PROCEEDING, proceeding }, \
	{ state, EV_ALERTING_IND, DELIVERED, alerting },               \
	{ state, EV_CONNECT_IND, ACTIVE, connected }

static const struct tl_fsm_row rows[] = {
	{ NO_CALL, EV_DIAL, INITIATED, send_setup },
	{ NO_CALL, EV_OFFER, INCOMING_PROCEEDING, offer },
	{ NO_CALL, EV_OFFER_OVERLAP, OVERLAP_RECEIVING, offer_overlap },
	{ NO_CALL, EV_DROP, RELEASED, dropped },

	{ INITIATED, EV_REFUSED, INITIATED, hunt_again },
	{ INITIATED, EV_SETUP_ACK_IND, OVERLAP_SENDING, setup_acked },
	{ INITIATED, EV_PROGRESS_IND, OUTGOING_PROCEEDING, progressing },
	{ INITIATED, EV_SEND_DIGITS, INITIATED, keep_digits },
	REPLIES(INITIATED),
	ENDINGS(INITIATED),

	{ OVERLAP_SENDING, EV_SEND_DIGITS, OVERLAP_SENDING, send_digits },
	{ OVERLAP_SENDING, EV_PROGRESS_IND, OVERLAP_SENDING, progressing },
	REPLIES(OVERLAP_SENDING),
	ENDINGS(OVERLAP_SENDING),

	{ OUTGOING_PROCEEDING, EV_PROGRESS_IND, OUTGOING_PROCEEDING, progressing },
	REPLIES(OUTGOING_PROCEEDING),
	ENDINGS(OUTGOING_PROCEEDING),

	{ DELIVERED, EV_PROGRESS_IND, DELIVERED, progressing },
	{ DELIVERED, EV_CONNECT_IND, ACTIVE, connected },
	ENDINGS(DELIVERED),

	{ OVERLAP_RECEIVING, EV_PROCEED, INCOMING_PROCEEDING, send_proceeding },
	ANSWERS(OVERLAP_RECEIVING),
	ENDINGS(OVERLAP_RECEIVING),

	{ INCOMING_PROCEEDING, EV_PROCEED, INCOMING_PROCEEDING, NULL }, /* said when it was offered */
	ANSWERS(INCOMING_PROCEEDING),
	ENDINGS(INCOMING_PROCEEDING),

	{ RECEIVED, EV_PROGRESS, RECEIVED, send_progress },
	{ RECEIVED, EV_ANSWER, ACTIVE, send_connect },
	{ RECEIVED, EV_INFORMATION_IND, RECEIVED, more_digits },
	ENDINGS(RECEIVED),

	{ ACTIVE, EV_INFORMATION_IND, ACTIVE, more_digits },
	ENDINGS(ACTIVE),

	{ CLEARING, EV_RELEASE, CLEARING, NULL },
	{ CLEARING, EV_RELEASE_IND, RELEASED, released },
	{ CLEARING, EV_RELEASED_IND, RELEASED, cleared },
	{ CLEARING, EV_DROP, RELEASED, dropped },
};

static const char *const states[N_DIALOG_STATES] = {
	[NO_CALL] = "null", [INITIATED] = "call-initiated", [OVERLAP_SENDING] = "overlap-sending",
	[OUTGOING_PROCEEDING] = "outgoing-call-proceeding", [DELIVERED] = "call-delivered",
	[OVERLAP_RECEIVING] = "overlap-receiving", [INCOMING_PROCEEDING] = "incoming-call-proceeding",
	[RECEIVED] = "call-received", [ACTIVE] = "active", [CLEARING] = "clearing", [RELEASED] = "released",
};

static const char *const events[N_DIALOG_EVENTS] = {
	[EV_DIAL] = "dial", [EV_OFFER] = "offer", [EV_OFFER_OVERLAP] = "offer-overlap",
	[EV_PROCEED] = "proceed", [EV_ALERT] = "alert", [EV_PROGRESS] = "progress", [EV_ANSWER] = "answer",
	[EV_RELEASE] = "release", [EV_SEND_DIGITS] = "send-digits",
	[EV_SETUP_ACK_IND] = "SETUP-ACKNOWLEDGE", [EV_PROCEEDING_IND] = "CALL-PROCEEDING",
	[EV_ALERTING_IND] = "ALERTING", [EV_PROGRESS_IND] = "PROGRESS", [EV_CONNECT_IND] = "CONNECT",
	[EV_INFORMATION_IND] = "INFORMATION", [EV_DISCONNECT_IND] = "DISCONNECT", [EV_RELEASE_IND] = "RELEASE",
	[EV_RELEASED_IND] = "RELEASE-COMPLETE", [EV_REFUSED] = "slot-refused", [EV_DROP] = "drop",
};

const struct tl_fsm_machine tl_pri_dialog_machine = {
	.name = "pri-dialog",
	.states = states,
	.n_states = N_DIALOG_STATES,
	.events = events,
	.n_events = N_DIALOG_EVENTS,
	.rows = rows,
	.n_rows = G_N_ELEMENTS(rows),
	.initial = NO_CALL,
};

bool tl_pri_dialog_may_hunt(const struct pri_dialog *d, unsigned cause)
{
	bool about_the_slot = cause == TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE || cause == PRI_CAUSE_CHANNEL_UNACCEPTABLE;
	return d->fsm.state == INITIATED && d->hunted && d->hunts_left && about_the_slot && d->pri->up;
}
