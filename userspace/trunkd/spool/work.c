/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "spool/work.h"

#include <glib.h>

#include "base/wake.h"

#define COMMIT_THREADS 8

struct tl_spool_work {
	GThreadPool *commits, *chores;
	GAsyncQueue *finished; /* struct tl_spool_job, for main */
	struct tl_wake *wake;
};

static void run(gpointer data, gpointer user)
{
	struct tl_spool_job *job = data;
	struct tl_spool_work *work = user;
	void (*after)(struct tl_spool_job *job) = job->after;
	job->run(job);
	g_async_queue_push(work->finished, job);
	tl_wake_ring(work->wake);
	if (after)
		after(job);
}

void tl_spool_work_drain(struct tl_spool_work *work)
{
	for (struct tl_spool_job *job; (job = g_async_queue_try_pop(work->finished));)
		job->done(job);
}

static void on_finished(void *user)
{
	tl_spool_work_drain(user);
}

struct tl_spool_work *tl_spool_work_new(void)
{
	struct tl_spool_work *work = g_new0(struct tl_spool_work, 1);
	work->finished = g_async_queue_new();
	work->wake = tl_wake_new(on_finished, work);
	work->commits = g_thread_pool_new(run, work, COMMIT_THREADS, FALSE, NULL);
	work->chores = g_thread_pool_new(run, work, 1, FALSE, NULL);
	return work;
}

void tl_spool_work_free(struct tl_spool_work *work)
{
	if (!work)
		return;
	g_thread_pool_free(work->commits, FALSE, TRUE);
	g_thread_pool_free(work->chores, FALSE, TRUE);
	tl_spool_work_drain(work);
	tl_wake_free(work->wake);
	g_async_queue_unref(work->finished);
	g_free(work);
}

void tl_spool_work_commit(struct tl_spool_work *work, struct tl_spool_job *job)
{
	g_thread_pool_push(work->commits, job, NULL);
}

void tl_spool_work_chore(struct tl_spool_work *work, struct tl_spool_job *job)
{
	g_thread_pool_push(work->chores, job, NULL);
}
