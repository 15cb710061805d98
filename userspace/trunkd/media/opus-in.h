/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What a far end says in Opus (RFC 6716, RFC 7587), as 8 kHz samples. Packets are kept by their time until the playout
 * buffer, which only holds their places, comes to them. A lost one is made good from the next one's forward error
 * correction if that is there, else concealed by the decoder. Thread: tick (or any one); real-time safe after new.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/line.h"

#define TL_OPUS_HZ 48000                 /* of RTP timestamps, whatever is sent (RFC 7587 4.1) */
#define TL_OPUS_PER_SAMPLE (TL_OPUS_HZ / 8000)
#define TL_OPUS_IN_OCTETS_MAX 400        /* of a packet that is taken; 20 ms of speech have 60 to 150 */

struct tl_opus_in;

enum tl_opus_fate {
	TL_OPUS_HEARD,     /* the better ones first */
	TL_OPUS_RECOVERED, /* of a lost packet, from what the next one repeats of it */
	TL_OPUS_CONCEALED, /* nothing there */
	TL_OPUS_QUIET,     /* nothing there, as the far end had announced: comfort noise */
};

/** For a playout depth of @max_ms. Thread: main. */
struct tl_opus_in *tl_opus_in_new(unsigned max_ms);
/** NULL is legal. Thread: main. */
void tl_opus_in_free(struct tl_opus_in *in);

/** Forgets all: the next packet is another stream's. */
void tl_opus_in_reset(struct tl_opus_in *in);
/** The 8 kHz time of an RTP timestamp, continuous when that wraps. */
uint32_t tl_opus_in_time(struct tl_opus_in *in, uint32_t timestamp);
/** Samples of 8 kHz in a packet, whole blocks; -EBADMSG: no packet that can be taken. */
int tl_opus_in_samples(const uint8_t *octets, size_t n);
/** Keeps a packet of @samples that begins at the 8 kHz time @at. */
void tl_opus_in_keep(struct tl_opus_in *in, uint32_t at, const uint8_t *octets, size_t n, unsigned samples);
/** The block at @at; the worst fate of its samples. */
enum tl_opus_fate tl_opus_in_block(struct tl_opus_in *in, uint32_t at, int16_t samples[TL_BLOCK_OCTETS]);
