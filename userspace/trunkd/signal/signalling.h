/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The signalling of a span, whichever system it speaks: what the owner of a trunk asks and hears. A system (pri-*, r2-*,
 * cas-*) embeds struct tl_signalling as its first member and fills in the ops; calls themselves are dialogs (leg.h).
 * Thread: main; a system with threads of its own (R2) keeps them to itself.
 */
#pragma once

#include <glib.h>

#include "line/line.h"
#include "signal/leg.h"

/** In the order of TL_SIGNALLING_CHOICES. */
enum tl_signalling_kind {
	TL_SIGNALLING_NONE, TL_SIGNALLING_PRI_CPE, TL_SIGNALLING_PRI_NETWORK, TL_SIGNALLING_R2,
	TL_SIGNALLING_CAS_EM_IMMEDIATE, TL_SIGNALLING_CAS_EM_WINK, TL_SIGNALLING_CAS_FGD, TL_SIGNALLING_CAS_FXS_LOOP,
	TL_SIGNALLING_CAS_FXS_KEWL, TL_SIGNALLING_CAS_FXO_LOOP, TL_SIGNALLING_CAS_FXO_KEWL,
};
#define TL_SIGNALLING_CHOICES "none|pri-cpe|pri-network|r2|cas-em-immediate|cas-em-wink|cas-fgd|cas-fxs-loop|cas-fxs-kewl|" \
	"cas-fxo-loop|cas-fxo-kewl"

/** Which free timeslot an outgoing call tries first. */
enum tl_slot_hunt { TL_HUNT_LOWEST, TL_HUNT_HIGHEST, TL_HUNT_ROUND_ROBIN };

enum tl_slot_state { TL_SLOT_IDLE, TL_SLOT_BUSY, TL_SLOT_RESTARTING, TL_SLOT_BLOCKED, TL_SLOT_UNUSABLE };

#define TL_SIGNAL_ERROR (tl_signal_error_quark())
GQuark tl_signal_error_quark(void);
enum tl_signal_error_code { TL_SIGNAL_ERROR_CONFIG, TL_SIGNAL_ERROR_NO_CHANNEL, TL_SIGNAL_ERROR_DOWN, TL_SIGNAL_ERROR_NUMBER };

struct tl_signalling;

/** What the owner hears. Any member but on_offered may be NULL. Never called from within tl_signalling_new(). */
struct tl_signalling_handler {
	/**
	 * A call from the trunk. (transfer full) of @dialog: set its on_event and user now. Its slot is settled or 0.
	 * Without setup->called_complete more digits follow as TL_DIALOG_DIGITS, the last of them complete.
	 */
	void (*on_offered)(struct tl_signalling *signalling, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			   void *user);
	/** Calls can be made now, or no longer; what becomes of those in progress is the system's business. */
	void (*on_up)(struct tl_signalling *signalling, bool up, void *user);
	/** The span's alarms changed; the system has already drawn its own conclusions. */
	void (*on_alarms)(struct tl_signalling *signalling, unsigned alarms, void *user);
	/** Slot states changed, coalesced. */
	void (*on_slots)(struct tl_signalling *signalling, void *user);
	/** While tracing is on: a Q.921 frame from address to information, no FCS. Systems without frames say nothing. */
	void (*on_trace)(struct tl_signalling *signalling, bool sent, const uint8_t *octets, size_t n_octets, void *user);
};

typedef void (*tl_dialog_listener)(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user);
/** Hears one counter; @name is static, in snake_case. */
typedef void (*tl_counter_listener)(const char *name, uint64_t value, void *user);

/** What a system does. Members that may be NULL say so. */
struct tl_signalling_ops {
	/**
	 * A call on @slot, or on a hunted one when 0; nothing is told to @on_event before this returns. (transfer full)
	 * Errors: TL_SIGNAL_ERROR_DOWN, _NO_CHANNEL (no idle slot, or @slot is not idle), _NUMBER (cannot be sent).
	 */
	struct tl_dialog *(*call)(struct tl_signalling *signalling, const struct tl_leg_setup *setup, unsigned slot,
				  tl_dialog_listener on_event, void *user, GError **error);
	/** Keeps @slot from new calls, or admits it again; a call in progress goes on. The far end is told where it can be. */
	void (*block)(struct tl_signalling *signalling, unsigned slot, bool block);
	enum tl_slot_state (*slot_state)(const struct tl_signalling *signalling, unsigned slot);
	bool (*is_up)(const struct tl_signalling *signalling);
	/** Tells every counter of the system. */
	void (*counters)(const struct tl_signalling *signalling, tl_counter_listener each, void *user);
	/** NULL: there are no frames to trace. */
	void (*set_trace)(struct tl_signalling *signalling, bool on);
	/** Dialogs still alive get RELEASED (cause 41) first. */
	void (*free)(struct tl_signalling *signalling);
};

/** The part that every system has. */
struct tl_signalling {
	const struct tl_signalling_ops *ops;  /* RO */
	enum tl_signalling_kind kind;         /* RO */
	struct tl_span *span;                 /* RO, borrowed; the system holds its handler */
	struct tl_signalling_handler handler; /* RO */
	void *user;                           /* RO, of the handler */
};

static inline struct tl_dialog *tl_signalling_call(struct tl_signalling *s, const struct tl_leg_setup *setup, unsigned slot,
						   tl_dialog_listener on_event, void *user, GError **error)
{
	return s->ops->call(s, setup, slot, on_event, user, error);
}

static inline void tl_signalling_block(struct tl_signalling *s, unsigned slot, bool block) { s->ops->block(s, slot, block); }
static inline bool tl_signalling_is_up(const struct tl_signalling *s) { return s->ops->is_up(s); }
static inline enum tl_slot_state tl_signalling_slot_state(const struct tl_signalling *s, unsigned slot)
{
	return s->ops->slot_state(s, slot);
}

static inline void tl_signalling_counters(const struct tl_signalling *s, tl_counter_listener each, void *user)
{
	s->ops->counters(s, each, user);
}

static inline bool tl_signalling_has_trace(const struct tl_signalling *s) { return s->ops->set_trace; }
static inline void tl_signalling_set_trace(struct tl_signalling *s, bool on) { s->ops->set_trace(s, on); }
static inline void tl_signalling_free(struct tl_signalling *s) { if (s) s->ops->free(s); }

/** Slots that a call could have now. */
unsigned tl_signalling_idle_slots(const struct tl_signalling *signalling);

/** The word of configuration and protocol: "pri-cpe" and the like. Static. */
const char *tl_signalling_name(enum tl_signalling_kind kind);

/** The @i-th slot (from 0) to try of @n when @last was taken last. */
unsigned tl_slot_hunt(enum tl_slot_hunt hunt, unsigned last, unsigned i, unsigned n);
