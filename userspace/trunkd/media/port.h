/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The inside of a port. In each tick the thread first takes from every port
 * what its party says, then gives every port what its party is to hear.
 */
#pragma once

#include "media/dtmf.h"
#include "media/engine.h"

enum tl_port_kind { TL_PORT_TIMESLOT, TL_PORT_RTP, TL_PORT_TIE };

struct tl_rtp_session;
struct tl_inband;

/** Written by tick, read by main. */
struct tl_port_tally {
	_Atomic uint64_t packets_received, packets_sent, lost, late, duplicate, early, refused, concealed_blocks, overflow, corrections;
	_Atomic uint64_t digits_received, digits_sent, recorded_dropped;
	_Atomic uint64_t video_received, video_sent, video_dropped;
	_Atomic uint32_t jitter_us, depth_us, remote_lost, round_trip_us;
};

struct tl_recording {
	struct tl_parcel parcel;
	struct tl_ring *blocks; /* tick to main */
	bool returned;          /* main: the thread has let it go */
	bool orphan;            /* main: nobody will read it */
};

struct tl_port {
	struct tl_parcel parcel;
	struct tl_media *media;         /* RO */
	enum tl_port_kind kind;         /* RO */
	void *user;                     /* RO */
	struct tl_span *span;           /* RO; timeslot */
	unsigned slot;                  /* RO; timeslot */
	struct tl_rtp_session *rtp;     /* RTP; contents: tick, but for what its struct says */

	/* main */
	bool freed, was_tapped;
	enum tl_law main_law;
	struct tl_bridge *main_bridge;
	struct tl_recording *main_recording;
	struct tl_dtmf_detector *main_detector;
	struct tl_fax_ear *main_fax_ear;
	struct tl_inband *inband;       /* owned; of a port that signalling uses, else NULL */
	struct tl_tie *main_tie;        /* it is in a bridge of another thread; NULL: not */

	/* tick */
	unsigned index;                 /* in media->ports */
	enum tl_law law;
	bool muted, echo;
	struct tl_media_span *line;     /* the span's place; NULL while the thread does not have it */
	struct tl_dtmf_detector *detector; /* NULL: off */
	struct tl_fax_ear *fax_ear;     /* NULL: off */
	unsigned fax_ticks;             /* until it is off; 0: for ever */
	struct tl_tap *tap;             /* the far thread that the party speaks with */
	struct tl_listening listening;
	struct tl_recording *recording;
	struct tl_play *play;
	struct tl_bridge *bridge;
	struct tl_tie *tie;             /* of a party in a bridge of another thread, and (RO) of what stands for it there */
	const uint8_t *said;            /* this tick's block of the party, in law */
	bool said_missing;              /* nothing of it has come, though the party is sending; a tap's far thread may want to know */
	int said_event;                 /* RFC 4733 code that the block is the tone of; -1: none */
	uint8_t block[TL_BLOCK_OCTETS]; /* room for said */

	struct tl_port_tally tally;
};

/* ---- the thread's side: port-tick.c ---- */
void tl_port_attach(struct tl_port *port);
/** Leaves everything and hands the port back. */
void tl_port_detach(struct tl_port *port);
/** Finds the span's place again after one was added or removed. */
void tl_port_find_line(struct tl_port *port);
void tl_port_take(struct tl_port *port);
void tl_port_give(struct tl_port *port);
/** Writes the next block to hear, in the port's law; returns the DTMF code that it is the tone of, or -1. */
int tl_port_hear(struct tl_port *port, uint8_t *block);
void tl_port_set_play(struct tl_port *port, struct tl_play *play);
void tl_port_set_recording(struct tl_port *port, struct tl_recording *recording);
void tl_port_report_press(struct tl_port *port, const struct tl_dtmf_press *press);

/* ---- main's side ---- */
/** tl_port_send_dtmf(), or R1's digits at their own pace. */
int tl_port_send_mf(struct tl_port *port, uint64_t id, const char *digits);
void tl_port_listen(struct tl_port *port, const struct tl_listening *listening);

/* inband.c: what came of a port that signalling uses */
void tl_inband_heard_digit(struct tl_port *port, char digit);
void tl_inband_heard_caller_id(struct tl_port *port);
void tl_inband_sent(struct tl_port *port, uint64_t id, bool completed);
void tl_inband_free(struct tl_inband *inband);
/** Uses all of SpanDSP that the thread will use. */
void tl_inband_warm_up(const int16_t samples[TL_BLOCK_OCTETS]);

/** A port of this room's own, not counted. */
struct tl_port *tl_port_make(struct tl_media *media, enum tl_port_kind kind, enum tl_law law, void *user);
/** A port of that thread with an RTP session that has no way yet; tl_port_begin() gives it to the thread. */
struct tl_port *tl_port_new_session(struct tl_media *media, enum tl_law law, void *port_user, GError **error);
struct tl_port *tl_port_begin(struct tl_port *port);
/** Whether the octets of its law are not those on the wire. */
bool tl_port_transcodes(const struct tl_port *port);
/** Frees what came back. */
void tl_port_dispose(struct tl_port *port);
void tl_recording_dispose(struct tl_recording *recording);
