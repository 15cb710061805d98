/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The ring: bounds, order, and two threads that hand over a million values. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/ring.h"

struct value {
	uint64_t number;
	uint8_t pattern[40]; /* torn copies would show here */
};

static struct value value_of(uint64_t number)
{
	struct value value = { .number = number };
	memset(value.pattern, (int)(number * 37), sizeof value.pattern);
	return value;
}

static void assert_value(const struct value *got, uint64_t number)
{
	struct value want = value_of(number);
	g_assert_cmpmem(got, sizeof *got, &want, sizeof want);
}

static void test_empty_and_full(void)
{
	struct tl_ring *ring = tl_ring_new(5, sizeof(uint32_t));
	uint32_t v = 7;
	g_assert_cmpuint(tl_ring_capacity(ring), >=, 5);
	g_assert_false(tl_ring_pop(ring, &v));
	g_assert_null(tl_ring_peek(ring));
	g_assert_cmpuint(v, ==, 7);
	for (uint32_t i = 0; i < tl_ring_capacity(ring); i++) {
		g_assert_cmpuint(tl_ring_count(ring), ==, i);
		g_assert_true(tl_ring_push(ring, &i));
	}
	g_assert_false(tl_ring_push(ring, &v));
	g_assert_cmpuint(tl_ring_count(ring), ==, tl_ring_capacity(ring));
	for (uint32_t i = 0; i < tl_ring_capacity(ring); i++) {
		g_assert_true(tl_ring_pop(ring, &v));
		g_assert_cmpuint(v, ==, i);
	}
	g_assert_false(tl_ring_pop(ring, &v));
	g_assert_cmpuint(tl_ring_count(ring), ==, 0);
	tl_ring_free(ring);
	tl_ring_free(NULL);
}

static void test_peek_stays_until_drop(void)
{
	struct tl_ring *ring = tl_ring_new(4, sizeof(struct value));
	for (uint64_t i = 0; i < 3; i++) {
		struct value value = value_of(i);
		g_assert_true(tl_ring_push(ring, &value));
	}
	for (uint64_t i = 0; i < 3; i++) {
		const struct value *oldest = tl_ring_peek(ring);
		assert_value(oldest, i);
		g_assert_true(tl_ring_peek(ring) == oldest);
		g_assert_cmpuint(tl_ring_count(ring), ==, 3 - i);
		tl_ring_drop(ring);
	}
	g_assert_null(tl_ring_peek(ring));
	tl_ring_free(ring);
}

/* A value may be made in its place; until it is committed nobody sees it, and the place stays the same. */
static void test_reserve_stays_until_commit(void)
{
	struct tl_ring *ring = tl_ring_new(2, sizeof(struct value));
	struct value got;
	for (uint64_t i = 0; i < 10; i++) {
		struct value *place = tl_ring_reserve(ring);
		*place = value_of(i);
		g_assert_true(tl_ring_reserve(ring) == place);
		g_assert_null(tl_ring_peek(ring));
		tl_ring_commit(ring);
		g_assert_true(tl_ring_pop(ring, &got));
		assert_value(&got, i);
	}
	for (unsigned i = 0; i < tl_ring_capacity(ring); i++) {
		g_assert_nonnull(tl_ring_reserve(ring));
		tl_ring_commit(ring);
	}
	g_assert_null(tl_ring_reserve(ring));
	tl_ring_free(ring);
}

/* Indexes run on past the size many times: the order must hold over each wrap. */
static void test_wraps(void)
{
	struct tl_ring *ring = tl_ring_new(3, sizeof(struct value));
	uint64_t in = 0, out = 0;
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i <= round % 4; i++) {
			struct value value = value_of(in);
			in += tl_ring_push(ring, &value);
		}
		struct value got;
		for (int i = 0; i <= (round + 1) % 4 && tl_ring_pop(ring, &got); i++)
			assert_value(&got, out++);
	}
	g_assert_cmpuint(in - out, ==, tl_ring_count(ring));
	g_assert_cmpuint(out, >, 900);
	tl_ring_free(ring);
}

#define HANDED_OVER 1000000

static gpointer produce(gpointer data)
{
	for (uint64_t i = 0; i < HANDED_OVER; i++) {
		struct value value = value_of(i);
		while (!tl_ring_push(data, &value))
			g_thread_yield();
	}
	return NULL;
}

static void test_two_threads(void)
{
	struct tl_ring *ring = tl_ring_new(64, sizeof(struct value));
	GThread *producer = g_thread_new("producer", produce, ring);
	struct value got;
	for (uint64_t i = 0; i < HANDED_OVER;) {
		if (tl_ring_pop(ring, &got))
			assert_value(&got, i++);
		else
			g_thread_yield();
		g_assert_cmpuint(tl_ring_count(ring), <=, tl_ring_capacity(ring));
	}
	g_thread_join(producer);
	g_assert_false(tl_ring_pop(ring, &got));
	tl_ring_free(ring);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ring/empty-and-full", test_empty_and_full);
	g_test_add_func("/ring/peek-stays-until-drop", test_peek_stays_until_drop);
	g_test_add_func("/ring/reserve-stays-until-commit", test_reserve_stays_until_commit);
	g_test_add_func("/ring/wraps", test_wraps);
	g_test_add_func("/ring/two-threads", test_two_threads);
	return g_test_run();
}
