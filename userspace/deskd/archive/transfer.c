/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "archive/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TRIES 3
#define CONNECT_S 10L
#define STALLED_S 20L

struct transfer_place *transfer_place_new(const char *address, const char *token)
{
	struct transfer_place *place = g_new0(struct transfer_place, 1);
	place->references = 1;
	place->token = g_strdup(token);
	if (g_str_has_prefix(address, "unix:")) {
		place->socket = g_strdup(address + strlen("unix:"));
		place->url = g_strdup("http://localhost");
	} else if (g_str_has_prefix(address, "wss://")) {
		place->url = g_strdup_printf("https://%s", address + strlen("wss://"));
	} else {
		place->url = g_strdup_printf("http://%s", address + (g_str_has_prefix(address, "ws://") ? strlen("ws://") : 0));
	}
	g_strchomp(place->url);
	while (g_str_has_suffix(place->url, "/"))
		place->url[strlen(place->url) - 1] = '\0';
	return place;
}

struct transfer_place *transfer_place_ref(struct transfer_place *place)
{
	g_atomic_int_inc(&place->references);
	return place;
}

void transfer_place_unref(struct transfer_place *place)
{
	if (!place || !g_atomic_int_dec_and_test(&place->references))
		return;
	g_free(place->url);
	g_free(place->socket);
	g_free(place->token);
	g_free(place);
}

struct taking {
	struct tl_blob_writer *writer;
	CURL *easy;
	int64_t had, limit; /* octets so far; more than limit is refused */
	GError *error;
};

static size_t on_octets(char *octets, size_t size, size_t n, void *user)
{
	struct taking *taking = user;
	long status = 0;
	curl_easy_getinfo(taking->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 && status != 206)
		return size * n; /* the words of a refusal */
	if (taking->had + (int64_t)(size * n) > taking->limit) {
		g_set_error(&taking->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "more than the %" G_GINT64_FORMAT " octets announced", taking->limit);
		return 0;
	}
	if (!tl_blob_writer_write(taking->writer, octets, size * n, &taking->error))
		return 0;
	taking->had += size * n;
	return size * n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct transfer_place *place = user;
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(&place->stop);
}

static CURL *easy_new(struct transfer_place *place, const char *path, struct curl_slist **ret_headers)
{
	CURL *easy = curl_easy_init();
	g_autofree char *url = g_strconcat(place->url, path, NULL);
	g_autofree char *bearer = g_strdup_printf("Authorization: Bearer %s", place->token);
	*ret_headers = curl_slist_append(curl_slist_append(NULL, bearer), "Expect:");
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, place->socket);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a node is on our own network */
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *ret_headers);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, place);
	return easy;
}

/* One request, from where we are. */
static bool get_rest(struct transfer_place *place, const char *path, struct taking *taking, GError **error)
{
	struct curl_slist *headers;
	CURL *easy = easy_new(place, path, &headers);
	g_autofree char *range = taking->had ? g_strdup_printf("%" G_GINT64_FORMAT "-", taking->had) : NULL;
	long status = 0;
	taking->easy = easy;
	if (range)
		curl_easy_setopt(easy, CURLOPT_RANGE, range);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_octets);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, taking);
	CURLcode code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	if (taking->error)
		g_propagate_error(error, g_steal_pointer(&taking->error));
	else if (code != CURLE_OK)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "GET %s: %s", path, curl_easy_strerror(code));
	else if (status != (range ? 206 : 200))
		g_set_error(error, G_IO_ERROR, status == 404 ? G_IO_ERROR_NOT_FOUND : G_IO_ERROR_FAILED, "GET %s: answered %ld", path, status);
	else
		return true;
	return false;
}

bool transfer_get(struct transfer_place *place, const char *path, const char *sha256, int64_t size, struct tl_blobs *blobs,
		  struct tl_blob *blob, GError **error)
{
	struct taking taking = { .writer = tl_blob_writer_new(blobs, error), .limit = size };
	bool ok = taking.writer && !size;
	for (unsigned i = 0; taking.writer && !ok && i < TRIES; i++) {
		g_clear_error(error);
		ok = get_rest(place, path, &taking, error);
		if (!ok && !g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
			break;
	}
	if (ok)
		return tl_blob_writer_finish(taking.writer, sha256, blob, error);
	tl_blob_writer_free(taking.writer);
	return false;
}

bool transfer_put(struct transfer_place *place, const char *sha256, struct tl_blobs *blobs, GError **error)
{
	g_autofree char *path = g_strdup_printf("/blob/%s", sha256), *name = tl_blobs_path(blobs, sha256);
	FILE *file = fopen(name, "re");
	struct stat st;
	if (!file || fstat(fileno(file), &st) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", name, g_strerror(errno));
		if (file)
			fclose(file);
		return false;
	}
	struct curl_slist *headers;
	CURL *easy = easy_new(place, path, &headers);
	long status = 0;
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READDATA, file);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
	CURLcode code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	fclose(file);
	if (code == CURLE_OK && status >= 200 && status < 300)
		return true;
	if (code != CURLE_OK)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "PUT %s: %s", path, curl_easy_strerror(code));
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "PUT %s: answered %ld", path, status);
	return false;
}
