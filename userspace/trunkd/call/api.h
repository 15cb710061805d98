/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The methods of node.schema.json. By subject: api.c sessions and dispatch,
 * api-leg.c, api-bridge.c, api-node.c (snapshot, drain, counters, trace),
 * api-journal.c, api-spool.c, api-recording.c. Thread: main.
 */
#pragma once

#include "call/node.h"

/** What is known of a connection. */
struct tl_session {
	struct tl_node *node;
	struct tl_control_peer *peer;
	const char *name;          /* interned, of the token */
	enum tl_control_role role;
	GHashTable *traced;        /* struct tl_access */
	bool traces_sip;
};

struct tl_request {
	struct tl_node *node;
	struct tl_session *session;
	JsonObject *params;
	struct tl_control_reply *reply; /* set to NULL by a method that answers later */
};

/** A method: returns its result (transfer full), or NULL: an empty one, or @error, or it answers later. */
typedef JsonObject *(*tl_method)(struct tl_request *request, GError **error);

struct tl_method_entry {
	const char *name;
	tl_method call;
};
extern const struct tl_method_entry tl_api_leg[], tl_api_bridge[], tl_api_node[], tl_api_journal[], tl_api_spool[], tl_api_fax[],
	tl_api_browser[], tl_api_recording[];

extern const struct tl_control_handler tl_api_handler; /* user: the node */

/** The leg named by params.leg, if this session may touch it. */
struct tl_leg *tl_request_leg(struct tl_request *request, const char *id, GError **error);
/** The leg of params.leg, alive; to command an offered leg is to take it. */
struct tl_leg *tl_request_live_leg(struct tl_request *request, GError **error);
/** The bridge named by params.bridge, if this session may touch it. */
struct tl_junction *tl_request_junction(struct tl_request *request, GError **error);
const char *tl_request_string(struct tl_request *request, const char *member, const char *fallback);
gint64 tl_request_int(struct tl_request *request, const char *member, gint64 fallback);
bool tl_request_bool(struct tl_request *request, const char *member, bool fallback);

/** Opens the spool and tells of it; api-spool.c. */
bool tl_api_spool_start(struct tl_node *node, GError **error);
/** Its contents, and blobs, by HTTP. */
void tl_api_spool_serve(struct tl_node *node);

/** Takes what several methods may say of a leg besides: tags, rule, digits. */
bool tl_request_extras(struct tl_request *request, struct tl_leg *leg, GError **error);
/** Whether a leg @id may begin now. */
bool tl_request_admit(struct tl_node *node, const char *id, GError **error);

/** Ends the session's traces. */
void tl_api_trace_end(struct tl_session *session);
