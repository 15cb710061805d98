/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Faxes by HTTP: GET /api/faxes, GET /api/fax/ID, its document and pictures, POST /api/faxes?to=NUMBER (the body is the
 * document), POST /api/fax/ID/cancel and /retry.
 */
#include "web/inside.h"

#include <string.h>

struct sending {
	struct tl_web *web;
	struct waiting *waiting;
	GHashTable *form;
	struct tl_blob blob;
};

static GHashTable *form_of(SoupServerMessage *message)
{
	const char *query = g_uri_get_query(soup_server_message_get_uri(message));
	return soup_form_decode(query ? query : "");
}

static void on_done(JsonObject *result, const GError *error, void *user)
{
	static const unsigned codes[] = { [TL_FAX_ERROR_VALUE] = 400, [TL_FAX_ERROR_UNKNOWN] = 404, [TL_FAX_ERROR_STATE] = 409,
					  [TL_FAX_ERROR_STORAGE] = 503, [TL_FAX_ERROR_NOT_CONDUCTOR] = 503 };
	SoupServerMessage *message = http_waiting_message(user);
	if (result)
		http_answer(message, 200, json_object_ref(result));
	else
		http_refuse(message, error->domain == TL_FAXJOB_ERROR ? codes[error->code] : 503, error->message);
	http_waiting_end(user);
}

/* ---- files ---- */

static void on_read(GObject *source, GAsyncResult *result, gpointer user)
{
	SoupServerMessage *message = http_waiting_message(user);
	gsize n;
	char *octets;
	g_autoptr(GError) error = NULL;
	if (g_file_load_contents_finish(G_FILE(source), result, &octets, &n, NULL, &error)) {
		const char *type = g_object_get_data(source, "type");
		http_headers(message);
		soup_message_headers_replace(soup_server_message_get_response_headers(message), "Cache-Control", "private, max-age=3600");
		soup_server_message_set_status(message, 200, NULL);
		soup_server_message_set_response(message, type, SOUP_MEMORY_TAKE, octets, n);
	} else {
		http_refuse(message, 404, "the file is gone");
	}
	http_waiting_end(user);
}

static void on_file(const char *path, const char *type, const GError *error, void *user)
{
	if (error) {
		http_refuse(http_waiting_message(user), error->domain == TL_FAXJOB_ERROR ? 404 : 500, error->message);
		http_waiting_end(user);
		return;
	}
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_object_set_data_full(G_OBJECT(file), "type", g_strdup(type), g_free);
	g_file_load_contents_async(file, NULL, on_read, user);
}

static bool get_file(struct tl_web *web, SoupServerMessage *message, const char *id, const char *what)
{
	guint64 page = 0, width = 864;
	g_autoptr(GHashTable) form = form_of(message);
	const char *wanted = g_hash_table_lookup(form, "width");
	if (wanted && !g_ascii_string_to_unsigned(wanted, 10, 16, 1728, &width, NULL)) {
		http_refuse(message, 400, "width: expected 16 to 1728");
		return true;
	}
	if (g_str_has_prefix(what, "page/") && g_ascii_string_to_unsigned(what + strlen("page/"), 10, 1, 10000, &page, NULL))
		tl_faxes_file(web->faxes, id, "page", page, width, on_file, http_wait(web, message));
	else if (!strcmp(what, "document") || !strcmp(what, "picture"))
		tl_faxes_file(web->faxes, id, what, 0, 0, on_file, http_wait(web, message));
	else
		return false;
	return true;
}

/* ---- sending ---- */

static void sending_end(struct sending *sending)
{
	g_hash_table_unref(sending->form);
	g_free(sending);
}

static void on_row(const struct tl_result *result, const GError *error, void *user)
{
	struct sending *sending = user;
	(void)result;
	if (error) {
		http_refuse(http_waiting_message(sending->waiting), 503, error->message);
		http_waiting_end(sending->waiting);
		sending_end(sending);
		return;
	}
	const char *to = g_hash_table_lookup(sending->form, "to"), *priority = g_hash_table_lookup(sending->form, "priority");
	const char *not_before = g_hash_table_lookup(sending->form, "not_before_utc_us");
	g_auto(GStrv) numbers = g_strsplit(to ? to : "", ",", -1);
	struct tl_fax_request request = {
		.to = (const char *const *)numbers, .sha256 = sending->blob.sha256, .name = g_hash_table_lookup(sending->form, "name"),
		.box = g_hash_table_lookup(sending->form, "box"), .tell = g_hash_table_lookup(sending->form, "tell"),
		.subject = g_hash_table_lookup(sending->form, "subject"), .priority = priority ? g_ascii_strtoull(priority, NULL, 10) : 0,
		.not_before_utc_us = not_before ? g_ascii_strtoll(not_before, NULL, 10) : 0,
	};
	tl_faxes_send(sending->web->faxes, &request, on_done, sending->waiting);
	sending_end(sending);
}

static void on_put(const struct tl_blob *blob, const GError *error, void *user)
{
	struct sending *sending = user;
	if (error) {
		on_row(NULL, error, sending);
		return;
	}
	sending->blob = *blob;
	struct tl_transaction *t = tl_transaction_new("document");
	tl_blob_keep(t, blob, "application/octet-stream", tl_clock_utc_us() + 30 * 86400 * (int64_t)G_USEC_PER_SEC);
	tl_store_submit(sending->web->store, t, on_row, sending);
}

static void post_fax(struct tl_web *web, SoupServerMessage *message)
{
	g_autoptr(GBytes) octets = soup_message_body_flatten(soup_server_message_get_request_body(message));
	if (!g_bytes_get_size(octets)) {
		http_refuse(message, 400, "expected a document as the body, and to=NUMBER[,NUMBER] in the query");
		return;
	}
	struct sending *sending = g_new0(struct sending, 1);
	*sending = (struct sending){ .web = web, .waiting = http_wait(web, message), .form = form_of(message) };
	tl_blobs_put_later(web->blobs, octets, on_put, sending);
}

/* ---- which is it ---- */

static void get_list(struct tl_web *web, SoupServerMessage *message)
{
	guint64 max = 50;
	g_autoptr(GHashTable) form = form_of(message);
	const char *wanted = g_hash_table_lookup(form, "max");
	if (wanted && !g_ascii_string_to_unsigned(wanted, 10, 1, 1000, &max, NULL))
		http_refuse(message, 400, "max: expected 1 to 1000");
	else
		tl_faxes_list(web->faxes, max, g_hash_table_lookup(form, "batch"), g_hash_table_lookup(form, "state"), on_done,
			      http_wait(web, message));
}

bool fax_brings_document(SoupServerMessage *message, const char *path)
{
	return !strcmp(path, "/api/faxes") && !strcmp(soup_server_message_get_method(message), "POST");
}

static bool one_fax(struct tl_web *web, SoupServerMessage *message, const char *rest, bool post)
{
	g_auto(GStrv) parts = g_strsplit(rest, "/", 2);
	if (!post && parts[0] && !parts[1])
		tl_faxes_show(web->faxes, parts[0], on_done, http_wait(web, message));
	else if (!post && parts[0])
		return get_file(web, message, parts[0], parts[1]);
	else if (!g_strcmp0(parts[1], "cancel"))
		tl_faxes_cancel(web->faxes, parts[0], on_done, http_wait(web, message));
	else if (!g_strcmp0(parts[1], "retry"))
		tl_faxes_retry(web->faxes, parts[0], on_done, http_wait(web, message));
	else
		return false;
	return true;
}

bool fax_request(struct tl_web *web, SoupServerMessage *message, const char *path)
{
	bool post = !strcmp(soup_server_message_get_method(message), "POST");
	bool list = !strcmp(path, "/api/faxes"), one = g_str_has_prefix(path, "/api/fax/");
	if ((!list && !one) || (!post && strcmp(soup_server_message_get_method(message), "GET")))
		return false;
	if (post ? !http_may_act(web, message) : !http_may_look(web, message)) {
		http_refuse(message, 401, "log in first");
		return true;
	}
	if (one)
		return one_fax(web, message, path + strlen("/api/fax/"), post);
	if (post)
		post_fax(web, message);
	else
		get_list(web, message);
	return true;
}
