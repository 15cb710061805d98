/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a database must do for the store. Thread: the store's own, once opened. */
#pragma once

#include "store/transaction.h"

struct tl_backend;

/** Opens and migrates. Thread: main, before the store's thread begins. (transfer full) */
struct tl_backend *tl_backend_open(const char *path, GError **error);
void tl_backend_close(struct tl_backend *backend);

/**
 * tl_backend_run - run @n transactions under one commit. Each one's error is set when it failed; without an error
 * it is on disk when this returns.
 */
void tl_backend_run(struct tl_backend *backend, struct tl_transaction **transactions, unsigned n);
