/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The connection to one node, and what it last said of itself. */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

struct node *node_new(struct tl_contacts *contacts, const struct tl_node_settings *settings)
{
	struct node *node = g_new0(struct node, 1);
	node->contacts = contacts;
	node->name = g_strdup(settings->name);
	node->address = g_strdup(settings->address);
	node->token = g_strdup(settings->token);
	node->spans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
	node->phones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	node->legs = g_hash_table_new(g_str_hash, g_str_equal);
	node->devices = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, device_free);
	return node;
}

void node_free(void *data)
{
	struct node *node = data;
	node_disconnect(node);
	g_clear_pointer(&node->info, json_object_unref);
	g_hash_table_unref(node->spans);
	g_hash_table_unref(node->phones);
	g_hash_table_unref(node->legs);
	g_hash_table_unref(node->devices);
	g_free(node->name);
	g_free(node->address);
	g_free(node->token);
	g_free(node);
}

struct tl_node_info node_info(const struct node *node)
{
	return (struct tl_node_info){ .name = node->name, .connected = node->known, .node = node->info, .spans = node->spans };
}

void node_set_span(struct node *node, JsonObject *span)
{
	g_hash_table_insert(node->spans, g_strdup(json_object_get_string_member(span, "span")), json_object_ref(span));
}

void node_set_phone(struct node *node, JsonObject *phone)
{
	const char *user = json_object_get_string_member(phone, "user");
	bool registered = json_object_get_boolean_member(phone, "registered");
	if (registered)
		g_hash_table_add(node->phones, g_strdup(user));
	else
		g_hash_table_remove(node->phones, user);
	tl_acd_phone(node->contacts->acd, user, registered);
}

static void tell(struct node *node)
{
	struct tl_node_info info = node_info(node);
	node->contacts->handler.on_node(&info, NULL, node->contacts->user);
}

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	struct node *node = user;
	(void)resumed; /* answers may be lost even when events are not: we always look at the whole again */
	node->linked = true;
	g_clear_pointer(&node->info, json_object_unref);
	node->info = json_object_ref(json_object_get_object_member(result, "node"));
	tl_info("%s: connected", node->name);
	node->contacts->handler.on_link(node->name, client, node->contacts->user);
}

/* The refusal names the epoch that the node obeys. */
static void look_for_stale_epoch(struct node *node, const GError *why)
{
	if (why->code == TL_CONTROL_STALE_EPOCH)
		node->contacts->handler.on_stale(MAX(tl_control_error_epoch(why), node->contacts->epoch), node->contacts->user);
}

static void suspend_contacts(struct node *node)
{
	GHashTableIter iter;
	struct tl_contact *contact;
	g_hash_table_iter_init(&iter, node->contacts->all);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&contact))
		if (contact->node == node)
			tl_acd_confirm(node->contacts->acd, contact->id, false);
}

static void on_close(struct tl_control_client *client, const GError *why, void *user)
{
	struct node *node = user;
	bool was = node->linked;
	(void)client;
	node->linked = node->known = node->asking = false;
	if (was) {
		tl_warning("%s: %s", node->name, why->message);
		node->contacts->handler.on_unlink(node->name, node->contacts->user);
		suspend_contacts(node);
		tell(node);
	} else {
		tl_debug("%s: %s", node->name, why->message);
		look_for_stale_epoch(node, why);
	}
}

static void on_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	struct node *node = user;
	(void)client;
	events_handle(node, name, params);
}

void node_connect(struct node *node)
{
	static const struct tl_control_client_handler handler = { on_open, on_close, on_event };
	struct tl_control_client_config config = {
		.schema = "node", .address = node->address, .token = node->token, .name = "deskd",
		.epoch = node->contacts->epoch, .reconnect = true,
	};
	node->client = tl_control_client_new(&config, &handler, node);
}

void node_disconnect(struct node *node)
{
	struct tl_control_client *client = g_steal_pointer(&node->client);
	if (node->linked)
		node->contacts->handler.on_unlink(node->name, node->contacts->user);
	node->linked = node->known = node->asking = false;
	tl_control_client_free(client);
}
