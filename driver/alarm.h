/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the defects of the moment to alarms that last: each is declared only
 * after it has persisted, and cleared only after it has stayed away.
 * Knows no register, no clock and no DAHDI: time is what the caller says.
 */
#ifndef TL_ALARM_H
#define TL_ALARM_H

#include <linux/types.h>

#define TL_ALARM_RED		0x01	/* no usable signal, frame or multiframe */
#define TL_ALARM_BLUE		0x02	/* AIS received */
#define TL_ALARM_YELLOW		0x04	/* RAI or distant multiframe alarm received */
#define TL_ALARM_RECOVERING	0x08	/* red or blue a short time ago */
/* Why it is red */
#define TL_ALARM_LOS		0x10
#define TL_ALARM_LFA		0x20
#define TL_ALARM_LMFA		0x40

/**
 * struct tl_alarm_times - integration times, in milliseconds of line time
 * @raise_ms: until red or blue is declared
 * @yellow_ms: until yellow is declared, and until it is cleared
 * @settle_ms: how long a defect must stay away until red or blue is cleared
 */
struct tl_alarm_times {
	unsigned int raise_ms;
	unsigned int yellow_ms;
	unsigned int settle_ms;
};

struct tl_alarm {
	struct tl_alarm_times times;
	bool known;		/* a first look has been taken */
	unsigned int alarms;
	unsigned int red_ms;	/* leaky: see integrate() */
	unsigned int blue_ms;
	unsigned int yellow_ms;
	unsigned int settle_ms;	/* left until recovery is complete */
};

void tl_alarm_init(struct tl_alarm *alarm, const struct tl_alarm_times *times);

/**
 * tl_alarm_update - take in what the framer sees now.
 * @defects: TL_DEFECT_* bits
 * @elapsed_ms: line time since the last call
 * The first call after tl_alarm_init() takes the state as it is, at once.
 * Returns TL_ALARM_* bits.
 */
unsigned int tl_alarm_update(struct tl_alarm *alarm, unsigned int defects,
			     unsigned int elapsed_ms);

#endif
