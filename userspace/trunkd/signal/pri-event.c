/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* libpri's events, each by its own line of the table below: to a dialog, to a slot, or counted. */
#include "signal/signal.h"

#define TL_ROOM "signal"
#include "base/log.h"
#include "signal/pri-inner.h"

static struct pri_dialog *find(const struct tl_pri *pri, const q931_call *call)
{
	for (unsigned i = 0; call && i < pri->dialogs->len; i++) {
		struct pri_dialog *dialog = g_ptr_array_index(pri->dialogs, i);
		if (dialog->call == call)
			return dialog;
	}
	return NULL;
}

static void fire(struct tl_pri *pri, const q931_call *call, enum dialog_event event, struct dialog_news news)
{
	struct pri_dialog *dialog = find(pri, call);
	if (dialog && !tl_pri_dialog_fire(dialog, event, &news))
		pri->counters.events_unhandled++;
}

/* "Not end-to-end ISDN" means as well that tones are in the bearer (ITU-T Q.931 table 4-20, values 1 and 8). */
static bool is_inband(int progress_mask)
{
	return progress_mask & (PRI_PROG_INBAND_AVAILABLE | PRI_PROG_CALL_NOT_E2E_ISDN);
}

static void on_up(struct tl_pri *pri, const pri_event *event)
{
	tl_pri_d_channel_changed(pri, true);
}

static void on_down(struct tl_pri *pri, const pri_event *event)
{
	tl_pri_d_channel_changed(pri, false);
}

/* ---- a call that comes ---- */

static bool slot_in_range(const struct tl_pri *pri, unsigned slot)
{
	return slot && slot <= tl_span_slots(pri->config.span) && tl_span_is_bearer(pri->config.span, slot);
}

/* Both ends took the same slot: the network's call goes first (ITU-T Q.931 5.7). True when ours has stepped aside. */
static bool yield_to_glare(struct tl_pri *pri, unsigned slot)
{
	if (!tl_pri_slot_is_tentative(pri, slot))
		return false;
	pri->counters.glare++;
	return pri->config.side == TL_PRI_CPE && tl_pri_slot_yield(pri, slot);
}

/* The slot for an offered call, or 0 with the cause of the refusal. */
static unsigned choose(struct tl_pri *pri, const pri_event_ring *ring, unsigned *cause)
{
	unsigned slot = ring->channel & 0xff;
	bool named = ring->channel != -1 && slot != 0xff;
	if (named && slot) {
		if (slot_in_range(pri, slot) && (tl_pri_slot_can_take(pri, slot) || yield_to_glare(pri, slot)))
			return slot;
		if (!ring->flexible) {
			*cause = slot_in_range(pri, slot) ? TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE :
							    PRI_CAUSE_IDENTIFIED_CHANNEL_NOTEXIST;
			pri->counters.no_channel++;
			return 0;
		}
	}
	*cause = TL_CAUSE_NO_CIRCUIT;
	return tl_pri_slot_hunt(pri, 0);
}

static void on_ring(struct tl_pri *pri, const pri_event *event)
{
	const pri_event_ring *ring = &event->ring;
	enum tl_bearer bearer;
	unsigned cause = TL_CAUSE_INCOMPATIBLE_DESTINATION;
	unsigned slot = tl_pri_bearer_read(ring->ctype, &bearer) ? choose(pri, ring, &cause) : 0;
	pri->counters.setups_received++;
	if (!slot) { /* all these causes go out as RELEASE COMPLETE; others libpri would swallow here */
		pri_hangup(pri->libpri, ring->call, cause);
		return;
	}
	struct tl_leg_setup setup;
	tl_pri_setup_read(pri, ring, &setup);
	struct pri_dialog *dialog = tl_pri_dialog_new(pri, ring->call);
	dialog->slot = dialog->base.slot = slot;
	tl_pri_slot_take(pri, slot, dialog);
	/* Answer before the owner hears of it: libpri tells of a caller that gives up only after the first answer. */
	tl_pri_dialog_fire(dialog, setup.called_complete ? EV_OFFER : EV_OFFER_OVERLAP, NULL);
	pri->handler.on_offered(pri, &dialog->base, &setup, pri->user);
}

/* ---- calls ---- */

static void on_information(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->ring.call, EV_INFORMATION_IND,
	     (struct dialog_news){ .digits = event->ring.callednum, .complete = event->ring.complete });
}

static void on_keypad(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->digit.call, EV_INFORMATION_IND, (struct dialog_news){ .digits = event->digit.digits });
}

static void on_setup_ack(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->setup_ack.call, EV_SETUP_ACK_IND,
	     (struct dialog_news){ .channel = event->setup_ack.channel,
				   .inband = is_inband(event->setup_ack.progressmask) });
}

static void on_proceeding(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->proceeding.call, EV_PROCEEDING_IND,
	     (struct dialog_news){ .channel = event->proceeding.channel,
				   .inband = is_inband(event->proceeding.progressmask) });
}

static void on_progress(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->proceeding.call, EV_PROGRESS_IND,
	     (struct dialog_news){ .channel = event->proceeding.channel,
				   .inband = is_inband(event->proceeding.progressmask),
				   .cause = MAX(event->proceeding.cause, 0) });
}

static void on_alerting(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->ringing.call, EV_ALERTING_IND,
	     (struct dialog_news){ .channel = event->ringing.channel, .inband = is_inband(event->ringing.progressmask) });
}

static void on_connect(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->answer.call, EV_CONNECT_IND, (struct dialog_news){ .channel = event->answer.channel, .inband = true });
}

/*
 * An end that comes from a timer, not from the wire, leaves the far end with another view: the slot is restarted.
 * So B-channels are freed after link loss (ITU-T Q.931 5.8.9) and after an unanswered RELEASE (5.3.3, T308).
 */
static struct dialog_news ending(const struct tl_pri *pri, const pri_event_hangup *hangup)
{
	return (struct dialog_news){ .cause = MAX(hangup->cause, 0), .by_peer = !pri->in_timer, .resync = pri->in_timer };
}

static void on_disconnect(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->hangup.call, EV_DISCONNECT_IND, ending(pri, &event->hangup));
}

static void on_release(struct tl_pri *pri, const pri_event *event)
{
	struct dialog_news news = ending(pri, &event->hangup);
	struct pri_dialog *dialog = find(pri, event->hangup.call);
	if (!dialog) {
		pri_hangup(pri->libpri, event->hangup.call, event->hangup.cause);
		return;
	}
	bool again = news.by_peer && tl_pri_dialog_may_hunt(dialog, news.cause);
	tl_pri_dialog_fire(dialog, again ? EV_REFUSED : EV_RELEASE_IND, &news);
}

static void on_released(struct tl_pri *pri, const pri_event *event)
{
	fire(pri, event->hangup.call, EV_RELEASED_IND, ending(pri, &event->hangup));
}

/* ---- slots ---- */

static void on_restart(struct tl_pri *pri, const pri_event *event)
{
	tl_pri_restart_received(pri, event->restart.channel);
}

static void on_restart_ack(struct tl_pri *pri, const pri_event *event)
{
	tl_pri_restart_acked(pri, event->restartack.channel);
}

static void on_service(struct tl_pri *pri, const pri_event *event)
{
	unsigned slot = event->service.channel & 0xff;
	if (!slot_in_range(pri, slot))
		return;
	pri->slots[slot].blocked_there = event->service.changestatus != 0;
	tl_pri_slots_changed(pri);
}

static void on_nothing(struct tl_pri *pri, const pri_event *event)
{
}

static void on_hold(struct tl_pri *pri, const pri_event *event)
{
	pri_hold_rej(pri->libpri, event->hold.call, TL_CAUSE_FACILITY_REJECTED);
}

static void on_retrieve(struct tl_pri *pri, const pri_event *event)
{
	pri_retrieve_rej(pri->libpri, event->retrieve.call, TL_CAUSE_FACILITY_REJECTED);
}

/* Every event of libpri 1.6; an empty line is one that has no meaning here and is counted. */
static void (*const handlers[])(struct tl_pri *pri, const pri_event *event) = {
	[PRI_EVENT_DCHAN_UP] = on_up,
	[PRI_EVENT_DCHAN_DOWN] = on_down,
	[PRI_EVENT_RESTART] = on_restart,
	[PRI_EVENT_CONFIG_ERR] = NULL,
	[PRI_EVENT_RING] = on_ring,
	[PRI_EVENT_HANGUP] = on_release,
	[PRI_EVENT_RINGING] = on_alerting,
	[PRI_EVENT_ANSWER] = on_connect,
	[PRI_EVENT_HANGUP_ACK] = on_released,
	[PRI_EVENT_RESTART_ACK] = on_restart_ack,
	[PRI_EVENT_FACILITY] = NULL,
	[PRI_EVENT_INFO_RECEIVED] = on_information,
	[PRI_EVENT_PROCEEDING] = on_proceeding,
	[PRI_EVENT_SETUP_ACK] = on_setup_ack,
	[PRI_EVENT_HANGUP_REQ] = on_disconnect,
	[PRI_EVENT_NOTIFY] = NULL,
	[PRI_EVENT_PROGRESS] = on_progress,
	[PRI_EVENT_KEYPAD_DIGIT] = on_keypad,
	[PRI_EVENT_SERVICE] = on_service,
	[PRI_EVENT_SERVICE_ACK] = on_nothing,
	[PRI_EVENT_HOLD] = on_hold,
	[PRI_EVENT_HOLD_ACK] = NULL,
	[PRI_EVENT_HOLD_REJ] = NULL,
	[PRI_EVENT_RETRIEVE] = on_retrieve,
	[PRI_EVENT_RETRIEVE_ACK] = NULL,
	[PRI_EVENT_RETRIEVE_REJ] = NULL,
	[PRI_EVENT_CONNECT_ACK] = NULL,
};

static void count_unhandled(struct tl_pri *pri, int event)
{
	static GHashTable *said;
	pri->counters.events_unhandled++;
	if (!said)
		said = g_hash_table_new(NULL, NULL);
	if (g_hash_table_add(said, GINT_TO_POINTER(event)))
		tl_notice("%s: %s has no meaning here (counted; said once)", tl_span_name(pri->config.span),
			  pri_event2str(event));
}

void tl_pri_event_handle(struct tl_pri *pri, const pri_event *event)
{
	bool known = event->e > 0 && (unsigned)event->e < G_N_ELEMENTS(handlers);
	if (known && handlers[event->e])
		handlers[event->e](pri, event);
	else
		count_unhandled(pri, event->e);
}
