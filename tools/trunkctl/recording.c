/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* trunkctl recording: list, save, pause, resume. */
#include "trunkctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column columns[] = { { "BEGUN", "begun_utc_us" }, { "ENDED", "ended_utc_us" }, { "CALL", "call" }, { "QUEUE", "queue" },
	{ "AGENT", "agent" }, { "FROM", "calling" }, { "TO", "called" }, { "SIZE", "size" }, { "PARTIAL", "partial" }, { "FILE", "file" },
	{ NULL, NULL } };

int explain_recording(FILE *out, int status)
{
	fprintf(out, "trunkctl recording - recordings of calls\n\n  recording list [N] [call=CALL]   the latest N\n"
		     "  recording save FILE PATH         FILE: as listed\n  recording pause CALL\n  recording resume CALL\n");
	return status;
}

static int usage(void)
{
	return explain_recording(stderr, 2);
}

static int list(const struct place *place, char **words)
{
	JsonObject *params = json_object_new();
	for (; *words; words++) {
		if (g_str_has_prefix(*words, "call="))
			json_object_set_string_member(params, "call", *words + strlen("call="));
		else
			json_object_set_int_member(params, "max", atoi(*words));
	}
	g_autoptr(JsonObject) result = ask(place, "desk", "desk.recordings", params);
	if (!result)
		return 1;
	JsonArray *rows = json_object_get_array_member(result, "recordings");
	if (place->json)
		print_json(result);
	else if (json_array_get_length(rows))
		print_table(rows, columns);
	else
		printf("no recordings\n");
	return 0;
}

/* What the desk has from @at on, appended to @octets. Its size in all; -1 after saying why not. */
static gint64 fetch(const struct place *place, const char *file, gsize at, GByteArray *octets)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "file", file);
	json_object_set_int_member(params, "offset", at);
	g_autoptr(JsonObject) result = ask(place, "desk", "recording.read", params);
	if (!result)
		return -1;
	gsize n;
	g_autofree guchar *piece = g_base64_decode(json_object_get_string_member(result, "octets"), &n);
	g_byte_array_append(octets, piece, n);
	return json_object_get_int_member(result, "size");
}

static int save(const struct place *place, const char *file, const char *path)
{
	g_autoptr(GByteArray) octets = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	gint64 size;
	gsize before;
	do {
		before = octets->len;
		size = fetch(place, file, before, octets);
		if (size < 0)
			return 1;
	} while (octets->len < size && octets->len > before);
	if (octets->len == size && g_file_set_contents(path, (const char *)octets->data, octets->len, &error))
		return 0;
	fprintf(stderr, "trunkctl: %s\n", error ? error->message : "the recording is shorter than the desk says");
	return 1;
}

static int pause_it(const struct place *place, const char *call, bool on)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "call", call);
	json_object_set_boolean_member(params, "on", on);
	g_autoptr(JsonObject) result = ask(place, "desk", "call.record", params);
	return result ? 0 : 1;
}

int run_recording(const struct place *place, char **words)
{
	guint n = g_strv_length(words);
	if (!n || !strcmp(words[0], "list"))
		return list(place, words + (n > 0));
	if (!strcmp(words[0], "save") && n == 3)
		return save(place, words[1], words[2]);
	if (n == 2 && (!strcmp(words[0], "pause") || !strcmp(words[0], "resume")))
		return pause_it(place, words[1], !strcmp(words[0], "resume"));
	return usage();
}
