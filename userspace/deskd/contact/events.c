/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a node says: to which contact it goes. Before the snapshot only the journal counts. */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

static struct tl_contact *contact_of(struct node *node, JsonObject *params, bool *is_peer)
{
	const char *leg = json_object_get_string_member(params, "leg");
	struct tl_contact *contact = g_hash_table_lookup(node->legs, leg);
	*is_peer = contact && !g_strcmp0(contact->peer, leg);
	return contact;
}

static void on_offered(struct node *node, JsonObject *params)
{
	begin_offered(node, json_object_get_object_member(params, "leg"));
}

static void on_state(struct node *node, JsonObject *params)
{
	bool is_peer;
	struct tl_contact *contact = contact_of(node, params, &is_peer);
	const char *state = json_object_get_string_member(params, "state");
	if (!contact || strcmp(state, "answered"))
		return;
	if (is_peer) {
		contact_fire(contact, CONTACT_PEER_ANSWERED, NULL);
	} else {
		contact->leg_answered = true;
		contact_fire(contact, CONTACT_ANSWERED, NULL);
	}
}

static void on_held(struct node *node, JsonObject *params)
{
	bool is_peer;
	struct tl_contact *contact = contact_of(node, params, &is_peer);
	if (!contact)
		return;
	*(is_peer ? &contact->peer_held : &contact->leg_held) = json_object_get_boolean_member(params, "held");
	contact_changed(contact);
}

static void on_ended(struct node *node, JsonObject *params)
{
	bool is_peer;
	struct tl_contact *contact = contact_of(node, params, &is_peer);
	unsigned cause = json_object_get_int_member(params, "cause");
	struct device *device = device_of_leg(node, json_object_get_string_member(params, "leg"));
	if (device)
		device_gone(device);
	if (contact && !(is_peer && consult_takes_over(contact)))
		contact_fire(contact, is_peer ? CONTACT_PEER_ENDED : CONTACT_GONE, &cause);
}

/* The number in an id that this contact gave to a play or a collect; 0: another's. */
static unsigned number_of(struct tl_contact *contact, JsonObject *params, const char *member)
{
	const char *id = json_object_get_string_member(params, member);
	size_t n = strlen(contact->id);
	return !strncmp(id, contact->id, n) && id[n] == '-' ? g_ascii_strtoull(id + n + 1, NULL, 10) : 0;
}

static void on_played(struct node *node, JsonObject *params)
{
	bool is_peer;
	struct tl_contact *contact = contact_of(node, params, &is_peer);
	const char *error = json_object_get_string_member_with_default(params, "error", NULL);
	if (error)
		tl_warning("%s: %s", contact ? contact->id : "a leg", error);
	/* One that was replaced, or that a key cut short, says nothing; one that failed is over as well. */
	if (!contact || is_peer || number_of(contact, params, "play") != contact->play ||
	    !(error || json_object_get_boolean_member(params, "completed")))
		return;
	wait_prompt_played(contact);
	contact->contacts->handler.on_played(contact, contact->contacts->user);
}

static void on_collected(struct node *node, JsonObject *params)
{
	bool is_peer;
	struct tl_contact *contact = contact_of(node, params, &is_peer);
	const char *why = json_object_get_string_member(params, "why"), *digits = json_object_get_string_member(params, "digits");
	if (!contact || is_peer || number_of(contact, params, "collect") < contact->collect || !strcmp(why, "replaced") || !strcmp(why, "ended"))
		return;
	/* A key may come to the collect before the latest: pressed just as the prompt ended. */
	contact->collect = contact->numbers + 1;
	contact->collect_wait_s = 0;
	g_string_append(contact->digits, digits);
	contact->contacts->handler.on_collected(contact, digits, contact->contacts->user);
}

static void on_connected(struct node *node, JsonObject *params)
{
	struct device *device = device_of_leg(node, json_object_get_string_member(params, "leg"));
	if (device)
		device_connected(device);
}

static void on_disconnected(struct node *node, JsonObject *params)
{
	struct device *device = device_of_leg(node, json_object_get_string_member(params, "leg"));
	if (device)
		device_disconnected(device);
}

static void on_span(struct node *node, JsonObject *params)
{
	JsonObject *span = json_object_get_object_member(params, "span");
	node_set_span(node, span);
	struct tl_node_info info = node_info(node);
	node->contacts->handler.on_node(&info, json_object_get_string_member(span, "span"), node->contacts->user);
}

static void on_phone(struct node *node, JsonObject *params)
{
	node_set_phone(node, json_object_get_object_member(params, "phone"));
}

static void on_node(struct node *node, JsonObject *params)
{
	g_clear_pointer(&node->info, json_object_unref);
	node->info = json_object_ref(json_object_get_object_member(params, "node"));
	struct tl_node_info info = node_info(node);
	node->contacts->handler.on_node(&info, NULL, node->contacts->user);
}

static const struct {
	const char *name;
	void (*handle)(struct node *node, JsonObject *params);
} handlers[] = {
	{ "leg.offered", on_offered },	   { "leg.state", on_state },	  { "leg.ended", on_ended },
	{ "leg.played", on_played },	   { "leg.collected", on_collected }, { "span.changed", on_span },
	{ "phone.changed", on_phone },	   { "node.changed", on_node },	  { "leg.held", on_held },
	{ "leg.connected", on_connected }, { "leg.disconnected", on_disconnected },
	{ "leg.fax_tone", fax_tone },
};

void events_handle(struct node *node, const char *name, JsonObject *params)
{
	if (!strcmp(name, "journal.facts")) {
		node->contacts->handler.on_facts(node->name, params, node->contacts->user);
		return;
	}
	if (!strcmp(name, "spool.changed")) {
		node->contacts->handler.on_spool(node->name, params, node->contacts->user);
		return;
	}
	if (node->known && g_str_has_prefix(name, "fax.")) {
		fax_event(node, name, params);
		return;
	}
	if (node->known && g_str_has_prefix(name, "recording.")) {
		recording_event(node, name, params);
		return;
	}
	for (unsigned i = 0; node->known && i < G_N_ELEMENTS(handlers); i++)
		if (!strcmp(handlers[i].name, name)) {
			handlers[i].handle(node, params);
			return;
		}
}
