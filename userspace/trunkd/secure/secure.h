/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Secrecy on the way to browsers and SIP phones: certificates, DTLS handshakes on
 * a pool of workers, and by its neighbours the packets (srtp.h) and the checks of
 * addresses (ice.h). The only room that calls OpenSSL and libsrtp2.
 *
 * A handshake's way: main starts an association and gives it to a media thread,
 * which feeds it the DTLS datagrams that arrive on its socket and sends those that
 * the workers made; main hears of the keys and makes the SRTP contexts.
 */
#pragma once

#include <glib.h>

#include "secure/ice.h"
#include "secure/srtp.h"

/* ---- what a datagram is: one port carries all, RFC 7983, RFC 5761 4 ---- */

enum tl_datagram_kind { TL_DATAGRAM_OTHER, TL_DATAGRAM_STUN, TL_DATAGRAM_DTLS, TL_DATAGRAM_RTP, TL_DATAGRAM_RTCP };

/** Any thread. Real-time safe. */
static inline enum tl_datagram_kind tl_datagram_kind_of(const uint8_t *octets, size_t n_octets)
{
	if (n_octets < 2)
		return TL_DATAGRAM_OTHER;
	if (octets[0] < 4)
		return TL_DATAGRAM_STUN;
	if (octets[0] >= 20 && octets[0] < 64)
		return TL_DATAGRAM_DTLS;
	if (octets[0] < 128 || octets[0] > 191)
		return TL_DATAGRAM_OTHER;
	return octets[1] >= 192 && octets[1] <= 223 ? TL_DATAGRAM_RTCP : TL_DATAGRAM_RTP;
}

/* ---- certificates ---- */

/** A self-signed ECDSA P-256 certificate and its key. Immutable; any thread may hold a reference. */
struct tl_certificate;

/**
 * tl_certificate_open - read key and certificate from @path (PEM, mode 0600 at most, else refused); make them and write
 * the file, atomically, if there is none or if they are @rotate_days old. Valid for three times that.
 * Blocks on the disk: at start, or on a worker. (transfer full)
 */
struct tl_certificate *tl_certificate_open(const char *path, unsigned rotate_days, GError **error);

/** Of this process only, never on disk. (transfer full) */
struct tl_certificate *tl_certificate_new(unsigned rotate_days, GError **error);

struct tl_certificate *tl_certificate_ref(struct tl_certificate *certificate);
void tl_certificate_unref(struct tl_certificate *certificate);

/**
 * tl_tls_folder_make - what a TLS stack that reads files needs, in @folder (made, mode 0700): agent.pem, key and
 * certificate; cafile.pem, the certificates sent along and those trusted. @certificate: PEM file of a key (any kind,
 * mode 0600 at most) and its certificate with its chain, NULL: our own as tl_certificate_open() makes it.
 * @authorities: PEM file of those trusted besides, or NULL. Blocks on the disk: at start, or when told to read again.
 */
gboolean tl_tls_folder_make(const char *folder, const char *certificate, const char *authorities, GError **error);

/* ---- the door of the SIP stack's TLS: one a process, as its connections do not say whose they are ---- */

/** 0: 2000, 200, 10000. */
struct tl_tls_limits {
	unsigned connections;  /* that others made to us, at one time */
	unsigned per_address;  /* of them from one IPv4 address or IPv6 /64 */
	unsigned handshake_ms; /* until a handshake is given up */
};

/** Before the stack listens; it reads its folder then. Thread: main. */
void tl_tls_door_open(const struct tl_tls_limits *limits);

/** The stack listens on local @port with TLS: the limits hold there. Thread: main. */
void tl_tls_door_guard(unsigned port);

/**
 * tl_tls_door_renew - connections from now on, ours to others too, show and trust what tl_tls_folder_make() has put into
 * @folder; those that stand are left alone. Blocks on the disk: some ms. Thread: main.
 */
gboolean tl_tls_door_renew(const char *folder, GError **error);

/** All only grow, but the gauge. Who is refused is hung up on before a word is read. Thread: main. */
struct tl_tls_counters {
	uint64_t connections; /* present (a gauge) */
	uint64_t accepted, refused_full, refused_address, refused_slow;
};
void tl_tls_door_counters(struct tl_tls_counters *counters);

/** Whether tl_certificate_open() would make a new one now. Sessions that have told the old one's fingerprint keep it. */
gboolean tl_certificate_due(const struct tl_certificate *certificate);

/** "sha-256 AB:CD:..." for SDP's a=fingerprint (RFC 8122 5). Borrowed. */
const char *tl_certificate_fingerprint(const struct tl_certificate *certificate);

/** The digest of a peer's certificate, as its SDP told. */
struct tl_fingerprint {
	enum tl_fingerprint_hash { TL_FINGERPRINT_SHA256, TL_FINGERPRINT_SHA384, TL_FINGERPRINT_SHA512 } hash;
	unsigned n_octets;
	uint8_t octets[64];
};

/** Reads "sha-256 AB:CD:..."; weaker hashes are refused. RFC 8122 5 */
gboolean tl_fingerprint_parse(const char *text, struct tl_fingerprint *fingerprint, GError **error);

/* ---- handshakes ---- */

#define TL_DTLS_DATAGRAM_MAX 1500
#define TL_DTLS_CHANNELS_MAX 16
#define TL_DTLS_WORKERS_MAX 8

enum tl_dtls_role { TL_DTLS_SERVER, TL_DTLS_CLIENT }; /* a=setup: passive, active */

struct tl_dtls_config {
	unsigned workers;          /* 1 to TL_DTLS_WORKERS_MAX; 0: 2 */
	unsigned channels;         /* media threads, 1 to TL_DTLS_CHANNELS_MAX */
	unsigned associations_max; /* at one time; 0: 4096 */
	unsigned queue;            /* datagrams waiting, of a channel at a worker and back; 0: 128 */
	unsigned handshake_ms;     /* until a handshake is given up; 0: 30000 */
	unsigned linger_ms;        /* an association stays to repeat its last flight and hear close_notify; 0: for ever */
};

/** One peer's DTLS. Main owns it; one media thread feeds it. */
struct tl_association;
struct tl_dtls_pool;

/** Both directions' keys, from a handshake (wiped when on_keys returns) or from descriptions (RFC 4568). */
struct tl_dtls_keys {
	enum tl_srtp_profile profile;
	struct tl_srtp_key send, receive;
};

/** On main. None is called after tl_association_free(). */
struct tl_dtls_handler {
	/** The handshake is done and the peer's certificate is the one expected. */
	void (*on_keys)(struct tl_association *association, const struct tl_dtls_keys *keys, void *user);
	/** It failed for good; @reason lives during the call. */
	void (*on_failed)(struct tl_association *association, const char *reason, void *user);
	/** The peer closed what was up (close_notify or a fatal alert). */
	void (*on_closed)(struct tl_association *association, void *user);
};

struct tl_association_config {
	struct tl_certificate *certificate; /* a reference is taken */
	enum tl_dtls_role role;
	struct tl_fingerprint peer;
	union tl_address address; /* client: where its first flight goes */
	unsigned channel;         /* whose media thread feeds it, from 0 */
	gboolean cookie;          /* server: prove the address first (RFC 6347 4.2.1); ICE's checks have done it already */
	unsigned profiles;        /* bits 1 << enum tl_srtp_profile; 0: both, GCM preferred */
};

/** Starts the workers. (transfer full) Thread: main. */
struct tl_dtls_pool *tl_dtls_pool_new(const struct tl_dtls_config *config, const struct tl_dtls_handler *handler,
				      GError **error);
/** Stops them and frees every association. NULL is legal. Thread: main, after all channels have stopped. */
void tl_dtls_pool_free(struct tl_dtls_pool *pool);

/** Begins; NULL when associations_max are in use. Freed by tl_association_free(). Thread: main. */
struct tl_association *tl_association_new(struct tl_dtls_pool *pool, const struct tl_association_config *config,
					  void *user);
/** Sends close_notify if it is up. NULL is legal. Thread: main, after its media thread has let it go. */
void tl_association_free(struct tl_association *association);

/**
 * tl_association_feed - one datagram that the peer sent from @from; answers go there. What is no DTLS, comes in too
 * great numbers (64 at once, 32 a second) or finds the queue full is dropped and counted; DTLS repeats what matters.
 * Copies; at most one system call. Thread: its channel's. Real-time safe.
 */
void tl_association_feed(struct tl_association *association, const union tl_address *from, const uint8_t *octets,
			 size_t n_octets, int64_t now_us);

struct tl_dtls_datagram {
	union tl_address to;
	uint16_t n_octets;
	uint8_t octets[TL_DTLS_DATAGRAM_MAX];
};

/** The next datagram to be sent on @channel's socket; false: none. Thread: the channel's. Real-time safe. */
bool tl_dtls_pool_take(struct tl_dtls_pool *pool, unsigned channel, struct tl_dtls_datagram *datagram);

/** All only grow, but the gauge. Thread: main; those of other threads are snapshots. */
struct tl_dtls_counters {
	uint64_t started, connected, failed, closed;
	uint64_t datagrams_in, datagrams_out;
	uint64_t refused_malformed, refused_rate, refused_full; /* of what was fed */
	uint64_t lost_out;                                     /* the way back was full */
	uint64_t associations;                                 /* present (a gauge) */
};
void tl_dtls_pool_counters(const struct tl_dtls_pool *pool, struct tl_dtls_counters *counters);
