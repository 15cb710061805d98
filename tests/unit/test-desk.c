/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A whole desk against the node's end of the protocol: calls from offer to
 * record, and what is left of them when the desk or the node goes away.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/fsm.h"
#include "base/thread.h"
#include "contact/contact.h"
#include "desk-rig.h"

static const char config_text[] =
	"[desk]\nname = test\nstate_dir = %s\nlog_level = warning\nlease_ms = 20000\n"
	"[control]\nsocket = %s/desk.sock\n"
	"[token op]\ntoken = operator\nrole = operator\n"
	"[web]\nlisten = 127.0.0.1:0\n"
	"[node north]\naddress = %s\ntoken = " FAKE_TOKEN "\n"
	"[queue sales]\nring_s = 20\nwrap_up_s = 0\nmusic = file:music\nposition = file:place\noverflow_s = 600\noverflow = announcement:file:sorry\n"
	"[queue short]\nmusic = file:music\noverflow_s = 1\noverflow = announcement:file:sorry\n"
	"[agent anna]\nphone = user:anna\nqueues = sales\nauto_ready = yes\n"
	"[agent ben]\nphone = user:ben\nqueues = sales\nauto_ready = yes\n"
	"[service 100]\nannounce = file:hello\nmenu_prompt = file:choose\nmenu = 1:queue:sales 2:connect:group:pstn\notherwise = queue:sales\n"
	"[service 200]\notherwise = queue:sales\n"
	"[service 300]\notherwise = queue:short\n";

static struct desk_rig *centre_new(void)
{
	struct desk_rig *centre = desk_rig_new();
	desk_rig_configure(centre, g_strdup_printf(config_text, centre->dir, centre->dir, centre->node->address));
	desk_rig_start(centre);
	return centre;
}

static struct fake_leg *leg(struct desk_rig *centre, const char *id)
{
	return fake_node_leg(centre->node, id);
}

static const char *playing(struct desk_rig *centre, const char *id)
{
	return leg(centre, id) && leg(centre, id)->playing ? leg(centre, id)->playing : "";
}

static const char *step(struct desk_rig *centre, const char *id)
{
	const char *text = leg(centre, id) ? g_hash_table_lookup(leg(centre, id)->tags, "step") : NULL;
	return text ? text : "";
}

/* A caller who waits in the queue sales. */
static void queue_up(struct desk_rig *centre, const char *id)
{
	wait_until(centre->node->conductor);
	fake_node_offer(centre->node, id, "200", "030123");
	wait_until(!g_strcmp0(step(centre, id), "queue:sales") && *playing(centre, id));
}

static void test_call(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(fake_node_count(centre->node, "node.snapshot"));
	fake_node_offer(centre->node, "c1", "100", "030123");
	wait_until(!strcmp(playing(centre, "c1"), "file:hello"));
	g_assert_cmpstr(leg(centre, "c1")->state, ==, "answered");
	wait_until(leg(centre, "c1")->collect);
	fake_node_played(centre->node, "c1"); /* now the wait for a key begins */
	wait_until(fake_node_count(centre->node, "leg.collect c1") == 2);
	fake_node_digits(centre->node, "c1", "1");
	wait_until(!strcmp(playing(centre, "c1"), "file:place"));
	JsonObject *rule = json_node_get_object(leg(centre, "c1")->rule);
	g_assert_cmpstr(json_object_get_string_member(rule, "action"), ==, "route");
	g_assert_cmpstr(json_object_get_string_member(rule, "to"), ==, "announcement:file:sorry");
	g_assert_cmpint(json_object_get_int_member(rule, "after_s"), ==, 600);
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	g_autofree char *agent_leg = g_strdup(fake_node_leg_to(centre->node, "user:ben")->id);
	fake_node_answer(centre->node, agent_leg);
	wait_until(leg(centre, "c1")->bridge && leg(centre, "c1")->rule &&
		   !g_strcmp0(json_object_get_string_member(json_node_get_object(leg(centre, "c1")->rule), "action"), "keep"));
	g_assert_cmpstr(leg(centre, agent_leg)->bridge, ==, leg(centre, "c1")->bridge);
	g_assert_cmpstr(playing(centre, "c1"), ==, "");
	fake_node_end(centre->node, "c1", 16);
	g_assert_null(leg(centre, agent_leg));
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM cdr") == 2);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM cdr WHERE agent = 'ben' AND service = '100'"), ==, 2);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE state = 'ended' AND cause = 16 AND outcome = 'answered' "
				 "AND digits = '1'") == 1);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'ben' AND state = 'ready'") == 1);
	wait_until(centre->node->stored == centre->node->facts->len);
	desk_rig_free(centre);
}

static void test_not_ours(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(fake_node_count(centre->node, "node.snapshot"));
	fake_node_offer(centre->node, "foreign", "999", "");
	queue_up(centre, "ours");
	g_assert_cmpuint(fake_node_count(centre->node, "leg.take foreign"), ==, 0);
	g_assert_cmpstr(leg(centre, "foreign")->state, ==, "offered");
	desk_rig_free(centre);
}

/* Nobody answers: break for the agent, the caller keeps its place and gets the next agent. */
static void test_no_answer(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "c1");
	queue_up(centre, "c2");
	fake_node_phone(centre->node, "anna", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:anna"));
	g_autofree char *contact = g_strdup(g_hash_table_lookup(leg(centre, "c1")->tags, "contact"));
	g_assert_cmpstr(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:anna")->tags, "contact"), ==, contact);
	fake_node_end(centre->node, fake_node_leg_to(centre->node, "user:anna")->id, 19);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'anna' AND state = 'break' AND reason = 'no answer'"));
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	g_assert_cmpstr(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:ben")->tags, "contact"), ==, contact);
	/* The caller gives up while it rings: the phone stops, the agent gets the next one. */
	fake_node_end(centre->node, "c1", 16);
	g_autofree char *next = g_strdup(g_hash_table_lookup(leg(centre, "c2")->tags, "contact"));
	wait_until(fake_node_leg_to(centre->node, "user:ben") &&
		   !g_strcmp0(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:ben")->tags, "contact"), next));
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE outcome = 'abandoned' AND state = 'ended'") == 1);
	desk_rig_free(centre);
}

static void test_overflow(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(fake_node_count(centre->node, "node.snapshot"));
	fake_node_offer(centre->node, "c1", "300", "");
	wait_until(!strcmp(playing(centre, "c1"), "file:sorry"));
	fake_node_played(centre->node, "c1");
	wait_until(!leg(centre, "c1"));
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE outcome = 'overflowed' AND state = 'ended' AND cause = 16") == 1);
	desk_rig_free(centre);
}

static void test_connect(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(fake_node_count(centre->node, "node.snapshot"));
	fake_node_offer(centre->node, "c1", "100", "");
	wait_until(!strcmp(playing(centre, "c1"), "file:hello"));
	wait_until(leg(centre, "c1")->collect);
	fake_node_digits(centre->node, "c1", "2"); /* into the announcement */
	wait_until(fake_node_leg_to(centre->node, "group:pstn"));
	/* A new desk finds the connection under way and does not begin another. */
	desk_rig_stop(centre);
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") == 2);
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "group:pstn")->id);
	wait_until(leg(centre, "c1")->bridge);
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 1);
	fake_node_end(centre->node, fake_node_leg_to(centre->node, "group:pstn")->id, 16);
	wait_until(!leg(centre, "c1"));
	desk_rig_free(centre);
}

/* The desk goes and comes: nothing drops, the queue's order is kept, who talks goes on talking. */
static void test_restart(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "talks");
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:ben")->id);
	wait_until(leg(centre, "talks")->bridge);
	queue_up(centre, "w1");
	queue_up(centre, "w2");
	queue_up(centre, "w3");
	gint64 epoch = centre->node->epoch;
	desk_rig_stop(centre);
	g_assert_cmpuint(g_hash_table_size(centre->node->legs), ==, 5);
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") == 2);
	g_assert_cmpint(centre->node->epoch, >, epoch);
	g_assert_cmpuint(g_hash_table_size(centre->node->legs), ==, 5);
	g_assert_cmpuint(fake_node_count(centre->node, "bridge.create"), ==, 1);
	/* w1 was first and gives up; w2 is then the first for anna; ben is free after his call and gets w3. */
	fake_node_end(centre->node, "w1", 16);
	fake_node_phone(centre->node, "anna", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:anna"));
	g_assert_cmpstr(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:anna")->tags, "contact"), ==,
			g_hash_table_lookup(leg(centre, "w2")->tags, "contact"));
	fake_node_end(centre->node, "talks", 16);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	g_assert_cmpstr(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:ben")->tags, "contact"), ==,
			g_hash_table_lookup(leg(centre, "w3")->tags, "contact"));
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE outcome = 'answered' AND state = 'ended'") == 1);
	desk_rig_free(centre);
}

/* With no desk alive: one that talked hangs up, one gives up, one calls and goes. Each has its one record. */
static void test_nobody_there(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "talks");
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:ben")->id);
	wait_until(leg(centre, "talks")->bridge);
	queue_up(centre, "waits");
	desk_rig_stop(centre);
	fake_node_end(centre->node, "talks", 17);
	fake_node_end(centre->node, "waits", 18);
	fake_node_offer(centre->node, "short", "100", "");
	fake_node_end(centre->node, "short", 19);
	desk_rig_start(centre);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE state = 'ended'") == 2);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE leg = 'talks' AND cause = 17"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE leg = 'waits' AND cause = 18"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM cdr"), ==, 4);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'ben' AND state = 'ready'") == 1);
	queue_up(centre, "next");
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	desk_rig_free(centre);
}

/* It rang when the desk died; it is answered when the next one is there. And the other way: it rang no more. */
static void test_restart_ringing(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "c1");
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	desk_rig_stop(centre);
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") == 2);
	g_autofree char *first = g_strdup(fake_node_leg_to(centre->node, "user:ben")->id);
	desk_rig_stop(centre);
	fake_node_end(centre->node, first, 19);
	desk_rig_start(centre);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	g_assert_cmpstr(fake_node_leg_to(centre->node, "user:ben")->id, !=, first);
	desk_rig_stop(centre);
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:ben")->id);
	desk_rig_start(centre);
	wait_until(leg(centre, "c1")->bridge);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'ben' AND state = 'talking'") == 1);
	desk_rig_free(centre);
}

static void test_node_reboots(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "talks");
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:ben")->id);
	wait_until(leg(centre, "talks")->bridge);
	queue_up(centre, "waits");
	fake_node_reboot(centre->node);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE state = 'ended' AND cause = 41") == 2);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM cdr WHERE cause = 41"), ==, 3);
	fake_node_phone(centre->node, "ben", TRUE);
	queue_up(centre, "next");
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	desk_rig_free(centre);
}

/* The node has obeyed a higher epoch than this store knows: a restored backup. */
static void test_stale_epoch(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(fake_node_count(centre->node, "node.snapshot"));
	desk_rig_stop(centre);
	centre->node->epoch = 500;
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") == 2);
	g_assert_cmpint(centre->node->epoch, ==, 501);
	g_assert_cmpint(desk_rig_query(centre, "SELECT epoch FROM lease"), ==, 501);
	desk_rig_free(centre);
}

static void on_operator_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	(void)client, (void)result, (void)resumed;
	*(bool *)user = true;
}

static void on_operator_answer(JsonObject *result, const GError *error, void *user)
{
	(void)result;
	*(int *)user = error ? error->code : 1;
}

/* Asks and waits: 1, or the error's code. */
static int operate(struct tl_control_client *client, const char *method, const char *params)
{
	int answer = 0;
	g_autoptr(JsonNode) node = json_from_string(params, NULL);
	tl_control_client_call(client, method, json_object_ref(json_node_get_object(node)), on_operator_answer, &answer);
	wait_until(answer);
	return answer;
}

/* Calls out: into a service's flow, and to an agent. */
static void test_place(void)
{
	struct desk_rig *centre = centre_new();
	bool open = false;
	g_autofree char *address = g_strdup_printf("unix:%s/desk.sock", centre->dir);
	struct tl_control_client_config config = { .schema = "desk", .address = address, .token = "operator", .check = true };
	struct tl_control_client_handler handler = { .on_open = on_operator_open };
	struct tl_control_client *client = tl_control_client_new(&config, &handler, &open);
	wait_until(open && fake_node_count(centre->node, "node.snapshot"));
	int answer;
	do /* until the snapshot has come as well */
		answer = operate(client, "call.place", "{\"call\":\"p1\",\"to\":\"group:pstn\",\"called\":\"0301\",\"service\":\"200\"}");
	while (answer == TL_CONTROL_NOT_CONDUCTOR);
	g_assert_cmpint(answer, ==, 1);
	wait_until(leg(centre, "o-p1"));
	fake_node_answer(centre->node, "o-p1");
	wait_until(!strcmp(playing(centre, "o-p1"), "file:place"));
	g_assert_cmpint(operate(client, "call.release", "{\"call\":\"p1\"}"), ==, 1);
	wait_until(!leg(centre, "o-p1"));
	g_assert_cmpint(operate(client, "call.place", "{\"call\":\"p2\",\"to\":\"group:pstn\",\"called\":\"0302\",\"agent\":\"ben\"}"), ==,
			TL_CONTROL_STATE); /* he is not there */
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'ben' AND state = 'ready'") == 1);
	g_assert_cmpint(operate(client, "call.place", "{\"call\":\"p2\",\"to\":\"group:pstn\",\"called\":\"0302\",\"agent\":\"ben\"}"), ==, 1);
	wait_until(leg(centre, "o-p2"));
	fake_node_answer(centre->node, "o-p2");
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:ben")->id);
	wait_until(leg(centre, "o-p2")->bridge);
	fake_node_end(centre->node, fake_node_leg_to(centre->node, "user:ben")->id, 16);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM contact WHERE state = 'ended'") == 2);
	wait_until(desk_rig_query(centre, "SELECT count(*) FROM agent WHERE name = 'ben' AND state = 'ready'") == 1);
	tl_control_client_free(client);
	desk_rig_free(centre);
}

/* A second desk at the same store stands by, and reigns when the first has gone: it has the calls then. */
static void test_standby(void)
{
	struct desk_rig *centre = centre_new();
	queue_up(centre, "c1");
	g_autofree char *text = NULL, *dir = g_build_filename(centre->dir, "standby", NULL);
	g_assert_true(g_file_get_contents(centre->config, &text, NULL, NULL));
	g_autoptr(GString) second = g_string_new(text);
	g_autofree char *where = g_strdup_printf("name = standby\nstore = %s\n", centre->db);
	g_autofree char *old_dir = g_strdup_printf("state_dir = %s\n", centre->dir), *new_dir = g_strdup_printf("state_dir = %s\n", dir);
	g_string_replace(second, "name = test\n", where, 1);
	g_string_replace(second, old_dir, new_dir, 1);
	g_string_replace(second, "lease_ms = 20000", "lease_ms = 2000", 1);
	g_string_replace(second, "/desk.sock", "/standby.sock", 1);
	g_assert_true(g_file_set_contents(centre->config, second->str, -1, NULL));
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(centre->config, &error);
	g_assert_no_error(error);
	struct desk *standby = desk_start(settings, &error);
	g_assert_no_error(error);
	queue_up(centre, "c2"); /* long enough for it to try for the lease */
	g_assert_cmpint(centre->node->epoch, ==, 1);
	desk_rig_stop(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") == 2);
	g_assert_cmpint(centre->node->epoch, ==, 2);
	fake_node_phone(centre->node, "ben", TRUE);
	wait_until(fake_node_leg_to(centre->node, "user:ben"));
	g_assert_cmpstr(g_hash_table_lookup(fake_node_leg_to(centre->node, "user:ben")->tags, "contact"), ==,
			g_hash_table_lookup(leg(centre, "c1")->tags, "contact"));
	desk_stop(standby);
	g_autofree char *lock = g_build_filename(dir, "deskd.lock", NULL);
	g_unlink(lock);
	g_rmdir(dir);
	desk_rig_free(centre);
}

static void test_second_process(void)
{
	struct desk_rig *centre = centre_new();
	g_autoptr(GError) error = NULL;
	struct desk *second = desk_start(settings_load(centre->config, NULL), &error);
	g_assert_null(second);
	g_assert_nonnull(strstr(error->message, "another deskd runs"));
	desk_rig_free(centre);
}

static void refused(const char *text, const char *expected)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("trunkline-conf-XXXXXX", &path, NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_close(fd, NULL);
	struct settings *settings = settings_load(path, &error);
	g_unlink(path);
	g_assert_null(settings);
	g_autofree char *line = g_strdup_printf("%s:%s", path, expected);
	if (!g_str_has_prefix(error->message, line))
		g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, line));
}

static void test_settings(void)
{
	refused("[desk]\nstate_dir = /tmp\n[queue q]\nmusic = x.wav\n", "4: [queue q] music: \"x.wav\": expected a sound");
	refused("[desk]\nstate_dir = /tmp\n[service 1]\notherwise = queue:q\n", "4: [service 1] otherwise: \"queue:q\": expected a queue");
	refused("[desk]\nstate_dir = /tmp\n[agent a]\nphone = bob\nqueues = q\n", "4: [agent a] phone: \"bob\": expected user:NAME");
	refused("[desk]\nstate_dir = /tmp\n[agent a]\nphone = user:b\nqueues = q\n", "5: [agent a] queues: \"q\": expected a queue");
	refused("[desk]\nstate_dir = /tmp\n[queue q]\n[agent a]\nphone = user:b\nqueues = q\npassword = secret\n",
		"7: [agent a] password: expected an Argon2id hash");
	refused("[desk]\nstate_dir = /tmp\ncolour = red\n", "3: [desk] colour: unknown key");
	refused("[desk]\nstate_dir = /tmp\n[service sales]\notherwise = release:16\n", "4: [service sales] otherwise: expected a telephone number");
}

static void test_table(void)
{
	g_assert_cmpuint(tl_fsm_faults(&tl_contact_machine, stderr), ==, 0);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_setenv("TL_CHECK_SCHEMA", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desk/settings", test_settings);
	g_test_add_func("/desk/table", test_table);
	g_test_add_func("/desk/call", test_call);
	g_test_add_func("/desk/not-ours", test_not_ours);
	g_test_add_func("/desk/no-answer", test_no_answer);
	g_test_add_func("/desk/overflow", test_overflow);
	g_test_add_func("/desk/connect", test_connect);
	g_test_add_func("/desk/restart", test_restart);
	g_test_add_func("/desk/nobody-there", test_nobody_there);
	g_test_add_func("/desk/restart-ringing", test_restart_ringing);
	g_test_add_func("/desk/node-reboots", test_node_reboots);
	g_test_add_func("/desk/stale-epoch", test_stale_epoch);
	g_test_add_func("/desk/place", test_place);
	g_test_add_func("/desk/standby", test_standby);
	g_test_add_func("/desk/second-process", test_second_process);
	return g_test_run();
}
