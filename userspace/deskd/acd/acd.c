/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The room's face: settings, contacts coming and going, agents' wishes, phones. */
#include "acd/model.h"

#include <string.h>

G_DEFINE_QUARK(tl-acd-error-quark, tl_acd_error)

struct tl_acd *tl_acd_new(struct tl_store *store, const struct tl_acd_handler *handler, void *user)
{
	struct tl_acd *acd = g_new0(struct tl_acd, 1);
	acd->store = store;
	acd->handler = *handler;
	acd->user = user;
	acd->queues = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, queue_free);
	acd->agents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, agent_free);
	acd->phones = g_hash_table_new(g_str_hash, g_str_equal);
	acd->entries = g_hash_table_new(g_str_hash, g_str_equal);
	acd->retry = tl_timer_new("assignment-retry", match_on_retry, acd);
	return acd;
}

static void forget_entries(struct tl_acd *acd)
{
	GHashTableIter iter;
	struct entry *entry;
	g_hash_table_iter_init(&iter, acd->entries);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&entry)) {
		g_hash_table_iter_remove(&iter);
		if (entry->agent && entry->agent->entry == entry)
			entry->agent->entry = NULL;
		entry->agent = NULL;
		if (entry->state == ENTRY_ASSIGNING)
			entry_unwait(entry); /* freed by on_assignment_stored() */
		else
			entry_free(entry);
	}
}

void tl_acd_free(struct tl_acd *acd)
{
	if (!acd)
		return;
	forget_entries(acd);
	g_hash_table_unref(acd->agents);
	g_hash_table_unref(acd->queues);
	g_hash_table_unref(acd->phones);
	g_hash_table_unref(acd->entries);
	tl_timer_free(acd->retry);
	g_free(acd);
}

void tl_acd_end(struct tl_acd *acd)
{
	GHashTableIter iter;
	struct agent *agent;
	acd->epoch = 0;
	acd->open = false;
	tl_timer_stop(acd->retry);
	forget_entries(acd);
	g_hash_table_iter_init(&iter, acd->agents);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&agent))
		tl_timer_stop(agent->wrap_up);
}

void tl_acd_open(struct tl_acd *acd)
{
	acd->open = true;
	match_on_retry(acd);
}

void tl_acd_set_queue(struct tl_acd *acd, const struct tl_queue_settings *settings)
{
	struct queue *queue = g_hash_table_lookup(acd->queues, settings->name);
	if (!queue) {
		queue = queue_new(acd, settings->name);
		g_hash_table_insert(acd->queues, queue->name, queue);
	}
	queue->ring_s = settings->ring_s;
	queue->wrap_up_s = settings->wrap_up_s;
}

bool tl_acd_set_agent(struct tl_acd *acd, const struct tl_agent_settings *settings, GError **error)
{
	for (const char *const *name = settings->queues; *name; name++)
		if (!g_hash_table_contains(acd->queues, *name)) {
			g_set_error(error, TL_ACD_ERROR, TL_ACD_ERROR_UNKNOWN, "no queue is called \"%s\"", *name);
			return false;
		}
	g_return_val_if_fail(!g_hash_table_contains(acd->agents, settings->name), false);
	struct agent *agent = agent_new(acd, settings->name);
	agent->display = g_strdup(settings->display ? settings->display : settings->name);
	agent->phone = g_strdup(settings->phone);
	agent->browser = settings->browser;
	agent->auto_ready = settings->auto_ready;
	agent->auto_answer = settings->auto_answer;
	agent->queue_names = g_strdupv((char **)settings->queues);
	for (const char *const *name = settings->queues; *name; name++)
		g_ptr_array_add(agent->queues, g_hash_table_lookup(acd->queues, *name));
	g_hash_table_insert(acd->agents, agent->name, agent);
	if (agent->phone)
		g_hash_table_insert(acd->phones, agent->phone, agent);
	return true;
}

static void store_waiting(const struct entry *entry)
{
	struct tl_transaction *t = tl_transaction_new("enqueue");
	tl_transaction_guard(t, entry->acd->epoch);
	tl_transaction_add(t, "UPDATE contact SET state = 'queued', queue = $1, enqueued_utc_us = $2 WHERE id = $3 "
			      "AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(entry->queue ? entry->queue->name : NULL), tl_int(entry->enqueued_utc_us),
				     tl_text(entry->contact)));
	tl_store_submit(entry->acd->store, t, NULL, NULL);
}

static bool refuse(GError **error, int code, const char *what, const char *name)
{
	g_set_error(error, TL_ACD_ERROR, code, "%s \"%s\"", what, name ? name : "");
	return false;
}

bool tl_acd_enqueue(struct tl_acd *acd, const char *contact, const char *queue_name, const char *agent_name,
		    int64_t enqueued_utc_us, GError **error)
{
	struct queue *queue = queue_name ? g_hash_table_lookup(acd->queues, queue_name) : NULL;
	struct agent *agent = agent_name ? g_hash_table_lookup(acd->agents, agent_name) : NULL;
	if (!queue && !agent)
		return refuse(error, TL_ACD_ERROR_UNKNOWN, "no such queue or agent:", queue_name ? queue_name : agent_name);
	if (agent && (agent->fsm.state != TL_AGENT_READY || !acd->open))
		return refuse(error, TL_ACD_ERROR_STATE, "not ready: agent", agent_name);
	if (g_hash_table_contains(acd->entries, contact)) { /* restored: it waits at its place already */
		tl_acd_confirm(acd, contact, true);
		return true;
	}
	struct entry *entry = entry_new(acd, contact, queue, enqueued_utc_us ? enqueued_utc_us : tl_clock_utc_us());
	entry->available = true;
	store_waiting(entry);
	entry_wait(entry);
	if (agent)
		match_entry(entry, agent);
	else
		match_queue(queue);
	return true;
}

static struct entry *find_entry(struct tl_acd *acd, const char *contact)
{
	return g_hash_table_lookup(acd->entries, contact);
}

void tl_acd_confirm(struct tl_acd *acd, const char *contact, bool available)
{
	struct entry *entry = find_entry(acd, contact);
	if (!entry || entry->available == available)
		return;
	entry->available = available;
	if (entry->state != ENTRY_WAITING)
		return;
	if (!available)
		entry_unwait(entry);
	entry_wait(entry);
	if (available && entry->queue)
		match_queue(entry->queue);
}

unsigned tl_acd_position(struct tl_acd *acd, const char *contact)
{
	struct entry *entry = find_entry(acd, contact);
	return entry && entry->place ? g_sequence_iter_get_position(entry->place) + 1 : 0;
}

void tl_acd_answered(struct tl_acd *acd, const char *contact)
{
	struct entry *entry = find_entry(acd, contact);
	if (!entry || entry->state != ENTRY_RINGING)
		return;
	int64_t now = tl_clock_utc_us();
	entry->state = ENTRY_TALKING;
	if (entry->queue) {
		acd_count_day(acd);
		entry->queue->talking++;
		entry->queue->answered_today++;
	}
	agent_fire(entry->agent, AGENT_ANSWERED, NULL);
	struct tl_transaction *t = tl_transaction_new("answered");
	tl_transaction_guard(t, acd->epoch);
	tl_transaction_add(t, "UPDATE assignment SET answered_utc_us = $1 WHERE id = $2",
			   TL_VALUES(tl_int(now), tl_text(entry->assignment)));
	tl_transaction_add(t, "UPDATE contact SET state = 'talking', outcome = 'answered' WHERE id = $1 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(contact)));
	agent_save(entry->agent, t);
	tl_store_submit(acd->store, t, NULL, NULL);
}

void tl_acd_unanswered(struct tl_acd *acd, const char *contact, const char *reason)
{
	struct entry *entry = find_entry(acd, contact);
	if (!entry || entry->state != ENTRY_RINGING)
		return;
	struct agent *agent = entry->agent;
	entry_end_assignment(entry, reason ? reason : "phone gone", "queued");
	entry->agent = NULL;
	if (agent)
		agent->entry = NULL;
	entry_wait(entry);
	/* An agent whose phone went while it rang is offline already. */
	if (agent && agent->fsm.state == TL_AGENT_RINGING)
		agent_fire(agent, reason && agent_is_reachable(agent) ? AGENT_NO_ANSWER : AGENT_PHONE_GONE, reason);
	if (entry->queue)
		match_queue(entry->queue);
}

void tl_acd_withdrawn(struct tl_acd *acd, const char *contact)
{
	struct entry *entry = find_entry(acd, contact);
	if (!entry || entry->state != ENTRY_RINGING)
		return;
	struct agent *agent = entry->agent;
	entry_end_assignment(entry, "never rang", "queued");
	entry->agent = NULL;
	if (agent)
		agent->entry = NULL;
	entry_wait(entry);
	if (agent && agent->fsm.state == TL_AGENT_RINGING)
		agent_fire(agent, AGENT_CALLER_GONE, NULL);
	if (entry->queue)
		match_queue(entry->queue);
}

static void store_transfer(const struct entry *entry, const struct entry *consult)
{
	struct tl_acd *acd = entry->acd;
	int64_t now = tl_clock_utc_us();
	struct tl_transaction *t = tl_transaction_new("transfer");
	tl_transaction_guard(t, acd->epoch);
	tl_transaction_add(t, "UPDATE assignment SET ended_utc_us = $1, outcome = 'transferred' WHERE id = $2",
			   TL_VALUES(tl_int(now), tl_text(entry->assignment)));
	tl_transaction_add(t, "UPDATE assignment SET contact = $1 WHERE id = $2",
			   TL_VALUES(tl_text(entry->contact), tl_text(consult->assignment)));
	tl_transaction_add(t, "UPDATE contact SET agent = $1 WHERE id = $2 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(consult->agent->name), tl_text(entry->contact)));
	tl_store_submit(acd->store, t, NULL, NULL);
}

bool tl_acd_transferred(struct tl_acd *acd, const char *contact, const char *consult_id)
{
	struct entry *entry = find_entry(acd, contact), *consult = find_entry(acd, consult_id);
	if (!entry || !consult || entry->state != ENTRY_TALKING || consult->state != ENTRY_TALKING)
		return false;
	struct agent *before = entry->agent, *after = consult->agent;
	store_transfer(entry, consult);
	g_free(entry->assignment);
	entry->assignment = g_steal_pointer(&consult->assignment);
	entry->agent = after;
	after->entry = entry;
	g_hash_table_remove(acd->entries, consult_id);
	entry_free(consult);
	agent_store(after);
	agent_changed(after);
	before->entry = NULL;
	before->wrap_up_s = entry->queue ? entry->queue->wrap_up_s : 0;
	agent_fire(before, AGENT_ENDED, NULL);
	return true;
}

static void count_finished(struct entry *entry, bool overflowed)
{
	acd_count_day(entry->acd);
	if (entry->state == ENTRY_TALKING)
		entry->queue->talking--;
	else if (overflowed)
		entry->queue->overflowed_today++;
	else
		entry->queue->abandoned_today++;
}

void tl_acd_finished(struct tl_acd *acd, const char *contact, bool overflowed)
{
	struct entry *entry = find_entry(acd, contact);
	if (!entry)
		return;
	struct queue *queue = entry->queue;
	struct agent *agent = entry->agent;
	bool talked = entry->state == ENTRY_TALKING;
	g_hash_table_remove(acd->entries, contact);
	if (queue)
		count_finished(entry, overflowed);
	if (entry->state == ENTRY_ASSIGNING) {
		entry->gone = true; /* the disk's answer ends it */
	} else {
		if (entry->assignment)
			entry_end_assignment(entry, talked ? "served" : overflowed ? "overflowed" : "caller gone", NULL);
		entry_free(entry);
		if (agent && talked)
			agent->wrap_up_s = queue ? queue->wrap_up_s : 0;
		if (agent && (agent->fsm.state == TL_AGENT_RINGING || agent->fsm.state == TL_AGENT_TALKING))
			agent_fire(agent, talked ? AGENT_ENDED : AGENT_CALLER_GONE, NULL);
	}
	if (queue)
		queue_changed(queue);
}

static enum agent_event event_for(enum tl_agent_state state)
{
	return state == TL_AGENT_READY ? AGENT_READY : state == TL_AGENT_BREAK ? AGENT_BREAK : AGENT_LEAVE;
}

bool tl_acd_set_state(struct tl_acd *acd, const char *name, enum tl_agent_state state, const char *reason, GError **error)
{
	struct agent *agent = g_hash_table_lookup(acd->agents, name);
	g_return_val_if_fail(state == TL_AGENT_READY || state == TL_AGENT_OFFLINE || state == TL_AGENT_BREAK, false);
	if (!agent)
		return refuse(error, TL_ACD_ERROR_UNKNOWN, "no such agent:", name);
	if (!acd->epoch)
		return refuse(error, TL_ACD_ERROR_STATE, "this desk is not the conductor; it cannot set agent", name);
	if (state == TL_AGENT_READY && !agent_is_reachable(agent))
		return refuse(error, TL_ACD_ERROR_STATE, agent->browser ? "neither browser nor phone is connected: agent" :
							"not registered: the phone of agent", name);
	agent_fire(agent, event_for(state), state == TL_AGENT_BREAK ? (reason && *reason ? reason : "break") : NULL);
	return true;
}

/* One of its devices has come or gone. */
static void device_changed(struct agent *agent, bool news, bool came)
{
	bool gone = agent->phone_gone = !agent_is_reachable(agent);
	if (gone && agent->fsm.state != TL_AGENT_OFFLINE && agent->fsm.state != TL_AGENT_TALKING) {
		if (agent->fsm.state == TL_AGENT_RINGING)
			return; /* its leg's end says so, and puts the caller back */
		agent_fire(agent, AGENT_PHONE_GONE, NULL);
	} else if (came && news && agent->auto_ready && agent->fsm.state == TL_AGENT_OFFLINE) {
		agent_fire(agent, AGENT_READY, NULL);
	} else if (news) {
		agent_changed(agent);
	}
}

void tl_acd_phone(struct tl_acd *acd, const char *phone, bool registered)
{
	struct agent *agent = g_hash_table_lookup(acd->phones, phone);
	if (!agent)
		return;
	bool news = agent->phone_registered != registered;
	agent->phone_registered = registered;
	device_changed(agent, news, registered);
}

void tl_acd_browser(struct tl_acd *acd, const char *name, bool connected)
{
	struct agent *agent = g_hash_table_lookup(acd->agents, name);
	if (!agent)
		return;
	bool news = agent->browser_connected != connected;
	agent->browser_connected = connected;
	device_changed(agent, news, connected);
}

bool tl_acd_has_queue(const struct tl_acd *acd, const char *queue)
{
	return g_hash_table_contains(acd->queues, queue);
}

bool tl_acd_agent_info(struct tl_acd *acd, const char *name, struct tl_agent_info *info)
{
	struct agent *agent = g_hash_table_lookup(acd->agents, name);
	if (agent)
		*info = agent_info(agent);
	return agent != NULL;
}

void tl_acd_each_agent(struct tl_acd *acd, void (*fn)(const struct tl_agent_info *info, void *user), void *user)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(acd->agents), (GCompareFunc)strcmp);
	for (GList *l = names; l; l = l->next) {
		struct tl_agent_info info = agent_info(g_hash_table_lookup(acd->agents, l->data));
		fn(&info, user);
	}
}

void tl_acd_each_queue(struct tl_acd *acd, void (*fn)(const struct tl_queue_info *info, void *user), void *user)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(acd->queues), (GCompareFunc)strcmp);
	for (GList *l = names; l; l = l->next) {
		struct tl_queue_info info = queue_info(g_hash_table_lookup(acd->queues, l->data));
		fn(&info, user);
	}
}
