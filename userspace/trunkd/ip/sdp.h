/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Session descriptions as a telephone needs them (RFC 8866, offer and answer
 * by RFC 3264): one stream of G.711 with RFC 4733 events, or of T.38 over UDPTL (ITU-T
 * T.38 annex D) in its place; every other stream is refused with port 0. SRTP by RFC 4568,
 * over RTP/SAVP, or beside RTP/AVP where the peer may do without. Text in, values out; no
 * state, no I/O. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip/sdes.h"
#include "signal/leg.h"

#define TL_SDP_STREAMS_MAX 8
#define TL_SDP_OCTETS_MAX 16384

/** A stream as its m= line named it, kept because every later description must name it again (RFC 3264 8). */
struct tl_sdp_stream {
	char media[16], protocol[24], format[16];
};

/** What one description says. */
struct tl_sdp {
	struct tl_rtp_side side;  /* law: the first named; dtmf_payload_type -1 when there are no events */
	bool offers[2];           /* by enum tl_law */
	unsigned n_streams, ours; /* m= lines, and which of them is ours */
	struct tl_sdp_stream streams[TL_SDP_STREAMS_MAX];
	bool savp;                /* the stream is RTP/SAVP */
	unsigned n_keys;          /* those that we can take, in the peer's order */
	struct tl_sdes keys[TL_SDES_MAX];
};

/**
 * tl_sdp_parse - read @text of @length octets (no terminator needed).
 * Takes the first audio stream over RTP/AVP, or RTP/SAVP where @secure; keys are read in either. Where there is none or
 * it is refused, the first image over UDPTL by T.38 with its TCF transferred. Addresses must be numeric and unicast; ptime
 * is rounded down to 10-60 ms in steps of 10; a stream with port 0 is read with side.port 0.
 * Returns 0, -EBADMSG (not SDP, or over a limit) or -EPROTONOSUPPORT (SDP without G.711 or T.38 that we can take, or
 * RTP/SAVP without a key that we can); @sdp is untouched on failure.
 */
int tl_sdp_parse(const char *text, size_t length, bool secure, struct tl_sdp *sdp);

/** What is to be said. */
struct tl_sdp_local {
	const struct tl_rtp_side *side; /* law first; port 0 refuses the stream; sends and receives give the direction */
	bool both_laws;                 /* an offer: the other law too */
	const struct tl_sdp *shape;     /* streams of the session so far, or NULL: ours alone */
	bool answer;                    /* ours keeps the place of @shape's; otherwise that of its medium, where it had one */
	uint64_t session_id;            /* o= */
	unsigned version;               /* o=; grows with every change (RFC 3264 8) */
	bool savp;                      /* RTP/SAVP */
	const struct tl_sdes *keys;
	unsigned n_keys;
};

/** tl_sdp_format - the description as text; an image where @side->t38.on. (transfer full), g_free. */
char *tl_sdp_format(const struct tl_sdp_local *local);

/**
 * tl_sdp_agree - settle an answer to @offer: @local's law when offered, else the other; the offer's payload type for
 * events on both sides, or none when either has none. T.38 where offered, by its version, rate and error correction.
 */
void tl_sdp_agree(const struct tl_sdp *offer, struct tl_rtp_side *local, struct tl_rtp_side *remote);

/** Whether two sides say the same. */
bool tl_sdp_side_equal(const struct tl_rtp_side *a, const struct tl_rtp_side *b);
