/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * SRTP and SRTCP: packets protected and read in place, one context a direction
 * of an association, behind one interface with two backends (OpenSSL's EVP and
 * libsrtp2). RFC 3711, RFC 7714, no MKI, key derivation rate 0.
 *
 * A context is made and freed on main and used by one media thread. With
 * TL_SRTP_EVP nothing is allocated after tl_srtp_new(); libsrtp2 allocates when
 * an SSRC shows up for the first time.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/** In the order of our preference. */
enum tl_srtp_profile {
	TL_SRTP_AEAD_AES_128_GCM,  /* RFC 7714: tag of 16 octets */
	TL_SRTP_AES128_CM_SHA1_80, /* RFC 3711: tag of 10 octets */
};

enum tl_srtp_backend { TL_SRTP_EVP, TL_SRTP_LIBSRTP };
enum tl_srtp_direction { TL_SRTP_SEND, TL_SRTP_RECEIVE };

#define TL_SRTP_KEY_OCTETS 16
#define TL_SRTP_SALT_MAX 14
#define TL_SRTP_GROWTH_MAX 20 /* octets that protecting adds at most */
#define TL_SRTP_WINDOW 128    /* packets behind the newest that are still taken, RFC 3711 3.3.2 */
#define TL_SRTP_STREAMS_MAX 16 /* SSRCs of one context */

/** A master key and salt; the GCM profile uses the first 12 octets of the salt. */
struct tl_srtp_key {
	uint8_t key[TL_SRTP_KEY_OCTETS];
	uint8_t salt[TL_SRTP_SALT_MAX];
};

struct tl_srtp_config {
	enum tl_srtp_backend backend;
	enum tl_srtp_direction direction;
	enum tl_srtp_profile profile;
	struct tl_srtp_key key;
	uint64_t packets_max;      /* under this key; 0, and at most: 2^48 (RFC 3711 9.2) */
	uint64_t rtcp_packets_max; /* 0, and at most: 2^31 - 1 */
};

/** All only grow. Written by the context's media thread; others read a snapshot. */
struct tl_srtp_counters {
	uint64_t packets, rtcp_packets; /* protected, or read */
	uint64_t malformed;             /* not RTP or RTCP, or too short */
	uint64_t forged;                /* authentication failed */
	uint64_t replayed;              /* an index seen before, or older than the window */
	uint64_t refused;               /* too many SSRCs, key used up, no room */
};

struct tl_srtp;

/** A new one, from OpenSSL's generator. Any thread. */
void tl_srtp_key_make(struct tl_srtp_key *key);

#define TL_SECURE_ERROR (tl_secure_error_quark())
GQuark tl_secure_error_quark(void);
enum tl_secure_error_code { TL_SECURE_ERROR_KEY, TL_SECURE_ERROR_CERTIFICATE, TL_SECURE_ERROR_THREAD };

/** The key is copied; the caller wipes its own. (transfer full) Thread: main. */
struct tl_srtp *tl_srtp_new(const struct tl_srtp_config *config, GError **error);

/** Wipes the keys; NULL is legal. Thread: main, after the media thread has let it go. */
void tl_srtp_free(struct tl_srtp *srtp);

/*
 * The four below change @packet, of *@n_octets octets, in place and set *@n_octets to its new length. On failure
 * *@n_octets is untouched and what @packet holds is undefined. Thread: the context's media thread. Real-time safe.
 *   -EINVAL       not RTP (RTCP) of version 2, or too short
 *   -ENOSPC       @capacity is short of *@n_octets + TL_SRTP_GROWTH_MAX
 *   -EBADMSG      authentication failed
 *   -EALREADY     this index was seen before; when sending: the same sequence number twice would betray the key
 *                 (keep the protected octets if they may have to be sent again)
 *   -ESTALE       older than the window
 *   -EUSERS       a further SSRC than TL_SRTP_STREAMS_MAX
 *   -EKEYEXPIRED  the key is used up
 */

/** Protects an RTP packet. RFC 3711 3.3 */
int tl_srtp_protect(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets, size_t capacity);
/** Reads an SRTP packet. RFC 3711 3.3 */
int tl_srtp_unprotect(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets);
/** Protects a compound RTCP packet. RFC 3711 3.4 */
int tl_srtp_protect_rtcp(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets, size_t capacity);
/** Reads an SRTCP packet, encrypted or only authenticated (E flag). RFC 3711 3.4 */
int tl_srtp_unprotect_rtcp(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets);

/** Any thread. */
void tl_srtp_counters(const struct tl_srtp *srtp, struct tl_srtp_counters *counters);

/** 12 or 14. */
size_t tl_srtp_salt_octets(enum tl_srtp_profile profile);
/** As DTLS names it (RFC 5764 4.1.2, RFC 7714 14.2): "SRTP_AEAD_AES_128_GCM". Static. */
const char *tl_srtp_profile_name(enum tl_srtp_profile profile);
