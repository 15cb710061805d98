/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints, since nothing on the way of an octet may print. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tl_t1e1

#if !defined(TL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TL_TRACE_H

#include <linux/tracepoint.h>

/* An interrupt that was not the one expected; @status is INTSTAT. */
TRACE_EVENT(tl_odd_interrupt,
	TP_PROTO(int irq, u8 status, unsigned int expected),
	TP_ARGS(irq, status, expected),
	TP_STRUCT__entry(
		__field(int, irq)
		__field(u8, status)
		__field(unsigned int, expected)
	),
	TP_fast_assign(
		__entry->irq = irq;
		__entry->status = status;
		__entry->expected = expected;
	),
	TP_printk("irq=%d status=%02x expected=%02x",
		  __entry->irq, __entry->status, __entry->expected)
);

/* A change of alarms; TL_ALARM_* and TL_DEFECT_* bits. */
TRACE_EVENT(tl_alarms,
	TP_PROTO(int card, unsigned int was, unsigned int now,
		 unsigned int defects),
	TP_ARGS(card, was, now, defects),
	TP_STRUCT__entry(
		__field(int, card)
		__field(unsigned int, was)
		__field(unsigned int, now)
		__field(unsigned int, defects)
	),
	TP_fast_assign(
		__entry->card = card;
		__entry->was = was;
		__entry->now = now;
		__entry->defects = defects;
	),
	TP_printk("card=%d alarms=%02x->%02x defects=%03x", __entry->card,
		  __entry->was, __entry->now, __entry->defects)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
