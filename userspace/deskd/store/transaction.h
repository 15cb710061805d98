/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A transaction's insides, for the store's thread and its database. */
#pragma once

#include "store/store.h"

#define TL_EXPECT_ANY UINT32_MAX

struct tl_statement {
	const char *sql;
	struct tl_value *values; /* texts owned */
	unsigned n_values;
	unsigned expected;       /* rows, or TL_EXPECT_ANY */
	unsigned changes;        /* result */
	unsigned n_columns;
	GArray *cells;           /* struct tl_value, texts owned; NULL: none */
};

struct tl_transaction {
	const char *name;
	GPtrArray *statements;
	tl_store_done on_done;
	void *user;
	GError *error; /* set by the store's thread */
};

struct tl_result {
	const struct tl_transaction *transaction;
};

/** Appends a copy of one cell to the result of @statement. */
void tl_statement_add_cell(struct tl_statement *statement, struct tl_value value);
