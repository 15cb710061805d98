/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A bit-error test of timeslots of one span, or the loop that answers it. Line time, 10 ms a tick. */
#pragma once

#include "line/line.h"
#include "prbs.h"

struct bert_options {
	bool slots[TL_SPAN_SLOTS_MAX + 1]; /* tested, or looped */
	enum tl_prbs_order order;
	unsigned ticks;          /* how long; a loop with 0 goes on until stopped */
	bool loop;               /* send back what is received instead of testing */
	bool far_generator;      /* the far end sends a sequence of its own: no delay is to be had */
	unsigned errors, slips;  /* put into what is sent, on each timeslot, well inside the time */
};

struct bert_slot {
	struct tl_prbs sent;
	struct tl_prbs_checker heard;
	uint64_t seconds_errored, seconds_severe, seconds_lost; /* since first in step; severe: 1 bit in 1,000 or worse */
	uint64_t last_errors, last_bits, last_losses;
	bool was_in_step, out_this_second;
	int delay_octets; /* at the end, from sending to receiving, our own tick included; -1: not known */
};

struct bert {
	struct bert_options options;
	struct bert_slot slots[TL_SPAN_SLOTS_MAX + 1];
	unsigned ticks;           /* done */
	unsigned errors_put, slips_put;
	unsigned alarms_seen;     /* all that were there at some time */
};

void bert_init(struct bert *bert, const struct bert_options *options);
/** Between tl_span_begin_tick() and tl_span_end_tick(). Thread: media. */
void bert_tick(struct bert *bert, struct tl_span *span);
/** After the last tick: the last seconds and the delays. */
void bert_finish(struct bert *bert);
bool bert_is_over(const struct bert *bert);
/** No error, slip or loss of step on any tested timeslot, and all in step at the end. */
bool bert_is_good(const struct bert *bert);
bool bert_slot_is_good(const struct bert_slot *slot);
