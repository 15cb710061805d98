/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* RTP and RTCP packets: octets by hand, both directions, and the receiver's books. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "media/rtcp.h"
#include "media/rtp.h"

static void test_header(void)
{
	static const uint8_t wire[] = { 0x80, 0x88, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe, 1, 2, 3 };
	struct tl_rtp_packet packet;
	uint8_t again[TL_RTP_HEADER_OCTETS];
	g_assert_cmpint(tl_rtp_parse(wire, sizeof wire, &packet), ==, 0);
	g_assert_cmpuint(packet.payload_type, ==, 8);
	g_assert_true(packet.marker);
	g_assert_cmphex(packet.sequence, ==, 0x1234);
	g_assert_cmphex(packet.timestamp, ==, 0xdeadbeef);
	g_assert_cmphex(packet.ssrc, ==, 0xcafebabe);
	g_assert_cmpmem(packet.payload, packet.payload_octets, "\1\2\3", 3);
	tl_rtp_format(&packet, again);
	g_assert_cmpmem(again, sizeof again, wire, sizeof again);
}

/* Padding, two CSRCs and an extension around the payload. */
static void test_trimmings(void)
{
	uint8_t wire[12 + 8 + 4 + 4 + 3 + 4] = { 0xb2, 0, 0, 1 };
	struct tl_rtp_packet packet;
	wire[12 + 8 + 3] = 1; /* extension of one word */
	memcpy(wire + 28, "abc", 3);
	wire[sizeof wire - 1] = 4;
	g_assert_cmpint(tl_rtp_parse(wire, sizeof wire, &packet), ==, 0);
	g_assert_cmpmem(packet.payload, packet.payload_octets, "abc", 3);
	for (unsigned n = 0; n < 28; n++) {
		struct tl_rtp_packet untouched = { .ssrc = 77 };
		g_autofree uint8_t *cut = g_memdup2(wire, n);
		if (tl_rtp_parse(cut, n, &untouched) == -EBADMSG)
			g_assert_cmpuint(untouched.ssrc, ==, 77);
	}
	wire[sizeof wire - 1] = 200;
	g_assert_cmpint(tl_rtp_parse(wire, sizeof wire, &packet), ==, -EBADMSG);
	wire[sizeof wire - 1] = 0;
	g_assert_cmpint(tl_rtp_parse(wire, sizeof wire, &packet), ==, -EBADMSG);
	wire[0] = 0x40;
	g_assert_cmpint(tl_rtp_parse(wire, sizeof wire, &packet), ==, -EBADMSG);
}

static void test_event(void)
{
	static const uint8_t wire[] = { 11, 0x8a, 0x03, 0x20 };
	struct tl_rtp_event event;
	uint8_t again[4];
	g_assert_cmpint(tl_rtp_event_parse(wire, 4, &event), ==, 0);
	g_assert_cmpuint(event.event, ==, 11);
	g_assert_true(event.end);
	g_assert_cmpuint(event.volume, ==, 10);
	g_assert_cmpuint(event.duration, ==, 800);
	tl_rtp_event_format(&event, again);
	g_assert_cmpmem(again, 4, wire, 4);
	g_assert_cmpint(tl_rtp_event_parse(wire, 3, &event), ==, -EBADMSG);
}

static enum tl_rtp_hearing hear(struct tl_rtp_source *source, uint16_t sequence, uint32_t ssrc)
{
	struct tl_rtp_packet packet = { .sequence = sequence, .timestamp = sequence * 160u, .ssrc = ssrc };
	return tl_rtp_source_hear(source, &packet, sequence * 160u);
}

static void test_source_books(void)
{
	struct tl_rtp_source source = { 0 };
	g_assert_cmpint(hear(&source, 0xfffe, 1), ==, TL_RTP_RESTARTED);
	g_assert_cmpint(hear(&source, 0xffff, 1), ==, TL_RTP_NEW);
	g_assert_cmpint(hear(&source, 0x0001, 1), ==, TL_RTP_NEW); /* 0 is missing, over the wrap */
	g_assert_cmpint(tl_rtp_source_lost(&source), ==, 1);
	g_assert_cmpuint(tl_rtp_source_fraction(&source), ==, 64);
	g_assert_cmpint(hear(&source, 0x0000, 1), ==, TL_RTP_NEW); /* it was only late */
	g_assert_cmpint(tl_rtp_source_lost(&source), ==, 0);
	g_assert_cmpint(hear(&source, 0x0000, 1), ==, TL_RTP_DUPLICATE);
	g_assert_cmpint(hear(&source, 0x0001, 1), ==, TL_RTP_DUPLICATE);
	g_assert_cmpint(hear(&source, 0x4000, 1), ==, TL_RTP_STRAY);
	g_assert_cmpint(hear(&source, 0x0002, 1), ==, TL_RTP_NEW);
	g_assert_cmpint(hear(&source, 0x4000, 1), ==, TL_RTP_STRAY);
	g_assert_cmpint(hear(&source, 0x4001, 1), ==, TL_RTP_RESTARTED);
	g_assert_cmpint(hear(&source, 0x4002, 2), ==, TL_RTP_RESTARTED); /* another SSRC */
	g_assert_cmphex(source.ssrc, ==, 2);
}

/* RFC 3550 A.8 by its own formula in floating point. */
static void test_jitter(void)
{
	struct tl_rtp_source source = { 0 };
	double expected = 0, before = 0;
	for (unsigned i = 0; i < 500; i++) {
		uint32_t delay = (i * 37) % 90;
		struct tl_rtp_packet packet = { .sequence = i, .timestamp = i * 160, .ssrc = 9 };
		tl_rtp_source_hear(&source, &packet, i * 160 + delay);
		if (i)
			expected += (ABS(delay - before) - expected) / 16;
		before = delay;
	}
	g_assert_cmpfloat_with_epsilon(tl_rtp_source_jitter(&source), expected, 2);
}

static void test_report_there_and_back(void)
{
	uint8_t wire[TL_RTCP_OCTETS_MAX], again[TL_RTCP_OCTETS_MAX];
	struct tl_rtcp_report report = {
		.ssrc = 0x11223344, .has_sender = true, .ntp = 0x0123456789abcdef, .timestamp = 5, .packets = 6, .octets = 7,
		.has_block = true, .bye = true,
		.block = { .ssrc = 0x55667788, .fraction = 9, .lost = -3, .highest = 10, .jitter = 11, .last_sr = 12,
			   .delay_65536 = 13 },
	}, found;
	size_t n = tl_rtcp_format(&report, "0123456789012345678901234567890123456789", wire);
	g_assert_cmpuint(n, <=, sizeof wire);
	g_assert_cmpuint(n % 4, ==, 0);
	g_assert_cmpint(tl_rtcp_parse(wire, n, 0x55667788, &found), ==, 0);
	g_assert_cmphex(found.ntp, ==, report.ntp);
	g_assert_cmpint(found.block.lost, ==, -3);
	g_assert_cmpuint(found.block.delay_65536, ==, 13);
	g_assert_true(found.bye);
	g_assert_cmpuint(tl_rtcp_format(&found, "0123456789012345678901234567890123456789", again), ==, n);
	g_assert_cmpmem(again, n, wire, n);
	g_assert_cmpint(tl_rtcp_parse(wire, n, 0x55667789, &found), ==, 0); /* the block is about another */
	g_assert_false(found.has_block);
	for (size_t cut = 0; cut < n; cut++) {
		g_autofree uint8_t *part = g_memdup2(wire, cut);
		int result = tl_rtcp_parse(part, cut, 0x55667788, &found);
		/* Whole packets at the front are a compound of their own; everything else is refused. */
		if (result == 0)
			g_assert_cmpuint(cut, ==, 52 + (cut > 52 ? n - 8 - 52 : 0));
	}
	report.has_sender = report.has_block = report.bye = false;
	n = tl_rtcp_format(&report, "x", wire);
	g_assert_cmphex(wire[1], ==, 201);
	g_assert_cmpint(tl_rtcp_parse(wire, n, 1, &found), ==, 0);
	wire[0] |= 0x1f; /* 31 blocks that are not there */
	g_assert_cmpint(tl_rtcp_parse(wire, n, 1, &found), ==, -EBADMSG);
}

/* RFC 3550 figure 2: the report comes at 0xb710:8000, LSR 0xb705:2000, DLSR 0x0005:4000: 6.125 s. */
static void test_round_trip(void)
{
	struct tl_rtcp_block block = { .last_sr = 0xb7052000, .delay_65536 = 0x00054000 };
	g_assert_cmpuint(tl_rtcp_round_trip_us(&block, 0xb7108000ull << 16), ==, 6125000);
	block.last_sr = 0;
	g_assert_cmpuint(tl_rtcp_round_trip_us(&block, 0xb7108000ull << 16), ==, 0);
	g_assert_cmpuint(tl_rtcp_ntp(0) >> 32, ==, 2208988800u);
	g_assert_cmphex(tl_rtcp_ntp(500000) & 0xffffffff, ==, 0x80000000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp/header", test_header);
	g_test_add_func("/rtp/trimmings", test_trimmings);
	g_test_add_func("/rtp/event", test_event);
	g_test_add_func("/rtp/source-books", test_source_books);
	g_test_add_func("/rtp/jitter", test_jitter);
	g_test_add_func("/rtcp/there-and-back", test_report_there_and_back);
	g_test_add_func("/rtcp/round-trip", test_round_trip);
	return g_test_run();
}
