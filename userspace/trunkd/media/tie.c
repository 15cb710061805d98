/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/tie.h"

#include <string.h>

#include "base/thread.h"
#include "media/g711.h"
#include "media/session.h"

#define DEPTH 2         /* blocks: the other thread may be in the same tick still, or through with it already */
#define DEPTH_MAX 5     /* beyond it, after a hold-up, they are dropped down to DEPTH */
#define ROOM 16

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

/* ---- the port's thread ---- */

void tl_port_set_tie(struct tl_port *port, struct tl_tie *tie)
{
	if (port->tie)
		tl_media_return(port->media, &port->tie->parcel);
	port->tie = tie;
	if (tie)
		tie->hears = (struct tl_tie_block){ .law = port->law, .event = -1 };
	if (port->rtp)
		tl_rtp_session_set_fixed(port->rtp, tie && tie->fixed);
}

void tl_tie_exchange(struct tl_port *port)
{
	struct tl_tie *tie = port->tie;
	struct tl_tie_block block = { .law = port->law, .event = port->said_event };
	memcpy(block.octets, port->said, TL_BLOCK_OCTETS);
	give(port->media, &tie->said, &block);
	if (take(port->media, &tie->heard, &tie->hears))
		return;
	tie->hears = (struct tl_tie_block){ .law = port->law, .event = -1 };
	memset(tie->hears.octets, tl_law_idle(port->law), TL_BLOCK_OCTETS);
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
	proxy->said = proxy->block;
	if (!take(proxy->media, &proxy->tie->said, &block)) {
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
