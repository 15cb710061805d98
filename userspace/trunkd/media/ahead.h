/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Asking for memory before its turn. At hundreds of calls nothing of a port is
 * left in the cache when the tick comes to it again, and waiting for what it
 * touches first was a fifth of the thread's time. Some turns ahead the port is
 * asked for, later what it points to, at last what that points to. Thread: tick.
 */
#pragma once

#include <stddef.h>

#include "media/bridge.h"
#include "media/session.h"

#define TL_AHEAD 4 /* turns between one step and the next */

static inline void tl_ahead(const void *at, size_t octets)
{
	for (size_t i = 0; i < octets; i += 64)
		__builtin_prefetch((const char *)at + i);
}

static inline void tl_ahead_of_port(const struct tl_port *port)
{
	if (port->rtp)
		tl_ahead(port->rtp, offsetof(struct tl_rtp_session, packet));
	if (port->detector)
		tl_ahead(port->detector, 1);
	if (port->bridge)
		tl_ahead(&port->bridge->ports, 1);
}

static inline void tl_ahead_of_audio(const struct tl_port *port)
{
	if (port->rtp)
		tl_jitter_ahead(&port->rtp->jitter);
	if (port->detector)
		tl_dtmf_detector_ahead(port->detector);
}

/** Port @i is about to be taken from: asks for those after it. */
static inline void tl_ahead_of_take(struct tl_media *media, unsigned i)
{
	unsigned n = media->n_attached;
	if (i + 3 * TL_AHEAD < n)
		tl_ahead(media->ports[i + 3 * TL_AHEAD], offsetof(struct tl_port, tally));
	if (i + 2 * TL_AHEAD < n)
		tl_ahead_of_port(media->ports[i + 2 * TL_AHEAD]);
	if (i + TL_AHEAD < n)
		tl_ahead_of_audio(media->ports[i + TL_AHEAD]);
}

static inline void tl_ahead_of_packet(const struct tl_port *port)
{
	if (port->bridge)
		tl_ahead(&port->bridge->ports, 1);
	if (!port->rtp)
		return;
	tl_ahead(port->rtp, offsetof(struct tl_rtp_session, source));
	tl_ahead(&port->rtp->sequence, 2 * TL_BLOCK_OCTETS);
	tl_ahead(&port->rtp->event_out, 1);
}

/** Port @i is about to be given to: asks for those after it. */
static inline void tl_ahead_of_give(struct tl_media *media, unsigned i)
{
	unsigned n = media->n_attached;
	if (i + 2 * TL_AHEAD < n)
		tl_ahead(media->ports[i + 2 * TL_AHEAD], offsetof(struct tl_port, tally));
	if (i + TL_AHEAD < n)
		tl_ahead_of_packet(media->ports[i + TL_AHEAD]);
}
