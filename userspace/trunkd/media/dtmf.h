/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* DTMF in the audio (ITU-T Q.23, Q.24): SpanDSP's detector, and the tone of a digit. Codes are RFC 4733's, 0-15. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tone.h"

/** A whole press. */
struct tl_dtmf_press {
	char digit;
	unsigned duration_ms;
};

/** 0-9 * # A-D (a-d) to 0-15; -1: none. Any thread. */
int tl_dtmf_code(char digit);
/** The inverse; @code 0-15. Any thread. */
char tl_dtmf_digit(unsigned code);

/** Begins the tone of @code: low group -10 dBm0, high group -8 dBm0. Any thread, real-time safe. */
void tl_dtmf_tone(struct tl_oscillator *oscillator, unsigned code);

struct tl_dtmf_detector;
/** Thread: main. (transfer full) */
struct tl_dtmf_detector *tl_dtmf_detector_new(void);
void tl_dtmf_detector_free(struct tl_dtmf_detector *detector);

/** Forgets what was heard: a press under way begins here. Thread: tick, real-time safe. */
void tl_dtmf_detector_restart(struct tl_dtmf_detector *detector);

/** Hears @n linear samples (a block); true when a press ended in them. Thread: tick, real-time safe. */
bool tl_dtmf_detector_hear(struct tl_dtmf_detector *detector, const int16_t *samples, unsigned n,
			   struct tl_dtmf_press *press);

/** Asks for the memory that the next tl_dtmf_detector_hear() reads. Thread: tick. */
void tl_dtmf_detector_ahead(const struct tl_dtmf_detector *detector);
