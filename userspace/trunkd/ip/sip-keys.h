/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* SRTP's keys of a dialog, agreed by offer and answer (RFC 4568 7). Thread: main. */
#pragma once

#include "ip/sdp.h"
#include "ip/sip.h"

struct tl_sip_keys {
	enum tl_srtp_policy policy; /* as it is in force on this way */
	bool savp;                  /* the session's protocol */
	struct tl_sdes ours[2];     /* as last offered; [0]: as agreed */
	unsigned n_ours;
	bool agreed, changed;       /* changed: since the owner was told */
	struct tl_sdes theirs;
	struct tl_dtls_keys both;   /* once agreed */
};

/** Nothing agreed yet. False: keys are required, and this way is not secret. */
bool tl_sip_keys_begin(struct tl_sip_keys *keys, enum tl_srtp_policy wanted, const struct tl_sip_listener *way);

/** 0, or -EPROTONOSUPPORT: @sdp goes without what is required. */
int tl_sip_keys_check(const struct tl_sip_keys *keys, const struct tl_sdp *sdp);

/** Takes the peer's offer; what did not change keeps its keys. */
void tl_sip_keys_take_offer(struct tl_sip_keys *keys, const struct tl_sdp *offer);

/** Takes the peer's answer to what was described last; false: it chose what was not offered, or nothing. */
bool tl_sip_keys_take_answer(struct tl_sip_keys *keys, const struct tl_sdp *answer);

/** Puts them into what is to be said. */
void tl_sip_keys_describe(struct tl_sip_keys *keys, bool answer, struct tl_sdp_local *local);
