/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* JSON-RPC 2.0 messages as values. */
#include "control/control.h"

#include <string.h>

static bool invalid(GError **error, const char *expected)
{
	g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_REQUEST, "expected %s", expected);
	return false;
}

static bool take_id(JsonObject *object, gint64 *id, GError **error)
{
	JsonNode *node = json_object_get_member(object, "id");
	*id = 0;
	if (!node || JSON_NODE_HOLDS_NULL(node))
		return true;
	if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 1)
		return invalid(error, "id to be a whole number from 1 on");
	*id = json_node_get_int(node);
	return true;
}

static bool take_call(JsonObject *object, struct tl_message *message, GError **error)
{
	JsonNode *method = json_object_get_member(object, "method");
	if (!JSON_NODE_HOLDS_VALUE(method) || json_node_get_value_type(method) != G_TYPE_STRING)
		return invalid(error, "method to be a string");
	JsonNode *params = json_object_get_member(object, "params");
	if (params && !JSON_NODE_HOLDS_OBJECT(params))
		return invalid(error, "params to be an object");
	message->kind = message->id ? TL_MESSAGE_REQUEST : TL_MESSAGE_EVENT;
	message->method = g_strdup(json_node_get_string(method));
	message->body = params ? json_node_ref(params) : NULL;
	return true;
}

static bool take_object(JsonObject *object, struct tl_message *message, GError **error)
{
	if (!take_id(object, &message->id, error))
		return false;
	if (json_object_has_member(object, "method"))
		return take_call(object, message, error);
	JsonNode *result = json_object_get_member(object, "result"), *failure = json_object_get_member(object, "error");
	if (!result == !failure)
		return invalid(error, "method, or one of result and error");
	if (failure && !JSON_NODE_HOLDS_OBJECT(failure))
		return invalid(error, "error to be an object");
	message->kind = result ? TL_MESSAGE_RESULT : TL_MESSAGE_FAILURE;
	message->body = json_node_ref(result ? result : failure);
	return true;
}

bool tl_message_parse(const char *text, gssize length, struct tl_message *message, GError **error)
{
	g_autoptr(JsonNode) root = tl_json_parse(text, length, error);
	if (!root)
		return false;
	if (!JSON_NODE_HOLDS_OBJECT(root))
		return invalid(error, "an object");
	JsonObject *object = json_node_get_object(root);
	JsonNode *version = json_object_get_member(object, "jsonrpc");
	if (!version || !JSON_NODE_HOLDS_VALUE(version) || g_strcmp0(json_node_get_string(version), "2.0"))
		return invalid(error, "jsonrpc to be \"2.0\"");
	struct tl_message read = { 0 };
	if (!take_object(object, &read, error))
		return false;
	*message = read;
	return true;
}

void tl_message_clear(struct tl_message *message)
{
	g_clear_pointer(&message->method, g_free);
	g_clear_pointer(&message->body, json_node_unref);
}

char *tl_message_format(const struct tl_message *message)
{
	static const char *const body_names[] = {
		[TL_MESSAGE_REQUEST] = "params", [TL_MESSAGE_EVENT] = "params",
		[TL_MESSAGE_RESULT] = "result", [TL_MESSAGE_FAILURE] = "error",
	};
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "jsonrpc", "2.0");
	if (message->id)
		json_object_set_int_member(object, "id", message->id);
	else if (message->kind == TL_MESSAGE_FAILURE)
		json_object_set_null_member(object, "id");
	if (message->method)
		json_object_set_string_member(object, "method", message->method);
	if (message->body)
		json_object_set_member(object, body_names[message->kind], json_node_ref(message->body));
	else if (message->kind == TL_MESSAGE_RESULT)
		json_object_set_object_member(object, "result", json_object_new());
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(root, object);
	return json_to_string(root, FALSE);
}
