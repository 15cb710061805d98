/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Whether the disk is well and has room: looked at from time to time, told as alarms. */
#include <errno.h>

#include "base/clock.h"
#include "spool/inside.h"

#define WATCH_MS 5000

struct look {
	struct tl_spool_job job;
	struct tl_spool *spool;
	bool probe;
	int result;
	uint64_t free_octets;
};

void tl_spool_alarms(const struct tl_spool *spool, const char *names[TL_SPOOL_ALARMS + 1])
{
	unsigned n = 0;
	if (spool->low)
		names[n++] = "spool-reserve";
	if (spool->fault)
		names[n++] = "spool-disk";
	names[n] = NULL;
}

static void tell(struct tl_spool *spool)
{
	g_autofree char *low = g_strdup_printf("%s: only %" G_GUINT64_FORMAT " MiB are free, the reserve is %" G_GUINT64_FORMAT,
		spool->directory, spool->counters.free_octets >> 20, spool->config.reserve_octets >> 20);
	if (!spool->closing)
		spool->handler.on_alarm(spool->fault ? spool->fault : spool->low ? low : NULL, spool->user);
}

static void set_fault(struct tl_spool *spool, char *fault)
{
	bool changed = !fault != !spool->fault;
	g_free(spool->fault);
	spool->fault = fault;
	if (changed)
		tell(spool);
}

void tl_spool_fault(struct tl_spool *spool, const char *tried, int result)
{
	set_fault(spool, g_strdup_printf("%s: %s: %s", spool->directory, tried, g_strerror(-result)));
}

void tl_spool_looked(struct tl_spool *spool, int result, uint64_t free_octets)
{
	uint64_t reserve = spool->config.reserve_octets;
	if (result) {
		tl_spool_fault(spool, "the disk", result);
		return;
	}
	/* A tenth more ends it, so that it does not come and go. */
	bool low = free_octets < reserve + (spool->low ? reserve / 10 : 0), changed = low != spool->low;
	spool->counters.free_octets = free_octets;
	spool->low = low;
	if (changed)
		tell(spool);
}

static void look_run(struct tl_spool_job *job)
{
	struct look *look = (struct look *)job;
	look->result = tl_spool_disk_look(look->spool->directory, look->probe, &look->free_octets);
}

static void look_done(struct tl_spool_job *job)
{
	struct look *look = (struct look *)job;
	look->spool->looking = false;
	tl_spool_looked(look->spool, look->result, look->free_octets);
	if (look->probe && !look->result)
		set_fault(look->spool, NULL);
	g_free(look);
}

/* A look of its own kind of thread would not tell that the others hang: it goes with the commits. */
void tl_spool_watch(void *user)
{
	struct tl_spool *spool = user;
	tl_timer_start(spool->watch, spool->config.watch_ms ? spool->config.watch_ms : WATCH_MS);
	if (spool->looking) {
		tl_spool_fault(spool, "the disk does not answer", -ETIMEDOUT);
		return;
	}
	struct look *look = g_new0(struct look, 1);
	look->job = (struct tl_spool_job){ look_run, look_done };
	look->spool = spool;
	look->probe = spool->fault != NULL;
	spool->looking = true;
	tl_spool_work_commit(spool->work, &look->job);
}
