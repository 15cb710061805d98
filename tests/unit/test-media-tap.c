/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Taps: a port's party and another thread, octet for octet; line time waits for it; fax tones are heard. */
#include <glib.h>
#include <math.h>
#include <poll.h>
#include <string.h>

#include "media-rig.h"
#include "media/g711.h"

#define NOISE 65536
#define TICKS 400
#define DEPTH 4
#define BEGIN (20 * TL_BLOCK_OCTETS)

struct far_thread {
	struct tl_media *media;
	struct tl_bell *bell;
	struct tl_tap *tap;
	const uint8_t *says;    /* NOISE octets */
	uint8_t heard[NOISE];
	unsigned blocks;        /* taken and given */
	unsigned most;          /* of them */
};

static void *serve(void *data)
{
	struct far_thread *far = data;
	struct pollfd pollfd = { .fd = tl_bell_fd(far->bell), .events = POLLIN };
	bool missing;
	while (far->blocks < far->most) {
		g_assert_cmpint(poll(&pollfd, 1, 60000), ==, 1);
		tl_bell_hush(far->bell);
		while (far->blocks < far->most && tl_tap_take(far->tap, far->heard + far->blocks * TL_BLOCK_OCTETS, &missing)) {
			g_assert_false(missing); /* of a timeslot nothing ever is */
			tl_tap_give(far->tap, far->says + far->blocks * TL_BLOCK_OCTETS);
			far->blocks++;
		}
		tl_taps_given(far->media);
	}
	return NULL;
}

/* Until the line's first tick the clock may have run some, with nothing on the line. From its begin on, nothing is missing. */
static void assert_whole(const uint8_t *got, const uint8_t *said)
{
	const unsigned all = (TICKS - 1) * TL_BLOCK_OCTETS;
	gssize at = noise_find(got, all, said + BEGIN, TL_BLOCK_OCTETS);
	g_assert_cmpint(at, >=, 0);
	g_assert_cmpint(at, <=, all / 2);
	g_assert_cmpmem(got + at, all - at, said + BEGIN, all - at);
}

/* The spans are in clock mode loop: as fast as both threads can, nothing is lost and nothing is late. */
static void test_octets(void)
{
	struct rig rig;
	rig_init(&rig);
	g_autofree uint8_t *said = noise_new(NOISE, 1), *given = noise_new(NOISE, 2);
	struct far_thread far = { .media = rig.media, .bell = tl_bell_new(rig.media), .says = given, .most = TICKS - 1 };
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	uint64_t missed, dropped;
	fake_span_say(rig.e1, 1, said, NOISE);
	far.tap = tl_port_tap(port, far.bell, DEPTH);
	g_assert_cmpint(tl_tap_law(far.tap), ==, TL_LAW_ALAW);
	GThread *thread = g_thread_new("far", serve, &far);
	rig_step(&rig, TICKS);
	g_thread_join(thread);
	assert_whole(far.heard, said);
	assert_whole(fake_span_sent(rig.e1, 1), given);
	tl_tap_counters(far.tap, &missed, &dropped);
	g_assert_cmpuint(missed + dropped, ==, 0);
	tl_port_untap(port);
	tl_tap_free(far.tap);
	rig_step(&rig, 1);
	tl_port_free(port);
	rig_done(&rig);
}

/* A far thread that has died costs the line its patience, not its life. */
static void test_dead_thread(void)
{
	struct rig rig;
	rig_init_patience(&rig, 200);
	struct tl_bell *bell = tl_bell_new(rig.media);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_tap *tap = tl_port_tap(port, bell, 1);
	uint64_t missed, dropped;
	rig_step(&rig, 2);
	tl_tap_counters(tap, &missed, &dropped);
	g_assert_cmpuint(missed, ==, 1);
	tl_port_free(port); /* returns the tap, too */
	tl_tap_free(tap);
	rig_step(&rig, 1);
	rig_done(&rig);
}

/* A machine that ends while the line waits for it: nothing else would wake the line. */
static void test_ends_while_awaited(void)
{
	struct rig rig;
	rig_init(&rig);
	struct tl_bell *bell = tl_bell_new(rig.media);
	for (unsigned freed = 0; freed < 2; freed++) {
		struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
		struct tl_tap *tap = tl_port_tap(port, bell, 1);
		rig_step(&rig, 1);
		unsigned done = fake_span_done(rig.e1);
		fake_span_tick(rig.e1);
		for (unsigned round = 0; round < 2; round++) { /* at the end of the second one it has seen that it must wait */
			unsigned look = fake_span_look(rig.e1);
			while (!fake_span_looked(rig.e1, look))
				g_usleep(100);
		}
		g_assert_cmpuint(fake_span_done(rig.e1), ==, done);
		gint64 ceiling = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
		(freed ? tl_port_free : tl_port_untap)(port);
		while (fake_span_done(rig.e1) == done) {
			g_assert_cmpint(g_get_monotonic_time(), <, ceiling);
			g_usleep(100);
		}
		if (!freed)
			tl_port_free(port);
		tl_tap_free(tap);
		rig_step(&rig, 1);
	}
	rig_done(&rig);
}

/* ---- tones ---- */


static uint8_t *make_tone(double hz, size_t n)
{
	int16_t *samples = g_new(int16_t, n);
	uint8_t *octets = g_malloc(n);
	for (size_t i = 0; i < n; i++)
		samples[i] = 8000 * sin(2 * G_PI * hz * i / 8000);
	tl_g711_encode(TL_LAW_ALAW, samples, octets, n);
	g_free(samples);
	return octets;
}

/* The flags before a V.21 message (ITU-T T.30 5.3.1). */
static uint8_t *make_flags(size_t n)
{
	int16_t *samples = g_new(int16_t, n);
	uint8_t *octets = g_malloc(n);
	double phase = 0;
	for (size_t i = 0; i < n; i++) {
		bool bit = 0x7e >> i * 300 / 8000 % 8 & 1;
		samples[i] = 8000 * sin(phase);
		phase += 2 * G_PI * (bit ? 1650 : 1850) / 8000;
	}
	tl_g711_encode(TL_LAW_ALAW, samples, octets, n);
	g_free(samples);
	return octets;
}

static void test_tones(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	rig_init(&rig);
	g_autofree uint8_t *cng = make_tone(1100, 4000), *ced = make_tone(2100, 8000), *other = make_tone(900, 8000);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, &log);
	fake_span_say(rig.e1, 1, cng, 4000);
	rig_step(&rig, 60);
	g_assert_cmpuint(log.n_cng, ==, 0); /* nobody asked */
	fake_span_say(rig.e1, 1, NULL, 0);
	tl_port_detect_fax(port, true);
	fake_span_say(rig.e1, 1, other, 8000);
	rig_step(&rig, 200);
	g_assert_cmpuint(log.n_cng + log.n_ced, ==, 0);
	fake_span_say(rig.e1, 1, cng, 4000);
	rig_step_until(&rig, log.n_cng, 100);
	fake_span_say(rig.e1, 1, NULL, 0);
	rig_step(&rig, 100);
	fake_span_say(rig.e1, 1, ced, 8000);
	rig_step_until(&rig, log.n_ced, 300);
	g_assert_cmpuint(log.n_cng, ==, 1);
	tl_port_free(port);
	rig_done(&rig);
}

/* A modem's tone is not the flags of a fax machine; who listens for a while hears nothing later. */
static void test_tones_within(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	rig_init(&rig);
	g_autofree uint8_t *ced = make_tone(2100, 8000), *flags = make_flags(8000);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, &log);
	tl_port_detect_fax_within(port, 2000);
	fake_span_say(rig.e1, 1, ced, 8000);
	rig_step(&rig, 150);
	g_assert_cmpuint(log.n_ced, ==, 1);
	g_assert_cmpuint(log.n_preamble, ==, 0);
	tl_port_detect_fax_within(port, 2000); /* anew */
	fake_span_say(rig.e1, 1, flags, 8000);
	rig_step(&rig, 150);
	g_assert_cmpuint(log.n_preamble, ==, 1);
	fake_span_say(rig.e1, 1, NULL, 0);
	rig_step(&rig, 60);
	fake_span_say(rig.e1, 1, flags, 8000);
	rig_step(&rig, 150);
	g_assert_cmpuint(log.n_preamble, ==, 1); /* its time is over */
	tl_port_free(port);
	rig_done(&rig);
}

static unsigned depth_us(struct tl_port *port)
{
	struct tl_port_counters counters;
	tl_port_counters(port, &counters);
	return counters.depth_us;
}

/* A bridge of voice that turns out to carry data: at its greatest depth until the port leaves; octets as they came all the while. */
static void test_held_still(void)
{
	struct rig rig;
	struct tl_port *a, *b;
	rig_init(&rig);
	g_autofree uint8_t *said = noise_new(NOISE, 5);
	struct tl_port *slot_1 = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_port *slot_2 = tl_port_new_timeslot(rig.media, rig.e1, 2, NULL);
	struct tl_bridge *left = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR), *right = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	rig_rtp_pair(&rig, TL_LAW_ALAW, true, &a, NULL, &b, NULL);
	g_assert_cmpint(tl_bridge_add(left, slot_1), ==, 0);
	g_assert_cmpint(tl_bridge_add(left, a), ==, 0);
	g_assert_cmpint(tl_bridge_add(right, b), ==, 0);
	g_assert_cmpint(tl_bridge_add(right, slot_2), ==, 0);
	fake_span_say(rig.e1, 1, said, NOISE);
	rig_step(&rig, 100);
	g_assert_cmpuint(depth_us(b), <, 100000);
	g_assert_true(fake_span_voice(rig.e1, 2));
	tl_bridge_hold_still(right);
	rig_step(&rig, 500);
	g_assert_cmpuint(depth_us(b), >, 100000); /* of 120 ms */
	g_assert_false(fake_span_voice(rig.e1, 2));
	const uint8_t *sent = fake_span_sent(rig.e1, 2) + 200 * TL_BLOCK_OCTETS;
	gssize at = noise_find(said, NOISE, sent, TL_BLOCK_OCTETS);
	g_assert_cmpint(at, >, 0);
	g_assert_cmpmem(sent, 400 * TL_BLOCK_OCTETS, said + at, 400 * TL_BLOCK_OCTETS);
	tl_bridge_remove(right, b);
	g_assert_cmpint(tl_bridge_add(right, b), ==, 0);
	rig_step(&rig, 100);
	g_assert_cmpuint(depth_us(b), <, 100000);
	tl_bridge_free(left);
	tl_bridge_free(right);
	tl_port_free(a);
	tl_port_free(b);
	tl_port_free(slot_1);
	tl_port_free(slot_2);
	rig_done(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media/tap/octets", test_octets);
	g_test_add_func("/media/tap/dead-thread", test_dead_thread);
	g_test_add_func("/media/tap/ends-while-awaited", test_ends_while_awaited);
	g_test_add_func("/media/tap/fax-tones", test_tones);
	g_test_add_func("/media/tap/fax-tones-within", test_tones_within);
	g_test_add_func("/media/tap/held-still", test_held_still);
	return g_test_run();
}
