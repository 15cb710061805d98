/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/leg.h"

#include <string.h>

#include "call/node.h"
#include "call/play.h"
#include "call/report.h"
#include "call/tandem.h"

/* ---- the table ---- */

static void enter_state(void *user, const void *data)
{
	struct tl_leg *leg = user;
	tl_report_state(leg);
	if (leg->partner)
		tl_tandem_on_state(leg);
}

static void enter_answered(void *user, const void *data)
{
	struct tl_leg *leg = user;
	tl_timer_stop(leg->timer);
	leg->answered_utc_us = tl_clock_utc_us();
	tl_fact_leg(leg, "answered", NULL, NULL);
	tl_leg_audio(leg, NULL); /* what cannot be had is said to whoever wants to use it */
	tl_rule_apply(leg);
	enter_state(user, data);
}

static void heard_progress(void *user, const void *data)
{
	struct tl_leg *leg = user;
	if (leg->partner)
		tl_tandem_on_progress(leg);
}

static void enter_progress(void *user, const void *data)
{
	enter_state(user, data);
	heard_progress(user, data);
}

#define ENDINGS(state)                                        \
	{ state, TL_LEG_RELEASE, TL_LEG_RELEASING, enter_state }, \
	{ state, TL_LEG_RELEASED, TL_LEG_ENDED, NULL }

static const struct tl_fsm_row rows[] = {
	{ TL_LEG_NEW, TL_LEG_OFFER, TL_LEG_OFFERED, NULL },
	{ TL_LEG_NEW, TL_LEG_DIAL, TL_LEG_DIALING, NULL },
	{ TL_LEG_NEW, TL_LEG_RELEASE, TL_LEG_RELEASING, NULL },
	{ TL_LEG_NEW, TL_LEG_RELEASED, TL_LEG_ENDED, NULL },

	{ TL_LEG_OFFERED, TL_LEG_PROCEED, TL_LEG_PROCEEDING, enter_state },
	{ TL_LEG_OFFERED, TL_LEG_PROGRESS, TL_LEG_PROCEEDING, enter_progress },
	{ TL_LEG_OFFERED, TL_LEG_ALERT, TL_LEG_ALERTING, enter_state },
	{ TL_LEG_OFFERED, TL_LEG_ANSWER, TL_LEG_ANSWERED, enter_answered },
	ENDINGS(TL_LEG_OFFERED),

	{ TL_LEG_DIALING, TL_LEG_DIAL, TL_LEG_DIALING, NULL }, /* another try of a hunt */
	{ TL_LEG_DIALING, TL_LEG_PROCEED, TL_LEG_PROCEEDING, enter_state },
	{ TL_LEG_DIALING, TL_LEG_PROGRESS, TL_LEG_PROCEEDING, enter_progress },
	{ TL_LEG_DIALING, TL_LEG_ALERT, TL_LEG_ALERTING, enter_state },
	{ TL_LEG_DIALING, TL_LEG_ANSWER, TL_LEG_ANSWERED, enter_answered },
	ENDINGS(TL_LEG_DIALING),

	{ TL_LEG_PROCEEDING, TL_LEG_PROCEED, TL_LEG_PROCEEDING, NULL },
	{ TL_LEG_PROCEEDING, TL_LEG_PROGRESS, TL_LEG_PROCEEDING, heard_progress },
	{ TL_LEG_PROCEEDING, TL_LEG_ALERT, TL_LEG_ALERTING, enter_state },
	{ TL_LEG_PROCEEDING, TL_LEG_ANSWER, TL_LEG_ANSWERED, enter_answered },
	ENDINGS(TL_LEG_PROCEEDING),

	{ TL_LEG_ALERTING, TL_LEG_ALERT, TL_LEG_ALERTING, heard_progress }, /* SIP repeats 180, perhaps with audio */
	{ TL_LEG_ALERTING, TL_LEG_PROGRESS, TL_LEG_ALERTING, heard_progress },
	{ TL_LEG_ALERTING, TL_LEG_ANSWER, TL_LEG_ANSWERED, enter_answered },
	ENDINGS(TL_LEG_ALERTING),

	ENDINGS(TL_LEG_ANSWERED),

	{ TL_LEG_RELEASING, TL_LEG_RELEASED, TL_LEG_ENDED, NULL },
};

static const char *const states[TL_LEG_STATES] = {
	[TL_LEG_NEW] = "new", [TL_LEG_OFFERED] = "offered", [TL_LEG_DIALING] = "dialing",
	[TL_LEG_PROCEEDING] = "proceeding", [TL_LEG_ALERTING] = "alerting", [TL_LEG_ANSWERED] = "answered",
	[TL_LEG_RELEASING] = "releasing", [TL_LEG_ENDED] = "ended",
};

static const char *const events[TL_LEG_EVENTS] = {
	[TL_LEG_OFFER] = "offer", [TL_LEG_DIAL] = "dial", [TL_LEG_PROCEED] = "proceed", [TL_LEG_ALERT] = "alert",
	[TL_LEG_PROGRESS] = "progress", [TL_LEG_ANSWER] = "answer", [TL_LEG_RELEASE] = "release",
	[TL_LEG_RELEASED] = "released",
};

const struct tl_fsm_machine tl_leg_machine = {
	.name = "leg", .states = states, .n_states = TL_LEG_STATES, .events = events, .n_events = TL_LEG_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = TL_LEG_NEW,
};

enum tl_leg_state tl_leg_state(const struct tl_leg *leg)
{
	return leg->fsm.state;
}

const char *tl_leg_state_name(const struct tl_leg *leg)
{
	return tl_fsm_state_name(&leg->fsm);
}

bool tl_leg_is_live(const struct tl_leg *leg)
{
	return leg->fsm.state != TL_LEG_RELEASING && leg->fsm.state != TL_LEG_ENDED;
}

bool tl_leg_may(const struct tl_leg *leg, enum tl_leg_event event)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].state == leg->fsm.state && rows[i].event == (int)event)
			return true;
	return false;
}

void tl_leg_fire(struct tl_leg *leg, enum tl_leg_event event)
{
	tl_fsm_fire(&leg->fsm, event, leg, NULL);
}

/* ---- birth ---- */

static void make_id(struct tl_node *node, char *id)
{
	do
		g_snprintf(id, TL_ID_MAX + 1, "%.16s-%u", node->boot, ++node->leg_number);
	while (g_hash_table_contains(node->legs, id));
}

struct tl_leg *tl_leg_new(struct tl_node *node, const char *id, bool outgoing)
{
	struct tl_leg *leg = g_new0(struct tl_leg, 1);
	leg->node = node;
	leg->outgoing = outgoing;
	if (id)
		g_strlcpy(leg->id, id, sizeof leg->id);
	else
		make_id(node, leg->id);
	leg->tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	leg->offered_utc_us = tl_clock_utc_us();
	tl_fsm_init(&leg->fsm, &tl_leg_machine);
	g_hash_table_insert(node->legs, leg->id, leg);
	if (!tl_timer_running(node->heartbeat))
		tl_timer_start(node->heartbeat, 1);
	return leg;
}

struct tl_leg *tl_leg_find(struct tl_node *node, const char *id)
{
	return g_hash_table_lookup(node->legs, id);
}

void tl_party_set(struct tl_party *party, enum tl_party_kind kind, const char *name, unsigned slot, const char *group)
{
	tl_party_clear(party);
	party->kind = kind;
	party->name = g_strdup(name);
	party->slot = slot;
	party->group = group;
}

void tl_party_clear(struct tl_party *party)
{
	g_clear_pointer(&party->name, g_free);
}

/* ---- death: whoever calls us may still hold the pointer, so it is freed from the main loop ---- */

static void leg_free(struct tl_leg *leg)
{
	g_assert(!leg->dialog && !leg->port && !leg->junction && !leg->partner);
	tl_timer_free(leg->rule_timer);
	tl_timer_free(leg->timer);
	tl_hunt_free(leg->hunt);
	tl_party_clear(&leg->party);
	g_hash_table_unref(leg->tags);
	g_free(leg);
}

static gboolean bury(gpointer user)
{
	struct tl_node *node = user;
	node->burial = 0;
	while (node->dead_legs->len)
		leg_free(g_ptr_array_remove_index_fast(node->dead_legs, node->dead_legs->len - 1));
	while (node->dead_dialogs->len)
		tl_dialog_free(g_ptr_array_remove_index_fast(node->dead_dialogs, node->dead_dialogs->len - 1));
	return G_SOURCE_REMOVE;
}

static void bury_soon(struct tl_node *node)
{
	if (!node->burial)
		node->burial = g_idle_add_full(G_PRIORITY_DEFAULT, bury, node, NULL);
}

void tl_dialog_bury(struct tl_node *node, struct tl_dialog *dialog)
{
	dialog->on_event = NULL;
	g_ptr_array_add(node->dead_dialogs, dialog);
	bury_soon(node);
}

void tl_leg_bury(struct tl_leg *leg)
{
	struct tl_node *node = leg->node;
	g_hash_table_remove(node->legs, leg->id);
	g_ptr_array_add(node->dead_legs, leg);
	bury_soon(node);
	tl_node_leg_gone(node);
}
