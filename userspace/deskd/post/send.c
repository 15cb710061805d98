/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A letter sent, on a worker: SMTP and HTTP by libcurl, files by themselves. */
#include "post/letter.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "post/bounce.h"

#define CONNECT_S 30L
#define STALLED_S 60L /* without an octet either way */

static void set_why(struct letter *letter, enum letter_outcome outcome, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	letter->outcome = outcome;
	g_free(letter->why);
	letter->why = g_utf8_make_valid(g_strchomp(text), -1);
}

void letter_later(struct letter *letter, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	set_why(letter, LETTER_LATER, format, arguments);
	va_end(arguments);
}

void letter_refused(struct letter *letter, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	set_why(letter, LETTER_REFUSED, format, arguments);
	va_end(arguments);
}

struct transfer {
	const char *octets; /* to be sent */
	gsize left;
	char said[512];     /* the server's last line, or its last refusal */
};

static size_t on_send(char *to, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	size_t take = MIN(size * n, transfer->left);
	memcpy(to, transfer->octets, take);
	transfer->octets += take;
	transfer->left -= take;
	return take;
}

static size_t on_said(char *octets, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	size_t take = MIN(size * n, sizeof transfer->said - 1);
	if (*transfer->said >= '4' && (!take || *octets < '4')) /* 221 follows a refusal */
		return size * n;
	memcpy(transfer->said, octets, take);
	transfer->said[take] = '\0';
	return size * n;
}

static CURL *easy_new(struct letter *letter, struct transfer *transfer, const char *url)
{
	CURL *easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALLED_S);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_said);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	if (letter->account->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, letter->account->ca_file);
	return easy;
}

/* ---- mail ---- */

/* 4yz may pass, 5yz will not (RFC 5321 4.2.1); what goes wrong before a recipient is named is the server's matter. */
static void judge_mail(struct letter *letter, CURL *easy, CURLcode code, const struct transfer *transfer)
{
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK)
		letter->outcome = LETTER_TAKEN;
	else if (status >= 550 && status < 560 && code != CURLE_LOGIN_DENIED && code != CURLE_COULDNT_CONNECT)
		letter_refused(letter, "%s", *transfer->said ? transfer->said : curl_easy_strerror(code));
	else if (status >= 400)
		letter_later(letter, "%s", *transfer->said ? transfer->said : curl_easy_strerror(code));
	else
		letter_later(letter, "%s: %s", letter->account->server, curl_easy_strerror(code));
}

static void set_smtp(struct letter *letter, CURL *easy, struct curl_slist *to, struct transfer *transfer)
{
	bool reports = letter->account->bounce_domain && letter->bounce;
	g_autofree char *sender = reports ? bounce_address(letter->bounce, letter->account->bounce_domain) :
					    g_strdup(json_object_get_string_member_with_default(letter->content, "from", ""));
	g_autofree char *from = g_strdup_printf("<%s>", sender);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL, letter->account->tls_required ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
	if (!letter->account->tls_required && g_str_has_prefix(letter->account->server, "smtp:")) {
		/* TLS where it is offered keeps listeners out; who cannot be checked would else get it in clear. */
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (letter->account->user) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, letter->account->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, letter->account->password ? letter->account->password : "");
	}
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->left);
}

void letter_mail(struct letter *letter)
{
	g_autoptr(GError) error = NULL;
	if (!letter->account->server) {
		letter_later(letter, "no mail server is configured");
		return;
	}
	g_autoptr(GBytes) message = letter_message(letter, &error);
	if (!message) {
		letter_later(letter, "%s", error->message);
		return;
	}
	struct transfer transfer = { 0 };
	transfer.octets = g_bytes_get_data(message, &transfer.left);
	g_autofree char *url = g_strdup_printf("%s/%s", letter->account->server, letter->account->hello);
	CURL *easy = easy_new(letter, &transfer, url);
	g_autofree char *address = g_strdup_printf("<%s>", letter->target);
	struct curl_slist *to = curl_slist_append(NULL, address);
	set_smtp(letter, easy, to, &transfer);
	judge_mail(letter, easy, curl_easy_perform(easy), &transfer);
	curl_slist_free_all(to);
	curl_easy_cleanup(easy);
}

/* ---- names ---- */

/* Nothing of a name may lead elsewhere. */
static char *plain_name(const char *name)
{
	char *plain = g_strcanon(g_strdup(name), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-", '_');
	if (*plain == '.')
		*plain = '_';
	return plain;
}

/* ---- webhook ---- */

static size_t on_answer(char *octets, size_t size, size_t n, void *user)
{
	(void)octets, (void)user;
	return size * n; /* its status says it all */
}

/* multipart/form-data (RFC 7578): "fax", the facts, and each document. Whole in memory, as it is signed. */
static void add_part(GByteArray *body, const char *boundary, const char *head, const void *octets, gsize n)
{
	g_autofree char *begin = g_strdup_printf("--%s\r\nContent-Disposition: form-data; %s\r\n\r\n", boundary, head);
	g_byte_array_append(body, (const guint8 *)begin, strlen(begin));
	g_byte_array_append(body, octets, n);
	g_byte_array_append(body, (const guint8 *)"\r\n", 2);
}

static bool add_document(struct letter *letter, GByteArray *body, const char *boundary, JsonObject *attachment)
{
	g_autofree char *path = tl_blobs_path(letter->blobs, letter_attachment(attachment, "sha256"));
	g_autofree char *name = plain_name(letter_attachment(attachment, "name"));
	g_autofree char *head = g_strdup_printf("name=\"document\"; filename=\"%s\"\r\nContent-Type: %s", name, letter_attachment(attachment, "type"));
	g_autoptr(GError) error = NULL;
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &error);
	if (file)
		add_part(body, boundary, head, g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
	else
		letter_later(letter, "%s", error->message);
	return file != NULL;
}

/* (transfer full) NULL with letter's outcome. */
static GByteArray *body_of(struct letter *letter, const char *boundary)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), json_object_get_object_member(letter->content, "facts"));
	g_autofree char *facts = json_to_string(node, FALSE), *end = g_strdup_printf("--%s--\r\n", boundary);
	g_autoptr(GByteArray) body = g_byte_array_new();
	JsonArray *attachments = letter_attachments(letter);
	add_part(body, boundary, "name=\"fax\"\r\nContent-Type: application/json", facts, strlen(facts));
	for (unsigned i = 0; attachments && i < json_array_get_length(attachments); i++)
		if (!add_document(letter, body, boundary, json_array_get_object_element(attachments, i)))
			return NULL;
	g_byte_array_append(body, (const guint8 *)end, strlen(end));
	return g_steal_pointer(&body);
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name, const char *value)
{
	g_autofree char *header = g_strdup_printf("%s: %s", name, value);
	return curl_slist_append(headers, header);
}

static struct curl_slist *headers_of(const struct letter *letter, const char *boundary, const GByteArray *body)
{
	const struct letter_webhook *webhook = letter_webhook_of(letter->account, letter->target);
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	g_autofree char *type = g_strdup_printf("multipart/form-data; boundary=%s", boundary);
	headers = add_header(headers, "Trunkline-Delivery", letter->id);
	headers = add_header(headers, "Content-Type", type);
	if (webhook && webhook->token) {
		g_autofree char *bearer = g_strdup_printf("Bearer %s", webhook->token);
		headers = add_header(headers, "Authorization", bearer);
	}
	if (webhook && webhook->secret) {
		g_autofree char *hmac = g_compute_hmac_for_data(G_CHECKSUM_SHA256, (const guchar *)webhook->secret, strlen(webhook->secret),
								body->data, body->len);
		g_autofree char *signature = g_strdup_printf("sha256=%s", hmac);
		headers = add_header(headers, "Trunkline-Signature", signature);
	}
	return headers;
}

static void judge_post(struct letter *letter, CURL *easy, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		letter_later(letter, "%s", curl_easy_strerror(code));
	else if (status >= 200 && status < 300)
		letter->outcome = LETTER_TAKEN;
	else if (status >= 400 && status < 500 && status != 408 && status != 429)
		letter_refused(letter, "the webhook answered %ld", status);
	else
		letter_later(letter, "the webhook answered %ld", status);
}

void letter_post(struct letter *letter)
{
	struct transfer transfer = { 0 };
	g_autofree char *boundary = g_strdup_printf("trunkline-%08x%08x%08x%08x", g_random_int(), g_random_int(), g_random_int(), g_random_int());
	g_autoptr(GByteArray) body = body_of(letter, boundary);
	if (!body)
		return;
	CURL *easy = easy_new(letter, &transfer, letter->target);
	struct curl_slist *headers = headers_of(letter, boundary, body);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->data);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	judge_post(letter, easy, curl_easy_perform(easy));
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
}

/* ---- directory ---- */

static bool copy_file(const char *from, const char *to)
{
	char octets[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	ssize_t n = out < 0 ? -1 : 1;
	while (n > 0) {
		n = read(in, octets, sizeof octets);
		if (n > 0 && write(out, octets, n) != n)
			n = -1;
	}
	bool ok = n == 0 && fsync(out) == 0;
	int code = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	errno = code;
	return ok;
}

static bool sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

void letter_file(struct letter *letter)
{
	JsonArray *attachments = letter_attachments(letter);
	letter->outcome = LETTER_TAKEN;
	for (unsigned i = 0; attachments && i < json_array_get_length(attachments); i++) {
		JsonObject *attachment = json_array_get_object_element(attachments, i);
		g_autofree char *from = tl_blobs_path(letter->blobs, letter_attachment(attachment, "sha256"));
		g_autofree char *name = plain_name(letter_attachment(attachment, "name"));
		g_autofree char *to = g_build_filename(letter->target, name, NULL);
		g_autofree char *on_its_way = g_strdup_printf("%s/.%s.part", letter->target, name);
		if (copy_file(from, on_its_way) && rename(on_its_way, to) == 0 && sync_folder(letter->target))
			continue;
		letter_later(letter, "%s: %s", to, g_strerror(errno));
		return;
	}
}
