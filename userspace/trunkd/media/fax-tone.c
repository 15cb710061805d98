/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/fax-tone.h"

#include <spandsp.h>

struct tl_fax_ear {
	modem_connect_tones_rx_state_t *cng, *ced;
	bool began;
	enum tl_fax_tone tone;
};

static void on_cng(void *user, int code, int level, int delay)
{
	struct tl_fax_ear *ear = user;
	if (code != MODEM_CONNECT_TONES_FAX_CNG)
		return;
	ear->began = true;
	ear->tone = TL_FAX_TONE_CNG;
}

static void on_ced(void *user, int code, int level, int delay)
{
	struct tl_fax_ear *ear = user;
	if (code == MODEM_CONNECT_TONES_NONE)
		return;
	ear->began = true;
	ear->tone = code == MODEM_CONNECT_TONES_FAX_PREAMBLE ? TL_FAX_TONE_PREAMBLE : TL_FAX_TONE_CED;
}

struct tl_fax_ear *tl_fax_ear_new(void)
{
	struct tl_fax_ear *ear = g_new0(struct tl_fax_ear, 1);
	ear->cng = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG, on_cng, ear);
	ear->ced = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE, on_ced, ear);
	return ear;
}

void tl_fax_ear_free(struct tl_fax_ear *ear)
{
	if (!ear)
		return;
	modem_connect_tones_rx_free(ear->cng);
	modem_connect_tones_rx_free(ear->ced);
	g_free(ear);
}

bool tl_fax_ear_hear(struct tl_fax_ear *ear, const int16_t *samples, unsigned n, enum tl_fax_tone *tone)
{
	ear->began = false;
	modem_connect_tones_rx(ear->cng, samples, n);
	modem_connect_tones_rx(ear->ced, samples, n);
	if (ear->began)
		*tone = ear->tone;
	return ear->began;
}
