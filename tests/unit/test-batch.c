/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Batches of reads and writes, by io_uring and by a call each; and what a DAHDI span is refused for. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <glib.h>

#include "base/thread.h"
#include "line/batch.h"
#include "line/line.h"

#define PAIRS 30

struct pairs {
	int near[PAIRS], far[PAIRS];
};

static void pairs_open(struct pairs *pairs)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		int fds[2];

		g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), ==, 0);
		pairs->near[i] = fds[0];
		pairs->far[i] = fds[1];
	}
}

static void pairs_close(struct pairs *pairs)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		close(pairs->near[i]);
		close(pairs->far[i]);
	}
}

static void test_all_at_once(gconstpointer plain)
{
	struct pairs pairs;
	struct tl_batch *batch = tl_batch_new(2 * PAIRS, GPOINTER_TO_INT(plain));
	uint8_t out[PAIRS], in[PAIRS] = { 0 };
	unsigned told = 0, tag;
	int result;

	pairs_open(&pairs);
	for (unsigned i = 0; i < PAIRS; i++) {
		out[i] = (uint8_t)(i + 100);
		g_assert_cmpint(write(pairs.far[i], &out[i], 1), ==, 1);
		g_assert_true(tl_batch_read(batch, pairs.near[i], &in[i], 1, i));
		g_assert_true(tl_batch_write(batch, pairs.near[i], &out[i], 1, PAIRS + i));
	}
	g_assert_false(tl_batch_read(batch, pairs.near[0], in, 1, 0)); /* no room, nothing is added */
	tl_batch_submit(batch);
	while (tl_batch_next(batch, &tag, &result)) {
		g_assert_cmpint(result, ==, 1);
		told++;
	}
	g_assert_cmpuint(told, ==, 2 * PAIRS);
	g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
	for (unsigned i = 0; i < PAIRS; i++) {
		uint8_t octet = 0;

		g_assert_cmpint(read(pairs.far[i], &octet, 1), ==, 1);
		g_assert_cmpuint(octet, ==, out[i]);
	}
	tl_batch_free(batch);
	pairs_close(&pairs);
}

/* What finds nothing is told as such, or stays under way and ends with the batch. */
static void test_nothing_there(gconstpointer plain)
{
	struct pairs pairs;
	struct tl_batch *batch = tl_batch_new(4, GPOINTER_TO_INT(plain));
	uint8_t octet = 0;
	unsigned tag;
	int result;

	pairs_open(&pairs);
	g_assert_true(tl_batch_read(batch, pairs.near[0], &octet, 1, 7));
	tl_batch_submit(batch);
	if (tl_batch_next(batch, &tag, &result)) {
		g_assert_cmpint(result, ==, -EAGAIN);
	} else {
		g_assert_true(tl_batch_is_ring(batch));
		g_assert_true(tl_batch_read(batch, pairs.near[1], &octet, 1, 8));
		tl_batch_submit(batch);
		g_assert_cmpint(write(pairs.far[0], "x", 1), ==, 1);
		while (!tl_batch_next(batch, &tag, &result))
			;
		g_assert_cmpuint(tag, ==, 7);
		g_assert_cmpint(result, ==, 1);
		g_assert_cmpint(octet, ==, 'x');
	}
	tl_batch_free(batch);
	pairs_close(&pairs);
}

static void test_errors(gconstpointer plain)
{
	struct tl_batch *batch = tl_batch_new(2, GPOINTER_TO_INT(plain));
	uint8_t octet;
	unsigned tag;
	int result;

	g_assert_true(tl_batch_read(batch, -1, &octet, 1, 3));
	tl_batch_submit(batch);
	g_assert_true(tl_batch_next(batch, &tag, &result));
	g_assert_cmpuint(tag, ==, 3);
	g_assert_cmpint(result, ==, -EBADF);
	g_assert_false(tl_batch_next(batch, &tag, &result));
	tl_batch_free(batch);
}

static void assert_refused(unsigned number, unsigned depth_ms, const char *words)
{
	struct tl_span_config config = { .name = "card", .backend = TL_SPAN_DAHDI,
					 .dahdi = { .span = number, .depth_ms = depth_ms } };
	g_autoptr(GError) error = NULL;

	g_assert_null(tl_span_new(&config, &error));
	g_assert_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG);
	g_assert_nonnull(g_strrstr(error->message, words));
}

static void test_refusals(void)
{
	assert_refused(0, 20, "span card: expected a DAHDI span from 1 to 128");
	assert_refused(129, 20, "span card: expected a DAHDI span from 1 to 128");
	assert_refused(1, 15, "expected a DAHDI depth");
	assert_refused(1, 70, "expected a DAHDI depth");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	for (int plain = 0; plain <= 1; plain++) {
		const char *how = plain ? "plain" : "ring";
		g_autofree char *all = g_strdup_printf("/batch/%s/all-at-once", how);
		g_autofree char *nothing = g_strdup_printf("/batch/%s/nothing-there", how);
		g_autofree char *errors = g_strdup_printf("/batch/%s/errors", how);

		g_test_add_data_func(all, GINT_TO_POINTER(plain), test_all_at_once);
		g_test_add_data_func(nothing, GINT_TO_POINTER(plain), test_nothing_there);
		g_test_add_data_func(errors, GINT_TO_POINTER(plain), test_errors);
	}
	g_test_add_func("/dahdi/refusals", test_refusals);
	return g_test_run();
}
