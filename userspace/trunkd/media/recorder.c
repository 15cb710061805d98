/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Recorders and their pool as main sees them. */
#include "media/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "media/record-pool.h"
#include "media/tie.h"

#define RING_BLOCKS 256    /* 2.5 s: so long may a disk take its time */
#define CALM_MS 10000

/* ---- reports ---- */

static void recorder_free(struct tl_recorder *recorder)
{
	tl_ring_free(recorder->blocks);
	g_free(recorder->path);
	g_free(recorder);
}

static void ended(struct record_thread *thread, struct tl_recorder *recorder)
{
	thread->n_main--;
	if (!thread->pool->closing)
		recorder->handler.on_ended(&recorder->recorded, recorder->user);
	recorder_free(recorder);
}

static void look_for_trouble(struct tl_record_pool *pool)
{
	uint64_t troubles = pool->missed_blocks + pool->slow_syncs + pool->errors;
	if (troubles == pool->troubles_seen || pool->closing)
		return;
	pool->troubles_seen = troubles;
	tl_timer_start(pool->calm, CALM_MS);
	if (pool->troubled)
		return;
	pool->troubled = true;
	g_autofree char *why = pool->errors ? g_strdup_printf("recordings cannot be written: %s", g_strerror(-pool->last_error)) :
					      g_strdup("the disk is too slow for what is recorded");
	if (pool->config.on_trouble)
		pool->config.on_trouble(why, pool->config.user);
}

static void on_calm(void *user)
{
	struct tl_record_pool *pool = user;
	pool->troubled = false;
	if (pool->config.on_trouble)
		pool->config.on_trouble(NULL, pool->config.user);
}

static void on_reports(void *user)
{
	struct tl_record_pool *pool = user;
	struct record_report report;
	for (unsigned i = 0; i < pool->config.threads; i++)
		while (tl_ring_pop(pool->threads[i].reports, &report)) {
			struct tl_recorder *recorder = report.recorder;
			if (report.kind == RECORD_ENDED)
				ended(&pool->threads[i], recorder);
			else if (!pool->closing && recorder->main_bridge)
				recorder->handler.on_started(recorder->user);
		}
	look_for_trouble(pool);
}

/* ---- the pool ---- */

static void order(struct record_thread *thread, enum record_order_kind kind, struct tl_recorder *recorder)
{
	uint64_t one = 1;
	g_assert(tl_ring_push(thread->orders, &(struct record_order){ kind, recorder }));
	if (write(thread->bell, &one, sizeof one) != sizeof one)
		g_assert(errno == EAGAIN);
}

static void start_thread(struct tl_record_pool *pool, struct record_thread *thread)
{
	thread->pool = pool;
	thread->orders = tl_ring_new(2 * TL_RECORDERS_A_THREAD + 1, sizeof(struct record_order));
	thread->reports = tl_ring_new(2 * TL_RECORDERS_A_THREAD, sizeof(struct record_report));
	thread->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	thread->recorders = g_ptr_array_new();
	thread->thread = g_thread_new("record", tl_record_thread_run, thread);
}

struct tl_record_pool *tl_record_pool_new(const struct tl_record_pool_config *config)
{
	tl_assert_main();
	struct tl_record_pool *pool = g_new0(struct tl_record_pool, 1);
	pool->config = *config;
	pool->config.threads = CLAMP(config->threads ? config->threads : 2, 1, 16);
	pool->config.sync_ms = config->sync_ms ? config->sync_ms : 500;
	pool->directory_fd = open(config->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pool->config.directory = NULL; /* borrowed until now */
	pool->wake = tl_wake_new(on_reports, pool);
	pool->calm = tl_timer_new("record-calm", on_calm, pool);
	pool->threads = g_new0(struct record_thread, pool->config.threads);
	for (unsigned i = 0; i < pool->config.threads; i++)
		start_thread(pool, &pool->threads[i]);
	return pool;
}

void tl_record_pool_free(struct tl_record_pool *pool)
{
	if (!pool)
		return;
	tl_assert_main();
	pool->closing = true;
	for (unsigned i = 0; i < pool->config.threads; i++)
		order(&pool->threads[i], RECORD_STOP, NULL);
	for (unsigned i = 0; i < pool->config.threads; i++)
		g_thread_join(pool->threads[i].thread);
	on_reports(pool);
	for (unsigned i = 0; i < pool->config.threads; i++) {
		struct record_thread *thread = &pool->threads[i];
		g_assert(!thread->n_main); /* media has returned them all */
		tl_ring_free(thread->orders);
		tl_ring_free(thread->reports);
		g_ptr_array_unref(thread->recorders);
		close(thread->bell);
	}
	tl_timer_free(pool->calm);
	tl_wake_free(pool->wake);
	if (pool->directory_fd >= 0)
		close(pool->directory_fd);
	g_free(pool->threads);
	g_free(pool);
}

void tl_record_counters(struct tl_record_pool *pool, struct tl_record_counters *counters)
{
	*counters = (struct tl_record_counters){ .blocks = pool->blocks, .missed_blocks = pool->missed_blocks,
						 .syncs = pool->syncs, .slow_syncs = pool->slow_syncs,
						 .errors = pool->errors, .sync_us_max = pool->sync_us_max };
	for (unsigned i = 0; i < pool->config.threads; i++)
		counters->recording += pool->threads[i].n_main;
}

/* ---- recorders ---- */

static struct record_thread *choose_thread(struct tl_record_pool *pool)
{
	struct record_thread *least = &pool->threads[0];
	for (unsigned i = 1; i < pool->config.threads; i++)
		if (pool->threads[i].n_main < least->n_main)
			least = &pool->threads[i];
	return least->n_main < TL_RECORDERS_A_THREAD ? least : NULL;
}

struct tl_recorder *tl_recorder_new(struct tl_record_pool *pool, struct tl_bridge *bridge, struct tl_port *left,
				    enum tl_record_format format, const char *path, const struct tl_recorder_handler *handler,
				    void *user, int *result)
{
	tl_assert_main();
	struct record_thread *thread = choose_thread(pool);
	*result = bridge->main_recorder ? -EBUSY : thread ? 0 : -ENOSPC;
	if (*result)
		return NULL;
	struct tl_recorder *recorder = g_new0(struct tl_recorder, 1);
	recorder->parcel.kind = TL_PARCEL_RECORDER;
	recorder->pool = pool;
	recorder->thread = thread;
	recorder->blocks = tl_ring_new(RING_BLOCKS, sizeof(struct tl_record_block));
	recorder->media = bridge->media;
	recorder->main_bridge = bridge;
	recorder->handler = *handler;
	recorder->user = user;
	recorder->path = g_strdup(path);
	recorder->format = format;
	bridge->main_recorder = recorder;
	bridge->settled = true;
	thread->n_main++;
	order(thread, RECORD_BEGIN, recorder);
	struct tl_port *member = left && left->main_bridge == bridge ? tl_tie_member(left) : NULL;
	tl_media_command(bridge->media, &(struct tl_command){ TL_COMMAND_BRIDGE_RECORD, .port = member, .recorder = recorder,
							      .bridge = bridge });
	return recorder;
}

void tl_recorder_pause(struct tl_recorder *recorder, bool on)
{
	tl_assert_main();
	atomic_store(&recorder->paused, on);
}

void tl_recorder_stop(struct tl_recorder *recorder)
{
	if (!recorder || !recorder->main_bridge)
		return;
	tl_assert_main();
	struct tl_bridge *bridge = recorder->main_bridge;
	recorder->main_bridge = NULL;
	bridge->main_recorder = NULL;
	tl_media_command(bridge->media, &(struct tl_command){ TL_COMMAND_BRIDGE_RECORD, .bridge = bridge });
}

void tl_recorder_returned(struct tl_recorder *recorder)
{
	order(recorder->thread, RECORD_FINISH, recorder);
}
