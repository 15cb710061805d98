/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * How busy the thread is: its CPU time over a window of ticks. CPU time, not the clock's: a tick that others kept from
 * running, or one of a line in fast motion, asks for no more than any other. That a host starves the thread is told by
 * late_ticks and skipped_ticks.
 */
#include <time.h>

#include "base/thread.h"
#include "media/engine.h"

#define WINDOW_TICKS 50
#define NS_PER_US 1000

static int64_t spent_ns(void)
{
	struct timespec spent;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return spent.tv_sec * 1000000000ll + spent.tv_nsec;
}

/* It ends a little below where it begins, so that a load at the limit does not make it flutter. */
static bool is_over(const struct tl_load *load, uint32_t us)
{
	uint32_t limit_us = atomic_load_explicit(&load->limit_us, memory_order_relaxed);
	bool was = atomic_load_explicit(&load->over, memory_order_relaxed);
	return us >= (was ? limit_us - limit_us / 10 : limit_us);
}

void tl_load_tick(struct tl_media *media)
{
	struct tl_load *load = &media->load;
	if (++load->ticks < WINDOW_TICKS)
		return;
	int64_t now_ns = spent_ns();
	uint32_t us = (now_ns - load->spent_ns) / NS_PER_US / WINDOW_TICKS;
	bool over = is_over(load, us);
	load->ticks = 0;
	load->spent_ns = now_ns;
	atomic_store_explicit(&load->us, us, memory_order_relaxed);
	atomic_store_explicit(&load->over, over, memory_order_relaxed);
	/* What main does not hear now it is told with the next window. */
	if (over != load->told && tl_media_report(media, &(struct tl_event){ TL_EVENT_OVERLOAD, .up = over, .ms = us }))
		load->told = over;
}

void tl_media_limit_load(struct tl_media *media, unsigned limit_us)
{
	tl_assert_main();
	for (unsigned i = 0; i < media->n_threads; i++)
		atomic_store(&media->threads[i]->load.limit_us, limit_us);
}

/* Of several threads any: nobody knows beforehand which one a call will need. */
bool tl_media_is_overloaded(const struct tl_media *media)
{
	for (unsigned i = 0; i < media->n_threads; i++)
		if (atomic_load_explicit(&media->threads[i]->load.over, memory_order_relaxed))
			return true;
	return false;
}

void tl_media_heard_overload(struct tl_media *media, bool over, unsigned load_us)
{
	struct tl_media *first = media->first;
	bool any = false;
	media->load.main_over = over;
	for (unsigned i = 0; i < first->n_threads; i++)
		any |= first->threads[i]->load.main_over;
	if (any == first->over)
		return;
	first->over = any;
	if (first->handler.on_overload)
		first->handler.on_overload(any, load_us, first->handler.user);
}
