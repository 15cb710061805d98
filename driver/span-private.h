/* SPDX-License-Identifier: GPL-2.0-only */
/* What the span's files share among themselves. */
#ifndef TL_SPAN_PRIVATE_H
#define TL_SPAN_PRIVATE_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <dahdi/kernel.h>

#include "alarm.h"
#include "bus.h"
#include "dma.h"
#include "span.h"

#define TL_SPAN_CHANNELS_MAX	31

struct tl_span {
	struct tl_span_parts parts;
	struct dahdi_span dahdi;
	struct dahdi_device *device;
	struct dahdi_chan *chans[TL_SPAN_CHANNELS_MAX];
	struct dahdi_chan chan[TL_SPAN_CHANNELS_MAX];

	/* Hard IRQ; the other side only reads */
	unsigned int ticks;
	unsigned int astray;	/* ticks in a row out of alignment */
	unsigned int rs_next;	/* signalling register to look at */
	u64 echo_reference[TL_DMA_SLOTS];

	/* Set in process context, read in hard IRQ */
	unsigned int rs_count;	/* signalling registers to look at, mostly 0 */

	struct mutex mutex;	/* guards what follows and starting, stopping */
	bool running;
	bool suspended;
	bool lost;
	bool recovered_clock;

	/* The supervising work, which never runs twice at once */
	struct work_struct supervise;
	struct tl_alarm alarm;
	unsigned int supervised;	/* ticks, when it last ran */
	unsigned int realigning_ms;	/* left of holding the clock */
	unsigned int loop_up_ms;
	unsigned int loop_down_ms;
	unsigned int second_defects;
	unsigned int second_slips;
	enum tl_lamp lamp;
	bool test_lamp;
	struct tl_span_report report;
};

static inline struct tl_span *tl_span_of(struct dahdi_span *dahdi)
{
	return container_of(dahdi, struct tl_span, dahdi);
}

/* The supervising work: alarms, counters, loop codes, alignment, lamps. */
void tl_span_supervise(struct work_struct *work);
/* Forget what was known of the line; the work must not be running. */
void tl_span_supervise_reset(struct tl_span *span);
/* Signalling, in span-signalling.c */
int tl_span_rbsbits(struct dahdi_chan *chan, int bits);
void tl_span_signalling_update(struct tl_span *span);
void tl_span_signalling_poll(struct tl_span *span);
/* Maintenance, in span-maint.c; the dahdi span's lock is held */
int tl_span_maint(struct dahdi_span *dahdi, int command);

#endif
