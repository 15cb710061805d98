/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "pattern.h"

#include <string.h>

static uint8_t mask_of(enum tl_pattern_direction direction, unsigned timeslot)
{
	return (uint8_t)(timeslot | (direction == TL_PATTERN_FROM_CARD ? 0x40 : 0x20));
}

/* x^15 + x^14 + 1: eight steps of the register that holds the last 15 bits. */
static uint16_t advance(uint16_t state)
{
	for (unsigned i = 0; i < 8; i++)
		state = (uint16_t)(state << 1 | ((state >> 14 ^ state >> 13) & 1));
	return state & 0x7fff;
}

void tl_pattern_init(struct tl_pattern *pattern, enum tl_pattern_direction direction, unsigned timeslot)
{
	pattern->mask = mask_of(direction, timeslot);
	pattern->state = (uint16_t)(0x1234 + 577 * timeslot);
}

uint8_t tl_pattern_next(struct tl_pattern *pattern)
{
	pattern->state = advance(pattern->state);
	return (uint8_t)(pattern->state ^ pattern->mask);
}

void tl_pattern_checker_init(struct tl_pattern_checker *checker, enum tl_pattern_direction direction,
			     unsigned timeslot)
{
	memset(checker, 0, sizeof(*checker));
	checker->mask = mask_of(direction, timeslot);
}

void tl_pattern_check(struct tl_pattern_checker *checker, uint8_t octet)
{
	const uint8_t expected = (uint8_t)advance(checker->state);
	const uint8_t bits = octet ^ checker->mask;

	checker->state = (uint16_t)((checker->state << 8 | bits) & 0x7fff);
	/* Fifteen zeros satisfy the recurrence for ever and are no pattern. */
	if (bits != expected || checker->state == 0) {
		checker->errors += checker->run >= TL_PATTERN_STEP || checker->errors;
		checker->run = 0;
		return;
	}
	checker->verified += checker->run >= TL_PATTERN_STEP;
	checker->run++;
}
