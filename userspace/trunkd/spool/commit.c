/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A part made durable, while its writer waits, but not for ever. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/inside.h"

enum { WAITING, FINISHED, ABANDONED };

/* Of the writer, of the thread that commits, and of main; the last one frees it. */
struct commit {
	struct tl_spool_job job;
	atomic_int owners, state;
	struct tl_spool *spool;
	char *item, *path;
	struct tl_spool_part part;
	int result;
	gint64 begun_us, ended_us;
	int bell;                  /* -1: main waits, by on_done */
	void (*on_done)(int result, void *user);
	void *user;
};

static void commit_unref(struct commit *commit)
{
	if (atomic_fetch_sub(&commit->owners, 1) != 1)
		return;
	if (commit->bell >= 0)
		close(commit->bell);
	g_free(commit->item);
	g_free(commit->path);
	g_free(commit);
}

static void commit_run(struct tl_spool_job *job)
{
	struct commit *commit = (struct commit *)job;
	int waiting = WAITING;
	commit->result = tl_spool_disk_sync(commit->path, commit->part.name, &commit->part);
	if (!commit->result && atomic_load(&commit->state) == WAITING)
		commit->result = tl_spool_disk_name(commit->path, commit->part.name);
	commit->ended_us = tl_clock_us();
	atomic_compare_exchange_strong(&commit->state, &waiting, FINISHED);
}

/* The writer goes on only now, so that whatever it tells main comes after the commit. */
static void commit_after(struct tl_spool_job *job)
{
	struct commit *commit = (struct commit *)job;
	uint64_t one = 1;
	if (commit->bell >= 0 && write(commit->bell, &one, sizeof one) != sizeof one)
		g_assert_not_reached(); /* an eventfd's first write */
	commit_unref(commit);
}

static void commit_done(struct tl_spool_job *job)
{
	struct commit *commit = (struct commit *)job;
	tl_spool_committed(commit->spool, commit->item, &commit->part, commit->result, commit->ended_us - commit->begun_us,
			   atomic_load(&commit->state) == ABANDONED);
	if (commit->on_done && !commit->spool->closing)
		commit->on_done(commit->result, commit->user);
	commit_unref(commit);
}

static struct commit *commit_new(struct tl_spool_item *item, const char *part)
{
	struct commit *commit = g_new0(struct commit, 1);
	commit->job = (struct tl_spool_job){ commit_run, commit_done, commit_after };
	commit->owners = 3;
	commit->spool = item->spool;
	commit->item = g_strdup(item->name);
	commit->path = g_strdup(item->path);
	g_strlcpy(commit->part.name, part, sizeof commit->part.name);
	commit->begun_us = tl_clock_us();
	commit->bell = -1;
	return commit;
}

void tl_spool_submit(struct tl_spool_item *item, const char *part, void (*on_done)(int result, void *user), void *user)
{
	g_assert(tl_spool_is_part_name(part));
	struct commit *commit = commit_new(item, part);
	commit->owners = 2;
	commit->on_done = on_done;
	commit->user = user;
	tl_spool_work_commit(item->spool->work, &commit->job);
}

int tl_spool_commit(struct tl_spool_item *item, const char *part, unsigned within_ms)
{
	if (!tl_spool_is_part_name(part))
		return -EINVAL;
	struct commit *commit = commit_new(item, part);
	commit->bell = eventfd(0, EFD_CLOEXEC);
	if (commit->bell < 0) {
		int result = -errno;
		commit->owners = 1;
		commit_unref(commit);
		return result;
	}
	struct pollfd fd = { .fd = commit->bell, .events = POLLIN };
	gint64 until = g_get_monotonic_time() + within_ms * G_GINT64_CONSTANT(1000), left;
	tl_spool_work_commit(item->spool->work, &commit->job);
	do
		left = until - g_get_monotonic_time();
	while (poll(&fd, 1, left > 0 ? left / 1000 + 1 : 0) < 0 && errno == EINTR);
	int waiting = WAITING;
	bool abandoned = atomic_compare_exchange_strong(&commit->state, &waiting, ABANDONED);
	int result = abandoned ? -ETIMEDOUT : commit->result;
	commit_unref(commit);
	return result;
}

char *tl_spool_part_path(const struct tl_spool_item *item, const char *part)
{
	return g_strconcat(item->path, "/", part, TL_SPOOL_UNFINISHED, NULL);
}
