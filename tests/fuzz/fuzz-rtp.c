/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What arrives on an RTP or RTCP port, through its parsers, the receiver's books, events and the playout buffer. */
#include <assert.h>

#include "media/event.h"
#include "media/jitter.h"
#include "media/rtcp.h"
#include "media/rtp.h"

static struct tl_rtp_source source;
static struct tl_event_in events;
static struct tl_jitter jitter;

static void hear(const struct tl_rtp_packet *packet, uint32_t arrival)
{
	struct tl_dtmf_press presses[TL_EVENT_PRESSES_MAX];
	struct tl_rtp_event event;
	uint8_t block[TL_BLOCK_OCTETS];
	enum tl_rtp_hearing hearing = tl_rtp_source_hear(&source, packet, arrival);
	if (hearing == TL_RTP_STRAY || hearing == TL_RTP_DUPLICATE)
		return;
	if (tl_rtp_event_parse(packet->payload, packet->payload_octets, &event) == 0)
		assert(tl_event_in_hear(&events, packet->timestamp, &event, presses) <= TL_EVENT_PRESSES_MAX);
	tl_jitter_put(&jitter, packet->timestamp, packet->payload, packet->payload_octets);
	unsigned missing = tl_jitter_missing(&jitter);
	assert(missing <= TL_BLOCK_OCTETS);
	tl_jitter_get(&jitter, block, missing);
	assert(tl_event_in_tone(&events) <= 15);
}

static void check_report(const uint8_t *data, size_t size)
{
	struct tl_rtcp_report report, again;
	uint8_t octets[TL_RTCP_OCTETS_MAX];
	if (tl_rtcp_parse(data, size, 0x41414141, &report) != 0)
		return;
	size_t n = tl_rtcp_format(&report, "fuzz", octets);
	assert(n <= sizeof octets);
	assert(tl_rtcp_parse(octets, n, 0x41414141, &again) == 0);
	assert(again.ssrc == report.ssrc && again.has_block == report.has_block && again.bye == report.bye);
	tl_rtcp_round_trip_us(&report.block, report.ntp);
}

/* The input is a row of datagrams, each after its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tl_rtp_packet packet;
	check_report(data, size);
	source = (struct tl_rtp_source){ 0 };
	events = (struct tl_event_in){ 0 };
	tl_jitter_init(&jitter, 20, 120);
	for (size_t at = 0; at < size;) {
		size_t n = data[at++];
		n = n < size - at ? n : size - at;
		if (tl_rtp_parse(data + at, n, &packet) == 0) {
			assert(packet.payload >= data + at && packet.payload + packet.payload_octets <= data + at + n);
			hear(&packet, at * 97);
		}
		check_report(data + at, n);
		at += n;
	}
	tl_rtp_source_fraction(&source);
	tl_jitter_done(&jitter);
	return 0;
}
