/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/rtp.h"

#include <errno.h>

#include "media/octets.h"

#define VERSION 2
#define MAX_DROPOUT 3000 /* RFC 3550 A.1 */
#define MAX_MISORDER 100
#define JITTER_STEP_MAX 8000 /* a step of the arrival clock is no jitter */

int tl_rtp_parse(const uint8_t *octets, size_t n_octets, struct tl_rtp_packet *packet)
{
	if (n_octets < TL_RTP_HEADER_OCTETS || octets[0] >> 6 != VERSION)
		return -EBADMSG;
	size_t start = TL_RTP_HEADER_OCTETS + 4 * (octets[0] & 0x0f);
	if (octets[0] & 0x10) {
		if (n_octets < start + 4)
			return -EBADMSG;
		start += 4 + 4 * (size_t)get16(octets + start + 2);
	}
	if (n_octets < start)
		return -EBADMSG;
	size_t padding = octets[0] & 0x20 ? octets[n_octets - 1] : 0;
	if (octets[0] & 0x20 && (padding == 0 || padding > n_octets - start))
		return -EBADMSG;
	*packet = (struct tl_rtp_packet){
		.payload_type = octets[1] & 0x7f,
		.marker = octets[1] & 0x80,
		.sequence = get16(octets + 2),
		.timestamp = get32(octets + 4),
		.ssrc = get32(octets + 8),
		.payload = octets + start,
		.payload_octets = n_octets - start - padding,
	};
	return 0;
}

void tl_rtp_format(const struct tl_rtp_packet *packet, uint8_t *octets)
{
	octets[0] = VERSION << 6;
	octets[1] = (packet->marker ? 0x80 : 0) | packet->payload_type;
	put16(octets + 2, packet->sequence);
	put32(octets + 4, packet->timestamp);
	put32(octets + 8, packet->ssrc);
}

int tl_rtp_event_parse(const uint8_t *octets, size_t n_octets, struct tl_rtp_event *event)
{
	if (n_octets < TL_RTP_EVENT_OCTETS)
		return -EBADMSG;
	*event = (struct tl_rtp_event){
		.event = octets[0],
		.end = octets[1] & 0x80,
		.volume = octets[1] & 0x3f,
		.duration = get16(octets + 2),
	};
	return 0;
}

void tl_rtp_event_format(const struct tl_rtp_event *event, uint8_t octets[TL_RTP_EVENT_OCTETS])
{
	octets[0] = event->event;
	octets[1] = (event->end ? 0x80 : 0) | (event->volume & 0x3f);
	put16(octets + 2, event->duration);
}

static void source_start(struct tl_rtp_source *source, const struct tl_rtp_packet *packet, uint32_t transit)
{
	/* One cycle up, so that a packet from before the first one has a number too. */
	uint32_t first = 0x10000 + packet->sequence;
	*source = (struct tl_rtp_source){
		.heard = true, .ssrc = packet->ssrc, .base = first, .highest = first, .received = 1,
		.window = 1, .transit = transit,
	};
}

static void note_jitter(struct tl_rtp_source *source, uint32_t transit)
{
	int32_t step = transit - source->transit;
	uint32_t d = step < 0 ? -(uint32_t)step : (uint32_t)step;
	source->transit = transit;
	if (d < JITTER_STEP_MAX)
		source->jitter_16 += d - ((source->jitter_16 + 8) >> 4);
}

/* Moves the window up to @ahead and says whether that packet had been heard. Older than the window counts as new. */
static bool heard_before(struct tl_rtp_source *source, int ahead)
{
	if (ahead > 0) {
		source->window = ahead < 64 ? source->window << ahead | 1 : 1;
		source->highest += ahead;
		return false;
	}
	uint64_t bit = ahead > -64 ? (uint64_t)1 << -ahead : 0;
	bool before = source->window & bit;
	source->window |= bit;
	return before;
}

enum tl_rtp_hearing tl_rtp_source_hear(struct tl_rtp_source *source, const struct tl_rtp_packet *packet,
				       uint32_t arrival)
{
	uint32_t transit = arrival - packet->timestamp;
	if (!source->heard || packet->ssrc != source->ssrc) {
		source_start(source, packet, transit);
		return TL_RTP_RESTARTED;
	}
	int16_t ahead = packet->sequence - (uint16_t)source->highest;
	if (ahead >= MAX_DROPOUT || ahead <= -MAX_MISORDER) {
		if (source->stray != 1u + packet->sequence) {
			source->stray = 1u + (uint16_t)(packet->sequence + 1);
			return TL_RTP_STRAY;
		}
		source_start(source, packet, transit); /* the sender restarted without a new SSRC */
		return TL_RTP_RESTARTED;
	}
	source->stray = 0;
	source->received++;
	if (heard_before(source, ahead))
		return TL_RTP_DUPLICATE;
	note_jitter(source, transit);
	return TL_RTP_NEW;
}

static uint32_t expected(const struct tl_rtp_source *source)
{
	return source->heard ? source->highest - source->base + 1 : 0;
}

int32_t tl_rtp_source_lost(const struct tl_rtp_source *source)
{
	return expected(source) - source->received;
}

uint8_t tl_rtp_source_fraction(struct tl_rtp_source *source)
{
	uint32_t n = expected(source) - source->expected_before;
	int32_t lost = n - (source->received - source->received_before);
	source->expected_before = expected(source);
	source->received_before = source->received;
	if (n == 0 || lost <= 0)
		return 0;
	uint32_t fraction = ((uint64_t)lost << 8) / n;
	return fraction > 255 ? 255 : fraction;
}

uint32_t tl_rtp_source_jitter(const struct tl_rtp_source *source)
{
	return source->jitter_16 >> 4;
}
