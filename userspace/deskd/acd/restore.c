/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The beginning of a reign: what the conductor before us left in the store. */
#include "acd/model.h"

enum { AGENTS, WAITING, ASSIGNED, COUNTS };

static void restore_agents(struct tl_acd *acd, const struct tl_result *result)
{
	for (unsigned row = 0; row < tl_result_rows(result, AGENTS); row++) {
		struct agent *agent = g_hash_table_lookup(acd->agents, tl_result_text(result, AGENTS, row, 0));
		if (!agent)
			continue;
		/* How long it still wraps up depends on its queues' longest time: the call's own queue is history. */
		agent->wrap_up_s = 0;
		for (unsigned i = 0; i < agent->queues->len; i++)
			agent->wrap_up_s = MAX(agent->wrap_up_s, ((struct queue *)g_ptr_array_index(agent->queues, i))->wrap_up_s);
		agent_restore(agent, tl_result_text(result, AGENTS, row, 1), tl_result_text(result, AGENTS, row, 2),
			      tl_result_int(result, AGENTS, row, 3));
	}
}

/* Nobody waits before its leg is seen alive: tl_acd_confirm(). */
static void restore_waiting(struct tl_acd *acd, const struct tl_result *result)
{
	for (unsigned row = 0; row < tl_result_rows(result, WAITING); row++) {
		const char *name = tl_result_text(result, WAITING, row, 1);
		struct queue *queue = name ? g_hash_table_lookup(acd->queues, name) : NULL;
		if (queue)
			entry_new(acd, tl_result_text(result, WAITING, row, 0), queue, tl_result_int(result, WAITING, row, 2));
	}
}

static void restore_assigned(struct tl_acd *acd, const struct tl_result *result)
{
	for (unsigned row = 0; row < tl_result_rows(result, ASSIGNED); row++) {
		struct agent *agent = g_hash_table_lookup(acd->agents, tl_result_text(result, ASSIGNED, row, 2));
		const char *queue = tl_result_text(result, ASSIGNED, row, 3);
		struct entry *entry = entry_new(acd, tl_result_text(result, ASSIGNED, row, 1),
						queue ? g_hash_table_lookup(acd->queues, queue) : NULL,
						tl_result_int(result, ASSIGNED, row, 4));
		entry->assignment = g_strdup(tl_result_text(result, ASSIGNED, row, 0));
		entry->agent = agent;
		entry->state = tl_result_int(result, ASSIGNED, row, 5) ? ENTRY_TALKING : ENTRY_RINGING;
		if (entry->state == ENTRY_TALKING && entry->queue)
			entry->queue->talking++;
		if (!agent)
			continue;
		agent->entry = entry;
		agent_unqueue(agent);
		agent->fsm.state = entry->state == ENTRY_TALKING ? TL_AGENT_TALKING : TL_AGENT_RINGING;
	}
}

static void restore_counts(struct tl_acd *acd, const struct tl_result *result)
{
	for (unsigned row = 0; row < tl_result_rows(result, COUNTS); row++) {
		struct queue *queue = g_hash_table_lookup(acd->queues, tl_result_text(result, COUNTS, row, 0));
		const char *outcome = tl_result_text(result, COUNTS, row, 1);
		unsigned n = tl_result_int(result, COUNTS, row, 2);
		if (!queue)
			continue;
		if (!g_strcmp0(outcome, "answered"))
			queue->answered_today = n;
		else if (!g_strcmp0(outcome, "overflowed"))
			queue->overflowed_today = n;
		else if (!g_strcmp0(outcome, "abandoned"))
			queue->abandoned_today = n;
	}
}

/* Ringing or talking by its own row, yet without an open assignment: that call is over. */
static void free_the_stuck(struct tl_acd *acd)
{
	GHashTableIter iter;
	struct agent *agent;
	g_hash_table_iter_init(&iter, acd->agents);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&agent)) {
		if (!agent->entry && agent->fsm.state == TL_AGENT_RINGING)
			agent_fire(agent, AGENT_CALLER_GONE, NULL);
		if (!agent->entry && agent->fsm.state == TL_AGENT_TALKING)
			agent_fire(agent, AGENT_ENDED, NULL);
		agent_changed(agent);
	}
}

static void on_restored(const struct tl_result *result, const GError *error, void *user)
{
	struct tl_acd *acd = user;
	if (--acd->restoring || !acd->epoch)
		return;
	if (result) {
		restore_agents(acd, result);
		restore_waiting(acd, result);
		restore_assigned(acd, result);
		restore_counts(acd, result);
		free_the_stuck(acd);
	}
	acd->on_restored(error, acd->restored_user);
}

void tl_acd_begin(struct tl_acd *acd, int64_t epoch, void (*done)(const GError *error, void *user), void *user)
{
	tl_acd_end(acd);
	acd->epoch = epoch;
	acd->restoring++;
	acd->assignments = 0;
	acd->on_restored = done;
	acd->restored_user = user;
	acd->day = 0;
	acd_count_day(acd);
	GHashTableIter iter;
	struct queue *queue;
	g_hash_table_iter_init(&iter, acd->queues);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&queue))
		queue->talking = 0;
	struct tl_transaction *t = tl_transaction_new("agents and queues");
	tl_transaction_add(t, "SELECT name, state, reason, since_utc_us FROM agent", TL_VALUES());
	tl_transaction_add(t, "SELECT id, queue, enqueued_utc_us FROM contact WHERE ended_utc_us IS NULL AND state = 'queued'",
			   TL_VALUES());
	tl_transaction_add(t, "SELECT a.id, a.contact, a.agent, c.queue, coalesce(c.enqueued_utc_us, 0), "
			      "coalesce(a.answered_utc_us, 0) FROM assignment a JOIN contact c ON c.id = a.contact "
			      "WHERE a.ended_utc_us IS NULL AND c.ended_utc_us IS NULL", TL_VALUES());
	tl_transaction_add(t, "SELECT queue, outcome, count(*) FROM contact WHERE ended_utc_us >= $1 AND queue IS NOT NULL "
			      "GROUP BY queue, outcome", TL_VALUES(tl_int(acd->day * 86400LL * G_USEC_PER_SEC)));
	tl_store_submit(acd->store, t, on_restored, acd);
}
