/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Any octets through the pseudowire's parser and then its playout buffer. The
 * first two octets choose the format; then packets, each after a length octet
 * pair. What parses must come back the same when written and parsed again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "line/cesop.h"
#include "line/playout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tl_cesop_format choose(uint8_t kind, uint8_t frames)
{
	static const uint8_t divisors[] = { 1, 2, 4, 5, 8, 10, 16, 20, 40 };
	static const uint8_t e1[] = { 1, 2, 4, 8, 16 };
	static const uint8_t t1[] = { 1, 2, 3, 4, 6, 8, 12, 24 };
	struct tl_cesop_format format = {
		.slots = kind & 1 ? 31 : 24,
		.rtp = kind & 2,
		.rtp_payload_type = 96,
		.cas = kind & 4,
		.multiframe = kind & 1 ? 16 : 24,
	};

	if (!format.cas)
		format.frames = divisors[frames % sizeof(divisors)];
	else
		format.frames = kind & 1 ? e1[frames % sizeof(e1)] : t1[frames % sizeof(t1)];
	return format;
}

static void check_again(const struct tl_cesop_format *format, const struct tl_cesop_packet *packet,
			size_t length)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet again;
	size_t n = tl_cesop_format_packet(format, packet, octets);

	assert(n == length && n <= sizeof(octets));
	assert(tl_cesop_parse(format, octets, n, &again) == TL_CESOP_OK);
	assert(again.l == packet->l && again.r == packet->r && again.m == packet->m);
	assert(again.fragment == packet->fragment && again.sequence == packet->sequence);
	assert(!again.payload == !packet->payload && again.has_cas == packet->has_cas);
	if (again.payload)
		assert(!memcmp(again.payload, packet->payload, (size_t)format->frames * format->slots));
	if (again.has_cas)
		assert(!memcmp(again.cas, packet->cas, sizeof(again.cas)));
}

static void feed(const struct tl_cesop_format *format, struct tl_playout *playout, const uint8_t *data,
		 size_t size)
{
	uint8_t rx[TL_SPAN_SLOTS_MAX + 1][TL_BLOCK_OCTETS];
	struct tl_playout_tick tick;
	struct tl_cesop_packet packet;

	while (size >= 2) {
		size_t length = (size_t)(data[0] & 0x07) << 8 | data[1];

		if (data[0] & 0x80)
			tl_playout_take(playout, rx, &tick);
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		if (tl_cesop_parse(format, data, length, &packet) == TL_CESOP_OK) {
			check_again(format, &packet, length);
			tl_playout_put(playout, &packet);
		}
		data += length;
		size -= length;
	}
	tl_playout_take(playout, rx, &tick);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t idle[TL_SPAN_SLOTS_MAX + 1];
	struct tl_span_counters counters = { 0 };

	if (size < 2)
		return 0;

	struct tl_playout_config config = {
		.format = choose(data[0], data[1]),
		.depth_frames = 40,
		.max_frames = 160,
		.follows_sender = data[0] & 8,
		.idle = idle,
	};
	struct tl_playout *playout = tl_playout_new(&config, &counters);

	feed(&config.format, playout, data + 2, size - 2);
	tl_playout_free(playout);
	return 0;
}
