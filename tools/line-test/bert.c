/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "bert.h"

#include <string.h>

#define TICKS_A_SECOND (1000000 / TL_TICK_US)
/*
 * Slips are put at a tick's beginning. The checker is in step again 30 octets later, and forgets the two windows before
 * the next: errors in between are counted one by one.
 */
#define ERRORS_FROM 36
#define ERRORS_A_TICK 12u
G_STATIC_ASSERT(ERRORS_FROM + ERRORS_A_TICK <= TL_BLOCK_OCTETS - 2 * TL_PRBS_WINDOW_OCTETS);
#define SEVERE_RATIO 1000 /* ITU-T G.821 annex A: 1 error in 1,000 bits */

void bert_init(struct bert *bert, const struct bert_options *options)
{
	*bert = (struct bert){ .options = *options };
	for (unsigned i = 1; i <= TL_SPAN_SLOTS_MAX; i++) {
		tl_prbs_init(&bert->slots[i].sent, options->order);
		tl_prbs_checker_init(&bert->slots[i].heard, options->order);
		/* Each timeslot begins elsewhere, so that one in another's place has another delay. */
		for (unsigned n = 0; n < i; n++)
			tl_prbs_next(&bert->slots[i].sent);
		bert->slots[i].delay_octets = -1;
	}
}

/* How many of @wanted are due by now, evenly between the first and the last second. */
static unsigned due(const struct bert *bert, unsigned wanted)
{
	unsigned total = bert->options.ticks;

	if (bert->ticks < TICKS_A_SECOND || total < 3 * TICKS_A_SECOND)
		return 0;

	unsigned room = total - 2 * TICKS_A_SECOND, at = bert->ticks - TICKS_A_SECOND + 1;

	return at >= room ? wanted : (unsigned)((uint64_t)wanted * at / room);
}

static void fill(struct bert *bert, struct bert_slot *slot, uint8_t *octets)
{
	unsigned errors = due(bert, bert->options.errors) - bert->errors_put;
	unsigned slips = due(bert, bert->options.slips) - bert->slips_put;

	for (; slips > 0; slips--)
		tl_prbs_next(&slot->sent);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		octets[i] = tl_prbs_next(&slot->sent);
	for (unsigned i = 0; i < MIN(errors, ERRORS_A_TICK); i++)
		octets[ERRORS_FROM + i] ^= (uint8_t)(1 << i % 8);
}

static void end_second(struct bert_slot *slot)
{
	struct tl_prbs_checker *heard = &slot->heard;
	uint64_t errors = heard->errors - slot->last_errors, bits = heard->bits - slot->last_bits;
	bool lost = slot->out_this_second || heard->losses > slot->last_losses;

	if (slot->was_in_step) {
		slot->seconds_lost += lost;
		slot->seconds_errored += lost || errors;
		slot->seconds_severe += lost || (bits && errors * SEVERE_RATIO >= bits);
	}
	slot->was_in_step |= heard->in_step;
	slot->last_errors = heard->errors;
	slot->last_bits = heard->bits;
	slot->last_losses = heard->losses;
	slot->out_this_second = false;
}

static void test_slot(struct bert *bert, struct tl_span *span, unsigned number)
{
	struct bert_slot *slot = &bert->slots[number];
	const uint8_t *rx = tl_span_rx(span, number);

	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		tl_prbs_check(&slot->heard, rx[i]);
	slot->out_this_second |= !slot->heard.in_step;
	fill(bert, slot, tl_span_tx(span, number));
	if ((bert->ticks + 1) % TICKS_A_SECOND == 0)
		end_second(slot);
}

void bert_tick(struct bert *bert, struct tl_span *span)
{
	for (unsigned slot = 1; slot <= tl_span_slots(span); slot++) {
		if (!bert->options.slots[slot])
			continue;
		if (bert->options.loop)
			memcpy(tl_span_tx(span, slot), tl_span_rx(span, slot), TL_BLOCK_OCTETS);
		else
			test_slot(bert, span, slot);
	}
	bert->errors_put = due(bert, bert->options.errors);
	bert->slips_put = due(bert, bert->options.slips);
	bert->ticks++;
}

bool bert_is_over(const struct bert *bert)
{
	return bert->options.ticks && bert->ticks >= bert->options.ticks;
}

void bert_finish(struct bert *bert)
{
	int period = (1 << bert->options.order) - 1; /* odd, so that as many octets pass before it begins anew */

	for (unsigned i = 1; i <= TL_SPAN_SLOTS_MAX; i++) {
		struct bert_slot *slot = &bert->slots[i];

		tl_prbs_checker_settle(&slot->heard);
		if (slot->heard.in_step && !bert->options.far_generator)
			slot->delay_octets = tl_prbs_distance(&slot->heard.prbs, &slot->sent, period);
	}
}

bool bert_slot_is_good(const struct bert_slot *slot)
{
	return slot->heard.in_step && !slot->heard.errors && !slot->heard.losses;
}

bool bert_is_good(const struct bert *bert)
{
	for (unsigned i = 1; i <= TL_SPAN_SLOTS_MAX; i++)
		if (bert->options.slots[i] && !bert_slot_is_good(&bert->slots[i]))
			return false;
	return true;
}
