/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Pages that look on: first all there is, then each change; one that reads too slowly is cut off. */
#include "web/inside.h"

#include <string.h>

#define TL_ROOM "web"
#include "base/log.h"

#define VIEWERS_MAX 256
#define BACKLOG_MAX_OCTETS (4 << 20)

struct viewer {
	struct tl_web *web;
	SoupWebsocketConnection *socket;
	GSocket *wire;  /* borrowed from the stream */
	gsize backlog;  /* octets sent since the wire last took some */
};

static void viewer_free(struct viewer *viewer)
{
	viewer->web->viewers = g_list_remove(viewer->web->viewers, viewer);
	g_signal_handlers_disconnect_by_data(viewer->socket, viewer);
	g_object_unref(viewer->socket);
	g_free(viewer);
}

static void on_closed(SoupWebsocketConnection *socket, gpointer user)
{
	(void)socket;
	viewer_free(user);
}

static void send(struct viewer *viewer, const char *text)
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

void viewers_add(struct tl_web *web, SoupWebsocketConnection *socket)
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
	soup_websocket_connection_set_max_incoming_payload_size(socket, 1024); /* pages have nothing to say */
	g_signal_connect(socket, "closed", G_CALLBACK(on_closed), viewer);
	JsonObject *live = view_live(web);
	json_object_set_string_member(live, "event", "snapshot");
	g_autofree char *text = view_text(live);
	send(viewer, text);
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
		send(l->data, text);
	}
}

void viewers_free(struct tl_web *web)
{
	while (web->viewers)
		viewer_free(web->viewers->data);
}
