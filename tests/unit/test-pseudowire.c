/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Two spans over real sockets: octets, clock modes, CAS, and what a configuration may say. */
#include <glib.h>
#include <string.h>

#include "base/thread.h"
#include "far-end.h"

static uint8_t octet(unsigned side, unsigned slot, int64_t at)
{
	return far_end_octet(slot, (uint64_t)at + 77777 * side);
}

static void send_block(struct tl_span *span, unsigned side, int64_t at)
{
	for (unsigned slot = 1; slot <= tl_span_slots(span); slot++)
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
			tl_span_tx(span, slot)[i] = octet(side, slot, at + i);
}

/* The tick's octets must be @side's from position @at on, and idle before its beginning. */
static void check_block(struct tl_span *span, unsigned side, int64_t at)
{
	uint8_t idle = tl_law_idle(tl_span_get_law(span));

	for (unsigned slot = 1; slot <= tl_span_slots(span); slot++)
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
			g_assert_cmphex(tl_span_rx(span, slot)[i], ==,
					at + i < 0 ? idle : octet(side, slot, at + i));
}

static void tick(struct tl_span *span, unsigned side, int64_t sent, int64_t heard)
{
	far_end_begin(span);
	check_block(span, !side, heard);
	send_block(span, side, sent);
	far_end_end(span);
}

static void check_clean(struct tl_span *span)
{
	struct tl_span_counters counters = far_end_counters(span);

	g_assert_cmpuint(counters.lost, ==, 0);
	g_assert_cmpuint(counters.underruns, ==, 0);
	g_assert_cmpuint(counters.reordered, ==, 0);
	g_assert_cmpuint(counters.jumps, ==, 0);
	g_assert_cmpuint(counters.refused_malformed, ==, 0);
	g_assert_cmpuint(counters.slips_dropped + counters.slips_repeated, ==, 0);
	g_assert_cmpuint(counters.idle_frames, ==, 0);
}

/* Every timeslot different, both ways, exact from the first octet on. */
static void both_ways(const struct tl_span_config *config)
{
	struct tl_span_config mirror = far_end_mirror(config);
	struct tl_span *a = far_end_span(config), *b = far_end_span(&mirror);
	int64_t depth = config->pseudowire.jitter_ms * 8;

	for (int64_t at = 0; at < 400 * TL_BLOCK_OCTETS; at += TL_BLOCK_OCTETS) {
		far_end_await(a, far_end_counters(b).packets_sent);
		tick(a, 0, at, at == 0 ? -1000 : at - TL_BLOCK_OCTETS - depth);
		far_end_await(b, far_end_counters(a).packets_sent);
		tick(b, 1, at, at - depth);
	}
	g_assert_cmpuint(far_end_counters(a).packets_sent, ==, 400 * TL_BLOCK_OCTETS / config->pseudowire.frames);
	check_clean(a);
	check_clean(b);
	tl_span_free(a);
	tl_span_free(b);
}

static void test_both_ways(void)
{
	static const unsigned frames[] = { 1, 2, 5, 8, 16, 40 };

	for (unsigned i = 0; i < G_N_ELEMENTS(frames) * 2; i++) {
		struct tl_span_config config = far_end_config(i & 1 ? TL_SPAN_T1 : TL_SPAN_E1);

		config.pseudowire.frames = frames[i / 2];
		both_ways(&config);
	}
}

static void test_both_ways_rtp(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);

	config.pseudowire.rtp = true;
	config.pseudowire.rtp_payload_type = 100;
	config.pseudowire.rtp_ssrc = 0xdeadbeef;
	both_ways(&config);
}

static void test_both_ways_ipv6(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	GError *error = NULL;

	tl_thread_become_main();
	config.pseudowire.local_host = "::1";
	config.pseudowire.remote_host = "::1";
	config.pseudowire.local_port = 0;

	struct tl_span *probe = tl_span_new(&config, &error);

	if (!probe) {
		g_error_free(error);
		g_test_skip("this machine has no ::1");
		return;
	}
	config.pseudowire.local_port = tl_span_local_port(probe);
	g_assert_cmpuint(config.pseudowire.local_port, >, 0);

	struct tl_span_config other = config;

	other.pseudowire.local_port = 0;

	struct tl_span *second = tl_span_new(&other, &error);

	g_assert_no_error(error);
	config.pseudowire.remote_port = tl_span_local_port(second);
	tl_span_free(second);
	tl_span_free(probe);
	both_ways(&config);
}

/* The near side leads by its own ticks, the far one follows packet by packet: nothing slips, at any speed. */
static void test_loop(void)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		struct tl_span_config config = far_end_config(kind ? TL_SPAN_T1 : TL_SPAN_E1);
		struct tl_span_config mirror = far_end_mirror(&config);
		int64_t depth = config.pseudowire.jitter_ms * 8, heard = -depth, sent = 0;

		mirror.pseudowire.clock = TL_CLOCK_LOOP;

		struct tl_span *a = far_end_span(&config), *b = far_end_span(&mirror);

		g_assert_cmpuint(far_end_due(b), ==, 0);
		for (int64_t at = 0; at < 300 * TL_BLOCK_OCTETS; at += TL_BLOCK_OCTETS) {
			/* A's first tick hears nothing, its second the tick that B had in hand. */
			tick(a, 0, at, at == 0 ? -1000 : at - 2 * TL_BLOCK_OCTETS - depth);
			far_end_await(b, far_end_counters(a).packets_sent);
			g_assert_cmpuint(far_end_due(b), ==, 1);
			tick(b, 1, sent, heard);
			sent += TL_BLOCK_OCTETS;
			heard += TL_BLOCK_OCTETS;
			g_assert_cmpuint(far_end_due(b), ==, 0);
			g_assert_cmpuint(far_end_counters(b).packets_sent, ==, far_end_counters(a).packets_sent);
			far_end_await(a, far_end_counters(b).packets_sent);
		}
		check_clean(b);
		tl_span_free(a);
		tl_span_free(b);
	}
}

/* A sender that waits for each answer before it sends the next packet is never kept waiting. */
static void test_loop_lockstep(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	struct tl_cesop_packet packet;
	uint8_t octets[TL_CESOP_PACKET_MAX];
	int64_t heard = -160, echoed = 0;
	struct far_end end;

	config.pseudowire.clock = TL_CLOCK_LOOP;

	struct tl_span *span = far_end_span(&config);

	far_end_open(&end, &config);
	for (unsigned i = 0; i < 1000; i++) {
		far_end_run(&end, 1);
		far_end_await(span, end.sent);
		if (far_end_due(span)) {
			far_end_begin(span);
			for (unsigned slot = 1; slot <= 31; slot++)
				memcpy(tl_span_tx(span, slot), tl_span_rx(span, slot), TL_BLOCK_OCTETS);
			far_end_end(span);
			heard += TL_BLOCK_OCTETS;
		}
		far_end_receive(&end, octets, &packet);
		/* Its own octets come back after a tick in hand and the playout depth, exactly. */
		for (unsigned frame = 0; frame < 8; frame++, echoed++)
			for (unsigned slot = 1; slot <= 31; slot++)
				g_assert_cmphex(packet.payload[frame * 31 + slot - 1], ==,
						echoed < 240 ? 0xd5 : far_end_octet(slot, (uint64_t)echoed - 240));
		g_assert_false(far_end_has_input(&end));
	}
	g_assert_cmpint(heard, ==, 8000 - 160);
	check_clean(span);
	far_end_close(&end);
	tl_span_free(span);
}

/* Packets may come in any bundles: as many ticks fall due as line time has passed. */
static void test_loop_bundles(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	unsigned ticks = 0;
	struct far_end end;

	config.pseudowire.clock = TL_CLOCK_LOOP;

	struct tl_span *span = far_end_span(&config);

	far_end_open(&end, &config);
	for (unsigned i = 1; i <= 60; i++) {
		far_end_run(&end, i);
		far_end_await(span, end.sent);
		for (unsigned due = far_end_due(span); due; due--, ticks++) {
			far_end_begin(span);
			for (unsigned k = 0; k < TL_BLOCK_OCTETS; k++)
				for (unsigned slot = 1, at = ticks * 80 + k; slot <= 31; slot++)
					g_assert_cmphex(tl_span_rx(span, slot)[k], ==,
							at < 160 ? 0xd5 : far_end_octet(slot, at - 160));
			far_end_end(span);
		}
		g_assert_cmpuint(ticks, ==, end.sent * 8 / 80);
		g_assert_cmpuint(far_end_counters(span).packets_sent, ==, end.sent);
	}
	check_clean(span);
	far_end_close(&end);
	tl_span_free(span);
}

/* A sender that starts anew elsewhere in the sequence goes on being answered. */
static void test_loop_restart(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	struct far_end end;

	config.pseudowire.clock = TL_CLOCK_LOOP;

	struct tl_span *span = far_end_span(&config);

	far_end_open(&end, &config);
	for (unsigned i = 0; i < 50; i++) {
		end.sequence = (uint16_t)(end.sequence + 9001);
		for (unsigned k = 0; k < 23; k++) {
			far_end_run(&end, 1);
			far_end_await(span, end.sent);
			for (unsigned due = far_end_due(span); due; due--) {
				far_end_begin(span);
				far_end_end(span);
			}
			/* A jump is believed with its second packet, and both are answered then. */
			g_assert_cmpuint(far_end_counters(span).packets_sent, ==,
					 i > 0 && k == 0 ? end.sent - 1 : end.sent);
		}
	}
	g_assert_cmpuint(far_end_counters(span).jumps, ==, 49);
	far_end_close(&end);
	tl_span_free(span);
}

static void test_two_loops_are_silent(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);

	config.pseudowire.clock = TL_CLOCK_LOOP;

	struct tl_span_config mirror = far_end_mirror(&config);
	struct tl_span *a = far_end_span(&config), *b = far_end_span(&mirror);

	tl_thread_become_media();
	for (unsigned i = 0; i < 10; i++) {
		tl_span_receive(a, 0);
		tl_span_receive(b, 0);
		g_assert_cmpuint(tl_span_ticks_due(a) + tl_span_ticks_due(b), ==, 0);
	}
	/* Even a side that ticks regardless does not start the other. */
	tl_span_begin_tick(a);
	tl_span_end_tick(a, 0);
	tl_thread_become_main();
	g_assert_cmpuint(far_end_counters(a).packets_sent + far_end_counters(b).packets_sent, ==, 0);
	tl_span_free(a);
	tl_span_free(b);
}

static void receive_at(struct tl_span *span, int64_t now_us)
{
	tl_thread_become_media();
	tl_span_receive(span, now_us);
	tl_thread_become_main();
}

/* No packets, no line time: so a dead sender shows by the wall clock, and clears by its packets. */
static void test_loop_silence(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	struct far_end end;

	config.pseudowire.clock = TL_CLOCK_LOOP;

	struct tl_span *span = far_end_span(&config);

	far_end_open(&end, &config);
	receive_at(span, 1000000);
	for (unsigned i = 0; i < 200; i++) {
		far_end_run(&end, 10);
		far_end_await(span, end.sent);
		far_end_begin(span);
		far_end_end(span);
	}
	g_assert_cmphex(tl_span_alarms(span), ==, 0);
	receive_at(span, 2000000);
	receive_at(span, 9000000);
	g_assert_cmphex(tl_span_alarms(span), ==, 0);
	receive_at(span, 12000001);
	g_assert_cmphex(tl_span_alarms(span), ==, TL_ALARM_RED);
	for (unsigned i = 0; i < 110; i++) {
		far_end_run(&end, 10);
		far_end_await(span, end.sent);
		g_assert_cmpuint(far_end_due(span), ==, 1);
		far_end_begin(span);
		far_end_end(span);
	}
	g_assert_cmphex(tl_span_alarms(span), ==, 0);
	check_clean(span);
	far_end_close(&end);
	tl_span_free(span);
}

/* The far end's clock is 100 ppm fast: the recovered clock says so, and no frame slips. */
static void test_adaptive(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_T1);
	double far_frames = 0, skew = 0;
	uint64_t sent_frames = 0;
	struct far_end end;

	config.pseudowire.clock = TL_CLOCK_ADAPTIVE;

	struct tl_span *span = far_end_span(&config);

	far_end_open(&end, &config);
	for (unsigned i = 0; i < 60000; i++) {
		far_frames += 80 * (1 + 100e-6) / (1 + skew * 1e-9);
		for (; sent_frames + 8 <= far_frames; sent_frames += 8)
			far_end_run(&end, 1);
		far_end_await(span, end.sent);
		far_end_begin(span);
		tl_thread_become_media();
		skew = tl_span_skew_ppb(span);
		tl_thread_become_main();
	}
	g_assert_cmpfloat(skew, >, 50000);
	g_assert_cmpfloat(skew, <, 150000);
	check_clean(span);
	far_end_close(&end);
	tl_span_free(span);
}

struct cas_seen {
	unsigned abcd[32];
	int64_t at_us[32], lasted_us[32];
	unsigned changes;
};

static void on_cas(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user)
{
	struct cas_seen *seen = user;

	g_assert_cmpuint(slot, <=, tl_span_slots(span));
	seen->lasted_us[slot] = line_us - seen->at_us[slot];
	seen->at_us[slot] = line_us;
	seen->abcd[slot] = abcd;
	seen->changes++;
}

static void cas_run(struct tl_span *a, struct tl_span *b, unsigned ticks)
{
	for (int64_t at = 0; at < (int64_t)ticks * TL_BLOCK_OCTETS; at += TL_BLOCK_OCTETS) {
		far_end_begin(a);
		send_block(a, 0, at);
		far_end_end(a);
		far_end_await(b, far_end_counters(a).packets_sent);
		far_end_begin(b);
		far_end_end(b);
		far_end_main();
	}
}

/* A pulse has its length on the line, whatever main does meanwhile; another order ends it. */
static void pulse(struct tl_span *a, struct tl_span *b, struct cas_seen *seen)
{
	seen->changes = 0;
	g_assert_cmpint(tl_span_pulse_cas(a, 3, 0xf, TL_CAS_PULSE_MAX_MS + 10, 1), ==, -EINVAL);
	g_assert_cmpint(tl_span_pulse_cas(a, 3, 0xf, 0, 1), ==, -EINVAL);
	g_assert_cmpint(tl_span_pulse_cas(a, 3, 0xf, 200, 1), ==, 0);
	cas_run(a, b, 10);
	g_assert_cmpuint(seen->abcd[3], ==, 0xf);
	cas_run(a, b, 30);
	g_assert_cmpuint(seen->changes, ==, 2);
	g_assert_cmpuint(seen->abcd[3], ==, 1);
	/* A multiframe longer than its share of a tick may end in the next one. */
	g_assert_cmpint(seen->lasted_us[3], >=, 190000);
	g_assert_cmpint(seen->lasted_us[3], <=, 210000);
	g_assert_cmpint(tl_span_pulse_cas(a, 3, 0xf, 2000, 1), ==, 0);
	cas_run(a, b, 10);
	g_assert_cmpint(tl_span_send_cas(a, 3, 2), ==, 0);
	cas_run(a, b, 300);
	g_assert_cmpuint(seen->abcd[3], ==, 2);
	g_assert_cmpuint(seen->changes, ==, 4);
	g_assert_cmpint(tl_span_line_us(a), ==, 390 * TL_TICK_US);
}

static void cas_both(enum tl_span_kind kind, unsigned frames)
{
	static const struct tl_span_handler handler = { .on_cas = on_cas };
	struct tl_span_config config = far_end_config(kind);
	struct cas_seen seen = { 0 };

	config.cas = true;
	config.pseudowire.frames = frames;

	struct tl_span_config mirror = far_end_mirror(&config);
	struct tl_span *a = far_end_span(&config), *b = far_end_span(&mirror);
	unsigned bearers = 0;

	tl_span_set_handler(b, &handler, &seen);
	for (unsigned slot = 1; slot <= tl_span_slots(a); slot++) {
		bool bearer = tl_span_is_bearer(a, slot);

		g_assert_cmpint(bearer, ==, kind == TL_SPAN_T1 || slot != 16);
		g_assert_cmpint(tl_span_send_cas(a, slot, 1 + slot % 15), ==, bearer ? 0 : -EINVAL);
		bearers += bearer;
	}
	g_assert_cmpint(tl_span_send_cas(a, 1, 16), ==, -EINVAL);
	cas_run(a, b, 40);
	g_assert_cmpuint(seen.changes, ==, bearers);
	for (unsigned slot = 1; slot <= tl_span_slots(a); slot++)
		g_assert_cmpuint(seen.abcd[slot], ==, tl_span_is_bearer(a, slot) ? 1 + slot % 15 : 0);
	pulse(a, b, &seen);
	check_clean(b);
	tl_span_free(a);
	tl_span_free(b);
}

static void test_cas(void)
{
	static const unsigned e1[] = { 1, 2, 4, 8, 16 }, t1[] = { 1, 2, 3, 4, 6, 8, 12, 24 };

	for (unsigned i = 0; i < G_N_ELEMENTS(e1); i++)
		cas_both(TL_SPAN_E1, e1[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(t1); i++)
		cas_both(TL_SPAN_T1, t1[i]);
}

static void refused(const struct tl_span_config *config, enum tl_line_error_code code, const char *expected)
{
	GError *error = NULL;

	g_assert_null(tl_span_new(config, &error));
	g_assert_error(error, TL_LINE_ERROR, (int)code);
	if (!strstr(error->message, expected))
		g_error("\"%s\" does not say \"%s\"", error->message, expected);
	g_error_free(error);
}

#define REFUSED(change, expected)                                       	do {                                                            		struct tl_span_config bad = config;                     		change;                                                 		refused(&bad, TL_LINE_ERROR_CONFIG, expected);          	} while (0)

static void test_configuration(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);

	tl_thread_become_main();
	REFUSED(bad.name = NULL, "a name");
	REFUSED(bad.d_channel = 32, "D-channel from 1 to 31");
	REFUSED((bad.cas = true, bad.d_channel = 16), "timeslot 16 carries CAS");
	REFUSED(bad.pseudowire.frames = 0, "1 to 40 frames");
	REFUSED(bad.pseudowire.frames = 41, "1 to 40 frames");
	REFUSED(bad.pseudowire.frames = 7, "divide 80");
	REFUSED((bad.cas = true, bad.pseudowire.frames = 10), "multiframe of 16");
	REFUSED(bad.pseudowire.jitter_ms = 0, "1 to 200 ms");
	REFUSED(bad.pseudowire.jitter_max_ms = 19, "greatest jitter depth");
	REFUSED((bad.pseudowire.rtp = true, bad.pseudowire.rtp_payload_type = 8), "96 to 127");
	REFUSED(bad.pseudowire.remote_port = 0, "port from 1");
	REFUSED(bad.pseudowire.remote_port = 65536, "up to 65535");
	REFUSED(bad.pseudowire.remote_host = "localhost", "numeric address");
	REFUSED(bad.pseudowire.remote_host = NULL, "numeric address");
	REFUSED(bad.pseudowire.remote_host = "::1", "address family");
}

static void test_port_in_use(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_E1);
	struct tl_span *span = far_end_span(&config);

	refused(&config, TL_LINE_ERROR_OPEN, "Address already in use");
	tl_span_free(span);
}

static void test_facts(void)
{
	struct tl_span_config config = far_end_config(TL_SPAN_T1);

	config.d_channel = 24;
	config.clock_domain = "carrier";

	struct tl_span *span = far_end_span(&config);

	g_assert_cmpstr(tl_span_name(span), ==, "near");
	g_assert_cmpstr(tl_span_clock_domain(span), ==, "carrier");
	g_assert_cmpint(tl_span_get_kind(span), ==, TL_SPAN_T1);
	g_assert_cmpint(tl_span_get_law(span), ==, TL_LAW_ULAW);
	g_assert_cmpint(tl_span_clock_mode(span), ==, TL_CLOCK_LOCAL);
	g_assert_cmpuint(tl_span_slots(span), ==, 24);
	g_assert_cmpuint(tl_span_d_channel(span), ==, 24);
	g_assert_cmpuint(tl_span_local_port(span), ==, config.pseudowire.local_port);
	g_assert_true(tl_span_is_bearer(span, 1));
	g_assert_true(tl_span_is_bearer(span, 23));
	g_assert_false(tl_span_is_bearer(span, 24));
	g_assert_false(tl_span_is_bearer(span, 0));
	g_assert_false(tl_span_is_bearer(span, 25));
	g_assert_cmphex(tl_span_alarms(span), ==, TL_ALARM_NOTOPEN);
	g_assert_cmpint(tl_span_send_cas(span, 1, 5), ==, -ENODEV);
	tl_span_free(span);
	tl_span_free(NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pseudowire/both-ways", test_both_ways);
	g_test_add_func("/pseudowire/both-ways-rtp", test_both_ways_rtp);
	g_test_add_func("/pseudowire/both-ways-ipv6", test_both_ways_ipv6);
	g_test_add_func("/pseudowire/loop", test_loop);
	g_test_add_func("/pseudowire/loop-lockstep", test_loop_lockstep);
	g_test_add_func("/pseudowire/loop-bundles", test_loop_bundles);
	g_test_add_func("/pseudowire/loop-restart", test_loop_restart);
	g_test_add_func("/pseudowire/loop-silence", test_loop_silence);
	g_test_add_func("/pseudowire/two-loops-are-silent", test_two_loops_are_silent);
	g_test_add_func("/pseudowire/adaptive", test_adaptive);
	g_test_add_func("/pseudowire/cas", test_cas);
	g_test_add_func("/pseudowire/configuration", test_configuration);
	g_test_add_func("/pseudowire/port-in-use", test_port_in_use);
	g_test_add_func("/pseudowire/facts", test_facts);
	return g_test_run();
}
