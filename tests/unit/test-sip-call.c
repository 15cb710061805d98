/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Calls between two stacks over each transport: RFC 3261 13, 14, 15; RFC 3264; RFC 3326; RFC 4028. */
#include "sip-pair.h"

#include <errno.h>
#include <string.h>

#include "ip/sip-dialog.h"

static void test_call(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	end_call(&p.a, "trunk:far", "4930123", "+49891");
	await(p.b.offered);
	g_assert_cmpint(p.b.origin, ==, TL_SIP_TRUNK);
	g_assert_cmpstr(p.b.origin_name, ==, "far");
	g_assert_cmpstr(p.b.setup.called.digits, ==, "4930123");
	g_assert_cmpstr(p.b.setup.calling.digits, ==, "49891");
	g_assert_cmpint(p.b.setup.calling.type, ==, TL_NUMBER_INTERNATIONAL);
	g_assert_cmpuint(p.b.dialog->remote.port, ==, 20000);
	g_assert_cmpint(p.b.dialog->media, ==, TL_MEDIA_RTP);
	g_assert_cmpint(tl_dialog_proceed(p.b.dialog), ==, 0);
	g_assert_cmpint(tl_dialog_alert(p.b.dialog, false), ==, 0);
	await(p.a.heard[TL_DIALOG_ALERTING]);
	g_assert_false(p.a.inband);
	g_assert_cmpuint(p.a.dialog->remote.port, ==, 0);
	g_assert_cmpint(tl_dialog_progress(p.b.dialog, true), ==, 0);
	await(p.a.heard[TL_DIALOG_PROGRESS]);
	g_assert_true(p.a.inband);
	g_assert_cmpuint(p.a.dialog->remote.port, ==, 30000);
	g_assert_cmpint(tl_dialog_answer(p.b.dialog), ==, 0);
	await(p.a.heard[TL_DIALOG_ANSWERED]);
	const char *here = is_v6(GPOINTER_TO_INT(data)) ? "::1" : "127.0.0.1";
	g_assert_cmpstr(p.a.dialog->remote.from, ==, here);
	g_assert_cmpstr(p.b.dialog->remote.from, ==, here);
	g_assert_cmpint(p.a.dialog->remote.law, ==, TL_LAW_ALAW);
	g_assert_cmpint(p.a.dialog->remote.dtmf_payload_type, ==, 101);
	g_assert_cmpint(tl_dialog_answer(p.b.dialog), ==, -EINVAL);
	g_assert_cmpint(tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING), ==, 0);
	pair_await_released(&p);
	g_assert_cmpuint(p.b.cause, ==, TL_CAUSE_NORMAL_CLEARING);
	g_assert_true(p.b.by_peer);
	g_assert_false(p.a.by_peer);
	pair_stop(&p);
}

static void test_bye_cause(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	g_assert_cmpint(tl_dialog_release(p.b.dialog, TL_CAUSE_TEMPORARY_FAILURE), ==, 0);
	pair_await_released(&p);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_TEMPORARY_FAILURE);
	g_assert_true(p.a.by_peer);
	pair_stop(&p);
}

/* The caller gives up while it rings: CANCEL, 487, and its cause in Reason. */
static void test_cancel(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	end_call(&p.a, "trunk:far", "1", "2");
	await(p.b.offered);
	tl_dialog_alert(p.b.dialog, true);
	await(p.a.heard[TL_DIALOG_ALERTING]);
	g_assert_true(p.a.inband);
	g_assert_cmpint(tl_dialog_release(p.a.dialog, TL_CAUSE_NO_ANSWER), ==, 0);
	pair_await_released(&p);
	g_assert_true(p.b.by_peer);
	g_assert_cmpuint(p.b.cause, ==, TL_CAUSE_NO_ANSWER);
	pair_stop(&p);
}

/* Released before anything was heard of it. */
static void test_cancel_at_once(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	end_call(&p.a, "trunk:far", "1", "2");
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	await(p.a.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_NORMAL_CLEARING);
	pair_stop(&p);
}

static void test_refused(gconstpointer data)
{
	static const unsigned causes[] = { 1, 17, 18, 21, 27, 34, 41, 58, 88, 127 };
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(causes); i++) {
		end_reset(&p.a);
		end_reset(&p.b);
		end_call(&p.a, "trunk:far", "1", "2");
		await(p.b.offered);
		g_assert_cmpint(tl_dialog_release(p.b.dialog, causes[i]), ==, 0);
		pair_await_released(&p);
		g_assert_cmpuint(p.a.cause, ==, causes[i]);
		g_assert_true(p.a.by_peer);
	}
	pair_stop(&p);
}

static void hold(struct end *holder, struct end *held)
{
	unsigned before = held->heard[TL_DIALOG_MEDIA];
	holder->dialog->local.receives = false;
	g_assert_cmpint(tl_dialog_update(holder->dialog), ==, 0);
	await(held->heard[TL_DIALOG_MEDIA] > before);
	g_assert_true(held->dialog->remote.sends);
	g_assert_false(held->dialog->remote.receives);
	await(!holder->dialog->remote.sends);
	before = held->heard[TL_DIALOG_MEDIA];
	holder->dialog->local.receives = true;
	g_assert_cmpint(tl_dialog_update(holder->dialog), ==, 0);
	await(held->heard[TL_DIALOG_MEDIA] > before);
	g_assert_true(held->dialog->remote.receives);
	await(holder->dialog->remote.sends);
}

static void test_hold(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	/* A new address in a re-offer is told too. */
	unsigned before = p.b.heard[TL_DIALOG_MEDIA];
	p.a.dialog->local.port = 20002;
	g_assert_cmpint(tl_dialog_update(p.a.dialog), ==, 0);
	await(p.b.heard[TL_DIALOG_MEDIA] > before);
	g_assert_cmpuint(p.b.dialog->remote.port, ==, 20002);
	hold(&p.a, &p.b);
	hold(&p.b, &p.a);
	tl_dialog_release(p.b.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

/* Both re-offer at once: 491, and both get their way after the waits of RFC 3261 14.1. */
static bool yes(struct tl_dialog *dialog, void *user)
{
	return true;
}

static void ask_for_t38(struct end *end)
{
	end->dialog->local.t38 = tl_sdp_t38(TL_T38_FEC);
	g_assert_cmpint(tl_dialog_update(end->dialog), ==, 0);
}

/* A call goes over to T.38, whoever asks for it, and back. */
static void test_t38(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	p.a.dialog->may_go_t38 = yes;
	ask_for_t38(&p.b);
	await(p.a.dialog->remote.t38.on && p.b.dialog->remote.t38.on);
	g_assert_true(p.a.dialog->local.t38.on);
	g_assert_cmpint(p.a.dialog->remote.t38.correction, ==, TL_T38_FEC);
	g_assert_cmpint(p.b.dialog->remote.t38.correction, ==, TL_T38_FEC);
	g_assert_cmpuint(p.a.dialog->remote.port, ==, 30000);
	unsigned heard = p.b.heard[TL_DIALOG_MEDIA];
	p.a.dialog->local.t38.on = false;
	g_assert_cmpint(tl_dialog_update(p.a.dialog), ==, 0);
	await(p.b.heard[TL_DIALOG_MEDIA] > heard && !p.a.dialog->remote.t38.on);
	g_assert_false(p.b.dialog->remote.t38.on || p.b.dialog->local.t38.on);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

/* 488: what was agreed stays, and who asked hears that it does. */
static void test_t38_refused(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	unsigned heard = p.a.heard[TL_DIALOG_MEDIA];
	ask_for_t38(&p.a);
	await(p.a.heard[TL_DIALOG_MEDIA] > heard);
	g_assert_false(p.a.dialog->local.t38.on || p.a.dialog->remote.t38.on || p.b.dialog->remote.t38.on);
	g_assert_cmpuint(p.a.dialog->remote.port, ==, 30000);
	hold(&p.a, &p.b);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

/* Both want it at once: 491, and one of them asks again. */
static void test_t38_glare(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	p.a.dialog->may_go_t38 = p.b.dialog->may_go_t38 = yes;
	ask_for_t38(&p.a);
	ask_for_t38(&p.b);
	await(p.a.dialog->remote.t38.on && p.b.dialog->remote.t38.on);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

static void test_glare(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	p.a.dialog->local.port = 20100;
	p.b.dialog->local.port = 30100;
	tl_dialog_update(p.a.dialog);
	tl_dialog_update(p.b.dialog);
	await(p.a.dialog->remote.port == 30100 && p.b.dialog->remote.port == 20100);
	tl_dialog_release(p.b.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

/* The law is the answerer's when offered. */
static void test_law(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	p.b.answer = side(30000, TL_LAW_ULAW);
	p.b.answer.dtmf_payload_type = -1;
	pair_connect(&p);
	g_assert_cmpint(p.a.dialog->remote.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(p.a.dialog->local.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(p.b.dialog->remote.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(p.a.dialog->remote.dtmf_payload_type, ==, -1);
	g_assert_cmpint(p.b.dialog->remote.dtmf_payload_type, ==, -1);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

static void restrict_calling(struct tl_leg_setup *setup)
{
	tl_number_parse("+49891", &setup->calling);
	setup->calling.presentation = TL_PRESENTATION_RESTRICTED;
	g_strlcpy(setup->calling_name, "Zoë \"Q\" \\ Müller", sizeof(setup->calling_name));
	tl_number_parse("0800", &setup->redirecting);
	setup->redirecting_reason = 1;
	tl_number_parse("12*3#", &setup->called);
}

/* Restricted numbers reach trunks in P-Asserted-Identity (RFC 3325), diversions in Diversion (RFC 5806). */
static void test_identity(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	struct tl_leg_setup setup = { .called_complete = true };
	struct tl_rtp_side local = side(20000, TL_LAW_ALAW);
	restrict_calling(&setup);
	p.a.dialog = tl_sip_call(p.a.sip, "trunk:far", &setup, &local, end_on_dialog, &p.a, NULL);
	await(p.b.offered);
	g_assert_cmpstr(p.b.setup.called.digits, ==, "12*3#");
	g_assert_cmpstr(p.b.setup.calling.digits, ==, "49891");
	g_assert_cmpint(p.b.setup.calling.presentation, ==, TL_PRESENTATION_RESTRICTED);
	g_assert_cmpint(p.b.setup.calling.screening, ==, TL_SCREENING_NETWORK);
	g_assert_cmpstr(p.b.setup.calling_name, ==, setup.calling_name);
	g_assert_cmpstr(p.b.setup.redirecting.digits, ==, "0800");
	g_assert_cmpuint(p.b.setup.redirecting_reason, ==, 1);
	tl_dialog_release(p.b.dialog, TL_CAUSE_USER_BUSY);
	pair_await_released(&p);
	pair_stop(&p);
}

static void short_session(struct tl_sip_config *config)
{
	config->session_expires_s = 4;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

/* RFC 4028: refreshes keep a call of two intervals alive; with the peer gone it ends. */
static void test_session_timer(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), short_session);
	tl_sip_set_trace(p.a.sip, true);
	pair_connect(&p);
	await(count(p.a.trace->str, "CSeq: ") && count(p.a.trace->str, " UPDATE\r\n") >= 8);
	g_assert_cmpuint(p.a.heard[TL_DIALOG_RELEASED] + p.b.heard[TL_DIALOG_RELEASED], ==, 0);
	tl_sip_set_trace(p.a.sip, false);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

static void test_table(void)
{
	g_assert_cmpuint(tl_fsm_faults(&tl_sip_dialog_machine, stderr), ==, 0);
}

/* The stack goes while calls are up: each is told once, with cause 41. */
static void test_stop(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	pair_connect(&p);
	p.a.keep_released = true;
	tl_sip_free(p.a.sip);
	g_assert_cmpuint(p.a.heard[TL_DIALOG_RELEASED], ==, 1);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_TEMPORARY_FAILURE);
	await(p.b.heard[TL_DIALOG_RELEASED]);
	g_assert_true(p.b.by_peer);
	p.a.sip = NULL;
	pair_stop(&p);
}

static void test_trace(gconstpointer data)
{
	struct pair p;
	pair_start(&p, GPOINTER_TO_INT(data), NULL);
	tl_sip_set_trace(p.a.sip, true);
	pair_connect(&p);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	tl_sip_set_trace(p.a.sip, false);
	g_assert_true(g_str_has_prefix(p.a.trace->str, "INVITE sip:4930123@"));
	g_assert_nonnull(strstr(p.a.trace->str, "\r\n\r\nv=0\r\n"));
	g_assert_nonnull(strstr(p.a.trace->str, "Reason: Q.850;cause=16;text=\"normal-clearing\"\r\n"));
	g_assert_cmpuint(p.a.traced_sent, >=, 3);
	g_assert_cmpuint(p.a.traced_received, >=, 2);
	pair_stop(&p);
}

int main(int argc, char **argv)
{
	test_main_init(&argc, &argv);
	static const struct {
		const char *name;
		void (*run)(gconstpointer data);
		bool everywhere;
	} tests[] = {
		{ "call", test_call, true }, { "bye-cause", test_bye_cause, true }, { "cancel", test_cancel, true },
		{ "cancel-at-once", test_cancel_at_once, true }, { "refused", test_refused, true }, { "hold", test_hold, true },
		{ "t38", test_t38, false }, { "t38-refused", test_t38_refused, false }, { "t38-glare", test_t38_glare, false },
		{ "glare", test_glare, false }, { "law", test_law, false }, { "identity", test_identity, false },
		{ "session-timer", test_session_timer, false }, { "stop", test_stop, true }, { "trace", test_trace, false },
	};
	g_test_add_func("/sip-call/table", test_table);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		for (int t = 0; t < (tests[i].everywhere ? N_TRANSPORTS : 1); t++) {
			char *path = g_strdup_printf("/sip-call/%s/%s", transport_names[t], tests[i].name);
			g_test_add_data_func(path, GINT_TO_POINTER(t), tests[i].run);
			g_free(path);
		}
	return g_test_run();
}
