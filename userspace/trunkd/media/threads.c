/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Who lives on which thread, and what is asked of all of them. Thread: main. */
#include <errno.h>

#include "base/thread.h"
#include "media/engine.h"
#include "media/hub.h"

struct tl_media *tl_media_choose(struct tl_media *media)
{
	struct tl_media *best = media;
	for (unsigned i = 1; i < media->n_threads; i++)
		if (media->threads[i]->n_sessions < best->n_sessions)
			best = media->threads[i];
	return best;
}

/* Line time is the first thread's clock, and so everybody's: what makes it lives there. */
static struct tl_media *choose_home(struct tl_media *media, const struct tl_span *span)
{
	struct tl_media *best = media;
	if (media->config.tick == TL_TICK_SPAN && tl_span_clock_mode(span) == TL_CLOCK_LOOP)
		return media;
	for (unsigned i = 1; i < media->n_threads; i++)
		if (media->threads[i]->n_spans < best->n_spans)
			best = media->threads[i];
	return best;
}

struct tl_media *tl_media_home(struct tl_media *media, struct tl_span *span)
{
	struct tl_media *home = g_hash_table_lookup(media->homes, span);
	if (!home) {
		home = choose_home(media, span);
		g_hash_table_insert(media->homes, span, home);
	}
	return home;
}

void tl_media_add_span(struct tl_media *media, struct tl_span *span)
{
	tl_assert_main();
	struct tl_media *home = tl_media_home(media, span);
	home->n_spans++;
	tl_media_command(home, &(struct tl_command){ TL_COMMAND_SPAN_ADD, .span = span });
}

void tl_media_remove_span(struct tl_media *media, struct tl_span *span)
{
	tl_assert_main();
	struct tl_media *home = tl_media_home(media, span);
	home->n_spans--;
	tl_media_command_now(home, &(struct tl_command){ TL_COMMAND_SPAN_REMOVE, .span = span });
	while (sem_wait(&home->span_released) != 0)
		g_assert(errno == EINTR);
}

static void count(struct tl_media *media, struct tl_media_counters *counters)
{
	counters->late_ticks += atomic_load(&media->late_ticks);
	counters->skipped_ticks += atomic_load(&media->skipped_ticks);
	counters->commands += atomic_load(&media->commands_done);
	counters->events += atomic_load(&media->events_sent);
	counters->events_lost += atomic_load(&media->events_lost);
	counters->tie_missed += atomic_load(&media->tie_missed);
	counters->tie_dropped += atomic_load(&media->tie_dropped);
	uint32_t tick_us = atomic_exchange(&media->tick_us_max, 0), load_us = atomic_load(&media->load.us);
	counters->tick_us_max = MAX(counters->tick_us_max, tick_us);
	counters->load_us = MAX(counters->load_us, load_us);
	if (media->hub)
		tl_hub_count(media->hub, counters);
}

void tl_media_counters(struct tl_media *media, struct tl_media_counters *counters)
{
	tl_assert_main();
	*counters = (struct tl_media_counters){
		.ticks = atomic_load(&media->ticks),
		.ties = media->n_ties,
		.load_limit_us = atomic_load(&media->load.limit_us),
	};
	for (unsigned i = 0; i < media->n_threads; i++)
		count(media->threads[i], counters);
}
