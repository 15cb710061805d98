/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Sweeping: a shard a turn. First the rows whose time is over are deleted, then the shard's files are compared with
 * its rows. A file goes only when it is older than the grace before the rows were read: one that was written (or
 * written again) since then may have a row on its way.
 */
#include "store/blob-files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define TL_ROOM "store"
#include "base/log.h"

#define SHARDS 256
#define EXPIRED_A_TURN 100

struct sweep {
	struct tl_blobs *blobs;
	struct tl_store *store;
	char shard[3];
	int64_t before_s;  /* files changed later stay */
	GHashTable *known; /* sha256 */
	unsigned removed;
};

struct tl_blobs *tl_blobs_new(const char *dir, unsigned grace_s)
{
	struct tl_blobs *blobs = g_new0(struct tl_blobs, 1);
	blobs->dir = g_strdup(dir);
	blobs->grace_s = grace_s;
	return blobs;
}

void tl_blobs_free(struct tl_blobs *blobs)
{
	if (!blobs)
		return;
	blobs->freed = true;
	if (blobs->sweeping)
		return; /* a worker looks at it: the end of the sweep frees it */
	g_free(blobs->dir);
	g_free(blobs);
}

static void sweep_ended(struct tl_blobs *blobs)
{
	blobs->sweeping = false;
	if (blobs->freed)
		tl_blobs_free(blobs);
}

uint64_t tl_blobs_swept(const struct tl_blobs *blobs)
{
	return blobs->swept;
}

void tl_blob_keep(struct tl_transaction *transaction, const struct tl_blob *blob, const char *type, int64_t keep_until_utc_us)
{
	tl_transaction_add(transaction,
			   "INSERT INTO blob (sha256, size, type, stored_utc_us, keep_until_utc_us) VALUES ($1, $2, $3, now_us(), $4) "
			   "ON CONFLICT (sha256) DO UPDATE SET keep_until_utc_us = CASE WHEN blob.keep_until_utc_us IS NULL OR "
			   "excluded.keep_until_utc_us IS NULL THEN NULL WHEN blob.keep_until_utc_us > excluded.keep_until_utc_us "
			   "THEN blob.keep_until_utc_us ELSE excluded.keep_until_utc_us END",
			   TL_VALUES(tl_text(blob->sha256), tl_int(blob->size), tl_text(type), tl_time(keep_until_utc_us)));
}

static void sweep_free(void *data)
{
	struct sweep *sweep = data;
	g_clear_pointer(&sweep->known, g_hash_table_unref);
	g_free(sweep);
}

static bool is_old(const char *path, int64_t before_s)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime < before_s;
}

static void remove_old(struct sweep *sweep, const char *folder, bool named)
{
	g_autofree char *dir = g_build_filename(sweep->blobs->dir, folder, NULL);
	g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
	for (const char *name; files && (name = g_dir_read_name(files));) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		if (named && (!tl_blob_is_name(name) || g_hash_table_contains(sweep->known, name)))
			continue;
		int lock = blob_lock(sweep->blobs, NULL);
		if (lock < 0)
			return;
		if (is_old(path, sweep->before_s) && unlink(path) == 0)
			sweep->removed++;
		close(lock);
	}
}

/* Worker. */
static void sweep_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct sweep *sweep = data;
	(void)source, (void)cancellable;
	remove_old(sweep, sweep->shard, true);
	remove_old(sweep, "incoming", false); /* what a death left half-written */
	g_task_return_boolean(task, TRUE);
}

static void on_swept(GObject *source, GAsyncResult *result, gpointer user)
{
	struct sweep *sweep = g_task_get_task_data(G_TASK(result));
	(void)source, (void)user;
	if (sweep->removed)
		tl_info("%u blobs removed from %s/%s", sweep->removed, sweep->blobs->dir, sweep->shard);
	sweep->blobs->swept += sweep->removed;
	sweep_ended(sweep->blobs);
}

static void on_rows(const struct tl_result *result, const GError *error, void *user)
{
	struct sweep *sweep = user;
	if (error) {
		tl_warning("%s", error->message);
		sweep_ended(sweep->blobs);
		sweep_free(sweep);
		return;
	}
	sweep->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (unsigned row = 0; row < tl_result_rows(result, 1); row++)
		g_hash_table_add(sweep->known, g_strdup(tl_result_text(result, 1, row, 0)));
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_swept, NULL);
	g_task_set_task_data(task, sweep, sweep_free);
	g_task_run_in_thread(task, sweep_work);
}

void tl_blobs_sweep(struct tl_blobs *blobs, struct tl_store *store)
{
	if (blobs->sweeping)
		return;
	blobs->sweeping = true;
	struct sweep *sweep = g_new0(struct sweep, 1);
	sweep->blobs = blobs;
	g_snprintf(sweep->shard, sizeof sweep->shard, "%02x", blobs->shard);
	g_autofree char *end = g_strdup_printf("%sg", sweep->shard); /* after every hexadecimal digit */
	blobs->shard = (blobs->shard + 1) % SHARDS;
	sweep->before_s = tl_clock_utc_us() / G_USEC_PER_SEC - blobs->grace_s;
	struct tl_transaction *t = tl_transaction_new("sweep");
	tl_transaction_add(t, "DELETE FROM blob WHERE sha256 IN (SELECT sha256 FROM blob WHERE keep_until_utc_us < now_us() LIMIT $1)",
			   TL_VALUES(tl_int(EXPIRED_A_TURN)));
	tl_transaction_add(t, "SELECT sha256 FROM blob WHERE sha256 >= $1 AND sha256 < $2",
			   TL_VALUES(tl_text(sweep->shard), tl_text(end)));
	tl_store_submit(store, t, on_rows, sweep);
}
