/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Blobs as files: written under a name of their own, hashed as they come, fsynced, then named. */
#include "store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/blob-files.h"

struct tl_blob_writer {
	struct tl_blobs *blobs;
	char *path;
	int fd;
	int64_t size;
	GChecksum *sum;
};

static bool fail(GError **error, const char *path)
{
	int code = errno;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path, g_strerror(code));
	return false;
}

bool tl_blob_is_name(const char *text)
{
	return text && strlen(text) == TL_SHA256_TEXT && strspn(text, "0123456789abcdef") == TL_SHA256_TEXT;
}

char *tl_blobs_path(const struct tl_blobs *blobs, const char *sha256)
{
	return g_strdup_printf("%s/%.2s/%s", blobs->dir, sha256, sha256);
}

/* A new directory's own entry is on disk, too. */
static bool make_directory(const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return true;
	g_autofree char *parent = g_path_get_dirname(path);
	if (!make_directory(parent, error))
		return false;
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return fail(error, path);
	return blob_fsync_directory(parent, error);
}

bool blob_fsync_directory(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		fail(error, path);
	if (fd >= 0)
		close(fd);
	return ok;
}

int blob_lock(struct tl_blobs *blobs, GError **error)
{
	g_autofree char *path = g_build_filename(blobs->dir, ".lock", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	fail(error, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct tl_blob_writer *tl_blob_writer_new(struct tl_blobs *blobs, GError **error)
{
	g_autofree char *incoming = g_build_filename(blobs->dir, "incoming", NULL);
	if (!make_directory(incoming, error))
		return NULL;
	struct tl_blob_writer *writer = g_new0(struct tl_blob_writer, 1);
	writer->blobs = blobs;
	writer->path = g_build_filename(incoming, "XXXXXX", NULL);
	writer->sum = g_checksum_new(G_CHECKSUM_SHA256);
	writer->fd = g_mkstemp_full(writer->path, O_WRONLY | O_CLOEXEC, 0640);
	if (writer->fd >= 0)
		return writer;
	fail(error, writer->path);
	tl_blob_writer_free(writer);
	return NULL;
}

void tl_blob_writer_free(struct tl_blob_writer *writer)
{
	if (!writer)
		return;
	if (writer->fd >= 0) {
		close(writer->fd);
		unlink(writer->path);
	}
	g_checksum_free(writer->sum);
	g_free(writer->path);
	g_free(writer);
}

bool tl_blob_writer_write(struct tl_blob_writer *writer, const void *octets, size_t n, GError **error)
{
	const uint8_t *at = octets;
	g_checksum_update(writer->sum, at, n);
	writer->size += n;
	while (n) {
		ssize_t written = write(writer->fd, at, n);
		if (written < 0 && errno != EINTR)
			return fail(error, writer->path);
		if (written > 0)
			at += written, n -= written;
	}
	return true;
}

/* Under the lock nobody sweeps: what is there stays there, and counts as new again. */
static bool give_name(struct tl_blob_writer *writer, const char *name, GError **error)
{
	g_autofree char *path = tl_blobs_path(writer->blobs, name);
	g_autofree char *shard = g_path_get_dirname(path);
	if (!make_directory(shard, error))
		return false;
	int lock = blob_lock(writer->blobs, error);
	if (lock < 0)
		return false;
	bool there = utimensat(AT_FDCWD, path, NULL, 0) == 0;
	bool ok = there || rename(writer->path, path) == 0;
	if (!ok)
		fail(error, path);
	close(lock);
	if (there)
		unlink(writer->path);
	return ok && blob_fsync_directory(shard, error);
}

bool tl_blob_writer_finish(struct tl_blob_writer *writer, const char *expected, struct tl_blob *blob, GError **error)
{
	const char *name = g_checksum_get_string(writer->sum);
	bool ok = true;
	if (expected && strcmp(expected, name)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "digest %s where %s was expected", name, expected);
		ok = false;
	}
	ok = ok && (fsync(writer->fd) == 0 || fail(error, writer->path));
	ok = ok && give_name(writer, name, error);
	if (ok) {
		strcpy(blob->sha256, name);
		blob->size = writer->size;
		close(writer->fd);
		writer->fd = -1;
	}
	tl_blob_writer_free(writer);
	return ok;
}

bool tl_blobs_put(struct tl_blobs *blobs, const void *octets, size_t n, struct tl_blob *blob, GError **error)
{
	struct tl_blob_writer *writer = tl_blob_writer_new(blobs, error);
	if (!writer)
		return false;
	if (tl_blob_writer_write(writer, octets, n, error))
		return tl_blob_writer_finish(writer, NULL, blob, error);
	tl_blob_writer_free(writer);
	return false;
}

static bool copy(struct tl_blob_writer *writer, int fd, const char *path, GError **error)
{
	uint8_t octets[65536];
	ssize_t n;
	while ((n = read(fd, octets, sizeof octets)) > 0)
		if (!tl_blob_writer_write(writer, octets, n, error))
			return false;
	return n == 0 || fail(error, path);
}

bool tl_blobs_put_file(struct tl_blobs *blobs, const char *path, struct tl_blob *blob, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(error, path);
	struct tl_blob_writer *writer = tl_blob_writer_new(blobs, error);
	bool ok = writer && copy(writer, fd, path, error);
	close(fd);
	if (ok)
		return tl_blob_writer_finish(writer, NULL, blob, error);
	tl_blob_writer_free(writer);
	return false;
}

/* ---- on a worker ---- */

struct put {
	struct tl_blobs *blobs;
	GBytes *octets;
	struct tl_blob blob;
	tl_blob_done on_done;
	void *user;
};

static void put_free(void *data)
{
	g_bytes_unref(((struct put *)data)->octets);
	g_free(data);
}

static void put_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct put *put = data;
	GError *error = NULL;
	(void)source, (void)cancellable;
	gsize n;
	const void *octets = g_bytes_get_data(put->octets, &n);
	if (tl_blobs_put(put->blobs, octets, n, &put->blob, &error))
		g_task_return_boolean(task, TRUE);
	else
		g_task_return_error(task, error);
}

static void on_put(GObject *source, GAsyncResult *result, gpointer user)
{
	struct put *put = g_task_get_task_data(G_TASK(result));
	g_autoptr(GError) error = NULL;
	(void)source, (void)user;
	bool ok = g_task_propagate_boolean(G_TASK(result), &error);
	put->on_done(ok ? &put->blob : NULL, error, put->user);
}

void tl_blobs_put_later(struct tl_blobs *blobs, GBytes *octets, tl_blob_done on_done, void *user)
{
	struct put *put = g_new0(struct put, 1);
	*put = (struct put){ .blobs = blobs, .octets = g_bytes_ref(octets), .on_done = on_done, .user = user };
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_put, NULL);
	g_task_set_task_data(task, put, put_free);
	g_task_run_in_thread(task, put_work);
}
