/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/rtcp.h"

#include <errno.h>
#include <string.h>

enum { SR = 200, RR = 201, SDES = 202, BYE = 203 };

#define HEADER 8          /* with the sender's SSRC */
#define SENDER 20
#define BLOCK 24
#define CNAME 1
#define NTP_UNIX_S 2208988800u /* 1900 to 1970 */

static uint32_t get32(const uint8_t *o)
{
	return (uint32_t)o[0] << 24 | o[1] << 16 | o[2] << 8 | o[3];
}

static void put32(uint8_t *o, uint32_t value)
{
	o[0] = value >> 24;
	o[1] = value >> 16;
	o[2] = value >> 8;
	o[3] = value;
}

static void block_parse(const uint8_t *o, struct tl_rtcp_block *block)
{
	*block = (struct tl_rtcp_block){
		.ssrc = get32(o),
		.fraction = o[4],
		.lost = (int32_t)(get32(o + 4) << 8) >> 8,
		.highest = get32(o + 8),
		.jitter = get32(o + 12),
		.last_sr = get32(o + 16),
		.delay_65536 = get32(o + 20),
	};
}

static int report_parse(const uint8_t *o, size_t n, uint32_t our_ssrc, struct tl_rtcp_report *report)
{
	unsigned count = o[0] & 0x1f;
	size_t blocks = HEADER + (o[1] == SR ? SENDER : 0);
	if (n < blocks + count * BLOCK)
		return -EBADMSG;
	report->ssrc = get32(o + 4);
	if (o[1] == SR) {
		report->has_sender = true;
		report->ntp = (uint64_t)get32(o + 8) << 32 | get32(o + 12);
		report->timestamp = get32(o + 16);
		report->packets = get32(o + 20);
		report->octets = get32(o + 24);
	}
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = o + blocks + i * BLOCK;
		if (get32(at) != our_ssrc)
			continue;
		block_parse(at, &report->block);
		report->has_block = true;
	}
	return 0;
}

int tl_rtcp_parse(const uint8_t *octets, size_t n_octets, uint32_t our_ssrc, struct tl_rtcp_report *report)
{
	struct tl_rtcp_report found = { 0 };
	size_t at = 0;
	if (n_octets < HEADER || (octets[1] != SR && octets[1] != RR) || octets[0] & 0x20)
		return -EBADMSG;
	while (at < n_octets) {
		if (n_octets - at < 4 || octets[at] >> 6 != 2)
			return -EBADMSG;
		size_t n = 4 * (1 + ((size_t)octets[at + 2] << 8 | octets[at + 3]));
		if (n > n_octets - at)
			return -EBADMSG;
		uint8_t type = octets[at + 1];
		if ((type == SR || type == RR) &&
		    (n < HEADER || report_parse(octets + at, n, our_ssrc, &found)))
			return -EBADMSG;
		found.bye |= type == BYE;
		at += n;
	}
	*report = found;
	return 0;
}

static size_t finish(uint8_t *o, unsigned count, unsigned type, size_t n)
{
	o[0] = 2 << 6 | count;
	o[1] = type;
	o[2] = (n / 4 - 1) >> 8;
	o[3] = n / 4 - 1;
	return n;
}

static void block_format(const struct tl_rtcp_block *block, uint8_t *o)
{
	int32_t lost = block->lost > 0x7fffff ? 0x7fffff : block->lost < -0x800000 ? -0x800000 : block->lost;
	put32(o, block->ssrc);
	put32(o + 4, (uint32_t)block->fraction << 24 | (lost & 0xffffff));
	put32(o + 8, block->highest);
	put32(o + 12, block->jitter);
	put32(o + 16, block->last_sr);
	put32(o + 20, block->delay_65536);
}

static size_t report_format(const struct tl_rtcp_report *report, uint8_t *o)
{
	size_t n = HEADER;
	put32(o + 4, report->ssrc);
	if (report->has_sender) {
		put32(o + 8, report->ntp >> 32);
		put32(o + 12, report->ntp);
		put32(o + 16, report->timestamp);
		put32(o + 20, report->packets);
		put32(o + 24, report->octets);
		n += SENDER;
	}
	if (report->has_block) {
		block_format(&report->block, o + n);
		n += BLOCK;
	}
	return finish(o, report->has_block, report->has_sender ? SR : RR, n);
}

static size_t sdes_format(uint32_t ssrc, const char *cname, uint8_t *o)
{
	size_t length = strnlen(cname, TL_RTCP_CNAME_MAX);
	size_t n = (HEADER + 2 + length + 1 + 3) & ~(size_t)3; /* ends with at least one zero octet */
	memset(o, 0, n);
	put32(o + 4, ssrc);
	o[8] = CNAME;
	o[9] = length;
	memcpy(o + 10, cname, length);
	return finish(o, 1, SDES, n);
}

size_t tl_rtcp_format(const struct tl_rtcp_report *report, const char *cname, uint8_t octets[TL_RTCP_OCTETS_MAX])
{
	size_t n = report_format(report, octets);
	n += sdes_format(report->ssrc, cname, octets + n);
	if (report->bye) {
		put32(octets + n + 4, report->ssrc);
		n += finish(octets + n, 1, BYE, HEADER);
	}
	return n;
}

uint64_t tl_rtcp_ntp(int64_t utc_us)
{
	uint64_t seconds = utc_us / 1000000, us = utc_us % 1000000;
	return (seconds + NTP_UNIX_S) << 32 | (us << 32) / 1000000;
}

uint32_t tl_rtcp_round_trip_us(const struct tl_rtcp_block *block, uint64_t ntp)
{
	uint32_t now = ntp >> 16;
	uint32_t spent = now - block->last_sr - block->delay_65536;
	if (block->last_sr == 0 || spent > 60u << 16) /* more than a minute: clocks disagree or a lie */
		return 0;
	return ((uint64_t)spent * 1000000) >> 16;
}
