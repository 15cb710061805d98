/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Pages that look on: first all there is, then each change; one that reads too slowly is cut off. Agents' pages also ask. */
#include "web/inside.h"

#include <string.h>

#define TL_ROOM "web"
#include "base/log.h"

#define VIEWERS_MAX 256
#define BACKLOG_MAX_OCTETS (4 << 20)
#define REQUEST_MAX_OCTETS (96 << 10) /* an offer has 64 KiB at most */

static void viewer_free(struct viewer *viewer)
{
	viewer->web->viewers = g_list_remove(viewer->web->viewers, viewer);
	g_signal_handlers_disconnect_by_data(viewer->socket, viewer);
	g_object_unref(viewer->socket);
	g_free(viewer->agent);
	g_free(viewer);
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user)
{
	(void)socket;
	viewer_free(user);
}

void viewer_send(struct viewer *viewer, const char *text)
{
	if (soup_websocket_connection_get_state(viewer->socket) != SOUP_WEBSOCKET_STATE_OPEN)
		return;
	/* libsoup queues without a bound: while the wire takes nothing, all of it waits. */
	if (!viewer->wire || g_socket_condition_check(viewer->wire, G_IO_OUT))
		viewer->backlog = 0;
	viewer->backlog += strlen(text);
	if (viewer->backlog <= BACKLOG_MAX_OCTETS) {
		soup_websocket_connection_send_text(viewer->socket, text);
		return;
	}
	tl_notice("a page reads too slowly: cut off with %zu octets waiting", viewer->backlog);
	g_socket_shutdown(viewer->wire, TRUE, TRUE, NULL);
}

static GSocket *wire_of(SoupWebsocketConnection *socket)
{
	GIOStream *stream = soup_websocket_connection_get_io_stream(socket);
	g_autoptr(GIOStream) base = NULL;
	if (!G_IS_SOCKET_CONNECTION(stream) && g_object_class_find_property(G_OBJECT_GET_CLASS(stream), "base-iostream"))
		g_object_get(stream, "base-iostream", &base, NULL);
	if (base)
		stream = base;
	return G_IS_SOCKET_CONNECTION(stream) ? g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)) : NULL;
}

static void on_message(SoupWebsocketConnection *socket, SoupWebsocketDataType type, GBytes *message, gpointer user)
{
	gsize length;
	const char *text = g_bytes_get_data(message, &length);
	(void)socket;
	if (type == SOUP_WEBSOCKET_DATA_TEXT)
		agents_request(user, text, length);
}

void viewers_add(struct tl_web *web, SoupWebsocketConnection *socket, const char *agent)
{
	if (g_list_length(web->viewers) >= VIEWERS_MAX) {
		soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "too many pages look on");
		return;
	}
	struct viewer *viewer = g_new0(struct viewer, 1);
	viewer->web = web;
	viewer->socket = g_object_ref(socket);
	viewer->wire = wire_of(socket);
	web->viewers = g_list_prepend(web->viewers, viewer);
	viewer->agent = g_strdup(agent);
	/* Who has not logged in has nothing to say. */
	soup_websocket_connection_set_max_incoming_payload_size(socket, agent ? REQUEST_MAX_OCTETS : 1024);
	g_signal_connect(socket, "closed", G_CALLBACK(on_closed), viewer);
	if (agent)
		g_signal_connect(socket, "message", G_CALLBACK(on_message), viewer);
	JsonObject *live = view_live(web);
	json_object_set_string_member(live, "event", "snapshot");
	if (agent)
		json_object_set_string_member(live, "me", agent);
	g_autofree char *text = view_text(live);
	viewer_send(viewer, text);
}

struct viewer *viewers_find(struct tl_web *web, const SoupWebsocketConnection *socket)
{
	for (GList *l = web->viewers; l; l = l->next)
		if (((struct viewer *)l->data)->socket == socket)
			return l->data;
	return NULL;
}

void viewer_tell(struct viewer *viewer, const char *event)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "event", event);
	json_object_set_int_member(object, "utc_us", tl_clock_utc_us());
	g_autofree char *text = view_text(object);
	viewer_send(viewer, text);
}

void viewers_tell(struct tl_web *web, const char *event, const char *member, JsonObject *value)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "event", event);
	json_object_set_int_member(object, "utc_us", tl_clock_utc_us());
	json_object_set_object_member(object, member, value);
	g_autofree char *text = view_text(object);
	for (GList *l = web->viewers, *next; l; l = next) {
		next = l->next;
		viewer_send(l->data, text);
	}
}

void viewers_free(struct tl_web *web)
{
	while (web->viewers)
		viewer_free(web->viewers->data);
}
