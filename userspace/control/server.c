/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Listening, and events: numbered once, kept for those who come back, sent to those who want them. */
#include "control/server.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

#define TL_ROOM "control"
#include "base/log.h"

#define LISTEN_BACKLOG 128
#define EVENTS_KEPT 4096
#define BACKLOG_OCTETS (8 << 20)

/* As text only: its tree takes ten times the room, and is needed again only for who comes back. */
struct event {
	gint64 number;
	char *text;
	tl_control_wants wants;
	void *user;
};

static void event_free(void *data)
{
	struct event *event = data;
	g_free(event->text);
	g_free(event);
}

static char *event_text(const char *name, JsonObject *params)
{
	g_autoptr(JsonNode) body = json_node_init_object(json_node_alloc(), params);
	struct tl_message message = { .kind = TL_MESSAGE_EVENT, .method = (char *)name, .body = body };
	return tl_message_format(&message);
}

static void check_event(struct tl_control_server *server, const char *name, JsonObject *params)
{
	if (!server->check_sent)
		return;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) body = json_node_init_object(json_node_alloc(), params);
	if (!tl_schema_check_event(server->schema, name, body, &error))
		g_warning("event %s breaks the schema: %s", name, error->message);
}

gint64 tl_control_server_event(struct tl_control_server *server, const char *name, JsonObject *params,
			       tl_control_wants wants, void *user)
{
	check_event(server, name, params);
	struct event *event = g_new0(struct event, 1);
	event->number = ++server->last_event;
	json_object_set_int_member(params, "event", event->number);
	json_object_set_int_member(params, "utc_us", tl_clock_utc_us());
	event->text = event_text(name, params);
	event->wants = wants;
	event->user = user;
	g_queue_push_tail(&server->events, event);
	if (server->events.length > server->events_kept)
		event_free(g_queue_pop_head(&server->events));
	for (GList *l = server->peers, *next; l; l = next) {
		struct tl_control_peer *peer = l->data;
		next = l->next;
		if (tl_server_peer_is_open(peer) && (!wants || wants(peer, params, user)))
			tl_server_peer_send(peer, event->text);
	}
	json_object_unref(params);
	return server->last_event;
}

bool tl_server_has_since(const struct tl_control_server *server, gint64 after)
{
	return after <= server->last_event && after >= server->last_event - (gint64)server->events.length;
}

static bool is_wanted(const struct event *event, struct tl_control_peer *peer)
{
	struct tl_message message;
	if (!event->wants)
		return true;
	bool parsed = tl_message_parse(event->text, -1, &message, NULL);
	g_assert(parsed); /* we wrote it */
	bool wanted = event->wants(peer, json_node_get_object(message.body), event->user);
	tl_message_clear(&message);
	return wanted;
}

void tl_server_replay(struct tl_control_server *server, struct tl_control_peer *peer, gint64 after)
{
	for (GList *l = server->events.head; l; l = l->next) {
		struct event *event = l->data;
		if (event->number > after && is_wanted(event, peer))
			tl_server_peer_send(peer, event->text);
	}
}

gint64 tl_control_server_last_event(const struct tl_control_server *server)
{
	return server->last_event;
}

void tl_control_peer_event(struct tl_control_peer *peer, const char *name, JsonObject *params)
{
	check_event(tl_server_peer_server(peer), name, params);
	json_object_set_int_member(params, "event", 0);
	json_object_set_int_member(params, "utc_us", tl_clock_utc_us());
	g_autofree char *text = event_text(name, params);
	tl_server_peer_send(peer, text);
	json_object_unref(params);
}

static gboolean accept_stream(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user)
{
	struct tl_control_server *server = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketAddress) local = g_socket_connection_get_local_address(connection, NULL);
	g_autoptr(GSocketAddress) remote = g_socket_connection_get_remote_address(connection, NULL);
	(void)service, (void)source;
	if (!soup_server_accept_iostream(server->soup, G_IO_STREAM(connection), local, remote, &error))
		tl_notice("connection not accepted: %s", error->message);
	return TRUE;
}

static void upgraded(SoupServer *soup, SoupServerMessage *message, const char *path, SoupWebsocketConnection *socket,
		     gpointer user)
{
	struct tl_control_server *server = user;
	(void)soup, (void)message, (void)path;
	server->peers = g_list_prepend(server->peers, tl_server_peer_new(server, socket));
}

static gboolean listen_unix(struct tl_control_server *server, const char *path, GError **error)
{
	struct stat info;
	if (g_lstat(path, &info) == 0 && S_ISSOCK(info.st_mode))
		g_unlink(path); /* the state directory's lock has shown that nobody serves it any more */
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GError) cause = NULL;
	if (!g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address, G_SOCKET_TYPE_STREAM,
					   G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, &cause)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_CONNECT, "cannot listen on %s: %s", path, cause->message);
		return FALSE;
	}
	g_chmod(path, 0660);
	server->socket_path = g_strdup(path);
	return TRUE;
}

static gboolean listen_tcp(struct tl_control_server *server, const char *host, unsigned port, GError **error)
{
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(host, port);
	g_autoptr(GError) cause = NULL;
	if (address && g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address, G_SOCKET_TYPE_STREAM,
						     G_SOCKET_PROTOCOL_TCP, NULL, NULL, &cause))
		return TRUE;
	g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_CONNECT, "cannot listen on %s port %u: %s", host, port,
		    cause ? cause->message : "not a numeric address");
	return FALSE;
}

static void keep_tokens(struct tl_control_server *server, const struct tl_control_server_config *config)
{
	server->tokens = g_new0(struct tl_control_token, config->n_tokens);
	server->n_tokens = config->n_tokens;
	for (unsigned i = 0; i < config->n_tokens; i++)
		server->tokens[i] = (struct tl_control_token){ .token = g_strdup(config->tokens[i].token),
							       .role = config->tokens[i].role,
							       .name = g_strdup(config->tokens[i].name) };
}

static void serve(struct tl_control_server *server, const char *schema)
{
	g_autofree char *protocol = g_strdup_printf("trunkline.%s.1", schema);
	char *protocols[] = { protocol, NULL };
	server->soup = soup_server_new(NULL, NULL);
	/* Compression would cost each connection 93 KB. */
	soup_server_remove_websocket_extension(server->soup, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
	soup_server_add_websocket_handler(server->soup, "/", NULL, protocols, upgraded, server, NULL);
	server->service = g_socket_service_new();
	g_socket_listener_set_backlog(G_SOCKET_LISTENER(server->service), LISTEN_BACKLOG);
	g_signal_connect(server->service, "incoming", G_CALLBACK(accept_stream), server);
}

struct tl_control_server *tl_control_server_new(const struct tl_control_server_config *config,
						const struct tl_control_handler *handler, void *user, GError **error)
{
	struct tl_control_server *server = g_new0(struct tl_control_server, 1);
	server->schema = tl_schema_get(config->schema);
	server->handler = *handler;
	server->user = user;
	server->events_kept = config->events_kept ? config->events_kept : EVENTS_KEPT;
	server->backlog_max = config->backlog_max_octets ? config->backlog_max_octets : BACKLOG_OCTETS;
	server->check_sent = g_getenv("TL_CHECK_SCHEMA") != NULL;
	/* Numbers of an earlier run are below all of ours, so that nobody resumes from them by mistake. */
	server->last_event = tl_clock_utc_us();
	g_queue_init(&server->events);
	keep_tokens(server, config);
	serve(server, config->schema);
	if ((config->socket_path && !listen_unix(server, config->socket_path, error)) ||
	    (config->tcp_host && !listen_tcp(server, config->tcp_host, config->tcp_port, error))) {
		tl_control_server_free(server);
		return NULL;
	}
	return server;
}

void tl_control_server_free(struct tl_control_server *server)
{
	if (!server)
		return;
	g_socket_service_stop(server->service);
	g_socket_listener_close(G_SOCKET_LISTENER(server->service));
	while (server->peers)
		tl_server_peer_free(server->peers->data);
	soup_server_disconnect(server->soup);
	g_object_unref(server->service);
	g_object_unref(server->soup);
	g_queue_clear_full(&server->events, event_free);
	if (server->socket_path)
		g_unlink(server->socket_path);
	g_free(server->socket_path);
	for (unsigned i = 0; i < server->n_tokens; i++) {
		g_free((char *)server->tokens[i].token);
		g_free((char *)server->tokens[i].name);
	}
	g_free(server->tokens);
	g_free(server->blob_directory);
	g_free(server);
}
