/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The hub: one UDP port, a socket for each address, through which all browsers
 * of a media thread come. Datagrams are read and sent in batches, told apart
 * by their first octet (RFC 7983), and find their session by the name that an
 * ICE check is signed for, or by the addresses that such a check has proved.
 */
#pragma once

#include <sys/socket.h>

#include "media/browser.h"

#define TL_HUB_SOCKETS_MAX 8
#define TL_HUB_BATCH 64
#define TL_HUB_DATAGRAM_MAX 1500

/** A socket, and what waits to be sent by it. */
struct tl_hub_socket {
	int fd;                           /* RO */
	int family;                       /* RO */
	struct tl_candidate told;         /* RO */

	/* tick */
	unsigned n_out;
	struct mmsghdr out[TL_HUB_BATCH];
	struct iovec parts[TL_HUB_BATCH];
	union tl_address to[TL_HUB_BATCH];
	uint8_t octets[TL_HUB_BATCH][TL_HUB_DATAGRAM_MAX];
};

struct tl_hub {
	struct tl_media *media;           /* RO */
	struct tl_hub *first;             /* RO: the first thread's, which has what all share */
	struct tl_hub_socket *sockets;    /* RO */
	unsigned n_sockets;               /* RO */
	struct tl_dtls_pool *pool;        /* RO; the first's */
	unsigned channel;                 /* RO: of the pool */

	/* main; the first's alone */
	struct tl_certificate *certificate;
	bool renewing;
	unsigned n_browsers;

	/* tick */
	struct tl_ice_lite ice;
	struct tl_browser_secret **by_name;
	struct tl_browser_pair **by_address;
	uint32_t mask, seed;              /* of both tables */
	struct mmsghdr in[TL_HUB_BATCH];
	struct iovec parts[TL_HUB_BATCH];
	union tl_address from[TL_HUB_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[TL_HUB_BATCH][64];
	uint8_t octets[TL_HUB_BATCH][TL_HUB_DATAGRAM_MAX];

	/* written by tick, read by main */
	_Atomic uint64_t datagrams_in, datagrams_out, send_failed, checks, checks_refused, strangers, malformed;
};

/** Opens sockets, and with the first one of several starts the handshakes' workers. (transfer full) Thread: main. */
struct tl_hub *tl_hub_new(struct tl_media *media, const struct tl_browser_config *config, GError **error);
/** NULL is legal. Thread: main, after all media threads have ended, the first hub last. */
void tl_hub_free(struct tl_hub *hub);
/** The certificate for a new session; a new one is made on a worker when it is due. Borrowed. Thread: main. */
struct tl_certificate *tl_hub_certificate(struct tl_hub *hub);

/** Adds what concerns browsers. Thread: main. */
void tl_hub_count(const struct tl_hub *hub, struct tl_media_counters *counters);

/* ---- thread: tick; NULL is legal for @hub of the first two ---- */

/** Takes what has come, as much as a tick may bear. */
void tl_hub_receive(struct tl_hub *hub);
/** Sends what the handshakes' workers made, and all that waits. */
void tl_hub_flush(struct tl_hub *hub);
/** Queues a copy of @octets; false: too long. */
bool tl_hub_send(struct tl_hub *hub, unsigned socket, const union tl_address *to, const uint8_t *octets, size_t n);

void tl_hub_add_secret(struct tl_hub *hub, struct tl_browser_secret *secret);
void tl_hub_remove_secret(struct tl_hub *hub, struct tl_browser_secret *secret);
/** Whose name for a check's signature that is; NULL: nobody's. */
struct tl_browser_secret *tl_hub_find_secret(struct tl_hub *hub, const char *ufrag, size_t n);
void tl_hub_add_pair(struct tl_hub *hub, struct tl_browser_pair *pair);
void tl_hub_remove_pair(struct tl_hub *hub, struct tl_browser_pair *pair);
struct tl_browser_pair *tl_hub_find_pair(struct tl_hub *hub, unsigned socket, const union tl_address *address);
