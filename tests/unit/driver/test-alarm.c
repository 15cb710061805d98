/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Integration of alarms, and errored seconds; time is given, not waited for. */
#include "alarm.h"
#include "performance.h"

#include <glib.h>

#define STEP_MS 32

static const struct tl_alarm_times times = { .raise_ms = 2500, .yellow_ms = 500, .settle_ms = 10000 };

/* Let @ms pass with @defects. Returns the alarms at its end. */
static unsigned pass(struct tl_alarm *alarm, unsigned defects, unsigned ms)
{
	unsigned alarms = alarm->alarms;

	for (unsigned t = 0; t < ms; t += STEP_MS)
		alarms = tl_alarm_update(alarm, defects, STEP_MS);
	return alarms;
}

static struct tl_alarm good_line(void)
{
	struct tl_alarm alarm;

	tl_alarm_init(&alarm, &times);
	g_assert_cmphex(tl_alarm_update(&alarm, 0, 0), ==, 0);
	return alarm;
}

static void test_first_look(void)
{
	struct tl_alarm alarm;

	tl_alarm_init(&alarm, &times);
	g_assert_cmphex(tl_alarm_update(&alarm, TL_DEFECT_LOS | TL_DEFECT_LFA, 0), ==,
			TL_ALARM_RED | TL_ALARM_LOS);
	tl_alarm_init(&alarm, &times);
	g_assert_cmphex(tl_alarm_update(&alarm, TL_DEFECT_AIS | TL_DEFECT_LFA, 0), ==, TL_ALARM_BLUE);
	tl_alarm_init(&alarm, &times);
	g_assert_cmphex(tl_alarm_update(&alarm, TL_DEFECT_RAI, 0), ==, TL_ALARM_YELLOW);
}

static void test_red(void)
{
	struct tl_alarm alarm = good_line();

	g_assert_cmphex(pass(&alarm, TL_DEFECT_LFA, 2400), ==, 0);
	g_assert_cmphex(pass(&alarm, TL_DEFECT_LFA, 200), ==, TL_ALARM_RED | TL_ALARM_LFA);
	g_assert_cmphex(pass(&alarm, 0, 9900), ==, TL_ALARM_RECOVERING);
	g_assert_cmphex(pass(&alarm, 0, 200), ==, 0);
}

/* A recovering line that fails again is red at once. */
static void test_relapse(void)
{
	struct tl_alarm alarm = good_line();

	pass(&alarm, TL_DEFECT_LOS, 3000);
	g_assert_cmphex(pass(&alarm, 0, 1000), ==, TL_ALARM_RECOVERING);
	g_assert_cmphex(tl_alarm_update(&alarm, TL_DEFECT_LOS, STEP_MS), ==, TL_ALARM_RED | TL_ALARM_LOS);
	g_assert_cmphex(pass(&alarm, 0, 9900), ==, TL_ALARM_RECOVERING);
}

static void test_glitch(void)
{
	struct tl_alarm alarm = good_line();

	for (unsigned i = 0; i < 100; i++) {
		g_assert_cmphex(pass(&alarm, TL_DEFECT_LOS, 64), ==, 0);
		g_assert_cmphex(pass(&alarm, 0, 320), ==, 0);
	}
}

/* Half the time bad: the leak is slower than that, so red it becomes. */
static void test_flapping(void)
{
	struct tl_alarm alarm = good_line();
	unsigned i;

	for (i = 0; i < 100; i++) {
		if (pass(&alarm, TL_DEFECT_LFA, 320))
			break;
		pass(&alarm, 0, 320);
	}
	g_assert_cmpuint(i, <, 100);
	g_assert_cmphex(alarm.alarms, ==, TL_ALARM_RED | TL_ALARM_LFA);
}

static void test_blue_names_its_cause(void)
{
	struct tl_alarm alarm = good_line();

	g_assert_cmphex(pass(&alarm, TL_DEFECT_AIS | TL_DEFECT_LFA | TL_DEFECT_LMFA, 2600), ==, TL_ALARM_BLUE);
	g_assert_cmphex(pass(&alarm, TL_DEFECT_LOS | TL_DEFECT_LFA, 64), ==, TL_ALARM_RED | TL_ALARM_LOS);
}

static void test_yellow(void)
{
	struct tl_alarm alarm = good_line();

	g_assert_cmphex(pass(&alarm, TL_DEFECT_RAI, 448), ==, 0);
	g_assert_cmphex(pass(&alarm, TL_DEFECT_RAI, 64), ==, TL_ALARM_YELLOW);
	g_assert_cmphex(pass(&alarm, 0, 448), ==, TL_ALARM_YELLOW);
	g_assert_cmphex(pass(&alarm, 0, 64), ==, 0);
	g_assert_cmphex(pass(&alarm, TL_DEFECT_DISTANT_MFA, 512), ==, TL_ALARM_YELLOW);
}

/* Out of frame there is no RAI to see: what was known stays. */
static void test_yellow_under_red(void)
{
	struct tl_alarm alarm = good_line();

	pass(&alarm, TL_DEFECT_RAI, 600);
	g_assert_cmphex(pass(&alarm, TL_DEFECT_LFA, 3000), ==, TL_ALARM_RED | TL_ALARM_LFA | TL_ALARM_YELLOW);
}

static void second(struct tl_performance *p, const struct tl_framer_config *config, unsigned crc,
		   unsigned framing, unsigned defects)
{
	struct tl_framer_errors errors = { .crc = (u16)crc, .framing = (u16)framing };

	tl_performance_second(p, config, &errors, defects, 0);
}

static void test_seconds_e1(void)
{
	struct tl_framer_config config = { .line = TL_LINE_E1, .crc4 = true };
	struct tl_performance p = { 0 };

	second(&p, &config, 0, 0, 0);
	g_assert_cmpuint(p.errored_seconds, ==, 0);
	second(&p, &config, 299, 0, 0);
	g_assert_cmpuint(p.errored_seconds, ==, 1);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 0);
	second(&p, &config, 300, 0, 0);
	second(&p, &config, 0, 0, TL_DEFECT_AIS);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 2);
	second(&p, &config, 0, 0, TL_DEFECT_RAI);
	g_assert_cmpuint(p.errored_seconds, ==, 3);
	config.crc4 = false;
	second(&p, &config, 0, 27, 0);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 2);
	second(&p, &config, 0, 28, 0);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 3);
	g_assert_cmpuint(p.crc_errors, ==, 599);
	g_assert_cmpuint(p.framing_errors, ==, 55);
}

static void test_seconds_t1(void)
{
	struct tl_framer_config config = { .line = TL_LINE_T1 };
	struct tl_performance p = { 0 };

	second(&p, &config, 319, 0, 0);
	second(&p, &config, 320, 0, 0);
	g_assert_cmpuint(p.errored_seconds, ==, 2);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 1);
	config.d4 = true;
	second(&p, &config, 0, 7, 0);
	second(&p, &config, 0, 8, 0);
	g_assert_cmpuint(p.severely_errored_seconds, ==, 2);
}

static void test_slip_is_errored(void)
{
	struct tl_framer_config config = { .line = TL_LINE_E1, .crc4 = true };
	struct tl_framer_errors none = { 0 };
	struct tl_performance p = { 0 };

	g_assert_true(tl_performance_second(&p, &config, &none, 0, 2));
	g_assert_cmpuint(p.slips, ==, 2);
	g_assert_false(tl_performance_second(&p, &config, &none, 0, 0));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/driver/alarm/first-look", test_first_look);
	g_test_add_func("/driver/alarm/red", test_red);
	g_test_add_func("/driver/alarm/relapse", test_relapse);
	g_test_add_func("/driver/alarm/glitch", test_glitch);
	g_test_add_func("/driver/alarm/flapping", test_flapping);
	g_test_add_func("/driver/alarm/blue", test_blue_names_its_cause);
	g_test_add_func("/driver/alarm/yellow", test_yellow);
	g_test_add_func("/driver/alarm/yellow-under-red", test_yellow_under_red);
	g_test_add_func("/driver/performance/e1", test_seconds_e1);
	g_test_add_func("/driver/performance/t1", test_seconds_t1);
	g_test_add_func("/driver/performance/slip", test_slip_is_errored);
	return g_test_run();
}
