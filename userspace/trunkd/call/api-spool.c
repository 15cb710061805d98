/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The spool as the node has it: its alarms, its events, what may be asked of it. */
#include "call/api.h"
#include "call/report.h"

#define TL_ROOM "call"
#include "base/log.h"

/* Their description is main's work: no more at once than fits into its 5 ms and a message. */
#define ITEMS_MAX 100

static void on_changed(JsonObject *item, void *user)
{
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "item", json_object_ref(item));
	tl_report_node(user, "spool.changed", params);
}

static void on_alarm(const char *why, void *user)
{
	struct tl_node *node = user;
	if (why)
		tl_error("alarm spool: %s; no fax is taken, no recording begun", why);
	else
		tl_notice("alarm spool is over");
	if (node->server)
		tl_node_changed(node);
}

bool tl_api_spool_start(struct tl_node *node, GError **error)
{
	static const struct tl_spool_handler handler = { on_changed, on_alarm };
	g_autofree char *directory = g_build_filename(node->config->state_dir, "spool", NULL);
	const struct tl_spool_config config = { .directory = directory,
						.reserve_octets = (uint64_t)node->config->spool_reserve_mib << 20,
						.salvage = tl_record_salvage };
	node->spool = tl_spool_new(&config, &handler, node, error);
	return node->spool != NULL;
}

static char *find(const char *item, const char *part, void *user)
{
	struct tl_node *node = user;
	return tl_spool_find(node->spool, item, part);
}

void tl_api_spool_serve(struct tl_node *node)
{
	g_autofree char *blobs = g_build_filename(node->config->state_dir, "blobs", NULL);
	const struct tl_control_files files = { find, blobs, (uint64_t)node->config->blob_max_mib << 20 };
	tl_control_server_serve_files(node->server, &files, node);
}

static JsonObject *list(struct tl_request *request, GError **error)
{
	unsigned max = tl_request_int(request, "max", ITEMS_MAX);
	JsonArray *items = tl_spool_list(request->node->spool, tl_request_string(request, "after", NULL), max + 1);
	bool more = json_array_get_length(items) > max;
	if (more)
		json_array_remove_element(items, max);
	JsonObject *result = json_object_new();
	json_object_set_array_member(result, "items", items);
	json_object_set_boolean_member(result, "more", more);
	return result;
}

static JsonObject *free_item(struct tl_request *request, GError **error)
{
	g_autoptr(GError) cause = NULL;
	if (tl_spool_remove(request->node->spool, tl_request_string(request, "item", ""), &cause))
		return NULL;
	if (g_error_matches(cause, TL_SPOOL_ERROR, TL_SPOOL_ERROR_OPEN))
		tl_control_refuse_state(error, "open", "%s", cause->message);
	else
		g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, cause->message);
	return NULL;
}

const struct tl_method_entry tl_api_spool[] = {
	{ "spool.list", list }, { "spool.free", free_item }, { NULL, NULL },
};
