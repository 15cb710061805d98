/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/g711.h"

#include <string.h>

#include <spandsp.h>

#define ULAW_BIAS 132 /* 33 at 14 bits */
#define ALAW_INVERTED 0x55 /* even bits are inverted on the line */

/* Filled before main() runs, so that no thread can meet them half made. */
static int16_t linear[2][256];
static uint8_t converted[2][256]; /* by the law one comes from */

static int16_t ulaw_value(uint8_t octet)
{
	unsigned code = (uint8_t)~octet;
	int magnitude = ((((code & 0x0f) << 3) + ULAW_BIAS) << ((code >> 4) & 7)) - ULAW_BIAS;
	return code & 0x80 ? -magnitude : magnitude;
}

static int16_t alaw_value(uint8_t octet)
{
	unsigned code = octet ^ ALAW_INVERTED;
	unsigned segment = (code >> 4) & 7;
	int magnitude = ((code & 0x0f) << 4) + 8;
	if (segment)
		magnitude = (magnitude + 0x100) << (segment - 1);
	return code & 0x80 ? magnitude : -magnitude;
}

__attribute__((constructor)) static void fill_tables(void)
{
	for (unsigned i = 0; i < 256; i++) {
		linear[TL_LAW_ALAW][i] = alaw_value(i);
		linear[TL_LAW_ULAW][i] = ulaw_value(i);
		converted[TL_LAW_ALAW][i] = alaw_to_ulaw(i);
		converted[TL_LAW_ULAW][i] = ulaw_to_alaw(i);
	}
}

/* The segment is where the magnitude's top bit stands above bit 7. */
static unsigned segment_of(unsigned magnitude)
{
	return 24 - __builtin_clz(magnitude | 0xff);
}

static uint8_t ulaw_code(int sample)
{
	unsigned inverted = sample < 0 ? 0x7f : 0xff;
	unsigned magnitude = (sample < 0 ? -sample : sample) + ULAW_BIAS;
	unsigned segment = segment_of(magnitude);
	if (segment > 7)
		return 0x7f ^ inverted;
	return ((segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) ^ inverted;
}

static uint8_t alaw_code(int sample)
{
	unsigned inverted = ALAW_INVERTED | (sample < 0 ? 0 : 0x80);
	unsigned magnitude = sample < 0 ? ~sample : sample;
	unsigned segment = segment_of(magnitude);
	return ((segment << 4) | ((magnitude >> (segment ? segment + 3 : 4)) & 0x0f)) ^ inverted;
}

void tl_g711_decode(enum tl_law law, const uint8_t *octets, int16_t *samples, size_t n)
{
	const int16_t *values = linear[law];
	for (size_t i = 0; i < n; i++)
		samples[i] = values[octets[i]];
}

void tl_g711_encode(enum tl_law law, const int16_t *samples, uint8_t *octets, size_t n)
{
	if (law == TL_LAW_ALAW)
		for (size_t i = 0; i < n; i++)
			octets[i] = alaw_code(samples[i]);
	else
		for (size_t i = 0; i < n; i++)
			octets[i] = ulaw_code(samples[i]);
}

void tl_g711_convert(enum tl_law from, enum tl_law to, const uint8_t *in, uint8_t *out, size_t n)
{
	if (from == to) {
		memmove(out, in, n);
		return;
	}
	const uint8_t *codes = converted[from];
	for (size_t i = 0; i < n; i++)
		out[i] = codes[in[i]];
}
