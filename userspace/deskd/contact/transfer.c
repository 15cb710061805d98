/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* An agent gives its caller away without asking: to a queue, or to another agent. */
#include "contact/call.h"

#define CAUSE_NORMAL 16

static void store_left(struct tl_contact *contact)
{
	struct tl_transaction *t = tl_transaction_new("transfer");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "UPDATE contact SET state = 'open', agent = NULL WHERE id = $1 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
}

void transfer_leave(void *user, const void *data)
{
	struct tl_contact *contact = user;
	const char *queue = data; /* NULL: to contact->transfer_to */
	peer_let_go(contact, CAUSE_NORMAL);
	hold_end(contact);
	store_left(contact);
	g_clear_pointer(&contact->assignment, g_free);
	g_autofree char *agent = g_steal_pointer(&contact->agent);
	/* It enters the queue before its agent is free: who gave it away does not get it back at once. */
	if (queue) {
		g_autofree char *step = g_strconcat("queue:", queue, NULL);
		g_clear_pointer(&contact->queue, g_free); /* at the end, also of the same one */
		tl_acd_finished(contact->contacts->acd, contact->id, false);
		contact->contacts->handler.on_begin(contact, step, contact->contacts->user);
		return;
	}
	if (!contact->music)
		contact->music = g_strdup(contact->contacts->hold_music);
	g_clear_pointer(&contact->playing, g_free);
	tl_acd_finished(contact->contacts->acd, contact->id, false);
	contact_fire(contact, CONTACT_QUEUE, NULL);
}

static bool refuse(GError **error, int code, const char *why)
{
	g_set_error_literal(error, TL_CONTROL_ERROR, code, why);
	return false;
}

static bool to_queue(struct tl_contact *contact, const char *queue, GError **error)
{
	struct tl_contacts *contacts = contact->contacts;
	if (!tl_acd_has_queue(contacts->acd, queue))
		return refuse(error, TL_CONTROL_UNKNOWN, "to: no such queue");
	if (!contact->service || !contacts->handler.has_service(contact->service, contacts->user))
		return refuse(error, TL_CONTROL_STATE, "a call without a service cannot wait in a queue");
	return contact_fire(contact, CONTACT_LEAVES, queue);
}

static bool to_agent(struct tl_contact *contact, const char *agent, GError **error)
{
	struct tl_agent_info info;
	if (!tl_acd_agent_info(contact->contacts->acd, agent, &info))
		return refuse(error, TL_CONTROL_UNKNOWN, "to: no such agent");
	if (info.state != TL_AGENT_READY)
		return refuse(error, TL_CONTROL_STATE, "the agent is not ready");
	g_free(contact->transfer_to);
	contact->transfer_to = g_strdup(agent);
	return contact_fire(contact, CONTACT_LEAVES, NULL);
}

bool tl_contact_transfer(struct tl_contact *contact, const char *to, GError **error)
{
	if (contact->fsm.state != CONTACT_TALKING || !contact->agent || contact->of || contact->consult ||
	    !tl_contact_reachable(contact))
		return refuse(error, TL_CONTROL_STATE, "only a call in which an agent talks with the caller can be transferred");
	if (g_str_has_prefix(to, "queue:"))
		return to_queue(contact, to + strlen("queue:"), error);
	if (g_str_has_prefix(to, "agent:"))
		return to_agent(contact, to + strlen("agent:"), error);
	return refuse(error, TL_CONTROL_INVALID_PARAMS, "to: expected queue:NAME or agent:NAME");
}
