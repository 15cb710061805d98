/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The tones by which a fax machine makes itself known (ITU-T T.30 4): SpanDSP's detectors of CNG and of CED. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

struct tl_fax_ear;
/** Thread: main. (transfer full) */
struct tl_fax_ear *tl_fax_ear_new(void);
void tl_fax_ear_free(struct tl_fax_ear *ear);

/** Hears @n linear samples (a block); true when a tone began in them. Thread: tick, real-time safe. */
bool tl_fax_ear_hear(struct tl_fax_ear *ear, const int16_t *samples, unsigned n, enum tl_fax_tone *tone);
