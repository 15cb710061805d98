/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Two PRIs on real spans: every timeslot in a call at once, over UDP and HDLC. */
#include <string.h>

#include "base/log.h"
#include "base/thread.h"
#include "far-end.h"
#include "signal/signal.h"

#define TICKS_MAX 3000 /* 30 s of line time */

struct side {
	struct tl_span *span;
	struct tl_pri *pri;
	struct tl_dialog *dialogs[TL_SPAN_SLOTS_MAX];
	unsigned n_dialogs, n_answered, n_released, last_cause;
};

static void on_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct side *side = user;
	side->n_answered += event->kind == TL_DIALOG_ANSWERED;
	if (event->kind != TL_DIALOG_RELEASED)
		return;
	side->n_released++;
	side->last_cause = event->cause;
	tl_dialog_free(dialog);
}

static void on_offered(struct tl_pri *pri, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	struct side *side = user;
	dialog->on_event = on_event;
	dialog->user = side;
	side->dialogs[side->n_dialogs++] = dialog;
	g_assert_cmpint(tl_dialog_alert(dialog, true), ==, 0);
	g_assert_cmpint(tl_dialog_answer(dialog), ==, 0);
}

static void tick(struct side *sides)
{
	for (unsigned i = 0; i < 2; i++) {
		far_end_await(sides[i].span, far_end_counters(sides[!i].span).packets_sent);
		far_end_begin(sides[i].span);
		far_end_end(sides[i].span);
	}
	far_end_main();
}

static bool are_up(struct side *sides)
{
	return tl_pri_is_up(sides[0].pri) && tl_pri_is_up(sides[1].pri);
}

static bool are_answered(struct side *sides)
{
	return sides[0].n_dialogs && sides[0].n_answered == sides[0].n_dialogs;
}

static bool are_released(struct side *sides)
{
	return sides[0].n_released == sides[0].n_dialogs && sides[1].n_released == sides[0].n_dialogs;
}

static bool are_restarted(struct side *sides)
{
	unsigned bearers = tl_span_get_kind(sides[0].span) == TL_SPAN_E1 ? 30 : 23;
	return are_up(sides) && tl_pri_idle_slots(sides[0].pri) == bearers && tl_pri_idle_slots(sides[1].pri) == bearers;
}

static void until(struct side *sides, bool (*done)(struct side *sides))
{
	for (unsigned i = 0; i < TICKS_MAX && !done(sides); i++)
		tick(sides);
	g_assert_true(done(sides));
}

static void side_open(struct side *side, const struct tl_span_config *config, enum tl_pri_side which)
{
	static const struct tl_pri_handler handler = { .on_offered = on_offered };
	struct tl_pri_config pri = {
		.span = side->span = far_end_span(config),
		.side = which,
		.type = config->kind == TL_SPAN_E1 ? TL_PRI_EUROISDN : TL_PRI_NI2,
		.restart_on_up = true,
	};
	GError *error = NULL;
	side->pri = tl_pri_new(&pri, &handler, side, &error);
	g_assert_no_error(error);
}

static void call_on_every_slot(struct side *side)
{
	struct tl_leg_setup setup = { .called = { "100" }, .calling_name = "Every Slot", .called_complete = true };
	unsigned idle = tl_pri_idle_slots(side->pri);
	for (unsigned i = 0; i < idle; i++) {
		side->dialogs[side->n_dialogs] = tl_pri_call(side->pri, &setup, 0, on_event, side, NULL);
		g_assert_nonnull(side->dialogs[side->n_dialogs++]);
	}
}

static void full_trunk(enum tl_span_kind kind)
{
	struct side sides[2] = { 0 };
	struct tl_span_config config = far_end_config(kind);
	config.d_channel = kind == TL_SPAN_E1 ? 16 : 24;
	struct tl_span_config mirror = far_end_mirror(&config);
	side_open(&sides[0], &config, TL_PRI_NETWORK);
	side_open(&sides[1], &mirror, TL_PRI_CPE);
	until(sides, are_restarted);
	call_on_every_slot(&sides[0]);
	until(sides, are_answered);
	g_assert_cmpuint(sides[1].n_dialogs, ==, sides[0].n_dialogs);
	g_assert_cmpuint(tl_pri_idle_slots(sides[1].pri), ==, 0);
	for (unsigned i = 0; i < sides[1].n_dialogs; i++)
		g_assert_cmpint(tl_dialog_release(sides[1].dialogs[i], TL_CAUSE_NORMAL_CLEARING), ==, 0);
	until(sides, are_released);
	g_assert_cmpuint(sides[0].last_cause, ==, TL_CAUSE_NORMAL_CLEARING);
	g_assert_true(are_restarted(sides));
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpuint(far_end_counters(sides[i].span).d_overflows, ==, 0);
		tl_pri_free(sides[i].pri);
		tl_span_free(sides[i].span);
	}
}

static void test_e1(void)
{
	full_trunk(TL_SPAN_E1);
}

static void test_t1(void)
{
	full_trunk(TL_SPAN_T1);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pri/pseudowire/e1", test_e1);
	g_test_add_func("/pri/pseudowire/t1", test_t1);
	return g_test_run();
}
