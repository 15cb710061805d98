/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the server's two halves, listening and peers, know of one another. Not for other rooms. */
#pragma once

#include <libsoup/soup.h>

#include "control/control.h"

typedef bool (*tl_control_wants)(struct tl_control_peer *peer, JsonObject *params, void *user);

struct tl_control_server {
	const struct tl_schema *schema;
	struct tl_control_handler handler;
	void *user;
	struct tl_control_token *tokens;
	unsigned n_tokens, events_kept;
	gsize backlog_max;
	bool check_sent; /* check what we send, too: tests and debugging */
	SoupServer *soup;
	GSocketService *service;
	char *socket_path;
	GList *peers;
	GQueue events; /* the last events_kept ones */
	gint64 last_event;
	struct tl_control_files files;
	char *blob_directory; /* what files.blob_directory points to */
	void *files_user;
};

struct tl_control_peer *tl_server_peer_new(struct tl_control_server *server, SoupWebsocketConnection *socket);
/** Says goodbye to the handler, drops pending replies and removes it from its server. */
void tl_server_peer_free(struct tl_control_peer *peer);
bool tl_server_peer_is_open(const struct tl_control_peer *peer);
struct tl_control_server *tl_server_peer_server(struct tl_control_peer *peer);
/** Queues one message, or cuts the peer off (later) when it reads too slowly. */
void tl_server_peer_send(struct tl_control_peer *peer, const char *text);

/** The token of that secret, or NULL; takes as long for a wrong one. */
const struct tl_control_token *tl_server_find_token(const struct tl_control_server *server, const char *secret);

/** Whether all events after @after are still kept. */
bool tl_server_has_since(const struct tl_control_server *server, gint64 after);
void tl_server_replay(struct tl_control_server *server, struct tl_control_peer *peer, gint64 after);
