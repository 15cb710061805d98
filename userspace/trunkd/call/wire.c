/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/wire.h"

#include <string.h>

#include "call/browser.h"
#include "call/fax.h"
#include "call/journal.h"
#include "call/junction.h"
#include "call/play.h"
#include "version.h"

static const char *const party_kinds[] = { [TL_PARTY_TIMESLOT] = "timeslot", [TL_PARTY_SIP_USER] = "sip-user",
					   [TL_PARTY_SIP_TRUNK] = "sip-trunk", [TL_PARTY_SIP_URI] = "sip-uri",
					   [TL_PARTY_BROWSER] = "browser" };
static const char *const presentations[] = { [TL_PRESENTATION_ALLOWED] = "allowed",
					     [TL_PRESENTATION_RESTRICTED] = "restricted",
					     [TL_PRESENTATION_UNAVAILABLE] = "unavailable" };
static const char *const bearers[] = { [TL_BEARER_SPEECH] = "speech", [TL_BEARER_AUDIO_3K1] = "audio-3k1",
				       [TL_BEARER_UNRESTRICTED] = "unrestricted" };
static const char *const rule_actions[] = { [TL_RULE_KEEP] = "keep", [TL_RULE_RELEASE] = "release",
					    [TL_RULE_ROUTE] = "route" };

JsonObject *tl_wire_party(const struct tl_party *party)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "kind", party_kinds[party->kind]);
	json_object_set_string_member(object, "name", party->name ? party->name : "");
	if (party->kind == TL_PARTY_TIMESLOT)
		json_object_set_int_member(object, "slot", party->slot);
	if (party->group)
		json_object_set_string_member(object, "group", party->group);
	return object;
}

static void set_number(JsonObject *object, const char *member, const struct tl_number *number)
{
	char text[TL_DIGITS_MAX + 2];
	if (*number->digits)
		json_object_set_string_member(object, member, tl_number_format(number, text));
}

JsonObject *tl_wire_setup(const struct tl_leg_setup *setup)
{
	JsonObject *object = json_object_new();
	char text[TL_DIGITS_MAX + 2];
	json_object_set_string_member(object, "called", tl_number_format(&setup->called, text));
	set_number(object, "calling", &setup->calling);
	set_number(object, "redirecting", &setup->redirecting);
	if (*setup->calling_name)
		json_object_set_string_member(object, "calling_name", setup->calling_name);
	if (*setup->calling_ii)
		json_object_set_string_member(object, "calling_ii", setup->calling_ii);
	json_object_set_string_member(object, "calling_presentation", presentations[setup->calling.presentation]);
	json_object_set_string_member(object, "bearer", bearers[setup->bearer]);
	return object;
}

JsonObject *tl_wire_tags(const struct tl_leg *leg)
{
	JsonObject *object = json_object_new();
	GHashTableIter iter;
	gpointer key, value;
	g_hash_table_iter_init(&iter, leg->tags);
	while (g_hash_table_iter_next(&iter, &key, &value))
		json_object_set_string_member(object, key, value);
	return object;
}

static JsonObject *wire_rule(const struct tl_rule *rule)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "action", rule_actions[rule->action]);
	json_object_set_int_member(object, "after_s", rule->after_s);
	if (rule->cause)
		json_object_set_int_member(object, "cause", rule->cause);
	if (rule->action == TL_RULE_ROUTE)
		json_object_set_string_member(object, "to", rule->to_text);
	return object;
}

/* States within the room that the protocol does not know. */
static const char *wire_state(const struct tl_leg *leg)
{
	if (tl_leg_state(leg) == TL_LEG_NEW)
		return leg->outgoing ? "dialing" : "offered";
	return tl_leg_state(leg) == TL_LEG_ENDED ? "releasing" : tl_leg_state_name(leg);
}

JsonObject *tl_wire_media(const struct tl_leg *leg)
{
	struct tl_port_counters port;
	if (!leg->port || !tl_port_codec(leg->port))
		return NULL;
	JsonObject *object = json_object_new();
	tl_port_counters(leg->port, &port);
	json_object_set_string_member(object, "codec", tl_port_codec(leg->port));
	if (tl_port_srtp(leg->port))
		json_object_set_string_member(object, "srtp", tl_port_srtp(leg->port));
	json_object_set_int_member(object, "packets_received", port.packets_received);
	json_object_set_int_member(object, "packets_sent", port.packets_sent);
	json_object_set_int_member(object, "lost", port.lost);
	json_object_set_int_member(object, "jitter_us", port.jitter_us);
	json_object_set_int_member(object, "remote_lost", port.remote_lost);
	json_object_set_int_member(object, "round_trip_us", port.round_trip_us);
	return object;
}

JsonObject *tl_wire_leg(const struct tl_leg *leg)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "leg", leg->id);
	json_object_set_string_member(object, "state", wire_state(leg));
	json_object_set_string_member(object, "direction", leg->outgoing ? "out" : "in");
	json_object_set_object_member(object, "party", tl_wire_party(&leg->party));
	json_object_set_object_member(object, "setup", tl_wire_setup(&leg->setup));
	json_object_set_object_member(object, "tags", tl_wire_tags(leg));
	if (leg->rule.given && (leg->rule.action != TL_RULE_ROUTE || *leg->rule.to_text))
		json_object_set_object_member(object, "rule", wire_rule(&leg->rule));
	if (leg->junction)
		json_object_set_string_member(object, "bridge", tl_junction_id(leg->junction));
	json_object_set_boolean_member(object, "held", leg->held);
	json_object_set_boolean_member(object, "muted", leg->muted);
	json_object_set_boolean_member(object, "digits", leg->wants_digits);
	if (leg->party.kind == TL_PARTY_BROWSER)
		json_object_set_boolean_member(object, "connected", tl_browser_is_connected(leg));
	if (tl_play_id(leg))
		json_object_set_string_member(object, "playing", tl_play_id(leg));
	if (tl_leg_fax_id(leg))
		json_object_set_string_member(object, "fax", tl_leg_fax_id(leg));
	json_object_set_int_member(object, "offered_utc_us", leg->offered_utc_us);
	if (leg->answered_utc_us)
		json_object_set_int_member(object, "answered_utc_us", leg->answered_utc_us);
	return object;
}

JsonObject *tl_wire_phone(const char *user, const char *contact)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "user", user);
	json_object_set_boolean_member(object, "registered", *contact);
	if (*contact)
		json_object_set_string_member(object, "contact", contact);
	return object;
}

JsonObject *tl_wire_node(const struct tl_node *node)
{
	JsonObject *object = json_object_new();
	JsonArray *alarms = json_array_new();
	if (node->journal_fault)
		json_array_add_string_element(alarms, "journal-disk");
	if (node->record_trouble)
		json_array_add_string_element(alarms, "record-disk");
	if (node->media && tl_media_is_overloaded(node->media))
		json_array_add_string_element(alarms, "media-load");
	const char *spool[TL_SPOOL_ALARMS + 1] = { NULL };
	if (node->spool)
		tl_spool_alarms(node->spool, spool);
	for (unsigned i = 0; spool[i]; i++)
		json_array_add_string_element(alarms, spool[i]);
	json_object_set_string_member(object, "node", node->config->name);
	json_object_set_string_member(object, "boot", node->boot);
	json_object_set_string_member(object, "version", TL_VERSION);
	json_object_set_int_member(object, "epoch", node->epoch);
	json_object_set_boolean_member(object, "conductor", node->conductor != NULL);
	json_object_set_boolean_member(object, "draining", node->draining || node->stopping);
	json_object_set_int_member(object, "event", node->server ? tl_control_server_last_event(node->server) : 0);
	json_object_set_int_member(object, "journal_first", tl_journal_first(node->journal));
	json_object_set_int_member(object, "journal_last", tl_journal_last(node->journal));
	json_object_set_array_member(object, "alarms", alarms);
	return object;
}

/* ---- reading ---- */

static bool refuse(GError **error, const char *member, const char *expected)
{
	g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "%s: expected %s", member, expected);
	return false;
}

static bool read_number(JsonObject *object, const char *member, struct tl_number *number, GError **error)
{
	const char *text = json_object_get_string_member_with_default(object, member, "");
	if (*text && !tl_number_parse(text, number))
		return refuse(error, member, "digits, * # A-D, perhaps a leading +, at most 32");
	return true;
}

static unsigned index_of(const char *const *names, unsigned n, const char *name, unsigned fallback)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return fallback;
}

bool tl_wire_read_setup(JsonObject *object, struct tl_leg_setup *setup, GError **error)
{
	struct tl_leg_setup read = { .bearer = TL_BEARER_AUDIO_3K1, .called_complete = true };
	if (!read_number(object, "called", &read.called, error) || !read_number(object, "calling", &read.calling, error) ||
	    !read_number(object, "redirecting", &read.redirecting, error))
		return false;
	read.calling.presentation =
		index_of(presentations, G_N_ELEMENTS(presentations),
			 json_object_get_string_member_with_default(object, "calling_presentation", "allowed"), 0);
	read.bearer = index_of(bearers, G_N_ELEMENTS(bearers),
			       json_object_get_string_member_with_default(object, "bearer", "speech"), TL_BEARER_SPEECH);
	g_strlcpy(read.calling_name, json_object_get_string_member_with_default(object, "calling_name", ""),
		  sizeof read.calling_name);
	g_strlcpy(read.calling_ii, json_object_get_string_member_with_default(object, "calling_ii", ""), sizeof read.calling_ii);
	*setup = read;
	return true;
}

bool tl_wire_read_rule(JsonObject *object, struct tl_rule *rule, GError **error)
{
	struct tl_rule read = { .given = true };
	read.action = index_of(rule_actions, G_N_ELEMENTS(rule_actions), json_object_get_string_member(object, "action"),
			       TL_RULE_KEEP);
	read.after_s = json_object_get_int_member_with_default(object, "after_s", 0);
	read.cause = json_object_get_int_member_with_default(object, "cause", 0);
	const char *to = json_object_get_string_member_with_default(object, "to", "");
	if (read.action == TL_RULE_ROUTE && !tl_target_parse(to, &read.to))
		return refuse(error, "rule.to", TL_TARGET_EXPECTED);
	g_strlcpy(read.to_text, to, sizeof read.to_text);
	*rule = read;
	return true;
}

#define TAGS_MAX 16

bool tl_wire_read_tags(JsonObject *object, GHashTable *tags, GError **error)
{
	JsonObjectIter iter;
	const char *key;
	JsonNode *value;
	unsigned added = 0;
	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &key, &value)) {
		if (strlen(key) > 256)
			return refuse(error, "tags", "names of at most 256 octets");
		added += *json_node_get_string(value) && !g_hash_table_contains(tags, key);
	}
	if (g_hash_table_size(tags) + added > TAGS_MAX)
		return refuse(error, "tags", "at most 16");
	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &key, &value)) {
		if (*json_node_get_string(value))
			g_hash_table_replace(tags, g_strdup(key), g_strdup(json_node_get_string(value)));
		else
			g_hash_table_remove(tags, key);
	}
	return true;
}
