/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* leg.connect and leg.candidate. */
#include "call/api.h"
#include "call/browser.h"
#include "call/wire.h"

/* The leg of an earlier leg.connect; NULL with @error: it may not be used; NULL without: there is none. */
static struct tl_leg *find_browser(struct tl_request *request, const char *id, GError **error)
{
	if (!tl_leg_find(request->node, id))
		return NULL;
	struct tl_leg *leg = tl_request_leg(request, id, error);
	if (!leg)
		return NULL;
	if (!tl_leg_is_live(leg)) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s is in state %s", id, tl_leg_state_name(leg));
		return NULL;
	}
	if (leg->party.kind == TL_PARTY_BROWSER)
		return leg;
	g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_ID_IN_USE, "leg %s exists and is no browser", id);
	return NULL;
}

static bool describe(struct tl_request *request, struct tl_leg *leg, GError **error)
{
	const char *name = tl_request_string(request, "name", NULL);
	if (json_object_has_member(request->params, "setup") &&
	    !tl_wire_read_setup(json_object_get_object_member(request->params, "setup"), &leg->setup, error))
		return false;
	if (name || !leg->party.name)
		tl_party_set(&leg->party, TL_PARTY_BROWSER, name ? name : leg->id, 0, NULL);
	return tl_request_extras(request, leg, error);
}

static JsonObject *result_of(struct tl_leg *leg, const char *answer)
{
	JsonObject *result = json_object_new();
	json_object_set_object_member(result, "leg", tl_wire_leg(leg));
	json_object_set_string_member(result, "sdp", answer);
	return result;
}

/* A leg that never was: nobody has heard of it, and there is nothing to bill. */
static void discard(struct tl_leg *leg)
{
	tl_leg_audio_close(leg);
	if (leg->dialog)
		tl_dialog_bury(leg->node, g_steal_pointer(&leg->dialog));
	tl_leg_bury(leg);
}

static JsonObject *connect_new(struct tl_request *request, const char *id, const char *offer, GError **error)
{
	g_autofree char *answer = NULL;
	if (!tl_request_admit(request->node, id, error))
		return NULL;
	struct tl_leg *leg = tl_leg_new(request->node, id, false);
	leg->owner = request->session->name;
	if (!describe(request, leg, error) || !tl_browser_connect(leg, offer, &answer, error)) {
		discard(leg);
		return NULL;
	}
	tl_browser_begin(leg);
	return result_of(leg, answer);
}

static JsonObject *connect_leg(struct tl_request *request, GError **error)
{
	const char *id = tl_request_string(request, "leg", ""), *offer = tl_request_string(request, "sdp", "");
	g_autofree char *answer = NULL;
	g_autoptr(GError) why = NULL;
	struct tl_leg *leg = find_browser(request, id, &why);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (!leg)
		return connect_new(request, id, offer, error);
	if (!tl_browser_connect(leg, offer, &answer, error) || !describe(request, leg, error))
		return NULL;
	tl_rule_apply(leg);
	return result_of(leg, answer);
}

static JsonObject *candidate(struct tl_request *request, GError **error)
{
	tl_request_leg(request, tl_request_string(request, "leg", ""), error);
	return NULL; /* a lite agent learns addresses from checks (RFC 8445 2.5) */
}

const struct tl_method_entry tl_api_browser[] = {
	{ "leg.connect", connect_leg }, { "leg.candidate", candidate }, { NULL, NULL },
};
