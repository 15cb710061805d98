/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* R1's multifrequency digits (ITU-T Q.320): SpanDSP's detector, and the tone of a digit. * is KP, # ST, A-C ST' to ST'''. */
#pragma once

#include <stdint.h>

#include "media/tone.h"

/** 0-9 * # A-C (a-c) to 0-14; -1: none. Any thread. */
int tl_mf_code(char digit);

/** How long @code sounds, in ms (ITU-T Q.321 2.4.2): KP 100, the others 70; a pause is 70, too. Any thread. */
unsigned tl_mf_on_ms(unsigned code);

/** Begins the tone of @code: -7 dBm0 each. Any thread, real-time safe. */
void tl_mf_tone(struct tl_oscillator *oscillator, unsigned code);

struct tl_mf_detector;
/** Thread: main. (transfer full) */
struct tl_mf_detector *tl_mf_detector_new(void);
void tl_mf_detector_free(struct tl_mf_detector *detector);

/** Hears @n linear samples (a block); a digit that began in them, or 0. Thread: tick, real-time safe. */
char tl_mf_detector_hear(struct tl_mf_detector *detector, const int16_t *samples, unsigned n);
