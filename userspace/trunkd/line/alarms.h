/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * From what a packet stream shows to a span's alarms: which defect becomes
 * which alarm, after how long, and how it clears. Line time only. Pure.
 * Thread: media. Inside this room only.
 */
#pragma once

#include <stdint.h>

/** What the stream shows in a tick (RFC 5086 6.2, 6.3). */
enum tl_defect {
	TL_DEFECT_LOSS = 1 << 0,   /* packet-loss state: nothing usable comes */
	TL_DEFECT_L = 1 << 1,      /* the far end says its TDM data is invalid */
	TL_DEFECT_REMOTE = 1 << 2, /* R, or M=2: the far end does not hear us, or its line has RDI */
};

#define TL_ALARM_ROWS 3

struct tl_alarms {
	struct {
		enum { TL_ALARM_CLEAR, TL_ALARM_RAISED, TL_ALARM_RECOVERING } state;
		unsigned ms; /* how long the defect has said the opposite, or the recovery lasts */
	} row[TL_ALARM_ROWS];
};

/** A line that has never been heard: red. */
void tl_alarms_init(struct tl_alarms *alarms);

/** One tick of 10 ms with @defects (enum tl_defect bits). Returns enum tl_alarm bits. */
unsigned tl_alarms_tick(struct tl_alarms *alarms, unsigned defects);
