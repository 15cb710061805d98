/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Video's packets, reports and feedback on their way through: every number that changes, and none besides. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "media/video.h"

static struct tl_video_packet packet_of(uint32_t ssrc, uint16_t sequence, uint32_t timestamp)
{
	return (struct tl_video_packet){ .payload_type = 96, .sequence = sequence, .timestamp = timestamp, .ssrc = ssrc };
}

/* One row for the receiver, whoever the source is. */
static void test_row(void)
{
	struct tl_video_row row = { 0 };
	struct tl_video_packet first = packet_of(1, 65535, 1000), other = packet_of(2, 7, 50);
	g_assert_true(tl_video_row_join(&row, &first));
	g_assert_false(tl_video_row_join(&row, &first));
	g_assert_cmpuint(row.sequence, ==, 0);
	tl_video_row_note(&row, 65535, 1000);
	tl_video_row_note(&row, 0, 4000);
	tl_video_row_note(&row, 65534, 900); /* late: it is not the newest */
	g_assert_true(tl_video_row_join(&row, &other));
	g_assert_cmpuint((uint16_t)(other.sequence + row.sequence), ==, 1);
	g_assert_cmpuint(other.timestamp + row.timestamp, ==, 7000);
}

static void test_packet(void)
{
	static const uint8_t in[] = {
		0xb1, 0xe0, 0xff, 0xff, 0, 0, 0, 100, 0, 0, 0, 9, 0, 0, 0, 1, /* CSRC, extension, padding, marker */
		0xbe, 0xde, 0, 3, 0x22, 1, 2, 3, 0xd0, 0x77, 0, 0x41, 5, 6, 0, 0,
		'p', 'a', 'y', 'l', 0, 2,
	}, expected[] = {
		0xb0, 0xe6, 0, 4, 0, 0, 0, 105, 0, 0, 0, 8, 0xbe, 0xde, 0, 2, 0x52, 1, 2, 3, 0x10, 0x77, 0, 0,
		'p', 'a', 'y', 'l', 0, 2,
	};
	const struct tl_video_way way = { .payload_type = 102, .ssrc = 8, .sequence = 5, .timestamp = 5,
					  .from = { 2, 13 }, .to = { 5, 1 } };
	uint8_t out[64];
	size_t n = tl_video_forward(in, sizeof in, &way, out, sizeof out);
	g_assert_cmpmem(out, n, expected, sizeof expected);
	g_assert_cmpuint(tl_video_forward(in, sizeof in, &way, out, n - 1), ==, 0);
	for (size_t cut = 0; cut < 32; cut++) /* shorter than its header says */
		g_assert_cmpuint(tl_video_forward(in, cut, &way, out, sizeof out), ==, 0);
}

/* RFC 4588 4: the payload names the packet that is sent anew, by its number at the receiver. */
static void test_retransmission(void)
{
	static const uint8_t in[] = { 0x80, 97, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xfe, 'x' };
	const struct tl_video_way way = { .payload_type = 103, .ssrc = 8, .sequence = 1, .is_retransmission = true, .original = 3 };
	uint8_t out[64];
	g_assert_cmpuint(tl_video_forward(in, sizeof in, &way, out, sizeof out), ==, sizeof in);
	g_assert_cmphex(out[12] << 8 | out[13], ==, 1);
	g_assert_cmphex(out[14], ==, 'x');
}

#define SSRC(n) 0, 0, 0, n

static const struct tl_video_view view = { .gets = 5, .source = 50, .sequence = 10, .has_source = true,
					   .sends = 6, .seen = 60, .timestamp = 1000, .has_sent = true };

static void check(const uint8_t *in, size_t n_in, const uint8_t *expected, size_t n_expected)
{
	static const uint8_t head[] = { 0x80, 201, 0, 1, SSRC(60) };
	uint8_t out[128];
	size_t n = tl_video_feedback(in, n_in, &view, out, sizeof out);
	if (!n_expected) {
		g_assert_cmpuint(n, ==, 0);
		return;
	}
	g_assert_cmpmem(out, sizeof head, head, sizeof head);
	g_assert_cmpmem(out + sizeof head, n - sizeof head, expected, n_expected);
	/* Neither half a packet nor no room is more than nothing, or less. */
	for (size_t cut = 0; cut < n_in; cut++)
		g_assert_cmpuint(tl_video_feedback(in, cut, &view, out, sizeof out), <=, n);
	g_assert_cmpuint(tl_video_feedback(in, n_in, &view, out, sizeof head + n_expected - 1), <, n);
}

#define CHECK(in, expected) check(in, sizeof in, expected, sizeof expected)

static void test_feedback(void)
{
	static const uint8_t pli[] = { 0x80, 201, 0, 1, SSRC(6), 0x81, 206, 0, 2, SSRC(6), SSRC(5) },
		pli_out[] = { 0x81, 206, 0, 2, SSRC(60), SSRC(50) },
		fir[] = { 0x84, 206, 0, 6, SSRC(6), SSRC(0), SSRC(99), 1, 0, 0, 0, SSRC(5), 7, 0, 0, 0 },
		fir_out[] = { 0x84, 206, 0, 4, SSRC(60), SSRC(0), SSRC(50), 7, 0, 0, 0 },
		nack[] = { 0x81, 205, 0, 4, SSRC(6), SSRC(5), 0, 5, 0x80, 1, 0, 20, 0, 0 },
		nack_out[] = { 0x81, 205, 0, 4, SSRC(60), SSRC(50), 0xff, 0xfb, 0x80, 1, 0, 10, 0, 0 },
		remb[] = { 0x8f, 206, 0, 6, SSRC(6), SSRC(0), 'R', 'E', 'M', 'B', 2, 1, 2, 3, SSRC(4), SSRC(5) },
		remb_out[] = { 0x8f, 206, 0, 5, SSRC(60), SSRC(0), 'R', 'E', 'M', 'B', 1, 1, 2, 3, SSRC(50) },
		strange[] = { 0x81, 206, 0, 2, SSRC(6), SSRC(99) };
	CHECK(pli, pli_out);
	CHECK(fir, fir_out);
	CHECK(nack, nack_out);
	CHECK(remb, remb_out);
	check(strange, sizeof strange, NULL, 0);
}

static void test_reports(void)
{
	static const uint8_t in[] = { 0x81, 200, 0, 12, SSRC(6), 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
				      SSRC(5), 9, 0, 0, 8, 0, 1, 0, 4, 0, 0, 0, 7, 1, 1, 1, 1, 2, 2, 2, 2 },
		out[] = { 0x80, 200, 0, 6, SSRC(60), 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 3, 0xe9, 0, 0, 0, 2, 0, 0, 0, 3,
			  0x81, 201, 0, 7, SSRC(60), SSRC(50), 9, 0, 0, 8, 0, 0, 0xff, 0xfa, 0, 0, 0, 7, 1, 1, 1, 1, 2, 2, 2, 2 },
		audio[] = { 0x81, 201, 0, 7, SSRC(6), SSRC(4), 9, 0, 0, 8, 0, 1, 0, 4, 0, 0, 0, 7, 1, 1, 1, 1, 2, 2, 2, 2 };
	CHECK(in, out);
	check(audio, sizeof audio, NULL, 0);
}

static void test_refresh(void)
{
	static const uint8_t expected[] = { 0x80, 201, 0, 1, SSRC(3), 0x81, 206, 0, 2, SSRC(3), SSRC(4) };
	uint8_t out[TL_VIDEO_REFRESH_OCTETS];
	size_t n = tl_video_ask_refresh(3, 4, out);
	g_assert_cmpmem(out, n, expected, sizeof expected);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/video/row", test_row);
	g_test_add_func("/video/packet", test_packet);
	g_test_add_func("/video/retransmission", test_retransmission);
	g_test_add_func("/video/feedback", test_feedback);
	g_test_add_func("/video/reports", test_reports);
	g_test_add_func("/video/refresh", test_refresh);
	return g_test_run();
}
