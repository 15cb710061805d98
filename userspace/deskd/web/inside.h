/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The room's insides. web owns the HTTP server, the viewers, the sessions and the control server. */
#pragma once

#include <libsoup/soup.h>

#include "base/clock.h"
#include "web/web.h"

struct sessions;

struct tl_web {
	char *name, *listen, *host;
	GPtrArray *bearers;     /* operators' tokens, for programs */
	bool video;             /* agents' pages offer it */
	char **turn;            /* URLs; NULL: none */
	char *turn_secret;
	bool turn_only;
	unsigned turn_lifetime_s;
	bool loopback;          /* listens on loopback only: looking needs no login */
	GTlsCertificate *certificate; /* NULL: HTTP */
	unsigned handshakes;    /* under way */
	struct tl_store *store;
	struct tl_acd *acd;
	struct tl_contacts *contacts;
	struct tl_ledger *ledger;
	struct tl_faxes *faxes;
	struct tl_blobs *blobs;
	GHashTable *uploads;    /* struct upload, by id (fax-methods.c) */
	SoupServer *soup;
	GSocketService *service; /* accepts for it */
	GList *viewers;         /* struct viewer */
	struct sessions *sessions;
	struct tl_control_server *control;
	GHashTable *dirty_queues; /* names; told together */
	struct tl_timer *flush;
};

/* views.c: values as JSON, in the protocol's own terms (transfer full) */
JsonObject *view_call(struct tl_contact *contact);
JsonObject *view_agent(const struct tl_agent_info *agent);
JsonObject *view_queue(const struct tl_queue_info *queue);
JsonObject *view_cdr(const struct tl_cdr *cdr);
JsonObject *view_node(const struct tl_node_info *node);
JsonObject *view_desk(struct tl_web *web);
JsonArray *view_calls(struct tl_web *web);
JsonArray *view_agents(struct tl_web *web);
JsonArray *view_queues(struct tl_web *web);
JsonArray *view_cdrs(const struct tl_cdr *cdrs, unsigned n);
JsonObject *view_live(struct tl_web *web);
JsonArray *view_past(const struct tl_past_contact *past, unsigned n);
/** (transfer full of @object, and of the text) */
char *view_text(JsonObject *object);

/* viewers.c: the page's WebSockets */
struct viewer {
	struct tl_web *web;
	SoupWebsocketConnection *socket;
	GSocket *wire;  /* borrowed from the stream */
	gsize backlog;  /* octets sent since the wire last took some */
	char *agent;    /* who has logged in; NULL: nobody */
	bool has_phone; /* its offer made the agent's standing leg what it is now */
};
void viewers_add(struct tl_web *web, SoupWebsocketConnection *socket, const char *agent);
/** NULL when it has gone. */
struct viewer *viewers_find(struct tl_web *web, const SoupWebsocketConnection *socket);
void viewer_send(struct viewer *viewer, const char *text);
/** {"event": @event} to one. */
void viewer_tell(struct viewer *viewer, const char *event);
/** Sends {"event": @event, @member: @value} (transfer full of @value) to all. */
void viewers_tell(struct tl_web *web, const char *event, const char *member, JsonObject *value);
void viewers_free(struct tl_web *web);

/* acts.c: what may be done with a call; pages and operators alike */
/** NULL: no such method. */
typedef bool (*act_fn)(struct tl_contact *contact, JsonObject *params, GError **error);
act_fn act_find(const char *method);

/* agents.c: what the page of an agent asks for */
void agents_request(struct viewer *viewer, const char *text, gsize length);

/* turn.c: what a browser needs to reach its node by a TURN server */
/** The password of @username under @secret: base64 of HMAC-SHA1 (draft-uberti-behave-turn-rest-00 2.2). (transfer full) */
char *turn_password(const char *secret, const char *username);
/** As RTCPeerConnection takes them; for @agent, good for turn_lifetime_s from @now_utc_us; empty without one. (transfer full) */
JsonArray *turn_servers(const struct tl_web *web, const char *agent, int64_t now_utc_us);

/* tls.c */
bool tls_load(struct tl_web *web, const char *certificate, const char *key, GError **error);
/** Serves @connection when its handshake is done. */
void tls_accept(struct tl_web *web, GSocketConnection *connection, GSocketAddress *local, GSocketAddress *remote);

/* sessions.c: who has logged in */
/** @on_loaded: those of before are known again. */
struct sessions *sessions_new(struct tl_store *store, const struct tl_web_login *logins, unsigned n,
			      void (*on_loaded)(void *user), void *user);
void sessions_free(struct sessions *sessions);
/** @cookie (transfer full) is the new session's, NULL with @status 401, 429 or 503. */
typedef void (*sessions_done)(char *cookie, unsigned status, void *user);
void sessions_login(struct sessions *sessions, const char *agent, const char *password, const char *from,
		    sessions_done on_done, void *user);
/** The agent of a session, or NULL; borrowed. */
const char *sessions_agent(struct sessions *sessions, const char *cookie);
void sessions_logout(struct sessions *sessions, const char *cookie);

/* http.c */
bool http_start(struct tl_web *web, GError **error);
/** From now on requests are answered. */
void http_serve(struct tl_web *web);
void http_stop(struct tl_web *web);

/* operators.c: the control socket */
bool operators_start(struct tl_web *web, const struct tl_web_config *config, GError **error);
void operators_tell(struct tl_web *web, const char *event, const char *member, JsonObject *value);

/* fax-methods.c: the control socket's part; false: not one of its methods */
bool fax_method(struct tl_web *web, const char *method, JsonObject *params, struct tl_control_reply *reply);

/* fax-http.c: /api/faxes and /api/fax/...; false: not one of them */
bool fax_request(struct tl_web *web, SoupServerMessage *message, const char *path);
/** Whether a request brings a document, which may be longer than other bodies. */
bool fax_brings_document(SoupServerMessage *message, const char *path);
#define FAX_DOCUMENT_MAX_OCTETS (32 << 20)

/* recordings.c; false: not one of them */
bool recordings_request(struct tl_web *web, SoupServerMessage *message, const char *path);
bool recordings_method(struct tl_web *web, const char *method, JsonObject *params, struct tl_control_reply *reply);

/* http.c: a request that is answered later, and answers */
struct waiting;
struct waiting *http_wait(struct tl_web *web, SoupServerMessage *message);
SoupServerMessage *http_waiting_message(const struct waiting *waiting);
void http_waiting_end(struct waiting *waiting);
/** (transfer full of @object) */
void http_answer(SoupServerMessage *message, unsigned status, JsonObject *object);
void http_refuse(SoupServerMessage *message, unsigned status, const char *why);
void http_headers(SoupServerMessage *message);
bool http_may_look(struct tl_web *web, SoupServerMessage *message);
/** Who has logged in, or NULL; borrowed. */
const char *http_agent(struct tl_web *web, SoupServerMessage *message);
/** Logged in, or with an operator's token. */
bool http_may_act(struct tl_web *web, SoupServerMessage *message);

/* page.c */
struct page_file {
	const char *path, *type, *text;
};
const struct page_file *page_find(const char *path);
