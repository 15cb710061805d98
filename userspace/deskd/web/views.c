/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "web/inside.h"
#include "version.h"

static void put(JsonObject *object, const char *member, const char *text)
{
	if (text && *text)
		json_object_set_string_member(object, member, text);
}

static void put_time(JsonObject *object, const char *member, int64_t value)
{
	if (value)
		json_object_set_int_member(object, member, value);
}

JsonObject *view_call(struct tl_contact *contact)
{
	struct tl_contact_info info = tl_contact_info(contact);
	JsonObject *call = json_object_new();
	json_object_set_string_member(call, "call", info.id);
	json_object_set_string_member(call, "state", info.state);
	json_object_set_string_member(call, "called", info.called ? info.called : "");
	json_object_set_string_member(call, "calling", info.calling ? info.calling : "");
	put(call, "calling_name", info.calling_name);
	put(call, "service", info.service);
	put(call, "queue", info.queue);
	put(call, "agent", info.agent);
	put(call, "digits", info.digits);
	put(call, "step", info.step);
	put(call, "node", info.node);
	put(call, "span", info.span);
	put_time(call, "slot", info.slot);
	put_time(call, "position", info.position);
	json_object_set_int_member(call, "started_utc_us", info.started_utc_us);
	put_time(call, "answered_utc_us", info.answered_utc_us);
	put_time(call, "ended_utc_us", info.ended_utc_us);
	put_time(call, "cause", info.cause);
	put(call, "consult", info.consult);
	put(call, "about", info.of);
	if (info.on_hold)
		json_object_set_boolean_member(call, "on_hold", TRUE);
	if (info.muted)
		json_object_set_boolean_member(call, "muted", TRUE);
	put(call, "recording", info.recording);
	return call;
}

JsonObject *view_agent(const struct tl_agent_info *info)
{
	JsonObject *agent = json_object_new();
	JsonArray *queues = json_array_new();
	for (const char *const *name = info->queues; *name; name++)
		json_array_add_string_element(queues, *name);
	json_object_set_string_member(agent, "agent", info->name);
	json_object_set_string_member(agent, "name", info->display);
	json_object_set_string_member(agent, "state", tl_agent_state_name(info->state));
	put(agent, "reason", info->reason);
	json_object_set_boolean_member(agent, "phone_registered", info->phone_registered);
	if (info->browser)
		json_object_set_boolean_member(agent, "browser_connected", info->browser_connected);
	if (info->browser && info->auto_answer)
		json_object_set_boolean_member(agent, "auto_answer", TRUE);
	put_time(agent, "wrap_up_s", info->wrap_up_s);
	put(agent, "call", info->contact);
	json_object_set_int_member(agent, "since_utc_us", info->since_utc_us);
	json_object_set_array_member(agent, "queues", queues);
	return agent;
}

JsonObject *view_queue(const struct tl_queue_info *info)
{
	JsonObject *queue = json_object_new();
	json_object_set_string_member(queue, "queue", info->name);
	json_object_set_int_member(queue, "waiting", info->waiting);
	json_object_set_int_member(queue, "longest_wait_s", info->longest_wait_s);
	json_object_set_int_member(queue, "ready", info->ready);
	json_object_set_int_member(queue, "talking", info->talking);
	json_object_set_int_member(queue, "answered_today", info->answered_today);
	json_object_set_int_member(queue, "abandoned_today", info->abandoned_today);
	json_object_set_int_member(queue, "overflowed_today", info->overflowed_today);
	return queue;
}

JsonObject *view_cdr(const struct tl_cdr *info)
{
	JsonObject *cdr = json_object_new();
	g_autofree char *id = g_strdup_printf("%s/%s", info->node, info->leg);
	json_object_set_string_member(cdr, "cdr", id);
	json_object_set_string_member(cdr, "node", info->node);
	json_object_set_string_member(cdr, "leg", info->leg);
	json_object_set_string_member(cdr, "direction", info->direction);
	json_object_set_string_member(cdr, "called", info->called);
	json_object_set_string_member(cdr, "calling", info->calling);
	put(cdr, "party", info->party);
	put(cdr, "service", info->service);
	put(cdr, "agent", info->agent);
	put(cdr, "contact", info->contact);
	put(cdr, "digits", info->digits);
	json_object_set_int_member(cdr, "offered_utc_us", info->offered_utc_us);
	put_time(cdr, "answered_utc_us", info->answered_utc_us);
	json_object_set_int_member(cdr, "ended_utc_us", info->ended_utc_us);
	json_object_set_int_member(cdr, "duration_ms", info->duration_ms);
	json_object_set_int_member(cdr, "billable_ms", info->billable_ms);
	json_object_set_int_member(cdr, "cause", info->cause);
	json_object_set_boolean_member(cdr, "by_peer", info->by_peer);
	return cdr;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(a, b);
}

JsonObject *view_node(const struct tl_node_info *info)
{
	JsonObject *node = json_object_new();
	JsonArray *spans = json_array_new();
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(info->spans), by_name);
	for (GList *l = names; l; l = l->next)
		json_array_add_object_element(spans, json_object_ref(g_hash_table_lookup(info->spans, l->data)));
	json_object_set_string_member(node, "node", info->name);
	json_object_set_boolean_member(node, "connected", info->connected);
	if (info->node && json_object_has_member(info->node, "alarms"))
		json_object_set_array_member(node, "alarms", json_array_ref(json_object_get_array_member(info->node, "alarms")));
	json_object_set_array_member(node, "spans", spans);
	return node;
}

static void add_node_state(const struct tl_node_info *info, void *user)
{
	JsonObject *node = json_object_new();
	json_object_set_string_member(node, "node", info->name);
	json_object_set_boolean_member(node, "connected", info->connected);
	json_array_add_object_element(user, node);
}

JsonObject *view_desk(struct tl_web *web)
{
	JsonObject *desk = json_object_new();
	JsonArray *nodes = json_array_new();
	int64_t epoch = tl_contacts_epoch(web->contacts);
	tl_contacts_each_node(web->contacts, add_node_state, nodes);
	json_object_set_string_member(desk, "desk", web->name);
	json_object_set_string_member(desk, "version", TL_VERSION);
	json_object_set_boolean_member(desk, "conductor", epoch != 0);
	if (web->video)
		json_object_set_boolean_member(desk, "video", TRUE);
	json_object_set_int_member(desk, "epoch", epoch);
	json_object_set_int_member(desk, "event", web->control ? tl_control_server_last_event(web->control) : 0);
	json_object_set_array_member(desk, "nodes", nodes);
	return desk;
}

static void add_call(struct tl_contact *contact, void *user)
{
	json_array_add_object_element(user, view_call(contact));
}

static void add_agent(const struct tl_agent_info *agent, void *user)
{
	json_array_add_object_element(user, view_agent(agent));
}

static void add_queue(const struct tl_queue_info *queue, void *user)
{
	json_array_add_object_element(user, view_queue(queue));
}

static void add_node(const struct tl_node_info *node, void *user)
{
	json_array_add_object_element(user, view_node(node));
}

JsonArray *view_calls(struct tl_web *web)
{
	JsonArray *calls = json_array_new();
	tl_contacts_each(web->contacts, add_call, calls);
	return calls;
}

JsonArray *view_agents(struct tl_web *web)
{
	JsonArray *agents = json_array_new();
	tl_acd_each_agent(web->acd, add_agent, agents);
	return agents;
}

JsonArray *view_queues(struct tl_web *web)
{
	JsonArray *queues = json_array_new();
	tl_acd_each_queue(web->acd, add_queue, queues);
	return queues;
}

JsonArray *view_cdrs(const struct tl_cdr *cdrs, unsigned n)
{
	JsonArray *array = json_array_new();
	for (unsigned i = 0; i < n; i++)
		json_array_add_object_element(array, view_cdr(&cdrs[i]));
	return array;
}

JsonArray *view_past(const struct tl_past_contact *past, unsigned n)
{
	JsonArray *array = json_array_new();
	for (unsigned i = 0; i < n; i++) {
		JsonObject *one = json_object_new();
		json_object_set_string_member(one, "call", past[i].id);
		put(one, "service", past[i].service);
		put(one, "queue", past[i].queue);
		put(one, "agent", past[i].agent);
		put(one, "outcome", past[i].outcome);
		json_object_set_int_member(one, "started_utc_us", past[i].started_utc_us);
		put_time(one, "answered_utc_us", past[i].answered_utc_us);
		json_object_set_int_member(one, "ended_utc_us", past[i].ended_utc_us);
		json_array_add_object_element(array, one);
	}
	return array;
}

JsonObject *view_live(struct tl_web *web)
{
	JsonObject *live = json_object_new();
	JsonArray *nodes = json_array_new();
	tl_contacts_each_node(web->contacts, add_node, nodes);
	json_object_set_object_member(live, "desk", view_desk(web));
	json_object_set_array_member(live, "nodes", nodes);
	json_object_set_array_member(live, "calls", view_calls(web));
	json_object_set_array_member(live, "agents", view_agents(web));
	json_object_set_array_member(live, "queues", view_queues(web));
	json_object_set_int_member(live, "utc_us", tl_clock_utc_us());
	return live;
}

char *view_text(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	return json_to_string(node, FALSE);
}
