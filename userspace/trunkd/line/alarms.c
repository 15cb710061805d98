/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/alarms.h"

#include <stdbool.h>

#include "line/line.h"

/*
 * The written table. A row's alarm is raised once its defect has lasted
 * raise_ms, stays until the defect has been absent for absent_ms, and then
 * shows as RECOVER for recover_ms; the defect coming back meanwhile raises it
 * at once. A defect hidden by another present one stands still: in packet-loss
 * state the last L, R and M say nothing of now.
 */
static const struct row {
	unsigned defect;
	unsigned hidden_by;
	unsigned alarm;
	unsigned raise_ms, absent_ms, recover_ms;
} table[TL_ALARM_ROWS] = {
	/* defect           hidden by       alarm            raise absent recover */
	{ TL_DEFECT_LOSS,   0,              TL_ALARM_RED,    500,  100,   1000 },
	{ TL_DEFECT_L,      TL_DEFECT_LOSS, TL_ALARM_BLUE,   500,  100,   1000 },
	{ TL_DEFECT_REMOTE, TL_DEFECT_LOSS, TL_ALARM_YELLOW, 500,  100,   0 },
};

#define TICK_MS (TL_TICK_US / 1000)

void tl_alarms_init(struct tl_alarms *alarms)
{
	*alarms = (struct tl_alarms){ 0 };
	alarms->row[0].state = TL_ALARM_RAISED;
}

static void row_enter(struct tl_alarms *alarms, unsigned i, int state)
{
	alarms->row[i].state = state;
	alarms->row[i].ms = 0;
}

/* Whether @ms of @present in a row have been reached with this tick. */
static bool row_lasts(struct tl_alarms *alarms, unsigned i, bool present, unsigned ms)
{
	alarms->row[i].ms = present ? alarms->row[i].ms + TICK_MS : 0;
	return present && alarms->row[i].ms >= ms;
}

static void row_tick(struct tl_alarms *alarms, unsigned i, bool defect)
{
	const struct row *row = &table[i];

	switch (alarms->row[i].state) {
	case TL_ALARM_CLEAR:
		if (row_lasts(alarms, i, defect, row->raise_ms))
			row_enter(alarms, i, TL_ALARM_RAISED);
		break;
	case TL_ALARM_RAISED:
		if (row_lasts(alarms, i, !defect, row->absent_ms))
			row_enter(alarms, i, row->recover_ms ? TL_ALARM_RECOVERING : TL_ALARM_CLEAR);
		break;
	case TL_ALARM_RECOVERING:
		if (defect)
			row_enter(alarms, i, TL_ALARM_RAISED);
		else if (row_lasts(alarms, i, true, row->recover_ms))
			row_enter(alarms, i, TL_ALARM_CLEAR);
		break;
	}
}

unsigned tl_alarms_tick(struct tl_alarms *alarms, unsigned defects)
{
	unsigned present = 0;

	for (unsigned i = 0; i < TL_ALARM_ROWS; i++) {
		if (!(defects & table[i].hidden_by))
			row_tick(alarms, i, defects & table[i].defect);
		if (alarms->row[i].state == TL_ALARM_RAISED)
			present |= table[i].alarm;
		else if (alarms->row[i].state == TL_ALARM_RECOVERING)
			present |= TL_ALARM_RECOVER;
	}
	return present;
}
