/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Recordings: GET /api/recordings, GET /api/recording/SHA256 (the audio), and the same over the control socket, where the
 * audio comes in pieces. An agent gets those of its own calls, who has an operator's token all of them.
 */
#include "web/inside.h"

#include <string.h>

#include "archive/archive.h"

#define PIECE_OCTETS 600000 /* base64 makes it a third more */

static JsonObject *view(const struct tl_recording *recording)
{
	JsonObject *object = json_object_new();
	const struct { const char *name, *value; } texts[] = {
		{ "recording", recording->id }, { "call", recording->call }, { "agent", recording->agent }, { "queue", recording->queue },
		{ "calling", recording->calling }, { "called", recording->called }, { "name", recording->name }, { "file", recording->sha256 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		if (texts[i].value)
			json_object_set_string_member(object, texts[i].name, texts[i].value);
	json_object_set_int_member(object, "size", recording->size);
	json_object_set_int_member(object, "begun_utc_us", recording->begun_utc_us);
	if (recording->ended_utc_us)
		json_object_set_int_member(object, "ended_utc_us", recording->ended_utc_us);
	json_object_set_boolean_member(object, "partial", recording->partial);
	return object;
}

static JsonObject *view_all(const struct tl_recording *all, unsigned n)
{
	JsonObject *object = json_object_new();
	JsonArray *array = json_array_new();
	for (unsigned i = 0; i < n; i++)
		json_array_add_object_element(array, view(&all[i]));
	json_object_set_array_member(object, "recordings", array);
	return object;
}

static const char *type_of(const char *name)
{
	return g_str_has_suffix(name, ".opus") ? "audio/ogg" : "audio/wav";
}

/* ---- HTTP ---- */

static void on_list(const struct tl_recording *all, unsigned n, const GError *error, void *user)
{
	if (error)
		http_refuse(http_waiting_message(user), 503, error->message);
	else
		http_answer(http_waiting_message(user), 200, view_all(all, n));
	http_waiting_end(user);
}

static void on_loaded(GObject *source, GAsyncResult *result, gpointer user)
{
	SoupServerMessage *message = http_waiting_message(user);
	gsize n;
	char *octets;
	if (g_file_load_contents_finish(G_FILE(source), result, &octets, &n, NULL, NULL)) {
		http_headers(message);
		soup_server_message_set_status(message, 200, NULL);
		soup_server_message_set_response(message, g_object_get_data(source, "type"), SOUP_MEMORY_TAKE, octets, n);
	} else {
		http_refuse(message, 404, "the file is gone");
	}
	http_waiting_end(user);
}

struct fetching {
	struct tl_web *web;
	struct waiting *waiting;
};

static void on_found(const struct tl_recording *all, unsigned n, const GError *error, void *user)
{
	g_autofree struct fetching *fetching = user;
	if (error || !n) {
		http_refuse(http_waiting_message(fetching->waiting), error ? 503 : 404, error ? error->message : "no such recording");
		http_waiting_end(fetching->waiting);
		return;
	}
	g_autofree char *path = tl_blobs_path(fetching->web->blobs, all[0].sha256);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_object_set_data(G_OBJECT(file), "type", (char *)type_of(all[0].name));
	g_file_load_contents_async(file, NULL, on_loaded, fetching->waiting);
}

static void get_list(struct tl_web *web, SoupServerMessage *message, const char *agent)
{
	const char *query = g_uri_get_query(soup_server_message_get_uri(message));
	g_autoptr(GHashTable) form = soup_form_decode(query ? query : "");
	const char *wanted = g_hash_table_lookup(form, "max");
	guint64 max = 50;
	if (wanted && !g_ascii_string_to_unsigned(wanted, 10, 1, 1000, &max, NULL)) {
		http_refuse(message, 400, "max: expected 1 to 1000");
		return;
	}
	const struct tl_recording_filter filter = { .max = max, .agent = agent, .call = g_hash_table_lookup(form, "call") };
	tl_archive_recordings(web->store, &filter, on_list, http_wait(web, message));
}

bool recordings_request(struct tl_web *web, SoupServerMessage *message, const char *path)
{
	const char *prefix = "/api/recording/", *agent = http_agent(web, message);
	bool list = !strcmp(path, "/api/recordings");
	if (strcmp(soup_server_message_get_method(message), "GET") || (!list && !g_str_has_prefix(path, prefix)))
		return false;
	if (!http_may_act(web, message)) {
		http_refuse(message, 401, "log in first");
	} else if (list) {
		get_list(web, message, agent);
	} else if (tl_blob_is_name(path + strlen(prefix))) {
		const struct tl_recording_filter filter = { .max = 1, .agent = agent, .sha256 = path + strlen(prefix) };
		struct fetching *fetching = g_new(struct fetching, 1);
		*fetching = (struct fetching){ web, http_wait(web, message) };
		tl_archive_recordings(web->store, &filter, on_found, fetching);
	} else {
		http_refuse(message, 404, "expected a file's SHA-256");
	}
	return true;
}

/* ---- the control socket ---- */

static void refuse(struct tl_control_reply *reply, int code, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(TL_CONTROL_ERROR, code, why);
	tl_control_reply_error(reply, error);
}

static void reply_with(struct tl_control_reply *reply, JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	tl_control_reply_result(reply, node);
}

static void on_listed(const struct tl_recording *all, unsigned n, const GError *error, void *user)
{
	if (error)
		refuse(user, TL_CONTROL_STORAGE, error->message);
	else
		reply_with(user, view_all(all, n));
}

struct reading {
	struct tl_web *web;
	struct tl_control_reply *reply;
	int64_t offset, size;
};

static void on_piece(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autofree struct reading *reading = user;
	g_autoptr(GBytes) octets = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, NULL);
	if (!octets) {
		refuse(reading->reply, TL_CONTROL_STORAGE, "the file cannot be read");
		return;
	}
	JsonObject *object = json_object_new();
	g_autofree char *text = g_base64_encode(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
	json_object_set_string_member(object, "octets", text);
	json_object_set_int_member(object, "size", reading->size);
	reply_with(reading->reply, object);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer user)
{
	struct reading *reading = user;
	g_autoptr(GFileInputStream) stream = g_file_read_finish(G_FILE(source), result, NULL);
	if (stream && g_seekable_seek(G_SEEKABLE(stream), reading->offset, G_SEEK_SET, NULL, NULL)) {
		g_input_stream_read_bytes_async(G_INPUT_STREAM(stream), PIECE_OCTETS, G_PRIORITY_DEFAULT, NULL, on_piece, reading);
		return;
	}
	refuse(reading->reply, TL_CONTROL_UNKNOWN, "the file is gone");
	g_free(reading);
}

static void on_wanted(const struct tl_recording *all, unsigned n, const GError *error, void *user)
{
	struct reading *reading = user;
	if (error || !n) {
		refuse(reading->reply, error ? TL_CONTROL_STORAGE : TL_CONTROL_UNKNOWN, error ? error->message : "no such recording");
		g_free(reading);
		return;
	}
	g_autofree char *path = tl_blobs_path(reading->web->blobs, all[0].sha256);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	reading->size = all[0].size;
	g_file_read_async(file, G_PRIORITY_DEFAULT, NULL, on_opened, reading);
}

bool recordings_method(struct tl_web *web, const char *method, JsonObject *params, struct tl_control_reply *reply)
{
	if (!strcmp(method, "desk.recordings")) {
		const struct tl_recording_filter filter = { .max = json_object_get_int_member_with_default(params, "max", 50),
							    .call = json_object_get_string_member_with_default(params, "call", NULL) };
		tl_archive_recordings(web->store, &filter, on_listed, reply);
		return true;
	}
	if (strcmp(method, "recording.read"))
		return false;
	const struct tl_recording_filter filter = { .max = 1, .sha256 = json_object_get_string_member(params, "file") };
	struct reading *reading = g_new0(struct reading, 1);
	*reading = (struct reading){ .web = web, .reply = reply, .offset = json_object_get_int_member_with_default(params, "offset", 0) };
	tl_archive_recordings(web->store, &filter, on_wanted, reading);
	return true;
}
