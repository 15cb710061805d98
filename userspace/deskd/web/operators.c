/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The control socket: desk.schema.json's methods. */
#include "web/inside.h"

#include <string.h>

static JsonNode *take(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	return node;
}

static void answer(struct tl_control_reply *reply, const char *member, JsonObject *value)
{
	JsonObject *result = json_object_new();
	json_object_set_object_member(result, member, value);
	tl_control_reply_result(reply, take(result));
}

static void refuse(struct tl_control_reply *reply, int code, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(TL_CONTROL_ERROR, code, why);
	tl_control_reply_error(reply, error);
}

static void snapshot(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	JsonObject *result = json_object_new();
	(void)params;
	json_object_set_object_member(result, "desk", view_desk(web));
	json_object_set_array_member(result, "calls", view_calls(web));
	json_object_set_array_member(result, "agents", view_agents(web));
	json_object_set_array_member(result, "queues", view_queues(web));
	tl_control_reply_result(reply, take(result));
}

static void on_cdrs(const struct tl_cdr *cdrs, unsigned n, const GError *error, void *user)
{
	if (error) {
		tl_control_reply_error(user, error);
		return;
	}
	JsonObject *result = json_object_new();
	json_object_set_array_member(result, "cdrs", view_cdrs(cdrs, n));
	tl_control_reply_result(user, take(result));
}

static void cdrs(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	tl_ledger_cdrs(web->ledger, json_object_get_int_member_with_default(params, "max", 100),
		       json_object_get_int_member_with_default(params, "since_utc_us", 0), on_cdrs, reply);
}

static void set_agent(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	const char *name = json_object_get_string_member(params, "agent"), *text = json_object_get_string_member(params, "state");
	const char *reason = json_object_get_string_member_with_default(params, "reason", NULL);
	enum tl_agent_state state = !strcmp(text, "ready") ? TL_AGENT_READY : !strcmp(text, "break") ? TL_AGENT_BREAK : TL_AGENT_OFFLINE;
	g_autoptr(GError) error = NULL;
	struct tl_agent_info info;
	if (!tl_contacts_epoch(web->contacts))
		refuse(reply, TL_CONTROL_NOT_CONDUCTOR, "this desk is not the conductor");
	else if (!tl_acd_set_state(web->acd, name, state, reason, &error))
		refuse(reply, error->code == TL_ACD_ERROR_UNKNOWN ? TL_CONTROL_UNKNOWN : TL_CONTROL_STATE, error->message);
	else if (tl_acd_agent_info(web->acd, name, &info))
		answer(reply, "agent", view_agent(&info));
	else
		refuse(reply, TL_CONTROL_UNKNOWN, "unknown agent");
}

static void on_placed(struct tl_contact *contact, const GError *error, void *user)
{
	if (contact)
		answer(user, "call", view_call(contact));
	else
		tl_control_reply_error(user, error);
}

static void place(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	struct tl_contact_place place = {
		.id = json_object_get_string_member_with_default(params, "call", NULL),
		.to = json_object_get_string_member(params, "to"),
		.called = json_object_get_string_member(params, "called"),
		.calling = json_object_get_string_member_with_default(params, "calling", NULL),
		.service = json_object_get_string_member_with_default(params, "service", NULL),
		.agent = json_object_get_string_member_with_default(params, "agent", NULL),
	};
	tl_contacts_place(web->contacts, &place, on_placed, reply);
}

static void release(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	struct tl_contact *contact = tl_contacts_find(web->contacts, json_object_get_string_member(params, "call"));
	if (!contact) {
		refuse(reply, TL_CONTROL_UNKNOWN, "unknown call");
		return;
	}
	if (!tl_contact_reachable(contact)) {
		refuse(reply, TL_CONTROL_STATE, "the call's node is not connected");
		return;
	}
	tl_contact_release(contact, json_object_get_int_member_with_default(params, "cause", 16));
	tl_control_reply_result(reply, NULL);
}

static void act(struct tl_web *web, act_fn fn, JsonObject *params, struct tl_control_reply *reply)
{
	struct tl_contact *contact = tl_contacts_find(web->contacts, json_object_get_string_member(params, "call"));
	g_autoptr(GError) error = NULL;
	if (!contact)
		refuse(reply, TL_CONTROL_UNKNOWN, "unknown call");
	else if (fn(contact, params, &error))
		tl_control_reply_result(reply, NULL);
	else
		tl_control_reply_error(reply, error);
}

static const struct {
	const char *method;
	void (*handle)(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply);
} methods[] = {
	{ "desk.snapshot", snapshot }, { "desk.cdrs", cdrs },	    { "agent.set", set_agent },
	{ "call.place", place },       { "call.release", release },
};

static JsonNode *on_open(struct tl_control_peer *peer, gint64 epoch, GError **error, void *user)
{
	(void)peer, (void)epoch, (void)error;
	return take(view_desk(user));
}

static void on_request(struct tl_control_peer *peer, const char *method, JsonObject *params,
		       struct tl_control_reply *reply, void *user)
{
	act_fn fn = act_find(method);
	(void)peer;
	if (fn) {
		act(user, fn, params, reply);
		return;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
		if (!strcmp(methods[i].method, method)) {
			methods[i].handle(user, params, reply);
			return;
		}
	if (fax_method(user, method, params, reply) || recordings_method(user, method, params, reply))
		return;
	refuse(reply, TL_CONTROL_NO_METHOD, "this desk does not know the method");
}

bool operators_start(struct tl_web *web, const struct tl_web_config *config, GError **error)
{
	static const struct tl_control_handler handler = { .on_open = on_open, .on_request = on_request };
	if (!config->socket)
		return true;
	struct tl_control_server_config server = { .schema = "desk", .socket_path = config->socket, .tokens = config->tokens,
						   .n_tokens = config->n_tokens };
	web->control = tl_control_server_new(&server, &handler, web, error);
	if (!web->control)
		g_prefix_error(error, "socket: ");
	return web->control != NULL;
}

void operators_tell(struct tl_web *web, const char *event, const char *member, JsonObject *value)
{
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, member, value);
	tl_control_server_event(web->control, event, params, NULL, NULL);
}
