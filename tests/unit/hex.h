/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Octets of published test vectors, written as they are printed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Reads hexadecimal digits, blanks between them ignored, into @octets; returns how many octets. */
size_t hex_read(const char *text, uint8_t *octets, size_t capacity);

/** Asserts that the @n octets are those that @text says. */
void hex_assert(const uint8_t *octets, size_t n, const char *text);
