/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A file sent piece by piece: read on a worker, one piece ahead of what the far end has taken. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/files.h"

#define TL_ROOM "control"
#include "base/log.h"

#define PIECE_OCTETS (256 << 10)

/* Of the message, and of the worker while it works. */
struct download {
	SoupServerMessage *message; /* NULL: the far end has gone, or has all */
	char *path;
	int fd;
	goffset size, at, left;
};

static void download_unref(void *data)
{
	struct download *download = data;
	if (download->fd >= 0)
		close(download->fd);
	g_free(download->path);
}

static void on_finished(SoupServerMessage *message, gpointer user)
{
	struct download *download = user;
	download->message = NULL;
	g_signal_handlers_disconnect_by_data(message, download);
	g_atomic_rc_box_release_full(download, download_unref);
}

/* ---- worker ---- */

static void open_file(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct download *download = data;
	struct stat info;
	download->fd = open(download->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (download->fd >= 0 && !fstat(download->fd, &info))
		download->size = info.st_size;
	g_task_return_boolean(task, download->fd >= 0);
}

static void read_piece(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct download *download = data;
	gsize n = MIN(download->left, PIECE_OCTETS), got = 0;
	g_autofree char *octets = g_malloc(n);
	while (got < n) {
		ssize_t now = pread(download->fd, octets + got, n - got, download->at + got);
		if (now < 0 && errno == EINTR)
			continue;
		if (now <= 0)
			break;
		got += now;
	}
	g_task_return_pointer(task, got == n ? g_bytes_new_take(g_steal_pointer(&octets), n) : NULL, (GDestroyNotify)g_bytes_unref);
}

static void work(struct download *download, GTaskThreadFunc run, GAsyncReadyCallback done)
{
	g_autoptr(GTask) task = g_task_new(NULL, NULL, done, NULL);
	g_task_set_task_data(task, g_atomic_rc_box_acquire(download), NULL);
	g_task_run_in_thread(task, run);
}

/* ---- main ---- */

/* The length was promised: the only way left to say that it will not be kept. */
static void cut_off(struct download *download)
{
	GSocket *socket = soup_server_message_get_socket(download->message);
	tl_warning("%s: cannot be read: %s", download->path, g_strerror(errno));
	if (socket)
		g_socket_shutdown(socket, TRUE, TRUE, NULL);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer user)
{
	struct download *download = g_task_get_task_data(G_TASK(result));
	g_autoptr(GBytes) piece = g_task_propagate_pointer(G_TASK(result), NULL);
	if (download->message && piece) {
		download->at += g_bytes_get_size(piece);
		download->left -= g_bytes_get_size(piece);
		soup_message_body_append_bytes(soup_server_message_get_response_body(download->message), piece);
		if (!download->left)
			soup_message_body_complete(soup_server_message_get_response_body(download->message));
		soup_server_message_unpause(download->message);
	} else if (download->message) {
		cut_off(download);
	}
	g_atomic_rc_box_release_full(download, download_unref);
}

static void on_wrote(SoupServerMessage *message, gpointer user)
{
	struct download *download = user;
	if (download->left)
		work(download, read_piece, on_read);
}

/* A single range (RFC 9110 14.2); several at once are answered with the whole, as may be done. */
static bool choose_range(struct download *download)
{
	SoupMessageHeaders *asked = soup_server_message_get_request_headers(download->message);
	SoupMessageHeaders *told = soup_server_message_get_response_headers(download->message);
	SoupRange *ranges = NULL;
	int n = 0;
	download->left = download->size;
	soup_message_headers_append(told, "Accept-Ranges", "bytes");
	if (!soup_message_headers_get_ranges(asked, download->size, &ranges, &n) || n != 1) {
		soup_message_headers_free_ranges(asked, ranges);
		return true;
	}
	SoupRange range = *ranges;
	soup_message_headers_free_ranges(asked, ranges);
	if (range.start < 0 || range.start >= download->size || range.end < range.start) {
		g_autofree char *size = g_strdup_printf("bytes */%" G_GOFFSET_FORMAT, download->size);
		soup_message_headers_replace(told, "Content-Range", size);
		tl_files_answer(download->message, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, "the part has %" G_GOFFSET_FORMAT
				" octets", download->size);
		return false;
	}
	download->at = range.start;
	download->left = MIN(range.end, download->size - 1) - range.start + 1;
	soup_server_message_set_status(download->message, SOUP_STATUS_PARTIAL_CONTENT, NULL);
	soup_message_headers_set_content_range(told, range.start, range.start + download->left - 1, download->size);
	return true;
}

static void begin(struct download *download)
{
	SoupServerMessage *message = download->message;
	SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
	soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
	if (!choose_range(download)) {
		download->left = 0;
		soup_server_message_unpause(message);
		return;
	}
	soup_message_headers_set_content_type(headers, "application/octet-stream", NULL);
	soup_message_headers_set_content_length(headers, download->left);
	soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
	if (soup_server_message_get_method(message) == SOUP_METHOD_HEAD)
		download->left = 0;
	if (download->left)
		work(download, read_piece, on_read);
	else
		soup_server_message_unpause(message);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer user)
{
	struct download *download = g_task_get_task_data(G_TASK(result));
	bool opened = g_task_propagate_boolean(G_TASK(result), NULL);
	if (download->message && opened) {
		begin(download);
	} else if (download->message) {
		tl_files_answer(download->message, SOUP_STATUS_NOT_FOUND, "no such part");
		soup_server_message_unpause(download->message);
	}
	g_atomic_rc_box_release_full(download, download_unref);
}

void tl_download_start(SoupServerMessage *message, const char *path)
{
	struct download *download = g_atomic_rc_box_new0(struct download);
	download->message = message;
	download->path = g_strdup(path);
	download->fd = -1;
	g_signal_connect(message, "finished", G_CALLBACK(on_finished), download);
	g_signal_connect(message, "wrote-chunk", G_CALLBACK(on_wrote), download);
	soup_server_message_pause(message);
	work(download, open_file, on_opened);
}
