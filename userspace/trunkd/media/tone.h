/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Call-progress tones: an oscillator of two frequencies, and the plan of what
 * each country sounds like (ITU-T E.180, and libtonezone's zones).
 */
#pragma once

#include <stdint.h>

#include "media/media.h"

#define TL_TONE_SEGMENTS_MAX 24 /* libtonezone's longest has 18 */
#define TL_TONE_KINDS (TL_TONE_MILLIWATT + 1)

/** Two sines, phase-continuous. Plain value. */
struct tl_oscillator {
	uint32_t phase[2];
	int32_t rate[2];
	int16_t level[2];
};

/** Begins at phase zero; @hz 0: that one is silent. Levels per frequency. Any thread, real-time safe. */
void tl_oscillator_start(struct tl_oscillator *oscillator, const unsigned hz[2], const int dbm0[2]);

/** Writes @n linear samples of 8 kHz. Any thread, real-time safe. */
void tl_oscillator_fill(struct tl_oscillator *oscillator, int16_t *samples, unsigned n);

/** A piece of a cadence: both frequencies for a time; frequency 0: silent. */
struct tl_tone_segment {
	uint16_t hz[2];
	uint16_t ms;
	bool modulated; /* the second one moves the first one's amplitude */
};

/** A tone: its cadence, for ever or once. Whole periods of every frequency fit a repeated single segment. */
struct tl_tone_plan {
	int8_t dbm0;            /* per frequency */
	bool once;
	struct tl_tone_segment segments[TL_TONE_SEGMENTS_MAX]; /* up to the first of 0 ms */
};

/**
 * tl_tone_read - read libtonezone's notation: [!]hz[+hz|*hz][/ms] between commas; ! before what is not repeated.
 * False (@plan untouched) on anything else. Any thread.
 */
bool tl_tone_read(const char *text, struct tl_tone_plan *plan);

/** The plan of @country for @tone; its own, else ITU-T's. NULL: the country is unknown. Static. Thread: main. */
const struct tl_tone_plan *tl_tone_find(const char *country, enum tl_tone_kind tone);

/** One round of @plan, to be played in a loop unless once. (transfer full) Any thread that may allocate. */
struct tl_sound *tl_tone_render(const struct tl_tone_plan *plan);

/** The digital milliwatt, 1 kHz at 0 dBm0 (ITU-T G.711 tables 5 and 6): exact octets in each law. (transfer full) */
struct tl_sound *tl_tone_milliwatt(void);
