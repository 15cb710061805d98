/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/stun.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "secure/stun-attribute.h"

static uint16_t get16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static uint32_t get32(const uint8_t *octets)
{
	return (uint32_t)get16(octets) << 16 | get16(octets + 2);
}

/* By half octets: a table of 16 words stays in the cache between the rare messages. */
uint32_t tl_stun_crc(const uint8_t *octets, size_t n_octets)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n_octets; i++) {
		crc ^= octets[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* RFC 8489 14.2 */
static bool read_address(struct tl_stun_message *message, const uint8_t *value, size_t length)
{
	union tl_address *mapped = &message->mapped;
	uint16_t port;

	if (length < 8)
		return false;
	port = (uint16_t)(get16(value + 2) ^ STUN_COOKIE >> 16);
	memset(mapped, 0, sizeof(*mapped));
	if (value[1] == 1 && length == 8) {
		mapped->v4.sin_family = AF_INET;
		mapped->v4.sin_port = htons(port);
		mapped->v4.sin_addr.s_addr = htonl(get32(value + 4) ^ STUN_COOKIE);
	} else if (value[1] == 2 && length == 20) {
		mapped->v6.sin6_family = AF_INET6;
		mapped->v6.sin6_port = htons(port);
		/* Cookie and transaction follow each other in the header. */
		for (unsigned i = 0; i < 16; i++)
			mapped->v6.sin6_addr.s6_addr[i] = value[4 + i] ^ message->octets[4 + i];
	} else {
		return false;
	}
	return message->has_mapped = true;
}

static bool read_error(struct tl_stun_message *message, const uint8_t *value, size_t length)
{
	if (length < 4 || value[3] > 99 || (value[2] & 7) < 3 || (value[2] & 7) > 6)
		return false;
	message->error = (value[2] & 7) * 100u + value[3];
	return true;
}

static bool read_tie_breaker(struct tl_stun_message *message, const uint8_t *value, size_t length)
{
	if (length != 8)
		return false;
	message->tie_breaker = (uint64_t)get32(value) << 32 | get32(value + 4);
	return true;
}

static void note_unknown(struct tl_stun_message *message, unsigned type)
{
	if (type < STUN_OPTIONAL && message->n_unknown < TL_STUN_UNKNOWN_MAX)
		message->unknown[message->n_unknown++] = (uint16_t)type;
}

/* The first of its kind counts (RFC 8489 14). False: its value cannot be. */
static bool read_attribute(struct tl_stun_message *message, unsigned type, const uint8_t *value, size_t length)
{
	switch (type) {
	case STUN_USERNAME:
		if (!message->username) {
			message->username = (const char *)value;
			message->n_username = length;
		}
		return length <= TL_STUN_USERNAME_MAX;
	case STUN_MESSAGE_INTEGRITY:
		message->integrity_at = (size_t)(value - 4 - message->octets);
		return length == TL_HMAC_OCTETS;
	case STUN_XOR_MAPPED_ADDRESS:
		return message->has_mapped || read_address(message, value, length);
	case STUN_ERROR_CODE:
		return message->error || read_error(message, value, length);
	case STUN_PRIORITY:
		if (!message->has_priority && length == 4)
			message->priority = get32(value);
		message->has_priority = true;
		return length == 4;
	case STUN_USE_CANDIDATE:
		message->use_candidate = true;
		return length == 0;
	case STUN_ICE_CONTROLLED:
		message->controlled = true;
		return read_tie_breaker(message, value, length);
	case STUN_ICE_CONTROLLING:
		message->controlling = true;
		return read_tie_breaker(message, value, length);
	case STUN_MAPPED_ADDRESS:
	case STUN_UNKNOWN_ATTRIBUTES:
	case STUN_REALM:
	case STUN_NONCE:
	case STUN_MESSAGE_INTEGRITY_SHA256:
	case STUN_PASSWORD_ALGORITHM:
	case STUN_USERHASH:
		return true; /* understood, and of no use to ICE */
	default:
		note_unknown(message, type);
		return true;
	}
}

static int read_fingerprint(struct tl_stun_message *message, size_t at, size_t length)
{
	if (length != 4 || at + STUN_FINGERPRINT_OCTETS != message->n_octets)
		return -EINVAL;
	if (get32(message->octets + at + 4) != (tl_stun_crc(message->octets, at) ^ STUN_FINGERPRINT_XOR))
		return -EBADMSG;
	message->has_fingerprint = true;
	return 0;
}

static int read_attributes(struct tl_stun_message *message)
{
	size_t at = STUN_HEADER_OCTETS;

	while (at < message->n_octets) {
		const uint8_t *octets = message->octets + at;
		unsigned type = get16(octets);
		size_t length = get16(octets + 2), padded = (length + 3) & ~(size_t)3;
		int error;

		if (padded > message->n_octets - at - 4)
			return -EINVAL;
		if (type == STUN_FINGERPRINT) {
			error = read_fingerprint(message, at, length);
			if (error)
				return error;
		} else if (!message->integrity_at && !read_attribute(message, type, octets + 4, length)) {
			return -EINVAL;
		}
		at += 4 + padded;
	}
	return 0;
}

int tl_stun_parse(const uint8_t *octets, size_t n_octets, struct tl_stun_message *message)
{
	struct tl_stun_message read = { .octets = octets, .n_octets = n_octets };
	unsigned type;
	int error;

	/* Every attribute's length is a multiple of 4 with its padding, hence the message's, too (RFC 8489 5). */
	if (n_octets < STUN_HEADER_OCTETS || n_octets > TL_STUN_OCTETS_MAX || n_octets % 4 || octets[0] & 0xc0 ||
	    get16(octets + 2) != n_octets - STUN_HEADER_OCTETS || get32(octets + 4) != STUN_COOKIE)
		return -EINVAL;
	type = get16(octets);
	read.class = (enum tl_stun_class)((type >> 7 & 2) | (type >> 4 & 1));
	read.method = (type & 0x000f) | (type >> 1 & 0x0070) | (type >> 2 & 0x0f80);
	read.transaction = octets + 8;
	error = read_attributes(&read);
	if (!error)
		*message = read;
	return error;
}

bool tl_stun_verify(const struct tl_stun_message *message, const struct tl_hmac_key *password)
{
	uint8_t head[STUN_HEADER_OCTETS], digest[TL_HMAC_OCTETS];
	size_t at = message->integrity_at, length = at + STUN_INTEGRITY_OCTETS - STUN_HEADER_OCTETS;

	if (!at)
		return false;
	/* The length that is signed ends with MESSAGE-INTEGRITY (RFC 8489 14.5). */
	memcpy(head, message->octets, sizeof(head));
	head[2] = (uint8_t)(length >> 8);
	head[3] = (uint8_t)length;
	tl_hmac_sha1(password, head, sizeof(head), message->octets + sizeof(head), at - sizeof(head), digest);
	return !CRYPTO_memcmp(digest, message->octets + at + 4, sizeof(digest));
}
