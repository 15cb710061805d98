/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The rings' layout, octet by octet, against a plain reading of tiger320.md. */
#include "dma.h"

#include <glib.h>
#include <string.h>

#define IDLE 0xd5

struct rings {
	struct tl_dma dma;
	u8 tx[TL_DMA_RING_OCTETS] __attribute__((aligned(4)));
	u8 rx[TL_DMA_RING_OCTETS] __attribute__((aligned(4)));
};

static u8 octet_of(unsigned ms, unsigned frame, unsigned slot)
{
	unsigned x = (ms * 8 + frame) * 2654435761u ^ slot * 40503u;

	return (u8)(x >> 13 ^ x);
}

/* Octet n of a stream of frames is in a ring at n with its word's order reversed. */
static unsigned place(unsigned octet)
{
	return octet ^ 3;
}

static void test_idle(void)
{
	struct rings r;

	memset(&r, 0xa5, sizeof(r));
	tl_dma_init(&r.dma, r.tx, r.rx, IDLE);
	for (unsigned i = 0; i < TL_DMA_RING_OCTETS; i++) {
		g_assert_cmphex(r.tx[i], ==, IDLE);
		g_assert_cmphex(r.rx[i], ==, IDLE);
	}
	tl_dma_transmit(&r.dma, 0);
	tl_dma_receive(&r.dma, 1);
	for (unsigned i = 0; i < TL_DMA_RING_OCTETS; i++)
		g_assert_cmphex(r.tx[i], ==, IDLE);
	for (unsigned slot = 0; slot < TL_DMA_SLOTS; slot++)
		g_assert_cmphex(r.dma.rx[slot], ==, 0xd5d5d5d5d5d5d5d5);
}

static void test_receive(void)
{
	struct rings r;

	tl_dma_init(&r.dma, r.tx, r.rx, IDLE);
	for (unsigned ms = 0; ms < 6; ms++) {
		u8 *half = r.rx + ms % 2 * TL_DMA_HALF_OCTETS;

		for (unsigned f = 0; f < TL_DMA_FRAMES; f++)
			for (unsigned s = 0; s < TL_DMA_SLOTS; s++)
				half[place(f * TL_DMA_SLOTS + s)] = octet_of(ms, f, s);
		tl_dma_receive(&r.dma, ms % 2);
		for (unsigned s = 0; s < TL_DMA_SLOTS; s++)
			for (unsigned f = 0; f < TL_DMA_FRAMES; f++)
				g_assert_cmphex(((u8 *)&r.dma.rx[s])[f], ==, octet_of(ms, f, s));
	}
}

/* The card sends an octet's worth of words late: 28 octets is 4 short of a frame. */
static void test_transmit(void)
{
	struct rings r;
	u8 line[6 * TL_DMA_HALF_OCTETS];

	tl_dma_init(&r.dma, r.tx, r.rx, IDLE);
	for (unsigned ms = 0; ms < 6; ms++) {
		const u8 *half = r.tx + ms % 2 * TL_DMA_HALF_OCTETS;

		for (unsigned s = 0; s < TL_DMA_SLOTS; s++)
			for (unsigned f = 0; f < TL_DMA_FRAMES; f++)
				((u8 *)&r.dma.tx[s])[f] = octet_of(ms, f, s);
		tl_dma_transmit(&r.dma, ms % 2);
		for (unsigned i = 0; i < TL_DMA_HALF_OCTETS; i++)
			line[ms * TL_DMA_HALF_OCTETS + place(i)] = half[i];
	}
	for (unsigned i = 0; i < TL_DMA_LAG_OCTETS; i++)
		g_assert_cmphex(line[i], ==, IDLE);
	for (unsigned n = 0; n < sizeof(line) - TL_DMA_LAG_OCTETS; n++)
		g_assert_cmphex(line[n + TL_DMA_LAG_OCTETS], ==,
				octet_of(n / TL_DMA_HALF_OCTETS, n / TL_DMA_SLOTS % TL_DMA_FRAMES,
					 n % TL_DMA_SLOTS));
}

static void test_other_half_untouched(void)
{
	struct rings r;

	tl_dma_init(&r.dma, r.tx, r.rx, IDLE);
	memset(r.dma.tx, 0x11, sizeof(r.dma.tx));
	tl_dma_transmit(&r.dma, 1);
	for (unsigned i = 0; i < TL_DMA_HALF_OCTETS; i++)
		g_assert_cmphex(r.tx[i], ==, IDLE);
}

static void test_slots(void)
{
	static const unsigned t1[24] = { 1,  2,  3,  5,  6,  7,  9,  10, 11, 13, 14, 15,
					 17, 18, 19, 21, 22, 23, 25, 26, 27, 29, 30, 31 };

	for (unsigned channel = 1; channel <= 24; channel++)
		g_assert_cmpuint(tl_dma_slot_t1(channel), ==, t1[channel - 1]);
	g_assert_cmpuint(tl_dma_slot_e1(31), ==, 31);
}

static void fill_slot(struct tl_dma *dma, unsigned slot, const u8 octets[8])
{
	memcpy(&dma->rx[slot], octets, 8);
}

static void test_alignment_e1(void)
{
	static const u8 even[8] = { 0x9b, 0xdf, 0x1b, 0xff, 0x9b, 0xdf, 0x9b, 0x40 };
	static const u8 odd[8] = { 0xdf, 0x9b, 0xff, 0x1b, 0xdf, 0x9b, 0x40, 0x9b };
	static const u8 broken[8] = { 0x9b, 0xdf, 0x9b, 0xdf, 0x9a, 0xdf, 0x9b, 0xdf };
	struct tl_dma dma = { 0 };

	fill_slot(&dma, 0, even);
	g_assert_true(tl_dma_is_aligned_e1(&dma));
	fill_slot(&dma, 0, odd);
	g_assert_true(tl_dma_is_aligned_e1(&dma));
	fill_slot(&dma, 0, broken);
	g_assert_false(tl_dma_is_aligned_e1(&dma));
}

static void test_alignment_t1(void)
{
	static const u8 f_bit[8] = { 0x7f, 0xff, 0x7f, 0x7f, 0xff, 0xff, 0x7f, 0xff };
	struct tl_dma dma;

	memset(&dma, 0xff, sizeof(dma));
	fill_slot(&dma, 0, f_bit);
	fill_slot(&dma, 1, (const u8[8]){ 0x7f });
	g_assert_true(tl_dma_is_aligned_t1(&dma));
	fill_slot(&dma, 28, f_bit);
	g_assert_false(tl_dma_is_aligned_t1(&dma));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/driver/dma/idle", test_idle);
	g_test_add_func("/driver/dma/receive", test_receive);
	g_test_add_func("/driver/dma/transmit", test_transmit);
	g_test_add_func("/driver/dma/other-half-untouched", test_other_half_untouched);
	g_test_add_func("/driver/dma/slots", test_slots);
	g_test_add_func("/driver/dma/alignment-e1", test_alignment_e1);
	g_test_add_func("/driver/dma/alignment-t1", test_alignment_t1);
	return g_test_run();
}
