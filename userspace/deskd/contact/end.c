/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* How a contact ends: once, written down, everybody told. */
#include "contact/call.h"

#define CAUSE_NORMAL 16

/* What we did not see ourselves (cause 0) the journal has written: the ledger was read before the snapshot. */
static void store_end(struct tl_contact *contact)
{
	const char *outcome = contact->queue && !contact->talked && !contact->overflowed ? "abandoned" : NULL;
	struct tl_transaction *t = tl_transaction_new("contact over");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t,
			   "UPDATE contact SET state = 'ended', digits = $1, outcome = coalesce(outcome, $2), "
			   "ended_utc_us = coalesce((SELECT utc_us FROM fact WHERE node = $3 AND leg = $4 AND fact = 'ended'), $5), "
			   "cause = coalesce((SELECT cause FROM fact WHERE node = $3 AND leg = $4 AND fact = 'ended'), $6, 41) "
			   "WHERE id = $7 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(contact->digits->str), tl_text(outcome), tl_text(contact->node->name),
				     tl_text(contact->leg), tl_int(contact->ended_utc_us), tl_time(contact->cause),
				     tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
}

void end_gone(void *user, const void *data)
{
	struct tl_contact *contact = user;
	struct tl_acd *acd = contact->contacts->acd;
	wait_stop(contact);
	contact->cause = *(const unsigned *)data;
	contact->ended_utc_us = tl_clock_utc_us();
	if (contact->consult)
		consult_over(contact->consult, contact->cause);
	/* While they talk the bridge's rule does it too; but the bridge may not have come about. */
	peer_let_go(contact, CAUSE_NORMAL);
	store_end(contact);
	contact_changed(contact);
	g_autofree char *id = g_strdup(contact->id);
	contact_free(contact);
	tl_acd_finished(acd, id, false); /* last: the agent who is free may get the next one at once */
}
