/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Numbers of RTP and RTCP in network order, wherever they stand. Pure; any thread. */
#pragma once

#include <stdint.h>

static inline uint16_t get16(const uint8_t *octets)
{
	return octets[0] << 8 | octets[1];
}

static inline uint32_t get32(const uint8_t *octets)
{
	return (uint32_t)get16(octets) << 16 | get16(octets + 2);
}

static inline void put16(uint8_t *octets, uint16_t value)
{
	octets[0] = value >> 8;
	octets[1] = value;
}

static inline void put32(uint8_t *octets, uint32_t value)
{
	put16(octets, value >> 16);
	put16(octets + 2, value);
}
