/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A gateway: SpanDSP's, between the audio of a fax machine and a far end that speaks T.38 (ITU-T T.38 7). It keeps no page, and
 * confirms none: T.30 is between the two ends. Thread: fax.
 */
#include <string.h>

#include "fax/inside.h"

static int on_say(t38_core_state_t *core, void *user, const uint8_t *ifp, int n, int times)
{
	struct tl_fax *fax = user;
	tl_fax_way_say(&fax->way, ifp, n, times);
	return 0;
}

/*
 * SpanDSP's gateway plays a CNG to its end, 3.5 s, before anything that comes after it: a called machine that has spoken would repeat
 * itself (ITU-T T.30 5.4.3.1: T4, 3 s) over the answer. So it does not hear of it, and CNG is played here until something else comes.
 */
static void on_packet(const uint8_t *ifp, size_t n, uint16_t sequence, void *user)
{
	static const uint8_t cng[] = { T38_IND_CNG << 1 }, no_signal[] = { T38_IND_NO_SIGNAL << 1 };
	struct tl_fax *fax = user;
	bool calls = n == sizeof cng && ifp[0] == cng[0];
	if (calls && !fax->calls)
		modem_connect_tones_tx_init(fax->cng, MODEM_CONNECT_TONES_FAX_CNG);
	fax->calls = calls;
	if (calls)
		ifp = no_signal;
	t38_core_rx_ifp_packet(t38_gateway_get_t38_core_state(fax->gateway), ifp, n, sequence);
}

void tl_fax_gateway_open(struct tl_fax *fax)
{
	fax->way = (struct tl_fax_way){ .tap = fax->image_tap };
	tl_fax_way_open(&fax->way, &fax->config.t38, on_packet, fax);
	fax->cng = modem_connect_tones_tx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG);
	fax->gateway = t38_gateway_init(NULL, on_say, fax);
	tl_fax_way_set_up(t38_gateway_get_t38_core_state(fax->gateway), &fax->config.t38);
	t38_gateway_set_transmit_on_idle(fax->gateway, TRUE);
	t38_gateway_set_ecm_capability(fax->gateway, TRUE);
	t38_gateway_set_fill_bit_removal(fax->gateway, FALSE);
	t38_gateway_set_supported_modems(fax->gateway, tl_fax_modems_within(TL_FAX_ALL, fax->config.t38.bit_rate));
}

void tl_fax_gateway_note(struct tl_fax *fax)
{
	t38_stats_t stats;
	t38_gateway_get_transfer_statistics(fax->gateway, &stats);
	fax->result.pages = stats.pages_transferred;
	fax->result.bit_rate = stats.bit_rate;
	fax->result.ecm = stats.error_correcting_mode;
}

void tl_fax_gateway_close(struct tl_fax *fax)
{
	tl_fax_way_close(&fax->way);
	t38_gateway_free(fax->gateway);
	modem_connect_tones_tx_free(fax->cng);
	fax->gateway = NULL;
}

/* The image's tap has no audio: its blocks are given back so that its line's time goes on. */
static void return_blocks(struct tl_tap *tap)
{
	uint8_t block[TL_BLOCK_OCTETS];
	bool missing;
	while (tl_tap_take(tap, block, &missing)) {
		memset(block, tl_law_idle(tl_tap_law(tap)), TL_BLOCK_OCTETS);
		tl_tap_give(tap, block);
	}
}

void tl_fax_gateway_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS])
{
	enum tl_law law = tl_tap_law(fax->tap);
	int16_t samples[TL_BLOCK_OCTETS];
	return_blocks(fax->image_tap);
	while (tl_fax_way_hear(&fax->way))
		;
	tl_fax_way_block(&fax->way);
	tl_g711_decode(law, in, samples, TL_BLOCK_OCTETS);
	t38_gateway_rx(fax->gateway, samples, TL_BLOCK_OCTETS);
	int n = t38_gateway_tx(fax->gateway, samples, TL_BLOCK_OCTETS);
	memset(samples + n, 0, (TL_BLOCK_OCTETS - n) * sizeof *samples);
	if (!tl_fax_encode(law, samples, out) || !fax->calls)
		return;
	modem_connect_tones_tx(fax->cng, samples, TL_BLOCK_OCTETS);
	tl_g711_encode(law, samples, out, TL_BLOCK_OCTETS);
}
