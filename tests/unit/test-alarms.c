/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The table from defects to alarms, by line time. */
#include <glib.h>

#include "line/alarms.h"
#include "line/line.h"

/* Runs @ms of @defects; every tick but the last must show @before, the last @after. */
static void run(struct tl_alarms *alarms, unsigned defects, unsigned ms, unsigned before, unsigned after)
{
	for (unsigned at = 10; at < ms; at += 10)
		g_assert_cmphex(tl_alarms_tick(alarms, defects), ==, before);
	g_assert_cmphex(tl_alarms_tick(alarms, defects), ==, after);
}

static void begin_clear(struct tl_alarms *alarms)
{
	tl_alarms_init(alarms);
	run(alarms, 0, 100, TL_ALARM_RED, TL_ALARM_RECOVER);
	run(alarms, 0, 1000, TL_ALARM_RECOVER, 0);
}

static void test_each(void)
{
	static const struct {
		unsigned defect, alarm, recover;
	} rows[] = {
		{ TL_DEFECT_LOSS, TL_ALARM_RED, TL_ALARM_RECOVER },
		{ TL_DEFECT_L, TL_ALARM_BLUE, TL_ALARM_RECOVER },
		{ TL_DEFECT_REMOTE, TL_ALARM_YELLOW, 0 },
	};
	struct tl_alarms alarms;

	begin_clear(&alarms);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		run(&alarms, rows[i].defect, 500, 0, rows[i].alarm);
		run(&alarms, rows[i].defect, 5000, rows[i].alarm, rows[i].alarm);
		run(&alarms, 0, 100, rows[i].alarm, rows[i].recover);
		if (rows[i].recover)
			run(&alarms, 0, 1000, rows[i].recover, 0);
	}
}

static void test_short_defects_pass(void)
{
	struct tl_alarms alarms;

	begin_clear(&alarms);
	for (unsigned i = 0; i < 20; i++) {
		run(&alarms, TL_DEFECT_LOSS, 490, 0, 0);
		run(&alarms, 0, 10, 0, 0);
	}
}

static void test_short_pauses_do_not_clear(void)
{
	struct tl_alarms alarms;

	begin_clear(&alarms);
	run(&alarms, TL_DEFECT_L, 500, 0, TL_ALARM_BLUE);
	for (unsigned i = 0; i < 20; i++) {
		run(&alarms, 0, 90, TL_ALARM_BLUE, TL_ALARM_BLUE);
		run(&alarms, TL_DEFECT_L, 10, TL_ALARM_BLUE, TL_ALARM_BLUE);
	}
}

static void test_back_while_recovering(void)
{
	struct tl_alarms alarms;

	tl_alarms_init(&alarms);
	run(&alarms, 0, 100, TL_ALARM_RED, TL_ALARM_RECOVER);
	run(&alarms, 0, 500, TL_ALARM_RECOVER, TL_ALARM_RECOVER);
	run(&alarms, TL_DEFECT_LOSS, 10, 0, TL_ALARM_RED);
	run(&alarms, 0, 100, TL_ALARM_RED, TL_ALARM_RECOVER);
	run(&alarms, 0, 1000, TL_ALARM_RECOVER, 0);
}

static void test_loss_hides_the_rest(void)
{
	struct tl_alarms alarms;

	begin_clear(&alarms);
	run(&alarms, TL_DEFECT_LOSS | TL_DEFECT_L | TL_DEFECT_REMOTE, 500, 0, TL_ALARM_RED);
	run(&alarms, TL_DEFECT_LOSS | TL_DEFECT_REMOTE, 5000, TL_ALARM_RED, TL_ALARM_RED);
	/* What was raised before the loss stays as it was. */
	begin_clear(&alarms);
	run(&alarms, TL_DEFECT_REMOTE, 500, 0, TL_ALARM_YELLOW);
	run(&alarms, TL_DEFECT_LOSS, 500, TL_ALARM_YELLOW, TL_ALARM_YELLOW | TL_ALARM_RED);
}

static void test_two_at_once(void)
{
	struct tl_alarms alarms;

	begin_clear(&alarms);
	run(&alarms, TL_DEFECT_L | TL_DEFECT_REMOTE, 500, 0, TL_ALARM_BLUE | TL_ALARM_YELLOW);
	run(&alarms, TL_DEFECT_REMOTE, 100, TL_ALARM_BLUE | TL_ALARM_YELLOW,
	    TL_ALARM_YELLOW | TL_ALARM_RECOVER);
}

static void test_names(void)
{
	char text[64];

	g_assert_cmpstr(tl_alarm_names(0, text), ==, "OK");
	g_assert_cmpstr(tl_alarm_names(TL_ALARM_RED, text), ==, "RED");
	g_assert_cmpstr(tl_alarm_names(TL_ALARM_YELLOW | TL_ALARM_RECOVER, text), ==, "YELLOW RECOVER");
	g_assert_cmpstr(tl_alarm_names(0x3f, text), ==, "BLUE YELLOW RED LB RECOVER NOTOPEN");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/alarms/each", test_each);
	g_test_add_func("/alarms/short-defects-pass", test_short_defects_pass);
	g_test_add_func("/alarms/short-pauses-do-not-clear", test_short_pauses_do_not_clear);
	g_test_add_func("/alarms/back-while-recovering", test_back_while_recovering);
	g_test_add_func("/alarms/loss-hides-the-rest", test_loss_hides_the_rest);
	g_test_add_func("/alarms/two-at-once", test_two_at_once);
	g_test_add_func("/alarms/names", test_names);
	return g_test_run();
}
