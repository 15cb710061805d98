/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The playout buffer: packets in by sequence, ticks of 80 frames out, each
 * timeslot's octets together. It conceals by idle octets, keeps its depth by
 * whole-frame slips, and finds its place again after a jump. Positions are
 * frames, counted on from the first packet and never reused; a packet's are
 * its extended sequence times the frames of a packet. No socket, no clock.
 * Thread: media, but for new and free. Inside this room only.
 */
#pragma once

#include "line/cesop.h"
#include "line/line.h"

struct tl_playout;

struct tl_playout_config {
	struct tl_cesop_format format;
	unsigned depth_frames; /* aimed at */
	unsigned max_frames;   /* above it frames are dropped, one a tick */
	bool follows_sender;   /* clock mode loop: line time is the sender's, nothing slips */
	const uint8_t *idle;   /* by slot; borrowed for life */
};

/** What a tick showed. */
struct tl_playout_tick {
	unsigned defects;   /* enum tl_defect */
	bool errored;       /* a frame was concealed or slipped, or said to be invalid */
	double above_depth; /* mean depth less the depth aimed at, in frames */
	const uint8_t *cas; /* by slot, as last received; NULL: none received in this tick */
};

/** (transfer full) Thread: main. */
struct tl_playout *tl_playout_new(const struct tl_playout_config *config,
				  struct tl_span_counters *counters);
/** NULL is legal. Thread: main. */
void tl_playout_free(struct tl_playout *playout);

/** Takes a packet; its payload is copied. */
void tl_playout_put(struct tl_playout *playout, const struct tl_cesop_packet *packet);

/** Packets by which the sender's sequence has moved on so far, lost ones included. */
uint64_t tl_playout_advanced(const struct tl_playout *playout);

/** With follows_sender: frames of the sender's time that have not been played. */
unsigned tl_playout_due_frames(const struct tl_playout *playout);

/** Plays 10 ms to @rx, indexed by slot. */
void tl_playout_take(struct tl_playout *playout, uint8_t rx[][TL_BLOCK_OCTETS],
		     struct tl_playout_tick *tick);

/** Whether nothing usable comes: what R tells the far end (RFC 5086 6.2). */
bool tl_playout_is_lost(const struct tl_playout *playout);
