/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of R2 share among themselves; nothing for other rooms.
 *   r2.c         the system of a span: bearers, hunting, alarms, what the engine tells
 *   r2-states.c  dialogs: the table of states, and what each row orders
 *   r2-call.c    dialogs: their operations and lives
 *   r2-engine.c  the thread of OpenR2
 *   r2-bearer.c  a bearer under OpenR2, on that thread
 *   r2-words.c   causes, categories, variants
 * Thread: main.
 */
#pragma once

#include "base/clock.h"
#include "base/fsm.h"
#include "signal/inband.h"
#include "signal/r2-engine.h"

struct r2_dialog;

struct r2_slot {
	struct r2_dialog *dialog; /* borrowed; whoever holds the bearer */
	bool seized;              /* a call is arriving that is not offered yet */
	bool far_idle;            /* its bits say that it would take a call */
	bool blocked_here;
	bool audio;               /* media should have it */
	bool begin;               /* to be opened anew as soon as it is lent and the line is well */
	bool opening;             /* the engine has not opened it yet: its news are of the time before */
};

struct tl_r2 {
	struct tl_signalling base;
	struct tl_r2_config config;
	struct tl_inband_room audio;
	struct r2_engine *engine;
	bool there, was_up; /* the device; told as up */
	unsigned alarms;
	struct r2_slot slots[TL_SPAN_SLOTS_MAX + 1];
	GPtrArray *dialogs; /* of r2_dialog, borrowed */
	unsigned last_hunted;
	guint slots_news;   /* source that will call on_slots */
	struct {
		uint64_t calls_received, calls_sent, no_channel, glare, collect_refused, metering_pulses;
		uint64_t protocol_errors, alarm_drops, forced_ends;
	} counters;
};

enum r2_event {
	R2_EV_DIAL, R2_EV_OFFER, R2_EV_OFFER_ACCEPTING, R2_EV_PROCEED, R2_EV_ALERT, R2_EV_ANSWER, R2_EV_RELEASE,
	R2_EV_ACCEPTED, R2_EV_ANSWERED, R2_EV_DISCONNECTED, R2_EV_ENDED, R2_EV_REFUSED, R2_EV_DROP,
	R2_N_EVENTS,
};

/** What comes with an event; only what it needs is set. */
struct r2_detail {
	unsigned cause;
	bool by_peer;
	bool collect; /* RELEASE */
};

struct r2_dialog {
	struct tl_dialog base;
	struct tl_r2 *r2;          /* NULL once released */
	struct tl_fsm fsm;
	struct tl_leg_setup setup; /* of a call we make */
	unsigned slot;             /* held; 0: none */
	bool hunted;               /* the slot is our choice, so another will do */
	unsigned hunts_left;
	uint32_t refused;          /* bit n: slot n */
	unsigned cause;
	bool by_peer;
	bool answered;             /* by its owner, who released it before the registers were done */
	struct tl_timer *guard;
	struct tl_timer *heard;    /* runs until the far end has certainly seen the answer */
	bool clear_waits, clear_collect; /* a clear back for when it has */
	int result;                /* of the operation at hand */
	unsigned depth;            /* events being handled */
	bool doomed;               /* freed by its owner meanwhile */
	bool told;                 /* RELEASED: it is nobody's any more, but the bearer is not free yet */
	bool unowned;              /* so its end frees it */
	struct tl_inband *tone;    /* owned; a refused caller hears it */
};

/* r2.c */
void tl_r2_order(struct tl_r2 *r2, unsigned slot, enum r2_order_kind kind);
/** An idle slot by the hunt order but for @refused, or 0. */
unsigned tl_r2_hunt(struct tl_r2 *r2, uint32_t refused);
enum tl_slot_state tl_r2_slot_state(const struct tl_r2 *r2, unsigned slot);
void tl_r2_slot_take(struct tl_r2 *r2, unsigned slot, struct r2_dialog *dialog);
/** Its call is over. @anew: the far end may think otherwise. */
void tl_r2_slot_drop(struct tl_r2 *r2, unsigned slot, bool anew);
/** Media gets the audio of @slot, at once or when it is lent. */
void tl_r2_slot_audio(struct tl_r2 *r2, unsigned slot);

/* r2-states.c */
extern const struct tl_fsm_machine tl_r2_dialog_machine;
/** The answer has been on the line for long enough: what waits for it goes out. */
void tl_r2_answer_heard(void *dialog);

/* r2-call.c */
/** A dialog in no state yet. (transfer full) */
struct r2_dialog *tl_r2_dialog_new(struct tl_r2 *r2);
/** Plays the caller what its cause sounds like, until the bearer is free. */
void tl_r2_refusal_tone(struct r2_dialog *dialog);
void tl_r2_quiet(struct r2_dialog *dialog);
/** Fires @event; the dialog may be gone afterwards. False when the state does not know it. */
bool tl_r2_dialog_fire(struct r2_dialog *dialog, enum r2_event event, const struct r2_detail *detail);
struct tl_dialog *tl_r2_call(struct tl_signalling *base, const struct tl_leg_setup *setup, unsigned slot,
			     tl_dialog_listener on_event, void *user, GError **error);
