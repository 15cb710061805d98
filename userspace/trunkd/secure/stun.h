/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * STUN messages as ICE needs them: Binding requests and their responses with
 * short-term credentials. Octets and values, nothing is allocated; any thread,
 * real-time safe. RFC 8489, RFC 8445 7.1.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secure/hmac.h"

#define TL_STUN_OCTETS_MAX 1280  /* longer ones are refused */
#define TL_STUN_ANSWER_MAX 128   /* octets that a response of ours may have */
#define TL_STUN_USERNAME_MAX 513 /* RFC 8489 14.3: fewer than 509 octets; ICE: twice 256 and a colon */
#define TL_STUN_UNKNOWN_MAX 8    /* unknown attributes that are told */

union tl_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

enum tl_stun_class { TL_STUN_REQUEST, TL_STUN_INDICATION, TL_STUN_SUCCESS, TL_STUN_ERROR };
#define TL_STUN_BINDING 1

/** A message read. Pointers lead into its octets. */
struct tl_stun_message {
	const uint8_t *octets;
	size_t n_octets;
	enum tl_stun_class class;
	unsigned method;
	const uint8_t *transaction; /* 12 octets */
	const char *username;       /* NULL: absent; not terminated */
	size_t n_username;
	size_t integrity_at;        /* where MESSAGE-INTEGRITY stands; 0: absent */
	bool has_fingerprint;       /* and it is right */
	bool has_mapped;            /* XOR-MAPPED-ADDRESS */
	union tl_address mapped;
	bool has_priority, use_candidate, controlling, controlled;
	uint32_t priority;
	uint64_t tie_breaker;       /* of controlling or controlled */
	unsigned error;             /* ERROR-CODE, 0: absent */
	unsigned n_unknown;         /* attributes that must be understood and are not */
	uint16_t unknown[TL_STUN_UNKNOWN_MAX];
};

/**
 * tl_stun_parse - read one datagram; attributes behind MESSAGE-INTEGRITY do not count, but FINGERPRINT.
 * 0, -EINVAL (not a well-formed STUN message) or -EBADMSG (wrong FINGERPRINT). RFC 8489 6.3
 */
int tl_stun_parse(const uint8_t *octets, size_t n_octets, struct tl_stun_message *message);

/** Whether MESSAGE-INTEGRITY is there and made with @password. RFC 8489 9.1.3 */
bool tl_stun_verify(const struct tl_stun_message *message, const struct tl_hmac_key *password);

/*
 * Each writes to @out and returns its octets, 0 if @capacity is too small (TL_STUN_ANSWER_MAX is enough for responses).
 * With @password NULL they bear no MESSAGE-INTEGRITY; FINGERPRINT always.
 */

/** The success response to @request: whence it came. An IPv4 address mapped into IPv6 is told as what it is. */
size_t tl_stun_format_success(const struct tl_stun_message *request, const union tl_address *from,
			      const struct tl_hmac_key *password, uint8_t *out, size_t capacity);

/** The error response @code (400, 401, 420 with the unknown attributes, 487). RFC 8489 14.8, RFC 8445 7.3.1.1 */
size_t tl_stun_format_error(const struct tl_stun_message *request, unsigned code, const struct tl_hmac_key *password,
			    uint8_t *out, size_t capacity);

struct tl_stun_check {
	uint8_t transaction[12];
	const char *username; /* "theirs:ours" */
	uint32_t priority;
	bool controlling, use_candidate;
	uint64_t tie_breaker;
};

/** A connectivity check, as a full agent sends it. RFC 8445 7.2.2 */
size_t tl_stun_format_check(const struct tl_stun_check *check, const struct tl_hmac_key *password, uint8_t *out,
			    size_t capacity);
