/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Media on real spans: an E1 pseudowire whose two ends are in one engine, run by the clock. */
#include <glib.h>
#include <string.h>

#include "base/thread.h"
#include "media/media.h"
#include "noise.h"
#include "own-host.h"

struct ends {
	struct tl_media *media;
	struct tl_span *near, *far;
};

static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *user)
{
	g_string_append_c(user, digit);
}

static struct tl_span *open_end(const char *name, unsigned local_port, unsigned remote_port, enum tl_clock_mode clock)
{
	GError *error = NULL;
	const struct tl_span_config config = {
		.name = name, .kind = TL_SPAN_E1, .law = TL_LAW_ALAW, .clock_domain = "test", .d_channel = 16,
		.pseudowire = { .local_host = own_host(), .local_port = local_port, .remote_host = own_host(),
				.remote_port = remote_port, .frames = 8, .jitter_ms = 60, .clock = clock },
	};
	struct tl_span *span = tl_span_new(&config, &error);
	g_assert_no_error(error);
	return span;
}

static void open_ends(struct ends *ends)
{
	static const struct tl_media_handler handler = { .on_digit = on_digit };
	const struct tl_media_config config = { .rtp_host = own_host(), .rtp_port_min = 33000, .rtp_port_max = 33999,
						.jitter_min_ms = 60, .jitter_max_ms = 200, .max_ports = 64 };
	GError *error = NULL;
	tl_thread_become_main();
	ends->media = tl_media_new(&config, &handler, &error);
	g_assert_no_error(error);
	ends->near = open_end("near", 34000, 34001, TL_CLOCK_LOCAL);
	ends->far = open_end("far", 34001, 34000, TL_CLOCK_LOCAL);
	tl_media_add_span(ends->media, ends->near);
	tl_media_add_span(ends->media, ends->far);
}

static void close_ends(struct ends *ends)
{
	tl_media_remove_span(ends->media, ends->near);
	tl_media_remove_span(ends->media, ends->far);
	tl_media_free(ends->media);
	tl_span_free(ends->near);
	tl_span_free(ends->far);
}

/* Octets played on every bearer at one end are recorded at the other, each timeslot its own. */
static void test_octets(void)
{
	struct ends ends;
	struct tl_port *from[31] = { 0 }, *to[31] = { 0 };
	uint8_t *noise[31] = { 0 };
	GByteArray *heard[31] = { 0 };
	open_ends(&ends);
	for (unsigned slot = 1; slot < 31; slot++) {
		if (!tl_span_is_bearer(ends.near, slot))
			continue;
		noise[slot] = noise_new(4000, slot);
		heard[slot] = g_byte_array_new();
		from[slot] = tl_port_new_timeslot(ends.media, ends.near, slot, NULL);
		to[slot] = tl_port_new_timeslot(ends.media, ends.far, slot, NULL);
		tl_port_record(to[slot], 20);
		struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, noise[slot], 4000);
		tl_port_play(from[slot], 1, &sound, 1, 0);
		tl_sound_unref(sound);
	}
	/* A slip on a busy machine moves the octets on; the next round of the loop is whole again. */
	for (unsigned slot = 1; slot < 31; slot++) {
		uint8_t block[TL_BLOCK_OCTETS];
		while (noise[slot] && noise_find(heard[slot]->data, heard[slot]->len, noise[slot], 4000) < 0) {
			g_assert_cmpuint(heard[slot]->len, <, 8000 * 60);
			g_main_context_iteration(NULL, FALSE);
			if (tl_port_recorded(to[slot], block))
				g_byte_array_append(heard[slot], block, sizeof block);
			else
				g_usleep(2000);
		}
	}
	for (unsigned slot = 1; slot < 31; slot++) {
		tl_port_free(from[slot]);
		tl_port_free(to[slot]);
		g_free(noise[slot]);
		if (heard[slot])
			g_byte_array_unref(heard[slot]);
	}
	close_ends(&ends);
}

/*
 * The far end keeps the time, the node's span is in clock mode loop and drives its tick: what the far end says on one
 * timeslot comes back on another, octet for octet, and the node neither slips nor fills in.
 */
static void test_loop(void)
{
	const struct tl_media_config config = { .rtp_host = own_host(), .rtp_port_min = 33000, .rtp_port_max = 33999 };
	struct tl_media_config by_span = config;
	struct tl_span_counters counters;
	g_autofree uint8_t *noise = noise_new(8000, 99);
	g_autoptr(GByteArray) heard = g_byte_array_new();
	uint8_t block[TL_BLOCK_OCTETS];
	GError *error = NULL;
	tl_thread_become_main();
	by_span.tick = TL_TICK_SPAN;
	struct tl_media *node = tl_media_new(&by_span, &(struct tl_media_handler){ 0 }, &error);
	g_assert_no_error(error);
	struct tl_media *far = tl_media_new(&config, &(struct tl_media_handler){ 0 }, &error);
	g_assert_no_error(error);
	struct tl_span *loop = open_end("node", 34002, 34003, TL_CLOCK_LOOP);
	struct tl_span *local = open_end("far", 34003, 34002, TL_CLOCK_LOCAL);
	tl_media_add_span(node, loop);
	struct tl_port *one = tl_port_new_timeslot(node, loop, 1, NULL), *two = tl_port_new_timeslot(node, loop, 2, NULL);
	struct tl_bridge *bridge = tl_bridge_new(node, TL_BRIDGE_CLEAR);
	g_assert_cmpint(tl_bridge_add(bridge, one), ==, 0);
	g_assert_cmpint(tl_bridge_add(bridge, two), ==, 0);
	struct tl_port *says = tl_port_new_timeslot(far, local, 1, NULL), *hears = tl_port_new_timeslot(far, local, 2, NULL);
	struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, noise, 8000);
	tl_port_play(says, 1, &sound, 1, 0);
	tl_port_record(hears, 30);
	tl_media_add_span(far, local);
	while (noise_find(heard->data, heard->len, noise, 8000) < 0) {
		g_assert_cmpuint(heard->len, <, 8000 * 60);
		g_main_context_iteration(NULL, FALSE);
		if (tl_port_recorded(hears, block))
			g_byte_array_append(heard, block, sizeof block);
		else
			g_usleep(2000);
	}
	tl_span_counters(loop, &counters);
	g_assert_cmpuint(counters.slips_dropped + counters.slips_repeated, ==, 0);
	tl_bridge_free(bridge);
	tl_port_free(one);
	tl_port_free(two);
	tl_port_free(says);
	tl_port_free(hears);
	tl_sound_unref(sound);
	tl_media_remove_span(far, local);
	tl_media_remove_span(node, loop);
	tl_media_free(far);
	tl_media_free(node);
	tl_span_free(local);
	tl_span_free(loop);
}

/* A digit from an RTP phone, as an event, through a voice bridge and the line, to a detector at its far end. */
static void test_digit_from_phone(void)
{
	struct ends ends;
	struct tl_rtp_side phone_side, node_side;
	GString *heard = g_string_new(NULL), *by_event = g_string_new(NULL), *elsewhere = g_string_new(NULL);
	GError *error = NULL;
	open_ends(&ends);
	struct tl_port *phone = tl_port_new_rtp(ends.media, TL_LAW_ULAW, &phone_side, elsewhere, &error);
	struct tl_port *node = tl_port_new_rtp(ends.media, TL_LAW_ULAW, &node_side, by_event, &error);
	g_assert_no_error(error);
	struct tl_port *trunk = tl_port_new_timeslot(ends.media, ends.near, 31, elsewhere);
	struct tl_port *carrier = tl_port_new_timeslot(ends.media, ends.far, 31, heard);
	struct tl_bridge *bridge = tl_bridge_new(ends.media, TL_BRIDGE_VOICE);
	tl_port_set_remote(phone, &node_side);
	tl_port_set_remote(node, &phone_side);
	tl_bridge_add(bridge, node);
	tl_bridge_add(bridge, trunk);
	tl_port_detect_dtmf(carrier, true);
	g_assert_cmpint(tl_port_send_dtmf(phone, 1, "w*7", 100, 100), ==, 0);
	while (heard->len < 2)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(heard->str, ==, "*7");
	g_assert_cmpstr(by_event->str, ==, "*7"); /* nobody searches its audio; the event tells */
	g_assert_cmpstr(elsewhere->str, ==, "");
	tl_bridge_free(bridge);
	tl_port_free(phone);
	tl_port_free(node);
	tl_port_free(trunk);
	tl_port_free(carrier);
	close_ends(&ends);
	g_string_free(heard, TRUE);
	g_string_free(by_event, TRUE);
	g_string_free(elsewhere, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-line/octets", test_octets);
	g_test_add_func("/media-line/loop", test_loop);
	g_test_add_func("/media-line/digit-from-phone", test_digit_from_phone);
	return g_test_run();
}
