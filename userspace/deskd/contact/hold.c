/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The caller hears music while the agent does something else; the agent is not heard; and what else two who talk can do. */
#include "contact/call.h"

#include <string.h>

#define CAUSE_NORMAL 16
#define CAUSE_REJECTED 21

static bool refuse(const struct tl_contact *contact, GError **error, const char *why)
{
	tl_control_refuse_state(error, tl_fsm_state_name(&contact->fsm), "%s", why);
	return false;
}

static bool must_talk(const struct tl_contact *contact, GError **error)
{
	if (!tl_contact_reachable(contact))
		return refuse(contact, error, "the call's node is not connected");
	if (contact->fsm.state != CONTACT_TALKING || !contact->agent || !contact->peer)
		return refuse(contact, error, "no agent talks in this call");
	return true;
}

static void tag_hold(struct tl_contact *contact)
{
	JsonObject *params = command_new(contact->leg), *tags = json_object_new();
	json_object_set_string_member(tags, "hold", contact->on_hold ? "yes" : "");
	json_object_set_object_member(params, "tags", tags);
	command_send(contact, "leg.tag", params, NULL);
}

void hold_begin(struct tl_contact *contact)
{
	if (contact->on_hold)
		return;
	contact->on_hold = true;
	peer_unbridge(contact);
	wait_play_on(contact, contact->leg, contact->contacts->hold_music);
	tag_hold(contact);
}

void hold_end(struct tl_contact *contact)
{
	if (!contact->on_hold)
		return;
	contact->on_hold = false;
	command_send(contact, "leg.stop", command_new(contact->leg), NULL);
	tag_hold(contact);
	if (contact->peer && contact->fsm.state == CONTACT_TALKING)
		peer_bridge(contact);
}

bool tl_contact_hold(struct tl_contact *contact, bool on, GError **error)
{
	if (!must_talk(contact, error))
		return false;
	if (contact->of || contact->consult)
		return refuse(contact, error, "two agents speak about it: the caller is held until that is over");
	if (on)
		hold_begin(contact);
	else
		hold_end(contact);
	contact_changed(contact);
	return true;
}

bool tl_contact_mute(struct tl_contact *contact, bool on, GError **error)
{
	if (!must_talk(contact, error))
		return false;
	JsonObject *params = command_new(contact->peer);
	json_object_set_boolean_member(params, "on", on);
	command_send(contact, "leg.mute", params, NULL);
	contact->muted = on;
	contact_changed(contact);
	return true;
}

bool tl_contact_dtmf(struct tl_contact *contact, const char *digits, GError **error)
{
	if (!must_talk(contact, error))
		return false;
	if (!*digits || strlen(digits) > 64 || strspn(digits, "0123456789*#ABCD") != strlen(digits)) {
		g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "digits: expected 1 to 64 of 0-9 * # A-D");
		return false;
	}
	struct tl_contact *consult = contact->consult;
	bool to_agent = consult && consult->fsm.state == CONTACT_TALKING;
	JsonObject *params = command_new(to_agent ? consult->peer : contact->leg);
	json_object_set_string_member(params, "digits", digits);
	command_send(contact, "leg.dtmf", params, NULL);
	return true;
}

bool tl_contact_answer(struct tl_contact *contact, GError **error)
{
	if (contact->fsm.state != CONTACT_RINGING || !contact->peer_is_device)
		return refuse(contact, error, "it does not ring in a browser");
	if (!tl_contact_reachable(contact))
		return refuse(contact, error, "the call's node is not connected");
	return contact_fire(contact, CONTACT_PEER_ANSWERED, NULL);
}

bool tl_contact_hang_up(struct tl_contact *contact, GError **error)
{
	unsigned rejected = CAUSE_REJECTED;
	if (!tl_contact_reachable(contact))
		return refuse(contact, error, "the call's node is not connected");
	if (contact->fsm.state == CONTACT_RINGING && contact->peer_is_device)
		contact_fire(contact, CONTACT_PEER_ENDED, &rejected);
	else if (contact->fsm.state == CONTACT_RINGING && contact->peer)
		command_release(contact, contact->peer, CAUSE_REJECTED);
	else if (contact->fsm.state == CONTACT_TALKING)
		tl_contact_release(contact, CAUSE_NORMAL);
	else
		return refuse(contact, error, "it neither rings nor talks");
	return true;
}
