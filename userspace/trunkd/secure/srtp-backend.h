/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What a backend of SRTP must do: hold the keys and each SSRC's state, and turn
 * packets that srtp.c has found well formed. Errors are srtp.h's.
 */
#pragma once

#include "secure/srtp.h"

struct tl_srtp_backend_ops {
	/** NULL on failure, with @error set. Thread: main. */
	void *(*new)(const struct tl_srtp_config *config, GError **error);
	void (*free)(void *state);
	/* @clear: octets of RTP header, extension included. */
	int (*protect)(void *state, uint8_t *packet, size_t *n_octets, size_t clear);
	int (*unprotect)(void *state, uint8_t *packet, size_t *n_octets, size_t clear);
	int (*protect_rtcp)(void *state, uint8_t *packet, size_t *n_octets);
	int (*unprotect_rtcp)(void *state, uint8_t *packet, size_t *n_octets);
};

extern const struct tl_srtp_backend_ops tl_srtp_evp;
extern const struct tl_srtp_backend_ops tl_srtp_libsrtp;
