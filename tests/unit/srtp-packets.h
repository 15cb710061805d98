/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* RTP and RTCP packets whose every octet follows from a number, and contexts to turn them. */
#pragma once

#include "secure/srtp.h"

#define PACKET_ROOM 256

/** A context with a key that follows from @profile. */
struct tl_srtp *srtp_context(enum tl_srtp_backend backend, enum tl_srtp_profile profile,
			     enum tl_srtp_direction direction);

/** Writes packet @number of @ssrc (its sequence is the number's low 16 bits); returns its octets. */
size_t rtp_packet(uint8_t packet[PACKET_ROOM], uint32_t ssrc, uint64_t number);
size_t rtcp_packet(uint8_t packet[PACKET_ROOM], uint32_t ssrc, uint64_t number);

/** Asserts that @packet is what rtp_packet() or rtcp_packet() wrote. */
void rtp_assert(const uint8_t *packet, size_t n_octets, uint32_t ssrc, uint64_t number);
void rtcp_assert(const uint8_t *packet, size_t n_octets, uint32_t ssrc, uint64_t number);
