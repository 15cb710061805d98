/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/api.h"
#include "call/sound-name.h"
#include "call/taping.h"

/* The leg named, or the caller's, or the first. */
static struct tl_leg *choose_left(struct tl_request *request, struct tl_junction *junction, GError **error)
{
	const char *id = tl_request_string(request, "left", NULL);
	struct tl_leg *left = id ? tl_request_leg(request, id, error) : tl_junction_leg(junction, 0);
	for (unsigned i = tl_junction_size(junction); !id && i > 0; i--)
		if (!tl_junction_leg(junction, i - 1)->outgoing)
			left = tl_junction_leg(junction, i - 1);
	if (left && left->junction != junction) {
		tl_control_refuse_state(error, tl_leg_state_name(left), "leg %s is not in that bridge", left->id);
		return NULL;
	}
	return left;
}

static bool check_notice(JsonArray *array, GStrvBuilder *sounds, GError **error)
{
	for (unsigned i = 0; i < json_array_get_length(array); i++) {
		const char *text = json_array_get_string_element(array, i), *expected;
		struct tl_sound_name name;
		if (!tl_sound_name_parse(text, &name, &expected)) {
			g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "notice: %s: expected %s", text, expected);
			return false;
		}
		g_strv_builder_add(sounds, text);
	}
	return true;
}

static JsonObject *record(struct tl_request *request, GError **error)
{
	struct tl_junction *junction = tl_request_junction(request, error);
	struct tl_leg *left = junction ? choose_left(request, junction, error) : NULL;
	JsonObject *params = request->params;
	struct tl_taping_order order = { .id = tl_request_string(request, "recording", ""), .left = left, .owner = request->session->name };
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	if (!left || (json_object_has_member(params, "notice") &&
		      !check_notice(json_object_get_array_member(params, "notice"), builder, error)))
		return NULL;
	if (tl_taping_find(request->node, order.id)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_ID_IN_USE, "recording %s exists", order.id);
		return NULL;
	}
	g_auto(GStrv) notice = g_strv_builder_end(builder);
	order.notice = *notice ? (const char *const *)notice : NULL;
	order.tags = json_object_has_member(params, "tags") ? json_object_get_object_member(params, "tags") : NULL;
	tl_record_format_parse(tl_request_string(request, "format", "opus"), &order.format);
	tl_taping_new(junction, &order, g_steal_pointer(&request->reply));
	return NULL;
}

static struct tl_taping *find(struct tl_request *request, GError **error)
{
	const char *id = tl_request_string(request, "recording", "");
	struct tl_taping *taping = tl_taping_find(request->node, id);
	if (!taping) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "recording %s: no such recording", id);
		return NULL;
	}
	if (request->session->role == TL_ROLE_APPLICATION && tl_taping_owner(taping) != request->session->name) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "recording %s is not yours", id);
		return NULL;
	}
	return taping;
}

static JsonObject *pause_it(struct tl_request *request, GError **error)
{
	struct tl_taping *taping = find(request, error);
	if (taping)
		tl_taping_pause(taping, true);
	return NULL;
}

static JsonObject *resume(struct tl_request *request, GError **error)
{
	struct tl_taping *taping = find(request, error);
	if (taping)
		tl_taping_pause(taping, false);
	return NULL;
}

static JsonObject *stop(struct tl_request *request, GError **error)
{
	struct tl_taping *taping = find(request, error);
	if (taping)
		tl_taping_stop(taping);
	return NULL;
}

const struct tl_method_entry tl_api_recording[] = {
	{ "bridge.record", record }, { "recording.pause", pause_it }, { "recording.resume", resume }, { "recording.stop", stop },
	{ NULL, NULL },
};
