/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A worker's thread: it owns its associations' OpenSSL states from the order to
 * begin until it reports them freed. Sleeps without a timer when no handshake is
 * under way and nothing lingers.
 */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "secure/pool.h"

#define TICK_MS 25 /* the grain of timers while a handshake is under way */
#define MS_US 1000
#define BATCH 64   /* datagrams of a channel before the others, orders and timers have their turn */

void tl_dtls_worker_ring(struct tl_dtls_worker *worker)
{
	uint64_t one = 1;

	if (!atomic_exchange(&worker->rung, true) && write(worker->bell, &one, sizeof(one)) != sizeof(one))
		atomic_store(&worker->rung, false); /* only when the counter is full: it is awake anyway */
}

void tl_dtls_worker_send(const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_association *a = user;
	struct tl_dtls_datagram datagram = { .to = a->to, .n_octets = (uint16_t)n_octets };
	atomic_uint_fast64_t *counter = &a->worker->lost_out;

	if (n_octets <= sizeof(datagram.octets) && a->to.any.sa_family != AF_UNSPEC) {
		memcpy(datagram.octets, octets, n_octets);
		if (tl_ring_push(a->worker->out[a->channel], &datagram))
			counter = &a->worker->datagrams_out;
	}
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void report(struct tl_association *a, int what)
{
	struct tl_dtls_report value = { .what = what, .association = a };
	struct tl_wake *wake = a->pool->wake; /* main may free it as soon as it is pushed */

	g_assert(tl_ring_push(a->worker->reports, &value));
	tl_wake_ring(wake);
}

static void list(struct tl_association *a)
{
	struct tl_dtls_worker *worker = a->worker;

	if (a->is_listed)
		return;
	a->is_listed = true;
	a->previous = NULL;
	a->next = worker->listed;
	if (a->next)
		a->next->previous = a;
	worker->listed = a;
}

static void unlist(struct tl_association *a)
{
	if (!a->is_listed)
		return;
	a->is_listed = false;
	if (a->previous)
		a->previous->next = a->next;
	else
		a->worker->listed = a->next;
	if (a->next)
		a->next->previous = a->previous;
}

static void end(struct tl_association *a)
{
	unlist(a);
	tl_dtls_free(a->dtls);
	a->dtls = NULL;
}

static void connected(struct tl_association *a)
{
	tl_dtls_keys(a->dtls, &a->keys);
	report(a, TL_DTLS_REPORT_KEYS);
	if (a->pool->config.linger_ms)
		a->deadline_us = tl_clock_us() + (int64_t)a->pool->config.linger_ms * MS_US;
	else
		unlist(a);
}

static void failed(struct tl_association *a, const char *reason)
{
	g_strlcpy(a->reason, reason, sizeof(a->reason));
	report(a, TL_DTLS_REPORT_FAILED);
	end(a);
}

/* Tells main of a new state, once. */
static void tell(struct tl_association *a)
{
	enum tl_dtls_state state = tl_dtls_get_state(a->dtls);

	if (state == a->told)
		return;
	/* A handshake's end and the peer's farewell may come in one datagram. */
	if (a->told == TL_DTLS_HANDSHAKE && state != TL_DTLS_FAILED)
		connected(a);
	a->told = state;
	if (state == TL_DTLS_FAILED) {
		failed(a, tl_dtls_reason(a->dtls));
	} else if (state == TL_DTLS_CLOSED) {
		report(a, TL_DTLS_REPORT_CLOSED);
		end(a);
	}
}

static void begin(struct tl_association *a)
{
	if (a->is_begun)
		return;
	a->is_begun = true;
	a->deadline_us = tl_clock_us() + (int64_t)a->pool->config.handshake_ms * MS_US;
	list(a);
	tl_dtls_tick(a->dtls);
	tell(a);
}

static void take_feed(const struct tl_dtls_feed *feed)
{
	struct tl_association *a = feed->association;

	begin(a); /* main's order may come by its own ring a moment later */
	if (!a->dtls)
		return;
	a->to = feed->from;
	tl_dtls_feed(a->dtls, &feed->from, feed->octets, feed->n_octets);
	tell(a);
}

/* At most @most of those that wait; returns how many it took. */
static unsigned take_feeds(struct tl_dtls_worker *worker, unsigned channel, unsigned most)
{
	const struct tl_dtls_feed *feed;
	unsigned n = 0;

	for (; n < most && (feed = tl_ring_peek(worker->in[channel])); n++) {
		take_feed(feed);
		tl_ring_drop(worker->in[channel]);
	}
	return n;
}

static void take_orders(struct tl_dtls_worker *worker)
{
	struct tl_dtls_order order;

	while (tl_ring_pop(worker->orders, &order)) {
		struct tl_association *a = order.association;

		if (order.what == TL_DTLS_ORDER_BEGIN) {
			begin(a);
			continue;
		}
		/* What its channel fed before it let go of the association still names it. */
		take_feeds(worker, a->channel, tl_ring_count(worker->in[a->channel]));
		end(a);
		report(a, TL_DTLS_REPORT_FREED);
	}
}

static void tick(struct tl_association *a, int64_t now_us)
{
	if (now_us < a->deadline_us) {
		tl_dtls_tick(a->dtls);
		tell(a);
	} else if (a->told == TL_DTLS_HANDSHAKE) {
		const char *why = tl_dtls_reason(a->dtls);

		failed(a, why ? why : "the handshake took too long");
	} else {
		end(a); /* has lingered */
	}
}

static void tick_listed(struct tl_dtls_worker *worker)
{
	int64_t now_us = tl_clock_us();

	for (struct tl_association *a = worker->listed, *next; a; a = next) {
		next = a->next;
		tick(a, now_us);
	}
}

static void wait_for_bell(struct tl_dtls_worker *worker, int timeout_ms)
{
	struct pollfd bell = { .fd = worker->bell, .events = POLLIN };
	uint64_t n;

	if (poll(&bell, 1, timeout_ms) > 0 && read(worker->bell, &n, sizeof(n)) == sizeof(n))
		atomic_exchange(&worker->rung, false); /* before the rings are read, so that nothing is left in them */
}

gpointer tl_dtls_worker_run(gpointer data)
{
	struct tl_dtls_worker *worker = data;
	int64_t ticked_us = 0;
	bool more = false;

	while (!atomic_load(&worker->stop)) {
		wait_for_bell(worker, more ? 0 : worker->listed ? TICK_MS : -1);
		take_orders(worker);
		more = false;
		for (unsigned c = 0; c < worker->pool->config.channels; c++)
			more = take_feeds(worker, c, BATCH) == BATCH || more;
		if (tl_clock_us() - ticked_us >= TICK_MS * MS_US) {
			tick_listed(worker);
			ticked_us = tl_clock_us();
		}
	}
	return NULL;
}
