/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* fax.receive, fax.send, fax.stop, leg.detect_fax. */
#include <string.h>

#include "call/api.h"
#include "call/command.h"
#include "call/fax.h"

#define MAX_PAGES 1000

/* Whoever asked, and under which command. */
struct pending {
	struct tl_node *node;
	struct tl_control_reply *reply;
	const char *caller; /* interned */
	char *command;      /* NULL: none */
};

static void on_begun(JsonObject *result, const GError *error, void *user)
{
	struct pending *pending = user;
	JsonNode *node = result ? json_node_init_object(json_node_alloc(), result) : NULL;
	if (pending->command)
		tl_commands_keep(pending->node->commands, pending->caller, pending->command, node, error);
	if (error)
		tl_control_reply_error(pending->reply, error);
	else
		tl_control_reply_result(pending->reply, node);
	g_free(pending->command);
	g_free(pending);
}

/* ---- options ---- */

static unsigned read_abilities(JsonObject *options, const char *member, enum tl_fax_ability ability)
{
	unsigned bits = 0;
	if (!options || !json_object_has_member(options, member))
		return TL_FAX_ALL;
	JsonArray *names = json_object_get_array_member(options, member);
	for (unsigned i = 0; i < json_array_get_length(names); i++)
		tl_fax_ability_parse(ability, json_array_get_string_element(names, i), &bits);
	return bits;
}

static void read_text(JsonObject *options, const char *member, char *text, size_t size)
{
	if (options)
		g_strlcpy(text, json_object_get_string_member_with_default(options, member, ""), size);
}

static void read_options(JsonObject *params, struct tl_fax_options *options)
{
	JsonObject *from = json_object_has_member(params, "options") ? json_object_get_object_member(params, "options") : NULL;
	read_text(from, "ident", options->ident, sizeof options->ident);
	read_text(from, "header", options->header, sizeof options->header);
	if (from)
		tl_fax_zone(json_object_get_string_member_with_default(from, "header_zone", ""), options->header_zone, sizeof options->header_zone);
	read_text(from, "sub_address", options->sub_address, sizeof options->sub_address);
	read_text(from, "password", options->password, sizeof options->password);
	options->ecm = !from || json_object_get_boolean_member_with_default(from, "ecm", true);
	options->modems = read_abilities(from, "modems", TL_FAX_MODEM);
	options->codings = read_abilities(from, "codings", TL_FAX_CODING);
	options->resolutions = read_abilities(from, "resolutions", TL_FAX_RESOLUTION);
	options->widths = read_abilities(from, "widths", TL_FAX_WIDTH);
}

/* ---- methods ---- */

static JsonObject *order(struct tl_request *request, bool sends, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (!leg)
		return NULL;
	struct tl_fax_order order = {
		.id = tl_request_string(request, "fax", ""),
		.document = tl_request_string(request, "document", ""),
		.config = {
			.sends = sends, .calling = tl_request_bool(request, "calling", leg->outgoing),
			.first_page = tl_request_int(request, "first_page", 0), .last_page = tl_request_int(request, "last_page", 0),
			.max_pages = tl_request_int(request, "max_pages", MAX_PAGES),
		},
	};
	read_options(request->params, &order.config.options);
	struct pending *pending = g_new(struct pending, 1);
	*pending = (struct pending){ request->node, request->reply, request->session->name,
				     g_strdup(tl_request_string(request, "command", NULL)) };
	if (tl_fax_order(leg, &order, on_begun, pending, error)) {
		request->reply = NULL; /* on_begun has it */
		return NULL;
	}
	g_free(pending->command);
	g_free(pending);
	return NULL;
}

static JsonObject *receive(struct tl_request *request, GError **error)
{
	return order(request, false, error);
}

static JsonObject *send_document(struct tl_request *request, GError **error)
{
	return order(request, true, error);
}

static JsonObject *stop(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	if (leg && !tl_leg_fax_stop(leg))
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s has no fax", leg->id);
	return NULL;
}

static JsonObject *detect(struct tl_request *request, GError **error)
{
	struct tl_leg *leg = tl_request_live_leg(request, error);
	struct tl_port *port = leg ? tl_leg_audio(leg, error) : NULL;
	if (port)
		tl_port_detect_fax(port, tl_request_bool(request, "on", true) && !leg->fax);
	return NULL;
}

const struct tl_method_entry tl_api_fax[] = {
	{ "fax.receive", receive }, { "fax.send", send_document }, { "fax.stop", stop }, { "leg.detect_fax", detect }, { NULL, NULL },
};
