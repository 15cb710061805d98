/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* All contacts, and a contact's states as a table. */
#include "contact/call.h"

#include <string.h>

#define CAUSE_NO_ANSWER 19

static const char *const states[CONTACT_STATES] = { "opening",	  "offered", "flow",	"queued", "ringing",
						    "connecting", "talking", "faxing", "closing", "ended" };
static const char *const events[CONTACT_EVENTS] = { "stored",	"answered",	 "queue",      "connect", "fax", "fax-ended", "overflow",
						    "assigned", "peer-answered", "peer-ended", "leaves", "gone" };

/* desk.schema.json's words for our states */
static const char *const call_states[CONTACT_STATES] = { "offered",  "offered",	 "answered", "queued", "ringing",
							 "ringing", "answered", "answered", "answered", "ended" };

static const struct tl_fsm_row rows[] = {
	{ CONTACT_OPENING, CONTACT_STORED, CONTACT_OFFERED, begin_taken },
	{ CONTACT_OPENING, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_OPENING, CONTACT_ANSWERED, CONTACT_OPENING, NULL }, /* looked at when it is stored */
	{ CONTACT_OFFERED, CONTACT_ANSWERED, CONTACT_FLOW, begin_answered },
	{ CONTACT_OFFERED, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_FLOW, CONTACT_QUEUE, CONTACT_QUEUED, wait_queued },
	{ CONTACT_FLOW, CONTACT_CONNECT, CONTACT_CONNECTING, peer_connect },
	{ CONTACT_FLOW, CONTACT_FAX, CONTACT_FAXING, fax_begin },
	{ CONTACT_FLOW, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_FAXING, CONTACT_FAX, CONTACT_FAXING, fax_begin }, /* once more after a lost connection */
	{ CONTACT_FAXING, CONTACT_FAX_ENDED, CONTACT_CLOSING, fax_over },
	{ CONTACT_FAXING, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_QUEUED, CONTACT_QUEUE, CONTACT_QUEUED, wait_queued }, /* once more after a take-over */
	{ CONTACT_QUEUED, CONTACT_ASSIGNED, CONTACT_RINGING, peer_ring },
	{ CONTACT_QUEUED, CONTACT_FAX, CONTACT_FAXING, fax_begin },
	{ CONTACT_QUEUED, CONTACT_OVERFLOW, CONTACT_FLOW, wait_overflowed },
	{ CONTACT_QUEUED, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_RINGING, CONTACT_PEER_ANSWERED, CONTACT_TALKING, peer_join },
	{ CONTACT_RINGING, CONTACT_PEER_ENDED, CONTACT_QUEUED, peer_unanswered },
	{ CONTACT_RINGING, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_CONNECTING, CONTACT_PEER_ANSWERED, CONTACT_TALKING, peer_join },
	{ CONTACT_CONNECTING, CONTACT_PEER_ENDED, CONTACT_FLOW, peer_not_connected },
	{ CONTACT_CONNECTING, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_TALKING, CONTACT_PEER_ENDED, CONTACT_CLOSING, peer_hung_up },
	{ CONTACT_TALKING, CONTACT_LEAVES, CONTACT_FLOW, transfer_leave },
	{ CONTACT_TALKING, CONTACT_GONE, CONTACT_ENDED, end_gone },
	{ CONTACT_CLOSING, CONTACT_GONE, CONTACT_ENDED, end_gone },
};

const struct tl_fsm_machine tl_contact_machine = {
	.name = "contact", .states = states, .n_states = CONTACT_STATES, .events = events, .n_events = CONTACT_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = CONTACT_OPENING,
};

bool contact_fire(struct tl_contact *contact, enum contact_event event, const void *data)
{
	return tl_fsm_fire(&contact->fsm, event, contact, data);
}

static void on_overflow(void *user)
{
	struct tl_contact *contact = user;
	if (contact->fsm.state == CONTACT_QUEUED)
		contact_fire(contact, CONTACT_OVERFLOW, NULL);
	else
		contact->overflow_due = true; /* while a phone rings it may ring on */
}

static void on_position(void *user)
{
	struct tl_contact *contact = user;
	if (contact->fsm.state == CONTACT_QUEUED)
		contact_fire(contact, CONTACT_QUEUE, NULL); /* plays anew, with the place of now */
}

static void on_rung(void *user)
{
	unsigned cause = CAUSE_NO_ANSWER;
	contact_fire(user, CONTACT_PEER_ENDED, &cause);
}

struct tl_contact *contact_new(struct tl_contacts *contacts, const char *id, struct node *node, const char *leg)
{
	struct tl_contact *contact = g_new0(struct tl_contact, 1);
	contact->contacts = contacts;
	contact->id = g_strdup(id);
	contact->node = node;
	contact->leg = g_strdup(leg);
	contact->digits = g_string_new(NULL);
	contact->started_utc_us = tl_clock_utc_us();
	contact->overflow = tl_timer_new("overflow", on_overflow, contact);
	contact->position_timer = tl_timer_new("position", on_position, contact);
	contact->ring = tl_timer_new("ring", on_rung, contact);
	tl_fsm_init(&contact->fsm, &tl_contact_machine);
	g_hash_table_insert(contacts->all, contact->id, contact);
	if (!g_hash_table_contains(node->legs, leg)) /* a consult's leg stays with what it is about */
		g_hash_table_insert(node->legs, contact->leg, contact);
	return contact;
}

void contact_set_peer(struct tl_contact *contact, const char *leg)
{
	if (contact->peer)
		g_hash_table_remove(contact->node->legs, contact->peer);
	g_free(contact->peer);
	contact->peer = g_strdup(leg);
	contact->peer_answered = contact->peer_held = contact->muted = false;
	contact->peer_is_device = leg && device_of_leg(contact->node, leg);
	g_clear_pointer(&contact->bridge, g_free);
	contact->recording = RECORDING_NONE;
	tl_timer_stop(contact->ring);
	if (leg)
		g_hash_table_insert(contact->node->legs, contact->peer, contact);
}

void contact_free(struct tl_contact *contact)
{
	contact_set_peer(contact, NULL);
	if (g_hash_table_lookup(contact->node->legs, contact->leg) == contact)
		g_hash_table_remove(contact->node->legs, contact->leg);
	g_hash_table_remove(contact->contacts->all, contact->id);
	tl_timer_free(contact->overflow);
	tl_timer_free(contact->position_timer);
	tl_timer_free(contact->ring);
	g_string_free(contact->digits, TRUE);
	g_strfreev(contact->position);
	char **texts[] = { &contact->id,	  &contact->leg,   &contact->peer_target, &contact->service, &contact->step,
			   &contact->queue,	  &contact->agent, &contact->assignment,  &contact->called,  &contact->calling,
			   &contact->calling_name, &contact->span,  &contact->playing,	  &contact->music,   &contact->place_agent,
			   &contact->bridge,	  &contact->transfer_to, &contact->of,
			   &contact->fax_id };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(*texts[i]);
	g_free(contact);
}

void contact_changed(struct tl_contact *contact)
{
	contact->contacts->handler.on_changed(contact, contact->contacts->user);
}

static const char *call_state(const struct tl_contact *contact)
{
	bool held = contact->fsm.state == CONTACT_TALKING && (contact->leg_held || contact->peer_held || contact->on_hold);
	return held ? "held" : call_states[contact->fsm.state];
}

struct tl_contact_info tl_contact_info(struct tl_contact *contact)
{
	return (struct tl_contact_info){
		.id = contact->id, .state = call_state(contact), .kind = contact->fax ? "fax" : "call",
		.outgoing = contact->outgoing, .service = contact->service,
		.queue = contact->fsm.state == CONTACT_QUEUED || contact->fsm.state == CONTACT_RINGING || contact->talked ?
				 contact->queue : NULL,
		.agent = contact->agent, .called = contact->called, .calling = contact->calling,
		.calling_name = contact->calling_name, .digits = contact->digits->str, .step = contact->step,
		.node = contact->node->name, .span = contact->span, .slot = contact->slot,
		.consult = contact->consult ? contact->consult->id : NULL, .of = contact->of, .on_hold = contact->on_hold,
		.muted = contact->muted, .recording = contact->recording == RECORDING_ON ? "on" : contact->recording == RECORDING_PAUSED ||
			contact->unrecorded ? "paused" : NULL, .position = tl_acd_position(contact->contacts->acd, contact->id), .cause = contact->cause,
		.started_utc_us = contact->started_utc_us, .answered_utc_us = contact->answered_utc_us,
		.ended_utc_us = contact->ended_utc_us,
	};
}

bool tl_contact_reachable(const struct tl_contact *contact)
{
	return contact->node->linked && contact->node->known;
}

void *tl_contact_owner(const struct tl_contact *contact)
{
	return contact->contacts->user;
}

void *tl_contact_user(const struct tl_contact *contact)
{
	return contact->user;
}

void tl_contact_set_user(struct tl_contact *contact, void *user)
{
	contact->user = user;
}

static void on_patience(void *user)
{
	reconcile_open_acd(user);
}

struct tl_contacts *tl_contacts_new(struct tl_store *store, struct tl_acd *acd, const struct tl_contacts_handler *handler,
				    void *user)
{
	struct tl_contacts *contacts = g_new0(struct tl_contacts, 1);
	contacts->store = store;
	contacts->acd = acd;
	contacts->handler = *handler;
	contacts->user = user;
	contacts->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, node_free);
	contacts->all = g_hash_table_new(g_str_hash, g_str_equal);
	contacts->devices = g_hash_table_new(g_str_hash, g_str_equal);
	contacts->recordings = recording_table_new();
	contacts->patience = tl_timer_new("nodes", on_patience, contacts);
	return contacts;
}

void tl_contacts_free(struct tl_contacts *contacts)
{
	if (!contacts)
		return;
	tl_contacts_end(contacts);
	g_hash_table_unref(contacts->nodes);
	g_hash_table_unref(contacts->all);
	g_hash_table_unref(contacts->devices);
	g_hash_table_unref(contacts->recordings);
	g_free(contacts->hold_music);
	tl_timer_free(contacts->patience);
	g_free(contacts);
}

void tl_contacts_set_hold_music(struct tl_contacts *contacts, const char *sound)
{
	g_free(contacts->hold_music);
	contacts->hold_music = g_strdup(sound);
}

void tl_contacts_add_node(struct tl_contacts *contacts, const struct tl_node_settings *settings)
{
	struct node *node = node_new(contacts, settings);
	g_hash_table_insert(contacts->nodes, node->name, node);
}

int64_t tl_contacts_epoch(const struct tl_contacts *contacts)
{
	return contacts->epoch;
}

struct tl_contact *tl_contacts_find(struct tl_contacts *contacts, const char *id)
{
	return g_hash_table_lookup(contacts->all, id);
}

static gint by_id(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

void tl_contacts_each(struct tl_contacts *contacts, void (*fn)(struct tl_contact *contact, void *user), void *user)
{
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(contacts->all), by_id);
	for (GList *l = ids; l; l = l->next)
		fn(g_hash_table_lookup(contacts->all, l->data), user);
}

void tl_contacts_each_node(struct tl_contacts *contacts, void (*fn)(const struct tl_node_info *node, void *user), void *user)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(contacts->nodes), by_id);
	for (GList *l = names; l; l = l->next) {
		struct tl_node_info info = node_info(g_hash_table_lookup(contacts->nodes, l->data));
		fn(&info, user);
	}
}
