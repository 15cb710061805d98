/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The room's insides. contacts owns nodes, contacts and devices; a node's legs
 * map to the contact they belong to. A contact has the caller's leg and at most
 * one peer: the agent's leg, or the one it is being connected to. A device is
 * the standing leg of an agent's browser; it is lent to contacts as their peer.
 * A consult is a contact of its own whose leg is the peer of another.
 */
#pragma once

#include "base/clock.h"
#include "base/fsm.h"
#include "contact/contact.h"

enum contact_state {
	CONTACT_OPENING,    /* its row is on its way to the disk */
	CONTACT_OFFERED,    /* ours; not answered yet */
	CONTACT_FLOW,
	CONTACT_QUEUED,
	CONTACT_RINGING,    /* an agent's phone */
	CONTACT_CONNECTING, /* another target rings */
	CONTACT_TALKING,
	CONTACT_FAXING,     /* the leg is a fax machine */
	CONTACT_CLOSING,    /* the peer has gone, or the fax is over; the caller's leg is being released */
	CONTACT_ENDED,
	CONTACT_STATES
};

enum contact_event {
	CONTACT_STORED,
	CONTACT_ANSWERED,      /* the caller's leg */
	CONTACT_QUEUE,         /* the flow: wait in contact->queue */
	CONTACT_CONNECT,       /* the flow: peer_target */
	CONTACT_FAX,           /* the flow: data: struct tl_contact_fax */
	CONTACT_FAX_ENDED,
	CONTACT_OVERFLOW,
	CONTACT_ASSIGNED,
	CONTACT_PEER_ANSWERED,
	CONTACT_PEER_ENDED,    /* data: unsigned cause */
	CONTACT_LEAVES,        /* its agent gives it away: on to contact->step */
	CONTACT_GONE,          /* the caller's leg has ended; data: unsigned cause, 0: the journal knows */
	CONTACT_EVENTS
};

enum recording_state { RECORDING_NONE, RECORDING_STARTING, RECORDING_ON, RECORDING_PAUSED };

struct node {
	struct tl_contacts *contacts;
	char *name, *address, *token;
	struct tl_control_client *client;
	JsonObject *info;
	GHashTable *spans;      /* name -> JsonObject */
	GHashTable *phones;     /* registered users */
	GHashTable *legs;       /* leg -> struct tl_contact */
	GHashTable *devices;    /* leg -> struct device */
	bool linked;            /* the client is open */
	bool known;             /* the snapshot was taken: events count */
	bool asking;            /* the snapshot is under way */
};

/* An agent's browser. */
struct device {
	struct node *node;
	char *agent, *leg;
	struct tl_timer *absence; /* running: its media are gone; a reload is over before it ends */
};

struct tl_contact {
	struct tl_contacts *contacts;
	char *id;
	struct node *node;
	struct tl_fsm fsm;
	char *leg, *peer;       /* peer: NULL when there is none */
	char *peer_target;      /* NULL: the agent's device */
	bool peer_is_device;
	bool auto_answer;
	char *bridge;           /* that joins leg and peer; NULL: they are not joined */
	unsigned bridges;       /* made so far */
	bool fax;               /* of kind fax */
	char *fax_id;           /* the one on the leg */
	bool clear;             /* the next bridge is to be a clear one */
	bool outgoing;          /* placed by us: leg is ours to originate */
	bool leg_answered, peer_answered;
	bool leg_held, peer_held; /* by its own party */
	bool on_hold, muted;    /* by the desk: the caller hears music; the agent is not heard */
	enum recording_state recording; /* of the bridge */
	bool unrecorded;        /* its agent has paused it */
	bool noticed;           /* the parties were told */
	char *transfer_to;      /* the agent who is to get it next */
	struct tl_contact *consult; /* the agent asks another about it */
	char *of;               /* a consult: about which contact */
	char *service, *step, *queue, *agent, *assignment, *place_agent;
	char *called, *calling, *calling_name, *span;
	unsigned slot;
	GString *digits;
	char *playing;          /* as the last snapshot said; NULL once we play something */
	unsigned numbers;       /* given to plays and collects so far */
	unsigned play;          /* the latest */
	unsigned collect;       /* the first that may still be answered */
	unsigned collect_wait_s; /* to be counted from the prompt's end; 0: it is */
	int64_t started_utc_us, enqueued_utc_us, answered_utc_us, ended_utc_us;
	unsigned cause;
	bool overflowed, talked;
	bool overflow_due;      /* it came while a phone rang */
	char *music;
	char **position;
	unsigned position_every_s, ring_s;
	struct tl_timer *overflow, *position_timer, *ring;
	void *user;
};

struct tl_contacts {
	struct tl_store *store;
	struct tl_acd *acd;
	struct tl_contacts_handler handler;
	void *user;
	int64_t epoch;
	unsigned loading; /* reads of open contacts under way; only the last one counts */
	GHashTable *nodes, *all, *devices; /* name, id, agent -> */
	GHashTable *recordings; /* by queue (recording.c) */
	char *hold_music;
	struct tl_timer *patience; /* for nodes that do not come */
};

/* contacts.c */
struct tl_contact *contact_new(struct tl_contacts *contacts, const char *id, struct node *node, const char *leg);
void contact_free(struct tl_contact *contact);
void contact_changed(struct tl_contact *contact);
bool contact_fire(struct tl_contact *contact, enum contact_event event, const void *data);
void contact_set_peer(struct tl_contact *contact, const char *leg);

/* node.c */
struct node *node_new(struct tl_contacts *contacts, const struct tl_node_settings *settings);
void node_free(void *node);
void node_connect(struct node *node);
void node_disconnect(struct node *node);
struct tl_node_info node_info(const struct node *node);
void node_set_span(struct node *node, JsonObject *span);
void node_set_phone(struct node *node, JsonObject *phone);

/* command.c */
JsonObject *command_new(const char *leg);
void command_tags(struct tl_contact *contact, JsonObject *params, const char *part);
void command_rule(JsonObject *params, const struct tl_contact_fallback *fallback);
void command_keep_rule(JsonObject *params);
/** Called with the answer when the contact still lives then; not when the connection was lost. */
typedef void (*command_done)(struct tl_contact *contact, const GError *error);
/** Sends; errors are logged. @on_done may be NULL. */
void command_send(struct tl_contact *contact, const char *method, JsonObject *params, command_done on_done);
void command_release(struct tl_contact *contact, const char *leg, unsigned cause);

/* begin.c */
void begin_offered(struct node *node, JsonObject *leg);
void begin_taken(void *contact, const void *data);
void begin_answered(void *contact, const void *data);
void begin_consult(struct tl_contact *consult);
char *begin_new_id(void);

/* wait.c */
void wait_queued(void *contact, const void *data);
void wait_overflowed(void *contact, const void *data);
void wait_stop(struct tl_contact *contact);
void wait_prompt_played(struct tl_contact *contact);
void wait_play_on(struct tl_contact *contact, const char *leg, const char *sound);

/* peer.c */
void peer_ring(void *contact, const void *data);
void peer_connect(void *contact, const void *data);
void peer_join(void *contact, const void *data);
void peer_unanswered(void *contact, const void *data);
void peer_not_connected(void *contact, const void *data);
void peer_hung_up(void *contact, const void *data);
void peer_bridge(struct tl_contact *contact);
void peer_unbridge(struct tl_contact *contact);
/** The peer is no longer wanted: a leg is released, a device is free again. */
void peer_let_go(struct tl_contact *contact, unsigned cause);
/** Tags and rule of who talks. */
void peer_tag(struct tl_contact *contact);

/* hold.c */
void hold_begin(struct tl_contact *contact);
void hold_end(struct tl_contact *contact);

/* recording.c */
GHashTable *recording_table_new(void);
/** The bridge is there: recorded if its queue is set so. */
void recording_begin(struct tl_contact *contact);
void recording_event(struct node *node, const char *name, JsonObject *params);
void recording_seen(struct node *node, JsonArray *recordings);

/* transfer.c */
void transfer_leave(void *contact, const void *data);

/* consult.c */
struct tl_contact *consult_subject(struct tl_contact *consult);
/** The consult has come to nothing, or is over; what it was about goes on. */
void consult_over(struct tl_contact *consult, unsigned cause);
/** The agent leaves while the two agents talk: the other one has the caller. False: they do not. */
bool consult_takes_over(struct tl_contact *contact);

/* device.c */
void device_free(void *device);
struct device *device_of_leg(const struct node *node, const char *leg);
struct device *device_of_agent(const struct tl_contacts *contacts, const char *agent);
void device_connected(struct device *device);
void device_disconnected(struct device *device);
void device_gone(struct device *device);
/** Free for the next contact. */
void device_settle(struct device *device);
/** A snapshot's leg that is a browser's: known from now on. */
void device_seen(struct node *node, JsonObject *leg);

/* fax.c */
void fax_begin(void *contact, const void *data);
void fax_over(void *contact, const void *data);
void fax_event(struct node *node, const char *name, JsonObject *params);
void fax_tone(struct node *node, JsonObject *params);

/* end.c */
void end_gone(void *contact, const void *data);

/* events.c */
void events_handle(struct node *node, const char *name, JsonObject *params);

/* reconcile.c */
void reconcile_open_acd(struct tl_contacts *contacts);
