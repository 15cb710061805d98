/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Blobs: named by their content, kept by their rows, swept without them. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#include "base/thread.h"
#include "store/store.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct shelf {
	char *dir;
	struct tl_store *store;
	struct tl_blobs *blobs;
};

static struct shelf shelf_new(unsigned grace_s)
{
	struct shelf shelf = { .dir = g_dir_make_tmp("trunkline-blob-XXXXXX", NULL) };
	g_autoptr(GError) error = NULL;
	g_autofree char *db = g_build_filename(shelf.dir, "test.db", NULL), *blobs = g_build_filename(shelf.dir, "blobs", NULL);
	shelf.store = tl_store_open(db, NULL, NULL, &error);
	g_assert_no_error(error);
	shelf.blobs = tl_blobs_new(blobs, grace_s);
	return shelf;
}

static void shelf_clear(struct shelf *shelf)
{
	tl_store_free(shelf->store);
	tl_blobs_free(shelf->blobs);
	g_autofree char *quoted = g_shell_quote(shelf->dir), *command = g_strdup_printf("rm -rf %s", quoted);
	g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	g_free(shelf->dir);
}

static bool is_there(struct shelf *shelf, const char *sha256)
{
	g_autofree char *path = tl_blobs_path(shelf->blobs, sha256);
	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static void make_old(struct shelf *shelf, const char *sha256)
{
	g_autofree char *path = tl_blobs_path(shelf->blobs, sha256);
	struct utimbuf long_ago = { 1000000, 1000000 };
	g_assert_cmpint(utime(path, &long_ago), ==, 0);
}

static void on_done(const struct tl_result *result, const GError *error, void *user)
{
	g_assert_no_error(error);
	*(bool *)user = true;
}

static void keep(struct shelf *shelf, const struct tl_blob *blob, int64_t until)
{
	bool done = false;
	struct tl_transaction *t = tl_transaction_new("keep");
	tl_blob_keep(t, blob, "text/plain", until);
	tl_store_submit(shelf->store, t, on_done, &done);
	while (!done)
		g_main_context_iteration(NULL, TRUE);
}

/* All 256 shards, each told by the next one's turn. */
static void sweep_all(struct shelf *shelf, uint64_t expected)
{
	gint64 end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
	while (tl_blobs_swept(shelf->blobs) < expected && g_get_monotonic_time() < end) {
		tl_blobs_sweep(shelf->blobs, shelf->store);
		g_main_context_iteration(NULL, TRUE);
	}
	for (unsigned i = 0; i < 2000; i++) { /* and once more around, for what must stay */
		tl_blobs_sweep(shelf->blobs, shelf->store);
		g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpuint(tl_blobs_swept(shelf->blobs), ==, expected);
}

static void test_name(void)
{
	struct shelf shelf = shelf_new(3600);
	struct tl_blob blob, again;
	g_autoptr(GError) error = NULL;
	g_assert_true(tl_blobs_put(shelf.blobs, "hello", 5, &blob, &error));
	g_assert_cmpstr(blob.sha256, ==, HELLO);
	g_assert_cmpint(blob.size, ==, 5);
	g_assert_true(tl_blobs_put(shelf.blobs, "hello", 5, &again, &error));
	g_assert_true(is_there(&shelf, HELLO));
	g_autofree char *incoming = g_build_filename(shelf.dir, "blobs", "incoming", NULL);
	g_autoptr(GDir) left = g_dir_open(incoming, 0, NULL);
	g_assert_null(g_dir_read_name(left));
	g_assert_true(tl_blob_is_name(HELLO));
	g_assert_false(tl_blob_is_name("../../etc/passwd"));
	shelf_clear(&shelf);
}

static void test_wrong_digest(void)
{
	struct shelf shelf = shelf_new(3600);
	struct tl_blob blob;
	g_autoptr(GError) error = NULL;
	struct tl_blob_writer *writer = tl_blob_writer_new(shelf.blobs, &error);
	g_assert_true(tl_blob_writer_write(writer, "hellO", 5, &error));
	g_assert_false(tl_blob_writer_finish(writer, HELLO, &blob, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
	g_assert_false(is_there(&shelf, HELLO));
	shelf_clear(&shelf);
}

static void test_sweep(void)
{
	struct shelf shelf = shelf_new(3600);
	struct tl_blob kept, expired, orphan, young;
	g_autoptr(GError) error = NULL;
	g_assert_true(tl_blobs_put(shelf.blobs, "kept", 4, &kept, &error) && tl_blobs_put(shelf.blobs, "expired", 7, &expired, &error) &&
		      tl_blobs_put(shelf.blobs, "orphan", 6, &orphan, &error) && tl_blobs_put(shelf.blobs, "young", 5, &young, &error));
	keep(&shelf, &kept, 0);
	keep(&shelf, &kept, 1000); /* the longest wish holds */
	keep(&shelf, &expired, 1000);
	make_old(&shelf, kept.sha256);
	make_old(&shelf, expired.sha256);
	make_old(&shelf, orphan.sha256);
	sweep_all(&shelf, 2);
	g_assert_true(is_there(&shelf, kept.sha256));
	g_assert_true(is_there(&shelf, young.sha256));
	g_assert_false(is_there(&shelf, expired.sha256));
	g_assert_false(is_there(&shelf, orphan.sha256));
	shelf_clear(&shelf);
}

/* An orphan that is written again, as by a desk after its death, counts as new. */
static void test_again(void)
{
	struct shelf shelf = shelf_new(3600);
	struct tl_blob blob;
	g_autoptr(GError) error = NULL;
	g_assert_true(tl_blobs_put(shelf.blobs, "again", 5, &blob, &error));
	make_old(&shelf, blob.sha256);
	g_assert_true(tl_blobs_put(shelf.blobs, "again", 5, &blob, &error));
	sweep_all(&shelf, 0);
	g_assert_true(is_there(&shelf, blob.sha256));
	shelf_clear(&shelf);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/blob/name", test_name);
	g_test_add_func("/blob/wrong-digest", test_wrong_digest);
	g_test_add_func("/blob/sweep", test_sweep);
	g_test_add_func("/blob/again", test_again);
	return g_test_run();
}
