/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Services and queues as data: copied, checked, looked up. */
#include "flow/services.h"

#include <string.h>

#include "flow/destination.h"

#define KEYS "0123456789*#ABCDt"

struct tl_flows {
	unsigned references;
	GHashTable *services, *queues; /* number, name -> settings, all owned */
	GHashTable *boxes;             /* names */
};

G_DEFINE_QUARK(tl-flow-error-quark, tl_flow_error)

static char **copy(const char *const *list)
{
	return list ? g_strdupv((char **)list) : g_new0(char *, 1);
}

static void service_free(void *data)
{
	struct tl_flow_service *service = data;
	g_free((char *)service->number);
	g_strfreev((char **)service->announce);
	g_strfreev((char **)service->menu_prompt);
	g_strfreev((char **)service->menu);
	g_free((char *)service->otherwise);
	g_free((char *)service->fax_tone);
	g_free(service);
}

static void queue_free(void *data)
{
	struct tl_flow_queue *queue = data;
	g_free((char *)queue->name);
	g_free((char *)queue->music);
	g_strfreev((char **)queue->position);
	g_free((char *)queue->overflow);
	g_free(queue);
}

struct tl_flows *tl_flows_new(void)
{
	struct tl_flows *flows = g_new0(struct tl_flows, 1);
	flows->references = 1;
	flows->services = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, service_free);
	flows->queues = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, queue_free);
	flows->boxes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return flows;
}

void tl_flows_add_box(struct tl_flows *flows, const char *name)
{
	g_hash_table_add(flows->boxes, g_strdup(name));
}

struct tl_flows *tl_flows_ref(struct tl_flows *flows)
{
	flows->references++;
	return flows;
}

void tl_flows_free(struct tl_flows *flows)
{
	if (!flows || --flows->references)
		return;
	g_hash_table_unref(flows->services);
	g_hash_table_unref(flows->queues);
	g_hash_table_unref(flows->boxes);
	g_free(flows);
}

static bool check_sounds(const char *key, const char *const *sounds, GError **error)
{
	for (; sounds && *sounds; sounds++)
		if (!tl_sound_check(*sounds, error)) {
			g_prefix_error(error, "%s: ", key);
			return false;
		}
	return true;
}

static bool check_destination(const char *key, const char *text, GError **error)
{
	struct tl_destination destination;
	if (tl_destination_parse(text, &destination, error))
		return true;
	g_prefix_error(error, "%s: ", key);
	return false;
}

static bool check_menu(const char *const *menu, GError **error)
{
	for (; menu && *menu; menu++) {
		if (!strchr(KEYS, (*menu)[0]) || (*menu)[1] != ':') {
			g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE,
				    "menu: \"%s\": expected KEY:DESTINATION with one of the keys 0-9 * # A-D, or t when none came", *menu);
			return false;
		}
		if (!check_destination("menu", *menu + 2, error))
			return false;
	}
	return true;
}

bool tl_flows_add_queue(struct tl_flows *flows, const struct tl_flow_queue *queue, GError **error)
{
	if (!tl_sound_check(queue->music, error)) {
		g_prefix_error(error, "music: ");
		return false;
	}
	if (!check_sounds("position", queue->position, error) || !check_sounds("record_notice", queue->record_notice, error) || !check_destination("overflow", queue->overflow, error))
		return false;
	struct tl_flow_queue *own = g_memdup2(queue, sizeof *queue);
	own->name = g_strdup(queue->name);
	own->music = g_strdup(queue->music);
	own->position = (const char *const *)copy(queue->position);
	own->record_notice = NULL; /* checked here, used elsewhere */
	own->overflow = g_strdup(queue->overflow);
	g_hash_table_insert(flows->queues, (char *)own->name, own);
	return true;
}

bool tl_flows_add_service(struct tl_flows *flows, const struct tl_flow_service *service, GError **error)
{
	if (!check_sounds("announce", service->announce, error) ||
	    !check_sounds("menu_prompt", service->menu_prompt, error) || !check_menu(service->menu, error) ||
	    !check_destination("otherwise", service->otherwise, error) ||
	    (service->fax_tone && !check_destination("fax_tone", service->fax_tone, error)))
		return false;
	struct tl_flow_service *own = g_memdup2(service, sizeof *service);
	own->number = g_strdup(service->number);
	own->announce = (const char *const *)copy(service->announce);
	own->menu_prompt = (const char *const *)copy(service->menu_prompt);
	own->menu = (const char *const *)copy(service->menu);
	own->otherwise = g_strdup(service->otherwise);
	own->fax_tone = g_strdup(service->fax_tone);
	g_hash_table_insert(flows->services, (char *)own->number, own);
	return true;
}

static bool leads_somewhere(const struct tl_flows *flows, const char *key, const char *text, GError **error)
{
	struct tl_destination to;
	if (!tl_destination_parse(text, &to, error))
		return false;
	if ((to.kind == TL_TO_QUEUE && !g_hash_table_contains(flows->queues, to.what)) ||
	    (to.kind == TL_TO_SERVICE && !g_hash_table_contains(flows->services, to.what)) ||
	    (to.kind == TL_TO_FAX && !g_hash_table_contains(flows->boxes, to.what))) {
		g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE, "%s: \"%s\": expected a %s that is configured", key, text,
			    to.kind == TL_TO_QUEUE ? "queue" : to.kind == TL_TO_FAX ? "fax box" : "service");
		return false;
	}
	return true;
}

bool tl_flows_check(struct tl_flows *flows, char **culprit, GError **error)
{
	GHashTableIter iter;
	const struct tl_flow_service *service;
	const struct tl_flow_queue *queue;
	g_hash_table_iter_init(&iter, flows->services);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&service)) {
		bool ok = leads_somewhere(flows, "otherwise", service->otherwise, error) &&
			  (!service->fax_tone || leads_somewhere(flows, "fax_tone", service->fax_tone, error));
		for (const char *const *entry = service->menu; ok && *entry; entry++)
			ok = leads_somewhere(flows, "menu", *entry + 2, error);
		if (!ok) {
			*culprit = g_strdup(service->number);
			return false;
		}
	}
	g_hash_table_iter_init(&iter, flows->queues);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&queue))
		if (!leads_somewhere(flows, "overflow", queue->overflow, error)) {
			*culprit = g_strdup(queue->name);
			return false;
		}
	return true;
}

bool tl_flows_has_service(const struct tl_flows *flows, const char *number)
{
	return g_hash_table_contains(flows->services, number);
}

const struct tl_flow_service *tl_flows_service(const struct tl_flows *flows, const char *number)
{
	return g_hash_table_lookup(flows->services, number);
}

const struct tl_flow_queue *tl_flows_queue(const struct tl_flows *flows, const char *name)
{
	return g_hash_table_lookup(flows->queues, name);
}

const char *tl_flow_menu_lookup(const struct tl_flow_service *service, char key)
{
	for (const char *const *entry = service->menu; *entry; entry++)
		if ((*entry)[0] == key)
			return *entry + 2;
	return NULL;
}
