/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/tie.h"

#include <string.h>

#include "base/thread.h"
#include "media/g711.h"
#include "media/session.h"

#define DEPTH 2         /* blocks: the other thread may be in the same tick still, or through with it already */
#define DEPTH_MAX 5     /* beyond it, after a hold-up, they are dropped down to DEPTH */
#define ROOM 16
#define VIDEO_ROOM 64   /* packets: a burst, and a thread that is a few ticks behind */

/* ---- main ---- */

void tl_tie_begin(struct tl_port *port, struct tl_bridge *bridge)
{
	tl_assert_main();
	struct tl_tie *tie = g_new0(struct tl_tie, 1);
	tie->parcel.kind = TL_PARCEL_TIE;
	tie->first = port->media->first;
	tie->fixed = bridge->kind == TL_BRIDGE_CLEAR;
	tie->said.blocks = tl_ring_new(ROOM, sizeof(struct tl_tie_block));
	tie->heard.blocks = tl_ring_new(ROOM, sizeof(struct tl_tie_block));
	if (port->rtp && port->rtp->rtp.fd < 0) {
		tie->said.video = tl_ring_new(VIDEO_ROOM, sizeof(struct tl_tie_video));
		tie->heard.video = tl_ring_new(VIDEO_ROOM, sizeof(struct tl_tie_video));
	}
	tie->proxy = tl_port_make(bridge->media, TL_PORT_TIE, port->main_law, NULL);
	tie->proxy->freed = true; /* nobody is told of it */
	tie->proxy->tie = tie;
	tie->first->n_ties++;
	port->main_tie = tie;
	tl_media_command(bridge->media, &(struct tl_command){ TL_COMMAND_PORT_ATTACH, .port = tie->proxy });
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_TIE, .port = port, .tie = tie });
}

void tl_tie_end(struct tl_port *port)
{
	tl_assert_main();
	struct tl_port *proxy = port->main_tie->proxy;
	port->main_tie = NULL;
	tl_media_command(proxy->media, &(struct tl_command){ TL_COMMAND_PORT_DETACH, .port = proxy });
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_TIE, .port = port, .tie = NULL });
}

struct tl_port *tl_tie_member(struct tl_port *port)
{
	return port->main_tie ? port->main_tie->proxy : port;
}

static void free_when_both_did(struct tl_tie *tie)
{
	if (!tie->returned || !tie->proxy_returned)
		return;
	tie->first->n_ties--;
	tl_ring_free(tie->said.blocks);
	tl_ring_free(tie->heard.blocks);
	tl_ring_free(tie->said.video);
	tl_ring_free(tie->heard.video);
	g_free(tie->proxy);
	g_free(tie);
}

void tl_tie_returned(struct tl_tie *tie)
{
	tie->returned = true;
	free_when_both_did(tie);
}

void tl_tie_proxy_returned(struct tl_tie *tie)
{
	tie->proxy_returned = true;
	free_when_both_did(tie);
}

/* ---- either thread ---- */

/* False: there is nothing to hear in this tick. */
static bool take(struct tl_media *media, struct tl_tie_way *way, struct tl_tie_block *block)
{
	unsigned n = tl_ring_count(way->blocks);
	for (unsigned over = n > DEPTH_MAX ? n - DEPTH : 0; over && tl_ring_pop(way->blocks, block); over--)
		TL_COUNT(media->tie_dropped, 1);
	if (!way->flows && n < DEPTH)
		return false;
	if (!tl_ring_pop(way->blocks, block)) {
		way->flows = false;
		TL_COUNT(media->tie_missed, 1);
		return false;
	}
	way->flows = true;
	return true;
}

static void give(struct tl_media *media, struct tl_tie_way *way, const struct tl_tie_block *block)
{
	if (!tl_ring_push(way->blocks, block))
		TL_COUNT(media->tie_dropped, 1);
}

static bool give_video(struct tl_tie_way *way, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	struct tl_tie_video video;
	if (!way->video || n > sizeof video.octets)
		return false;
	video.word = *word;
	video.n = n;
	if (n)
		memcpy(video.octets, octets, n);
	return tl_ring_push(way->video, &video);
}

/* Tells @to what has come. Returns how many packets it would not have. */
static unsigned pass_video(struct tl_tie_way *way, struct tl_port *to)
{
	const struct tl_tie_video *video;
	unsigned dropped = 0;
	for (unsigned n = way->video ? tl_ring_count(way->video) : 0; n && (video = tl_ring_peek(way->video)); n--) {
		bool taken = to && tl_port_tell_video(to, &video->word, video->octets, video->n);
		dropped += !taken && video->word.kind == TL_VIDEO_PACKET;
		tl_ring_drop(way->video);
	}
	return dropped;
}

/* ---- the port's thread ---- */

void tl_port_set_tie(struct tl_port *port, struct tl_tie *tie)
{
	if (port->tie)
		tl_media_return(port->media, &port->tie->parcel);
	port->tie = tie;
	if (tie)
		tie->hears = (struct tl_tie_block){ .law = port->law, .event = -1 };
	if (!port->rtp)
		return;
	tl_rtp_session_set_fixed(port->rtp, tie && tie->fixed);
	tl_rtp_session_set_deep(port->rtp, port->tap != NULL); /* held still no longer */
}

void tl_tie_exchange(struct tl_port *port)
{
	struct tl_tie *tie = port->tie;
	struct tl_tie_block block = { .law = port->law, .event = port->said_event };
	memcpy(block.octets, port->said, TL_BLOCK_OCTETS);
	give(port->media, &tie->said, &block);
	unsigned dropped = pass_video(&tie->heard, port);
	dropped += atomic_exchange_explicit(&tie->video_dropped, 0, memory_order_relaxed);
	TL_COUNT(port->tally.video_dropped, dropped);
	if (take(port->media, &tie->heard, &tie->hears))
		return;
	tie->hears = (struct tl_tie_block){ .law = port->law, .event = -1 };
	memset(tie->hears.octets, tl_law_idle(port->law), TL_BLOCK_OCTETS);
}

bool tl_tie_tell_video(struct tl_tie *tie, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	return give_video(&tie->said, word, octets, n);
}

int tl_tie_hear(struct tl_port *port, uint8_t *block)
{
	const struct tl_tie_block *hears = &port->tie->hears;
	tl_g711_convert(hears->law, port->law, hears->octets, block, TL_BLOCK_OCTETS);
	return hears->event;
}

/* ---- the bridge's thread ---- */

void tl_tie_take(struct tl_port *proxy)
{
	struct tl_tie_block block;
	struct tl_tie *tie = proxy->tie;
	unsigned dropped = pass_video(&tie->said, tl_bridge_other(proxy->bridge, proxy));
	if (dropped)
		atomic_fetch_add_explicit(&tie->video_dropped, dropped, memory_order_relaxed);
	proxy->said = proxy->block;
	if (!take(proxy->media, &tie->said, &block)) {
		memset(proxy->block, tl_law_idle(proxy->law), TL_BLOCK_OCTETS);
		return;
	}
	proxy->law = block.law;
	proxy->said_event = block.event;
	memcpy(proxy->block, block.octets, TL_BLOCK_OCTETS);
}

void tl_tie_give(struct tl_port *proxy)
{
	struct tl_tie_block block = { .law = proxy->law, .event = -1 };
	if (proxy->bridge)
		block.event = tl_bridge_block(proxy->bridge, proxy, block.octets);
	else
		memset(block.octets, tl_law_idle(proxy->law), TL_BLOCK_OCTETS);
	give(proxy->media, &proxy->tie->heard, &block);
}

bool tl_tie_hear_video(struct tl_tie *tie, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	return give_video(&tie->heard, word, octets, n);
}
