/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/pool.h"

#include <string.h>

/* A handshake is some ten datagrams, with repeats some dozens. */
#define FEED_BURST 64
#define FEED_EACH_US (1000000 / 32)
#define RECORD_HEADER_OCTETS 13

static void count(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* RFC 6347 4.1: version 1.0 stands in first ClientHellos of some. */
static bool looks_like_dtls(const uint8_t *octets, size_t n_octets)
{
	return n_octets >= RECORD_HEADER_OCTETS && n_octets <= TL_DTLS_DATAGRAM_MAX &&
	       tl_datagram_kind_of(octets, n_octets) == TL_DATAGRAM_DTLS && octets[1] == 0xfe &&
	       (octets[2] == 0xfd || octets[2] == 0xff) &&
	       (size_t)(octets[11] << 8 | octets[12]) <= n_octets - RECORD_HEADER_OCTETS;
}

static bool may_feed(struct tl_association *a, int64_t now_us)
{
	if (now_us > a->last_us) {
		a->credit_us = MIN(a->credit_us + now_us - a->last_us, (int64_t)FEED_BURST * FEED_EACH_US);
		a->last_us = now_us;
	}
	if (a->credit_us < FEED_EACH_US)
		return false;
	a->credit_us -= FEED_EACH_US;
	return true;
}

void tl_association_feed(struct tl_association *association, const union tl_address *from, const uint8_t *octets,
			 size_t n_octets, int64_t now_us)
{
	struct tl_dtls_worker *worker = association->worker;
	struct tl_dtls_channel *channel = &association->pool->channels[association->channel];
	struct tl_dtls_feed feed = { .association = association, .from = *from, .n_octets = (uint16_t)n_octets };

	if (!looks_like_dtls(octets, n_octets)) {
		count(&channel->malformed);
	} else if (!may_feed(association, now_us)) {
		count(&channel->rate);
	} else {
		memcpy(feed.octets, octets, n_octets);
		if (tl_ring_push(worker->in[association->channel], &feed))
			count(&channel->datagrams_in);
		else
			count(&channel->full);
		tl_dtls_worker_ring(worker);
	}
}

bool tl_dtls_pool_take(struct tl_dtls_pool *pool, unsigned channel, struct tl_dtls_datagram *datagram)
{
	struct tl_dtls_channel *c = &pool->channels[channel];

	for (unsigned i = 0; i < pool->config.workers; i++) {
		struct tl_dtls_worker *worker = &pool->workers[c->turn];

		c->turn = (c->turn + 1) % pool->config.workers;
		if (tl_ring_pop(worker->out[channel], datagram))
			return true;
	}
	return false;
}
