/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The playout buffer of an RTP stream: octets by their timestamp, taken out a
 * block a tick. It knows time only as timestamps and ticks. Adaptive: it grows
 * by what came late, up to a bound, and shrinks by one block when four seconds
 * showed no need of it. A sender whose clock is not ours is followed by dropping
 * or repeating one sample at a time. Fixed: only an underrun or overrun moves
 * it, so octets pass exactly. Thread: tick (or any one); real-time safe after init.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

struct tl_jitter {
	uint8_t *octets;        /* index is the timestamp's low bits */
	uint64_t *there;        /* a bit for each of them */
	uint32_t mask;
	uint32_t min, max;      /* samples of depth */
	bool fixed, running;
	bool deep;              /* held at max, whatever fixed says */
	uint32_t play;          /* timestamp of the next sample to play */
	uint32_t end;           /* one past the newest sample held */
	uint32_t ticks;         /* of the present window */
	int32_t spare;          /* how much too early its latest packet came, in samples; INT32_MAX: none came */
	int32_t usual;          /* spare of the first window after the last move; INT32_MAX: not known yet */
	int32_t owed;           /* samples to drop, negative: to repeat, until spare is as usual again */
	unsigned off_windows, pace; /* windows that were off to the same side; ticks since the last correction */
	int off_side;
	uint64_t corrections;   /* samples dropped or repeated */
};

enum tl_jitter_fate {
	TL_JITTER_TAKEN,
	TL_JITTER_LATE,         /* its time was over: dropped */
	TL_JITTER_DUPLICATE,    /* its samples were there already */
	TL_JITTER_MOVED,        /* taken after a jump of the playout point: underrun or new timestamps */
	TL_JITTER_OVERFLOW,     /* taken after older samples were dropped */
};

/** Allocates for depths of @min_ms to @max_ms. Thread: main. */
void tl_jitter_init(struct tl_jitter *jitter, unsigned min_ms, unsigned max_ms);
void tl_jitter_done(struct tl_jitter *jitter);

/** Forgets everything; the next packet starts anew. */
void tl_jitter_reset(struct tl_jitter *jitter);

/**
 * Holds the depth at its maximum (fax: what matters is that nothing moves), from the next packet on; or as before. It may become
 * twice as deep before something is skipped.
 */
void tl_jitter_set_deep(struct tl_jitter *jitter, bool deep);

/** Puts @n octets that begin at @timestamp. */
enum tl_jitter_fate tl_jitter_put(struct tl_jitter *jitter, uint32_t timestamp, const uint8_t *octets, unsigned n);

/** How many of the next TL_BLOCK_OCTETS are missing. */
unsigned tl_jitter_missing(const struct tl_jitter *jitter);

/** Takes them, of which @missing are, as tl_jitter_missing() said; there @block is left as it is. */
void tl_jitter_get(struct tl_jitter *jitter, uint8_t *block, unsigned missing);

/** Asks for the memory that the next tl_jitter_get() reads. */
void tl_jitter_ahead(const struct tl_jitter *jitter);

/** Samples held ahead of the playout point. */
unsigned tl_jitter_depth(const struct tl_jitter *jitter);
