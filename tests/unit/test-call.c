/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A node under command: conductors and what happens without one, roles, plays, digits, bridges, the journal. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "call-rig.h"
#include "call/journal.h"

#define LEG "{\"leg\":\"%s\"}"

static void set_up(struct rig *rig, gconstpointer offer_timeout_ms)
{
	rig_init(rig);
	rig_on_fast_line(rig);
	if (offer_timeout_ms)
		rig->config.offer_timeout_ms = GPOINTER_TO_UINT(offer_timeout_ms);
	rig_start(rig);
}

static void tear_down(struct rig *rig, gconstpointer data)
{
	rig_done(rig);
}

static const char *offered_leg(struct desk *desk)
{
	JsonObject *params = desk_await(desk, "leg.offered", NULL);
	return json_object_get_string_member(json_object_get_object_member(params, "leg"), "leg");
}

/* A call up to the desk's answer. (leg id borrowed from the desk) */
static const char *answered_leg(struct rig *rig, struct desk *desk, struct far **caller)
{
	*caller = rig_call(rig, "5551000");
	const char *leg = offered_leg(desk);
	desk_do(desk, "leg.take", "{\"leg\":\"%s\",\"tags\":{\"contact\":\"c1\"}}", leg);
	desk_do(desk, "leg.answer", LEG, leg);
	await((*caller)->heard[TL_DIALOG_ANSWERED] && (*caller)->port);
	return leg;
}

static void write_sound(struct rig *rig, const char *name)
{
	g_autofree char *path = g_build_filename(rig->sounds_dir, name, NULL);
	static uint8_t octets[1600];
	memset(octets, 0x2a, sizeof octets);
	g_assert_true(tl_sound_save(path, TL_LAW_ALAW, octets, sizeof octets, NULL));
}

static void test_play_and_collect(struct rig *rig, gconstpointer data)
{
	struct far *caller;
	struct desk *desk = desk_new(rig, "conductor", 1);
	write_sound(rig, "hello.wav");
	const char *leg = answered_leg(rig, desk, &caller);
	desk_do(desk, "leg.play", "{\"leg\":\"%s\",\"play\":\"p1\",\"sounds\":[\"file:hello\",\"silence:100\",\"tone:beep\"]}", leg);
	JsonObject *played = desk_await(desk, "leg.played", leg);
	g_assert_true(json_object_get_boolean_member(played, "completed"));
	g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(played, "tags"), "contact"), ==, "c1");

	desk_do(desk, "leg.play", "{\"leg\":\"%s\",\"play\":\"p2\",\"sounds\":[\"tone:ringing\"],\"loops\":0}", leg);
	desk_do(desk, "leg.collect", "{\"leg\":\"%s\",\"collect\":\"d1\",\"max\":4,\"terminators\":\"#\"}", leg);
	tl_port_send_dtmf(caller->port, 1, "12#", 80, 80);
	JsonObject *collected = desk_await(desk, "leg.collected", leg);
	g_assert_cmpstr(json_object_get_string_member(collected, "digits"), ==, "12");
	g_assert_cmpstr(json_object_get_string_member(collected, "why"), ==, "terminator");
	g_assert_false(json_object_get_boolean_member(desk_await(desk, "leg.played", leg), "completed"));
	desk_free(desk);
}

/* The called side rung and bridged with @leg. */
static struct far *bridged_phone(struct rig *rig, struct desk *desk, const char *leg)
{
	rig_register(rig, "anna");
	desk_do(desk, "leg.originate", "{\"leg\":\"agent-1\",\"to\":\"user:anna\",\"setup\":{\"called\":\"100\"}}");
	struct far *phone = rig_await_far(rig, 1);
	while (strcmp(json_object_get_string_member(desk_await(desk, "leg.state", "agent-1"), "state"), "answered"))
		;
	desk_do(desk, "bridge.create", "{\"bridge\":\"b1\",\"kind\":\"clear\",\"members\":[{\"leg\":\"%s\"},{\"leg\":\"agent-1\"}]}", leg);
	return phone;
}

/* Once the phone has heard a digit, the node has had it, too: what it tells after that is of later ones. */
static void press(struct far *caller, struct far *phone, const char *digit)
{
	g_autofree char *wanted = g_strconcat(phone->digits->str, digit, NULL);
	tl_port_send_dtmf(caller->port, 1, digit, 80, 80);
	await(!strcmp(phone->digits->str, wanted));
}

static const char *told_digit(struct desk *desk, const char *leg)
{
	return json_object_get_string_member(desk_await(desk, "leg.digit", leg), "digit");
}

static void test_digits_are_told_where_asked_for(struct rig *rig, gconstpointer data)
{
	static const char collect[] = "{\"leg\":\"%s\",\"collect\":\"d1\",\"max\":1}";
	static const char ask[] = "{\"leg\":\"%s\",\"digits\":%s}";
	struct far *caller;
	struct desk *desk = desk_new(rig, "conductor", 1);
	const char *leg = answered_leg(rig, desk, &caller);
	struct far *phone = bridged_phone(rig, desk, leg);
	press(caller, phone, "1");
	desk_do(desk, "leg.collect", collect, leg);
	press(caller, phone, "2");
	g_assert_cmpstr(json_object_get_string_member(desk_await(desk, "leg.collected", leg), "digits"), ==, "2");
	press(caller, phone, "3");
	desk_do(desk, "leg.tag", ask, leg, "true");
	press(caller, phone, "4");
	desk_do(desk, "leg.collect", collect, leg);
	press(caller, phone, "5");
	press(caller, phone, "6");
	desk_do(desk, "leg.tag", ask, leg, "false");
	press(caller, phone, "7");
	desk_do(desk, "leg.tag", ask, leg, "true");
	press(caller, phone, "8");
	for (const char *told = "24568"; *told; told++)
		g_assert_cmpint(*told_digit(desk, leg), ==, *told);
	tl_port_send_dtmf(phone->port, 1, "9", 80, 80); /* by RFC 4733: nobody had to ask */
	g_assert_cmpstr(told_digit(desk, "agent-1"), ==, "9");
	desk_free(desk);
}

/* Offered, taken, answered, an agent rung, bridged, ended; and every fact of it once. */
static void test_a_call(struct rig *rig, gconstpointer data)
{
	struct far *caller;
	struct desk *desk = desk_new(rig, "conductor", 1);
	rig_register(rig, "anna");
	const char *leg = answered_leg(rig, desk, &caller);
	for (int twice = 0; twice < 2; twice++)
		desk_do(desk, "leg.originate", "{\"leg\":\"agent-1\",\"to\":\"user:anna\",\"setup\":{\"called\":\"100\"},"
			"\"command\":\"o1\"}");
	struct far *phone = rig_await_far(rig, 1);
	while (strcmp(json_object_get_string_member(desk_await(desk, "leg.state", "agent-1"), "state"), "answered"))
		;
	desk_do(desk, "bridge.create", "{\"bridge\":\"b1\",\"kind\":\"clear\",\"members\":[{\"leg\":\"%s\"},{\"leg\":\"agent-1\"}]}", leg);
	tl_port_send_dtmf(caller->port, 2, "5", 80, 80);
	await(!strcmp(phone->digits->str, "5"));
	far_hang_up(phone, TL_CAUSE_NORMAL_CLEARING);
	await(far_is_over(caller));
	g_assert_cmpuint(rig->fars->len, ==, 2); /* the repeated command rang nobody again */
	JsonObject *ended = desk_await(desk, "leg.ended", leg);
	g_assert_false(json_object_get_boolean_member(ended, "by_peer"));
	g_assert_true(json_object_get_boolean_member(desk_await(desk, "leg.ended", "agent-1"), "by_peer"));

	await(tl_journal_last(rig->node->journal) + 1 == tl_journal_next(rig->node->journal));
	g_autoptr(JsonArray) facts = desk_facts(desk, 0);
	static const char *const once[] = { "offered", "answered", "ended" };
	for (unsigned i = 0; i < G_N_ELEMENTS(once); i++) {
		g_assert_cmpuint(facts_count(facts, once[i], leg), ==, 1);
		g_assert_cmpuint(facts_count(facts, once[i], "agent-1"), ==, 1);
	}
	g_assert_cmpuint(facts_count(facts, "bridged", NULL), ==, 1);
	g_assert_cmpuint(facts_count(facts, "unbridged", NULL), ==, 1);
	for (unsigned i = 0; i < json_array_get_length(facts); i++)
		g_assert_cmpint(json_object_get_int_member(json_array_get_object_element(facts, i), "sequence"), ==, i + 1);
	desk_do(desk, "journal.stored", "{\"sequence\":%u}", json_array_get_length(facts));
	desk_free(desk);
}

static void test_not_taken(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1);
	struct far *caller = rig_call(rig, "999");
	const char *leg = offered_leg(desk);
	await(far_is_over(caller));
	g_assert_cmpuint(caller->cause, ==, TL_CAUSE_UNALLOCATED);
	int code;
	g_assert_null(desk_try(desk, &code, "leg.take", LEG, leg));
	g_assert_cmpint(code, ==, TL_CONTROL_UNKNOWN);
	desk_free(desk);
}

/* Talking callers go on without a desk, waiting ones follow their rule, and the next desk finds them all. */
static void test_conductor_lost(struct rig *rig, gconstpointer data)
{
	struct far *kept, *released, *routed;
	struct desk *desk = desk_new(rig, "conductor", 1);
	const char *keep = answered_leg(rig, desk, &kept);
	g_autofree char *kept_id = g_strdup(keep);
	const char *release = answered_leg(rig, desk, &released);
	desk_do(desk, "leg.tag", "{\"leg\":\"%s\",\"rule\":{\"action\":\"release\",\"after_s\":0,\"cause\":31}}", release);
	const char *route = answered_leg(rig, desk, &routed);
	desk_do(desk, "leg.tag", "{\"leg\":\"%s\",\"rule\":{\"action\":\"route\",\"to\":\"announcement:tone:beep\"}}", route);
	desk_do(desk, "leg.play", "{\"leg\":\"%s\",\"play\":\"music\",\"sounds\":[\"tone:milliwatt\"],\"loops\":0}", keep);
	struct far *ringing = rig_call(rig, "999");
	offered_leg(desk); /* not taken: by the routes as soon as the desk has gone */
	desk_free(desk);
	await(far_is_over(released) && far_is_over(routed) && far_is_over(ringing));
	g_assert_cmpuint(released->cause, ==, 31);
	g_assert_cmpuint(routed->cause, ==, TL_CAUSE_NORMAL_CLEARING);
	g_assert_cmpuint(ringing->cause, ==, TL_CAUSE_UNALLOCATED);
	g_assert_nonnull(kept->dialog);

	desk = desk_new(rig, "conductor", 2);
	int code;
	JsonObject *snapshot = desk_try(desk, &code, "node.snapshot", "{}");
	JsonArray *legs = json_object_get_array_member(snapshot, "legs");
	g_assert_cmpuint(json_array_get_length(legs), ==, 1);
	JsonObject *leg = json_array_get_object_element(legs, 0);
	g_assert_cmpstr(json_object_get_string_member(leg, "leg"), ==, kept_id);
	g_assert_cmpstr(json_object_get_string_member(leg, "playing"), ==, "music");
	g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(leg, "tags"), "contact"), ==, "c1");
	json_object_unref(snapshot);
	desk_do(desk, "leg.release", LEG, kept_id);
	await(far_is_over(kept));
	desk_free(desk);
}

static void test_epochs(struct rig *rig, gconstpointer data)
{
	struct desk *first = desk_new(rig, "conductor", 5);
	g_assert_true(first->open);
	struct desk *stale = desk_new(rig, "conductor", 4);
	g_assert_false(stale->open);
	g_assert_cmpint(stale->refused, ==, TL_CONTROL_STALE_EPOCH);
	desk_free(stale);
	struct desk *second = desk_new(rig, "conductor", 6);
	await(second->open && !first->open);
	desk_free(first);
	desk_free(second);
	rig_stop_node(rig);
	rig_start_node(rig); /* the highest one outlives the process */
	stale = desk_new(rig, "conductor", 5);
	g_assert_cmpint(stale->refused, ==, TL_CONTROL_STALE_EPOCH);
	desk_free(stale);
	await(tl_pri_is_up(rig->pri));
}

static void test_roles(struct rig *rig, gconstpointer data)
{
	struct far *caller;
	struct desk *desk = desk_new(rig, "conductor", 1), *application = desk_new(rig, "application", 0);
	struct desk *observer = desk_new(rig, "observer", 0);
	const char *leg = answered_leg(rig, desk, &caller);
	int code;
	g_assert_null(desk_try(application, &code, "leg.release", LEG, leg));
	g_assert_cmpint(code, ==, TL_CONTROL_NOT_AUTHORIZED);
	g_assert_null(desk_try(observer, &code, "leg.release", LEG, leg));
	g_assert_cmpint(code, ==, TL_CONTROL_NOT_AUTHORIZED);
	desk_do(application, "leg.originate", "{\"leg\":\"mine\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"77\"}}");
	desk_await(application, "leg.state", "mine");
	desk_await(observer, "leg.state", "mine");
	g_assert_null(desk_try(desk, &code, "leg.originate", "{\"leg\":\"mine\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"7\"}}"));
	g_assert_cmpint(code, ==, TL_CONTROL_ID_IN_USE);
	desk_do(application, "leg.release", LEG, "mine");
	desk_await(application, "leg.ended", "mine");
	for (unsigned i = 0; i < application->events->len; i++) {
		JsonObject *params = g_ptr_array_index(application->events, i);
		if (json_object_has_member(params, "leg") && JSON_NODE_HOLDS_VALUE(json_object_get_member(params, "leg")))
			g_assert_cmpstr(json_object_get_string_member(params, "leg"), ==, "mine");
	}
	desk_free(desk);
	desk_free(application);
	desk_free(observer);
}

static void test_refusals(struct rig *rig, gconstpointer data)
{
	static const struct {
		const char *method, *params;
		int code;
	} cases[] = {
		{ "leg.answer", "{\"leg\":\"nobody\"}", TL_CONTROL_UNKNOWN },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"user:anna\",\"setup\":{\"called\":\"1\"}}", TL_CONTROL_NO_CIRCUIT },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"user:nobody\",\"setup\":{\"called\":\"1\"}}", TL_CONTROL_UNKNOWN },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"group:none\",\"setup\":{\"called\":\"1\"}}", TL_CONTROL_UNKNOWN },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"span:e1/16\",\"setup\":{\"called\":\"1\"}}", TL_CONTROL_UNKNOWN },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"nonsense\",\"setup\":{\"called\":\"1\"}}", TL_CONTROL_INVALID_PARAMS },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"route\",\"setup\":{\"called\":\"8\"}}", TL_CONTROL_NO_CIRCUIT },
		{ "leg.originate", "{\"leg\":\"x\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"12x\"}}", TL_CONTROL_INVALID_PARAMS },
		{ "bridge.add", "{\"bridge\":\"none\",\"member\":{\"leg\":\"x\"}}", TL_CONTROL_UNKNOWN },
		{ "bridge.create", "{\"bridge\":\"b\",\"kind\":\"voice\",\"members\":[{\"leg\":\"x\"}]}", TL_CONTROL_UNKNOWN },
		{ "node.drain", "{\"span\":\"none\"}", TL_CONTROL_UNKNOWN },
		{ "trace.start", "{}", TL_CONTROL_UNKNOWN },
	};
	struct desk *desk = desk_new(rig, "conductor", 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		int code;
		g_assert_null(desk_try(desk, &code, cases[i].method, "%s", cases[i].params));
		g_assert_cmpint(code, ==, cases[i].code);
	}
	g_assert_cmpuint(g_hash_table_size(rig->node->legs), ==, 0);
	g_assert_cmpuint(g_hash_table_size(rig->node->junctions), ==, 0);
	struct far *caller;
	const char *leg = answered_leg(rig, desk, &caller);
	int code;
	g_assert_null(desk_try(desk, &code, "leg.answer", LEG, leg));
	g_assert_cmpint(code, ==, TL_CONTROL_STATE);
	g_assert_null(desk_try(desk, &code, "leg.play", "{\"leg\":\"%s\",\"play\":\"p\",\"sounds\":[\"file:../x\"]}", leg));
	g_assert_cmpint(code, ==, TL_CONTROL_INVALID_PARAMS);
	desk_do(desk, "leg.play", "{\"leg\":\"%s\",\"play\":\"p\",\"sounds\":[\"file:missing\"]}", leg);
	JsonObject *played = desk_await(desk, "leg.played", leg);
	g_assert_false(json_object_get_boolean_member(played, "completed"));
	g_assert_nonnull(strstr(json_object_get_string_member(played, "error"), "missing"));
	desk_free(desk);
}

static void test_drain(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1), *operator = desk_new(rig, "operator", 0);
	struct far *caller;
	int code;
	answered_leg(rig, desk, &caller);
	desk_do(operator, "node.drain", "{\"span\":\"e1\"}");
	struct far *refused = rig_call(rig, "5");
	await(far_is_over(refused));
	g_assert_cmpuint(refused->cause, ==, TL_CAUSE_CONGESTION);
	g_assert_null(desk_try(desk, &code, "leg.originate", "{\"leg\":\"x\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"1\"}}"));
	g_assert_cmpint(code, ==, TL_CONTROL_NO_CIRCUIT);
	desk_do(operator, "node.drain", "{\"span\":\"e1\",\"off\":true}");
	desk_do(operator, "node.drain", "{}");
	g_assert_null(desk_try(desk, &code, "leg.originate", "{\"leg\":\"x\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"1\"}}"));
	g_assert_cmpint(code, ==, TL_CONTROL_OVERLOAD);
	desk_do(operator, "node.drain", "{\"off\":true}");
	desk_do(desk, "leg.originate", "{\"leg\":\"x\",\"to\":\"group:carrier\",\"setup\":{\"called\":\"1\"}}");
	g_assert_cmpuint(caller->cause, ==, 0); /* it goes on; if not, this says why */
	desk_free(desk);
	desk_free(operator);
}

/* No room for facts: new calls are refused, the one in progress goes on, its facts are written when there is room. */
static void test_journal_full(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1);
	struct rlimit before, small;
	struct far *caller;
	const char *leg = answered_leg(rig, desk, &caller);
	await(tl_journal_last(rig->node->journal) + 1 == tl_journal_next(rig->node->journal));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &small);
	struct far *late = rig_call(rig, "5");
	await(far_is_over(late));
	g_assert_cmpuint(late->cause, ==, TL_CAUSE_CONGESTION);
	g_assert_nonnull(rig->node->journal_fault);
	struct far *later = rig_call(rig, "5");
	await(far_is_over(later));
	g_assert_cmpuint(later->cause, ==, TL_CAUSE_CONGESTION);
	g_assert_cmpuint(caller->cause, ==, 0); /* it goes on; if not, this says why */
	desk_do(desk, "leg.release", LEG, leg);
	await(far_is_over(caller));
	setrlimit(RLIMIT_FSIZE, &before);
	await(!rig->node->journal_fault);
	g_autoptr(JsonArray) facts = desk_facts(desk, 0);
	g_assert_cmpuint(facts_count(facts, "ended", leg), ==, 1);
	g_assert_cmpuint(facts_count(facts, "offered", NULL), ==, facts_count(facts, "ended", NULL));
	desk_free(desk);
}

/* What a run that died left open is closed by the next one, in the dead run's time. */
static void test_books_closed(struct rig *rig, gconstpointer data)
{
	static const char offered[] = "{\"leg\":\"lost-1\",\"direction\":\"in\",\"party\":{\"kind\":\"timeslot\",\"name\":\"e1\","
		"\"slot\":3},\"setup\":{\"called\":\"5\"},\"tags\":{},\"sequence\":1,\"node\":\"node\",\"boot\":\"dead\","
		"\"at_ns\":5000,\"utc_us\":1000000,\"fact\":\"offered\"}";
	const struct tl_journal_handler handler = { 0 };
	struct tl_journal_past past;
	rig_stop_node(rig);
	g_autofree char *directory = g_build_filename(rig->state_dir, "journal", NULL);
	struct tl_journal *journal = tl_journal_open(&(struct tl_journal_config){ directory, 1 << 20, 1 << 30 }, &handler, NULL,
						     &past, NULL);
	tl_journal_past_clear(&past);
	gint64 before = tl_journal_last(journal);
	struct tl_record record = { .at_ns = 5000, .utc_us = tl_clock_utc_us(), .kind = TL_RECORD_OPENS, .subject = "lost-1",
				    .n_subject = 6, .payload = offered, .n_payload = strlen(offered) };
	tl_journal_append(journal, &record, NULL, NULL);
	tl_journal_heartbeat(journal, 9000, tl_clock_utc_us() + 1000000);
	tl_journal_close(journal, 10000);
	rig_start_node(rig);
	await(tl_journal_last(rig->node->journal) + 1 == tl_journal_next(rig->node->journal));
	struct desk *desk = desk_new(rig, "conductor", 1);
	g_autoptr(JsonArray) facts = desk_facts(desk, before + 1);
	g_assert_cmpuint(json_array_get_length(facts), ==, 2);
	JsonObject *ended = json_array_get_object_element(facts, 0);
	g_assert_cmpstr(json_object_get_string_member(ended, "fact"), ==, "ended");
	g_assert_cmpstr(json_object_get_string_member(ended, "leg"), ==, "lost-1");
	g_assert_cmpstr(json_object_get_string_member(ended, "boot"), ==, "dead");
	g_assert_cmpint(json_object_get_int_member(ended, "cause"), ==, TL_CAUSE_TEMPORARY_FAILURE);
	g_assert_cmpint(json_object_get_int_member(ended, "at_ns"), ==, 9000);
	g_assert_cmpuint(facts_count(facts, "boot", NULL), ==, 1);
	desk_free(desk);
	await(tl_pri_is_up(rig->pri));
}

static void test_hold(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1);
	rig_register(rig, "anna");
	desk_do(desk, "leg.originate", "{\"leg\":\"agent\",\"to\":\"user:anna\",\"setup\":{\"called\":\"100\"}}");
	struct far *phone = rig_await_far(rig, 0);
	while (strcmp(json_object_get_string_member(desk_await(desk, "leg.state", "agent"), "state"), "answered"))
		;
	phone->dialog->local.receives = false;
	await(tl_dialog_update(phone->dialog) == 0);
	g_assert_true(json_object_get_boolean_member(desk_await(desk, "leg.held", "agent"), "held"));
	phone->dialog->local.receives = true;
	await(tl_dialog_update(phone->dialog) == 0);
	g_assert_false(json_object_get_boolean_member(desk_await(desk, "leg.held", "agent"), "held"));
	desk_free(desk);
}

static void on_stopped(void *user)
{
	*(bool *)user = true;
}

static void test_stop(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1);
	struct far *caller;
	bool stopped = false;
	answered_leg(rig, desk, &caller);
	tl_node_stop(rig->node, 20000, on_stopped, &stopped);
	await(stopped && far_is_over(caller));
	g_assert_cmpuint(caller->cause, ==, TL_CAUSE_TEMPORARY_FAILURE);
	desk_free(desk);
}

static void test_trace(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "operator", 0);
	desk_do(desk, "trace.start", "{\"span\":\"e1\",\"sip\":true}");
	rig_call(rig, "999");
	JsonObject *frame = desk_await(desk, "trace.frame", NULL);
	g_assert_cmpstr(json_object_get_string_member(frame, "span"), ==, "e1");
	gsize n;
	g_free(g_base64_decode(json_object_get_string_member(frame, "octets"), &n));
	g_assert_cmpuint(n, >=, 3); /* the link's own, unnumbered frames have no more (ITU-T Q.921 2.2) */
	desk_do(desk, "trace.stop", "{}");
	desk_do(desk, "trace.start", "{\"span\":\"e1\"}");
	rig_stop_node(rig); /* amid a trace */
	desk_free(desk);
}

/* Who ends with whom, and who stays. */
static void test_when_ends(struct rig *rig, gconstpointer data)
{
	static const struct {
		const char *when_ends;
		bool stays;
	} cases[] = { { "keep-others", true }, { "release-others-if-alone", true }, { "release-others", false } };
	struct desk *desk = desk_new(rig, "conductor", 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct far *a, *b;
		const char *first = answered_leg(rig, desk, &a), *second = answered_leg(rig, desk, &b);
		desk_do(desk, "bridge.create", "{\"bridge\":\"b%u\",\"kind\":\"clear\",\"members\":[{\"leg\":\"%s\","
			"\"when_ends\":\"%s\"},{\"leg\":\"%s\"}]}", i, first, cases[i].when_ends, second);
		far_hang_up(a, TL_CAUSE_NORMAL_CLEARING);
		desk_await(desk, "leg.ended", first);
		if (cases[i].stays) {
			int code;
			JsonObject *counters = desk_try(desk, &code, "leg.counters", LEG, second);
			g_assert_nonnull(counters);
			json_object_unref(counters);
			desk_do(desk, "leg.release", LEG, second);
		}
		await(far_is_over(b));
		g_assert_cmpuint(b->cause, ==, TL_CAUSE_NORMAL_CLEARING);
	}
	desk_free(desk);
}

/* Three in a voice bridge; a third in a clear one is refused, and so is a leg without audio. */
static void test_bridges(struct rig *rig, gconstpointer data)
{
	struct desk *desk = desk_new(rig, "conductor", 1);
	struct far *far[3];
	const char *legs[3];
	int code;
	for (unsigned i = 0; i < 3; i++)
		legs[i] = answered_leg(rig, desk, &far[i]);
	desk_do(desk, "bridge.create", "{\"bridge\":\"b\",\"kind\":\"clear\",\"members\":[{\"leg\":\"%s\"},{\"leg\":\"%s\"}]}",
		legs[0], legs[1]);
	g_assert_null(desk_try(desk, &code, "bridge.add", "{\"bridge\":\"b\",\"member\":{\"leg\":\"%s\"}}", legs[2]));
	g_assert_cmpint(code, ==, TL_CONTROL_STATE);
	desk_do(desk, "bridge.destroy", "{\"bridge\":\"b\"}");
	desk_do(desk, "bridge.create", "{\"bridge\":\"b\",\"kind\":\"voice\",\"members\":[{\"leg\":\"%s\"},{\"leg\":\"%s\"},"
		"{\"leg\":\"%s\"}]}", legs[0], legs[1], legs[2]);
	tl_port_send_dtmf(far[0]->port, 1, "7", 100, 100);
	await(!strcmp(far[1]->digits->str, "7") && !strcmp(far[2]->digits->str, "7"));
	desk_do(desk, "leg.mute", "{\"leg\":\"%s\",\"on\":true}", legs[1]);
	desk_do(desk, "bridge.remove", "{\"bridge\":\"b\",\"leg\":\"%s\"}", legs[0]);
	g_assert_cmpuint(g_hash_table_size(rig->node->junctions), ==, 1);
	desk_do(desk, "bridge.destroy", "{\"bridge\":\"b\"}");
	g_assert_cmpuint(g_hash_table_size(rig->node->junctions), ==, 0);
	g_assert_cmpuint(g_hash_table_size(rig->node->legs), ==, 3);
	desk_free(desk);
}

int main(int argc, char **argv)
{
	g_setenv("TL_CHECK_SCHEMA", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
#define CASE(name, function, data) g_test_add("/call/" name, struct rig, data, set_up, function, tear_down)
	CASE("play-and-collect", test_play_and_collect, NULL);
	CASE("digits-are-told-where-asked-for", test_digits_are_told_where_asked_for, NULL);
	CASE("a-call", test_a_call, NULL);
	CASE("not-taken", test_not_taken, GUINT_TO_POINTER(50));
	CASE("conductor-lost", test_conductor_lost, NULL);
	CASE("epochs", test_epochs, NULL);
	CASE("roles", test_roles, NULL);
	CASE("refusals", test_refusals, NULL);
	CASE("drain", test_drain, NULL);
	CASE("journal-full", test_journal_full, NULL);
	CASE("books-closed", test_books_closed, NULL);
	CASE("hold", test_hold, NULL);
	CASE("stop", test_stop, NULL);
	CASE("trace", test_trace, NULL);
	CASE("when-ends", test_when_ends, NULL);
	CASE("bridges", test_bridges, NULL);
	return g_test_run();
}
