/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Flows as data: what a run asks for, step by step, and what is refused. */
#include <glib.h>
#include <stdio.h>

#include "base/fsm.h"
#include "base/thread.h"
#include "flow/flow.h"

static const char *const none[] = { NULL };
static const char *const hello[] = { "file:hello", NULL };
static const char *const choose[] = { "file:choose", NULL };
static const char *const menu[] = { "1:queue:sales", "2:connect:group:pstn", "3:service:200", "9:release:17", NULL };

/* The run's wishes, one after the other: "step menu; collect file:choose". */
static void note(void *user, const char *what, const char *detail)
{
	GString *log = user;
	g_string_append_printf(log, "%s%s %s", log->len ? "; " : "", what, detail);
}
static void op_step(void *user, const char *step, const struct tl_flow_fallback *fallback)
{
	g_autofree char *cause = g_strdup_printf("%u", fallback->cause);
	g_autofree char *text = g_strdup_printf("%s (%s after %u)", step, fallback->route ? fallback->route : cause,
						fallback->after_s);
	note(user, "step", text);
}
static void op_play(void *user, const char *const *sounds) { note(user, "play", sounds[0]); }
static void op_collect(void *user, const char *const *sounds, unsigned wait_s)
{
	g_assert_cmpuint(wait_s, ==, 5);
	g_autofree char *all = g_strjoinv(" ", (char **)sounds);
	note(user, "collect", all);
}
static void op_queue(void *user, const struct tl_flow_queue *queue) { note(user, "queue", queue->name); }
static void op_connect(void *user, const char *target, bool clear) { note(user, clear ? "clear" : "connect", target); }
static void op_fax(void *user, const char *box) { note(user, "fax", box); }
static void op_detect_fax(void *user) { note(user, "detect", "fax"); }
static void op_release(void *user, unsigned cause)
{
	g_autofree char *text = g_strdup_printf("%u", cause);
	note(user, "release", text);
}
static const struct tl_flow_ops ops = { op_step, op_play, op_collect, op_queue, op_connect, op_fax, op_detect_fax, op_release };

static struct tl_flows *flows_new(void)
{
	struct tl_flows *flows = tl_flows_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *culprit = NULL;
	tl_flows_add_queue(flows, &(struct tl_flow_queue){ "sales", "file:music", none, 0, 60, "announcement:file:sorry" }, &error);
	g_assert_no_error(error);
	tl_flows_add_service(flows, &(struct tl_flow_service){ "100", hello, choose, menu, 5, 2, "queue:sales" }, &error);
	g_assert_no_error(error);
	tl_flows_add_service(flows, &(struct tl_flow_service){ "200", none, none, none, 5, 2, "release:21" }, &error);
	g_assert_no_error(error);
	tl_flows_add_service(flows, &(struct tl_flow_service){ "400", hello, none, none, 5, 2, "release:21" }, &error);
	g_assert_no_error(error);
	tl_flows_add_service(flows, &(struct tl_flow_service){ "300", none, none, none, 5, 2, "service:300" }, &error);
	g_assert_no_error(error);
	g_assert_true(tl_flows_check(flows, &culprit, &error));
	return flows;
}

static void heard(GString *log, const char *expected)
{
	g_assert_cmpstr(log->str, ==, expected);
	g_string_truncate(log, 0);
}

static void test_menu(void)
{
	struct tl_flows *flows = flows_new();
	g_autoptr(GString) log = g_string_new(NULL);
	struct tl_flow_run *run = tl_flow_run_new(flows, "100", &ops, log);
	tl_flow_run_start(run, NULL);
	heard(log, "step menu (41 after 30); collect file:hello file:choose");
	tl_flow_run_played(run);
	heard(log, "");
	tl_flow_run_collected(run, "7"); /* leads nowhere: once more */
	heard(log, "step menu (41 after 30); collect file:choose");
	tl_flow_run_collected(run, "1");
	heard(log, "step queue:sales (announcement:file:sorry after 60); queue sales");
	tl_flow_run_played(run);
	heard(log, "");
	tl_flow_run_overflowed(run);
	heard(log, "step announcement:file:sorry (16 after 30); play file:sorry");
	tl_flow_run_played(run);
	heard(log, "release 16");
	tl_flow_run_free(run);
	tl_flows_free(flows);
}

static void test_silent_caller(void)
{
	struct tl_flows *flows = flows_new();
	g_autoptr(GString) log = g_string_new(NULL);
	struct tl_flow_run *run = tl_flow_run_new(flows, "100", &ops, log);
	tl_flow_run_start(run, "menu");
	tl_flow_run_collected(run, "");
	g_string_truncate(log, 0);
	tl_flow_run_collected(run, "");
	heard(log, "step queue:sales (announcement:file:sorry after 60); queue sales");
	tl_flow_run_free(run);
	tl_flows_free(flows);
}

static void test_destinations(void)
{
	struct tl_flows *flows = flows_new();
	g_autoptr(GString) log = g_string_new(NULL);
	struct tl_flow_run *run = tl_flow_run_new(flows, "100", &ops, log);
	tl_flow_run_start(run, "menu");
	g_string_truncate(log, 0);
	tl_flow_run_collected(run, "2");
	heard(log, "step connect:group:pstn (group:pstn after 30); connect group:pstn");
	tl_flow_run_failed(run, 34);
	heard(log, "release 34");
	tl_flow_run_start(run, "menu");
	g_string_truncate(log, 0);
	tl_flow_run_collected(run, "3");
	heard(log, "release 21");
	tl_flow_run_start(run, "menu");
	g_string_truncate(log, 0);
	tl_flow_run_collected(run, "9");
	heard(log, "release 17");
	tl_flow_run_free(run);
	tl_flows_free(flows);
}

/* Another desk goes on: from the step's own text; one that is no longer there ends the call rather than the desk. */
static void test_resume(void)
{
	struct tl_flows *flows = flows_new();
	g_autoptr(GString) log = g_string_new(NULL);
	struct tl_flow_run *run = tl_flow_run_new(flows, "100", &ops, log);
	tl_flow_run_start(run, "queue:sales");
	heard(log, "step queue:sales (announcement:file:sorry after 60); queue sales");
	tl_flow_run_start(run, "queue:closed-down");
	heard(log, "release 31");
	tl_flow_run_start(run, "what is this");
	heard(log, "step menu (41 after 30); collect file:hello file:choose");
	tl_flow_run_free(run);
	run = tl_flow_run_new(flows, "400", &ops, log);
	tl_flow_run_start(run, NULL);
	heard(log, "step announce (21 after 30); play file:hello");
	tl_flow_run_played(run);
	heard(log, "release 21");
	tl_flow_run_free(run);
	run = tl_flow_run_new(flows, "300", &ops, log); /* leads to itself */
	tl_flow_run_start(run, NULL);
	heard(log, "release 31");
	tl_flow_run_free(run);
	tl_flows_free(flows);
}

static void refused(const char *const *announce, const char *const *entries, const char *otherwise, const char *expected)
{
	struct tl_flows *flows = tl_flows_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *culprit = NULL;
	bool ok = tl_flows_add_service(flows, &(struct tl_flow_service){ "1", announce, none, entries, 5, 2, otherwise }, &error) &&
		  tl_flows_check(flows, &culprit, &error);
	g_assert_false(ok);
	g_assert_nonnull(strstr(error->message, expected));
	tl_flows_free(flows);
}

static void test_refusals(void)
{
	static const char *const no_sound[] = { "hello.wav", NULL }, *const no_key[] = { "x:queue:sales", NULL };
	static const char *const no_queue[] = { "1:queue:none", NULL };
	refused(no_sound, none, "release:16", "announce: \"hello.wav\": expected a sound");
	refused(none, no_key, "release:16", "menu: \"x:queue:sales\": expected KEY:DESTINATION");
	refused(none, no_queue, "release:16", "menu: \"queue:none\": expected a queue that is configured");
	refused(none, none, "release:200", "otherwise: release:200: expected a Q.850 cause");
	refused(none, none, "sales", "otherwise: \"sales\": expected queue:NAME");
	refused(none, none, "connect:bob", "otherwise: \"bob\": expected a target");
}

static void test_table(void)
{
	g_assert_cmpuint(tl_fsm_faults(&tl_flow_machine, stderr), ==, 0);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flow/menu", test_menu);
	g_test_add_func("/flow/silent-caller", test_silent_caller);
	g_test_add_func("/flow/destinations", test_destinations);
	g_test_add_func("/flow/resume", test_resume);
	g_test_add_func("/flow/refusals", test_refusals);
	g_test_add_func("/flow/table", test_table);
	return g_test_run();
}
