/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The pseudowire packet against RFC 5086 and RFC 3550, octet by octet. */
#include <glib.h>
#include <string.h>

#include "line/cesop.h"

static const struct tl_cesop_format e1 = { .slots = 31, .frames = 8 };
static const struct tl_cesop_format tiny = { .slots = 24, .frames = 1 };

static void fill(uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(i * 7 + 3);
}

/* RFC 5086 4.3: 0000 L R MM FF LLLLLL, sequence. */
static void test_control_word(void)
{
	static const struct {
		struct tl_cesop_packet packet;
		uint8_t octets[4];
	} cases[] = {
		{ { .sequence = 0x1234 }, { 0x00, 0x1c, 0x12, 0x34 } }, /* LEN 28 = 4 + 24 */
		{ { .r = true }, { 0x04, 0x1c, 0x00, 0x00 } },
		{ { .m = 2, .sequence = 0xffff }, { 0x02, 0x1c, 0xff, 0xff } },
		{ { .m = 2, .r = true }, { 0x06, 0x1c, 0x00, 0x00 } },
		{ { .l = true }, { 0x08, 0x1c, 0x00, 0x00 } },
		{ { .l = true, .r = true }, { 0x0c, 0x1c, 0x00, 0x00 } },
	};
	uint8_t payload[24], octets[TL_CESOP_PACKET_MAX];

	fill(payload, sizeof(payload));
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_cesop_packet packet = cases[i].packet, parsed;

		packet.payload = payload;
		g_assert_cmpuint(tl_cesop_format_packet(&tiny, &packet, octets), ==, 28);
		g_assert_cmpmem(octets, 4, cases[i].octets, 4);
		g_assert_cmpmem(octets + 4, 24, payload, 24);
		g_assert_cmpint(tl_cesop_parse(&tiny, octets, 28, &parsed), ==, TL_CESOP_OK);
		g_assert_cmpint(parsed.l, ==, packet.l);
		g_assert_cmpint(parsed.r, ==, packet.r);
		g_assert_cmpint(parsed.m, ==, packet.m);
		g_assert_cmpint(parsed.sequence, ==, packet.sequence);
		g_assert_true(parsed.payload == octets + 4);
		g_assert_false(parsed.has_cas);
	}
}

static void test_long_packet_has_no_len(void)
{
	uint8_t payload[248], octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet packet = { .payload = payload }, parsed;

	fill(payload, sizeof(payload));
	g_assert_cmpuint(tl_cesop_format_packet(&e1, &packet, octets), ==, 252);
	g_assert_cmpint(octets[1], ==, 0);
	octets[1] = 63;
	g_assert_cmpint(tl_cesop_parse(&e1, octets, 252, &parsed), ==, TL_CESOP_BAD_LENGTH);
}

static void test_omitted_payload(void)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet packet = { .l = true, .sequence = 7 }, parsed;

	g_assert_cmpuint(tl_cesop_format_packet(&e1, &packet, octets), ==, 4);
	g_assert_cmpint(octets[1], ==, 4);
	g_assert_cmpint(tl_cesop_parse(&e1, octets, 4, &parsed), ==, TL_CESOP_OK);
	g_assert_true(parsed.l);
	g_assert_null(parsed.payload);
	octets[0] = 0; /* without L a payload is due */
	g_assert_cmpint(tl_cesop_parse(&e1, octets, 4, &parsed), ==, TL_CESOP_BAD_LENGTH);
}

/* RFC 3550 5.1, RFC 5086 4.3.2: version 2, no padding, extension or CSRC; the control word's sequence. */
static void test_rtp(void)
{
	static const uint8_t expected[] = { 0x80, 0x61, 0x01, 0x02, 0x11, 0x22, 0x33, 0x44,
					    0xa1, 0xa2, 0xa3, 0xa4, 0x00, 0x28, 0x01, 0x02 };
	struct tl_cesop_format format = tiny;
	struct tl_cesop_packet packet = { .sequence = 0x0102, .rtp_timestamp = 0x11223344 }, parsed;
	uint8_t payload[24], octets[TL_CESOP_PACKET_MAX];

	format.rtp = true;
	format.rtp_payload_type = 97;
	format.rtp_ssrc = 0xa1a2a3a4;
	packet.payload = payload;
	fill(payload, sizeof(payload));
	g_assert_cmpuint(tl_cesop_format_packet(&format, &packet, octets), ==, 40);
	g_assert_cmpmem(octets, 16, expected, 16);
	g_assert_cmpint(tl_cesop_parse(&format, octets, 40, &parsed), ==, TL_CESOP_OK);
	g_assert_cmphex(parsed.rtp_timestamp, ==, 0x11223344);
	/* LEN without the RTP header, as others count it. */
	octets[13] = 28;
	g_assert_cmpint(tl_cesop_parse(&format, octets, 40, &parsed), ==, TL_CESOP_OK);

	for (unsigned bit = 0; bit < 12 * 8; bit++) {
		bool marker = bit == 15, timestamp = bit / 8 >= 4 && bit / 8 < 8;

		octets[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		g_assert_cmpint(tl_cesop_parse(&format, octets, 40, &parsed), ==,
				marker || timestamp ? TL_CESOP_OK : TL_CESOP_BAD_RTP);
		octets[bit / 8] ^= (uint8_t)(1 << (bit % 8));
	}
}

/* RFC 5086 4.4.2: nibbles in the order of timeslots, the odd last one padded, in the multiframe's last packet. */
static void test_cas(void)
{
	struct tl_cesop_format format = { .slots = 31, .frames = 8, .cas = true, .multiframe = 16 };
	struct tl_cesop_packet packet = { .fragment = 2 }, parsed;
	uint8_t payload[248], octets[TL_CESOP_PACKET_MAX];

	fill(payload, sizeof(payload));
	packet.payload = payload;
	for (unsigned slot = 1; slot <= 31; slot++)
		packet.cas[slot] = slot & 0xf;
	g_assert_cmpuint(tl_cesop_format_packet(&format, &packet, octets), ==, 252 + 16);
	g_assert_cmphex(octets[1], ==, 0x80);
	g_assert_cmphex(octets[252], ==, 0x12);
	g_assert_cmphex(octets[252 + 15], ==, 0xf0);
	g_assert_cmpint(tl_cesop_parse(&format, octets, 268, &parsed), ==, TL_CESOP_OK);
	g_assert_true(parsed.has_cas);
	g_assert_cmpmem(parsed.cas, 32, packet.cas, 32);

	packet.fragment = 1;
	g_assert_cmpuint(tl_cesop_format_packet(&format, &packet, octets), ==, 252);
	g_assert_cmpint(tl_cesop_parse(&format, octets, 252, &parsed), ==, TL_CESOP_OK);
	g_assert_false(parsed.has_cas);
	octets[1] = 0xc0; /* two packets a multiframe have no middle */
	g_assert_cmpint(tl_cesop_parse(&format, octets, 252, &parsed), ==, TL_CESOP_BAD_CONTROL);
	octets[1] = 0x00; /* nor is one packet a whole one */
	g_assert_cmpint(tl_cesop_parse(&format, octets, 252, &parsed), ==, TL_CESOP_BAD_CONTROL);
	format.frames = 16;
	g_assert_cmpint(tl_cesop_parse(&format, octets, 4 + 496 + 16, &parsed), ==, TL_CESOP_OK);
	g_assert_true(parsed.has_cas);
}

/* RFC 5086 table 1: what it does not define is refused, whatever else is right. */
static void test_control_refused(void)
{
	uint8_t octets[28] = { 0 };
	struct tl_cesop_packet parsed;

	for (unsigned first = 0; first < 256; first++) {
		bool l = first & 8;
		unsigned m = first & 3;
		bool good = first < 16 && (m == 0 || (m == 2 && !l));

		octets[0] = (uint8_t)first;
		g_assert_cmpint(tl_cesop_parse(&tiny, octets, 28, &parsed), ==,
				good ? TL_CESOP_OK : TL_CESOP_BAD_CONTROL);
	}
	octets[0] = 0;
	for (unsigned fragment = 1; fragment < 4; fragment++) {
		octets[1] = (uint8_t)(fragment << 6);
		g_assert_cmpint(tl_cesop_parse(&tiny, octets, 28, &parsed), ==, TL_CESOP_BAD_CONTROL);
	}
}

static void test_every_size(void)
{
	uint8_t *octets;
	struct tl_cesop_packet parsed = { .sequence = 0x5555 };

	for (size_t n = 0; n < 1600; n++) {
		enum tl_cesop_error expected = n < 4 ? TL_CESOP_TOO_SHORT :
					       n == 252 ? TL_CESOP_OK : TL_CESOP_BAD_LENGTH;

		octets = g_malloc0(n); /* its exact size, for the address sanitizer */
		g_assert_cmpint(tl_cesop_parse(&e1, octets, n, &parsed), ==, expected);
		if (n < 252)
			g_assert_cmphex(parsed.sequence, ==, 0x5555); /* untouched by a refusal */
		g_free(octets);
	}
}

static void test_greatest_packet(void)
{
	struct tl_cesop_format format = { .slots = 31, .frames = 40, .rtp = true, .rtp_payload_type = 96 };
	uint8_t payload[40 * 31], octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet packet = { .payload = payload }, parsed;

	fill(payload, sizeof(payload));
	g_assert_cmpuint(tl_cesop_format_packet(&format, &packet, octets), ==, 12 + 4 + 1240);
	g_assert_cmpint(tl_cesop_parse(&format, octets, 12 + 4 + 1240, &parsed), ==, TL_CESOP_OK);
	g_assert_cmpmem(parsed.payload, 1240, payload, 1240);
}

static void test_error_names(void)
{
	g_assert_cmpstr(tl_cesop_error_name(TL_CESOP_OK), ==, "ok");
	g_assert_cmpstr(tl_cesop_error_name(TL_CESOP_TOO_SHORT), ==, "too-short");
	g_assert_cmpstr(tl_cesop_error_name(TL_CESOP_BAD_RTP), ==, "bad-rtp");
	g_assert_cmpstr(tl_cesop_error_name(TL_CESOP_BAD_CONTROL), ==, "bad-control");
	g_assert_cmpstr(tl_cesop_error_name(TL_CESOP_BAD_LENGTH), ==, "bad-length");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cesop/control-word", test_control_word);
	g_test_add_func("/cesop/long-packet-has-no-len", test_long_packet_has_no_len);
	g_test_add_func("/cesop/omitted-payload", test_omitted_payload);
	g_test_add_func("/cesop/rtp", test_rtp);
	g_test_add_func("/cesop/cas", test_cas);
	g_test_add_func("/cesop/control-refused", test_control_refused);
	g_test_add_func("/cesop/every-size", test_every_size);
	g_test_add_func("/cesop/greatest-packet", test_greatest_packet);
	g_test_add_func("/cesop/error-names", test_error_names);
	return g_test_run();
}
