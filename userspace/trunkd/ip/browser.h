/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Descriptions of browsers (JSEP, RFC 8829; RFC 8839, RFC 8843, RFC 8122): an
 * offer read, an answer written: one stream of G.711 or Opus with RFC 4733
 * events, and one of video where audio's bundle has one, over one ICE and DTLS transport.
 * Every other stream is refused with port 0. Text and values; no state, no I/O. Any thread.
 */
#pragma once

#include <glib.h>

#include "secure/secure.h"
#include "signal/leg.h"

#define TL_BROWSER_STREAMS_MAX 8
#define TL_BROWSER_OCTETS_MAX 65536
#define TL_BROWSER_MID_MAX 32
#define TL_BROWSER_PARAMETERS_MAX 128

/* Header extensions (RFC 8285) that video keeps. */
#define TL_BROWSER_SEND_TIME "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define TL_BROWSER_ORIENTATION "urn:3gpp:video-orientation"

/** A stream as its m= line named it; the answer must name it again (RFC 3264 6). */
struct tl_browser_stream {
	char media[16], protocol[32], format[32];
	char mid[TL_BROWSER_MID_MAX + 1];
};

/** What one offer says. */
struct tl_browser_offer {
	char session[32];        /* o='s number: another one is another peer connection (RFC 8829 5.2.1) */
	struct tl_fingerprint fingerprint;
	struct tl_rtp_side side; /* law: the first named; Opus' payload type or 0, events' or -1; directions; no address */
	bool offers[2];          /* G.711, by enum tl_law */
	unsigned n_streams, audio; /* m= lines, and which of them is ours */
	bool has_video;
	unsigned video;          /* which m= line; formats and directions are in side.video */
	char video_parameters[TL_VIDEO_CODECS][TL_BROWSER_PARAMETERS_MAX]; /* a=fmtp, as offered; "" */
	struct tl_browser_stream streams[TL_BROWSER_STREAMS_MAX];
};

/**
 * tl_browser_offer_parse - read @text. TL_IP_ERROR_OFFER names the part that this end cannot do and what was expected;
 * @offer is untouched then.
 */
bool tl_browser_offer_parse(const char *text, struct tl_browser_offer *offer, GError **error);

/** What we would like to speak with browsers. */
struct tl_browser_choice {
	enum tl_law law;         /* with Opus: what is made of it */
	bool opus;               /* rather Opus than G.711, where both are offered */
	bool video;              /* where it is offered */
	bool dtx;                /* ask for Opus that sends next to nothing in silence */
};

/** The codec to be used both ways: the law of the choice if G.711 is, and may be, else what the other side has. */
struct tl_rtp_side tl_browser_offer_choose(const struct tl_browser_offer *offer, const struct tl_browser_choice *choice);

/**
 * tl_browser_answer_format - the answer to @offer by @choice, on @transport; ICE-lite, DTLS passive. (transfer full),
 * g_free.
 */
char *tl_browser_answer_format(const struct tl_browser_offer *offer, const struct tl_browser_choice *choice,
			       const struct tl_transport_side *transport);
