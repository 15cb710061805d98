/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The thread: it sleeps until a tick is due, moves 10 ms of everything, and sleeps again. */
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "media/ahead.h"
#include "media/hub.h"
#include "media/recorder.h"
#include "media/session.h"
#include "media/tap.h"

#define NS_PER_TICK 10000000
#define LATE_NS 2000000
#define RESYNC_NS 100000000
#define PATIENCE_NS 20000000 /* so late may a tick be for the sake of the other threads */
#define BEHIND_TICKS 10      /* a thread that is so far behind the first leaves out what it missed */
#define LOOK_US 1000000 /* a silent span is looked at so often */
#define TICKS_A_WAKE 16
#define SOCKETS_A_CALL 256

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* A span in clock mode loop without a tick for so long is not waited for; its line may be slow. */
static int64_t patience_us(const struct tl_media *media)
{
	return media->config.line_patience_ms * 1000ll;
}

/* Spans that wake us say themselves when there is something; the others are asked. */
static bool is_to_receive(const struct tl_media *media, const struct tl_media_span *place, int64_t now_us)
{
	if (!place->loop || media->config.tick != TL_TICK_SPAN)
		return true;
	return place->ready || now_us - place->looked_us >= LOOK_US;
}

static void receive_spans(struct tl_media *media, int64_t now_us)
{
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++) {
		struct tl_media_span *place = &media->spans[i];
		if (!place->span || !is_to_receive(media, place, now_us))
			continue;
		place->ready = false;
		place->looked_us = now_us;
		tl_span_receive(place->span, now_us);
	}
}

/*
 * Level-triggered, one datagram a ready socket and round: measured cheaper than reading each socket dry, which ends
 * with a call in vain. The bound keeps a flood of one socket from holding up the line.
 */
static void receive_sockets(struct tl_media *media)
{
	struct epoll_event ready[SOCKETS_A_CALL];
	unsigned most = 4 * media->n_attached + SOCKETS_A_CALL;
	int n = media->n_watched > 0;
	for (unsigned taken = 0; n > 0 && taken < most; taken += n) {
		n = epoll_wait(media->socket_epoll_fd, ready, SOCKETS_A_CALL, 0);
		for (int i = 0; i < n; i++) {
			if (i + TL_AHEAD < n)
				tl_ahead(ready[i + TL_AHEAD].data.ptr, offsetof(struct tl_rtp_session, last));
			tl_rtp_socket_receive(ready[i].data.ptr);
		}
		if (n <= 0)
			break;
	}
}

/* Which spans take part: those of other clock modes always, a loop when 10 ms of its line time are there. */
static void choose_spans(struct tl_media *media, int64_t now_us)
{
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++) {
		struct tl_media_span *place = &media->spans[i];
		if (!place->span)
			continue;
		place->ticking = !place->loop || tl_span_ticks_due(place->span) > 0;
		if (!place->loop)
			continue;
		if (place->ticking)
			place->heard_us = now_us;
		place->live = now_us - place->heard_us < patience_us(media) && !tl_span_is_gone(place->span);
	}
}

/* ---- several threads ---- */

static void begin_tick_of_all(struct tl_media *media)
{
	if (media->n_threads < 2)
		return;
	atomic_fetch_add(&media->begun, 1);
	for (unsigned i = 1; i < media->n_threads; i++)
		tl_media_kick(media->threads[i]);
}

static bool have_followed(const struct tl_media *media)
{
	uint64_t begun = atomic_load(&media->begun);
	for (unsigned i = 1; i < media->n_threads; i++)
		if (atomic_load(&media->threads[i]->followed) < begun)
			return false;
	return true;
}

/* Whether all others have done the tick before, so that what they say in it is there; if not, they will kick. */
static bool followers_ready(struct tl_media *media)
{
	if (have_followed(media))
		return true;
	atomic_store(&media->awaits_followers, true); /* before the second look: pairs with tell_first() */
	return have_followed(media);
}

static void tell_first(struct tl_media *media, uint64_t done)
{
	struct tl_media *first = media->first;
	atomic_store(&media->followed, done);
	if (atomic_exchange(&first->awaits_followers, false))
		tl_media_kick(first);
}

/* By the clock the others are waited for a little, and then the line goes on. */
static bool others_done(struct tl_media *media, int64_t now)
{
	int64_t until_ns = media->next_ns + PATIENCE_NS;
	bool done = now >= until_ns || followers_ready(media);
	media->patience_ns = done ? 0 : until_ns;
	return done;
}

static void run_tick(struct tl_media *media, int64_t now_us)
{
	struct tl_media_span *spans = media->spans;
	begin_tick_of_all(media);
	media->tick++;
	media->now_us = now_us;
	tl_media_obey(media); /* what was asked before the tick fell due is done before it */
	receive_sockets(media);
	tl_hub_receive(media->hub);
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++)
		if (spans[i].ticking)
			tl_span_begin_tick(spans[i].span);
	for (unsigned i = 0; i < media->n_attached; i++) {
		tl_ahead_of_take(media, i);
		tl_port_take(media->ports[i]);
	}
	tl_recorders_tick(media);
	for (unsigned i = 0; i < media->n_attached; i++) {
		tl_ahead_of_give(media, i);
		tl_port_give(media->ports[i]);
	}
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++)
		if (spans[i].ticking)
			tl_span_end_tick(spans[i].span, now_us);
	tl_hub_flush(media->hub);
	TL_COUNT(media->ticks, 1);
	tl_load_tick(media);
}

static const struct tl_span *reference(const struct tl_media *media)
{
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++)
		if (media->spans[i].span && !media->spans[i].loop)
			return media->spans[i].span;
	return NULL;
}

/* A far end that runs fast makes ticks shorter: its octets come faster than our clock says. */
static void schedule_next(struct tl_media *media)
{
	const struct tl_span *span = reference(media);
	int64_t skew_ppb = span && tl_span_clock_mode(span) == TL_CLOCK_ADAPTIVE ? tl_span_skew_ppb(span) : 0;
	media->next_rest -= NS_PER_TICK * skew_ppb; /* 1e-9 ns */
	media->next_ns += NS_PER_TICK + media->next_rest / 1000000000;
	media->next_rest %= 1000000000;
}

static void run_by_clock(struct tl_media *media, int64_t now)
{
	int64_t behind = now - media->next_ns;
	if (behind > RESYNC_NS) {
		TL_COUNT(media->skipped_ticks, behind / NS_PER_TICK);
		media->next_ns = now;
	}
	while (now >= media->next_ns && others_done(media, now)) {
		if (now - media->next_ns > LATE_NS)
			TL_COUNT(media->late_ticks, 1);
		choose_spans(media, now / 1000);
		run_tick(media, now / 1000);
		schedule_next(media);
	}
}

/* Whether every loop span that is alive has its 10 ms; false too when none is alive. */
static bool line_tick_due(struct tl_media *media, int64_t now_us, bool *alive)
{
	bool due = true, can_wait = true;
	*alive = false;
	choose_spans(media, now_us);
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++) {
		const struct tl_media_span *place = &media->spans[i];
		if (!place->span || !place->loop || !place->live)
			continue;
		*alive = true;
		due &= place->ticking;
		can_wait &= place->can_wait;
	}
	atomic_store_explicit(&media->line_waits, *alive && can_wait, memory_order_relaxed);
	return *alive && due;
}

/* Line time that can wait does so for taps and other threads; not for one that does not answer: the line comes first. */
static bool may_go_on(struct tl_media *media, int64_t now_us)
{
	bool waits = atomic_load_explicit(&media->line_waits, memory_order_relaxed);
	if (!waits || (tl_taps_ready(media) && followers_ready(media)) ||
	    (media->taps_awaited_us && now_us - media->taps_awaited_us >= patience_us(media))) {
		media->taps_awaited_us = 0;
		return true;
	}
	if (!media->taps_awaited_us)
		media->taps_awaited_us = now_us;
	return false;
}

/* Line time is what the reference says it is; only when no loop span is alive, the clock's. */
static void run_by_line(struct tl_media *media, int64_t now)
{
	bool alive;
	for (unsigned i = 0; line_tick_due(media, now / 1000, &alive) && may_go_on(media, now / 1000) && i < TICKS_A_WAKE; i++)
		run_tick(media, now / 1000);
	if (alive) {
		media->patience_ns = 0;
		/* Set rarely: the timer is only there for a line that stops. */
		if (media->next_ns - now < patience_us(media) * 1000 / 2)
			media->next_ns = now + patience_us(media) * 1000;
		return;
	}
	if (media->next_ns > now + NS_PER_TICK)
		media->next_ns = now;
	run_by_clock(media, now);
}

/* The first thread's ticks are ours. */
static void run_by_first(struct tl_media *media, int64_t now)
{
	uint64_t due = atomic_load(&media->first->begun), done = atomic_load(&media->followed);
	bool waits = atomic_load_explicit(&media->first->line_waits, memory_order_relaxed);
	atomic_store_explicit(&media->line_waits, waits, memory_order_relaxed);
	if (!waits && due - done > BEHIND_TICKS) {
		TL_COUNT(media->skipped_ticks, due - done - 1);
		done = due - 1;
	}
	while (done < due && may_go_on(media, now / 1000)) {
		choose_spans(media, now / 1000);
		run_tick(media, now / 1000);
		tell_first(media, ++done);
	}
}

/* What woke us: a span, which reads its descriptor itself, or the kick or the timer. */
static void note_ready(struct tl_media *media, void *what)
{
	uint64_t count;
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++)
		if (what == &media->spans[i]) {
			media->spans[i].ready = true;
			return;
		}
	(void)!read(*(int *)what, &count, sizeof count);
	if (what == &media->timer_fd)
		media->armed_ns = 0;
}

static void sleep_until_due(struct tl_media *media)
{
	int64_t at_ns = media->patience_ns ? media->patience_ns : media->next_ns;
	struct itimerspec due = { .it_value = { at_ns / 1000000000, at_ns % 1000000000 } };
	struct epoll_event ready[TL_MEDIA_SPANS_MAX];
	if (media->armed_ns != at_ns && media->first == media)
		timerfd_settime(media->timer_fd, TFD_TIMER_ABSTIME, &due, NULL);
	media->armed_ns = at_ns;
	int n = epoll_wait(media->epoll_fd, ready, TL_MEDIA_SPANS_MAX, -1);
	for (int i = 0; i < n; i++)
		note_ready(media, ready[i].data.ptr);
}

static void note_work(struct tl_media *media, int64_t began_ns)
{
	uint32_t us = (now_ns() - began_ns) / 1000;
	if (us > atomic_load_explicit(&media->tick_us_max, memory_order_relaxed))
		atomic_store_explicit(&media->tick_us_max, us, memory_order_relaxed);
}

void *tl_media_run(void *data)
{
	struct tl_media *media = data;
	tl_thread_become_media();
	media->next_ns = now_ns() + NS_PER_TICK;
	while (!media->stopping) {
		sleep_until_due(media);
		int64_t began = now_ns();
		tl_media_obey(media);
		receive_spans(media, tl_clock_us());
		if (media->first != media)
			run_by_first(media, began);
		else if (media->config.tick == TL_TICK_SPAN)
			run_by_line(media, began);
		else
			run_by_clock(media, began);
		tl_media_flush(media);
		note_work(media, began);
	}
	return NULL;
}
