/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Browsers' legs of a whole node: a standing leg, a call bridged to it, a reload in mid-call, going and coming back. */
#include <string.h>

#include "browser-offers.h"
#include "call-rig.h"
#include "fake-browser.h"
#include "media/rtp.h"

#define CHECK_US 50000
#define EVENTS 126 /* offer_audio's payload type */

static const char *const addresses[] = { "127.0.0.1", NULL };

static void set_up(struct rig *rig, gconstpointer data)
{
	rig_init(rig);
	rig->config.media.browser = (struct tl_browser_config){ .port = rig_free_port(), .addresses = addresses, .sessions_max = 1 };
	rig->config.browser_grace_s = 1;
	rig_start(rig);
}

static void tear_down(struct rig *rig, gconstpointer data)
{
	rig_done(rig);
}

/* Chromium's offer with @browser's certificate in it, as a JSON string's inside. */
static char *offer_of(const struct fake_browser *browser)
{
	g_autofree char *line = g_strconcat("a=fingerprint:", tl_certificate_fingerprint(browser->certificate), NULL);
	g_auto(GStrv) lines = g_strsplit(offer_audio, "\r\n", -1);
	for (unsigned i = 0; lines[i]; i++)
		if (g_str_has_prefix(lines[i], "a=fingerprint:")) {
			g_free(lines[i]);
			lines[i] = g_steal_pointer(&line);
		}
	g_autofree char *text = g_strjoinv("\r\n", lines);
	return g_strescape(text, NULL);
}

static void read_line(const char *answer, const char *start, char *out, size_t size)
{
	const char *at = strstr(answer, start);
	g_assert_nonnull(at);
	at += strlen(start);
	g_strlcpy(out, at, MIN(size, strcspn(at, "\r") + 1));
}

static struct tl_transport_side read_answer(const char *answer, unsigned port)
{
	struct tl_transport_side side = { .n_candidates = 1, .candidates = { { "127.0.0.1", port } } };
	g_autofree char *media = g_strdup_printf("m=audio %u UDP/TLS/RTP/SAVPF 8 126\r\n", port);
	g_assert_nonnull(strstr(answer, media));
	g_assert_nonnull(strstr(answer, "a=setup:passive\r\n"));
	read_line(answer, "a=ice-ufrag:", side.ufrag, sizeof side.ufrag);
	read_line(answer, "a=ice-pwd:", side.password, sizeof side.password);
	read_line(answer, "a=fingerprint:", side.fingerprint, sizeof side.fingerprint);
	return side;
}

static gboolean check(gpointer user)
{
	fake_browser_check(user, true);
	return G_SOURCE_CONTINUE;
}

static gboolean pump(gpointer user)
{
	fake_browser_pump(user);
	return G_SOURCE_CONTINUE;
}

/* A page connects leg "anna" and its media come up. */
static void connect_page(struct rig *rig, struct desk *desk, struct fake_browser *browser)
{
	int code;
	fake_browser_init(browser, "127.0.0.1");
	g_autofree char *offer = offer_of(browser);
	JsonObject *result = desk_try(desk, &code, "leg.connect", "{\"leg\":\"anna\",\"name\":\"Anna\",\"sdp\":\"%s\",\"tags\":{\"agent\":\"anna\"}}", offer);
	g_assert_nonnull(result);
	JsonObject *leg = json_object_get_object_member(result, "leg");
	g_assert_cmpstr(json_object_get_string_member(leg, "state"), ==, "answered");
	g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(leg, "party"), "kind"), ==, "browser");
	struct tl_transport_side answer = read_answer(json_object_get_string_member(result, "sdp"), rig->config.media.browser.port);
	json_object_unref(result);
	fake_browser_aim(browser, &answer, 0, true);
	guint checks = g_timeout_add(CHECK_US / 1000, check, browser), pumps = g_timeout_add(5, pump, browser);
	desk_await(desk, "leg.connected", "anna");
	await(browser->send);
	g_source_remove(checks);
	g_source_remove(pumps);
}

/* A caller, answered and bridged to anna. (leg id borrowed from the desk) */
static const char *bridge_caller(struct rig *rig, struct desk *desk, struct far **caller)
{
	*caller = rig_call(rig, "5551000");
	JsonObject *offered = desk_await(desk, "leg.offered", NULL);
	const char *leg = json_object_get_string_member(json_object_get_object_member(offered, "leg"), "leg");
	desk_do(desk, "leg.take", "{\"leg\":\"%s\"}", leg);
	desk_do(desk, "leg.answer", "{\"leg\":\"%s\"}", leg);
	await((*caller)->heard[TL_DIALOG_ANSWERED] && (*caller)->port);
	desk_do(desk, "bridge.create",
		"{\"bridge\":\"b\",\"kind\":\"voice\",\"members\":[{\"leg\":\"%s\"},{\"leg\":\"anna\",\"when_ends\":\"keep-others\"}]}", leg);
	return leg;
}

/* The page's digit, as events: the caller hears its tone. */
static void press(struct fake_browser *browser, struct far *caller, unsigned digit)
{
	uint8_t octets[TL_RTP_EVENT_OCTETS];
	unsigned before = caller->digits->len;
	for (unsigned i = 1; i <= 8; i++) {
		struct tl_rtp_event event = { .event = digit, .end = i >= 6, .volume = 10, .duration = MIN(i, 6) * 160 };
		tl_rtp_event_format(&event, octets);
		fake_browser_say(browser, EVENTS, browser->timestamp, octets, sizeof octets);
	}
	browser->timestamp += 8000;
	await(caller->digits->len > before);
	g_assert_cmpuint(caller->digits->len, ==, before + 1);
	g_assert_cmpint(caller->digits->str[before], ==, '0' + (int)digit);
}

static const char *bridge_of_anna(struct desk *desk, JsonObject **snapshot)
{
	int code;
	*snapshot = desk_try(desk, &code, "node.snapshot", "{}");
	JsonArray *legs = json_object_get_array_member(*snapshot, "legs");
	for (unsigned i = 0; i < json_array_get_length(legs); i++) {
		JsonObject *leg = json_array_get_object_element(legs, i);
		if (!strcmp(json_object_get_string_member(leg, "leg"), "anna"))
			return json_object_get_string_member_with_default(leg, "bridge", "");
	}
	return NULL;
}

static unsigned annas_facts(struct desk *desk, const char *fact)
{
	JsonArray *facts = desk_facts(desk, 0);
	unsigned n = facts_count(facts, fact, "anna");
	json_array_unref(facts);
	return n;
}

/* The caller's digits are told once, the page's are heard once; then the page is loaded again in mid-call. */
static void test_call_and_reload(struct rig *rig, gconstpointer data)
{
	struct fake_browser page, again;
	struct far *caller;
	struct desk *desk = desk_new(rig, "conductor", 1);
	JsonObject *snapshot;
	connect_page(rig, desk, &page);
	const char *leg = bridge_caller(rig, desk, &caller);
	press(&page, caller, 7);
	desk_do(desk, "leg.collect", "{\"leg\":\"%s\",\"collect\":\"c\",\"max\":2}", leg);
	tl_port_send_dtmf(caller->port, 1, "42", 80, 80);
	g_assert_cmpstr(json_object_get_string_member(desk_await(desk, "leg.collected", leg), "digits"), ==, "42");
	fake_browser_pump(&page);
	g_assert_cmpuint(page.packets, >, 0);

	connect_page(rig, desk, &again);
	g_assert_cmpstr(bridge_of_anna(desk, &snapshot), ==, "b");
	json_object_unref(snapshot);
	again.timestamp += 80000;
	press(&again, caller, 8);

	/* It goes and does not come back: the leg waits for it, and the caller stays. */
	g_clear_pointer(&again.dtls, tl_dtls_free);
	JsonObject *gone = desk_await(desk, "leg.disconnected", "anna");
	g_assert_cmpstr(json_object_get_string_member(gone, "why"), ==, "closed");
	g_assert_cmpint(json_object_get_int_member(gone, "grace_s"), ==, 1);
	g_assert_cmpint(json_object_get_int_member(desk_await(desk, "leg.ended", "anna"), "cause"), ==, TL_CAUSE_OUT_OF_ORDER);
	g_assert_null(bridge_of_anna(desk, &snapshot));
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(snapshot, "legs")), ==, 1);
	json_object_unref(snapshot);
	await(annas_facts(desk, "ended")); /* told before it is on the disk */
	g_assert_cmpuint(annas_facts(desk, "offered"), ==, 1);
	g_assert_cmpuint(annas_facts(desk, "answered"), ==, 1);
	g_assert_cmpuint(annas_facts(desk, "ended"), ==, 1);
	fake_browser_done(&page);
	fake_browser_done(&again);
	desk_free(desk);
}

static void test_refusals(struct rig *rig, gconstpointer data)
{
	struct fake_browser page;
	struct desk *desk = desk_new(rig, "conductor", 1);
	JsonObject *snapshot;
	int code;
	g_assert_null(desk_try(desk, &code, "leg.connect", "{\"leg\":\"anna\",\"sdp\":\"v=0\\r\\nm=audio 9 RTP/AVP 8\\r\\n\"}"));
	g_assert_cmpint(code, ==, -32602);
	g_assert_null(bridge_of_anna(desk, &snapshot));
	json_object_unref(snapshot);
	connect_page(rig, desk, &page);
	g_autofree char *offer = offer_of(&page);
	g_assert_null(desk_try(desk, &code, "leg.connect", "{\"leg\":\"bert\",\"sdp\":\"%s\"}", offer)); /* one place only */
	g_assert_cmpint(code, ==, -32007);
	desk_do(desk, "leg.candidate", "{\"leg\":\"anna\",\"candidate\":\"\"}");
	desk_do(desk, "leg.release", "{\"leg\":\"anna\"}");
	g_assert_cmpint(json_object_get_int_member(desk_await(desk, "leg.ended", "anna"), "cause"), ==, TL_CAUSE_NORMAL_CLEARING);
	fake_browser_done(&page);
	desk_free(desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/call-browser/call-and-reload", struct rig, NULL, set_up, test_call_and_reload, tear_down);
	g_test_add("/call-browser/refusals", struct rig, NULL, set_up, test_refusals, tear_down);
	return g_test_run();
}
