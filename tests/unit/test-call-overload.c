/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A node whose media are at their limit: new calls are refused in the words of each side, those that are up go on. */
#include <string.h>

#include "browser-offers.h"
#include "call-rig.h"

#define NO_LIMIT_US 10000
#define ANY_WORK_US 1 /* even a tick with nothing to do costs more */

static const char *const addresses[] = { "127.0.0.1", NULL };

static void set_up(struct rig *rig, gconstpointer data)
{
	rig_init(rig);
	rig->config.media.browser = (struct tl_browser_config){ .port = rig_free_port(), .addresses = addresses };
	rig->config.media.load_limit_us = NO_LIMIT_US;
	rig_start(rig);
	rig_register(rig, "anna");
}

static void tear_down(struct rig *rig, gconstpointer data)
{
	rig_done(rig);
}

/* What an operator does with a new value in the file and SIGHUP. */
static void limit(struct rig *rig, struct desk *desk, unsigned limit_us)
{
	struct tl_node_config config = rig->config;
	config.media.load_limit_us = limit_us;
	tl_node_reload(rig->node, &config);
	bool wanted = limit_us == ANY_WORK_US, found;
	do {
		JsonObject *node = json_object_get_object_member(desk_await(desk, "node.changed", NULL), "node");
		JsonArray *alarms = json_object_get_array_member(node, "alarms");
		found = json_array_get_length(alarms) && !strcmp(json_array_get_string_element(alarms, 0), "media-load");
	} while (found != wanted);
}

static gint64 counter(struct desk *desk, const char *name)
{
	int code;
	JsonObject *result = desk_try(desk, &code, "node.counters", "{}");
	gint64 value = json_object_get_int_member(json_object_get_object_member(result, "counters"), name);
	json_object_unref(result);
	return value;
}

static const char *answered_leg(struct rig *rig, struct desk *desk, struct far **caller)
{
	*caller = rig_call(rig, "5551000");
	JsonObject *offered = desk_await(desk, "leg.offered", NULL);
	const char *leg = json_object_get_string_member(json_object_get_object_member(offered, "leg"), "leg");
	desk_do(desk, "leg.take", "{\"leg\":\"%s\"}", leg);
	desk_do(desk, "leg.answer", "{\"leg\":\"%s\"}", leg);
	await((*caller)->heard[TL_DIALOG_ANSWERED] && (*caller)->port);
	return leg;
}

/* The first answer of that status which the node sent, as text. */
static char *await_answer(struct desk *desk, const char *status)
{
	for (;;) {
		gsize n;
		JsonObject *frame = desk_await(desk, "trace.frame", NULL);
		guchar *octets = g_base64_decode(json_object_get_string_member(frame, "octets"), &n);
		char *text = g_strndup((char *)octets, n);
		g_free(octets);
		if (json_object_get_boolean_member(frame, "sent") && g_str_has_prefix(text, status))
			return text;
		g_free(text);
	}
}

static void assert_refused(struct rig *rig, struct desk *desk)
{
	int code;
	gint64 before = counter(desk, "refused_overload");
	struct far *by_trunk = rig_call(rig, "5551001");
	await(far_is_over(by_trunk));
	g_assert_cmpuint(by_trunk->cause, ==, TL_CAUSE_CONGESTION);
	g_assert_true(by_trunk->by_peer);

	desk_do(desk, "trace.start", "{\"sip\":true}");
	struct far *by_sip = rig_call_by_sip(rig, "5551002");
	await(far_is_over(by_sip));
	g_assert_cmpuint(by_sip->cause, ==, TL_CAUSE_CONGESTION); /* by Reason (RFC 3326) */
	g_autofree char *answer = await_answer(desk, "SIP/2.0 503 ");
	g_assert_nonnull(strstr(answer, "\r\nRetry-After: "));
	desk_do(desk, "trace.stop", "{}");

	g_autofree char *offer = g_strescape(offer_audio, NULL);
	g_assert_null(desk_try(desk, &code, "leg.connect", "{\"leg\":\"bert\",\"sdp\":\"%s\"}", offer));
	g_assert_cmpint(code, ==, TL_CONTROL_OVERLOAD);
	g_assert_null(desk_try(desk, &code, "leg.originate", "{\"leg\":\"out\",\"to\":\"user:anna\",\"setup\":{\"called\":\"1\"}}"));
	g_assert_cmpint(code, ==, TL_CONTROL_OVERLOAD);
	g_assert_cmpint(counter(desk, "refused_overload"), ==, before + 4);
}

static void test_new_calls_are_refused(struct rig *rig, gconstpointer data)
{
	struct far *caller, *later;
	struct desk *desk = desk_new(rig, "conductor", 1);
	const char *leg = answered_leg(rig, desk, &caller);
	limit(rig, desk, ANY_WORK_US);
	g_assert_cmpint(counter(desk, "media_load_limit_us"), ==, ANY_WORK_US);
	g_assert_cmpint(counter(desk, "media_load_us"), >=, ANY_WORK_US);
	assert_refused(rig, desk);

	desk_do(desk, "leg.collect", "{\"leg\":\"%s\",\"collect\":\"c\",\"max\":2}", leg);
	tl_port_send_dtmf(caller->port, 1, "42", 80, 80);
	g_assert_cmpstr(json_object_get_string_member(desk_await(desk, "leg.collected", leg), "digits"), ==, "42");
	g_assert_false(far_is_over(caller));

	limit(rig, desk, NO_LIMIT_US);
	answered_leg(rig, desk, &later);
	desk_free(desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/call-overload/new-calls-are-refused", struct rig, NULL, set_up, test_new_calls_are_refused, tear_down);
	return g_test_run();
}
