/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Pseudo-random bit sequences for error measurement (ITU-T O.150 5), octet by octet as a 64 kbit/s timeslot carries
 * them, the most significant bit first; a generator, and a checker that finds its place by itself. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** By the length of the shift register: 2^9-1, 2^11-1 (O.150 5.1, 5.2: O.152), 2^15-1 (5.3, inverted). */
enum tl_prbs_order { TL_PRBS_9 = 9, TL_PRBS_11 = 11, TL_PRBS_15 = 15 };

struct tl_prbs {
	enum tl_prbs_order order;
	uint32_t state; /* the last @order bits before inversion, the latest lowest; never 0 */
};

void tl_prbs_init(struct tl_prbs *prbs, enum tl_prbs_order order);
uint8_t tl_prbs_next(struct tl_prbs *prbs);

/** How many octets @from must go on to be where @to is, at most @most; -1 when it is further. */
int tl_prbs_distance(const struct tl_prbs *from, const struct tl_prbs *to, int most);

/** Octets of a look at the error ratio; a quarter of wrong bits in one means out of step. */
#define TL_PRBS_WINDOW_OCTETS 16

/** What has been received. Errors are counted while in step only; bits around a loss of step are no errors. */
struct tl_prbs_checker {
	struct tl_prbs prbs;
	bool in_step;
	uint64_t bits, errors;         /* in step */
	uint64_t losses;               /* of step, for whatever cause */
	uint64_t slips;                /* losses after which the sequence went on at another place nearby */
	int64_t slipped_octets;        /* their sum: + octets were lost, - octets were repeated */
	uint64_t out_octets;           /* out of step, the beginning included */
	/* inside */
	struct tl_prbs ghost;          /* where the sequence would be without the loss */
	bool has_ghost;
	unsigned run_bits;
	unsigned window_octets, window_errors;
	unsigned kept_bits, kept_errors; /* the window before: errors only if this one is not the end of the step */
};

void tl_prbs_checker_init(struct tl_prbs_checker *checker, enum tl_prbs_order order);
void tl_prbs_check(struct tl_prbs_checker *checker, uint8_t octet);
/** Counts what the last windows still hold back. At the end. */
void tl_prbs_checker_settle(struct tl_prbs_checker *checker);
