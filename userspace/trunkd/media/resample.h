/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Linear samples of any rate to 8 kHz, by a windowed-sinc filter. Allocates; for workers, not for the tick. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Samples that @n ones of @rate_hz become at 8 kHz. */
size_t tl_resample_length(unsigned rate_hz, size_t n);

/** Fills @out (tl_resample_length() samples) from @n samples of @rate_hz (4000-192000). */
void tl_resample(unsigned rate_hz, const int16_t *in, size_t n, int16_t *out);
