/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Frames into packets: ticks of 80 frames in, packets of the agreed number of
 * frames out, with control word, CAS multiframe and sequence, queued until
 * they may go. No socket, no clock. Thread: media, but for new and free.
 * Inside this room only.
 */
#pragma once

#include "line/cesop.h"
#include "line/line.h"
#include "line/peer.h"

struct tl_packer;

/** What the control words of a tick's packets say. */
struct tl_packer_status {
	bool l, r, rdi;
};

/** Packets that a tick can complete at most. */
unsigned tl_packer_tick_packets(const struct tl_cesop_format *format);

/** @sequence: of the first packet; should be random (RFC 5086 4.3). (transfer full) Thread: main. */
struct tl_packer *tl_packer_new(const struct tl_cesop_format *format, uint16_t sequence);
/** NULL is legal. Thread: main. */
void tl_packer_free(struct tl_packer *packer);

/** Packs 10 ms of @tx, indexed by slot; @cas: by slot. The oldest queued packets give way when all room is taken. */
void tl_packer_put(struct tl_packer *packer, const uint8_t tx[][TL_BLOCK_OCTETS], const uint8_t *cas,
		   const struct tl_packer_status *status);

/** Takes up to @most packets off the queue, oldest first, to @datagrams; they live until the next put. */
unsigned tl_packer_take(struct tl_packer *packer, struct tl_peer_datagram *datagrams, unsigned most);
