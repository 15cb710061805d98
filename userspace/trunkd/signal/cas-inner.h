/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of CAS share among themselves; nothing for other rooms.
 *   cas.c         the span: alarms, hunting, blocking, birth and death
 *   cas-line.c    bits and hooks: what is sent, what is meant; timers in line time
 *   cas-dialog.c  dialogs: their operations, what their owners are told
 *   cas-address.c digits: how a number is sent, when one is complete
 *   cas-ends.c    how a call ends, for all tables
 *   cas-em.c      the table of E&M trunks
 *   cas-fxo.c     the table of an exchange's line card
 *   cas-fxs.c     the table of a telephone
 * A timeslot has a state machine for life; a dialog comes and goes. Thread: main.
 */
#pragma once

#include "base/clock.h"
#include "base/fsm.h"
#include "signal/cas.h"

struct cas_slot;

/** What a far end's bits mean; RING, OPEN and REVERSED are of an exchange's line card. */
enum cas_hook { HOOK_ON, HOOK_OFF, HOOK_RING, HOOK_OPEN, HOOK_REVERSED };

/** Events of all three tables: what the line says, what the owner asks, what was waited for. */
enum cas_event {
	EV_FAR_OFF, EV_FAR_ON, EV_RING, EV_QUIET, EV_OPEN, EV_REVERSED, EV_NORMAL,
	EV_DIGIT, EV_SENT, EV_CALLER_ID,
	EV_CALL, EV_ALERT, EV_ANSWER, EV_RELEASE, EV_FLASH, EV_BLOCK, EV_UNBLOCK,
	EV_READY, EV_NO_WINK, EV_NO_ACK, EV_IS_ANSWER, EV_IS_GLARE, EV_YIELD, EV_AWAIT_ACK, EV_COMPLETE, EV_NO_DIGITS,
	EV_CADENCE, EV_SAY_ID, EV_GONE, EV_GIVE_UP, EV_GUARDED,
	EV_DOWN, EV_UP,
	N_CAS_EVENTS,
};

extern const char *const tl_cas_event_names[];

/** What comes with an event; only what it needs is set. */
struct cas_news {
	int64_t lasted_us; /* FAR_OFF ... OPEN: how long the hook before was, in line time */
	char digit;
	unsigned cause;    /* RELEASE */
	const struct tl_caller_id *caller_id;
};

/** A timer that neither the clock nor the line's time may outrun: line time may be slower than the clock. */
struct cas_timer {
	struct cas_slot *slot;
	struct tl_timer *timer;
	enum cas_event event;
	int64_t due_line_us, give_up_us;
	void (*on_due)(struct cas_slot *slot);
};

struct cas_dialog {
	struct tl_dialog base;
	struct cas_slot *slot; /* NULL once released */
	struct tl_leg_setup setup;
	bool outgoing;
	int result;            /* of the operation at hand */
	unsigned depth;        /* callbacks on the stack */
	bool doomed;           /* freed by its owner meanwhile */
};

struct cas_slot {
	struct tl_cas *cas;
	unsigned number; /* 0: no bearer */
	struct tl_fsm fsm;
	struct cas_dialog *dialog; /* borrowed; whoever holds the slot */
	struct tl_inband *audio;   /* owned; NULL while a call has the audio, or nobody */
	struct cas_timer timer, cadence, settle;
	enum cas_hook heard, steady;
	int64_t heard_us, steady_us; /* line time at which they began */
	GString *address;          /* digits so far */
	struct tl_caller_id caller_id;
	bool has_caller_id, id_said;
	bool acknowledged;         /* FGD: the wink after the number has been */
	bool blocked;              /* by us */
};

/** All only grow. */
struct cas_counters {
	uint64_t seizures_received, seizures_sent, glare, no_wink, bad_winks, no_digits, bad_numbers, abandoned, held, flashes,
		caller_ids, alarm_drops;
};

struct tl_cas {
	struct tl_signalling base;
	struct tl_cas_config config;
	struct tl_inband_room audio;
	char *number;
	const struct cas_kind *kind;
	bool down;              /* so it has been concluded */
	struct tl_timer *alarm; /* runs until then */
	unsigned last_hunted;
	guint slots_news;
	struct cas_slot slots[TL_SPAN_SLOTS_MAX + 1];
	struct cas_counters counters;
};

/** What differs between the kinds. */
struct cas_kind {
	const struct tl_fsm_machine *machine;
	bool telephone;              /* hears ringing, not a hook */
	bool kewl;
	unsigned guard_ms;           /* between two calls, so that the far end sees the first one's end */
};
extern const struct tl_fsm_machine tl_cas_em_machine, tl_cas_fxo_machine, tl_cas_fxs_machine;
/** The first states of every table; those with a hook at the far end have one more: it is off-hook for nothing. */
enum { CAS_IDLE, CAS_DOWN, CAS_GUARD, CAS_BLOCKED, CAS_OWN, CAS_HELD = CAS_OWN };

/* ---- cas-line.c ---- */

void tl_cas_slot_init(struct cas_slot *slot, struct tl_cas *cas, unsigned number);
void tl_cas_slot_done(struct cas_slot *slot);
void tl_cas_on_bits(struct cas_slot *slot, unsigned abcd, int64_t line_us);
/** Sends what @hook is on this line. */
void tl_cas_send(struct cas_slot *slot, enum cas_hook hook);
/** @hook for @ms of line time, then @then. */
void tl_cas_pulse(struct cas_slot *slot, enum cas_hook hook, unsigned ms, enum cas_hook then);
/** In @ms at the soonest, by clock and line, @event. */
void tl_cas_start(struct cas_timer *timer, unsigned ms, enum cas_event event);
void tl_cas_stop(struct cas_timer *timer);
bool tl_cas_fire(struct cas_slot *slot, enum cas_event event, const struct cas_news *news);
/** Stops timers, closes the audio. */
void tl_cas_rest(struct cas_slot *slot);

/* ---- cas-ends.c: actions of tables, but for the first; @data as the event brings it ---- */

/** On-hook and silent until GUARDED. */
void tl_cas_guard(struct cas_slot *slot);
/** The far end has ended it. */
void tl_cas_far_cleared(void *slot, const void *data);
/** Its owner has, and no more needs to be said. */
void tl_cas_let_go(void *slot, const void *data);
/** The far end is on-hook at last. */
void tl_cas_freed(void *slot, const void *data);
void tl_cas_down(void *slot, const void *data);

/* ---- audio of a slot, opened when needed; cas-dialog.c ---- */

void tl_cas_audio_close(struct cas_slot *slot);
void tl_cas_hear_digits(struct cas_slot *slot, enum tl_inband_digits kind);
void tl_cas_hear_caller_id(struct cas_slot *slot);
/** EV_SENT follows, also when nothing can be sent. */
void tl_cas_send_digits(struct cas_slot *slot, enum tl_inband_digits kind, const char *digits);
void tl_cas_send_caller_id(struct cas_slot *slot);
void tl_cas_tone(struct cas_slot *slot, enum tl_inband_tone tone);
void tl_cas_quiet(struct cas_slot *slot);

/* ---- dialogs; cas-dialog.c ---- */

struct cas_dialog *tl_cas_dialog_new(struct cas_slot *slot, const struct tl_leg_setup *setup, bool outgoing);
void tl_cas_tell(struct cas_slot *slot, enum tl_dialog_event_kind kind, bool inband);
/** The call's from now on: slot and audio are settled. */
void tl_cas_settle(struct cas_slot *slot);
/** RELEASED; the slot goes on without a dialog. Harmless without one. */
void tl_cas_released(struct cas_slot *slot, unsigned cause, bool by_peer);
/** A call from the line, with the digits heard or the line's number. False: refused, @slot is as before. */
bool tl_cas_offer(struct cas_slot *slot);

/* ---- cas-address.c: pure ---- */

/** What is sent for @setup, or NULL when its number cannot be said so. (transfer full) */
char *tl_cas_address_format(enum tl_cas_kind kind, enum tl_inband_digits digits, const struct tl_leg_setup *setup);
/** Whether the digits heard so far are a whole address. */
bool tl_cas_address_is_complete(enum tl_cas_kind kind, enum tl_inband_digits digits, unsigned max, const char *heard);
/** Reads a whole address: called and perhaps calling number. False: it is none. */
bool tl_cas_address_parse(enum tl_cas_kind kind, enum tl_inband_digits digits, const char *heard,
			  struct tl_leg_setup *setup);

/* ---- cas.c ---- */

void tl_cas_slots_changed(struct tl_cas *cas);
