/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What an agent's page asks for by its WebSocket: its own state, its own calls,
 * and the standing leg of its browser. Requests are those of desk.schema.json,
 * checked against it; what is not the agent's own is refused.
 */
#include "web/inside.h"

#include <string.h>

/* A request that is answered later; its page may be gone by then. */
struct asked {
	struct tl_web *web;
	SoupWebsocketConnection *socket;
	gint64 id;
};

static void send(struct viewer *viewer, struct tl_message *message)
{
	g_autofree char *text = tl_message_format(message);
	viewer_send(viewer, text);
}

/* (transfer full of @result, which may be NULL) */
static void answer(struct viewer *viewer, gint64 id, JsonObject *result)
{
	g_autoptr(JsonNode) body = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(body, result ? result : json_object_new());
	send(viewer, &(struct tl_message){ .kind = TL_MESSAGE_RESULT, .id = id, .body = body });
}

static void refuse(struct viewer *viewer, gint64 id, const GError *error)
{
	g_autoptr(JsonNode) body = tl_control_error_format(error);
	send(viewer, &(struct tl_message){ .kind = TL_MESSAGE_FAILURE, .id = id, .body = body });
}

static struct asked *ask_later(struct viewer *viewer, gint64 id)
{
	struct asked *asked = g_new(struct asked, 1);
	*asked = (struct asked){ viewer->web, g_object_ref(viewer->socket), id };
	return asked;
}

static void asked_free(struct asked *asked)
{
	g_object_unref(asked->socket);
	g_free(asked);
}

/* ---- its state ---- */

static bool set_state(struct viewer *viewer, gint64 id, JsonObject *params, GError **error)
{
	const char *text = json_object_get_string_member(params, "state");
	enum tl_agent_state state = !strcmp(text, "ready") ? TL_AGENT_READY : !strcmp(text, "break") ? TL_AGENT_BREAK : TL_AGENT_OFFLINE;
	g_autoptr(GError) cause = NULL;
	if (strcmp(json_object_get_string_member(params, "agent"), viewer->agent)) {
		g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "agent: expected your own name");
		return false;
	}
	if (!tl_acd_set_state(viewer->web->acd, viewer->agent, state,
			      json_object_get_string_member_with_default(params, "reason", NULL), &cause)) {
		g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_STATE, cause->message);
		return false;
	}
	struct tl_agent_info info;
	JsonObject *result = json_object_new();
	tl_acd_agent_info(viewer->web->acd, viewer->agent, &info);
	json_object_set_object_member(result, "agent", view_agent(&info));
	answer(viewer, id, result);
	return true;
}

/* ---- its browser ---- */

/* The agent's other pages hear nothing any more. */
static void take_phone(struct viewer *viewer)
{
	for (GList *l = viewer->web->viewers, *next; l; l = next) {
		struct viewer *other = l->data;
		next = l->next;
		if (other == viewer || !other->has_phone || g_strcmp0(other->agent, viewer->agent))
			continue;
		other->has_phone = false;
		viewer_tell(other, "phone.taken");
	}
	viewer->has_phone = true;
}

/* Asked for before each offer, so that the credentials are fresh. */
static bool tell_servers(struct viewer *viewer, gint64 id, JsonObject *params, GError **error)
{
	JsonObject *result = json_object_new();
	(void)params, (void)error;
	json_object_set_array_member(result, "servers", turn_servers(viewer->web, viewer->agent, tl_clock_utc_us()));
	json_object_set_string_member(result, "policy", viewer->web->turn_only ? "relay" : "all");
	answer(viewer, id, result);
	return true;
}

static void on_connected(const char *sdp, const GError *error, void *user)
{
	struct asked *asked = user;
	struct viewer *viewer = viewers_find(asked->web, asked->socket);
	if (viewer && error) {
		refuse(viewer, asked->id, error);
	} else if (viewer) {
		JsonObject *result = json_object_new();
		json_object_set_string_member(result, "sdp", sdp);
		take_phone(viewer);
		answer(viewer, asked->id, result);
	}
	asked_free(asked);
}

static bool connect_phone(struct viewer *viewer, gint64 id, JsonObject *params, GError **error)
{
	(void)error;
	tl_contacts_connect(viewer->web->contacts, viewer->agent, json_object_get_string_member(params, "sdp"), on_connected,
			    ask_later(viewer, id));
	return true;
}

static bool disconnect_phone(struct viewer *viewer, gint64 id, JsonObject *params, GError **error)
{
	struct tl_agent_info info;
	(void)params;
	if (tl_acd_agent_info(viewer->web->acd, viewer->agent, &info) && info.contact) {
		g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_STATE, "you are in a call");
		return false;
	}
	tl_contacts_disconnect(viewer->web->contacts, viewer->agent);
	answer(viewer, id, NULL);
	return true;
}

/* ---- its calls ---- */

static struct tl_contact *own_call(struct viewer *viewer, JsonObject *params, GError **error)
{
	struct tl_contact *contact = tl_contacts_find(viewer->web->contacts, json_object_get_string_member(params, "call"));
	if (contact && !g_strcmp0(tl_contact_info(contact).agent, viewer->agent))
		return contact;
	g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "call: expected one that you have");
	return NULL;
}

static void on_history(const struct tl_past_contact *past, unsigned n, const GError *error, void *user)
{
	struct asked *asked = user;
	struct viewer *viewer = viewers_find(asked->web, asked->socket);
	if (viewer && error) {
		g_autoptr(GError) why = g_error_new_literal(TL_CONTROL_ERROR, TL_CONTROL_STORAGE, error->message);
		refuse(viewer, asked->id, why);
	} else if (viewer) {
		JsonObject *result = json_object_new();
		json_object_set_array_member(result, "calls", view_past(past, n));
		answer(viewer, asked->id, result);
	}
	asked_free(asked);
}

static bool history(struct viewer *viewer, gint64 id, JsonObject *params, GError **error)
{
	struct tl_contact *contact = own_call(viewer, params, error);
	if (!contact)
		return false;
	tl_contacts_history(viewer->web->contacts, tl_contact_info(contact).calling,
			    json_object_get_int_member_with_default(params, "max", 10), on_history, ask_later(viewer, id));
	return true;
}

static bool act(struct viewer *viewer, gint64 id, act_fn fn, JsonObject *params, GError **error)
{
	struct tl_contact *contact = own_call(viewer, params, error);
	if (!contact || !fn(contact, params, error))
		return false;
	answer(viewer, id, NULL);
	return true;
}

static bool obey(struct viewer *viewer, const struct tl_message *message, GError **error)
{
	static const struct {
		const char *method;
		bool (*handle)(struct viewer *viewer, gint64 id, JsonObject *params, GError **error);
	} methods[] = {
		{ "agent.set", set_state },	      { "phone.connect", connect_phone },
		{ "phone.disconnect", disconnect_phone }, { "call.history", history },
		{ "phone.servers", tell_servers },
	};
	g_autoptr(JsonObject) none = json_object_new();
	JsonObject *params = message->body ? json_node_get_object(message->body) : none;
	act_fn fn = act_find(message->method);
	if (!tl_schema_check_params(tl_schema_get("desk"), message->method, message->body, error))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
		if (!strcmp(methods[i].method, message->method))
			return methods[i].handle(viewer, message->id, params, error);
	if (fn)
		return act(viewer, message->id, fn, params, error);
	g_set_error_literal(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "agents may not do this");
	return false;
}

void agents_request(struct viewer *viewer, const char *text, gsize length)
{
	struct tl_message message = { 0 };
	g_autoptr(GError) error = NULL;
	if (tl_message_parse(text, length, &message, &error) && message.kind != TL_MESSAGE_REQUEST)
		g_set_error_literal(&error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_REQUEST, "expected a request with an id");
	if (!error)
		obey(viewer, &message, &error);
	if (error)
		refuse(viewer, message.id, error);
	tl_message_clear(&message);
}
