/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The packet of a T1/E1 over UDP: structure-aware TDM, CESoPSN (RFC 5086),
 * with its optional RTP header (RFC 3550) in front of the control word, as
 * RFC 5086 4.2 has it for UDP. Pure: octets in, values out; no socket, no
 * clock, no allocation. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_CESOP_SLOTS_MAX 31
#define TL_CESOP_FRAMES_MAX 40 /* 40 x 31 octets stay below an Ethernet MTU */
#define TL_CESOP_PACKET_MAX (12 + 4 + TL_CESOP_FRAMES_MAX * TL_CESOP_SLOTS_MAX + 16)

/** What both ends agreed on; nothing of it is learned from the wire. */
struct tl_cesop_format {
	unsigned slots;  /* timeslots carried: 24 (T1) or 31 (E1) */
	unsigned frames; /* 125 us frames a packet, 1 to TL_CESOP_FRAMES_MAX */
	bool rtp;        /* fixed RTP header in front of the control word */
	uint8_t rtp_payload_type;
	uint32_t rtp_ssrc;
	bool cas;            /* CAS substructure in each multiframe's last packet (RFC 5086 4.4.2) */
	unsigned multiframe; /* frames a CAS multiframe: 16 (E1) or 24 (T1); a multiple of frames */
};

/** One packet as values (RFC 5086 4.3). */
struct tl_cesop_packet {
	bool l;         /* TDM data invalid: fault of the attachment circuit */
	bool r;         /* the sender's receive side is in packet-loss state */
	uint8_t m;      /* L=0: 0 good, 2 remote defect (RAI); L=1: 0 (RFC 5086 table 1) */
	uint8_t fragment; /* position in the CAS multiframe: 0 whole, 1 first, 2 last, 3 middle */
	uint16_t sequence;
	uint32_t rtp_timestamp;    /* of the first frame, 8 kHz; 0 without RTP */
	const uint8_t *payload;    /* frames x slots octets, frame by frame; NULL when omitted (L) */
	uint8_t cas[TL_CESOP_SLOTS_MAX + 1]; /* ABCD in bits 3-0 by timeslot; valid if has_cas */
	bool has_cas;
};

/** Why a packet was refused; each is counted apart. */
enum tl_cesop_error {
	TL_CESOP_OK,
	TL_CESOP_TOO_SHORT,  /* no room for the headers */
	TL_CESOP_BAD_RTP,    /* version, payload type, CSRCs, extension or padding not as agreed */
	TL_CESOP_BAD_CONTROL, /* first nibble not 0, or M or FRG not defined by RFC 5086 */
	TL_CESOP_BAD_LENGTH, /* LEN or the payload's size does not fit the format */
};

/** Name of an error for counters and logs, such as "bad-length". Static. */
const char *tl_cesop_error_name(enum tl_cesop_error error);

/**
 * tl_cesop_parse - read one UDP payload of @length octets.
 * @packet: written only on TL_CESOP_OK; its payload points into @octets.
 */
enum tl_cesop_error tl_cesop_parse(const struct tl_cesop_format *format, const uint8_t *octets,
				   size_t length, struct tl_cesop_packet *packet);

/**
 * tl_cesop_format_packet - write @packet to @octets, at least TL_CESOP_PACKET_MAX of them.
 * @packet->payload NULL is only legal with L set. Returns octets written.
 */
size_t tl_cesop_format_packet(const struct tl_cesop_format *format,
			      const struct tl_cesop_packet *packet, uint8_t *octets);
