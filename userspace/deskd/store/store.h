/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The store: what must outlive a desk. A transaction is a value, submitted and
 * completed by callback; it runs on the store's own thread. Transactions that
 * are ready together share one commit (and one fsync), yet one that fails takes
 * no other along. Nothing of the database behind it shows here: the SQL is the
 * subset common to SQLite and PostgreSQL, placeholders are $1, $2, ... in the
 * order of their first use, now_us() is the database's clock in us since 1970.
 * Thread: main, for every function.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/blob.h"

#define TL_STORE_ERROR (tl_store_error_quark())
GQuark tl_store_error_quark(void);
enum tl_store_error_code {
	TL_STORE_ERROR_OPEN,     /* cannot be opened, read or migrated */
	TL_STORE_ERROR_STORAGE,  /* disk full, unwritable, damaged or locked by another: the alarm is on */
	TL_STORE_ERROR_GUARD,    /* tl_transaction_expect() was not met; nothing of the transaction happened */
	TL_STORE_ERROR_CONFLICT, /* a constraint; nothing of the transaction happened */
	TL_STORE_ERROR_OVERLOAD, /* TL_STORE_WAITING_MAX transactions wait already */
};

/** Transactions that may wait at once. */
#define TL_STORE_WAITING_MAX 65536
/** Transactions that share one commit at most. */
#define TL_STORE_BATCH_MAX 512

struct tl_value {
	enum { TL_VALUE_NULL, TL_VALUE_INT, TL_VALUE_TEXT } type;
	int64_t integer;
	const char *text;
};
static inline struct tl_value tl_int(int64_t n) { return (struct tl_value){ TL_VALUE_INT, n, NULL }; }
/** NULL becomes SQL's NULL. */
static inline struct tl_value tl_text(const char *text)
{
	return (struct tl_value){ text ? TL_VALUE_TEXT : TL_VALUE_NULL, 0, text };
}
/** Null when @n is 0: times that have not come yet. */
static inline struct tl_value tl_time(int64_t n) { return (struct tl_value){ n ? TL_VALUE_INT : TL_VALUE_NULL, n, NULL }; }

#define TL_VALUES(...)                          \
	(const struct tl_value[]){ __VA_ARGS__ }, \
		sizeof((const struct tl_value[]){ __VA_ARGS__ }) / sizeof(struct tl_value)

struct tl_transaction;

/** @name: static, for messages ("assignment"). (transfer full) */
struct tl_transaction *tl_transaction_new(const char *name);
/** For one that is not submitted after all. NULL is legal. */
void tl_transaction_free(struct tl_transaction *transaction);
/** Adds a statement: @sql is static; values are copied. Use: tl_transaction_add(t, "...", TL_VALUES(tl_int(1))). */
void tl_transaction_add(struct tl_transaction *transaction, const char *sql, const struct tl_value *values, unsigned n);
/** The statement added last must change or return exactly @rows rows, or all is rolled back (ERROR_GUARD). */
void tl_transaction_expect(struct tl_transaction *transaction, unsigned rows);
/** Adds the guard that @epoch is still the conductor's: a deposed desk changes nothing. */
void tl_transaction_guard(struct tl_transaction *transaction, int64_t epoch);

/** What the statements returned, by their index; borrowed until the callback returns. */
struct tl_result;
unsigned tl_result_rows(const struct tl_result *result, unsigned statement);
unsigned tl_result_changes(const struct tl_result *result, unsigned statement);
/** 0 for NULL. */
int64_t tl_result_int(const struct tl_result *result, unsigned statement, unsigned row, unsigned column);
/** NULL for NULL; integers have no text. */
const char *tl_result_text(const struct tl_result *result, unsigned statement, unsigned row, unsigned column);

/** Without @error the transaction is on disk. @result is NULL with an error. */
typedef void (*tl_store_done)(const struct tl_result *result, const GError *error, void *user);

struct tl_store;

/**
 * tl_store_open - open or make the database at @path (SQLite: WAL, synchronous=FULL) and bring it to this
 * program's schema. Errors say what, where and what was expected. Blocks; at start only. (transfer full)
 * @on_alarm: may be NULL; called when writing begins to fail (@why) and when it works again (NULL).
 */
struct tl_store *tl_store_open(const char *path, void (*on_alarm)(const char *why, void *user), void *user, GError **error);

/** Finishes what was submitted, calls back for it, closes. What is submitted meanwhile is dropped. NULL is legal. */
void tl_store_free(struct tl_store *store);

/** Takes @transaction (transfer full); they run in the order submitted. @on_done may be NULL: errors are logged. */
void tl_store_submit(struct tl_store *store, struct tl_transaction *transaction, tl_store_done on_done, void *user);

/** Why writing fails just now, or NULL. Borrowed. */
const char *tl_store_alarm(const struct tl_store *store);
/** Commits done so far, to see that they are shared. */
uint64_t tl_store_commits(const struct tl_store *store);

/* ---- the conductor's lease ---- */

struct tl_lease;
/** @epoch: ours now, or 0: not (or no longer) the conductor. */
typedef void (*tl_lease_fn)(int64_t epoch, void *user);

/**
 * tl_lease_new - try for the conductor's lease as @holder, and hold it: renewed four times in @lease_ms, and given
 * up by our own clock when renewing has not worked for @lease_ms. Each reign has a higher epoch. (transfer full)
 */
struct tl_lease *tl_lease_new(struct tl_store *store, const char *holder, unsigned lease_ms, tl_lease_fn on_change,
			      void *user);
/** Gives it back at once when held (so that another desk need not wait), without calling on_change. NULL is legal. */
void tl_lease_free(struct tl_lease *lease);
/** A node has seen @epoch or higher: take max(ours, @epoch) + 1; on_change follows. */
void tl_lease_raise(struct tl_lease *lease, int64_t epoch);
int64_t tl_lease_epoch(const struct tl_lease *lease);
