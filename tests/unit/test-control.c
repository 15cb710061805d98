/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A real server and real clients over a UNIX socket, in one main loop. */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/control.h"

struct fixture {
	char *directory, *path, *address;
	struct tl_control_server *server;
	struct tl_control_reply *held; /* a reply the test gives later */
	unsigned sessions, server_closed, opened, closed, events, resumed;
	gint64 last_event;
	GError *error;      /* of the last call */
	JsonObject *result;
	bool done;
};

static JsonNode *node_member(void)
{
	g_autoptr(GError) error = NULL;
	JsonNode *node = json_from_string("{\"node\":\"n\",\"boot\":\"b\",\"version\":\"v\",\"epoch\":3,\"event\":0,"
					  "\"journal_first\":0,\"journal_last\":0}", &error);
	g_assert_no_error(error);
	return node;
}

static struct fixture *current;

static JsonNode *on_open(struct tl_control_peer *peer, gint64 epoch, GError **error, void *user)
{
	struct fixture *f = user;
	if (tl_control_peer_role(peer) == TL_ROLE_CONDUCTOR && epoch < 3) {
		tl_control_refuse_epoch(error, 3, "epoch 3 commands");
		return NULL;
	}
	f->sessions++;
	JsonNode *node = node_member();
	json_object_set_int_member(json_node_get_object(node), "event", tl_control_server_last_event(f->server));
	return node;
}

static void on_request(struct tl_control_peer *peer, const char *method, JsonObject *params,
		       struct tl_control_reply *reply, void *user)
{
	struct fixture *f = user;
	(void)peer, (void)params;
	if (!g_strcmp0(method, "leg.answer")) {
		f->held = reply;
		return;
	}
	JsonObject *result = json_object_new();
	json_object_set_int_member(result, "legs", 7);
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, result);
	tl_control_reply_result(reply, !g_strcmp0(method, "node.drain") ? node : NULL);
	if (g_strcmp0(method, "node.drain"))
		json_node_unref(node);
}

static void client_opened(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	struct fixture *f = user;
	(void)client, (void)result;
	f->opened++;
	f->resumed += resumed;
}

static void client_closed(struct tl_control_client *client, const GError *why, void *user)
{
	struct fixture *f = user;
	(void)client;
	f->closed++;
	g_clear_error(&f->error);
	f->error = g_error_copy(why);
}

static void client_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	struct fixture *f = user;
	(void)client, (void)name;
	f->events++;
	f->last_event = json_object_get_int_member(params, "event");
}

static const struct tl_control_client_handler client_handler = { client_opened, client_closed, client_event };

static void until(const unsigned *value, unsigned wanted)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	while (*value < wanted && g_get_monotonic_time() < end)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(*value, ==, wanted);
}

static gboolean tick(gpointer user)
{
	(void)user;
	return G_SOURCE_CONTINUE;
}

static void server_closed(struct tl_control_peer *peer, void *user)
{
	(void)peer, (void)user;
	current->server_closed++;
}

static void serve(struct fixture *f)
{
	static const struct tl_control_token tokens[] = {
		{ "see", TL_ROLE_OBSERVER, "watcher" }, { "op", TL_ROLE_OPERATOR, "operator" },
		{ "lead", TL_ROLE_CONDUCTOR, "desk" }, { "app", TL_ROLE_APPLICATION, "application" },
	};
	struct tl_control_server_config config = { .schema = "node", .socket_path = f->path, .tokens = tokens,
		.n_tokens = G_N_ELEMENTS(tokens), .events_kept = 4, .backlog_max_octets = 1 << 20 };
	static const struct tl_control_handler handler = { on_open, server_closed, on_request };
	g_autoptr(GError) error = NULL;
	f->server = tl_control_server_new(&config, &handler, f, &error);
	g_assert_no_error(error);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	(void)data;
	current = f;
	f->directory = g_dir_make_tmp("tl-control-XXXXXX", NULL);
	f->path = g_build_filename(f->directory, "sock", NULL);
	f->address = g_strdup_printf("unix:%s", f->path);
	serve(f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	(void)data;
	tl_control_server_free(f->server);
	g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
	g_rmdir(f->directory);
	g_free(f->directory);
	g_free(f->path);
	g_free(f->address);
	g_clear_error(&f->error);
	g_clear_pointer(&f->result, json_object_unref);
}

static struct tl_control_client *client_new(struct fixture *f, const char *token, gint64 epoch, bool reconnect)
{
	struct tl_control_client_config config = { .schema = "node", .address = f->address, .token = token,
		.epoch = epoch, .reconnect = reconnect, .check = true };
	return tl_control_client_new(&config, &client_handler, f);
}

static void on_done(JsonObject *result, const GError *error, void *user)
{
	struct fixture *f = user;
	g_clear_error(&f->error);
	g_clear_pointer(&f->result, json_object_unref);
	f->error = error ? g_error_copy(error) : NULL;
	f->result = result ? json_object_ref(result) : NULL;
	f->done = true;
}

static void call(struct fixture *f, struct tl_control_client *client, const char *method, const char *params)
{
	g_autoptr(JsonNode) node = json_from_string(params, NULL);
	f->done = false;
	tl_control_client_call(client, method, json_object_ref(json_node_get_object(node)), on_done, f);
	while (!f->done && !f->held)
		g_main_context_iteration(NULL, TRUE);
}

static void test_session(struct fixture *f, gconstpointer data)
{
	(void)data;
	struct tl_control_client *client = client_new(f, "op", 0, false);
	until(&f->opened, 1);
	call(f, client, "node.drain", "{\"span\":\"e1\",\"slot\":3}");
	g_assert_no_error(f->error);
	g_assert_cmpint(json_object_get_int_member(f->result, "legs"), ==, 7);
	call(f, client, "node.drain", "{\"slot\":99}");
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS);
	g_assert_cmpstr(f->error->message, ==, "params.slot: expected a whole number from 1 to 31");
	call(f, client, "node.drain", "{\"spam\":1}");
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS);
	call(f, client, "node.nonsense", "{}");
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_NO_METHOD);
	call(f, client, "session.open", "{\"token\":\"op\"}");
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_REQUEST);
	call(f, client, "journal.stored", "{\"sequence\":1}");
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED);
	tl_control_client_free(client);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
	(void)data;
	struct tl_control_client *client = client_new(f, "wrong", 0, false);
	until(&f->closed, 1);
	g_assert_nonnull(strstr(f->error->message, "token is not known"));
	tl_control_client_free(client);
	client = client_new(f, "lead", 2, false);
	until(&f->closed, 2);
	g_assert_nonnull(strstr(f->error->message, "epoch 3 commands"));
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_STALE_EPOCH);
	g_assert_cmpint(tl_control_error_epoch(f->error), ==, 3);
	tl_control_client_free(client);
	g_assert_cmpuint(f->opened, ==, 0);
}

static void send_event(struct fixture *f)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", "l1");
	json_object_set_string_member(params, "digit", "5");
	tl_control_server_event(f->server, "leg.digit", params, NULL, NULL);
}

static void test_resume(struct fixture *f, gconstpointer data)
{
	(void)data;
	struct tl_control_client *client = client_new(f, "see", 0, true);
	until(&f->opened, 1);
	send_event(f);
	until(&f->events, 1);
	/* The server is restarted: what was seen is of another life, so the client starts anew. */
	tl_control_server_free(f->server);
	until(&f->closed, 1);
	serve(f);
	until(&f->opened, 2);
	g_assert_cmpuint(f->resumed, ==, 0);
	send_event(f);
	until(&f->events, 2);
	g_assert_cmpint(f->last_event, ==, tl_control_server_last_event(f->server));
	tl_control_client_free(client);
}

/* Opens a session by hand, octet by octet, so that nothing reads behind the test's back. */
static GSocketConnection *raw_session(struct fixture *f)
{
	static const char hello[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
				    "Sec-WebSocket-Protocol: trunkline.node.1\r\n\r\n";
	static const char open[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.open\",\"params\":{\"token\":\"see\"}}";
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(f->path);
	g_autoptr(GError) error = NULL;
	GSocketConnection *raw = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &error);
	g_assert_no_error(error);
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(raw));
	g_assert_true(g_output_stream_write_all(out, hello, strlen(hello), NULL, NULL, NULL));
	/* One masked text frame with a mask of zeros (RFC 6455 5.2). */
	unsigned char frame[6] = { 0x81, 0x80 | strlen(open) };
	g_assert_cmpuint(strlen(open), <, 126);
	g_assert_true(g_output_stream_write_all(out, frame, sizeof frame, NULL, NULL, NULL));
	g_assert_true(g_output_stream_write_all(out, open, strlen(open), NULL, NULL, NULL));
	return raw;
}

static void test_slow_reader(struct fixture *f, gconstpointer data)
{
	(void)data;
	g_autoptr(GSocketConnection) raw = raw_session(f);
	until(&f->sessions, 1);
	unsigned sent = 0;
	for (; !f->server_closed && sent < 200000; sent++) {
		send_event(f);
		if (sent % 64 == 0)
			g_main_context_iteration(NULL, FALSE);
	}
	until(&f->server_closed, 1);
	g_assert_cmpuint(sent, >, 1000); /* the kernel and a megabyte of backlog come first */
}

static void test_late_reply(struct fixture *f, gconstpointer data)
{
	(void)data;
	struct tl_control_client *client = client_new(f, "app", 0, false);
	until(&f->opened, 1);
	call(f, client, "leg.answer", "{\"leg\":\"l1\"}");
	g_assert_nonnull(f->held);
	tl_control_client_free(client); /* the pending call ends, exactly once */
	g_assert_error(f->error, TL_CONTROL_ERROR, TL_CONTROL_CLOSED);
	guint id = g_timeout_add(10, tick, NULL);
	for (unsigned i = 0; i < 5; i++)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(id);
	tl_control_reply_result(f->held, NULL); /* nobody is there any more */
}

static void test_messages(void)
{
	static const struct { const char *text; int code; } bad[] = {
		{ "", TL_CONTROL_PARSE }, { "{", TL_CONTROL_PARSE }, { "[]", TL_CONTROL_INVALID_REQUEST },
		{ "{}", TL_CONTROL_INVALID_REQUEST }, { "{\"jsonrpc\":2}", TL_CONTROL_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":-4,\"method\":\"x\"}", TL_CONTROL_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"4\",\"method\":\"x\"}", TL_CONTROL_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":{}}", TL_CONTROL_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"x\",\"params\":[]}", TL_CONTROL_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":1,\"error\":{}}", TL_CONTROL_INVALID_REQUEST },
		{ "\xff\xfe", TL_CONTROL_PARSE }, { "1", TL_CONTROL_PARSE }, { "{}{}", TL_CONTROL_PARSE }, { "{} 1", TL_CONTROL_PARSE },
		{ "{]", TL_CONTROL_PARSE }, { "{\"a\":\"\\\"}\"", TL_CONTROL_PARSE }, { "}{", TL_CONTROL_PARSE },
		{ "{/*{*/}{\"a\":1}}", TL_CONTROL_PARSE }, { "{\"a\":1 /* one */}", TL_CONTROL_PARSE },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct tl_message message;
		g_autoptr(GError) error = NULL;
		g_assert_false(tl_message_parse(bad[i].text, -1, &message, &error));
		g_assert_error(error, TL_CONTROL_ERROR, bad[i].code);
	}
	g_autofree char *deep = g_strnfill(100000, '[');
	struct tl_message message;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) good = tl_json_parse(" {\"a\": \"\\\"}]/\\\\\", \"b\": [[]]} \n", -1, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(json_object_get_string_member(json_node_get_object(good), "a"), ==, "\"}]/\\");
	g_assert_false(tl_message_parse(deep, -1, &message, &error));
	g_assert_error(error, TL_CONTROL_ERROR, TL_CONTROL_PARSE);
}

int main(int argc, char **argv)
{
	g_setenv("TL_CHECK_SCHEMA", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add("/control/session", struct fixture, NULL, set_up, test_session, tear_down);
	g_test_add("/control/refused", struct fixture, NULL, set_up, test_refused, tear_down);
	g_test_add("/control/resume", struct fixture, NULL, set_up, test_resume, tear_down);
	g_test_add("/control/late-reply", struct fixture, NULL, set_up, test_late_reply, tear_down);
	g_test_add("/control/slow-reader", struct fixture, NULL, set_up, test_slow_reader, tear_down);
	g_test_add_func("/control/messages", test_messages);
	return g_test_run();
}
