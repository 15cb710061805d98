/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Time of the main thread and its timers. Monotonic microseconds. Tests may
 * replace the clock, so that a timer of minutes expires at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Monotonic time in us; the faked time while a test fakes it. Any thread. */
int64_t tl_clock_us(void);

/** Wall-clock time, us since 1970 UTC. Any thread. */
int64_t tl_clock_utc_us(void);

struct tl_timer;
typedef void (*tl_timer_fn)(void *user);

/**
 * tl_timer_new - a stopped one-shot timer that calls @on_expiry(@user) on main.
 * @name: its standard name ("T309"), static.
 */
struct tl_timer *tl_timer_new(const char *name, tl_timer_fn on_expiry, void *user);

/** Stops and frees; NULL is legal. Legal inside its own expiry. Thread: main. */
void tl_timer_free(struct tl_timer *timer);

/** (Re)starts it to expire once in @ms. Thread: main. */
void tl_timer_start(struct tl_timer *timer, unsigned ms);

/** Stops it; harmless when stopped. Thread: main. */
void tl_timer_stop(struct tl_timer *timer);

/** Whether it is running. Thread: main. */
bool tl_timer_running(const struct tl_timer *timer);

/** From now on the clock stands at @us until advanced. For tests. Thread: main. */
void tl_clock_fake(int64_t us);

/** Moves the faked clock on by @us and runs the timers due, in order. Thread: main. */
void tl_clock_advance(int64_t us);
