/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A span against a far end and a network that misbehave: what is counted, what is heard, how it recovers. */
#include <glib.h>
#include <string.h>

#include "base/thread.h"
#include "far-end.h"

#define DEPTH 160 /* frames: 20 ms */

struct wire {
	struct tl_span_config config;
	struct tl_span *span;
	struct far_end end;
	unsigned alarms;
	unsigned alarm_changes;
};

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	struct wire *wire = user;

	g_assert_cmphex(alarms, ==, tl_span_alarms(span));
	wire->alarms = alarms;
	wire->alarm_changes++;
}

static void open_wire_with(struct wire *wire, enum tl_clock_mode clock)
{
	static const struct tl_span_handler handler = { .on_alarms = on_alarms };

	*wire = (struct wire){ .config = far_end_config(TL_SPAN_E1), .alarms = TL_ALARM_NOTOPEN };
	wire->config.pseudowire.clock = clock;
	wire->span = far_end_span(&wire->config);
	tl_span_set_handler(wire->span, &handler, wire);
	far_end_open(&wire->end, &wire->config);
}

static void open_wire(struct wire *wire)
{
	open_wire_with(wire, TL_CLOCK_LOCAL);
}

static void close_wire(struct wire *wire)
{
	far_end_close(&wire->end);
	tl_span_free(wire->span);
}

static void listen_once(struct wire *wire)
{
	far_end_await(wire->span, wire->end.sent);
	far_end_begin(wire->span);
	far_end_drain(&wire->end);
	far_end_end(wire->span);
	far_end_main();
}

/* One tick in which @packets come. */
static void tick(struct wire *wire, unsigned packets)
{
	far_end_run(&wire->end, packets);
	listen_once(wire);
}

static void ticks(struct wire *wire, unsigned n)
{
	while (n--)
		tick(wire, 10);
}

static struct tl_span_counters count(const struct wire *wire)
{
	return far_end_counters(wire->span);
}

/* The frame of the far end that was heard in column @i, or -1 when it was idle. */
static int64_t frame_heard(const struct wire *wire, unsigned i)
{
	int64_t frame = 0;
	bool idle = true;

	for (unsigned slot = 1; slot <= 31; slot++)
		idle &= tl_span_rx(wire->span, slot)[i] == 0xd5;
	if (idle)
		return -1;
	for (unsigned slot = 1; slot <= 3; slot++)
		frame |= (int64_t)tl_span_rx(wire->span, slot)[i] << (8 * (slot - 1));
	for (unsigned slot = 1; slot <= 31; slot++)
		g_assert_cmphex(tl_span_rx(wire->span, slot)[i], ==, far_end_octet(slot, (uint64_t)frame));
	return frame;
}

/* The whole tick is the stream from @first on, with @n idle frames from @gap on. */
static void heard(const struct wire *wire, int64_t first, int64_t gap, unsigned n)
{
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++, first++)
		g_assert_cmpint(frame_heard(wire, i), ==, first >= gap && first < gap + n ? -1 : first);
}

/* The stream is heard again in its place: @latest is the first frame not yet sent. */
static void heard_in_place(const struct wire *wire)
{
	heard(wire, (int64_t)wire->end.frame - TL_BLOCK_OCTETS - DEPTH, 0, 0);
}

static void skip_packet(struct wire *wire)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];

	far_end_packet(&wire->end, octets);
}

static void test_lost(void)
{
	struct wire wire;
	int64_t gap;

	open_wire(&wire);
	ticks(&wire, 10);
	far_end_run(&wire.end, 4);
	gap = (int64_t)wire.end.frame;
	skip_packet(&wire);
	tick(&wire, 5);
	heard_in_place(&wire);
	ticks(&wire, 2);
	heard(&wire, (int64_t)wire.end.frame - TL_BLOCK_OCTETS - DEPTH, gap, 8);
	tick(&wire, 10);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).lost, ==, 1);
	g_assert_cmpuint(count(&wire).idle_frames, ==, 8);
	g_assert_cmpuint(count(&wire).underruns + count(&wire).late + count(&wire).reordered, ==, 0);
	close_wire(&wire);
}

/* One in a hundred lost, over ten seconds: each counted, each gap idle, all else exact. */
static void test_one_percent(void)
{
	struct wire wire;
	unsigned lost = 0, idle = 0;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < 10; k++) {
			if (g_test_rand_int_range(0, 100) == 0 && k < 9) {
				skip_packet(&wire);
				lost++;
			} else {
				far_end_run(&wire.end, 1);
			}
		}
		listen_once(&wire);
		for (unsigned k = 0; k < TL_BLOCK_OCTETS; k++) {
			int64_t frame = frame_heard(&wire, k);

			g_assert_true(frame == -1 || frame == (int64_t)wire.end.frame - 80 - DEPTH + k);
			idle += frame == -1;
		}
	}
	ticks(&wire, 5);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).lost, ==, lost);
	g_assert_cmpuint(count(&wire).idle_frames, ==, lost * 8);
	g_assert_cmpuint(idle, >, 0);
	g_assert_cmpuint(count(&wire).slips_dropped + count(&wire).slips_repeated, ==, 0);
	g_assert_cmphex(wire.alarms & TL_ALARM_DOWN, ==, 0);
	g_assert_cmpuint(count(&wire).seconds_errored, >, 0);
	close_wire(&wire);
}

static void test_duplicate_and_reordered(void)
{
	uint8_t first[TL_CESOP_PACKET_MAX], second[TL_CESOP_PACKET_MAX];
	struct wire wire;
	size_t n, m;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < 20; i++) {
		far_end_run(&wire.end, 4);
		n = far_end_packet(&wire.end, first);
		m = far_end_packet(&wire.end, second);
		far_end_send(&wire.end, second, m);
		far_end_send(&wire.end, first, n);
		far_end_send(&wire.end, first, n);
		far_end_send(&wire.end, second, m);
		tick(&wire, 4);
		heard_in_place(&wire);
	}
	ticks(&wire, 3);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).reordered, ==, 20);
	g_assert_cmpuint(count(&wire).duplicate, ==, 40);
	g_assert_cmpuint(count(&wire).lost + count(&wire).late + count(&wire).idle_frames, ==, 0);
	close_wire(&wire);
}

static void test_late(void)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];
	struct wire wire;
	size_t n;

	open_wire(&wire);
	ticks(&wire, 10);
	far_end_run(&wire.end, 9);
	n = far_end_packet(&wire.end, octets);
	listen_once(&wire);
	ticks(&wire, 4);
	far_end_send(&wire.end, octets, n);
	ticks(&wire, 4);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).lost, ==, 1);
	g_assert_cmpuint(count(&wire).late, ==, 1);
	g_assert_cmpuint(count(&wire).jumps, ==, 0);
	/* It was not kept, so its copy is no duplicate but late again. */
	far_end_send(&wire.end, octets, n);
	tick(&wire, 10);
	g_assert_cmpuint(count(&wire).late, ==, 2);
	heard_in_place(&wire);
	close_wire(&wire);
}

/* Packets held back for less than the depth, as bursts: nothing is missed. */
static void test_jitter(void)
{
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < 50; i++) {
		tick(&wire, 0);
		tick(&wire, 5);
		tick(&wire, 25);
		heard_in_place(&wire);
	}
	g_assert_cmpuint(count(&wire).idle_frames, ==, 0);
	g_assert_cmpuint(count(&wire).underruns + count(&wire).lost, ==, 0);
	close_wire(&wire);
}

static void test_jump(void)
{
	static const uint16_t by[] = { 1000, 20000, 65535 - 3000, 40000 };
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < G_N_ELEMENTS(by); i++) {
		wire.end.sequence = (uint16_t)(wire.end.sequence + by[i]);
		ticks(&wire, 4);
		heard_in_place(&wire);
		g_assert_cmpuint(count(&wire).jumps, ==, i + 1);
	}
	g_assert_cmpuint(count(&wire).packets_received, ==, wire.end.sent);
	close_wire(&wire);
}

/* A single packet from nowhere changes nothing. */
static void test_stray_sequence(void)
{
	static const uint16_t off[] = { 100, 5000, 30000, 65535 - 5000 };
	uint8_t octets[TL_CESOP_PACKET_MAX];
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < G_N_ELEMENTS(off); i++) {
		struct far_end stray = wire.end;

		stray.sequence = (uint16_t)(stray.sequence + off[i]);
		far_end_send(&wire.end, octets, far_end_packet(&stray, octets));
		ticks(&wire, 2);
		heard_in_place(&wire);
		g_assert_cmpuint(count(&wire).jumps, ==, i + 1);
	}
	g_assert_cmpuint(count(&wire).idle_frames + count(&wire).lost, ==, 0);
	close_wire(&wire);
}

static void test_strangers(void)
{
	struct tl_span_config other;
	struct far_end stranger;
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	other = wire.config;
	other.pseudowire.remote_port = far_end_port();
	far_end_open(&stranger, &other);
	far_end_run(&stranger, 30);
	wire.end.sent += 30;
	tick(&wire, 10);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).refused_peer, ==, 30);
	g_assert_cmpuint(count(&wire).packets_received, ==, wire.end.sent - 30);
	far_end_close(&stranger);
	close_wire(&wire);
}

static void test_garbage(void)
{
	uint8_t octets[4096];
	struct wire wire;
	unsigned bad = 0;

	open_wire(&wire);
	ticks(&wire, 10);
	for (size_t n = 0; n < sizeof(octets); n += 1 + n / 7) {
		if (n == 252)
			continue;
		memset(octets, 0, n);
		far_end_send(&wire.end, octets, n);
		bad++;
	}
	for (unsigned i = 0; i < 50; i++, bad++) {
		size_t n = far_end_packet(&(struct far_end){ .format = wire.end.format }, octets);

		octets[0] = (uint8_t)(0x10 << i % 4); /* not a control word */
		far_end_send(&wire.end, octets, n);
	}
	tick(&wire, 10);
	heard_in_place(&wire);
	g_assert_cmpuint(count(&wire).refused_malformed, ==, bad);
	g_assert_cmpuint(count(&wire).jumps + count(&wire).lost, ==, 0);
	close_wire(&wire);
}

static void up(struct wire *wire)
{
	ticks(wire, 10);
	g_assert_cmphex(wire->alarms, ==, TL_ALARM_RED);
	ticks(wire, 130);
	g_assert_cmphex(wire->alarms, ==, 0);
	g_assert_cmpuint(wire->alarm_changes, ==, 3); /* RED, RECOVER, none */
}

/* What the last packet of the last tick says. */
static struct tl_cesop_packet told(struct wire *wire)
{
	static uint8_t octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet packet;

	do
		far_end_receive(&wire->end, octets, &packet);
	while (far_end_has_input(&wire->end));
	return packet;
}

/* Ten seconds of nothing, then the stream where it stopped, or where it would be by now. */
static void silence(bool counts_on)
{
	struct wire wire;

	open_wire(&wire);
	tick(&wire, 0);
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_RED);
	g_assert_true(told(&wire).r);
	up(&wire);
	g_assert_false(told(&wire).r);
	for (unsigned i = 0; i < 1000; i++) {
		tick(&wire, 0);
		for (unsigned k = 0; counts_on && k < 10; k++)
			skip_packet(&wire);
	}
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_RED);
	g_assert_cmpuint(count(&wire).underruns, ==, 10000 - DEPTH / 8);
	g_assert_cmpuint(count(&wire).seconds_unavailable, >=, 9);
	tick(&wire, 10);
	g_assert_true(told(&wire).r);
	ticks(&wire, 20);
	heard_in_place(&wire);
	g_assert_false(told(&wire).r);
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_RECOVER);
	ticks(&wire, 130);
	g_assert_cmphex(wire.alarms, ==, 0);
	g_assert_cmpuint(count(&wire).slips_dropped + count(&wire).slips_repeated, ==, 0);
	g_assert_cmpuint(count(&wire).packets_received, ==, wire.end.sent);
	close_wire(&wire);
}

static void test_silence(void)
{
	silence(false);
	silence(true);
}

static void test_far_alarms(void)
{
	struct wire wire;

	open_wire(&wire);
	up(&wire);

	wire.end.l = true;
	ticks(&wire, 60);
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_BLUE);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		g_assert_cmpint(frame_heard(&wire, i), ==, -1); /* payload under L is not for playing */
	g_assert_cmpuint(count(&wire).remote_l, ==, 600);
	g_assert_cmpint(told(&wire).m, ==, 2);
	wire.end.l = false;
	ticks(&wire, 130);
	g_assert_cmphex(wire.alarms, ==, 0);
	g_assert_cmpint(told(&wire).m, ==, 0);

	wire.end.r = true;
	ticks(&wire, 60);
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_YELLOW);
	g_assert_cmpuint(count(&wire).remote_r, ==, 600);
	heard_in_place(&wire);
	wire.end.r = false;
	ticks(&wire, 130);
	g_assert_cmphex(wire.alarms, ==, 0);

	wire.end.m = 2;
	ticks(&wire, 60);
	g_assert_cmphex(wire.alarms, ==, TL_ALARM_YELLOW);
	g_assert_cmpuint(count(&wire).remote_m, ==, 600);
	g_assert_cmpuint(count(&wire).idle_frames, ==, 0);
	close_wire(&wire);
}

static void test_inject(void)
{
	struct wire wire;

	open_wire(&wire);
	up(&wire);
	told(&wire);

	tl_span_inject(wire.span, TL_ALARM_BLUE);
	tick(&wire, 10);
	g_assert_true(told(&wire).l);
	tl_span_inject(wire.span, TL_ALARM_YELLOW);
	tick(&wire, 10);
	g_assert_false(told(&wire).l);
	tick(&wire, 10);
	g_assert_cmpint(told(&wire).m, ==, 2);
	tl_span_inject(wire.span, TL_ALARM_RED);
	ticks(&wire, 20);
	g_assert_false(far_end_has_input(&wire.end));
	tl_span_inject(wire.span, 0);
	tick(&wire, 10);
	g_assert_cmpint(told(&wire).m, ==, 0);
	close_wire(&wire);
}

/* A far end that is fast or slow by one packet in a thousand: whole frames are dropped or repeated, never part of one. */
static void drift(unsigned packets_in_hundred_ticks, int step)
{
	int64_t last = -1;
	unsigned steps = 0;
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	for (unsigned i = 0; i < 10000; i++) {
		tick(&wire, i % 100 ? 10 : packets_in_hundred_ticks - 990);
		for (unsigned k = 0; k < TL_BLOCK_OCTETS; k++) {
			int64_t frame = frame_heard(&wire, k);

			g_assert_cmpint(frame, !=, -1);
			if (last >= 0 && frame != last + 1) {
				g_assert_cmpint(frame - last - 1, ==, step);
				steps++;
			}
			last = frame;
		}
	}
	g_assert_cmpuint(steps, >, 100);
	g_assert_cmpuint(step > 0 ? count(&wire).slips_dropped : count(&wire).slips_repeated, ==, steps);
	g_assert_cmpuint(step > 0 ? count(&wire).slips_repeated : count(&wire).slips_dropped, ==, 0);
	g_assert_cmpuint(count(&wire).idle_frames, ==, 0);
	close_wire(&wire);
}

static void test_slips(void)
{
	drift(1001, 1);
	drift(999, -1);
}

/* Far more at once than the buffer may hold is dropped at once. */
static void test_overrun(void)
{
	struct wire wire;

	open_wire(&wire);
	ticks(&wire, 10);
	tick(&wire, 10 + 150);
	ticks(&wire, 300);
	heard_in_place(&wire);
	/* All but the frames that had slipped by then went as whole packets. */
	g_assert_cmpuint(count(&wire).overruns, ==, (150 * 8 - count(&wire).slips_dropped) / 8);
	g_assert_cmpuint(count(&wire).overruns, >, 100);
	g_assert_cmpint(count(&wire).depth_us, ==, 20000);
	close_wire(&wire);
}

/* Ticks wait for another span, and then go on at the sender's pace: what was never made up for is gone, and no more. */
static void test_held_up(void)
{
	struct wire wire;

	open_wire_with(&wire, TL_CLOCK_LOOP);
	ticks(&wire, 10);
	for (unsigned i = 0; i < 60; i++) {
		far_end_run(&wire.end, 10);
		far_end_await(wire.span, wire.end.sent);
	}
	g_assert_cmpuint(far_end_due(wire.span), ==, 60);
	ticks(&wire, 400);
	heard_in_place(&wire);
	g_assert_cmpuint(far_end_due(wire.span), ==, 0);
	g_assert_cmphex(wire.alarms & TL_ALARM_RED, ==, 0);
	g_assert_cmpuint(count(&wire).overruns, ==, 600);
	/* A tick of packets was in hand. */
	g_assert_cmpuint(count(&wire).packets_sent, ==, wire.end.sent - 600 + 10);
	close_wire(&wire);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pseudowire-faults/lost", test_lost);
	g_test_add_func("/pseudowire-faults/one-percent", test_one_percent);
	g_test_add_func("/pseudowire-faults/duplicate-and-reordered", test_duplicate_and_reordered);
	g_test_add_func("/pseudowire-faults/late", test_late);
	g_test_add_func("/pseudowire-faults/jitter", test_jitter);
	g_test_add_func("/pseudowire-faults/jump", test_jump);
	g_test_add_func("/pseudowire-faults/stray-sequence", test_stray_sequence);
	g_test_add_func("/pseudowire-faults/strangers", test_strangers);
	g_test_add_func("/pseudowire-faults/garbage", test_garbage);
	g_test_add_func("/pseudowire-faults/silence", test_silence);
	g_test_add_func("/pseudowire-faults/far-alarms", test_far_alarms);
	g_test_add_func("/pseudowire-faults/inject", test_inject);
	g_test_add_func("/pseudowire-faults/slips", test_slips);
	g_test_add_func("/pseudowire-faults/overrun", test_overrun);
	g_test_add_func("/pseudowire-faults/held-up", test_held_up);
	return g_test_run();
}
