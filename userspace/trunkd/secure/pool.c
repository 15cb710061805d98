/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/pool.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

#define WORKERS 2
#define ASSOCIATIONS_MAX 4096
#define QUEUE 128
#define HANDSHAKE_MS 30000

static void association_end(struct tl_association *a)
{
	tl_dtls_free(a->dtls);
	OPENSSL_cleanse(a, sizeof(*a));
	g_free(a);
}

static void on_report(struct tl_dtls_pool *pool, const struct tl_dtls_report *report)
{
	struct tl_association *a = report->association;

	switch (report->what) {
	case TL_DTLS_REPORT_KEYS:
		pool->counters.connected++;
		if (!a->is_freed)
			pool->handler.on_keys(a, &a->keys, a->user);
		OPENSSL_cleanse(&a->keys, sizeof(a->keys));
		break;
	case TL_DTLS_REPORT_FAILED:
		pool->counters.failed++;
		if (!a->is_freed)
			pool->handler.on_failed(a, a->reason, a->user);
		break;
	case TL_DTLS_REPORT_CLOSED:
		pool->counters.closed++;
		if (!a->is_freed)
			pool->handler.on_closed(a, a->user);
		break;
	case TL_DTLS_REPORT_FREED:
		a->worker->load--;
		g_hash_table_remove(pool->associations, a);
		association_end(a);
		break;
	}
}

static void on_wake(void *user)
{
	struct tl_dtls_pool *pool = user;
	struct tl_dtls_report report;

	for (unsigned i = 0; i < pool->config.workers; i++)
		while (tl_ring_pop(pool->workers[i].reports, &report))
			on_report(pool, &report);
}

static gboolean worker_start(struct tl_dtls_pool *pool, struct tl_dtls_worker *worker, GError **error)
{
	const struct tl_dtls_config *config = &pool->config;

	worker->pool = pool;
	worker->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->bell < 0) {
		g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_THREAD, "eventfd: %s", g_strerror(errno));
		return FALSE;
	}
	worker->orders = tl_ring_new(TL_DTLS_ORDERS * config->associations_max, sizeof(struct tl_dtls_order));
	worker->reports = tl_ring_new(TL_DTLS_REPORTS * config->associations_max, sizeof(struct tl_dtls_report));
	for (unsigned c = 0; c < config->channels; c++) {
		worker->in[c] = tl_ring_new(config->queue, sizeof(struct tl_dtls_feed));
		worker->out[c] = tl_ring_new(config->queue, sizeof(struct tl_dtls_datagram));
	}
	worker->thread = g_thread_try_new("dtls", tl_dtls_worker_run, worker, error);
	return worker->thread != NULL;
}

static void worker_stop(struct tl_dtls_worker *worker)
{
	if (!worker->pool)
		return;
	if (worker->thread) {
		atomic_store(&worker->stop, true);
		tl_dtls_worker_ring(worker);
		g_thread_join(worker->thread);
	}
	if (worker->bell >= 0)
		close(worker->bell);
}

static void worker_free(struct tl_dtls_worker *worker)
{
	tl_ring_free(worker->orders);
	tl_ring_free(worker->reports);
	for (unsigned c = 0; c < TL_DTLS_CHANNELS_MAX; c++) {
		tl_ring_free(worker->in[c]);
		tl_ring_free(worker->out[c]);
	}
}

static unsigned value_or(unsigned value, unsigned otherwise)
{
	return value ? value : otherwise;
}

struct tl_dtls_pool *tl_dtls_pool_new(const struct tl_dtls_config *config, const struct tl_dtls_handler *handler,
				      GError **error)
{
	struct tl_dtls_pool *pool = g_new0(struct tl_dtls_pool, 1);

	tl_assert_main();
	pool->config = *config;
	pool->config.workers = MIN(value_or(config->workers, WORKERS), TL_DTLS_WORKERS_MAX);
	pool->config.channels = MIN(value_or(config->channels, 1), TL_DTLS_CHANNELS_MAX);
	pool->config.associations_max = value_or(config->associations_max, ASSOCIATIONS_MAX);
	pool->config.queue = value_or(config->queue, QUEUE);
	pool->config.handshake_ms = value_or(config->handshake_ms, HANDSHAKE_MS);
	pool->handler = *handler;
	pool->associations = g_hash_table_new(NULL, NULL);
	pool->wake = tl_wake_new(on_wake, pool);
	for (unsigned i = 0; i < pool->config.workers; i++)
		if (!worker_start(pool, &pool->workers[i], error)) {
			tl_dtls_pool_free(pool);
			return NULL;
		}
	return pool;
}

void tl_dtls_pool_free(struct tl_dtls_pool *pool)
{
	GHashTableIter iter;
	gpointer association;

	if (!pool)
		return;
	tl_assert_main();
	for (unsigned i = 0; i < pool->config.workers; i++)
		worker_stop(&pool->workers[i]);
	g_hash_table_iter_init(&iter, pool->associations);
	while (g_hash_table_iter_next(&iter, &association, NULL))
		association_end(association);
	for (unsigned i = 0; i < pool->config.workers; i++)
		worker_free(&pool->workers[i]);
	tl_wake_free(pool->wake);
	g_hash_table_unref(pool->associations);
	g_free(pool);
}

static struct tl_dtls_worker *idlest(struct tl_dtls_pool *pool)
{
	struct tl_dtls_worker *best = &pool->workers[0];

	for (unsigned i = 1; i < pool->config.workers; i++)
		if (pool->workers[i].load < best->load)
			best = &pool->workers[i];
	return best;
}

static void give_order(struct tl_association *a, int what)
{
	struct tl_dtls_order order = { .what = what, .association = a };

	g_assert(tl_ring_push(a->worker->orders, &order));
	tl_dtls_worker_ring(a->worker);
}

struct tl_association *tl_association_new(struct tl_dtls_pool *pool, const struct tl_association_config *config,
					  void *user)
{
	struct tl_association *a;

	tl_assert_main();
	g_return_val_if_fail(config->channel < pool->config.channels, NULL);
	if (g_hash_table_size(pool->associations) >= pool->config.associations_max)
		return NULL;
	a = g_new0(struct tl_association, 1);
	a->pool = pool;
	a->worker = idlest(pool);
	a->channel = config->channel;
	a->user = user;
	a->last_us = INT64_MIN / 2;
	a->to = config->address;
	/* Some 50 us; from here on the worker's alone. */
	a->dtls = tl_dtls_new(config, tl_dtls_worker_send, a);
	a->worker->load++;
	pool->counters.started++;
	g_hash_table_add(pool->associations, a);
	give_order(a, TL_DTLS_ORDER_BEGIN);
	return a;
}

void tl_association_free(struct tl_association *association)
{
	if (!association)
		return;
	tl_assert_main();
	association->is_freed = true;
	give_order(association, TL_DTLS_ORDER_FREE);
}

void tl_dtls_pool_counters(const struct tl_dtls_pool *pool, struct tl_dtls_counters *counters)
{
	*counters = pool->counters;
	counters->associations = g_hash_table_size(pool->associations);
	for (unsigned i = 0; i < pool->config.workers; i++) {
		counters->datagrams_out += pool->workers[i].datagrams_out;
		counters->lost_out += pool->workers[i].lost_out;
	}
	for (unsigned i = 0; i < pool->config.channels; i++) {
		counters->datagrams_in += pool->channels[i].datagrams_in;
		counters->refused_malformed += pool->channels[i].malformed;
		counters->refused_rate += pool->channels[i].rate;
		counters->refused_full += pool->channels[i].full;
	}
}
