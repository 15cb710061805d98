/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "power-cut.h"
#include "spool/spool.h"

#define MIB (UINT64_C(1) << 20)

struct rig {
	char *directory;
	struct tl_spool *spool;
	struct tl_spool_config config;
	GPtrArray *told;      /* JsonObject */
	struct tl_spool_item *item;
	GError *refusal;
	bool opened;
	char *alarm;
	unsigned alarms;
};

static void on_changed(JsonObject *item, void *user)
{
	struct rig *rig = user;
	g_ptr_array_add(rig->told, json_object_ref(item));
}

static void on_alarm(const char *why, void *user)
{
	struct rig *rig = user;
	g_free(rig->alarm);
	rig->alarm = g_strdup(why);
	rig->alarms++;
}

static void on_opened(struct tl_spool_item *item, const GError *error, void *user)
{
	struct rig *rig = user;
	rig->item = item;
	rig->opened = true;
	g_clear_error(&rig->refusal);
	rig->refusal = error ? g_error_copy(error) : NULL;
}

static const struct tl_spool_handler handler = { on_changed, on_alarm };

static void start(struct rig *rig)
{
	g_autoptr(GError) error = NULL;
	rig->config.directory = rig->directory;
	rig->spool = tl_spool_new(&rig->config, &handler, rig, &error);
	g_assert_no_error(error);
}

static void setup(struct rig *rig, gconstpointer unused)
{
	rig->directory = g_dir_make_tmp("spool-XXXXXX", NULL);
	rig->told = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
	power_cut_watch(rig->directory);
	start(rig);
}

static void delete(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *inside = g_build_filename(path, name, NULL);
		delete(inside);
	}
	g_remove(path);
}

static void teardown(struct rig *rig, gconstpointer unused)
{
	tl_spool_free(rig->spool);
	power_cut_done();
	delete(rig->directory);
	g_clear_error(&rig->refusal);
	g_ptr_array_unref(rig->told);
	g_free(rig->alarm);
	g_free(rig->directory);
}

static void step(void)
{
	g_main_context_iteration(NULL, TRUE);
}

static void open_item(struct rig *rig, enum tl_spool_kind kind)
{
	g_autoptr(JsonObject) tags = json_object_new();
	json_object_set_string_member(tags, "contact", "c-1");
	const struct tl_spool_about about = { .kind = kind, .id = "f-1", .leg = "leg-1", .tags = tags };
	rig->opened = false;
	tl_spool_open(rig->spool, &about, on_opened, rig);
	while (!rig->opened)
		step();
}

static int put(struct rig *rig, const char *part, const char *text)
{
	g_autofree char *path = tl_spool_part_path(rig->item, part);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
	close(fd);
	return tl_spool_commit(rig->item, part, 10000);
}

static JsonObject *last_told(struct rig *rig)
{
	return rig->told->len ? g_ptr_array_index(rig->told, rig->told->len - 1) : NULL;
}

static const char *last_state(struct rig *rig)
{
	return rig->told->len ? json_object_get_string_member(last_told(rig), "state") : "";
}

static void await_state(struct rig *rig, const char *state)
{
	while (strcmp(last_state(rig), state))
		step();
}

static char *contents(struct rig *rig, const char *item, const char *part)
{
	g_autofree char *path = tl_spool_find(rig->spool, item, part);
	char *text = NULL;
	if (path)
		g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

/* ---- an item's life ---- */

static void test_life(struct rig *rig, gconstpointer unused)
{
	open_item(rig, TL_SPOOL_FAX);
	g_assert_nonnull(rig->item);
	g_autofree char *name = g_strdup(tl_spool_item_name(rig->item));
	g_assert_cmpstr(last_state(rig), ==, "open");
	g_assert_cmpint(put(rig, "page-0001.tif", "one"), ==, 0);
	g_assert_cmpint(put(rig, "page-0002.tif", "two"), ==, 0);
	g_assert_false(tl_spool_remove(rig->spool, name, NULL));
	tl_spool_note(rig->item, "remote_ident", "+49 30 1");
	tl_spool_close(rig->item, true);
	await_state(rig, "complete");

	JsonObject *told = last_told(rig);
	g_assert_cmpstr(json_object_get_string_member(told, "kind"), ==, "fax");
	g_assert_cmpstr(json_object_get_string_member(told, "id"), ==, "f-1");
	g_assert_cmpstr(json_object_get_string_member(told, "leg"), ==, "leg-1");
	g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(told, "tags"), "contact"), ==, "c-1");
	g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(told, "notes"), "remote_ident"), ==, "+49 30 1");
	JsonArray *parts = json_object_get_array_member(told, "parts");
	g_assert_cmpuint(json_array_get_length(parts), ==, 2);
	JsonObject *two = json_array_get_object_element(parts, 1);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "two", -1);
	g_assert_cmpstr(json_object_get_string_member(two, "name"), ==, "page-0002.tif");
	g_assert_cmpint(json_object_get_int_member(two, "size"), ==, 3);
	g_assert_cmpstr(json_object_get_string_member(two, "sha256"), ==, sum);

	g_autoptr(GError) error = NULL;
	g_assert_true(tl_spool_remove(rig->spool, name, &error));
	g_assert_false(tl_spool_remove(rig->spool, name, &error));
	g_assert_error(error, TL_SPOOL_ERROR, TL_SPOOL_ERROR_UNKNOWN);
	tl_spool_free(rig->spool);
	g_autofree char *path = g_build_filename(rig->directory, name, NULL);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	start(rig);
}

static void test_names(struct rig *rig, gconstpointer unused)
{
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "../x", "meta.json", "a.part", "a b",
		"a-name-that-is-far-too-long-for-a-part-of-an-item.tif" };
	open_item(rig, TL_SPOOL_FAX);
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(tl_spool_commit(rig->item, bad[i], 1000), ==, -EINVAL);
	g_assert_cmpint(tl_spool_commit(rig->item, "never-written", 1000), ==, -ENOENT);
	g_assert_null(tl_spool_find(rig->spool, tl_spool_item_name(rig->item), "../x"));
	g_assert_null(tl_spool_find(rig->spool, "..", "x"));
	g_assert_null(rig->alarm);
	tl_spool_close(rig->item, true);
	await_state(rig, "complete");
}

static void test_list(struct rig *rig, gconstpointer unused)
{
	char *names[5];
	for (unsigned i = 0; i < 5; i++) {
		open_item(rig, TL_SPOOL_RECORDING);
		names[i] = g_strdup(tl_spool_item_name(rig->item));
		tl_spool_close(rig->item, true);
		await_state(rig, "complete");
	}
	g_autoptr(JsonArray) two = tl_spool_list(rig->spool, NULL, 2);
	g_assert_cmpuint(json_array_get_length(two), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(two, 0), "item"), ==, names[0]);
	g_autoptr(JsonArray) rest = tl_spool_list(rig->spool, names[1], 100);
	g_assert_cmpuint(json_array_get_length(rest), ==, 3);
	g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(rest, 0), "item"), ==, names[2]);
	tl_spool_free(rig->spool);
	start(rig);
	g_autoptr(JsonArray) again = tl_spool_list(rig->spool, NULL, 100);
	g_assert_cmpuint(json_array_get_length(again), ==, 5);
	for (unsigned i = 0; i < 5; i++)
		g_free(names[i]);
}

/* ---- death ---- */

/* Cuts what it finds to its first line. */
static uint64_t salvage(int fd, const char *part)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof text, 0);
	char *end = n > 0 ? memchr(text, '\n', n) : NULL;
	return strcmp(part, "audio.txt") || !end ? 0 : end + 1 - text;
}

static void write_unfinished(struct rig *rig, const char *part, const char *text)
{
	g_autofree char *path = tl_spool_part_path(rig->item, part);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_death(struct rig *rig, gconstpointer unused)
{
	open_item(rig, TL_SPOOL_RECORDING);
	g_autofree char *name = g_strdup(tl_spool_item_name(rig->item));
	g_assert_cmpint(put(rig, "page", "whole"), ==, 0);
	write_unfinished(rig, "audio.txt", "a line\nhalf a");
	write_unfinished(rig, "other.txt", "a line\n");
	open_item(rig, TL_SPOOL_RECORDING); /* nothing ever written */
	g_autofree char *empty = g_build_filename(rig->directory, tl_spool_item_name(rig->item), NULL);
	tl_spool_free(rig->spool);

	rig->config.salvage = salvage;
	start(rig);
	await_state(rig, "partial");
	g_assert_cmpstr(json_object_get_string_member(last_told(rig), "item"), ==, name);
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(last_told(rig), "parts")), ==, 2);
	g_autofree char *page = contents(rig, name, "page"), *audio = contents(rig, name, "audio.txt");
	g_assert_cmpstr(page, ==, "whole");
	g_assert_cmpstr(audio, ==, "a line\n");
	tl_spool_free(rig->spool);
	g_assert_false(g_file_test(empty, G_FILE_TEST_EXISTS));
	start(rig);
	g_autoptr(JsonArray) list = tl_spool_list(rig->spool, NULL, 9);
	g_assert_cmpuint(json_array_get_length(list), ==, 1);
	g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(list, 0), "state"), ==, "partial");
}

struct cut {
	struct rig *rig;
	char *item;
	unsigned acknowledged, cuts;
	GPtrArray *left; /* folders, and how many parts must be in them: by number of the cut */
	GArray *expected;
};

static void cut_now(void *user)
{
	struct cut *cut = user;
	char *target = g_dir_make_tmp("cut-XXXXXX", NULL);
	power_cut_leave(target);
	g_ptr_array_add(cut->left, target);
	g_array_append_val(cut->expected, cut->acknowledged);
}

static void check_cut(struct cut *cut, unsigned number)
{
	struct rig after = { .directory = g_ptr_array_index(cut->left, number),
			     .told = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref) };
	start(&after);
	tl_spool_free(after.spool); /* waits until all is settled */
	start(&after);
	for (unsigned i = 1; i <= g_array_index(cut->expected, unsigned, number); i++) {
		g_autofree char *part = g_strdup_printf("page-%u", i), *text = contents(&after, cut->item, part);
		g_assert_cmpstr(text, ==, part);
	}
	tl_spool_free(after.spool);
	g_ptr_array_unref(after.told);
	delete(after.directory);
}

/* The power is cut before every single fsync: what had been acknowledged by then is always there. */
static void test_power_cut(struct rig *rig, gconstpointer unused)
{
	open_item(rig, TL_SPOOL_FAX);
	struct cut cut = { .rig = rig, .item = g_strdup(tl_spool_item_name(rig->item)), .left = g_ptr_array_new_with_free_func(g_free),
			   .expected = g_array_new(FALSE, FALSE, sizeof(unsigned)) };
	power_cut_each(cut_now, &cut);
	for (unsigned i = 1; i <= 4; i++) {
		g_autofree char *part = g_strdup_printf("page-%u", i);
		g_assert_cmpint(put(rig, part, part), ==, 0);
		cut.acknowledged = i;
	}
	tl_spool_close(rig->item, true);
	await_state(rig, "complete");
	cut_now(&cut);
	power_cut_each(NULL, NULL);
	power_cut_done();
	g_assert_cmpuint(cut.left->len, >, 8);
	for (unsigned i = 0; i < cut.left->len; i++)
		check_cut(&cut, i);
	g_ptr_array_unref(cut.left);
	g_array_unref(cut.expected);
	g_free(cut.item);
}

/* ---- a bad disk ---- */

static void test_reserve(struct rig *rig, gconstpointer unused)
{
	const char *names[TL_SPOOL_ALARMS + 1];
	tl_spool_free(rig->spool);
	rig->config.reserve_octets = UINT64_MAX / 2;
	start(rig);
	tl_spool_alarms(rig->spool, names);
	g_assert_cmpstr(names[0], ==, "spool-reserve");
	g_assert_null(names[1]);
	g_assert_nonnull(rig->alarm);
	open_item(rig, TL_SPOOL_FAX);
	g_assert_null(rig->item);
	g_assert_error(rig->refusal, TL_SPOOL_ERROR, TL_SPOOL_ERROR_RESERVE);
	struct tl_spool_counters counters;
	tl_spool_counters(rig->spool, &counters);
	g_assert_cmpuint(counters.refused, ==, 1);
	tl_spool_free(rig->spool);
	rig->config.reserve_octets = 1;
	start(rig);
	open_item(rig, TL_SPOOL_FAX);
	g_assert_nonnull(rig->item);
}

static void test_full(struct rig *rig, gconstpointer unused)
{
	const char *names[TL_SPOOL_ALARMS + 1];
	tl_spool_free(rig->spool);
	rig->config.watch_ms = 10;
	start(rig);
	open_item(rig, TL_SPOOL_FAX);
	struct tl_spool_item *item = rig->item;
	power_cut_fail(ENOSPC);
	g_assert_cmpint(put(rig, "page-1", "x"), ==, -ENOSPC);
	while (!rig->alarm)
		step();
	tl_spool_alarms(rig->spool, names);
	g_assert_cmpstr(names[0], ==, "spool-disk");
	open_item(rig, TL_SPOOL_FAX);
	g_assert_error(rig->refusal, TL_SPOOL_ERROR, TL_SPOOL_ERROR_DISK);
	g_assert_nonnull(strstr(rig->refusal->message, "No space left"));
	power_cut_fail(0); /* room again: the alarm ends by itself */
	while (rig->alarm)
		step();
	rig->item = item;
	g_assert_cmpint(put(rig, "page-1", "x"), ==, 0);
	tl_spool_close(item, true);
	await_state(rig, "complete");
}

/* A disk that hangs holds the writer no longer than it said, and is told as an alarm. */
static void test_hang(struct rig *rig, gconstpointer unused)
{
	struct tl_spool_counters counters;
	tl_spool_free(rig->spool);
	rig->config.watch_ms = 10;
	start(rig);
	open_item(rig, TL_SPOOL_FAX);
	g_autofree char *name = g_strdup(tl_spool_item_name(rig->item));
	write_unfinished(rig, "page-1", "one");
	power_cut_hang(TRUE);
	g_assert_cmpint(tl_spool_commit(rig->item, "page-1", 20), ==, -ETIMEDOUT);
	power_cut_hang(FALSE);
	do {
		step();
		tl_spool_counters(rig->spool, &counters);
	} while (!counters.commit_timeouts);
	g_assert_null(tl_spool_find(rig->spool, name, "page-1"));
	g_assert_cmpint(put(rig, "page-1", "again"), ==, 0);
	tl_spool_close(rig->item, true);
	await_state(rig, "complete");
	g_autofree char *text = contents(rig, name, "page-1");
	g_assert_cmpstr(text, ==, "again");
	while (rig->alarm)
		step();
}

/* ---- writers on their own threads ---- */

static gpointer write_pages(gpointer user)
{
	struct tl_spool_item *item = user;
	for (unsigned i = 1; i <= 20; i++) {
		g_autofree char *part = g_strdup_printf("page-%04u.tif", i), *path = tl_spool_part_path(item, part);
		g_assert_true(g_file_set_contents(path, part, -1, NULL));
		g_assert_cmpint(tl_spool_commit(item, part, 30000), ==, 0);
	}
	return NULL;
}

static void test_threads(struct rig *rig, gconstpointer unused)
{
	struct tl_spool_item *items[4];
	GThread *threads[4];
	for (unsigned i = 0; i < 4; i++) {
		open_item(rig, TL_SPOOL_FAX);
		items[i] = rig->item;
		threads[i] = g_thread_new("writer", write_pages, items[i]);
	}
	/* All of them first: what is told of another's page would hide that an item is complete. */
	for (unsigned i = 0; i < 4; i++)
		g_thread_join(threads[i]);
	for (unsigned i = 0; i < 4; i++) {
		tl_spool_close(items[i], true);
		await_state(rig, "complete");
		g_assert_cmpuint(json_array_get_length(json_object_get_array_member(last_told(rig), "parts")), ==, 20);
	}
}

#define CASE(name) g_test_add("/spool/" #name, struct rig, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	CASE(life);
	CASE(names);
	CASE(list);
	CASE(death);
	CASE(power_cut);
	CASE(reserve);
	CASE(full);
	CASE(hang);
	CASE(threads);
	return g_test_run();
}
