/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The leg vocabulary: what every signalling system says of a party, in the
 * words of Q.931, and the *dialog*, the signalling side of one leg (a Q.931
 * call, a SIP dialog, later a browser session). Values and one small interface;
 * no protocol. Thread: main.
 */
#pragma once

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

#define TL_DIGITS_MAX 32
#define TL_NAME_MAX 64

/** Type of number, ITU-T Q.931 table 4-9 (octet 3, bits 7-5). */
enum tl_number_type {
	TL_NUMBER_UNKNOWN = 0,
	TL_NUMBER_INTERNATIONAL = 1,
	TL_NUMBER_NATIONAL = 2,
	TL_NUMBER_NETWORK = 3,
	TL_NUMBER_SUBSCRIBER = 4,
	TL_NUMBER_ABBREVIATED = 6,
};

/** Numbering plan, ITU-T Q.931 table 4-9 (octet 3, bits 4-1). */
enum tl_number_plan { TL_PLAN_UNKNOWN = 0, TL_PLAN_ISDN = 1, TL_PLAN_NATIONAL = 8, TL_PLAN_PRIVATE = 9 };

/** Presentation indicator, ITU-T Q.931 table 4-11. */
enum tl_presentation { TL_PRESENTATION_ALLOWED = 0, TL_PRESENTATION_RESTRICTED = 1, TL_PRESENTATION_UNAVAILABLE = 2 };

/** Screening indicator, ITU-T Q.931 table 4-11. */
enum tl_screening { TL_SCREENING_USER = 0, TL_SCREENING_PASSED = 1, TL_SCREENING_FAILED = 2, TL_SCREENING_NETWORK = 3 };

struct tl_number {
	char digits[TL_DIGITS_MAX + 1]; /* 0-9 * # A-D; "" when absent; no leading + (that is type international) */
	enum tl_number_type type;
	enum tl_number_plan plan;
	enum tl_presentation presentation; /* calling and redirecting numbers */
	enum tl_screening screening;
};

/** Bearer capability, ITU-T Q.931 4.5.5. */
enum tl_bearer { TL_BEARER_SPEECH, TL_BEARER_AUDIO_3K1, TL_BEARER_UNRESTRICTED };

/** What a call is offered with, whoever offers it. */
struct tl_leg_setup {
	struct tl_number called, calling, redirecting;
	unsigned redirecting_reason;            /* ITU-T Q.931 / Q.952: 0 unknown, 1 busy, 2 no reply, 15 unconditional */
	char calling_name[TL_NAME_MAX + 1];     /* UTF-8 */
	char calling_ii[2 + 1];                 /* ANI information digits: the kind of the caller's line (Telcordia SR-2275) */
	enum tl_bearer bearer;
	bool called_complete;                   /* sending complete: no overlap digits will follow */
};

/** Q.850 cause values used by name; any value 1-127 may occur. */
enum tl_cause {
	TL_CAUSE_UNALLOCATED = 1,
	TL_CAUSE_NO_ROUTE = 3,
	TL_CAUSE_NORMAL_CLEARING = 16,
	TL_CAUSE_USER_BUSY = 17,
	TL_CAUSE_NO_USER_RESPONSE = 18,
	TL_CAUSE_NO_ANSWER = 19,
	TL_CAUSE_SUBSCRIBER_ABSENT = 20,
	TL_CAUSE_REJECTED = 21,
	TL_CAUSE_NUMBER_CHANGED = 22,
	TL_CAUSE_OUT_OF_ORDER = 27,
	TL_CAUSE_INVALID_NUMBER = 28,
	TL_CAUSE_FACILITY_REJECTED = 29,
	TL_CAUSE_NORMAL_UNSPECIFIED = 31,
	TL_CAUSE_NO_CIRCUIT = 34,
	TL_CAUSE_NETWORK_OUT_OF_ORDER = 38,
	TL_CAUSE_TEMPORARY_FAILURE = 41,
	TL_CAUSE_CONGESTION = 42,
	TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE = 44,
	TL_CAUSE_BEARER_NOT_AUTHORIZED = 57,
	TL_CAUSE_BEARER_NOT_AVAILABLE = 58,
	TL_CAUSE_BEARER_NOT_IMPLEMENTED = 65,
	TL_CAUSE_INCOMPATIBLE_DESTINATION = 88,
	TL_CAUSE_RECOVERY_ON_TIMER = 102,
	TL_CAUSE_PROTOCOL_ERROR = 111,
	TL_CAUSE_INTERWORKING = 127,
};

/** "user-busy" and the like; "cause-N" for values without a name here. @text has at least 48 octets. */
const char *tl_cause_name(unsigned cause, char *text);

/** Reads "16", "user-busy"; false when it is neither. */
bool tl_cause_parse(const char *text, unsigned *cause);

/**
 * tl_number_parse - read "+4930123" (international), "0123" (unknown), digits * # A-D otherwise.
 * False (number untouched) on other characters or more than TL_DIGITS_MAX.
 */
bool tl_number_parse(const char *text, struct tl_number *number);

/** The inverse: a leading + for type international. @text has at least TL_DIGITS_MAX + 2 octets. */
const char *tl_number_format(const struct tl_number *number, char *text);

/** What UDPTL adds against loss (ITU-T T.38 9.1.4): copies of the last packets, or parities over them. */
enum tl_t38_correction { TL_T38_PLAIN, TL_T38_REDUNDANCY, TL_T38_FEC };

/** One side of T.38 over UDPTL in SDP's terms (ITU-T T.38 D.2.3). */
struct tl_t38_side {
	bool on;           /* the stream is an image, and not audio */
	unsigned version, bit_rate; /* bit_rate: the greatest, bit/s */
	unsigned datagram; /* octets of the greatest UDPTL packet that it takes */
	bool fill_bit_removal;
	enum tl_t38_correction correction;
};

/** In the order of our preference: browsers must have the first two (RFC 7742 5). */
enum tl_video_codec { TL_VIDEO_VP8, TL_VIDEO_H264, TL_VIDEO_VP9, TL_VIDEO_AV1, TL_VIDEO_CODECS };

/** What a receiver may tell the sender (RFC 4585, RFC 5104, REMB); bits. */
enum { TL_VIDEO_NACK = 1, TL_VIDEO_PLI = 2, TL_VIDEO_FIR = 4, TL_VIDEO_REMB = 8 };

struct tl_video_format {
	uint8_t payload_type;   /* 0: not this codec */
	uint8_t retransmission; /* its payload type of RFC 4588; 0: none */
	uint8_t feedback;
};

/** The video of a browser: one stream, in the bundle of its audio. */
struct tl_video_side {
	struct tl_video_format formats[TL_VIDEO_CODECS]; /* all 0: no video */
	uint8_t send_time, orientation; /* header extensions: abs-send-time, urn:3gpp:video-orientation; 0: none */
	bool sends, receives;
};

static inline uint32_t tl_video_ssrc(uint32_t audio_ssrc)
{
	return audio_ssrc + 1;
}

/** One side of an RTP session in SDP's terms (RFC 8866, RFC 3551, RFC 4733), or of T.38 in its place. */
struct tl_rtp_side {
	char host[64];     /* numeric; "" when unknown */
	char from[64];     /* numeric host that its signalling came from: its RTP may, too; "" when unknown */
	unsigned port;     /* RTP; RTCP on port + 1; 0: stream refused or unknown */
	enum tl_law law;   /* the law to send to this side */
	int dtmf_payload_type; /* telephone-event payload type to send to this side; -1: none, DTMF in band */
	unsigned opus_payload_type; /* Opus both ways (RFC 7587); 0: the law's G.711 */
	bool opus_fec;     /* this side has use for Opus packets that repeat (useinbandfec) */
	unsigned ptime_ms; /* 10, 20, 30 ... */
	bool sends;        /* this side may send (sendrecv, sendonly) */
	bool receives;     /* this side wants to receive (sendrecv, recvonly) */
	struct tl_t38_side t38;
	struct tl_video_side video;
};

#define TL_CANDIDATES_MAX 8

struct tl_candidate {
	char host[64];     /* numeric */
	unsigned port;     /* UDP */
};

/** Our side of a browser's way in SDP's terms (RFC 8839, RFC 8122). */
struct tl_transport_side {
	char ufrag[16], password[32];
	char fingerprint[208]; /* "sha-256 AB:CD..." */
	uint32_t ssrc;     /* of the audio that we send; of video and its retransmissions: tl_video_ssrc() and the next */
	unsigned version;  /* grows with each answer */
	unsigned n_candidates;
	struct tl_candidate candidates[TL_CANDIDATES_MAX];
};

/** Where a dialog's audio is. */
enum tl_media_kind { TL_MEDIA_TIMESLOT, TL_MEDIA_RTP, TL_MEDIA_BROWSER };

enum tl_dialog_event_kind {
	TL_DIALOG_PROCEEDING, /* number complete, being routed */
	TL_DIALOG_ALERTING,   /* inband: ringing tone comes from there */
	TL_DIALOG_PROGRESS,   /* inband: listen now */
	TL_DIALOG_ANSWERED,
	TL_DIALOG_DIGITS,     /* more called-number digits (overlap receiving) or keypad */
	TL_DIALOG_DTMF,       /* a digit signalled outside the audio (SIP INFO) */
	TL_DIALOG_FLASH,      /* a hook flash, on CAS lines */
	TL_DIALOG_MEDIA,      /* slot or RTP sides are known or have changed (hold too): look at the dialog */
	TL_DIALOG_RELEASED,   /* over, with cause: the last event; the owner frees the dialog after it */
};

struct tl_dialog_event {
	enum tl_dialog_event_kind kind;
	bool inband;        /* ALERTING, PROGRESS, ANSWERED: audio in the bearer is meaningful */
	unsigned cause;     /* RELEASED: Q.850 value; PROGRESS: 0 or the cause it carries */
	bool by_peer;       /* RELEASED: the far end cleared; otherwise this node (timer, alarm, restart, our release) */
	const char *digits; /* DIGITS, DTMF; may be empty in DIGITS when only the end of the number is told */
	bool complete;      /* DIGITS: sending complete, or T302 expired: no more will follow */
};

struct tl_dialog;
struct tl_dtls_keys;

/** What a signalling system does for a dialog. All return 0 or negative errno (-EINVAL: not in this state). */
struct tl_dialog_ops {
	int (*proceed)(struct tl_dialog *dialog);
	int (*alert)(struct tl_dialog *dialog, bool inband);
	int (*progress)(struct tl_dialog *dialog, bool inband);
	int (*answer)(struct tl_dialog *dialog);
	/* Begins clearing; RELEASED follows when the bearer is free, at once or later, exactly once. */
	int (*release)(struct tl_dialog *dialog, unsigned cause);
	/*
	 * A re-offer with the present local RTP side (hold, retrieve, T.38); -ENOTSUP on timeslots. When the far end
	 * refuses T.38, or audio in its place, local.t38 becomes what it was, and MEDIA is told.
	 */
	int (*update)(struct tl_dialog *dialog);
	/* Frees; legal only after RELEASED was delivered, or never offered. */
	void (*free)(struct tl_dialog *dialog);
	/* A hook flash; NULL: the system has none. */
	int (*flash)(struct tl_dialog *dialog);
};

/**
 * The part that every dialog has; signalling systems embed it first. Owned by whoever received it
 * (on_offered) or made it, until RELEASED, then freed by tl_dialog_free().
 */
struct tl_dialog {
	const struct tl_dialog_ops *ops;                                        /* RO */
	void (*on_event)(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user);
	void *user;                                                             /* of on_event */
	/* Whether the far end may go over to T.38 now, answered at once; NULL: never. */
	bool (*may_go_t38)(struct tl_dialog *dialog, void *user);
	enum tl_media_kind media;                                               /* RO */
	struct tl_span *span;            /* TIMESLOT: borrowed */
	unsigned slot;                   /* TIMESLOT: 0 until the channel is settled */
	struct tl_rtp_side local;        /* RTP: set by the owner before progress, answer or call */
	struct tl_rtp_side remote;       /* RTP: as the far end said */
	const struct tl_dtls_keys *keys; /* RTP: of SRTP, as agreed (the room secure); borrowed; NULL: in the clear */
};

static inline int tl_dialog_proceed(struct tl_dialog *d) { return d->ops->proceed(d); }
static inline int tl_dialog_alert(struct tl_dialog *d, bool inband) { return d->ops->alert(d, inband); }
static inline int tl_dialog_progress(struct tl_dialog *d, bool inband) { return d->ops->progress(d, inband); }
static inline int tl_dialog_answer(struct tl_dialog *d) { return d->ops->answer(d); }
static inline int tl_dialog_release(struct tl_dialog *d, unsigned cause) { return d->ops->release(d, cause); }
static inline int tl_dialog_update(struct tl_dialog *d) { return d->ops->update(d); }
static inline int tl_dialog_flash(struct tl_dialog *d) { return d->ops->flash ? d->ops->flash(d) : -ENOTSUP; }
static inline void tl_dialog_free(struct tl_dialog *d) { if (d) d->ops->free(d); }
