/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What each country's tones are: the zones of DAHDI's libtonezone, read from
 * its notation into plans. What a zone lacks sounds as ITU-T E.180 has it.
 */
#include "media/tone.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include <dahdi/tonezone.h>

#define ZONES_MAX 64
/* Continuous tones repeat after a second: a whole number of periods of every frequency in Hz. */
#define CONTINUOUS_MS 1000
#define MS_MAX 60000
#define HZ_MAX 3400
/* -10 dBm0 for a tone in all, so 3 dB less for each of two (ITU-T E.180). */
#define DBM0_ONE (-10)
#define DBM0_TWO (-13)

static const char *const itu[TL_TONE_KINDS] = {
	[TL_TONE_DIAL] = "425",
	[TL_TONE_RINGING] = "425/1000,0/4000",
	[TL_TONE_BUSY] = "425/500,0/500",
	[TL_TONE_CONGESTION] = "425/250,0/250",
	[TL_TONE_CALL_WAITING] = "425/200,0/600,425/200,0/3000",
	[TL_TONE_SPECIAL_INFORMATION] = "950/330,1400/330,1800/330,0/1000",
	[TL_TONE_BEEP] = "1400/200,0",
	[TL_TONE_MILLIWATT] = "1000",
};

/* libtonezone's numbers; -1: not a tone of countries. */
static const int zone_tone[TL_TONE_KINDS] = {
	[TL_TONE_DIAL] = DAHDI_TONE_DIALTONE,
	[TL_TONE_RINGING] = DAHDI_TONE_RINGTONE,
	[TL_TONE_BUSY] = DAHDI_TONE_BUSY,
	[TL_TONE_CONGESTION] = DAHDI_TONE_CONGESTION,
	[TL_TONE_CALL_WAITING] = DAHDI_TONE_CALLWAIT,
	[TL_TONE_SPECIAL_INFORMATION] = DAHDI_TONE_INFO,
	[TL_TONE_BEEP] = -1,
	[TL_TONE_MILLIWATT] = -1,
};

/* ---- the notation: [!]hz[+hz|*hz][/ms] between commas ---- */

/* 0 to @max; moves @at behind it. */
static bool read_number(const char **at, unsigned max, unsigned *number)
{
	char *end;
	unsigned long read = g_ascii_isdigit(**at) ? strtoul(*at, &end, 10) : max + 1UL;
	if (read > max)
		return false;
	*number = read;
	*at = end;
	return true;
}

/* "!": said once, before the rest is repeated. False when it is none of the notation. */
static bool read_segment(const char *text, struct tl_tone_segment *segment, bool *once)
{
	unsigned hz, second = 0, ms = 0;
	*once = *text == '!';
	text += *once;
	if (!read_number(&text, HZ_MAX, &hz))
		return false;
	bool modulated = *text == '*';
	if ((modulated || *text == '+') && (text++, !read_number(&text, HZ_MAX, &second) || !second))
		return false;
	if (*text == '/' && (text++, !read_number(&text, MS_MAX, &ms) || !ms))
		return false;
	*segment = (struct tl_tone_segment){ .hz = { hz, second }, .ms = ms, .modulated = modulated };
	return !*text;
}

bool tl_tone_read(const char *text, struct tl_tone_plan *plan)
{
	struct tl_tone_plan read = { .dbm0 = DBM0_ONE };
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	unsigned n = 0, repeated = 0; /* where what is repeated begins */
	for (unsigned i = 0; parts[i]; i++) {
		struct tl_tone_segment segment;
		bool once;
		if (n == TL_TONE_SEGMENTS_MAX || !read_segment(parts[i], &segment, &once))
			return false;
		if (!segment.ms && !segment.hz[0]) { /* silence for ever: all of it is said once */
			read.once = true;
			break;
		}
		segment.ms = segment.ms ? segment.ms : CONTINUOUS_MS;
		if (segment.hz[1] && !segment.modulated)
			read.dbm0 = DBM0_TWO;
		read.segments[n++] = segment;
		if (once)
			repeated = n;
	}
	if (repeated == n)
		read.once = true;
	if (!read.once) {
		memmove(read.segments, read.segments + repeated, (n - repeated) * sizeof read.segments[0]);
		memset(read.segments + n - repeated, 0, repeated * sizeof read.segments[0]);
	}
	if (!read.segments[0].ms)
		return false;
	*plan = read;
	return true;
}

/* ---- zones ---- */

/* Its zones' names are ISO 3166-1's, but for this one. */
static const char *code_of(const struct tone_zone *zone)
{
	return strcmp(zone->country, "uk") == 0 ? "gb" : zone->country;
}

static const struct tone_zone *find_zone(const char *country)
{
	for (unsigned i = 0; i < ZONES_MAX && builtin_zones[i].zone >= 0; i++)
		if (g_ascii_strcasecmp(country, code_of(&builtin_zones[i])) == 0)
			return &builtin_zones[i];
	return NULL;
}

static const char *notation(const struct tone_zone *zone, enum tl_tone_kind tone)
{
	for (unsigned i = 0; i < DAHDI_TONE_MAX; i++)
		if (zone_tone[tone] >= 0 && zone->tones[i].toneid == zone_tone[tone] && zone->tones[i].data[0])
			return zone->tones[i].data;
	return itu[tone];
}

const struct tl_tone_plan *tl_tone_find(const char *country, enum tl_tone_kind tone)
{
	static struct tl_tone_plan plans[ZONES_MAX][TL_TONE_KINDS];
	const struct tone_zone *zone = find_zone(country);
	if (!zone || (unsigned)tone >= TL_TONE_KINDS)
		return NULL;
	struct tl_tone_plan *plan = &plans[zone - builtin_zones][tone];
	if (!plan->segments[0].ms && !tl_tone_read(notation(zone, tone), plan))
		g_assert_true(tl_tone_read(itu[tone], plan));
	if (tone == TL_TONE_SPECIAL_INFORMATION)
		plan->once = true; /* an announcement follows it; ITU-T E.180 7 */
	return plan;
}

bool tl_tone_has_country(const char *country)
{
	return find_zone(country) != NULL;
}

char *tl_tone_countries(void)
{
	GString *all = g_string_new(NULL);
	for (unsigned i = 0; i < ZONES_MAX && builtin_zones[i].zone >= 0; i++)
		if (strlen(builtin_zones[i].country) == 2)
			g_string_append_printf(all, "%s%s", i ? ", " : "", code_of(&builtin_zones[i]));
	return g_string_free(all, FALSE);
}
