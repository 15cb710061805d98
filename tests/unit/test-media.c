/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bridges, plays, recordings: a real media thread, spans stepped tick by tick, real RTP sockets on loopback. */
#include <glib.h>
#include <string.h>

#include "media-rig.h"
#include "media/g711.h"

#define NOISE 65536

static void test_clear_timeslots(void)
{
	struct rig rig;
	rig_init(&rig);
	g_autofree uint8_t *one = noise_new(NOISE, 1), *two = noise_new(NOISE, 2);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_port *b = tl_port_new_timeslot(rig.media, rig.e1, 31, NULL);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	g_assert_cmpint(tl_bridge_add(bridge, a), ==, 0);
	g_assert_cmpint(tl_bridge_add(bridge, b), ==, 0);
	fake_span_say(rig.e1, 1, one, NOISE);
	fake_span_say(rig.e1, 31, two, NOISE);
	rig_step(&rig, 600);
	g_assert_cmpmem(fake_span_sent(rig.e1, 31), 48000, one, 48000);
	g_assert_cmpmem(fake_span_sent(rig.e1, 1), 48000, two, 48000);
	tl_bridge_free(bridge);
	tl_port_free(a);
	tl_port_free(b);
	rig_done(&rig);
}

/* Of 600 ticks: what was said comes out a little later, and every octet after the first found is there in its place. */
static void assert_delayed(const uint8_t *sent, const uint8_t *said)
{
	const unsigned skipped = 800, all = 48000;
	gssize at = noise_find(sent, all, said + skipped, 80);
	g_assert_cmpint(at, >=, skipped);
	/* A packet's 20 ms, the playout depth's 20 ms and a tick. */
	g_assert_cmpint(at, <=, skipped + 400);
	g_assert_cmpmem(sent + at, all - at, said + skipped, all - at);
}

/* Timeslot 1 - RTP - RTP - timeslot 2: what comes out, both ways, is what went in, octet for octet, once it began. */
static void test_clear_rtp(void)
{
	struct rig rig;
	struct tl_port *a, *b;
	rig_init(&rig);
	g_autofree uint8_t *one = noise_new(NOISE, 3), *two = noise_new(NOISE, 4);
	struct tl_port *slot_1 = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_port *slot_2 = tl_port_new_timeslot(rig.media, rig.e1, 2, NULL);
	struct tl_bridge *left = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	struct tl_bridge *right = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	rig_rtp_pair(&rig, TL_LAW_ALAW, true, &a, NULL, &b, NULL);
	g_assert_cmpint(tl_bridge_add(left, slot_1), ==, 0);
	g_assert_cmpint(tl_bridge_add(left, a), ==, 0);
	g_assert_cmpint(tl_bridge_add(right, b), ==, 0);
	g_assert_cmpint(tl_bridge_add(right, slot_2), ==, 0);
	fake_span_say(rig.e1, 1, one, NOISE);
	fake_span_say(rig.e1, 2, two, NOISE);
	rig_step(&rig, 600);
	assert_delayed(fake_span_sent(rig.e1, 2), one);
	assert_delayed(fake_span_sent(rig.e1, 1), two);
	tl_bridge_free(left);
	tl_bridge_free(right);
	tl_port_free(a);
	tl_port_free(b);
	tl_port_free(slot_1);
	tl_port_free(slot_2);
	rig_done(&rig);
}

static void test_laws(void)
{
	struct rig rig;
	rig_init(&rig);
	g_autofree uint8_t *one = noise_new(NOISE, 5), *expected = g_malloc(8000);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.e1, 3, NULL);
	struct tl_port *b = tl_port_new_timeslot(rig.media, rig.t1, 3, NULL);
	struct tl_bridge *clear = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	struct tl_bridge *voice = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	g_assert_cmpint(tl_bridge_add(clear, a), ==, 0);
	g_assert_cmpint(tl_bridge_add(clear, b), ==, -EPROTOTYPE);
	g_assert_cmpint(tl_bridge_add(voice, a), ==, -EBUSY);
	tl_bridge_remove(clear, a);
	g_assert_cmpint(tl_bridge_add(voice, a), ==, 0);
	g_assert_cmpint(tl_bridge_add(voice, b), ==, 0);
	fake_span_say(rig.e1, 3, one, NOISE);
	rig_step(&rig, 100);
	tl_g711_convert(TL_LAW_ALAW, TL_LAW_ULAW, one, expected, 8000);
	g_assert_cmpmem(fake_span_sent(rig.t1, 3), 8000, expected, 8000);
	tl_bridge_free(clear);
	tl_bridge_free(voice);
	tl_port_free(a);
	tl_port_free(b);
	rig_done(&rig);
}

/* Three parties: each hears the sum of the other two, and not itself. */
static void test_mix_of_three(void)
{
	static const uint8_t alaw[3] = { 0x95, 0x17, 0xa4 };
	struct rig rig;
	struct tl_port *ports[3];
	int16_t values[3];
	rig_init(&rig);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	for (unsigned i = 0; i < 3; i++) {
		ports[i] = tl_port_new_timeslot(rig.media, rig.e1, 5 + i, NULL);
		fake_span_say(rig.e1, 5 + i, &alaw[i], 1);
		tl_g711_decode(TL_LAW_ALAW, &alaw[i], &values[i], 1);
		g_assert_cmpint(tl_bridge_add(bridge, ports[i]), ==, 0);
	}
	rig_step(&rig, 10);
	for (unsigned i = 0; i < 3; i++) {
		int16_t sum = values[(i + 1) % 3] + values[(i + 2) % 3];
		uint8_t expected;
		tl_g711_encode(TL_LAW_ALAW, &sum, &expected, 1);
		for (unsigned o = 0; o < 800; o++)
			g_assert_cmphex(fake_span_sent(rig.e1, 5 + i)[o], ==, expected);
	}
	tl_port_mute(ports[1], true);
	rig_step(&rig, 2);
	uint8_t alone;
	int16_t with_silence = values[2] + 8; /* A-law has no zero: its silence is 8 */
	tl_g711_encode(TL_LAW_ALAW, &with_silence, &alone, 1);
	g_assert_cmphex(fake_span_sent(rig.e1, 5)[11 * 80], ==, alone);
	tl_port_free(ports[1]); /* leaves the bridge: two remain and hear each other untouched */
	rig_step(&rig, 2);
	g_assert_cmphex(fake_span_sent(rig.e1, 5)[13 * 80], ==, alaw[2]);
	g_assert_cmphex(fake_span_sent(rig.e1, 6)[13 * 80], ==, 0xd5);
	tl_bridge_free(bridge);
	tl_port_free(ports[0]);
	tl_port_free(ports[2]);
	rig_done(&rig);
}

static void test_full_scale_saturates(void)
{
	static const uint8_t loud = 0xaa; /* the largest positive A-law value */
	struct rig rig;
	struct tl_port *ports[4];
	rig_init(&rig);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	for (unsigned i = 0; i < 4; i++) {
		ports[i] = tl_port_new_timeslot(rig.media, rig.e1, 5 + i, NULL);
		fake_span_say(rig.e1, 5 + i, &loud, 1);
		g_assert_cmpint(tl_bridge_add(bridge, ports[i]), ==, 0);
	}
	rig_step(&rig, 3);
	g_assert_cmphex(fake_span_sent(rig.e1, 5)[160], ==, loud);
	tl_bridge_free(bridge);
	for (unsigned i = 0; i < 4; i++)
		tl_port_free(ports[i]);
	rig_done(&rig);
}

static void test_play(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	rig_init(&rig);
	g_autofree uint8_t *octets = noise_new(1000, 6);
	struct tl_sound *one = tl_sound_new(TL_LAW_ALAW, octets, 130);
	struct tl_sound *two = tl_sound_new(TL_LAW_ALAW, octets + 130, 115);
	struct tl_sound *empty = tl_sound_new(TL_LAW_ALAW, octets, 0);
	struct tl_sound *both[] = { one, two };
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 9, &log);
	rig_step(&rig, 2);
	tl_port_play(port, 11, both, 2, 2);
	rig_step(&rig, 10);
	const uint8_t *sent = fake_span_sent(rig.e1, 9) + 160;
	g_assert_cmpmem(sent, 245, octets, 245);
	g_assert_cmpmem(sent + 245, 245, octets, 245);
	for (unsigned i = 490; i < 800; i++)
		g_assert_cmphex(sent[i], ==, 0xd5);
	g_assert_cmpuint(log.n_done, ==, 1);
	g_assert_cmpuint(log.done[0], ==, 11);
	g_assert_true(log.completed[0]);
	tl_port_play(port, 12, &one, 1, 0); /* for ever, until replaced */
	rig_step(&rig, 50);
	g_assert_cmpuint(log.n_done, ==, 1);
	tl_port_play(port, 13, &empty, 1, 0);
	rig_step(&rig, 3);
	g_assert_cmpuint(log.n_done, ==, 3);
	g_assert_cmpuint(log.done[1], ==, 12);
	g_assert_false(log.completed[1]);
	g_assert_cmpuint(log.done[2], ==, 13); /* a loop of nothing ends */
	g_assert_true(log.completed[2]);
	tl_port_play(port, 14, &one, 1, 0);
	rig_step(&rig, 2);
	tl_port_stop(port);
	rig_step(&rig, 2);
	g_assert_cmpuint(log.n_done, ==, 4);
	g_assert_false(log.completed[3]);
	tl_port_play(port, 15, &one, 1, 0);
	tl_port_free(port); /* no event follows */
	rig_step(&rig, 3);
	g_assert_cmpuint(log.n_done, ==, 4);
	tl_sound_unref(one);
	tl_sound_unref(two);
	tl_sound_unref(empty);
	rig_done(&rig);
}

static void test_play_mutes_bridge(void)
{
	static const uint8_t said = 0x12, played = 0x34;
	struct rig rig;
	rig_init(&rig);
	struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, &played, 1);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_port *b = tl_port_new_timeslot(rig.media, rig.e1, 2, NULL);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, a);
	tl_bridge_add(bridge, b);
	fake_span_say(rig.e1, 1, &said, 1);
	rig_step(&rig, 1);
	tl_port_play(b, 1, &sound, 1, 160);
	rig_step(&rig, 3);
	const uint8_t *sent = fake_span_sent(rig.e1, 2);
	g_assert_cmphex(sent[79], ==, said);
	g_assert_cmphex(sent[80], ==, played);
	g_assert_cmphex(sent[239], ==, played);
	g_assert_cmphex(sent[240], ==, said);
	tl_bridge_free(bridge);
	tl_port_free(a);
	tl_port_free(b);
	tl_sound_unref(sound);
	rig_done(&rig);
}

static void test_echo(void)
{
	struct rig rig;
	rig_init(&rig);
	g_autofree uint8_t *octets = noise_new(NOISE, 8);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 4, NULL);
	fake_span_say(rig.e1, 4, octets, NOISE);
	tl_port_echo(port, true);
	rig_step(&rig, 100);
	tl_port_echo(port, false);
	rig_step(&rig, 1);
	g_assert_cmpmem(fake_span_sent(rig.e1, 4), 8000, octets, 8000);
	g_assert_cmphex(fake_span_sent(rig.e1, 4)[8040], ==, 0xd5);
	tl_port_free(port);
	rig_done(&rig);
}

static void test_record(void)
{
	struct rig rig;
	struct tl_port_counters counters;
	uint8_t block[TL_BLOCK_OCTETS];
	rig_init(&rig);
	g_autofree uint8_t *octets = noise_new(NOISE, 7);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 9, NULL);
	rig_step(&rig, 1); /* until a line lives the clock ticks, and what is heard then is idle */
	tl_port_record(port, 1);
	fake_span_say(rig.e1, 9, octets, NOISE);
	rig_step(&rig, 150); /* room for 128: a ring is a power of two */
	tl_port_record(port, 0);
	rig_step(&rig, 10);
	unsigned n = 0;
	for (; tl_port_recorded(port, block); n++)
		g_assert_cmpmem(block, sizeof block, octets + n * 80, 80);
	g_assert_cmpuint(n, ==, 128);
	tl_port_counters(port, &counters);
	g_assert_cmpuint(counters.recorded_dropped, ==, 22);
	tl_port_record(port, 1);
	tl_port_record(port, 2); /* replaced before it was read */
	rig_step(&rig, 5);
	g_assert_true(tl_port_recorded(port, block));
	tl_port_free(port);
	rig_done(&rig);
}

static void test_tone(void)
{
	static const uint8_t milliwatt[8] = { 0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4 };
	struct rig rig;
	struct rig_log log = { 0 };
	rig_init(&rig);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 9, &log);
	g_assert_cmpint(tl_port_tone(port, 1, "xx", TL_TONE_BUSY), ==, -EINVAL);
	g_assert_cmpint(tl_port_tone(port, 2, "de", TL_TONE_MILLIWATT), ==, 0);
	rig_step(&rig, 3);
	for (unsigned i = 0; i < 240; i += 8)
		g_assert_cmpmem(fake_span_sent(rig.e1, 9) + i, 8, milliwatt, 8);
	g_assert_cmpint(tl_port_tone(port, 3, "de", TL_TONE_BEEP), ==, 0);
	rig_step_until(&rig, log.n_done == 2, 30);
	g_assert_cmpuint(log.done[1], ==, 3);
	g_assert_true(log.completed[1]);
	tl_port_free(port);
	rig_done(&rig);
}

/* Parties come and go, join and leave, play and record, while the line runs. */
static void test_coming_and_going(void)
{
	struct rig rig;
	struct tl_port *ports[60] = { 0 };
	struct tl_bridge *bridges[20] = { 0 }, *of[60] = { 0 };
	g_autoptr(GRand) rand = g_rand_new_with_seed(42);
	struct tl_rtp_side remote = { .law = TL_LAW_ALAW, .dtmf_payload_type = 101, .sends = true, .receives = true };
	rig_init(&rig);
	g_strlcpy(remote.host, own_host(), sizeof remote.host);
	struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, (const uint8_t *)"sound", 5);
	for (unsigned i = 0; i < 20; i++)
		bridges[i] = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	for (unsigned round = 0; round < 4000; round++) {
		unsigned i = g_rand_int_range(rand, 0, 60), b = g_rand_int_range(rand, 0, 20);
		struct tl_rtp_side side;
		if (!ports[i] && i % 2)
			ports[i] = tl_port_new_timeslot(rig.media, rig.e1, 1 + i / 2, NULL);
		else if (!ports[i])
			ports[i] = tl_port_new_rtp(rig.media, TL_LAW_ULAW, &side, NULL, NULL);
		g_assert_nonnull(ports[i]);
		remote.port = 20000 + 2 * i;
		if (i % 2 == 0)
			tl_port_set_remote(ports[i], &remote);
		switch (g_rand_int_range(rand, 0, 8)) {
		case 0:
			tl_port_free(ports[i]);
			ports[i] = NULL;
			of[i] = NULL;
			break;
		case 1:
			if (of[i])
				tl_bridge_remove(of[i], ports[i]);
			of[i] = tl_bridge_add(bridges[b], ports[i]) == 0 ? bridges[b] : NULL;
			break;
		case 2:
			tl_port_play(ports[i], round, &sound, 1, 1 + round % 100);
			break;
		case 3:
			tl_port_record(ports[i], round % 3);
			break;
		case 4:
			tl_port_send_dtmf(ports[i], round, "19#", 50, 50);
			break;
		case 5:
			tl_port_detect_dtmf(ports[i], round % 2);
			break;
		case 6:
			tl_port_tone(ports[i], round, "gb", TL_TONE_RINGING);
			break;
		case 7:
			for (unsigned p = 0; p < 60; p++)
				of[p] = of[p] == bridges[b] ? NULL : of[p];
			tl_bridge_free(bridges[b]);
			bridges[b] = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
			break;
		}
		if (round % 8 == 0)
			rig_step(&rig, 1);
	}
	for (unsigned i = 0; i < 20; i++)
		tl_bridge_free(bridges[i]);
	for (unsigned i = 0; i < 60; i++)
		tl_port_free(ports[i]);
	struct tl_media_counters counters;
	rig_step(&rig, 1);
	tl_media_counters(rig.media, &counters);
	g_assert_cmpuint(counters.commands, >, 3000);
	g_assert_cmpuint(counters.events_lost, ==, 0);
	tl_sound_unref(sound);
	rig_done(&rig);
}

static void assert_refused(struct tl_media_config config)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(tl_media_new(&config, &(struct tl_media_handler){ 0 }, &error));
	g_assert_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_CONFIG);
}

static void test_configuration(void)
{
	struct tl_media_config good = { .rtp_host = own_host(), .rtp_port_min = 30001, .rtp_port_max = 30005, .max_ports = 3 };
	struct tl_media_config bad;
	struct tl_rtp_side side[3];
	GError *error = NULL;
#define REFUSED(change) do { bad = good; bad.change; assert_refused(bad); } while (0)
	REFUSED(rtp_host = "localhost");
	REFUSED(rtp_host = NULL);
	REFUSED(rtp_announce = "here");
	REFUSED(rtp_port_min = 80);
	REFUSED(rtp_port_max = 30002);
	REFUSED(rtp_port_max = 70000);
	REFUSED(jitter_min_ms = 200);
	REFUSED(jitter_max_ms = 5000);
	REFUSED(max_ports = 100000);
	REFUSED(realtime_priority = 100);
	struct tl_media *media = tl_media_new(&good, &(struct tl_media_handler){ 0 }, &error);
	g_assert_no_error(error);
	struct tl_port *one = tl_port_new_rtp(media, TL_LAW_ALAW, &side[0], NULL, &error);
	g_assert_no_error(error);
	struct tl_port *two = tl_port_new_rtp(media, TL_LAW_ALAW, &side[1], NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(side[0].port, ==, 30002); /* even ports, and their odd neighbours */
	g_assert_cmpuint(side[1].port, ==, 30004);
	g_assert_cmpstr(side[0].host, ==, own_host());
	g_assert_null(tl_port_new_rtp(media, TL_LAW_ALAW, &side[2], NULL, &error));
	g_assert_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS);
	g_clear_error(&error);
	tl_port_free(one);
	tl_port_free(two);
	tl_media_free(media);
}

/* The line hears what it carries, so that its canceller works for speech alone. */
static void test_speech_is_told(void)
{
	struct rig rig;
	rig_init(&rig);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	struct tl_bridge *clear = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	struct tl_bridge *voice = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	g_assert_cmpint(tl_bridge_add(clear, a), ==, 0);
	g_assert_false(fake_span_voice(rig.e1, 1));
	tl_bridge_remove(clear, a);
	g_assert_cmpint(tl_bridge_add(voice, a), ==, 0);
	g_assert_true(fake_span_voice(rig.e1, 1));
	tl_port_free(a);
	g_assert_false(fake_span_voice(rig.e1, 1));
	tl_bridge_free(clear);
	tl_bridge_free(voice);
	rig_done(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media/clear-timeslots", test_clear_timeslots);
	g_test_add_func("/media/clear-rtp", test_clear_rtp);
	g_test_add_func("/media/laws", test_laws);
	g_test_add_func("/media/mix-of-three", test_mix_of_three);
	g_test_add_func("/media/full-scale", test_full_scale_saturates);
	g_test_add_func("/media/play", test_play);
	g_test_add_func("/media/play-mutes-bridge", test_play_mutes_bridge);
	g_test_add_func("/media/echo", test_echo);
	g_test_add_func("/media/record", test_record);
	g_test_add_func("/media/tone", test_tone);
	g_test_add_func("/media/coming-and-going", test_coming_and_going);
	g_test_add_func("/media/speech-is-told", test_speech_is_told);
	g_test_add_func("/media/configuration", test_configuration);
	return g_test_run();
}
