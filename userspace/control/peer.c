/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One connection at the server: its session, its requests and their replies. */
#include "control/server.h"

#include <string.h>

#include "base/clock.h"

#define TL_ROOM "control"
#include "base/log.h"

#define OPEN_WITHIN_MS 10000

struct tl_control_peer {
	struct tl_control_server *server;
	SoupWebsocketConnection *socket;
	GSocket *wire; /* borrowed from the stream */
	struct tl_timer *open_timer;
	const struct tl_control_token *token; /* NULL until session.open */
	bool cut_off;
	gsize backlog; /* octets sent since the wire last took some */
	GList *replies; /* requests not yet answered */
	void *user;
};

struct tl_control_reply {
	struct tl_control_peer *peer; /* NULL: it has gone */
	gint64 id;
	char *method;
};

bool tl_server_peer_is_open(const struct tl_control_peer *peer)
{
	return peer->token && !peer->cut_off;
}

struct tl_control_server *tl_server_peer_server(struct tl_control_peer *peer)
{
	return peer->server;
}

enum tl_control_role tl_control_peer_role(const struct tl_control_peer *peer)
{
	return peer->token ? peer->token->role : TL_ROLE_NONE;
}

const char *tl_control_peer_name(const struct tl_control_peer *peer)
{
	return peer->token ? peer->token->name : "";
}

void *tl_control_peer_user(const struct tl_control_peer *peer)
{
	return peer->user;
}

void tl_control_peer_set_user(struct tl_control_peer *peer, void *user)
{
	peer->user = user;
}

void tl_control_peer_close(struct tl_control_peer *peer, const char *why)
{
	peer->cut_off = true;
	if (soup_websocket_connection_get_state(peer->socket) == SOUP_WEBSOCKET_STATE_OPEN)
		soup_websocket_connection_close(peer->socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, why);
}

void tl_server_peer_send(struct tl_control_peer *peer, const char *text)
{
	if (peer->cut_off || soup_websocket_connection_get_state(peer->socket) != SOUP_WEBSOCKET_STATE_OPEN)
		return;
	/* libsoup queues without a bound and does not say how much: while the wire takes nothing, all of it waits. */
	if (!peer->wire || g_socket_condition_check(peer->wire, G_IO_OUT))
		peer->backlog = 0;
	peer->backlog += strlen(text);
	if (peer->backlog <= peer->server->backlog_max) {
		soup_websocket_connection_send_text(peer->socket, text);
		return;
	}
	tl_warning("%s reads too slowly: cut off with %zu octets waiting", tl_control_peer_name(peer), peer->backlog);
	peer->cut_off = true;
	if (peer->wire)
		g_socket_shutdown(peer->wire, TRUE, TRUE, NULL); /* a close frame would wait behind the rest */
}

static void send_message(struct tl_control_peer *peer, const struct tl_message *message)
{
	g_autofree char *text = tl_message_format(message);
	tl_server_peer_send(peer, text);
}

static void send_failure(struct tl_control_peer *peer, gint64 id, const GError *error)
{
	g_autoptr(JsonNode) body = tl_control_error_format(error);
	send_message(peer, &(struct tl_message){ .kind = TL_MESSAGE_FAILURE, .id = id, .body = body });
}

static struct tl_control_reply *reply_new(struct tl_control_peer *peer, const struct tl_message *message)
{
	struct tl_control_reply *reply = g_new0(struct tl_control_reply, 1);
	reply->peer = peer;
	reply->id = message->id;
	reply->method = g_strdup(message->method);
	peer->replies = g_list_prepend(peer->replies, reply);
	return reply;
}

static void reply_free(struct tl_control_reply *reply)
{
	if (reply->peer)
		reply->peer->replies = g_list_remove(reply->peer->replies, reply);
	g_free(reply->method);
	g_free(reply);
}

void tl_control_reply_result(struct tl_control_reply *reply, JsonNode *result)
{
	struct tl_control_peer *peer = reply->peer;
	g_autoptr(JsonNode) body = result;
	g_autoptr(GError) error = NULL;
	if (peer && peer->server->check_sent && !tl_schema_check_result(peer->server->schema, reply->method, body, &error))
		g_warning("result of %s breaks the schema: %s", reply->method, error->message);
	if (peer)
		send_message(peer, &(struct tl_message){ .kind = TL_MESSAGE_RESULT, .id = reply->id, .body = body });
	reply_free(reply);
}

void tl_control_reply_error(struct tl_control_reply *reply, const GError *error)
{
	if (reply->peer)
		send_failure(reply->peer, reply->id, error);
	reply_free(reply);
}

/* The time it takes tells nothing of where a wrong token differs. */
static bool same_token(const char *a, const char *b)
{
	g_autofree char *x = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)"token", 5, a, -1);
	g_autofree char *y = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)"token", 5, b, -1);
	unsigned char difference = 0;
	for (unsigned i = 0; x[i] && y[i]; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

const struct tl_control_token *tl_server_find_token(const struct tl_control_server *server, const char *secret)
{
	const struct tl_control_token *found = NULL;
	for (unsigned i = 0; i < server->n_tokens; i++)
		if (same_token(server->tokens[i].token, secret))
			found = &server->tokens[i];
	return found;
}

static JsonNode *open_session(struct tl_control_peer *peer, JsonObject *params, GError **error)
{
	struct tl_control_server *server = peer->server;
	const struct tl_control_token *token = tl_server_find_token(server, json_object_get_string_member(params, "token"));
	gint64 epoch = json_object_get_int_member_with_default(params, "epoch", 0);
	if (!token) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "token is not known here");
		return NULL;
	}
	if (json_object_has_member(params, "after_event") &&
	    !tl_server_has_since(server, json_object_get_int_member(params, "after_event"))) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_TOO_FAR_BEHIND,
			    "the events asked for are no longer kept; take a snapshot");
		return NULL;
	}
	peer->token = token;
	JsonNode *member = server->handler.on_open(peer, epoch, error, server->user);
	if (!member)
		peer->token = NULL;
	return member;
}

static void on_session_open(struct tl_control_peer *peer, JsonObject *params, struct tl_control_reply *reply)
{
	g_autoptr(GError) error = NULL;
	JsonNode *member = open_session(peer, params, &error);
	if (!member) {
		tl_control_reply_error(reply, error);
		return;
	}
	tl_timer_stop(peer->open_timer);
	JsonObject *result = json_object_new();
	json_object_set_string_member(result, "role", tl_role_name(peer->token->role));
	json_object_set_member(result, peer->server->schema == tl_schema_get("node") ? "node" : "desk", member);
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, result);
	tl_control_reply_result(reply, node);
	if (json_object_has_member(params, "after_event"))
		tl_server_replay(peer->server, peer, json_object_get_int_member(params, "after_event"));
}

/* An application may do all an operator's observing, a conductor everything. */
static bool may_call(enum tl_control_role has, enum tl_control_role needs)
{
	if (needs == TL_ROLE_OPERATOR)
		return has == TL_ROLE_OPERATOR || has == TL_ROLE_CONDUCTOR;
	if (needs == TL_ROLE_APPLICATION)
		return has >= TL_ROLE_OPERATOR; /* operators place and hang up calls */
	return has >= needs;
}

static bool admit(struct tl_control_peer *peer, const struct tl_message *message, GError **error)
{
	enum tl_control_role needs;
	if (message->kind != TL_MESSAGE_REQUEST) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_REQUEST, "expected a request with an id");
		return false;
	}
	if (!tl_schema_role(peer->server->schema, message->method, &needs)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NO_METHOD, "method \"%.64s\" is not in the protocol",
			    message->method);
		return false;
	}
	if (!peer->token != (needs == TL_ROLE_NONE)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_REQUEST,
			    peer->token ? "the session is open already" : "expected session.open first");
		return false;
	}
	if (!may_call(tl_control_peer_role(peer), needs)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "%s needs the role %s; this token is %s",
			    message->method, tl_role_name(needs), tl_role_name(peer->token->role));
		return false;
	}
	return tl_schema_check_params(peer->server->schema, message->method, message->body, error);
}

static void on_request(struct tl_control_peer *peer, const struct tl_message *message)
{
	g_autoptr(GError) error = NULL;
	if (!admit(peer, message, &error)) {
		send_failure(peer, message->id, error);
		return;
	}
	g_autoptr(JsonObject) none = json_object_new();
	JsonObject *params = message->body ? json_node_get_object(message->body) : none;
	struct tl_control_reply *reply = reply_new(peer, message);
	if (!peer->token)
		on_session_open(peer, params, reply);
	else
		peer->server->handler.on_request(peer, message->method, params, reply, peer->server->user);
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *octets, gpointer user)
{
	struct tl_control_peer *peer = user;
	struct tl_message message;
	g_autoptr(GError) error = NULL;
	gsize n;
	const char *text = g_bytes_get_data(octets, &n);
	(void)socket, (void)type;
	if (peer->cut_off)
		return;
	if (!tl_message_parse(text ? text : "", n, &message, &error)) {
		send_failure(peer, 0, error);
		return;
	}
	on_request(peer, &message);
	tl_message_clear(&message);
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user)
{
	(void)socket;
	tl_server_peer_free(user);
}

static void on_open_timeout(void *user)
{
	tl_control_peer_close(user, "session.open did not come in time");
}

static GSocket *wire_of(SoupWebsocketConnection *socket)
{
	g_autoptr(GIOStream) base = NULL;
	GIOStream *stream = soup_websocket_connection_get_io_stream(socket);
	if (!G_IS_SOCKET_CONNECTION(stream) && g_object_class_find_property(G_OBJECT_GET_CLASS(stream), "base-iostream"))
		g_object_get(stream, "base-iostream", &base, NULL);
	if (base)
		stream = base;
	return G_IS_SOCKET_CONNECTION(stream) ? g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)) : NULL;
}

struct tl_control_peer *tl_server_peer_new(struct tl_control_server *server, SoupWebsocketConnection *socket)
{
	struct tl_control_peer *peer = g_new0(struct tl_control_peer, 1);
	peer->server = server;
	peer->socket = g_object_ref(socket);
	peer->wire = wire_of(socket);
	peer->open_timer = tl_timer_new("session-open", on_open_timeout, peer);
	tl_timer_start(peer->open_timer, OPEN_WITHIN_MS);
	soup_websocket_connection_set_max_incoming_payload_size(socket, 1 << 20);
	g_signal_connect(socket, "message", G_CALLBACK(on_message), peer);
	g_signal_connect(socket, "closed", G_CALLBACK(on_closed), peer);
	return peer;
}

void tl_server_peer_free(struct tl_control_peer *peer)
{
	struct tl_control_server *server = peer->server;
	server->peers = g_list_remove(server->peers, peer);
	if (peer->token && server->handler.on_close)
		server->handler.on_close(peer, server->user);
	for (GList *l = peer->replies; l; l = l->next)
		((struct tl_control_reply *)l->data)->peer = NULL;
	g_list_free(peer->replies);
	g_signal_handlers_disconnect_by_data(peer->socket, peer);
	tl_timer_free(peer->open_timer);
	g_object_unref(peer->socket);
	g_free(peer);
}
