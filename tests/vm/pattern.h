/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Octets that a timeslot carries in the tests: a pseudo-random bit sequence of
 * 2^15-1 bits (ITU-T O.150 5.3), each octet masked with the timeslot's number
 * and direction. The checker follows by itself, wherever it starts, and takes
 * nothing for good that was lost, doubled, shifted, or sent in another timeslot
 * or the other way: no constant mask satisfies the sequence's recurrence.
 */
#pragma once

#include <stdint.h>

enum tl_pattern_direction { TL_PATTERN_TO_CARD, TL_PATTERN_FROM_CARD };

struct tl_pattern {
	uint16_t state;
	uint8_t mask;
};

struct tl_pattern_checker {
	uint16_t state;
	uint8_t mask;
	unsigned run;      /* good octets in a row; in step from TL_PATTERN_STEP on */
	uint64_t verified; /* good octets while in step */
	uint64_t errors;   /* bad octets once in step */
};

#define TL_PATTERN_STEP 16

void tl_pattern_init(struct tl_pattern *pattern, enum tl_pattern_direction direction, unsigned timeslot);
uint8_t tl_pattern_next(struct tl_pattern *pattern);

void tl_pattern_checker_init(struct tl_pattern_checker *checker, enum tl_pattern_direction direction,
			     unsigned timeslot);
void tl_pattern_check(struct tl_pattern_checker *checker, uint8_t octet);
