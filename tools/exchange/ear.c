/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Goertzel's filter over 40 ms: 25 Hz wide, enough to tell call-progress tones apart. */
#include "exchange.h"

#include <math.h>
#include <spandsp.h>
#include <string.h>

#define SILENCE_DBM0 -45.0
#define FULL_SCALE_DBM0 3.14 /* of a sine in A-law, ITU-T G.711 table 5 */

void ear_init(struct ear *ear, enum tl_law law, unsigned hz)
{
	memset(ear, 0, sizeof *ear);
	ear->law = law;
	ear->hz = hz;
}

static double to_dbm0(double mean_square)
{
	/* A full-scale sine has half the square of its peak. */
	return mean_square <= 0.5 ? -96.0 : FULL_SCALE_DBM0 + 10 * log10(mean_square / (32124.0 * 32124.0 / 2));
}

static double tone_mean_square(const struct ear *ear)
{
	double c = 2 * cos(2 * M_PI * ear->hz / 8000), s1 = 0, s2 = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(ear->samples); i++) {
		double s0 = ear->samples[i] + c * s1 - s2;
		s2 = s1;
		s1 = s0;
	}
	double power = s1 * s1 + s2 * s2 - c * s1 * s2, n = G_N_ELEMENTS(ear->samples);
	return 2 * power / (n * n);
}

static void judge(struct ear *ear)
{
	double sum = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(ear->samples); i++)
		sum += (double)ear->samples[i] * ear->samples[i];
	ear->level_dbm0 = to_dbm0(sum / G_N_ELEMENTS(ear->samples));
	bool heard = ear->level_dbm0 > SILENCE_DBM0;
	ear->heard_blocks = heard ? ear->heard_blocks + 1 : 0;
	ear->silent_blocks = heard ? 0 : ear->silent_blocks + 1;
	ear->tone_dbm0 = ear->hz ? to_dbm0(tone_mean_square(ear)) : -96;
	/* Most of what is heard is the tone. */
	ear->tone_blocks = heard && ear->hz && ear->tone_dbm0 > ear->level_dbm0 - 4 ? ear->tone_blocks + 1 : 0;
}

void ear_hear(struct ear *ear, const uint8_t block[TL_BLOCK_OCTETS])
{
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		ear->samples[ear->n_samples++] = ear->law == TL_LAW_ALAW ? alaw_to_linear(block[i]) : ulaw_to_linear(block[i]);
	if (ear->n_samples < G_N_ELEMENTS(ear->samples))
		return;
	judge(ear);
	ear->n_samples = 0;
}
