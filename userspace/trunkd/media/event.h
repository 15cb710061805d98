/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * DTMF as RFC 4733 events. In: presses out of packets that repeat, get lost and
 * come late, and the tone to put in the audio's place. Out: the packets of a
 * level ("code 5 is down"). Values only; thread tick (or any one), real-time safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/dtmf.h"
#include "media/rtp.h"

#define TL_EVENT_QUEUE 16
#define TL_EVENT_PRESSES_MAX 2
#define TL_EVENT_PACKETS_MAX 4

/** Zeroed: nothing heard. */
struct tl_event_in {
	bool heard, down;
	bool has_tone;          /* the present press is the last one in @tones */
	uint8_t code;
	uint32_t timestamp;     /* of the last segment */
	uint32_t earlier;       /* samples of its earlier segments, RFC 4733 2.5.1.3 */
	uint32_t duration;      /* samples in all */
	unsigned quiet_ticks;   /* since its last packet */
	struct {
		uint8_t code;
		bool ended;
		uint32_t want;  /* samples of tone, once ended */
	} tones[TL_EVENT_QUEUE]; /* presses not yet sounded in full */
	unsigned first, n_tones;
	uint32_t sounded;       /* samples of the first one */
	uint32_t pause;         /* samples of silence left after the last one */
};

/** Takes one event packet; returns the presses that it ended (0-2), written to @presses. */
unsigned tl_event_in_hear(struct tl_event_in *in, uint32_t timestamp, const struct tl_rtp_event *event,
			  struct tl_dtmf_press presses[TL_EVENT_PRESSES_MAX]);

/** Once a tick: true when a press ended because its packets ceased. */
bool tl_event_in_tick(struct tl_event_in *in, struct tl_dtmf_press *press);

/** Once a tick: the code whose tone this block is to carry, at least 60 ms each and 50 ms apart; -1: none. */
int tl_event_in_tone(struct tl_event_in *in);

/** Zeroed: nothing sent. */
struct tl_event_out {
	bool down;
	uint8_t code;
	uint32_t timestamp, duration;
	uint32_t unsent;        /* samples since the last packet */
	unsigned ends_left;     /* end packets still to send */
};

struct tl_event_packet {
	bool marker;
	uint32_t timestamp;
	struct tl_rtp_event event;
};

/**
 * tl_event_out_tick - what to send in the tick whose first sample has @timestamp, with @code down (-1: none),
 * one packet each @packet_samples, the end three times (RFC 4733 2.5.1.4). Returns how many of @packets.
 */
unsigned tl_event_out_tick(struct tl_event_out *out, int code, uint32_t timestamp, uint32_t packet_samples,
			   struct tl_event_packet packets[TL_EVENT_PACKETS_MAX]);
