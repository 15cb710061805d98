/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The control protocol: JSON-RPC 2.0 over WebSocket, on a UNIX socket or TCP.
 * node.schema.json and desk.schema.json are the protocol; what is sent and
 * received is checked against them. Server and client; no telephony. Thread: main.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TL_CONTROL_ERROR (tl_control_error_quark())
GQuark tl_control_error_quark(void);
/** Values are the protocol's error numbers, so that a GError can be answered as it is. */
enum tl_control_error_code {
	TL_CONTROL_PARSE = -32700,
	TL_CONTROL_INVALID_REQUEST = -32600,
	TL_CONTROL_NO_METHOD = -32601,
	TL_CONTROL_INVALID_PARAMS = -32602,
	TL_CONTROL_NOT_AUTHORIZED = -32001,
	TL_CONTROL_STALE_EPOCH = -32002,
	TL_CONTROL_UNKNOWN = -32003,
	TL_CONTROL_ID_IN_USE = -32004,
	TL_CONTROL_STATE = -32005,
	TL_CONTROL_NO_CIRCUIT = -32006,
	TL_CONTROL_OVERLOAD = -32007,
	TL_CONTROL_TOO_FAR_BEHIND = -32008,
	TL_CONTROL_STORAGE = -32009,
	TL_CONTROL_NOT_CONDUCTOR = -32010,
	TL_CONTROL_CLOSED = 1, /* client: the connection ended before the answer */
	TL_CONTROL_CONNECT = 2,
};

/* Errors that carry what the protocol says of them (the error object's data). */
void tl_control_refuse_state(GError **error, const char *state, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** @cause: a Q.850 value. */
void tl_control_refuse_circuit(GError **error, unsigned cause, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** @epoch: the one that commands. */
void tl_control_refuse_epoch(GError **error, gint64 epoch, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** 0, 0 and NULL where the error says nothing of it; borrowed. */
unsigned tl_control_error_cause(const GError *error);
gint64 tl_control_error_epoch(const GError *error);
const char *tl_control_error_state(const GError *error);
/** The error object of a message and back. (transfer full) */
JsonNode *tl_control_error_format(const GError *error);
GError *tl_control_error_parse(JsonObject *failure);

enum tl_control_role { TL_ROLE_NONE, TL_ROLE_OBSERVER, TL_ROLE_OPERATOR, TL_ROLE_APPLICATION, TL_ROLE_CONDUCTOR };
bool tl_role_parse(const char *name, enum tl_control_role *role);
const char *tl_role_name(enum tl_control_role role);

/* ---- schema ---- */

struct tl_schema;
/** The built-in schema: "node" or "desk". Borrowed, lives for ever. */
const struct tl_schema *tl_schema_get(const char *name);
/** Checks a method's params or result, or an event's params; the message names the member and what was expected. */
bool tl_schema_check_params(const struct tl_schema *schema, const char *method, JsonNode *params, GError **error);
bool tl_schema_check_result(const struct tl_schema *schema, const char *method, JsonNode *result, GError **error);
bool tl_schema_check_event(const struct tl_schema *schema, const char *event, JsonNode *params, GError **error);
/** The least role that may call @method; TL_ROLE_NONE for session.open; false when there is no such method. */
bool tl_schema_role(const struct tl_schema *schema, const char *method, enum tl_control_role *role);

/* ---- codec (pure; fuzzed) ---- */

enum tl_message_kind { TL_MESSAGE_REQUEST, TL_MESSAGE_EVENT, TL_MESSAGE_RESULT, TL_MESSAGE_FAILURE };
struct tl_message {
	enum tl_message_kind kind;
	gint64 id;            /* REQUEST, RESULT, FAILURE (0 when the peer sent none) */
	char *method;         /* REQUEST, EVENT */
	JsonNode *body;       /* params, result or error object; may be NULL */
};
/**
 * tl_json_parse - the one JSON object or array that @text (@length octets, -1: up to its zero) from a stranger holds,
 * of at most 1 MiB and 32 levels; NULL with TL_CONTROL_PARSE for anything else. (transfer full) Any thread.
 */
JsonNode *tl_json_parse(const char *text, gssize length, GError **error);

/** Reads one message, as tl_json_parse(). (transfer full of members, see tl_message_clear) */
bool tl_message_parse(const char *text, gssize length, struct tl_message *message, GError **error);
void tl_message_clear(struct tl_message *message);
/** (transfer full) */
char *tl_message_format(const struct tl_message *message);

/* ---- server ---- */

struct tl_control_server;
struct tl_control_peer; /* one connection that passed session.open */
struct tl_control_reply; /* a request still to be answered, exactly once */

struct tl_control_token {
	const char *token; /* secret: compared in constant time, never logged */
	enum tl_control_role role;
	const char *name;
};

struct tl_control_server_config {
	const char *schema;            /* "node" or "desk" */
	const char *socket_path;       /* UNIX socket (mode 0660), NULL: none; a stale one is replaced */
	const char *tcp_host; unsigned tcp_port; /* numeric; NULL: none */
	const struct tl_control_token *tokens; unsigned n_tokens;
	unsigned events_kept;          /* for after_event; default 4096 */
	unsigned backlog_max_octets;   /* a peer that reads too slowly is cut off; default 8 MiB */
};

struct tl_control_handler {
	/** session.open passed token and schema; set @error to refuse (stale epoch). Returns the result's own member
	 * object ("node" or "desk"), (transfer full). */
	JsonNode *(*on_open)(struct tl_control_peer *peer, gint64 epoch, GError **error, void *user);
	void (*on_close)(struct tl_control_peer *peer, void *user);
	/** A request that passed role and schema. Answer @reply now or later. @params is borrowed. */
	void (*on_request)(struct tl_control_peer *peer, const char *method, JsonObject *params,
			   struct tl_control_reply *reply, void *user);
};

/** Listens. Errors name the address. (transfer full) */
struct tl_control_server *tl_control_server_new(const struct tl_control_server_config *config,
						const struct tl_control_handler *handler, void *user, GError **error);
void tl_control_server_free(struct tl_control_server *server);

/** Files by HTTP on the same listener, with the same tokens; see README.md. */
struct tl_control_files {
	/** The path of part @part of item @item of the spool; NULL: there is none. (transfer full) */
	char *(*find)(const char *item, const char *part, void *user);
	const char *blob_directory; /* where PUT /blob/SHA256 is kept; made when missing */
	uint64_t blob_max_octets;
};
/** Thread: main; once. @files is copied. */
void tl_control_server_serve_files(struct tl_control_server *server, const struct tl_control_files *files, void *user);

/** Answers and frees @reply; @result (transfer full) may be NULL: {}. The result is checked against the schema
 * (a breach is our own bug: logged, and fatal under G_DEBUG=fatal-warnings). Harmless after the peer has gone. */
void tl_control_reply_result(struct tl_control_reply *reply, JsonNode *result);
/** Answers an error: a TL_CONTROL_ERROR keeps its code, others become -32009. Frees @reply, not @error. */
void tl_control_reply_error(struct tl_control_reply *reply, const GError *error);

/**
 * tl_control_server_event - number, keep and send @params (transfer full) as event @name to each peer that
 * @wants (NULL: all). Returns its number.
 */
gint64 tl_control_server_event(struct tl_control_server *server, const char *name, JsonObject *params,
			       bool (*wants)(struct tl_control_peer *peer, JsonObject *params, void *user),
			       void *user);
gint64 tl_control_server_last_event(const struct tl_control_server *server);
/** Sends @params (transfer full) as an unnumbered event (event 0) to one peer. */
void tl_control_peer_event(struct tl_control_peer *peer, const char *name, JsonObject *params);

enum tl_control_role tl_control_peer_role(const struct tl_control_peer *peer);
const char *tl_control_peer_name(const struct tl_control_peer *peer); /* of the token */
void *tl_control_peer_user(const struct tl_control_peer *peer);
void tl_control_peer_set_user(struct tl_control_peer *peer, void *user);
/** Says why and closes. */
void tl_control_peer_close(struct tl_control_peer *peer, const char *why);

/* ---- client ---- */

struct tl_control_client;

struct tl_control_client_config {
	const char *schema;
	const char *address;   /* "unix:PATH" or "ws://host:port" */
	const char *token, *name;
	gint64 epoch;          /* 0: none */
	bool reconnect;        /* keep trying, 0.1 to 2 s apart; resumes after the last event seen */
	bool check;            /* check what is received against the schema; a breach is an error */
};

struct tl_control_client_handler {
	/** session.open was accepted. @resumed: no event was missed since the last time. @result is borrowed. */
	void (*on_open)(struct tl_control_client *client, JsonObject *result, bool resumed, void *user);
	/** The connection is gone or could not be had; with reconnect another try follows. */
	void (*on_close)(struct tl_control_client *client, const GError *why, void *user);
	void (*on_event)(struct tl_control_client *client, const char *name, JsonObject *params, void *user);
};

/** (transfer full) */
struct tl_control_client *tl_control_client_new(const struct tl_control_client_config *config,
						const struct tl_control_client_handler *handler, void *user);
/** Pending calls get TL_CONTROL_CLOSED. NULL is legal. */
void tl_control_client_free(struct tl_control_client *client);
void tl_control_client_set_epoch(struct tl_control_client *client, gint64 epoch);
bool tl_control_client_is_open(const struct tl_control_client *client);

typedef void (*tl_control_done)(JsonObject *result, const GError *error, void *user);
/** Calls @method with @params (transfer full, may be NULL); @on_done exactly once (may be NULL). */
void tl_control_client_call(struct tl_control_client *client, const char *method, JsonObject *params,
			    tl_control_done on_done, void *user);
