/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The acd on a real store: who gets whom, and that nobody gets two. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "acd/acd.h"
#include "base/clock.h"
#include "base/fsm.h"
#include "base/thread.h"

struct centre {
	char *dir, *path;
	struct tl_store *store;
	struct tl_acd *acd;
	GPtrArray *rung; /* "contact>agent" */
	unsigned done;   /* statements completed */
	int64_t answer;
	unsigned restored;
};

static void on_assigned(const struct tl_assignment *assignment, void *user)
{
	struct centre *centre = user;
	g_ptr_array_add(centre->rung, g_strdup_printf("%s>%s", assignment->contact, assignment->agent));
}
static void on_agent(const struct tl_agent_info *agent, void *user) { (void)agent, (void)user; }
static void on_queue(const struct tl_queue_info *queue, void *user) { (void)queue, (void)user; }

static void on_done(const struct tl_result *result, const GError *error, void *user)
{
	struct centre *centre = user;
	g_assert_no_error(error);
	if (tl_result_rows(result, 0))
		centre->answer = tl_result_int(result, 0, 0, 0);
	centre->done++;
}

/* One statement, waited for; so all that was submitted before it is done as well. */
static int64_t run(struct centre *centre, const char *sql, const char *text)
{
	struct tl_transaction *t = tl_transaction_new("test");
	unsigned before = centre->done;
	if (text)
		tl_transaction_add(t, sql, TL_VALUES(tl_text(text)));
	else
		tl_transaction_add(t, sql, TL_VALUES());
	centre->answer = -1;
	tl_store_submit(centre->store, t, on_done, centre);
	while (centre->done == before)
		g_main_context_iteration(NULL, TRUE);
	return centre->answer;
}
static void settle(struct centre *centre)
{
	run(centre, "SELECT 1", NULL);
	run(centre, "SELECT 1", NULL); /* and what its callbacks submitted */
}

static void on_restored(const GError *error, void *user)
{
	g_assert_no_error(error);
	((struct centre *)user)->restored++;
}

static void begin(struct centre *centre)
{
	static const struct tl_acd_handler handler = { on_assigned, on_agent, on_queue };
	static const char *const both[] = { "sales", "support", NULL }, *const sales[] = { "sales", NULL };
	unsigned before = centre->restored;
	centre->acd = tl_acd_new(centre->store, &handler, centre);
	tl_acd_set_queue(centre->acd, &(struct tl_queue_settings){ "sales", 20, 10 });
	tl_acd_set_queue(centre->acd, &(struct tl_queue_settings){ "support", 20, 0 });
	g_assert_true(tl_acd_set_agent(centre->acd, &(struct tl_agent_settings){ "anna", "Anna", "anna", both, false }, NULL));
	g_assert_true(tl_acd_set_agent(centre->acd, &(struct tl_agent_settings){ "ben", "Ben", "ben", sales, true }, NULL));
	run(centre, "UPDATE lease SET epoch = epoch + 1", NULL);
	tl_acd_begin(centre->acd, run(centre, "SELECT epoch FROM lease", NULL), on_restored, centre);
	while (centre->restored == before)
		g_main_context_iteration(NULL, TRUE);
}

static struct centre *centre_new(void)
{
	struct centre *centre = g_new0(struct centre, 1);
	centre->dir = g_dir_make_tmp("trunkline-acd-XXXXXX", NULL);
	centre->path = g_build_filename(centre->dir, "desk.db", NULL);
	centre->rung = g_ptr_array_new_with_free_func(g_free);
	centre->store = tl_store_open(centre->path, NULL, NULL, NULL);
	g_assert_nonnull(centre->store);
	run(centre, "INSERT INTO lease (name, holder, epoch, expires_us) VALUES ('conductor', 'test', 6, 0)", NULL);
	begin(centre);
	tl_acd_open(centre->acd);
	return centre;
}

static void centre_free(struct centre *centre)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	tl_store_free(centre->store);
	tl_acd_free(centre->acd);
	for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file = g_strconcat(centre->path, suffixes[i], NULL);
		g_unlink(file);
	}
	g_rmdir(centre->dir);
	g_ptr_array_unref(centre->rung);
	g_free(centre->path);
	g_free(centre->dir);
	g_free(centre);
}

static void call(struct centre *centre, const char *contact, const char *queue, int64_t at)
{
	run(centre, "INSERT INTO contact (id, kind, state, node, leg, called, calling, started_utc_us) "
		    "VALUES ($1, 'call', 'open', 'n', $1, '100', '', 1)", contact);
	g_autoptr(GError) error = NULL;
	tl_acd_enqueue(centre->acd, contact, queue, NULL, at, &error);
	g_assert_no_error(error);
}

static void ready(struct centre *centre, const char *agent)
{
	g_autoptr(GError) error = NULL;
	tl_acd_phone(centre->acd, agent, true);
	tl_acd_set_state(centre->acd, agent, TL_AGENT_READY, NULL, &error);
	g_assert_no_error(error);
}

static enum tl_agent_state state(struct centre *centre, const char *agent)
{
	struct tl_agent_info info;
	g_assert_true(tl_acd_agent_info(centre->acd, agent, &info));
	return info.state;
}

static const char *rung(struct centre *centre, unsigned i)
{
	return i < centre->rung->len ? g_ptr_array_index(centre->rung, i) : "(none)";
}

static void test_longest_idle(void)
{
	struct centre *centre = centre_new();
	ready(centre, "ben");
	g_usleep(2000); /* the two must not become idle in the same microsecond */
	ready(centre, "anna");
	call(centre, "c1", "sales", 0);
	settle(centre);
	g_assert_cmpstr(rung(centre, 0), ==, "c1>ben");
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_RINGING);
	call(centre, "c2", "sales", 0);
	settle(centre);
	g_assert_cmpstr(rung(centre, 1), ==, "c2>anna");
	g_assert_cmpint(run(centre, "SELECT count(*) FROM assignment WHERE ended_utc_us IS NULL", NULL), ==, 2);
	g_assert_cmpint(run(centre, "SELECT count(*) FROM agent WHERE state = 'ringing'", NULL), ==, 2);
	centre_free(centre);
}

/* An agent of two queues takes the oldest of both; a contact is given once, however many become ready. */
static void test_oldest_first(void)
{
	struct centre *centre = centre_new();
	call(centre, "young", "sales", 2000);
	call(centre, "old", "support", 1000);
	g_assert_cmpuint(tl_acd_position(centre->acd, "old"), ==, 1);
	ready(centre, "anna");
	ready(centre, "ben");
	settle(centre);
	g_assert_cmpuint(centre->rung->len, ==, 2);
	g_assert_cmpstr(rung(centre, 0), ==, "old>anna");
	g_assert_cmpstr(rung(centre, 1), ==, "young>ben");
	centre_free(centre);
}

static void test_no_answer(void)
{
	struct centre *centre = centre_new();
	struct tl_agent_info info;
	call(centre, "c1", "sales", 1000);
	call(centre, "c2", "sales", 2000);
	ready(centre, "ben");
	settle(centre);
	g_assert_cmpstr(rung(centre, 0), ==, "c1>ben");
	tl_acd_unanswered(centre->acd, "c1", "no answer");
	g_assert_true(tl_acd_agent_info(centre->acd, "ben", &info));
	g_assert_cmpint(info.state, ==, TL_AGENT_BREAK);
	g_assert_cmpstr(info.reason, ==, "no answer");
	g_assert_cmpuint(tl_acd_position(centre->acd, "c1"), ==, 1);
	ready(centre, "anna");
	settle(centre);
	g_assert_cmpstr(rung(centre, 1), ==, "c1>anna");
	centre_free(centre);
}

static void test_talk_and_wrap_up(void)
{
	struct centre *centre = centre_new();
	ready(centre, "ben");
	call(centre, "c1", "sales", 0);
	settle(centre);
	tl_acd_answered(centre->acd, "c1");
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_TALKING);
	call(centre, "c2", "sales", 0);
	tl_acd_finished(centre->acd, "c1", false);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_WRAP_UP);
	tl_clock_advance(9 * G_USEC_PER_SEC);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_WRAP_UP);
	tl_clock_advance(G_USEC_PER_SEC);
	settle(centre);
	g_assert_cmpstr(rung(centre, 1), ==, "c2>ben");
	/* A break asked for during the call comes after it. */
	tl_acd_answered(centre->acd, "c2");
	g_assert_true(tl_acd_set_state(centre->acd, "ben", TL_AGENT_BREAK, "lunch", NULL));
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_TALKING);
	tl_acd_finished(centre->acd, "c2", false);
	tl_clock_advance(10 * G_USEC_PER_SEC);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_BREAK);
	g_assert_cmpint(run(centre, "SELECT count(*) FROM assignment WHERE outcome = 'served'", NULL), ==, 2);
	centre_free(centre);
}

/* The caller hangs up while the assignment is on its way to the disk: nobody rings, the agent is free again. */
static void test_gone_while_assigning(void)
{
	struct centre *centre = centre_new();
	ready(centre, "ben");
	call(centre, "c1", "sales", 0);
	tl_acd_finished(centre->acd, "c1", false);
	settle(centre);
	g_assert_cmpuint(centre->rung->len, ==, 0);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_READY);
	g_assert_cmpint(run(centre, "SELECT count(*) FROM assignment WHERE ended_utc_us IS NULL", NULL), ==, 0);
	call(centre, "c2", "sales", 0);
	settle(centre);
	g_assert_cmpstr(rung(centre, 0), ==, "c2>ben");
	centre_free(centre);
}

static void test_phone_gone_while_assigning(void)
{
	struct centre *centre = centre_new();
	ready(centre, "ben");
	call(centre, "c1", "sales", 0);
	tl_acd_phone(centre->acd, "ben", false);
	settle(centre);
	g_assert_cmpuint(centre->rung->len, ==, 0);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_OFFLINE);
	g_assert_cmpint(run(centre, "SELECT count(*) FROM assignment WHERE ended_utc_us IS NULL", NULL), ==, 0);
	ready(centre, "ben");
	settle(centre);
	g_assert_cmpstr(rung(centre, 0), ==, "c1>ben");
	centre_free(centre);
}

static void test_phone(void)
{
	struct centre *centre = centre_new();
	g_autoptr(GError) error = NULL;
	g_assert_false(tl_acd_set_state(centre->acd, "anna", TL_AGENT_READY, NULL, &error));
	g_assert_error(error, TL_ACD_ERROR, TL_ACD_ERROR_STATE);
	tl_acd_phone(centre->acd, "ben", true);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_READY);
	tl_acd_phone(centre->acd, "ben", false);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_OFFLINE);
	/* It goes in a call and comes back in the wrap-up: ready after it. When it stays away: offline. */
	tl_acd_phone(centre->acd, "ben", true);
	for (unsigned i = 0; i < 2; i++) {
		call(centre, i ? "second" : "first", "sales", 0);
		settle(centre);
		tl_acd_answered(centre->acd, i ? "second" : "first");
		tl_acd_phone(centre->acd, "ben", false);
		g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_TALKING);
		tl_acd_finished(centre->acd, i ? "second" : "first", false);
		if (!i)
			tl_acd_phone(centre->acd, "ben", true);
		tl_clock_advance(10 * G_USEC_PER_SEC);
		g_assert_cmpint(state(centre, "ben"), ==, i ? TL_AGENT_OFFLINE : TL_AGENT_READY);
	}
	/* It vanishes while it rings: the caller keeps its place. */
	tl_acd_phone(centre->acd, "ben", true);
	call(centre, "c1", "sales", 1000);
	settle(centre);
	tl_acd_phone(centre->acd, "ben", false);
	tl_acd_unanswered(centre->acd, "c1", "no answer");
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_OFFLINE);
	g_assert_cmpuint(tl_acd_position(centre->acd, "c1"), ==, 1);
	centre_free(centre);
}

/* A desk that is no longer the conductor assigns nothing, though it does not know it yet. */
static void test_deposed(void)
{
	struct centre *centre = centre_new();
	run(centre, "UPDATE lease SET epoch = 8", NULL);
	ready(centre, "ben");
	call(centre, "c1", "sales", 0);
	settle(centre);
	g_assert_cmpuint(centre->rung->len, ==, 0);
	g_assert_cmpint(run(centre, "SELECT count(*) FROM assignment", NULL), ==, 0);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_READY);
	run(centre, "UPDATE lease SET epoch = 7", NULL);
	tl_clock_advance(G_USEC_PER_SEC);
	settle(centre);
	g_assert_cmpstr(rung(centre, 0), ==, "c1>ben");
	centre_free(centre);
}

/* Another desk takes over: order, states and open assignments are as they were. */
static void test_restore(void)
{
	struct centre *centre = centre_new();
	call(centre, "first", "sales", 1000);
	ready(centre, "ben");
	settle(centre);
	tl_acd_answered(centre->acd, "first");
	call(centre, "third", "sales", 3000);
	call(centre, "second", "sales", 2000);
	settle(centre);
	tl_acd_free(centre->acd);
	begin(centre);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_TALKING);
	tl_acd_confirm(centre->acd, "third", true);
	tl_acd_confirm(centre->acd, "second", true);
	g_assert_cmpuint(tl_acd_position(centre->acd, "second"), ==, 1);
	g_assert_cmpuint(tl_acd_position(centre->acd, "third"), ==, 2);
	tl_acd_open(centre->acd);
	tl_acd_phone(centre->acd, "ben", true);
	tl_acd_finished(centre->acd, "first", false);
	g_assert_cmpint(state(centre, "ben"), ==, TL_AGENT_WRAP_UP);
	g_assert_true(tl_acd_set_state(centre->acd, "ben", TL_AGENT_READY, NULL, NULL));
	settle(centre);
	g_assert_cmpstr(rung(centre, centre->rung->len - 1), ==, "second>ben");
	centre_free(centre);
}

static void test_table(void)
{
	g_assert_cmpuint(tl_fsm_faults(&tl_agent_machine, stderr), ==, 0);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	tl_clock_fake(1000000);
	g_test_add_func("/acd/longest-idle", test_longest_idle);
	g_test_add_func("/acd/oldest-first", test_oldest_first);
	g_test_add_func("/acd/no-answer", test_no_answer);
	g_test_add_func("/acd/talk-and-wrap-up", test_talk_and_wrap_up);
	g_test_add_func("/acd/gone-while-assigning", test_gone_while_assigning);
	g_test_add_func("/acd/phone-gone-while-assigning", test_phone_gone_while_assigning);
	g_test_add_func("/acd/phone", test_phone);
	g_test_add_func("/acd/deposed", test_deposed);
	g_test_add_func("/acd/restore", test_restore);
	g_test_add_func("/acd/table", test_table);
	return g_test_run();
}
