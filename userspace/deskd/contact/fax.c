/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A contact whose leg is a fax machine: it receives into the node's spool, or sends a document that the node has. */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

#define CAUSE_NORMAL 16
#define CAUSE_CONGESTION 42
#define PAGES_MAX 1000
/* A long fax goes on without a desk; a line that nobody hangs up does not stay for ever. */
#define FALLBACK_S 14400

void tl_contact_detect_fax(struct tl_contact *contact)
{
	JsonObject *params = command_new(contact->leg);
	json_object_set_boolean_member(params, "on", TRUE);
	command_send(contact, "leg.detect_fax", params, NULL);
}

void tl_contact_fax(struct tl_contact *contact, const struct tl_contact_fax *fax)
{
	contact_fire(contact, CONTACT_FAX, fax);
}

static void store_kind(struct tl_contact *contact)
{
	struct tl_transaction *t = tl_transaction_new("contact is a fax");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "UPDATE contact SET kind = 'fax' WHERE id = $1", TL_VALUES(tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
}

/* No room in the spool, or an unfit document: the line is cleared with a cause that lets the caller try again. */
static void on_begun(struct tl_contact *contact, const GError *error)
{
	if (!error || contact->fsm.state != CONTACT_FAXING || !g_strcmp0(tl_control_error_state(error), "fax"))
		return; /* state fax: it runs already, asked for by the desk before us */
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", contact->leg);
	json_object_set_string_member(params, "fax", contact->fax_id);
	json_object_set_string_member(params, "result", error->message);
	json_object_set_string_member(params, "trouble", error->code == TL_CONTROL_STORAGE ? "disk" : "document");
	json_object_set_int_member(params, "pages", 0);
	contact->contacts->handler.on_fax(contact->fax_id, "fax.ended", params, contact->contacts->user);
	json_object_unref(params);
	command_release(contact, contact->leg, CAUSE_CONGESTION);
}

static JsonObject *command_of(struct tl_contact *contact, const struct tl_contact_fax *fax)
{
	JsonObject *params = command_new(contact->leg);
	json_object_set_string_member(params, "fax", fax->fax);
	if (fax->options)
		json_object_set_object_member(params, "options", json_object_ref(fax->options));
	if (fax->document) {
		json_object_set_string_member(params, "document", fax->document);
		json_object_set_int_member(params, "first_page", MAX(fax->first_page, 1));
	} else { /* once: what has come is not to come again. One that sends, and has ended unheard, is begun again. */
		g_autofree char *command = g_strdup_printf("fax-%.58s", fax->fax);
		json_object_set_string_member(params, "command", command);
		json_object_set_int_member(params, "max_pages", CLAMP(fax->pages_max, 1, PAGES_MAX));
	}
	return params;
}

void fax_begin(void *user, const void *data)
{
	struct tl_contact *contact = user;
	const struct tl_contact_fax *fax = data;
	struct tl_contact_fallback fallback = { .cause = CAUSE_NORMAL, .after_s = FALLBACK_S };
	if (contact->queue) {
		wait_stop(contact);
		tl_acd_finished(contact->contacts->acd, contact->id, true);
		g_clear_pointer(&contact->queue, g_free);
	}
	command_send(contact, "leg.stop", command_new(contact->leg), NULL);
	if (!contact->fax)
		store_kind(contact);
	contact->fax = true;
	if (fax->fax != contact->fax_id) {
		g_free(contact->fax_id);
		contact->fax_id = g_strdup(fax->fax);
	}
	JsonObject *tag = command_new(contact->leg);
	command_tags(contact, tag, "caller");
	command_rule(tag, &fallback);
	command_send(contact, "leg.tag", tag, NULL);
	command_send(contact, fax->document ? "fax.send" : "fax.receive", command_of(contact, fax), on_begun);
	contact_changed(contact);
}

void fax_over(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	command_release(contact, contact->leg, CAUSE_NORMAL);
	contact_changed(contact);
}

void fax_event(struct node *node, const char *name, JsonObject *params)
{
	struct tl_contact *contact = g_hash_table_lookup(node->legs, json_object_get_string_member(params, "leg"));
	const char *fax = json_object_get_string_member(params, "fax");
	if (contact && contact->fax_id && strcmp(contact->fax_id, fax))
		return; /* none: one that was cancelled before we took over */
	node->contacts->handler.on_fax(fax, name, params, node->contacts->user);
	if (contact && contact->fax_id && !strcmp(name, "fax.ended"))
		contact_fire(contact, CONTACT_FAX_ENDED, NULL);
}

void fax_tone(struct node *node, JsonObject *params)
{
	struct tl_contact *contact = g_hash_table_lookup(node->legs, json_object_get_string_member(params, "leg"));
	bool calling = !strcmp(json_object_get_string_member(params, "tone"), "cng");
	bool alone = contact && (contact->fsm.state == CONTACT_FLOW || contact->fsm.state == CONTACT_QUEUED);
	if (alone && calling && !strcmp(json_object_get_string_member(params, "leg"), contact->leg))
		contact->contacts->handler.on_fax_tone(contact, contact->contacts->user);
}
