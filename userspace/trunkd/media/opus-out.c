/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/opus-out.h"

#include <glib.h>
#include <opus.h>

#define HZ 8000
#define DTX_OCTETS 2              /* opus_encode(): so short a packet does not need to be sent; the first one says so */
#define LOSS_MIN_PERCENT 5        /* the first loss is to be made good as well */
#define LOSS_MAX_PERCENT 30       /* beyond it speech has too few bits left */

struct tl_opus_out {
	OpusEncoder *encoder;
	bool quiet;               /* the far end was told that nothing follows for a while */
};

struct tl_opus_out *tl_opus_out_new(const struct tl_opus_config *config)
{
	struct tl_opus_out *out = g_new0(struct tl_opus_out, 1);
	int error;
	out->encoder = opus_encoder_create(HZ, 1, OPUS_APPLICATION_VOIP, &error);
	if (!out->encoder)
		g_error("opus: %s", opus_strerror(error));
	opus_encoder_ctl(out->encoder, OPUS_SET_BITRATE(config->bit_rate));
	opus_encoder_ctl(out->encoder, OPUS_SET_COMPLEXITY(config->complexity));
	opus_encoder_ctl(out->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(out->encoder, OPUS_SET_DTX(config->dtx));
	return out;
}

void tl_opus_out_free(struct tl_opus_out *out)
{
	if (!out)
		return;
	opus_encoder_destroy(out->encoder);
	g_free(out);
}

void tl_opus_out_expect(struct tl_opus_out *out, bool fec, unsigned loss_percent)
{
	opus_encoder_ctl(out->encoder, OPUS_SET_INBAND_FEC(fec));
	opus_encoder_ctl(out->encoder, OPUS_SET_PACKET_LOSS_PERC((int)CLAMP(loss_percent, LOSS_MIN_PERCENT, LOSS_MAX_PERCENT)));
}

size_t tl_opus_out_encode(struct tl_opus_out *out, const int16_t *samples, unsigned n, uint8_t *octets, size_t room)
{
	opus_int32 made = opus_encode(out->encoder, samples, n, octets, room);
	bool quiet = made <= DTX_OCTETS, known = out->quiet;
	out->quiet = quiet;
	return made > 0 && !(quiet && known) ? made : 0;
}

unsigned tl_opus_out_packet_ms(unsigned ms)
{
	return ms >= 60 ? 60 : ms >= 40 ? 40 : ms >= 20 ? 20 : 10;
}
