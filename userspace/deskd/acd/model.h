/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The room's insides. acd owns queues, agents and entries; an entry is one
 * contact in the hands of the acd. An entry that waits stands in its queue's
 * order; a ready agent stands in the order of each queue it serves.
 */
#pragma once

#include "acd/acd.h"
#include "base/clock.h"
#include "base/fsm.h"

enum entry_state {
	ENTRY_WAITING,
	ENTRY_ASSIGNING, /* the assignment is on its way to the disk */
	ENTRY_RINGING,
	ENTRY_TALKING,
};

enum agent_event {
	AGENT_READY,       /* asked for by the agent, as are BREAK and LEAVE */
	AGENT_BREAK,
	AGENT_LEAVE,
	AGENT_ASSIGN,
	AGENT_ANSWERED,
	AGENT_NO_ANSWER,
	AGENT_CALLER_GONE, /* or the assignment failed: no fault of the agent's */
	AGENT_ENDED,
	AGENT_WRAPPED,     /* the wrap-up time is over */
	AGENT_PHONE_GONE,
	AGENT_EVENTS
};

struct queue {
	struct tl_acd *acd;
	char *name;
	unsigned ring_s, wrap_up_s;
	GSequence *waiting; /* struct entry, by time enqueued */
	GSequence *ready;   /* struct agent, longest idle first */
	unsigned talking, answered_today, abandoned_today, overflowed_today;
};

struct agent {
	struct tl_acd *acd;
	char *name, *display, *phone;
	char **queue_names;
	GPtrArray *queues;      /* struct queue, borrowed */
	GPtrArray *ready_places; /* GSequenceIter in each queue's ready; empty: not ready */
	bool browser, auto_ready, auto_answer;
	bool phone_registered, browser_connected;
	bool phone_gone;        /* no device is left, it was said; not merely unheard of yet, as at the beginning of a reign */
	struct tl_fsm fsm;
	char *reason;
	int64_t since_utc_us, idle_utc_us;
	struct entry *entry;    /* while ringing or talking */
	struct tl_timer *wrap_up;
	int wish;               /* agent_event to fire when free again, or AGENT_EVENTS */
	char *wish_reason;
	unsigned wrap_up_s;     /* of the call that has just ended */
};

struct entry {
	struct tl_acd *acd;
	char *contact, *assignment;
	struct queue *queue;    /* NULL: for one agent only */
	struct agent *agent;    /* from ASSIGNING on, or the only one that will do */
	int64_t enqueued_utc_us;
	enum entry_state state;
	GSequenceIter *place;   /* in queue->waiting; NULL when it does not stand there */
	int64_t epoch;          /* of its assignment */
	bool available;
	bool gone;              /* finished while ASSIGNING: freed when the disk has answered */
};

struct tl_acd {
	struct tl_store *store;
	struct tl_acd_handler handler;
	void *user;
	GHashTable *queues, *agents, *phones, *entries; /* name -> ...; phones: user -> struct agent */
	int64_t epoch;
	unsigned assignments;   /* of this reign */
	bool open;
	unsigned restoring;     /* reads under way; only the last one counts */
	struct tl_timer *retry; /* running: an assignment could not be stored; nothing is matched */
	int64_t day;            /* of the counters */
	void (*on_restored)(const GError *error, void *user);
	void *restored_user;
};

/* agent.c */
struct agent *agent_new(struct tl_acd *acd, const char *name);
void agent_free(void *agent);
bool agent_fire(struct agent *agent, enum agent_event event, const char *reason);
void agent_save(const struct agent *agent, struct tl_transaction *transaction);
void agent_store(const struct agent *agent);
void agent_restore(struct agent *agent, const char *state, const char *reason, int64_t since_utc_us);
void agent_unqueue(struct agent *agent);
void agent_changed(struct agent *agent);
bool agent_is_reachable(const struct agent *agent);
struct tl_agent_info agent_info(const struct agent *agent);

/* queue.c */
struct queue *queue_new(struct tl_acd *acd, const char *name);
void queue_free(void *queue);
void queue_changed(struct queue *queue);
struct tl_queue_info queue_info(struct queue *queue);
struct entry *entry_new(struct tl_acd *acd, const char *contact, struct queue *queue, int64_t enqueued_utc_us);
void entry_free(void *entry);
void entry_wait(struct entry *entry);   /* stands in its queue, when available */
void entry_unwait(struct entry *entry);
void acd_count_day(struct tl_acd *acd);

/* match.c */
void match_queue(struct queue *queue);
void match_agent(struct agent *agent);
void match_entry(struct entry *entry, struct agent *agent);
void match_on_retry(void *acd);
void entry_end_assignment(struct entry *entry, const char *outcome, const char *contact_state);
