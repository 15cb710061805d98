/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/resample.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define RATE 8000
#define LOBES 16 /* of the sinc, each side */

/* The ratio is steps/phases in lowest terms: output m lies at input m * steps / phases, of which only phases
 * fractions occur, each with its own row of taps. */
struct filter {
	unsigned phases, steps, taps; /* taps: even, around the middle */
	float *rows;
};

static unsigned common_divisor(unsigned a, unsigned b)
{
	return b ? common_divisor(b, a % b) : a;
}

static double windowed_sinc(double x, double half_width)
{
	if (fabs(x) >= half_width)
		return 0;
	double window = 0.54 + 0.46 * cos(M_PI * x / half_width);
	return fabs(x) < 1e-9 ? 1 : window * sin(M_PI * x) / (M_PI * x);
}

static void fill_row(float *row, unsigned taps, double fraction, double cutoff)
{
	double sum = 0;
	for (unsigned i = 0; i < taps; i++) {
		double x = ((double)i - (taps / 2 - 1) - fraction) * cutoff;
		row[i] = windowed_sinc(x, LOBES);
		sum += row[i];
	}
	for (unsigned i = 0; i < taps; i++)
		row[i] /= sum; /* silence stays silence: the same gain in every phase */
}

static void filter_init(struct filter *filter, unsigned rate_hz)
{
	unsigned divisor = common_divisor(rate_hz, RATE);
	double cutoff = rate_hz > RATE ? (double)RATE / rate_hz * 0.95 : 1;
	filter->phases = RATE / divisor;
	filter->steps = rate_hz / divisor;
	filter->taps = 2 * (unsigned)ceil(LOBES / cutoff);
	filter->rows = g_new(float, (size_t)filter->phases * filter->taps);
	for (unsigned i = 0; i < filter->phases; i++)
		fill_row(filter->rows + (size_t)i * filter->taps, filter->taps, (double)i / filter->phases, cutoff);
}

size_t tl_resample_length(unsigned rate_hz, size_t n)
{
	return (uint64_t)n * RATE / rate_hz;
}

void tl_resample(unsigned rate_hz, const int16_t *in, size_t n, int16_t *out)
{
	if (rate_hz == RATE) {
		memcpy(out, in, n * sizeof *out);
		return;
	}
	struct filter filter;
	filter_init(&filter, rate_hz);
	size_t n_out = tl_resample_length(rate_hz, n);
	for (size_t m = 0; m < n_out; m++) {
		uint64_t at = (uint64_t)m * filter.steps;
		int64_t first = (int64_t)(at / filter.phases) - (filter.taps / 2 - 1);
		const float *row = filter.rows + at % filter.phases * filter.taps;
		float sum = 0;
		for (unsigned i = 0; i < filter.taps; i++)
			if (first + i >= 0 && (size_t)(first + i) < n)
				sum += row[i] * in[first + i];
		out[m] = CLAMP(lrintf(sum), INT16_MIN, INT16_MAX);
	}
	g_free(filter.rows);
}
