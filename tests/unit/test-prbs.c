/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The line test's sequences and the checker that follows them, on a line in memory. */
#include <glib.h>
#include <string.h>

#include "../../tools/line-test/prbs.h"

static const enum tl_prbs_order orders[] = { TL_PRBS_9, TL_PRBS_11, TL_PRBS_15 };

static void receive(struct tl_prbs *sent, struct tl_prbs_checker *heard, unsigned octets)
{
	while (octets-- > 0)
		tl_prbs_check(heard, tl_prbs_next(sent));
}

static void begin(struct tl_prbs *sent, struct tl_prbs_checker *heard, enum tl_prbs_order order)
{
	tl_prbs_init(sent, order);
	tl_prbs_checker_init(heard, order);
	heard->prbs.state = 1; /* anywhere but there */
	receive(sent, heard, 200);
	g_assert_true(heard->in_step);
	g_assert_cmpuint(heard->losses, ==, 0);
}

/* ITU-T O.150 5: the period is 2^n-1 bits, with 2^(n-1) ones; the longest run is n zeros, ones when inverted. */
static void test_period(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(orders); n++) {
		unsigned period = (1u << orders[n]) - 1, ones = 0, run[2] = { 0 }, longest[2] = { 0 };
		struct tl_prbs prbs, start;

		tl_prbs_init(&prbs, orders[n]);
		start = prbs;
		/* As many octets as the period has bits are eight periods. */
		for (unsigned i = 0; i < period; i++) {
			unsigned octet = tl_prbs_next(&prbs);

			g_assert_true(i == period - 1 || prbs.state != start.state);
			for (int bit = 7; bit >= 0; bit--) {
				unsigned value = octet >> bit & 1;

				ones += value;
				run[value]++;
				run[!value] = 0;
				longest[value] = MAX(longest[value], run[value]);
			}
		}
		g_assert_cmphex(prbs.state, ==, start.state);

		bool inverted = orders[n] == TL_PRBS_15;

		g_assert_cmpuint(ones, ==, 8 * ((period + 1) / 2 - inverted));
		/* Zeros before inversion are one fewer in a row than ones: the register is never empty. */
		g_assert_cmpuint(longest[inverted], ==, orders[n] - 1);
		g_assert_cmpuint(longest[!inverted], >=, orders[n]);
	}
}

static void test_good_line(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(orders); n++) {
		struct tl_prbs sent;
		struct tl_prbs_checker heard;

		begin(&sent, &heard, orders[n]);
		receive(&sent, &heard, 100000);
		tl_prbs_checker_settle(&heard);
		g_assert_cmpuint(heard.errors, ==, 0);
		g_assert_cmpuint(heard.losses, ==, 0);
		g_assert_cmpuint(heard.bits / 8 + heard.out_octets, ==, 100200);
	}
}

static void test_errors_are_counted_one_by_one(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(orders); n++) {
		struct tl_prbs sent;
		struct tl_prbs_checker heard;

		begin(&sent, &heard, orders[n]);
		for (unsigned i = 0; i < 1000; i++) {
			tl_prbs_check(&heard, tl_prbs_next(&sent) ^ (uint8_t)(1 << i % 8));
			receive(&sent, &heard, i % 13 + 2);
		}
		tl_prbs_checker_settle(&heard);
		g_assert_cmpuint(heard.errors, ==, 1000);
		g_assert_cmpuint(heard.losses, ==, 0);
	}
}

/* Octets lost (+) and repeated (-) are slips, and no bit errors. */
static void test_slips(void)
{
	static const int slips[] = { 1, -1, 2, -3, 80, -80, 160, -160 };

	for (unsigned n = 0; n < G_N_ELEMENTS(slips); n++) {
		struct tl_prbs sent, before;
		struct tl_prbs_checker heard;

		begin(&sent, &heard, TL_PRBS_15);
		before = sent;
		receive(&sent, &heard, 500);
		for (int i = 0; i < slips[n]; i++)
			tl_prbs_next(&sent);
		if (slips[n] < 0) {
			sent = before;
			for (int i = 0; i < 500 + slips[n]; i++)
				tl_prbs_next(&sent);
		}
		receive(&sent, &heard, 500);
		tl_prbs_checker_settle(&heard);
		g_assert_true(heard.in_step);
		g_assert_cmpuint(heard.losses, ==, 1);
		g_assert_cmpuint(heard.slips, ==, 1);
		g_assert_cmpint(heard.slipped_octets, ==, slips[n]);
		g_assert_cmpuint(heard.errors, ==, 0);
	}
}

/* A burst destroys octets, but the sequence goes on in its place. */
static void test_burst_is_no_slip(void)
{
	struct tl_prbs sent;
	struct tl_prbs_checker heard;

	begin(&sent, &heard, TL_PRBS_15);
	for (unsigned i = 0; i < 100; i++) {
		tl_prbs_next(&sent);
		tl_prbs_check(&heard, (uint8_t)(i * 37));
	}
	receive(&sent, &heard, 500);
	g_assert_true(heard.in_step);
	g_assert_cmpuint(heard.losses, ==, 1);
	g_assert_cmpuint(heard.slips, ==, 0);
}

/* What is not the sequence: idle octets of both laws, all zeros and ones, noise, another sequence, one bit askew. */
static void test_nothing_else_is_taken(void)
{
	static const uint8_t still[] = { 0x00, 0xff, 0xd5, 0x55, 0x7e };
	struct tl_prbs_checker heard;
	struct tl_prbs other;
	g_autoptr(GRand) noise = g_rand_new_with_seed(7);

	for (unsigned n = 0; n < G_N_ELEMENTS(orders); n++) {
		for (unsigned s = 0; s < G_N_ELEMENTS(still); s++) {
			tl_prbs_checker_init(&heard, orders[n]);
			for (unsigned i = 0; i < 5000; i++)
				tl_prbs_check(&heard, still[s]);
			g_assert_false(heard.in_step);
		}
		tl_prbs_checker_init(&heard, orders[n]);
		for (unsigned i = 0; i < 100000; i++)
			tl_prbs_check(&heard, (uint8_t)g_rand_int(noise));
		g_assert_cmpuint(heard.bits, ==, 0);
		tl_prbs_init(&other, orders[(n + 1) % G_N_ELEMENTS(orders)]);
		tl_prbs_checker_init(&heard, orders[n]);
		receive(&other, &heard, 50000);
		g_assert_cmpuint(heard.bits, ==, 0);
	}
}

static void test_line_that_dies_and_comes_back(void)
{
	struct tl_prbs sent;
	struct tl_prbs_checker heard;

	begin(&sent, &heard, TL_PRBS_15);
	for (unsigned i = 0; i < 8000; i++)
		tl_prbs_check(&heard, 0xff);
	g_assert_false(heard.in_step);
	receive(&sent, &heard, 500);
	g_assert_true(heard.in_step);
	g_assert_cmpuint(heard.losses, ==, 1);
	g_assert_cmpuint(heard.slips, ==, 0);
	g_assert_cmpuint(heard.errors, ==, 0);
}

static void test_distance(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(orders); n++) {
		int period = (1 << orders[n]) - 1;
		struct tl_prbs from, to;

		tl_prbs_init(&from, orders[n]);
		to = from;
		for (int i = 0; i < 480; i++)
			tl_prbs_next(&to);
		g_assert_cmpint(tl_prbs_distance(&from, &to, period), ==, 480);
		g_assert_cmpint(tl_prbs_distance(&from, &to, 479), ==, -1);
		g_assert_cmpint(tl_prbs_distance(&to, &from, period), ==, period - 480);
		g_assert_cmpint(tl_prbs_distance(&to, &to, 0), ==, 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/prbs/period (ITU-T O.150 5)", test_period);
	g_test_add_func("/prbs/good-line", test_good_line);
	g_test_add_func("/prbs/errors-are-counted-one-by-one", test_errors_are_counted_one_by_one);
	g_test_add_func("/prbs/slips", test_slips);
	g_test_add_func("/prbs/burst-is-no-slip", test_burst_is_no_slip);
	g_test_add_func("/prbs/nothing-else-is-taken", test_nothing_else_is_taken);
	g_test_add_func("/prbs/line-that-dies-and-comes-back", test_line_that_dies_and_comes_back);
	g_test_add_func("/prbs/distance", test_distance);
	return g_test_run();
}
