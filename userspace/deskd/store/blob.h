/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Blobs: immutable files named by their SHA-256, in a directory of 256 shards
 * (DIR/ab/abcdef...). A file is complete and on disk before it has its name;
 * the row in table blob, written in the transaction that needs it, is what
 * keeps it. A file without a row is an orphan (a desk died in between) and is
 * swept once it is old; a row whose time to be kept is over goes with its file.
 * Several desks may share the directory (a POSIX file system).
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

struct tl_store;
struct tl_transaction;
struct tl_blobs;

#define TL_SHA256_TEXT 64 /* hexadecimal digits, lower case */

/** What was written. */
struct tl_blob {
	char sha256[TL_SHA256_TEXT + 1];
	int64_t size;
};

/**
 * tl_blobs_new - blobs in @dir, which is made when the first is written. (transfer full)
 * @grace_s: a file without a row is an orphan only when older than this.
 */
struct tl_blobs *tl_blobs_new(const char *dir, unsigned grace_s);
/** After every writer and task has ended. NULL is legal. */
void tl_blobs_free(struct tl_blobs *blobs);

/** Whether @text is a SHA-256 as blobs are named. Any thread. */
bool tl_blob_is_name(const char *text);
/** The file's path, whether it is there or not. Any thread. (transfer full) */
char *tl_blobs_path(const struct tl_blobs *blobs, const char *sha256);

/* ---- writing, on a worker ---- */

struct tl_blob_writer;
/** Errors are GIO's and name the file. Thread: any that may block. (transfer full) */
struct tl_blob_writer *tl_blob_writer_new(struct tl_blobs *blobs, GError **error);
bool tl_blob_writer_write(struct tl_blob_writer *writer, const void *octets, size_t n, GError **error);
/**
 * Gives the file its name: file and directories are fsynced before it returns true. The same content again is no
 * error. @expected: refuse another digest (NULL: any). @writer is freed in any case.
 */
bool tl_blob_writer_finish(struct tl_blob_writer *writer, const char *expected, struct tl_blob *blob, GError **error);
/** Gives up. NULL is legal. */
void tl_blob_writer_free(struct tl_blob_writer *writer);

/** The whole of a memory or a file as a blob. Thread: any that may block. */
bool tl_blobs_put(struct tl_blobs *blobs, const void *octets, size_t n, struct tl_blob *blob, GError **error);
bool tl_blobs_put_file(struct tl_blobs *blobs, const char *path, struct tl_blob *blob, GError **error);

/** @blob is NULL with an error; borrowed. Thread: main. */
typedef void (*tl_blob_done)(const struct tl_blob *blob, const GError *error, void *user);
/** The same on a worker, then @on_done on main. Thread: main. */
void tl_blobs_put_later(struct tl_blobs *blobs, GBytes *octets, tl_blob_done on_done, void *user);

/* ---- rows ---- */

/**
 * Adds the row that keeps @blob until @keep_until_utc_us (0: for ever) to @transaction; of several wishes the longest
 * holds. @type: a media type. Thread: main.
 */
void tl_blob_keep(struct tl_transaction *transaction, const struct tl_blob *blob, const char *type, int64_t keep_until_utc_us);

/** Looks at the next shard for orphans and at what need not be kept any longer; one look at a time. Thread: main. */
void tl_blobs_sweep(struct tl_blobs *blobs, struct tl_store *store);
/** Files removed so far. Thread: main. */
uint64_t tl_blobs_swept(const struct tl_blobs *blobs);
