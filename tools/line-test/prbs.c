/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "prbs.h"

#define STEP_BITS 64           /* right in a row: in step; chance does it once in 2^64 tries */
#define LOST_OF_WINDOW 4       /* a 1/4 of wrong bits, where another place of the sequence has 1/2 */
#define SLIP_MOST_OCTETS 160   /* 20 ms: further away it is an interruption */

static uint32_t mask(const struct tl_prbs *prbs)
{
	return (1u << prbs->order) - 1;
}

/* The stage that is added to the last one. */
static unsigned tap(const struct tl_prbs *prbs)
{
	switch (prbs->order) {
	case TL_PRBS_9:
		return 5;
	case TL_PRBS_11:
		return 9;
	case TL_PRBS_15:
		return 14;
	}
	return 0;
}

static unsigned inverted(const struct tl_prbs *prbs)
{
	return prbs->order == TL_PRBS_15;
}

static unsigned predict(const struct tl_prbs *prbs)
{
	return (prbs->state >> (prbs->order - 1) ^ prbs->state >> (tap(prbs) - 1)) & 1;
}

static void shift_in(struct tl_prbs *prbs, unsigned bit)
{
	prbs->state = (prbs->state << 1 | bit) & mask(prbs);
}

void tl_prbs_init(struct tl_prbs *prbs, enum tl_prbs_order order)
{
	*prbs = (struct tl_prbs){ .order = order };
	prbs->state = mask(prbs);
}

uint8_t tl_prbs_next(struct tl_prbs *prbs)
{
	uint8_t octet = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned bit = predict(prbs);

		shift_in(prbs, bit);
		octet = (uint8_t)(octet << 1 | (bit ^ inverted(prbs)));
	}
	return octet;
}

int tl_prbs_distance(const struct tl_prbs *from, const struct tl_prbs *to, int most)
{
	struct tl_prbs at = *from;

	for (int octets = 0; octets <= most; octets++) {
		if (at.state == to->state)
			return octets;
		tl_prbs_next(&at);
	}
	return -1;
}

void tl_prbs_checker_init(struct tl_prbs_checker *checker, enum tl_prbs_order order)
{
	*checker = (struct tl_prbs_checker){ 0 };
	tl_prbs_init(&checker->prbs, order);
}

static void note_slip(struct tl_prbs_checker *checker)
{
	int lost = tl_prbs_distance(&checker->ghost, &checker->prbs, SLIP_MOST_OCTETS);
	int repeated = lost < 0 ? tl_prbs_distance(&checker->prbs, &checker->ghost, SLIP_MOST_OCTETS) : 0;

	if (lost == 0 || repeated < 0)
		return;
	checker->slips++;
	checker->slipped_octets += lost > 0 ? lost : -repeated;
}

/* The register is filled with what comes: once it foretells the next bits, it is in step. */
static void seek(struct tl_prbs_checker *checker, uint8_t octet)
{
	struct tl_prbs *prbs = &checker->prbs;

	for (int i = 7; i >= 0; i--) {
		unsigned bit = (octet >> i & 1) ^ inverted(prbs);

		checker->run_bits = bit == predict(prbs) ? checker->run_bits + 1 : 0;
		shift_in(prbs, bit);
	}
	checker->out_octets++;
	if (checker->has_ghost)
		tl_prbs_next(&checker->ghost);
	/* A line that stands still at nought obeys the recurrence, too. */
	if (checker->run_bits < STEP_BITS || !prbs->state)
		return;
	checker->in_step = true;
	checker->window_octets = checker->window_errors = checker->kept_bits = checker->kept_errors = 0;
	if (checker->has_ghost)
		note_slip(checker);
}

static void lose_step(struct tl_prbs_checker *checker)
{
	checker->in_step = false;
	checker->losses++;
	checker->run_bits = 0;
	checker->ghost = checker->prbs;
	checker->has_ghost = true;
	checker->out_octets += checker->window_octets + checker->kept_bits / 8;
	checker->window_octets = checker->window_errors = checker->kept_bits = checker->kept_errors = 0;
}

static void keep_window(struct tl_prbs_checker *checker)
{
	checker->bits += checker->kept_bits;
	checker->errors += checker->kept_errors;
	checker->kept_bits = checker->window_octets * 8;
	checker->kept_errors = checker->window_errors;
	checker->window_octets = checker->window_errors = 0;
}

void tl_prbs_check(struct tl_prbs_checker *checker, uint8_t octet)
{
	if (!checker->in_step) {
		seek(checker, octet);
		return;
	}
	checker->window_errors += (unsigned)__builtin_popcount(octet ^ tl_prbs_next(&checker->prbs));
	checker->window_octets++;
	if (checker->window_errors >= TL_PRBS_WINDOW_OCTETS * 8 / LOST_OF_WINDOW)
		lose_step(checker);
	else if (checker->window_octets == TL_PRBS_WINDOW_OCTETS)
		keep_window(checker);
}

void tl_prbs_checker_settle(struct tl_prbs_checker *checker)
{
	keep_window(checker);
	keep_window(checker);
}
