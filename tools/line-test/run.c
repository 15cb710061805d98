/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"

#define QUIET_US 10000000
#define POLL_MS 500
#define BEHIND_MOST_US 100000 /* kept waiting for longer: that time is lost, not made up for */

static void tick(struct bert *bert, struct tl_span *span)
{
	tl_span_begin_tick(span);
	bert_tick(bert, span);
	tl_span_end_tick(span, tl_clock_us());
}

static void serve_main(struct bert *bert, struct tl_span *span)
{
	tl_thread_become_main();
	while (g_main_context_iteration(NULL, FALSE))
		;
	/* Every span begins red: what counts is what comes later. */
	if (bert->ticks > 200)
		bert->alarms_seen |= tl_span_alarms(span) & ~(unsigned)TL_ALARM_RECOVER;
	tl_thread_become_media();
}

/* By the clock: at most one tick each 10 ms. */
static int tick_by_clock(struct bert *bert, struct tl_span *span, int64_t *next_us)
{
	struct timespec due = { *next_us / 1000000, *next_us % 1000000 * 1000 };

	if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		return 0;
	tl_span_receive(span, tl_clock_us());
	tick(bert, span);
	*next_us += TL_TICK_US;
	if (tl_clock_us() - *next_us > BEHIND_MOST_US)
		*next_us = tl_clock_us();
	return 0;
}

/* By the line's own time. */
static int tick_by_line(struct bert *bert, struct tl_span *span, int64_t *heard_us)
{
	struct pollfd input = { tl_span_fd(span), POLLIN, 0 };
	unsigned due;

	poll(&input, 1, POLL_MS);
	tl_span_receive(span, tl_clock_us());
	if (tl_span_is_gone(span))
		return -ENODEV;
	due = tl_span_ticks_due(span);
	if (due)
		*heard_us = tl_clock_us();
	for (; due > 0 && !bert_is_over(bert); due--)
		tick(bert, span);
	return bert->options.ticks && tl_clock_us() - *heard_us > QUIET_US ? -ETIMEDOUT : 0;
}

int run_test(struct bert *bert, struct tl_span *span, const volatile sig_atomic_t *stop)
{
	bool by_line = tl_span_clock_mode(span) == TL_CLOCK_LOOP;
	int64_t time_us = tl_clock_us();
	int result = 0;

	tl_thread_become_media();
	while (!result && !*stop && !bert_is_over(bert)) {
		result = by_line ? tick_by_line(bert, span, &time_us) : tick_by_clock(bert, span, &time_us);
		serve_main(bert, span);
	}
	tl_thread_become_main();
	bert_finish(bert);
	return result;
}
