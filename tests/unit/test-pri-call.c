/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Calls between two PRIs: what each party hears, from SETUP to RELEASE COMPLETE (ITU-T Q.931 5.1 to 5.3). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fsm.h"
#include "base/log.h"
#include "base/thread.h"
#include "pri-loop.h"
#include "signal/pri-inner.h"

static const struct {
	enum tl_span_kind kind;
	unsigned caller;
} ways[] = { { TL_SPAN_E1, NET }, { TL_SPAN_E1, CPE }, { TL_SPAN_T1, NET }, { TL_SPAN_T1, CPE } };

static void overlap_config(struct tl_pri_config *config, unsigned end)
{
	config->overlap = true;
}

static void test_machine(void)
{
	g_assert_cmpuint(tl_fsm_faults(&tl_pri_dialog_machine, stderr), ==, 0);
	for (unsigned i = 0; i < tl_pri_dialog_machine.n_rows; i++)
		for (unsigned j = 0; j < i; j++) /* a second row for the same event would be dead */
			g_assert_false(tl_pri_dialog_machine.rows[i].state == tl_pri_dialog_machine.rows[j].state &&
				       tl_pri_dialog_machine.rows[i].event == tl_pri_dialog_machine.rows[j].event);
}

static void test_answered(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct loop *loop = loop_new(ways[i].kind, NULL);
		struct party *caller = loop_call(loop, ways[i].caller, 0);
		loop_settle(loop);
		struct party *called = loop_offered(loop, !ways[i].caller, 0);
		g_assert_true(called->setup.called_complete);
		g_assert_cmpstr(called->setup.called.digits, ==, "100");
		g_assert_cmpint(tl_dialog_proceed(called->dialog), ==, 0);
		g_assert_cmpint(tl_dialog_alert(called->dialog, true), ==, 0);
		loop_settle(loop);
		g_assert_cmpint(tl_dialog_answer(called->dialog), ==, 0);
		loop_settle(loop);
		unsigned slot = caller->slot;
		g_assert_cmpuint(slot, ==, called->slot);
		g_assert_cmpint(tl_pri_slot_state(loop->ends[NET].pri, slot), ==, TL_SLOT_BUSY);
		g_autofree char *before = g_strdup_printf("media:%u proceeding alerting+ answered ", slot);
		g_assert_cmpstr(caller->heard->str, ==, before);
		g_assert_cmpint(tl_dialog_release(caller->dialog, TL_CAUSE_NORMAL_CLEARING), ==, 0);
		loop_settle(loop);
		g_assert_true(g_str_has_suffix(caller->heard->str, " answered released:16 "));
		g_assert_cmpstr(called->heard->str, ==, "released:16< ");
		loop_assert_quiet(loop);
		party_free(caller);
		loop_free(loop);
	}
}

/* A main loop that stood still for longer than T313 lasts finds the answers that came meanwhile, and no call ends. */
static void test_held_up(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	struct party *callers[3];
	for (unsigned i = 0; i < G_N_ELEMENTS(callers); i++)
		callers[i] = loop_call(loop, NET, 0);
	loop_settle(loop);
	for (unsigned i = 0; i < G_N_ELEMENTS(callers); i++)
		g_assert_cmpint(tl_dialog_answer(loop_offered(loop, CPE, i)->dialog), ==, 0);
	loop_hold_up(loop, CPE, 5000);
	for (unsigned i = 0; i < G_N_ELEMENTS(callers); i++) {
		g_assert_true(g_str_has_suffix(callers[i]->heard->str, " answered "));
		g_assert_nonnull(loop_offered(loop, CPE, i)->dialog);
		g_assert_cmpint(tl_dialog_release(callers[i]->dialog, TL_CAUSE_NORMAL_CLEARING), ==, 0);
	}
	loop_settle(loop);
	loop_assert_quiet(loop);
	for (unsigned i = 0; i < G_N_ELEMENTS(callers); i++)
		party_free(callers[i]);
	loop_free(loop);
}

static void test_progress(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	struct party *caller = loop_call(loop, CPE, 5);
	loop_settle(loop);
	struct party *called = loop_offered(loop, NET, 0);
	g_assert_cmpint(tl_dialog_progress(called->dialog, true), ==, 0);
	g_assert_cmpint(tl_dialog_progress(called->dialog, false), ==, 0); /* nothing to say: nothing is sent */
	loop_settle(loop);
	g_assert_cmpint(tl_dialog_alert(called->dialog, false), ==, 0);
	loop_settle(loop);
	g_assert_cmpint(tl_dialog_progress(called->dialog, true), ==, 0);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "media:5 proceeding progress+ alerting progress+ ");
	g_assert_cmpint(tl_dialog_update(called->dialog), <, 0);
	g_assert_cmpint(tl_dialog_alert(caller->dialog, false), ==, -EINVAL); /* the caller cannot alert */
	g_assert_cmpint(tl_dialog_release(called->dialog, TL_CAUSE_USER_BUSY), ==, 0);
	g_assert_cmpint(tl_dialog_release(called->dialog, TL_CAUSE_USER_BUSY), ==, 0);
	loop_settle(loop);
	g_assert_true(g_str_has_suffix(caller->heard->str, " released:17< "));
	g_assert_cmpstr(called->heard->str, ==, "released:17 ");
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static struct tl_leg_setup full_setup(enum tl_presentation presentation)
{
	return (struct tl_leg_setup){
		.called = { "4930123456", TL_NUMBER_NATIONAL, TL_PLAN_ISDN },
		.calling = { "442071234567", TL_NUMBER_INTERNATIONAL, TL_PLAN_ISDN, presentation,
			     TL_SCREENING_NETWORK },
		.redirecting = { "5550100", TL_NUMBER_SUBSCRIBER, TL_PLAN_ISDN, TL_PRESENTATION_ALLOWED },
		.redirecting_reason = 15,
		.calling_name = "Zo\xc3\xab Test",
		.bearer = TL_BEARER_AUDIO_3K1,
		.called_complete = true,
	};
}

static void assert_number(const struct tl_number *got, const struct tl_number *sent)
{
	g_assert_cmpstr(got->digits, ==, sent->digits);
	g_assert_cmpint(got->type, ==, sent->type);
	g_assert_cmpint(got->plan, ==, sent->plan);
	g_assert_cmpint(got->presentation, ==, sent->presentation);
	g_assert_cmpint(got->screening, ==, sent->screening);
}

/* EuroISDN has no display element from user to network, and a restricted caller shows no name. */
static bool is_named(unsigned way, enum tl_presentation presentation)
{
	return presentation == TL_PRESENTATION_ALLOWED && (ways[way].kind == TL_SPAN_T1 || ways[way].caller == NET);
}

static void setup_contents(unsigned way, enum tl_presentation presentation)
{
	struct loop *loop = loop_new(ways[way].kind, NULL);
	struct tl_leg_setup setup = full_setup(presentation);
	struct party *caller = loop_call_setup(loop, ways[way].caller, 0, &setup);
	loop_settle(loop);
	const struct tl_leg_setup *got = &loop_offered(loop, !ways[way].caller, 0)->setup;
	assert_number(&got->called, &setup.called);
	assert_number(&got->calling, &setup.calling);
	assert_number(&got->redirecting, &setup.redirecting);
	g_assert_cmpuint(got->redirecting_reason, ==, 15);
	g_assert_cmpint(got->bearer, ==, TL_BEARER_AUDIO_3K1);
	g_assert_cmpstr(got->calling_name, ==, is_named(way, presentation) ? setup.calling_name : "");
	tl_dialog_release(caller->dialog, TL_CAUSE_NORMAL_CLEARING);
	loop_settle(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_setup_contents(void)
{
	for (unsigned way = 0; way < G_N_ELEMENTS(ways); way++) {
		setup_contents(way, TL_PRESENTATION_ALLOWED);
		setup_contents(way, TL_PRESENTATION_RESTRICTED);
	}
}

static void test_bearers(void)
{
	static const enum tl_bearer bearers[] = { TL_BEARER_SPEECH, TL_BEARER_AUDIO_3K1, TL_BEARER_UNRESTRICTED };
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(bearers); i++) {
		struct tl_leg_setup setup = { .called = { "1" }, .bearer = bearers[i], .called_complete = true };
		struct party *caller = loop_call_setup(loop, NET, 0, &setup);
		loop_settle(loop);
		const struct tl_leg_setup *got = &loop_offered(loop, CPE, i)->setup;
		g_assert_cmpint(got->bearer, ==, bearers[i]);
		g_assert_cmpstr(got->calling.digits, ==, "");
		g_assert_cmpstr(got->redirecting.digits, ==, "");
		g_assert_cmpstr(got->calling_name, ==, "");
		tl_dialog_release(caller->dialog, TL_CAUSE_NORMAL_CLEARING);
		loop_settle(loop);
		party_free(caller);
	}
	loop_assert_quiet(loop);
	loop_free(loop);
}

/* ---- hang-up at every state, from either side, with causes that libpri treats in ways of their own ---- */

static void to_initiated(struct loop *loop, unsigned callee)
{
}

static void to_proceeding(struct loop *loop, unsigned callee)
{
	loop_settle(loop);
}

static void to_alerting(struct loop *loop, unsigned callee)
{
	loop_settle(loop);
	g_assert_cmpint(tl_dialog_alert(loop_offered(loop, callee, 0)->dialog, false), ==, 0);
	loop_settle(loop);
}

static void to_connecting(struct loop *loop, unsigned callee)
{
	to_alerting(loop, callee);
	g_assert_cmpint(tl_dialog_answer(loop_offered(loop, callee, 0)->dialog), ==, 0);
}

static void to_active(struct loop *loop, unsigned callee)
{
	to_connecting(loop, callee);
	loop_settle(loop);
}

static const unsigned causes[] = { 1, 6, 7, 16, 17, 26, 27, 34, 44, 81, 82, 88, 102, 127 };

static void assert_released(const struct party *party, unsigned cause, bool by_peer)
{
	g_autofree char *text = g_strdup_printf("released:%u%s ", cause, by_peer ? "<" : "");
	g_assert_cmpuint(party->n_released, ==, 1);
	g_assert_nonnull(strstr(party->heard->str, text));
}

static void hang_up(unsigned way, void (*reach)(struct loop *loop, unsigned callee), bool by_caller, unsigned cause)
{
	struct loop *loop = loop_new(ways[way].kind, NULL);
	unsigned callee = !ways[way].caller;
	struct party *caller = loop_call(loop, ways[way].caller, 0);
	reach(loop, callee);
	struct party *by = by_caller ? caller : loop_offered(loop, callee, 0);
	g_assert_cmpint(tl_dialog_release(by->dialog, cause), ==, 0);
	loop_settle(loop);
	assert_released(by, cause, false);
	g_assert_cmpuint(caller->n_released, ==, 1);
	bool plain = cause == 16 || cause == 17 || cause == 102 || cause == 127;
	if (plain && reach != to_initiated) /* the others libpri may not send in every state */
		assert_released(by_caller ? loop_offered(loop, callee, 0) : caller, cause, true);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_hang_up_everywhere(void)
{
	static void (*const reaches[])(struct loop *, unsigned) = { to_proceeding, to_alerting, to_connecting, to_active };
	for (unsigned way = 0; way < G_N_ELEMENTS(ways); way++)
		for (unsigned c = 0; c < G_N_ELEMENTS(causes); c++) {
			hang_up(way, to_initiated, true, causes[c]);
			for (unsigned r = 0; r < G_N_ELEMENTS(reaches); r++) {
				hang_up(way, reaches[r], true, causes[c]);
				hang_up(way, reaches[r], false, causes[c]);
			}
		}
}

/* What the owner says at the offer itself reaches the caller as it was said. */
static void reject(struct loop_end *end, struct party *party)
{
	g_assert_cmpint(tl_dialog_release(party->dialog, TL_CAUSE_REJECTED), ==, 0);
}

static void test_rejected_at_offer(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct loop *loop = loop_new(ways[i].kind, NULL);
		loop->ends[!ways[i].caller].on_offered = reject;
		struct party *caller = loop_call(loop, ways[i].caller, 3);
		loop_settle(loop);
		g_assert_cmpstr(caller->heard->str, ==, "media:3 proceeding released:21< ");
		g_assert_cmpstr(loop_offered(loop, !ways[i].caller, 0)->heard->str, ==, "released:21 ");
		loop_assert_quiet(loop);
		party_free(caller);
		loop_free(loop);
	}
}

static void test_both_hang_up(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		struct loop *loop = loop_new(ways[i].kind, NULL);
		struct party *caller = loop_call(loop, ways[i].caller, 0);
		to_active(loop, !ways[i].caller);
		struct party *called = loop_offered(loop, !ways[i].caller, 0);
		g_assert_cmpint(tl_dialog_release(caller->dialog, 16), ==, 0);
		g_assert_cmpint(tl_dialog_release(called->dialog, 31), ==, 0);
		loop_settle(loop);
		g_assert_true(g_str_has_suffix(caller->heard->str, "released:16 "));
		g_assert_true(g_str_has_suffix(called->heard->str, "released:31 "));
		loop_assert_quiet(loop);
		party_free(caller);
		loop_free(loop);
	}
}

/* ---- overlap receiving (ITU-T Q.931 5.2.4) ---- */

static struct party *overlap_call(struct loop *loop, const char *first)
{
	struct tl_leg_setup setup = { 0 };
	g_assert_true(tl_number_parse(first, &setup.called));
	return loop_call_setup(loop, NET, 7, &setup);
}

static void test_overlap(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, overlap_config);
	struct party *caller = overlap_call(loop, "12");
	g_assert_cmpint(tl_pri_send_digits(caller->dialog, "3"), ==, 0); /* before SETUP ACKNOWLEDGE: kept */
	loop_settle(loop);
	struct party *called = loop_offered(loop, CPE, 0);
	g_assert_false(called->setup.called_complete);
	g_assert_cmpstr(called->setup.called.digits, ==, "12");
	g_assert_cmpint(tl_pri_send_digits(caller->dialog, "45"), ==, 0);
	g_assert_cmpint(tl_pri_send_digits(caller->dialog, "4x"), ==, -EINVAL);
	loop_settle(loop);
	g_assert_cmpstr(called->heard->str, ==, "digits:3 digits:4 digits:5 ");
	g_assert_cmpint(tl_dialog_proceed(called->dialog), ==, 0);
	loop_settle(loop);
	g_assert_cmpint(tl_pri_send_digits(caller->dialog, "6"), ==, -EINVAL); /* the number is complete */
	g_assert_cmpint(tl_dialog_answer(called->dialog), ==, 0);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "media:7 proceeding answered ");
	tl_dialog_release(called->dialog, 16);
	loop_settle(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_overlap_t302(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, overlap_config);
	struct party *caller = overlap_call(loop, "1");
	loop_settle(loop);
	struct party *called = loop_offered(loop, CPE, 0);
	loop_pass(loop, 14000);
	g_assert_cmpint(tl_pri_send_digits(caller->dialog, "2"), ==, 0);
	loop_pass(loop, 14000);
	g_assert_cmpstr(called->heard->str, ==, "digits:2 ");
	loop_pass(loop, 2000);
	g_assert_cmpstr(called->heard->str, ==, "digits:2 digits:. ");
	tl_dialog_release(called->dialog, TL_CAUSE_INVALID_NUMBER);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "media:7 released:28< ");
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_overlap_complete_at_once(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, overlap_config);
	struct party *caller = loop_call(loop, NET, 0);
	loop_settle(loop);
	g_assert_true(loop_offered(loop, CPE, 0)->setup.called_complete);
	tl_dialog_release(caller->dialog, 16);
	loop_settle(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

/* ---- refusals before anything is sent ---- */

static void assert_refused(struct loop *loop, const struct tl_leg_setup *setup, unsigned slot, int code)
{
	GError *error = NULL;
	g_assert_null(tl_pri_call(loop->ends[NET].pri, setup, slot, NULL, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, code);
	g_error_free(error);
}

static void test_refusals(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	struct tl_leg_setup good = { .called = { "1" }, .called_complete = true };
	struct tl_leg_setup bad = { .called = { "1 2" }, .called_complete = true };
	struct tl_leg_setup empty = { .called_complete = true };
	struct tl_leg_setup caller = { .called = { "1" }, .calling = { "abc" }, .called_complete = true };
	assert_refused(loop, &bad, 0, TL_SIGNAL_ERROR_NUMBER);
	assert_refused(loop, &empty, 0, TL_SIGNAL_ERROR_NUMBER);
	assert_refused(loop, &caller, 0, TL_SIGNAL_ERROR_NUMBER);
	assert_refused(loop, &good, 16, TL_SIGNAL_ERROR_NO_CHANNEL);
	assert_refused(loop, &good, 32, TL_SIGNAL_ERROR_NO_CHANNEL);
	loop_settle(loop);
	g_assert_cmpuint(loop->ends[CPE].offered->len, ==, 0);
	loop_assert_quiet(loop);
	loop_free(loop);
}

static void test_trace(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	g_assert_cmpuint(loop->ends[NET].n_traced, ==, 0);
	tl_pri_set_trace(loop->ends[NET].pri, true);
	struct party *caller = loop_call(loop, NET, 0);
	to_active(loop, CPE);
	g_assert_cmpuint(loop->ends[NET].n_traced, >=, 5); /* SETUP, PROCEEDING, ALERTING, CONNECT, CONNECT ACK */
	tl_dialog_release(caller->dialog, 16);
	loop_settle(loop);
	party_free(caller);
	loop_free(loop);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pri/call/machine", test_machine);
	g_test_add_func("/pri/call/answered", test_answered);
	g_test_add_func("/pri/call/held-up", test_held_up);
	g_test_add_func("/pri/call/progress", test_progress);
	g_test_add_func("/pri/call/setup-contents", test_setup_contents);
	g_test_add_func("/pri/call/bearers", test_bearers);
	g_test_add_func("/pri/call/hang-up-everywhere", test_hang_up_everywhere);
	g_test_add_func("/pri/call/rejected-at-offer", test_rejected_at_offer);
	g_test_add_func("/pri/call/both-hang-up", test_both_hang_up);
	g_test_add_func("/pri/call/overlap", test_overlap);
	g_test_add_func("/pri/call/overlap-t302", test_overlap_t302);
	g_test_add_func("/pri/call/overlap-complete-at-once", test_overlap_complete_at_once);
	g_test_add_func("/pri/call/refusals", test_refusals);
	g_test_add_func("/pri/call/trace", test_trace);
	return g_test_run();
}
