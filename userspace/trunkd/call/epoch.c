/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The highest epoch obeyed, in one small file that is replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "call/node.h"

bool tl_epoch_load(const char *state_dir, gint64 *epoch, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, "epoch", NULL), *text = NULL;
	g_autoptr(GError) cause = NULL;
	if (!g_file_get_contents(path, &text, NULL, &cause)) {
		if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
			*epoch = 0;
			return true;
		}
		g_set_error(error, TL_CALL_ERROR, TL_CALL_ERROR_START, "%s: %s", path, cause->message);
		return false;
	}
	if (g_ascii_string_to_signed(g_strstrip(text), 10, 0, G_MAXINT64, epoch, NULL))
		return true;
	/* Guessing low would let an old conductor back in. */
	g_set_error(error, TL_CALL_ERROR, TL_CALL_ERROR_START, "%s: expected the number of an epoch", path);
	return false;
}

bool tl_epoch_save(const char *state_dir, gint64 epoch, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, "epoch", NULL);
	g_autofree char *fresh = g_strconcat(path, ".new", NULL);
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT "\n", epoch);
	int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	size_t n = strlen(text);
	bool saved = dir >= 0 && fd >= 0 && write(fd, text, n) == (ssize_t)n && !fsync(fd) && !rename(fresh, path) &&
		     !fsync(dir);
	if (!saved)
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_STORAGE, "%s: cannot be written: %s", path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return saved;
}
