/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "web/web.h"

#include "web/inside.h"

/* A change of one agent touches each of its queues: they are told together, at most so often. */
#define FLUSH_MS 100

/* To pages and operators alike. (transfer full of @value) */
static void tell(struct tl_web *web, const char *event, const char *member, JsonObject *value)
{
	if (web->viewers)
		viewers_tell(web, event, member, json_object_ref(value));
	if (web->control)
		operators_tell(web, event, member, json_object_ref(value));
	json_object_unref(value);
}

void tl_web_call_changed(struct tl_web *web, struct tl_contact *contact)
{
	if (web)
		tell(web, "call.changed", "call", view_call(contact));
}

void tl_web_agent_changed(struct tl_web *web, const struct tl_agent_info *agent)
{
	if (web)
		tell(web, "agent.changed", "agent", view_agent(agent));
}

void tl_web_queue_changed(struct tl_web *web, const struct tl_queue_info *queue)
{
	if (!web)
		return;
	g_hash_table_add(web->dirty_queues, g_strdup(queue->name));
	if (!tl_timer_running(web->flush))
		tl_timer_start(web->flush, FLUSH_MS);
}

static void tell_queue(const struct tl_queue_info *queue, void *user)
{
	struct tl_web *web = user;
	if (g_hash_table_contains(web->dirty_queues, queue->name))
		tell(web, "queue.changed", "queue", view_queue(queue));
}

static void on_flush(void *user)
{
	struct tl_web *web = user;
	tl_acd_each_queue(web->acd, tell_queue, web);
	g_hash_table_remove_all(web->dirty_queues);
}

void tl_web_cdr(struct tl_web *web, const struct tl_cdr *cdr)
{
	if (web)
		tell(web, "cdr.stored", "cdr", view_cdr(cdr));
}

void tl_web_fax_changed(struct tl_web *web, JsonObject *fax)
{
	if (web)
		tell(web, "fax.changed", "fax", json_object_ref(fax));
}

void tl_web_delivery_changed(struct tl_web *web, const struct tl_delivery_info *info)
{
	if (!web)
		return;
	JsonObject *delivery = json_object_new();
	json_object_set_string_member(delivery, "delivery", info->id);
	json_object_set_string_member(delivery, "kind", info->kind);
	json_object_set_string_member(delivery, "about", info->about);
	json_object_set_string_member(delivery, "target", info->target);
	json_object_set_string_member(delivery, "state", info->state);
	json_object_set_int_member(delivery, "tries", info->tries);
	if (info->why)
		json_object_set_string_member(delivery, "why", info->why);
	tell(web, "delivery.changed", "delivery", delivery);
}

void tl_web_desk_changed(struct tl_web *web)
{
	if (web)
		tell(web, "desk.changed", "desk", view_desk(web));
}

/* Spans are the node's own matter: only pages are told, operators ask the node. */
void tl_web_node_changed(struct tl_web *web, const struct tl_node_info *node, const char *span)
{
	if (!web)
		return;
	if (!span) {
		if (web->viewers)
			viewers_tell(web, "node.changed", "node", view_node(node));
		tl_web_desk_changed(web);
	} else if (web->viewers) {
		JsonObject *value = json_object_new();
		json_object_set_string_member(value, "node", node->name);
		json_object_set_object_member(value, "span", json_object_ref(g_hash_table_lookup(node->spans, span)));
		viewers_tell(web, "span.changed", "change", value);
	}
}

/* Not before: who had logged in at the desk of before would be sent away. */
static void on_sessions(void *user)
{
	http_serve(user);
}

struct tl_web *tl_web_new(const struct tl_web_config *config, GError **error)
{
	struct tl_web *web = g_new0(struct tl_web, 1);
	web->name = g_strdup(config->name);
	web->listen = g_strdup(config->listen);
	web->host = g_strdup(config->host);
	web->video = config->video;
	web->turn = g_strdupv((char **)config->turn);
	web->turn_secret = g_strdup(config->turn_secret);
	web->turn_only = config->turn_only;
	web->turn_lifetime_s = config->turn_lifetime_s;
	web->store = config->store;
	web->acd = config->acd;
	web->contacts = config->contacts;
	web->ledger = config->ledger;
	web->faxes = config->faxes;
	web->blobs = config->blobs;
	web->uploads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_byte_array_unref);
	web->bearers = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < config->n_tokens; i++)
		if (config->tokens[i].role == TL_ROLE_OPERATOR)
			g_ptr_array_add(web->bearers, g_strdup(config->tokens[i].token));
	web->dirty_queues = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	web->flush = tl_timer_new("web-flush", on_flush, web);
	if (tls_load(web, config->certificate, config->key, error) && http_start(web, error) && operators_start(web, config, error)) {
		web->sessions = sessions_new(web->store, config->logins, config->n_logins, on_sessions, web);
		return web;
	}
	tl_web_free(web);
	return NULL;
}

void tl_web_free(struct tl_web *web)
{
	if (!web)
		return;
	http_stop(web);
	tl_control_server_free(web->control);
	sessions_free(web->sessions);
	tl_timer_free(web->flush);
	g_hash_table_unref(web->dirty_queues);
	g_clear_object(&web->certificate);
	g_hash_table_unref(web->uploads);
	g_ptr_array_unref(web->bearers);
	g_strfreev(web->turn);
	g_free(web->turn_secret);
	g_free(web->name);
	g_free(web->listen);
	g_free(web->host);
	g_free(web);
}
