/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The store on SQLite: a batch is one BEGIN ... COMMIT, a transaction in it a savepoint. */
#include "store/backend.h"

#include <sqlite3.h>

#include "store/migrations.h"

#define TL_ROOM "store"
#include "base/log.h"

struct tl_backend {
	sqlite3 *db;
	char *path;
	GHashTable *prepared; /* sql (static, by address) -> sqlite3_stmt */
};

static void now_us(sqlite3_context *context, int n, sqlite3_value **values)
{
	(void)n, (void)values;
	sqlite3_result_int64(context, g_get_real_time());
}

static void finalize(void *stmt)
{
	sqlite3_finalize(stmt);
}

static enum tl_store_error_code code_of(int rc)
{
	return (rc & 0xff) == SQLITE_CONSTRAINT ? TL_STORE_ERROR_CONFLICT : TL_STORE_ERROR_STORAGE;
}

static bool fail(struct tl_backend *backend, const char *what, GError **error)
{
	int rc = sqlite3_extended_errcode(backend->db);
	g_set_error(error, TL_STORE_ERROR, code_of(rc), "%s: %s: %s", backend->path, what, sqlite3_errmsg(backend->db));
	return false;
}

static bool execute(struct tl_backend *backend, const char *sql, GError **error)
{
	if (sqlite3_exec(backend->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return fail(backend, sql, error);
}

static sqlite3_stmt *prepare(struct tl_backend *backend, const char *sql, GError **error)
{
	sqlite3_stmt *stmt = g_hash_table_lookup(backend->prepared, sql);
	if (stmt)
		return stmt;
	if (sqlite3_prepare_v3(backend->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
		fail(backend, sql, error);
		return NULL;
	}
	g_hash_table_insert(backend->prepared, (void *)sql, stmt);
	return stmt;
}

static void bind(sqlite3_stmt *stmt, const struct tl_statement *statement)
{
	for (unsigned i = 0; i < statement->n_values; i++) {
		const struct tl_value *value = &statement->values[i];
		switch (value->type) {
		case TL_VALUE_NULL:
			sqlite3_bind_null(stmt, i + 1);
			break;
		case TL_VALUE_INT:
			sqlite3_bind_int64(stmt, i + 1, value->integer);
			break;
		case TL_VALUE_TEXT:
			sqlite3_bind_text(stmt, i + 1, value->text, -1, SQLITE_STATIC);
			break;
		}
	}
}

static void keep_row(sqlite3_stmt *stmt, struct tl_statement *statement)
{
	for (unsigned c = 0; c < statement->n_columns; c++) {
		int type = sqlite3_column_type(stmt, c);
		if (type == SQLITE_NULL)
			tl_statement_add_cell(statement, tl_text(NULL));
		else if (type == SQLITE_INTEGER)
			tl_statement_add_cell(statement, tl_int(sqlite3_column_int64(stmt, c)));
		else
			tl_statement_add_cell(statement, tl_text((const char *)sqlite3_column_text(stmt, c)));
	}
}

static bool run_statement(struct tl_backend *backend, const struct tl_transaction *transaction,
			  struct tl_statement *statement, GError **error)
{
	sqlite3_stmt *stmt = prepare(backend, statement->sql, error);
	if (!stmt)
		return false;
	bind(stmt, statement);
	statement->n_columns = sqlite3_column_count(stmt);
	unsigned rows = 0;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		keep_row(stmt, statement);
		rows++;
	}
	bool ok = rc == SQLITE_DONE || fail(backend, transaction->name, error);
	statement->changes = statement->n_columns ? rows : (unsigned)sqlite3_changes(backend->db);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (ok && statement->expected != TL_EXPECT_ANY && statement->changes != statement->expected) {
		g_set_error(error, TL_STORE_ERROR, TL_STORE_ERROR_GUARD, "%s: %u rows where %u were expected: %s",
			    transaction->name, statement->changes, statement->expected, statement->sql);
		return false;
	}
	return ok;
}

/* Returns false when the whole batch is lost: SQLite itself has rolled back (disk full, I/O error). */
static bool run_transaction(struct tl_backend *backend, struct tl_transaction *transaction)
{
	if (!execute(backend, "SAVEPOINT one", &transaction->error))
		return false;
	for (unsigned i = 0; i < transaction->statements->len; i++)
		if (!run_statement(backend, transaction, g_ptr_array_index(transaction->statements, i), &transaction->error))
			break;
	if (sqlite3_get_autocommit(backend->db))
		return false;
	if (transaction->error && !execute(backend, "ROLLBACK TO one", NULL))
		return false;
	return execute(backend, "RELEASE one", transaction->error ? NULL : &transaction->error);
}

static void fail_all(struct tl_transaction **transactions, unsigned n, const GError *why)
{
	for (unsigned i = 0; i < n; i++)
		if (!transactions[i]->error)
			transactions[i]->error = g_error_copy(why);
}

void tl_backend_run(struct tl_backend *backend, struct tl_transaction **transactions, unsigned n)
{
	g_autoptr(GError) why = NULL;
	bool ok = execute(backend, "BEGIN IMMEDIATE", &why);
	for (unsigned i = 0; ok && i < n; i++) {
		ok = run_transaction(backend, transactions[i]);
		if (!ok)
			why = transactions[i]->error ? g_error_copy(transactions[i]->error) :
						       g_error_new(TL_STORE_ERROR, TL_STORE_ERROR_STORAGE,
								   "%s: rolled back by the database", backend->path);
	}
	if (ok)
		ok = execute(backend, "COMMIT", &why);
	if (ok)
		return;
	if (!sqlite3_get_autocommit(backend->db))
		execute(backend, "ROLLBACK", NULL);
	fail_all(transactions, n, why);
}

static bool read_version(struct tl_backend *backend, unsigned *version, GError **error)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(backend->db, "SELECT max(number) FROM migration", -1, &stmt, NULL) != SQLITE_OK)
		return fail(backend, "migration", error);
	bool ok = sqlite3_step(stmt) == SQLITE_ROW || fail(backend, "migration", error);
	*version = ok ? sqlite3_column_int(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return ok;
}

static bool migrate(struct tl_backend *backend, GError **error)
{
	unsigned version = 0;
	if (!execute(backend, "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)", error) ||
	    !read_version(backend, &version, error))
		return false;
	if (version > tl_migrations_count) {
		g_set_error(error, TL_STORE_ERROR, TL_STORE_ERROR_OPEN, "%s: is of schema %u; this program knows up to %u",
			    backend->path, version, tl_migrations_count);
		return false;
	}
	for (; version < tl_migrations_count; version++) {
		g_autofree char *done = g_strdup_printf("INSERT INTO migration VALUES (%u)", version + 1);
		if (!execute(backend, "BEGIN IMMEDIATE", error) || !execute(backend, tl_migrations[version], error) ||
		    !execute(backend, done, error) || !execute(backend, "COMMIT", error))
			return false;
		tl_info("%s: schema %u", backend->path, version + 1);
	}
	return true;
}

struct tl_backend *tl_backend_open(const char *path, GError **error)
{
	struct tl_backend *backend = g_new0(struct tl_backend, 1);
	backend->path = g_strdup(path);
	backend->prepared = g_hash_table_new_full(NULL, NULL, NULL, finalize);
	g_autoptr(GError) why = NULL;
	bool ok = sqlite3_open_v2(path, &backend->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) ==
			  SQLITE_OK || fail(backend, "cannot be opened", &why);
	if (ok) {
		sqlite3_extended_result_codes(backend->db, 1);
		sqlite3_busy_timeout(backend->db, 2000);
		sqlite3_create_function(backend->db, "now_us", 0, SQLITE_UTF8, NULL, now_us, NULL, NULL);
		ok = execute(backend, "PRAGMA journal_mode = WAL", &why) && execute(backend, "PRAGMA synchronous = FULL", &why) &&
		     migrate(backend, &why);
	}
	if (ok)
		return backend;
	g_set_error(error, TL_STORE_ERROR, TL_STORE_ERROR_OPEN, "%s", why->message);
	tl_backend_close(backend);
	return NULL;
}

void tl_backend_close(struct tl_backend *backend)
{
	if (!backend)
		return;
	g_hash_table_unref(backend->prepared);
	sqlite3_close(backend->db);
	g_free(backend->path);
	g_free(backend);
}
