/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/journal.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

struct bench {
	char *directory;
	struct tl_journal *journal;
	struct tl_journal_past past;
	unsigned durable, commits, faults;
	bool well;
	GPtrArray *read;
};

static void on_committed(void *user)
{
	((struct bench *)user)->commits++;
}

static void on_fault(const char *why, void *user)
{
	struct bench *bench = user;
	bench->faults += why != NULL;
	bench->well = !why;
}

static void on_durable(void *user)
{
	((struct bench *)user)->durable++;
}

static void on_read(GPtrArray *payloads, uint64_t last, const GError *error, void *user)
{
	g_assert_no_error(error);
	((struct bench *)user)->read = g_ptr_array_ref(payloads);
}

static void await(bool (*done)(struct bench *), struct bench *bench)
{
	gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
	while (!done(bench)) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		g_main_context_iteration(NULL, FALSE) ?: g_usleep(200);
	}
}

static void open_sized(struct bench *bench, size_t segment_octets)
{
	const struct tl_journal_handler handler = { on_committed, on_fault };
	struct tl_journal_config config = { bench->directory, segment_octets, 1 << 30 };
	g_autoptr(GError) error = NULL;
	bench->journal = tl_journal_open(&config, &handler, bench, &bench->past, &error);
	g_assert_no_error(error);
}

static void set_up(struct bench *bench, gconstpointer data)
{
	bench->directory = g_dir_make_tmp("journal-XXXXXX", NULL);
	open_sized(bench, 1 << 20);
}

static void close_journal(struct bench *bench)
{
	tl_journal_close(bench->journal, 10000);
	tl_journal_past_clear(&bench->past);
	g_clear_pointer(&bench->read, g_ptr_array_unref);
	bench->journal = NULL;
}

static void tear_down(struct bench *bench, gconstpointer data)
{
	if (bench->journal)
		close_journal(bench);
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", bench->directory);
	g_assert_cmpint(system(command), ==, 0);
	g_free(bench->directory);
}

static void append(struct bench *bench, enum tl_record_kind kind, const char *subject, const char *payload)
{
	struct tl_record record = { .at_ns = 7000, .utc_us = 9000000 + tl_journal_next(bench->journal), .kind = kind,
				    .subject = subject, .n_subject = strlen(subject), .payload = payload,
				    .n_payload = strlen(payload) };
	tl_journal_append(bench->journal, &record, on_durable, bench);
}

static void read_all(struct bench *bench, uint64_t after)
{
	g_clear_pointer(&bench->read, g_ptr_array_unref);
	tl_journal_read(bench->journal, after, 1000, on_read, bench);
	while (!bench->read)
		g_main_context_iteration(NULL, TRUE);
}

static bool all_durable(struct bench *bench)
{
	return tl_journal_last(bench->journal) + 1 == tl_journal_next(bench->journal);
}

static unsigned count_files(struct bench *bench)
{
	unsigned n = 0;
	GDir *dir = g_dir_open(bench->directory, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));)
		n += g_str_has_suffix(name, ".journal");
	g_dir_close(dir);
	return n;
}

static char *newest_path(struct bench *bench)
{
	char *newest = NULL;
	GDir *dir = g_dir_open(bench->directory, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));)
		if (g_str_has_suffix(name, ".journal") && (!newest || strcmp(name, newest) > 0)) {
			g_free(newest);
			newest = g_strdup(name);
		}
	g_dir_close(dir);
	char *path = g_build_filename(bench->directory, newest, NULL);
	g_free(newest);
	return path;
}

static void test_crc(void)
{
	/* RFC 3720 B.4: 32 octets of zeros, of ones */
	uint8_t octets[32] = { 0 };
	g_assert_cmphex(tl_crc32c(octets, 32), ==, 0x8a9136aa);
	memset(octets, 0xff, 32);
	g_assert_cmphex(tl_crc32c(octets, 32), ==, 0x62a8ab43);
}

static void test_append_read(struct bench *bench, gconstpointer data)
{
	append(bench, TL_RECORD_OPENS, "a", "one");
	append(bench, TL_RECORD_NOTE, "a", "two");
	append(bench, TL_RECORD_CLOSES, "a", "three");
	await(all_durable, bench);
	g_assert_cmpuint(bench->durable, ==, 3);
	read_all(bench, 1);
	g_assert_cmpuint(bench->read->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(bench->read, 0), ==, "two");
	g_assert_cmpstr(g_ptr_array_index(bench->read, 1), ==, "three");
	read_all(bench, 3);
	g_assert_cmpuint(bench->read->len, ==, 0);
}

static void test_group_commit(struct bench *bench, gconstpointer data)
{
	for (int i = 0; i < 6000; i++) /* more than the rings hold */
		append(bench, TL_RECORD_NOTE, "x", "payload");
	await(all_durable, bench);
	g_assert_cmpuint(bench->durable, ==, 6000);
	uint64_t commits, records;
	tl_journal_counters(bench->journal, &commits, &records);
	g_assert_cmpuint(records, ==, 6000);
	g_assert_cmpuint(commits, <, 3000);
}

static void test_sequence_survives(struct bench *bench, gconstpointer data)
{
	for (int i = 0; i < 5; i++)
		append(bench, TL_RECORD_NOTE, "x", "payload");
	await(all_durable, bench);
	tl_journal_forget(bench->journal, 5);
	close_journal(bench);
	open_sized(bench, 1 << 20);
	g_assert_cmpuint(tl_journal_next(bench->journal), ==, 6);
	g_assert_cmpuint(bench->past.torn_octets, ==, 0);
	g_assert_cmpint(bench->past.utc_us, ==, 9000005);
}

static void test_forget_deletes_and_carries(struct bench *bench, gconstpointer data)
{
	close_journal(bench);
	open_sized(bench, 256);
	append(bench, TL_RECORD_OPENS, "long", "the long one");
	append(bench, TL_RECORD_OPENS, "short", "the short one");
	for (int i = 0; i < 20; i++) {
		append(bench, TL_RECORD_NOTE, "x", "a payload of some length, to fill files of 256 octets");
		await(all_durable, bench);
	}
	append(bench, TL_RECORD_CLOSES, "short", "end");
	await(all_durable, bench);
	g_assert_cmpuint(count_files(bench), >, 3);
	tl_journal_forget(bench->journal, 23);
	read_all(bench, 0);
	g_assert_cmpuint(count_files(bench), ==, 1);
	g_assert_cmpuint(tl_journal_first(bench->journal), ==, 24);
	close_journal(bench);
	open_sized(bench, 256);
	g_assert_cmpuint(bench->past.orphans->len, ==, 1);
	struct tl_journal_orphan *orphan = g_ptr_array_index(bench->past.orphans, 0);
	g_assert_cmpstr(orphan->subject, ==, "long");
	g_assert_cmpstr(orphan->payload, ==, "the long one");
	g_assert_cmpuint(tl_journal_next(bench->journal), ==, 24);
}

/* Cut at every length inside the last record: what came before is whole, and no sequence is used twice. */
static void test_torn_tail(struct bench *bench, gconstpointer data)
{
	append(bench, TL_RECORD_OPENS, "a", "first");
	append(bench, TL_RECORD_NOTE, "a", "second");
	await(all_durable, bench);
	close_journal(bench);
	g_autofree char *path = newest_path(bench), *contents = NULL;
	gsize n;
	g_assert_true(g_file_get_contents(path, &contents, &n, NULL));
	for (gsize cut = 1; cut < 41; cut++) {
		g_autofree char *command = g_strdup_printf("rm -f '%s'/*", bench->directory);
		g_assert_cmpint(system(command), ==, 0);
		g_assert_true(g_file_set_contents(path, contents, n - cut, NULL));
		open_sized(bench, 1 << 20);
		if (cut < 41 && bench->past.torn_octets == 0)
			g_error("a tail cut by %zu went unnoticed", cut);
		g_assert_cmpuint(tl_journal_next(bench->journal), >=, 2);
		g_assert_cmpuint(bench->past.orphans->len, ==, 1);
		append(bench, TL_RECORD_CLOSES, "a", "third");
		await(all_durable, bench);
		read_all(bench, 0);
		g_assert_cmpuint(bench->read->len, ==, 2);
		g_assert_cmpstr(g_ptr_array_index(bench->read, 1), ==, "third");
		close_journal(bench);
		open_sized(bench, 1 << 20);
		g_assert_cmpuint(bench->past.orphans->len, ==, 0);
		close_journal(bench);
	}
	open_sized(bench, 1 << 20);
}

static void test_garbled_octet(struct bench *bench, gconstpointer data)
{
	for (int i = 0; i < 10; i++)
		append(bench, TL_RECORD_NOTE, "x", "payload");
	await(all_durable, bench);
	close_journal(bench);
	g_autofree char *path = newest_path(bench), *contents = NULL;
	gsize n;
	g_assert_true(g_file_get_contents(path, &contents, &n, NULL));
	contents[n / 2] ^= 1;
	g_assert_true(g_file_set_contents(path, contents, n, NULL));
	open_sized(bench, 1 << 20);
	g_assert_cmpuint(bench->past.torn_octets, >, 0);
	g_assert_cmpuint(tl_journal_next(bench->journal), >, 10); /* none that was given out is given again */
}

static bool is_faulty(struct bench *bench)
{
	return bench->faults > 0;
}

static bool is_well(struct bench *bench)
{
	return bench->well && all_durable(bench);
}

static void test_disk_full(struct bench *bench, gconstpointer data)
{
	struct rlimit before, small;
	append(bench, TL_RECORD_NOTE, "x", "before");
	await(all_durable, bench);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 60;
	setrlimit(RLIMIT_FSIZE, &small);
	append(bench, TL_RECORD_NOTE, "x", "while full");
	await(is_faulty, bench);
	g_assert_true(tl_journal_is_faulty(bench->journal));
	g_assert_cmpuint(bench->durable, ==, 1);
	setrlimit(RLIMIT_FSIZE, &before);
	await(is_well, bench);
	g_assert_false(tl_journal_is_faulty(bench->journal));
	g_assert_cmpuint(bench->durable, ==, 2);
	close_journal(bench);
	open_sized(bench, 1 << 20);
	read_all(bench, 0);
	g_assert_cmpuint(bench->read->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(bench->read, 1), ==, "while full");
}

static void test_unwritable(void)
{
	struct tl_journal_past past;
	struct tl_journal_config config = { "/proc/self/journal", 4096, 4096 };
	g_autoptr(GError) error = NULL;
	g_assert_null(tl_journal_open(&config, &(struct tl_journal_handler){ 0 }, NULL, &past, &error));
	g_assert_error(error, TL_JOURNAL_ERROR, TL_JOURNAL_ERROR_OPEN);
	g_assert_nonnull(strstr(error->message, "/proc/self/journal"));
}

/* A child tells each sequence that is durable and is killed amid its work: whatever it told is there afterwards. */
static void child_writes(const char *directory, int pipe_fd)
{
	struct bench bench = { .directory = (char *)directory };
	open_sized(&bench, 4096);
	for (;;) {
		append(&bench, TL_RECORD_NOTE, "x", "a fact");
		await(all_durable, &bench);
		tl_journal_heartbeat(bench.journal, 1, 77000000);
		uint64_t last = tl_journal_last(bench.journal);
		if (write(pipe_fd, &last, sizeof last) != sizeof last)
			_exit(1);
	}
}

static void test_killed(const char *self)
{
	g_autofree char *directory = g_dir_make_tmp("journal-XXXXXX", NULL);
	uint64_t told = 0, now;
	for (int round = 0; round < 5; round++) {
		int out;
		GPid child;
		char *argv[] = { (char *)self, "--child", directory, NULL };
		g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &child, NULL,
						       &out, NULL, NULL));
		for (int i = 0; i < 30 + round * 17; i++) {
			g_assert_cmpint(read(out, &now, sizeof now), ==, sizeof now);
			g_assert_cmpuint(now, >, told);
			told = now;
		}
		kill(child, SIGKILL);
		while (read(out, &now, sizeof now) == sizeof now)
			told = now;
		waitpid(child, NULL, 0);
		close(out);
	}
	struct bench bench = { .directory = directory };
	open_sized(&bench, 4096);
	g_assert_cmpuint(tl_journal_last(bench.journal), >=, told);
	g_assert_cmpint(bench.past.utc_us, ==, 77000000);
	read_all(&bench, told - 1);
	g_assert_cmpuint(bench.read->len, >=, 1);
	close_journal(&bench);
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", directory);
	g_assert_cmpint(system(command), ==, 0);
}

static void test_killed_case(gconstpointer self)
{
	test_killed(self);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	if (argc == 3 && !strcmp(argv[1], "--child"))
		child_writes(argv[2], STDOUT_FILENO);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/journal/crc", test_crc);
#define CASE(name, function) g_test_add("/journal/" name, struct bench, NULL, set_up, function, tear_down)
	CASE("append-read", test_append_read);
	CASE("group-commit", test_group_commit);
	CASE("sequence-survives", test_sequence_survives);
	CASE("forget-deletes-and-carries", test_forget_deletes_and_carries);
	CASE("torn-tail", test_torn_tail);
	CASE("garbled-octet", test_garbled_octet);
	CASE("disk-full", test_disk_full);
	g_test_add_func("/journal/unwritable", test_unwritable);
	g_test_add_data_func("/journal/killed", argv[0], test_killed_case);
	return g_test_run();
}
