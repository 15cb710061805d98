/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* trunkctl fax: send, list, show, cancel, retry. */
#include "trunkctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_OCTETS 600000 /* of an upload; base64 makes it a third more */

static const struct column columns[] = { { "FAX", "fax" }, { "DIR", "direction" }, { "STATE", "state" }, { "FROM", "calling" }, { "TO", "called" },
	{ "IDENT", "remote_ident" }, { "PAGES", "pages" }, { "DONE", "pages_done" }, { "TRIES", "tries" }, { "SINCE", "created_utc_us" },
	{ "NEXT", "next_utc_us" }, { "WHY", "why" }, { NULL, NULL } };

int explain_fax(FILE *out, int status)
{
	fprintf(out, "trunkctl fax - faxes, in and out\n\n"
		     "  fax send FILE NUMBER... [OPTION...]   fax a PDF, TIFF, JPEG, PNG, text, mail (.eml) or office file; several numbers are a batch\n"
		     "      box=NAME       as this fax box: its name, header and number\n"
		     "      tell=ADDRESS   mail the result there\n"
		     "      subject=TEXT   shown in lists, on the cover and in the result\n"
		     "      priority=1-9   1 first, and in quiet hours too; 5 without\n"
		     "      at=HH:MM       not before then: the next time it is so late, or at=YYYY-MM-DDTHH:MM\n"
		     "  fax list [N] [state=STATE] [batch=BATCH]   the latest N; STATE: converting, waiting, calling, sending, receiving,\n"
		     "                                             received, sent, failed, cancelled\n"
		     "  fax show FAX          one, with its tries and letters\n"
		     "  fax cancel FAX|BATCH  also in mid-call; what was sent stays sent\n"
		     "  fax retry FAX         send one that failed or was cancelled anew, from the page that was not confirmed;\n"
		     "                        deliver one that came anew\n");
	return status;
}

static int usage(void)
{
	return explain_fax(stderr, 2);
}

static int refuse(const char *word)
{
	fprintf(stderr, "trunkctl: \"%s\" is not understood; see trunkctl fax --help\n", word);
	return 2;
}

static int print_faxes(const struct place *place, JsonObject *result)
{
	JsonArray *faxes = json_object_get_array_member(result, "faxes");
	if (place->json)
		print_json(result);
	else if (json_array_get_length(faxes))
		print_table(faxes, columns);
	else
		printf("no faxes\n");
	return 0;
}

/* The digest under which the desk has it, or NULL after saying why not. (transfer full) */
static char *upload(const struct place *place, const char *path)
{
	g_autofree char *octets = NULL, *id = g_strdup_printf("u%x%x", g_random_int(), g_random_int());
	g_autoptr(GError) error = NULL;
	gsize n, at = 0;
	if (!g_file_get_contents(path, &octets, &n, &error)) {
		fprintf(stderr, "trunkctl: %s\n", error->message);
		return NULL;
	}
	for (;;) {
		gsize piece = MIN(n - at, (gsize)PIECE_OCTETS);
		g_autofree char *text = g_base64_encode((const guchar *)octets + at, piece);
		JsonObject *params = json_object_new();
		bool last = at + piece == n;
		json_object_set_string_member(params, "upload", id);
		json_object_set_string_member(params, "octets", text);
		json_object_set_boolean_member(params, "last", last);
		g_autoptr(JsonObject) result = ask(place, "desk", "fax.upload", params);
		if (!result)
			return NULL;
		if (last)
			return g_strdup(json_object_get_string_member(result, "document"));
		at += piece;
	}
}

/* 0: not understood. A time of day is the next one. */
static gint64 time_of(const char *text)
{
	g_autoptr(GTimeZone) zone = g_time_zone_new_local();
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	unsigned hour, minute;
	if (strlen(text) == 5 && sscanf(text, "%2u:%2u", &hour, &minute) == 2 && hour < 24 && minute < 60) {
		g_autoptr(GDateTime) today = g_date_time_new_local(g_date_time_get_year(now), g_date_time_get_month(now),
								   g_date_time_get_day_of_month(now), hour, minute, 0);
		g_autoptr(GDateTime) next = g_date_time_compare(today, now) > 0 ? g_date_time_ref(today) : g_date_time_add_days(today, 1);
		return g_date_time_to_unix(next) * G_USEC_PER_SEC;
	}
	g_autofree char *full = g_strdup_printf("%s:00", text);
	g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(strlen(text) == 16 ? full : text, zone);
	return at ? g_date_time_to_unix(at) * G_USEC_PER_SEC : 0;
}

static bool set_option(JsonObject *params, const char *word)
{
	static const char *const texts[] = { "box", "tell", "subject" };
	const char *value = strchr(word, '=') + 1;
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		if (!strncmp(word, texts[i], strlen(texts[i])) && word[strlen(texts[i])] == '=') {
			json_object_set_string_member(params, texts[i], value);
			return true;
		}
	if (g_str_has_prefix(word, "priority=")) {
		json_object_set_int_member(params, "priority", atoi(value));
		return true;
	}
	gint64 at = g_str_has_prefix(word, "at=") ? time_of(value) : 0;
	if (at)
		json_object_set_int_member(params, "not_before_utc_us", at);
	return at != 0;
}

static int run_send(const struct place *place, char **words)
{
	g_autoptr(JsonObject) params = json_object_new();
	JsonArray *to = json_array_new();
	json_object_set_array_member(params, "to", to);
	if (!words[0] || !words[1])
		return usage();
	for (char **word = words + 1; *word; word++) {
		if (!strchr(*word, '='))
			json_array_add_string_element(to, *word);
		else if (!set_option(params, *word))
			return refuse(*word);
	}
	g_autofree char *name = g_path_get_basename(words[0]);
	g_autofree char *document = upload(place, words[0]);
	if (!document)
		return 1;
	json_object_set_string_member(params, "document", document);
	json_object_set_string_member(params, "name", name);
	g_autoptr(JsonObject) result = ask(place, "desk", "fax.send", json_object_ref(params));
	return result ? print_faxes(place, result) : 1;
}

static int run_list(const struct place *place, char **words)
{
	JsonObject *params = json_object_new();
	for (; *words; words++) {
		if (g_str_has_prefix(*words, "state="))
			json_object_set_string_member(params, "state", *words + strlen("state="));
		else if (g_str_has_prefix(*words, "batch="))
			json_object_set_string_member(params, "batch", *words + strlen("batch="));
		else
			json_object_set_int_member(params, "max", atoi(*words));
	}
	g_autoptr(JsonObject) result = ask(place, "desk", "fax.list", params);
	return result ? print_faxes(place, result) : 1;
}

static JsonObject *about(const char *id)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "fax", id);
	return params;
}

static int run_show(const struct place *place, const char *id)
{
	static const struct column tries[] = { { "TRY", "number" }, { "FROM PAGE", "first_page" }, { "STARTED", "started_utc_us" },
		{ "PAGES", "pages" }, { "RESULT", "result" }, { NULL, NULL } };
	static const struct column deliveries[] = { { "DELIVERY", "kind" }, { "TO", "target" }, { "STATE", "state" }, { "TRIES", "tries" },
		{ "WHY", "why" }, { NULL, NULL } };
	g_autoptr(JsonObject) result = ask(place, "desk", "fax.show", about(id));
	if (!result)
		return 1;
	if (place->json) {
		print_json(result);
		return 0;
	}
	g_autoptr(JsonArray) one = json_array_new();
	json_array_add_object_element(one, json_object_ref(json_object_get_object_member(result, "fax")));
	print_table(one, columns);
	if (json_array_get_length(json_object_get_array_member(result, "tries")))
		print_table(json_object_get_array_member(result, "tries"), tries);
	if (json_array_get_length(json_object_get_array_member(result, "deliveries")))
		print_table(json_object_get_array_member(result, "deliveries"), deliveries);
	return 0;
}

static int run_change(const struct place *place, const char *method, const char *id)
{
	g_autoptr(JsonObject) result = ask(place, "desk", method, about(id));
	if (result && place->json)
		print_json(result);
	return result ? 0 : 1;
}

int run_fax(const struct place *place, char **words)
{
	const char *verb = words[0] ? words[0] : "";
	if (!strcmp(verb, "send"))
		return run_send(place, words + 1);
	if (!strcmp(verb, "list"))
		return run_list(place, words + 1);
	if (!strcmp(verb, "show") && words[1])
		return run_show(place, words[1]);
	if (!strcmp(verb, "cancel") && words[1])
		return run_change(place, "fax.cancel", words[1]);
	if (!strcmp(verb, "retry") && words[1])
		return run_change(place, "fax.retry", words[1]);
	return usage();
}
