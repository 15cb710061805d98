/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Numbers of STUN on the wire, for its reader and its writer. RFC 8489 14, 18.3; RFC 8445 16.1 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define STUN_HEADER_OCTETS 20
#define STUN_COOKIE 0x2112a442u
#define STUN_TRANSACTION_OCTETS 12
#define STUN_FINGERPRINT_XOR 0x5354554eu
#define STUN_INTEGRITY_OCTETS 24   /* attribute header and digest */
#define STUN_FINGERPRINT_OCTETS 8

enum {
	STUN_MAPPED_ADDRESS = 0x0001,
	STUN_USERNAME = 0x0006,
	STUN_MESSAGE_INTEGRITY = 0x0008,
	STUN_ERROR_CODE = 0x0009,
	STUN_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_REALM = 0x0014,
	STUN_NONCE = 0x0015,
	STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c,
	STUN_PASSWORD_ALGORITHM = 0x001d,
	STUN_USERHASH = 0x001e,
	STUN_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_PRIORITY = 0x0024,
	STUN_USE_CANDIDATE = 0x0025,
	STUN_OPTIONAL = 0x8000, /* from here on an unknown one may be ignored */
	STUN_FINGERPRINT = 0x8028,
	STUN_ICE_CONTROLLED = 0x8029,
	STUN_ICE_CONTROLLING = 0x802a,
};

/** CRC-32 of ITU-T V.42 as FINGERPRINT has it. RFC 8489 14.7 */
uint32_t tl_stun_crc(const uint8_t *octets, size_t n_octets);
