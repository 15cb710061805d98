/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Out: a mail or a document becomes pages. Parts of an office suite become PDFs first, one after the other. */
#include "faxjob/inside.h"

#include <string.h>

#define PICTURE_WIDTH "600"
#define DAY_US (86400 * (int64_t)G_USEC_PER_SEC)

static void convert(struct fax *fax);

static bool is_mail(const struct fax *fax)
{
	return !g_strcmp0(fax->source_type, "message/rfc822");
}

/* What came by the API. */
static const char *document_name(const struct fax *fax)
{
	const char *slash = fax->source_type ? strchr(fax->source_type, '/') : NULL;
	return slash && slash[1] ? slash + 1 : "the document";
}

/* The document's own fault ends the fax at once; the machine's may pass, but the sender is not to wait for ever. */
static void not_made(struct fax *fax, const GError *error)
{
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)) {
		outgoing_finish(fax, FAX_UNFIT, error->message);
		return;
	}
	g_autofree char *why = g_strdup_printf("this machine could not convert it: %s", error->message);
	if (fax_try_step_again(fax, error->message))
		fax_settle(fax, why, fax->next_utc_us);
	else
		outgoing_finish(fax, FAX_UNFIT, why);
}

static void set_text(char **to, JsonObject *result, const char *member)
{
	const char *text = result ? json_object_get_string_member_with_default(result, member, NULL) : NULL;
	if (text && *text && !*to)
		*to = g_strdup(text);
}

/* ---- the picture, then the commit ---- */

static void on_picture(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	(void)result;
	if (!fax)
		return;
	fax->busy = false;
	if (fax->fsm.state != FAX_CONVERTING)
		return; /* cancelled */
	if (error) {
		not_made(fax, error);
		return;
	}
	int64_t until = fax->faxes->config.keep_days ? tl_clock_utc_us() + fax->faxes->config.keep_days * DAY_US : 0;
	struct tl_blob document = { .size = 0 };
	g_strlcpy(document.sha256, fax->document, sizeof document.sha256);
	fax->picture = g_strdup(blob->sha256);
	struct tl_transaction *t = tl_transaction_new("fax pages");
	tl_blob_keep(t, blob, "image/png", until);
	tl_blob_keep(t, &document, "image/tiff", until);
	tl_store_submit(fax->faxes->config.store, t, NULL, NULL);
	fax_fire(fax, FAX_PAGES_MADE, NULL);
	fax_settle(fax, NULL, MAX(fax->next_utc_us, tl_clock_utc_us()));
	outgoing_look(fax->faxes);
}

static void make_picture(struct fax *fax)
{
	g_autofree char *path = tl_blobs_path(fax->faxes->config.blobs, fax->document);
	tl_papers_run(fax->faxes->config.papers, "picture", (const char *[]){ "--page=1", "--width=" PICTURE_WIDTH, path, NULL }, on_picture,
		      step_new(fax));
}

/* ---- office documents ---- */

static void on_office(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct step *step = user;
	unsigned number = step->number;
	struct fax *fax = step_end(step);
	(void)result;
	if (!fax)
		return;
	fax->busy = false;
	if (error) {
		not_made(fax, error);
		return;
	}
	g_autofree char *path = tl_blobs_path(fax->faxes->config.blobs, blob->sha256);
	g_ptr_array_add(fax->replaced, is_mail(fax) ? g_strdup_printf("--replace=%u=%s", number, path) : g_steal_pointer(&path));
	convert(fax);
}

static void on_part(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct step *step = user;
	struct fax *fax = step_fax(step);
	(void)result;
	if (!fax || error) {
		step_end(step);
		if (fax) {
			fax->busy = false;
			not_made(fax, error);
		}
		return;
	}
	g_autofree char *path = tl_blobs_path(fax->faxes->config.blobs, blob->sha256);
	tl_papers_office(fax->faxes->config.papers, path, step->name, on_office, step);
}

static void take_office_part(struct fax *fax, JsonObject *part)
{
	struct step *step = step_new(fax);
	step->number = json_object_get_int_member(part, "part");
	step->name = g_strdup(json_object_get_string_member(part, "name"));
	g_autofree char *page = g_strdup_printf("--page=%u", step->number);
	g_autofree char *mail = tl_blobs_path(fax->faxes->config.blobs, fax->source);
	tl_papers_run(fax->faxes->config.papers, "part", (const char *[]){ page, mail, NULL }, on_part, step);
}

static void take_office_document(struct fax *fax)
{
	g_autofree char *path = tl_blobs_path(fax->faxes->config.blobs, fax->source);
	fax->busy = true;
	tl_papers_office(fax->faxes->config.papers, path, document_name(fax), on_office, step_new(fax));
}

/* ---- pages ---- */

static void on_pages(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	if (!fax)
		return;
	set_text(&fax->subject, result, "subject");
	if (error) {
		fax->busy = false;
		not_made(fax, error);
		return;
	}
	JsonArray *office = json_object_has_member(result, "office") ? json_object_get_array_member(result, "office") : NULL;
	if (office && json_array_get_length(office)) {
		take_office_part(fax, json_array_get_object_element(office, 0));
		return;
	}
	g_free(fax->document);
	fax->document = g_strdup(blob->sha256);
	fax->pages = json_object_get_int_member(result, "pages");
	make_picture(fax);
}

static void add_value(GPtrArray *arguments, const char *name, const char *value)
{
	g_ptr_array_add(arguments, g_strdup_printf("--value=%s=%s", name, value ? value : ""));
}

static void convert(struct fax *fax)
{
	struct tl_faxes *faxes = fax->faxes;
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *source = tl_blobs_path(faxes->config.blobs, fax->source), *date = letters_fill(fax, "{date}");
	if (faxes->config.standard)
		g_ptr_array_add(arguments, g_strdup("--standard"));
	if (faxes->config.letter)
		g_ptr_array_add(arguments, g_strdup("--letter"));
	if (faxes->body)
		g_ptr_array_add(arguments, g_strdup_printf("--body=%s", faxes->body));
	if (faxes->cover) {
		g_ptr_array_add(arguments, g_strdup_printf("--cover=%s", faxes->cover));
		add_value(arguments, "to", fax->called);
		add_value(arguments, "from", fax->sender);
		add_value(arguments, "subject", fax->subject);
		add_value(arguments, "date", date);
		add_value(arguments, "text", "");
	}
	if (is_mail(fax))
		g_ptr_array_add(arguments, g_strdup_printf("--mail=%s", source));
	else
		g_ptr_array_add(arguments, g_strdup_printf("--name=%s", document_name(fax)));
	for (unsigned i = 0; i < fax->replaced->len; i++)
		g_ptr_array_add(arguments, g_strdup(fax->replaced->pdata[i]));
	if (!is_mail(fax) && !fax->replaced->len)
		g_ptr_array_add(arguments, g_strdup(source));
	g_ptr_array_add(arguments, NULL);
	fax->busy = true;
	tl_papers_run(faxes->config.papers, "fax", (const char *const *)arguments->pdata, on_pages, step_new(fax));
}

void outgoing_convert(struct fax *fax)
{
	if (fax->busy)
		return;
	if (!fax->replaced)
		fax->replaced = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_set_size(fax->replaced, 0);
	if (!is_mail(fax) && tl_paper_is_office(document_name(fax)))
		take_office_document(fax);
	else
		convert(fax);
}
