/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* OpenSSL's view of the datagrams: one write is one datagram, one read is one datagram. */
#pragma once

#include <openssl/bio.h>
#include <stddef.h>
#include <stdint.h>

/** What the association puts between itself and OpenSSL. Embedded in it. */
struct tl_dtls_wire {
	const uint8_t *octets; /* the datagram being read; NULL: none */
	size_t n_octets;
	void (*on_write)(const uint8_t *octets, size_t n_octets, void *user);
	void *user;
};

/** A BIO on @wire, which must outlive it. (transfer full) */
BIO *tl_dtls_bio_new(struct tl_dtls_wire *wire);
