/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "secure/certificate.h"

static const struct {
	const char *name;
	unsigned n_octets;
} hashes[] = {
	[TL_FINGERPRINT_SHA256] = { "sha-256", 32 },
	[TL_FINGERPRINT_SHA384] = { "sha-384", 48 },
	[TL_FINGERPRINT_SHA512] = { "sha-512", 64 },
};

static const EVP_MD *digest_of(enum tl_fingerprint_hash hash)
{
	switch (hash) {
	case TL_FINGERPRINT_SHA256:
		return EVP_sha256();
	case TL_FINGERPRINT_SHA384:
		return EVP_sha384();
	case TL_FINGERPRINT_SHA512:
		return EVP_sha512();
	}
	g_assert_not_reached();
}

static gboolean refuse(GError **error, const char *expected)
{
	g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE, "fingerprint: expected %s", expected);
	return FALSE;
}

static gboolean read_octets(const char *digits, struct tl_fingerprint *fingerprint)
{
	for (unsigned i = 0; i < fingerprint->n_octets; i++, digits += 3) {
		if (!g_ascii_isxdigit(digits[0]) || !g_ascii_isxdigit(digits[1]))
			return FALSE;
		fingerprint->octets[i] = (uint8_t)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1]));
		if (digits[2] != (i + 1 < fingerprint->n_octets ? ':' : '\0'))
			return FALSE;
	}
	return TRUE;
}

gboolean tl_fingerprint_parse(const char *text, struct tl_fingerprint *fingerprint, GError **error)
{
	struct tl_fingerprint read = { 0 };
	size_t n_name = strcspn(text, " ");

	for (unsigned i = 0; i < G_N_ELEMENTS(hashes); i++) {
		if (strlen(hashes[i].name) != n_name || g_ascii_strncasecmp(text, hashes[i].name, n_name))
			continue;
		read.hash = (enum tl_fingerprint_hash)i;
		read.n_octets = hashes[i].n_octets;
		if (text[n_name] != ' ' || !read_octets(text + n_name + 1, &read))
			return refuse(error, "as many octets as the hash has, in hexadecimal with colons between");
		*fingerprint = read;
		return TRUE;
	}
	return refuse(error, "sha-256, sha-384 or sha-512");
}

bool tl_fingerprint_matches(const struct tl_fingerprint *fingerprint, X509 *x509)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return X509_digest(x509, digest_of(fingerprint->hash), digest, &n) && n == fingerprint->n_octets &&
	       !CRYPTO_memcmp(digest, fingerprint->octets, n);
}
