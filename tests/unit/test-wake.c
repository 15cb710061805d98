/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The bell between threads: no value pushed before a ring is ever left lying. */
#include <glib.h>

#include "base/ring.h"
#include "base/wake.h"

#define VALUES 200000

struct hand_over {
	struct tl_ring *ring;
	struct tl_wake *wake;
	GMainLoop *loop;
	unsigned seen, rings;
};

static gpointer produce(gpointer data)
{
	struct hand_over *h = data;
	for (unsigned i = 0; i < VALUES; i++) {
		while (!tl_ring_push(h->ring, &i))
			g_thread_yield();
		tl_wake_ring(h->wake);
	}
	return NULL;
}

static void on_ring(void *user)
{
	struct hand_over *h = user;
	unsigned value;
	h->rings++;
	while (tl_ring_pop(h->ring, &value))
		g_assert_cmpuint(value, ==, h->seen++);
	if (h->seen == VALUES)
		g_main_loop_quit(h->loop);
}

static void test_nothing_is_left(void)
{
	struct hand_over h = { .ring = tl_ring_new(256, sizeof(unsigned)), .loop = g_main_loop_new(NULL, FALSE) };
	h.wake = tl_wake_new(on_ring, &h);
	GThread *producer = g_thread_new("producer", produce, &h);
	g_main_loop_run(h.loop);
	g_thread_join(producer);
	g_assert_cmpuint(h.seen, ==, VALUES);
	tl_wake_free(h.wake);
	tl_wake_free(NULL);
	tl_ring_free(h.ring);
	g_main_loop_unref(h.loop);
}

/* Rings before main looks are one call; a free bell is silent. */
static void test_coalesced(void)
{
	struct hand_over h = { .ring = tl_ring_new(1, sizeof(unsigned)) };
	h.wake = tl_wake_new(on_ring, &h);
	for (int i = 0; i < 100; i++)
		tl_wake_ring(h.wake);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(h.rings, ==, 1);
	tl_wake_ring(h.wake);
	tl_wake_free(h.wake);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(h.rings, ==, 1);
	tl_ring_free(h.ring);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wake/nothing-is-left", test_nothing_is_left);
	g_test_add_func("/wake/coalesced", test_coalesced);
	return g_test_run();
}
