/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Digits as tones against SpanDSP's generator and detector, and as RFC 4733 events with all that packets suffer. */
#include <glib.h>
#include <spandsp.h>
#include <string.h>

#include "media/event.h"

static const char all[] = "0123456789*#ABCD";

/* Our tones, our detector: 50 ms on, 50 ms off (Q.24 asks for 40/40). */
static void test_own_tones(void)
{
	struct tl_dtmf_detector *detector = tl_dtmf_detector_new();
	GString *heard = g_string_new(NULL);
	for (unsigned i = 0; i < 16; i++) {
		struct tl_oscillator oscillator;
		tl_dtmf_tone(&oscillator, tl_dtmf_code(all[i]));
		for (unsigned block = 0; block < 10; block++) {
			int16_t samples[80] = { 0 };
			struct tl_dtmf_press press;
			if (block < 5)
				tl_oscillator_fill(&oscillator, samples, 80);
			if (tl_dtmf_detector_hear(detector, samples, 80, &press)) {
				g_string_append_c(heard, press.digit);
				g_assert_cmpuint(press.duration_ms, >=, 20);
				g_assert_cmpuint(press.duration_ms, <=, 80);
			}
		}
	}
	g_assert_cmpstr(heard->str, ==, all);
	g_string_free(heard, TRUE);
	tl_dtmf_detector_free(detector);
}

static void test_spandsp_tones(void)
{
	struct tl_dtmf_detector *detector = tl_dtmf_detector_new();
	dtmf_tx_state_t *tx = dtmf_tx_init(NULL);
	GString *heard = g_string_new(NULL);
	g_assert_cmpint(dtmf_tx_put(tx, all, -1), ==, 0); /* digits that did not fit */
	for (unsigned block = 0; block < 200; block++) {
		int16_t samples[80] = { 0 };
		struct tl_dtmf_press press;
		dtmf_tx(tx, samples, 80);
		if (tl_dtmf_detector_hear(detector, samples, 80, &press))
			g_string_append_c(heard, press.digit);
	}
	g_assert_cmpstr(heard->str, ==, all);
	g_string_free(heard, TRUE);
	dtmf_tx_free(tx);
	tl_dtmf_detector_free(detector);
}

static void test_codes(void)
{
	for (unsigned i = 0; i < 16; i++) {
		g_assert_cmpint(tl_dtmf_code(all[i]), ==, i);
		g_assert_cmpint(tl_dtmf_digit(i), ==, all[i]);
	}
	g_assert_cmpint(tl_dtmf_code('d'), ==, 15);
	g_assert_cmpint(tl_dtmf_code('w'), ==, -1);
	g_assert_cmpint(tl_dtmf_code('\0'), ==, -1);
}

/* ---- events ---- */

static unsigned hear(struct tl_event_in *in, uint32_t timestamp, unsigned code, bool end, unsigned duration,
		     struct tl_dtmf_press *presses)
{
	return tl_event_in_hear(in, timestamp, &(struct tl_rtp_event){ code, end, 10, duration }, presses);
}

static void test_event_in_once(void)
{
	struct tl_event_in in = { 0 };
	struct tl_dtmf_press presses[2];
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, false, 160, presses), ==, 0);
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, false, 320, presses), ==, 0);
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, true, 800, presses), ==, 1);
	g_assert_cmpint(presses[0].digit, ==, '5');
	g_assert_cmpuint(presses[0].duration_ms, ==, 100);
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, true, 800, presses), ==, 0);  /* the end's repetitions */
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, false, 640, presses), ==, 0); /* came late */
	g_assert_cmpuint(hear(&in, 0x00000900, 5, true, 400, presses), ==, 1);  /* the same key again; only its end came */
	g_assert_cmpuint(hear(&in, 0xfffffff0, 5, true, 800, presses), ==, 0);  /* the first one, later still */
	g_assert_cmpuint(hear(&in, 0x00001200, 16, true, 400, presses), ==, 0); /* a hook flash is no digit */
}

static void test_event_in_lost_ends(void)
{
	struct tl_event_in in = { 0 };
	struct tl_dtmf_press presses[2];
	unsigned ticks = 0;
	g_assert_cmpuint(hear(&in, 1000, 1, false, 160, presses), ==, 0);
	g_assert_cmpuint(hear(&in, 3000, 2, true, 480, presses), ==, 2);
	g_assert_cmpint(presses[0].digit, ==, '1');
	g_assert_cmpint(presses[1].digit, ==, '2');
	g_assert_cmpuint(hear(&in, 5000, 3, false, 160, presses), ==, 0);
	while (!tl_event_in_tick(&in, presses))
		g_assert_cmpuint(++ticks, <, 100);
	g_assert_cmpint(presses[0].digit, ==, '3');
	g_assert_cmpuint(hear(&in, 5000, 3, true, 480, presses), ==, 0); /* its end after all */
}

/* RFC 4733 2.5.1.3: a press of over 8 s comes in segments and is one press. */
static void test_event_in_long(void)
{
	struct tl_event_in in = { 0 };
	struct tl_dtmf_press presses[2];
	g_assert_cmpuint(hear(&in, 100, 7, false, 0xffff, presses), ==, 0);
	g_assert_cmpuint(hear(&in, 100 + 0xffff, 7, false, 160, presses), ==, 0);
	g_assert_cmpuint(hear(&in, 100 + 0xffff, 7, true, 14465, presses), ==, 1);
	g_assert_cmpuint(presses[0].duration_ms, ==, 10000);
}

/* The tone in the audio's place: long enough, apart, in order, also when presses come faster than they sound. */
static void test_event_in_tone(void)
{
	struct tl_event_in in = { 0 };
	struct tl_dtmf_press presses[2];
	GString *sounded = g_string_new(NULL);
	hear(&in, 100, 1, true, 80, presses);
	hear(&in, 300, 1, true, 80, presses);
	hear(&in, 500, 2, false, 80, presses);
	for (unsigned i = 0; i < 40; i++) {
		int code = tl_event_in_tone(&in);
		g_string_append_c(sounded, code < 0 ? '.' : tl_dtmf_digit(code));
		if (i == 30)
			hear(&in, 500, 2, true, 1200, presses);
	}
	g_assert_cmpstr(sounded->str, ==, "111111.....111111.....222222222222222...");
	g_string_free(sounded, TRUE);
}

/* A flood of presses neither overflows the queue nor loses a report. */
static void test_event_in_flood(void)
{
	struct tl_event_in in = { 0 };
	struct tl_dtmf_press presses[2];
	unsigned n = 0;
	for (unsigned i = 0; i < 100; i++)
		n += hear(&in, 1 + i * 80, i % 16, true, 80, presses);
	g_assert_cmpuint(n, ==, 100);
	unsigned tones = 0;
	for (unsigned i = 0, before = 0; i < 1000; i++) {
		bool sounds = tl_event_in_tone(&in) >= 0;
		tones += sounds && !before;
		before = sounds;
	}
	g_assert_cmpuint(tones, ==, TL_EVENT_QUEUE);
}

/* What one end sends, the other reads: every packet kind in its place. */
static void test_event_out(void)
{
	struct tl_event_out out = { 0 };
	struct tl_event_packet packets[TL_EVENT_PACKETS_MAX];
	unsigned sent = 0, ends = 0, markers = 0, last = 0;
	for (unsigned tick = 0; tick < 20; tick++) {
		unsigned n = tl_event_out_tick(&out, tick < 10 ? 11 : -1, 5000 + tick * 80, 160, packets);
		for (unsigned i = 0; i < n; i++) {
			g_assert_cmpuint(packets[i].timestamp, ==, 5000);
			g_assert_cmpuint(packets[i].event.event, ==, 11);
			g_assert_cmpuint(packets[i].event.duration, >=, last);
			last = packets[i].event.duration;
			markers += packets[i].marker;
			ends += packets[i].event.end;
			sent++;
		}
	}
	g_assert_cmpuint(markers, ==, 1);
	g_assert_cmpuint(ends, ==, 3);
	g_assert_cmpuint(last, ==, 800);
	g_assert_cmpuint(sent, ==, 5 + 3);
}

static void test_event_there_and_back(void)
{
	struct tl_event_out out = { 0 };
	struct tl_event_in in = { 0 };
	GString *heard = g_string_new(NULL);
	struct tl_event_packet packets[TL_EVENT_PACKETS_MAX];
	struct tl_dtmf_press presses[2];
	for (unsigned tick = 0; tick < 16 * 10 + 10; tick++) {
		int code = tick < 160 && tick % 10 < 9 ? (int)tick / 10 : -1; /* one tick apart: ends overlap beginnings */
		unsigned n = tl_event_out_tick(&out, code, tick * 80, 160, packets);
		for (unsigned i = 0; i < n; i++) {
			unsigned m = tl_event_in_hear(&in, packets[i].timestamp, &packets[i].event, presses);
			for (unsigned p = 0; p < m; p++) {
				g_string_append_c(heard, presses[p].digit);
				g_assert_cmpuint(presses[p].duration_ms, ==, 90);
			}
		}
	}
	g_assert_cmpstr(heard->str, ==, all);
	g_string_free(heard, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtmf/own-tones", test_own_tones);
	g_test_add_func("/dtmf/spandsp-tones", test_spandsp_tones);
	g_test_add_func("/dtmf/codes", test_codes);
	g_test_add_func("/dtmf/event-in-once", test_event_in_once);
	g_test_add_func("/dtmf/event-in-lost-ends", test_event_in_lost_ends);
	g_test_add_func("/dtmf/event-in-long", test_event_in_long);
	g_test_add_func("/dtmf/event-in-tone", test_event_in_tone);
	g_test_add_func("/dtmf/event-in-flood", test_event_in_flood);
	g_test_add_func("/dtmf/event-out", test_event_out);
	g_test_add_func("/dtmf/event-there-and-back", test_event_there_and_back);
	return g_test_run();
}
