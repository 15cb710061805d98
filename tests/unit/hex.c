/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "hex.h"

#include <glib.h>

size_t hex_read(const char *text, uint8_t *octets, size_t capacity)
{
	size_t n_digits = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		g_assert_true(g_ascii_isxdigit(*text));
		g_assert_cmpuint(n_digits / 2, <, capacity);
		if (n_digits % 2)
			octets[n_digits / 2] = (uint8_t)(octets[n_digits / 2] << 4 | g_ascii_xdigit_value(*text));
		else
			octets[n_digits / 2] = (uint8_t)g_ascii_xdigit_value(*text);
		n_digits++;
	}
	g_assert_cmpuint(n_digits % 2, ==, 0);
	return n_digits / 2;
}

void hex_assert(const uint8_t *octets, size_t n, const char *text)
{
	uint8_t expected[4096];
	size_t n_expected = hex_read(text, expected, sizeof(expected));

	g_assert_cmpmem(octets, n, expected, n_expected);
}
