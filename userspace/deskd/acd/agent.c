/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Agents: their states as a table, their place among the ready. */
#include "acd/model.h"

#include <string.h>

static const char *const states[] = { "offline", "ready", "ringing", "talking", "wrap-up", "break" };
static const char *const events[AGENT_EVENTS] = { "ready", "break", "leave", "assign", "answered",
						  "no-answer", "caller-gone", "ended", "wrapped", "phone-gone" };

const char *tl_agent_state_name(enum tl_agent_state state)
{
	return states[state];
}

struct tl_agent_info agent_info(const struct agent *agent)
{
	return (struct tl_agent_info){ .name = agent->name, .display = agent->display, .phone = agent->phone,
				       .reason = agent->reason, .contact = agent->entry ? agent->entry->contact : NULL,
				       .state = agent->fsm.state, .phone_registered = agent->phone_registered,
				       .browser = agent->browser, .browser_connected = agent->browser_connected,
				       .auto_answer = agent->auto_answer,
				       .wrap_up_s = agent->fsm.state == TL_AGENT_WRAP_UP ? agent->wrap_up_s : 0,
				       .since_utc_us = agent->since_utc_us,
				       .queues = (const char *const *)agent->queue_names };
}

bool agent_is_reachable(const struct agent *agent)
{
	return agent->phone_registered || agent->browser_connected;
}

void agent_changed(struct agent *agent)
{
	struct tl_agent_info info = agent_info(agent);
	agent->acd->handler.on_agent(&info, agent->acd->user);
	for (unsigned i = 0; i < agent->queues->len; i++)
		queue_changed(g_ptr_array_index(agent->queues, i));
}

void agent_save(const struct agent *agent, struct tl_transaction *transaction)
{
	tl_transaction_add(transaction,
			   "INSERT INTO agent (name, state, reason, since_utc_us, contact) VALUES ($1, $2, $3, $4, $5) "
			   "ON CONFLICT (name) DO UPDATE SET state = excluded.state, reason = excluded.reason, "
			   "since_utc_us = excluded.since_utc_us, contact = excluded.contact",
			   TL_VALUES(tl_text(agent->name), tl_text(states[agent->fsm.state]), tl_text(agent->reason),
				     tl_int(agent->since_utc_us), tl_text(agent->entry ? agent->entry->contact : NULL)));
}

void agent_store(const struct agent *agent)
{
	if (!agent->acd->epoch)
		return;
	struct tl_transaction *t = tl_transaction_new("agent");
	tl_transaction_guard(t, agent->acd->epoch);
	agent_save(agent, t);
	tl_store_submit(agent->acd->store, t, NULL, NULL);
}

static gint longest_idle(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct agent *x = a, *y = b;
	(void)user;
	int by_time = (x->idle_utc_us > y->idle_utc_us) - (x->idle_utc_us < y->idle_utc_us);
	return by_time ? by_time : strcmp(x->name, y->name);
}

static void agent_queue(struct agent *agent)
{
	for (unsigned i = 0; i < agent->queues->len; i++) {
		struct queue *queue = g_ptr_array_index(agent->queues, i);
		g_ptr_array_add(agent->ready_places, g_sequence_insert_sorted(queue->ready, agent, longest_idle, NULL));
	}
}

void agent_unqueue(struct agent *agent)
{
	for (unsigned i = 0; i < agent->ready_places->len; i++)
		g_sequence_remove(g_ptr_array_index(agent->ready_places, i));
	g_ptr_array_set_size(agent->ready_places, 0);
}

static void settle(struct agent *agent, const char *reason)
{
	agent_unqueue(agent);
	tl_timer_stop(agent->wrap_up);
	g_free(agent->reason);
	agent->reason = g_strdup(reason);
	agent->since_utc_us = tl_clock_utc_us();
}

static void grant_wish(struct agent *agent)
{
	int wish = agent->wish;
	g_autofree char *reason = g_steal_pointer(&agent->wish_reason);
	agent->wish = AGENT_EVENTS;
	if (wish != AGENT_EVENTS)
		agent_fire(agent, wish, reason);
}

static void stand_ready(struct agent *agent)
{
	if (agent->phone_gone) {
		agent_fire(agent, AGENT_PHONE_GONE, NULL);
		return;
	}
	settle(agent, NULL);
	agent_queue(agent);
	agent_store(agent);
	agent_changed(agent);
	grant_wish(agent);
	match_agent(agent);
}

static void on_ready(void *user, const void *data)
{
	struct agent *agent = user;
	(void)data;
	agent->idle_utc_us = tl_clock_utc_us();
	stand_ready(agent);
}

/* It keeps its place among the idle: the call came to nothing, and not by the agent. */
static void on_spared(void *user, const void *data)
{
	(void)data;
	stand_ready(user);
}

static void on_away(void *user, const void *data)
{
	struct agent *agent = user;
	settle(agent, data);
	agent->wish = AGENT_EVENTS;
	agent_store(agent);
	agent_changed(agent);
}

/* Stored with the assignment. */
static void on_assign(void *user, const void *data)
{
	(void)data;
	settle(user, NULL);
	agent_changed(user);
}

static void on_talking(void *user, const void *data)
{
	(void)data;
	settle(user, NULL);
	agent_changed(user);
}

static void on_ended(void *user, const void *data)
{
	struct agent *agent = user;
	(void)data;
	settle(agent, NULL);
	agent_store(agent);
	agent_changed(agent);
	if (agent->wrap_up_s)
		tl_timer_start(agent->wrap_up, agent->wrap_up_s * 1000);
	else
		agent_fire(agent, AGENT_WRAPPED, NULL);
}

static void on_wish(struct agent *agent, int event, const char *reason)
{
	g_free(agent->wish_reason);
	agent->wish_reason = g_strdup(reason);
	agent->wish = event;
}
static void wish_ready(void *user, const void *data) { on_wish(user, AGENT_EVENTS, NULL); }
static void wish_break(void *user, const void *data) { on_wish(user, AGENT_BREAK, data); }
static void wish_leave(void *user, const void *data) { on_wish(user, AGENT_LEAVE, NULL); }

static const struct tl_fsm_row rows[] = {
	{ TL_AGENT_OFFLINE, AGENT_READY, TL_AGENT_READY, on_ready },
	{ TL_AGENT_OFFLINE, AGENT_BREAK, TL_AGENT_BREAK, on_away },
	{ TL_AGENT_OFFLINE, AGENT_LEAVE, TL_AGENT_OFFLINE, NULL },
	{ TL_AGENT_OFFLINE, AGENT_PHONE_GONE, TL_AGENT_OFFLINE, NULL },
	{ TL_AGENT_READY, AGENT_READY, TL_AGENT_READY, NULL },
	{ TL_AGENT_READY, AGENT_BREAK, TL_AGENT_BREAK, on_away },
	{ TL_AGENT_READY, AGENT_LEAVE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_READY, AGENT_PHONE_GONE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_READY, AGENT_ASSIGN, TL_AGENT_RINGING, on_assign },
	{ TL_AGENT_RINGING, AGENT_ANSWERED, TL_AGENT_TALKING, on_talking },
	{ TL_AGENT_RINGING, AGENT_NO_ANSWER, TL_AGENT_BREAK, on_away },
	{ TL_AGENT_RINGING, AGENT_CALLER_GONE, TL_AGENT_READY, on_spared },
	{ TL_AGENT_RINGING, AGENT_PHONE_GONE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_RINGING, AGENT_READY, TL_AGENT_RINGING, wish_ready },
	{ TL_AGENT_RINGING, AGENT_BREAK, TL_AGENT_RINGING, wish_break },
	{ TL_AGENT_RINGING, AGENT_LEAVE, TL_AGENT_RINGING, wish_leave },
	{ TL_AGENT_TALKING, AGENT_ENDED, TL_AGENT_WRAP_UP, on_ended },
	{ TL_AGENT_TALKING, AGENT_PHONE_GONE, TL_AGENT_TALKING, NULL }, /* looked at when it would be ready */
	{ TL_AGENT_TALKING, AGENT_READY, TL_AGENT_TALKING, wish_ready },
	{ TL_AGENT_TALKING, AGENT_BREAK, TL_AGENT_TALKING, wish_break },
	{ TL_AGENT_TALKING, AGENT_LEAVE, TL_AGENT_TALKING, wish_leave },
	{ TL_AGENT_WRAP_UP, AGENT_WRAPPED, TL_AGENT_READY, on_ready },
	{ TL_AGENT_WRAP_UP, AGENT_READY, TL_AGENT_READY, on_ready },
	{ TL_AGENT_WRAP_UP, AGENT_BREAK, TL_AGENT_BREAK, on_away },
	{ TL_AGENT_WRAP_UP, AGENT_LEAVE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_WRAP_UP, AGENT_PHONE_GONE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_BREAK, AGENT_READY, TL_AGENT_READY, on_ready },
	{ TL_AGENT_BREAK, AGENT_BREAK, TL_AGENT_BREAK, on_away },
	{ TL_AGENT_BREAK, AGENT_LEAVE, TL_AGENT_OFFLINE, on_away },
	{ TL_AGENT_BREAK, AGENT_PHONE_GONE, TL_AGENT_OFFLINE, on_away },
};

const struct tl_fsm_machine tl_agent_machine = {
	.name = "agent", .states = states, .n_states = G_N_ELEMENTS(states), .events = events, .n_events = AGENT_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = TL_AGENT_OFFLINE,
};

bool agent_fire(struct agent *agent, enum agent_event event, const char *reason)
{
	return tl_fsm_fire(&agent->fsm, event, agent, reason);
}

static void on_wrapped(void *user)
{
	agent_fire(user, AGENT_WRAPPED, NULL);
}

void agent_restore(struct agent *agent, const char *state, const char *reason, int64_t since_utc_us)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
		if (!strcmp(states[i], state))
			agent->fsm.state = i;
	g_free(agent->reason);
	agent->reason = g_strdup(reason);
	agent->since_utc_us = agent->idle_utc_us = since_utc_us;
	agent_unqueue(agent);
	if (agent->fsm.state == TL_AGENT_READY)
		agent_queue(agent);
	if (agent->fsm.state != TL_AGENT_WRAP_UP)
		return;
	int64_t left_us = since_utc_us + (int64_t)agent->wrap_up_s * G_USEC_PER_SEC - tl_clock_utc_us();
	tl_timer_start(agent->wrap_up, CLAMP(left_us, 0, (int64_t)agent->wrap_up_s * G_USEC_PER_SEC) / 1000);
}

struct agent *agent_new(struct tl_acd *acd, const char *name)
{
	struct agent *agent = g_new0(struct agent, 1);
	agent->acd = acd;
	agent->name = g_strdup(name);
	agent->queues = g_ptr_array_new();
	agent->ready_places = g_ptr_array_new();
	agent->wish = AGENT_EVENTS;
	agent->since_utc_us = tl_clock_utc_us();
	agent->wrap_up = tl_timer_new("wrap-up", on_wrapped, agent);
	tl_fsm_init(&agent->fsm, &tl_agent_machine);
	return agent;
}

void agent_free(void *data)
{
	struct agent *agent = data;
	agent_unqueue(agent);
	tl_timer_free(agent->wrap_up);
	g_ptr_array_unref(agent->queues);
	g_ptr_array_unref(agent->ready_places);
	g_strfreev(agent->queue_names);
	g_free(agent->name);
	g_free(agent->display);
	g_free(agent->phone);
	g_free(agent->reason);
	g_free(agent->wish_reason);
	g_free(agent);
}
