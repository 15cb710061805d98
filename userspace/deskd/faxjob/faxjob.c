/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Settings copied, reigns begun and ended, events sent to the fax they belong to. */
#include "faxjob/inside.h"

#include <string.h>

#include "base/thread.h"

#define TL_ROOM "fax"
#include "base/log.h"

static void box_free(void *data)
{
	struct box *box = data;
	char *texts[] = { box->name, box->ident, box->header, box->header_zone, box->number, box->subject, box->text, box->ocr };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_strfreev(box->deliver);
	g_free(box);
}

static void sender_free(void *data)
{
	struct sender *sender = data;
	g_strfreev(sender->addresses);
	g_free(sender->token);
	g_free(sender->box);
	g_free(sender);
}

static void line_clear(void *data)
{
	struct line *line = data;
	g_free(line->name);
	g_free(line->to);
	g_strfreev(line->prefixes);
}

void line_unref(struct line *line)
{
	g_rc_box_release_full(line, line_clear);
}

static char **copy(const char *const *list)
{
	return list ? g_strdupv((char **)list) : g_new0(char *, 1);
}

/* One that is known already stays the same, with the faxes that hold it. (transfer full) */
static struct line *line_of(GPtrArray *known, const struct tl_fax_line *from)
{
	struct line *line = NULL;
	for (unsigned i = 0; i < known->len && !line; i++)
		if (!strcmp(((struct line *)known->pdata[i])->name, from->name))
			line = g_rc_box_acquire(known->pdata[i]);
	if (line)
		line_clear(line);
	else
		line = g_rc_box_new0(struct line);
	*line = (struct line){ g_strdup(from->name), g_strdup(from->to), copy(from->prefixes), from->lines, line->busy };
	return line;
}

static void copy_settings(struct tl_faxes *faxes, const struct tl_faxes_config *config)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify)line_unref);
	faxes->boxes = g_ptr_array_new_with_free_func(box_free);
	faxes->senders = g_ptr_array_new_with_free_func(sender_free);
	for (unsigned i = 0; i < config->n_boxes; i++) {
		const struct tl_fax_box *from = &config->boxes[i];
		struct box *box = g_new(struct box, 1);
		*box = (struct box){ g_strdup(from->name), g_strdup(from->ident), g_strdup(from->header), g_strdup(from->header_zone),
				     g_strdup(from->number), g_strdup(from->subject), g_strdup(from->text), g_strdup(from->ocr),
				     copy(from->deliver), from->tiff, from->no_ecm, from->pages_max };
		g_ptr_array_add(faxes->boxes, box);
	}
	for (unsigned i = 0; i < config->n_senders; i++) {
		const struct tl_fax_sender *from = &config->senders[i];
		struct sender *sender = g_new(struct sender, 1);
		*sender = (struct sender){ copy(from->addresses), g_strdup(from->token), g_strdup(from->box), from->priority };
		g_ptr_array_add(faxes->senders, sender);
	}
	for (unsigned i = 0; i < config->n_lines; i++) {
		const struct tl_fax_line *from = &config->lines[i];
		g_ptr_array_add(lines, line_of(faxes->lines, from));
	}
	g_ptr_array_unref(faxes->lines);
	faxes->lines = lines;
}

static void on_due(void *user)
{
	outgoing_look(user);
}

static void drop_settings(struct tl_faxes *faxes)
{
	char **texts[] = { &faxes->name, &faxes->mail_from, &faxes->quiet, &faxes->zone, &faxes->cover, &faxes->body };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_clear_pointer(texts[i], g_free);
	g_clear_pointer(&faxes->domains, g_strfreev);
	g_clear_pointer(&faxes->block, g_strfreev);
	g_clear_pointer(&faxes->boxes, g_ptr_array_unref);
	g_clear_pointer(&faxes->senders, g_ptr_array_unref);
}

void tl_faxes_configure(struct tl_faxes *faxes, const struct tl_faxes_config *config)
{
	tl_assert_main();
	drop_settings(faxes);
	faxes->config = *config; /* its pointers to settings are not used after this */
	faxes->name = g_strdup(config->name);
	faxes->mail_from = g_strdup(config->mail_from);
	faxes->quiet = g_strdup(config->quiet);
	faxes->zone = g_strdup(config->zone);
	faxes->cover = g_strdup(config->cover);
	faxes->body = g_strdup(config->body);
	faxes->domains = copy(config->domains);
	faxes->block = copy(config->block);
	copy_settings(faxes, config);
	outgoing_look(faxes);
}

struct tl_faxes *tl_faxes_new(const struct tl_faxes_config *config, tl_fax_changed on_changed, void *user)
{
	struct tl_faxes *faxes = g_new0(struct tl_faxes, 1);
	faxes->on_changed = on_changed;
	faxes->user = user;
	faxes->lines = g_ptr_array_new();
	faxes->open = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, fax_free);
	faxes->due = tl_timer_new("faxes", on_due, faxes);
	tl_faxes_configure(faxes, config);
	return faxes;
}

void tl_faxes_free(struct tl_faxes *faxes)
{
	if (!faxes)
		return;
	tl_faxes_end(faxes);
	g_hash_table_unref(faxes->open);
	g_ptr_array_unref(faxes->lines);
	drop_settings(faxes);
	tl_timer_free(faxes->due);
	g_free(faxes);
}

void tl_faxes_stop(struct tl_faxes *faxes)
{
	tl_faxes_end(faxes);
	faxes->stopping = true;
}

const char *tl_faxes_alarm(const struct tl_faxes *faxes)
{
	return faxes->stopping ? NULL : tl_papers_alarm(faxes->config.papers);
}

/* ---- the reign ---- */

static void resume(struct tl_faxes *faxes, const struct tl_result *result, unsigned row)
{
	enum { HAS_CONTACT = FAX_COLUMNS_N, ENDED, CAUSE };
	struct fax *fax = fax_load(faxes, result, 0, row);
	if (fax->incoming) {
		if (fax->fsm.state == FAX_CONVERTING)
			incoming_deliver(fax);
		else if (tl_result_int(result, 0, row, ENDED))
			incoming_over(fax); /* its item may still come */
	} else if (fax->cancelled && (fax->fsm.state == FAX_CONVERTING || fax->fsm.state == FAX_WAITING)) {
		outgoing_cancel(fax);
	} else if (fax->fsm.state == FAX_CONVERTING) {
		outgoing_convert(fax);
	} else {
		outgoing_resume(fax, tl_result_int(result, 0, row, HAS_CONTACT), tl_result_int(result, 0, row, ENDED),
				tl_result_int(result, 0, row, CAUSE));
	}
}

static void on_loaded(const struct tl_result *result, const GError *error, void *user)
{
	struct tl_faxes *faxes = user;
	if (--faxes->loading || !faxes->epoch)
		return;
	if (error) {
		tl_error("open faxes: %s", error->message);
		return;
	}
	for (unsigned row = 0; row < tl_result_rows(result, 0); row++)
		resume(faxes, result, row);
	outgoing_look(faxes);
}

void tl_faxes_begin(struct tl_faxes *faxes, int64_t epoch)
{
	tl_faxes_end(faxes);
	faxes->epoch = epoch;
	faxes->reign++;
	faxes->loading++;
	struct tl_transaction *t = tl_transaction_new("open faxes");
	tl_transaction_add(t, "SELECT f.id, f.direction, f.state, f.partial, f.box, f.contact, f.called, f.calling, f.remote_ident, f.sender, "
			      "f.subject, f.source, f.source_type, f.document, f.picture, f.pages, "
			      "CASE f.direction WHEN 'in' THEN f.pages_done ELSE (SELECT coalesce(max(p.page), 0) FROM fax_page p WHERE p.fax = f.id) END, "
			      "f.batch, f.priority, f.tries, f.next_utc_us, f.why, f.created_utc_us, f.ended_utc_us, f.cancelled, "
			      "f.tried, f.without_line_utc_us, c.id IS NOT NULL, c.ended_utc_us IS NOT NULL, c.cause "
			      "FROM fax f LEFT JOIN contact c ON c.id = f.contact WHERE f.ended_utc_us IS NULL", TL_VALUES());
	tl_store_submit(faxes->config.store, t, on_loaded, faxes);
}

void tl_faxes_end(struct tl_faxes *faxes)
{
	faxes->epoch = 0;
	tl_timer_stop(faxes->due);
	g_hash_table_remove_all(faxes->open);
}

/* ---- events ---- */

void tl_faxes_answered(struct tl_faxes *faxes, struct tl_contact *contact)
{
	struct fax *fax = fax_of_contact(faxes, tl_contact_info(contact).id);
	if (fax && !fax->incoming && !fax->cancelled && (fax->fsm.state == FAX_CALLING || fax->fsm.state == FAX_SENDING))
		outgoing_answered(fax, contact);
	else
		tl_contact_release(contact, 16); /* cancelled meanwhile */
}

/* Calls whose faxes were cancelled while nobody could tell their node, or by a desk that died. */
void tl_faxes_reachable(struct tl_faxes *faxes)
{
	GHashTableIter iter;
	struct fax *fax;
	g_hash_table_iter_init(&iter, faxes->open);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&fax))
		if (fax->cancelled && (fax->fsm.state == FAX_CALLING || fax->fsm.state == FAX_SENDING))
			outgoing_cancel(fax);
}

void tl_faxes_event(struct tl_faxes *faxes, const char *id, const char *event, JsonObject *params)
{
	struct fax *fax = fax_of_contact(faxes, id);
	if (!fax)
		return;
	if (!strcmp(event, "fax.negotiated")) {
		g_free(fax->remote_ident);
		fax->remote_ident = g_utf8_make_valid(json_object_get_string_member(params, "remote_ident"), -1);
		fax->bit_rate = json_object_get_int_member(params, "bit_rate");
		fax_tell(fax);
	} else if (fax->incoming) {
		incoming_event(fax, event, params);
	} else {
		outgoing_event(fax, event, params);
	}
}

void tl_faxes_fact(struct tl_faxes *faxes, JsonObject *fact)
{
	const char *kind = json_object_get_string_member(fact, "fact");
	if (!strcmp(kind, "fax-page"))
		tl_faxes_event(faxes, json_object_get_string_member(fact, "fax"), "fax.page", fact);
	else if (!strcmp(kind, "fax-ended"))
		tl_faxes_event(faxes, json_object_get_string_member(fact, "fax"), "fax.ended", fact);
}

void tl_faxes_over(struct tl_faxes *faxes, struct tl_contact *contact)
{
	struct tl_contact_info info = tl_contact_info(contact);
	struct fax *fax = fax_of_contact(faxes, info.id);
	if (fax && fax->incoming)
		incoming_over(fax);
	else if (fax && (fax->fsm.state == FAX_CALLING || fax->fsm.state == FAX_SENDING))
		outgoing_over(fax, info.cause);
}
