/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The ledger: every billable fact of every node, stored exactly once, and the
 * CDRs derived from them: one a leg. A node keeps its facts until the ledger
 * has told it that they are on disk here. Thread: main.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "control/control.h"
#include "store/store.h"

/** One leg's record; strings are borrowed, NULL where not known. Durations by the node's monotonic clock. */
struct tl_cdr {
	const char *node, *leg, *direction, *called, *calling, *party, *service, *agent, *contact, *digits;
	int64_t offered_utc_us, answered_utc_us, ended_utc_us; /* answered: 0 when never */
	int64_t duration_ms, billable_ms;
	unsigned cause;
	bool by_peer;
};

struct tl_ledger_handler {
	/** A leg has ended and its record is on disk; exactly once a leg. */
	void (*on_cdr)(const struct tl_cdr *cdr, void *user);
	/** All that @node's journal held when it was attached is stored. */
	void (*on_caught_up)(const char *node, void *user);
	/** @transaction stores @fact, maybe once more; statements may be added that are to be true with it. */
	void (*on_storing)(struct tl_transaction *transaction, JsonObject *fact, void *user);
	/** @fact is stored; before its node is told, and before on_caught_up. */
	void (*on_fact)(JsonObject *fact, void *user);
};

struct tl_ledger;
/** (transfer full) @store is borrowed. */
struct tl_ledger *tl_ledger_new(struct tl_store *store, const struct tl_ledger_handler *handler, void *user);
void tl_ledger_free(struct tl_ledger *ledger);

/** @node's connection is open as conductor: read its journal from where we are. @client borrowed until detach. */
void tl_ledger_attach(struct tl_ledger *ledger, const char *node, struct tl_control_client *client);
void tl_ledger_detach(struct tl_ledger *ledger, const char *node);
/** The event journal.facts of @node. */
void tl_ledger_facts(struct tl_ledger *ledger, const char *node, JsonObject *params);

typedef void (*tl_ledger_cdrs_fn)(const struct tl_cdr *cdrs, unsigned n, const GError *error, void *user);
/** The latest @max records that ended after @since_utc_us, the latest first. */
void tl_ledger_cdrs(struct tl_ledger *ledger, unsigned max, int64_t since_utc_us, tl_ledger_cdrs_fn on_done, void *user);
