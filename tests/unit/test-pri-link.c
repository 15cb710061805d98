/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The D-channel of a PRI: lost and back, T309, the other end restarted, answers that never come (ITU-T Q.931 5.8). */
#include <string.h>

#include "base/log.h"
#include "base/thread.h"
#include "pri-loop.h"

#define T309_MS 30000
#define DETECT_MS 20000 /* T203, then T200 as often as N200 says, and room */

#define CONNECT 0x07
#define ALERTING 0x01
#define DISCONNECT 0x45
#define RELEASE 0x4d
#define NOTIFY 0x6e

static struct tl_pri_counters counters(struct loop *loop, unsigned end)
{
	struct tl_pri_counters c;
	tl_pri_counters(loop->ends[end].pri, &c);
	return c;
}

static void short_t309(struct tl_pri_config *config, unsigned end)
{
	config->t309_ms = T309_MS;
}

static void restart_on_up(struct tl_pri_config *config, unsigned end)
{
	config->restart_on_up = true;
}

static void answer(struct loop_end *end, struct party *party)
{
	g_assert_cmpint(tl_dialog_answer(party->dialog), ==, 0);
}

static void alert(struct loop_end *end, struct party *party)
{
	g_assert_cmpint(tl_dialog_alert(party->dialog, false), ==, 0);
}

static void cut_until_down(struct loop *loop)
{
	loop->cut = true;
	loop_pass(loop, DETECT_MS);
	for (unsigned end = NET; end <= CPE; end++) {
		g_assert_false(tl_pri_is_up(loop->ends[end].pri));
		g_assert_cmpuint(loop->ends[end].n_down, ==, 1);
		g_assert_cmpuint(counters(loop, end).d_channel_downs, ==, 1);
	}
}

static void mend(struct loop *loop)
{
	loop->cut = false;
	loop_pass(loop, 10000);
	for (unsigned end = NET; end <= CPE; end++) {
		g_assert_true(tl_pri_is_up(loop->ends[end].pri));
		g_assert_cmpuint(loop->ends[end].n_up, ==, 2);
	}
}

static void within_t309(enum tl_span_kind kind)
{
	struct loop *loop = loop_new(kind, short_t309);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 1);
	loop_settle(loop);
	cut_until_down(loop);
	GError *error = NULL;
	struct tl_leg_setup setup = { .called = { "1" }, .called_complete = true };
	g_assert_null(tl_pri_call(loop->ends[NET].pri, &setup, 0, NULL, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_DOWN);
	g_error_free(error);
	mend(loop);
	loop_pass(loop, 2 * T309_MS); /* a timer that was not stopped would end the calls now */
	g_assert_cmpstr(caller->heard->str, ==, "media:1 proceeding answered ");
	g_assert_cmpstr(loop_offered(loop, CPE, 0)->heard->str, ==, "");
	g_assert_cmpuint(counters(loop, NET).t309_expiries + counters(loop, CPE).t309_expiries, ==, 0);
	g_assert_cmpuint(counters(loop, NET).restarts_sent + counters(loop, CPE).restarts_sent, ==, 0);
	tl_dialog_release(loop_offered(loop, CPE, 0)->dialog, 16);
	loop_settle(loop);
	g_assert_true(g_str_has_suffix(caller->heard->str, "released:16< "));
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_within_t309(void)
{
	within_t309(TL_SPAN_E1);
	within_t309(TL_SPAN_T1);
}

static void test_beyond_t309(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, short_t309);
	loop->ends[CPE].on_offered = answer;
	struct party *callers[3];
	for (unsigned i = 0; i < 3; i++)
		callers[i] = loop_call(loop, NET, 0);
	loop_settle(loop);
	cut_until_down(loop);
	loop_pass(loop, T309_MS);
	for (unsigned i = 0; i < 3; i++) {
		g_assert_true(g_str_has_suffix(callers[i]->heard->str, "answered released:27 "));
		g_assert_cmpstr(loop_offered(loop, CPE, i)->heard->str, ==, "released:27 ");
	}
	g_assert_cmpuint(counters(loop, NET).t309_expiries, ==, 1);
	g_assert_cmpuint(counters(loop, CPE).t309_expiries, ==, 1);
	g_assert_cmpint(tl_pri_slot_state(loop->ends[NET].pri, 1), ==, TL_SLOT_RESTARTING); /* as soon as it can be said */
	mend(loop);
	g_assert_cmpuint(counters(loop, NET).restarts_sent, ==, 3);
	loop_assert_quiet(loop);
	for (unsigned i = 0; i < 3; i++)
		party_free(callers[i]);
	loop_free(loop);
}

/* One end has given the call up, the other's T309 is longer: RESTART frees the slot there too. */
static void uneven_t309(struct tl_pri_config *config, unsigned end)
{
	config->t309_ms = end == NET ? 1000 : 300000;
}

static void test_one_end_gave_up(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, uneven_t309);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	cut_until_down(loop);
	g_assert_true(g_str_has_suffix(caller->heard->str, "released:27 "));
	g_assert_nonnull(loop_offered(loop, CPE, 0)->dialog);
	mend(loop);
	g_assert_cmpuint(loop_offered(loop, CPE, 0)->n_released, ==, 1);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_released_while_down(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	cut_until_down(loop);
	g_assert_cmpint(tl_dialog_release(caller->dialog, 16), ==, 0);
	g_assert_true(g_str_has_suffix(caller->heard->str, "released:16 ")); /* at once */
	mend(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

/* A call that was only being set up does not outlive the D-channel; its slot is not stuck afterwards. */
static void test_lost_during_setup(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, short_t309);
	loop->ends[CPE].on_offered = alert;
	struct party *ringing = loop_call(loop, NET, 8);
	loop_settle(loop);
	loop->cut = true;
	struct party *unheard = loop_call(loop, NET, 9);
	loop_pass(loop, DETECT_MS);
	g_assert_cmpstr(ringing->heard->str, ==, "media:8 proceeding alerting released:27 ");
	g_assert_cmpstr(unheard->heard->str, !=, "");
	g_assert_cmpuint(unheard->n_released, ==, 1);
	g_assert_cmpstr(loop_offered(loop, CPE, 0)->heard->str, ==, "released:27 ");
	mend(loop);
	loop_assert_quiet(loop);
	party_free(ringing);
	party_free(unheard);
	loop_free(loop);
}

static void test_flaps(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 1);
	loop_settle(loop);
	for (unsigned i = 0; i < 5; i++) {
		loop->cut = true;
		loop_pass(loop, 3000 * i);
		loop->cut = false;
		loop_pass(loop, 15000);
	}
	g_assert_true(tl_pri_is_up(loop->ends[NET].pri));
	g_assert_nonnull(caller->dialog);
	tl_dialog_release(caller->dialog, 16);
	loop_settle(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static GRand *dice; /* the same throws in every run */

static bool lose_a_tenth(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets)
{
	return g_rand_int_range(dice, 0, 10);
}

static void test_lossy_line(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	dice = g_rand_new_with_seed(921);
	loop->filter = lose_a_tenth;
	loop->ends[CPE].on_offered = answer;
	for (unsigned i = 0; i < 10; i++) {
		struct party *caller = loop_call(loop, NET, 0);
		loop_pass(loop, 10000);
		g_assert_true(g_str_has_suffix(caller->heard->str, "answered "));
		tl_dialog_release(caller->dialog, 16);
		loop_pass(loop, 10000);
		g_assert_cmpuint(caller->n_released, ==, 1);
		party_free(caller);
	}
	g_assert_cmpuint(counters(loop, NET).d_channel_downs, ==, 0);
	loop_assert_quiet(loop);
	loop_free(loop);
	g_rand_free(dice);
}

/* ---- the other end dies and comes back ---- */

static void test_other_end_restarted(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, restart_on_up);
	struct loop_end *cpe = &loop->ends[CPE];
	cpe->on_offered = answer;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	loop->cut = true; /* killed: nothing it might have said arrives */
	loop_end_stop(cpe);
	g_assert_cmpstr(loop_offered(loop, CPE, 0)->heard->str, ==, "released:41 ");
	loop_settle(loop);
	loop->cut = false;
	loop_end_start(cpe);
	loop_pass(loop, 5000);
	g_assert_true(tl_pri_is_up(cpe->pri));
	g_assert_true(g_str_has_suffix(caller->heard->str, "answered released:41< "));
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_other_end_stopped_in_order(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	loop_end_stop(&loop->ends[CPE]);
	loop_settle(loop);
	loop_pass(loop, 60000); /* DISCONNECT arrived; RELEASE finds nobody, T308 does the rest */
	g_assert_true(g_str_has_suffix(caller->heard->str, "released:41< "));
	g_assert_cmpuint(caller->n_released, ==, 1);
	loop_end_start(&loop->ends[CPE]);
	loop_pass(loop, 10000);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

/* ---- answers that never come ---- */

static unsigned deaf_to; /* the message type that gets lost between the two layers 3 */

static bool lose_message(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets)
{
	unsigned type = loop_message_type(octets, n_octets);
	if (type && (type == deaf_to || (deaf_to == DISCONNECT && type == RELEASE)))
		loop_retype(octets, NOTIFY);
	return true;
}

static void test_clearing_unanswered(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	deaf_to = DISCONNECT;
	loop->filter = lose_message;
	g_assert_cmpint(tl_dialog_release(caller->dialog, 16), ==, 0);
	loop_pass(loop, 37000); /* T305 30 s, T308 4 s: RELEASE is sent again */
	g_assert_cmpuint(caller->n_released, ==, 0);
	loop_pass(loop, 2000);
	g_assert_cmpuint(caller->n_released, ==, 1);
	g_assert_true(g_str_has_suffix(caller->heard->str, "released:16 "));
	/* The far end still holds the call: RESTART frees the slot at both. */
	g_assert_cmpuint(counters(loop, NET).restarts_sent, ==, 1);
	g_assert_cmpstr(loop_offered(loop, CPE, 0)->heard->str, ==, "released:41< ");
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_setup_unanswered(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	deaf_to = 0x05; /* SETUP */
	loop->filter = lose_message;
	struct party *caller = loop_call(loop, NET, 8);
	loop_pass(loop, 9000); /* T303 twice */
	g_assert_cmpstr(caller->heard->str, ==, "released:18 ");
	g_assert_cmpuint(loop->ends[CPE].offered->len, ==, 0);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_unknown_message(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	deaf_to = ALERTING;
	loop->filter = lose_message;
	loop->ends[CPE].on_offered = alert;
	struct party *caller = loop_call(loop, NET, 8);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "media:8 proceeding ");
	g_assert_cmpuint(counters(loop, NET).events_unhandled, ==, 1);
	tl_dialog_release(caller->dialog, 16);
	loop_settle(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static bool spoil(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets)
{
	for (size_t i = 9; loop_message_type(octets, n_octets) && i < n_octets; i++)
		octets[i] ^= g_test_rand_int_range(0, 256);
	return true;
}

static void test_garbage(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	loop->filter = spoil;
	for (unsigned i = 0; i < 200; i++) {
		struct party *caller = loop_call(loop, i & 1, 0);
		loop_settle(loop);
		if (caller->dialog)
			tl_dialog_release(caller->dialog, 16);
		loop_pass(loop, 100000); /* whatever was understood of it, every timer has run out by now */
		g_assert_cmpuint(caller->n_released, ==, 1);
		party_free(caller);
		for (unsigned e = NET; e <= CPE; e++)
			for (unsigned j = 0; j < loop->ends[e].offered->len; j++)
				if (loop_offered(loop, e, j)->dialog)
					tl_dialog_release(loop_offered(loop, e, j)->dialog, 16);
	}
	g_assert_cmpuint(counters(loop, CPE).protocol_errors, >, 0);
	loop->filter = NULL;
	loop_pass(loop, 200000);
	loop_assert_quiet(loop);
	loop_free(loop);
}

/* ---- configuration ---- */

static void test_wrong_span(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	static const struct tl_pri_handler none;
	struct tl_pri_config config = loop->ends[NET].config;
	GError *error = NULL;
	config.type = TL_PRI_NI2;
	g_assert_null(tl_pri_new(&config, &none, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "net"));
	g_error_free(error);
	loop_free(loop);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pri/link/within-t309", test_within_t309);
	g_test_add_func("/pri/link/beyond-t309", test_beyond_t309);
	g_test_add_func("/pri/link/one-end-gave-up", test_one_end_gave_up);
	g_test_add_func("/pri/link/released-while-down", test_released_while_down);
	g_test_add_func("/pri/link/lost-during-setup", test_lost_during_setup);
	g_test_add_func("/pri/link/flaps", test_flaps);
	g_test_add_func("/pri/link/lossy-line", test_lossy_line);
	g_test_add_func("/pri/link/other-end-restarted", test_other_end_restarted);
	g_test_add_func("/pri/link/other-end-stopped-in-order", test_other_end_stopped_in_order);
	g_test_add_func("/pri/link/clearing-unanswered", test_clearing_unanswered);
	g_test_add_func("/pri/link/setup-unanswered", test_setup_unanswered);
	g_test_add_func("/pri/link/unknown-message", test_unknown_message);
	g_test_add_func("/pri/link/garbage", test_garbage);
	g_test_add_func("/pri/link/wrong-span", test_wrong_span);
	return g_test_run();
}
