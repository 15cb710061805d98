/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * ITU-T G.711: octets of either law to and from 16-bit linear, and from law to
 * law. A sine of amplitude 32768 has 3.14 dBm0 in A-law, one of 32636 3.17 dBm0
 * in mu-law.
 * All functions are pure and real-time safe; any thread. @n is in samples.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "line/line.h"

/** Octets to linear. */
void tl_g711_decode(enum tl_law law, const uint8_t *octets, int16_t *samples, size_t n);

/** Linear to octets. */
void tl_g711_encode(enum tl_law law, const int16_t *samples, uint8_t *octets, size_t n);

/** Octets of @from to octets of @to by tables 3 and 4 of G.711; the same law is copied. @out may be @in. */
void tl_g711_convert(enum tl_law from, enum tl_law to, const uint8_t *in, uint8_t *out, size_t n);
