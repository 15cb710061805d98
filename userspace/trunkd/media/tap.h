/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The inside of a tap: blocks each way, and how the two threads wake each other. The functions for others: media.h. */
#pragma once

#include "media/port.h"

struct tl_datagram {
	uint16_t n;
	uint8_t octets[TL_DATAGRAM_MAX];
};

/* Blocks one way, in the tap's law. Of two machines one is idle nearly always: octets cross only where there is something. */
struct tl_tap_way {
	struct tl_ring *kinds;                /* of an octet, enum kind of tap.c */
	const uint8_t *first;                 /* RO; place of the ring's first value */
	uint8_t (*octets)[TL_BLOCK_OCTETS];   /* by place in the ring; of audio only */
};

struct tl_tap {
	struct tl_parcel parcel;
	struct tl_media *media; /* RO */
	enum tl_law law;        /* RO; of both ways */
	unsigned depth;         /* RO; blocks that the far thread is ahead */
	unsigned batch;         /* RO; blocks a wake-up; the far thread stays as many ahead at least */
	struct tl_tap_way said; /* by the party: tick to the far thread */
	struct tl_tap_way heard; /* by the party: the far thread to tick */
	struct tl_ring *came, *going; /* struct tl_datagram of an RTP port: tick to the far thread, and back; else NULL */
	struct tl_bell *bell;   /* RO, borrowed */

	/* main */
	bool returned;          /* the media thread has let it go */
	bool freed;             /* the far thread has, too */

	/* written by tick */
	_Atomic uint64_t blocks_missed, blocks_dropped;
	/* written by the far thread */
	_Atomic uint64_t datagrams_dropped;
};

struct tl_bell {
	struct tl_bell *next;   /* main */
	struct tl_media *media; /* RO */
	int fd;                 /* RO; the far thread waits for it */
	_Atomic bool rung;      /* since the far thread last began to look */
};

/* ---- thread: tick ---- */

void tl_port_set_tap(struct tl_port *port, struct tl_tap *tap);
/** Hands over the tick's block of what the party says. */
void tl_port_take_tap(struct tl_port *port);
/** The next block for the party, in the port's law; idle when the far thread is late. */
void tl_port_hear_tap(struct tl_port *port, uint8_t *block);
/** A datagram of the far end; false: there was no room. The tick's block rings the bell. */
bool tl_tap_hear_datagram(struct tl_tap *tap, const uint8_t *octets, size_t n);
/** The oldest one to be sent, or NULL; stays until it is dropped. */
const struct tl_datagram *tl_tap_next_datagram(struct tl_tap *tap);
void tl_tap_drop_datagram(struct tl_tap *tap);
/**
 * tl_taps_ready - whether every tapped port has its next block. Line time that follows a far end can wait for a thread
 * as it waits for packets; asked only then.
 */
bool tl_taps_ready(struct tl_media *media);

/* ---- main ---- */
/** Those of @media, which is being freed: no tap of theirs is left. */
void tl_bells_free(struct tl_media *media);
void tl_tap_dispose(struct tl_tap *tap);
