/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Video on its way from one browser to another, as it is: of a packet only the
 * header is made anew (payload type, SSRC, numbers), of reports and feedback what
 * concerns the stream (RFC 3550, RFC 4585, RFC 4588, RFC 5104, REMB). No codec is known here.
 * Octets and values; any thread, real-time safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How the numbers of a source become those that its receiver sees, in one row whatever source there was before. */
struct tl_video_row {
	bool running;
	uint32_t source;              /* SSRC */
	uint16_t sequence;            /* added to the source's */
	uint32_t timestamp;           /* likewise */
	uint16_t newest_sequence;     /* given out */
	uint32_t newest_timestamp;
};

struct tl_video_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
};

/** Reads the fixed part of a packet. -EBADMSG: none. */
int tl_video_packet_parse(const uint8_t *octets, size_t n, struct tl_video_packet *packet);

/** The row goes on with a packet of a source, which may be another one than before: true then. */
bool tl_video_row_join(struct tl_video_row *row, const struct tl_video_packet *packet);
void tl_video_row_note(struct tl_video_row *row, uint16_t sequence, uint32_t timestamp);

#define TL_VIDEO_EXTENSIONS 2

struct tl_video_way {
	uint8_t payload_type;         /* at the receiver */
	uint32_t ssrc;
	uint16_t sequence;            /* added */
	uint32_t timestamp;           /* added */
	bool is_retransmission;       /* the payload begins with a sequence number of the other row (RFC 4588 4): */
	uint16_t original;            /* added to it */
	uint8_t from[TL_VIDEO_EXTENSIONS], to[TL_VIDEO_EXTENSIONS]; /* header extensions' numbers; 0: not this one */
};

/** Writes the packet at @in as its receiver is to see it. Returns its octets; 0: malformed, or longer than @room. */
size_t tl_video_forward(const uint8_t *in, size_t n, const struct tl_video_way *way, uint8_t *out, size_t room);

/** Who is who in a compound packet of a party that gets a stream and sends one. */
struct tl_video_view {
	/* the stream that the party gets: */
	uint32_t gets;                /* SSRC as it sees it */
	uint32_t source;              /* as its source does */
	uint16_t sequence;            /* what was added on the way */
	bool has_source;
	/* the stream that it sends: */
	uint32_t sends, seen;         /* its SSRC, and what the other party sees */
	uint32_t timestamp;           /* what is added on the way */
	bool has_sent;
};

/**
 * tl_video_feedback - make of a party's compound packet the one for the other party: sender reports of its stream; reports,
 * losses (NACK), requests for a key frame (PLI, FIR) and estimates of bandwidth (REMB) of the stream that it gets.
 * Returns octets; 0: nothing in it, or malformed from there on.
 */
size_t tl_video_feedback(const uint8_t *in, size_t n, const struct tl_video_view *view, uint8_t *out, size_t room);

enum tl_video_word_kind { TL_VIDEO_PACKET, TL_VIDEO_REPORT, TL_VIDEO_REFRESH };

/** What one party's session tells the other's, with a packet or a compound packet as it came, or nothing. */
struct tl_video_word {
	enum tl_video_word_kind kind; /* refresh: a key frame is wanted */
	/* packet: */
	uint8_t codec;                /* enum tl_video_codec */
	bool again;                   /* it is a retransmission */
	uint8_t extensions[TL_VIDEO_EXTENSIONS]; /* their numbers there */
	/* report, of who tells it: */
	uint32_t gets;                /* SSRC of the stream that it gets, as it sees it */
	struct tl_video_row row;      /* of that stream */
	bool sends;
	uint32_t source;              /* SSRC of what it sends */
};

#define TL_VIDEO_REFRESH_OCTETS 20
/** Asks for a key frame of @source (PLI, RFC 4585 6.3.1); @sender: our SSRC. Returns octets. */
size_t tl_video_ask_refresh(uint32_t sender, uint32_t source, uint8_t out[TL_VIDEO_REFRESH_OCTETS]);
