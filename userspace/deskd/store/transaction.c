/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "store/transaction.h"

G_DEFINE_QUARK(tl-store-error-quark, tl_store_error)

static void statement_free(void *data)
{
	struct tl_statement *statement = data;
	for (unsigned i = 0; i < statement->n_values; i++)
		g_free((char *)statement->values[i].text);
	g_free(statement->values);
	if (statement->cells) {
		for (unsigned i = 0; i < statement->cells->len; i++)
			g_free((char *)g_array_index(statement->cells, struct tl_value, i).text);
		g_array_unref(statement->cells);
	}
	g_free(statement);
}

struct tl_transaction *tl_transaction_new(const char *name)
{
	struct tl_transaction *transaction = g_new0(struct tl_transaction, 1);
	transaction->name = name;
	transaction->statements = g_ptr_array_new_with_free_func(statement_free);
	return transaction;
}

void tl_transaction_free(struct tl_transaction *transaction)
{
	if (!transaction)
		return;
	g_ptr_array_unref(transaction->statements);
	g_clear_error(&transaction->error);
	g_free(transaction);
}

void tl_transaction_add(struct tl_transaction *transaction, const char *sql, const struct tl_value *values, unsigned n)
{
	struct tl_statement *statement = g_new0(struct tl_statement, 1);
	statement->sql = sql;
	statement->n_values = n;
	statement->expected = TL_EXPECT_ANY;
	statement->values = g_new0(struct tl_value, n + 1);
	for (unsigned i = 0; i < n; i++) {
		statement->values[i] = values[i];
		statement->values[i].text = g_strdup(values[i].text);
	}
	g_ptr_array_add(transaction->statements, statement);
}

void tl_transaction_expect(struct tl_transaction *transaction, unsigned rows)
{
	g_assert(transaction->statements->len);
	struct tl_statement *last = g_ptr_array_index(transaction->statements, transaction->statements->len - 1);
	last->expected = rows;
}

void tl_transaction_guard(struct tl_transaction *transaction, int64_t epoch)
{
	tl_transaction_add(transaction, "SELECT 1 FROM lease WHERE name = 'conductor' AND epoch = $1", TL_VALUES(tl_int(epoch)));
	tl_transaction_expect(transaction, 1);
}

void tl_statement_add_cell(struct tl_statement *statement, struct tl_value value)
{
	if (!statement->cells)
		statement->cells = g_array_new(FALSE, FALSE, sizeof(struct tl_value));
	value.text = g_strdup(value.text);
	g_array_append_val(statement->cells, value);
}

static const struct tl_statement *statement_at(const struct tl_result *result, unsigned statement)
{
	g_assert(statement < result->transaction->statements->len);
	return g_ptr_array_index(result->transaction->statements, statement);
}

static const struct tl_value *cell_at(const struct tl_result *result, unsigned statement, unsigned row, unsigned column)
{
	const struct tl_statement *s = statement_at(result, statement);
	g_assert(column < s->n_columns && row < tl_result_rows(result, statement));
	return &g_array_index(s->cells, struct tl_value, row * s->n_columns + column);
}

unsigned tl_result_rows(const struct tl_result *result, unsigned statement)
{
	const struct tl_statement *s = statement_at(result, statement);
	return s->cells ? s->cells->len / s->n_columns : 0;
}

unsigned tl_result_changes(const struct tl_result *result, unsigned statement)
{
	return statement_at(result, statement)->changes;
}

int64_t tl_result_int(const struct tl_result *result, unsigned statement, unsigned row, unsigned column)
{
	return cell_at(result, statement, row, column)->integer;
}

const char *tl_result_text(const struct tl_result *result, unsigned statement, unsigned row, unsigned column)
{
	return cell_at(result, statement, row, column)->text;
}
