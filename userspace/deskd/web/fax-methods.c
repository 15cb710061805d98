/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes over the control socket. A document comes in pieces, as a message of the protocol is short. */
#include "web/inside.h"

#include <string.h>

#define UPLOADS_MAX 8

static JsonNode *node_of(JsonObject *object)
{
	return json_node_init_object(json_node_alloc(), object);
}

static void refuse(struct tl_control_reply *reply, int code, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(TL_CONTROL_ERROR, code, why);
	tl_control_reply_error(reply, error);
}

static void on_done(JsonObject *result, const GError *error, void *user)
{
	static const int codes[] = { [TL_FAX_ERROR_VALUE] = TL_CONTROL_INVALID_PARAMS, [TL_FAX_ERROR_UNKNOWN] = TL_CONTROL_UNKNOWN,
				     [TL_FAX_ERROR_STATE] = TL_CONTROL_STATE, [TL_FAX_ERROR_STORAGE] = TL_CONTROL_STORAGE,
				     [TL_FAX_ERROR_NOT_CONDUCTOR] = TL_CONTROL_NOT_CONDUCTOR };
	if (!error)
		tl_control_reply_result(user, node_of(result));
	else if (error->domain == TL_FAXJOB_ERROR)
		refuse(user, codes[error->code], error->message);
	else
		refuse(user, TL_CONTROL_STORAGE, error->message);
}

static const char *text(JsonObject *params, const char *member)
{
	return json_object_get_string_member_with_default(params, member, NULL);
}

/* ---- documents ---- */

struct uploaded {
	struct tl_web *web;
	struct tl_control_reply *reply;
	struct tl_blob blob;
};

static void on_row(const struct tl_result *result, const GError *error, void *user)
{
	struct uploaded *uploaded = user;
	(void)result;
	if (error) {
		refuse(uploaded->reply, TL_CONTROL_STORAGE, error->message);
	} else {
		g_autoptr(JsonObject) answer = json_object_new();
		json_object_set_int_member(answer, "size", uploaded->blob.size);
		json_object_set_string_member(answer, "document", uploaded->blob.sha256);
		tl_control_reply_result(uploaded->reply, node_of(answer));
	}
	g_free(uploaded);
}

static void on_put(const struct tl_blob *blob, const GError *error, void *user)
{
	struct uploaded *uploaded = user;
	if (error) {
		refuse(uploaded->reply, TL_CONTROL_STORAGE, error->message);
		g_free(uploaded);
		return;
	}
	uploaded->blob = *blob;
	struct tl_transaction *t = tl_transaction_new("document");
	tl_blob_keep(t, blob, "application/octet-stream", tl_clock_utc_us() + 30 * 86400 * (int64_t)G_USEC_PER_SEC);
	tl_store_submit(uploaded->web->store, t, on_row, uploaded);
}

static void upload(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	const char *id = text(params, "upload");
	GByteArray *octets = g_hash_table_lookup(web->uploads, id);
	gsize n;
	g_autofree guchar *piece = g_base64_decode(text(params, "octets"), &n);
	if (!octets && g_hash_table_size(web->uploads) >= UPLOADS_MAX)
		g_hash_table_remove_all(web->uploads); /* of clients that never ended theirs */
	if (!octets) {
		octets = g_byte_array_new();
		g_hash_table_insert(web->uploads, g_strdup(id), octets);
	}
	if (octets->len + n > FAX_DOCUMENT_MAX_OCTETS) {
		g_hash_table_remove(web->uploads, id);
		refuse(reply, TL_CONTROL_INVALID_PARAMS, "octets: the document is too large");
		return;
	}
	g_byte_array_append(octets, piece, n);
	if (!json_object_get_boolean_member_with_default(params, "last", FALSE)) {
		g_autoptr(JsonObject) answer = json_object_new();
		json_object_set_int_member(answer, "size", octets->len);
		tl_control_reply_result(reply, node_of(answer));
		return;
	}
	g_autoptr(GBytes) whole = g_byte_array_free_to_bytes(g_byte_array_ref(octets));
	g_hash_table_remove(web->uploads, id);
	struct uploaded *uploaded = g_new0(struct uploaded, 1);
	*uploaded = (struct uploaded){ .web = web, .reply = reply };
	tl_blobs_put_later(web->blobs, whole, on_put, uploaded);
}

/* ---- the others ---- */

static void send(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	JsonArray *numbers = json_object_get_array_member(params, "to");
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	for (unsigned i = 0; i < json_array_get_length(numbers); i++)
		g_ptr_array_add(to, (char *)json_array_get_string_element(numbers, i));
	g_ptr_array_add(to, NULL);
	struct tl_fax_request request = {
		.to = (const char *const *)to->pdata, .sha256 = text(params, "document"), .name = text(params, "name"), .box = text(params, "box"),
		.tell = text(params, "tell"), .subject = text(params, "subject"),
		.priority = json_object_get_int_member_with_default(params, "priority", 0),
		.not_before_utc_us = json_object_get_int_member_with_default(params, "not_before_utc_us", 0),
	};
	tl_faxes_send(web->faxes, &request, on_done, reply);
}

static void list(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	tl_faxes_list(web->faxes, json_object_get_int_member_with_default(params, "max", 50), text(params, "batch"), text(params, "state"), on_done,
		      reply);
}

static void show(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	tl_faxes_show(web->faxes, text(params, "fax"), on_done, reply);
}

static void cancel(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	tl_faxes_cancel(web->faxes, text(params, "fax"), on_done, reply);
}

static void retry(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply)
{
	tl_faxes_retry(web->faxes, text(params, "fax"), on_done, reply);
}

bool fax_method(struct tl_web *web, const char *method, JsonObject *params, struct tl_control_reply *reply)
{
	static const struct {
		const char *name;
		void (*handle)(struct tl_web *web, JsonObject *params, struct tl_control_reply *reply);
	} methods[] = { { "fax.upload", upload }, { "fax.send", send },	    { "fax.list", list },
			{ "fax.show", show },	  { "fax.cancel", cancel }, { "fax.retry", retry } };
	for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
		if (!strcmp(methods[i].name, method)) {
			methods[i].handle(web, params, reply);
			return true;
		}
	return false;
}
