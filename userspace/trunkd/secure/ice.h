/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The lite end of ICE: it answers connectivity checks, which are also the
 * consent to go on sending, and begins none. RFC 8445 2.5, 7.3; RFC 7675 5.
 * One struct a media thread; nothing is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secure/stun.h"

#define TL_ICE_UFRAG_MAX 256 /* RFC 8839 5.4 */
#define TL_ICE_UFRAG_CHARS 8
#define TL_ICE_PASSWORD_CHARS 24

/** What a session's SDP tells the peer, and what its checks must be signed with. */
struct tl_ice_secret {
	char ufrag[TL_ICE_UFRAG_CHARS + 1];
	char password[TL_ICE_PASSWORD_CHARS + 1];
	struct tl_hmac_key key;
};

/** Random, of ice-chars (RFC 8839 5.4): 48 and 144 bits. Any thread. */
void tl_ice_secret_make(struct tl_ice_secret *secret);

enum tl_ice_verdict {
	TL_ICE_IGNORED,   /* no Binding request of ICE; nothing to send */
	TL_ICE_REFUSED,   /* answered with an error if n_octets is not 0 */
	TL_ICE_CHECKED,   /* authentic: this pair of addresses is valid, consent is fresh */
	TL_ICE_NOMINATED, /* the same, and the peer has chosen this pair (USE-CANDIDATE) */
};

struct tl_ice_answer {
	enum tl_ice_verdict verdict;
	void *session;     /* whose check it is; NULL unless checked or nominated */
	uint32_t priority; /* as the peer sees this pair */
	unsigned error;    /* 400, 401, 420, 487, or 0 */
	size_t n_octets;   /* to be sent whence the check came; 0: nothing */
	uint8_t octets[TL_STUN_ANSWER_MAX];
};

/** Returns the secret of the session with the @n_ufrag octets at @ufrag and sets *@session, or NULL. Real-time safe. */
typedef const struct tl_ice_secret *(*tl_ice_find_fn)(const char *ufrag, size_t n_ufrag, void **session, void *user);

/** All only grow. */
struct tl_ice_counters {
	uint64_t checks, nominations, malformed, ignored, unknown, forged, refused;
	uint64_t silent; /* of those refused or unknown or forged: no answer, as too many were answered this second */
};

/** Embedded in its thread's state. */
struct tl_ice_lite {
	tl_ice_find_fn find;
	void *user;
	unsigned errors_per_s, errors_left;
	int64_t errors_since_us;
	struct tl_ice_counters counters;
};

/** @errors_per_s: error responses to strangers a second at most; the rest is met with silence. 0: 100. */
void tl_ice_lite_init(struct tl_ice_lite *lite, tl_ice_find_fn find, void *user, unsigned errors_per_s);

/** Judges one STUN datagram that came from @from at @now_us. Thread: the one of @lite. Real-time safe. */
void tl_ice_lite_answer(struct tl_ice_lite *lite, const uint8_t *octets, size_t n_octets, const union tl_address *from,
			int64_t now_us, struct tl_ice_answer *answer);
