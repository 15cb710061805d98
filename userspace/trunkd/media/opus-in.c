/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/opus-in.h"

#include <errno.h>
#include <glib.h>
#include <opus.h>
#include <string.h>

#define HZ 8000
#define SLACK_MS 300              /* beyond the playout depth: what the playout buffer takes before it starts anew */
#define PACKET_MS_MAX 60
#define PACKET_SAMPLES_MAX (PACKET_MS_MAX * 8)
#define ANOTHER_STREAM (10 * TL_OPUS_HZ)
#define DTX_OCTETS 2              /* RFC 6716: so short a packet says that nothing follows for a while */

struct place {
	uint32_t at;
	uint16_t samples;         /* 0: empty */
	uint16_t n;
	uint8_t octets[TL_OPUS_IN_OCTETS_MAX];
};

struct tl_opus_in {
	OpusDecoder *decoder;
	bool timed;               /* timestamp and time belong together */
	uint32_t timestamp, time;
	bool quiet;               /* the last packet decoded said so */
	unsigned frame;           /* samples of the last packet decoded */
	uint32_t at;              /* of pcm[0] */
	unsigned n_pcm;
	enum tl_opus_fate fate;   /* of pcm */
	int16_t pcm[PACKET_SAMPLES_MAX];
	uint32_t mask;
	struct place places[];    /* by time, in blocks */
};

struct tl_opus_in *tl_opus_in_new(unsigned max_ms)
{
	uint32_t n = 16;
	int error;
	while (n < (max_ms + SLACK_MS) * 8 / TL_BLOCK_OCTETS)
		n <<= 1;
	struct tl_opus_in *in = g_malloc0(sizeof *in + n * sizeof *in->places);
	in->mask = n - 1;
	in->decoder = opus_decoder_create(HZ, 1, &error);
	if (!in->decoder)
		g_error("opus: %s", opus_strerror(error));
	return in;
}

void tl_opus_in_free(struct tl_opus_in *in)
{
	if (!in)
		return;
	opus_decoder_destroy(in->decoder);
	g_free(in);
}

void tl_opus_in_reset(struct tl_opus_in *in)
{
	opus_decoder_ctl(in->decoder, OPUS_RESET_STATE);
	for (uint32_t i = 0; i <= in->mask; i++)
		in->places[i].samples = 0;
	in->quiet = false;
	in->n_pcm = in->frame = 0;
}

uint32_t tl_opus_in_time(struct tl_opus_in *in, uint32_t timestamp)
{
	if (!in->timed) {
		in->timed = true;
		in->timestamp = timestamp;
		in->time = timestamp / TL_OPUS_PER_SAMPLE;
	}
	int32_t ahead = timestamp - in->timestamp;
	uint32_t time = in->time + ahead / TL_OPUS_PER_SAMPLE;
	if (ahead > 0 || ahead < -ANOTHER_STREAM) {
		in->timestamp = timestamp;
		in->time = time;
	}
	return time;
}

int tl_opus_in_samples(const uint8_t *octets, size_t n)
{
	if (n == 0 || n > TL_OPUS_IN_OCTETS_MAX)
		return -EBADMSG;
	int samples = opus_packet_get_nb_samples(octets, n, HZ);
	return samples > 0 && samples <= PACKET_SAMPLES_MAX && samples % TL_BLOCK_OCTETS == 0 ? samples : -EBADMSG;
}

static struct place *place_of(struct tl_opus_in *in, uint32_t at)
{
	return &in->places[at / TL_BLOCK_OCTETS & in->mask];
}

void tl_opus_in_keep(struct tl_opus_in *in, uint32_t at, const uint8_t *octets, size_t n, unsigned samples)
{
	struct place *place = place_of(in, at);
	place->at = at;
	place->samples = samples;
	place->n = n;
	memcpy(place->octets, octets, n);
}

/* The packet that has the sample at @at: it may have begun some blocks before. */
static struct place *find(struct tl_opus_in *in, uint32_t at)
{
	for (unsigned before = 0; before <= PACKET_SAMPLES_MAX; before += TL_BLOCK_OCTETS) {
		struct place *place = place_of(in, at - before);
		if (at - place->at < place->samples)
			return place;
	}
	return NULL;
}

static bool covers(const struct tl_opus_in *in, uint32_t at)
{
	return at - in->at < in->n_pcm;
}

static void decoded(struct tl_opus_in *in, uint32_t at, int n, enum tl_opus_fate fate)
{
	in->at = at;
	in->n_pcm = MAX(n, 0);
	in->fate = fate;
}

static void hear(struct tl_opus_in *in, struct place *place)
{
	int n = opus_decode(in->decoder, place->octets, place->n, in->pcm, PACKET_SAMPLES_MAX, 0);
	decoded(in, place->at, n, TL_OPUS_HEARD);
	in->frame = place->samples;
	in->quiet = place->n <= DTX_OCTETS;
	place->samples = 0;
}

/* A packet that was to begin here is lost; the one after it may repeat what it said (RFC 6716 2.1.7). */
static bool recover(struct tl_opus_in *in, uint32_t at)
{
	const struct place *next = place_of(in, at + in->frame);
	if (!in->frame || at != in->at + in->n_pcm || next->at != at + in->frame || !next->samples)
		return false;
	decoded(in, at, opus_decode(in->decoder, next->octets, next->n, in->pcm, in->frame, 1), TL_OPUS_RECOVERED);
	return covers(in, at);
}

static void conceal(struct tl_opus_in *in, uint32_t at)
{
	enum tl_opus_fate fate = in->quiet ? TL_OPUS_QUIET : TL_OPUS_CONCEALED;
	decoded(in, at, opus_decode(in->decoder, NULL, 0, in->pcm, TL_BLOCK_OCTETS, 0), fate);
	if (!covers(in, at)) {
		memset(in->pcm, 0, TL_BLOCK_OCTETS * sizeof *in->pcm);
		decoded(in, at, TL_BLOCK_OCTETS, fate);
	}
}

static void make(struct tl_opus_in *in, uint32_t at)
{
	struct place *place = find(in, at);
	if (place)
		hear(in, place);
	if (!(place ? covers(in, at) : recover(in, at)))
		conceal(in, at);
}

/* Blocks and packets need not begin together: a clock that was followed has shifted them. */
enum tl_opus_fate tl_opus_in_block(struct tl_opus_in *in, uint32_t at, int16_t samples[TL_BLOCK_OCTETS])
{
	enum tl_opus_fate worst = TL_OPUS_HEARD;
	for (unsigned done = 0, n; done < TL_BLOCK_OCTETS; done += n, at += n) {
		if (!covers(in, at))
			make(in, at);
		n = MIN(TL_BLOCK_OCTETS - done, in->n_pcm - (at - in->at));
		memcpy(samples + done, in->pcm + (at - in->at), n * sizeof *samples);
		worst = MAX(worst, in->fate);
	}
	return worst;
}
