/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Agents' browsers. A page's offer becomes a standing leg on a node; contacts
 * borrow it as their peer. Its media may go and come (a reload) without anybody
 * being told; when they stay away, or the node gives the leg up, the agent is
 * out of reach.
 */
#include "contact/call.h"

#include <string.h>

#define TL_ROOM "contact"
#include "base/log.h"

#define ABSENCE_MS 6000 /* a page that was reloaded is back before */
#define CAUSE_NORMAL 16
#define CAUSE_ABSENT 20

struct connecting {
	struct tl_contacts *contacts;
	int64_t epoch;
	char *node;
	tl_contacts_connected on_done;
	void *user;
};

struct device *device_of_leg(const struct node *node, const char *leg)
{
	return g_hash_table_lookup(node->devices, leg);
}

struct device *device_of_agent(const struct tl_contacts *contacts, const char *agent)
{
	return g_hash_table_lookup(contacts->devices, agent);
}

static void on_absent(void *user)
{
	struct device *device = user;
	struct tl_contact *contact = g_hash_table_lookup(device->node->legs, device->leg);
	unsigned absent = CAUSE_ABSENT;
	tl_acd_browser(device->node->contacts->acd, device->agent, false);
	if (contact && contact->fsm.state == CONTACT_RINGING)
		contact_fire(contact, CONTACT_PEER_ENDED, &absent);
}

static struct device *device_new(struct node *node, const char *agent, const char *leg)
{
	struct device *old = device_of_agent(node->contacts, agent);
	if (old)
		device_gone(old);
	struct device *device = g_new0(struct device, 1);
	device->node = node;
	device->agent = g_strdup(agent);
	device->leg = g_strdup(leg);
	device->absence = tl_timer_new("browser-absence", on_absent, device);
	g_hash_table_insert(node->devices, device->leg, device);
	g_hash_table_insert(node->contacts->devices, device->agent, device);
	return device;
}

void device_free(void *data)
{
	struct device *device = data;
	g_hash_table_remove(device->node->contacts->devices, device->agent);
	tl_timer_free(device->absence);
	g_free(device->agent);
	g_free(device->leg);
	g_free(device);
}

void device_connected(struct device *device)
{
	tl_timer_stop(device->absence);
	tl_acd_browser(device->node->contacts->acd, device->agent, true);
}

void device_disconnected(struct device *device)
{
	if (!tl_timer_running(device->absence))
		tl_timer_start(device->absence, ABSENCE_MS);
}

void device_gone(struct device *device)
{
	g_autofree char *agent = g_strdup(device->agent);
	struct tl_acd *acd = device->node->contacts->acd;
	g_hash_table_remove(device->node->devices, device->leg);
	tl_acd_browser(acd, agent, false);
}

/* Commands without a contact to be told. */
static void command(struct node *node, const char *method, JsonObject *params)
{
	if (node->client)
		tl_control_client_call(node->client, method, params, NULL, NULL);
	else
		json_object_unref(params);
}

static JsonObject *tags_of_free(const char *agent)
{
	static const char *const cleared[] = { "contact", "service", "step", "queue", "assignment" };
	JsonObject *tags = json_object_new();
	for (unsigned i = 0; i < G_N_ELEMENTS(cleared); i++)
		json_object_set_string_member(tags, cleared[i], "");
	json_object_set_string_member(tags, "part", "standing");
	json_object_set_string_member(tags, "agent", agent);
	return tags;
}

void device_settle(struct device *device)
{
	JsonObject *params = command_new(device->leg);
	json_object_set_object_member(params, "tags", tags_of_free(device->agent));
	command_keep_rule(params);
	command(device->node, "leg.tag", params);
	params = command_new(device->leg);
	json_object_set_boolean_member(params, "on", FALSE);
	command(device->node, "leg.mute", params);
}

void device_seen(struct node *node, JsonObject *leg)
{
	const char *id = json_object_get_string_member(leg, "leg");
	const char *kind = json_object_get_string_member(json_object_get_object_member(leg, "party"), "kind");
	const char *agent = json_object_get_string_member_with_default(json_object_get_object_member(leg, "tags"), "agent", NULL);
	struct tl_agent_info info;
	if (strcmp(kind, "browser") || !agent || !tl_acd_agent_info(node->contacts->acd, agent, &info) || !info.browser ||
	    !strcmp(json_object_get_string_member(leg, "state"), "releasing"))
		return;
	struct device *device = device_of_leg(node, id);
	if (!device)
		device = device_new(node, agent, id);
	if (json_object_get_boolean_member_with_default(leg, "connected", FALSE))
		device_connected(device);
	else
		device_disconnected(device);
}

static void on_connected(JsonObject *result, const GError *error, void *user)
{
	struct connecting *connecting = user;
	struct tl_contacts *contacts = connecting->contacts;
	bool still = contacts->epoch == connecting->epoch;
	struct node *node = still ? g_hash_table_lookup(contacts->nodes, connecting->node) : NULL;
	if (!error && node)
		device_seen(node, json_object_get_object_member(result, "leg"));
	connecting->on_done(error ? NULL : json_object_get_string_member(result, "sdp"), error, connecting->user);
	g_free(connecting->node);
	g_free(connecting);
}

/* Where its leg stands already, else the first one by name. */
static struct node *choose_node(struct tl_contacts *contacts, const char *agent)
{
	struct device *device = device_of_agent(contacts, agent);
	struct node *chosen = NULL, *node;
	GHashTableIter iter;
	if (device && device->node->known)
		return device->node;
	g_hash_table_iter_init(&iter, contacts->nodes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&node))
		if (node->known && (!chosen || strcmp(node->name, chosen->name) < 0))
			chosen = node;
	return chosen;
}

static int may_connect(struct tl_contacts *contacts, const char *agent, const struct node *node, const char **why)
{
	struct tl_agent_info info;
	if (!contacts->epoch || !node)
		return *why = "this desk is not the conductor, or no node is connected", TL_CONTROL_NOT_CONDUCTOR;
	if (!tl_acd_agent_info(contacts->acd, agent, &info))
		return *why = "no such agent", TL_CONTROL_UNKNOWN;
	if (!info.browser)
		return *why = "this agent works with a SIP phone only", TL_CONTROL_NOT_AUTHORIZED;
	return 0;
}

void tl_contacts_connect(struct tl_contacts *contacts, const char *agent, const char *sdp, tl_contacts_connected on_done,
			 void *user)
{
	struct node *node = choose_node(contacts, agent);
	struct device *device = device_of_agent(contacts, agent);
	const char *why = NULL;
	int code = may_connect(contacts, agent, node, &why);
	if (code) {
		g_autoptr(GError) error = g_error_new_literal(TL_CONTROL_ERROR, code, why);
		on_done(NULL, error, user);
		return;
	}
	g_autofree char *leg = g_strdup_printf("w-%.60s", agent);
	JsonObject *params = command_new(leg);
	json_object_set_string_member(params, "sdp", sdp);
	json_object_set_string_member(params, "name", agent);
	if (!device) {
		json_object_set_object_member(params, "tags", tags_of_free(agent));
		command_keep_rule(params);
	}
	struct connecting *connecting = g_new0(struct connecting, 1);
	*connecting = (struct connecting){ .contacts = contacts, .epoch = contacts->epoch, .node = g_strdup(node->name),
					   .on_done = on_done, .user = user };
	tl_control_client_call(node->client, "leg.connect", params, on_connected, connecting);
}

void tl_contacts_disconnect(struct tl_contacts *contacts, const char *agent)
{
	struct device *device = device_of_agent(contacts, agent);
	if (!device)
		return;
	JsonObject *params = command_new(device->leg);
	json_object_set_int_member(params, "cause", CAUSE_NORMAL);
	command(device->node, "leg.release", params);
}
