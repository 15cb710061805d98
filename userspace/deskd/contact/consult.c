/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * An agent asks another one about its contact, and may leave the caller to it.
 * The consult is a contact of its own, with a row and an assignment like any:
 * its leg is the asking agent's, its peer the asked one's.
 */
#include "contact/call.h"

#include <string.h>

#define CAUSE_NORMAL 16

struct tl_contact *consult_subject(struct tl_contact *consult)
{
	return tl_contacts_find(consult->contacts, consult->of);
}

static bool refuse(GError **error, int code, const char *why)
{
	g_set_error_literal(error, TL_CONTROL_ERROR, code, why);
	return false;
}

static bool may_consult(struct tl_contact *contact, const char *agent, GError **error)
{
	struct tl_agent_info info;
	if (contact->fsm.state != CONTACT_TALKING || !contact->agent || !contact->peer || !tl_contact_reachable(contact))
		return refuse(error, TL_CONTROL_STATE, "no agent talks in this call");
	if (contact->of || contact->consult)
		return refuse(error, TL_CONTROL_STATE, "two agents speak about it already");
	if (!tl_acd_agent_info(contact->contacts->acd, agent, &info))
		return refuse(error, TL_CONTROL_UNKNOWN, "agent: no such agent");
	if (info.state != TL_AGENT_READY)
		return refuse(error, TL_CONTROL_STATE, "the agent is not ready");
	return true;
}

bool tl_contact_consult(struct tl_contact *contact, const char *agent, GError **error)
{
	if (!may_consult(contact, agent, error))
		return false;
	g_autofree char *id = begin_new_id();
	struct tl_contact *consult = contact_new(contact->contacts, id, contact->node, contact->peer);
	consult->of = g_strdup(contact->id);
	consult->outgoing = consult->leg_answered = true; /* nobody has to take or answer it */
	consult->place_agent = g_strdup(agent);
	consult->called = g_strdup(agent);
	consult->calling = g_strdup(contact->calling);
	struct tl_agent_info info;
	consult->calling_name = g_strdup(tl_acd_agent_info(contact->contacts->acd, contact->agent, &info) ? info.display : contact->agent);
	contact->consult = consult;
	hold_begin(contact);
	wait_play_on(contact, contact->peer, "tone:ringing");
	begin_consult(consult);
	contact_changed(contact);
	return true;
}

void consult_over(struct tl_contact *consult, unsigned cause)
{
	struct tl_contact *subject = consult_subject(consult);
	if (subject && subject->consult == consult) {
		subject->consult = NULL;
		command_send(subject, "leg.stop", command_new(consult->leg), NULL); /* it may still hear the ringing */
		contact_changed(subject);
	}
	contact_fire(consult, CONTACT_GONE, &cause);
}

bool tl_contact_cancel(struct tl_contact *contact, GError **error)
{
	if (!contact->consult || !tl_contact_reachable(contact))
		return refuse(error, TL_CONTROL_STATE, "no agent is asked about it");
	consult_over(contact->consult, CAUSE_NORMAL);
	hold_end(contact);
	contact_changed(contact);
	return true;
}

static void take_over(struct tl_contact *contact)
{
	struct tl_contact *consult = contact->consult;
	g_autofree char *peer = g_strdup(consult->peer);
	unsigned normal = CAUSE_NORMAL;
	peer_unbridge(consult);
	contact_set_peer(consult, NULL);
	contact->consult = NULL;
	peer_let_go(contact, CAUSE_NORMAL);
	contact_set_peer(contact, peer);
	contact->peer_answered = true;
	g_free(contact->agent);
	g_free(contact->assignment);
	contact->agent = g_strdup(consult->agent);
	contact->assignment = g_strdup(consult->assignment);
	hold_end(contact);
	peer_tag(contact);
	tl_acd_transferred(contact->contacts->acd, contact->id, consult->id);
	contact_changed(contact);
	contact_fire(consult, CONTACT_GONE, &normal);
}

bool consult_takes_over(struct tl_contact *contact)
{
	if (contact->fsm.state != CONTACT_TALKING || !contact->consult || contact->consult->fsm.state != CONTACT_TALKING)
		return false;
	contact_set_peer(contact, NULL); /* it has gone */
	take_over(contact);
	return true;
}

bool tl_contact_complete(struct tl_contact *contact, GError **error)
{
	if (!contact->consult || contact->consult->fsm.state != CONTACT_TALKING || !tl_contact_reachable(contact))
		return refuse(error, TL_CONTROL_STATE, "no agent is asked about it, or has answered yet");
	take_over(contact);
	return true;
}
