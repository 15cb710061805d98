/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What operators ask for: send, list, show, cancel, retry, and a fax's files. */
#include "faxjob/inside.h"

#include <string.h>

#define TL_ROOM "fax"
#include "base/log.h"

#define NUMBERS_MAX 1000
#define NAME_MAX_CHARACTERS 80

struct request {
	struct tl_faxes *faxes;
	char *id;
	unsigned page, width, n;
	bool anew;
	char *what;
	GPtrArray *ids; /* of a batch; cancel: those that were not asked for before */
	tl_fax_done on_done;
	tl_fax_file on_file;
	void *user;
};

static struct request *request_new(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user)
{
	struct request *request = g_new0(struct request, 1);
	*request = (struct request){ .faxes = faxes, .id = g_strdup(id), .on_done = on_done, .user = user };
	return request;
}

static void request_free(struct request *request)
{
	g_clear_pointer(&request->ids, g_ptr_array_unref);
	g_free(request->what);
	g_free(request->id);
	g_free(request);
}

static void refuse(tl_fax_done on_done, void *user, enum tl_fax_error_code code, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(TL_FAXJOB_ERROR, code, why);
	on_done(NULL, error, user);
}

/* ---- send ---- */

static bool is_number(const char *number)
{
	size_t n = strspn(number + (*number == '+'), "0123456789*#");
	return n && n <= 32 && !number[n + (*number == '+')];
}

static const char *fault_of(struct tl_faxes *faxes, const struct tl_fax_request *request)
{
	if (!request->to || !request->to[0] || g_strv_length((char **)request->to) > NUMBERS_MAX)
		return "to: expected 1 to 1000 numbers";
	for (const char *const *number = request->to; *number; number++) {
		if (!is_number(*number))
			return "to: expected numbers of digits, * and #, with a leading + if any";
		if (outgoing_is_blocked(faxes, *number))
			return "to: faxes to this number are not allowed";
	}
	if (!tl_blob_is_name(request->sha256))
		return "document: expected the SHA-256 of what was uploaded";
	if (request->box && !fax_box(faxes, request->box))
		return "box: expected a fax box that is configured";
	if (request->priority > 9)
		return "priority: expected 1 (first) to 9";
	return NULL;
}

static void on_sent(const struct tl_result *result, const GError *error, void *user)
{
	struct request *request = user;
	g_autoptr(JsonObject) answer = json_object_new();
	JsonArray *array = json_array_new();
	(void)result;
	for (unsigned i = 0; i < request->ids->len; i++) {
		struct fax *fax = g_hash_table_lookup(request->faxes->open, request->ids->pdata[i]);
		if (fax && error) {
			g_hash_table_remove(request->faxes->open, fax->id);
		} else if (fax) {
			json_array_add_object_element(array, fax_json(fax));
			fax_tell(fax);
			outgoing_convert(fax);
		}
	}
	json_object_set_array_member(answer, "faxes", array);
	request->on_done(error ? NULL : answer, error, request->user);
	request_free(request);
}

/* "message/rfc822", or "document/" and what it is called. */
static char *source_type_of(const char *name)
{
	g_autofree char *base = g_path_get_basename(name ? name : ""), *valid = g_utf8_make_valid(base, -1);
	g_autofree char *shown = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), NAME_MAX_CHARACTERS));
	for (char *at = shown; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	return name && g_str_has_suffix(name, ".eml") ? g_strdup("message/rfc822") : g_strconcat("document/", name ? shown : "", NULL);
}

static struct fax *fax_of_request(struct tl_faxes *faxes, const struct tl_fax_request *request, const char *number, const char *batch)
{
	g_autofree char *id = fax_new_id(faxes);
	struct fax *fax = fax_new(faxes, id, false);
	g_free(fax->called);
	fax->called = g_strdup(number);
	fax->box = g_strdup(request->box);
	fax->sender = g_strdup(request->tell);
	fax->subject = g_strdup(request->subject);
	fax->source = g_strdup(request->sha256);
	fax->source_type = source_type_of(request->name);
	fax->batch = g_strdup(batch);
	fax->priority = request->priority ? request->priority : 5;
	fax->next_utc_us = request->not_before_utc_us;
	return fax;
}

void tl_faxes_send(struct tl_faxes *faxes, const struct tl_fax_request *wanted, tl_fax_done on_done, void *user)
{
	const char *fault = fault_of(faxes, wanted);
	if (!faxes->epoch || fault) {
		refuse(on_done, user, fault ? TL_FAX_ERROR_VALUE : TL_FAX_ERROR_NOT_CONDUCTOR, fault ? fault : "this desk is not the conductor");
		return;
	}
	g_autofree char *batch = wanted->to[1] ? fax_new_id(faxes) : NULL;
	if (batch)
		*batch = 'b';
	struct request *request = request_new(faxes, NULL, on_done, user);
	request->ids = g_ptr_array_new_with_free_func(g_free);
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_guard(t, faxes->epoch);
	tl_transaction_add(t, "SELECT 1 FROM blob WHERE sha256 = $1", TL_VALUES(tl_text(wanted->sha256)));
	tl_transaction_expect(t, 1);
	for (const char *const *number = wanted->to; *number; number++) {
		struct fax *fax = fax_of_request(faxes, wanted, *number, batch);
		fax_save(fax, t);
		g_ptr_array_add(request->ids, g_strdup(fax->id));
	}
	tl_store_submit(faxes->config.store, t, on_sent, request);
}

/* ---- list and show ---- */

/* One that was delivered anew is as well as its latest letter. */
#define UNDELIVERED                                                                                                        \
	"(SELECT count(*) FROM delivery d WHERE d.about = fax.id AND d.state IN ('failed', 'bounced') AND NOT EXISTS "     \
	"(SELECT 1 FROM delivery later WHERE later.about = d.about AND later.target = d.target AND later.created_utc_us > d.created_utc_us))"

/* A row as JSON, by way of a fax that is not open. */
static JsonObject *row_json(struct tl_faxes *faxes, const struct tl_result *result, unsigned statement, unsigned row)
{
	struct fax *open = g_hash_table_lookup(faxes->open, tl_result_text(result, statement, row, 0));
	if (open)
		return fax_json(open);
	struct fax *fax = fax_load(faxes, result, statement, row);
	JsonObject *object = fax_json(fax);
	g_hash_table_remove(faxes->open, fax->id);
	return object;
}

static void on_list(const struct tl_result *result, const GError *error, void *user)
{
	struct request *request = user;
	g_autoptr(JsonObject) answer = json_object_new();
	JsonArray *array = json_array_new();
	for (unsigned row = 0; result && row < tl_result_rows(result, 0); row++) {
		JsonObject *fax = row_json(request->faxes, result, 0, row);
		if (tl_result_int(result, 0, row, FAX_COLUMNS_N))
			json_object_set_int_member(fax, "undelivered", tl_result_int(result, 0, row, FAX_COLUMNS_N));
		json_array_add_object_element(array, fax);
	}
	json_object_set_array_member(answer, "faxes", array);
	request->on_done(error ? NULL : answer, error, request->user);
	request_free(request);
}

void tl_faxes_list(struct tl_faxes *faxes, unsigned max, const char *batch, const char *state, tl_fax_done on_done, void *user)
{
	g_autofree char *fault = state ? fax_state_fault(state) : NULL;
	if (fault) {
		refuse(on_done, user, TL_FAX_ERROR_VALUE, fault);
		return;
	}
	struct tl_transaction *t = tl_transaction_new("faxes");
	tl_transaction_add(t, "SELECT " FAX_COLUMNS ", " UNDELIVERED " FROM fax WHERE ($1 IS NULL OR batch = $1) AND ($2 IS NULL OR state = $2) "
			      "ORDER BY created_utc_us DESC, id DESC LIMIT $3", TL_VALUES(tl_text(batch), tl_text(state), tl_int(max)));
	tl_store_submit(faxes->config.store, t, on_list, request_new(faxes, NULL, on_done, user));
}

static void set_cell(JsonObject *object, const char *name, const struct tl_result *result, unsigned statement, unsigned row, unsigned column)
{
	const char *text = tl_result_text(result, statement, row, column);
	int64_t number = tl_result_int(result, statement, row, column);
	if (text)
		json_object_set_string_member(object, name, text);
	else if (number)
		json_object_set_int_member(object, name, number);
}

static JsonArray *rows_json(const struct tl_result *result, unsigned statement, const char *const *names)
{
	JsonArray *array = json_array_new();
	for (unsigned row = 0; row < tl_result_rows(result, statement); row++) {
		JsonObject *object = json_object_new();
		for (unsigned i = 0; names[i]; i++)
			set_cell(object, names[i], result, statement, row, i);
		json_array_add_object_element(array, object);
	}
	return array;
}

static void on_show(const struct tl_result *result, const GError *error, void *user)
{
	static const char *const tries[] = { "number", "first_page", "started_utc_us", "ended_utc_us", "pages", "result", NULL };
	static const char *const pages[] = { "page", "number", "at_utc_us", NULL };
	static const char *const deliveries[] = { "delivery", "kind", "target", "state", "tries", "why", "ended_utc_us", NULL };
	struct request *request = user;
	if (error) {
		request->on_done(NULL, error, request->user);
	} else if (!tl_result_rows(result, 0)) {
		refuse(request->on_done, request->user, TL_FAX_ERROR_UNKNOWN, "unknown fax");
	} else {
		g_autoptr(JsonObject) answer = json_object_new();
		json_object_set_object_member(answer, "fax", row_json(request->faxes, result, 0, 0));
		json_object_set_array_member(answer, "tries", rows_json(result, 1, tries));
		json_object_set_array_member(answer, "pages", rows_json(result, 2, pages));
		json_object_set_array_member(answer, "deliveries", rows_json(result, 3, deliveries));
		request->on_done(answer, NULL, request->user);
	}
	request_free(request);
}

void tl_faxes_show(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user)
{
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_add(t, "SELECT " FAX_COLUMNS " FROM fax WHERE id = $1", TL_VALUES(tl_text(id)));
	tl_transaction_add(t, "SELECT number, first_page, started_utc_us, ended_utc_us, pages, result FROM fax_try WHERE fax = $1 ORDER BY number",
			   TL_VALUES(tl_text(id)));
	tl_transaction_add(t, "SELECT page, number, at_utc_us FROM fax_page WHERE fax = $1 ORDER BY page", TL_VALUES(tl_text(id)));
	tl_transaction_add(t, "SELECT id, kind, target, state, tries, why, ended_utc_us FROM delivery WHERE about = $1 ORDER BY id", TL_VALUES(tl_text(id)));
	tl_store_submit(faxes->config.store, t, on_show, request_new(faxes, id, on_done, user));
}

/* ---- cancel and retry ---- */

/* Stored: from here on it is not sent any more, whichever desk goes on with it. */
static void on_cancel_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct request *request = user;
	g_autoptr(JsonObject) answer = json_object_new();
	(void)result;
	for (unsigned i = 0; i < request->ids->len; i++) { /* one that ends may touch others */
		struct fax *fax = g_hash_table_lookup(request->faxes->open, request->ids->pdata[i]);
		if (!fax)
			continue;
		fax->cancelled = !error;
		if (!error)
			outgoing_cancel(fax);
	}
	if (error)
		outgoing_look(request->faxes);
	json_object_set_int_member(answer, "cancelled", request->n);
	request->on_done(error ? NULL : answer, error, request->user);
	request_free(request);
}

void tl_faxes_cancel(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user)
{
	g_autoptr(GPtrArray) meant = g_ptr_array_new_with_free_func(g_free);
	struct tl_transaction *t = tl_transaction_new("cancel");
	GHashTableIter iter;
	struct fax *fax;
	unsigned n = 0;
	tl_transaction_guard(t, faxes->epoch);
	g_hash_table_iter_init(&iter, faxes->open);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&fax)) {
		if (fax->incoming || (strcmp(fax->id, id) && g_strcmp0(fax->batch, id)))
			continue;
		n++;
		if (fax->cancelled)
			continue;
		fax->cancelled = true;
		tl_transaction_add(t, "UPDATE fax SET cancelled = 1 WHERE id = $1 AND ended_utc_us IS NULL", TL_VALUES(tl_text(fax->id)));
		g_ptr_array_add(meant, g_strdup(fax->id));
	}
	if (!n) {
		tl_transaction_free(t);
		refuse(on_done, user, TL_FAX_ERROR_STATE, faxes->epoch ? "there is no such fax that is still to be sent" : "this desk is not the conductor");
		return;
	}
	struct request *request = request_new(faxes, NULL, on_done, user);
	request->ids = g_steal_pointer(&meant);
	request->n = n;
	tl_store_submit(faxes->config.store, t, on_cancel_stored, request);
}

static void on_retry(const struct tl_result *result, const GError *error, void *user)
{
	struct request *request = user;
	struct tl_faxes *faxes = request->faxes;
	g_autoptr(JsonObject) answer = json_object_new();
	struct fax *fax = NULL;
	if (!error && tl_result_rows(result, 0) && faxes->epoch && !g_hash_table_contains(faxes->open, request->id))
		fax = fax_load(faxes, result, 0, 0);
	if (fax && (fax->fsm.state == FAX_SENT || (fax->incoming && !fax->pages))) {
		g_hash_table_remove(faxes->open, fax->id);
		fax = NULL;
	}
	if (!fax) {
		if (error)
			request->on_done(NULL, error, request->user);
		else
			refuse(request->on_done, request->user, TL_FAX_ERROR_STATE, "there is no such fax that failed, was cancelled or received");
		request_free(request);
		return;
	}
	fax->ended_utc_us = 0;
	fax->cancelled = false;
	fax->tries += fax->incoming; /* out: calls have their own numbers */
	fax->tried = 0;
	fax->without_line_utc_us = 0;
	fax->fsm.state = fax->incoming || !fax->document ? FAX_CONVERTING : FAX_WAITING;
	fax_settle(fax, NULL, tl_clock_utc_us());
	json_object_set_object_member(answer, "fax", fax_json(fax));
	request->on_done(answer, NULL, request->user);
	request_free(request);
	if (fax->incoming)
		incoming_deliver(fax);
	else if (!fax->document)
		outgoing_convert(fax);
	else
		outgoing_look(faxes);
}

void tl_faxes_retry(struct tl_faxes *faxes, const char *id, tl_fax_done on_done, void *user)
{
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_add(t, "SELECT " FAX_COLUMNS " FROM fax WHERE id = $1", TL_VALUES(tl_text(id)));
	tl_store_submit(faxes->config.store, t, on_retry, request_new(faxes, id, on_done, user));
}

/* ---- files ---- */

static void on_drawn(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct request *request = user;
	g_autofree char *path = blob ? tl_blobs_path(request->faxes->config.blobs, blob->sha256) : NULL;
	(void)result;
	request->on_file(path, "image/png", error, request->user); /* without a row it is swept one day */
	request_free(request);
}

static void on_file_row(const struct tl_result *result, const GError *error, void *user)
{
	struct request *request = user;
	struct tl_faxes *faxes = request->faxes;
	bool there = !error && tl_result_rows(result, 0);
	bool incoming = there && !strcmp(tl_result_text(result, 0, 0, 0), "in");
	const char *document = there ? tl_result_text(result, 0, 0, 1) : NULL, *type = there ? tl_result_text(result, 0, 0, 2) : NULL;
	const char *picture = there ? tl_result_text(result, 0, 0, 3) : NULL;
	const char *part = there && request->page && request->page <= tl_result_rows(result, 1) ? tl_result_text(result, 1, request->page - 1, 0) : NULL;
	bool drawn = !strcmp(request->what, "page");
	const char *sha256 = !strcmp(request->what, "picture") ? picture : drawn && incoming ? part : document;
	if (!sha256 || faxes->stopping) {
		g_autoptr(GError) why = g_error_new_literal(TL_FAXJOB_ERROR, TL_FAX_ERROR_UNKNOWN, error ? error->message : "there is no such file");
		request->on_file(NULL, NULL, why, request->user);
		request_free(request);
		return;
	}
	g_autofree char *path = tl_blobs_path(faxes->config.blobs, sha256);
	if (drawn) {
		g_autofree char *page = g_strdup_printf("--page=%u", incoming ? 1 : request->page);
		g_autofree char *width = g_strdup_printf("--width=%u", request->width);
		tl_papers_run(faxes->config.papers, "picture", (const char *[]){ page, width, path, NULL }, on_drawn, request);
		return;
	}
	request->on_file(path, !strcmp(request->what, "picture") ? "image/png" : type ? type : "application/octet-stream", NULL, request->user);
	request_free(request);
}

void tl_faxes_file(struct tl_faxes *faxes, const char *id, const char *what, unsigned page, unsigned width, tl_fax_file on_done, void *user)
{
	if (faxes->stopping) {
		g_autoptr(GError) why = g_error_new_literal(TL_FAXJOB_ERROR, TL_FAX_ERROR_STATE, "the desk stops");
		on_done(NULL, NULL, why, user);
		return;
	}
	struct request *request = request_new(faxes, id, NULL, user);
	request->on_file = on_done;
	request->what = g_strdup(what);
	request->page = page;
	request->width = width;
	struct tl_transaction *t = tl_transaction_new("fax file");
	tl_transaction_add(t, "SELECT f.direction, f.document, b.type, f.picture FROM fax f LEFT JOIN blob b ON b.sha256 = f.document WHERE f.id = $1",
			   TL_VALUES(tl_text(id)));
	tl_transaction_add(t, "SELECT p.sha256 FROM spool_item i JOIN spool_part p ON p.node = i.node AND p.item = i.item "
			      "WHERE i.id = $1 AND i.kind = 'fax' ORDER BY i.item, p.name", TL_VALUES(tl_text(id)));
	tl_store_submit(faxes->config.store, t, on_file_row, request);
}
