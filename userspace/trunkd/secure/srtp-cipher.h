/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The transforms on OpenSSL's EVP: session keys derived (RFC 3711 4.3), packets
 * enciphered and authenticated (RFC 3711 4.1, 4.2; RFC 7714 8, 9). Knows where a
 * packet's clear part ends and its index, not how that index came about.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secure/srtp.h"

/** Labels of the key derivation; RTCP's are these plus 3. RFC 3711 4.3.2 */
enum tl_srtp_label { TL_SRTP_LABEL_CIPHER, TL_SRTP_LABEL_AUTH, TL_SRTP_LABEL_SALT, TL_SRTP_LABEL_RTCP };

struct tl_srtp_session_keys {
	uint8_t cipher[TL_SRTP_KEY_OCTETS];
	uint8_t auth[20];
	uint8_t salt[TL_SRTP_SALT_MAX];
};

/** Fills @out with @n_octets derived from @master with @label; @n_salt octets of its salt count. May allocate. */
void tl_srtp_derive(const struct tl_srtp_key *master, size_t n_salt, unsigned label, uint8_t *out, size_t n_octets);

struct tl_srtp_cipher;

/** For packets of one kind (RTP or RTCP) and direction. (transfer full) Thread: main. */
struct tl_srtp_cipher *tl_srtp_cipher_new(enum tl_srtp_profile profile, enum tl_srtp_direction direction,
					  const struct tl_srtp_session_keys *keys);
/** Wipes; NULL is legal. Thread: main. */
void tl_srtp_cipher_free(struct tl_srtp_cipher *cipher);

/** Octets of the authentication tag: 16 or 10. */
size_t tl_srtp_tag_octets(enum tl_srtp_profile profile);

/**
 * One packet: its first @clear octets stay readable, the rest up to @n_octets is enciphered; all of it and then the
 * four octets at @word (NULL: none) are authenticated.
 */
struct tl_srtp_part {
	uint8_t *octets;
	size_t clear, n_octets;
	const uint8_t *word;
	uint32_t ssrc;
	uint64_t index; /* 48 bits, or SRTCP's 31 */
};

/** Enciphers in place and writes the tag. Real-time safe. */
bool tl_srtp_seal(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part, uint8_t *tag);
/** Checks the tag and deciphers in place; false: forged. Real-time safe. */
bool tl_srtp_open(struct tl_srtp_cipher *cipher, const struct tl_srtp_part *part, uint8_t *tag);
