/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The association's inside, for dtls.c and the callbacks that OpenSSL makes into it. */
#pragma once

#include "secure/dtls-bio.h"
#include "secure/dtls.h"

struct tl_dtls {
	struct tl_certificate *certificate;
	enum tl_dtls_role role;
	bool cookie;
	unsigned profiles;
	struct tl_fingerprint peer;
	tl_dtls_send_fn send;
	void *user;

	SSL *ssl;
	struct tl_dtls_wire wire;
	struct tl_hmac_key cookie_key;
	union tl_address from;   /* of the datagram being read */
	enum tl_dtls_state state;
	bool listening;          /* for a ClientHello with our cookie */
	bool met, is_expected;   /* the peer has shown a certificate; it is the right one */
	unsigned restarts;
	char reason[160];
	struct tl_dtls_keys keys;
};
