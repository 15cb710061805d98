/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What a power cut leaves: the tree below one folder as it was fsynced, and nothing else. The C library's fsync() and
 * fdatasync() are replaced by a book of what they make durable: a file's contents, a folder's names.
 */
#pragma once

#include <glib.h>

/** Begins to keep the book for @root, which is durable and empty. */
void power_cut_watch(const char *root);
/** Calls @before at each fsync, before it counts; NULL: no more. On the thread that fsyncs, one at a time. */
void power_cut_each(void (*before)(void *user), void *user);
/** Builds in the empty folder @target what would be found after a cut now. */
void power_cut_leave(const char *target);
/** From now on each fsync blocks until 0 is given; and how long they fail with @error (0: they do not). */
void power_cut_hang(gboolean hang);
void power_cut_fail(int error);
void power_cut_done(void);
