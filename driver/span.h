/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A T1/E1 line as DAHDI sees it. Only the span's own files know DAHDI; what
 * card and bus the line is on, the span does not know.
 */
#ifndef TL_SPAN_H
#define TL_SPAN_H

#include <linux/types.h>

#include "framer.h"
#include "performance.h"

struct device;
struct tl_bus;
struct tl_dma;
struct tl_span;

/**
 * struct tl_span_parts - what a span is made of; all outlive it
 * @line: E1 or T1, as the card's jumper or the user says
 * @number: of the card, for the span's name
 * @card: what the card is called
 * @location: where it is plugged in
 */
struct tl_span_parts {
	struct device *parent;
	struct tl_bus *bus;
	struct tl_framer *framer;
	struct tl_dma *dma;
	enum tl_line line;
	int number;
	const char *card;
	const char *location;
};

/* What a span tells of itself; a snapshot. */
struct tl_span_report {
	enum tl_line line;
	unsigned int defects;	/* TL_DEFECT_*, TL_SEEN_* */
	unsigned int alarms;	/* TL_ALARM_* */
	bool running;
	bool rai_sent;
	bool ais_sent;
	bool recovered_clock;
	u64 realignments;
	struct tl_performance performance;
};

/* tl_span_new - make a span, its line sending AIS. Process context. */
struct tl_span *tl_span_new(const struct tl_span_parts *parts);
/* tl_span_free - @span may be NULL; it must not be registered. */
void tl_span_free(struct tl_span *span);

/* Hand it to DAHDI, or take it back: no tick may come after the latter. */
int tl_span_register(struct tl_span *span);
void tl_span_unregister(struct tl_span *span);

/**
 * tl_span_tick - a millisecond: the chunk in the dma's rx goes to DAHDI, what
 * DAHDI has for the line is put into its tx. Hard IRQ, or interrupts disabled
 * and no other tick running.
 */
void tl_span_tick(struct tl_span *span);

/* Milliseconds of line time since the span was made. Any context. */
unsigned int tl_span_ticks(const struct tl_span *span);

/**
 * tl_span_stall - the stream of octets has stopped by itself: send AIS,
 * declare red, start it anew. Process context. 0 or -ENODEV.
 */
int tl_span_stall(struct tl_span *span);
/* tl_span_lose - the card is gone: red until tl_span_resume(). Process context. */
void tl_span_lose(struct tl_span *span);
/* Tell DAHDI how many interrupts were missed so far. Process context. */
void tl_span_missed_set(struct tl_span *span, unsigned int missed);
bool tl_span_is_running(const struct tl_span *span);

/* Stop for a while, red, and go on with a framer that has forgotten everything. */
void tl_span_suspend(struct tl_span *span);
int tl_span_resume(struct tl_span *span);

void tl_span_report(struct tl_span *span, struct tl_span_report *report);

#endif
