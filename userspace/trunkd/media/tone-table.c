/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What each country's tones are. Frequencies in Hz, times in ms, levels in dBm0
 * a frequency; facts of ITU-T E.180 supplement 2 and the national plans.
 */
#include "media/tone.h"

#include <glib.h>

/* Continuous tones repeat after a second: a whole number of periods of every frequency in Hz. */
#define CONTINUOUS(a, b) { .dbm0 = (b) ? -13 : -10, .segments = { { { a, b }, 1000 } } }
#define ON_OFF(a, b, on, off) { .dbm0 = (b) ? -13 : -10, .segments = { { { a, b }, on }, { { 0 }, off } } }
#define TWICE(a, b, on, off, on2, off2) \
	{ .dbm0 = (b) ? -13 : -10, .segments = { { { a, b }, on }, { { 0 }, off }, { { a, b }, on2 }, { { 0 }, off2 } } }
#define SIX(a, on, off, on2, off2, on3, off3) \
	{ .dbm0 = -10, .segments = { { { a }, on }, { { 0 }, off }, { { a }, on2 }, { { 0 }, off2 }, \
				     { { a }, on3 }, { { 0 }, off3 } } }
/* Three rising tones, once; E.180 7. */
#define RISING(a, b, c) \
	{ .dbm0 = -10, .once = true, .segments = { { { a }, 330 }, { { b }, 330 }, { { c }, 330 }, { { 0 }, 1000 } } }

struct country {
	const char *code; /* ISO 3166-1, small letters */
	struct tl_tone_plan tones[TL_TONE_KINDS];
};

/* The first row is what a country without an own value gets. */
static const struct country countries[] = {
	{ "itu", {
		[TL_TONE_DIAL] = CONTINUOUS(425, 0),
		[TL_TONE_RINGING] = ON_OFF(425, 0, 1000, 4000),
		[TL_TONE_BUSY] = ON_OFF(425, 0, 500, 500),
		[TL_TONE_CONGESTION] = ON_OFF(425, 0, 250, 250),
		[TL_TONE_CALL_WAITING] = TWICE(425, 0, 200, 600, 200, 3000),
		[TL_TONE_SPECIAL_INFORMATION] = RISING(950, 1400, 1800),
		[TL_TONE_BEEP] = { .dbm0 = -10, .once = true, .segments = { { { 1400 }, 200 } } },
		[TL_TONE_MILLIWATT] = { .dbm0 = 0, .segments = { { { 1000 }, 1000 } } },
	} },
	{ "at", {
		[TL_TONE_DIAL] = CONTINUOUS(420, 0),
		[TL_TONE_RINGING] = ON_OFF(420, 0, 1000, 5000),
		[TL_TONE_BUSY] = ON_OFF(420, 0, 400, 400),
		[TL_TONE_CONGESTION] = ON_OFF(420, 0, 200, 200),
		[TL_TONE_CALL_WAITING] = ON_OFF(420, 0, 40, 1950),
		[TL_TONE_SPECIAL_INFORMATION] = RISING(950, 1450, 1850),
	} },
	{ "br", {
		[TL_TONE_BUSY] = ON_OFF(425, 0, 250, 250),
		[TL_TONE_CONGESTION] = TWICE(425, 0, 250, 250, 750, 250),
		[TL_TONE_CALL_WAITING] = ON_OFF(425, 0, 50, 1000),
	} },
	{ "ch", {
		[TL_TONE_CONGESTION] = ON_OFF(425, 0, 200, 200),
		[TL_TONE_CALL_WAITING] = TWICE(425, 0, 200, 200, 200, 4000),
	} },
	{ "de", {
		[TL_TONE_BUSY] = ON_OFF(425, 0, 480, 480),
		[TL_TONE_CONGESTION] = ON_OFF(425, 0, 240, 240),
		[TL_TONE_CALL_WAITING] = TWICE(425, 0, 200, 200, 200, 5000),
	} },
	{ "es", {
		[TL_TONE_RINGING] = ON_OFF(425, 0, 1500, 3000),
		[TL_TONE_BUSY] = ON_OFF(425, 0, 200, 200),
		[TL_TONE_CONGESTION] = SIX(425, 200, 200, 200, 200, 200, 600),
		[TL_TONE_CALL_WAITING] = TWICE(425, 0, 175, 175, 175, 3500),
	} },
	{ "fr", {
		[TL_TONE_DIAL] = CONTINUOUS(440, 0),
		[TL_TONE_RINGING] = ON_OFF(440, 0, 1500, 3500),
		[TL_TONE_BUSY] = ON_OFF(440, 0, 500, 500),
		[TL_TONE_CONGESTION] = ON_OFF(440, 0, 250, 250),
		[TL_TONE_CALL_WAITING] = ON_OFF(440, 0, 300, 10000),
	} },
	{ "gb", {
		[TL_TONE_DIAL] = CONTINUOUS(350, 440),
		[TL_TONE_RINGING] = TWICE(400, 450, 400, 200, 400, 2000),
		[TL_TONE_BUSY] = ON_OFF(400, 0, 375, 375),
		[TL_TONE_CONGESTION] = TWICE(400, 0, 400, 350, 225, 525),
		[TL_TONE_CALL_WAITING] = ON_OFF(400, 0, 100, 4000),
	} },
	{ "it", {
		[TL_TONE_DIAL] = TWICE(425, 0, 200, 200, 600, 1000),
		[TL_TONE_CONGESTION] = ON_OFF(425, 0, 200, 200),
		[TL_TONE_CALL_WAITING] = SIX(425, 400, 100, 250, 100, 150, 14000),
	} },
	{ "mx", {
		[TL_TONE_BUSY] = ON_OFF(425, 0, 250, 250),
		[TL_TONE_CALL_WAITING] = TWICE(425, 0, 200, 600, 200, 10000),
	} },
	{ "nl", {
		[TL_TONE_CALL_WAITING] = ON_OFF(425, 0, 500, 9500),
	} },
	{ "us", {
		[TL_TONE_DIAL] = CONTINUOUS(350, 440),
		[TL_TONE_RINGING] = ON_OFF(440, 480, 2000, 4000),
		[TL_TONE_BUSY] = ON_OFF(480, 620, 500, 500),
		[TL_TONE_CONGESTION] = ON_OFF(480, 620, 250, 250),
		[TL_TONE_CALL_WAITING] = ON_OFF(440, 0, 300, 10000),
	} },
};

const struct tl_tone_plan *tl_tone_find(const char *country, enum tl_tone_kind tone)
{
	if ((unsigned)tone >= TL_TONE_KINDS)
		return NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(countries); i++) {
		if (g_ascii_strcasecmp(country, countries[i].code) != 0)
			continue;
		const struct tl_tone_plan *own = &countries[i].tones[tone];
		return own->segments[0].ms ? own : &countries[0].tones[tone];
	}
	return NULL;
}

bool tl_tone_has_country(const char *country)
{
	return tl_tone_find(country, TL_TONE_DIAL) != NULL;
}

char *tl_tone_countries(void)
{
	GString *all = g_string_new(NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(countries); i++)
		g_string_append_printf(all, "%s%s", i ? ", " : "", countries[i].code);
	return g_string_free(all, FALSE);
}
