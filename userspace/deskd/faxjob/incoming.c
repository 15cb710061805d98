/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* In: a box answers, pages arrive by the spool, and become a document and letters in one commit. */
#include "faxjob/inside.h"

#include <string.h>

#define TL_ROOM "fax"
#include "base/log.h"

#define OCR_LIMIT_S 600
#define PICTURE_WIDTH "600"
#define CAUSE_NORMAL 16
#define DAY_US (86400 * (int64_t)G_USEC_PER_SEC)

static void save(struct fax *fax)
{
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_guard(t, fax->faxes->epoch);
	fax_save(fax, t);
	tl_store_submit(fax->faxes->config.store, t, NULL, NULL);
	fax_tell(fax);
}

/* What has come is stored, and its machine done, though a desk may have died before it heard so: nobody is to stay on the line. */
static void clear_line(struct tl_faxes *faxes, const char *id)
{
	struct tl_contact *contact = id ? tl_contacts_find(faxes->config.contacts, id) : NULL;
	if (contact && tl_contact_reachable(contact))
		tl_contact_release(contact, CAUSE_NORMAL);
}

static void on_opened(const struct tl_result *result, const GError *error, void *user)
{
	enum { GUARD, SAVED, READ };
	struct fax *fax = step_end(user);
	if (!fax || error || fax->fsm.state != FAX_RECEIVING)
		return;
	if (!strcmp(tl_result_text(result, READ, 0, 0), fax_state_name(fax))) {
		fax_tell(fax);
		return;
	}
	clear_line(fax->faxes, fax->contact);
	g_hash_table_remove(fax->faxes->open, fax->id); /* its row says more than we know */
}

static void open_fax(struct tl_faxes *faxes, const struct tl_contact_info *info, const char *box)
{
	struct fax *fax = fax_new(faxes, info->id, true);
	fax->box = g_strdup(box);
	fax->contact = g_strdup(info->id);
	g_free(fax->called);
	g_free(fax->calling);
	fax->called = g_strdup(info->called ? info->called : "");
	fax->calling = g_strdup(info->calling ? info->calling : "");
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_guard(t, faxes->epoch);
	fax_save(fax, t);
	tl_transaction_add(t, "SELECT state FROM fax WHERE id = $1", TL_VALUES(tl_text(fax->id)));
	tl_store_submit(faxes->config.store, t, on_opened, step_new(fax));
}

void tl_faxes_receive(struct tl_faxes *faxes, struct tl_contact *contact, const char *name)
{
	struct tl_contact_info info = tl_contact_info(contact);
	const struct box *box = fax_box(faxes, name);
	struct fax *fax = g_hash_table_lookup(faxes->open, info.id);
	if (!box || (fax && fax->fsm.state != FAX_RECEIVING)) {
		tl_contact_release(contact, CAUSE_NORMAL);
		return;
	}
	g_autoptr(JsonObject) options = fax_options(box, false);
	struct tl_contact_fax receive = { .fax = info.id, .options = options, .pages_max = box->pages_max };
	if (!fax)
		open_fax(faxes, &info, name);
	tl_contact_fax(contact, &receive);
}

void incoming_event(struct fax *fax, const char *event, JsonObject *params)
{
	if (!strcmp(event, "fax.page")) {
		fax->pages = fax->pages_done = json_object_get_int_member(params, "page");
	} else {
		const char *ident = json_object_get_string_member_with_default(params, "remote_ident", "");
		if (*ident) {
			g_free(fax->remote_ident);
			fax->remote_ident = g_utf8_make_valid(ident, -1);
		}
		fax->partial |= strcmp(json_object_get_string_member(params, "trouble"), "none") != 0;
		g_free(fax->why);
		fax->why = fax->partial ? g_strdup(json_object_get_string_member(params, "result")) : NULL;
	}
	save(fax);
}

/* The call is over. Pages come by the spool, whenever; without any it was no fax. */
void incoming_over(struct fax *fax)
{
	if (fax->fsm.state != FAX_RECEIVING || fax->pages)
		return;
	g_autofree char *why = g_strdup(fax->why ? fax->why : "the call ended before a page came");
	fax_fire(fax, FAX_UNFIT, NULL);
	fax_settle(fax, why, 0);
}

/* ---- from the spool ---- */

static const char *note(const struct tl_spool_item *item, const char *name)
{
	JsonObject *notes = json_object_has_member(item->meta, "notes") ? json_object_get_object_member(item->meta, "notes") : NULL;
	return notes ? json_object_get_string_member_with_default(notes, name, NULL) : NULL;
}

static const char *box_of(const struct tl_spool_item *item)
{
	JsonObject *tags = json_object_has_member(item->meta, "tags") ? json_object_get_object_member(item->meta, "tags") : NULL;
	const char *step = tags ? json_object_get_string_member_with_default(tags, "step", NULL) : NULL;
	return step && g_str_has_prefix(step, "fax:") ? step + strlen("fax:") : NULL;
}

void tl_faxes_item(struct tl_transaction *t, const struct tl_spool_item *item, void *user)
{
	const char *result = note(item, "result");
	bool partial = item->partial || (result && strcmp(result, "ok"));
	(void)user;
	if (strcmp(item->kind, "fax") || !item->n_parts)
		return;
	/* A desk may have died before it wrote the fax's row, or have missed how it ended. */
	tl_transaction_add(t,
			   "INSERT INTO fax (id, direction, state, partial, box, contact, called, calling, remote_ident, pages, pages_done, why, "
			   "created_utc_us) SELECT $1, 'in', 'converting', $2, $3, $4, coalesce((SELECT called FROM contact WHERE id = $4), ''), "
			   "coalesce((SELECT calling FROM contact WHERE id = $4), ''), $5, $6, $6, $7, $8 WHERE true "
			   "ON CONFLICT (id) DO UPDATE SET state = 'converting', ended_utc_us = NULL, pages = excluded.pages, "
			   "pages_done = excluded.pages, remote_ident = coalesce(fax.remote_ident, excluded.remote_ident), "
			   "partial = CASE WHEN excluded.partial = 1 THEN 1 ELSE fax.partial END, why = coalesce(fax.why, excluded.why)",
			   TL_VALUES(tl_text(item->id), tl_int(partial), tl_text(box_of(item)), tl_text(item->contact),
				     tl_text(note(item, "remote_ident")), tl_int(item->n_parts), tl_text(partial ? result : NULL),
				     tl_int(json_object_get_int_member(item->meta, "begun_utc_us"))));
}

static void on_arrived(const struct tl_result *result, const GError *error, void *user)
{
	struct step *step = user;
	struct tl_faxes *faxes = step->faxes;
	bool reigns = faxes->epoch && step->reign == faxes->reign;
	if (error)
		tl_warning("%s: %s", step->id, error->message);
	struct fax *open = step_end(step);
	if (error || !reigns || !tl_result_rows(result, 0) || (open && open->fsm.state == FAX_CONVERTING))
		return; /* the last: the reign began in between, and has read it */
	struct fax *fax = fax_load(faxes, result, 0, 0);
	fax_tell(fax);
	incoming_deliver(fax);
}

void tl_faxes_stored(const struct tl_spool_item *item, void *user)
{
	struct tl_faxes *faxes = user;
	if (strcmp(item->kind, "fax") || !item->n_parts)
		return;
	struct step *step = g_new0(struct step, 1);
	*step = (struct step){ .faxes = faxes, .id = g_strdup(item->id), .reign = faxes->reign };
	struct tl_transaction *t = tl_transaction_new("fax arrived");
	tl_transaction_add(t, "SELECT " FAX_COLUMNS " FROM fax WHERE id = $1", TL_VALUES(tl_text(item->id)));
	tl_store_submit(faxes->config.store, t, on_arrived, step);
}

/* ---- its document and letters ---- */

static void again_later(struct fax *fax, const GError *error)
{
	fax->busy = false;
	if (fax_try_step_again(fax, error->message))
		return;
	tl_error("%s: %s: its pages are kept, and not delivered yet", fax->id, error->message);
	fax->faults = 0; /* never given up, as nobody else has it */
	fax_try_step_again(fax, error->message);
}

static void on_committed(const struct tl_result *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	(void)result;
	if (!fax)
		return;
	if (error) {
		fax->fsm.state = FAX_CONVERTING;
		again_later(fax, error);
		return;
	}
	tl_notice("%s from %s: %u pages received%s", fax->id, fax->remote_ident ? fax->remote_ident : fax->calling, fax->pages,
		  fax->partial ? ", partial" : "");
	tl_post_look(fax->faxes->config.post);
	fax_tell(fax);
	g_hash_table_remove(fax->faxes->open, fax->id);
}

static void on_picture(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct step *step = user;
	struct fax *fax = step_fax(step);
	(void)result;
	if (!fax) {
		step_end(step);
		return;
	}
	/* A page that cannot be drawn is no reason to keep the fax. */
	int64_t until = fax->faxes->config.keep_days ? tl_clock_utc_us() + fax->faxes->config.keep_days * DAY_US : 0;
	struct tl_transaction *t = tl_transaction_new("fax received");
	struct tl_blob document = { .size = 0 };
	const struct box *box = fax_box(fax->faxes, fax->box);
	g_strlcpy(document.sha256, fax->document, sizeof document.sha256);
	g_clear_pointer(&fax->picture, g_free);
	if (!error) {
		fax->picture = g_strdup(blob->sha256);
		tl_blob_keep(t, blob, "image/png", until);
	}
	tl_blob_keep(t, &document, box && box->tiff ? "image/tiff" : "application/pdf", until);
	fax_fire(fax, FAX_DELIVER, NULL);
	fax->ended_utc_us = tl_clock_utc_us();
	tl_transaction_guard(t, fax->faxes->epoch);
	fax_save(fax, t);
	letters_received(fax, t);
	tl_store_submit(fax->faxes->config.store, t, on_committed, step);
}

static void make_picture(struct fax *fax)
{
	g_autofree char *first = tl_blobs_path(fax->faxes->config.blobs, fax->parts->pdata[0]);
	tl_papers_run(fax->faxes->config.papers, "picture", (const char *[]){ "--page=1", "--width=" PICTURE_WIDTH, first, NULL }, on_picture,
		      step_new(fax));
}

/* The hook has searched the PDF for text; what it did not manage is delivered as it was. */
static void on_searched(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	(void)result;
	if (!fax)
		return;
	if (error) {
		tl_warning("%s: ocr: %s", fax->id, error->message);
	} else {
		g_free(fax->document);
		fax->document = g_strdup(blob->sha256);
	}
	make_picture(fax);
}

static void on_document(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	(void)result;
	if (!fax)
		return;
	if (error) { /* pages that our own node wrote: this is not for good */
		again_later(fax, error);
		return;
	}
	const struct box *box = fax_box(fax->faxes, fax->box);
	g_free(fax->document);
	fax->document = g_strdup(blob->sha256);
	if (box && box->ocr && !box->tiff) {
		g_autofree char *path = tl_blobs_path(fax->faxes->config.blobs, blob->sha256);
		tl_papers_hook(fax->faxes->config.papers, box->ocr, path, OCR_LIMIT_S, on_searched, step_new(fax));
	} else {
		make_picture(fax);
	}
}

static void on_parts(const struct tl_result *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	if (!fax)
		return;
	if (error) {
		again_later(fax, error);
		return;
	}
	const struct box *box = fax_box(fax->faxes, fax->box);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	bool tiff = box && box->tiff;
	g_clear_pointer(&fax->parts, g_ptr_array_unref);
	fax->parts = g_ptr_array_new_with_free_func(g_free);
	if (!tiff)
		g_ptr_array_add(arguments, g_strdup_printf("--title=Fax %s", fax->remote_ident ? fax->remote_ident : fax->calling));
	for (unsigned row = 0; row < tl_result_rows(result, 0); row++) {
		const char *sha256 = tl_result_text(result, 0, row, 0);
		g_ptr_array_add(fax->parts, g_strdup(sha256));
		g_ptr_array_add(arguments, tl_blobs_path(fax->faxes->config.blobs, sha256));
	}
	g_ptr_array_add(arguments, NULL);
	if (fax->parts->len)
		tl_papers_run(fax->faxes->config.papers, tiff ? "fax" : "pdf", (const char *const *)arguments->pdata, on_document, step_new(fax));
}

void incoming_deliver(struct fax *fax)
{
	fax->busy = true;
	clear_line(fax->faxes, fax->contact);
	struct tl_transaction *t = tl_transaction_new("fax pages");
	tl_transaction_add(t, "SELECT p.sha256 FROM spool_item i JOIN spool_part p ON p.node = i.node AND p.item = i.item "
			      "WHERE i.id = $1 AND i.kind = 'fax' ORDER BY i.item, p.name", TL_VALUES(tl_text(fax->id)));
	tl_store_submit(fax->faxes->config.store, t, on_parts, step_new(fax));
}
