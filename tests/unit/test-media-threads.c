/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Several media threads: parties of a bridge that live on different ones. In
 * line time that the test makes, every octet must pass; by the clock, pieces.
 */
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "fake-browser.h"
#include "media-rig.h"
#include "media/rtp.h"

#define THREADS 3
#define TICKS_MAX 20000
#define SPEECH 16000
#define EVENTS 110

static const struct tl_rtp_side far_side = { .law = TL_LAW_ALAW, .dtmf_payload_type = EVENTS, .ptime_ms = 20,
					     .sends = true, .receives = true };

/* As many UDP ports as threads, of this process's own: IPv6 is not used here. */
static unsigned udp_port(void)
{
	return 40000 + getpid() % 5000 * THREADS;
}

/* So that the next session lives elsewhere than on the first thread. (transfer full) */
static struct tl_port *fill_first(struct rig *rig)
{
	struct tl_rtp_side local;
	return tl_port_new_rtp(rig->media, TL_LAW_ALAW, &local, NULL, NULL);
}

static void rig_begin(struct rig *rig)
{
	const char *addresses[] = { own_host(), NULL };
	const struct tl_browser_config config = { .port = udp_port(), .addresses = addresses, .sessions_max = 20 };
	*rig = (struct rig){ 0 };
	rig_init_threads(rig, THREADS, &config);
}

static struct tl_media_counters counters_of(const struct rig *rig)
{
	struct tl_media_counters counters;
	tl_media_counters(rig->media, &counters);
	return counters;
}

/* Everything that was tied has come back. */
static void rig_end(struct rig *rig)
{
	rig_step_until(rig, !counters_of(rig).ties, TICKS_MAX);
	rig_done(rig);
}

/* ---- a browser of its own ---- */

struct page {
	struct tl_port *port;
	struct fake_browser browser;
	struct tl_transport_side answer;
	struct rig_log log;
	GByteArray *heard;
};

static void gather(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user)
{
	struct page *page = user;
	struct tl_rtp_packet packet;
	g_assert_cmpint(tl_rtp_parse(octets, n, &packet), ==, 0);
	if (packet.payload_type == TL_RTP_PAYLOAD_PCMA)
		g_byte_array_append(page->heard, packet.payload, packet.payload_octets);
}

static void page_open(struct page *page, struct rig *rig)
{
	GError *error = NULL;
	*page = (struct page){ .heard = g_byte_array_new() };
	fake_browser_init(&page->browser, own_host());
	struct tl_fingerprint peer = fake_browser_fingerprint(&page->browser);
	page->port = tl_port_new_browser(rig->media, TL_LAW_ALAW, &page->log, &error);
	g_assert_no_error(error);
	tl_port_connect_browser(page->port, &peer, &page->answer, &error);
	g_assert_no_error(error);
	tl_port_set_remote(page->port, &far_side);
	fake_browser_aim(&page->browser, &page->answer, 0, true);
	for (unsigned i = 0; !page->log.links[TL_LINK_UP] || !page->browser.send; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		if (i % 50 == 0)
			fake_browser_check(&page->browser, true);
		rig_step(rig, 1);
		fake_browser_pump(&page->browser);
	}
	page->browser.on_packet = gather;
	page->browser.user = page;
}

static void page_close(struct page *page)
{
	tl_port_free(page->port);
	fake_browser_done(&page->browser);
	g_byte_array_unref(page->heard);
}

static void step(struct rig *rig, struct page *pages, unsigned n)
{
	rig_step(rig, 1);
	for (unsigned i = 0; i < n; i++)
		fake_browser_pump(&pages[i].browser);
}

/* Each page says its octets, from @said on in steps of 20 ms, while the rig steps; and a little longer. */
static void say(struct rig *rig, struct page *pages, unsigned n, uint8_t *const *said)
{
	for (size_t at = 0; at + 160 <= SPEECH; at += 160) {
		for (unsigned i = 0; i < n; i++) {
			struct fake_browser *browser = &pages[i].browser;
			fake_browser_say(browser, TL_RTP_PAYLOAD_PCMA, browser->timestamp, said[i] + at, 160);
			browser->timestamp += 160;
		}
		step(rig, pages, n);
		step(rig, pages, n);
	}
	for (unsigned i = 0; i < 30; i++)
		step(rig, pages, n);
}

static void assert_heard(const uint8_t *octets, size_t n, const uint8_t *said)
{
	g_assert_cmpint(noise_find(octets, n, said, SPEECH - 800), >=, 0);
}

/* By pieces of 50 ms, four of five: a page that was silent for a while begins anew, and its playout depth may be set right. */
static void assert_heard_in_pieces(const uint8_t *octets, size_t n, const uint8_t *said)
{
	unsigned found = 0;
	for (size_t at = 0; at < SPEECH; at += 400)
		found += at + 400 <= SPEECH && noise_find(octets, n, said + at, 400) >= 0;
	g_assert_cmpuint(5 * found, >=, 4 * (SPEECH / 400));
}

/* ---- tests ---- */

/* Each thread has a port of its own, and the parties are spread. */
static void test_ports(void)
{
	struct rig rig;
	struct page pages[THREADS];
	unsigned seen = 0;
	rig_begin(&rig);
	for (unsigned i = 0; i < THREADS; i++)
		page_open(&pages[i], &rig);
	for (unsigned i = 0; i < THREADS; i++)
		seen |= 1u << (pages[i].answer.candidates[0].port - udp_port());
	g_assert_cmphex(seen, ==, (1u << THREADS) - 1);
	struct tl_media_counters counters = counters_of(&rig);
	g_assert_cmpuint(counters.browsers, ==, THREADS);
	g_assert_cmpuint(counters.tick_us_max, >, 0);
	g_assert_cmpuint(counters.browser_checks, >=, THREADS);
	struct tl_port *more[2 * THREADS];
	for (unsigned i = 0; i < 2 * THREADS; i++) { /* where fewest are */
		struct tl_fingerprint peer = fake_browser_fingerprint(&pages[0].browser);
		struct tl_transport_side answer;
		more[i] = tl_port_new_browser(rig.media, TL_LAW_ALAW, NULL, NULL);
		g_assert_true(tl_port_connect_browser(more[i], &peer, &answer, NULL));
		g_assert_cmpuint(answer.candidates[0].port, ==, udp_port() + i % THREADS);
	}
	for (unsigned i = 0; i < 2 * THREADS; i++)
		tl_port_free(more[i]);
	for (unsigned i = 0; i < THREADS; i++)
		page_close(&pages[i]);
	rig_end(&rig);
}

/* A timeslot of the first thread and a browser of another: every octet, both ways. */
static void test_clear(void)
{
	struct rig rig;
	struct page page;
	uint8_t *ours = noise_new(SPEECH, 7), *theirs = noise_new(SPEECH, 9);
	rig_begin(&rig);
	struct tl_port *first = fill_first(&rig);
	struct tl_port *slot = tl_port_new_timeslot(rig.media, rig.e1, 5, NULL);
	page_open(&page, &rig);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_CLEAR);
	g_assert_cmpint(tl_bridge_add(bridge, slot), ==, 0);
	g_assert_cmpint(tl_bridge_add(bridge, page.port), ==, 0);
	g_assert_cmpuint(counters_of(&rig).ties, ==, 1);
	step(&rig, &page, 1);
	fake_span_say(rig.e1, 5, ours, SPEECH);
	unsigned began = fake_span_done(rig.e1);
	say(&rig, &page, 1, &theirs);
	assert_heard(page.heard->data, page.heard->len, ours);
	assert_heard(fake_span_sent(rig.e1, 5) + began * 80, (fake_span_done(rig.e1) - began) * 80, theirs);
	g_assert_cmpuint(counters_of(&rig).tie_missed + counters_of(&rig).tie_dropped, ==, 0);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	tl_port_free(first);
	page_close(&page);
	rig_end(&rig);
	g_free(ours);
	g_free(theirs);
}

/* Two browsers of different threads in the bridge of a mu-law timeslot; and the two without it. */
static void test_three(void)
{
	struct rig rig;
	struct page pages[2];
	uint8_t *quiet[2] = { g_malloc(SPEECH), g_malloc(SPEECH) }, *said[2] = { noise_new(SPEECH, 3), quiet[1] };
	rig_begin(&rig);
	struct tl_port *first = fill_first(&rig);
	struct tl_port *slot = tl_port_new_timeslot(rig.media, rig.t1, 5, NULL);
	struct tl_port *far = tl_port_new_timeslot(rig.media, rig.t1, 6, NULL);
	page_open(&pages[0], &rig);
	page_open(&pages[1], &rig);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, slot);
	for (unsigned i = 0; i < 2; i++) {
		memset(quiet[i], tl_law_idle(TL_LAW_ALAW), SPEECH);
		g_assert_cmpint(tl_bridge_add(bridge, pages[i].port), ==, 0);
	}
	g_assert_cmpint(tl_port_send_dtmf(far, 1, "147", 100, 100), ==, 0);
	fake_span_wire(rig.t1, 6, 5);
	say(&rig, pages, 2, quiet);
	for (unsigned i = 0; i < 2; i++) { /* the far end's tones came to both pages, alike */
		unsigned loud = 0;
		for (unsigned k = 0; k < pages[i].heard->len; k++)
			loud += ((pages[i].heard->data[k] ^ 0x55) & 0x7f) > 0x20;
		g_assert_cmpuint(loud, >, 800);
	}
	tl_bridge_remove(bridge, slot); /* the bridge stays where it was, with nobody of that thread */
	g_byte_array_set_size(pages[1].heard, 0);
	say(&rig, pages, 2, said);
	assert_heard_in_pieces(pages[1].heard->data, pages[1].heard->len, said[0]);
	tl_bridge_free(bridge);
	tl_port_free(slot);
	tl_port_free(first);
	tl_port_free(far);
	page_close(&pages[0]);
	page_close(&pages[1]);
	rig_end(&rig);
	g_free(said[0]);
	g_free(quiet[0]);
	g_free(quiet[1]);
}

/* ---- recording ---- */

static void on_started(void *user)
{
	*(unsigned *)user = 1;
}

static void on_ended(const struct tl_recorded *recorded, void *user)
{
	g_assert_cmpint(recorded->result, ==, 0);
	*(unsigned *)user = 2;
}

/* The pool lives by the clock, and its ring holds 2.5 s: line time waits for it. */
static void step_recorded(struct rig *rig, struct page *page, struct tl_record_pool *pool, unsigned *ticks)
{
	struct tl_record_counters counters;
	step(rig, page, 1);
	++*ticks;
	for (tl_record_counters(pool, &counters); *ticks > counters.blocks + 100; tl_record_counters(pool, &counters))
		g_usleep(1000);
}

/* The left side is a tied party's. */
static void test_recording(void)
{
	unsigned ticks = 0;
	static const struct tl_recorder_handler handler = { on_started, on_ended };
	struct rig rig;
	struct page page;
	unsigned stage = 0;
	int result;
	uint8_t *theirs = noise_new(SPEECH, 9), *left = g_malloc(2 * SPEECH);
	g_autofree char *folder = g_dir_make_tmp("threads-XXXXXX", NULL), *path = g_build_filename(folder, "a.wav", NULL), *file = NULL;
	gsize n = 0;
	rig_begin(&rig);
	struct tl_port *first = fill_first(&rig);
	struct tl_record_pool *pool = tl_record_pool_new(&(struct tl_record_pool_config){ .directory = folder });
	struct tl_port *slot = tl_port_new_timeslot(rig.media, rig.e1, 5, NULL);
	page_open(&page, &rig);
	struct tl_bridge *bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, page.port);
	struct tl_recorder *recorder = tl_recorder_new(pool, bridge, page.port, TL_RECORD_WAV, path, &handler, &stage, &result);
	g_assert_nonnull(recorder);
	while (!stage)
		step_recorded(&rig, &page, pool, &ticks);
	for (size_t at = 0; at + 160 <= SPEECH; at += 160) {
		fake_browser_say(&page.browser, TL_RTP_PAYLOAD_PCMA, page.browser.timestamp, theirs + at, 160);
		page.browser.timestamp += 160;
		step_recorded(&rig, &page, pool, &ticks);
		step_recorded(&rig, &page, pool, &ticks);
	}
	for (unsigned i = 0; i < 30; i++)
		step_recorded(&rig, &page, pool, &ticks);
	tl_bridge_free(bridge);
	rig_step_until(&rig, stage == 2, TICKS_MAX);
	g_assert_true(g_file_get_contents(path, &file, &n, NULL));
	n = MIN(n / 2, 2 * SPEECH);
	for (gsize i = 0; i < n; i++) /* the header's length is even */
		left[i] = file[2 * i];
	g_assert_cmpint(noise_find(left, n, theirs, SPEECH / 2), >=, 0);
	tl_port_free(slot);
	tl_port_free(first);
	page_close(&page);
	rig_step_until(&rig, !counters_of(&rig).ties, TICKS_MAX);
	rig_done(&rig);
	tl_record_pool_free(pool);
	unlink(path);
	rmdir(folder);
	g_free(theirs);
	g_free(left);
}

/* ---- coming and going ---- */

/* Parties of all threads join and leave bridges of all threads, and go, in the midst of it. */
static void test_turmoil(void)
{
	struct rig rig;
	struct tl_port *ports[12];
	struct tl_bridge *bridges[4], *in[G_N_ELEMENTS(ports)] = { NULL };
	GRand *random = g_rand_new_with_seed(1);
	rig_begin(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(ports); i += 2) {
		struct tl_rtp_side local;
		ports[i] = tl_port_new_timeslot(rig.media, rig.e1, i + 1, NULL);
		ports[i + 1] = tl_port_new_rtp(rig.media, TL_LAW_ULAW, &local, NULL, NULL);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(bridges); i++)
		bridges[i] = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
	for (unsigned n = 0; n < 2000; n++) {
		struct tl_port **port = &ports[g_rand_int_range(random, 0, G_N_ELEMENTS(ports))];
		struct tl_bridge **bridge = &bridges[g_rand_int_range(random, 0, G_N_ELEMENTS(bridges))];
		struct tl_rtp_side local;
		switch (g_rand_int_range(random, 0, 12)) {
		case 0: /* gone, and another one comes */
			tl_port_free(*port);
			*port = tl_port_new_rtp(rig.media, TL_LAW_ALAW, &local, NULL, NULL);
			in[port - ports] = NULL;
			break;
		case 1:
			for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++)
				if (in[i] == *bridge)
					in[i] = NULL;
			tl_bridge_free(*bridge);
			*bridge = tl_bridge_new(rig.media, TL_BRIDGE_VOICE);
			break;
		case 2:
			rig_step(&rig, 1);
			break;
		default:
			if (in[port - ports])
				tl_bridge_remove(in[port - ports], *port);
			in[port - ports] = tl_bridge_add(*bridge, *port) == 0 ? *bridge : NULL;
		}
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(bridges); i++)
		tl_bridge_free(bridges[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++)
		tl_port_free(ports[i]);
	rig_end(&rig);
	g_rand_free(random);
}

/* ---- by the clock ---- */

struct overload {
	unsigned begun, ended;
};

static void on_overload(bool over, unsigned load_us, void *user)
{
	struct overload *overload = user;
	*(over ? &overload->begun : &overload->ended) += 1;
}

/* Two parties of different threads, each with a far end that is a port of the third: what one far end plays the other hears. */
static void test_by_the_clock(void)
{
	struct overload overload = { 0 };
	const struct tl_media_handler handler = { .on_overload = on_overload, .user = &overload };
	const struct tl_media_config config = { .rtp_host = own_host(), .rtp_port_min = 20000, .rtp_port_max = 29999,
						.max_ports = 64, .threads = THREADS };
	struct tl_port *ports[4];
	struct tl_rtp_side sides[4];
	uint8_t *said = noise_new(SPEECH, 5), block[TL_BLOCK_OCTETS];
	g_autoptr(GByteArray) heard = g_byte_array_new();
	GError *error = NULL;
	size_t octets = 0;
	tl_thread_become_main();
	struct tl_media *media = tl_media_new(&config, &handler, &error);
	g_assert_no_error(error);
	for (unsigned i = 0; i < 4; i++) {
		ports[i] = tl_port_new_rtp(media, TL_LAW_ALAW, &sides[i], NULL, &error);
		g_assert_no_error(error);
	}
	for (unsigned i = 0; i < 4; i++)
		tl_port_set_remote(ports[i], &sides[i ^ 1]);
	struct tl_bridge *bridge = tl_bridge_new(media, TL_BRIDGE_VOICE);
	tl_bridge_add(bridge, ports[0]);
	tl_bridge_add(bridge, ports[2]);
	tl_port_record(ports[3], 60);
	struct tl_sound *sound = tl_sound_new(TL_LAW_ALAW, said, SPEECH);
	tl_port_play(ports[1], 1, &sound, 1, 0);
	for (unsigned found = 0; found < 10;) { /* pieces of 100 ms, wherever in it: a busy machine may spoil many */
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
		while (tl_port_recorded(ports[3], block))
			g_byte_array_append(heard, block, sizeof block);
		if (heard->len < 1600)
			continue;
		for (size_t at = 0; at < SPEECH && found < 10; at += 800)
			found += noise_find(heard->data, heard->len, said + at, 800) >= 0;
		g_assert_cmpuint(octets += heard->len, <, 100 * 8000);
		g_byte_array_set_size(heard, 0);
	}
	tl_media_limit_load(media, 1);
	while (!overload.begun)
		g_main_context_iteration(NULL, TRUE);
	g_assert_true(tl_media_is_overloaded(media));
	tl_media_limit_load(media, 1000000);
	while (overload.ended < overload.begun)
		g_main_context_iteration(NULL, TRUE);
	g_assert_false(tl_media_is_overloaded(media));
	tl_bridge_free(bridge);
	for (unsigned i = 0; i < 4; i++)
		tl_port_free(ports[i]);
	tl_sound_unref(sound);
	tl_media_free(media);
	g_free(said);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-threads/ports", test_ports);
	g_test_add_func("/media-threads/clear", test_clear);
	g_test_add_func("/media-threads/three", test_three);
	g_test_add_func("/media-threads/recording", test_recording);
	g_test_add_func("/media-threads/turmoil", test_turmoil);
	g_test_add_func("/media-threads/by-the-clock", test_by_the_clock);
	return g_test_run();
}
