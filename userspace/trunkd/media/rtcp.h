/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* RTCP compound packets (RFC 3550 6): what one party says of a call of two. Octets and values; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_RTCP_OCTETS_MAX 160
#define TL_RTCP_CNAME_MAX 40

/** A report block, RFC 3550 6.4.1. */
struct tl_rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;       /* of 256 */
	int32_t lost;           /* cumulative, clamped to 24 bits */
	uint32_t highest;
	uint32_t jitter;        /* samples */
	uint32_t last_sr;       /* middle 32 bits of the NTP time of the last SR; 0: none */
	uint32_t delay_65536;   /* since then, in 1/65536 s */
};

/** One compound packet, reduced to what matters here. */
struct tl_rtcp_report {
	uint32_t ssrc;          /* of its sender */
	bool has_sender;        /* an SR: the next four are meaningful */
	uint64_t ntp;
	uint32_t timestamp, packets, octets;
	bool has_block;         /* read: a block about us; written: put one in */
	struct tl_rtcp_block block;
	bool bye;
};

/**
 * tl_rtcp_parse - read a compound packet; of its report blocks only the one about @our_ssrc.
 * -EBADMSG (report untouched) when it breaks RFC 3550 A.2.
 */
int tl_rtcp_parse(const uint8_t *octets, size_t n_octets, uint32_t our_ssrc, struct tl_rtcp_report *report);

/** Writes SR or RR, SDES with @cname (at most TL_RTCP_CNAME_MAX) and perhaps BYE. Returns its octets. */
size_t tl_rtcp_format(const struct tl_rtcp_report *report, const char *cname, uint8_t octets[TL_RTCP_OCTETS_MAX]);

/** NTP time of @utc_us (us since 1970): seconds since 1900 in the upper half. */
uint64_t tl_rtcp_ntp(int64_t utc_us);

/** Round trip in us of @block that arrived at @ntp (RFC 3550 6.4.1); 0: unknown. */
uint32_t tl_rtcp_round_trip_us(const struct tl_rtcp_block *block, uint64_t ntp);
