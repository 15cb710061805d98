/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The calling end: one session that comes back by itself and goes on after the last event seen. */
#include "control/control.h"

#include <gio/gunixsocketaddress.h>
#include <libsoup/soup.h>
#include <string.h>

#include "base/clock.h"

#define TL_ROOM "control"
#include "base/log.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000

struct pending {
	tl_control_done on_done;
	void *user;
	char *method;
};

struct tl_control_client {
	const struct tl_schema *schema;
	char *schema_name, *address, *token, *name;
	gint64 epoch, last_event;
	bool reconnect, check, open;
	struct tl_control_client_handler handler;
	void *user;
	SoupSession *session;
	SoupWebsocketConnection *socket;
	GCancellable *connecting;
	struct tl_timer *retry;
	unsigned retry_ms;
	gint64 last_id;
	GHashTable *pending; /* id -> struct pending */
};

static void pending_free(void *data)
{
	struct pending *pending = data;
	g_free(pending->method);
	g_free(pending);
}

static void connect_now(void *user);

/* Ends every call under way; a callback may make new calls, which end as well. */
static void fail_pending(struct tl_control_client *client, const GError *why)
{
	g_autoptr(GHashTable) all = client->pending;
	client->pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_free);
	GHashTableIter iter;
	struct pending *pending;
	g_hash_table_iter_init(&iter, all);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&pending))
		if (pending->on_done)
			pending->on_done(NULL, why, pending->user);
}

static void drop_socket(struct tl_control_client *client)
{
	if (!client->socket)
		return;
	g_signal_handlers_disconnect_by_data(client->socket, client);
	if (soup_websocket_connection_get_state(client->socket) == SOUP_WEBSOCKET_STATE_OPEN)
		soup_websocket_connection_close(client->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
	g_clear_object(&client->socket);
}

/* @what: (transfer full) */
static void lost(struct tl_control_client *client, GError *what)
{
	g_autoptr(GError) why = what;
	g_prefix_error(&why, "%s: ", client->address);
	drop_socket(client);
	client->open = false;
	if (client->reconnect) {
		tl_timer_start(client->retry, client->retry_ms);
		client->retry_ms = MIN(client->retry_ms * 2, RETRY_MAX_MS);
	}
	fail_pending(client, why);
	if (client->handler.on_close)
		client->handler.on_close(client, why, client->user);
}

static void call(struct tl_control_client *client, const char *method, JsonObject *params, tl_control_done on_done,
		 void *user)
{
	struct pending *pending = g_new0(struct pending, 1);
	pending->on_done = on_done;
	pending->user = user;
	pending->method = g_strdup(method);
	gint64 *id = g_new(gint64, 1);
	*id = ++client->last_id;
	g_hash_table_insert(client->pending, id, pending);
	g_autoptr(JsonNode) body = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(body, params ? params : json_object_new());
	struct tl_message message = { .kind = TL_MESSAGE_REQUEST, .id = *id, .method = (char *)method, .body = body };
	g_autofree char *text = tl_message_format(&message);
	/* While it closes, the call waits for its end like those before it. */
	if (soup_websocket_connection_get_state(client->socket) == SOUP_WEBSOCKET_STATE_OPEN)
		soup_websocket_connection_send_text(client->socket, text);
}

static void open_session(struct tl_control_client *client, bool resume);

static void on_opened(JsonObject *result, const GError *error, void *user)
{
	struct tl_control_client *client = user;
	bool resumed = client->last_event != 0;
	if (!client->socket)
		return;
	if (error && error->code == TL_CONTROL_TOO_FAR_BEHIND) {
		client->last_event = 0;
		open_session(client, false);
		return;
	}
	if (error) {
		lost(client, g_error_copy(error));
		return;
	}
	client->open = true;
	client->retry_ms = RETRY_MIN_MS;
	if (!resumed) {
		const char *self = json_object_has_member(result, "node") ? "node" : "desk";
		client->last_event = json_object_get_int_member(json_object_get_object_member(result, self), "event");
	}
	if (client->handler.on_open)
		client->handler.on_open(client, result, resumed, client->user);
}

static void open_session(struct tl_control_client *client, bool resume)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "token", client->token);
	if (client->name)
		json_object_set_string_member(params, "name", client->name);
	if (client->epoch)
		json_object_set_int_member(params, "epoch", client->epoch);
	if (resume && client->last_event)
		json_object_set_int_member(params, "after_event", client->last_event);
	call(client, "session.open", params, on_opened, client);
}

static void check_received(struct tl_control_client *client, bool good, const char *what, const GError *error)
{
	if (!good)
		tl_error("%s: %s breaks the schema: %s", client->address, what, error->message);
	g_assert(good);
}

static void on_event(struct tl_control_client *client, const struct tl_message *message)
{
	g_autoptr(GError) error = NULL;
	if (client->check)
		check_received(client, tl_schema_check_event(client->schema, message->method, message->body, &error),
			       message->method, error);
	if (!message->body)
		return;
	JsonObject *params = json_node_get_object(message->body);
	gint64 number = json_object_get_int_member_with_default(params, "event", 0);
	if (number)
		client->last_event = number;
	if (client->handler.on_event)
		client->handler.on_event(client, message->method, params, client->user);
}

static void on_answer(struct tl_control_client *client, const struct tl_message *message)
{
	g_autoptr(GError) error = NULL;
	struct pending *pending;
	g_autofree gint64 *key = NULL;
	if (!g_hash_table_steal_extended(client->pending, &message->id, (void **)&key, (void **)&pending))
		return;
	JsonObject *result = NULL;
	if (message->kind == TL_MESSAGE_FAILURE) {
		error = tl_control_error_parse(json_node_get_object(message->body));
	} else {
		if (client->check)
			check_received(client, tl_schema_check_result(client->schema, pending->method, message->body, &error),
				       pending->method, error);
		if (JSON_NODE_HOLDS_OBJECT(message->body))
			result = json_node_get_object(message->body);
	}
	if (pending->on_done)
		pending->on_done(result, error, pending->user);
	pending_free(pending);
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *octets, gpointer user)
{
	struct tl_control_client *client = user;
	struct tl_message message;
	g_autoptr(GError) error = NULL;
	gsize n;
	const char *text = g_bytes_get_data(octets, &n);
	(void)socket, (void)type;
	if (!tl_message_parse(text ? text : "", n, &message, &error)) {
		tl_warning("%s: %s", client->address, error->message);
		return;
	}
	if (message.kind == TL_MESSAGE_EVENT)
		on_event(client, &message);
	else if (message.kind != TL_MESSAGE_REQUEST)
		on_answer(client, &message);
	tl_message_clear(&message);
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user)
{
	const char *why = soup_websocket_connection_get_close_data(socket);
	lost(user, g_error_new_literal(TL_CONTROL_ERROR, TL_CONTROL_CLOSED, why && *why ? why : "connection closed"));
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	SoupWebsocketConnection *socket = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &error);
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return; /* the client is gone */
	struct tl_control_client *client = user;
	g_clear_object(&client->connecting);
	if (!socket) {
		lost(client, g_error_new_literal(TL_CONTROL_ERROR, TL_CONTROL_CONNECT, error->message));
		return;
	}
	client->socket = socket;
	soup_websocket_connection_set_max_incoming_payload_size(socket, 64 << 20); /* snapshots */
	g_signal_connect(socket, "message", G_CALLBACK(on_message), client);
	g_signal_connect(socket, "closed", G_CALLBACK(on_closed), client);
	open_session(client, true);
}

static void connect_now(void *user)
{
	struct tl_control_client *client = user;
	bool local = g_str_has_prefix(client->address, "unix:");
	g_autofree char *protocol = g_strdup_printf("trunkline.%s.1", client->schema_name);
	char *protocols[] = { protocol, NULL };
	g_autoptr(SoupMessage) message = soup_message_new("GET", local ? "ws://localhost/" : client->address);
	if (!message) {
		lost(client, g_error_new_literal(TL_CONTROL_ERROR, TL_CONTROL_CONNECT, "expected unix:PATH or ws://host:port"));
		return;
	}
	client->connecting = g_cancellable_new();
	soup_session_websocket_connect_async(client->session, message, NULL, protocols, G_PRIORITY_DEFAULT,
					     client->connecting, on_connected, client);
}

struct tl_control_client *tl_control_client_new(const struct tl_control_client_config *config,
						const struct tl_control_client_handler *handler, void *user)
{
	struct tl_control_client *client = g_new0(struct tl_control_client, 1);
	client->schema = tl_schema_get(config->schema);
	client->schema_name = g_strdup(config->schema);
	client->address = g_strdup(config->address);
	client->token = g_strdup(config->token);
	client->name = g_strdup(config->name);
	client->epoch = config->epoch;
	client->reconnect = config->reconnect;
	client->check = config->check;
	client->handler = *handler;
	client->user = user;
	client->retry_ms = RETRY_MIN_MS;
	client->pending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_free);
	client->retry = tl_timer_new("reconnect", connect_now, client);
	if (g_str_has_prefix(client->address, "unix:")) {
		g_autoptr(GSocketAddress) address = g_unix_socket_address_new(client->address + strlen("unix:"));
		client->session = soup_session_new_with_options("remote-connectable", address, NULL);
	} else {
		client->session = soup_session_new();
	}
	soup_session_remove_feature_by_type(client->session, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
	tl_timer_start(client->retry, 0); /* from the loop: never a callback before the caller has our pointer */
	return client;
}

void tl_control_client_free(struct tl_control_client *client)
{
	if (!client)
		return;
	g_autoptr(GError) why = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_CLOSED, "%s: closed here", client->address);
	client->open = false;
	if (client->connecting)
		g_cancellable_cancel(client->connecting);
	g_clear_object(&client->connecting);
	drop_socket(client);
	fail_pending(client, why);
	tl_timer_free(client->retry);
	g_object_unref(client->session);
	g_hash_table_unref(client->pending);
	g_free(client->schema_name);
	g_free(client->address);
	g_free(client->token);
	g_free(client->name);
	g_free(client);
}

void tl_control_client_set_epoch(struct tl_control_client *client, gint64 epoch)
{
	client->epoch = epoch;
}

bool tl_control_client_is_open(const struct tl_control_client *client)
{
	return client->open;
}

void tl_control_client_call(struct tl_control_client *client, const char *method, JsonObject *params,
			    tl_control_done on_done, void *user)
{
	if (client->open) {
		call(client, method, params, on_done, user);
		return;
	}
	g_autoptr(GError) why = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_CLOSED, "%s: not connected", client->address);
	if (params)
		json_object_unref(params);
	if (on_done)
		on_done(NULL, why, user);
}
