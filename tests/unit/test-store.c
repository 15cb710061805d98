/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The store: shared commits, isolated failures, what a kill leaves, a full disk, and two desks at one lease. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "store/store.h"

static char *self;

static char *new_path(void)
{
	g_autofree char *dir = g_dir_make_tmp("trunkline-store-XXXXXX", NULL);
	return g_build_filename(dir, "desk.db", NULL);
}

static void remove_all(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
		g_unlink(file);
	}
	g_autofree char *dir = g_path_get_dirname(path);
	g_rmdir(dir);
}

static struct tl_store *must_open(const char *path)
{
	g_autoptr(GError) error = NULL;
	struct tl_store *store = tl_store_open(path, NULL, NULL, &error);
	g_assert_no_error(error);
	return store;
}

static struct tl_transaction *put_queue(const char *name, bool with_guard)
{
	struct tl_transaction *t = tl_transaction_new("put");
	tl_transaction_add(t, "INSERT INTO queue (name, settings) VALUES ($1, $2)", TL_VALUES(tl_text(name), tl_text("{}")));
	if (with_guard) {
		tl_transaction_add(t, "UPDATE queue SET settings = 'x' WHERE name = $1", TL_VALUES(tl_text("nobody")));
		tl_transaction_expect(t, 1);
	}
	return t;
}

struct tally {
	unsigned good, bad, done;
	int code; /* of the last error */
};

static void on_tally(const struct tl_result *result, const GError *error, void *user)
{
	struct tally *tally = user;
	g_assert_true((result != NULL) != (error != NULL));
	tally->done++;
	if (error) {
		tally->bad++;
		tally->code = error->code;
	} else {
		tally->good++;
	}
}

static void wait_for(const unsigned *count, unsigned n)
{
	while (*count < n)
		g_main_context_iteration(NULL, TRUE);
}

struct answer {
	unsigned done;
	int64_t n;
};

static void on_answer(const struct tl_result *result, const GError *error, void *user)
{
	struct answer *answer = user;
	g_assert_no_error(error);
	answer->n = tl_result_int(result, 0, 0, 0);
	answer->done++;
}

static int64_t count_queues(struct tl_store *store)
{
	struct answer answer = { 0 };
	struct tl_transaction *t = tl_transaction_new("count");
	tl_transaction_add(t, "SELECT count(*) FROM queue", TL_VALUES());
	tl_store_submit(store, t, on_answer, &answer);
	wait_for(&answer.done, 1);
	return answer.n;
}

static void test_shared_commit(void)
{
	g_autofree char *path = new_path();
	struct tl_store *store = must_open(path);
	struct tally tally = { 0 };
	for (unsigned i = 0; i < 1000; i++) {
		g_autofree char *name = g_strdup_printf("q%u", i);
		tl_store_submit(store, put_queue(name, false), on_tally, &tally);
	}
	wait_for(&tally.done, 1000);
	g_assert_cmpuint(tally.good, ==, 1000);
	g_assert_cmpuint(tl_store_commits(store), <, 1000);
	g_assert_cmpint(count_queues(store), ==, 1000);
	tl_store_free(store);
	remove_all(path);
}

/* One that breaks a guard and one that breaks a constraint, between good ones of the same batch. */
static void test_isolation(void)
{
	g_autofree char *path = new_path();
	struct tl_store *store = must_open(path);
	struct tally good = { 0 }, guard = { 0 }, conflict = { 0 };
	for (unsigned i = 0; i < 50; i++) {
		g_autofree char *a = g_strdup_printf("a%u", i), *b = g_strdup_printf("b%u", i);
		tl_store_submit(store, put_queue(a, false), on_tally, &good);
		tl_store_submit(store, put_queue(b, true), on_tally, &guard);
		tl_store_submit(store, put_queue(a, false), on_tally, &conflict);
	}
	wait_for(&conflict.done, 50);
	g_assert_cmpuint(good.good, ==, 50);
	g_assert_cmpuint(guard.bad, ==, 50);
	g_assert_cmpint(guard.code, ==, TL_STORE_ERROR_GUARD);
	g_assert_cmpuint(conflict.bad, ==, 50);
	g_assert_cmpint(conflict.code, ==, TL_STORE_ERROR_CONFLICT);
	g_assert_null(tl_store_alarm(store));
	g_assert_cmpint(count_queues(store), ==, 50);
	tl_store_free(store);
	remove_all(path);
}

static void on_written(const struct tl_result *result, const GError *error, void *user)
{
	g_assert_no_error(error);
	printf("%u\n", GPOINTER_TO_UINT(user));
	fflush(stdout);
}

/* Writes and says what was acknowledged, until it is killed. */
static G_NORETURN void child_writes(const char *path)
{
	struct tl_store *store = must_open(path);
	for (unsigned i = 0;; i++) {
		g_autofree char *name = g_strdup_printf("%u", i);
		tl_store_submit(store, put_queue(name, false), on_written, GUINT_TO_POINTER(i));
		g_main_context_iteration(NULL, i % 16 == 15);
	}
}

static void test_killed(void)
{
	g_autofree char *path = new_path();
	int pipe_fd;
	GPid child;
	char *argv[] = { self, "--child", path, NULL };
	g_autoptr(GError) error = NULL;
	g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &child, NULL, &pipe_fd, NULL, &error);
	g_assert_no_error(error);
	FILE *lines = fdopen(pipe_fd, "r");
	unsigned n, last = 0, heard = 0;
	while (fscanf(lines, "%u", &n) == 1) {
		last = n;
		if (++heard == 300)
			kill(child, SIGKILL);
	}
	fclose(lines);
	waitpid(child, NULL, 0);
	g_assert_cmpuint(heard, >=, 300);
	struct tl_store *store = must_open(path);
	g_assert_cmpint(count_queues(store), >=, last + 1);
	tl_store_free(store);
	remove_all(path);
}

static void on_alarm(const char *why, void *user)
{
	unsigned *alarms = user;
	alarms[why ? 0 : 1]++;
}

/* A file size limit stands in for a full disk: the alarm comes, and goes when there is room again. */
static void test_disk_full(void)
{
	g_autofree char *path = new_path();
	unsigned alarms[2] = { 0 };
	g_autoptr(GError) error = NULL;
	struct tl_store *store = tl_store_open(path, on_alarm, alarms, &error);
	g_assert_no_error(error);
	struct tally before = { 0 }, full = { 0 }, after = { 0 };
	tl_store_submit(store, put_queue("before", false), on_tally, &before);
	wait_for(&before.done, 1);
	struct rlimit old, small = { .rlim_cur = 4096 };
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	tl_store_submit(store, put_queue("full", false), on_tally, &full);
	wait_for(&full.done, 1);
	g_assert_cmpint(full.code, ==, TL_STORE_ERROR_STORAGE);
	g_assert_nonnull(tl_store_alarm(store));
	g_assert_cmpuint(alarms[0], ==, 1);
	setrlimit(RLIMIT_FSIZE, &old);
	tl_store_submit(store, put_queue("after", false), on_tally, &after);
	wait_for(&after.done, 1);
	g_assert_cmpuint(after.good, ==, 1);
	g_assert_cmpuint(alarms[1], ==, 1);
	g_assert_cmpint(count_queues(store), ==, 2);
	tl_store_free(store);
	remove_all(path);
}

static void test_cannot_open(void)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(tl_store_open("/nonexistent/desk.db", NULL, NULL, &error));
	g_assert_error(error, TL_STORE_ERROR, TL_STORE_ERROR_OPEN);
	g_assert_nonnull(strstr(error->message, "/nonexistent/desk.db"));
}

struct holder {
	int64_t epoch;
	unsigned changes;
};

static void on_lease(int64_t epoch, void *user)
{
	struct holder *holder = user;
	holder->epoch = epoch;
	holder->changes++;
}

/* Two desks, two stores, one file: one reigns; when it goes, the other does, with a higher epoch. */
static void test_two_desks(void)
{
	g_autofree char *path = new_path();
	struct tl_store *a = must_open(path), *b = must_open(path);
	struct holder first = { 0 }, second = { 0 };
	struct tl_lease *one = tl_lease_new(a, "one", 5000, on_lease, &first);
	wait_for(&first.changes, 1);
	g_assert_cmpint(first.epoch, ==, 1);
	struct tl_lease *two = tl_lease_new(b, "two", 2000, on_lease, &second);
	tl_lease_raise(one, 40);
	wait_for(&first.changes, 2);
	g_assert_cmpint(first.epoch, ==, 41);
	g_assert_cmpuint(second.changes, ==, 0);
	tl_lease_free(one);
	wait_for(&second.changes, 1);
	g_assert_cmpint(second.epoch, ==, 42);
	struct tally deposed = { 0 }, reigning = { 0 };
	struct tl_transaction *t = put_queue("by the deposed", false);
	tl_transaction_guard(t, 41);
	tl_store_submit(a, t, on_tally, &deposed);
	t = put_queue("by the conductor", false);
	tl_transaction_guard(t, 42);
	tl_store_submit(b, t, on_tally, &reigning);
	wait_for(&deposed.done, 1);
	wait_for(&reigning.done, 1);
	g_assert_cmpint(deposed.code, ==, TL_STORE_ERROR_GUARD);
	g_assert_cmpuint(reigning.good, ==, 1);
	g_assert_cmpint(count_queues(b), ==, 1);
	tl_lease_free(two);
	tl_store_free(a);
	tl_store_free(b);
	remove_all(path);
}

/* The holder that cannot renew gives up by its own clock. */
static void test_cannot_renew(void)
{
	g_autofree char *path = new_path();
	struct tl_store *a = must_open(path), *b = must_open(path);
	struct holder first = { 0 };
	struct tl_lease *one = tl_lease_new(a, "one", 1000, on_lease, &first);
	wait_for(&first.changes, 1);
	struct tally stolen = { 0 };
	struct tl_transaction *t = tl_transaction_new("steal");
	tl_transaction_add(t, "UPDATE lease SET holder = 'two', epoch = epoch + 1, expires_us = now_us() + 60000000", TL_VALUES());
	tl_store_submit(b, t, on_tally, &stolen);
	wait_for(&first.changes, 2);
	g_assert_cmpint(first.epoch, ==, 0);
	tl_lease_free(one);
	tl_store_free(a);
	tl_store_free(b);
	remove_all(path);
}

/* A renewal that the disk answers when the reign is over here already makes a new reign, not the old one again. */
static void test_late_renewal(void)
{
	g_autofree char *path = new_path();
	struct tl_store *store = must_open(path);
	struct holder holder = { 0 };
	tl_clock_fake(1000000);
	struct tl_lease *lease = tl_lease_new(store, "one", 1000, on_lease, &holder);
	wait_for(&holder.changes, 1);
	tl_clock_advance(300000); /* it is asked for */
	tl_clock_advance(700000); /* and not there in time */
	g_assert_cmpint(holder.epoch, ==, 0);
	wait_for(&holder.changes, 3);
	g_assert_cmpint(holder.epoch, ==, 2);
	tl_lease_free(lease);
	tl_store_free(store);
	remove_all(path);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	self = argv[0];
	if (argc == 3 && !g_strcmp0(argv[1], "--child"))
		child_writes(argv[2]);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/shared-commit", test_shared_commit);
	g_test_add_func("/store/isolation", test_isolation);
	g_test_add_func("/store/killed", test_killed);
	g_test_add_func("/store/disk-full", test_disk_full);
	g_test_add_func("/store/cannot-open", test_cannot_open);
	g_test_add_func("/store/two-desks", test_two_desks);
	g_test_add_func("/store/cannot-renew", test_cannot_renew);
	g_test_add_func("/store/late-renewal", test_late_renewal);
	return g_test_run();
}
