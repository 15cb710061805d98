/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A node that nobody commands: calls by its own routes, trunk to SIP, trunk to trunk, announcements, causes. */
#include <string.h>

#include "call-rig.h"

static void set_up(struct rig *rig, gconstpointer overlap)
{
	rig_init(rig);
	rig_on_fast_line(rig);
	rig->access.signalling.pri.overlap = overlap != NULL;
	rig_start(rig);
}

static void tear_down(struct rig *rig, gconstpointer data)
{
	rig_done(rig);
}

/* A second of octets that sound of nothing in particular, and that no law's idle resembles. */
static void make_noise(uint8_t *noise, size_t n, unsigned seed)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
	for (size_t i = 0; i < n; i++)
		noise[i] = g_rand_int(rand);
}

/* Some tenth of a second, untouched: a busy machine may make the playout slip between two of them. */
static bool has_heard_part(struct far *to, const uint8_t *noise, size_t n)
{
	for (size_t i = 0; i + 800 <= n; i += 400)
		if (far_has_heard(to, noise + i, 800))
			return true;
	return false;
}

static void check_audio(struct far *from, struct far *to, unsigned seed)
{
	static uint8_t noise[8000];
	make_noise(noise, sizeof noise, seed);
	tl_port_record(to->port, 10);
	struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, noise, sizeof noise);
	tl_port_play(from->port, 1, &sound, 1, 0);
	tl_sound_unref(sound);
	await(has_heard_part(to, noise, sizeof noise));
	tl_port_stop(from->port);
}

static void test_to_sip(struct rig *rig, gconstpointer data)
{
	rig_register(rig, "anna");
	struct far *caller = rig_call(rig, "100"), *phone = rig_await_far(rig, 1);
	g_assert_cmpstr(phone->setup.calling.digits, ==, "0301234");
	await(caller->heard[TL_DIALOG_ANSWERED] && g_hash_table_size(rig->node->junctions));
	check_audio(caller, phone, 1);
	check_audio(phone, caller, 2);
	far_hang_up(phone, TL_CAUSE_NORMAL_CLEARING);
	await(far_is_over(caller));
	g_assert_cmpuint(caller->cause, ==, TL_CAUSE_NORMAL_CLEARING);
	g_assert_true(caller->by_peer);
	await(!g_hash_table_size(rig->node->legs) && !g_hash_table_size(rig->node->junctions));
}

static void test_trunk_to_trunk(struct rig *rig, gconstpointer data)
{
	struct far *caller = rig_call(rig, "300"), *called = rig_await_far(rig, 1);
	g_assert_cmpstr(called->setup.called.digits, ==, "300");
	await(caller->heard[TL_DIALOG_ANSWERED] && caller->port && called->port);
	g_assert_cmpuint(caller->heard[TL_DIALOG_ALERTING], ==, 1);
	check_audio(caller, called, 3);
	check_audio(called, caller, 4);
	far_hang_up(caller, 29);
	await(far_is_over(called));
	g_assert_cmpuint(called->cause, ==, 29);
}

static void test_early_audio(struct rig *rig, gconstpointer data)
{
	rig->policy = FAR_EARLY;
	struct far *caller = rig_call(rig, "300"), *called = rig_await_far(rig, 1);
	await(caller->heard[TL_DIALOG_PROGRESS] && caller->port && called->port);
	g_assert_true(caller->inband);
	check_audio(called, caller, 5);
	g_assert_cmpuint(caller->heard[TL_DIALOG_ANSWERED], ==, 0);
	far_hang_up(called, TL_CAUSE_NUMBER_CHANGED);
	await(far_is_over(caller));
	g_assert_cmpuint(caller->cause, ==, TL_CAUSE_NUMBER_CHANGED);
}

static void test_causes(struct rig *rig, gconstpointer data)
{
	static const struct {
		const char *called;
		enum far_policy policy;
		unsigned cause;
	} cases[] = {
		{ "999", FAR_ANSWER, TL_CAUSE_UNALLOCATED },       /* no route */
		{ "100", FAR_ANSWER, TL_CAUSE_SUBSCRIBER_ABSENT }, /* not registered */
		{ "300", FAR_BUSY, TL_CAUSE_USER_BUSY },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		rig->policy = cases[i].policy;
		struct far *caller = rig_call(rig, cases[i].called);
		await(far_is_over(caller));
		g_assert_cmpuint(caller->cause, ==, cases[i].cause);
		g_assert_true(caller->by_peer);
	}
	await(!g_hash_table_size(rig->node->legs));
}

static void test_announcement(struct rig *rig, gconstpointer data)
{
	struct far *caller = rig_call(rig, "200");
	await(far_is_over(caller));
	g_assert_cmpuint(caller->heard[TL_DIALOG_PROGRESS], >=, 1);
	g_assert_cmpuint(caller->heard[TL_DIALOG_ANSWERED], ==, 0);
	g_assert_cmpuint(caller->cause, ==, TL_CAUSE_NORMAL_UNSPECIFIED);
}

/* Either side gives up in every state that there is before the answer. */
static void test_given_up(struct rig *rig, gconstpointer data)
{
	rig->policy = FAR_RING;
	struct far *caller = rig_call(rig, "300"), *called = rig_await_far(rig, 1);
	await(caller->heard[TL_DIALOG_ALERTING]);
	far_hang_up(caller, TL_CAUSE_NORMAL_CLEARING);
	await(far_is_over(called) && far_is_over(caller));
	struct far *second = rig_call(rig, "300"), *second_called = rig_await_far(rig, 3);
	await(second->heard[TL_DIALOG_ALERTING]);
	far_hang_up(second_called, TL_CAUSE_REJECTED);
	await(far_is_over(second));
	g_assert_cmpuint(second->cause, ==, TL_CAUSE_REJECTED);
	struct far *third = rig_call(rig, "300");
	far_hang_up(third, TL_CAUSE_NORMAL_CLEARING);
	await(far_is_over(third));
	await(!g_hash_table_size(rig->node->legs));
}

/* ITU-T Q.931 5.2.4 */
static void test_overlap(struct rig *rig, gconstpointer data)
{
	struct far *caller = rig_call(rig, NULL);
	for (const char *digit = "300"; *digit; digit++) {
		const char text[] = { *digit, '\0' };
		await(tl_pri_send_digits(caller->dialog, text) == 0);
	}
	struct far *called = rig_await_far(rig, 1); /* T302 ends the number */
	g_assert_cmpstr(called->setup.called.digits, ==, "300");
	await(caller->heard[TL_DIALOG_ANSWERED]);
}

/* A full span: 15 tandem calls are 30 channels; the 16th finds none, and all end well. */
static void test_full_span(struct rig *rig, gconstpointer data)
{
	struct far *callers[15];
	for (unsigned i = 0; i < 15; i++)
		callers[i] = rig_call(rig, "300");
	for (unsigned i = 0; i < 15; i++)
		await(callers[i]->heard[TL_DIALOG_ANSWERED]);
	g_assert_cmpuint(g_hash_table_size(rig->node->junctions), ==, 15);
	g_assert_cmpuint(tl_pri_idle_slots(rig->pri), ==, 0);
	for (unsigned i = 0; i < 15; i++)
		far_hang_up(callers[i], TL_CAUSE_NORMAL_CLEARING);
	await(!g_hash_table_size(rig->node->legs));
	await(tl_pri_idle_slots(rig->pri) == 30);
}

int main(int argc, char **argv)
{
	g_setenv("TL_CHECK_SCHEMA", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
#define CASE(name, function, data) g_test_add("/call-tandem/" name, struct rig, data, set_up, function, tear_down)
	CASE("to-sip", test_to_sip, NULL);
	CASE("trunk-to-trunk", test_trunk_to_trunk, NULL);
	CASE("early-audio", test_early_audio, NULL);
	CASE("causes", test_causes, NULL);
	CASE("announcement", test_announcement, NULL);
	CASE("given-up", test_given_up, NULL);
	CASE("overlap", test_overlap, "overlap");
	CASE("full-span", test_full_span, NULL);
	return g_test_run();
}
