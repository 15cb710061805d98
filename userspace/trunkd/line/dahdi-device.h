/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The channels of one DAHDI span, found by its number, checked against what
 * the span is said to be, opened and set up: buffers of one tick, law, no
 * gains. What DAHDI tells of it, in this room's words. Inside this room only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

/*
 * DAHDI hands over whole buffers, so a tick's octets are the smallest that
 * need no more than one read and one write a tick; eight of them outlast a
 * media thread that was kept waiting for 70 ms.
 */
#define TL_DAHDI_BUFFERS 8

/* The errno by which DAHDI refuses a read or write until the channel's events are taken. */
#define TL_DAHDI_ELAST 500

struct tl_dahdi_device {
	unsigned span;
	int control;                        /* /dev/dahdi/ctl */
	int timer;                          /* /dev/dahdi/timer, ten ms each; -1: not of a span that lends */
	int fd[TL_SPAN_SLOTS_MAX + 1];      /* by slot; -1: none */
	bool switches[TL_SPAN_SLOTS_MAX + 1]; /* DAHDI calls it clear: audio processing goes on and off */
	unsigned slots[TL_SPAN_SLOTS_MAX];  /* those whose octets we move, in order; the last is the reference */
	unsigned n_slots;
	unsigned d_channel;                 /* 0: none */
};

/** What a look at the span showed. */
struct tl_dahdi_status {
	unsigned alarms;         /* enum tl_alarm */
	uint64_t line_errors;    /* of all kinds, since DAHDI began to count */
};

/** Things that happened on a channel, seen together. */
enum tl_dahdi_event {
	TL_DAHDI_ALARM = 1 << 0,    /* the span's alarms changed */
	TL_DAHDI_BITS = 1 << 1,     /* received CAS bits changed */
	TL_DAHDI_UNDERRUN = 1 << 2, /* nothing was there to be sent */
	TL_DAHDI_OVERRUN = 1 << 3,  /* what was received had no room */
	TL_DAHDI_ABORT = 1 << 4,    /* D-channel: a frame was broken off */
	TL_DAHDI_BAD_FCS = 1 << 5,  /* D-channel */
	TL_DAHDI_TOO_LONG = 1 << 6, /* D-channel: a frame of more than TL_D_FRAME_MAX octets */
};

/** Opens; closes again what it opened on failure. Thread: main. */
gboolean tl_dahdi_device_open(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error);

/** Thread: main. A closed one is legal. */
void tl_dahdi_device_close(struct tl_dahdi_device *device);

/** For devices that were never opened. */
void tl_dahdi_device_init(struct tl_dahdi_device *device);

/** The slot by whose octets the span's time is told, unless there is a timer. */
unsigned tl_dahdi_device_reference(const struct tl_dahdi_device *device);

/** 0 or -ENODEV. Any thread. Real-time safe. */
int tl_dahdi_device_status(const struct tl_dahdi_device *device, struct tl_dahdi_status *status);

/** Takes all events of @slot, of which each stood in the way of data. enum tl_dahdi_event bits. Real-time safe. */
unsigned tl_dahdi_device_events(const struct tl_dahdi_device *device, unsigned slot);

/** Whether a tick of the timer has passed, which it takes: 1, 0, or -ENODEV. Real-time safe. */
int tl_dahdi_device_take_tick(const struct tl_dahdi_device *device);

/** What wakes the media thread, and by which epoll events. */
int tl_dahdi_device_pacer(const struct tl_dahdi_device *device, uint32_t *events);

/** Buffers of @slot for media, or as it is lent; what they hold is lost. 0 or a negative errno. Thread: main. */
int tl_dahdi_device_lend(const struct tl_dahdi_device *device, unsigned slot, bool lent);

/** Throws away what @slot has received, what it is to send, and its events. Real-time safe. */
void tl_dahdi_device_flush(const struct tl_dahdi_device *device, unsigned slot);

/** ABCD in bits 3-0. Real-time safe. */
unsigned tl_dahdi_device_cas(const struct tl_dahdi_device *device, unsigned slot);
void tl_dahdi_device_set_cas(const struct tl_dahdi_device *device, unsigned slot, unsigned abcd);

/** Echo canceller and audio processing on, or off and octets untouched. 0 or a negative errno. Thread: main. */
int tl_dahdi_device_set_voice(const struct tl_dahdi_device *device, unsigned slot, bool voice);
