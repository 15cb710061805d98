/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* D-channel frames: over two spans, and over bare HDLC whose bits the test damages. */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>

#include "base/thread.h"
#include "far-end.h"
#include "line/d-channel.h"

#define LOG_MAX 1024

struct frame_log {
	unsigned n;
	size_t n_octets[LOG_MAX];
	uint8_t octets[LOG_MAX][TL_D_FRAME_MAX];
};

static void log_frame(const uint8_t *octets, size_t n_octets, void *user)
{
	struct frame_log *log = user;

	g_assert_cmpuint(log->n, <, LOG_MAX);
	g_assert_cmpuint(n_octets, <=, TL_D_FRAME_MAX);
	log->n_octets[log->n] = n_octets;
	memcpy(log->octets[log->n++], octets, n_octets);
}

static void on_d_frame(struct tl_span *span, const uint8_t *octets, size_t n_octets, void *user)
{
	log_frame(octets, n_octets, user);
}

/* Frame @i of @n octets; every fifth all ones, the worst for HDLC's zero insertion. */
static void make_frame(unsigned i, size_t n, uint8_t *octets)
{
	for (size_t k = 0; k < n; k++)
		octets[k] = i % 5 == 0 ? 0xff : (uint8_t)((i * 131 + k * 17) ^ (k >> 3));
}

static void check_frame(const struct frame_log *log, unsigned at, unsigned i, size_t n)
{
	uint8_t octets[TL_D_FRAME_MAX];

	make_frame(i, n, octets);
	g_assert_cmpmem(log->octets[at], log->n_octets[at], octets, n);
}

struct ends {
	struct tl_span *a, *b;
	struct frame_log at_a, at_b;
};

static void open_ends(struct ends *ends, enum tl_span_kind kind)
{
	static const struct tl_span_handler handler = { .on_d_frame = on_d_frame };
	struct tl_span_config config = far_end_config(kind);

	config.d_channel = kind == TL_SPAN_E1 ? 16 : 24;

	struct tl_span_config mirror = far_end_mirror(&config);

	ends->a = far_end_span(&config);
	ends->b = far_end_span(&mirror);
	ends->at_a.n = ends->at_b.n = 0;
	tl_span_set_handler(ends->a, &handler, &ends->at_a);
	tl_span_set_handler(ends->b, &handler, &ends->at_b);
}

static void close_ends(struct ends *ends)
{
	tl_span_free(ends->a);
	tl_span_free(ends->b);
}

static void tick(struct ends *ends)
{
	far_end_await(ends->a, far_end_counters(ends->b).packets_sent);
	far_end_begin(ends->a);
	far_end_end(ends->a);
	far_end_await(ends->b, far_end_counters(ends->a).packets_sent);
	far_end_begin(ends->b);
	far_end_end(ends->b);
	far_end_main();
}

static void push(struct ends *ends, struct tl_span *span, unsigned i, size_t n)
{
	uint8_t octets[TL_D_FRAME_MAX];
	int result;

	make_frame(i, n, octets);
	while ((result = tl_span_send_d_frame(span, octets, n)) == -ENOBUFS)
		tick(ends);
	g_assert_cmpint(result, ==, 0);
}

/* Frames of every size both ways at once, in order, none lost, none invented. */
static void every_size(enum tl_span_kind kind)
{
	struct ends *ends = g_new0(struct ends, 1);
	unsigned n_frames = 0;

	open_ends(ends, kind);
	for (size_t n = 3; n <= TL_D_FRAME_MAX; n++, n_frames++) {
		push(ends, ends->a, n_frames, n);
		push(ends, ends->b, n_frames + 1, n);
	}
	for (unsigned i = 0; i < 2000 && (ends->at_a.n < n_frames || ends->at_b.n < n_frames); i++)
		tick(ends);
	g_assert_cmpuint(ends->at_a.n, ==, n_frames);
	g_assert_cmpuint(ends->at_b.n, ==, n_frames);
	for (unsigned i = 0; i < n_frames; i++) {
		check_frame(&ends->at_b, i, i, i + 3);
		check_frame(&ends->at_a, i, i + 1, i + 3);
	}
	g_assert_cmpuint(far_end_counters(ends->a).d_frames_sent, ==, n_frames);
	g_assert_cmpuint(far_end_counters(ends->b).d_frames_received, ==, n_frames);
	g_assert_cmpuint(far_end_counters(ends->b).d_bad_fcs, ==, 0);
	close_ends(ends);
	g_free(ends);
}

static void test_every_size(void)
{
	every_size(TL_SPAN_E1);
	every_size(TL_SPAN_T1);
}

static void test_refusals(void)
{
	struct ends *ends = g_new0(struct ends, 1);
	uint8_t octets[TL_D_FRAME_MAX + 1] = { 0 };
	unsigned queued = 0;

	open_ends(ends, TL_SPAN_E1);
	g_assert_cmpint(tl_span_send_d_frame(ends->a, octets, 0), ==, -EMSGSIZE);
	g_assert_cmpint(tl_span_send_d_frame(ends->a, octets, TL_D_FRAME_MAX + 1), ==, -EMSGSIZE);
	while (tl_span_send_d_frame(ends->a, octets, 10) == 0)
		queued++;
	g_assert_cmpint(tl_span_send_d_frame(ends->a, octets, 10), ==, -ENOBUFS);
	g_assert_cmpuint(far_end_counters(ends->a).d_overflows, ==, 2);
	for (unsigned i = 0; i < 100; i++)
		tick(ends);
	g_assert_cmpuint(ends->at_b.n, ==, queued);
	close_ends(ends);

	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	struct tl_span *plain = far_end_span(&config);

	g_assert_cmpint(tl_span_send_d_frame(plain, octets, 10), ==, -ENODEV);
	tl_span_free(plain);
	g_free(ends);
}

/* With main asleep the frames wait up to the queue's room; the rest is counted, and it goes on. */
static void test_main_asleep(void)
{
	struct tl_span_counters counters = { 0 };
	struct tl_d_channel *channel = tl_d_channel_new(&counters);
	struct frame_log *log = g_new0(struct frame_log, 1);
	uint8_t octets[TL_BLOCK_OCTETS], frame[3] = { 1, 2, 3 };
	unsigned sent = 0;

	for (unsigned i = 0; i < 300; i++) {
		sent += tl_d_channel_queue(channel, frame, sizeof(frame)) == 0;
		tl_d_channel_tx(channel, octets, sizeof(octets));
		tl_d_channel_rx(channel, octets, sizeof(octets));
	}
	g_assert_cmpuint(sent, ==, 300);
	g_assert_cmpuint(counters.d_frames_received + counters.d_overflows, ==, 300);
	g_assert_cmpuint(counters.d_overflows, >, 0);
	tl_d_channel_deliver(channel, log_frame, log);
	g_assert_cmpuint(log->n, ==, counters.d_frames_received);
	tl_d_channel_queue(channel, frame, sizeof(frame));
	tl_d_channel_tx(channel, octets, sizeof(octets));
	tl_d_channel_rx(channel, octets, sizeof(octets));
	tl_d_channel_deliver(channel, log_frame, log);
	g_assert_cmpuint(log->n, ==, counters.d_frames_received);
	tl_d_channel_free(channel);
	tl_d_channel_free(NULL);
	g_free(log);
}

/* ITU-T Q.921 2: flags between frames, the FCS's 16 bits, five ones never more inside, bits of an octet low first. */
static void test_bits_on_the_line(void)
{
	struct tl_span_counters counters = { 0 };
	struct tl_d_channel *channel = tl_d_channel_new(&counters);
	static const uint8_t frame[] = { 0x02, 0x01, 0x7f }; /* SABME: SAPI 0, TEI 0 */
	uint8_t octets[12];
	GString *bits = g_string_new(NULL);

	tl_d_channel_queue(channel, frame, sizeof(frame));
	tl_d_channel_tx(channel, octets, sizeof(octets));
	for (unsigned i = 0; i < sizeof(octets) * 8; i++)
		g_string_append_c(bits, octets[i / 8] & 0x80 >> i % 8 ? '1' : '0');
	/* Flag, 02 01 7f low bit first with a zero after five ones, FCS, flag. */
	g_assert_nonnull(strstr(bits->str, "01111110" "01000000" "10000000" "1111101" "10"));
	g_assert_null(strstr(bits->str, "1111111"));
	g_string_free(bits, TRUE);
	tl_d_channel_free(channel);
}

/* A bit wrong anywhere in a frame: it is refused and counted, its neighbours arrive. */
static void test_damaged_bits(void)
{
	struct tl_span_counters counters = { 0 };
	struct tl_d_channel *channel = tl_d_channel_new(&counters);
	struct frame_log *log = g_new0(struct frame_log, 1);
	uint8_t octets[TL_BLOCK_OCTETS], frame[30];
	unsigned damaged = 0;

	make_frame(1, sizeof(frame), frame);
	tl_d_channel_tx(channel, octets, sizeof(octets));
	tl_d_channel_rx(channel, octets, sizeof(octets));
	/* A frame starts with the tick: a tick with a damaged one, then one with a good one. */
	for (unsigned bit = 16; bit < 16 + 8 * sizeof(frame); bit++) {
		for (unsigned good = 0; good < 2; good++) {
			tl_d_channel_queue(channel, frame, sizeof(frame));
			tl_d_channel_tx(channel, octets, sizeof(octets));
			if (!good)
				octets[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			tl_d_channel_rx(channel, octets, sizeof(octets));
		}
		damaged++;
		tl_d_channel_deliver(channel, log_frame, log);
		g_assert_cmpuint(log->n, ==, damaged);
		check_frame(log, log->n - 1, 1, sizeof(frame));
	}
	/* One bit may also make an abort, or a flag and so two bad frames; nothing passes uncounted. */
	g_assert_cmpuint(counters.d_frames_received, ==, damaged);
	g_assert_cmpuint(counters.d_bad_fcs + counters.d_aborts, >=, damaged);
	tl_d_channel_free(channel);
	g_free(log);
}

/* A packet lost in the middle of a frame costs that frame only. */
static void test_gap(void)
{
	struct tl_span_counters counters = { 0 };
	struct tl_d_channel *channel = tl_d_channel_new(&counters);
	struct frame_log *log = g_new0(struct frame_log, 1);
	uint8_t octets[TL_BLOCK_OCTETS], frame[60];

	make_frame(1, sizeof(frame), frame);
	for (unsigned i = 0; i < 100; i++) {
		tl_d_channel_queue(channel, frame, sizeof(frame));
		tl_d_channel_tx(channel, octets, sizeof(octets));
		if (i % 2)
			memset(octets + 24, 0xff, 8);
		tl_d_channel_rx(channel, octets, sizeof(octets));
		tl_d_channel_deliver(channel, log_frame, log);
	}
	g_assert_cmpuint(log->n, ==, 50);
	g_assert_cmpuint(counters.d_aborts, >=, 50);
	tl_d_channel_free(channel);
	g_free(log);
}

/* Ten seconds of any octets: what they hold is refused, and a frame after them arrives. */
static void test_noise(void)
{
	struct tl_span_counters counters = { 0 };
	struct tl_d_channel *channel = tl_d_channel_new(&counters);
	struct frame_log *log = g_new0(struct frame_log, 1);
	uint8_t octets[TL_BLOCK_OCTETS], frame[20];

	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < sizeof(octets); k++)
			octets[k] = (uint8_t)g_test_rand_int();
		tl_d_channel_rx(channel, octets, sizeof(octets));
		tl_d_channel_deliver(channel, log_frame, log);
	}
	log->n = 0;
	make_frame(7, sizeof(frame), frame);
	tl_d_channel_queue(channel, frame, sizeof(frame));
	tl_d_channel_tx(channel, octets, sizeof(octets));
	tl_d_channel_rx(channel, octets, sizeof(octets));
	tl_d_channel_deliver(channel, log_frame, log);
	g_assert_cmpuint(log->n, ==, 1);
	check_frame(log, 0, 7, sizeof(frame));
	g_assert_cmpuint(counters.d_bad_fcs + counters.d_aborts, >, 0);
	tl_d_channel_free(channel);
	g_free(log);
}

struct media {
	struct tl_span *a, *b;
	int stop; /* atomic */
};

/* Both spans' line time, as fast as their packets pass. */
static void *run_media(void *user)
{
	struct media *media = user;

	tl_thread_become_media();
	while (!__atomic_load_n(&media->stop, __ATOMIC_RELAXED)) {
		struct tl_span *spans[] = { media->a, media->b };

		for (unsigned i = 0; i < 2; i++) {
			struct pollfd fd = { .fd = tl_span_fd(spans[i]), .events = POLLIN };

			poll(&fd, 1, 1);
			tl_span_receive(spans[i], 0);
			tl_span_begin_tick(spans[i]);
			tl_span_end_tick(spans[i], 0);
		}
	}
	return NULL;
}

static void send_all(struct tl_span *span, unsigned n)
{
	struct tl_span_counters counters;
	uint8_t octets[TL_D_FRAME_MAX];

	for (unsigned i = 0; i < n; i++) {
		make_frame(i, 20 + i % 100, octets);
		while (tl_span_send_d_frame(span, octets, 20 + i % 100) == -ENOBUFS)
			g_main_context_iteration(NULL, TRUE);
		tl_span_counters(span, &counters);
		tl_span_inject(span, 0);
		g_main_context_iteration(NULL, FALSE);
	}
}

/* Main and media each on a thread of their own, as in the daemon; for the thread sanitizer as well. */
static void test_two_threads(void)
{
	struct ends *ends = g_new0(struct ends, 1);
	struct media media = { 0 };
	gint64 ceiling = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	open_ends(ends, TL_SPAN_E1);
	media.a = ends->a;
	media.b = ends->b;

	GThread *thread = g_thread_new("media", run_media, &media);

	send_all(ends->a, 500);
	/* Frames are lost only where free-running ticks overtook their packets, and such are counted. */
	while (ends->at_b.n == 0 && g_get_monotonic_time() < ceiling)
		g_main_context_iteration(NULL, FALSE);
	__atomic_store_n(&media.stop, 1, __ATOMIC_RELAXED);
	g_thread_join(thread);
	far_end_main();
	g_assert_cmpuint(ends->at_b.n, >, 0);
	g_assert_cmpuint(ends->at_b.n, ==, far_end_counters(ends->b).d_frames_received);
	close_ends(ends);
	g_free(ends);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/d-channel/every-size", test_every_size);
	g_test_add_func("/d-channel/refusals", test_refusals);
	g_test_add_func("/d-channel/main-asleep", test_main_asleep);
	g_test_add_func("/d-channel/bits-on-the-line", test_bits_on_the_line);
	g_test_add_func("/d-channel/damaged-bits", test_damaged_bits);
	g_test_add_func("/d-channel/gap", test_gap);
	g_test_add_func("/d-channel/noise", test_noise);
	g_test_add_func("/d-channel/two-threads", test_two_threads);
	return g_test_run();
}
