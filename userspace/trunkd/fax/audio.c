/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A terminal by audio: SpanDSP's modems between T.30 and G.711. Thread: fax. */
#include <string.h>

#include "fax/inside.h"

/* 60 ms: packets that were lost, which a modem lives through when it is told. Beyond it the far end has nothing to say. */
#define FILLED_IN_MAX 6

/* Of two machines one is silent nearly always. */
static bool is_all(const void *octets, size_t n, uint8_t octet)
{
	const uint8_t *at = octets;
	return at[0] == octet && !memcmp(at, at + 1, n - 1);
}

bool tl_fax_encode(enum tl_law law, const int16_t *samples, uint8_t *octets)
{
	bool silent = is_all(samples, TL_BLOCK_OCTETS * sizeof *samples, 0);
	if (silent)
		memset(octets, tl_law_idle(law), TL_BLOCK_OCTETS);
	else
		tl_g711_encode(law, samples, octets, TL_BLOCK_OCTETS);
	return silent;
}

void tl_fax_audio_open(struct tl_fax *fax)
{
	fax->audio = fax_init(NULL, fax->config.calling);
	fax_set_transmit_on_idle(fax->audio, TRUE);
	fax->t30 = fax_get_t30_state(fax->audio);
}

void tl_fax_audio_close(struct tl_fax *fax)
{
	fax_free(fax->audio);
	fax->audio = NULL;
}

void tl_fax_audio_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS])
{
	const struct tl_fax_faults *faults = fax->config.faults;
	enum tl_law law = tl_tap_law(fax->tap);
	int16_t samples[TL_BLOCK_OCTETS];
	if (fax->hold == TL_FAX_OPEN && fax->missing && fax->missing <= FILLED_IN_MAX) {
		fax_rx_fillin(fax->audio, TL_BLOCK_OCTETS);
	} else if (fax->hold == TL_FAX_OPEN) {
		tl_g711_decode(law, in, samples, TL_BLOCK_OCTETS);
		if (faults && faults->heard)
			faults->heard(samples, TL_BLOCK_OCTETS, fax->user);
		tl_fax_terminal_hear(fax, samples);
		fax_rx(fax->audio, samples, TL_BLOCK_OCTETS);
	}
	/* The handler may have closed it just now: what T.30 has ready to say is not asked for. */
	if (fax->hold != TL_FAX_OPEN) {
		memset(out, tl_law_idle(law), TL_BLOCK_OCTETS);
		return;
	}
	int n = fax_tx(fax->audio, samples, TL_BLOCK_OCTETS);
	memset(samples + n, 0, (TL_BLOCK_OCTETS - n) * sizeof *samples);
	if (faults && faults->said)
		faults->said(samples, TL_BLOCK_OCTETS, fax->user);
	fax->silent = tl_fax_encode(law, samples, out);
}
