/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Orders to a running exchange, one JSON object a line on a UNIX socket:
 *   {"do":"call","script":"...","directory":"/x","count":1,"rate":1}
 *   {"do":"status"}   {"do":"fault","span":"e1","alarms":"red"}
 * Answers are lines too; the last one has "last":true.
 */
#include "exchange.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#define TL_ROOM "exchange"
#include "base/log.h"

#define COUNT_MAX 1000000

struct door {
	struct exchange *exchange;
	GSocketService *service;
	char *path;
};

struct visitor {
	struct door *door;
	GSocketConnection *connection;
	GDataInputStream *in;
	unsigned refs; /* the read under way, and each load under way */
};

static void visitor_unref(struct visitor *visitor)
{
	if (--visitor->refs)
		return;
	g_object_unref(visitor->in);
	g_object_unref(visitor->connection);
	g_free(visitor);
}

static void answer(struct visitor *visitor, JsonObject *object, bool last)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	json_object_set_boolean_member(object, "last", last);
	g_autofree char *text = json_to_string(node, FALSE);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	/* A few hundred octets to a local reader; one that has gone is noticed at its next read. */
	g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(visitor->connection)), line, strlen(line), NULL,
				  NULL, NULL);
}

static void refuse(struct visitor *visitor, const char *why)
{
	g_autoptr(JsonObject) object = json_object_new();
	json_object_set_boolean_member(object, "ok", FALSE);
	json_object_set_string_member(object, "failure", why);
	answer(visitor, object, true);
}

static void on_result(JsonObject *result, void *user)
{
	answer(user, result, false);
}

static void on_load_done(JsonObject *summary, void *user)
{
	answer(user, summary, true);
	visitor_unref(user);
}

static void order_call(struct visitor *visitor, JsonObject *order)
{
	g_autoptr(GError) error = NULL;
	struct script *script = script_parse(json_object_get_string_member_with_default(order, "script", ""), &error);
	gint64 count = json_object_get_int_member_with_default(order, "count", 1);
	double rate = json_object_get_double_member_with_default(order, "rate", 10);
	if (!script || count < 1 || count > COUNT_MAX || rate <= 0) {
		refuse(visitor, error ? error->message : "expected a count from 1 on and a rate above 0");
		script_free(script);
		return;
	}
	visitor->refs++;
	load_start(visitor->door->exchange, script, json_object_get_string_member_with_default(order, "directory", "/"), count,
		   rate, on_result, on_load_done, visitor);
}

static bool alarms_parse(const char *text, unsigned *alarms)
{
	static const struct { const char *name; unsigned bit; } names[] = {
		{ "none", 0 }, { "red", TL_ALARM_RED }, { "blue", TL_ALARM_BLUE }, { "yellow", TL_ALARM_YELLOW } };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(text, names[i].name)) {
			*alarms = names[i].bit;
			return true;
		}
	return false;
}

static void order_fault(struct visitor *visitor, JsonObject *order)
{
	unsigned alarms;
	struct trunk_end *trunk = exchange_trunk(visitor->door->exchange,
						 json_object_get_string_member_with_default(order, "span", ""));
	if (!trunk || !alarms_parse(json_object_get_string_member_with_default(order, "alarms", ""), &alarms)) {
		refuse(visitor, "expected a span and one of none, red, blue, yellow");
		return;
	}
	g_autoptr(JsonObject) good = json_object_new();
	tl_span_inject(trunk->span, alarms);
	json_object_set_boolean_member(good, "ok", TRUE);
	answer(visitor, good, true);
}

static void obey(struct visitor *visitor, const char *line)
{
	g_autoptr(JsonNode) node = json_from_string(line, NULL);
	if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
		refuse(visitor, "expected a JSON object");
		return;
	}
	JsonObject *order = json_node_get_object(node);
	const char *what = json_object_get_string_member_with_default(order, "do", "");
	if (!strcmp(what, "call")) {
		order_call(visitor, order);
	} else if (!strcmp(what, "fault")) {
		order_fault(visitor, order);
	} else if (!strcmp(what, "status")) {
		g_autoptr(JsonObject) status = exchange_status(visitor->door->exchange);
		json_object_set_boolean_member(status, "ok", TRUE);
		answer(visitor, status, true);
	} else {
		refuse(visitor, "expected call, fault or status");
	}
}

static void read_next(struct visitor *visitor);

static void on_line(GObject *source, GAsyncResult *result, gpointer user)
{
	struct visitor *visitor = user;
	g_autofree char *line = g_data_input_stream_read_line_finish_utf8(visitor->in, result, NULL, NULL);
	if (line) {
		obey(visitor, line);
		read_next(visitor);
	}
	visitor_unref(visitor);
}

static void read_next(struct visitor *visitor)
{
	visitor->refs++;
	g_data_input_stream_read_line_async(visitor->in, G_PRIORITY_DEFAULT, NULL, on_line, visitor);
}

static gboolean on_visit(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user)
{
	struct visitor *visitor = g_new0(struct visitor, 1);
	visitor->door = user;
	visitor->refs = 1;
	visitor->connection = g_object_ref(connection);
	visitor->in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	read_next(visitor);
	visitor_unref(visitor);
	return TRUE;
}

struct door *door_new(struct exchange *exchange, const char *path, GError **error)
{
	struct door *door = g_new0(struct door, 1);
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_unlink(path);
	door->exchange = exchange;
	door->path = g_strdup(path);
	door->service = g_socket_service_new();
	g_signal_connect(door->service, "incoming", G_CALLBACK(on_visit), door);
	if (g_socket_listener_add_address(G_SOCKET_LISTENER(door->service), address, G_SOCKET_TYPE_STREAM,
					  G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error))
		return door;
	g_prefix_error(error, "%s: ", path);
	door_free(door);
	return NULL;
}

void door_free(struct door *door)
{
	if (!door)
		return;
	g_socket_service_stop(door->service);
	g_socket_listener_close(G_SOCKET_LISTENER(door->service));
	g_object_unref(door->service);
	g_unlink(door->path);
	g_free(door->path);
	g_free(door);
}

JsonObject *door_ask(const char *path, JsonObject *order, void (*on_progress)(JsonObject *progress), GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocketConnection) connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
	if (!connection) {
		g_prefix_error(error, "no exchange runs at %s: ", path);
		return NULL;
	}
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), order);
	g_autofree char *text = json_to_string(node, FALSE);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), line, strlen(line), NULL, NULL, error);
	g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	for (;;) {
		g_autofree char *reply = g_data_input_stream_read_line_utf8(in, NULL, NULL, error);
		g_autoptr(JsonNode) root = reply ? json_from_string(reply, error) : NULL;
		if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
			if (error && !*error)
				g_set_error(error, EXCHANGE_ERROR, 0, "the exchange at %s went away", path);
			return NULL;
		}
		JsonObject *object = json_node_get_object(root);
		if (json_object_get_boolean_member_with_default(object, "last", FALSE))
			return json_object_ref(object);
		if (on_progress)
			on_progress(object);
	}
}
