/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Commands to the node that has a contact's legs. */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

#define TAG_MAX 256

/* A command under way; its contact may be gone when the answer comes. */
struct pending {
	struct tl_contacts *contacts;
	char *contact;
	const char *method;
	command_done on_done;
};

JsonObject *command_new(const char *leg)
{
	JsonObject *params = json_object_new();
	if (leg)
		json_object_set_string_member(params, "leg", leg);
	return params;
}

static void set_tag(JsonObject *tags, const char *name, const char *value)
{
	if (!value || g_utf8_strlen(value, -1) > TAG_MAX)
		return;
	json_object_set_string_member(tags, name, value);
}

void command_tags(struct tl_contact *contact, JsonObject *params, const char *part)
{
	JsonObject *tags = json_object_new();
	set_tag(tags, "contact", contact->id);
	set_tag(tags, "part", part);
	set_tag(tags, "service", contact->service);
	set_tag(tags, "step", contact->step);
	set_tag(tags, "queue", contact->queue);
	set_tag(tags, "agent", contact->agent);
	set_tag(tags, "assignment", contact->assignment);
	json_object_set_object_member(params, "tags", tags);
}

void command_rule(JsonObject *params, const struct tl_contact_fallback *fallback)
{
	JsonObject *rule = json_object_new();
	json_object_set_string_member(rule, "action", fallback->route ? "route" : "release");
	json_object_set_int_member(rule, "after_s", fallback->after_s);
	if (fallback->route)
		json_object_set_string_member(rule, "to", fallback->route);
	else
		json_object_set_int_member(rule, "cause", fallback->cause);
	json_object_set_object_member(params, "rule", rule);
}

void command_keep_rule(JsonObject *params)
{
	JsonObject *rule = json_object_new();
	json_object_set_string_member(rule, "action", "keep");
	json_object_set_object_member(params, "rule", rule);
}

static void on_answer(JsonObject *result, const GError *error, void *user)
{
	struct pending *pending = user;
	bool lost = error && error->code == TL_CONTROL_CLOSED; /* the next snapshot decides */
	(void)result;
	/* Who hangs up what the other side has hung up already learns that there is nothing left: no news. */
	if (error && !lost)
		tl_log(!strcmp(pending->method, "leg.release") || !strcmp(pending->method, "bridge.destroy") ? TL_LOG_DEBUG :
			TL_LOG_NOTICE, TL_ROOM, "%s of %s: %s",
		       pending->method, pending->contact, error->message);
	struct tl_contact *contact = lost || !pending->on_done ? NULL : tl_contacts_find(pending->contacts, pending->contact);
	if (contact)
		pending->on_done(contact, error);
	g_free(pending->contact);
	g_free(pending);
}

void command_send(struct tl_contact *contact, const char *method, JsonObject *params, command_done on_done)
{
	if (!contact->node->client) {
		json_object_unref(params);
		return;
	}
	struct pending *pending = g_new0(struct pending, 1);
	pending->contacts = contact->contacts;
	pending->contact = g_strdup(contact->id);
	pending->method = method;
	pending->on_done = on_done;
	tl_control_client_call(contact->node->client, method, params, on_answer, pending);
}

void command_release(struct tl_contact *contact, const char *leg, unsigned cause)
{
	JsonObject *params = command_new(leg);
	json_object_set_int_member(params, "cause", cause);
	command_send(contact, "leg.release", params, NULL);
}
