/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* EVP's digests and MACs allocate for every message (OpenSSL 3.0, counted): these functions do not. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "secure/hmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#define BLOCK_OCTETS 64

_Static_assert(sizeof(SHA_CTX) == sizeof(((struct tl_hmac_key *)0)->inner), "the key holds two digest states");

static void pad(uint8_t *state, const uint8_t block[BLOCK_OCTETS], uint8_t with)
{
	uint8_t padded[BLOCK_OCTETS];
	SHA_CTX sha;

	for (size_t i = 0; i < sizeof(padded); i++)
		padded[i] = block[i] ^ with;
	SHA1_Init(&sha);
	SHA1_Update(&sha, padded, sizeof(padded));
	memcpy(state, &sha, sizeof(sha));
	OPENSSL_cleanse(&sha, sizeof(sha));
	OPENSSL_cleanse(padded, sizeof(padded));
}

void tl_hmac_key_init(struct tl_hmac_key *key, const void *secret, size_t n_octets)
{
	uint8_t block[BLOCK_OCTETS] = { 0 };

	if (n_octets > sizeof(block))
		SHA1(secret, n_octets, block);
	else if (n_octets)
		memcpy(block, secret, n_octets);
	pad(key->inner, block, 0x36);
	pad(key->outer, block, 0x5c);
	OPENSSL_cleanse(block, sizeof(block));
}

void tl_hmac_key_done(struct tl_hmac_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

void tl_hmac_sha1(const struct tl_hmac_key *key, const void *a, size_t n_a, const void *b, size_t n_b,
		  uint8_t digest[TL_HMAC_OCTETS])
{
	SHA_CTX sha;

	memcpy(&sha, key->inner, sizeof(sha));
	SHA1_Update(&sha, a, n_a);
	if (n_b)
		SHA1_Update(&sha, b, n_b);
	SHA1_Final(digest, &sha);
	memcpy(&sha, key->outer, sizeof(sha));
	SHA1_Update(&sha, digest, TL_HMAC_OCTETS);
	SHA1_Final(digest, &sha);
}
