/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Timers on the faked clock, and that a real one wakes the main loop. */
#include <glib.h>

#include "base/clock.h"
#include "base/thread.h"

static GString *heard; /* who expired, in order */

struct bell {
	char letter;
	struct tl_timer *timer;
	struct tl_timer *other; /* freed or restarted by the expiry */
	unsigned again_ms, times;
	int64_t last_us;
};

static void on_expiry(void *user)
{
	struct bell *bell = user;
	g_string_append_c(heard, bell->letter);
	bell->last_us = tl_clock_us();
	if (bell->times && --bell->times)
		tl_timer_start(bell->timer, bell->again_ms);
}

static void bell_init(struct bell *bell, char letter)
{
	*bell = (struct bell){ .letter = letter };
	bell->timer = tl_timer_new("T", on_expiry, bell);
	g_assert_false(tl_timer_running(bell->timer));
}

static void test_order(void)
{
	struct bell a, b, c;
	bell_init(&a, 'a'), bell_init(&b, 'b'), bell_init(&c, 'c');
	tl_timer_start(a.timer, 300);
	tl_timer_start(b.timer, 100);
	tl_timer_start(c.timer, 200);
	g_assert_true(tl_timer_running(a.timer));
	tl_clock_advance(99999);
	g_assert_cmpstr(heard->str, ==, "");
	tl_clock_advance(1);
	g_assert_cmpstr(heard->str, ==, "b");
	g_assert_false(tl_timer_running(b.timer));
	tl_clock_advance(1000000);
	g_assert_cmpstr(heard->str, ==, "bca");
	tl_timer_free(a.timer), tl_timer_free(b.timer), tl_timer_free(c.timer);
}

static void test_stop_and_restart(void)
{
	struct bell a, b;
	bell_init(&a, 'a'), bell_init(&b, 'b');
	tl_timer_start(a.timer, 100);
	tl_timer_start(b.timer, 100);
	tl_timer_stop(b.timer);
	tl_timer_stop(b.timer);
	tl_clock_advance(50000);
	tl_timer_start(a.timer, 100); /* begins anew */
	tl_clock_advance(60000);
	g_assert_cmpstr(heard->str, ==, "");
	tl_clock_advance(40000);
	g_assert_cmpstr(heard->str, ==, "a");
	tl_timer_free(a.timer), tl_timer_free(b.timer);
}

/* One jump over many periods: each expiry sees the time that it is due at. */
static void test_restarts_itself(void)
{
	struct bell a;
	int64_t begin_us = tl_clock_us();
	bell_init(&a, 'a');
	a.times = 5;
	a.again_ms = 20;
	tl_timer_start(a.timer, 20);
	tl_clock_advance(90000);
	g_assert_cmpstr(heard->str, ==, "aaaa");
	g_assert_cmpint(a.last_us, ==, begin_us + 80000);
	g_assert_cmpint(tl_clock_us(), ==, begin_us + 90000);
	tl_clock_advance(10000);
	g_assert_cmpstr(heard->str, ==, "aaaaa");
	tl_clock_advance(1000000);
	g_assert_cmpstr(heard->str, ==, "aaaaa");
	tl_timer_free(a.timer);
}

static void free_other(void *user)
{
	struct bell *bell = user;
	g_string_append_c(heard, bell->letter);
	g_clear_pointer(&bell->other, tl_timer_free);
	g_clear_pointer(&bell->timer, tl_timer_free);
}

/* A call that ends frees its timers, also the one that ended it and those due at the same moment. */
static void test_freed_by_an_expiry(void)
{
	struct bell a = { .letter = 'a' }, b;
	bell_init(&b, 'b');
	a.timer = tl_timer_new("T", free_other, &a);
	a.other = b.timer;
	tl_timer_start(a.timer, 100);
	tl_timer_start(b.timer, 100);
	tl_clock_advance(100000);
	g_assert_cmpstr(heard->str, ==, "a");
	tl_timer_free(NULL);
}

static void quit(void *user)
{
	g_main_loop_quit(user);
}

static void test_real_time(void)
{
	if (!g_test_subprocess()) { /* the faked clock of the other cases stays faked */
		g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
		g_test_trap_assert_passed();
		return;
	}
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	struct tl_timer *timer = tl_timer_new("T", quit, loop);
	int64_t begin_us = tl_clock_us();
	tl_timer_start(timer, 10);
	g_main_loop_run(loop);
	g_assert_cmpint(tl_clock_us() - begin_us, >=, 10000);
	g_assert_cmpint(tl_clock_utc_us(), >, 1600000000LL * 1000000);
	tl_timer_free(timer);
	g_main_loop_unref(loop);
}

static void faked(gconstpointer data)
{
	heard = g_string_new(NULL);
	tl_clock_fake(1000000);
	((void (*)(void))data)();
	g_string_free(heard, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/clock/real-time", test_real_time);
	g_test_add_data_func("/clock/order", test_order, faked);
	g_test_add_data_func("/clock/stop-and-restart", test_stop_and_restart, faked);
	g_test_add_data_func("/clock/restarts-itself", test_restarts_itself, faked);
	g_test_add_data_func("/clock/freed-by-an-expiry", test_freed_by_an_expiry, faked);
	return g_test_run();
}
