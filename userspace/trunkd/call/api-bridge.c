/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "call/api.h"
#include "call/junction.h"
#include "call/tandem.h"

struct tl_junction *tl_request_junction(struct tl_request *request, GError **error)
{
	const char *id = tl_request_string(request, "bridge", "");
	struct tl_junction *junction = tl_junction_find(request->node, id);
	if (!junction) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "bridge %s: no such bridge", id);
		return NULL;
	}
	if (request->session->role == TL_ROLE_APPLICATION && tl_junction_owner(junction) != request->session->name) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_NOT_AUTHORIZED, "bridge %s is not yours", id);
		return NULL;
	}
	return junction;
}

static enum tl_when_ends read_when_ends(JsonObject *member)
{
	const char *text = json_object_get_string_member_with_default(member, "when_ends", "release-others");
	return !strcmp(text, "keep-others")	       ? TL_ENDS_KEEP_OTHERS :
	       !strcmp(text, "release-others-if-alone") ? TL_ENDS_RELEASE_IF_ALONE :
							 TL_ENDS_RELEASE_OTHERS;
}

static bool add_member(struct tl_request *request, struct tl_junction *junction, JsonObject *member, GError **error)
{
	struct tl_leg *leg = tl_request_leg(request, json_object_get_string_member(member, "leg"), error);
	if (!leg)
		return false;
	if (!leg->taken)
		tl_offer_take(leg);
	else if (leg->partner)
		tl_tandem_part(leg);
	return tl_junction_add(junction, leg, read_when_ends(member), error);
}

static JsonObject *create(struct tl_request *request, GError **error)
{
	const char *id = tl_request_string(request, "bridge", "");
	if (tl_junction_find(request->node, id)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_ID_IN_USE, "bridge %s exists", id);
		return NULL;
	}
	enum tl_bridge_kind kind = strcmp(tl_request_string(request, "kind", "voice"), "clear") ? TL_BRIDGE_VOICE :
												   TL_BRIDGE_CLEAR;
	JsonArray *members = json_object_get_array_member(request->params, "members");
	JsonObject *tags = json_object_has_member(request->params, "tags") ?
				   json_object_get_object_member(request->params, "tags") : NULL;
	struct tl_junction *junction = tl_junction_new(request->node, id, kind, request->session->name, tags);
	for (unsigned i = 0; i < json_array_get_length(members); i++)
		if (!add_member(request, junction, json_array_get_object_element(members, i), error)) {
			tl_junction_destroy(junction);
			return NULL;
		}
	return NULL;
}

static JsonObject *add(struct tl_request *request, GError **error)
{
	struct tl_junction *junction = tl_request_junction(request, error);
	if (junction)
		add_member(request, junction, json_object_get_object_member(request->params, "member"), error);
	return NULL;
}

static JsonObject *take_out(struct tl_request *request, GError **error)
{
	struct tl_junction *junction = tl_request_junction(request, error);
	struct tl_leg *leg = junction ? tl_request_leg(request, tl_request_string(request, "leg", ""), error) : NULL;
	if (!leg)
		return NULL;
	if (leg->junction == junction)
		tl_junction_remove(junction, leg);
	else
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s is not in bridge %s", leg->id,
			    tl_junction_id(junction));
	return NULL;
}

static JsonObject *destroy(struct tl_request *request, GError **error)
{
	struct tl_junction *junction = tl_request_junction(request, error);
	if (junction)
		tl_junction_destroy(junction);
	return NULL;
}

const struct tl_method_entry tl_api_bridge[] = {
	{ "bridge.create", create }, { "bridge.add", add }, { "bridge.remove", take_out }, { "bridge.destroy", destroy },
	{ NULL, NULL },
};
