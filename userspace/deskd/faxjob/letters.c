/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What is told of a fax: to whom a box delivers, and to who sent one. */
#include "faxjob/inside.h"

#include <string.h>

#define SUBJECT "Fax from {from}, {pages} pages{note}"
#define TEXT "A fax has come.\n\nFrom:   {from}\nTo:     {to}\nDate:   {date}\nPages:  {pages}{note}\nNumber: {id}\n"

static const char *from_of(const struct fax *fax)
{
	if (!fax->incoming)
		return fax->sender ? fax->sender : "";
	return fax->remote_ident && *fax->remote_ident ? fax->remote_ident : *fax->calling ? fax->calling : "unknown";
}

static char *date_of(const struct fax *fax)
{
	const char *name = fax->faxes->zone;
	g_autoptr(GTimeZone) zone = name ? g_time_zone_new_identifier(name) : g_time_zone_new_local();
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(fax->created_utc_us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) local = zone ? g_date_time_to_timezone(utc, zone) : g_date_time_to_local(utc);
	return g_date_time_format(local, "%Y-%m-%d %H:%M %Z");
}

char *letters_fill(struct fax *fax, const char *template)
{
	g_autofree char *date = date_of(fax), *pages = g_strdup_printf("%u", fax->pages);
	g_autofree char *note = fax->partial ? g_strdup_printf(" (INCOMPLETE: %s)", fax->why ? fax->why : "the transmission broke off") : g_strdup("");
	const struct { const char *name, *value; } values[] = {
		{ "{from}", from_of(fax) }, { "{to}", fax->called }, { "{pages}", pages }, { "{ident}", fax->remote_ident ? fax->remote_ident : "" },
		{ "{date}", date }, { "{id}", fax->id }, { "{note}", note }, { "{calling}", fax->calling }, { "\\n", "\n" } };
	GString *text = g_string_new(NULL);
	for (const char *at = template; *at;) {
		bool found = false;
		for (unsigned i = 0; i < G_N_ELEMENTS(values) && !found; i++)
			if (g_str_has_prefix(at, values[i].name)) {
				g_string_append(text, values[i].value);
				at += strlen(values[i].name);
				found = true;
			}
		if (!found)
			g_string_append_c(text, *at++);
	}
	return g_string_free(text, FALSE);
}

JsonObject *fax_options(const struct box *box, bool sending)
{
	JsonObject *options = json_object_new();
	if (!box)
		return options;
	if (box->ident)
		json_object_set_string_member(options, "ident", box->ident);
	if (sending && box->header)
		json_object_set_string_member(options, "header", box->header);
	if (sending && box->header_zone)
		json_object_set_string_member(options, "header_zone", box->header_zone);
	if (box->no_ecm)
		json_object_set_boolean_member(options, "ecm", FALSE);
	return options;
}

static enum tl_delivery_kind kind_of(const char *deliver, const char **target)
{
	*target = deliver;
	if (g_str_has_prefix(deliver, "mail:"))
		*target = deliver + strlen("mail:");
	else if (g_str_has_prefix(deliver, "dir:"))
		*target = deliver + strlen("dir:");
	else
		return TL_DELIVERY_WEBHOOK;
	return g_str_has_prefix(deliver, "mail:") ? TL_DELIVERY_MAIL : TL_DELIVERY_DIRECTORY;
}

void letters_received(struct fax *fax, struct tl_transaction *t)
{
	const struct box *box = fax_box(fax->faxes, fax->box);
	if (!box)
		return;
	g_autofree char *subject = letters_fill(fax, box->subject ? box->subject : SUBJECT);
	g_autofree char *text = letters_fill(fax, box->text ? box->text : TEXT);
	g_autofree char *name = g_strdup_printf("fax-%s.%s", fax->id, box->tiff ? "tif" : "pdf");
	g_autoptr(JsonObject) facts = fax_json(fax);
	struct tl_attachment attachment = { fax->document, name, box->tiff ? "image/tiff" : "application/pdf" };
	for (unsigned i = 0; box->deliver[i]; i++) {
		g_autofree char *number = g_strdup_printf("%u-%u", fax->tries, i + 1); /* tries: delivered anew on request */
		struct tl_letter letter = { .about = fax->id, .number = number, .from = fax->faxes->mail_from, .subject = subject, .text = text,
					    .facts = facts, .attachments = &attachment, .n_attachments = 1 };
		letter.kind = kind_of(box->deliver[i], &letter.target);
		tl_post_add(t, &letter);
	}
}

static char *result_subject(const struct fax *fax)
{
	if (fax->fsm.state == FAX_SENT)
		return g_strdup_printf("Fax to %s: sent, %u page%s", fax->called, fax->pages, fax->pages == 1 ? "" : "s");
	if (!fax->pages)
		return g_strdup_printf("Fax to %s: NOT sent", fax->called);
	return g_strdup_printf("Fax to %s: NOT sent, %u of %u pages arrived", fax->called, fax->pages_done, fax->pages);
}

static char *result_text(struct fax *fax)
{
	GString *text = g_string_new(NULL);
	g_autofree char *date = letters_fill(fax, "{date}");
	bool named = fax->remote_ident && *fax->remote_ident;
	g_string_append_printf(text, "To:      %s%s%s%s\n", fax->called, named ? " (" : "", named ? fax->remote_ident : "", named ? ")" : "");
	if (fax->subject && *fax->subject)
		g_string_append_printf(text, "Subject: %s\n", fax->subject);
	g_string_append_printf(text, "Given:   %s\nTries:   %u\nResult:  %s%s%s\n", date, fax->tries, fax_state_name(fax), fax->why ? ": " : "",
			       fax->why ? fax->why : "");
	if (fax->pages)
		g_string_append_c(text, '\n');
	for (unsigned page = 1; page <= fax->pages; page++)
		g_string_append_printf(text, "Page %u: %s\n", page, page <= fax->pages_done ? "confirmed by the other side" : "not confirmed");
	g_string_append_printf(text, "\nNumber: %s\n", fax->id);
	return g_string_free(text, FALSE);
}

void letters_result(struct fax *fax, struct tl_transaction *t)
{
	if (!fax->sender || !*fax->sender)
		return;
	g_autofree char *subject = result_subject(fax), *text = result_text(fax);
	g_autofree char *number = g_strdup_printf("result-%" G_GINT64_MODIFIER "x", fax->ended_utc_us); /* it may be given again */
	struct tl_attachment picture = { fax->picture, "first-page.png", "image/png" };
	struct tl_letter letter = { .kind = TL_DELIVERY_MAIL, .about = fax->id, .number = number, .target = fax->sender,
				    .from = fax->faxes->mail_from, .subject = subject, .text = text, .attachments = &picture,
				    .n_attachments = fax->picture ? 1 : 0 };
	tl_post_add(t, &letter);
}
