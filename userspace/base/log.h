/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The daemons' log: one line an entry on stderr, with the priority prefix that
 * the systemd journal reads when stderr is not a terminal. Never from a
 * real-time thread; never a secret.
 */
#pragma once

#include <glib.h>

enum tl_log_level { TL_LOG_ERROR, TL_LOG_WARNING, TL_LOG_NOTICE, TL_LOG_INFO, TL_LOG_DEBUG };

/** Entries above @level are dropped; the default is TL_LOG_INFO. Thread: main. */
void tl_log_set_level(enum tl_log_level level);

/** Parses "error", "warning", "notice", "info" or "debug"; false when it is none of them. */
gboolean tl_log_parse_level(const char *name, enum tl_log_level *level);

/** Writes one entry; @room names who speaks, such as "signal". Any thread that may block. */
void tl_log(enum tl_log_level level, const char *room, const char *format, ...) G_GNUC_PRINTF(3, 4);

#define tl_error(...) tl_log(TL_LOG_ERROR, TL_ROOM, __VA_ARGS__)
#define tl_warning(...) tl_log(TL_LOG_WARNING, TL_ROOM, __VA_ARGS__)
#define tl_notice(...) tl_log(TL_LOG_NOTICE, TL_ROOM, __VA_ARGS__)
#define tl_info(...) tl_log(TL_LOG_INFO, TL_ROOM, __VA_ARGS__)
#define tl_debug(...) tl_log(TL_LOG_DEBUG, TL_ROOM, __VA_ARGS__)
