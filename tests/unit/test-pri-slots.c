/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Timeslots of a PRI: hunting, negotiation, glare, RESTART, blocking (ITU-T Q.931 5.1.2, 5.2.3, 5.5, 5.7). */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/thread.h"
#include "pri-loop.h"

#define RESTART 0x46
#define RESTART_ACKNOWLEDGE 0x4e
#define NOTIFY 0x6e

static struct tl_pri_counters counters(struct loop *loop, unsigned end)
{
	struct tl_pri_counters c;
	tl_pri_counters(loop->ends[end].pri, &c);
	return c;
}

static enum tl_slot_state state(struct loop *loop, unsigned end, unsigned slot)
{
	return tl_pri_slot_state(loop->ends[end].pri, slot);
}

static void hang_up(struct loop *loop, struct party *party)
{
	g_assert_cmpint(tl_dialog_release(party->dialog, 16), ==, 0);
	loop_settle(loop);
}

static void lowest(struct tl_pri_config *config, unsigned end)
{
	config->hunt = TL_HUNT_LOWEST;
}

static void lowest_exclusive(struct tl_pri_config *config, unsigned end)
{
	config->hunt = TL_HUNT_LOWEST;
	config->exclusive = true;
}

static void round_robin(struct tl_pri_config *config, unsigned end)
{
	config->hunt = TL_HUNT_ROUND_ROBIN;
}

static void restart_on_up(struct tl_pri_config *config, unsigned end)
{
	config->restart_on_up = true;
}

static void answer(struct loop_end *end, struct party *party)
{
	g_assert_cmpint(tl_dialog_answer(party->dialog), ==, 0);
}

/* ---- hunting ---- */

static void test_order(void)
{
	static const struct {
		void (*tweak)(struct tl_pri_config *, unsigned);
		unsigned caller, slots[3];
	} orders[] = {
		{ lowest, NET, { 1, 1, 1 } },
		{ NULL, CPE, { 31, 31, 31 } }, /* the CPE hunts from the top unless told otherwise */
		{ round_robin, NET, { 1, 2, 3 } },
	};
	for (unsigned o = 0; o < G_N_ELEMENTS(orders); o++) {
		struct loop *loop = loop_new(TL_SPAN_E1, orders[o].tweak);
		for (unsigned i = 0; i < 3; i++) {
			struct party *caller = loop_call(loop, orders[o].caller, 0);
			loop_settle(loop);
			g_assert_cmpuint(caller->slot, ==, orders[o].slots[i]);
			hang_up(loop, caller);
			party_free(caller);
		}
		loop_assert_quiet(loop);
		loop_free(loop);
	}
}

static void fill(enum tl_span_kind kind, unsigned from)
{
	struct loop *loop = loop_new(kind, round_robin);
	unsigned n = kind == TL_SPAN_E1 ? 30 : 23;
	struct party *callers[30];
	loop->ends[!from].on_offered = answer;
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[from].pri), ==, n);
	for (unsigned i = 0; i < n; i++)
		callers[i] = loop_call(loop, from, 0);
	loop_settle(loop);
	g_assert_cmpuint(loop->ends[!from].offered->len, ==, n);
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[NET].pri), ==, 0);
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[CPE].pri), ==, 0);
	struct tl_leg_setup setup = { .called = { "1" }, .called_complete = true };
	GError *error = NULL;
	g_assert_null(tl_pri_call(loop->ends[from].pri, &setup, 0, NULL, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL);
	g_error_free(error);
	g_assert_cmpuint(counters(loop, from).no_channel, ==, 1);
	for (unsigned i = 0; i < n; i++)
		g_assert_true(g_str_has_suffix(callers[i]->heard->str, "answered "));
	for (unsigned i = 0; i < n; i++)
		tl_dialog_release(i % 2 ? callers[i]->dialog : loop_offered(loop, !from, i)->dialog, 16);
	loop_settle(loop);
	loop_assert_quiet(loop);
	for (unsigned i = 0; i < n; i++)
		party_free(callers[i]);
	loop_free(loop);
}

static void test_fill(void)
{
	fill(TL_SPAN_E1, NET);
	fill(TL_SPAN_E1, CPE);
	fill(TL_SPAN_T1, NET);
	fill(TL_SPAN_T1, CPE);
}

/* ---- negotiation ---- */

static void test_other_slot(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	tl_pri_block(loop->ends[CPE].pri, 3, true);
	struct party *caller = loop_call(loop, NET, 3); /* preferred, not exclusive */
	loop_settle(loop);
	g_assert_cmpuint(loop_offered(loop, CPE, 0)->slot, ==, 31);
	g_assert_cmpstr(caller->heard->str, ==, "media:31 proceeding ");
	g_assert_cmpint(state(loop, NET, 3), ==, TL_SLOT_IDLE);
	g_assert_cmpint(state(loop, NET, 31), ==, TL_SLOT_BUSY);
	hang_up(loop, caller);
	tl_pri_block(loop->ends[CPE].pri, 3, false);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static void test_refused_slot(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, lowest_exclusive);
	tl_pri_block(loop->ends[CPE].pri, 1, true);
	tl_pri_block(loop->ends[CPE].pri, 2, true);
	struct party *hunted = loop_call(loop, NET, 0);
	loop_settle(loop);
	g_assert_cmpstr(hunted->heard->str, ==, "media:3 proceeding "); /* 1 and 2 were refused in silence */
	g_assert_cmpuint(counters(loop, NET).setups_sent, ==, 3);
	struct party *fixed = loop_call(loop, NET, 2);
	loop_settle(loop);
	g_assert_cmpstr(fixed->heard->str, ==, "released:44< "); /* this very slot or none */
	g_assert_cmpuint(loop->ends[CPE].offered->len, ==, 1);
	g_assert_cmpuint(counters(loop, NET).restarts_sent, ==, 2); /* the ends disagreed about 1 and 2 */
	hang_up(loop, hunted);
	party_free(hunted);
	party_free(fixed);
	loop_free(loop);
}

static void test_no_slot_there(void)
{
	struct loop *loop = loop_new(TL_SPAN_T1, NULL);
	for (unsigned slot = 1; slot <= 23; slot++)
		tl_pri_block(loop->ends[CPE].pri, slot, true);
	/* Blocked before SERVICE arrives: the network does not know yet. */
	struct party *caller = loop_call(loop, NET, 4);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "released:34< ");
	g_assert_cmpint(state(loop, NET, 4), ==, TL_SLOT_BLOCKED); /* now it does: NI2 has SERVICE */
	for (unsigned slot = 1; slot <= 23; slot++)
		tl_pri_block(loop->ends[CPE].pri, slot, false);
	loop_settle(loop);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

/* ---- glare ---- */

static void glare(void (*tweak)(struct tl_pri_config *, unsigned), enum tl_span_kind kind)
{
	struct loop *loop = loop_new(kind, tweak);
	struct party *ours = loop_call(loop, CPE, 0);
	struct party *theirs = loop_call(loop, NET, 0); /* the same slot: both hunt from the bottom */
	loop->ends[NET].on_offered = answer;
	loop->ends[CPE].on_offered = answer;
	loop_settle(loop);
	g_assert_cmpstr(theirs->heard->str, ==, "media:1 proceeding answered ");
	g_assert_cmpstr(ours->heard->str, ==, "media:2 proceeding answered ");
	g_assert_cmpuint(loop_offered(loop, CPE, 0)->slot, ==, 1);
	g_assert_cmpuint(loop_offered(loop, NET, 0)->slot, ==, 2);
	g_assert_cmpuint(counters(loop, CPE).glare, ==, 1);
	g_assert_cmpuint(counters(loop, NET).glare, ==, 1);
	g_assert_cmpuint(counters(loop, CPE).restarts_sent + counters(loop, NET).restarts_sent, ==, 0);
	hang_up(loop, ours);
	hang_up(loop, theirs);
	loop_assert_quiet(loop);
	party_free(ours);
	party_free(theirs);
	loop_free(loop);
}

static void test_glare(void)
{
	glare(lowest, TL_SPAN_E1);
	glare(lowest, TL_SPAN_T1);
	glare(lowest_exclusive, TL_SPAN_E1); /* refused with 44, and hunted again */
	glare(lowest_exclusive, TL_SPAN_T1);
}

static void test_glare_on_fixed_slot(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, lowest_exclusive);
	struct party *ours = loop_call(loop, CPE, 9);
	struct party *theirs = loop_call(loop, NET, 9);
	loop_settle(loop);
	g_assert_cmpstr(theirs->heard->str, ==, "media:9 proceeding ");
	g_assert_cmpstr(ours->heard->str, ==, "released:44< ");
	g_assert_cmpint(state(loop, CPE, 9), ==, TL_SLOT_BUSY);
	hang_up(loop, theirs);
	loop_assert_quiet(loop);
	party_free(ours);
	party_free(theirs);
	loop_free(loop);
}

static void test_glare_given_up(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, lowest);
	struct party *ours = loop_call(loop, CPE, 0);
	struct party *theirs = loop_call(loop, NET, 0);
	g_assert_cmpint(tl_dialog_release(ours->dialog, 16), ==, 0);
	loop_settle(loop);
	g_assert_true(g_str_has_suffix(ours->heard->str, "released:16 "));
	g_assert_cmpint(state(loop, CPE, 1), ==, TL_SLOT_BUSY);
	g_assert_nonnull(theirs->dialog);
	hang_up(loop, theirs);
	loop_assert_quiet(loop);
	party_free(ours);
	party_free(theirs);
	loop_free(loop);
}

/* Each call that steps aside is given a slot that the next one of its side has asked for already. */
static void test_glare_pushes_on(void)
{
	enum { CALLS = 12 };
	struct loop *loop = loop_new(TL_SPAN_E1, lowest);
	struct party *calls[CALLS];
	loop->ends[NET].on_offered = answer;
	loop->ends[CPE].on_offered = answer;
	for (unsigned i = 0; i < CALLS; i++)
		calls[i] = loop_call(loop, i % 4 ? CPE : NET, 0);
	loop_settle(loop);
	for (unsigned i = 0; i < CALLS; i++) {
		g_assert_true(g_str_has_suffix(calls[i]->heard->str, "answered "));
		hang_up(loop, calls[i]);
		party_free(calls[i]);
	}
	loop_assert_quiet(loop);
	loop_free(loop);
}

/* ---- RESTART ---- */

static void test_restart_on_up(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, restart_on_up);
	for (unsigned end = NET; end <= CPE; end++) {
		g_assert_cmpuint(counters(loop, end).restarts_sent, ==, 30);
		g_assert_cmpuint(counters(loop, end).restarts_received, ==, 30);
		g_assert_cmpuint(counters(loop, end).restart_retries, ==, 0);
		g_assert_cmpuint(loop->ends[end].n_slots_news, >, 0);
	}
	loop_assert_quiet(loop);
	loop_free(loop);
}

static void test_restart_ends_call(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 12);
	loop_settle(loop);
	g_assert_cmpint(tl_pri_restart(loop->ends[CPE].pri, 12), ==, 0);
	g_assert_cmpint(tl_pri_restart(loop->ends[CPE].pri, 16), ==, -EINVAL);
	g_assert_cmpint(state(loop, CPE, 12), ==, TL_SLOT_RESTARTING);
	loop_settle(loop);
	g_assert_cmpstr(loop_offered(loop, CPE, 0)->heard->str, ==, "released:41 ");
	g_assert_true(g_str_has_suffix(caller->heard->str, "answered released:41< "));
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

static bool lose_restart_acks(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets)
{
	if (loop_message_type(octets, n_octets) == RESTART_ACKNOWLEDGE)
		loop_retype(octets, NOTIFY); /* taking the frame away would not do: Q.921 would send it again */
	return true;
}

static bool lose_first_restart(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets)
{
	if (loop_message_type(octets, n_octets) == RESTART) {
		loop_retype(octets, NOTIFY);
		loop->filter = NULL;
	}
	return true;
}

static void test_restart_never_acked(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->filter = lose_restart_acks;
	tl_pri_restart(loop->ends[CPE].pri, 1);
	tl_pri_restart(loop->ends[CPE].pri, 2);
	loop_pass(loop, 9000);
	g_assert_cmpint(state(loop, CPE, 1), ==, TL_SLOT_RESTARTING);
	g_assert_cmpuint(counters(loop, CPE).restart_retries, ==, 0);
	loop_pass(loop, 2000);
	g_assert_cmpuint(counters(loop, CPE).restart_retries, ==, 1);
	loop_pass(loop, 10000);
	g_assert_cmpuint(counters(loop, CPE).restarts_sent, ==, 2);
	g_assert_cmpuint(counters(loop, CPE).events_unhandled, ==, 2); /* the NOTIFYs */
	loop_assert_quiet(loop); /* no slot is stuck, neither the one tried nor the one that waited */
	struct party *caller = loop_call(loop, CPE, 1);
	loop_settle(loop);
	g_assert_cmpstr(caller->heard->str, ==, "media:1 proceeding ");
	hang_up(loop, caller);
	party_free(caller);
	loop_free(loop);
}

static void test_restart_acked_late(void)
{
	struct loop *loop = loop_new(TL_SPAN_T1, NULL);
	loop->filter = lose_first_restart;
	tl_pri_restart(loop->ends[NET].pri, 5);
	loop_pass(loop, 11000);
	g_assert_cmpuint(counters(loop, NET).restart_retries, ==, 1);
	g_assert_cmpuint(counters(loop, CPE).restarts_received, ==, 1);
	loop_assert_quiet(loop);
	loop_free(loop);
}

/* A call offered on a slot whose RESTART was not acknowledged is taken, and no second RESTART kills it. */
static void test_offer_while_restarting(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->filter = lose_restart_acks;
	loop->ends[CPE].on_offered = answer;
	tl_pri_restart(loop->ends[CPE].pri, 4);
	loop_settle(loop);
	struct party *caller = loop_call(loop, NET, 4);
	loop_pass(loop, 30000);
	g_assert_cmpstr(caller->heard->str, ==, "media:4 proceeding answered ");
	g_assert_cmpuint(counters(loop, CPE).restarts_sent, ==, 1);
	hang_up(loop, caller);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

/* ---- blocking and alarms ---- */

static void test_block(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[CPE].on_offered = answer;
	struct party *caller = loop_call(loop, NET, 1);
	loop_settle(loop);
	tl_pri_block(loop->ends[NET].pri, 1, true);
	tl_pri_block(loop->ends[NET].pri, 2, true);
	g_assert_cmpint(state(loop, NET, 1), ==, TL_SLOT_BUSY); /* the call goes on */
	g_assert_cmpint(state(loop, NET, 2), ==, TL_SLOT_BLOCKED);
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[NET].pri), ==, 28);
	hang_up(loop, caller);
	g_assert_cmpint(state(loop, NET, 1), ==, TL_SLOT_BLOCKED);
	struct party *second = loop_call(loop, NET, 0);
	loop_settle(loop);
	g_assert_cmpuint(second->slot, ==, 3);
	hang_up(loop, second);
	tl_pri_block(loop->ends[NET].pri, 1, false);
	tl_pri_block(loop->ends[NET].pri, 2, false);
	loop_assert_quiet(loop);
	party_free(caller);
	party_free(second);
	loop_free(loop);
}

static void test_service(void)
{
	struct loop *loop = loop_new(TL_SPAN_T1, NULL);
	tl_pri_block(loop->ends[CPE].pri, 6, true);
	loop_settle(loop);
	g_assert_cmpint(state(loop, NET, 6), ==, TL_SLOT_BLOCKED);
	g_assert_cmpint(state(loop, CPE, 6), ==, TL_SLOT_BLOCKED);
	tl_pri_block(loop->ends[CPE].pri, 6, false);
	loop_settle(loop);
	loop_assert_quiet(loop);
	loop_free(loop);
}

/* A block made while nothing could be said is told when the D-channel comes; one that was forgotten goes with RESTART. */
static void test_service_after_outage(void)
{
	struct loop *loop = loop_new(TL_SPAN_T1, restart_on_up);
	loop->cut = true;
	loop_pass(loop, 20000);
	g_assert_false(tl_pri_is_up(loop->ends[CPE].pri));
	tl_pri_block(loop->ends[CPE].pri, 6, true);
	loop->cut = false;
	loop_pass(loop, 10000);
	g_assert_cmpint(state(loop, NET, 6), ==, TL_SLOT_BLOCKED);
	loop_end_stop(&loop->ends[CPE]);
	loop_end_start(&loop->ends[CPE]);
	loop_pass(loop, 10000);
	loop_assert_quiet(loop);
	loop_free(loop);
}

static void test_alarms(void)
{
	struct loop *loop = loop_new(TL_SPAN_E1, NULL);
	loop->ends[NET].on_offered = answer;
	struct party *caller = loop_call(loop, CPE, 1);
	loop_settle(loop);
	loop_set_alarms(loop, CPE, TL_ALARM_RED);
	g_assert_cmpint(state(loop, CPE, 1), ==, TL_SLOT_BUSY);
	g_assert_cmpint(state(loop, CPE, 2), ==, TL_SLOT_UNUSABLE);
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[CPE].pri), ==, 0);
	struct tl_leg_setup setup = { .called = { "1" }, .called_complete = true };
	g_assert_null(tl_pri_call(loop->ends[CPE].pri, &setup, 0, NULL, NULL, NULL));
	loop_set_alarms(loop, CPE, TL_ALARM_YELLOW); /* the far end does not hear us; what we hear is good */
	g_assert_cmpuint(tl_pri_idle_slots(loop->ends[CPE].pri), ==, 29);
	loop_set_alarms(loop, CPE, 0);
	g_assert_nonnull(caller->dialog);
	hang_up(loop, caller);
	loop_assert_quiet(loop);
	party_free(caller);
	loop_free(loop);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pri/slots/order", test_order);
	g_test_add_func("/pri/slots/fill", test_fill);
	g_test_add_func("/pri/slots/other-slot", test_other_slot);
	g_test_add_func("/pri/slots/refused-slot", test_refused_slot);
	g_test_add_func("/pri/slots/no-slot-there", test_no_slot_there);
	g_test_add_func("/pri/slots/glare", test_glare);
	g_test_add_func("/pri/slots/glare-pushes-on", test_glare_pushes_on);
	g_test_add_func("/pri/slots/glare-on-fixed-slot", test_glare_on_fixed_slot);
	g_test_add_func("/pri/slots/glare-given-up", test_glare_given_up);
	g_test_add_func("/pri/slots/restart-on-up", test_restart_on_up);
	g_test_add_func("/pri/slots/restart-ends-call", test_restart_ends_call);
	g_test_add_func("/pri/slots/restart-never-acked", test_restart_never_acked);
	g_test_add_func("/pri/slots/restart-acked-late", test_restart_acked_late);
	g_test_add_func("/pri/slots/offer-while-restarting", test_offer_while_restarting);
	g_test_add_func("/pri/slots/block", test_block);
	g_test_add_func("/pri/slots/service", test_service);
	g_test_add_func("/pri/slots/service-after-outage", test_service_after_outage);
	g_test_add_func("/pri/slots/alarms", test_alarms);
	return g_test_run();
}
