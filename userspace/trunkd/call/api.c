/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/api.h"

#include <string.h>

#include "call/command.h"
#include "call/wire.h"

#define TL_ROOM "call"
#include "base/log.h"

/* ---- sessions ---- */

static void conductor_changed(struct tl_node *node, struct tl_control_peer *peer)
{
	if (node->conductor == peer)
		return;
	node->conductor = peer;
	tl_notice(peer ? "conductor %s, epoch %" G_GINT64_FORMAT : "no conductor is connected",
		  peer ? tl_control_peer_name(peer) : "", node->epoch);
	tl_rules_apply(node);
	tl_node_changed(node);
}

static bool accept_conductor(struct tl_node *node, gint64 epoch, GError **error)
{
	if (epoch < 1) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "epoch: expected a conductor's epoch, 1 or more");
		return false;
	}
	if (epoch < node->epoch) {
		tl_control_refuse_epoch(error, node->epoch, "epoch %" G_GINT64_FORMAT
			    " is over; this node obeys %" G_GINT64_FORMAT, epoch, node->epoch);
		return false;
	}
	if (epoch > node->epoch && !tl_epoch_save(node->config->state_dir, epoch, error))
		return false;
	node->epoch = epoch;
	return true;
}

static JsonNode *node_of(JsonObject *object)
{
	JsonNode *node = json_node_init_object(json_node_alloc(), object);
	json_object_unref(object);
	return node;
}

static JsonNode *on_open(struct tl_control_peer *peer, gint64 epoch, GError **error, void *user)
{
	struct tl_node *node = user;
	bool conducts = tl_control_peer_role(peer) == TL_ROLE_CONDUCTOR;
	if (conducts && !accept_conductor(node, epoch, error))
		return NULL;
	struct tl_session *session = g_new0(struct tl_session, 1);
	session->node = node;
	session->peer = peer;
	session->name = g_intern_string(tl_control_peer_name(peer));
	session->role = tl_control_peer_role(peer);
	session->traced = g_hash_table_new(NULL, NULL);
	tl_control_peer_set_user(peer, session);
	node->sessions = g_list_prepend(node->sessions, session);
	if (conducts) {
		struct tl_control_peer *before = node->conductor;
		conductor_changed(node, peer);
		if (before)
			tl_control_peer_close(before, "another conductor has come");
	}
	return node_of(tl_wire_node(node));
}

static void on_close(struct tl_control_peer *peer, void *user)
{
	struct tl_node *node = user;
	struct tl_session *session = tl_control_peer_user(peer);
	if (!session)
		return; /* never opened */
	tl_control_peer_set_user(peer, NULL);
	tl_api_trace_end(session);
	node->sessions = g_list_remove(node->sessions, session);
	g_hash_table_unref(session->traced);
	g_free(session);
	if (node->conductor == peer)
		conductor_changed(node, NULL);
}

/* ---- dispatch ---- */

static tl_method find_method(const char *name)
{
	static const struct tl_method_entry *const tables[] = { tl_api_leg, tl_api_bridge, tl_api_node, tl_api_journal, tl_api_spool,
							     tl_api_fax, tl_api_browser, tl_api_recording };
	for (unsigned t = 0; t < G_N_ELEMENTS(tables); t++)
		for (const struct tl_method_entry *entry = tables[t]; entry->name; entry++)
			if (!strcmp(entry->name, name))
				return entry->call;
	return NULL;
}

static void answer(struct tl_control_reply *reply, JsonNode *result, const GError *error)
{
	if (error)
		tl_control_reply_error(reply, error);
	else
		tl_control_reply_result(reply, result);
}

/* What a conductor whose reign has ended still has in its pipe is not obeyed. */
static bool is_stale(struct tl_node *node, struct tl_session *session)
{
	return session->role == TL_ROLE_CONDUCTOR && node->conductor != session->peer;
}

static void on_request(struct tl_control_peer *peer, const char *method, JsonObject *params,
		       struct tl_control_reply *reply, void *user)
{
	struct tl_node *node = user;
	struct tl_request request = { .node = node, .session = tl_control_peer_user(peer), .params = params, .reply = reply };
	g_autoptr(GError) error = NULL;
	JsonNode *result = NULL;
	const char *command = tl_request_string(&request, "command", NULL);
	tl_method call = find_method(method);
	if (!call)
		g_set_error(&error, TL_CONTROL_ERROR, TL_CONTROL_NO_METHOD, "%s: no such method", method);
	else if (is_stale(node, request.session))
		g_set_error(&error, TL_CONTROL_ERROR, TL_CONTROL_STALE_EPOCH, "another conductor has come");
	if (error) {
		answer(reply, NULL, error);
		return;
	}
	node->counters.commands++;
	if (command && tl_commands_find(node->commands, request.session->name, command, &result, &error)) {
		node->counters.commands_repeated++;
		answer(reply, result, error);
		return;
	}
	JsonObject *object = call(&request, &error);
	result = object ? node_of(object) : NULL;
	node->counters.commands_refused += error != NULL;
	if (!request.reply)
		return;
	if (command)
		tl_commands_keep(node->commands, request.session->name, command, result, error);
	answer(reply, result, error);
}

const struct tl_control_handler tl_api_handler = { .on_open = on_open, .on_close = on_close, .on_request = on_request };

/* ---- parameters ---- */

const char *tl_request_string(struct tl_request *request, const char *member, const char *fallback)
{
	return request->params ? json_object_get_string_member_with_default(request->params, member, fallback) : fallback;
}

gint64 tl_request_int(struct tl_request *request, const char *member, gint64 fallback)
{
	return request->params ? json_object_get_int_member_with_default(request->params, member, fallback) : fallback;
}

bool tl_request_bool(struct tl_request *request, const char *member, bool fallback)
{
	return request->params ? json_object_get_boolean_member_with_default(request->params, member, fallback) : fallback;
}

struct tl_leg *tl_request_leg(struct tl_request *request, const char *id, GError **error)
{
	struct tl_leg *leg = tl_leg_find(request->node, id);
	if (!leg || (!leg->offered && !leg->outgoing)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "leg %s: no such leg", id);
		return NULL;
	}
	if (request->session->role == TL_ROLE_APPLICATION && leg->owner != request->session->name) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "leg %s is not yours", id);
		return NULL;
	}
	return leg;
}

struct tl_leg *tl_request_live_leg(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_leg(request, tl_request_string(request, "leg", ""), error);
	if (leg && !tl_leg_is_live(leg)) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s is in state %s", leg->id, tl_leg_state_name(leg));
		return NULL;
	}
	if (leg && !leg->taken)
		tl_offer_take(leg);
	return leg;
}

/* What several methods may say of a leg besides. */
