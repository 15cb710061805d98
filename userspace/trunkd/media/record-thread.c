/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A thread that writes recordings: empties their rings ten times a second, fsyncs twice a second. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/record-pool.h"

#define BLOCK_MS 10
#define LOOK_MS 100
#define DURABLE_MS 1000    /* what was heard before that is on the disk */
#define SYNC_ONE_BY_ONE 4    /* more files than that are fsynced by one syncfs() */

static void tell(struct record_thread *thread, enum record_report_kind kind, struct tl_recorder *recorder)
{
	g_assert(tl_ring_push(thread->reports, &(struct record_report){ kind, recorder }));
	tl_wake_ring(thread->pool->wake);
}

static void fail(struct tl_recorder *recorder, int result)
{
	struct tl_record_pool *pool = recorder->pool;
	if (recorder->recorded.result)
		return;
	recorder->recorded.result = result;
	pool->last_error = result;
	pool->errors++;
	tl_wake_ring(pool->wake);
}

/* ---- blocks ---- */

static int write_silence(struct tl_recorder *recorder, const struct tl_record_block *like, uint32_t n)
{
	uint8_t left[TL_BLOCK_OCTETS], right[TL_BLOCK_OCTETS];
	int result = 0;
	memset(left, tl_law_idle(like->left_law), sizeof left);
	memset(right, tl_law_idle(like->right_law), sizeof right);
	for (uint32_t i = 0; i < n && !result; i++)
		result = tl_record_file_write(recorder->file, like->left_law, left, like->right_law, right);
	recorder->recorded.ms += n * BLOCK_MS;
	recorder->recorded.missed_ms += n * BLOCK_MS;
	return result;
}

/* The recording keeps its time: what was missed is silence. */
static int write_block(struct tl_recorder *recorder, const struct tl_record_block *block)
{
	struct tl_record_pool *pool = recorder->pool;
	int result = 0;
	if (!recorder->file)
		recorder->file = tl_record_file_new(recorder->path, recorder->format, block->left_law, &result);
	if (!result && block->missed) {
		pool->missed_blocks += block->missed;
		tl_wake_ring(pool->wake);
		result = write_silence(recorder, block, block->missed);
	}
	if (!result)
		result = tl_record_file_write(recorder->file, block->left_law, block->left, block->right_law, block->right);
	recorder->recorded.ms += BLOCK_MS;
	recorder->dirty = true;
	pool->blocks++;
	return result;
}

static int settle_and_sync(struct tl_recorder *recorder)
{
	int result = tl_record_file_settle(recorder->file);
	return result ? result : fdatasync(tl_record_file_fd(recorder->file)) ? -errno : 0;
}

/* No more than is there now: the others come next. */
static void empty(struct tl_recorder *recorder)
{
	for (unsigned n = tl_ring_count(recorder->blocks); n; n--) {
		const struct tl_record_block *block = tl_ring_peek(recorder->blocks);
		int result = recorder->recorded.result ? 0 : write_block(recorder, block);
		tl_ring_drop(recorder->blocks);
		if (!result && !recorder->started && !recorder->recorded.result) {
			result = settle_and_sync(recorder);
			recorder->started = !result;
			if (!result)
				tell(recorder->thread, RECORD_STARTED, recorder);
		}
		if (result)
			fail(recorder, result);
	}
}

/* ---- syncs ---- */

static void sync_files(struct record_thread *thread)
{
	struct tl_record_pool *pool = thread->pool;
	int64_t began = g_get_monotonic_time();
	unsigned dirty = 0;
	for (unsigned i = 0; i < thread->recorders->len; i++) {
		struct tl_recorder *recorder = g_ptr_array_index(thread->recorders, i);
		recorder->dirty = recorder->dirty && recorder->file && !recorder->recorded.result;
		int result = recorder->dirty ? tl_record_file_settle(recorder->file) : 0;
		dirty += recorder->dirty;
		if (result)
			fail(recorder, result);
	}
	int all = dirty > SYNC_ONE_BY_ONE && syncfs(pool->directory_fd) ? -errno : 0;
	for (unsigned i = 0; dirty && i < thread->recorders->len; i++) {
		struct tl_recorder *recorder = g_ptr_array_index(thread->recorders, i);
		int result = all;
		if (recorder->dirty && dirty <= SYNC_ONE_BY_ONE)
			result = fdatasync(tl_record_file_fd(recorder->file)) ? -errno : 0;
		if (recorder->dirty && result)
			fail(recorder, result);
		recorder->dirty = false;
	}
	thread->synced_us = began;
	int64_t took = g_get_monotonic_time() - began;
	pool->syncs += dirty > 0;
	if (took > pool->sync_us_max)
		pool->sync_us_max = took;
	if (took > (DURABLE_MS - LOOK_MS - (int64_t)pool->config.sync_ms) * 1000) {
		pool->slow_syncs++;
		tl_wake_ring(pool->wake);
	}
}

/* ---- orders ---- */

static void finish(struct record_thread *thread, struct tl_recorder *recorder)
{
	struct tl_record_block like = { .left_law = TL_LAW_ALAW, .right_law = TL_LAW_ALAW };
	uint32_t missed = atomic_load(&recorder->missed);
	empty(recorder);
	if (missed && recorder->file && !recorder->recorded.result) {
		thread->pool->missed_blocks += missed;
		write_silence(recorder, &like, missed);
	}
	int result = tl_record_file_close(g_steal_pointer(&recorder->file));
	if (result)
		fail(recorder, result);
	g_ptr_array_remove_fast(thread->recorders, recorder);
	tell(thread, RECORD_ENDED, recorder);
}

static void obey(struct record_thread *thread)
{
	struct record_order order;
	while (tl_ring_pop(thread->orders, &order))
		switch (order.kind) {
		case RECORD_BEGIN:
			g_ptr_array_add(thread->recorders, order.recorder);
			break;
		case RECORD_FINISH:
			finish(thread, order.recorder);
			break;
		case RECORD_STOP:
			thread->stopping = true;
			break;
		}
}

static void await(struct record_thread *thread)
{
	struct pollfd fd = { .fd = thread->bell, .events = POLLIN };
	uint64_t n;
	if (poll(&fd, 1, thread->recorders->len ? LOOK_MS : -1) > 0 && read(thread->bell, &n, sizeof n) < 0)
		return;
}

gpointer tl_record_thread_run(gpointer data)
{
	struct record_thread *thread = data;
	while (!thread->stopping) {
		await(thread);
		obey(thread);
		for (unsigned i = 0; i < thread->recorders->len; i++)
			empty(g_ptr_array_index(thread->recorders, i));
		if (g_get_monotonic_time() - thread->synced_us >= thread->pool->config.sync_ms * G_GINT64_CONSTANT(1000))
			sync_files(thread);
	}
	return NULL;
}
