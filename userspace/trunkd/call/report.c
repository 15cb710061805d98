/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/report.h"

#include <string.h>

#include "call/access.h"
#include "call/api.h"
#include "call/wire.h"

/* @owner: interned, so that it outlives the leg as long as the event is kept. */
static bool wants_of_owner(struct tl_control_peer *peer, JsonObject *params, void *owner)
{
	return tl_control_peer_role(peer) != TL_ROLE_APPLICATION ||
	       (owner && !strcmp(owner, tl_control_peer_name(peer)));
}

static bool wants_of_node(struct tl_control_peer *peer, JsonObject *params, void *user)
{
	return tl_control_peer_role(peer) != TL_ROLE_APPLICATION;
}

/* Before the server listens, and once it has closed, there is nobody to tell. */
static void send_event(struct tl_node *node, const char *event, JsonObject *params,
		       bool (*wants)(struct tl_control_peer *peer, JsonObject *params, void *user), const char *owner)
{
	if (node->server)
		tl_control_server_event(node->server, event, params, wants, (void *)owner);
	else
		json_object_unref(params);
}

static void send_of_owner(struct tl_node *node, const char *owner, const char *event, JsonObject *params)
{
	send_event(node, event, params, wants_of_owner, owner);
}

void tl_report_leg(struct tl_leg *leg, const char *event, JsonObject *params)
{
	json_object_set_string_member(params, "leg", leg->id);
	if (g_hash_table_size(leg->tags))
		json_object_set_object_member(params, "tags", tl_wire_tags(leg));
	send_of_owner(leg->node, leg->owner, event, params);
}

void tl_report_owned(struct tl_node *node, const char *owner, const char *leg, JsonObject *tags, const char *event,
		     JsonObject *params)
{
	json_object_set_string_member(params, "leg", leg);
	if (tags)
		json_object_set_object_member(params, "tags", json_object_ref(tags));
	send_of_owner(node, owner, event, params);
}

void tl_report_offered(struct tl_leg *leg)
{
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "leg", tl_wire_leg(leg));
	send_of_owner(leg->node, leg->owner, "leg.offered", params);
}

void tl_report_state(struct tl_leg *leg)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "state", tl_leg_state_name(leg));
	json_object_set_boolean_member(params, "inband", leg->inband);
	json_object_set_object_member(params, "party", tl_wire_party(&leg->party));
	tl_report_leg(leg, "leg.state", params);
}

void tl_report_node(struct tl_node *node, const char *event, JsonObject *params)
{
	send_event(node, event, params, wants_of_node, NULL);
}

static bool wants_facts(struct tl_control_peer *peer, JsonObject *params, void *user)
{
	return tl_control_peer_role(peer) == TL_ROLE_CONDUCTOR;
}

void tl_report_facts(struct tl_node *node, JsonArray *facts)
{
	JsonObject *params = json_object_new();
	json_object_set_array_member(params, "facts", facts);
	send_event(node, "journal.facts", params, wants_facts, NULL);
}

void tl_report_recording(struct tl_node *node, const char *owner, const char *event, JsonObject *params)
{
	send_of_owner(node, owner, event, params);
}

void tl_report_junction(struct tl_node *node, const char *owner, JsonObject *params)
{
	send_of_owner(node, owner, "bridge.changed", params);
}

void tl_report_trace(struct tl_node *node, struct tl_access *access, bool sent, const uint8_t *octets, size_t n)
{
	g_autofree char *text = g_base64_encode(octets, n);
	for (GList *l = node->sessions; l; l = l->next) {
		struct tl_session *session = l->data;
		if (access ? !g_hash_table_contains(session->traced, access) : !session->traces_sip)
			continue;
		JsonObject *params = json_object_new();
		if (access)
			json_object_set_string_member(params, "span", tl_span_name(access->span));
		json_object_set_boolean_member(params, "sent", sent);
		json_object_set_string_member(params, "octets", text);
		tl_control_peer_event(session->peer, "trace.frame", params);
	}
}
