/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Digits through the whole engine: all sixteen, each way, in the audio and as RFC 4733 events, each press once. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media-rig.h"
#include "media/event.h"
#include "media/g711.h"

static const char all[] = "0123456789*#ABCD";

static void dial(struct rig *rig, struct tl_port *from, struct rig_log *log, uint64_t id)
{
	unsigned before = log->n_done;
	g_assert_cmpint(tl_port_send_dtmf(from, id, all, 60, 50), ==, 0);
	rig_step_until(rig, log->n_done > before, 16 * 12 + 20);
	g_assert_cmpuint(log->done[before], ==, id);
	g_assert_true(log->completed[before]);
	rig_step(rig, 60); /* what is on its way arrives; what would come twice would too */
}

static void test_in_band(void)
{
	struct rig rig;
	struct rig_log a_log = { 0 }, b_log = { 0 };
	rig_init(&rig);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.t1, 1, &a_log);
	struct tl_port *b = tl_port_new_timeslot(rig.media, rig.t1, 2, &b_log);
	fake_span_wire(rig.t1, 1, 2);
	tl_port_detect_dtmf(b, true);
	dial(&rig, a, &a_log, 7);
	g_assert_cmpstr(b_log.digits, ==, all);
	g_assert_cmpuint(b_log.last_digit_ms, >=, 40);
	tl_port_detect_dtmf(b, false);
	dial(&rig, a, &a_log, 8);
	g_assert_cmpuint(b_log.n_digits, ==, 16);
	/* Turned off in the midst of a press: it is forgotten when it is turned on again. */
	tl_port_detect_dtmf(b, true);
	tl_port_send_dtmf(a, 9, "5", 200, 50);
	rig_step(&rig, 12);
	tl_port_detect_dtmf(b, false);
	rig_step(&rig, 30);
	tl_port_detect_dtmf(b, true);
	tl_port_send_dtmf(a, 10, "6", 100, 50);
	rig_step(&rig, 30);
	g_assert_cmpuint(b_log.n_digits, ==, 17);
	g_assert_cmpint(b_log.digits[16], ==, '6');
	tl_port_free(a);
	tl_port_free(b);
	rig_done(&rig);
}

/* Keys pressed faster than they can be sent, each with a call of its own; a sound takes the place of what still waits. */
static void test_keys_wait_their_turn(void)
{
	struct rig rig;
	struct rig_log a_log = { 0 }, b_log = { 0 };
	rig_init(&rig);
	struct tl_port *a = tl_port_new_timeslot(rig.media, rig.t1, 1, &a_log);
	struct tl_port *b = tl_port_new_timeslot(rig.media, rig.t1, 2, &b_log);
	fake_span_wire(rig.t1, 1, 2);
	tl_port_detect_dtmf(b, true);
	for (const char *key = all; *key; key++) {
		g_assert_cmpint(tl_port_send_dtmf(a, key - all, (char[]){ *key, 0 }, 60, 60), ==, 0);
		rig_step(&rig, 1);
	}
	rig_step_until(&rig, a_log.n_done == 16, 16 * 12 + 1);
	rig_step(&rig, 10);
	g_assert_cmpstr(b_log.digits, ==, all);
	for (unsigned i = 0; i < 16; i++) {
		g_assert_cmpuint(a_log.done[i], ==, i);
		g_assert_true(a_log.completed[i]);
	}
	/* One plays, 32 wait, the 34th is one too many: it is told at once that it was not sent. */
	for (unsigned i = 0; i < 34; i++)
		g_assert_cmpint(tl_port_send_dtmf(a, 100 + i, "5", 60, 60), ==, 0);
	rig_step(&rig, 2);
	g_assert_cmpuint(a_log.n_done, ==, 17);
	g_assert_cmpuint(a_log.done[16], ==, 133);
	g_assert_false(a_log.completed[16]);
	g_assert_cmpint(tl_port_tone(a, 200, "de", TL_TONE_BUSY), ==, 0);
	rig_step(&rig, 2);
	g_assert_cmpuint(a_log.n_done, ==, 50);
	g_assert_cmpuint(a_log.done[49], ==, 132);
	g_assert_false(a_log.completed[49]);
	tl_port_free(a);
	tl_port_free(b);
	rig_done(&rig);
}

/* The agent's phone sends tones only; the trunk side must hear them as they are. */
static void test_in_band_over_rtp(void)
{
	struct rig rig;
	struct rig_log a_log = { 0 }, b_log = { 0 };
	struct tl_port *a, *b;
	rig_init(&rig);
	rig_rtp_pair(&rig, TL_LAW_ULAW, false, &a, &a_log, &b, &b_log);
	tl_port_detect_dtmf(b, true);
	tl_port_detect_dtmf(a, true);
	dial(&rig, a, &a_log, 7);
	g_assert_cmpstr(b_log.digits, ==, all);
	g_assert_cmpuint(a_log.n_digits, ==, 0);
	dial(&rig, b, &b_log, 8);
	g_assert_cmpstr(a_log.digits, ==, all);
	tl_port_free(a);
	tl_port_free(b);
	rig_done(&rig);
}

/* Events, and what a timeslot hears of them: E1 slot 3 - voice bridge - RTP b <- RTP a. Slot 3 is wired to slot 4. */
static void test_events(void)
{
	struct rig rig;
	struct rig_log a_log = { 0 }, b_log = { 0 }, far_log = { 0 };
	struct tl_port_counters counters;
	struct tl_port *a, *b;
	rig_init(&rig);
	rig_rtp_pair(&rig, TL_LAW_ULAW, true, &a, &a_log, &b, &b_log);
	struct tl_port *near = tl_port_new_timeslot(rig.media, rig.e1, 3, NULL);
	struct tl_port *far = tl_port_new_timeslot(rig.media, rig.e1, 4, &far_log);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, near);
	tl_bridge_add(bridge, b);
	fake_span_wire(rig.e1, 3, 4);
	tl_port_detect_dtmf(far, true);
	tl_port_detect_dtmf(b, true); /* a's audio is searched by nobody: events are told all the same */
	dial(&rig, a, &a_log, 7);
	g_assert_cmpstr(b_log.digits, ==, all);
	g_assert_cmpuint(b_log.last_digit_ms, ==, 60);
	g_assert_cmpstr(far_log.digits, ==, all);
	g_assert_cmpuint(a_log.n_digits, ==, 0);
	tl_port_counters(a, &counters);
	g_assert_cmpuint(counters.digits_sent, ==, 16);
	tl_port_counters(b, &counters);
	g_assert_cmpuint(counters.digits_received, ==, 16);
	dial(&rig, b, &b_log, 8);
	g_assert_cmpstr(a_log.digits, ==, all);
	tl_bridge_free(bridge);
	tl_port_free(a);
	tl_port_free(b);
	tl_port_free(near);
	tl_port_free(far);
	rig_done(&rig);
}

/* Events pass a bridge of two RTP legs as events: a -> b = c -> d. */
static void test_events_through(void)
{
	struct rig rig;
	struct rig_log a_log = { 0 }, d_log = { 0 };
	struct tl_port *a, *b, *c, *d;
	rig_init(&rig);
	rig_rtp_pair(&rig, TL_LAW_ULAW, true, &a, &a_log, &b, NULL);
	rig_rtp_pair(&rig, TL_LAW_ALAW, true, &c, NULL, &d, &d_log);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, b);
	tl_bridge_add(bridge, c);
	tl_port_detect_dtmf(d, true);
	dial(&rig, a, &a_log, 7);
	g_assert_cmpstr(d_log.digits, ==, all);
	g_assert_cmpuint(d_log.last_digit_ms, ==, 60); /* an event's exact length: not found in the audio */
	tl_port_mute(b, true);
	dial(&rig, a, &a_log, 8);
	g_assert_cmpuint(d_log.n_digits, ==, 16); /* muted: nobody hears it */
	tl_bridge_free(bridge);
	tl_port_free(a);
	tl_port_free(b);
	tl_port_free(c);
	tl_port_free(d);
	rig_done(&rig);
}

/* A phone that sends each digit both ways at once: tone in the audio, events beside it. Each press counts once. */
static void send_both(struct rig *rig, int fd, const struct sockaddr_in *to)
{
	uint8_t octets[92] = { 0 };
	uint16_t sequence = 100;
	for (unsigned tick = 0; tick < 16 * 12; tick++) {
		struct tl_event_packet packets[TL_EVENT_PACKETS_MAX];
		static struct tl_event_out out;
		static struct tl_oscillator oscillator;
		int16_t samples[80] = { 0 };
		int code = tick % 12 < 7 ? (int)tick / 12 : -1;
		if (tick % 12 == 0)
			tl_dtmf_tone(&oscillator, code);
		if (code >= 0)
			tl_oscillator_fill(&oscillator, samples, 80);
		tl_rtp_format(&(struct tl_rtp_packet){ .payload_type = 8, .sequence = sequence++, .timestamp = tick * 80,
						       .ssrc = 5 }, octets);
		tl_g711_encode(TL_LAW_ALAW, samples, octets + 12, 80);
		g_assert_cmpint(sendto(fd, octets, 92, 0, (const struct sockaddr *)to, sizeof *to), ==, 92);
		unsigned n = tl_event_out_tick(&out, code, tick * 80, 160, packets);
		for (unsigned i = 0; i < n; i++) {
			tl_rtp_format(&(struct tl_rtp_packet){ .payload_type = 101, .sequence = sequence++,
				.timestamp = packets[i].timestamp, .ssrc = 5 }, octets);
			tl_rtp_event_format(&packets[i].event, octets + 12);
			g_assert_cmpint(sendto(fd, octets, 16, 0, (const struct sockaddr *)to, sizeof *to), ==, 16);
		}
		rig_step(rig, 1);
	}
}

static void test_no_doubles(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	struct tl_rtp_side local;
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = { inet_addr(own_host()) } };
	struct tl_rtp_side remote = { .law = TL_LAW_ALAW, .dtmf_payload_type = 101, .sends = true, .receives = true };
	socklen_t length = sizeof own;
	rig_init(&rig);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&own, &length), ==, 0);
	struct tl_port *port = tl_port_new_rtp(rig.media, TL_LAW_ALAW, &local, &log, NULL);
	g_assert_nonnull(port);
	g_strlcpy(remote.host, own_host(), sizeof remote.host);
	remote.port = ntohs(own.sin_port);
	tl_port_set_remote(port, &remote);
	tl_port_detect_dtmf(port, true);
	own.sin_port = htons(local.port);
	rig_step(&rig, 1);
	send_both(&rig, fd, &own);
	rig_step(&rig, 40);
	g_assert_cmpstr(log.digits, ==, all);
	tl_port_free(port);
	rig_done(&rig);
	close(fd);
}

static void test_arguments(void)
{
	struct rig rig;
	rig_init(&rig);
	char many[66];
	memset(many, '1', 65);
	many[65] = '\0';
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, NULL);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "", 60, 60), ==, -EINVAL);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "12x", 60, 60), ==, -EINVAL);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "1", 10, 60), ==, -EINVAL);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "1", 60, 10), ==, -EINVAL);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, many, 60, 60), ==, -ENOSPC);
	tl_port_free(port);
	rig_done(&rig);
}

static void test_pause(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	rig_init(&rig);
	struct tl_port *port = tl_port_new_timeslot(rig.media, rig.e1, 1, &log);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "1w2", 60, 60), ==, 0);
	rig_step(&rig, 80);
	const uint8_t *sent = fake_span_sent(rig.e1, 1);
	for (unsigned tick = 0; tick < 80; tick++) {
		bool silent = sent[tick * 80 + 40] == 0xd5 && sent[tick * 80 + 47] == 0xd5 && sent[tick * 80 + 51] == 0xd5;
		bool sounds = tick < 6 || (tick >= 62 && tick < 68);
		g_assert_cmpint(silent, ==, !sounds);
	}
	g_assert_cmpuint(log.n_done, ==, 1);
	tl_port_free(port);
	rig_done(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-dtmf/in-band", test_in_band);
	g_test_add_func("/media-dtmf/keys-wait", test_keys_wait_their_turn);
	g_test_add_func("/media-dtmf/in-band-over-rtp", test_in_band_over_rtp);
	g_test_add_func("/media-dtmf/events", test_events);
	g_test_add_func("/media-dtmf/events-through", test_events_through);
	g_test_add_func("/media-dtmf/no-doubles", test_no_doubles);
	g_test_add_func("/media-dtmf/arguments", test_arguments);
	g_test_add_func("/media-dtmf/pause", test_pause);
	return g_test_run();
}
