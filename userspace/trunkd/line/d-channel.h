/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A D-channel: HDLC frames (ISO/IEC 13239, ITU-T Q.921 2) on one timeslot's
 * octets, by SpanDSP. Frames cross between main and the media thread in rings;
 * the octets never leave the media thread. It knows nothing of Q.921's
 * contents. Inside this room only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tl_d_channel;
struct tl_span_counters;

typedef void (*tl_d_frame_fn)(const uint8_t *octets, size_t n_octets, void *user);

/** @media: counters that only the media thread writes. (transfer full) Thread: main. */
struct tl_d_channel *tl_d_channel_new(struct tl_span_counters *media);

/** NULL is legal. Thread: main. */
void tl_d_channel_free(struct tl_d_channel *channel);

/** Queues a frame without FCS, 1 to TL_D_FRAME_MAX octets. 0, -EMSGSIZE, -ENOBUFS. Thread: main. */
int tl_d_channel_queue(struct tl_d_channel *channel, const uint8_t *octets, size_t n_octets);

/** Calls @on_frame for every frame received meanwhile. Thread: main. */
void tl_d_channel_deliver(struct tl_d_channel *channel, tl_d_frame_fn on_frame, void *user);

/** Reads @n octets, first on the line first, most significant bit first. Returns frames now waiting for main. Thread: media. */
unsigned tl_d_channel_rx(struct tl_d_channel *channel, const uint8_t *octets, size_t n);

/** Writes the next @n octets to send: frames, and flags between them. Thread: media. */
void tl_d_channel_tx(struct tl_d_channel *channel, uint8_t *octets, size_t n);

/* Where the line does HDLC, instead of the two above. Thread: media. */

/** Passes a good frame without FCS to main; counts it, or that there was no room. */
void tl_d_channel_heard(struct tl_d_channel *channel, const uint8_t *octets, size_t n_octets);

/** The frame to send next, or NULL; it stays until tl_d_channel_sent(). */
const uint8_t *tl_d_channel_next(struct tl_d_channel *channel, size_t *n_octets);

/** The next frame is on its way. */
void tl_d_channel_sent(struct tl_d_channel *channel);
