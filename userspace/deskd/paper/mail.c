/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A mail taken apart by GMime: what was written, and the documents that go with it. */
#include "paper/work.h"

#include <gmime/gmime.h>
#include <string.h>

#define DEPTH_MAX 20
#define PARTS_MAX 200

struct reading {
	struct tl_mail *mail;
	GString *text, *html;
	unsigned parts;
};

static void part_free(void *data)
{
	struct tl_mail_part *part = data;
	g_free(part->name);
	g_bytes_unref(part->content);
	g_free(part);
}

void tl_mail_free(struct tl_mail *mail)
{
	if (!mail)
		return;
	g_free(mail->from);
	g_free(mail->subject);
	g_free(mail->message_id);
	g_free(mail->text);
	g_ptr_array_unref(mail->parts);
	g_ptr_array_unref(mail->refused);
	g_free(mail);
}

char *tl_mail_line(const char *text, unsigned max)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	GString *line = g_string_new(NULL);
	for (const char *at = valid; *at && max; at = g_utf8_next_char(at), max--) {
		gunichar c = g_utf8_get_char(at);
		g_string_append_unichar(line, g_unichar_iscntrl(c) ? ' ' : c);
	}
	return g_string_free(line, FALSE);
}

/* HTML as far as a fax needs it: text, with the lines' ends of its blocks. */
static char *text_of_html(const char *html)
{
	static const struct { const char *entity; const char *text; } entities[] = {
		{ "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&nbsp;", " " }, { "&#39;", "'" } };
	static const char *const blocks[] = { "<br", "<p", "</p", "</div", "</tr", "</li", "</h", "<hr" };
	static const char *const hidden[][2] = { { "<style", "</style" }, { "<script", "</script" }, { "<head", "</head" }, { "<!--", "-->" } };
	GString *text = g_string_new(NULL);
	for (const char *at = html; *at;) {
		for (unsigned i = 0; *at == '<' && i < G_N_ELEMENTS(hidden); i++)
			if (!g_ascii_strncasecmp(at, hidden[i][0], strlen(hidden[i][0]))) {
				const char *end = at;
				while (*end && g_ascii_strncasecmp(end, hidden[i][1], strlen(hidden[i][1])))
					end++;
				at = end;
			}
		if (*at == '<') {
			for (unsigned i = 0; i < G_N_ELEMENTS(blocks); i++)
				if (!g_ascii_strncasecmp(at, blocks[i], strlen(blocks[i]))) {
					g_string_append_c(text, '\n');
					break;
				}
			const char *end = strchr(at, '>');
			at = end ? end + 1 : at + strlen(at);
			continue;
		}
		bool found = false;
		for (unsigned i = 0; *at == '&' && i < G_N_ELEMENTS(entities) && !found; i++)
			if (g_str_has_prefix(at, entities[i].entity)) {
				g_string_append(text, entities[i].text);
				at += strlen(entities[i].entity);
				found = true;
			}
		if (!found && *at) {
			char c = *at++;
			g_string_append_c(text, c == '\n' || c == '\r' || c == '\t' ? ' ' : c);
		}
	}
	return g_string_free(text, FALSE);
}

static GBytes *content_of(GMimePart *part)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	if (wrapper)
		g_mime_data_wrapper_write_to_stream(wrapper, stream);
	GByteArray *octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	GBytes *content = g_bytes_new(octets->data, octets->len);
	g_object_unref(stream);
	return content;
}

static void add_text(GString *to, GMimePart *part)
{
	g_autofree char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	if (to->len)
		g_string_append_c(to, '\n');
	g_string_append(to, valid);
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(object), type, subtype);
}

static void read_part(struct reading *reading, GMimePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	bool attached = g_mime_part_is_attachment(part);
	g_autofree char *name = tl_mail_line(g_mime_part_get_filename(part), 80);
	if (is_type(object, "application", "pgp-signature") || is_type(object, "application", "pkcs7-signature") ||
	    is_type(object, "application", "x-pkcs7-signature"))
		return;
	if (GMIME_IS_TEXT_PART(part) && !attached && (is_type(object, "text", "plain") || is_type(object, "text", "html"))) {
		add_text(is_type(object, "text", "html") ? reading->html : reading->text, part);
		return;
	}
	g_autofree char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	g_autoptr(GBytes) content = content_of(part);
	const char *kind = tl_document_kind(content, type, name);
	const char *shown = *name ? name : type ? type : "a part";
	if (!kind) {
		g_ptr_array_add(reading->mail->refused, g_strdup_printf("%s: %s", shown,
				g_bytes_get_size(content) ? "no kind of document that can be faxed" : "it is empty"));
		return;
	}
	struct tl_mail_part *read = g_new0(struct tl_mail_part, 1);
	read->name = g_strdup(shown);
	read->kind = kind;
	read->content = g_steal_pointer(&content);
	g_ptr_array_add(reading->mail->parts, read);
}

static bool read_object(struct reading *reading, GMimeObject *object, unsigned depth, GError **error);

/* Of several forms of the same the plainest that we can draw. */
static GMimeObject *best_form(GMimeMultipart *multipart)
{
	GMimeObject *best = NULL;
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++) {
		GMimeObject *form = g_mime_multipart_get_part(multipart, i);
		if (is_type(form, "text", "plain"))
			return form;
		if (!best || is_type(form, "text", "html") || GMIME_IS_MULTIPART(form))
			best = form;
	}
	return best;
}

static bool read_multipart(struct reading *reading, GMimeMultipart *multipart, unsigned depth, GError **error)
{
	int n = g_mime_multipart_get_count(multipart);
	if (is_type(GMIME_OBJECT(multipart), "multipart", "alternative")) {
		GMimeObject *form = best_form(multipart);
		return !form || read_object(reading, form, depth + 1, error);
	}
	/* A page of HTML and its own pictures: the pictures are no documents. */
	if (is_type(GMIME_OBJECT(multipart), "multipart", "related"))
		n = MIN(n, 1);
	for (int i = 0; i < n; i++)
		if (!read_object(reading, g_mime_multipart_get_part(multipart, i), depth + 1, error))
			return false;
	return true;
}

static bool read_object(struct reading *reading, GMimeObject *object, unsigned depth, GError **error)
{
	if (depth > DEPTH_MAX || ++reading->parts > PARTS_MAX) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_LIMIT, depth > DEPTH_MAX ? "the mail's parts are nested more than %u deep" :
			    "the mail has more than %u parts", depth > DEPTH_MAX ? DEPTH_MAX : PARTS_MAX);
		return false;
	}
	if (GMIME_IS_MULTIPART(object))
		return read_multipart(reading, GMIME_MULTIPART(object), depth, error);
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		GMimeObject *body = inner ? g_mime_message_get_mime_part(inner) : NULL;
		return !body || read_object(reading, body, depth + 1, error);
	}
	if (GMIME_IS_PART(object))
		read_part(reading, GMIME_PART(object));
	return true;
}

static void read_head(struct tl_mail *mail, GMimeMessage *message)
{
	InternetAddressList *from = g_mime_message_get_from(message);
	g_autofree char *shown = from ? internet_address_list_to_string(from, NULL, FALSE) : NULL;
	mail->from = tl_mail_line(shown, 200);
	mail->subject = tl_mail_line(g_mime_message_get_subject(message), 200);
	mail->message_id = tl_mail_line(g_mime_message_get_message_id(message), 200);
}

static struct tl_mail *read_message(GMimeMessage *message, GError **error)
{
	GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
	if (!body) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_BROKEN, "this is no mail");
		return NULL;
	}
	struct tl_mail *mail = g_new0(struct tl_mail, 1);
	mail->parts = g_ptr_array_new_with_free_func(part_free);
	mail->refused = g_ptr_array_new_with_free_func(g_free);
	read_head(mail, message);
	struct reading reading = { .mail = mail, .text = g_string_new(NULL), .html = g_string_new(NULL) };
	bool ok = read_object(&reading, body, 0, error);
	mail->text = !reading.text->len && reading.html->len ? text_of_html(reading.html->str) : g_strdup(reading.text->str);
	g_strstrip(mail->text);
	if (!*mail->text)
		g_clear_pointer(&mail->text, g_free);
	g_string_free(reading.text, TRUE);
	g_string_free(reading.html, TRUE);
	if (!ok)
		g_clear_pointer(&mail, tl_mail_free);
	return mail;
}

struct tl_mail *tl_mail_read(GBytes *octets, GError **error)
{
	gsize n;
	const char *data = g_bytes_get_data(octets, &n);
	g_mime_init();
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	struct tl_mail *mail = read_message(message, error);
	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(stream);
	return mail;
}
