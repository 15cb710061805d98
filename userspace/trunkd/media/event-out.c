/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/event.h"

#define ENDS 3
#define SEGMENT_MAX 0xffff
#define VOLUME 8 /* -dBm0, as the tone would have */

static struct tl_event_packet packet_of(const struct tl_event_out *out, bool end)
{
	return (struct tl_event_packet){
		.timestamp = out->timestamp,
		.event = { .event = out->code, .end = end, .volume = VOLUME, .duration = out->duration },
	};
}

static void begin(struct tl_event_out *out, unsigned code, uint32_t timestamp, uint32_t packet_samples)
{
	*out = (struct tl_event_out){ .down = true, .code = code, .timestamp = timestamp };
	out->unsent = packet_samples; /* the first goes out at once */
}

static unsigned go_on(struct tl_event_out *out, uint32_t packet_samples, struct tl_event_packet *packets)
{
	unsigned n = 0;
	bool first = out->duration == 0;
	if (out->duration + TL_BLOCK_OCTETS > SEGMENT_MAX) {
		out->duration = SEGMENT_MAX;
		packets[n++] = packet_of(out, false);
		out->timestamp += SEGMENT_MAX;
		out->duration = 0;
	}
	out->duration += TL_BLOCK_OCTETS;
	out->unsent += TL_BLOCK_OCTETS;
	if (out->unsent < packet_samples)
		return n;
	out->unsent = 0;
	packets[n] = packet_of(out, false);
	packets[n++].marker = first;
	return n;
}

unsigned tl_event_out_tick(struct tl_event_out *out, int code, uint32_t timestamp, uint32_t packet_samples,
			   struct tl_event_packet packets[TL_EVENT_PACKETS_MAX])
{
	unsigned n = 0;
	if (out->down && code != out->code) {
		out->down = false;
		out->ends_left = ENDS;
	}
	if (!out->down && code >= 0) {
		for (; out->ends_left; out->ends_left--)
			packets[n++] = packet_of(out, true);
		begin(out, code, timestamp, packet_samples);
	}
	if (out->down)
		return n + go_on(out, packet_samples, packets + n);
	if (out->ends_left) {
		out->ends_left--;
		packets[n++] = packet_of(out, true);
	}
	return n;
}
