/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* How a contact begins: a call comes in, or is placed; first its row, then the node's promise, then the answer. */
#include "contact/call.h"

#define TL_ROOM "contact"
#include "base/log.h"

#define PLACE_TIMEOUT_S 60
#define OPENING_FALLBACK_S 30
#define CAUSE_TEMPORARY_FAILURE 41

struct opening {
	struct tl_contacts *contacts;
	int64_t epoch;
	char *contact;
	char *target;              /* a call out */
	tl_contact_placed on_done; /* likewise */
	void *user;
};

static void opening_free(struct opening *opening)
{
	g_free(opening->contact);
	g_free(opening->target);
	g_free(opening);
}

char *begin_new_id(void)
{
	return g_strdup_printf("c%" G_GINT64_MODIFIER "x%08x", tl_clock_utc_us(), g_random_int());
}

static void store_contact(struct tl_contact *contact, tl_store_done on_done, struct opening *opening)
{
	struct tl_transaction *t = tl_transaction_new("contact");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "INSERT INTO contact (id, kind, state, parent, service, node, leg, called, calling, calling_name, "
			      "span, slot, started_utc_us) VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
			      "ON CONFLICT (id) DO NOTHING",
			   TL_VALUES(tl_text(contact->id), tl_text(contact->of ? "consult" : contact->fax ? "fax" : "call"), tl_text(contact->of),
				     tl_text(contact->service), tl_text(contact->node->name),
				     tl_text(contact->leg), tl_text(contact->called), tl_text(contact->calling),
				     tl_text(contact->calling_name), tl_text(contact->span), tl_int(contact->slot),
				     tl_int(contact->started_utc_us)));
	opening->contacts = contact->contacts;
	opening->epoch = contact->contacts->epoch;
	opening->contact = g_strdup(contact->id);
	tl_store_submit(contact->contacts->store, t, on_done, opening);
}

/* The contact, if its reign goes on and it is still there. */
static struct tl_contact *still_there(const struct opening *opening)
{
	return opening->epoch == opening->contacts->epoch ? tl_contacts_find(opening->contacts, opening->contact) : NULL;
}

static void on_offered_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct opening *opening = user;
	struct tl_contact *contact = still_there(opening);
	(void)result;
	if (contact && error) {
		/* Not taken: the node's own routes have it. */
		tl_warning("%s: %s", contact->leg, error->message);
		contact->contacts->handler.on_gone(contact, contact->contacts->user);
		contact_free(contact);
	} else if (contact) {
		contact_fire(contact, CONTACT_STORED, NULL);
		if (contact->leg_answered && contact->fsm.state == CONTACT_OFFERED)
			contact_fire(contact, CONTACT_ANSWERED, NULL);
	}
	opening_free(opening);
}

static const char *setup_text(JsonObject *leg, const char *member)
{
	return json_object_get_string_member_with_default(json_object_get_object_member(leg, "setup"), member, "");
}

static void set_party(struct tl_contact *contact, JsonObject *leg)
{
	JsonObject *party = json_object_get_object_member(leg, "party");
	contact->span = g_strdup(json_object_get_string_member(party, "name"));
	contact->slot = json_object_get_int_member_with_default(party, "slot", 0);
}

void begin_offered(struct node *node, JsonObject *leg)
{
	struct tl_contacts *contacts = node->contacts;
	const char *id = json_object_get_string_member(leg, "leg"), *called = setup_text(leg, "called");
	JsonObject *tags = json_object_get_object_member(leg, "tags");
	const char *service = json_object_get_string_member_with_default(tags, "service", called);
	if (!contacts->epoch || g_hash_table_contains(node->legs, id) || !contacts->handler.has_service(service, contacts->user))
		return;
	const char *old = json_object_get_string_member_with_default(tags, "contact", NULL);
	g_autofree char *fresh = old ? g_strdup(old) : begin_new_id();
	struct tl_contact *contact = contact_new(contacts, fresh, node, id);
	contact->service = g_strdup(service);
	contact->step = g_strdup(json_object_get_string_member_with_default(tags, "step", NULL));
	contact->called = g_strdup(called);
	contact->calling = g_strdup(setup_text(leg, "calling"));
	contact->calling_name = g_strdup(setup_text(leg, "calling_name"));
	contact->leg_answered = !g_strcmp0(json_object_get_string_member(leg, "state"), "answered");
	set_party(contact, leg);
	store_contact(contact, on_offered_stored, g_new0(struct opening, 1));
	contact_changed(contact);
}

/* Answered only when it is surely ours: the node may have routed it by itself meanwhile. */
static void on_taken(struct tl_contact *contact, const GError *error)
{
	unsigned unknown = 0;
	if (error)
		contact_fire(contact, CONTACT_GONE, &unknown);
	else if (contact->fsm.state == CONTACT_OFFERED)
		command_send(contact, "leg.answer", command_new(contact->leg), NULL);
}

void begin_taken(void *user, const void *data)
{
	struct tl_contact *contact = user;
	struct tl_contact_fallback fallback = { .cause = CAUSE_TEMPORARY_FAILURE, .after_s = OPENING_FALLBACK_S };
	(void)data;
	if (!contact->outgoing && !contact->leg_answered) {
		JsonObject *params = command_new(contact->leg);
		command_tags(contact, params, "caller");
		command_rule(params, &fallback);
		command_send(contact, "leg.take", params, on_taken);
	}
	contact_changed(contact);
}

void begin_answered(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	contact->leg_answered = true;
	if (!contact->answered_utc_us)
		contact->answered_utc_us = tl_clock_utc_us();
	struct tl_transaction *t = tl_transaction_new("contact answered");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "UPDATE contact SET answered_utc_us = coalesce(answered_utc_us, $1) WHERE id = $2",
			   TL_VALUES(tl_int(contact->answered_utc_us), tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
	contact_changed(contact);
	if (contact->place_agent)
		contact_fire(contact, CONTACT_QUEUE, NULL);
	else
		contact->contacts->handler.on_begin(contact, contact->step, contact->contacts->user);
}

static void on_originated(struct tl_contact *contact, const GError *error)
{
	if (!error)
		return;
	unsigned cause = tl_control_error_cause(error) ? tl_control_error_cause(error) : CAUSE_TEMPORARY_FAILURE;
	contact_fire(contact, CONTACT_GONE, &cause);
}

static void originate(struct tl_contact *contact, const char *target)
{
	struct tl_contact_fallback fallback = { .cause = CAUSE_TEMPORARY_FAILURE, .after_s = OPENING_FALLBACK_S };
	JsonObject *params = command_new(contact->leg), *setup = json_object_new();
	json_object_set_string_member(params, "to", target);
	json_object_set_string_member(setup, "called", contact->called);
	if (*contact->calling)
		json_object_set_string_member(setup, "calling", contact->calling);
	json_object_set_object_member(params, "setup", setup);
	json_object_set_int_member(params, "timeout_s", PLACE_TIMEOUT_S);
	command_tags(contact, params, "caller");
	command_rule(params, &fallback);
	command_send(contact, "leg.originate", params, on_originated);
}

static void on_place_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct opening *opening = user;
	struct tl_contact *contact = still_there(opening);
	(void)result;
	if (contact && !error) {
		contact_fire(contact, CONTACT_STORED, NULL);
		originate(contact, opening->target);
		opening->on_done(contact, NULL, opening->user);
	} else {
		g_autoptr(GError) why = g_error_new(TL_CONTROL_ERROR, error ? TL_CONTROL_STORAGE : TL_CONTROL_NOT_CONDUCTOR, "%s",
						    error ? error->message : "this desk is no longer the conductor");
		opening->on_done(NULL, why, opening->user);
		if (contact)
			contact_free(contact);
	}
	opening_free(opening);
}

static void on_consult_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct opening *opening = user;
	struct tl_contact *consult = still_there(opening);
	(void)result;
	if (consult && !error) {
		contact_fire(consult, CONTACT_STORED, NULL);
		contact_fire(consult, CONTACT_ANSWERED, NULL);
	} else if (consult) {
		tl_warning("consult about %s: %s", consult->of, error->message);
		consult_over(consult, CAUSE_TEMPORARY_FAILURE);
	}
	opening_free(opening);
}

void begin_consult(struct tl_contact *consult)
{
	store_contact(consult, on_consult_stored, g_new0(struct opening, 1));
	contact_changed(consult);
}

static struct node *any_node(struct tl_contacts *contacts)
{
	GHashTableIter iter;
	struct node *node;
	g_hash_table_iter_init(&iter, contacts->nodes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&node))
		if (node->known)
			return node;
	return NULL;
}

const char *tl_contacts_any_node(struct tl_contacts *contacts)
{
	struct node *node = contacts->epoch ? any_node(contacts) : NULL;
	return node ? node->name : NULL;
}

static struct node *node_for(struct tl_contacts *contacts, const char *name)
{
	struct node *node = name ? g_hash_table_lookup(contacts->nodes, name) : any_node(contacts);
	return contacts->epoch && node && node->known ? node : NULL;
}

static bool may_place(struct tl_contacts *contacts, const struct tl_contact_place *place, struct node *node, GError **error)
{
	struct tl_agent_info agent;
	int code = 0;
	const char *why = NULL;
	if (!node)
		code = TL_CONTROL_NOT_CONDUCTOR, why = "this desk is not the conductor, or no node is connected";
	else if (!!place->service + !!place->agent + !!place->fax != 1)
		code = TL_CONTROL_INVALID_PARAMS, why = "expected either service or agent";
	else if (place->id && tl_contacts_find(contacts, place->id))
		code = TL_CONTROL_ID_IN_USE, why = "call: this id is in use";
	else if (place->service && !contacts->handler.has_service(place->service, contacts->user))
		code = TL_CONTROL_UNKNOWN, why = "service: expected the number of a configured service";
	else if (place->agent && !tl_acd_agent_info(contacts->acd, place->agent, &agent))
		code = TL_CONTROL_UNKNOWN, why = "agent: expected a configured agent";
	else if (place->agent && agent.state != TL_AGENT_READY)
		code = TL_CONTROL_STATE, why = "the agent is not ready";
	if (why)
		g_set_error_literal(error, TL_CONTROL_ERROR, code, why);
	return !why;
}

void tl_contacts_place(struct tl_contacts *contacts, const struct tl_contact_place *place, tl_contact_placed on_done,
		       void *user)
{
	struct node *node = node_for(contacts, place->node);
	g_autoptr(GError) error = NULL;
	if (!may_place(contacts, place, node, &error)) {
		on_done(NULL, error, user);
		return;
	}
	g_autofree char *id = place->id ? g_strdup(place->id) : begin_new_id();
	g_autofree char *leg = g_strdup_printf("o-%.60s", id);
	struct tl_contact *contact = contact_new(contacts, id, node, leg);
	contact->outgoing = true;
	contact->fax = place->fax;
	contact->fax_id = g_strdup(place->fax);
	contact->service = g_strdup(place->service);
	contact->place_agent = g_strdup(place->agent);
	contact->called = g_strdup(place->called);
	contact->calling = g_strdup(place->calling ? place->calling : "");
	struct opening *opening = g_new0(struct opening, 1);
	opening->target = g_strdup(place->to);
	opening->on_done = on_done;
	opening->user = user;
	store_contact(contact, on_place_stored, opening);
	contact_changed(contact);
}
