/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Files by HTTP, beside the WebSocket: who may have which. README.md has the whole of it. */
#include "control/files.h"

#include <string.h>

#define SPOOL "/spool/"
#define BLOB "/blob/"
#define BEARER "Bearer "

void tl_files_answer(SoupServerMessage *message, unsigned status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	soup_server_message_set_status(message, status, NULL);
	soup_server_message_set_response(message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY, line, strlen(line));
}

unsigned tl_files_judge(struct tl_control_server *server, SoupServerMessage *message, enum tl_control_role role)
{
	const char *header = soup_message_headers_get_one(soup_server_message_get_request_headers(message), "Authorization");
	bool bearer = header && !g_ascii_strncasecmp(header, BEARER, strlen(BEARER));
	const struct tl_control_token *token = bearer ? tl_server_find_token(server, header + strlen(BEARER)) : NULL;
	if (token)
		return token->role >= role ? 0 : SOUP_STATUS_FORBIDDEN;
	soup_message_headers_append(soup_server_message_get_response_headers(message), "WWW-Authenticate",
				    "Bearer realm=\"trunkline\"");
	return SOUP_STATUS_UNAUTHORIZED;
}

const char *tl_files_why(unsigned status)
{
	return status == SOUP_STATUS_FORBIDDEN ? "the token's role may not do this" :
						 "expected Authorization: Bearer and a token of this node";
}

/* libsoup ends connections that it has not accepted itself after each message; the client is told. */
static void say_close(SoupServerMessage *message)
{
	soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection", "close");
}

/* Nothing that is asked for by path is looked up on the disk: only what the spool knows has a path. */
static void on_spool(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
	struct tl_control_server *server = user;
	const char *method = soup_server_message_get_method(message);
	bool reads = method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD;
	unsigned refused = reads ? tl_files_judge(server, message, TL_ROLE_CONDUCTOR) : 0;
	g_auto(GStrv) names = g_strsplit(path + strlen(SPOOL), "/", 3);
	g_autofree char *file = g_strv_length(names) == 2 ? server->files.find(names[0], names[1], server->files_user) : NULL;
	say_close(message);
	if (!reads)
		tl_files_answer(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "expected GET");
	else if (refused)
		tl_files_answer(message, refused, "%s", tl_files_why(refused));
	else if (!file)
		tl_files_answer(message, SOUP_STATUS_NOT_FOUND, "no such part");
	else
		tl_download_start(message, file);
}

static void on_blob_headers(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
	say_close(message);
	tl_upload_begin(user, message, path + strlen(BLOB));
}

static void on_blob(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
	tl_upload_end(message);
}

void tl_control_server_serve_files(struct tl_control_server *server, const struct tl_control_files *files, void *user)
{
	server->files = *files;
	server->files.blob_directory = server->blob_directory = g_strdup(files->blob_directory);
	server->files_user = user;
	tl_upload_sweep(server->blob_directory);
	soup_server_add_handler(server->soup, SPOOL, on_spool, server, NULL);
	soup_server_add_early_handler(server->soup, BLOB, on_blob_headers, server, NULL);
	soup_server_add_handler(server->soup, BLOB, on_blob, server, NULL);
}
