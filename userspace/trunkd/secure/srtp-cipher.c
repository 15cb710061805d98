/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/srtp-cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "secure/hmac.h"

#define GCM_TAG_OCTETS 16
#define SHA1_80_TAG_OCTETS 10

struct tl_srtp_cipher {
	enum tl_srtp_profile profile;
	EVP_CIPHER_CTX *evp;
	struct tl_hmac_key auth; /* AES128_CM_SHA1_80 only */
	uint8_t salt[TL_SRTP_SALT_MAX];
};

/* Fetched once: a fetch by name costs more than a packet. */
static const EVP_CIPHER *algorithm(enum tl_srtp_profile profile)
{
	static gsize once;
	static EVP_CIPHER *gcm, *counter;

	if (g_once_init_enter(&once)) {
		gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
		counter = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
		g_assert(gcm && counter);
		g_once_init_leave(&once, 1);
	}
	return profile == TL_SRTP_AEAD_AES_128_GCM ? gcm : counter;
}

size_t tl_srtp_tag_octets(enum tl_srtp_profile profile)
{
	return profile == TL_SRTP_AEAD_AES_128_GCM ? GCM_TAG_OCTETS : SHA1_80_TAG_OCTETS;
}

void tl_srtp_derive(const struct tl_srtp_key *master, size_t n_salt, unsigned label, uint8_t *out, size_t n_octets)
{
	EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int n;

	/* x = label || index(0), right-aligned in the salt's 14 octets: the label meets octet 7 (RFC 3711 4.3.1). */
	memcpy(iv, master->salt, n_salt);
	iv[7] ^= (uint8_t)label;
	memset(out, 0, n_octets);
	g_assert(evp && EVP_EncryptInit_ex2(evp, algorithm(TL_SRTP_AES128_CM_SHA1_80), master->key, iv, NULL) &&
		 EVP_EncryptUpdate(evp, out, &n, out, (int)n_octets));
	EVP_CIPHER_CTX_free(evp);
}

struct tl_srtp_cipher *tl_srtp_cipher_new(enum tl_srtp_profile profile, enum tl_srtp_direction direction,
					  const struct tl_srtp_session_keys *keys)
{
	struct tl_srtp_cipher *cipher = g_new0(struct tl_srtp_cipher, 1);
	bool enciphers = direction == TL_SRTP_SEND || profile == TL_SRTP_AES128_CM_SHA1_80;

	cipher->profile = profile;
	memcpy(cipher->salt, keys->salt, sizeof(cipher->salt));
	cipher->evp = EVP_CIPHER_CTX_new();
	g_assert(cipher->evp &&
		 EVP_CipherInit_ex2(cipher->evp, algorithm(profile), keys->cipher, NULL, enciphers, NULL));
	tl_hmac_key_init(&cipher->auth, keys->auth, sizeof(keys->auth));
	return cipher;
}

void tl_srtp_cipher_free(struct tl_srtp_cipher *cipher)
{
	if (!cipher)
		return;
	EVP_CIPHER_CTX_free(cipher->evp);
	OPENSSL_cleanse(cipher, sizeof(*cipher));
	g_free(cipher);
}

/*
 * Both profiles put SSRC and index side by side over the salt: RFC 3711 4.1.1 at octets 4 and 8 (and two octets of
 * block counter after them), RFC 7714 8.1 and 9.1 at octets 2 and 6.
 */
static void make_iv(const struct tl_srtp_cipher *cipher, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
	bool gcm = cipher->profile == TL_SRTP_AEAD_AES_128_GCM;
	uint8_t *at = iv + (gcm ? 2 : 4);

	memset(iv, 0, 16);
	memcpy(iv, cipher->salt, gcm ? 12 : 14);
	for (unsigned i = 0; i < 4; i++)
		at[i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (unsigned i = 0; i < 6; i++)
		at[4 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

static bool gcm_begin(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part)
{
	uint8_t iv[16];
	int n;

	make_iv(cipher, part->ssrc, part->index, iv);
	/* -1: the direction stays. */
	return EVP_CipherInit_ex2(cipher->evp, NULL, NULL, iv, -1, NULL) &&
	       EVP_CipherUpdate(cipher->evp, NULL, &n, part->octets, (int)part->clear) &&
	       (!part->word || EVP_CipherUpdate(cipher->evp, NULL, &n, part->word, 4));
}

static bool gcm_run(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part)
{
	uint8_t *body = part->octets + part->clear;
	size_t n_body = part->n_octets - part->clear;
	int n;

	return (!n_body || EVP_CipherUpdate(cipher->evp, body, &n, body, (int)n_body)) &&
	       EVP_CipherFinal_ex(cipher->evp, part->octets + part->n_octets, &n) > 0;
}

static bool counter_run(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part)
{
	uint8_t *body = part->octets + part->clear;
	size_t n_body = part->n_octets - part->clear;
	uint8_t iv[16];
	int n;

	if (!n_body)
		return true;
	make_iv(cipher, part->ssrc, part->index, iv);
	return EVP_EncryptInit_ex2(cipher->evp, NULL, NULL, iv, NULL) &&
	       EVP_EncryptUpdate(cipher->evp, body, &n, body, (int)n_body);
}

bool tl_srtp_seal(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part, uint8_t *tag)
{
	uint8_t digest[TL_HMAC_OCTETS];

	if (cipher->profile == TL_SRTP_AEAD_AES_128_GCM)
		return gcm_begin(cipher, part) && gcm_run(cipher, part) &&
		       EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_OCTETS, tag) == 1;
	if (!counter_run(cipher, part))
		return false;
	tl_hmac_sha1(&cipher->auth, part->octets, part->n_octets, part->word, part->word ? 4 : 0, digest);
	memcpy(tag, digest, SHA1_80_TAG_OCTETS);
	return true;
}

bool tl_srtp_open(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part, uint8_t *tag)
{
	uint8_t digest[TL_HMAC_OCTETS];

	if (cipher->profile == TL_SRTP_AEAD_AES_128_GCM)
		return gcm_begin(cipher, part) &&
		       EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_OCTETS, tag) == 1 &&
		       gcm_run(cipher, part);
	tl_hmac_sha1(&cipher->auth, part->octets, part->n_octets, part->word, part->word ? 4 : 0, digest);
	return !CRYPTO_memcmp(digest, tag, SHA1_80_TAG_OCTETS) && counter_run(cipher, part);
}
