/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Every CAS table against the one at the other end: calls both ways, ends at every state, glare, silence, faults. */
#include <glib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "cas-rig.h"

#define PATIENCE_MS 30000
#define CLEAR_MS 70000

struct pair {
	const char *name;
	struct tl_cas_config a, b;
};

#define EM(kind_, digits_) { .kind = kind_, .digits = digits_, .holds = true }, { .kind = kind_, .digits = digits_ }
#define LOOP(id) { TL_CAS_FXS_LOOP, .number = "100", .caller_id = id }, { TL_CAS_FXO_LOOP, .caller_id = id }
#define KEWL(id) { TL_CAS_FXS_KEWL, .number = "100", .caller_id = id }, { TL_CAS_FXO_KEWL, .caller_id = id }

static const struct pair pairs[] = {
	{ "em-immediate", EM(TL_CAS_EM_IMMEDIATE, TL_INBAND_DTMF) },
	{ "em-immediate-mf", EM(TL_CAS_EM_IMMEDIATE, TL_INBAND_MF) },
	{ "em-wink", EM(TL_CAS_EM_WINK, TL_INBAND_DTMF) },
	{ "em-wink-mf", EM(TL_CAS_EM_WINK, TL_INBAND_MF) },
	{ "fgd", EM(TL_CAS_FGD, TL_INBAND_DTMF) },
	{ "fgd-mf", EM(TL_CAS_FGD, TL_INBAND_MF) },
	{ "loop", LOOP(TL_CALLER_ID_NONE) },
	{ "loop-id", LOOP(TL_CALLER_ID_BELL) },
	{ "kewl-id", KEWL(TL_CALLER_ID_V23) },
	{ "loop-reversal", { TL_CAS_FXS_LOOP, .number = "100", .reversal = true }, { TL_CAS_FXO_LOOP, .reversal = true } },
	{ "kewl-reversal", { TL_CAS_FXS_KEWL, .number = "100", .reversal = true }, { TL_CAS_FXO_KEWL, .reversal = true } },
};

static bool is_telephone(const struct tl_cas_config *config)
{
	return config->kind == TL_CAS_FXS_LOOP || config->kind == TL_CAS_FXS_KEWL;
}

static void open_pair(struct rig *rig, enum tl_span_kind line, const struct pair *pair)
{
	rig_open(rig, line, &pair->a, &pair->b);
	g_assert_true(tl_signalling_is_up(rig->a.s));
	g_assert_true(rig_idle(rig, 1000));
}

/* ---- calls ---- */

static void check_setup(const struct rig_end *to, const struct tl_cas_config *from, const struct tl_cas_config *at)
{
	const struct tl_leg_setup *setup = &to->setup;
	bool says_caller = from->kind == TL_CAS_FGD || (is_telephone(at) && at->caller_id);
	g_assert_cmpstr(setup->called.digits, ==, is_telephone(at) ? "100" : "5551000");
	g_assert_cmpstr(setup->calling.digits, ==, says_caller ? "3015550" : "");
	g_assert_cmpstr(setup->calling_name, ==, is_telephone(at) && at->caller_id ? "Anna" : "");
	g_assert_cmpint(setup->calling.presentation, ==, says_caller ? TL_PRESENTATION_ALLOWED : TL_PRESENTATION_UNAVAILABLE);
	g_assert_cmpstr(setup->calling_ii, ==, from->kind == TL_CAS_FGD && from->digits == TL_INBAND_MF ? "23" : "");
	g_assert_true(setup->called_complete);
}

/* Up to an answered call. */
static void connect(struct rig *rig, struct rig_end *from, const struct tl_cas_config *from_config,
		    const struct tl_cas_config *to_config)
{
	struct rig_end *to = from->other;
	bool telephone = is_telephone(from_config);
	rig_call(from);
	g_assert_false(from->proceeding || from->answered);
	g_assert_true(rig_until(rig, &to->offered, PATIENCE_MS));
	check_setup(to, from_config, to_config);
	rig_run(rig, 1000);
	g_assert_true(from->proceeding);
	g_assert_cmpint(from->alerting, ==, is_telephone(to_config));
	/* A telephone cannot hear that it is answered, but by the battery. */
	g_assert_cmpint(from->answered, ==, telephone && !from_config->reversal);
	g_assert_cmpint(from->progress, ==, !is_telephone(to_config) && !from->answered);
	g_assert_cmpint(tl_dialog_alert(to->dialog, false), ==, 0);
	rig_run(rig, 500);
	if (!is_telephone(to_config))
		g_assert_true(to->has_tone && to->tone == TL_INBAND_RINGING);
	g_assert_cmpint(tl_dialog_answer(to->dialog), ==, 0);
	to->answered = true;
	g_assert_true(rig_until(rig, &from->answered, 1000));
	rig_run(rig, 200);
	g_assert_cmpuint(from->audio->len + to->audio->len, ==, 0);
	g_assert_cmpint(tl_signalling_slot_state(to->s, 1), ==, TL_SLOT_BUSY);
}

/* What a line cannot say, the people at its ends do: they hang up when they hear that the other has. */
static void clear(struct rig *rig, struct rig_end *who, const struct tl_cas_config *config)
{
	g_assert_cmpint(tl_dialog_release(who->dialog, TL_CAUSE_NORMAL_CLEARING), ==, 0);
	g_assert_true(who->released);
	if (config->kind == TL_CAS_FXO_LOOP && !(config->reversal && who->offered)) {
		rig_run(rig, 5000);
		g_assert_false(who->other->released);
		g_assert_true(who->has_tone && who->tone == TL_INBAND_BUSY);
		tl_dialog_release(who->other->dialog, TL_CAUSE_NORMAL_CLEARING);
	} else {
		g_assert_true(rig_until(rig, &who->other->released, 3000));
		g_assert_true(who->other->by_peer);
		g_assert_cmpuint(who->other->cause, ==, TL_CAUSE_NORMAL_CLEARING);
		if (who->other->dialog)
			tl_dialog_release(who->other->dialog, TL_CAUSE_NORMAL_CLEARING);
	}
	g_assert_true(rig_idle(rig, CLEAR_MS));
	rig_forget(rig);
}

static void test_calls(gconstpointer data)
{
	const struct pair *pair = data;
	for (enum tl_span_kind line = TL_SPAN_E1; line <= TL_SPAN_T1; line++) {
		struct rig rig;
		open_pair(&rig, line, pair);
		connect(&rig, &rig.a, &pair->a, &pair->b);
		clear(&rig, &rig.a, &pair->a);
		connect(&rig, &rig.a, &pair->a, &pair->b);
		clear(&rig, &rig.b, &pair->b);
		connect(&rig, &rig.b, &pair->b, &pair->a);
		clear(&rig, &rig.b, &pair->b);
		connect(&rig, &rig.b, &pair->b, &pair->a);
		clear(&rig, &rig.a, &pair->a);
		rig_close(&rig);
	}
}

/* ---- ends at every state ---- */

static void hang_up(struct rig_end *end)
{
	if (end->dialog)
		tl_dialog_release(end->dialog, TL_CAUSE_NORMAL_CLEARING);
}

/* The call's other end notices when the line tells it, or hangs up by itself; then all is idle again. */
static void settle(struct rig *rig)
{
	for (unsigned i = 0; i < 30 && (rig->a.dialog || rig->b.dialog); i++)
		rig_run(rig, 100);
	hang_up(&rig->a);
	hang_up(&rig->b);
	g_assert_true(rig_idle(rig, 150000));
}

static void end_after(struct rig *rig, struct rig_end *from, struct rig_end *who, unsigned ms)
{
	rig_call(from);
	from->other->answers = ms / 10 % 2;
	rig_run(rig, ms);
	hang_up(who);
	settle(rig);
	from->other->answers = false;
	rig_forget(rig);
}

static void test_ends(gconstpointer data)
{
	/* Seized, before and in a wink, dialling, offered, answered, ringing; odd tens are answered at once. */
	static const unsigned ms[] = { 0, 60, 210, 300, 390, 500, 660, 900, 1210, 2600 };
	const struct pair *pair = data;
	struct rig rig;
	open_pair(&rig, TL_SPAN_T1, pair);
	for (unsigned i = 0; i < G_N_ELEMENTS(ms); i++) {
		end_after(&rig, &rig.a, &rig.a, ms[i]);
		end_after(&rig, &rig.a, &rig.b, ms[i]);
		end_after(&rig, &rig.b, &rig.b, ms[i]);
		end_after(&rig, &rig.b, &rig.a, ms[i]);
	}
	g_assert_cmpint(tl_signalling_slot_state(rig.a.s, 1), ==, TL_SLOT_IDLE);
	rig_close(&rig);
}

static void test_refusal(gconstpointer data)
{
	const struct pair *pair = data;
	struct rig rig;
	open_pair(&rig, TL_SPAN_E1, pair);
	rig_call(&rig.a);
	g_assert_true(rig_until(&rig, &rig.b.offered, PATIENCE_MS));
	g_assert_cmpint(tl_dialog_release(rig.b.dialog, TL_CAUSE_USER_BUSY), ==, 0);
	g_assert_true(rig.b.released);
	rig_run(&rig, 1000);
	/* The caller hears it, and hangs up. */
	g_assert_true(rig.b.has_tone && rig.b.tone == TL_INBAND_BUSY);
	g_assert_false(rig.a.released);
	hang_up(&rig.a);
	g_assert_true(rig_idle(&rig, 5000));
	rig_close(&rig);
}

/* ---- two at once ---- */

static void glare(enum tl_cas_kind kind, bool a_holds, bool b_holds)
{
	const struct tl_cas_config a = { .kind = kind, .holds = a_holds }, b = { .kind = kind, .holds = b_holds };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &a, &b);
	rig_call(&rig.a);
	rig_call(&rig.b);
	if (a_holds == b_holds) {
		g_assert_true(rig_until(&rig, &rig.a.released, PATIENCE_MS));
		g_assert_true(rig_until(&rig, &rig.b.released, PATIENCE_MS));
		g_assert_cmpuint(rig.a.cause, ==, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE);
		g_assert_cmpuint(rig.b.cause, ==, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE);
	} else {
		struct rig_end *keeps = a_holds ? &rig.a : &rig.b;
		g_assert_true(rig_until(&rig, &keeps->other->released, 2000));
		g_assert_cmpuint(keeps->other->cause, ==, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE);
		g_assert_true(rig_until(&rig, &keeps->other->offered, PATIENCE_MS));
		g_assert_cmpstr(keeps->other->setup.called.digits, ==, "5551000");
		tl_dialog_answer(keeps->other->dialog);
		g_assert_true(rig_until(&rig, &keeps->answered, 1000));
		hang_up(keeps);
		g_assert_cmpuint(rig_counter(keeps, "glare"), ==, 1);
	}
	g_assert_true(rig_idle(&rig, PATIENCE_MS));
	rig_close(&rig);
}

static void test_glare(void)
{
	for (enum tl_cas_kind kind = TL_CAS_EM_IMMEDIATE; kind <= TL_CAS_EM_WINK; kind++) {
		glare(kind, true, false);
		glare(kind, false, true);
		glare(kind, false, false);
		glare(kind, true, true);
	}
}

/* A telephone that goes off-hook when it is to ring is connected: no line can tell the two apart; ours gives up. */
static void test_loop_glare(void)
{
	struct rig rig;
	open_pair(&rig, TL_SPAN_T1, &pairs[6]);
	rig_call(&rig.a);
	rig_call(&rig.b);
	g_assert_true(rig_until(&rig, &rig.a.released, 1000));
	g_assert_cmpuint(rig.a.cause, ==, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE);
	g_assert_true(rig_until(&rig, &rig.b.released, 5000));
	g_assert_true(rig_idle(&rig, PATIENCE_MS));
	rig_close(&rig);
}

/* ---- far ends that do not do as they should ---- */

static void test_no_wink(void)
{
	static const struct tl_cas_config wink = { .kind = TL_CAS_EM_WINK };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &wink, NULL);
	rig_call(&rig.a);
	rig_run(&rig, 4000);
	g_assert_cmphex(rig.b.bits, ==, 0xf);
	g_assert_false(rig.a.released);
	g_assert_true(rig_until(&rig, &rig.a.released, 2000));
	g_assert_cmpuint(rig.a.cause, ==, TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE);
	rig_run(&rig, 100);
	g_assert_cmphex(rig.b.bits, ==, 0);
	g_assert_true(rig_idle(&rig, 2000));
	g_assert_cmpuint(rig_counter(&rig.a, "no_wink"), ==, 1);
	rig_close(&rig);
}

/* Too short is a hit, a wink after it counts. */
static void test_bad_wink(void)
{
	static const struct tl_cas_config wink = { .kind = TL_CAS_EM_WINK };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &wink, NULL);
	rig_call(&rig.a);
	rig_run(&rig, 300);
	tl_span_pulse_cas(rig.b.span, 1, 0xf, 10, 0);
	rig_run(&rig, 300);
	g_assert_cmpuint(rig_counter(&rig.a, "bad_winks"), ==, 0);
	tl_span_pulse_cas(rig.b.span, 1, 0xf, 40, 0);
	rig_run(&rig, 300);
	g_assert_cmpuint(rig_counter(&rig.a, "bad_winks"), ==, 1);
	g_assert_false(rig.a.proceeding);
	tl_span_pulse_cas(rig.b.span, 1, 0xf, 200, 0);
	g_assert_true(rig_until(&rig, &rig.a.proceeding, 1000));
	/* An hour in line time is no answer; the hook is. */
	rig_run(&rig, 40000);
	g_assert_false(rig.a.answered);
	tl_span_send_cas(rig.b.span, 1, 0xf);
	g_assert_true(rig_until(&rig, &rig.a.answered, 200));
	tl_span_send_cas(rig.b.span, 1, 0);
	g_assert_true(rig_until(&rig, &rig.a.released, 200));
	g_assert_true(rig_idle(&rig, 2000));
	rig_close(&rig);
}

/* Off-hook for ever, and no digits: the trunk is blocked until it goes on-hook. */
static void test_held(void)
{
	static const struct tl_cas_config kinds[] = { { .kind = TL_CAS_EM_WINK }, { .kind = TL_CAS_EM_IMMEDIATE },
						      { .kind = TL_CAS_FGD, .digits = TL_INBAND_MF }, { .kind = TL_CAS_FXO_LOOP } };
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct rig rig;
		g_autoptr(GError) error = NULL;
		struct tl_leg_setup setup = { .called_complete = true };
		rig_open(&rig, TL_SPAN_T1, &kinds[i], NULL);
		tl_number_parse("5551000", &setup.called);
		tl_span_send_cas(rig.b.span, 1, 0xf);
		rig_run(&rig, 75000);
		g_assert_cmpint(tl_signalling_slot_state(rig.a.s, 1), ==, TL_SLOT_BLOCKED);
		g_assert_cmpuint(tl_signalling_idle_slots(rig.a.s), ==, 23);
		g_assert_null(tl_signalling_call(rig.a.s, &setup, 1, NULL, NULL, &error));
		g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL);
		g_assert_cmpuint(rig_counter(&rig.a, "no_digits"), ==, 1);
		tl_span_send_cas(rig.b.span, 1, 0);
		g_assert_true(rig_idle(&rig, 2000));
		rig_close(&rig);
	}
}

static void test_block(gconstpointer data)
{
	const struct pair *pair = data;
	struct rig rig;
	open_pair(&rig, TL_SPAN_T1, pair);
	tl_signalling_block(rig.a.s, 1, true);
	g_assert_cmpint(tl_signalling_slot_state(rig.a.s, 1), ==, TL_SLOT_BLOCKED);
	rig_run(&rig, 80000);
	/* The far end sees it as off-hook for nothing. */
	g_assert_cmpint(tl_signalling_slot_state(rig.b.s, 1), ==, TL_SLOT_BLOCKED);
	g_assert_false(rig.b.offered);
	tl_signalling_block(rig.a.s, 1, false);
	g_assert_true(rig_idle(&rig, 5000));
	connect(&rig, &rig.b, &pair->b, &pair->a);
	tl_signalling_block(rig.a.s, 1, true);
	rig_run(&rig, 500);
	g_assert_false(rig.b.released);
	hang_up(&rig.b);
	rig_run(&rig, 5000);
	hang_up(&rig.a);
	rig_run(&rig, 5000);
	g_assert_cmpint(tl_signalling_slot_state(rig.a.s, 1), ==, TL_SLOT_BLOCKED);
	rig_close(&rig);
}

/* ---- hook flash ---- */

static void test_flash(void)
{
	struct rig rig;
	open_pair(&rig, TL_SPAN_T1, &pairs[8]);
	connect(&rig, &rig.a, &pairs[8].a, &pairs[8].b);
	g_assert_cmpint(tl_dialog_flash(rig.b.dialog), !=, 0);
	g_assert_cmpint(tl_dialog_flash(rig.a.dialog), ==, 0);
	rig_run(&rig, 2000);
	g_assert_cmpuint(rig.b.flashes, ==, 1);
	/* A hit is nothing, and 300 ms are a flash, 1000 too. */
	tl_span_pulse_cas(rig.a.span, 1, 0x5, 150, 0xf);
	rig_run(&rig, 2000);
	g_assert_cmpuint(rig.b.flashes, ==, 1);
	tl_span_pulse_cas(rig.a.span, 1, 0x5, 300, 0xf);
	rig_run(&rig, 2000);
	g_assert_cmpuint(rig.b.flashes, ==, 2);
	tl_span_pulse_cas(rig.a.span, 1, 0x5, 1000, 0xf);
	rig_run(&rig, 2000);
	g_assert_cmpuint(rig.b.flashes, ==, 3);
	g_assert_false(rig.b.released);
	tl_span_pulse_cas(rig.a.span, 1, 0x5, 1500, 0xf);
	rig_run(&rig, 2000);
	g_assert_true(rig.b.released && rig.b.by_peer);
	hang_up(&rig.a);
	rig_idle(&rig, CLEAR_MS);
	rig_close(&rig);
}

/* ---- ringing ---- */

static void test_late_answer(void)
{
	struct rig rig;
	open_pair(&rig, TL_SPAN_E1, &pairs[7]);
	rig_call(&rig.b);
	g_assert_true(rig_until(&rig, &rig.a.offered, PATIENCE_MS));
	rig_run(&rig, 40000);
	g_assert_false(rig.a.released || rig.b.answered);
	tl_dialog_answer(rig.a.dialog);
	g_assert_true(rig_until(&rig, &rig.b.answered, 1000));
	hang_up(&rig.a);
	g_assert_true(rig_until(&rig, &rig.b.released, 3000));
	g_assert_true(rig_idle(&rig, 5000));
	rig_forget(&rig);
	/* A caller that gives up is noticed by the rings that do not come. */
	rig_call(&rig.b);
	g_assert_true(rig_until(&rig, &rig.a.offered, PATIENCE_MS));
	hang_up(&rig.b);
	g_assert_true(rig_until(&rig, &rig.a.released, 9000));
	g_assert_true(rig.a.by_peer && rig_idle(&rig, 5000));
	rig_close(&rig);
}

/* Answered at once, an acknowledging wink is still a wink, and the answer an answer. */
static void test_quick_answer(void)
{
	struct rig rig;
	open_pair(&rig, TL_SPAN_T1, &pairs[5]);
	rig.b.answers = true;
	rig_call(&rig.a);
	g_assert_true(rig_until(&rig, &rig.a.proceeding, PATIENCE_MS));
	g_assert_false(rig.a.answered);
	g_assert_true(rig_until(&rig, &rig.a.answered, 300));
	settle(&rig);
	rig_close(&rig);
}

/* Without the caller id that it waits for, a call comes with the second ring. */
static void test_no_caller_id(void)
{
	static const struct tl_cas_config hears = { TL_CAS_FXS_LOOP, .number = "100", .caller_id = TL_CALLER_ID_BELL };
	static const struct tl_cas_config silent = { TL_CAS_FXO_LOOP };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &hears, &silent);
	rig_call(&rig.b);
	rig_run(&rig, 5900);
	g_assert_false(rig.a.offered);
	g_assert_true(rig_until(&rig, &rig.a.offered, 500));
	g_assert_cmpstr(rig.a.setup.calling.digits, ==, "");
	hang_up(&rig.b);
	hang_up(&rig.a);
	g_assert_true(rig_idle(&rig, PATIENCE_MS));
	rig_close(&rig);
}

static void test_hot_line(void)
{
	static const struct tl_cas_config telephone = { TL_CAS_FXS_LOOP, .number = "100" };
	static const struct tl_cas_config hot = { TL_CAS_FXO_LOOP, .number = "112" };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &telephone, &hot);
	rig_call(&rig.a);
	g_assert_true(rig_until(&rig, &rig.b.offered, 300));
	g_assert_cmpstr(rig.b.setup.called.digits, ==, "112");
	settle(&rig);
	rig_close(&rig);
}

/* ---- the line ---- */

static void test_alarm(gconstpointer data)
{
	const struct pair *pair = data;
	struct rig rig;
	open_pair(&rig, TL_SPAN_E1, pair);
	connect(&rig, &rig.a, &pair->a, &pair->b);
	tl_span_inject(rig.b.span, TL_ALARM_BLUE);
	rig_run(&rig, 2000);
	g_assert_false(rig.a.released);
	g_assert_true(rig_until(&rig, &rig.a.released, 2000));
	g_assert_cmpuint(rig.a.cause, ==, TL_CAUSE_NETWORK_OUT_OF_ORDER);
	g_assert_false(tl_signalling_is_up(rig.a.s));
	g_assert_cmpint(tl_signalling_slot_state(rig.a.s, 1), ==, TL_SLOT_UNUSABLE);
	rig_run(&rig, 3000);
	hang_up(&rig.b);
	tl_span_inject(rig.b.span, 0);
	g_assert_true(rig_idle(&rig, CLEAR_MS));
	g_assert_true(tl_signalling_is_up(rig.a.s));
	rig_forget(&rig);
	connect(&rig, &rig.b, &pair->b, &pair->a);
	clear(&rig, &rig.a, &pair->a);
	rig_close(&rig);
}

/* Main sleeps for longer than a wink: the line has counted it, and told of both its ends. */
static void test_main_is_late(void)
{
	static const struct tl_cas_config wink = { .kind = TL_CAS_EM_WINK, .digits = TL_INBAND_MF };
	struct rig rig;
	rig_open(&rig, TL_SPAN_T1, &wink, &wink);
	rig_call(&rig.a);
	for (unsigned i = 0; i < 20 && !rig.b.offered; i++) {
		rig.deaf = true;
		rig_run(&rig, 400);
		rig.deaf = false;
		rig_run(&rig, 10);
		tl_clock_advance(400000);
	}
	g_assert_true(rig.b.offered);
	g_assert_cmpuint(rig_counter(&rig.a, "bad_winks"), ==, 0);
	hang_up(&rig.a);
	g_assert_true(rig_idle(&rig, 5000));
	rig_close(&rig);
}

static void test_refused_calls(void)
{
	static const struct tl_cas_config em = { .kind = TL_CAS_EM_WINK };
	struct rig rig;
	struct tl_leg_setup setup = { .called_complete = true, .bearer = TL_BEARER_UNRESTRICTED };
	g_autoptr(GError) error = NULL;
	rig_open(&rig, TL_SPAN_T1, &em, &em);
	tl_number_parse("5551000", &setup.called);
	g_assert_null(tl_signalling_call(rig.a.s, &setup, 0, NULL, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER);
	g_clear_error(&error);
	setup.bearer = TL_BEARER_SPEECH;
	tl_number_parse("*21", &setup.called);
	g_assert_null(tl_signalling_call(rig.a.s, &setup, 0, NULL, NULL, &error));
	g_assert_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER);
	rig_close(&rig);
}

static void add_pairs(const char *name, void (*test)(gconstpointer), unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		g_autofree char *path = g_strdup_printf("/cas/%s/%s", name, pairs[i].name);
		g_test_add_data_func(path, &pairs[i], test);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	add_pairs("calls", test_calls, 0, G_N_ELEMENTS(pairs));
	add_pairs("ends", test_ends, 0, 1);
	add_pairs("ends", test_ends, 2, 1);
	add_pairs("ends", test_ends, 4, 1);
	add_pairs("ends", test_ends, 7, 4);
	add_pairs("refusal", test_refusal, 0, 8);
	add_pairs("refusal", test_refusal, 9, 1);
	add_pairs("alarm", test_alarm, 3, 1);
	add_pairs("alarm", test_alarm, 7, 2);
	add_pairs("block", test_block, 2, 1);
	add_pairs("block", test_block, 7, 1);
	g_test_add_func("/cas/glare", test_glare);
	g_test_add_func("/cas/loop-glare", test_loop_glare);
	g_test_add_func("/cas/no-wink", test_no_wink);
	g_test_add_func("/cas/bad-wink", test_bad_wink);
	g_test_add_func("/cas/held", test_held);
	g_test_add_func("/cas/flash", test_flash);
	g_test_add_func("/cas/late-answer", test_late_answer);
	g_test_add_func("/cas/no-caller-id", test_no_caller_id);
	g_test_add_func("/cas/hot-line", test_hot_line);
	g_test_add_func("/cas/quick-answer", test_quick_answer);
	g_test_add_func("/cas/main-is-late", test_main_is_late);
	g_test_add_func("/cas/refused-calls", test_refused_calls);
	return g_test_run();
}
