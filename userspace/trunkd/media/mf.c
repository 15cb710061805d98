/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/mf.h"

#include <glib.h>
#include <spandsp.h>
#include <string.h>

static const char digits[] = "0123456789*#ABC";
#define KP 10

/* Both frequencies of each code, ITU-T Q.320 table 1. */
static const unsigned hz[15][2] = {
	{ 1300, 1500 }, { 700, 900 },   { 700, 1100 },  { 900, 1100 },  { 700, 1300 },
	{ 900, 1300 },  { 1100, 1300 }, { 700, 1500 },  { 900, 1500 },  { 1100, 1500 },
	{ 1100, 1700 }, { 1500, 1700 }, { 900, 1700 },  { 1300, 1700 }, { 700, 1700 },
};

int tl_mf_code(char digit)
{
	const char *at = digit ? strchr(digits, g_ascii_toupper(digit)) : NULL;
	return at ? at - digits : -1;
}

unsigned tl_mf_on_ms(unsigned code)
{
	return code == KP ? 100 : 70;
}

void tl_mf_tone(struct tl_oscillator *oscillator, unsigned code)
{
	static const int dbm0[2] = { -7, -7 };
	tl_oscillator_start(oscillator, hz[code], dbm0);
}

struct tl_mf_detector {
	bell_mf_rx_state_t *rx;
};

struct tl_mf_detector *tl_mf_detector_new(void)
{
	struct tl_mf_detector *detector = g_new0(struct tl_mf_detector, 1);
	detector->rx = bell_mf_rx_init(NULL, NULL, NULL);
	return detector;
}

void tl_mf_detector_free(struct tl_mf_detector *detector)
{
	if (!detector)
		return;
	bell_mf_rx_free(detector->rx);
	g_free(detector);
}

char tl_mf_detector_hear(struct tl_mf_detector *detector, const int16_t *samples, unsigned n)
{
	char heard[2] = "";
	bell_mf_rx(detector->rx, samples, n);
	bell_mf_rx_get(detector->rx, heard, 1);
	return heard[0];
}
