/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Something being played to a party: sounds in a loop (tones are sounds too) or DTMF digits. */
#pragma once

#include "media/dtmf.h"
#include "media/engine.h"

#define TL_PLAY_SOUNDS_MAX 16
#define TL_PLAY_DIGITS_MAX 64
#define TL_PLAY_WAITING_MAX 32 /* keys that somebody presses faster than they can be sent */

struct tl_play {
	struct tl_parcel parcel;
	struct tl_port *port;           /* RO */
	uint64_t id;                    /* RO */
	bool completed;                 /* tick, then main */
	bool quiet;                     /* tick, then main: no on_done (the port is going) */

	/* RO */
	struct tl_sound *sounds[TL_PLAY_SOUNDS_MAX];
	unsigned n_sounds, loops;       /* loops 0: for ever */
	char digits[TL_PLAY_DIGITS_MAX + 1]; /* "": sounds */
	bool mf;                        /* R1's digits, otherwise DTMF */
	unsigned on_blocks, off_blocks;

	/* tick */
	struct tl_play *next;           /* digits that wait for these to be sent */
	unsigned item, rounds, at;      /* sound or digit, loops done, octets or blocks into the item */
	struct tl_oscillator oscillator;
};

/** Main. (transfer full); sounds are referenced. */
struct tl_play *tl_play_new_sounds(struct tl_port *port, uint64_t id, struct tl_sound *const *sounds,
				   unsigned n_sounds, unsigned loops);
/** Main. @digits was checked. (transfer full) */
struct tl_play *tl_play_new_digits(struct tl_port *port, uint64_t id, const char *digits, unsigned on_ms,
				   unsigned off_ms);
struct tl_play *tl_play_new_mf(struct tl_port *port, uint64_t id, const char *digits);
/** Whether @digits wait until @play is over: both are digits of one kind. Anything else replaces it. Thread: tick. */
bool tl_play_waits(const struct tl_play *digits, const struct tl_play *play);
/** Lets @digits be sent after @play and what waits for it; false when TL_PLAY_WAITING_MAX wait. Thread: tick. */
bool tl_play_append(struct tl_play *play, struct tl_play *digits);
/** Main. NULL is legal. */
void tl_play_free(struct tl_play *play);

/**
 * tl_play_block - write the next TL_BLOCK_OCTETS of @law, idle beyond the end; @event becomes the DTMF code that is
 * down, or -1. False, with nothing written, when it had ended before. Thread: tick.
 */
bool tl_play_block(struct tl_play *play, enum tl_law law, uint8_t *block, int *event);
