/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The other party: an agent's phone or browser that rings, or a target; joined with the caller when it answers. */
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
	contact->peer_target = assignment->phone ? g_strdup_printf("user:%s", assignment->phone) : NULL;
	contact->auto_answer = assignment->auto_answer;
	contact->ring_s = assignment->ring_s;
	contact_fire(contact, CONTACT_ASSIGNED, NULL);
}

/* Its page rings; on the node nothing happens before the agent answers. */
static void ring_device(struct tl_contact *contact)
{
	struct device *device = device_of_agent(contact->contacts, contact->agent);
	unsigned absent = CAUSE_ABSENT;
	if (!device || device->node != contact->node) {
		contact_fire(contact, CONTACT_PEER_ENDED, &absent);
		return;
	}
	contact_set_peer(contact, device->leg);
	tl_timer_start(contact->ring, contact->ring_s * 1000);
	contact_changed(contact);
	if (contact->auto_answer)
		contact_fire(contact, CONTACT_PEER_ANSWERED, NULL);
}

void peer_ring(void *user, const void *data)
{
	struct tl_contact *contact = user;
	g_autofree char *leg = g_strdup_printf("a-%s", contact->assignment);
	(void)data;
	if (!contact->peer_target) {
		ring_device(contact);
		return;
	}
	originate(contact, leg, contact->peer_target, "agent", contact->ring_s);
	contact_changed(contact);
}

void tl_contact_connect_clear(struct tl_contact *contact, const char *target)
{
	contact->clear = true;
	tl_contact_connect(contact, target);
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
	peer_let_go(contact, CAUSE_TEMPORARY_FAILURE);
	tl_contact_release(contact, CAUSE_TEMPORARY_FAILURE);
}

static JsonObject *member(const char *leg, const char *when_ends)
{
	JsonObject *object = command_new(leg);
	json_object_set_string_member(object, "when_ends", when_ends);
	return object;
}

/*
 * Without a desk the node ends one with the other; but never a standing leg, nor those of a consult: its first member
 * has a caller on hold, who is not in this bridge.
 */
void peer_bridge(struct tl_contact *contact)
{
	JsonObject *params = json_object_new();
	JsonArray *members = json_array_new();
	const char *leg_ends = contact->peer_is_device ? "keep-others" : contact->of ? "release-others-if-alone" : "release-others";
	json_array_add_object_element(members, member(contact->leg, leg_ends));
	json_array_add_object_element(members, member(contact->peer, contact->of ? "keep-others" : "release-others"));
	g_free(contact->bridge);
	contact->bridge = g_strdup_printf("b-%.36s-%" G_GINT64_FORMAT "-%u", contact->id, contact->contacts->epoch,
					  ++contact->bridges);
	json_object_set_string_member(params, "bridge", contact->bridge);
	json_object_set_string_member(params, "kind", contact->clear ? "clear" : "voice");
	json_object_set_array_member(params, "members", members);
	command_send(contact, "bridge.create", params, on_joined);
	recording_begin(contact);
}

void peer_unbridge(struct tl_contact *contact)
{
	g_autofree char *bridge = g_steal_pointer(&contact->bridge);
	contact->recording = RECORDING_NONE;
	if (!bridge)
		return;
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "bridge", bridge);
	command_send(contact, "bridge.destroy", params, NULL);
}

void peer_let_go(struct tl_contact *contact, unsigned cause)
{
	struct device *device = contact->peer_is_device ? device_of_leg(contact->node, contact->peer) : NULL;
	if (!contact->peer)
		return;
	peer_unbridge(contact);
	if (device)
		device_settle(device);
	else
		command_release(contact, contact->peer, cause);
	contact_set_peer(contact, NULL);
}

static void tag_talking(struct tl_contact *contact, const char *leg, const char *part)
{
	JsonObject *params = command_new(leg);
	command_tags(contact, params, part);
	command_keep_rule(params);
	command_send(contact, "leg.tag", params, NULL);
}

void peer_tag(struct tl_contact *contact)
{
	if (!contact->of) /* a consult's leg stays with what it is about */
		tag_talking(contact, contact->leg, "caller");
	tag_talking(contact, contact->peer, contact->agent ? "agent" : "target");
}

void peer_join(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	wait_stop(contact);
	tl_timer_stop(contact->ring);
	g_clear_pointer(&contact->transfer_to, g_free);
	contact->peer_answered = contact->talked = true;
	command_send(contact, "leg.stop", command_new(contact->leg), NULL);
	peer_bridge(contact);
	peer_tag(contact);
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
	bool transferred = contact->transfer_to;
	contact_set_peer(contact, NULL);
	g_clear_pointer(&contact->agent, g_free);
	g_clear_pointer(&contact->assignment, g_free);
	g_clear_pointer(&contact->transfer_to, g_free);
	tl_acd_unanswered(contact->contacts->acd, contact->id, reason);
	if (contact->place_agent || (transferred && !contact->queue)) { /* for this agent only */
		tl_contact_release(contact, cause);
		return;
	}
	contact_changed(contact);
	if (contact->overflow_due)
		contact_fire(contact, CONTACT_OVERFLOW, NULL);
	else if (transferred || !contact->music) /* the flow has not said how to wait */
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
	contact_changed(contact);
	tl_contact_release(contact, CAUSE_NORMAL);
}
