/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of PRI share among themselves; nothing for other rooms.
 *   pri.c        the D-channel: frames, libpri's clock, up and down, alarms
 *   pri-event.c  libpri's events, sorted to dialogs and slots
 *   pri-call.c   dialogs: their operations and lives
 *   pri-states.c dialogs: the table of states and what each row sends
 *   pri-setup.c  a leg's setup in libpri's words and back
 *   pri-slots.c  timeslots: states, hunting, RESTART, blocking
 * Thread: main.
 */
#pragma once

#include <libpri.h>

#include "base/clock.h"
#include "base/fsm.h"
#include "signal/signal.h"

struct pri_dialog;

struct pri_slot {
	struct pri_dialog *dialog; /* borrowed; whoever holds the slot */
	bool restart_wanted;       /* in the queue for RESTART */
	bool blocked_here, blocked_there;
};

struct tl_pri {
	struct pri *libpri;
	struct tl_pri_config config;
	struct tl_pri_handler handler;
	void *user;
	bool up, was_up, tracing;
	bool in_timer; /* the event at hand comes from one of libpri's timers, not from the wire */
	unsigned alarms;
	const uint8_t *rx; /* the frame that libpri may read now */
	size_t n_rx_octets;
	struct tl_timer *schedule; /* the first of libpri's own timers */
	struct tl_timer *t309, *t316;
	GPtrArray *dialogs; /* of pri_dialog, borrowed */
	struct pri_slot slots[TL_SPAN_SLOTS_MAX + 1];
	unsigned last_hunted;
	unsigned restarting; /* the slot whose RESTART is out, 0: none */
	unsigned restart_tries;
	guint slots_news; /* source that will call on_slots */
	struct tl_pri_counters counters;
};

/** Dialog events: what the owner asks, what the wire says, what this room concludes. */
enum dialog_event {
	EV_DIAL, EV_OFFER, EV_OFFER_OVERLAP,
	EV_PROCEED, EV_ALERT, EV_PROGRESS, EV_ANSWER, EV_RELEASE, EV_SEND_DIGITS,
	EV_SETUP_ACK_IND, EV_PROCEEDING_IND, EV_ALERTING_IND, EV_PROGRESS_IND, EV_CONNECT_IND, EV_INFORMATION_IND,
	EV_DISCONNECT_IND, EV_RELEASE_IND, EV_RELEASED_IND,
	EV_REFUSED, EV_DROP,
	N_DIALOG_EVENTS,
};

/** What comes with a dialog event; only what the event needs is set. */
struct dialog_news {
	int channel;        /* as libpri encodes it */
	bool inband;
	unsigned cause;
	bool by_peer;
	bool resync;        /* EV_DROP: the far end may think otherwise; RESTART the slot */
	const char *digits;
	bool complete;
};

struct pri_dialog {
	struct tl_dialog base;
	struct tl_pri *pri; /* NULL once released */
	q931_call *call;    /* NULL once libpri has let it go */
	struct tl_fsm fsm;
	struct tl_leg_setup setup; /* of a call we make: kept, for it may be sent again on another slot */
	unsigned slot;             /* held, 0: none; base.slot follows when it is settled */
	bool outgoing;
	bool replied;              /* a message has answered the SETUP */
	bool answered;             /* by us */
	bool hunted;               /* the slot is our choice, so another will do */
	unsigned hunts_left;
	uint32_t refused;          /* slots that the far end refused this call; bit n: slot n */
	unsigned cause;
	bool by_peer;
	char digits_waiting[TL_DIGITS_MAX + 1]; /* to send once the far end takes overlap digits */
	struct tl_timer *t302, *guard;
	int result;                             /* of the operation at hand */
	unsigned depth;                         /* events being handled */
	bool doomed;                            /* freed by its owner meanwhile */
};

/* pri-states.c */
extern const struct tl_fsm_machine tl_pri_dialog_machine;
/** Whether a refusal with @cause only means another slot. */
bool tl_pri_dialog_may_hunt(const struct pri_dialog *dialog, unsigned cause);

/* pri-call.c */
/** A dialog in no state yet, owned by nobody; @call may be NULL. (transfer full) */
struct pri_dialog *tl_pri_dialog_new(struct tl_pri *pri, q931_call *call);
/** Fires @event; the dialog may be gone afterwards. False when the state does not know it. */
bool tl_pri_dialog_fire(struct pri_dialog *dialog, enum dialog_event event, const struct dialog_news *news);
/** Ends what began with depth++; frees the dialog if its owner asked for that meanwhile. */
void tl_pri_dialog_leave(struct pri_dialog *dialog);

/* pri-setup.c */
int tl_pri_setup_send(struct tl_pri *pri, q931_call *call, const struct tl_leg_setup *setup, unsigned slot);
void tl_pri_setup_read(const struct tl_pri *pri, const pri_event_ring *ring, struct tl_leg_setup *setup);
/** False for a transfer capability that no leg knows. */
bool tl_pri_bearer_read(int capability, enum tl_bearer *bearer);

/* pri-slots.c */
/** Whether our own call has asked for @slot and the far end has not replied yet. */
bool tl_pri_slot_is_tentative(const struct tl_pri *pri, unsigned slot);
/** Takes a tentative @slot from our own call, which waits for another one; false when it is not tentative. */
bool tl_pri_slot_yield(struct tl_pri *pri, unsigned slot);
/** An idle slot by the hunt order but for @refused (bit n: slot n), or 0. */
unsigned tl_pri_slot_hunt(struct tl_pri *pri, uint32_t refused);
/** Whether a call that the far end offers may use @slot: idle, or waiting for a RESTART. */
bool tl_pri_slot_can_take(const struct tl_pri *pri, unsigned slot);
void tl_pri_slot_take(struct tl_pri *pri, unsigned slot, struct pri_dialog *dialog);
void tl_pri_slot_drop(struct tl_pri *pri, unsigned slot, bool resync);
void tl_pri_slots_changed(struct tl_pri *pri);
/** Queues RESTART for every bearer slot without a call. */
void tl_pri_restart_all(struct tl_pri *pri);
/** Sends the next RESTART of the queue, if none is out. */
void tl_pri_restart_next(struct tl_pri *pri);
/** The D-channel went: what was out is queued again. */
void tl_pri_restart_suspend(struct tl_pri *pri);
void tl_pri_restart_acked(struct tl_pri *pri, int channel);
/** The far end restarted @channel (libpri's encoding; -1: all). */
void tl_pri_restart_received(struct tl_pri *pri, int channel);
void tl_pri_t316_expired(void *pri);
/** Says again what is blocked here, to a far end that may have forgotten. */
void tl_pri_blocks_repeat(struct tl_pri *pri);

/* pri-event.c */
void tl_pri_event_handle(struct tl_pri *pri, const pri_event *event);

/* pri.c */
/** Call after anything that may have set one of libpri's timers. */
void tl_pri_schedule_arm(struct tl_pri *pri);
void tl_pri_d_channel_changed(struct tl_pri *pri, bool up);
