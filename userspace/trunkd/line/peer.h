/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A UDP socket that takes datagrams of one configured peer only and moves
 * them in batches. It is not connected, so that strangers are counted rather
 * than hidden by the kernel. Inside this room only.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct tl_peer;

struct tl_peer_config {
	const char *local_host;
	unsigned local_port;
	const char *remote_host;
	unsigned remote_port;
	size_t datagram_max; /* octets; longer ones are cut and shown with datagram_max + 1 */
	unsigned send_max;   /* datagrams in one tl_peer_send() */
};

/** (transfer full) Errors of TL_LINE_ERROR. Thread: main. */
struct tl_peer *tl_peer_new(const struct tl_peer_config *config, GError **error);
/** NULL is legal. Thread: main. */
void tl_peer_free(struct tl_peer *peer);

int tl_peer_fd(const struct tl_peer *peer);
unsigned tl_peer_local_port(const struct tl_peer *peer);

typedef void (*tl_peer_datagram_fn)(const uint8_t *octets, size_t n_octets, void *user);

/**
 * Calls @on_datagram for what has come from the peer, some 1,024 datagrams at most. Returns datagrams of others.
 * Thread: media.
 */
unsigned tl_peer_receive(struct tl_peer *peer, tl_peer_datagram_fn on_datagram, void *user);

/** A datagram to send. */
struct tl_peer_datagram {
	void *octets;
	size_t n_octets;
};

/** Sends @n datagrams, at most send_max; returns how many the kernel took. The rest is lost. Thread: media. */
unsigned tl_peer_send(struct tl_peer *peer, const struct tl_peer_datagram *datagrams, unsigned n);
