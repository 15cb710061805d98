/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Opus in and out at 8 kHz: levels and SNR measured; loss with and without repetition; silence; packets that are none. */
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "media/opus-in.h"
#include "media/opus-out.h"

#define HZ 8000
#define FRAME 160                 /* 20 ms */
#define PACKETS 500               /* 10 s */
#define DEPTH 3                   /* packets that are there when one is played */
#define SETTLED (25 * FRAME)      /* half a second, until codec and filters have settled */

struct packet {
	size_t n;
	uint8_t octets[TL_OPUS_IN_OCTETS_MAX];
};

static const struct tl_opus_config plain = { .bit_rate = 24000, .complexity = 5 };

/* ---- what is said ---- */

static void say_tone(int16_t *samples, unsigned n, double hz, double amplitude)
{
	for (unsigned i = 0; i < n; i++)
		samples[i] = lrint(amplitude * sin(2 * M_PI * hz * i / HZ));
}

/* Something voiced, as a telephone lets it pass: harmonics above 300 Hz of a pitch that glides, loud and soft like syllables. */
static void say_voice(int16_t *samples, unsigned n)
{
	double phase = 0;
	for (unsigned i = 0; i < n; i++) {
		double t = (double)i / HZ, sum = 0;
		phase += 2 * M_PI * (130 + 20 * sin(2 * M_PI * 0.7 * t)) / HZ;
		for (unsigned k = 3; k <= 18; k++)
			sum += sin(k * phase) / k;
		samples[i] = lrint(8000 * (0.6 + 0.4 * sin(2 * M_PI * 3 * t)) * sum);
	}
}

/* ---- through the codec ---- */

static void encode(const struct tl_opus_config *config, bool fec, const int16_t *samples, struct packet *packets)
{
	struct tl_opus_out *out = tl_opus_out_new(config);
	tl_opus_out_expect(out, fec, 20);
	for (unsigned i = 0; i < PACKETS; i++)
		packets[i].n = tl_opus_out_encode(out, samples + i * FRAME, FRAME, packets[i].octets, sizeof packets[i].octets);
	tl_opus_out_free(out);
}

static bool never(unsigned i)
{
	return false;
}

/* Packets of which some are lost come DEPTH packets before they are played. Returns how many blocks had each fate. */
struct fates {
	unsigned n[TL_OPUS_QUIET + 1];
};

static struct fates decode(const struct packet *packets, bool (*is_lost)(unsigned i), int16_t *samples)
{
	struct tl_opus_in *in = tl_opus_in_new(120);
	struct fates fates = { 0 };
	for (unsigned i = 0; i < PACKETS + DEPTH; i++) {
		if (i < PACKETS && packets[i].n && !is_lost(i))
			tl_opus_in_keep(in, i * FRAME, packets[i].octets, packets[i].n,
					tl_opus_in_samples(packets[i].octets, packets[i].n));
		for (unsigned half = 0; i >= DEPTH && half < 2; half++) {
			uint32_t at = (i - DEPTH) * FRAME + half * TL_BLOCK_OCTETS;
			fates.n[tl_opus_in_block(in, at, samples + at)]++;
		}
	}
	tl_opus_in_free(in);
	return fates;
}

/* ---- what is heard ---- */

static double level_db(const int16_t *samples, unsigned n)
{
	double sum = 1e-9;
	for (unsigned i = 0; i < n; i++)
		sum += (double)samples[i] * samples[i];
	return 10 * log10(sum / n);
}

/* Of @heard against @said at the delay where they fit best, in dB; both of @n samples. */
static double snr_at(const int16_t *said, const int16_t *heard, unsigned n, unsigned delay)
{
	double signal = 0, noise = 1e-9;
	for (unsigned i = SETTLED; i < n - FRAME; i++) {
		double difference = (double)heard[i + delay] - said[i];
		signal += (double)said[i] * said[i];
		noise += difference * difference;
	}
	return 10 * log10(signal / noise);
}

static double snr_db(const int16_t *said, const int16_t *heard, unsigned n)
{
	double best = -100;
	for (unsigned delay = 0; delay < FRAME; delay++)
		best = MAX(best, snr_at(said, heard, n, delay));
	return best;
}

/* 10 ms without sound where there was some. */
static unsigned gaps(const int16_t *said, const int16_t *heard, unsigned n)
{
	unsigned count = 0;
	for (unsigned at = SETTLED; at + 2 * FRAME < n; at += TL_BLOCK_OCTETS)
		count += level_db(said + at, FRAME) > 40 && level_db(heard + at + 52, TL_BLOCK_OCTETS) < 20;
	return count;
}

struct sound {
	int16_t said[PACKETS * FRAME], heard[PACKETS * FRAME];
	struct packet packets[PACKETS];
};

static void test_levels(void)
{
	static const double tones[] = { 400, 1000, 2400 }, amplitudes[] = { 300, 3000, 20000 };
	struct sound *sound = g_new(struct sound, 1);
	for (unsigned t = 0; t < G_N_ELEMENTS(tones); t++)
		for (unsigned a = 0; a < G_N_ELEMENTS(amplitudes); a++) {
			say_tone(sound->said, PACKETS * FRAME, tones[t], amplitudes[a]);
			encode(&plain, true, sound->said, sound->packets);
			struct fates fates = decode(sound->packets, never, sound->heard);
			double change = level_db(sound->heard + SETTLED, 60 * FRAME) - level_db(sound->said + SETTLED, 60 * FRAME);
			double snr = snr_db(sound->said, sound->heard, PACKETS * FRAME);
			g_test_message("%.0f Hz, amplitude %.0f: level %+.2f dB, SNR %.1f dB", tones[t], amplitudes[a], change, snr);
			g_assert_cmpuint(fates.n[TL_OPUS_HEARD], ==, 2 * PACKETS);
			g_assert_cmpfloat(fabs(change), <, 1);
			g_assert_cmpfloat(snr, >, 12);
		}
	g_free(sound);
}

static bool each_tenth(unsigned i)
{
	return i % 10 == 5;
}

static bool two_in_a_row(unsigned i)
{
	return i % 20 == 5 || i % 20 == 6;
}

static double snr_under(struct sound *sound, bool fec, bool (*is_lost)(unsigned i), struct fates *fates)
{
	encode(&plain, fec, sound->said, sound->packets);
	*fates = decode(sound->packets, is_lost, sound->heard);
	g_assert_cmpuint(gaps(sound->said, sound->heard, PACKETS * FRAME), ==, 0);
	return snr_db(sound->said, sound->heard, PACKETS * FRAME);
}

/* A tenth of the packets is lost: what the next one repeats is better than what the decoder makes up, and nothing is mute. */
static void test_loss(void)
{
	struct sound *sound = g_new(struct sound, 1);
	struct fates whole, made_up, repeated, two;
	say_voice(sound->said, PACKETS * FRAME);
	double none = snr_under(sound, true, never, &whole), bare = snr_under(sound, false, each_tenth, &made_up),
	       fec = snr_under(sound, true, each_tenth, &repeated), rows = snr_under(sound, true, two_in_a_row, &two);
	g_test_message("voice: SNR %.1f dB; a tenth lost: %.1f dB made up, %.1f dB repeated; two in a row: %.1f dB", none, bare, fec, rows);
	g_assert_cmpuint(whole.n[TL_OPUS_HEARD], ==, 2 * PACKETS);
	g_assert_cmpuint(repeated.n[TL_OPUS_RECOVERED], ==, 2 * PACKETS / 10);
	g_assert_cmpuint(repeated.n[TL_OPUS_CONCEALED], ==, 0);
	g_assert_cmpuint(two.n[TL_OPUS_RECOVERED], ==, two.n[TL_OPUS_CONCEALED]); /* the second of two */
	g_assert_cmpfloat(none, >, 10);
	g_assert_cmpfloat(fec, >, bare + 2);
	g_free(sound);
}

/* Silence costs a packet now and then; what is heard then is not taken for loss; speech after it is there at once. */
static void test_silence(void)
{
	const struct tl_opus_config config = { .bit_rate = 24000, .complexity = 5, .dtx = true };
	struct sound *sound = g_new0(struct sound, 1);
	unsigned sent = 0, from = PACKETS / 5, to = PACKETS * 4 / 5;
	say_voice(sound->said, PACKETS * FRAME);
	memset(sound->said + from * FRAME, 0, (to - from) * FRAME * sizeof *sound->said);
	encode(&config, true, sound->said, sound->packets);
	for (unsigned i = from; i < to; i++)
		sent += sound->packets[i].n > 0;
	struct fates fates = decode(sound->packets, never, sound->heard);
	double quiet = level_db(sound->heard + (from + 50) * FRAME, (to - from - 60) * FRAME);
	double speech = level_db(sound->heard + (to + 10) * FRAME, 50 * FRAME);
	g_test_message("silence: %u of %u packets, level %.0f dB; speech after it: %.0f dB; %u blocks quiet, %u concealed", sent, to - from,
		       quiet, speech, fates.n[TL_OPUS_QUIET], fates.n[TL_OPUS_CONCEALED]);
	g_assert_cmpuint(sent, <, (to - from) / 4);
	g_assert_cmpuint(fates.n[TL_OPUS_QUIET], >, to - from);
	g_assert_cmpuint(fates.n[TL_OPUS_CONCEALED], ==, 0);
	g_assert_cmpfloat(quiet, <, 20);
	g_assert_cmpfloat(fabs(speech - level_db(sound->said + (to + 10) * FRAME, 50 * FRAME)), <, 3);
	g_free(sound);
}

/* An RTP timestamp of 48 kHz wraps once a day: nothing is heard of it. And a stream that begins anew elsewhere runs on. */
static void test_time(void)
{
	struct tl_opus_in *in = tl_opus_in_new(120);
	uint32_t timestamp = 0u - 50 * 960, before = tl_opus_in_time(in, timestamp);
	for (unsigned i = 0; i < 100; i++) {
		timestamp += 960;
		uint32_t now = tl_opus_in_time(in, timestamp);
		g_assert_cmpuint(now - before, ==, FRAME);
		g_assert_cmpuint(now - tl_opus_in_time(in, timestamp - 1920), ==, 2 * FRAME);
		before = now;
	}
	uint32_t other = tl_opus_in_time(in, timestamp - 0x40000001);
	for (unsigned i = 1; i < 100; i++)
		g_assert_cmpuint(tl_opus_in_time(in, timestamp - 0x40000001 + i * 960) - other, ==, i * FRAME);
	tl_opus_in_free(in);
}

static void test_refusals(void)
{
	static const uint8_t silk_20[] = { 1 << 3, 0 }, silk_60[] = { 3 << 3, 0 }, celt_2_5[] = { 16 << 3, 0 };
	static const uint8_t code_3_of_none[] = { 3, 0 }, twice_60[] = { 3 << 3 | 1, 0, 0 };
	uint8_t large[TL_OPUS_IN_OCTETS_MAX + 1] = { 1 << 3 };
	g_assert_cmpint(tl_opus_in_samples(silk_20, 2), ==, 160);
	g_assert_cmpint(tl_opus_in_samples(silk_60, 2), ==, 480);
	g_assert_cmpint(tl_opus_in_samples(celt_2_5, 2), ==, -EBADMSG);
	g_assert_cmpint(tl_opus_in_samples(code_3_of_none, 2), ==, -EBADMSG);
	g_assert_cmpint(tl_opus_in_samples(twice_60, 3), ==, -EBADMSG);
	g_assert_cmpint(tl_opus_in_samples(large, sizeof large), ==, -EBADMSG);
	g_assert_cmpint(tl_opus_in_samples(large, 0), ==, -EBADMSG);
	g_assert_cmpuint(tl_opus_out_packet_ms(30), ==, 20);
	g_assert_cmpuint(tl_opus_out_packet_ms(50), ==, 40);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/opus/levels", test_levels);
	g_test_add_func("/opus/loss", test_loss);
	g_test_add_func("/opus/silence", test_silence);
	g_test_add_func("/opus/time", test_time);
	g_test_add_func("/opus/refusals", test_refusals);
	return g_test_run();
}
