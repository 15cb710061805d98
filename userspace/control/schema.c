/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The schemas that describe the protocol, as data that checks messages. A small
 * part of JSON Schema: type, properties, required, values, items, enum, bounds,
 * and $ref to a type by its bare name. A member that is not named is refused.
 */
#include "control/control.h"

#include <math.h>
#include <string.h>

struct tl_schema {
	const char *name;
	const char *text;
	JsonParser *parser; /* made when first asked for */
	JsonObject *root, *types, *methods, *events;
};

static const char node_text[] =
#include "userspace/control/node.schema.json.in.h"
	;
static const char desk_text[] =
#include "userspace/control/desk.schema.json.in.h"
	;

static struct tl_schema schemas[] = { { .name = "node", .text = node_text }, { .name = "desk", .text = desk_text } };

static const char *const roles[] = { "none", "observer", "operator", "application", "conductor" };

bool tl_role_parse(const char *name, enum tl_control_role *role)
{
	for (unsigned i = TL_ROLE_OBSERVER; i < G_N_ELEMENTS(roles); i++)
		if (!strcmp(name, roles[i])) {
			*role = i;
			return true;
		}
	return false;
}

const char *tl_role_name(enum tl_control_role role)
{
	return roles[role];
}

static void schema_read(struct tl_schema *schema)
{
	g_autoptr(GError) error = NULL;
	schema->parser = json_parser_new_immutable();
	if (!json_parser_load_from_data(schema->parser, schema->text, -1, &error))
		g_error("%s.schema.json: %s", schema->name, error->message);
	schema->root = json_node_get_object(json_parser_get_root(schema->parser));
	schema->types = json_object_get_object_member(schema->root, "types");
	schema->methods = json_object_get_object_member(schema->root, "methods");
	schema->events = json_object_get_object_member(schema->root, "events");
}

const struct tl_schema *tl_schema_get(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(schemas); i++) {
		if (strcmp(schemas[i].name, name))
			continue;
		if (!schemas[i].parser)
			schema_read(&schemas[i]);
		return &schemas[i];
	}
	g_error("no schema \"%s\"", name);
}

struct check {
	const struct tl_schema *schema;
	GString *path; /* of the member looked at, for the message */
	GError **error;
};

static bool check_value(struct check *check, JsonObject *type, JsonNode *value);

static bool refuse(struct check *check, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *expected = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(check->error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "%s: expected %s", check->path->str, expected);
	return false;
}

static bool check_member(struct check *check, JsonObject *type, const char *name, JsonNode *value)
{
	gsize length = check->path->len;
	g_string_append_printf(check->path, "%s%.64s", length ? "." : "", name);
	bool good = check_value(check, type, value);
	if (good)
		g_string_truncate(check->path, length);
	return good;
}

static bool check_required(struct check *check, JsonObject *type, JsonObject *object)
{
	if (!json_object_has_member(type, "required"))
		return true;
	JsonArray *required = json_object_get_array_member(type, "required");
	for (unsigned i = 0; i < json_array_get_length(required); i++) {
		const char *name = json_array_get_string_element(required, i);
		if (!json_object_has_member(object, name))
			return refuse(check, "a member \"%s\"", name);
	}
	return true;
}

static bool check_object(struct check *check, JsonObject *type, JsonObject *object)
{
	JsonObject *properties = json_object_has_member(type, "properties") ?
		json_object_get_object_member(type, "properties") : NULL;
	JsonObject *values = json_object_has_member(type, "values") ? json_object_get_object_member(type, "values") : NULL;
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;
	if (!properties && !values)
		return true;
	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &name, &value)) {
		JsonObject *member = properties && json_object_has_member(properties, name) ?
			json_object_get_object_member(properties, name) : values;
		if (!member)
			return refuse(check, "no member \"%.64s\"", name);
		if (!check_member(check, member, name, value))
			return false;
	}
	return check_required(check, type, object);
}

static bool check_array(struct check *check, JsonObject *type, JsonArray *array)
{
	gint64 n = json_array_get_length(array);
	gint64 min = json_object_get_int_member_with_default(type, "minItems", 0);
	gint64 max = json_object_get_int_member_with_default(type, "maxItems", G_MAXINT64);
	if (n < min || n > max)
		return refuse(check, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " items", min, max);
	for (gint64 i = 0; i < n; i++) {
		char index[32];
		g_snprintf(index, sizeof index, "%" G_GINT64_FORMAT, i);
		if (!check_member(check, json_object_get_object_member(type, "items"), index, json_array_get_element(array, i)))
			return false;
	}
	return true;
}

static bool check_string(struct check *check, JsonObject *type, const char *text)
{
	gint64 n = strlen(text);
	gint64 min = json_object_get_int_member_with_default(type, "minLength", 0);
	gint64 max = json_object_get_int_member_with_default(type, "maxLength", G_MAXINT64);
	if (n < min || n > max)
		return refuse(check, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " octets", min, max);
	if (!json_object_has_member(type, "enum"))
		return true;
	JsonArray *all = json_object_get_array_member(type, "enum");
	g_autoptr(GString) names = g_string_new(NULL);
	for (unsigned i = 0; i < json_array_get_length(all); i++) {
		const char *one = json_array_get_string_element(all, i);
		if (!strcmp(one, text))
			return true;
		g_string_append_printf(names, "%s%s", i ? ", " : "", one);
	}
	return refuse(check, "one of %s", names->str);
}

static bool check_integer(struct check *check, JsonObject *type, JsonNode *value)
{
	gint64 n = json_node_get_int(value);
	gint64 min = json_object_get_int_member_with_default(type, "minimum", G_MININT64);
	gint64 max = json_object_get_int_member_with_default(type, "maximum", G_MAXINT64);
	if (json_node_get_value_type(value) != G_TYPE_INT64 || n < min || n > max) {
		if (min == G_MININT64 && max == G_MAXINT64)
			return refuse(check, "a whole number");
		if (max == G_MAXINT64)
			return refuse(check, "a whole number from %" G_GINT64_FORMAT " on", min);
		return refuse(check, "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
	}
	return true;
}

static bool check_value(struct check *check, JsonObject *type, JsonNode *value)
{
	if (json_object_has_member(type, "$ref"))
		type = json_object_get_object_member(check->schema->types, json_object_get_string_member(type, "$ref"));
	const char *name = json_object_get_string_member_with_default(type, "type", "object");
	if (!strcmp(name, "object"))
		return JSON_NODE_HOLDS_OBJECT(value) ? check_object(check, type, json_node_get_object(value)) :
						       refuse(check, "an object");
	if (!strcmp(name, "array"))
		return JSON_NODE_HOLDS_ARRAY(value) ? check_array(check, type, json_node_get_array(value)) :
						      refuse(check, "an array");
	if (!JSON_NODE_HOLDS_VALUE(value))
		return refuse(check, "a value of type %s", name);
	if (!strcmp(name, "integer"))
		return check_integer(check, type, value);
	if (!strcmp(name, "boolean"))
		return json_node_get_value_type(value) == G_TYPE_BOOLEAN || refuse(check, "true or false");
	if (json_node_get_value_type(value) != G_TYPE_STRING)
		return refuse(check, "a string");
	return check_string(check, type, json_node_get_string(value));
}

/* Checks @value against member @part ("params" or "result") of @entry. */
static bool check_part(const struct tl_schema *schema, JsonObject *entries, const char *name, const char *part,
		       JsonNode *value, GError **error)
{
	if (!json_object_has_member(entries, name)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NO_METHOD, "\"%.64s\" is not in the protocol", name);
		return false;
	}
	JsonObject *type = json_object_get_object_member(json_object_get_object_member(entries, name), part);
	g_autoptr(GString) path = g_string_new(part);
	struct check check = { .schema = schema, .path = path, .error = error };
	if (value)
		return check_value(&check, type, value);
	g_autoptr(JsonObject) empty = json_object_new();
	return check_object(&check, type, empty);
}

bool tl_schema_check_params(const struct tl_schema *schema, const char *method, JsonNode *params, GError **error)
{
	return check_part(schema, schema->methods, method, "params", params, error);
}

bool tl_schema_check_result(const struct tl_schema *schema, const char *method, JsonNode *result, GError **error)
{
	return check_part(schema, schema->methods, method, "result", result, error);
}

bool tl_schema_check_event(const struct tl_schema *schema, const char *event, JsonNode *params, GError **error)
{
	/* What the server adds to every event is not part of each one's description. */
	if (!params || !JSON_NODE_HOLDS_OBJECT(params))
		return check_part(schema, schema->events, event, "params", params, error);
	g_autoptr(JsonNode) rest = json_node_new(JSON_NODE_OBJECT);
	g_autoptr(JsonObject) object = json_object_new();
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;
	json_object_iter_init(&iter, json_node_get_object(params));
	while (json_object_iter_next(&iter, &name, &value))
		if (strcmp(name, "event") && strcmp(name, "utc_us"))
			json_object_set_member(object, name, json_node_ref(value));
	json_node_set_object(rest, object);
	return check_part(schema, schema->events, event, "params", rest, error);
}

bool tl_schema_role(const struct tl_schema *schema, const char *method, enum tl_control_role *role)
{
	if (!json_object_has_member(schema->methods, method))
		return false;
	JsonObject *entry = json_object_get_object_member(schema->methods, method);
	*role = TL_ROLE_NONE;
	tl_role_parse(json_object_get_string_member(entry, "role"), role);
	return true;
}
