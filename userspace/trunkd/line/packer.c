/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/packer.h"

#include <glib.h>

struct tl_packer {
	struct tl_cesop_format format;
	uint16_t sequence;  /* of the packet being filled */
	uint32_t timestamp; /* of its first frame */
	unsigned filled;    /* frames in it */
	unsigned position;  /* of its first frame in the CAS multiframe */

	size_t stride;     /* octets of a packet's place */
	size_t header;     /* octets before the payload */
	unsigned n_places; /* the packet being filled included */
	unsigned head;     /* place of the packet being filled */
	unsigned queued;   /* complete ones before it */
	uint8_t *places;
	size_t *lengths;
};

unsigned tl_packer_tick_packets(const struct tl_cesop_format *format)
{
	return (TL_BLOCK_OCTETS + format->frames - 1) / format->frames;
}

struct tl_packer *tl_packer_new(const struct tl_cesop_format *format, uint16_t sequence)
{
	struct tl_packer *packer = g_new0(struct tl_packer, 1);

	packer->format = *format;
	packer->sequence = sequence;
	packer->header = (format->rtp ? 12 : 0) + 4;
	packer->stride = packer->header + (size_t)format->frames * format->slots + (format->slots + 1) / 2;
	/* Clock mode loop keeps a tick in hand and fills another. */
	packer->n_places = 2 * tl_packer_tick_packets(format) + 2;
	packer->places = g_malloc0(packer->n_places * packer->stride);
	packer->lengths = g_new0(size_t, packer->n_places);
	return packer;
}

void tl_packer_free(struct tl_packer *packer)
{
	if (!packer)
		return;
	g_free(packer->lengths);
	g_free(packer->places);
	g_free(packer);
}

/* FRG (RFC 5086 4.3): where in its multiframe the packet lies. */
static uint8_t fragment_of(const struct tl_packer *packer)
{
	const struct tl_cesop_format *format = &packer->format;

	if (!format->cas || format->frames == format->multiframe)
		return 0;
	if (packer->position == 0)
		return 1;
	return packer->position + format->frames == format->multiframe ? 2 : 3;
}

static void finish_packet(struct tl_packer *packer, const uint8_t *cas,
			  const struct tl_packer_status *status)
{
	uint8_t *place = packer->places + packer->head * packer->stride;
	struct tl_cesop_packet packet = {
		.l = status->l,
		.r = status->r,
		.m = !status->l && status->rdi ? 2 : 0,
		.fragment = fragment_of(packer),
		.sequence = packer->sequence,
		.rtp_timestamp = packer->timestamp,
		.payload = status->l ? NULL : place + packer->header,
	};

	for (unsigned slot = 1; packer->format.cas && slot <= packer->format.slots; slot++)
		packet.cas[slot] = cas[slot];
	packer->lengths[packer->head] = tl_cesop_format_packet(&packer->format, &packet, place);
	packer->head = (packer->head + 1) % packer->n_places;
	if (packer->queued < packer->n_places - 1)
		packer->queued++;
	packer->sequence++;
	packer->timestamp += packer->format.frames;
	packer->filled = 0;
	if (packer->format.cas)
		packer->position = (packer->position + packer->format.frames) % packer->format.multiframe;
}

void tl_packer_put(struct tl_packer *packer, const uint8_t tx[][TL_BLOCK_OCTETS], const uint8_t *cas,
		   const struct tl_packer_status *status)
{
	unsigned slots = packer->format.slots;

	for (unsigned at = 0; at < TL_BLOCK_OCTETS;) {
		unsigned n = MIN(packer->format.frames - packer->filled, TL_BLOCK_OCTETS - at);
		uint8_t *rows = packer->places + packer->head * packer->stride + packer->header +
				(size_t)packer->filled * slots;

		for (unsigned slot = 1; slot <= slots; slot++) {
			const uint8_t *from = &tx[slot][at];
			uint8_t *to = rows + slot - 1;

			for (unsigned i = 0; i < n; i++, to += slots)
				*to = from[i];
		}
		at += n;
		packer->filled += n;
		if (packer->filled == packer->format.frames)
			finish_packet(packer, cas, status);
	}
}

unsigned tl_packer_take(struct tl_packer *packer, struct tl_peer_datagram *datagrams, unsigned most)
{
	unsigned n = MIN(most, packer->queued);
	unsigned first = packer->head + packer->n_places - packer->queued;

	for (unsigned i = 0; i < n; i++) {
		unsigned place = (first + i) % packer->n_places;

		datagrams[i].octets = packer->places + place * packer->stride;
		datagrams[i].n_octets = packer->lengths[place];
	}
	packer->queued -= n;
	return n;
}
