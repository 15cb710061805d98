/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a mail server reports of a mail (RFC 3464, in the frame of RFC 6522), read by GMime. */
#include "paper/work.h"

#include <gmime/gmime.h>
#include <string.h>

#define ENTRIES_MAX 100
#define STATUS_MAX (256 << 10)

static void entry_free(void *data)
{
	struct tl_report_entry *entry = data;
	g_free(entry->recipient);
	g_free(entry->action);
	g_free(entry->status);
	g_free(entry->diagnostic);
	g_free(entry);
}

/* As one line, spaces of its folding taken out; @typed: without "smtp;" and the like, which say how it is to be read. */
static char *field(GMimeObject *group, const char *name, bool typed)
{
	const char *value = g_mime_object_get_header(group, name), *type_end = value && typed ? strchr(value, ';') : NULL;
	g_autofree char *line = tl_mail_line(type_end ? type_end + 1 : value, 300);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	for (char **word = words; *word; word++)
		if (**word)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", *word);
	return g_strdup(text->str);
}

/* RFC 3464 2.3: one recipient's fields. */
static void read_group(GPtrArray *entries, GMimeObject *group)
{
	struct tl_report_entry *entry = g_new0(struct tl_report_entry, 1);
	entry->recipient = field(group, "Final-Recipient", true);
	entry->action = field(group, "Action", false);
	entry->status = field(group, "Status", false);
	entry->diagnostic = field(group, "Diagnostic-Code", true);
	if (*entry->action && entries->len < ENTRIES_MAX)
		g_ptr_array_add(entries, entry);
	else
		entry_free(entry);
}

/* Groups of fields with an empty line between them (RFC 3464 2.1); each is a head as any part of a mail has one. */
static void read_status(GPtrArray *entries, const char *octets, gsize n)
{
	g_autoptr(GString) text = g_string_new_len(octets, n);
	g_string_replace(text, "\r\n", "\n", 0);
	g_auto(GStrv) groups = g_strsplit(text->str, "\n\n", ENTRIES_MAX + 2);
	for (char **one = groups; *one; one++) {
		g_autofree char *head = g_strconcat(*one + strspn(*one, "\n"), "\n\n", NULL);
		GMimeStream *stream = g_mime_stream_mem_new_with_buffer(head, strlen(head));
		GMimeParser *parser = g_mime_parser_new_with_stream(stream);
		GMimeObject *group = g_mime_parser_construct_part(parser, NULL);
		if (group) {
			read_group(entries, group);
			g_object_unref(group);
		}
		g_object_unref(parser);
		g_object_unref(stream);
	}
}

static void read_part(GPtrArray *entries, GMimeObject *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(part);
	if (!GMIME_IS_PART(part) || (!g_mime_content_type_is_type(type, "message", "delivery-status") &&
				     !g_mime_content_type_is_type(type, "message", "global-delivery-status")))
		return;
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	GMimeStream *stream = g_mime_stream_mem_new();
	if (content)
		g_mime_data_wrapper_write_to_stream(content, stream);
	GByteArray *octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	read_status(entries, (const char *)octets->data, MIN(octets->len, STATUS_MAX));
	g_object_unref(stream);
}

static void read_report(GPtrArray *entries, GMimeObject *body)
{
	if (!GMIME_IS_MULTIPART(body) || !g_mime_content_type_is_type(g_mime_object_get_content_type(body), "multipart", "report"))
		return;
	for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(body)); i++)
		read_part(entries, g_mime_multipart_get_part(GMIME_MULTIPART(body), i));
}

GPtrArray *tl_report_read(GBytes *message)
{
	gsize n;
	const char *octets = g_bytes_get_data(message, &n);
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
	g_mime_init();
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(octets, n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *read = g_mime_parser_construct_message(parser, NULL);
	if (read && g_mime_message_get_mime_part(read))
		read_report(entries, g_mime_message_get_mime_part(read));
	g_clear_object(&read);
	g_object_unref(parser);
	g_object_unref(stream);
	return entries;
}
