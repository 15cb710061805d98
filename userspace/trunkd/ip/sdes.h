/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * SRTP's keys in session descriptions, RFC 4568: one a=crypto attribute read
 * and written. Suites: AEAD_AES_128_GCM (RFC 7714 14.1) and
 * AES_CM_128_HMAC_SHA1_80. Pure; any thread.
 */
#pragma once

#include <glib.h>

#include "secure/secure.h"

#define TL_SDES_MAX 4 /* attributes of a stream that are kept; further ones are passed over */

struct tl_sdes {
	unsigned tag; /* 0 to 999999999 */
	enum tl_srtp_profile profile;
	struct tl_srtp_key key; /* of whoever says it, for what it sends */
};

/**
 * tl_sdes_parse - read @text of @length octets (no terminator needed), what follows "a=crypto:".
 * Returns 0, -EBADMSG (malformed) or -EPROTONOSUPPORT (a suite, key parameter or session parameter that we do not
 * have: MKI, several keys, a lifetime under 2^20 packets, anything but WSH); @sdes is untouched on failure.
 */
int tl_sdes_parse(const char *text, size_t length, struct tl_sdes *sdes);

/** Appends the whole line, "a=crypto:" to CRLF. */
void tl_sdes_format(const struct tl_sdes *sdes, GString *out);

/** Whether both say the same suite and key; the tag does not matter. */
bool tl_sdes_same_key(const struct tl_sdes *a, const struct tl_sdes *b);
