/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * PUT /blob/SHA256: the body goes to a file beside the blobs as it comes, is fsynced, and gets its name only when its
 * digest is that name. All of that on workers; while one works, no more is read from the far end.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "control/files.h"

#define TEMPORARY ".put-"
#define PIECE_OCTETS (256 << 10)
#define DIGITS 64
#define TOO_LARGE "larger than blob_max_mib allows"

/* Of the message, and of the worker while it works. */
struct upload {
	SoupServerMessage *message; /* NULL: the far end has gone, or has its answer */
	char *directory, *digest, *path;
	uint64_t max_octets, octets;
	GByteArray *piece;          /* what has come and is not written */
	GChecksum *sum;
	int fd;
	int result;                 /* negative errno of the worker's */
	bool placed;
	unsigned status;            /* HTTP's, when decided before the body has come; 0: not yet */
	const char *why;
};

static void upload_clear(void *data)
{
	struct upload *upload = data;
	if (upload->fd >= 0)
		close(upload->fd);
	if (upload->path && !upload->placed)
		g_unlink(upload->path); /* a leftover is gone with the next start at the latest */
	g_byte_array_unref(upload->piece);
	g_checksum_free(upload->sum);
	g_free(upload->path);
	g_free(upload->digest);
	g_free(upload->directory);
}

static void upload_unref(struct upload *upload)
{
	g_atomic_rc_box_release_full(upload, upload_clear);
}

/* ---- worker ---- */

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 || fsync(fd) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return result;
}

/* Its name, too, must outlive a power cut. */
static int make_directory(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return 0;
	return g_mkdir_with_parents(path, 0750) ? -errno : sync_directory(parent);
}

static int create(struct upload *upload)
{
	upload->path = g_strdup_printf("%s/" TEMPORARY "XXXXXX", upload->directory);
	int result = make_directory(upload->directory);
	if (result)
		return result;
	upload->fd = g_mkstemp_full(upload->path, O_RDWR | O_CLOEXEC, 0640);
	return upload->fd < 0 ? -errno : 0;
}

static int write_piece(struct upload *upload)
{
	const uint8_t *octets = upload->piece->data;
	for (size_t left = upload->piece->len; left;) {
		ssize_t n = write(upload->fd, octets, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		octets += n;
		left -= n;
	}
	g_checksum_update(upload->sum, upload->piece->data, upload->piece->len);
	g_byte_array_set_size(upload->piece, 0);
	return 0;
}

static void run_piece(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct upload *upload = data;
	upload->result = upload->path ? 0 : create(upload);
	if (!upload->result)
		upload->result = write_piece(upload);
	g_task_return_boolean(task, TRUE);
}

static int place(struct upload *upload)
{
	g_autofree char *name = g_build_filename(upload->directory, upload->digest, NULL);
	if (strcmp(g_checksum_get_string(upload->sum), upload->digest))
		return -EBADMSG;
	if (fsync(upload->fd) || g_rename(upload->path, name))
		return -errno;
	upload->placed = true;
	return sync_directory(upload->directory);
}

static void run_end(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct upload *upload = data;
	upload->result = upload->path ? 0 : create(upload);
	if (!upload->result)
		upload->result = write_piece(upload);
	if (!upload->result)
		upload->result = place(upload);
	g_task_return_boolean(task, TRUE);
}

static void work(struct upload *upload, GTaskThreadFunc run, GAsyncReadyCallback done)
{
	g_autoptr(GTask) task = g_task_new(NULL, NULL, done, NULL);
	g_task_set_task_data(task, g_atomic_rc_box_acquire(upload), NULL);
	soup_server_message_pause(upload->message);
	g_task_run_in_thread(task, run);
}

/* ---- main ---- */

static void on_finished(SoupServerMessage *message, gpointer user)
{
	struct upload *upload = user;
	upload->message = NULL;
	g_signal_handlers_disconnect_by_data(message, upload);
	upload_unref(upload);
}

static void answer(struct upload *upload)
{
	if (upload->status)
		tl_files_answer(upload->message, upload->status, "%s", upload->why);
	else if (upload->result == -EBADMSG)
		tl_files_answer(upload->message, SOUP_STATUS_UNPROCESSABLE_ENTITY, "the body has SHA-256 %s",
				g_checksum_get_string(upload->sum));
	else if (upload->result == -ENOSPC || upload->result == -EDQUOT || upload->result == -EFBIG)
		tl_files_answer(upload->message, SOUP_STATUS_INSUFFICIENT_STORAGE, "%s", g_strerror(-upload->result));
	else if (upload->result)
		tl_files_answer(upload->message, SOUP_STATUS_INTERNAL_SERVER_ERROR, "cannot be kept: %s", g_strerror(-upload->result));
	else
		tl_files_answer(upload->message, SOUP_STATUS_CREATED, "kept");
}

static void on_piece(GObject *source, GAsyncResult *result, gpointer user)
{
	struct upload *upload = g_task_get_task_data(G_TASK(result));
	if (upload->message)
		soup_server_message_unpause(upload->message);
	upload_unref(upload);
}

static void on_end(GObject *source, GAsyncResult *result, gpointer user)
{
	struct upload *upload = g_task_get_task_data(G_TASK(result));
	if (upload->message) {
		answer(upload);
		soup_server_message_unpause(upload->message);
	}
	upload_unref(upload);
}

static void refuse(struct upload *upload, unsigned status, const char *why)
{
	upload->status = status;
	upload->why = why;
}

static void on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user)
{
	struct upload *upload = user;
	gsize n;
	const void *octets = g_bytes_get_data(chunk, &n);
	GSocket *socket = soup_server_message_get_socket(message);
	upload->octets += n;
	if (upload->octets > 2 * upload->max_octets && socket)
		g_socket_shutdown(socket, TRUE, TRUE, NULL); /* it has had its chance to hear the answer */
	if (upload->octets > upload->max_octets && !upload->status)
		refuse(upload, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, TOO_LARGE);
	if (upload->status || upload->result)
		return; /* read to its end, as an answer would be lost otherwise, and forgotten */
	g_byte_array_append(upload->piece, octets, n);
	if (upload->piece->len >= PIECE_OCTETS)
		work(upload, run_piece, on_piece);
}

static bool is_digest(const char *name)
{
	return strlen(name) == DIGITS && strspn(name, "0123456789abcdef") == DIGITS;
}

/* What can be told before the body has come. */
static void judge(struct upload *upload, struct tl_control_server *server)
{
	g_autofree char *path = g_build_filename(upload->directory, upload->digest, NULL);
	SoupMessageHeaders *headers = soup_server_message_get_request_headers(upload->message);
	if (soup_server_message_get_method(upload->message) != SOUP_METHOD_PUT)
		refuse(upload, SOUP_STATUS_METHOD_NOT_ALLOWED, "expected PUT");
	else if ((upload->status = tl_files_judge(server, upload->message, TL_ROLE_APPLICATION)))
		upload->why = tl_files_why(upload->status);
	else if (!is_digest(upload->digest))
		refuse(upload, SOUP_STATUS_BAD_REQUEST, "expected /blob/ and a SHA-256 of 64 hexadecimal digits in lower case");
	else if ((uint64_t)soup_message_headers_get_content_length(headers) > upload->max_octets)
		refuse(upload, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, TOO_LARGE);
	else if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
		refuse(upload, SOUP_STATUS_OK, "kept already");
}

void tl_upload_begin(struct tl_control_server *server, SoupServerMessage *message, const char *digest)
{
	struct upload *upload = g_atomic_rc_box_new0(struct upload);
	upload->message = message;
	upload->directory = g_strdup(server->blob_directory);
	upload->digest = g_strdup(digest);
	upload->max_octets = server->files.blob_max_octets;
	upload->piece = g_byte_array_new();
	upload->sum = g_checksum_new(G_CHECKSUM_SHA256);
	upload->fd = -1;
	judge(upload, server);
	g_object_set_data(G_OBJECT(message), "upload", upload);
	g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), upload);
	g_signal_connect(message, "finished", G_CALLBACK(on_finished), upload);
	soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
}

void tl_upload_end(SoupServerMessage *message)
{
	struct upload *upload = g_object_get_data(G_OBJECT(message), "upload");
	if (upload->status || upload->result)
		answer(upload);
	else
		work(upload, run_end, on_end);
}

void tl_upload_sweep(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		if (g_str_has_prefix(name, TEMPORARY))
			g_unlink(path);
	}
}
