/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The RTP session of a port: what it heard of the far end, the playout buffer,
 * and what it sends; and the way that its packets take: two sockets of its own
 * (session-socket.c), or the hub where all browsers are (browser.h). Opened and
 * closed by main, between which only the thread uses it.
 */
#pragma once

#include "media/event.h"
#include "media/jitter.h"
#include "media/opus-in.h"
#include "media/opus-out.h"
#include "media/port.h"
#include "media/rtp.h"
#include "media/video.h"
#include "secure/secure.h"

#define TL_RTP_PACKET_SAMPLES_MAX 480 /* 60 ms */
#define TL_RTP_EVENT_PAYLOAD 101      /* what we announce for telephone events */

struct tl_rtp_socket {
	struct tl_port *port;
	int fd;
	bool is_rtcp;
};

/** SRTP of both directions; made by main. */
struct tl_rtp_keys {
	struct tl_parcel parcel;
	struct tl_srtp *send, *receive; /* NULL: as it is */
};

struct tl_browser;

/** Tick. */
struct tl_session_video {
	bool heard;
	uint32_t source;                 /* SSRC of what the party sends, as heard last */
	struct tl_video_row row, again;  /* of what it gets, and of what is sent anew of it */
	uint64_t given_tick;             /* in which it got a packet last */
};

struct tl_rtp_session {
	struct tl_port *port;           /* RO */
	struct tl_dtls_keys main_keys;  /* main */
	bool main_secured;              /* main */
	struct tl_rtp_socket rtp, rtcp; /* RO; fd -1: it goes by the hub */
	unsigned local_port;            /* RO; of rtp */
	unsigned phase;                 /* RO; in which ticks its packets begin */
	uint32_t ssrc;                  /* RO */
	unsigned main_version;          /* main: answers given */
	struct tl_browser *main_browser; /* main: the one that the thread has, or will have */
	bool main_has_opus;             /* main: the thread has its codecs, or will have */
	bool main_is_opus;              /* main: they are in use */

	/* tick from here on */
	struct tl_rtp_target target;    /* rtp.length 0: not told yet */
	struct tl_endpoint to;           /* where RTP is sent: as signalled, or latched to where it comes from */
	bool latched, signalled_heard;
	struct tl_rtp_keys *keys;       /* NULL: packets go in the clear; by the hub: not at all */
	struct tl_browser *browser;     /* by the hub; NULL: not connected yet */

	struct tl_rtp_source source;
	struct tl_jitter jitter;
	struct tl_opus_in *opus_in;     /* NULL: never needed; freed by main with the session */
	struct tl_opus_out *opus_out;
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
	uint8_t packet[TL_RTP_HEADER_OCTETS + TL_RTP_PACKET_SAMPLES_MAX + TL_SRTP_GROWTH_MAX];
	struct tl_event_out event_out;
	uint32_t packets, octets;       /* sent, for sender reports */

	unsigned report_ticks;          /* until the next RTCP report */
	uint32_t packets_reported;      /* sent before the last report */
	uint32_t random;
	struct tl_session_video video;

	uint32_t remote_sr;             /* middle of the NTP time of the last SR; 0: none */
	int64_t remote_sr_us;           /* when it came */
};

/** Without a way yet. (transfer full) Thread: main. */
struct tl_rtp_session *tl_rtp_session_new(struct tl_port *port);
/** Closes. Thread: main, after the thread let it go. */
void tl_rtp_session_free(struct tl_rtp_session *session);
void tl_rtp_keys_free(struct tl_rtp_keys *keys);

/* ---- thread: tick ---- */
void tl_rtp_session_set_target(struct tl_rtp_session *session, const struct tl_rtp_target *target);
/** Takes @keys, or none, and hands the former back. */
void tl_rtp_session_set_keys(struct tl_rtp_session *session, struct tl_rtp_keys *keys);
/** Fixed playout depth (clear bridges), or adaptive. */
void tl_rtp_session_set_fixed(struct tl_rtp_session *session, bool fixed);
/** Fixed playout at the greatest depth, from the next packet on; or as it was. */
void tl_rtp_session_set_deep(struct tl_rtp_session *session, bool deep);
/** Takes one packet that is known to come from the far end; @arrival in samples of any 8 kHz clock. */
void tl_rtp_session_hear(struct tl_rtp_session *session, const struct tl_rtp_packet *packet, uint32_t arrival);
/** The tick's block of what the far end says, into port->block and port->said_event. */
void tl_rtp_session_take(struct tl_rtp_session *session);
/** Fetches the tick's block and sends what is due. */
void tl_rtp_session_give(struct tl_rtp_session *session);

/** Whether audio goes as Opus; else as G.711. */
static inline bool tl_rtp_session_has_opus(const struct tl_rtp_session *session)
{
	return session->target.opus_payload_type;
}

/** @samples of 8 kHz in units of the stream's timestamps. */
static inline uint32_t tl_rtp_session_stream_time(const struct tl_rtp_session *session, uint32_t samples)
{
	return tl_rtp_session_has_opus(session) ? samples * TL_OPUS_PER_SAMPLE : samples;
}

/** What the tap has for the far end of T.38; what it has while that is audio is dropped. */
void tl_rtp_session_send_datagrams(struct tl_rtp_session *session);

/* session-way.c */
/** Begins and ends to listen; the end says goodbye. */
void tl_rtp_session_attach(struct tl_rtp_session *session);
void tl_rtp_session_detach(struct tl_rtp_session *session);
/** Whether there is anybody to send packets, or reports, to. */
bool tl_rtp_session_can_send(const struct tl_rtp_session *session, bool is_rtcp);
/** Sends the @n octets at @octets, which have room for TL_SRTP_GROWTH_MAX more and are spoilt. False: lost. */
bool tl_rtp_session_send(struct tl_rtp_session *session, uint8_t *octets, size_t n, bool is_rtcp);
/** Takes the protection off, if there is any to be; false (counted): it is not the far end's. */
bool tl_rtp_session_open(struct tl_rtp_session *session, uint8_t *octets, size_t *n, bool is_rtcp);

/* session-rtcp.c */
void tl_rtp_session_hear_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n_octets);
void tl_rtp_session_report_tick(struct tl_rtp_session *session);
void tl_rtp_session_send_report(struct tl_rtp_session *session, bool bye);

/* session-video.c */
/** Takes a packet if its payload type is one of video's; false: it is not. */
bool tl_rtp_session_hear_video(struct tl_rtp_session *session, const uint8_t *octets, size_t n);
/** What a compound packet says of video goes on to the other party. */
void tl_rtp_session_hear_video_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n);
/**
 * The other party's session tells @port's something: at once, or by a tie. False: there is nobody who would want it, or no room.
 * Thread: @port's, or for what stands for a port in a bridge, the bridge's.
 */
bool tl_port_tell_video(struct tl_port *port, const struct tl_video_word *word, const uint8_t *octets, size_t n);

/* session-socket.c */
/** An even port of the range and the odd one after it. Thread: main. */
bool tl_rtp_sockets_open(struct tl_rtp_session *session, GError **error);
void tl_rtp_sockets_close(struct tl_rtp_session *session);
/** Fills in where @remote is. Thread: main. */
void tl_rtp_target_locate(struct tl_rtp_target *target, const struct tl_rtp_side *remote);
void tl_rtp_sockets_watch(struct tl_rtp_session *session, bool on);
/** Before @target becomes the session's: where to send changes if the far end has moved. */
void tl_rtp_sockets_aim(struct tl_rtp_session *session, const struct tl_rtp_target *target);
bool tl_rtp_sockets_send(struct tl_rtp_session *session, const uint8_t *octets, size_t n, bool is_rtcp);
/** Takes one datagram. */
void tl_rtp_socket_receive(struct tl_rtp_socket *socket);
/** The kernel's time of a datagram's arrival in samples of 8 kHz; reading happens a tick at a time. */
uint32_t tl_rtp_arrival_of(struct msghdr *message);
