/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Automatic call distribution: which waiting contact goes to which agent. The
 * index is in memory; an assignment is one transaction, and nobody rings before
 * it is on disk. No polling: contacts and agents are matched when one of them
 * becomes free, at a cost that depends on that agent's queues or that one queue.
 * Media are not its business: it says "ring", and is told what came of it.
 * Thread: main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fsm.h"
#include "store/store.h"

enum tl_agent_state {
	TL_AGENT_OFFLINE,
	TL_AGENT_READY,
	TL_AGENT_RINGING,
	TL_AGENT_TALKING,
	TL_AGENT_WRAP_UP,
	TL_AGENT_BREAK,
};
/** "offline", "ready", "ringing", "talking", "wrap-up", "break". */
const char *tl_agent_state_name(enum tl_agent_state state);

/** Configuration; strings are copied. */
struct tl_queue_settings {
	const char *name;
	unsigned ring_s;    /* an agent's phone rings so long */
	unsigned wrap_up_s; /* after a call; 0: none */
};
struct tl_agent_settings {
	const char *name, *display;
	const char *phone;         /* the user its SIP phone registers as; NULL: it has none */
	const char *const *queues; /* names */
	bool auto_ready;           /* ready as soon as a device of its is there */
	bool browser;              /* may work in a browser */
	bool auto_answer;          /* in the browser: calls are put through without being asked for */
};

/** What is known of an agent or a queue; borrowed until the next call into this room. */
struct tl_agent_info {
	const char *name, *display, *phone, *reason, *contact; /* reason, contact: NULL when none */
	enum tl_agent_state state;
	bool phone_registered, browser, browser_connected, auto_answer;
	unsigned wrap_up_s; /* in wrap-up: how long it lasts from since_utc_us on */
	int64_t since_utc_us;
	const char *const *queues;
};
struct tl_queue_info {
	const char *name;
	unsigned waiting, ready, talking;
	unsigned longest_wait_s;
	unsigned answered_today, abandoned_today, overflowed_today; /* days of UTC */
};

/** An assignment that is on disk; borrowed during the callback. */
struct tl_assignment {
	const char *id, *contact, *agent;
	const char *phone;  /* NULL: it rings in the browser */
	bool auto_answer;
	unsigned ring_s;
};

struct tl_acd_handler {
	/** Ring the agent's device; then tl_acd_answered(), tl_acd_unanswered() or tl_acd_finished(). */
	void (*on_assigned)(const struct tl_assignment *assignment, void *user);
	void (*on_agent)(const struct tl_agent_info *agent, void *user);
	void (*on_queue)(const struct tl_queue_info *queue, void *user);
};

#define TL_ACD_ERROR (tl_acd_error_quark())
GQuark tl_acd_error_quark(void);
enum tl_acd_error_code { TL_ACD_ERROR_UNKNOWN, TL_ACD_ERROR_STATE };

struct tl_acd;
/** (transfer full) @store is borrowed. */
struct tl_acd *tl_acd_new(struct tl_store *store, const struct tl_acd_handler *handler, void *user);
void tl_acd_free(struct tl_acd *acd);

/** Makes or changes a queue; queues before the agents that serve them. Unknown queues of an agent: false. */
void tl_acd_set_queue(struct tl_acd *acd, const struct tl_queue_settings *settings);
bool tl_acd_set_agent(struct tl_acd *acd, const struct tl_agent_settings *settings, GError **error);

/**
 * tl_acd_begin - the reign @epoch begins: agents, waiting contacts and open assignments are read from the store.
 * They take part once confirmed (tl_acd_confirm(), tl_acd_answered() ...) and tl_acd_open() was called.
 */
void tl_acd_begin(struct tl_acd *acd, int64_t epoch, void (*on_restored)(const GError *error, void *user), void *user);
/** Matching begins, or begins again: the nodes' calls are known. */
void tl_acd_open(struct tl_acd *acd);
/** The reign is over: forgets all contacts; nothing is matched. */
void tl_acd_end(struct tl_acd *acd);

/**
 * tl_acd_enqueue - @contact waits in @queue, at the place that @enqueued_utc_us gives it (0: now, at the end).
 * One that waits already (read back from the store) stays where it is and takes part again.
 * @agent: only this one will do (@queue may be NULL then); else NULL. Written to the store.
 * Errors: unknown queue or agent; an @agent who is not ready.
 */
bool tl_acd_enqueue(struct tl_acd *acd, const char *contact, const char *queue, const char *agent,
		    int64_t enqueued_utc_us, GError **error);
/** Whether @contact can be served just now (its node is connected); it keeps its place. */
void tl_acd_confirm(struct tl_acd *acd, const char *contact, bool available);
/** 1 for the next one; 0 when it does not wait. O(log n). */
unsigned tl_acd_position(struct tl_acd *acd, const char *contact);

/** The agent took the call. Written to the store. */
void tl_acd_answered(struct tl_acd *acd, const char *contact);
/**
 * tl_acd_unanswered - the agent did not: the contact waits at its old place; the agent goes on break with @reason,
 * so that it is not offered the next call as well, or offline when its phone is gone (@reason NULL).
 */
void tl_acd_unanswered(struct tl_acd *acd, const char *contact, const char *reason);
/** The phone never rang, by no fault of the agent's: the contact waits at its old place, the agent is ready. */
void tl_acd_withdrawn(struct tl_acd *acd, const char *contact);
/**
 * tl_acd_transferred - the agent who talks with @consult goes on with @contact, whose own agent is free: one transaction.
 * @consult is forgotten. False when the two do not talk.
 */
bool tl_acd_transferred(struct tl_acd *acd, const char *contact, const char *consult);
/** The contact leaves, in whatever state: hung up, overflowed or served. Its agent goes on. */
void tl_acd_finished(struct tl_acd *acd, const char *contact, bool overflowed);

/** What an agent asks for: READY, OFFLINE or BREAK (with @reason). During a call it happens after it. */
bool tl_acd_set_state(struct tl_acd *acd, const char *agent, enum tl_agent_state state, const char *reason, GError **error);
/** The SIP phone of user @phone has registered or has gone. */
void tl_acd_phone(struct tl_acd *acd, const char *phone, bool registered);
/** The browser of @agent is connected or has gone. While it is there calls come to it, not to the SIP phone. */
void tl_acd_browser(struct tl_acd *acd, const char *agent, bool connected);

bool tl_acd_has_queue(const struct tl_acd *acd, const char *queue);
bool tl_acd_agent_info(struct tl_acd *acd, const char *agent, struct tl_agent_info *info);
void tl_acd_each_agent(struct tl_acd *acd, void (*fn)(const struct tl_agent_info *info, void *user), void *user);
void tl_acd_each_queue(struct tl_acd *acd, void (*fn)(const struct tl_queue_info *info, void *user), void *user);

/** The agent's table of states, to be printed and checked. */
extern const struct tl_fsm_machine tl_agent_machine;
