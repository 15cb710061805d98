/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "noise.h"

#include <string.h>

uint8_t *noise_new(size_t n, uint32_t seed)
{
	uint8_t *octets = g_malloc(n);
	for (size_t i = 0; i < n; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		octets[i] = seed >> 11;
	}
	return octets;
}

gssize noise_find(const uint8_t *haystack, size_t n_haystack, const uint8_t *needle, size_t n_needle)
{
	const uint8_t *at = n_haystack < n_needle ? NULL : memmem(haystack, n_haystack, needle, n_needle);
	return at ? at - haystack : -1;
}
