/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* ITU-T G.711, against values of its tables and against SpanDSP's arithmetic for every input. */
#include <glib.h>
#include <spandsp.h>

#include "media/g711.h"

static int16_t decoded(enum tl_law law, uint8_t octet)
{
	int16_t sample;
	tl_g711_decode(law, &octet, &sample, 1);
	return sample;
}

static uint8_t encoded(enum tl_law law, int16_t sample)
{
	uint8_t octet;
	tl_g711_encode(law, &sample, &octet, 1);
	return octet;
}

/* Decoder output values at the ends and at segment borders; tables 1a and 2a, at 16 bits (x8 and x4). */
static void test_table_values(void)
{
	g_assert_cmpint(decoded(TL_LAW_ALAW, 0xd5), ==, 8);
	g_assert_cmpint(decoded(TL_LAW_ALAW, 0x55), ==, -8);
	g_assert_cmpint(decoded(TL_LAW_ALAW, 0xaa), ==, 4032 * 8);
	g_assert_cmpint(decoded(TL_LAW_ALAW, 0x2a), ==, -4032 * 8);
	g_assert_cmpint(decoded(TL_LAW_ALAW, 0xa5), ==, 2112 * 8); /* first of the last segment */
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0xff), ==, 0);
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0x7f), ==, 0);
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0x80), ==, 8031 * 4);
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0x00), ==, -8031 * 4);
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0x8f), ==, 4191 * 4);
	g_assert_cmpint(decoded(TL_LAW_ULAW, 0xfe), ==, 2 * 4);
}

static void test_every_octet(void)
{
	for (unsigned i = 0; i < 256; i++) {
		g_assert_cmpint(decoded(TL_LAW_ALAW, i), ==, alaw_to_linear(i));
		g_assert_cmpint(decoded(TL_LAW_ULAW, i), ==, ulaw_to_linear(i));
		g_assert_cmphex(encoded(TL_LAW_ALAW, decoded(TL_LAW_ALAW, i)), ==, i);
		/* The negative zero of mu-law comes back as the positive one. */
		g_assert_cmphex(encoded(TL_LAW_ULAW, decoded(TL_LAW_ULAW, i)), ==, i == 0x7f ? 0xff : i);
	}
}

static void test_every_sample(void)
{
	for (int i = INT16_MIN; i <= INT16_MAX; i++) {
		g_assert_cmphex(encoded(TL_LAW_ALAW, i), ==, linear_to_alaw(i));
		g_assert_cmphex(encoded(TL_LAW_ULAW, i), ==, linear_to_ulaw(i));
	}
}

/* Tables 3 and 4: what goes to the other law and back differs at most where the standard says so. */
static void test_law_to_law(void)
{
	unsigned changed = 0;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t octet = i, other, back;
		tl_g711_convert(TL_LAW_ALAW, TL_LAW_ULAW, &octet, &other, 1);
		g_assert_cmphex(other, ==, alaw_to_ulaw(i));
		tl_g711_convert(TL_LAW_ULAW, TL_LAW_ALAW, &octet, &other, 1);
		g_assert_cmphex(other, ==, ulaw_to_alaw(i));
		tl_g711_convert(TL_LAW_ALAW, TL_LAW_ULAW, &other, &back, 1);
		changed += back != octet;
		tl_g711_convert(TL_LAW_ULAW, TL_LAW_ULAW, &octet, &other, 1);
		g_assert_cmphex(other, ==, octet);
	}
	/* 3.4.1: seven codes of each sign merge on the way. */
	g_assert_cmpuint(changed, >, 0);
	g_assert_cmpuint(changed, <=, 16);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/g711/table-values", test_table_values);
	g_test_add_func("/g711/every-octet", test_every_octet);
	g_test_add_func("/g711/every-sample", test_every_sample);
	g_test_add_func("/g711/law-to-law", test_law_to_law);
	return g_test_run();
}
