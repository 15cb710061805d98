/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The inside of the pool of handshake workers: what main (pool.c), the channels
 * (channel.c) and the workers (worker.c) share, and by which rings.
 */
#pragma once

#include <stdatomic.h>

#include "base/ring.h"
#include "base/wake.h"
#include "secure/dtls.h"
#include "secure/secure.h"

struct tl_association {
	struct tl_dtls_pool *pool;  /* RO */
	struct tl_dtls_worker *worker; /* RO */
	unsigned channel;           /* RO */
	void *user;                 /* main, as the next */
	bool is_freed;              /* awaits TL_DTLS_REPORT_FREED */

	int64_t last_us, credit_us; /* channel: what it may still feed, as time */

	struct tl_dtls *dtls;       /* worker, as all that follows; NULL: over */
	union tl_address to;
	bool is_begun, is_listed;
	int64_t deadline_us;        /* of the handshake, then of lingering */
	enum tl_dtls_state told;
	struct tl_association *next, *previous; /* in the worker's list of those that time concerns */
	struct tl_dtls_keys keys;   /* main, once TL_DTLS_REPORT_KEYS is read */
	char reason[160];           /* main, once TL_DTLS_REPORT_FAILED is read */
};

/** Channel to worker. */
struct tl_dtls_feed {
	struct tl_association *association;
	union tl_address from;
	uint16_t n_octets;
	uint8_t octets[TL_DTLS_DATAGRAM_MAX];
};

/** Main to worker. Rings of both have room for all that associations_max can give rise to: a push never fails. */
struct tl_dtls_order {
	enum { TL_DTLS_ORDER_BEGIN, TL_DTLS_ORDER_FREE } what;
	struct tl_association *association;
};
#define TL_DTLS_ORDERS 2

/** Worker to main. */
struct tl_dtls_report {
	enum { TL_DTLS_REPORT_KEYS, TL_DTLS_REPORT_FAILED, TL_DTLS_REPORT_CLOSED, TL_DTLS_REPORT_FREED } what;
	struct tl_association *association;
};
#define TL_DTLS_REPORTS 3

struct tl_dtls_worker {
	struct tl_dtls_pool *pool;
	GThread *thread;
	int bell; /* eventfd */
	atomic_bool rung, stop;
	struct tl_ring *orders, *reports;
	struct tl_ring *in[TL_DTLS_CHANNELS_MAX], *out[TL_DTLS_CHANNELS_MAX];
	unsigned load; /* main: associations */
	struct tl_association *listed; /* worker */
	atomic_uint_fast64_t datagrams_out, lost_out;
};

struct tl_dtls_channel {
	atomic_uint_fast64_t datagrams_in, malformed, rate, full;
	unsigned turn; /* channel: the worker whose datagrams are taken next */
};

struct tl_dtls_pool {
	struct tl_dtls_config config; /* RO, as the handler */
	struct tl_dtls_handler handler;
	struct tl_wake *wake;
	struct tl_dtls_worker workers[TL_DTLS_WORKERS_MAX];
	struct tl_dtls_channel channels[TL_DTLS_CHANNELS_MAX];
	GHashTable *associations; /* main, as the counters */
	struct tl_dtls_counters counters;
};

/** The thread's function; @data is its struct tl_dtls_worker. */
gpointer tl_dtls_worker_run(gpointer data);
/** Any thread. Real-time safe. */
void tl_dtls_worker_ring(struct tl_dtls_worker *worker);
/** Sends for an association: its tl_dtls_send_fn. */
void tl_dtls_worker_send(const uint8_t *octets, size_t n_octets, void *user);
