/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A tie: a party in a bridge of another thread. On the bridge's thread a port of
 * its own kind stands for it, the proxy; two rings of blocks lie between the
 * party's port and that one. All threads have the same ticks, so what lies in
 * the rings stays what it was at first: 10 to 20 ms, by which thread is ahead.
 * A browser's tie has two more, of video as it came and what is said of it.
 */
#pragma once

#include "media/bridge.h"
#include "media/hub.h"
#include "media/video.h"

/** 10 ms, as port->said and said_event tell it. */
struct tl_tie_block {
	uint8_t octets[TL_BLOCK_OCTETS];
	uint8_t law;
	int8_t event;
};

struct tl_tie_video {
	struct tl_video_word word;
	uint16_t n;
	uint8_t octets[TL_HUB_DATAGRAM_MAX];
};

/** One direction. */
struct tl_tie_way {
	struct tl_ring *blocks;
	struct tl_ring *video;         /* NULL: it is no browser */
	bool flows;                    /* the hearing thread: there is a block in each tick */
};

struct tl_tie {
	struct tl_parcel parcel;       /* comes back from the port's thread */
	struct tl_port *proxy;         /* RO */
	bool fixed;                    /* RO: the bridge is clear */
	struct tl_tie_way said, heard; /* by the party; by it of the bridge */
	struct tl_tie_block hears;     /* the port's thread: in this tick */
	_Atomic uint64_t video_dropped; /* of what was said; the bridge's thread adds, the port's takes */

	/* main */
	struct tl_media *first;
	bool returned, proxy_returned; /* the port's thread has let it go; the bridge's has */
};

/* ---- main ---- */
/** @port, about to join @bridge, gets a proxy on its thread. */
void tl_tie_begin(struct tl_port *port, struct tl_bridge *bridge);
/** After it has left. */
void tl_tie_end(struct tl_port *port);
/** Who is in the bridge for @port: itself, or its proxy. */
struct tl_port *tl_tie_member(struct tl_port *port);
void tl_tie_returned(struct tl_tie *tie);
void tl_tie_proxy_returned(struct tl_tie *tie);

/* ---- the port's thread ---- */
void tl_port_set_tie(struct tl_port *port, struct tl_tie *tie);
/** Once a tick, when it is known what the party says: hands that over, and takes what it hears. */
void tl_tie_exchange(struct tl_port *port);
/** Tells the other party in the bridge; false: no room. */
bool tl_tie_tell_video(struct tl_tie *tie, const struct tl_video_word *word, const uint8_t *octets, size_t n);
/** What it hears, in its law; returns the DTMF code that the block is the tone of, or -1. */
int tl_tie_hear(struct tl_port *port, uint8_t *block);

/* ---- the bridge's thread: a proxy's tl_port_take() and tl_port_give() ---- */
void tl_tie_take(struct tl_port *proxy);
void tl_tie_give(struct tl_port *proxy);
/** Tells the party; false: no room, or it is no browser. */
bool tl_tie_hear_video(struct tl_tie *tie, const struct tl_video_word *word, const uint8_t *octets, size_t n);
