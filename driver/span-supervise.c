// SPDX-License-Identifier: GPL-2.0-only
/*
 * What need not be done within the millisecond: alarms, counters, loop codes,
 * alignment and lamps, in a work that the tick queues every 32 ms of line
 * time. Time here is line time, counted in ticks.
 */
#include "span-private.h"

#include <linux/device.h>
#include <linux/moduleparam.h>

#include "bus.h"
#include "trace.h"

#define REALIGN_AFTER		64	/* ticks; a line out of frame shows sooner */
#define REALIGN_HOLD_MS		100
#define LOOP_CODE_MS		5000	/* until a code is obeyed (T1.403 9.4.1) */

static unsigned int red_ms;
module_param(red_ms, uint, 0444);
MODULE_PARM_DESC(red_ms, "Milliseconds until a red or blue alarm is declared; 0 (the default) is 100 for E1, 2500 for T1");

static unsigned int yellow_ms;
module_param(yellow_ms, uint, 0444);
MODULE_PARM_DESC(yellow_ms, "Milliseconds until a yellow alarm is declared or cleared; 0 (the default) is 100 for E1, 500 for T1");

static unsigned int settle_ms;
module_param(settle_ms, uint, 0444);
MODULE_PARM_DESC(settle_ms, "Milliseconds a line must be good until a red or blue alarm is cleared; 0 (the default) is 5000 for E1, 10000 for T1");

/* E1: ITU-T O.162, G.732; T1: ANSI T1.231 6.4 */
static struct tl_alarm_times times_of(enum tl_line line)
{
	bool e1 = line == TL_LINE_E1;

	return (struct tl_alarm_times) {
		.raise_ms = red_ms ?: e1 ? 100 : 2500,
		.yellow_ms = yellow_ms ?: e1 ? 100 : 500,
		.settle_ms = settle_ms ?: e1 ? 5000 : 10000,
	};
}

void tl_span_supervise_reset(struct tl_span *span)
{
	struct tl_alarm_times times = times_of(span->parts.line);

	tl_alarm_init(&span->alarm, &times);
	span->supervised = tl_span_ticks(span);
	span->realigning_ms = REALIGN_HOLD_MS;
	span->loop_up_ms = 0;
	span->loop_down_ms = 0;
	span->second_defects = 0;
	span->second_slips = 0;
	span->rs_next = 0;
	span->astray = 0;
}

/* The alarm DAHDI raises when nobody uses the span, if configured. */
static bool is_idle(const struct tl_span *span)
{
	int i;

	if (!(span->dahdi.lineconfig & DAHDI_CONFIG_NOTOPEN))
		return false;
	for (i = 0; i < span->dahdi.channels; i++)
		if ((span->chan[i].flags & DAHDI_FLAG_OPEN) ||
		    dahdi_have_netdev(&span->chan[i]))
			return false;
	return true;
}

static int dahdi_alarms(const struct tl_span *span, unsigned int alarms)
{
	static const struct {
		unsigned int ours;
		int dahdi;
	} map[] = {
		{ TL_ALARM_RED, DAHDI_ALARM_RED },
		{ TL_ALARM_BLUE, DAHDI_ALARM_BLUE },
		{ TL_ALARM_YELLOW, DAHDI_ALARM_YELLOW },
		{ TL_ALARM_RECOVERING, DAHDI_ALARM_RECOVER },
		{ TL_ALARM_LOS, DAHDI_ALARM_LOS },
		{ TL_ALARM_LFA, DAHDI_ALARM_LFA },
		{ TL_ALARM_LMFA, DAHDI_ALARM_LMFA },
	};
	int value = is_idle(span) ? DAHDI_ALARM_NOTOPEN : 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (alarms & map[i].ours)
			value |= map[i].dahdi;
	return value;
}

/*
 * RAI goes out while red or blue lasts (G.732 4.2; T1.231 6.4.2.1). A T1's
 * alarm lasts through recovery, an E1's RAI ends with the defect.
 */
static bool rai_due(const struct tl_span *span, unsigned int alarms)
{
	unsigned int due = TL_ALARM_RED | TL_ALARM_BLUE;

	if (span->parts.line == TL_LINE_T1)
		due |= TL_ALARM_RECOVERING;
	return (alarms & due) || is_idle(span);
}

/* Bus lock held. AIS was for the time when no octets came from DAHDI. */
static void send_alarms(struct tl_span *span, unsigned int defects,
			unsigned int alarms)
{
	struct tl_framer *framer = span->parts.framer;
	bool rai = rai_due(span, alarms);
	bool distant = framer->config.cas && (defects & TL_DEFECTS_NEAR);

	if (framer->ais)
		tl_framer_ais_set(framer, false);
	if (framer->rai != rai)
		tl_framer_rai_set(framer, rai);
	if (framer->distant_mfa != distant)
		tl_framer_distant_mfa_set(framer, distant);
}

/* Bus lock held. */
static void show_lamp(struct tl_span *span, unsigned int alarms)
{
	struct tl_bus *bus = span->parts.bus;
	bool test = span->parts.framer->loop != TL_LOOP_NONE;
	enum tl_lamp lamp = TL_LAMP_GREEN;

	if (alarms & (TL_ALARM_RED | TL_ALARM_BLUE))
		lamp = TL_LAMP_RED;
	else if (alarms)
		lamp = TL_LAMP_YELLOW;
	if (lamp == span->lamp && test == span->test_lamp)
		return;
	span->lamp = lamp;
	span->test_lamp = test;
	bus->ops->lamp_set(bus, lamp, test);
}

/* Bus lock held. Out of place for long while in frame: the bus lost its place. */
static void keep_aligned(struct tl_span *span, unsigned int defects,
			 unsigned int elapsed_ms)
{
	struct tl_bus *bus = span->parts.bus;
	unsigned int clock = span->recovered_clock ? TL_CLOCK_RECOVERED : 0;

	if (span->realigning_ms) {
		span->realigning_ms -= min(span->realigning_ms, elapsed_ms);
		if (!span->realigning_ms)
			bus->ops->clock_set(bus, clock);
	} else if (READ_ONCE(span->astray) >= REALIGN_AFTER &&
		   !(defects & TL_DEFECTS_NEAR)) {
		span->realigning_ms = REALIGN_HOLD_MS;
		span->report.realignments++;
		bus->ops->clock_set(bus, clock | TL_CLOCK_REALIGN);
	}
}

/* Bus lock held. DAHDI ends a code by its timer, without telling. */
static void end_loop_code(struct tl_span *span)
{
	struct tl_framer *framer = span->parts.framer;

	if (framer->loop_code != TL_LOOP_CODE_NONE && !span->dahdi.mainttimer)
		tl_framer_loop_code_set(framer, TL_LOOP_CODE_NONE);
}

/* Bus lock held. Returns true if the loop has changed. */
static bool obey_loop_codes(struct tl_span *span, unsigned int seen,
			    unsigned int elapsed_ms)
{
	struct tl_framer *framer = span->parts.framer;
	bool looped = framer->loop == TL_LOOP_NETWORK;

	if (framer->loop_code != TL_LOOP_CODE_NONE)
		seen = 0;
	span->loop_up_ms = seen & TL_SEEN_LOOP_UP ?
			   span->loop_up_ms + elapsed_ms : 0;
	span->loop_down_ms = seen & TL_SEEN_LOOP_DOWN ?
			     span->loop_down_ms + elapsed_ms : 0;
	if (!looped && span->loop_up_ms >= LOOP_CODE_MS) {
		tl_framer_loop_set(framer, TL_LOOP_NETWORK);
		span->dahdi.maintstat = DAHDI_MAINT_NETWORKLINELOOP;
		return true;
	}
	if (looped && span->loop_down_ms >= LOOP_CODE_MS) {
		tl_framer_loop_set(framer, TL_LOOP_NONE);
		span->dahdi.maintstat = DAHDI_MAINT_NONE;
		return true;
	}
	return false;
}

static void count_second(struct tl_span *span,
			 const struct tl_framer_errors *errors)
{
	struct dahdi_count *count = &span->dahdi.count;

	/* /proc/dahdi shows the older names of the two. */
	count->fe += errors->framing;
	count->fas += errors->framing;
	count->cv += errors->code;
	count->bpv += errors->code;
	count->crc4 += errors->crc;
	count->ebit += errors->ebit;
	count->timingslips += span->second_slips;
	if (tl_performance_second(&span->report.performance,
				  &span->parts.framer->config, errors,
				  span->second_defects, span->second_slips))
		count->errsec++;
	span->second_defects = 0;
	span->second_slips = 0;
}

static void publish(struct tl_span *span, unsigned int defects,
		    unsigned int alarms, bool loop_changed)
{
	int value = dahdi_alarms(span, alarms);

	span->report.defects = defects;
	if (span->report.alarms != alarms) {
		trace_tl_alarms(span->parts.number, span->report.alarms, alarms,
				defects);
		span->report.alarms = alarms;
	}
	if ((span->dahdi.alarms & ~DAHDI_ALARM_LOOPBACK) == value && !loop_changed)
		return;
	span->dahdi.alarms = value;
	dahdi_alarm_notify(&span->dahdi);
}

void tl_span_supervise(struct work_struct *work)
{
	struct tl_span *span = container_of(work, struct tl_span, supervise);
	unsigned int now = tl_span_ticks(span);
	unsigned int elapsed_ms = now - span->supervised;
	struct tl_bus *bus = span->parts.bus;
	struct tl_framer_errors errors;
	unsigned int defects, alarms;
	bool second, loop_changed;
	unsigned long flags;

	if (READ_ONCE(span->lost) || READ_ONCE(bus->gone))
		return;
	span->supervised = now;
	spin_lock_irqsave(&bus->lock, flags);
	defects = tl_framer_defects(span->parts.framer);
	second = tl_framer_second(span->parts.framer, &errors, &span->second_slips);
	alarms = tl_alarm_update(&span->alarm, defects, elapsed_ms);
	send_alarms(span, defects, alarms);
	keep_aligned(span, defects, elapsed_ms);
	end_loop_code(span);
	loop_changed = obey_loop_codes(span, defects, elapsed_ms);
	show_lamp(span, alarms);
	spin_unlock_irqrestore(&bus->lock, flags);

	span->second_defects |= defects;
	if (second)
		count_second(span, &errors);
	publish(span, defects, alarms, loop_changed);
}
