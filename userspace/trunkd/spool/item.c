/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* An item as a value, and its form in meta.json and in the protocol. */
#include <string.h>

#include "spool/inside.h"

static const char *const kinds[] = { "fax", "recording" };
static const char *const states[] = { "open", "complete", "partial" };

struct tl_spool_item *tl_spool_item_new(struct tl_spool *spool, const char *name)
{
	struct tl_spool_item *item = g_new0(struct tl_spool_item, 1);
	item->spool = spool;
	item->name = g_strdup(name);
	item->path = g_build_filename(spool->directory, name, NULL);
	item->parts = g_array_new(FALSE, FALSE, sizeof(struct tl_spool_part));
	return item;
}

void tl_spool_item_free(void *data)
{
	struct tl_spool_item *item = data;
	if (item->tags)
		json_object_unref(item->tags);
	if (item->notes)
		json_object_unref(item->notes);
	g_array_unref(item->parts);
	g_free(item->leg);
	g_free(item->id);
	g_free(item->path);
	g_free(item->name);
	g_free(item);
}

void tl_spool_note(struct tl_spool_item *item, const char *name, const char *value)
{
	if (!item->notes)
		item->notes = json_object_new();
	json_object_set_string_member(item->notes, name, value);
}

const char *tl_spool_item_name(const struct tl_spool_item *item)
{
	return item->name;
}

static JsonArray *describe_parts(const struct tl_spool_item *item)
{
	JsonArray *array = json_array_new();
	for (unsigned i = 0; i < item->parts->len; i++) {
		const struct tl_spool_part *part = &g_array_index(item->parts, struct tl_spool_part, i);
		JsonObject *object = json_object_new();
		json_object_set_string_member(object, "name", part->name);
		json_object_set_int_member(object, "size", part->octets);
		json_object_set_string_member(object, "sha256", part->sha256);
		json_array_add_object_element(array, object);
	}
	return array;
}

JsonObject *tl_spool_item_describe(const struct tl_spool_item *item)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "item", item->name);
	json_object_set_string_member(object, "kind", kinds[item->kind]);
	json_object_set_string_member(object, "state", states[item->state]);
	json_object_set_string_member(object, "id", item->id);
	if (item->leg)
		json_object_set_string_member(object, "leg", item->leg);
	if (item->tags)
		json_object_set_object_member(object, "tags", json_object_ref(item->tags));
	if (item->notes)
		json_object_set_object_member(object, "notes", json_object_ref(item->notes));
	json_object_set_int_member(object, "begun_utc_us", item->begun_utc_us);
	if (item->ended_utc_us)
		json_object_set_int_member(object, "ended_utc_us", item->ended_utc_us);
	json_object_set_array_member(object, "parts", describe_parts(item));
	return object;
}

char *tl_spool_item_format(const struct tl_spool_item *item)
{
	g_autoptr(JsonNode) node = json_node_alloc();
	JsonObject *object = tl_spool_item_describe(item);
	json_node_init_object(node, object);
	json_object_unref(object);
	return json_to_string(node, TRUE);
}

/* ---- reading it back ---- */

static int index_of(const char *const *names, unsigned n, const char *name)
{
	for (unsigned i = 0; name && i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static const char *string_of(JsonObject *object, const char *member)
{
	JsonNode *node = json_object_get_member(object, member);
	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static gint64 int_of(JsonObject *object, const char *member)
{
	JsonNode *node = json_object_get_member(object, member);
	return node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : 0;
}

static bool parse_parts(struct tl_spool_item *item, JsonObject *object)
{
	JsonNode *node = json_object_get_member(object, "parts");
	JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
	for (unsigned i = 0; array && i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);
		JsonObject *it = JSON_NODE_HOLDS_OBJECT(element) ? json_node_get_object(element) : NULL;
		const char *name = it ? string_of(it, "name") : NULL, *sha256 = it ? string_of(it, "sha256") : NULL;
		struct tl_spool_part part = { .octets = it ? int_of(it, "size") : 0 };
		if (!name || !sha256 || !tl_spool_is_part_name(name))
			return false;
		g_strlcpy(part.name, name, sizeof part.name);
		g_strlcpy(part.sha256, sha256, sizeof part.sha256);
		g_array_append_val(item->parts, part);
	}
	return array != NULL;
}

bool tl_spool_item_parse(struct tl_spool_item *item, const char *text)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
	if (!object)
		return false;
	int kind = index_of(kinds, G_N_ELEMENTS(kinds), string_of(object, "kind"));
	int state = index_of(states, G_N_ELEMENTS(states), string_of(object, "state"));
	const char *id = string_of(object, "id");
	JsonNode *tags = json_object_get_member(object, "tags"), *notes = json_object_get_member(object, "notes");
	if (notes && !JSON_NODE_HOLDS_OBJECT(notes))
		return false;
	if (kind < 0 || state < 0 || !id || (tags && !JSON_NODE_HOLDS_OBJECT(tags)) || !parse_parts(item, object))
		return false;
	item->kind = kind;
	item->state = state;
	item->id = g_strdup(id);
	item->leg = g_strdup(string_of(object, "leg"));
	item->tags = tags ? json_node_dup_object(tags) : NULL;
	item->notes = notes ? json_node_dup_object(notes) : NULL;
	item->begun_utc_us = int_of(object, "begun_utc_us");
	item->ended_utc_us = int_of(object, "ended_utc_us");
	return true;
}
