/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Two ends of DTLS and the datagrams between them, which a test may lose, hold back or read. */
#pragma once

#include <glib.h>

#include "secure/dtls.h"

struct dtls_end {
	struct dtls_link *link;
	struct tl_certificate *certificate;
	struct tl_dtls *dtls;
	GQueue *inbox; /* of GBytes: sent by the other end */
	unsigned sent;
	size_t octets_sent_max;
};

struct dtls_link {
	struct dtls_end server, client;
	struct tl_association_config server_config, client_config;
	union tl_address address; /* the client's, as the server sees it */
	unsigned lose;            /* of a thousand datagrams */
	GRand *dice;
};

/** Certificates and configurations that fit each other; change these before dtls_link_begin(). */
void dtls_link_init(struct dtls_link *link);
void dtls_link_begin(struct dtls_link *link);
void dtls_link_done(struct dtls_link *link);

/** Hands over everything that is under way, until nothing more comes. */
void dtls_link_pump(struct dtls_link *link);

/** Pumps and waits for timers until both ends have left the handshake. */
void dtls_link_settle(struct dtls_link *link);

/** The fingerprint that @certificate's SDP would tell. */
struct tl_fingerprint fingerprint_of(const struct tl_certificate *certificate);
