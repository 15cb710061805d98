/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Contacts of the kinds call and fax: they bind a caller's leg on a node with the
 * flow, the queue and the agent's leg, or make it a fax machine. This room commands the nodes, gives each leg its
 * rule for the case that no desk is left, and after a take-over finds every
 * contact again. What a flow decides comes from outside (tl_contacts_handler).
 * Thread: main.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "acd/acd.h"
#include "base/fsm.h"
#include "contact/node.h"
#include "control/control.h"

struct tl_contacts;
struct tl_contact;

/** For the eye and the API; borrowed until the next turn of the main loop. 0 and NULL: not (yet). */
struct tl_contact_info {
	const char *id, *state; /* desk.schema.json's call_state */
	const char *kind; /* call, fax */
	const char *service, *queue, *agent, *called, *calling, *calling_name, *digits, *step, *node, *span;
	const char *consult; /* the contact in which its agent asks another agent about it */
	const char *of;      /* it is such a one, about this contact */
	bool on_hold, muted; /* by its agent */
	const char *recording; /* "on", "paused"; NULL: not recorded */
	unsigned slot, position, cause;
	int64_t started_utc_us, answered_utc_us, ended_utc_us;
	bool outgoing;
};

/** How a contact waits. */
struct tl_contact_wait {
	const char *queue, *music;
	const char *const *position; /* sounds before the number; empty: not told */
	unsigned position_every_s, overflow_s;
};

/** What the node does with the caller's leg alone, when no desk is left for @after_s. */
struct tl_contact_fallback {
	const char *route; /* a target; NULL: release with @cause */
	unsigned cause, after_s;
};

struct tl_contacts_handler {
	/** Whether a call to @called is for us; the node's own routes have the others. */
	bool (*has_service)(const char *called, void *user);
	/** The caller is there: run the flow from the beginning (@step NULL) or on from @step. */
	void (*on_begin)(struct tl_contact *contact, const char *step, void *user);
	void (*on_played)(struct tl_contact *contact, void *user);
	void (*on_collected)(struct tl_contact *contact, const char *digits, void *user);
	void (*on_overflow)(struct tl_contact *contact, void *user);
	void (*on_failed)(struct tl_contact *contact, unsigned cause, void *user); /* to be queued or connected */
	void (*on_fax_tone)(struct tl_contact *contact, void *user); /* CNG: the caller is a fax machine */
	/** fax.negotiated, fax.page or fax.ended of @fax; after the last the leg is released. They may follow the contact's end. */
	void (*on_fax)(const char *fax, const char *event, JsonObject *params, void *user);
	/** Anything to be seen has changed; with state "ended" it is the last call, the contact is freed after it. */
	void (*on_changed)(struct tl_contact *contact, void *user);
	void (*on_gone)(struct tl_contact *contact, void *user); /* forgotten, not ended: the reign is over */
	/** A node is connected: read its journal, then tl_contacts_reconcile(). */
	void (*on_link)(const char *node, struct tl_control_client *client, void *user);
	void (*on_unlink)(const char *node, void *user);
	void (*on_facts)(const char *node, JsonObject *params, void *user);
	void (*on_spool)(const char *node, JsonObject *params, void *user); /* spool.changed */
	void (*on_node)(const struct tl_node_info *node, const char *span, void *user); /* @span: only this one changed */
	void (*on_stale)(int64_t epoch, void *user); /* a node obeys @epoch or a higher one */
};

/** (transfer full) @store and @acd are borrowed. */
struct tl_contacts *tl_contacts_new(struct tl_store *store, struct tl_acd *acd, const struct tl_contacts_handler *handler,
				    void *user);
void tl_contacts_free(struct tl_contacts *contacts);
/** What a caller on hold hears, looped; copied. */
void tl_contacts_set_hold_music(struct tl_contacts *contacts, const char *sound);
/**
 * What callers of @queue and its agents say is recorded from now on: "opus", "wav", "wav16"; NULL: no longer. @notice:
 * sounds that both hear first, once a call.
 */
void tl_contacts_set_recording(struct tl_contacts *contacts, const char *queue, const char *format, const char *const *notice);
/** Before the first reign. */
void tl_contacts_add_node(struct tl_contacts *contacts, const struct tl_node_settings *settings);

/** The reign @epoch begins (the acd's has begun): reads open contacts, connects to the nodes. */
void tl_contacts_begin(struct tl_contacts *contacts, int64_t epoch);
/** The reign is over: no more commands. Calls stay up on the nodes. */
void tl_contacts_end(struct tl_contacts *contacts);
int64_t tl_contacts_epoch(const struct tl_contacts *contacts);
/** @node's journal is in the store: take its snapshot, find its contacts again, and obey its events from then on. */
void tl_contacts_reconcile(struct tl_contacts *contacts, const char *node);

struct tl_contact *tl_contacts_find(struct tl_contacts *contacts, const char *id);
void tl_contacts_each(struct tl_contacts *contacts, void (*fn)(struct tl_contact *contact, void *user), void *user);
void tl_contacts_each_node(struct tl_contacts *contacts, void (*fn)(const struct tl_node_info *node, void *user), void *user);

/** A call out, by an operator; strings are borrowed during the call. */
struct tl_contact_place {
	const char *id;              /* NULL: chosen here */
	const char *to;              /* a target of node.schema.json */
	const char *called, *calling; /* calling: may be NULL */
	const char *service, *agent; /* what the called party is connected to; one of them */
	const char *fax;             /* instead: the fax that is sent to it; on_begin comes when it answers */
	const char *node;            /* NULL: any */
};
typedef void (*tl_contact_placed)(struct tl_contact *contact, const GError *error, void *user);
/** @on_done exactly once; errors are of TL_CONTROL_ERROR. */
void tl_contacts_place(struct tl_contacts *contacts, const struct tl_contact_place *place, tl_contact_placed on_done,
		       void *user);

/* ---- an agent's browser: a standing leg on a node, lent to contacts ---- */

typedef void (*tl_contacts_connected)(const char *sdp, const GError *error, void *user);
/**
 * tl_contacts_connect - @agent's page offers @sdp: its standing leg is made, or made anew after a reload; a contact it
 * talks to is kept. @on_done exactly once, with the answer or an error of TL_CONTROL_ERROR; the acd is told when media flow.
 */
void tl_contacts_connect(struct tl_contacts *contacts, const char *agent, const char *sdp, tl_contacts_connected on_done,
			 void *user);
/** The page is closed for good. A contact that it talks to ends. */
void tl_contacts_disconnect(struct tl_contacts *contacts, const char *agent);

/* ---- what an agent does with its contact, in a browser or on a phone. Errors: TL_CONTROL_STATE, TL_CONTROL_UNKNOWN ---- */

/** It rings in the agent's browser. */
bool tl_contact_answer(struct tl_contact *contact, GError **error);
/** It rings: the agent does not want it, and goes on break. They talk: hangs up; a consult leaves the caller on hold. */
bool tl_contact_hang_up(struct tl_contact *contact, GError **error);
/** The caller hears music, and is heard again. */
bool tl_contact_hold(struct tl_contact *contact, bool on, GError **error);
/** The agent is not heard. */
bool tl_contact_mute(struct tl_contact *contact, bool on, GError **error);
/** Its recording is paused and goes on. */
bool tl_contact_record(struct tl_contact *contact, bool on, GError **error);
/** @digits: 0-9 * # A-D, towards the caller; in a consult towards the other agent. */
bool tl_contact_dtmf(struct tl_contact *contact, const char *digits, GError **error);
/** @to: "queue:NAME" or "agent:NAME"; who does not answer leaves the caller in its queue. */
bool tl_contact_transfer(struct tl_contact *contact, const char *to, GError **error);
/** The caller is held, @agent rings; what comes of it is a contact of its own (info.consult). */
bool tl_contact_consult(struct tl_contact *contact, const char *agent, GError **error);
/** Back to the caller: the other agent is no longer wanted. @contact: what it is about. */
bool tl_contact_cancel(struct tl_contact *contact, GError **error);
/** The agent who was asked goes on with the caller. @contact: what it is about. */
bool tl_contact_complete(struct tl_contact *contact, GError **error);

/* ---- history ---- */

/** A contact of before, for the eye; strings are borrowed during the callback, NULL where there is none. */
struct tl_past_contact {
	const char *id, *service, *queue, *agent, *outcome;
	int64_t started_utc_us, answered_utc_us, ended_utc_us;
};
typedef void (*tl_past_contacts_done)(const struct tl_past_contact *past, unsigned n, const GError *error, void *user);
/** The latest @max (1 to 100) contacts that @calling began and that are over, the latest first. */
void tl_contacts_history(struct tl_contacts *contacts, const char *calling, unsigned max, tl_past_contacts_done on_done,
			 void *user);

struct tl_contact_info tl_contact_info(struct tl_contact *contact);
/** What tl_contacts_new() was given. */
void *tl_contact_owner(const struct tl_contact *contact);
void *tl_contact_user(const struct tl_contact *contact);
void tl_contact_set_user(struct tl_contact *contact, void *user);

/* What a flow asks for. */
void tl_contact_step(struct tl_contact *contact, const char *step, const struct tl_contact_fallback *fallback);
void tl_contact_play(struct tl_contact *contact, const char *const *sounds);
void tl_contact_collect(struct tl_contact *contact, const char *const *sounds, unsigned wait_s);
void tl_contact_queue(struct tl_contact *contact, const struct tl_contact_wait *wait);
void tl_contact_connect(struct tl_contact *contact, const char *target);
void tl_contact_release(struct tl_contact *contact, unsigned cause);
/** Connected without anything touching the audio: modems and fax machines at both ends. */
void tl_contact_connect_clear(struct tl_contact *contact, const char *target);
/** Listens for a fax machine's tone in the background: on_fax_tone. */
void tl_contact_detect_fax(struct tl_contact *contact);

/** What a fax machine on the leg is to do; borrowed. @options: node.schema.json's fax_options (transfer none). */
struct tl_contact_fax {
	const char *fax;      /* its id; asking again for the same is no error */
	JsonObject *options;
	unsigned pages_max;   /* receiving */
	const char *document; /* sending: SHA-256 of a blob that the node has; NULL: receive */
	unsigned first_page;
};
/** The contact becomes one of kind fax. */
void tl_contact_fax(struct tl_contact *contact, const struct tl_contact_fax *fax);
/** The name of a node that is connected, or NULL; borrowed. */
const char *tl_contacts_any_node(struct tl_contacts *contacts);

/** Whether commands reach its leg now: its node is connected and has said what lives there. */
bool tl_contact_reachable(const struct tl_contact *contact);

/** The acd has assigned @assignment->contact: ring. */
void tl_contacts_assigned(struct tl_contacts *contacts, const struct tl_assignment *assignment);

/** A contact's table of states, to be printed and checked. */
extern const struct tl_fsm_machine tl_contact_machine;
