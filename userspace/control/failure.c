/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The protocol's errors as GErrors, with what the protocol says of each beside its message. */
#include "control/control.h"

typedef struct {
	char *state;
	gint64 cause, epoch;
} TlControlErrorPrivate; /* the name that G_DEFINE_EXTENDED_ERROR asks for */

static void tl_control_error_private_init(TlControlErrorPrivate *data)
{
	(void)data; /* comes zeroed */
}

static void tl_control_error_private_copy(const TlControlErrorPrivate *from, TlControlErrorPrivate *to)
{
	to->state = g_strdup(from->state);
	to->cause = from->cause;
	to->epoch = from->epoch;
}

static void tl_control_error_private_clear(TlControlErrorPrivate *data)
{
	g_free(data->state);
}

G_DEFINE_EXTENDED_ERROR(TlControlError, tl_control_error)

static void refuse(GError **error, enum tl_control_error_code code, const TlControlErrorPrivate *data, const char *format,
		   va_list args)
{
	if (!error)
		return;
	g_autofree char *text = g_strdup_vprintf(format, args);
	GError *made = g_error_new_literal(TL_CONTROL_ERROR, code, text);
	tl_control_error_private_copy(data, tl_control_error_get_private(made));
	g_propagate_error(error, made);
}

void tl_control_refuse_state(GError **error, const char *state, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	refuse(error, TL_CONTROL_STATE, &(TlControlErrorPrivate){ .state = (char *)state }, format, args);
	va_end(args);
}

void tl_control_refuse_circuit(GError **error, unsigned cause, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	refuse(error, TL_CONTROL_NO_CIRCUIT, &(TlControlErrorPrivate){ .cause = cause }, format, args);
	va_end(args);
}

void tl_control_refuse_epoch(GError **error, gint64 epoch, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	refuse(error, TL_CONTROL_STALE_EPOCH, &(TlControlErrorPrivate){ .epoch = epoch }, format, args);
	va_end(args);
}

static const TlControlErrorPrivate *data_of(const GError *error)
{
	static const TlControlErrorPrivate none;
	return error->domain == TL_CONTROL_ERROR ? tl_control_error_get_private(error) : &none;
}

unsigned tl_control_error_cause(const GError *error)
{
	return data_of(error)->cause;
}

gint64 tl_control_error_epoch(const GError *error)
{
	return data_of(error)->epoch;
}

const char *tl_control_error_state(const GError *error)
{
	return data_of(error)->state;
}

JsonNode *tl_control_error_format(const GError *error)
{
	const TlControlErrorPrivate *data = data_of(error);
	JsonObject *object = json_object_new(), *more = json_object_new();
	json_object_set_int_member(object, "code", error->domain == TL_CONTROL_ERROR && error->code < 0 ? error->code :
												   TL_CONTROL_STORAGE);
	json_object_set_string_member(object, "message", error->message);
	if (data->state)
		json_object_set_string_member(more, "state", data->state);
	if (data->cause)
		json_object_set_int_member(more, "cause", data->cause);
	if (data->epoch)
		json_object_set_int_member(more, "epoch", data->epoch);
	if (json_object_get_size(more))
		json_object_set_object_member(object, "data", more);
	else
		json_object_unref(more);
	JsonNode *body = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(body, object);
	return body;
}

static JsonObject *member_object(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);
	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

GError *tl_control_error_parse(JsonObject *failure)
{
	GError *error = g_error_new_literal(TL_CONTROL_ERROR, json_object_get_int_member_with_default(failure, "code", 0),
					    json_object_get_string_member_with_default(failure, "message", "no message"));
	TlControlErrorPrivate *data = tl_control_error_get_private(error);
	JsonObject *more = member_object(failure, "data");
	if (!more)
		return error;
	data->state = g_strdup(json_object_get_string_member_with_default(more, "state", NULL));
	data->cause = json_object_get_int_member_with_default(more, "cause", 0);
	data->epoch = json_object_get_int_member_with_default(more, "epoch", 0);
	return error;
}
