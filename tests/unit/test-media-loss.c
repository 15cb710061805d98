/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A browser over a bad network, and a timeslot that hears it: packets are lost, come late and out of order, in line time,
 * so that runs are alike. What is heard is measured: gaps, and SNR against what was said.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-browser.h"
#include "media-rig.h"
#include "media/g711.h"
#include "media/opus-out.h"
#include "media/rtp.h"

#define PACKETS 800               /* 16 s */
#define FRAME 160
#define SAMPLES (PACKETS * FRAME)
#define JITTER_TICKS_MAX 4        /* 40 ms */
#define SETTLED_S 8               /* by then the playout depth is what the network asks for */
#define DELAY_MAX 2000            /* from a sample said to the same heard: packet, playout depth, codec */
#define OPUS 111
#define SLOT 5

struct network {
	const char *name;
	bool opus;
	unsigned lost_percent, jitter_ticks;
};

struct line {
	struct rig rig;
	struct rig_log log;
	struct fake_browser browser;
	struct tl_port *port, *slot;
	struct tl_bridge *bridge;
	int mirror;               /* a socket that is its own far end */
};

struct result {
	double snr_db;            /* of whole seconds, the median */
	unsigned gaps, lost;
	struct tl_port_counters counters;
};

/* ---- a call ---- */

static int mirror_new(void)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t length = sizeof own;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(inet_pton(AF_INET, own_host(), &own.sin_addr), ==, 1);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&own, &length), ==, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
	return fd;
}

/* What was sent before has arrived: a busy kernel hands even loopback's packets over when it comes to it, in their order. */
static void await_arrival(const struct line *line)
{
	char octet = 0;
	g_assert_cmpint(send(line->mirror, &octet, 1, 0), ==, 1);
	g_assert_cmpint(recv(line->mirror, &octet, 1, 0), ==, 1);
}

static void step(struct line *line)
{
	await_arrival(line);
	rig_step(&line->rig, 1);
	fake_browser_pump(&line->browser);
}

static void begin(struct line *line, bool opus)
{
	static const char *addresses[] = { NULL, NULL };
	struct tl_transport_side answer;
	GError *error = NULL;
	*line = (struct line){ .mirror = mirror_new() };
	addresses[0] = own_host();
	rig_init_browsers(&line->rig, &(struct tl_browser_config){ .port = 40000 + getpid() % 20000, .addresses = addresses });
	fake_browser_init(&line->browser, own_host());
	struct tl_fingerprint peer = fake_browser_fingerprint(&line->browser);
	line->port = tl_port_new_browser(line->rig.media, TL_LAW_ALAW, &line->log, &error);
	g_assert_no_error(error);
	tl_port_connect_browser(line->port, &peer, &answer, &error);
	g_assert_no_error(error);
	tl_port_set_remote(line->port, &(struct tl_rtp_side){ .law = TL_LAW_ALAW, .dtmf_payload_type = -1, .ptime_ms = 20, .sends = true,
							      .receives = true, .opus_payload_type = opus ? OPUS : 0, .opus_fec = true });
	fake_browser_aim(&line->browser, &answer, 0, true);
	for (unsigned i = 0; !line->log.links[TL_LINK_UP] || !line->browser.send; i++) {
		g_assert_cmpuint(i, <, 5000);
		if (i % 50 == 0)
			fake_browser_check(&line->browser, true);
		step(line);
	}
	line->slot = tl_port_new_timeslot(line->rig.media, line->rig.e1, SLOT, NULL);
	line->bridge = tl_bridge_new(line->rig.media, TL_BRIDGE_VOICE);
	g_assert_cmpint(tl_bridge_add(line->bridge, line->slot), ==, 0);
	g_assert_cmpint(tl_bridge_add(line->bridge, line->port), ==, 0);
	step(line);
}

static void end(struct line *line)
{
	tl_bridge_free(line->bridge);
	tl_port_free(line->slot);
	tl_port_free(line->port);
	rig_done(&line->rig);
	fake_browser_done(&line->browser);
	close(line->mirror);
}

/* ---- what is said ---- */

/* Something voiced, as a telephone lets it pass. */
static int16_t *voice_new(void)
{
	int16_t *samples = g_new(int16_t, SAMPLES);
	double phase = 0;
	for (unsigned i = 0; i < SAMPLES; i++) {
		double t = i / 8000.0, sum = 0;
		phase += 2 * M_PI * (130 + 20 * sin(2 * M_PI * 0.7 * t)) / 8000;
		for (unsigned k = 3; k <= 18; k++)
			sum += sin(k * phase) / k;
		samples[i] = lrint(8000 * (0.6 + 0.4 * sin(2 * M_PI * 3 * t)) * sum);
	}
	return samples;
}

struct speech {
	size_t n[PACKETS];
	uint8_t octets[PACKETS][400];
};

static struct speech *speech_new(const int16_t *samples, bool opus)
{
	struct speech *speech = g_new(struct speech, 1);
	struct tl_opus_out *out = tl_opus_out_new(&(struct tl_opus_config){ .bit_rate = 24000, .complexity = 5 });
	tl_opus_out_expect(out, true, 10);
	for (unsigned i = 0; i < PACKETS; i++) {
		const int16_t *from = samples + i * FRAME;
		if (!opus)
			tl_g711_encode(TL_LAW_ALAW, from, speech->octets[i], FRAME);
		speech->n[i] = opus ? tl_opus_out_encode(out, from, FRAME, speech->octets[i], sizeof speech->octets[i]) : FRAME;
	}
	tl_opus_out_free(out);
	return speech;
}

static void say_packet(struct line *line, const struct speech *speech, const struct network *network, unsigned i)
{
	line->browser.sequence = 1000 + i;
	uint32_t timestamp = 7000 + i * FRAME;
	fake_browser_say(&line->browser, network->opus ? OPUS : TL_RTP_PAYLOAD_PCMA, network->opus ? timestamp * 6 : timestamp,
			 speech->octets[i], speech->n[i]);
}

/* Each packet is sent in its own tick and comes up to JITTER_TICKS_MAX later, or never. Returns how many never came. */
static unsigned say(struct line *line, const struct speech *speech, const struct network *network)
{
	g_autoptr(GRand) chance = g_rand_new_with_seed(6);
	unsigned due[PACKETS], lost = 0;
	for (unsigned i = 0; i < PACKETS; i++) {
		bool is_lost = (unsigned)g_rand_int_range(chance, 0, 100) < network->lost_percent && i < PACKETS - 10;
		due[i] = is_lost ? UINT_MAX : 2 * i + g_rand_int_range(chance, 0, network->jitter_ticks + 1);
		lost += is_lost;
	}
	for (unsigned tick = 0; tick < 2 * PACKETS + JITTER_TICKS_MAX; tick++) {
		for (unsigned i = tick / 2 > JITTER_TICKS_MAX ? tick / 2 - JITTER_TICKS_MAX : 0; i < PACKETS && i <= tick / 2; i++)
			if (due[i] == tick)
				say_packet(line, speech, network, i);
		step(line);
	}
	return lost;
}

/* ---- what is heard ---- */

static double level_db(const int16_t *samples, unsigned n)
{
	double sum = 1e-9;
	for (unsigned i = 0; i < n; i++)
		sum += (double)samples[i] * samples[i];
	return 10 * log10(sum / n);
}

static double snr_at(const int16_t *said, const int16_t *heard, unsigned n)
{
	double signal = 0, noise = 1e-9;
	for (unsigned i = 0; i < n; i++) {
		double difference = (double)heard[i] - said[i];
		signal += (double)said[i] * said[i];
		noise += difference * difference;
	}
	return 10 * log10(signal / noise);
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;
	return (one > two) - (one < two);
}

/* Second by second, each at the delay that fits it best. */
static double snr_db(const int16_t *said, const int16_t *heard)
{
	double seconds[PACKETS / 50];
	unsigned n = 0;
	for (unsigned at = SETTLED_S * 8000; at + 8000 + DELAY_MAX < SAMPLES; at += 8000) {
		double best = -100;
		for (unsigned delay = 0; delay < DELAY_MAX; delay++)
			if (snr_at(said + at, heard + at + delay, 800) > best - 3)
				best = MAX(best, snr_at(said + at, heard + at + delay, 8000));
		seconds[n++] = best;
	}
	qsort(seconds, n, sizeof *seconds, by_size);
	return seconds[n / 2];
}

static unsigned gaps(const int16_t *heard)
{
	unsigned count = 0;
	for (unsigned at = SETTLED_S * 8000; at + 8000 < SAMPLES; at += TL_BLOCK_OCTETS)
		count += level_db(heard + at, TL_BLOCK_OCTETS) < 25; /* 30 dB below the softest that is said */
	return count;
}

static struct result call_over(const struct network *network)
{
	struct line line;
	struct result result;
	int16_t *said = voice_new(), *heard = g_new(int16_t, SAMPLES);
	struct speech *speech = speech_new(said, network->opus);
	begin(&line, network->opus);
	unsigned began = fake_span_done(line.rig.e1);
	result.lost = say(&line, speech, network);
	tl_g711_decode(TL_LAW_ALAW, fake_span_sent(line.rig.e1, SLOT) + began * TL_BLOCK_OCTETS, heard, SAMPLES);
	result.gaps = gaps(heard);
	result.snr_db = snr_db(said, heard);
	tl_port_counters(line.port, &result.counters);
	end(&line);
	g_test_message("%s: %u of %u lost, SNR %.1f dB, %u gaps; late %u, concealed blocks %u, depth %u ms", network->name, result.lost, PACKETS,
		       result.snr_db, result.gaps, (unsigned)result.counters.late, (unsigned)result.counters.concealed_blocks,
		       result.counters.depth_us / 1000);
	g_assert_cmpuint(result.counters.packets_received, ==, PACKETS - result.lost);
	g_assert_cmpuint(result.counters.lost, ==, result.lost);
	g_assert_cmpuint(result.counters.refused + result.counters.duplicate, ==, 0);
	g_free(speech);
	g_free(said);
	g_free(heard);
	return result;
}

/* While the depth adapts some packets come too late: not more than it takes to learn the jitter once. */
#define LATE_MAX 8

static void test_jitter(void)
{
	struct result result = call_over(&(struct network){ "G.711, 40 ms of jitter", .jitter_ticks = 4 });
	g_assert_cmpfloat(result.snr_db, >, 30); /* as it was said, but for A-law */
	g_assert_cmpuint(result.gaps, ==, 0);
	g_assert_cmpuint(result.counters.late, <=, LATE_MAX);
}

static void test_loss(void)
{
	struct result result = call_over(&(struct network){ "G.711, 5 % lost, 40 ms of jitter", .lost_percent = 5, .jitter_ticks = 4 });
	g_assert_cmpuint(result.lost, >, PACKETS / 30);
	g_assert_cmpfloat(result.snr_db, >, 9);
	g_assert_cmpuint(result.gaps, ==, 0);
	g_assert_cmpuint(result.counters.late, <=, LATE_MAX);
}

static void test_opus_clean(void)
{
	struct result result = call_over(&(struct network){ "Opus", .opus = true });
	g_assert_cmpfloat(result.snr_db, >, 9);
	g_assert_cmpuint(result.gaps, ==, 0);
	/* After the last packet; and while a machine stands still for a second, the clock makes ticks in the line's place. */
	g_assert_cmpuint(result.counters.concealed_blocks, <, PACKETS / 20);
}

static void test_opus_loss(void)
{
	struct result result = call_over(&(struct network){ "Opus, 5 % lost, 40 ms of jitter", true, .lost_percent = 5, .jitter_ticks = 4 });
	g_assert_cmpfloat(result.snr_db, >, 8);
	g_assert_cmpuint(result.gaps, ==, 0);
	g_assert_cmpuint(result.counters.late, <=, LATE_MAX);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-loss/jitter", test_jitter);
	g_test_add_func("/media-loss/loss", test_loss);
	g_test_add_func("/media-loss/opus-clean", test_opus_clean);
	g_test_add_func("/media-loss/opus-loss", test_opus_loss);
	return g_test_run();
}
