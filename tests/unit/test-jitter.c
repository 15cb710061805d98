/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The playout buffer: packets as a network treats them, octets as a listener gets them. */
#include <glib.h>
#include <string.h>

#include "media/jitter.h"

#define FILL 0xd5
#define PACKET 160

/* What a sample says is where it lies, so that any slip shows. Never FILL. */
static uint8_t octet_at(uint32_t position)
{
	uint8_t octet = position * 7 + (position >> 8) * 13;
	return octet == FILL ? 0 : octet;
}

static enum tl_jitter_fate put(struct tl_jitter *jitter, uint32_t base, uint32_t position)
{
	uint8_t octets[PACKET];
	for (unsigned i = 0; i < PACKET; i++)
		octets[i] = octet_at(position + i);
	return tl_jitter_put(jitter, base + position, octets, PACKET);
}

/* Missing ones are FILL. */
static unsigned get(struct tl_jitter *jitter, uint8_t *block)
{
	unsigned missing = tl_jitter_missing(jitter);
	memset(block, FILL, TL_BLOCK_OCTETS);
	tl_jitter_get(jitter, block, missing);
	return missing;
}

static void assert_block(struct tl_jitter *jitter, uint32_t position)
{
	uint8_t block[TL_BLOCK_OCTETS];
	g_assert_cmpuint(get(jitter, block), ==, 0);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		g_assert_cmphex(block[i], ==, octet_at(position + i));
}

static void assert_missing(struct tl_jitter *jitter)
{
	uint8_t block[TL_BLOCK_OCTETS];
	g_assert_cmpuint(get(jitter, block), ==, TL_BLOCK_OCTETS);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		g_assert_cmphex(block[i], ==, FILL);
}

/* The first packet is held for the depth; then octets come out exactly, over timestamp wraps, for a minute. */
static void test_steady(gconstpointer fixed)
{
	struct tl_jitter jitter;
	uint32_t base = 0u - 100 * PACKET - 3;
	tl_jitter_init(&jitter, 20, 120);
	jitter.fixed = GPOINTER_TO_INT(fixed);
	assert_missing(&jitter);
	for (uint32_t i = 0; i < 3000; i++) {
		g_assert_cmpint(put(&jitter, base, i * PACKET), ==, TL_JITTER_TAKEN);
		if (i == 0) {
			g_assert_cmpuint(tl_jitter_depth(&jitter), ==, 320);
			assert_missing(&jitter);
			assert_missing(&jitter);
			continue;
		}
		assert_block(&jitter, (i - 1) * PACKET);
		assert_block(&jitter, (i - 1) * PACKET + 80);
	}
	tl_jitter_done(&jitter);
}

static void test_loss_reorder_duplicate(void)
{
	struct tl_jitter jitter;
	tl_jitter_init(&jitter, 60, 120);
	put(&jitter, 0, 0);
	for (unsigned i = 0; i < 6; i++)
		assert_missing(&jitter);
	g_assert_cmpint(put(&jitter, 0, 2 * PACKET), ==, TL_JITTER_TAKEN);
	g_assert_cmpint(put(&jitter, 0, 1 * PACKET), ==, TL_JITTER_TAKEN);
	g_assert_cmpint(put(&jitter, 0, 1 * PACKET), ==, TL_JITTER_DUPLICATE);
	g_assert_cmpint(put(&jitter, 0, 4 * PACKET), ==, TL_JITTER_TAKEN);
	for (unsigned i = 0; i < 6; i++)
		assert_block(&jitter, i * 80);
	assert_missing(&jitter); /* packet 3 is lost */
	assert_missing(&jitter);
	assert_block(&jitter, 8 * 80);
	tl_jitter_done(&jitter);
}

/* A late packet makes an adaptive buffer wait; nothing of it is lost. A fixed one drops it. */
static void test_late(void)
{
	struct tl_jitter jitter;
	tl_jitter_init(&jitter, 20, 120);
	for (unsigned pass = 0; pass < 2; pass++) {
		tl_jitter_reset(&jitter);
		jitter.fixed = pass;
		put(&jitter, 0, 0);
		assert_missing(&jitter);
		assert_missing(&jitter);
		assert_block(&jitter, 0);
		assert_block(&jitter, 80);
		put(&jitter, 0, 3 * PACKET);
		assert_missing(&jitter);
		assert_missing(&jitter); /* its time is over now */
		if (jitter.fixed) {
			g_assert_cmpint(put(&jitter, 0, 1 * PACKET), ==, TL_JITTER_LATE);
			continue;
		}
		g_assert_cmpint(put(&jitter, 0, 1 * PACKET), ==, TL_JITTER_TAKEN);
		g_assert_cmpint(put(&jitter, 0, 2 * PACKET), ==, TL_JITTER_TAKEN);
		for (unsigned i = 2; i < 8; i++)
			assert_block(&jitter, i * 80);
	}
	tl_jitter_done(&jitter);
}

/* Depth grown in a bad time is given back in a good one, a block each four seconds. */
static void test_shrinks(void)
{
	struct tl_jitter jitter;
	uint8_t block[TL_BLOCK_OCTETS];
	uint32_t i = 0;
	tl_jitter_init(&jitter, 20, 120);
	put(&jitter, 0, 0);
	for (unsigned tick = 0; tick < 12; tick++) /* 120 ms of nothing */
		get(&jitter, block);
	for (i = 1; i < 5; i++)
		put(&jitter, 0, i * PACKET);
	unsigned deep = tl_jitter_depth(&jitter);
	g_assert_cmpuint(deep, >, 480);
	for (; i < 3000; i++) {
		get(&jitter, block);
		get(&jitter, block);
		put(&jitter, 0, i * PACKET);
	}
	g_assert_cmpuint(tl_jitter_depth(&jitter), <=, 400);
	g_assert_cmpuint(tl_jitter_depth(&jitter), >=, 240);
	tl_jitter_done(&jitter);
}

/* Ten minutes of a sender that is 200 ppm off: depth stays bounded, little is missing. */
static void test_drift(gconstpointer data)
{
	struct tl_jitter jitter;
	uint8_t block[TL_BLOCK_OCTETS];
	int ppm = GPOINTER_TO_INT(data);
	double due = 0;
	unsigned missing = 0;
	uint32_t sent = 0;
	tl_jitter_init(&jitter, 20, 120);
	for (unsigned tick = 0; tick < 60000; tick++) {
		for (; due <= tick; due += 2 / (1 + ppm / 1e6))
			put(&jitter, 12345, sent++ * PACKET);
		missing += get(&jitter, block) > 0;
		g_assert_cmpuint(tl_jitter_depth(&jitter), <=, (120 + 40) * 8 + PACKET);
	}
	/* 200 ppm of ten minutes are twelve blocks of 10 ms. */
	g_assert_cmpuint(missing, <=, 40);
	tl_jitter_done(&jitter);
}

/* Where in the stream the block begins, given where the one before it ended: there, or a sample to either side. */
static bool follows(const uint8_t *block, uint32_t position)
{
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		if (block[i] != octet_at(position + i))
			return false;
	return true;
}

/*
 * Three hours of a sender that is 50 ppm off, over a network that delays packets by up to 30 ms: once the depth has grown
 * to that, nothing is missing, and the clock is followed by single samples, counted, and as many as it takes.
 */
static void test_skew(gconstpointer data)
{
	struct tl_jitter jitter;
	uint8_t block[TL_BLOCK_OCTETS];
	int ppm = GPOINTER_TO_INT(data);
	const unsigned ticks = 3 * 3600 * 100, settled = 20000;
	double due = 0;
	unsigned dropped = 0, repeated = 0;
	uint32_t sent = 0, next = 0, late[4][4], n_late[4] = { 0 };
	uint64_t before = 0;
	g_autoptr(GRand) chance = g_rand_new_with_seed(3);
	tl_jitter_init(&jitter, 20, 120);
	for (unsigned tick = 0; tick < ticks; tick++) {
		for (unsigned i = 0; i < n_late[tick % 4]; i++)
			put(&jitter, 0, late[tick % 4][i]);
		n_late[tick % 4] = 0;
		for (; due <= tick; due += 2 / (1 + ppm / 1e6)) {
			unsigned delay = g_rand_int_range(chance, 0, 4), then = (tick + delay) % 4;
			if (delay == 0)
				put(&jitter, 0, sent++ * PACKET);
			else
				late[then][n_late[then]++] = sent++ * PACKET;
		}
		unsigned missing = get(&jitter, block);
		if (tick < settled) {
			next = jitter.play;
			before = jitter.corrections;
			continue;
		}
		g_assert_cmpuint(missing, ==, 0);
		dropped += follows(block, next + 1);
		repeated += follows(block, next - 1);
		if (!follows(block, next))
			g_assert_true(follows(block, next + 1) || follows(block, next - 1));
		next = (follows(block, next) ? next : follows(block, next + 1) ? next + 1 : next - 1) + TL_BLOCK_OCTETS;
	}
	g_test_message("%+d ppm: %u samples dropped, %u repeated, depth %u ms", ppm, dropped, repeated, tl_jitter_depth(&jitter) / 8);
	unsigned expected = abs(ppm) * 8 * 3600 * 3 / 1000;
	int net = (int)dropped - (int)repeated;
	g_assert_cmpint(abs(net - (ppm > 0 ? 1 : -1) * (int)expected), <=, 200);
	g_assert_cmpuint(dropped + repeated, <=, expected + 200);
	g_assert_cmpuint(jitter.corrections - before, >=, dropped + repeated);
	tl_jitter_done(&jitter);
}

static void test_restarts(void)
{
	struct tl_jitter jitter;
	uint8_t block[TL_BLOCK_OCTETS];
	tl_jitter_init(&jitter, 20, 120);
	put(&jitter, 0, 0);
	/* Timestamps jump: taken as a new beginning. */
	g_assert_cmpint(put(&jitter, 0x40000000, 0), ==, TL_JITTER_MOVED);
	assert_missing(&jitter);
	assert_missing(&jitter);
	assert_block(&jitter, 0);
	assert_block(&jitter, 80);
	/* Two seconds of silence (a hold), then on as before. */
	for (unsigned tick = 0; tick < 200; tick++)
		get(&jitter, block);
	put(&jitter, 0x40000000, 16080);
	assert_missing(&jitter);
	assert_missing(&jitter);
	assert_block(&jitter, 16080);
	/* A burst beyond the bound: the oldest is dropped, the newest is kept. */
	enum tl_jitter_fate fate = TL_JITTER_TAKEN;
	for (unsigned i = 1; i < 20 && fate == TL_JITTER_TAKEN; i++)
		fate = put(&jitter, 0x40000000, 16080 + i * PACKET);
	g_assert_cmpint(fate, ==, TL_JITTER_OVERFLOW);
	g_assert_cmpuint(tl_jitter_depth(&jitter), ==, 320);
	tl_jitter_done(&jitter);
}

/* Held deep (fax): whether the first packet came early or late, all within 120 ms of it are in time, and nothing moves. */
static void test_deep(void)
{
	struct tl_jitter jitter;
	unsigned sent = 0;
	tl_jitter_init(&jitter, 20, 120);
	tl_jitter_set_deep(&jitter, true);
	put(&jitter, 0, sent++ * PACKET);
	/* By 100 ms more than the first one's delay, by as much less, and so on: what is played goes on without a gap. */
	for (unsigned tick = 0; tick < 600; tick++) {
		unsigned early = tick / 100 % 2 ? 100 : 0, late = tick / 100 % 2 ? 0 : 100;
		while (sent * PACKET * 1000 / 8000 + late <= tick * 10 + early)
			g_assert_cmpint(put(&jitter, 0, sent++ * PACKET), ==, TL_JITTER_TAKEN);
		if (tick < 12)
			assert_missing(&jitter);
		else
			assert_block(&jitter, (tick - 12) * 80);
	}
	/* Far beyond that it skips, to its depth. */
	enum tl_jitter_fate fate = TL_JITTER_TAKEN;
	for (unsigned i = 0; i < 20 && fate == TL_JITTER_TAKEN; i++)
		fate = put(&jitter, 0, sent++ * PACKET);
	g_assert_cmpint(fate, ==, TL_JITTER_OVERFLOW);
	g_assert_cmpuint(tl_jitter_depth(&jitter), ==, 960 + PACKET);
	tl_jitter_done(&jitter);
}

/* Any packet sizes and times at all: depth bounded, never out of its memory (ASan watches). */
static void test_anything(void)
{
	struct tl_jitter jitter;
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	uint8_t octets[2000] = { 0 }, block[TL_BLOCK_OCTETS];
	uint32_t timestamp = 0;
	tl_jitter_init(&jitter, 10, 500);
	for (unsigned i = 0; i < 200000; i++) {
		jitter.fixed = g_rand_int_range(rand, 0, 1000) == 0 ? !jitter.fixed : jitter.fixed;
		tl_jitter_set_deep(&jitter, g_rand_int_range(rand, 0, 3000) == 0 ? !jitter.deep : jitter.deep);
		timestamp += g_rand_int_range(rand, 0, 50) ? g_rand_int_range(rand, -400, 800) : (gint32)g_rand_int(rand);
		tl_jitter_put(&jitter, timestamp, octets, g_rand_int_range(rand, 1, sizeof octets));
		if (g_rand_boolean(rand))
			get(&jitter, block);
		g_assert_cmpuint(tl_jitter_depth(&jitter), <=, jitter.mask + 1);
	}
	tl_jitter_done(&jitter);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/jitter/steady-adaptive", GINT_TO_POINTER(FALSE), test_steady);
	g_test_add_data_func("/jitter/steady-fixed", GINT_TO_POINTER(TRUE), test_steady);
	g_test_add_func("/jitter/deep", test_deep);
	g_test_add_func("/jitter/loss-reorder-duplicate", test_loss_reorder_duplicate);
	g_test_add_func("/jitter/late", test_late);
	g_test_add_func("/jitter/shrinks", test_shrinks);
	g_test_add_data_func("/jitter/drift-fast", GINT_TO_POINTER(200), test_drift);
	g_test_add_data_func("/jitter/drift-slow", GINT_TO_POINTER(-200), test_drift);
	g_test_add_data_func("/jitter/skew-fast", GINT_TO_POINTER(50), test_skew);
	g_test_add_data_func("/jitter/skew-slow", GINT_TO_POINTER(-50), test_skew);
	g_test_add_data_func("/jitter/skew-none", GINT_TO_POINTER(0), test_skew);
	g_test_add_func("/jitter/restarts", test_restarts);
	g_test_add_func("/jitter/anything", test_anything);
	return g_test_run();
}
