/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A letter as a mail, by GMime. The same letter is the same Message-ID, however often it is sent. */
#include "post/letter.h"

#include <gmime/gmime.h>
#include <string.h>

const char *letter_attachment(JsonObject *attachment, const char *member)
{
	return json_object_get_string_member_with_default(attachment, member, "");
}

JsonArray *letter_attachments(const struct letter *letter)
{
	return json_object_has_member(letter->content, "attachments") ? json_object_get_array_member(letter->content, "attachments") : NULL;
}

static GMimePart *text_part(const char *text)
{
	GMimeTextPart *part = g_mime_text_part_new_with_subtype("plain");
	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_text_part_set_text(part, text);
	g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	return GMIME_PART(part);
}

static GMimePart *file_part(const struct letter *letter, JsonObject *attachment, GError **error)
{
	g_autofree char *path = tl_blobs_path(letter->blobs, letter_attachment(attachment, "sha256"));
	GMimeStream *stream = g_mime_stream_file_open(path, "r", error);
	if (!stream)
		return NULL;
	g_auto(GStrv) type = g_strsplit(letter_attachment(attachment, "type"), "/", 2);
	GMimePart *part = g_mime_part_new_with_type(type[0], type[0] && type[1] ? type[1] : "octet-stream");
	GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	g_mime_part_set_filename(part, letter_attachment(attachment, "name"));
	g_mime_object_set_disposition(GMIME_OBJECT(part), "attachment");
	g_object_unref(content);
	g_object_unref(stream);
	return part;
}

static bool fill(const struct letter *letter, GMimeMultipart *multipart, GError **error)
{
	GMimePart *text = text_part(json_object_get_string_member_with_default(letter->content, "text", ""));
	JsonArray *attachments = letter_attachments(letter);
	g_mime_multipart_add(multipart, GMIME_OBJECT(text));
	g_object_unref(text);
	for (unsigned i = 0; attachments && i < json_array_get_length(attachments); i++) {
		GMimePart *file = file_part(letter, json_array_get_object_element(attachments, i), error);
		if (!file)
			return false;
		g_mime_multipart_add(multipart, GMIME_OBJECT(file));
		g_object_unref(file);
	}
	return true;
}

static void set_head(const struct letter *letter, GMimeMessage *message)
{
	const char *from = json_object_get_string_member_with_default(letter->content, "from", "fax@localhost");
	const char *at = strrchr(from, '@');
	g_autofree char *domain = at ? g_strcanon(g_strdup(at + 1), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", '-') : NULL;
	g_autofree char *id = g_strdup_printf("%s@%s", letter->id, domain ? domain : "localhost");
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(letter->created_utc_us / G_USEC_PER_SEC);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, NULL, from);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, NULL, letter->target);
	g_mime_message_set_subject(message, json_object_get_string_member_with_default(letter->content, "subject", ""), "utf-8");
	g_mime_message_set_date(message, date);
	g_mime_message_set_message_id(message, id);
	/* RFC 3834: nobody's absence notice need answer it. */
	g_mime_object_set_header(GMIME_OBJECT(message), "Auto-Submitted", "auto-generated", NULL);
}

GBytes *letter_message(const struct letter *letter, GError **error)
{
	GMimeMessage *message = g_mime_message_new(TRUE);
	GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("mixed");
	GBytes *octets = NULL;
	g_mime_message_set_mime_part(message, GMIME_OBJECT(multipart));
	set_head(letter, message);
	if (fill(letter, multipart, error)) {
		GMimeFormatOptions *options = g_mime_format_options_new();
		GMimeStream *stream = g_mime_stream_mem_new();
		g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
		g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
		GByteArray *array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		octets = g_bytes_new(array->data, array->len);
		g_object_unref(stream);
		g_mime_format_options_free(options);
	}
	g_object_unref(multipart);
	g_object_unref(message);
	return octets;
}
