/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <tiffio.h>

#include "fax/inside.h"

#define RUN_BLOCKS 40

static int bit_of_nothing(void *user)
{
	return 1;
}

static void bit_to_nobody(void *user, int bit)
{
}

static void hear_v17(v17_rx_state_t *rx, v17_tx_state_t *tx)
{
	int16_t samples[TL_BLOCK_OCTETS];
	for (unsigned i = 0; i < RUN_BLOCKS; i++)
		v17_rx(rx, samples, v17_tx(tx, samples, TL_BLOCK_OCTETS));
	v17_rx_free(rx);
	v17_tx_free(tx);
}

static void hear_v29(v29_rx_state_t *rx, v29_tx_state_t *tx)
{
	int16_t samples[TL_BLOCK_OCTETS];
	for (unsigned i = 0; i < RUN_BLOCKS; i++)
		v29_rx(rx, samples, v29_tx(tx, samples, TL_BLOCK_OCTETS));
	v29_rx_free(rx);
	v29_tx_free(tx);
}

static void hear_v27ter(v27ter_rx_state_t *rx, v27ter_tx_state_t *tx)
{
	int16_t samples[TL_BLOCK_OCTETS];
	for (unsigned i = 0; i < RUN_BLOCKS; i++)
		v27ter_rx(rx, samples, v27ter_tx(tx, samples, TL_BLOCK_OCTETS));
	v27ter_rx_free(rx);
	v27ter_tx_free(tx);
}

static void converse(void)
{
	fax_state_t *ends[2] = { fax_init(NULL, TRUE), fax_init(NULL, FALSE) };
	int16_t samples[2][TL_BLOCK_OCTETS];
	for (unsigned e = 0; e < 2; e++)
		fax_set_transmit_on_idle(ends[e], TRUE);
	for (unsigned i = 0; i < RUN_BLOCKS; i++) {
		for (unsigned e = 0; e < 2; e++)
			fax_tx(ends[e], samples[e], TL_BLOCK_OCTETS);
		for (unsigned e = 0; e < 2; e++)
			fax_rx(ends[e], samples[!e], TL_BLOCK_OCTETS);
	}
	for (unsigned e = 0; e < 2; e++)
		fax_free(ends[e]);
}

void tl_fax_warm_up(void)
{
	static bool done;
	if (done)
		return;
	done = true;
	/* What a far end, or a document, makes libtiff complain of is no news for our standard error. */
	TIFFSetErrorHandler(NULL);
	TIFFSetWarningHandler(NULL);
	hear_v17(v17_rx_init(NULL, 14400, bit_to_nobody, NULL), v17_tx_init(NULL, 14400, FALSE, bit_of_nothing, NULL));
	hear_v29(v29_rx_init(NULL, 9600, bit_to_nobody, NULL), v29_tx_init(NULL, 9600, FALSE, bit_of_nothing, NULL));
	hear_v27ter(v27ter_rx_init(NULL, 4800, bit_to_nobody, NULL), v27ter_tx_init(NULL, 4800, FALSE, bit_of_nothing, NULL));
	converse();
}
