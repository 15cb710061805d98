/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "srtp-packets.h"

#include <string.h>

struct tl_srtp *srtp_context(enum tl_srtp_backend backend, enum tl_srtp_profile profile,
			     enum tl_srtp_direction direction)
{
	struct tl_srtp_config config = { .backend = backend, .profile = profile, .direction = direction };
	GError *error = NULL;
	struct tl_srtp *srtp;

	for (unsigned i = 0; i < sizeof(config.key.key); i++)
		config.key.key[i] = (uint8_t)(i * 7 + profile);
	for (unsigned i = 0; i < sizeof(config.key.salt); i++)
		config.key.salt[i] = (uint8_t)(i * 11 + 3);
	srtp = tl_srtp_new(&config, &error);
	g_assert_no_error(error);
	return srtp;
}

static void put(uint8_t *octets, unsigned n, uint64_t value)
{
	while (n--) {
		octets[n] = (uint8_t)value;
		value >>= 8;
	}
}

static size_t fill(uint8_t *packet, size_t from, uint64_t number)
{
	size_t n = from + 1 + number * 37 % 160;

	for (size_t i = from; i < n; i++)
		packet[i] = (uint8_t)(number * 5 + i * 3);
	return n;
}

size_t rtp_packet(uint8_t packet[PACKET_ROOM], uint32_t ssrc, uint64_t number)
{
	size_t header = 12;

	packet[0] = 0x80;
	packet[1] = number % 50 ? 8 : 0x88;
	put(packet + 2, 2, number & 0xffff);
	put(packet + 4, 4, number * 160 & 0xffffffff);
	put(packet + 8, 4, ssrc);
	if (number % 3 == 0) { /* a contributing source and a header extension, RFC 8285 */
		packet[0] |= 0x11;
		put(packet + 12, 4, 0x01020304);
		put(packet + 16, 4, 0xbede0001);
		put(packet + 20, 4, number & 0xffffffff);
		header = 24;
	}
	return fill(packet, header, number);
}

size_t rtcp_packet(uint8_t packet[PACKET_ROOM], uint32_t ssrc, uint64_t number)
{
	put(packet, 4, 0x80c80006);
	put(packet + 4, 4, ssrc);
	memset(packet + 8, 0, PACKET_ROOM - 8); /* its length is rounded up */
	return (fill(packet, 8, number) + 3) & ~(size_t)3;
}

static void assert_same(const uint8_t *packet, size_t n_octets, const uint8_t *expected, size_t n_expected)
{
	/* Asserted apart: the macro costs too much for each of a million packets. */
	if (n_octets != n_expected || memcmp(packet, expected, n_octets))
		g_assert_cmpmem(packet, n_octets, expected, n_expected);
}

void rtp_assert(const uint8_t *packet, size_t n_octets, uint32_t ssrc, uint64_t number)
{
	uint8_t expected[PACKET_ROOM] = { 0 };

	assert_same(packet, n_octets, expected, rtp_packet(expected, ssrc, number));
}

void rtcp_assert(const uint8_t *packet, size_t n_octets, uint32_t ssrc, uint64_t number)
{
	uint8_t expected[PACKET_ROOM] = { 0 };

	assert_same(packet, n_octets, expected, rtcp_packet(expected, ssrc, number));
}
