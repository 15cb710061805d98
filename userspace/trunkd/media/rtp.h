/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * RTP packets (RFC 3550 5.1), telephone events (RFC 4733 2.3) and the receiver's
 * book-keeping (RFC 3550 6.4.1, A.1, A.3, A.8). Octets and values: no socket.
 * Any thread, real-time safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_RTP_HEADER_OCTETS 12
#define TL_RTP_EVENT_OCTETS 4
#define TL_RTP_PAYLOAD_PCMU 0 /* RFC 3551 table 4 */
#define TL_RTP_PAYLOAD_PCMA 8

struct tl_rtp_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t sequence;
	uint32_t timestamp; /* 8 kHz */
	uint32_t ssrc;
	const uint8_t *payload; /* inside the parsed octets */
	size_t payload_octets;
};

/** Reads one packet; CSRCs, an extension and padding are skipped. -EBADMSG (packet untouched) when it is none. */
int tl_rtp_parse(const uint8_t *octets, size_t n_octets, struct tl_rtp_packet *packet);

/** Writes @packet's header to @octets (TL_RTP_HEADER_OCTETS). The payload is the caller's. */
void tl_rtp_format(const struct tl_rtp_packet *packet, uint8_t *octets);

/** RFC 4733 2.3. */
struct tl_rtp_event {
	uint8_t event;           /* 0-15: 0-9 * # A-D */
	bool end;
	uint8_t volume;          /* -dBm0, 0-63 */
	uint16_t duration;       /* samples since its timestamp */
};

/** Reads the first event of a payload. -EBADMSG when it is shorter than one. */
int tl_rtp_event_parse(const uint8_t *octets, size_t n_octets, struct tl_rtp_event *event);
void tl_rtp_event_format(const struct tl_rtp_event *event, uint8_t octets[TL_RTP_EVENT_OCTETS]);

/** What a receiver knows of one sender. Zeroed: nothing heard. */
struct tl_rtp_source {
	bool heard;
	uint32_t ssrc;
	uint32_t highest;        /* extended highest sequence number */
	uint32_t base;           /* extended, first one heard */
	uint32_t received;
	uint32_t expected_before, received_before; /* at the last report */
	uint64_t window;         /* bit n: highest - n was heard */
	uint32_t stray;          /* 1 + the sequence number that would confirm a restart; 0: none */
	uint32_t transit;        /* arrival minus timestamp, samples */
	uint32_t jitter_16;      /* 16 times the jitter, samples */
};

/** What a packet is to its receiver. */
enum tl_rtp_hearing {
	TL_RTP_NEW,
	TL_RTP_RESTARTED, /* the first of a new SSRC or sequence: forget what was buffered */
	TL_RTP_DUPLICATE,
	TL_RTP_STRAY,     /* far out of sequence; taken as a restart when the next one follows it (RFC 3550 A.1) */
};

/** Books one packet; @arrival in samples of any 8 kHz clock. */
enum tl_rtp_hearing tl_rtp_source_hear(struct tl_rtp_source *source, const struct tl_rtp_packet *packet,
				       uint32_t arrival);

/** Cumulative packets lost; negative with duplicates. RFC 3550 A.3. */
int32_t tl_rtp_source_lost(const struct tl_rtp_source *source);

/** Fraction lost since the last call, of 256. RFC 3550 A.3. */
uint8_t tl_rtp_source_fraction(struct tl_rtp_source *source);

/** Interarrival jitter in samples. RFC 3550 A.8. */
uint32_t tl_rtp_source_jitter(const struct tl_rtp_source *source);
