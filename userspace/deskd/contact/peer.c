/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The other party: an agent's phone that rings, or a target; joined with the caller when it answers. */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

#define CONNECT_TIMEOUT_S 60
#define PEER_FALLBACK_S 5
#define CAUSE_NORMAL 16
#define CAUSE_BUSY 17
#define CAUSE_ABSENT 20
#define CAUSE_REJECTED 21
#define CAUSE_NO_CIRCUIT 34
#define CAUSE_TEMPORARY_FAILURE 41

static void on_originated(struct tl_contact *contact, const GError *error)
{
	if (!error)
		return;
	unsigned cause = tl_control_error_cause(error) ? tl_control_error_cause(error) : CAUSE_TEMPORARY_FAILURE;
	contact_set_peer(contact, NULL);
	contact_fire(contact, CONTACT_PEER_ENDED, &cause);
}

/* Digits only: a called "number" that came as a SIP user name stays at home. */
static const char *as_number(const char *text)
{
	size_t n = strspn(text + (*text == '+'), "0123456789*#ABCD");
	return text[n + (*text == '+')] == '\0' && n <= 32 ? text : "";
}

static void originate(struct tl_contact *contact, const char *leg, const char *target, const char *part, unsigned timeout_s)
{
	struct tl_contact_fallback fallback = { .cause = CAUSE_TEMPORARY_FAILURE, .after_s = PEER_FALLBACK_S };
	JsonObject *params = command_new(leg), *setup = json_object_new();
	contact_set_peer(contact, leg);
	json_object_set_string_member(params, "to", target);
	json_object_set_string_member(setup, "called", as_number(contact->called));
	json_object_set_string_member(setup, "calling", as_number(contact->calling));
	if (contact->calling_name && *contact->calling_name)
		json_object_set_string_member(setup, "calling_name", contact->calling_name);
	json_object_set_object_member(params, "setup", setup);
	json_object_set_int_member(params, "timeout_s", timeout_s);
	command_tags(contact, params, part);
	command_rule(params, &fallback);
	command_send(contact, "leg.originate", params, on_originated);
}

void tl_contacts_assigned(struct tl_contacts *contacts, const struct tl_assignment *assignment)
{
	struct tl_contact *contact = tl_contacts_find(contacts, assignment->contact);
	if (!contact || contact->fsm.state != CONTACT_QUEUED) {
		tl_acd_withdrawn(contacts->acd, assignment->contact);
		return;
	}
	g_free(contact->agent);
	g_free(contact->assignment);
	g_free(contact->peer_target);
	contact->agent = g_strdup(assignment->agent);
	contact->assignment = g_strdup(assignment->id);
	contact->peer_target = g_strdup_printf("user:%s", assignment->phone);
	contact->ring_s = assignment->ring_s;
	contact_fire(contact, CONTACT_ASSIGNED, NULL);
}

void peer_ring(void *user, const void *data)
{
	struct tl_contact *contact = user;
	g_autofree char *leg = g_strdup_printf("a-%s", contact->assignment);
	(void)data;
	originate(contact, leg, contact->peer_target, "agent", contact->ring_s);
	contact_changed(contact);
}

void tl_contact_connect(struct tl_contact *contact, const char *target)
{
	g_free(contact->peer_target);
	contact->peer_target = g_strdup(target);
	contact_fire(contact, CONTACT_CONNECT, NULL);
}

void peer_connect(void *user, const void *data)
{
	struct tl_contact *contact = user;
	g_autofree char *leg = g_strdup_printf("t-%.50s-%u", contact->id, ++contact->numbers);
	(void)data;
	originate(contact, leg, contact->peer_target, "target", CONNECT_TIMEOUT_S);
	contact_changed(contact);
}

static void on_joined(struct tl_contact *contact, const GError *error)
{
	if (!error)
		return;
	command_release(contact, contact->leg, CAUSE_TEMPORARY_FAILURE);
	if (contact->peer)
		command_release(contact, contact->peer, CAUSE_TEMPORARY_FAILURE);
}

static JsonObject *member(const char *leg)
{
	JsonObject *object = command_new(leg);
	json_object_set_string_member(object, "when_ends", "release-others");
	return object;
}

static void create_bridge(struct tl_contact *contact)
{
	JsonObject *params = json_object_new();
	JsonArray *members = json_array_new();
	g_autofree char *bridge = g_strdup_printf("b-%.60s", contact->peer);
	json_array_add_object_element(members, member(contact->leg));
	json_array_add_object_element(members, member(contact->peer));
	json_object_set_string_member(params, "bridge", bridge);
	json_object_set_string_member(params, "kind", "voice");
	json_object_set_array_member(params, "members", members);
	command_send(contact, "bridge.create", params, on_joined);
}

static void tag_talking(struct tl_contact *contact, const char *leg, const char *part)
{
	JsonObject *params = command_new(leg);
	command_tags(contact, params, part);
	command_keep_rule(params);
	command_send(contact, "leg.tag", params, NULL);
}

void peer_join(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	wait_stop(contact);
	contact->peer_answered = contact->talked = true;
	command_send(contact, "leg.stop", command_new(contact->leg), NULL);
	create_bridge(contact);
	tag_talking(contact, contact->leg, "caller");
	tag_talking(contact, contact->peer, contact->agent ? "agent" : "target");
	if (contact->agent)
		tl_acd_answered(contact->contacts->acd, contact->id);
	contact_changed(contact);
}

/* The phone said no, or nothing; the caller waits where it was. */
void peer_unanswered(void *user, const void *data)
{
	struct tl_contact *contact = user;
	unsigned cause = *(const unsigned *)data;
	const char *reason = cause == CAUSE_BUSY ? "busy" : cause == CAUSE_REJECTED ? "rejected" : "no answer";
	if (cause == CAUSE_ABSENT || cause == CAUSE_NO_CIRCUIT)
		reason = NULL;
	tl_info("%s: agent %s: %s (cause %u)", contact->id, contact->agent, reason ? reason : "phone gone", cause);
	contact_set_peer(contact, NULL);
	g_clear_pointer(&contact->agent, g_free);
	g_clear_pointer(&contact->assignment, g_free);
	if (contact->place_agent) { /* for this agent only */
		tl_acd_unanswered(contact->contacts->acd, contact->id, reason);
		command_release(contact, contact->leg, cause);
		return;
	}
	tl_acd_unanswered(contact->contacts->acd, contact->id, reason);
	contact_changed(contact);
	if (contact->overflow_due)
		contact_fire(contact, CONTACT_OVERFLOW, NULL);
	else if (!contact->music) /* it rang already when this desk took over: the flow has not said how to wait */
		contact->contacts->handler.on_begin(contact, contact->step, contact->contacts->user);
}

void peer_not_connected(void *user, const void *data)
{
	struct tl_contact *contact = user;
	contact_set_peer(contact, NULL);
	contact->contacts->handler.on_failed(contact, *(const unsigned *)data, contact->contacts->user);
}

/* The bridge's rule lets the node release the caller; we make sure of it. */
void peer_hung_up(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	contact_set_peer(contact, NULL);
	tl_acd_finished(contact->contacts->acd, contact->id, false);
	command_release(contact, contact->leg, CAUSE_NORMAL);
	contact_changed(contact);
}
