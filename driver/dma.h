/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the rings in memory that the card reads and writes, a frame after
 * the other, and the chunks that DAHDI wants, a timeslot after the other.
 * Knows no register and no bus. All functions may run in hard IRQ.
 */
#ifndef TL_DMA_H
#define TL_DMA_H

#include <linux/types.h>

#define TL_DMA_SLOTS		32
#define TL_DMA_FRAMES		8	/* in a half ring: 1 ms */
#define TL_DMA_HALF_OCTETS	(TL_DMA_SLOTS * TL_DMA_FRAMES)
#define TL_DMA_RING_OCTETS	(2 * TL_DMA_HALF_OCTETS)
/* What is sent runs this far behind what is received: tiger320.md Q3 */
#define TL_DMA_LAG_OCTETS	28

/* T1 channels 1-24 leave every fourth slot of a frame empty: falc56.md Q6 */
static inline unsigned int tl_dma_slot_t1(unsigned int channel)
{
	return channel + (channel - 1) / 3;
}

/* E1 timeslots are in their own slots. */
static inline unsigned int tl_dma_slot_e1(unsigned int timeslot)
{
	return timeslot;
}

/**
 * struct tl_dma - a span's octets
 * @rx_ring: TL_DMA_RING_OCTETS that the card writes
 * @tx_ring: TL_DMA_RING_OCTETS that the card reads
 * @rx: the last millisecond received, TL_DMA_FRAMES octets a slot
 * @tx: the next millisecond to send, TL_DMA_FRAMES octets a slot
 * @lag: the tail of the last chunk, not yet in the ring
 */
struct tl_dma {
	const u8 *rx_ring;
	u8 *tx_ring;
	u64 rx[TL_DMA_SLOTS];
	u64 tx[TL_DMA_SLOTS];
	u8 lag[TL_DMA_LAG_OCTETS];
};

/**
 * tl_dma_init - fill everything that may reach the line or DAHDI with @idle.
 * @tx_ring: as in struct tl_dma; borrowed until the stream has stopped
 * @rx_ring: likewise
 */
void tl_dma_init(struct tl_dma *dma, u8 *tx_ring, u8 *rx_ring, u8 idle);

/* tl_dma_receive - take half @half (0 or 1) of the ring into @rx. */
void tl_dma_receive(struct tl_dma *dma, unsigned int half);

/* tl_dma_transmit - put @tx into half @half (0 or 1) of the ring. */
void tl_dma_transmit(struct tl_dma *dma, unsigned int half);

/**
 * tl_dma_is_aligned_e1 - do the slots of @rx begin where a frame begins?
 * Means something only while the framer is in frame.
 */
bool tl_dma_is_aligned_e1(const struct tl_dma *dma);
bool tl_dma_is_aligned_t1(const struct tl_dma *dma);

#endif
