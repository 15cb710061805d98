/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/d-channel.h"

#include <errno.h>
#include <string.h>
#include <glib.h>
#include <spandsp.h>

#include "base/ring.h"
#include "line/backend.h"

/* 128 frames of 268 octets last 4 s on the line: longer than Q.921 keeps a window open. */
#define QUEUE_FRAMES 128

struct frame {
	uint16_t n_octets;
	uint8_t octets[TL_D_FRAME_MAX];
};

struct tl_d_channel {
	hdlc_tx_state_t *tx;
	hdlc_rx_state_t *rx;
	struct tl_ring *to_line; /* struct frame, main to media */
	struct tl_ring *to_main; /* struct frame, media to main */
	struct tl_span_counters *media;
};

static void on_hdlc_status(struct tl_d_channel *channel, int status)
{
	if (status == SIG_STATUS_ABORT)
		tl_count(&channel->media->d_aborts, 1);
}

static void on_hdlc_frame(void *user, const uint8_t *octets, int n_octets, int ok)
{
	struct tl_d_channel *channel = user;

	if (n_octets < 0)
		on_hdlc_status(channel, n_octets);
	else if (!ok)
		tl_count(&channel->media->d_bad_fcs, 1);
	else
		tl_d_channel_heard(channel, octets, (size_t)n_octets);
}

/* SpanDSP takes one frame at a time, and asks for the next one here as its FCS goes out. */
static void on_hdlc_underflow(void *user)
{
	struct tl_d_channel *channel = user;
	size_t n_octets;
	const uint8_t *octets = tl_d_channel_next(channel, &n_octets);

	if (octets && hdlc_tx_frame(channel->tx, octets, (int)n_octets) >= 0)
		tl_d_channel_sent(channel);
}

struct tl_d_channel *tl_d_channel_new(struct tl_span_counters *media)
{
	struct tl_d_channel *channel = g_new0(struct tl_d_channel, 1);

	channel->media = media;
	channel->to_line = tl_ring_new(QUEUE_FRAMES, sizeof(struct frame));
	channel->to_main = tl_ring_new(QUEUE_FRAMES, sizeof(struct frame));
	channel->tx = hdlc_tx_init(NULL, 0, 1, 0, on_hdlc_underflow, channel);
	channel->rx = hdlc_rx_init(NULL, 0, 1, 1, on_hdlc_frame, channel);
	hdlc_tx_flags(channel->tx, 2);
	return channel;
}

void tl_d_channel_free(struct tl_d_channel *channel)
{
	if (!channel)
		return;
	hdlc_rx_free(channel->rx);
	hdlc_tx_free(channel->tx);
	tl_ring_free(channel->to_main);
	tl_ring_free(channel->to_line);
	g_free(channel);
}

int tl_d_channel_queue(struct tl_d_channel *channel, const uint8_t *octets, size_t n_octets)
{
	struct frame frame;

	if (n_octets < 1 || n_octets > TL_D_FRAME_MAX)
		return -EMSGSIZE;
	frame.n_octets = (uint16_t)n_octets;
	memcpy(frame.octets, octets, n_octets);
	return tl_ring_push(channel->to_line, &frame) ? 0 : -ENOBUFS;
}

void tl_d_channel_deliver(struct tl_d_channel *channel, tl_d_frame_fn on_frame, void *user)
{
	struct frame frame;

	/* Copied out first: the handler may take its time and the media thread wants the place. */
	while (tl_ring_pop(channel->to_main, &frame))
		on_frame(frame.octets, frame.n_octets, user);
}

unsigned tl_d_channel_rx(struct tl_d_channel *channel, const uint8_t *octets, size_t n)
{
	hdlc_rx_put(channel->rx, octets, (int)n);
	return tl_ring_count(channel->to_main);
}

void tl_d_channel_tx(struct tl_d_channel *channel, uint8_t *octets, size_t n)
{
	/* The underflow is told once a frame; a queue that was empty then is looked at here. */
	on_hdlc_underflow(channel);
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)hdlc_tx_get_byte(channel->tx);
}

void tl_d_channel_heard(struct tl_d_channel *channel, const uint8_t *octets, size_t n_octets)
{
	struct frame frame = { .n_octets = (uint16_t)n_octets };

	if (n_octets > TL_D_FRAME_MAX) {
		tl_count(&channel->media->d_overflows, 1);
		return;
	}
	memcpy(frame.octets, octets, n_octets);
	if (tl_ring_push(channel->to_main, &frame))
		tl_count(&channel->media->d_frames_received, 1);
	else
		tl_count(&channel->media->d_overflows, 1);
}

const uint8_t *tl_d_channel_next(struct tl_d_channel *channel, size_t *n_octets)
{
	const struct frame *frame = tl_ring_peek(channel->to_line);

	if (!frame)
		return NULL;
	*n_octets = frame->n_octets;
	return frame->octets;
}

void tl_d_channel_sent(struct tl_d_channel *channel)
{
	tl_ring_drop(channel->to_line);
	tl_count(&channel->media->d_frames_sent, 1);
}
