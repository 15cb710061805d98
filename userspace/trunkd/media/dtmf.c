/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/dtmf.h"

#include <glib.h>
#include <spandsp.h>
#include <string.h>

static const char digits[] = "0123456789*#ABCD"; /* RFC 4733 3.2 */

/* Row and column of each code, ITU-T Q.23. */
static const uint8_t places[16][2] = {
	{ 3, 1 }, { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 1, 2 }, { 2, 0 },
	{ 2, 1 }, { 2, 2 }, { 3, 0 }, { 3, 2 }, { 0, 3 }, { 1, 3 }, { 2, 3 }, { 3, 3 },
};
static const unsigned rows_hz[4] = { 697, 770, 852, 941 };
static const unsigned columns_hz[4] = { 1209, 1336, 1477, 1633 };

int tl_dtmf_code(char digit)
{
	const char *at = digit ? strchr(digits, g_ascii_toupper(digit)) : NULL;
	return at ? at - digits : -1;
}

char tl_dtmf_digit(unsigned code)
{
	g_assert(code < 16);
	return digits[code];
}

void tl_dtmf_tone(struct tl_oscillator *oscillator, unsigned code)
{
	static const int dbm0[2] = { -10, -8 };
	const unsigned hz[2] = { rows_hz[places[code][0]], columns_hz[places[code][1]] };
	tl_oscillator_start(oscillator, hz, dbm0);
}

#define STATE_OCTETS 320 /* of SpanDSP's state that a block touches */

struct tl_dtmf_detector {
	dtmf_rx_state_t *rx;
	uint64_t samples;       /* heard before this block */
	uint64_t began;         /* sample at which the present digit was confirmed */
	char present;
	bool ended;
	struct tl_dtmf_press press;
};

/* Both edges come equally late, so their distance is the press's length. */
static void on_edge(void *user, int code, int level, int delay)
{
	struct tl_dtmf_detector *detector = user;
	if (detector->present) {
		detector->press.digit = detector->present;
		detector->press.duration_ms = (detector->samples - detector->began) / 8;
		detector->ended = true;
	}
	detector->present = code;
	detector->began = detector->samples;
}

struct tl_dtmf_detector *tl_dtmf_detector_new(void)
{
	struct tl_dtmf_detector *detector = g_new0(struct tl_dtmf_detector, 1);
	tl_dtmf_detector_restart(detector);
	return detector;
}

void tl_dtmf_detector_restart(struct tl_dtmf_detector *detector)
{
	detector->rx = dtmf_rx_init(detector->rx, NULL, NULL); /* allocates the first time only */
	dtmf_rx_set_realtime_callback(detector->rx, on_edge, detector);
	detector->present = 0;
}

void tl_dtmf_detector_free(struct tl_dtmf_detector *detector)
{
	if (!detector)
		return;
	dtmf_rx_free(detector->rx);
	g_free(detector);
}

bool tl_dtmf_detector_hear(struct tl_dtmf_detector *detector, const int16_t *samples, unsigned n,
			   struct tl_dtmf_press *press)
{
	detector->ended = false;
	dtmf_rx(detector->rx, samples, n);
	detector->samples += n;
	if (detector->ended)
		*press = detector->press;
	return detector->ended;
}

void tl_dtmf_detector_ahead(const struct tl_dtmf_detector *detector)
{
	for (unsigned i = 0; i < STATE_OCTETS; i += 64)
		__builtin_prefetch((const char *)detector->rx + i);
}
