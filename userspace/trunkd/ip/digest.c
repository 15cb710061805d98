/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/digest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <glib.h>

#include "base/clock.h"

#define STAMP_HEX 16
#define SERIAL_HEX 8
#define MAC_HEX 32
#define NONCE_HEX (STAMP_HEX + SERIAL_HEX + MAC_HEX)
#define FIELDS_MAX 24

struct used_nonce {
	char text[NONCE_HEX + 1];
	uint64_t stamp_us;
	uint32_t nc; /* highest seen */
};

struct tl_digest {
	char *realm;
	uint8_t secret[32];
	uint32_t serial;
	uint64_t floor_us;   /* nonces this old or older count only while they are remembered */
	GHashTable *used;    /* text -> struct used_nonce, owned */
	GQueue oldest;       /* the same, in order of first use */
};

static const char *skip(const char *at, const char *end, const char *set)
{
	while (at < end && *at && strchr(set, *at))
		at++;
	return at;
}

/* token or quoted-string (RFC 7230 3.2.6) into @out; NULL when malformed or too long. */
static const char *read_value(const char *at, const char *end, char *out, size_t size)
{
	size_t n = 0;
	bool quoted = at < end && *at == '"';
	if (quoted)
		at++;
	for (; at < end; at++) {
		char c = *at;
		if (quoted ? c == '"' : (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'))
			break;
		if (quoted && c == '\\' && ++at < end)
			c = *at;
		if (at >= end || (unsigned char)c < 0x20 || c == 0x7f || n + 1 >= size)
			return NULL;
		out[n++] = c;
	}
	if (quoted && (at >= end || *at++ != '"'))
		return NULL;
	out[n] = 0;
	return at;
}

struct slot {
	const char *name;
	char *out;
	size_t size;
	bool seen;
};

static struct slot *find_slot(struct slot *slots, size_t n, const char *name, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(slots[i].name) == length && !g_ascii_strncasecmp(slots[i].name, name, length))
			return &slots[i];
	return NULL;
}

static const char *read_field(const char *at, const char *end, struct slot *slots, size_t n_slots)
{
	const char *name = at;
	while (at < end && (g_ascii_isalnum(*at) || *at == '-' || *at == '_'))
		at++;
	size_t length = (size_t)(at - name);
	at = skip(at, end, " \t\r\n");
	if (!length || at >= end || *at != '=')
		return NULL;
	at = skip(at + 1, end, " \t\r\n");
	char ignored[512];
	struct slot *slot = find_slot(slots, n_slots, name, length);
	if (slot && slot->seen)
		return NULL;
	if (slot)
		slot->seen = true;
	at = read_value(at, end, slot ? slot->out : ignored, slot ? slot->size : sizeof(ignored));
	return at ? skip(at, end, " \t\r\n") : NULL;
}

static bool read_nc(const char *text, uint32_t *nc)
{
	if (strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8)
		return false;
	*nc = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

bool tl_digest_parse(const char *text, size_t length, struct tl_digest_fields *fields)
{
	struct tl_digest_fields f = { 0 };
	char algorithm[17] = "MD5";
	struct slot slots[] = {
		{ "username", f.username, sizeof(f.username) }, { "realm", f.realm, sizeof(f.realm) },
		{ "nonce", f.nonce, sizeof(f.nonce) }, { "uri", f.uri, sizeof(f.uri) },
		{ "response", f.response, sizeof(f.response) }, { "cnonce", f.cnonce, sizeof(f.cnonce) },
		{ "qop", f.qop, sizeof(f.qop) }, { "nc", f.nc_text, sizeof(f.nc_text) },
		{ "algorithm", algorithm, sizeof(algorithm) },
	};
	const char *end = text + length, *at = skip(text, end, " \t\r\n");
	if (end - at < 7 || g_ascii_strncasecmp(at, "Digest", 6) || !strchr(" \t\r\n", at[6]))
		return false;
	at = skip(at + 6, end, " \t\r\n,");
	for (unsigned n = 0; at < end; n++) {
		if (n == FIELDS_MAX || !(at = read_field(at, end, slots, G_N_ELEMENTS(slots))))
			return false;
		if (at < end && *at != ',')
			return false;
		at = skip(at, end, " \t\r\n,");
	}
	if ((f.nc_text[0] && !read_nc(f.nc_text, &f.nc)) || g_ascii_strcasecmp(algorithm, "MD5"))
		return false;
	if (!f.username[0] || !f.nonce[0] || !f.uri[0] || strlen(f.response) != 32)
		return false;
	*fields = f;
	return true;
}

struct tl_digest *tl_digest_new(const char *realm)
{
	struct tl_digest *digest = g_new0(struct tl_digest, 1);
	digest->realm = g_strdup(realm);
	digest->used = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	g_queue_init(&digest->oldest);
	ssize_t n = getrandom(digest->secret, sizeof(digest->secret), 0);
	g_assert(n == (ssize_t)sizeof(digest->secret));
	return digest;
}

void tl_digest_free(struct tl_digest *digest)
{
	if (!digest)
		return;
	g_queue_clear(&digest->oldest);
	g_hash_table_destroy(digest->used);
	explicit_bzero(digest->secret, sizeof(digest->secret));
	g_free(digest->realm);
	g_free(digest);
}

static void sign(const struct tl_digest *digest, char nonce[NONCE_HEX + 1])
{
	char *mac = g_compute_hmac_for_data(G_CHECKSUM_SHA256, digest->secret, sizeof(digest->secret),
					    (const guchar *)nonce, STAMP_HEX + SERIAL_HEX);
	g_strlcpy(nonce + STAMP_HEX + SERIAL_HEX, mac, MAC_HEX + 1);
	g_free(mac);
}

char *tl_digest_challenge(struct tl_digest *digest, bool stale)
{
	char nonce[NONCE_HEX + 1];
	g_snprintf(nonce, sizeof(nonce), "%016" G_GINT64_MODIFIER "x%08x", (uint64_t)tl_clock_us(), digest->serial++);
	sign(digest, nonce);
	return g_strdup_printf("Digest realm=\"%s\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s", digest->realm,
			       nonce, stale ? ", stale=true" : "");
}

/* Every octet is looked at, so that the time tells nothing of where they differ. */
static bool equal(const char *a, const char *b, size_t n)
{
	unsigned difference = 0;
	for (size_t i = 0; i < n; i++)
		difference |= (unsigned)(g_ascii_tolower(a[i]) ^ g_ascii_tolower(b[i]));
	return !difference;
}

static bool nonce_is_ours(const struct tl_digest *digest, const char *nonce, uint64_t *stamp_us)
{
	char signed_again[NONCE_HEX + 1];
	if (strlen(nonce) != NONCE_HEX)
		return false;
	g_strlcpy(signed_again, nonce, sizeof(signed_again));
	sign(digest, signed_again);
	if (!equal(nonce, signed_again, NONCE_HEX))
		return false;
	char stamp[STAMP_HEX + 1];
	g_strlcpy(stamp, nonce, sizeof(stamp));
	*stamp_us = g_ascii_strtoull(stamp, NULL, 16);
	return true;
}

static bool response_is_right(const struct tl_digest_fields *f, const char *method, const char *ha1)
{
	char *a2 = g_strdup_printf("%s:%s", method, f->uri);
	char *ha2 = g_compute_checksum_for_string(G_CHECKSUM_MD5, a2, -1);
	char *ha1_lower = g_ascii_strdown(ha1, -1);
	char *all = f->qop[0] ? g_strdup_printf("%s:%s:%s:%s:%s:%s", ha1_lower, f->nonce, f->nc_text, f->cnonce, f->qop, ha2)
			      : g_strdup_printf("%s:%s:%s", ha1_lower, f->nonce, ha2);
	char *expected = g_compute_checksum_for_string(G_CHECKSUM_MD5, all, -1);
	bool right = equal(f->response, expected, 32);
	g_free(a2), g_free(ha2), g_free(ha1_lower), g_free(all), g_free(expected);
	return right;
}

static void forget_oldest(struct tl_digest *digest)
{
	struct used_nonce *oldest = g_queue_pop_head(&digest->oldest);
	digest->floor_us = MAX(digest->floor_us, oldest->stamp_us);
	g_hash_table_remove(digest->used, oldest->text);
}

/* Counts the use of @nonce; false when that count was used before. */
static bool use(struct tl_digest *digest, const char *nonce, uint64_t stamp_us, uint32_t nc)
{
	struct used_nonce *used = g_hash_table_lookup(digest->used, nonce);
	if (used) {
		bool fresh = nc > used->nc;
		used->nc = MAX(used->nc, nc);
		return fresh;
	}
	if (stamp_us <= digest->floor_us)
		return false;
	used = g_new0(struct used_nonce, 1);
	g_strlcpy(used->text, nonce, sizeof(used->text));
	used->stamp_us = stamp_us;
	used->nc = nc;
	g_hash_table_insert(digest->used, used->text, used);
	g_queue_push_tail(&digest->oldest, used);
	if (g_hash_table_size(digest->used) > TL_DIGEST_NONCES_MAX)
		forget_oldest(digest);
	return true;
}

enum tl_digest_verdict tl_digest_verify(struct tl_digest *digest, const struct tl_digest_fields *fields,
					const char *method, const char *ha1)
{
	uint64_t stamp_us;
	if (!nonce_is_ours(digest, fields->nonce, &stamp_us))
		return TL_DIGEST_STALE;
	if (strcmp(fields->realm, digest->realm) || strlen(ha1) != 32)
		return TL_DIGEST_FAILED;
	if (fields->qop[0] && (g_ascii_strcasecmp(fields->qop, "auth") || !fields->nc_text[0] || !fields->cnonce[0]))
		return TL_DIGEST_FAILED;
	if (!response_is_right(fields, method, ha1))
		return TL_DIGEST_FAILED;
	if ((uint64_t)tl_clock_us() - stamp_us > (uint64_t)TL_DIGEST_NONCE_LIFE_S * 1000000)
		return TL_DIGEST_STALE;
	/* Without qop there is no count (RFC 2617 3.2.2.1): such a nonce serves once. */
	return use(digest, fields->nonce, stamp_us, fields->qop[0] ? fields->nc : 1) ? TL_DIGEST_PASSED : TL_DIGEST_STALE;
}
