/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Browsers at the hub of a real media engine: the far end does ICE, DTLS and
 * SRTP of its own (fake-browser.c), the near end is a timeslot or the port itself.
 */
#include <string.h>
#include <unistd.h>

#include "fake-browser.h"
#include "media-rig.h"
#include "media/rtcp.h"
#include "media/rtp.h"

#define TICKS_MAX 20000
#define EVENTS 110 /* payload type, as Chromium has it */

struct call {
	struct rig rig;
	struct rig_log log;
	struct tl_port *port;
	struct fake_browser browser;
	struct tl_transport_side answer;
};

static const struct tl_rtp_side side = { .law = TL_LAW_ALAW, .dtmf_payload_type = EVENTS, .ptime_ms = 20,
					 .sends = true, .receives = true };

/* A port of its own for each process: IPv6 has only one loopback address. */
static unsigned udp_port(void)
{
	return 40000 + getpid() % 20000;
}

static void connect_port(struct call *call)
{
	struct tl_fingerprint peer = fake_browser_fingerprint(&call->browser);
	GError *error = NULL;
	tl_port_connect_browser(call->port, &peer, &call->answer, &error);
	g_assert_no_error(error);
	tl_port_set_remote(call->port, &side);
}

static void step(struct call *call)
{
	rig_step(&call->rig, 1);
	fake_browser_pump(&call->browser);
}

static void step_until_up(struct call *call)
{
	unsigned before = call->log.links[TL_LINK_UP];
	for (unsigned i = 0; call->log.links[TL_LINK_UP] == before || !call->browser.send; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		if (i % 50 == 0)
			fake_browser_check(&call->browser, true);
		step(call);
	}
}

static void begin_at(struct call *call, const char *host, unsigned consent_ms)
{
	const char *addresses[] = { own_host(), "::1", NULL };
	struct tl_browser_config config = { .port = udp_port(), .addresses = addresses, .consent_ms = consent_ms,
					    .sessions_max = 3 };
	GError *error = NULL;
	*call = (struct call){ 0 };
	rig_init_browsers(&call->rig, &config);
	fake_browser_init(&call->browser, host);
	call->port = tl_port_new_browser(call->rig.media, TL_LAW_ALAW, &call->log, &error);
	g_assert_no_error(error);
	connect_port(call);
	fake_browser_aim(&call->browser, &call->answer, strchr(host, ':') ? 1 : 0, true);
	step_until_up(call);
}

static void begin(struct call *call)
{
	begin_at(call, own_host(), 0);
}

static void end(struct call *call)
{
	tl_port_free(call->port);
	rig_done(&call->rig);
	fake_browser_done(&call->browser);
}

static struct tl_port_counters counters_of(const struct tl_port *port)
{
	struct tl_port_counters counters;
	tl_port_counters(port, &counters);
	return counters;
}

static struct tl_media_counters media_of(const struct call *call)
{
	struct tl_media_counters counters;
	tl_media_counters(call->rig.media, &counters);
	return counters;
}

/* ---- audio ---- */

/* The octets that the browser heard, one after the other. */
static void gather(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user)
{
	struct tl_rtp_packet packet;
	g_assert_cmpint(tl_rtp_parse(octets, n, &packet), ==, 0);
	g_assert_cmpuint(packet.payload_type, ==, TL_RTP_PAYLOAD_PCMA);
	g_byte_array_append(user, packet.payload, packet.payload_octets);
}

static void say(struct call *call, const uint8_t *octets, size_t n)
{
	for (size_t at = 0; at + 160 <= n; at += 160) {
		fake_browser_say(&call->browser, TL_RTP_PAYLOAD_PCMA, call->browser.timestamp, octets + at, 160);
		call->browser.timestamp += 160;
		step(call);
		step(call);
	}
}

#define SPEECH 16000

/* A timeslot and a browser of one law: every octet passes as it is, both ways, through SRTP. */
static void pass_both_ways(const char *host)
{
	struct call call;
	uint8_t *ours = noise_new(SPEECH, 7), *theirs = noise_new(SPEECH, 9);
	GByteArray *heard = g_byte_array_new();
	begin_at(&call, host, 0);
	struct tl_port *slot = tl_port_new_timeslot(call.rig.media, call.rig.e1, 5, NULL);
	struct tl_bridge *bridge = tl_bridge_new(call.rig.media, TL_BRIDGE_CLEAR);
	g_assert_cmpint(tl_bridge_add(bridge, slot), ==, 0);
	g_assert_cmpint(tl_bridge_add(bridge, call.port), ==, 0);
	call.browser.on_packet = gather;
	call.browser.user = heard;
	fake_span_say(call.rig.e1, 5, ours, SPEECH);
	unsigned began = fake_span_done(call.rig.e1);
	say(&call, theirs, SPEECH);
	for (unsigned i = 0; i < 20; i++)
		step(&call);
	g_assert_cmpint(noise_find(heard->data, heard->len, ours, SPEECH - 800), >=, 0);
	const uint8_t *sent = fake_span_sent(call.rig.e1, 5) + began * 80;
	g_assert_cmpint(noise_find(sent, (fake_span_done(call.rig.e1) - began) * 80, theirs, SPEECH), >=, 0);
	struct tl_port_counters counters = counters_of(call.port);
	g_assert_cmpuint(counters.packets_received, ==, SPEECH / 160);
	g_assert_cmpuint(counters.refused + counters.lost + counters.duplicate, ==, 0);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	end(&call);
	g_byte_array_unref(heard);
	g_free(ours);
	g_free(theirs);
}

static void test_audio(void)
{
	pass_both_ways(own_host());
}

static void test_audio_v6(void)
{
	pass_both_ways("::1");
}

/* ---- digits ---- */

static void press(struct call *call, unsigned event, unsigned ms)
{
	uint8_t octets[TL_RTP_EVENT_OCTETS];
	struct tl_rtp_event e = { .event = event, .volume = 10 };
	for (unsigned sent = 0, ends = 0; ends < 3; ends += e.end) {
		sent = MIN(sent + 20, ms);
		e.duration = sent * 8;
		e.end = sent == ms;
		tl_rtp_event_format(&e, octets);
		fake_browser_say(&call->browser, EVENTS, call->browser.timestamp, octets, sizeof octets);
		step(call);
		step(call);
	}
	call->browser.timestamp += ms * 8 + 800;
	for (unsigned i = 0; i < 10; i++)
		step(call);
}

struct events {
	unsigned packets, ends, audio, code;
};

static void note_event(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user)
{
	struct events *events = user;
	struct tl_rtp_packet packet;
	struct tl_rtp_event event;
	g_assert_cmpint(tl_rtp_parse(octets, n, &packet), ==, 0);
	if (packet.payload_type != EVENTS) {
		events->audio += events->packets && !events->ends;
		return;
	}
	g_assert_cmpint(tl_rtp_event_parse(packet.payload, packet.payload_octets, &event), ==, 0);
	events->packets++;
	events->ends += event.end;
	events->code = event.event;
}

/* Each press once, both ways, though it comes in several packets and would be heard in the audio as well. */
static void test_digits(void)
{
	struct call call;
	struct events events = { 0 };
	struct rig_log far_log = { 0 };
	begin(&call);
	tl_port_detect_dtmf(call.port, true);
	struct tl_port *slot = tl_port_new_timeslot(call.rig.media, call.rig.e1, 5, NULL);
	struct tl_port *far = tl_port_new_timeslot(call.rig.media, call.rig.e1, 6, &far_log);
	struct tl_bridge *bridge = tl_bridge_new(call.rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, call.port);
	fake_span_wire(call.rig.e1, 5, 6);
	tl_port_detect_dtmf(far, true);
	for (unsigned event = 0; event < 12; event++)
		press(&call, event, 100);
	for (unsigned i = 0; i < 50; i++)
		step(&call);
	g_assert_cmpstr(call.log.digits, ==, "0123456789*#");
	g_assert_cmpstr(far_log.digits, ==, "0123456789*#"); /* the trunk hears tones */
	call.browser.on_packet = note_event;
	call.browser.user = &events;
	g_assert_cmpint(tl_port_send_dtmf(call.port, 1, "#", 100, 100), ==, 0);
	for (unsigned i = 0; i < 40; i++)
		step(&call);
	g_assert_cmpuint(events.code, ==, 11);
	g_assert_cmpuint(events.ends, ==, 3);
	g_assert_cmpuint(events.audio, ==, 0);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	tl_port_free(far);
	end(&call);
}

/* ---- reports ---- */

static void test_reports(void)
{
	struct call call;
	uint8_t payload[160] = { 0 }, octets[TL_RTCP_OCTETS_MAX + TL_SRTP_GROWTH_MAX];
	struct tl_rtcp_report report;
	begin(&call);
	for (unsigned i = 0; i < 100; i++) {
		if (i % 10 == 5) /* every tenth is lost */
			call.browser.sequence++;
		else
			fake_browser_say(&call.browser, TL_RTP_PAYLOAD_PCMA, call.browser.timestamp, payload, 160);
		call.browser.timestamp += 160;
		step(&call);
		step(&call);
	}
	unsigned before = call.browser.reports;
	for (unsigned i = 0; call.browser.reports == before; i++) {
		g_assert_cmpuint(i, <, 2000);
		step(&call);
	}
	g_assert_cmpint(tl_rtcp_parse(call.browser.report, call.browser.n_report, call.browser.ssrc, &report), ==, 0);
	g_assert_true(report.has_sender && report.has_block);
	g_assert_cmphex(report.ssrc, ==, call.answer.ssrc);
	g_assert_cmpint(report.block.lost, ==, 10);
	g_assert_cmpuint(counters_of(call.port).lost, ==, 10);
	struct tl_rtcp_report ours = { .ssrc = call.browser.ssrc, .has_block = true,
				       .block = { .ssrc = call.answer.ssrc, .lost = 17 } };
	fake_browser_report(&call.browser, octets, tl_rtcp_format(&ours, "fake", octets));
	step(&call);
	step(&call);
	g_assert_cmpuint(counters_of(call.port).remote_lost, ==, 17);
	end(&call);
}

/* ---- coming, going and coming again ---- */

/* The page's network changes: media follow the nomination at once, the old address is good for what is on its way. */
static void test_address_change(void)
{
	struct call call;
	begin(&call);
	unsigned before = call.browser.packets;
	fake_browser_move(&call.browser, own_host());
	fake_browser_check(&call.browser, true);
	step(&call);
	unsigned answered = call.browser.checks_answered;
	for (unsigned i = 0; i < 20; i++)
		step(&call);
	g_assert_cmpuint(call.browser.checks_answered, >=, answered);
	g_assert_cmpuint(call.browser.packets - before, >=, 9);
	uint8_t payload[160] = { 0 };
	fake_browser_say(&call.browser, TL_RTP_PAYLOAD_PCMA, 0, payload, 160);
	step(&call);
	g_assert_cmpuint(counters_of(call.port).packets_received, ==, 1);
	g_assert_cmpuint(call.log.n_links, ==, 1); /* nobody was told of a gap */
	end(&call);
}

static void test_ice_restart(void)
{
	struct call call;
	begin(&call);
	struct tl_transport_side before = call.answer;
	g_assert_true(tl_port_restart_browser(call.port, &call.answer));
	g_assert_cmpstr(before.ufrag, !=, call.answer.ufrag);
	g_assert_cmpstr(before.fingerprint, ==, call.answer.fingerprint);
	unsigned packets = call.browser.packets;
	for (unsigned i = 0; i < 20; i++) /* before the new checks begin: media go on */
		step(&call);
	g_assert_cmpuint(call.browser.packets - packets, >=, 9);
	unsigned refused = call.browser.checks_refused;
	fake_browser_check(&call.browser, true); /* with the old secret */
	step(&call);
	step(&call);
	g_assert_cmpuint(call.browser.checks_refused, ==, refused + 1);
	fake_browser_move(&call.browser, own_host());
	fake_browser_aim(&call.browser, &call.answer, 0, false);
	fake_browser_check(&call.browser, true);
	packets = call.browser.packets;
	for (unsigned i = 0; i < 20; i++)
		step(&call);
	g_assert_cmpuint(call.browser.packets - packets, >=, 9);
	g_assert_cmpuint(call.log.n_links, ==, 1);
	end(&call);
}

/* A page that is loaded again is another browser in the same bridge; what the former one still sends is nobody's. */
static void test_reload(void)
{
	struct call call;
	struct fake_browser former;
	begin(&call);
	struct tl_port *slot = tl_port_new_timeslot(call.rig.media, call.rig.e1, 5, NULL);
	struct tl_bridge *bridge = tl_bridge_new(call.rig.media, TL_BRIDGE_VOICE);
	uint8_t *theirs = noise_new(SPEECH, 9);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, call.port);
	former = call.browser;
	fake_browser_init(&call.browser, own_host());
	connect_port(&call);
	fake_browser_aim(&call.browser, &call.answer, 0, true);
	step_until_up(&call);
	uint64_t strangers = media_of(&call).browser_strangers;
	fake_browser_say(&former, TL_RTP_PAYLOAD_PCMA, 0, theirs, 160);
	step(&call);
	step(&call);
	g_assert_cmpuint(media_of(&call).browser_strangers, ==, strangers + 1);
	unsigned began = fake_span_done(call.rig.e1);
	say(&call, theirs, SPEECH);
	for (unsigned i = 0; i < 20; i++)
		step(&call);
	const uint8_t *sent = fake_span_sent(call.rig.e1, 5) + began * 80;
	g_assert_cmpint(noise_find(sent, (fake_span_done(call.rig.e1) - began) * 80, theirs, SPEECH), >=, 0);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	fake_browser_done(&former);
	end(&call);
	g_free(theirs);
}

/* Consent is a matter of the clock's time: the only one that this test has to wait for. */
static void test_consent(void)
{
	struct call call;
	begin_at(&call, own_host(), 300);
	rig_step_until(&call.rig, call.log.links[TL_LINK_CONSENT] == 1, 10 * TICKS_MAX);
	fake_browser_pump(&call.browser);
	unsigned packets = call.browser.packets;
	for (unsigned i = 0; i < 10; i++)
		step(&call);
	g_assert_cmpuint(call.browser.packets, ==, packets);
	step_until_up(&call);
	g_assert_cmpuint(call.log.links[TL_LINK_UP], ==, 2);
	end(&call);
}

static void test_goodbye(void)
{
	struct call call;
	begin(&call);
	g_clear_pointer(&call.browser.dtls, tl_dtls_free);
	rig_step_until(&call.rig, call.log.links[TL_LINK_CLOSED] == 1, TICKS_MAX);
	g_assert_false(tl_port_restart_browser(call.port, &call.answer));
	end(&call);
}

static void test_wrong_certificate(void)
{
	struct call call = { 0 };
	struct fake_browser other;
	const char *addresses[] = { own_host(), NULL };
	struct tl_browser_config config = { .port = udp_port(), .addresses = addresses };
	rig_init_browsers(&call.rig, &config);
	fake_browser_init(&call.browser, own_host());
	fake_browser_init(&other, own_host());
	call.port = tl_port_new_browser(call.rig.media, TL_LAW_ALAW, &call.log, NULL);
	connect_port(&call);
	fake_browser_aim(&other, &call.answer, 0, true);
	fake_browser_check(&other, true);
	for (unsigned i = 0; !call.log.links[TL_LINK_FAILED]; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		rig_step(&call.rig, 1);
		fake_browser_pump(&other);
	}
	g_assert_cmpuint(call.log.links[TL_LINK_UP], ==, 0);
	g_assert_nonnull(strstr(call.log.link_text, "certificate"));
	fake_browser_done(&other);
	end(&call);
}

/* ---- strangers ---- */

static void send_garbage(struct call *call, struct fake_browser *stranger, unsigned i)
{
	uint8_t octets[200];
	for (unsigned k = 0; k < sizeof octets; k++)
		octets[k] = g_random_int();
	static const uint8_t first[] = { 0x00, 0x16, 0x80, 0x80, 0xff };
	octets[0] = first[i % G_N_ELEMENTS(first)];
	octets[1] = i % 3 ? octets[1] : 200;
	fake_browser_send_raw(stranger, octets, 1 + i % sizeof octets);
}

/* Garbage of every kind, forged checks, replays and forged packets, while a call goes on: counted, and the call unharmed. */
static void test_strangers(void)
{
	struct call call;
	struct fake_browser stranger;
	uint8_t *theirs = noise_new(SPEECH, 9), octets[256], copy[256];
	begin(&call);
	struct tl_port *slot = tl_port_new_timeslot(call.rig.media, call.rig.e1, 5, NULL);
	struct tl_bridge *bridge = tl_bridge_new(call.rig.media, TL_BRIDGE_CLEAR);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, call.port);
	fake_browser_init(&stranger, own_host());
	stranger.to = call.browser.to;
	g_snprintf(stranger.username, sizeof stranger.username, "%s:fake", call.answer.ufrag);
	tl_hmac_key_init(&stranger.password, "wrong", 5);
	unsigned began = fake_span_done(call.rig.e1);
	for (size_t at = 0, i = 0; at + 160 <= SPEECH; at += 160) {
		struct tl_rtp_packet packet = { .payload_type = TL_RTP_PAYLOAD_PCMA, .sequence = call.browser.sequence++,
						.timestamp = call.browser.timestamp, .ssrc = call.browser.ssrc };
		size_t n = TL_RTP_HEADER_OCTETS + 160;
		tl_rtp_format(&packet, octets);
		memcpy(octets + TL_RTP_HEADER_OCTETS, theirs + at, 160);
		g_assert_cmpint(tl_srtp_protect(call.browser.send, octets, &n, sizeof octets), ==, 0);
		memcpy(copy, octets, n);
		copy[n - 1] ^= 1;
		fake_browser_send_raw(&call.browser, copy, n);   /* tampered with */
		fake_browser_send_raw(&call.browser, octets, n);
		fake_browser_send_raw(&call.browser, octets, n); /* again */
		fake_browser_send_raw(&stranger, octets, n);     /* from elsewhere */
		for (unsigned k = 0; k < 20; k++, i++)
			send_garbage(&call, &stranger, i);
		fake_browser_check(&stranger, true);
		call.browser.timestamp += 160;
		step(&call);
		step(&call);
	}
	for (unsigned i = 0; i < 20; i++)
		step(&call);
	const uint8_t *sent = fake_span_sent(call.rig.e1, 5) + began * 80;
	g_assert_cmpint(noise_find(sent, (fake_span_done(call.rig.e1) - began) * 80, theirs, SPEECH), >=, 0);
	struct tl_port_counters counters = counters_of(call.port);
	struct tl_media_counters media = media_of(&call);
	g_assert_cmpuint(counters.packets_received, ==, SPEECH / 160);
	g_assert_cmpuint(counters.refused, ==, 2 * SPEECH / 160);
	g_assert_cmpuint(media.browser_checks_refused, >=, SPEECH / 160);
	g_assert_cmpuint(media.browser_strangers, >=, SPEECH / 160);
	g_assert_cmpuint(media.browser_malformed, >, 0);
	g_assert_cmpuint(call.log.n_links, ==, 1);
	fake_browser_done(&stranger);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	end(&call);
	g_free(theirs);
}

static void test_limit(void)
{
	struct call call;
	GError *error = NULL;
	begin(&call);
	struct tl_port *two = tl_port_new_browser(call.rig.media, TL_LAW_ALAW, NULL, &error);
	struct tl_port *three = tl_port_new_browser(call.rig.media, TL_LAW_ALAW, NULL, &error);
	g_assert_no_error(error);
	g_assert_null(tl_port_new_browser(call.rig.media, TL_LAW_ALAW, NULL, &error));
	g_assert_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS);
	g_error_free(error);
	tl_port_free(two);
	tl_port_free(three);
	end(&call);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-browser/audio", test_audio);
	g_test_add_func("/media-browser/audio-v6", test_audio_v6);
	g_test_add_func("/media-browser/digits", test_digits);
	g_test_add_func("/media-browser/reports", test_reports);
	g_test_add_func("/media-browser/address-change", test_address_change);
	g_test_add_func("/media-browser/ice-restart", test_ice_restart);
	g_test_add_func("/media-browser/reload", test_reload);
	g_test_add_func("/media-browser/consent", test_consent);
	g_test_add_func("/media-browser/goodbye", test_goodbye);
	g_test_add_func("/media-browser/wrong-certificate", test_wrong_certificate);
	g_test_add_func("/media-browser/strangers", test_strangers);
	g_test_add_func("/media-browser/limit", test_limit);
	return g_test_run();
}
