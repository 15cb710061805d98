/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * UDPTL, what carries T.38 over UDP (ITU-T T.38 9.1, ASN.1 in aligned PER): a number, a packet of the internet fax
 * protocol (IFP), and copies of the last ones or parities over them against loss. Octets in, packets out; no socket, no
 * T.30. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signal/leg.h"

#define TL_UDPTL_OCTETS_MAX 1472 /* of a datagram, either way */
#define TL_UDPTL_IFP_MAX 1024    /* of one packet; T.38's own are below 300 */

struct tl_udptl;

struct tl_udptl_config {
	enum tl_t38_correction correction; /* of what is sent; both are understood, whatever comes */
	unsigned copies;                   /* REDUNDANCY: of as many packets before; FEC: packets under one parity; 1-8 */
	unsigned parities;                 /* FEC: as many in a packet, each over every so-manieth; 1-4 */
	size_t datagram_max;               /* what the far end takes: what does not fit is left out */
};

/** A packet, in order. @sequence: its own; one that does not follow the last tells of loss. */
typedef void (*tl_udptl_packet)(const uint8_t *ifp, size_t n, uint16_t sequence, void *user);

/** (transfer full) */
struct tl_udptl *tl_udptl_new(const struct tl_udptl_config *config, tl_udptl_packet on_packet, void *user);
/** NULL is legal. */
void tl_udptl_free(struct tl_udptl *udptl);

/** tl_udptl_format - the datagram of the next packet. Returns its octets; 0: @n is 0 or above TL_UDPTL_IFP_MAX. */
size_t tl_udptl_format(struct tl_udptl *udptl, const uint8_t *ifp, size_t n, uint8_t out[TL_UDPTL_OCTETS_MAX]);

/**
 * tl_udptl_hear - take a datagram: gives what is new of it, and before that what was missing and can be had from it.
 * 0, or -EBADMSG: not UDPTL, nothing of it was used (counted, but for RTP before the first datagram).
 */
int tl_udptl_hear(struct tl_udptl *udptl, const uint8_t *octets, size_t n);

struct tl_udptl_counters {
	uint64_t received, sent;   /* datagrams */
	uint64_t malformed;
	uint64_t repeated;         /* known already: duplicates, or overtaken after their copy was used */
	uint64_t recovered;        /* packets by copies or parities */
	uint64_t lost;             /* packets for good */
	uint64_t restarts;         /* a number far off: the far end began anew */
};
const struct tl_udptl_counters *tl_udptl_counters(const struct tl_udptl *udptl);
