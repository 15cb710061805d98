/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The desk's page and API over real HTTP: what is shown, who may do what, what is refused. */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <sodium.h>

#include "../../userspace/deskd/desk.h"
#include "base/thread.h"
#include "control/control.h"
#include "web/inside.h"

struct site {
	char *dir, *config, *base, *socket;
	struct desk *desk;
	SoupSession *session;
};

struct reply {
	unsigned status;
	char *text;
	SoupMessage *message;
	bool done;
};

/* A port that was free just now. */
static unsigned free_port(void)
{
	g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
	g_assert_true(g_socket_bind(socket, any, TRUE, NULL));
	g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, NULL);
	return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
}

static struct reply ask(struct site *site, const char *method, const char *path, const char *header, const char *body);
static void reply_clear(struct reply *reply);

static void wait_for_reign(struct site *site)
{
	for (bool reigns = false; !reigns;) {
		struct reply reply = ask(site, "GET", "/health", NULL, NULL);
		reigns = strstr(reply.text, "\"conductor\":true") != NULL;
		reply_clear(&reply);
	}
}

static struct site *site_new(void)
{
	struct site *site = g_new0(struct site, 1);
	char hash[crypto_pwhash_STRBYTES];
	unsigned port = free_port();
	g_assert_cmpint(crypto_pwhash_str(hash, "sesame", 6, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN), ==, 0);
	site->dir = g_dir_make_tmp("trunkline-web-XXXXXX", NULL);
	site->config = g_build_filename(site->dir, "deskd.conf", NULL);
	site->socket = g_build_filename(site->dir, "desk.sock", NULL);
	site->base = g_strdup_printf("http://127.0.0.1:%u", port);
	g_autofree char *text = g_strdup_printf("[desk]\nstate_dir = %s\n[web]\nlisten = 127.0.0.1:%u\n[queue sales]\n"
						"[control]\nsocket = %s\n[token op]\ntoken = secret\nrole = operator\n"
						"[agent anna]\npassword = %s\nphone = user:anna\nqueues = sales\n"
						"[service 100]\notherwise = queue:sales\n", site->dir, port, site->socket, hash);
	g_assert_true(g_file_set_contents(site->config, text, -1, NULL));
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(site->config, &error);
	g_assert_no_error(error);
	site->desk = desk_start(settings, &error);
	g_assert_no_error(error);
	site->session = soup_session_new();
	wait_for_reign(site);
	return site;
}

static void site_free(struct site *site)
{
	g_object_unref(site->session);
	desk_stop(site->desk);
	GDir *dir = g_dir_open(site->dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(site->dir, name, NULL);
		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(site->dir);
	g_free(site->dir);
	g_free(site->config);
	g_free(site->socket);
	g_free(site->base);
	g_free(site);
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer user)
{
	struct reply *reply = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) octets = soup_session_send_and_read_finish(SOUP_SESSION(source), result, &error);
	g_assert_no_error(error);
	reply->status = soup_message_get_status(reply->message);
	reply->text = g_strndup(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
	reply->done = true;
}

static void reply_clear(struct reply *reply)
{
	g_free(reply->text);
	g_clear_object(&reply->message);
}

/* @header: "Name: value" or NULL; @body: JSON or NULL. */
static struct reply ask(struct site *site, const char *method, const char *path, const char *header, const char *body)
{
	g_autofree char *uri = g_strconcat(site->base, path, NULL);
	struct reply reply = { .message = soup_message_new(method, uri) };
	if (header) {
		g_auto(GStrv) parts = g_strsplit(header, ": ", 2);
		soup_message_headers_replace(soup_message_get_request_headers(reply.message), parts[0], parts[1]);
	}
	if (body) {
		g_autoptr(GBytes) octets = g_bytes_new(body, strlen(body));
		soup_message_set_request_body_from_bytes(reply.message, "application/json", octets);
	}
	soup_session_send_and_read_async(site->session, reply.message, G_PRIORITY_DEFAULT, NULL, on_reply, &reply);
	while (!reply.done)
		g_main_context_iteration(NULL, TRUE);
	return reply;
}

static void expect(struct site *site, const char *method, const char *path, const char *header, const char *body,
		   unsigned status, const char *text)
{
	struct reply reply = ask(site, method, path, header, body);
	g_assert_cmpuint(reply.status, ==, status);
	if (text && !strstr(reply.text, text))
		g_error("%s %s: \"%s\" is not in: %s", method, path, text, reply.text);
	reply_clear(&reply);
}

static void test_look(void)
{
	struct site *site = site_new();
	struct reply reply = ask(site, "GET", "/", NULL, NULL);
	g_assert_cmpuint(reply.status, ==, 200);
	g_assert_nonnull(strstr(reply.text, "<title>Trunkline</title>"));
	const char *policy = soup_message_headers_get_one(soup_message_get_response_headers(reply.message), "Content-Security-Policy");
	g_assert_nonnull(strstr(policy, "script-src 'self'"));
	g_assert_null(strstr(policy, "unsafe"));
	g_assert_null(strstr(reply.text, "<style"));
	reply_clear(&reply);
	expect(site, "GET", "/page.js", NULL, NULL, 200, "WebSocket");
	expect(site, "GET", "/page.css", NULL, NULL, 200, "prefers-color-scheme");
	expect(site, "GET", "/nothing", NULL, NULL, 404, NULL);
	expect(site, "GET", "/api/live", NULL, NULL, 200, "\"agent\":\"anna\"");
	expect(site, "GET", "/api/cdrs?max=5", NULL, NULL, 200, "\"cdrs\":[]");
	expect(site, "GET", "/api/cdrs?max=0", NULL, NULL, 400, "expected max");
	expect(site, "GET", "/health", NULL, NULL, 200, "\"status\":\"ok\"");
	expect(site, "DELETE", "/api/live", NULL, NULL, 405, NULL);
	site_free(site);
}

/* Another site's page, by a name that points here or by its own requests. */
static void test_foreign(void)
{
	struct site *site = site_new();
	expect(site, "GET", "/api/live", "Host: evil.example", NULL, 403, NULL);
	expect(site, "GET", "/api/live", "Origin: http://evil.example", NULL, 403, NULL);
	expect(site, "POST", "/api/login", "Origin: http://evil.example", "{\"agent\":\"anna\",\"password\":\"sesame\"}", 403, NULL);
	site_free(site);
}

static void test_login(void)
{
	struct site *site = site_new();
	expect(site, "POST", "/api/agent", NULL, "{\"state\":\"break\"}", 401, NULL);
	expect(site, "POST", "/api/login", NULL, "[]", 400, NULL);
	expect(site, "POST", "/api/login", NULL, "{\"agent\":\"anna\",\"password\":7}", 400, NULL);
	expect(site, "POST", "/api/login", NULL, "{\"agent\":\"anna\",\"password\":\"wrong\"}", 401, NULL);
	expect(site, "POST", "/api/login", NULL, "{\"agent\":\"nobody\",\"password\":\"sesame\"}", 401, NULL);
	struct reply reply = ask(site, "POST", "/api/login", NULL, "{\"agent\":\"anna\",\"password\":\"sesame\"}");
	g_assert_cmpuint(reply.status, ==, 200);
	const char *set = soup_message_headers_get_one(soup_message_get_response_headers(reply.message), "Set-Cookie");
	g_assert_nonnull(strstr(set, "HttpOnly"));
	g_assert_nonnull(strstr(set, "SameSite=Strict"));
	g_auto(GStrv) parts = g_strsplit(set, ";", 2);
	g_autofree char *cookie = g_strconcat("Cookie: ", parts[0], NULL);
	reply_clear(&reply);
	expect(site, "GET", "/api/session", cookie, NULL, 200, "anna");
	expect(site, "POST", "/api/agent", cookie, "{\"state\":\"asleep\"}", 400, "state: expected");
	expect(site, "POST", "/api/agent", cookie, "{\"state\":\"ready\"}", 409, "not registered");
	expect(site, "POST", "/api/agent", cookie, "{\"state\":\"break\",\"reason\":\"lunch\"}", 200, "lunch");
	expect(site, "POST", "/api/logout", cookie, "{}", 200, NULL);
	expect(site, "GET", "/api/session", cookie, NULL, 200, "null");
	/* Two failures so far from here; the sixth has to wait, even with the right word. */
	for (unsigned i = 0; i < 3; i++)
		expect(site, "POST", "/api/login", NULL, "{\"agent\":\"anna\",\"password\":\"wrong\"}", 401, NULL);
	expect(site, "POST", "/api/login", NULL, "{\"agent\":\"anna\",\"password\":\"sesame\"}", 429, NULL);
	site_free(site);
}

static void test_long_body(void)
{
	struct site *site = site_new();
	g_autofree char *body = g_strnfill(20000, ' ');
	expect(site, "POST", "/api/login", NULL, body, 413, NULL);
	expect(site, "GET", "/health", NULL, NULL, 200, NULL);
	site_free(site);
}

struct operator_end {
	bool open;
	unsigned done;
	int code;
	char *text;
};

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	(void)client, (void)result, (void)resumed;
	((struct operator_end *)user)->open = true;
}

static void on_answer(JsonObject *result, const GError *error, void *user)
{
	struct operator_end *end = user;
	end->code = error ? error->code : 0;
	g_free(end->text);
	g_autoptr(JsonNode) node = result ? json_node_init_object(json_node_alloc(), result) : NULL;
	end->text = node ? json_to_string(node, FALSE) : g_strdup(error->message);
	end->done++;
}

static void call(struct tl_control_client *client, struct operator_end *end, const char *method, const char *params)
{
	unsigned before = end->done;
	g_autoptr(JsonNode) node = json_from_string(params, NULL);
	tl_control_client_call(client, method, json_object_ref(json_node_get_object(node)), on_answer, end);
	while (end->done == before)
		g_main_context_iteration(NULL, TRUE);
}

static void test_operators(void)
{
	struct site *site = site_new();
	struct operator_end end = { 0 };
	g_autofree char *address = g_strconcat("unix:", site->socket, NULL);
	struct tl_control_client_config config = { .schema = "desk", .address = address, .token = "secret", .check = true };
	struct tl_control_client_handler handler = { .on_open = on_open };
	struct tl_control_client *client = tl_control_client_new(&config, &handler, &end);
	while (!end.open)
		g_main_context_iteration(NULL, TRUE);
	call(client, &end, "desk.snapshot", "{}");
	g_assert_nonnull(strstr(end.text, "\"queue\":\"sales\""));
	call(client, &end, "desk.cdrs", "{}");
	g_assert_cmpint(end.code, ==, 0);
	call(client, &end, "agent.set", "{\"agent\":\"nobody\",\"state\":\"break\"}");
	g_assert_cmpint(end.code, ==, TL_CONTROL_UNKNOWN);
	call(client, &end, "agent.set", "{\"agent\":\"anna\",\"state\":\"ready\"}");
	g_assert_cmpint(end.code, ==, TL_CONTROL_STATE);
	call(client, &end, "agent.set", "{\"agent\":\"anna\",\"state\":\"break\",\"reason\":\"tea\"}");
	g_assert_nonnull(strstr(end.text, "tea"));
	call(client, &end, "call.place", "{\"to\":\"user:bob\",\"called\":\"1\",\"service\":\"100\"}");
	g_assert_cmpint(end.code, ==, TL_CONTROL_NOT_CONDUCTOR); /* no node is connected */
	call(client, &end, "call.release", "{\"call\":\"none\"}");
	g_assert_cmpint(end.code, ==, TL_CONTROL_UNKNOWN);
	tl_control_client_free(client);
	g_free(end.text);
	site_free(site);
}

/* RFC 2202 2, case 2; and openssl dgst -sha1 -hmac north | base64 of a name as coturn wants it. */
static void test_turn_password(void)
{
	g_autofree char *rfc = turn_password("Jefe", "what do ya want for nothing?");
	g_assert_cmpstr(rfc, ==, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
	g_autofree char *coturn = turn_password("north", "1700000000:anna");
	g_assert_cmpstr(coturn, ==, "WS1fjjHj2gNlXzhc/ZcwmC3ofIo=");
}

static void test_turn_servers(void)
{
	char *urls[] = { "turn:turn.example.org:3478?transport=tcp", "turns:[2001:db8::1]", NULL };
	struct tl_web web = { .turn = urls, .turn_secret = "north", .turn_lifetime_s = 600 }, without = { 0 };
	g_autoptr(JsonArray) none = turn_servers(&without, "anna", 0);
	g_assert_cmpuint(json_array_get_length(none), ==, 0);
	g_autoptr(JsonArray) servers = turn_servers(&web, "anna", INT64_C(1699999400) * G_USEC_PER_SEC + 999999);
	g_assert_cmpuint(json_array_get_length(servers), ==, 1);
	JsonObject *server = json_array_get_object_element(servers, 0);
	g_autofree char *text = view_text(json_object_ref(server));
	g_assert_cmpstr(json_object_get_string_member(server, "username"), ==, "1700000000:anna");
	g_assert_cmpstr(json_object_get_string_member(server, "credential"), ==, "WS1fjjHj2gNlXzhc/ZcwmC3ofIo=");
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(server, "urls")), ==, 2);
	g_assert_null(strstr(text, "north"));
}

/* Lines after [web], and what is said about them; NULL: nothing. */
static void test_turn_settings(void)
{
	static const struct { const char *lines, *error; } cases[] = {
		{ "turn = turn:a.example turns:[2001:db8::1]:443?transport=tcp turn:1.2.3.4:65535?transport=udp\nturn_secret = north\n", NULL },
		{ "turn = turn:a.example\n", "turn_secret: is missing" },
		{ "turn_secret = north\n", "turn_secret: expected none" },
		{ "turn = turn:a.example\nturn_secret = north\nturn_only = yes\n", NULL },
		{ "turn_only = yes\n", "turn_only: expected no" },
		{ "turn = stun:a.example\nturn_secret = north\n", "turn: \"stun:a.example\": expected turn:" },
		{ "turn = turn:a.example:65536\nturn_secret = north\n", "turn: \"turn:a.example:65536\"" },
		{ "turn = turn:a.example?transport=tls\nturn_secret = north\n", "turn: \"" },
		{ "turn = turn:anna@a.example\nturn_secret = north\n", "turn: \"" },
		{ "turn = turn:a.example\nturn_secret = north\nturn_lifetime_s = 59\n", "turn_lifetime_s = 59: expected" },
	};
	g_autofree char *dir = g_dir_make_tmp("trunkline-web-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "deskd.conf", NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf("[desk]\nstate_dir = %s\n[web]\n%s", dir, cases[i].lines);
		g_autoptr(GError) error = NULL;
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
		struct settings *settings = settings_load(path, &error);
		g_assert_cmpint(!settings, ==, cases[i].error != NULL);
		if (cases[i].error && !strstr(error->message, cases[i].error))
			g_error("\"%s\" is not in: %s", cases[i].error, error->message);
		g_assert_true(!error || !strstr(error->message, "north"));
		settings_free(settings);
	}
	g_unlink(path);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_setenv("TL_CHECK_SCHEMA", "1", TRUE);
	g_assert_cmpint(sodium_init(), >=, 0);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desk-web/look", test_look);
	g_test_add_func("/desk-web/foreign", test_foreign);
	g_test_add_func("/desk-web/login", test_login);
	g_test_add_func("/desk-web/long-body", test_long_body);
	g_test_add_func("/desk-web/operators", test_operators);
	g_test_add_func("/desk-web/turn-password", test_turn_password);
	g_test_add_func("/desk-web/turn-servers", test_turn_servers);
	g_test_add_func("/desk-web/turn-settings", test_turn_settings);
	return g_test_run();
}
