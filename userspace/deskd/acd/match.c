/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Matching: the oldest contact with the agent longest idle. The agent and the
 * contact leave their orders at once, so that nobody else gets either; the one
 * transaction decides; then the phone rings.
 */
#include "acd/model.h"

#define TL_ROOM "acd"
#include "base/log.h"

#define RETRY_MS 1000

static bool may_match(const struct tl_acd *acd)
{
	return acd->open && acd->epoch && !tl_timer_running(acd->retry);
}

static struct tl_transaction *assignment_transaction(const struct entry *entry, int64_t now_utc_us)
{
	struct tl_transaction *t = tl_transaction_new("assignment");
	tl_transaction_guard(t, entry->acd->epoch);
	tl_transaction_add(t, "UPDATE contact SET state = 'ringing', agent = $1 WHERE id = $2 "
			      "AND ended_utc_us IS NULL AND state IN ('open', 'queued')",
			   TL_VALUES(tl_text(entry->agent->name), tl_text(entry->contact)));
	tl_transaction_expect(t, 1);
	tl_transaction_add(t, "INSERT INTO assignment (id, contact, agent, offered_utc_us) VALUES ($1, $2, $3, $4)",
			   TL_VALUES(tl_text(entry->assignment), tl_text(entry->contact), tl_text(entry->agent->name),
				     tl_int(now_utc_us)));
	agent_save(entry->agent, t);
	return t;
}

/* The contact waits again, the agent is free again, the disk gets a second. */
static void assignment_failed(struct entry *entry, const GError *error)
{
	struct agent *agent = entry->agent;
	tl_warning("assignment of %s to %s: %s", entry->contact, agent->name, error->message);
	tl_timer_start(entry->acd->retry, RETRY_MS);
	g_clear_pointer(&entry->assignment, g_free);
	bool still = agent->entry == entry;
	agent->entry = NULL;
	if (entry->gone) {
		entry_free(entry);
	} else {
		entry->agent = entry->queue ? NULL : agent;
		entry_wait(entry);
	}
	if (still)
		agent_fire(agent, AGENT_CALLER_GONE, NULL);
}

void entry_end_assignment(struct entry *entry, const char *outcome, const char *contact_state)
{
	struct tl_transaction *t = tl_transaction_new("assignment over");
	tl_transaction_guard(t, entry->acd->epoch);
	tl_transaction_add(t, "UPDATE assignment SET ended_utc_us = $1, outcome = $2 WHERE id = $3 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_int(tl_clock_utc_us()), tl_text(outcome), tl_text(entry->assignment)));
	if (contact_state)
		tl_transaction_add(t, "UPDATE contact SET state = $1, agent = NULL WHERE id = $2 AND ended_utc_us IS NULL",
				   TL_VALUES(tl_text(contact_state), tl_text(entry->contact)));
	tl_store_submit(entry->acd->store, t, NULL, NULL);
	g_clear_pointer(&entry->assignment, g_free);
}

/* While the disk wrote, the caller or the agent's phone has gone. */
static void undo_assignment(struct entry *entry)
{
	struct agent *agent = entry->agent;
	bool still = agent->entry == entry;
	entry_end_assignment(entry, entry->gone ? "caller gone" : "agent gone", entry->gone ? NULL : "queued");
	if (still)
		agent->entry = NULL;
	entry->agent = NULL;
	if (entry->gone) {
		entry_free(entry);
	} else {
		entry_wait(entry);
		if (entry->queue)
			match_queue(entry->queue);
	}
	if (still)
		agent_fire(agent, AGENT_CALLER_GONE, NULL);
}

static void on_assignment_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct entry *entry = user;
	struct tl_acd *acd = entry->acd;
	(void)result;
	if (acd->epoch != entry->epoch) { /* that reign is over: all was forgotten but this */
		entry_free(entry);
		return;
	}
	if (error) {
		assignment_failed(entry, error);
		return;
	}
	if (entry->gone || entry->agent->entry != entry || !agent_is_reachable(entry->agent)) {
		undo_assignment(entry);
		return;
	}
	entry->state = ENTRY_RINGING;
	struct tl_assignment assignment = { .id = entry->assignment, .contact = entry->contact, .agent = entry->agent->name,
					    .phone = entry->agent->browser_connected ? NULL : entry->agent->phone,
					    .auto_answer = entry->agent->auto_answer, .ring_s = entry->queue ? entry->queue->ring_s : 30 };
	acd->handler.on_assigned(&assignment, acd->user);
}

void match_entry(struct entry *entry, struct agent *agent)
{
	struct tl_acd *acd = entry->acd;
	entry_unwait(entry);
	entry->state = ENTRY_ASSIGNING;
	entry->agent = agent;
	entry->assignment = g_strdup_printf("%" G_GINT64_FORMAT "-%u", acd->epoch, ++acd->assignments);
	entry->epoch = acd->epoch;
	agent->entry = entry;
	agent_fire(agent, AGENT_ASSIGN, NULL);
	tl_store_submit(acd->store, assignment_transaction(entry, tl_clock_utc_us()), on_assignment_stored, entry);
	if (entry->queue)
		queue_changed(entry->queue);
}

static struct entry *first_waiting(const struct queue *queue)
{
	GSequenceIter *first = g_sequence_get_begin_iter(queue->waiting);
	return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

void match_queue(struct queue *queue)
{
	struct entry *entry;
	while (may_match(queue->acd) && (entry = first_waiting(queue))) {
		GSequenceIter *first = g_sequence_get_begin_iter(queue->ready);
		if (g_sequence_iter_is_end(first))
			return;
		match_entry(entry, g_sequence_get(first));
	}
}

void match_agent(struct agent *agent)
{
	struct entry *oldest = NULL;
	if (!may_match(agent->acd) || agent->fsm.state != TL_AGENT_READY)
		return;
	for (unsigned i = 0; i < agent->queues->len; i++) {
		struct entry *entry = first_waiting(g_ptr_array_index(agent->queues, i));
		if (entry && (!oldest || entry->enqueued_utc_us < oldest->enqueued_utc_us))
			oldest = entry;
	}
	if (oldest)
		match_entry(oldest, agent);
}

/* After a failure and at the beginning of a reign: each queue once. */
void match_on_retry(void *user)
{
	struct tl_acd *acd = user;
	GHashTableIter iter;
	struct queue *queue;
	g_hash_table_iter_init(&iter, acd->queues);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&queue))
		match_queue(queue);
}
