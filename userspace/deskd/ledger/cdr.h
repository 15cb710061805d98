/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Deriving and reading CDRs. */
#pragma once

#include "ledger/ledger.h"

/** Adds what derives the record of @leg from its facts in the store, once its ended fact @sequence is there. */
void tl_cdr_derive(struct tl_transaction *transaction, const char *node, const char *leg, int64_t sequence);
/** Adds the reading back of that record. */
void tl_cdr_select(struct tl_transaction *transaction, const char *node, const char *leg);
/** Adds the reading of the latest ones. */
void tl_cdr_select_latest(struct tl_transaction *transaction, unsigned max, int64_t since_utc_us);
/** One row of either; borrowed as @result is. */
struct tl_cdr tl_cdr_read(const struct tl_result *result, unsigned statement, unsigned row);
