// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rings hold frames of 32 octets, each group of four in reverse order
 * (tiger320.md Q2). A group of four slots by eight frames is transposed with
 * words of eight octets: about sixty instructions where a loop over octets
 * takes several hundred.
 */
#include "dma.h"

#include <linux/string.h>
#include <asm/byteorder.h>

#define GROUPS		(TL_DMA_SLOTS / 4)
#define EVEN_OCTETS	0x00ff00ff00ff00ffULL
#define EVEN_PAIRS	0x0000ffff0000ffffULL
#define EVERY_OCTET	0x0101010101010101ULL

/*
 * Two 4 x 4 transpositions at once. In: word i has row i in its lower half
 * and row i + 4 in its upper half. Out: word i has column i, rows 0-7.
 * It is its own inverse.
 */
static inline void transpose(u64 w[4])
{
	u64 a = (w[0] & EVEN_OCTETS) | (w[1] & EVEN_OCTETS) << 8;
	u64 b = (w[0] >> 8 & EVEN_OCTETS) | (w[1] & ~EVEN_OCTETS);
	u64 c = (w[2] & EVEN_OCTETS) | (w[3] & EVEN_OCTETS) << 8;
	u64 d = (w[2] >> 8 & EVEN_OCTETS) | (w[3] & ~EVEN_OCTETS);

	w[0] = (a & EVEN_PAIRS) | (c & EVEN_PAIRS) << 16;
	w[1] = (b & EVEN_PAIRS) | (d & EVEN_PAIRS) << 16;
	w[2] = (a >> 16 & EVEN_PAIRS) | (c & ~EVEN_PAIRS);
	w[3] = (b >> 16 & EVEN_PAIRS) | (d & ~EVEN_PAIRS);
}

void tl_dma_init(struct tl_dma *dma, u8 *tx_ring, u8 *rx_ring, u8 idle)
{
	memset(tx_ring, idle, TL_DMA_RING_OCTETS);
	memset(rx_ring, idle, TL_DMA_RING_OCTETS);
	memset(dma->rx, idle, sizeof(dma->rx));
	memset(dma->tx, idle, sizeof(dma->tx));
	memset(dma->lag, idle, sizeof(dma->lag));
	dma->tx_ring = tx_ring;
	dma->rx_ring = rx_ring;
}

void tl_dma_receive(struct tl_dma *dma, unsigned int half)
{
	const __le32 *ring = (const __le32 *)(dma->rx_ring +
					      half * TL_DMA_HALF_OCTETS);
	unsigned int g, i;

	for (g = 0; g < GROUPS; g++) {
		u64 w[4];

		for (i = 0; i < 4; i++)
			w[i] = le32_to_cpu(ring[i * GROUPS + g]) |
			       (u64)le32_to_cpu(ring[(i + 4) * GROUPS + g]) << 32;
		transpose(w);
		for (i = 0; i < 4; i++)
			dma->rx[4 * g + 3 - i] = (__force u64)cpu_to_le64(w[i]);
	}
}

/* Lay @tx out as frames, the first of them LAG octets into @frames. */
static inline void lay_out(const struct tl_dma *dma, __le32 *frames)
{
	unsigned int g, i;

	for (g = 0; g < GROUPS; g++) {
		u64 w[4];

		for (i = 0; i < 4; i++)
			w[i] = le64_to_cpu((__force __le64)dma->tx[4 * g + 3 - i]);
		transpose(w);
		for (i = 0; i < 4; i++) {
			frames[i * GROUPS + g] = cpu_to_le32((u32)w[i]);
			frames[(i + 4) * GROUPS + g] = cpu_to_le32(w[i] >> 32);
		}
	}
}

void tl_dma_transmit(struct tl_dma *dma, unsigned int half)
{
	u8 *ring = dma->tx_ring + half * TL_DMA_HALF_OCTETS;
	__le32 frames[TL_DMA_HALF_OCTETS / 4];

	lay_out(dma, frames);
	memcpy(ring, dma->lag, TL_DMA_LAG_OCTETS);
	memcpy(ring + TL_DMA_LAG_OCTETS, frames,
	       TL_DMA_HALF_OCTETS - TL_DMA_LAG_OCTETS);
	memcpy(dma->lag, (u8 *)frames + TL_DMA_HALF_OCTETS - TL_DMA_LAG_OCTETS,
	       TL_DMA_LAG_OCTETS);
}

/* The frame alignment signal, x0011011, is in every other frame (G.704 2.3.2). */
bool tl_dma_is_aligned_e1(const struct tl_dma *dma)
{
	u64 word = le64_to_cpu((__force __le64)dma->rx[0]);
	const u64 mask = EVEN_OCTETS & 0x7f * EVERY_OCTET;
	const u64 signal = EVEN_OCTETS & 0x1b * EVERY_OCTET;

	return (word & mask) == signal || (word >> 8 & mask) == signal;
}

/*
 * Slots 4, 8, ... 28 carry nothing, all ones; slot 0 carries the F bit on top
 * of ones (falc56.md Q6). Out of place, the F bit's 0x7f shows up in another.
 */
bool tl_dma_is_aligned_t1(const struct tl_dma *dma)
{
	u64 word = ~0ULL;
	unsigned int slot;

	for (slot = 4; slot < TL_DMA_SLOTS; slot += 4)
		word &= dma->rx[slot];
	return word == ~0ULL;
}
