/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Finding every contact again: what the store has open is compared with the
 * legs that a node's snapshot shows. A leg that is gone has ended (the journal
 * says how); one that lives goes on at its step.
 */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

#define PATIENCE_MS 2000
#define CAUSE_NORMAL 16

static const char *tag(JsonObject *leg, const char *name)
{
	return json_object_get_string_member_with_default(json_object_get_object_member(leg, "tags"), name, NULL);
}

static bool is_answered(JsonObject *leg)
{
	return leg && !strcmp(json_object_get_string_member(leg, "state"), "answered");
}

static bool is_joined(JsonObject *leg, JsonObject *peer)
{
	const char *a = json_object_get_string_member_with_default(leg, "bridge", NULL);
	const char *b = json_object_get_string_member_with_default(peer, "bridge", NULL);
	return a && !g_strcmp0(a, b);
}

static void resume_flow(struct tl_contact *contact)
{
	contact->contacts->handler.on_begin(contact, contact->step, contact->contacts->user);
}

/* The agent's leg rang when we last knew. */
static void resume_ringing(struct tl_contact *contact, JsonObject *peer)
{
	if (peer && is_answered(peer)) {
		contact_fire(contact, CONTACT_PEER_ANSWERED, NULL);
		return;
	}
	if (peer)
		return;
	contact->fsm.state = CONTACT_QUEUED;
	g_clear_pointer(&contact->agent, g_free);
	tl_acd_withdrawn(contact->contacts->acd, contact->id);
	resume_flow(contact);
}

static void resume_talking(struct tl_contact *contact, JsonObject *leg, JsonObject *peer)
{
	unsigned cause = CAUSE_NORMAL;
	contact->talked = true;
	if (!peer) {
		contact_fire(contact, CONTACT_PEER_ENDED, &cause);
	} else if (is_joined(leg, peer)) {
		contact->peer_answered = true;
		contact->bridge = g_strdup(json_object_get_string_member(leg, "bridge"));
	} else if (contact->on_hold) {
		contact->peer_answered = true;
	} else {
		peer_join(contact, NULL);
	}
}

static bool is_held(JsonObject *leg)
{
	return json_object_get_boolean_member_with_default(leg, "held", FALSE);
}

static bool contact_subject_is_there(struct tl_contact *consult)
{
	struct tl_contact *subject = consult_subject(consult);
	return subject && subject->fsm.state == CONTACT_TALKING;
}

static void resume(struct tl_contact *contact, JsonObject *leg, JsonObject *peer)
{
	g_clear_pointer(&contact->playing, g_free);
	contact->playing = g_strdup(json_object_get_string_member_with_default(leg, "playing", NULL));
	if (contact->playing && !*contact->playing)
		g_clear_pointer(&contact->playing, g_free);
	contact_set_peer(contact, peer ? json_object_get_string_member(peer, "leg") : NULL);
	contact->leg_held = is_held(leg);
	contact->peer_held = peer && is_held(peer);
	contact->on_hold = !contact->of && tag(leg, "hold") && *tag(leg, "hold");
	contact->muted = peer && json_object_get_boolean_member_with_default(peer, "muted", FALSE);
	if (contact->of && !contact_subject_is_there(contact)) {
		consult_over(contact, CAUSE_NORMAL);
		return;
	}
	/* The store knows no "connecting": a peer tells it from the rest of the flow. */
	if (contact->fsm.state == CONTACT_FLOW && peer)
		contact->fsm.state = is_answered(peer) && is_joined(leg, peer) ? CONTACT_TALKING : CONTACT_CONNECTING;
	switch ((enum contact_state)contact->fsm.state) {
	case CONTACT_OPENING:
	case CONTACT_ENDED:
		break;
	case CONTACT_OFFERED:
		if (is_answered(leg))
			contact_fire(contact, CONTACT_ANSWERED, NULL);
		else
			begin_taken(contact, NULL);
		break;
	case CONTACT_FLOW:
	case CONTACT_FAXING:
	case CONTACT_QUEUED:
		resume_flow(contact);
		break;
	case CONTACT_RINGING:
		resume_ringing(contact, peer);
		break;
	case CONTACT_CONNECTING:
		contact->fsm.state = peer ? CONTACT_CONNECTING : CONTACT_FLOW;
		if (!peer)
			resume_flow(contact);
		else if (is_answered(peer))
			contact_fire(contact, CONTACT_PEER_ANSWERED, NULL);
		break;
	case CONTACT_TALKING:
		resume_talking(contact, leg, peer);
		break;
	case CONTACT_CLOSING:
		tl_contact_release(contact, CAUSE_NORMAL);
		break;
	case CONTACT_STATES:
		g_assert_not_reached();
	}
}

/* Legs by id, and by the contact whose peer they are. */
struct legs {
	GHashTable *by_id, *peers; /* JsonObject, borrowed from the snapshot */
};

static void reconcile_contact(struct tl_contact *contact, const struct legs *legs)
{
	JsonObject *leg = g_hash_table_lookup(legs->by_id, contact->leg);
	JsonObject *peer = g_hash_table_lookup(legs->peers, contact->id);
	unsigned unknown = 0;
	if (leg) {
		if (contact->fsm.state != CONTACT_QUEUED) /* that one confirms itself when the flow queues it again */
			tl_acd_confirm(contact->contacts->acd, contact->id, true);
		resume(contact, leg, peer);
		return;
	}
	if (contact->outgoing && contact->fsm.state == CONTACT_OPENING)
		return; /* not asked for yet */
	tl_info("%s: ended while we did not look", contact->id);
	contact_set_peer(contact, peer ? json_object_get_string_member(peer, "leg") : NULL);
	contact_fire(contact, CONTACT_GONE, &unknown);
}

/* A leg that no contact knows: a new call, one whose row is lost, or a peer left over. */
static void reconcile_stranger(struct node *node, JsonObject *leg)
{
	const char *part = tag(leg, "part"), *id = json_object_get_string_member(leg, "leg");
	struct device *device = device_of_leg(node, id);
	if (device) {
		device_settle(device);
		return;
	}
	bool incoming = !strcmp(json_object_get_string_member(leg, "direction"), "in");
	if (!part && incoming && !strcmp(json_object_get_string_member(leg, "state"), "offered")) {
		begin_offered(node, leg);
	} else if (!g_strcmp0(part, "caller")) {
		tl_warning("%s: has no contact in the store; it gets one", id);
		begin_offered(node, leg);
	} else if (part) {
		tl_notice("%s: left over; released", id);
		JsonObject *params = command_new(id);
		json_object_set_int_member(params, "cause", CAUSE_NORMAL);
		tl_control_client_call(node->client, "leg.release", params, NULL, NULL);
	}
}

static struct legs *index_legs(JsonArray *array)
{
	struct legs *legs = g_new(struct legs, 1);
	legs->by_id = g_hash_table_new(g_str_hash, g_str_equal);
	legs->peers = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < json_array_get_length(array); i++) {
		JsonObject *leg = json_array_get_object_element(array, i);
		if (!strcmp(json_object_get_string_member(leg, "state"), "releasing"))
			continue;
		g_hash_table_insert(legs->by_id, (char *)json_object_get_string_member(leg, "leg"), leg);
		const char *part = tag(leg, "part");
		if (tag(leg, "contact") && part && strcmp(part, "caller"))
			g_hash_table_insert(legs->peers, (char *)tag(leg, "contact"), leg);
	}
	return legs;
}

static void legs_free(struct legs *legs)
{
	g_hash_table_unref(legs->by_id);
	g_hash_table_unref(legs->peers);
	g_free(legs);
}

/* Browsers first: a contact's peer may be one. Those that are gone take their contacts' peers along. */
static void reconcile_devices(struct node *node, JsonArray *array)
{
	struct legs *legs = index_legs(array);
	g_autoptr(GList) known = g_hash_table_get_values(node->devices);
	for (GList *l = known; l; l = l->next)
		if (!g_hash_table_contains(legs->by_id, ((struct device *)l->data)->leg))
			device_gone(l->data);
	for (unsigned i = 0; i < json_array_get_length(array); i++)
		device_seen(node, json_array_get_object_element(array, i));
	legs_free(legs);
}

static void reconcile_legs(struct node *node, JsonArray *array)
{
	struct legs *legs = index_legs(array);
	g_autoptr(GList) ids = g_hash_table_get_keys(node->contacts->all);
	g_autoptr(GPtrArray) ours = g_ptr_array_new_with_free_func(g_free);
	for (GList *l = ids; l; l = l->next)
		g_ptr_array_add(ours, g_strdup(l->data));
	for (unsigned i = 0; i < ours->len; i++) { /* one that ends may touch others */
		struct tl_contact *contact = tl_contacts_find(node->contacts, g_ptr_array_index(ours, i));
		if (contact && contact->node == node)
			reconcile_contact(contact, legs);
	}
	GHashTableIter iter;
	const char *id;
	JsonObject *leg;
	g_hash_table_iter_init(&iter, legs->by_id);
	while (g_hash_table_iter_next(&iter, (void **)&id, (void **)&leg))
		if (!g_hash_table_contains(node->legs, id))
			reconcile_stranger(node, leg);
	legs_free(legs);
}

static void reconcile_phones(struct node *node, JsonArray *phones)
{
	for (unsigned i = 0; i < json_array_get_length(phones); i++)
		node_set_phone(node, json_array_get_object_element(phones, i));
}

void reconcile_open_acd(struct tl_contacts *contacts)
{
	tl_timer_stop(contacts->patience);
	tl_acd_open(contacts->acd);
}

static void open_when_all_known(struct tl_contacts *contacts)
{
	GHashTableIter iter;
	struct node *node;
	g_hash_table_iter_init(&iter, contacts->nodes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&node))
		if (!node->known)
			return;
	reconcile_open_acd(contacts);
}

static void on_snapshot(JsonObject *result, const GError *error, void *user)
{
	struct node *node = user;
	if (error) {
		node->asking = false;
		if (error->code != TL_CONTROL_CLOSED)
			tl_warning("%s: snapshot: %s", node->name, error->message);
		return;
	}
	node->asking = false;
	node->known = true;
	g_clear_pointer(&node->info, json_object_unref);
	node->info = json_object_ref(json_object_get_object_member(result, "node"));
	g_hash_table_remove_all(node->spans);
	JsonArray *spans = json_object_get_array_member(result, "spans");
	for (unsigned i = 0; i < json_array_get_length(spans); i++)
		node_set_span(node, json_array_get_object_element(spans, i));
	reconcile_devices(node, json_object_get_array_member(result, "legs"));
	reconcile_phones(node, json_object_get_array_member(result, "phones"));
	reconcile_legs(node, json_object_get_array_member(result, "legs"));
	recording_seen(node, json_object_has_member(result, "recordings") ? json_object_get_array_member(result, "recordings") : NULL);
	struct tl_node_info info = node_info(node);
	node->contacts->handler.on_node(&info, NULL, node->contacts->user);
	open_when_all_known(node->contacts);
}

void tl_contacts_reconcile(struct tl_contacts *contacts, const char *name)
{
	struct node *node = g_hash_table_lookup(contacts->nodes, name);
	if (!node || !node->linked || node->asking)
		return;
	node->asking = true;
	tl_control_client_call(node->client, "node.snapshot", NULL, on_snapshot, node);
}

static void load_contact(struct tl_contacts *contacts, const struct tl_result *result, unsigned row)
{
	enum { ID, STATE, SERVICE, STEP, QUEUE, AGENT, NODE, LEG, CALLED, CALLING, NAME, SPAN, OF, DIGITS, SLOT, STARTED, ENQUEUED, ANSWERED, OUTCOME, KIND };
	const char *text[DIGITS + 1];
	for (unsigned i = 0; i < G_N_ELEMENTS(text); i++)
		text[i] = tl_result_text(result, 0, row, i);
	struct node *node = g_hash_table_lookup(contacts->nodes, text[NODE]);
	if (!node || tl_contacts_find(contacts, text[ID]))
		return;
	struct tl_contact *contact = contact_new(contacts, text[ID], node, text[LEG]);
	contact->service = g_strdup(text[SERVICE]);
	contact->step = g_strdup(text[STEP]);
	contact->queue = g_strdup(text[QUEUE]);
	contact->agent = g_strdup(text[AGENT]);
	contact->called = g_strdup(text[CALLED]);
	contact->calling = g_strdup(text[CALLING]);
	contact->calling_name = g_strdup(text[NAME]);
	contact->span = g_strdup(text[SPAN]);
	contact->of = g_strdup(text[OF]);
	contact->place_agent = contact->of ? g_strdup(text[CALLED]) : NULL;
	g_string_assign(contact->digits, text[DIGITS] ? text[DIGITS] : "");
	contact->slot = tl_result_int(result, 0, row, SLOT);
	contact->started_utc_us = tl_result_int(result, 0, row, STARTED);
	contact->enqueued_utc_us = tl_result_int(result, 0, row, ENQUEUED);
	contact->answered_utc_us = tl_result_int(result, 0, row, ANSWERED);
	contact->overflowed = !g_strcmp0(tl_result_text(result, 0, row, OUTCOME), "overflowed");
	contact->fax = !g_strcmp0(tl_result_text(result, 0, row, KIND), "fax");
	contact->outgoing = g_str_has_prefix(contact->leg, "o-");
	contact->fsm.state = !g_strcmp0(text[STATE], "queued")	? CONTACT_QUEUED :
			     !g_strcmp0(text[STATE], "ringing") ? CONTACT_RINGING :
			     !g_strcmp0(text[STATE], "talking") ? CONTACT_TALKING :
			     contact->answered_utc_us		? CONTACT_FLOW : CONTACT_OFFERED;
	contact->talked = contact->fsm.state == CONTACT_TALKING;
}

static void link_consults(struct tl_contacts *contacts)
{
	GHashTableIter iter;
	struct tl_contact *contact;
	g_hash_table_iter_init(&iter, contacts->all);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&contact)) {
		struct tl_contact *subject = contact->of ? consult_subject(contact) : NULL;
		if (subject)
			subject->consult = contact;
	}
}

static void on_loaded(const struct tl_result *result, const GError *error, void *user)
{
	struct tl_contacts *contacts = user;
	if (--contacts->loading || !contacts->epoch)
		return;
	if (error) {
		tl_error("open contacts: %s", error->message);
		return;
	}
	for (unsigned row = 0; row < tl_result_rows(result, 0); row++)
		load_contact(contacts, result, row);
	link_consults(contacts);
	GHashTableIter iter;
	struct node *node;
	g_hash_table_iter_init(&iter, contacts->nodes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&node))
		node_connect(node);
	tl_timer_start(contacts->patience, PATIENCE_MS);
}

void tl_contacts_begin(struct tl_contacts *contacts, int64_t epoch)
{
	tl_contacts_end(contacts);
	contacts->epoch = epoch;
	contacts->loading++;
	struct tl_transaction *t = tl_transaction_new("open contacts");
	tl_transaction_add(t, "SELECT id, state, service, step, queue, agent, node, leg, called, calling, calling_name, span, parent, "
			      "digits, slot, started_utc_us, enqueued_utc_us, answered_utc_us, outcome, kind FROM contact "
			      "WHERE ended_utc_us IS NULL AND kind IN ('call', 'consult', 'fax')", TL_VALUES());
	tl_store_submit(contacts->store, t, on_loaded, contacts);
}

void tl_contacts_end(struct tl_contacts *contacts)
{
	contacts->epoch = 0;
	tl_timer_stop(contacts->patience);
	GHashTableIter iter;
	struct node *node;
	g_hash_table_iter_init(&iter, contacts->nodes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&node))
		node_disconnect(node);
	g_autoptr(GList) all = g_hash_table_get_values(contacts->all);
	for (GList *l = all; l; l = l->next) {
		contacts->handler.on_gone(l->data, contacts->user);
		contact_free(l->data);
	}
}
