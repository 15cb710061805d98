// SPDX-License-Identifier: GPL-2.0-only
#include "alarm.h"

#include <linux/kernel.h>
#include <linux/string.h>

#include "framer.h"

#define RED_DEFECTS	(TL_DEFECT_LOS | TL_DEFECT_LFA | TL_DEFECT_LMFA)
#define YELLOW_DEFECTS	(TL_DEFECT_RAI | TL_DEFECT_DISTANT_MFA)

/* Time heals at a quarter of the speed, so that a flapping line is caught too. */
#define LEAK		4

/*
 * Integrate as T1.231 6.4.1 wants it: up while the defect is there, slowly
 * down while it is not. Returns true at the top.
 */
static bool integrate(unsigned int *level_ms, bool defect,
		      unsigned int elapsed_ms, unsigned int top_ms)
{
	if (defect)
		*level_ms = min(*level_ms + elapsed_ms, top_ms);
	else
		*level_ms -= min(*level_ms, elapsed_ms / LEAK);
	return defect && *level_ms >= top_ms;
}

/* AIS has neither frame nor multiframe, and LOS brings both down: name the cause. */
static unsigned int reasons(unsigned int defects)
{
	if (defects & TL_DEFECT_LOS)
		return TL_ALARM_LOS;
	if (defects & TL_DEFECT_LFA)
		return TL_ALARM_LFA;
	if (defects & TL_DEFECT_LMFA)
		return TL_ALARM_LMFA;
	return 0;
}

static unsigned int near_alarms(struct tl_alarm *a, unsigned int defects,
				unsigned int elapsed_ms)
{
	bool had = a->alarms & (TL_ALARM_RED | TL_ALARM_BLUE | TL_ALARM_RECOVERING);
	bool blue = (defects & TL_DEFECT_AIS) && !(defects & TL_DEFECT_LOS);
	bool red = (defects & RED_DEFECTS) && !blue;
	/* Declared once, the way back needs no second integration. */
	unsigned int raise_ms = had || !a->known ? 0 : a->times.raise_ms;
	bool red_due = integrate(&a->red_ms, red, elapsed_ms, raise_ms);
	bool blue_due = integrate(&a->blue_ms, blue, elapsed_ms, raise_ms);

	if (red_due || blue_due) {
		a->settle_ms = a->times.settle_ms;
		return red_due ? TL_ALARM_RED | reasons(defects) : TL_ALARM_BLUE;
	}
	if (!had)
		return 0;
	a->settle_ms -= min(a->settle_ms, elapsed_ms);
	return a->settle_ms ? TL_ALARM_RECOVERING : 0;
}

static unsigned int far_alarm(struct tl_alarm *a, unsigned int defects,
			      unsigned int elapsed_ms)
{
	bool had = a->alarms & TL_ALARM_YELLOW;
	bool changed = !(defects & YELLOW_DEFECTS) == had;

	/* With no frame there is no RAI to see: keep what was known. */
	if (defects & (TL_DEFECT_LOS | TL_DEFECT_AIS | TL_DEFECT_LFA))
		return a->alarms & TL_ALARM_YELLOW;
	if (integrate(&a->yellow_ms, changed, elapsed_ms,
		      a->known ? a->times.yellow_ms : 0)) {
		a->yellow_ms = 0;
		had = !had;
	}
	return had ? TL_ALARM_YELLOW : 0;
}

void tl_alarm_init(struct tl_alarm *alarm, const struct tl_alarm_times *times)
{
	memset(alarm, 0, sizeof(*alarm));
	alarm->times = *times;
}

unsigned int tl_alarm_update(struct tl_alarm *alarm, unsigned int defects,
			     unsigned int elapsed_ms)
{
	unsigned int near = near_alarms(alarm, defects, elapsed_ms);

	alarm->alarms = near | far_alarm(alarm, defects, elapsed_ms);
	alarm->known = true;
	return alarm->alarms;
}
