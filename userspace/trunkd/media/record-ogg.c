/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Ogg Opus as libogg and libopus make it: stereo, packets of 20 ms. */
#include <errno.h>
#include <glib.h>
#include <ogg/ogg.h>
#include <opus.h>
#include <string.h>
#include <unistd.h>

#include "media/record-file.h"

#define RATE_HZ 8000
#define PACKET_FRAMES (2 * TL_RECORD_FRAMES)
#define UNITS_A_FRAME 6      /* granule positions count at 48 kHz (RFC 7845 4) */
#define BIT_RATE 24000
#define COMPLEXITY 3         /* of 10: speech of 8 kHz sounds the same, for a third of the time of 10 */
#define PACKET_OCTETS 1275   /* RFC 6716 3.4 */
#define VENDOR "trunkline"

struct tl_record_ogg {
	ogg_stream_state stream;
	OpusEncoder *encoder;
	tl_record_sink sink;
	void *user;
	int16_t frames[2 * PACKET_FRAMES];
	unsigned n_frames;
	uint64_t granule;    /* of the last packet */
	ogg_int64_t number;
	unsigned pre_skip;
};

static int put_pages(struct tl_record_ogg *ogg, bool all)
{
	ogg_page page;
	int result = 0;
	while (!result && (all ? ogg_stream_flush(&ogg->stream, &page) : ogg_stream_pageout(&ogg->stream, &page))) {
		result = ogg->sink(ogg->user, page.header, page.header_len);
		if (!result)
			result = ogg->sink(ogg->user, page.body, page.body_len);
	}
	return result;
}

static int put_packet(struct tl_record_ogg *ogg, void *octets, long n, ogg_int64_t granule, bool last)
{
	ogg_packet packet = { .packet = octets, .bytes = n, .b_o_s = ogg->number == 0, .e_o_s = last,
			      .granulepos = granule, .packetno = ogg->number };
	ogg->number++;
	return ogg_stream_packetin(&ogg->stream, &packet) ? -ENOMEM : 0;
}

/* RFC 7845 5.1, 5.2 */
static int put_headers(struct tl_record_ogg *ogg)
{
	uint8_t head[19] = "OpusHead\1\2", tags[8 + 4 + sizeof VENDOR - 1 + 4] = "OpusTags";
	head[10] = ogg->pre_skip;
	head[11] = ogg->pre_skip >> 8;
	head[12] = RATE_HZ & 0xff;
	head[13] = RATE_HZ >> 8;
	tags[8] = sizeof VENDOR - 1;
	memcpy(tags + 12, VENDOR, sizeof VENDOR - 1);
	int result = put_packet(ogg, head, sizeof head, 0, false);
	if (!result)
		result = put_pages(ogg, true);
	if (!result)
		result = put_packet(ogg, tags, sizeof tags, 0, false);
	return result ? result : put_pages(ogg, true);
}

static int begin(struct tl_record_ogg *ogg)
{
	int error;
	opus_int32 ahead = 0;
	ogg->encoder = opus_encoder_create(RATE_HZ, 2, OPUS_APPLICATION_VOIP, &error);
	if (!ogg->encoder || ogg_stream_init(&ogg->stream, g_random_int()))
		return -ENOMEM;
	opus_encoder_ctl(ogg->encoder, OPUS_SET_BITRATE(BIT_RATE));
	opus_encoder_ctl(ogg->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
	opus_encoder_ctl(ogg->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(ogg->encoder, OPUS_GET_LOOKAHEAD(&ahead));
	ogg->pre_skip = ahead * UNITS_A_FRAME;
	return put_headers(ogg);
}

struct tl_record_ogg *tl_record_ogg_new(tl_record_sink sink, void *user, int *result)
{
	struct tl_record_ogg *ogg = g_new0(struct tl_record_ogg, 1);
	ogg->sink = sink;
	ogg->user = user;
	*result = begin(ogg);
	if (!*result)
		return ogg;
	tl_record_ogg_free(ogg);
	return NULL;
}

static int encode(struct tl_record_ogg *ogg, unsigned frames, bool last)
{
	uint8_t packet[PACKET_OCTETS];
	memset(ogg->frames + 2 * ogg->n_frames, 0, (PACKET_FRAMES - ogg->n_frames) * 2 * sizeof(int16_t));
	int n = opus_encode(ogg->encoder, ogg->frames, PACKET_FRAMES, packet, sizeof packet);
	if (n < 0)
		return -EIO;
	ogg->n_frames = 0;
	ogg->granule += frames * UNITS_A_FRAME;
	return put_packet(ogg, packet, n, ogg->granule, last);
}

int tl_record_ogg_write(struct tl_record_ogg *ogg, const int16_t *frames)
{
	memcpy(ogg->frames + 2 * ogg->n_frames, frames, TL_RECORD_FRAMES * 2 * sizeof(int16_t));
	ogg->n_frames += TL_RECORD_FRAMES;
	if (ogg->n_frames < PACKET_FRAMES)
		return 0;
	int result = encode(ogg, PACKET_FRAMES, false);
	return result ? result : put_pages(ogg, false);
}

int tl_record_ogg_flush(struct tl_record_ogg *ogg, bool last)
{
	/* The last packet's position says where the audio ends, with what the encoder still had in it (RFC 7845 4.4). */
	int result = last ? encode(ogg, ogg->n_frames + ogg->pre_skip / UNITS_A_FRAME, true) : 0;
	return result ? result : put_pages(ogg, true);
}

void tl_record_ogg_free(struct tl_record_ogg *ogg)
{
	if (!ogg)
		return;
	if (ogg->encoder)
		opus_encoder_destroy(ogg->encoder);
	ogg_stream_clear(&ogg->stream);
	g_free(ogg);
}

/* ---- after a death ---- */

/* A stream without its last page flagged is legal to play (RFC 3533 6 lets a reader stop at the file's end). */
uint64_t tl_record_ogg_salvage(int fd)
{
	ogg_sync_state sync;
	ogg_page page;
	uint64_t good = 0;
	unsigned pages = 0;
	ssize_t n;
	ogg_sync_init(&sync);
	do {
		long used;
		while ((used = ogg_sync_pageseek(&sync, &page)) > 0) {
			good += used;
			pages++;
		}
		char *room = used < 0 ? NULL : ogg_sync_buffer(&sync, 65536);
		n = room ? read(fd, room, 65536) : 0; /* used < 0: no page where one has to begin */
		if (n > 0)
			ogg_sync_wrote(&sync, n);
	} while (n > 0);
	ogg_sync_clear(&sync);
	return pages > 2 ? good : 0;
}
