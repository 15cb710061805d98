/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "secure/stun-attribute.h"
#include "secure/stun.h"

/* What would not fit is not written, and the message comes to nothing. */
struct writer {
	uint8_t *octets;
	size_t n_octets, capacity;
	bool full;
};

static void put16(uint8_t *octets, unsigned value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static void put32(uint8_t *octets, uint32_t value)
{
	put16(octets, value >> 16);
	put16(octets + 2, value & 0xffff);
}

static unsigned type_of(enum tl_stun_class class)
{
	return TL_STUN_BINDING | (class & 2u) << 7 | (class & 1u) << 4;
}

static struct writer begin(uint8_t *out, size_t capacity, enum tl_stun_class class, const uint8_t *transaction)
{
	struct writer writer = { .octets = out, .n_octets = STUN_HEADER_OCTETS, .capacity = capacity };

	writer.full = capacity < STUN_HEADER_OCTETS;
	if (writer.full)
		return writer;
	put16(out, type_of(class));
	put32(out + 4, STUN_COOKIE);
	memcpy(out + 8, transaction, STUN_TRANSACTION_OCTETS);
	return writer;
}

/* Room for a value of @length, zeroed with its padding; NULL when there is none. */
static uint8_t *attribute(struct writer *writer, unsigned type, size_t length)
{
	size_t padded = (length + 3) & ~(size_t)3;
	uint8_t *at = writer->octets + writer->n_octets;

	writer->full = writer->full || padded + 4 > writer->capacity - writer->n_octets;
	if (writer->full)
		return NULL;
	put16(at, type);
	put16(at + 2, (unsigned)length);
	memset(at + 4, 0, padded);
	writer->n_octets += 4 + padded;
	/* The length must tell of this attribute before it is signed (RFC 8489 14.5, 14.7). */
	put16(writer->octets + 2, (unsigned)(writer->n_octets - STUN_HEADER_OCTETS));
	return at + 4;
}

static size_t end(struct writer *writer, const struct tl_hmac_key *password)
{
	uint8_t *digest = password ? attribute(writer, STUN_MESSAGE_INTEGRITY, TL_HMAC_OCTETS) : NULL;
	uint8_t *crc;

	if (digest)
		tl_hmac_sha1(password, writer->octets, writer->n_octets - STUN_INTEGRITY_OCTETS, NULL, 0, digest);
	crc = attribute(writer, STUN_FINGERPRINT, 4);
	if (!crc)
		return 0;
	put32(crc, tl_stun_crc(writer->octets, writer->n_octets - STUN_FINGERPRINT_OCTETS) ^ STUN_FINGERPRINT_XOR);
	return writer->n_octets;
}

/* RFC 8489 14.2; @octets of the address, 4 or 16. */
static void put_address(struct writer *writer, const void *octets, unsigned n_octets, uint16_t port)
{
	uint8_t *value = attribute(writer, STUN_XOR_MAPPED_ADDRESS, 4 + n_octets);

	if (!value)
		return;
	value[1] = n_octets == 4 ? 1 : 2;
	put16(value + 2, port ^ STUN_COOKIE >> 16);
	memcpy(value + 4, octets, n_octets);
	for (unsigned i = 0; i < n_octets; i++)
		value[4 + i] ^= writer->octets[4 + i];
}

size_t tl_stun_format_success(const struct tl_stun_message *request, const union tl_address *from,
			      const struct tl_hmac_key *password, uint8_t *out, size_t capacity)
{
	struct writer writer = begin(out, capacity, TL_STUN_SUCCESS, request->transaction);

	if (from->any.sa_family == AF_INET)
		put_address(&writer, &from->v4.sin_addr, 4, ntohs(from->v4.sin_port));
	else if (IN6_IS_ADDR_V4MAPPED(&from->v6.sin6_addr))
		put_address(&writer, from->v6.sin6_addr.s6_addr + 12, 4, ntohs(from->v6.sin6_port));
	else
		put_address(&writer, &from->v6.sin6_addr, 16, ntohs(from->v6.sin6_port));
	return end(&writer, password);
}

size_t tl_stun_format_error(const struct tl_stun_message *request, unsigned code, const struct tl_hmac_key *password,
			    uint8_t *out, size_t capacity)
{
	struct writer writer = begin(out, capacity, TL_STUN_ERROR, request->transaction);
	/* Without a reason phrase: what answers a stranger should not be longer than what he sent. */
	uint8_t *value = attribute(&writer, STUN_ERROR_CODE, 4);

	if (value) {
		value[2] = (uint8_t)(code / 100);
		value[3] = (uint8_t)(code % 100);
	}
	value = code == 420 ? attribute(&writer, STUN_UNKNOWN_ATTRIBUTES, request->n_unknown * 2u) : NULL;
	for (unsigned i = 0; value && i < request->n_unknown; i++)
		put16(value + 2 * i, request->unknown[i]);
	return end(&writer, password);
}

size_t tl_stun_format_check(const struct tl_stun_check *check, const struct tl_hmac_key *password, uint8_t *out,
			    size_t capacity)
{
	struct writer writer = begin(out, capacity, TL_STUN_REQUEST, check->transaction);
	size_t n_username = strlen(check->username);
	uint8_t *value = attribute(&writer, STUN_USERNAME, n_username);

	if (value)
		memcpy(value, check->username, n_username);
	value = attribute(&writer, STUN_PRIORITY, 4);
	if (value)
		put32(value, check->priority);
	value = attribute(&writer, check->controlling ? STUN_ICE_CONTROLLING : STUN_ICE_CONTROLLED, 8);
	if (value) {
		put32(value, (uint32_t)(check->tie_breaker >> 32));
		put32(value + 4, (uint32_t)check->tie_breaker);
	}
	if (check->use_candidate)
		attribute(&writer, STUN_USE_CANDIDATE, 0);
	return end(&writer, password);
}
