/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The RTP session of a port: its two sockets, what it heard of the far end, the
 * playout buffer, and what it sends. Opened and closed by main, between which
 * only the thread uses it.
 */
#pragma once

#include "media/event.h"
#include "media/jitter.h"
#include "media/port.h"
#include "media/rtp.h"

#define TL_RTP_PACKET_SAMPLES_MAX 480 /* 60 ms */
#define TL_RTP_EVENT_PAYLOAD 101      /* what we announce for telephone events */

struct tl_rtp_socket {
	struct tl_port *port;
	int fd;
	bool is_rtcp;
};

struct tl_rtp_session {
	struct tl_port *port;           /* RO */
	struct tl_rtp_socket rtp, rtcp; /* RO */
	unsigned local_port;            /* RO */
	uint32_t ssrc;                  /* RO */

	/* tick from here on */
	struct tl_rtp_target target;    /* rtp.length 0: not told yet */
	struct tl_address to;           /* where RTP is sent: as signalled, or latched to where it comes from */
	bool latched, signalled_heard;

	struct tl_rtp_source source;
	struct tl_jitter jitter;
	struct tl_event_in event_in;
	bool events_heard;              /* RFC 4733 is in use: the audio is not searched for DTMF */
	int tone;                       /* code being sounded in the audio's place, -1: none */
	struct tl_oscillator oscillator;
	uint8_t last[TL_BLOCK_OCTETS];  /* last good block, fading while concealed */
	unsigned concealed;             /* blocks in a row */
	unsigned quiet_ticks;           /* since the last packet that was expected */
	bool silence_told;              /* main was told, and not yet that it is over */

	uint16_t sequence;
	uint32_t timestamp;             /* of the next block's first sample */
	bool talking;                   /* the last packet was audio: no marker */
	unsigned filled;                /* samples waiting in packet */
	uint8_t packet[TL_RTP_HEADER_OCTETS + TL_RTP_PACKET_SAMPLES_MAX];
	struct tl_event_out event_out;
	uint32_t packets, octets;       /* sent, for sender reports */

	unsigned report_ticks;          /* until the next RTCP report */
	uint32_t packets_reported;      /* sent before the last report */
	uint32_t random;
	uint32_t remote_sr;             /* middle of the NTP time of the last SR; 0: none */
	int64_t remote_sr_us;           /* when it came */
};

/** Opens both sockets on an even port of the range. (transfer full) Thread: main. */
struct tl_rtp_session *tl_rtp_session_new(struct tl_port *port, GError **error);
/** Closes. Thread: main, after the thread let it go. */
void tl_rtp_session_free(struct tl_rtp_session *session);

/* ---- thread: tick ---- */
void tl_rtp_session_set_target(struct tl_rtp_session *session, const struct tl_rtp_target *target);
/** Fixed playout depth (clear bridges), or adaptive. */
void tl_rtp_session_set_fixed(struct tl_rtp_session *session, bool fixed);
/** Fixed playout at the greatest depth, from the next packet on; or as it was. */
void tl_rtp_session_set_deep(struct tl_rtp_session *session, bool deep);
/** Takes one datagram. */
void tl_rtp_socket_receive(struct tl_rtp_socket *socket);
/** The tick's block of what the far end says, into port->block and port->said_event. */
void tl_rtp_session_take(struct tl_rtp_session *session);
/** Fetches the tick's block and sends what is due. */
void tl_rtp_session_give(struct tl_rtp_session *session);

/* session-rtcp.c */
void tl_rtp_session_hear_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n_octets);
void tl_rtp_session_report_tick(struct tl_rtp_session *session);
void tl_rtp_session_send_report(struct tl_rtp_session *session, bool bye);
