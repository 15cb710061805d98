/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Digest access authentication, the server's side (RFC 7616 with MD5, which is
 * what telephones speak; RFC 2617). Nonces carry their time and our HMAC, so
 * that none is remembered before it has been used well; each use must count nc
 * up. Thread: main.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_DIGEST_NONCE_LIFE_S 300
#define TL_DIGEST_NONCES_MAX 8192 /* used nonces remembered; beyond it the oldest becomes stale */

/** An Authorization header's fields; "" when absent. */
struct tl_digest_fields {
	char username[65], realm[129], nonce[129], uri[257], response[33], cnonce[129], qop[17];
	char nc_text[9]; /* as sent: the response covers its very letters */
	uint32_t nc;
};

/**
 * tl_digest_parse - read @length octets of an Authorization value, "Digest username=..." (RFC 7616 3.4).
 * False (fields untouched) when it is not Digest with MD5, malformed, a field too long, or given twice.
 */
bool tl_digest_parse(const char *text, size_t length, struct tl_digest_fields *fields);

enum tl_digest_verdict {
	TL_DIGEST_PASSED,
	TL_DIGEST_STALE,  /* nonce unknown, too old, or nc used before: challenge again with stale=true */
	TL_DIGEST_FAILED, /* wrong response */
};

struct tl_digest;

struct tl_digest *tl_digest_new(const char *realm);
void tl_digest_free(struct tl_digest *digest);

/** The value of WWW-Authenticate. (transfer full), g_free. */
char *tl_digest_challenge(struct tl_digest *digest, bool stale);

/** Judges @fields for @method and the user's @ha1 (hex). A pass uses up its nc. */
enum tl_digest_verdict tl_digest_verify(struct tl_digest *digest, const struct tl_digest_fields *fields,
					const char *method, const char *ha1);
