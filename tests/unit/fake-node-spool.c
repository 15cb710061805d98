/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The node's spool, and the faxes that come and go by it. */
#include "fake-node-inner.h"

#include <string.h>

JsonNode *fake_node_spool_list(struct fake_node *node)
{
	JsonObject *result = json_object_new();
	JsonArray *items = json_array_new();
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(node->items), (GCompareFunc)strcmp);
	for (GList *l = names; l; l = l->next)
		json_array_add_element(items, json_node_copy(g_hash_table_lookup(node->items, l->data)));
	json_object_set_array_member(result, "items", items);
	json_object_set_boolean_member(result, "more", FALSE);
	return fake_node_take(result);
}

void fake_node_spool_free(struct fake_node *node, const char *item, struct tl_control_reply *reply)
{
	if (node->deaf_to_free) {
		g_ptr_array_add(node->unanswered, reply);
		return;
	}
	if (g_hash_table_remove(node->items, item)) {
		node->freed++;
		tl_control_reply_result(reply, NULL);
		return;
	}
	g_autoptr(GError) error = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "no item %s", item);
	tl_control_reply_error(reply, error);
}

char *fake_node_find_part(const char *item, const char *part, void *user)
{
	struct fake_node *node = user;
	g_autofree char *name = g_strdup_printf("%s-%s", item, part);
	return g_hash_table_contains(node->items, item) ? g_build_filename(node->folder, name, NULL) : NULL;
}

static JsonObject *part_json(struct fake_node *node, const char *item, const char *name, const char *path)
{
	g_autofree char *octets = NULL, *own = g_strdup_printf("%s/%s-%s", node->folder, item, name);
	gsize n;
	g_assert_true(g_file_get_contents(path, &octets, &n, NULL));
	g_mkdir_with_parents(node->folder, 0750);
	g_assert_true(g_file_set_contents(own, octets, n, NULL));
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)octets, n);
	JsonObject *part = json_object_new();
	json_object_set_string_member(part, "name", name);
	json_object_set_int_member(part, "size", n);
	json_object_set_string_member(part, "sha256", sum);
	return part;
}

void fake_node_spool(struct fake_node *node, const char *item, const char *kind, const char *id, const char *state, const char *tags_leg,
		     const char *const *paths)
{
	JsonObject *object = json_object_new(), *params = json_object_new();
	JsonArray *parts = json_array_new();
	struct fake_leg *leg = tags_leg ? fake_node_leg(node, tags_leg) : NULL;
	for (unsigned i = 0; paths[i]; i++) {
		g_autofree char *name = g_strdup_printf("page-%04u.tif", i + 1);
		json_array_add_object_element(parts, part_json(node, item, name, paths[i]));
	}
	json_object_set_string_member(object, "item", item);
	json_object_set_string_member(object, "kind", kind);
	json_object_set_string_member(object, "state", state);
	json_object_set_string_member(object, "id", id);
	if (leg) {
		json_object_set_string_member(object, "leg", tags_leg);
		json_object_set_object_member(object, "tags", fake_leg_tags(leg));
	}
	json_object_set_int_member(object, "begun_utc_us", g_get_real_time());
	json_object_set_array_member(object, "parts", parts);
	g_hash_table_replace(node->items, g_strdup(item), fake_node_take(object));
	json_object_set_member(params, "item", json_node_copy(g_hash_table_lookup(node->items, item)));
	fake_node_send(node, "spool.changed", params);
}

static JsonObject *fax_params(struct fake_node *node, gboolean sending)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", node->fax_leg);
	json_object_set_string_member(params, "fax", node->fax_id);
	json_object_set_string_member(params, "direction", sending ? "out" : "in");
	return params;
}

/* As a node does of one that sends. @more (transfer full) */
static void journal(struct fake_node *node, const char *fact, JsonObject *more)
{
	json_object_set_string_member(more, "fax", node->fax_id);
	fake_node_fact_with(node, fact, node->fax_leg, g_get_monotonic_time() / 1000, more);
}

void fake_node_fax_page(struct fake_node *node, unsigned page, gboolean sending)
{
	JsonObject *params = fax_params(node, sending), *image = json_object_new();
	json_object_set_string_member(image, "resolution", "fine");
	json_object_set_int_member(image, "width", 1728);
	json_object_set_int_member(image, "length", 2287);
	json_object_set_int_member(image, "bad_rows", 0);
	json_object_set_int_member(image, "ms", 30000);
	json_object_set_int_member(image, "bit_rate", 14400);
	json_object_set_string_member(image, "coding", "mmr");
	json_object_set_boolean_member(image, "ecm", TRUE);
	json_object_set_int_member(params, "page", page);
	json_object_set_object_member(params, "image", image);
	fake_node_send(node, "fax.page", params);
	if (!sending)
		return;
	JsonObject *fact = json_object_new();
	json_object_set_int_member(fact, "page", page);
	journal(node, "fax-page", fact);
}

void fake_node_fax_ended(struct fake_node *node, const char *result, const char *trouble, unsigned pages, gboolean sending)
{
	JsonObject *params = fax_params(node, sending);
	json_object_set_string_member(params, "result", result);
	json_object_set_int_member(params, "code", strcmp(trouble, "none") ? -1 : 0);
	json_object_set_string_member(params, "trouble", trouble);
	json_object_set_int_member(params, "pages", pages);
	json_object_set_string_member(params, "remote_ident", "+49 30 4711");
	json_object_set_boolean_member(params, "t38", FALSE);
	json_object_set_int_member(params, "ms", 30000);
	fake_node_send(node, "fax.ended", params);
	if (!sending)
		return;
	JsonObject *fact = json_object_new();
	json_object_set_string_member(fact, "result", result);
	json_object_set_string_member(fact, "trouble", trouble);
	json_object_set_int_member(fact, "pages", pages);
	json_object_set_string_member(fact, "remote_ident", "+49 30 4711");
	journal(node, "fax-ended", fact);
}

void fake_node_fax_tone(struct fake_node *node, const char *leg)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", leg);
	json_object_set_string_member(params, "tone", "cng");
	fake_node_send(node, "leg.fax_tone", params);
}

void fake_node_begin_fax(struct fake_node *node, JsonObject *params, struct tl_control_reply *reply)
{
	gboolean sending = json_object_has_member(params, "document");
	JsonObject *result = json_object_new();
	fake_node_set(&node->fax_leg, params, "leg");
	fake_node_set(&node->fax_id, params, "fax");
	node->fax_first_page = json_object_get_int_member_with_default(params, "first_page", 0);
	g_clear_pointer(&node->fax_document, g_free);
	if (sending) {
		JsonObject *options = json_object_get_object_member(params, "options");
		g_free(node->fax_header);
		g_free(node->fax_header_zone);
		node->fax_header = g_strdup(json_object_get_string_member_with_default(options, "header", NULL));
		node->fax_header_zone = g_strdup(json_object_get_string_member_with_default(options, "header_zone", NULL));
		g_autofree char *path = g_build_filename(node->folder, "blobs", json_object_get_string_member(params, "document"), NULL);
		g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS)); /* it was put before it is asked for */
		node->fax_document = g_strdup(path);
		json_object_set_int_member(result, "pages", 1);
	} else {
		json_object_set_string_member(result, "item", "1");
	}
	tl_control_reply_result(reply, fake_node_take(result));
}
