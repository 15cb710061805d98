/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a browser sends of video and of what it sees, on its way to the other one. */
#include <assert.h>

#include "media/video.h"

#define ROOM 1460

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tl_video_view view = { .gets = 5, .source = 50, .sequence = 10, .has_source = true,
						   .sends = 6, .seen = 60, .timestamp = 1000, .has_sent = true };
	static const struct tl_video_way way = { .payload_type = 102, .ssrc = 8, .sequence = 5, .is_retransmission = true,
						 .original = 9, .from = { 2, 13 }, .to = { 5, 1 } };
	uint8_t out[ROOM];
	struct tl_video_packet packet;
	size_t n = tl_video_forward(data, size, &way, out, sizeof out);
	assert(n <= sizeof out && (!n || !tl_video_packet_parse(out, n, &packet)));
	assert(!n || (packet.ssrc == 8 && packet.payload_type == 102));
	n = tl_video_feedback(data, size, &view, out, sizeof out);
	assert(n <= sizeof out && n % 4 == 0);
	return 0;
}
