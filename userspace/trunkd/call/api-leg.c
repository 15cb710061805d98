/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "call/access.h"
#include "call/api.h"
#include "call/play.h"
#include "call/report.h"
#include "call/wire.h"

bool tl_request_extras(struct tl_request *request, struct tl_leg *leg, GError **error)
{
	struct tl_rule rule = leg->rule;
	if (json_object_has_member(request->params, "rule") &&
	    !tl_wire_read_rule(json_object_get_object_member(request->params, "rule"), &rule, error))
		return false;
	if (json_object_has_member(request->params, "tags") &&
	    !tl_wire_read_tags(json_object_get_object_member(request->params, "tags"), leg->tags, error))
		return false;
	leg->rule = rule;
	leg->wants_digits = tl_request_bool(request, "digits", leg->wants_digits);
	tl_leg_audio_search(leg);
	return true;
}

/* ---- originate ---- */

static bool resolve(struct tl_node *node, const char *text, const struct tl_leg_setup *setup, struct tl_target *target,
		    GError **error)
{
	if (!tl_target_parse(text, target) || target->kind == TL_TARGET_ANNOUNCEMENT) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "to: %s: expected %s", text,
			    "group:NAME, span:NAME/SLOT, user:NAME, trunk:NAME, sip:URI or route");
		return false;
	}
	if (target->kind != TL_TARGET_ROUTE)
		return true;
	const struct tl_route *route = tl_routes_find(node->routes, &setup->called);
	if (!route || route->to.kind == TL_TARGET_ANNOUNCEMENT) {
		tl_control_refuse_circuit(error, TL_CAUSE_NO_ROUTE, "to: no route for %s", setup->called.digits);
		return false;
	}
	*target = route->to;
	return true;
}

bool tl_request_admit(struct tl_node *node, const char *id, GError **error)
{
	if (tl_leg_find(node, id)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_ID_IN_USE, "leg %s exists", id);
		return false;
	}
	unsigned cause = tl_node_refusal(node);
	if (cause)
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_OVERLOAD, "no new calls: %s (cause %u)",
			    node->journal_fault ? "the journal cannot be written" :
			    node->draining || node->stopping ? "draining" :
			    tl_media_is_overloaded(node->media) ? "the media are at their limit" : "as many legs as allowed", cause);
	return !cause;
}

static JsonObject *originate(struct tl_request *request, GError **error)
{
	struct tl_node *node = request->node;
	const char *id = tl_request_string(request, "leg", "");
	struct tl_leg_setup setup;
	struct tl_target target;
	if (!tl_wire_read_setup(json_object_get_object_member(request->params, "setup"), &setup, error) ||
	    !resolve(node, tl_request_string(request, "to", ""), &setup, &target, error) || !tl_request_admit(node, id, error))
		return NULL;
	struct tl_leg *leg = tl_leg_new(node, id, true);
	leg->owner = request->session->name;
	leg->setup = setup;
	leg->taken = true;
	if (!tl_request_extras(request, leg, error) ||
	    !tl_leg_dial(leg, &target, node->config->law, tl_request_int(request, "timeout_s", 0) * 1000, error)) {
		tl_leg_bury(leg);
		return NULL;
	}
	tl_rule_apply(leg);
	JsonObject *result = json_object_new();
	json_object_set_object_member(result, "leg", tl_wire_leg(leg));
	return result;
}

/* ---- an offered leg ---- */

static JsonObject *take(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_leg(request, tl_request_string(request, "leg", ""), error);
	if (!leg)
		return NULL;
	if (leg->outgoing || tl_leg_state(leg) != TL_LEG_OFFERED || leg->taken) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s cannot be taken: %s", leg->id,
			    leg->taken ? "it was taken, or the node has routed it" : tl_leg_state_name(leg));
		return NULL;
	}
	if (tl_request_extras(request, leg, error))
		tl_offer_take(leg);
	return NULL;
}

static JsonObject *proceed(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_leg_proceed(leg, error);
	return NULL;
}

static JsonObject *alert(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_leg_alert(leg, tl_request_bool(request, "inband", false), error);
	return NULL;
}

static JsonObject *progress(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_leg_progress(leg, error);
	return NULL;
}

static JsonObject *answer(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_leg_answer(leg, error);
	return NULL;
}

static JsonObject *release(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_leg(request, tl_request_string(request, "leg", ""), error);
	if (leg)
		tl_leg_release(leg, tl_request_int(request, "cause", TL_CAUSE_NORMAL_CLEARING));
	return NULL;
}

static JsonObject *tag(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg && tl_request_extras(request, leg, error))
		tl_rule_apply(leg);
	return NULL;
}

/* ---- audio ---- */

static JsonObject *play(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	const char *sounds[17] = { NULL };
	if (!leg)
		return NULL;
	JsonArray *array = json_object_get_array_member(request->params, "sounds");
	for (unsigned i = 0; i < json_array_get_length(array) && i < 16; i++)
		sounds[i] = json_array_get_string_element(array, i);
	tl_play_start(leg, tl_request_string(request, "play", ""), sounds, tl_request_int(request, "loops", 1), error);
	return NULL;
}

static JsonObject *stop(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_play_stop(leg);
	return NULL;
}

static JsonObject *collect(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (!leg || !tl_leg_audio(leg, error))
		return NULL;
	struct tl_collect_config config = {
		.id = tl_request_string(request, "collect", ""),
		.max = tl_request_int(request, "max", 1),
		.terminators = tl_request_string(request, "terminators", ""),
		.first_ms = tl_request_int(request, "first_ms", 0),
		.next_ms = tl_request_int(request, "next_ms", 0),
	};
	tl_collect_start(leg, &config);
	return NULL;
}

#define DTMF_ON_MS 100
#define DTMF_OFF_MS 100

static JsonObject *dtmf(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	const char *digits = tl_request_string(request, "digits", "");
	if (!leg)
		return NULL;
	if (strspn(digits, "0123456789*#ABCDw") != strlen(digits)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "digits: expected 0-9 * # A-D and w");
		return NULL;
	}
	struct tl_port *port = tl_leg_audio(leg, error);
	if (!port)
		return NULL;
	if (tl_port_send_dtmf(port, ++leg->node->media_id, digits, tl_request_int(request, "on_ms", DTMF_ON_MS),
			      tl_request_int(request, "off_ms", DTMF_OFF_MS)))
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "digits: cannot be sent");
	return NULL;
}

static JsonObject *mute(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg)
		tl_leg_mute(leg, tl_request_bool(request, "on", true), error);
	return NULL;
}

static JsonObject *flash(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg && (tl_leg_state(leg) != TL_LEG_ANSWERED || tl_dialog_flash(leg->dialog)))
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s is no answered telephone line; state %s", leg->id,
					tl_leg_state_name(leg));
	return NULL;
}

static JsonObject *counters(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_leg(request, tl_request_string(request, "leg", ""), error);
	struct tl_port_counters port = { 0 };
	if (!leg)
		return NULL;
	if (leg->port)
		tl_port_counters(leg->port, &port);
	JsonObject *object = json_object_new(), *result = json_object_new();
#define COUNT(field) json_object_set_int_member(object, #field, port.field)
	COUNT(packets_received), COUNT(packets_sent), COUNT(lost), COUNT(late), COUNT(duplicate), COUNT(early), COUNT(refused);
	COUNT(concealed_blocks), COUNT(overflow), COUNT(corrections), COUNT(digits_received), COUNT(digits_sent), COUNT(recorded_dropped);
	COUNT(video_received), COUNT(video_sent), COUNT(video_dropped);
	COUNT(jitter_us), COUNT(depth_us), COUNT(remote_lost), COUNT(round_trip_us);
#undef COUNT
	json_object_set_object_member(result, "counters", object);
	JsonObject *media = tl_wire_media(leg);
	if (media)
		json_object_set_object_member(result, "media", media);
	return result;
}

const struct tl_method_entry tl_api_leg[] = {
	{ "leg.originate", originate }, { "leg.take", take },	  { "leg.proceed", proceed }, { "leg.alert", alert },
	{ "leg.progress", progress },	{ "leg.answer", answer }, { "leg.release", release }, { "leg.tag", tag },
	{ "leg.play", play },		{ "leg.stop", stop },	  { "leg.collect", collect }, { "leg.dtmf", dtmf },
	{ "leg.mute", mute },		{ "leg.counters", counters }, { "leg.flash", flash }, { NULL, NULL },
};
