/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Octets by which a test recognises what it sent. */
#pragma once

#include <glib.h>
#include <stdint.h>

/** Octets of which no stretch comes twice within @n; the same for the same @seed (not 0). (transfer full) */
uint8_t *noise_new(size_t n, uint32_t seed);

/** Where @needle begins in @haystack; -1: nowhere. */
gssize noise_find(const uint8_t *haystack, size_t n_haystack, const uint8_t *needle, size_t n_needle);
