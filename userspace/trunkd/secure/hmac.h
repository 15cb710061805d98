/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* HMAC-SHA1 (RFC 2104) with the key prepared, so that a message costs no allocation and no key block. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TL_HMAC_OCTETS 20

/** The digest's state after each of the two pads. A plain value, as secret as the key: wipe it. */
struct tl_hmac_key {
	_Alignas(8) uint8_t inner[96], outer[96];
};

/** @secret of any length. Any thread. Real-time safe. */
void tl_hmac_key_init(struct tl_hmac_key *key, const void *secret, size_t n_octets);
/** Wipes. */
void tl_hmac_key_done(struct tl_hmac_key *key);

/** The digest of @a followed by @b (which may be NULL with @n_b 0). Any thread. Real-time safe. */
void tl_hmac_sha1(const struct tl_hmac_key *key, const void *a, size_t n_a, const void *b, size_t n_b,
		  uint8_t digest[TL_HMAC_OCTETS]);
