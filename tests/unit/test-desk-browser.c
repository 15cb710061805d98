/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Agents in browsers: their page's WebSocket as a page has it, the node's end of
 * the protocol behind it. Who answers, what is theirs to do, and what is left of
 * it when the page, the desk or the browser's media go away.
 */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/thread.h"
#include "desk-rig.h"

struct page {
	SoupSession *http;
	SoupWebsocketConnection *socket;
	GHashTable *agents, *calls; /* as the desk last said: JsonObject */
	char *result, *error;       /* of the latest request */
	gint64 id, answered;
	unsigned taken;
	bool opened;
};

/* And waits until the desk knows the node as it is. */
static void start(struct desk_rig *centre)
{
	unsigned before = fake_node_count(centre->node, "node.snapshot");
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") > before);
}

static struct desk_rig *centre_new(void)
{
	struct desk_rig *centre = desk_rig_new();
	char hash[crypto_pwhash_STRBYTES];
	g_assert_cmpint(crypto_pwhash_str(hash, "sesame", 6, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN), ==, 0);
	desk_rig_configure(centre, g_strdup_printf(
		"[desk]\nstate_dir = %s\nlog_level = warning\nlease_ms = 20000\n[web]\nlisten = %s\n"
		"turn = turn:turn.example.org:3478?transport=tcp\nturn_secret = north\nturn_lifetime_s = 3600\nturn_only = yes\n"
		"[node north]\naddress = %s\ntoken = " FAKE_TOKEN "\n[queue sales]\nwrap_up_s = 0\n"
		"[agent berta]\npassword = %s\ndevice = browser\nqueues = sales\n"
		"[agent carl]\npassword = %s\ndevice = both\nphone = user:carl\nqueues = sales\n"
		"[service 200]\notherwise = queue:sales\n", centre->dir, centre->web, centre->node->address, hash, hash));
	start(centre);
	return centre;
}

/* ---- a page ---- */

static void keep(GHashTable *table, JsonObject *object, const char *key)
{
	g_hash_table_insert(table, g_strdup(json_object_get_string_member(object, key)), json_object_ref(object));
}

static void keep_all(GHashTable *table, JsonArray *array, const char *key)
{
	g_hash_table_remove_all(table);
	for (unsigned i = 0; i < json_array_get_length(array); i++)
		keep(table, json_array_get_object_element(array, i), key);
}

static void on_event(struct page *page, JsonObject *message, const char *event)
{
	if (!strcmp(event, "snapshot")) {
		keep_all(page->agents, json_object_get_array_member(message, "agents"), "agent");
		keep_all(page->calls, json_object_get_array_member(message, "calls"), "call");
		page->opened = true;
	} else if (!strcmp(event, "agent.changed")) {
		keep(page->agents, json_object_get_object_member(message, "agent"), "agent");
	} else if (!strcmp(event, "call.changed")) {
		keep(page->calls, json_object_get_object_member(message, "call"), "call");
	} else if (!strcmp(event, "phone.taken")) {
		page->taken++;
	}
}

static void on_message(SoupWebsocketConnection *socket, int type, GBytes *octets, gpointer user)
{
	struct page *page = user;
	g_autoptr(JsonParser) parser = json_parser_new();
	(void)socket, (void)type;
	g_assert_true(json_parser_load_from_data(parser, g_bytes_get_data(octets, NULL), g_bytes_get_size(octets), NULL));
	JsonObject *message = json_node_get_object(json_parser_get_root(parser));
	const char *event = json_object_get_string_member_with_default(message, "event", NULL);
	if (event) {
		on_event(page, message, event);
		return;
	}
	page->answered = json_object_get_int_member(message, "id");
	if (json_object_has_member(message, "error"))
		page->error = g_strdup(json_object_get_string_member(json_object_get_object_member(message, "error"), "message"));
	else
		page->result = json_to_string(json_object_get_member(message, "result"), FALSE);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer user)
{
	struct page *page = user;
	g_autoptr(GError) error = NULL;
	page->socket = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, &error);
	g_assert_no_error(error);
	soup_websocket_connection_set_max_incoming_payload_size(page->socket, 1 << 20);
	g_signal_connect(page->socket, "message", G_CALLBACK(on_message), page);
}

static void page_open(struct desk_rig *centre, struct page *page)
{
	g_autofree char *url = g_strdup_printf("ws://%s/api/events", centre->web);
	g_autoptr(SoupMessage) message = soup_message_new("GET", url);
	g_clear_object(&page->socket);
	page->opened = false;
	soup_session_websocket_connect_async(page->http, message, NULL, NULL, G_PRIORITY_DEFAULT, NULL, on_opened, page);
	wait_until(page->opened);
}

static void on_login(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GBytes) octets = soup_session_send_and_read_finish(SOUP_SESSION(source), result, NULL);
	(void)octets;
	*(bool *)user = true;
}

static struct page *page_new(struct desk_rig *centre, const char *agent)
{
	struct page *page = g_new0(struct page, 1);
	g_autofree char *url = g_strdup_printf("http://%s/api/login", centre->web);
	g_autofree char *body = g_strdup_printf("{\"agent\": \"%s\", \"password\": \"sesame\"}", agent);
	g_autoptr(GBytes) octets = g_bytes_new(body, strlen(body));
	g_autoptr(SoupMessage) message = soup_message_new("POST", url);
	bool done = false;
	page->http = soup_session_new();
	soup_session_add_feature_by_type(page->http, SOUP_TYPE_COOKIE_JAR);
	page->agents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
	page->calls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
	soup_message_set_request_body_from_bytes(message, "application/json", octets);
	soup_session_send_and_read_async(page->http, message, G_PRIORITY_DEFAULT, NULL, on_login, &done);
	wait_until(done);
	g_assert_cmpuint(soup_message_get_status(message), ==, 200);
	page_open(centre, page);
	return page;
}

static void page_free(struct page *page)
{
	g_clear_object(&page->socket);
	g_object_unref(page->http);
	g_hash_table_unref(page->agents);
	g_hash_table_unref(page->calls);
	g_free(page->result);
	g_free(page->error);
	g_free(page);
}

/* NULL, or why it was refused. */
static const char *ask(struct page *page, const char *method, const char *params)
{
	g_autofree char *text = g_strdup_printf("{\"jsonrpc\": \"2.0\", \"id\": %" G_GINT64_FORMAT ", \"method\": \"%s\", \"params\": %s}",
						++page->id, method, params);
	g_clear_pointer(&page->result, g_free);
	g_clear_pointer(&page->error, g_free);
	soup_websocket_connection_send_text(page->socket, text);
	wait_until(page->answered == page->id);
	return page->error;
}

static const char *agent_state(struct page *page, const char *agent)
{
	return json_object_get_string_member(g_hash_table_lookup(page->agents, agent), "state");
}

/* The call that @agent has, or NULL. */
static JsonObject *call_of(struct page *page, const char *agent)
{
	const char *id = json_object_get_string_member_with_default(g_hash_table_lookup(page->agents, agent), "call", NULL);
	return id ? g_hash_table_lookup(page->calls, id) : NULL;
}

static const char *act(struct page *page, const char *agent, const char *method, const char *more)
{
	g_autofree char *params = g_strdup_printf("{\"call\": \"%s\"%s}", json_object_get_string_member(call_of(page, agent), "call"), more);
	return ask(page, method, params);
}

static void be_ready(struct desk_rig *centre, struct page *page, const char *agent)
{
	g_autofree char *leg = g_strconcat("w-", agent, NULL);
	g_autofree char *params = g_strdup_printf("{\"agent\": \"%s\", \"state\": \"ready\"}", agent);
	g_assert_null(ask(page, "phone.connect", "{\"sdp\": \"an offer\"}"));
	g_assert_nonnull(strstr(page->result, "an answer"));
	fake_node_connected(centre->node, leg, TRUE);
	wait_until(json_object_get_boolean_member_with_default(g_hash_table_lookup(page->agents, agent), "browser_connected", FALSE));
	g_assert_null(ask(page, "agent.set", params));
}

static struct fake_leg *leg(struct desk_rig *centre, const char *id)
{
	return fake_node_leg(centre->node, id);
}

static bool joined(struct desk_rig *centre, const char *a, const char *b)
{
	return leg(centre, a) && leg(centre, b) && leg(centre, a)->bridge && !g_strcmp0(leg(centre, a)->bridge, leg(centre, b)->bridge);
}

static const char *part(struct desk_rig *centre, const char *id)
{
	const char *text = g_hash_table_lookup(leg(centre, id)->tags, "part");
	return text ? text : "";
}

/* ---- what is tested ---- */

static void test_refusals(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta");
	g_assert_nonnull(ask(page, "agent.set", "{\"agent\": \"berta\", \"state\": \"ready\"}")); /* no phone */
	g_assert_nonnull(ask(page, "agent.set", "{\"agent\": \"carl\", \"state\": \"break\"}"));  /* not itself */
	g_assert_nonnull(ask(page, "call.hold", "{\"call\": \"c1\", \"on\": true}"));              /* no such call */
	g_assert_nonnull(ask(page, "call.release", "{\"call\": \"c1\"}"));                          /* an operator's */
	g_assert_nonnull(ask(page, "desk.snapshot", "{}"));
	g_assert_nonnull(ask(page, "phone.connect", "{}"));
	g_assert_nonnull(ask(page, "call.dtmf", "{\"call\": \"c1\", \"digits\": 5}"));
	be_ready(centre, page, "berta");
	page_free(page);
	desk_rig_free(centre);
}

/* Credentials for itself, that will run out; nobody else gets any. */
static void test_servers(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta");
	int64_t before = tl_clock_utc_us() / G_USEC_PER_SEC;
	g_assert_null(ask(page, "phone.servers", "{}"));
	g_autoptr(JsonNode) told = json_from_string(page->result, NULL);
	JsonArray *servers = json_object_get_array_member(json_node_get_object(told), "servers");
	g_assert_cmpuint(json_array_get_length(servers), ==, 1);
	JsonObject *server = json_array_get_object_element(servers, 0);
	const char *username = json_object_get_string_member(server, "username");
	g_assert_true(g_str_has_suffix(username, ":berta"));
	g_assert_cmpint(g_ascii_strtoll(username, NULL, 10), >=, before + 3600);
	g_assert_cmpint(g_ascii_strtoll(username, NULL, 10), <=, tl_clock_utc_us() / G_USEC_PER_SEC + 3600);
	g_assert_cmpuint(strlen(json_object_get_string_member(server, "credential")), ==, 28); /* 20 octets */
	g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(server, "urls"), 0), ==,
			"turn:turn.example.org:3478?transport=tcp");
	g_assert_cmpstr(json_object_get_string_member(json_node_get_object(told), "policy"), ==, "relay");
	g_assert_null(strstr(page->result, "north"));
	page_free(page);
	desk_rig_free(centre);
}

static void test_talk(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta");
	be_ready(centre, page, "berta");
	fake_node_offer(centre->node, "c1", "200", "030123");
	wait_until(!strcmp(agent_state(page, "berta"), "ringing") && call_of(page, "berta"));
	g_assert_false(joined(centre, "c1", "w-berta"));
	wait_until(!act(page, "berta", "call.answer", ""));
	wait_until(joined(centre, "c1", "w-berta") && !strcmp(part(centre, "w-berta"), "agent"));
	g_assert_null(act(page, "berta", "call.hold", ", \"on\": true"));
	wait_until(leg(centre, "c1")->playing && !leg(centre, "w-berta")->bridge);
	/* The page is loaded again, the desk dies: the caller hears music, and the agent has it as before. */
	desk_rig_stop(centre);
	start(centre);
	page_open(centre, page);
	g_assert_null(ask(page, "phone.connect", "{\"sdp\": \"an offer\"}"));
	wait_until(call_of(page, "berta") && json_object_get_boolean_member_with_default(call_of(page, "berta"), "on_hold", FALSE));
	g_assert_null(act(page, "berta", "call.hold", ", \"on\": false"));
	wait_until(joined(centre, "c1", "w-berta") && !leg(centre, "c1")->playing);
	g_assert_null(act(page, "berta", "call.mute", ", \"on\": true"));
	wait_until(leg(centre, "w-berta")->muted);
	g_assert_nonnull(ask(page, "phone.disconnect", "{}"));
	/* The caller hangs up: the standing leg stands, free and heard. */
	fake_node_end(centre->node, "c1", 16);
	wait_until(!strcmp(part(centre, "w-berta"), "standing") && !leg(centre, "w-berta")->muted && !leg(centre, "w-berta")->bridge);
	wait_until(!strcmp(agent_state(page, "berta"), "ready"));
	g_assert_null(g_hash_table_lookup(leg(centre, "w-berta")->tags, "contact"));
	/* The next one is hung up by the agent. */
	fake_node_offer(centre->node, "c2", "200", "030124");
	wait_until(!strcmp(agent_state(page, "berta"), "ringing"));
	wait_until(!act(page, "berta", "call.answer", ""));
	wait_until(joined(centre, "c2", "w-berta"));
	g_assert_null(act(page, "berta", "call.history", ""));
	g_assert_null(act(page, "berta", "call.hangup", ""));
	wait_until(!leg(centre, "c2"));
	g_assert_nonnull(leg(centre, "w-berta"));
	wait_until(!strcmp(agent_state(page, "berta"), "ready"));
	g_assert_null(ask(page, "phone.disconnect", "{}"));
	wait_until(!leg(centre, "w-berta") && !strcmp(agent_state(page, "berta"), "offline"));
	page_free(page);
	desk_rig_free(centre);
}

/* Not wanted, and gone for good while it rings: the caller waits on; who is ready next gets it. */
static void test_not_answered(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta"), *other = page_new(centre, "carl");
	be_ready(centre, page, "berta");
	fake_node_offer(centre->node, "c1", "200", "030123");
	wait_until(!strcmp(agent_state(page, "berta"), "ringing") && call_of(page, "berta"));
	wait_until(!act(page, "berta", "call.hangup", ""));
	wait_until(!strcmp(agent_state(page, "berta"), "break"));
	be_ready(centre, other, "carl");
	wait_until(!strcmp(agent_state(page, "carl"), "ringing"));
	fake_node_end(centre->node, "w-carl", 27);
	wait_until(!strcmp(agent_state(page, "carl"), "offline"));
	g_assert_nonnull(leg(centre, "c1"));
	/* Its SIP phone will do, too. */
	fake_node_phone(centre->node, "carl", TRUE);
	wait_until(!ask(other, "agent.set", "{\"agent\": \"carl\", \"state\": \"ready\"}"));
	wait_until(fake_node_leg_to(centre->node, "user:carl"));
	page_free(page);
	page_free(other);
	desk_rig_free(centre);
}

static void test_consult(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta"), *other = page_new(centre, "carl");
	be_ready(centre, page, "berta");
	fake_node_offer(centre->node, "c1", "200", "030123");
	wait_until(!strcmp(agent_state(page, "berta"), "ringing"));
	wait_until(!act(page, "berta", "call.answer", ""));
	wait_until(joined(centre, "c1", "w-berta"));
	be_ready(centre, other, "carl");
	g_assert_null(act(page, "berta", "call.consult", ", \"agent\": \"carl\""));
	wait_until(!strcmp(agent_state(other, "carl"), "ringing") && call_of(other, "carl"));
	wait_until(!act(other, "carl", "call.answer", ""));
	wait_until(joined(centre, "w-berta", "w-carl"));
	g_assert_nonnull(leg(centre, "c1")->playing);
	/* Neither the page of the one nor that of the other may do what is the other's. */
	g_assert_nonnull(act(page, "carl", "call.hangup", ""));
	wait_until(call_of(page, "berta") && !act(page, "berta", "call.complete", ""));
	wait_until(joined(centre, "c1", "w-carl") && !leg(centre, "w-berta")->bridge);
	wait_until(!strcmp(agent_state(page, "berta"), "ready"));
	g_assert_null(act(other, "carl", "call.hangup", ""));
	wait_until(!leg(centre, "c1") && !strcmp(agent_state(other, "carl"), "ready"));
	page_free(page);
	page_free(other);
	desk_rig_free(centre);
}

/* The phone is where it was connected last. */
static void test_two_pages(void)
{
	struct desk_rig *centre = centre_new();
	struct page *page = page_new(centre, "berta"), *second = page_new(centre, "berta");
	be_ready(centre, page, "berta");
	be_ready(centre, second, "berta");
	wait_until(page->taken == 1);
	g_assert_cmpuint(second->taken, ==, 0);
	g_assert_cmpuint(fake_node_count(centre->node, "leg.connect w-berta"), ==, 2);
	page_free(page);
	page_free(second);
	desk_rig_free(centre);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_assert_cmpint(sodium_init(), >=, 0);
	g_test_add_func("/desk-browser/refusals", test_refusals);
	g_test_add_func("/desk-browser/servers", test_servers);
	g_test_add_func("/desk-browser/talk", test_talk);
	g_test_add_func("/desk-browser/not-answered", test_not_answered);
	g_test_add_func("/desk-browser/consult", test_consult);
	g_test_add_func("/desk-browser/two-pages", test_two_pages);
	return g_test_run();
}
