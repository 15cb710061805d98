/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What may be done with a call, as desk.schema.json has it: by its agent's page, and by operators. */
#include "web/inside.h"

#include <string.h>

static bool is_on(JsonObject *params)
{
	return json_object_get_boolean_member(params, "on");
}

static bool act_answer(struct tl_contact *contact, JsonObject *params, GError **error)
{
	(void)params;
	return tl_contact_answer(contact, error);
}

static bool act_hang_up(struct tl_contact *contact, JsonObject *params, GError **error)
{
	(void)params;
	return tl_contact_hang_up(contact, error);
}

static bool act_hold(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_hold(contact, is_on(params), error);
}

static bool act_mute(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_mute(contact, is_on(params), error);
}

static bool act_record(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_record(contact, is_on(params), error);
}

static bool act_dtmf(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_dtmf(contact, json_object_get_string_member(params, "digits"), error);
}

static bool act_transfer(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_transfer(contact, json_object_get_string_member(params, "to"), error);
}

static bool act_consult(struct tl_contact *contact, JsonObject *params, GError **error)
{
	return tl_contact_consult(contact, json_object_get_string_member(params, "agent"), error);
}

static bool act_complete(struct tl_contact *contact, JsonObject *params, GError **error)
{
	(void)params;
	return tl_contact_complete(contact, error);
}

static bool act_cancel(struct tl_contact *contact, JsonObject *params, GError **error)
{
	(void)params;
	return tl_contact_cancel(contact, error);
}

act_fn act_find(const char *method)
{
	static const struct { const char *method; act_fn act; } acts[] = {
		{ "call.answer", act_answer },	   { "call.hangup", act_hang_up },	 { "call.hold", act_hold },
		{ "call.mute", act_mute },	   { "call.dtmf", act_dtmf },	 { "call.transfer", act_transfer },
		{ "call.record", act_record },
		{ "call.consult", act_consult }, { "call.complete", act_complete }, { "call.cancel", act_cancel },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(acts); i++)
		if (!strcmp(acts[i].method, method))
			return acts[i].act;
	return NULL;
}
