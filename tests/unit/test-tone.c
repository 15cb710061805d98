/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Call-progress tones: what comes out is measured, frequency by frequency and edge by edge. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "media/g711.h"
#include "media/sound.h"
#include "media/tone.h"

/* A sine that just reaches the last decision value has 3.14 dBm0 (A-law, 32768; G.711 1); mu-law: 3.17, 32636. */
#define FULL_SCALE_DBM0 3.14
#define FULL_SCALE 32768.0

/* Level of @hz in @n samples, dBm0 (Goertzel's sum, written out). */
static double level_dbm0(const int16_t *samples, unsigned n, double hz)
{
	double re = 0, im = 0;
	for (unsigned i = 0; i < n; i++) {
		re += samples[i] * cos(2 * M_PI * hz * i / 8000);
		im += samples[i] * sin(2 * M_PI * hz * i / 8000);
	}
	double amplitude = 2 * sqrt(re * re + im * im) / n;
	return 20 * log10(amplitude / FULL_SCALE + 1e-9) + FULL_SCALE_DBM0;
}

static int16_t *rendered(const struct tl_tone_plan *plan, size_t *n)
{
	struct tl_sound *sound = tl_tone_render(plan);
	const uint8_t *octets = tl_sound_octets(sound, TL_LAW_ULAW, n);
	int16_t *samples = g_new(int16_t, *n);
	tl_g711_decode(TL_LAW_ULAW, octets, samples, *n);
	tl_sound_unref(sound);
	return samples;
}

/* Each segment holds its frequencies at their level and nothing 60 Hz beside them; silence is silence. */
static void measure_segment(const struct tl_tone_plan *plan, const struct tl_tone_segment *segment,
			    const int16_t *samples)
{
	unsigned n = segment->ms * 8;
	if (!segment->hz[0]) {
		for (unsigned i = 0; i < n; i++)
			g_assert_cmpint(samples[i], ==, 0);
		return;
	}
	if (segment->modulated)
		return;
	unsigned window = n >= 800 ? n - n % 800 : n; /* 100 ms: 10 Hz apart is orthogonal */
	for (unsigned i = 0; i < 2 && segment->hz[i]; i++) {
		g_assert_cmpfloat_with_epsilon(level_dbm0(samples, window, segment->hz[i]), plan->dbm0, 0.6);
		if (window >= 800 && !segment->hz[1])
			g_assert_cmpfloat(level_dbm0(samples, window, segment->hz[i] + 60), <, plan->dbm0 - 15);
	}
	/* Sounding to the last 5 ms: the edge is where the cadence says. */
	int peak = 0;
	for (unsigned i = n - 40; i < n; i++)
		peak = MAX(peak, ABS(samples[i]));
	g_assert_cmpint(peak, >, 1000);
}

static void test_every_tone(void)
{
	g_autofree char *all = tl_tone_countries();
	g_auto(GStrv) countries = g_strsplit(all, ", ", -1);
	g_assert_cmpuint(g_strv_length(countries), >, 40);
	for (unsigned c = 0; countries[c]; c++) {
		for (unsigned kind = 0; kind < TL_TONE_KINDS; kind++) {
			const struct tl_tone_plan *plan = tl_tone_find(countries[c], kind);
			g_assert_nonnull(plan);
			size_t n, at = 0;
			g_autofree int16_t *samples = rendered(plan, &n);
			for (unsigned i = 0; i < TL_TONE_SEGMENTS_MAX && plan->segments[i].ms; i++) {
				measure_segment(plan, &plan->segments[i], samples + at);
				at += plan->segments[i].ms * 8;
			}
			g_assert_cmpuint(at, ==, n);
		}
	}
}

/* libtonezone's notation, and what is none. */
static void test_notation(void)
{
	struct tl_tone_plan plan;
	g_assert_true(tl_tone_read("!350+440/100,!0/100,350+440", &plan));
	g_assert_false(plan.once);
	g_assert_cmpuint(plan.segments[0].ms, ==, 1000);
	g_assert_cmpuint(plan.segments[1].ms, ==, 0);
	g_assert_true(tl_tone_read("!425/200,!0/5000,425/200,0", &plan));
	g_assert_true(plan.once);
	g_assert_cmpuint(plan.segments[1].ms, ==, 5000);
	g_assert_cmpuint(plan.segments[2].ms, ==, 200);
	g_assert_true(tl_tone_read("400*25/400,0/200", &plan));
	g_assert_true(plan.segments[0].modulated);
	static const char *const bad[] = { "", "0", "x", "425/", "425/100,", "425/100;", "9000/100", "425/99999999999", "425+/100", "+425" };
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(tl_tone_read(bad[i], &plan));
}

/* Facts that a subscriber would notice, not read from the table's own rows. */
static void test_known_cadences(void)
{
	const struct tl_tone_plan *plan = tl_tone_find("de", TL_TONE_RINGING);
	g_assert_cmpuint(plan->segments[0].hz[0], ==, 425);
	g_assert_cmpuint(plan->segments[0].ms, ==, 1000);
	g_assert_cmpuint(plan->segments[1].ms, ==, 4000);
	plan = tl_tone_find("US", TL_TONE_BUSY);
	g_assert_cmpuint(plan->segments[0].hz[0], ==, 480);
	g_assert_cmpuint(plan->segments[0].hz[1], ==, 620);
	g_assert_cmpuint(plan->segments[0].ms, ==, 500);
	plan = tl_tone_find("gb", TL_TONE_RINGING);
	g_assert_cmpuint(plan->segments[2].ms, ==, 400);
	g_assert_cmpuint(plan->segments[3].ms, ==, 2000);
	g_assert_null(tl_tone_find("zz", TL_TONE_DIAL));
	g_assert_null(tl_tone_find("de", TL_TONE_KINDS));
}

/* A continuous tone that is repeated has no click: its end leads into its beginning. */
static void test_seamless(void)
{
	const struct tl_tone_plan *plan = tl_tone_find("gb", TL_TONE_DIAL);
	size_t n;
	g_autofree int16_t *samples = rendered(plan, &n);
	g_autofree int16_t *twice = g_new(int16_t, 1600);
	memcpy(twice, samples + n - 800, 1600);
	memcpy(twice + 800, samples, 1600);
	g_assert_cmpfloat_with_epsilon(level_dbm0(twice, 1600, 350), -13, 0.3);
	g_assert_cmpfloat_with_epsilon(level_dbm0(twice, 1600, 440), -13, 0.3);
	g_assert_cmpfloat(level_dbm0(twice, 1600, 395), <, -45);
}

static void test_milliwatt(void)
{
	struct tl_sound *sound = tl_tone_milliwatt();
	for (enum tl_law law = TL_LAW_ALAW; law <= TL_LAW_ULAW; law++) {
		size_t n;
		int16_t samples[8];
		tl_g711_decode(law, tl_sound_octets(sound, law, &n), samples, 8);
		g_assert_cmpuint(n, ==, 8);
		g_assert_cmpfloat_with_epsilon(level_dbm0(samples, 8, 1000), 0, 0.08);
	}
	tl_sound_unref(sound);
}

static void test_names(void)
{
	enum tl_tone_kind kind = TL_TONE_BEEP;
	g_assert_true(tl_tone_parse("ringing", &kind));
	g_assert_cmpint(kind, ==, TL_TONE_RINGING);
	g_assert_true(tl_tone_parse("special-information", &kind));
	g_assert_cmpint(kind, ==, TL_TONE_SPECIAL_INFORMATION);
	g_assert_false(tl_tone_parse("tooth", &kind));
	g_assert_false(tl_tone_parse(NULL, &kind));
	g_assert_cmpint(kind, ==, TL_TONE_SPECIAL_INFORMATION);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tone/every-tone", test_every_tone);
	g_test_add_func("/tone/notation", test_notation);
	g_test_add_func("/tone/known-cadences", test_known_cadences);
	g_test_add_func("/tone/seamless", test_seamless);
	g_test_add_func("/tone/milliwatt", test_milliwatt);
	g_test_add_func("/tone/names", test_names);
	return g_test_run();
}
