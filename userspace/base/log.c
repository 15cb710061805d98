/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum tl_log_level limit = TL_LOG_INFO;

static const struct {
	const char *name;
	int syslog; /* the journal's priority */
} levels[] = {
	[TL_LOG_ERROR] = { "error", 3 },
	[TL_LOG_WARNING] = { "warning", 4 },
	[TL_LOG_NOTICE] = { "notice", 5 },
	[TL_LOG_INFO] = { "info", 6 },
	[TL_LOG_DEBUG] = { "debug", 7 },
};

void tl_log_set_level(enum tl_log_level level)
{
	limit = level;
}

gboolean tl_log_parse_level(const char *name, enum tl_log_level *level)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
		if (!strcmp(name, levels[i].name)) {
			*level = i;
			return TRUE;
		}
	return FALSE;
}

void tl_log(enum tl_log_level level, const char *room, const char *format, ...)
{
	if (level > limit)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	for (char *c = text; *c; c++) /* what a peer sent must not forge entries */
		if ((unsigned char)*c < ' ')
			*c = ' ';
	if (!isatty(STDERR_FILENO)) {
		fprintf(stderr, "<%d>%s: %s\n", levels[level].syslog, room, text);
		return;
	}
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *when = g_date_time_format(now, "%H:%M:%S.%f");
	fprintf(stderr, "%.12s %-7s %s: %s\n", when, levels[level].name, room, text);
}
