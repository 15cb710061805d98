/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Registrations outlive a restart: bindings are kept in a file, written by a
 * worker soon after each change and read at the next start. Without it every
 * phone would be unreachable until it registers by itself. Thread: main.
 */
#pragma once

struct tl_sip;
struct tl_kept;

/** Keeps @sip's bindings in @path; those in it are bound again from the loop, so that the owner hears. (transfer full) */
struct tl_kept *tl_kept_new(struct tl_sip *sip, const char *path);
/** Writes what is still to be written, at once. NULL is legal. */
void tl_kept_free(struct tl_kept *kept);
/** Something was bound, refreshed or removed. NULL is legal. */
void tl_kept_changed(struct tl_kept *kept);
