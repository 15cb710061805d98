/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * One DTLS 1.2 association as a state object: datagrams in, datagrams out, time
 * from the caller; at its end the keys for SRTP. No thread, no socket, no timer
 * of its own. RFC 6347, RFC 5764, RFC 8122.
 */
#pragma once

#include <openssl/ssl.h>

#include "secure/secure.h"

enum tl_dtls_state {
	TL_DTLS_HANDSHAKE,
	TL_DTLS_CONNECTED,
	TL_DTLS_CLOSED, /* by the peer, after it was connected */
	TL_DTLS_FAILED,
};

struct tl_dtls;

/** Sends one datagram, which lives during the call. */
typedef void (*tl_dtls_send_fn)(const uint8_t *octets, size_t n_octets, void *user);

/** What all associations with one certificate share; NULL on failure. References are taken. */
SSL_CTX *tl_dtls_context_new(X509 *x509, EVP_PKEY *key);

/**
 * tl_dtls_new - an association that waits for (server) or will send (client, at the first tl_dtls_tick()) a ClientHello.
 * Keeps what it needs of @config. (transfer full)
 */
struct tl_dtls *tl_dtls_new(const struct tl_association_config *config, tl_dtls_send_fn send, void *user);
/** Sends close_notify if connected. NULL is legal. */
void tl_dtls_free(struct tl_dtls *dtls);

/**
 * Takes one datagram from the peer. @from, which may be NULL, binds the cookie. Garbage is dropped. Returns the state
 * thereafter.
 */
enum tl_dtls_state tl_dtls_feed(struct tl_dtls *dtls, const union tl_address *from, const uint8_t *octets,
				size_t n_octets);

/** Does what time asks for: the first flight, a flight again. RFC 6347 4.2.4 */
enum tl_dtls_state tl_dtls_tick(struct tl_dtls *dtls);

/** How long until tl_dtls_tick() has something to do, ms; -1: never. */
int tl_dtls_timeout_ms(const struct tl_dtls *dtls);

enum tl_dtls_state tl_dtls_get_state(const struct tl_dtls *dtls);

/** Why it failed, or what last went wrong on the way. Borrowed; NULL: nothing. */
const char *tl_dtls_reason(const struct tl_dtls *dtls);

/** Copies the keys; false unless connected. RFC 5764 4.2 */
bool tl_dtls_keys(const struct tl_dtls *dtls, struct tl_dtls_keys *keys);
