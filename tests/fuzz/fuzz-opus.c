/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What comes as Opus: packets of any octets at any time, between blocks that are taken. Each: u16 length, u32 timestamp. */
#include <glib.h>
#include <string.h>

#include "media/opus-in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tl_opus_in *in = tl_opus_in_new(120);
	int16_t block[TL_BLOCK_OCTETS];
	uint32_t at = 0;
	while (size >= 6) {
		size_t n = MIN((size_t)(data[0] << 8 | data[1]), size - 6);
		uint32_t timestamp = (uint32_t)data[2] << 24 | data[3] << 16 | data[4] << 8 | data[5];
		uint32_t time = tl_opus_in_time(in, timestamp);
		uint8_t *packet = g_memdup2(data + 6, n); /* so that a step beyond it is seen */
		int samples = tl_opus_in_samples(packet, n);
		g_assert(samples <= 480);
		if (samples > 0)
			tl_opus_in_keep(in, time, packet, n, samples);
		g_free(packet);
		tl_opus_in_block(in, n % 3 ? at : time, block);
		at += TL_BLOCK_OCTETS;
		data += 6 + n;
		size -= 6 + n;
	}
	tl_opus_in_free(in);
	return 0;
}
