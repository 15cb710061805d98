/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the node says of its rows: legs, telephones, itself, its journal. */
#include "fake-node-inner.h"

#include <string.h>

JsonNode *fake_node_take(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	return node;
}

JsonObject *fake_leg_tags(const struct fake_leg *leg)
{
	JsonObject *tags = json_object_new();
	GHashTableIter iter;
	const char *key, *value;
	g_hash_table_iter_init(&iter, leg->tags);
	while (g_hash_table_iter_next(&iter, (void **)&key, (void **)&value))
		json_object_set_string_member(tags, key, value);
	return tags;
}

JsonObject *fake_leg_party(const struct fake_leg *leg)
{
	JsonObject *party = json_object_new();
	json_object_set_string_member(party, "kind", leg->browser ? "browser" : leg->incoming ? "timeslot" : "sip-user");
	json_object_set_string_member(party, "name", leg->browser ? leg->party : leg->incoming ? "e1" :
				      leg->party + strcspn(leg->party, ":") + 1);
	if (leg->incoming && !leg->browser)
		json_object_set_int_member(party, "slot", 1);
	return party;
}

JsonObject *fake_leg_setup(const struct fake_leg *leg)
{
	JsonObject *setup = json_object_new();
	json_object_set_string_member(setup, "called", leg->incoming && !leg->browser ? leg->party : "");
	json_object_set_string_member(setup, "calling", "030123");
	return setup;
}

JsonObject *fake_leg_json(const struct fake_leg *leg)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "leg", leg->id);
	json_object_set_string_member(object, "state", leg->state);
	json_object_set_string_member(object, "direction", leg->incoming ? "in" : "out");
	json_object_set_object_member(object, "party", fake_leg_party(leg));
	json_object_set_object_member(object, "setup", fake_leg_setup(leg));
	json_object_set_object_member(object, "tags", fake_leg_tags(leg));
	if (leg->bridge)
		json_object_set_string_member(object, "bridge", leg->bridge);
	if (leg->playing)
		json_object_set_string_member(object, "playing", leg->playing);
	if (leg->browser)
		json_object_set_boolean_member(object, "connected", leg->connected);
	if (leg->muted)
		json_object_set_boolean_member(object, "muted", TRUE);
	return object;
}

JsonObject *fake_node_json(struct fake_node *node)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "node", node->name);
	json_object_set_string_member(object, "boot", node->boot);
	json_object_set_string_member(object, "version", "test");
	json_object_set_int_member(object, "epoch", node->epoch);
	json_object_set_int_member(object, "event", tl_control_server_last_event(node->server));
	json_object_set_int_member(object, "journal_first", node->stored + 1);
	json_object_set_int_member(object, "journal_last", node->facts->len);
	return object;
}

JsonObject *fake_phone_json(const char *user, gboolean registered)
{
	JsonObject *phone = json_object_new();
	json_object_set_string_member(phone, "user", user);
	json_object_set_boolean_member(phone, "registered", registered);
	return phone;
}

JsonNode *fake_node_snapshot(struct fake_node *node)
{
	JsonObject *result = json_object_new();
	JsonArray *legs = json_array_new(), *phones = json_array_new();
	GHashTableIter iter;
	const char *user;
	void *value;
	g_hash_table_iter_init(&iter, node->legs);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		json_array_add_object_element(legs, fake_leg_json(value));
	g_hash_table_iter_init(&iter, node->phones);
	while (g_hash_table_iter_next(&iter, (void **)&user, &value))
		json_array_add_object_element(phones, fake_phone_json(user, GPOINTER_TO_INT(value)));
	json_object_set_object_member(result, "node", fake_node_json(node));
	json_object_set_array_member(result, "legs", legs);
	json_object_set_array_member(result, "bridges", json_array_new());
	json_object_set_array_member(result, "spans", json_array_new());
	json_object_set_array_member(result, "phones", phones);
	return fake_node_take(result);
}

JsonNode *fake_node_read_journal(struct fake_node *node, JsonObject *params)
{
	gint64 max = json_object_get_int_member_with_default(params, "max", 1000);
	JsonArray *facts = json_array_new();
	for (gint64 i = json_object_get_int_member(params, "after"); i < node->facts->len && max--; i++)
		json_array_add_element(facts, json_node_copy(g_ptr_array_index(node->facts, i)));
	JsonObject *result = json_object_new();
	json_object_set_array_member(result, "facts", facts);
	json_object_set_int_member(result, "last", node->facts->len);
	return fake_node_take(result);
}
