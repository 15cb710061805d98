/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Recording of what a queue's callers and its agents say, where the queue is set so. Each bridge is one recording: on hold
 * and between two agents nothing is recorded. An agent who pauses it (a card's number) stays unrecorded over a hold.
 */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

struct settings {
	char *format;
	char **notice;
};

static void settings_free(void *data)
{
	struct settings *settings = data;
	g_free(settings->format);
	g_strfreev(settings->notice);
	g_free(settings);
}

GHashTable *recording_table_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, settings_free);
}

void tl_contacts_set_recording(struct tl_contacts *contacts, const char *queue, const char *format, const char *const *notice)
{
	if (!format) {
		g_hash_table_remove(contacts->recordings, queue);
		return;
	}
	struct settings *settings = g_new0(struct settings, 1);
	settings->format = g_strdup(format);
	settings->notice = g_strdupv((char **)notice);
	g_hash_table_insert(contacts->recordings, g_strdup(queue), settings);
}

static const struct settings *settings_of(const struct tl_contact *contact)
{
	bool talks = contact->queue && contact->agent && !contact->of && !contact->clear;
	return talks ? g_hash_table_lookup(contact->contacts->recordings, contact->queue) : NULL;
}

/* "b-..." has "r-...": a bridge is recorded once at most, whichever desk asks. */
static char *id_of(const struct tl_contact *contact)
{
	return g_strdup_printf("r%s", contact->bridge + 1);
}

static void on_asked(struct tl_contact *contact, const GError *error)
{
	if (!error)
		return;
	tl_warning("%s: not recorded: %s", contact->id, error->message);
	contact->recording = RECORDING_NONE;
	contact_changed(contact);
}

static JsonArray *notice_of(struct tl_contact *contact, const struct settings *settings)
{
	JsonArray *sounds = json_array_new();
	for (char **sound = settings->notice; *sound; sound++)
		json_array_add_string_element(sounds, *sound);
	contact->noticed = true;
	return sounds;
}

void recording_begin(struct tl_contact *contact)
{
	const struct settings *settings = settings_of(contact);
	if (!settings || contact->unrecorded)
		return;
	g_autofree char *id = id_of(contact);
	JsonObject *params = json_object_new(), *tags = json_object_new();
	json_object_set_string_member(params, "bridge", contact->bridge);
	json_object_set_string_member(params, "recording", id);
	json_object_set_string_member(params, "format", settings->format);
	json_object_set_string_member(params, "left", contact->leg);
	if (*settings->notice && !contact->noticed)
		json_object_set_array_member(params, "notice", notice_of(contact, settings));
	json_object_set_string_member(tags, "contact", contact->id);
	json_object_set_string_member(tags, "queue", contact->queue);
	json_object_set_string_member(tags, "agent", contact->agent);
	json_object_set_object_member(params, "tags", tags);
	contact->recording = RECORDING_STARTING;
	command_send(contact, "bridge.record", params, on_asked);
}

static void command(struct tl_contact *contact, const char *method)
{
	g_autofree char *id = id_of(contact);
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "recording", id);
	command_send(contact, method, params, NULL);
}

static bool refuse(const struct tl_contact *contact, GError **error, const char *why)
{
	tl_control_refuse_state(error, tl_fsm_state_name(&contact->fsm), "%s", why);
	return false;
}

bool tl_contact_record(struct tl_contact *contact, bool on, GError **error)
{
	if (!tl_contact_reachable(contact))
		return refuse(contact, error, "the call's node is not connected");
	if (contact->fsm.state != CONTACT_TALKING || !settings_of(contact))
		return refuse(contact, error, "calls of its queue are not recorded, or nobody talks");
	if (contact->unrecorded == !on)
		return true;
	contact->unrecorded = !on;
	if (contact->bridge && contact->recording == RECORDING_NONE && on)
		recording_begin(contact);
	else if (contact->bridge && contact->recording != RECORDING_NONE)
		command(contact, on ? "recording.resume" : "recording.pause");
	contact_changed(contact);
	return true;
}

/* ---- what the node says ---- */

static struct tl_contact *contact_of(struct node *node, JsonObject *params)
{
	const char *bridge = json_object_get_string_member(params, "bridge");
	g_auto(GStrv) words = g_strsplit(bridge, "-", -1);
	unsigned n = g_strv_length(words);
	if (n < 4) /* b, an id that may have some itself, epoch, number */
		return NULL;
	g_clear_pointer(&words[n - 1], g_free);
	g_clear_pointer(&words[n - 2], g_free);
	g_autofree char *id = g_strjoinv("-", words + 1);
	struct tl_contact *contact = tl_contacts_find(node->contacts, id);
	return contact && contact->node == node && !g_strcmp0(contact->bridge, bridge) ? contact : NULL;
}

static void set_state(struct tl_contact *contact, enum recording_state state)
{
	contact->recording = state;
	contact_changed(contact);
}

void recording_event(struct node *node, const char *name, JsonObject *params)
{
	struct tl_contact *contact = contact_of(node, params);
	if (!contact)
		return;
	if (!strcmp(name, "recording.started"))
		set_state(contact, contact->unrecorded ? RECORDING_PAUSED : RECORDING_ON);
	else if (!strcmp(name, "recording.paused"))
		set_state(contact, RECORDING_PAUSED);
	else if (!strcmp(name, "recording.resumed"))
		set_state(contact, RECORDING_ON);
	else
		set_state(contact, RECORDING_NONE);
}

/* A desk that takes over finds what is recorded, and what an agent has paused. */
void recording_seen(struct node *node, JsonArray *recordings)
{
	for (unsigned i = 0; recordings && i < json_array_get_length(recordings); i++) {
		JsonObject *recording = json_array_get_object_element(recordings, i);
		const char *state = json_object_get_string_member(recording, "state");
		struct tl_contact *contact = contact_of(node, recording);
		if (!contact || !strcmp(state, "ending"))
			continue;
		contact->noticed = true;
		contact->unrecorded = !strcmp(state, "paused");
		set_state(contact, contact->unrecorded ? RECORDING_PAUSED : RECORDING_ON);
	}
}
