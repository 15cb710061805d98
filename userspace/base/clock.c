/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Timers live in one sorted sequence behind one GSource, so that tests can run them by a faked clock. */
#include "base/clock.h"

#include <glib.h>
#include <stdatomic.h>

struct tl_timer {
	const char *name;
	tl_timer_fn on_expiry;
	void *user;
	int64_t due_us;
	GSequenceIter *place; /* NULL: stopped */
};

static GSequence *timers; /* by due_us; main */
static GSource *source;   /* wakes main for the first one */
static atomic_bool faked;
static _Atomic int64_t faked_us;

int64_t tl_clock_us(void)
{
	if (atomic_load_explicit(&faked, memory_order_relaxed))
		return atomic_load_explicit(&faked_us, memory_order_relaxed);
	return g_get_monotonic_time();
}

int64_t tl_clock_utc_us(void)
{
	return g_get_real_time();
}

static gint by_due(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct tl_timer *x = a, *y = b;
	(void)user;
	return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static struct tl_timer *first_timer(void)
{
	GSequenceIter *first = timers ? g_sequence_get_begin_iter(timers) : NULL;
	return !first || g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

static void arm_source(void)
{
	if (atomic_load(&faked))
		return;
	struct tl_timer *first = first_timer();
	g_source_set_ready_time(source, first ? first->due_us : -1);
}

static void run_due(int64_t now_us)
{
	struct tl_timer *timer;
	while ((timer = first_timer()) && timer->due_us <= now_us) {
		g_sequence_remove(timer->place);
		timer->place = NULL;
		timer->on_expiry(timer->user); /* may free the timer */
	}
}

static gboolean dispatch(GSource *self, GSourceFunc callback, gpointer user)
{
	(void)self, (void)callback, (void)user;
	run_due(g_get_monotonic_time());
	arm_source();
	return G_SOURCE_CONTINUE;
}

static void ensure_source(void)
{
	static GSourceFuncs funcs = { .dispatch = dispatch };
	if (timers)
		return;
	timers = g_sequence_new(NULL);
	source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_name(source, "tl_timer");
	g_source_attach(source, NULL);
}

struct tl_timer *tl_timer_new(const char *name, tl_timer_fn on_expiry, void *user)
{
	ensure_source();
	struct tl_timer *timer = g_new0(struct tl_timer, 1);
	timer->name = name;
	timer->on_expiry = on_expiry;
	timer->user = user;
	return timer;
}

void tl_timer_free(struct tl_timer *timer)
{
	if (!timer)
		return;
	tl_timer_stop(timer);
	g_free(timer);
}

void tl_timer_start(struct tl_timer *timer, unsigned ms)
{
	if (timer->place)
		g_sequence_remove(timer->place);
	timer->due_us = tl_clock_us() + (int64_t)ms * 1000;
	timer->place = g_sequence_insert_sorted(timers, timer, by_due, NULL);
	arm_source();
}

void tl_timer_stop(struct tl_timer *timer)
{
	if (!timer->place)
		return;
	g_sequence_remove(timer->place);
	timer->place = NULL;
	arm_source();
}

bool tl_timer_running(const struct tl_timer *timer)
{
	return timer->place != NULL;
}

void tl_clock_fake(int64_t us)
{
	ensure_source();
	g_source_set_ready_time(source, -1);
	atomic_store(&faked_us, us);
	atomic_store(&faked, true);
}

void tl_clock_advance(int64_t us)
{
	int64_t end_us = atomic_load(&faked_us) + us;
	struct tl_timer *timer;
	/* Step from expiry to expiry: a timer that restarts itself sees the time it is due at. */
	while ((timer = first_timer()) && timer->due_us <= end_us) {
		if (timer->due_us > atomic_load(&faked_us))
			atomic_store(&faked_us, timer->due_us);
		run_due(atomic_load(&faked_us));
	}
	atomic_store(&faked_us, end_us);
}
