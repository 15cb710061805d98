/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Video between two browsers at the hub of a real media engine, as each of them sees it: what is lost on one's way is
 * asked for by the other and sent anew, whatever numbers the two know it by; on one media thread, and on several. */
#include <string.h>
#include <unistd.h>

#include "fake-browser.h"
#include "media-rig.h"
#include "media/video.h"

#define TICKS_MAX 5000
#define HEARD 64
#define ASKED 16 /* octets that are looked at */

struct heard {
	struct tl_video_packet packet;
	uint8_t payload[8];
	size_t n;
};

struct phone {
	struct rig_log log;
	struct tl_port *port;
	struct fake_browser browser;
	struct tl_transport_side answer;
	struct tl_rtp_side side;
	struct heard heard[HEARD]; /* video only */
	unsigned n_heard;
	GByteArray *told;          /* reports, since somebody looked */
	unsigned n_told;
};

/* Where the two live, and their bridge: all on one thread, on two, or the bridge on a third. */
enum spread { TOGETHER, APART, BY_A_THIRD };

struct talk {
	struct rig rig;
	struct phone anna, bert;
	struct tl_bridge *bridge;
};

enum { RTPFB = 205, PSFB = 206 };
enum { ANNA_VP8 = 96, ANNA_AGAIN, BERT_VP8 = 102, BERT_AGAIN };

/* ---- two phones ---- */

static void note(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user)
{
	struct phone *phone = user;
	struct tl_video_packet packet;
	g_assert_cmpint(tl_video_packet_parse(octets, n, &packet), ==, 0);
	if (packet.payload_type < ANNA_VP8)
		return; /* audio */
	struct heard *heard = &phone->heard[phone->n_heard++ % HEARD];
	*heard = (struct heard){ .packet = packet, .n = n - 12 };
	memcpy(heard->payload, octets + 12, MIN(n - 12, sizeof heard->payload));
}

static void note_report(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user)
{
	struct phone *phone = user;
	g_byte_array_append(phone->told, octets, n);
	phone->n_told++;
}

static void step(struct talk *talk)
{
	rig_step(&talk->rig, 1);
	fake_browser_pump(&talk->anna.browser);
	fake_browser_pump(&talk->bert.browser);
}

static void phone_begin(struct talk *talk, struct phone *phone, unsigned payload_type)
{
	GError *error = NULL;
	fake_browser_init(&phone->browser, own_host());
	phone->told = g_byte_array_new();
	phone->browser.on_packet = note;
	phone->browser.on_report = note_report;
	phone->browser.user = phone;
	phone->side = (struct tl_rtp_side){ .law = TL_LAW_ALAW, .dtmf_payload_type = -1, .ptime_ms = 20, .sends = true,
					    .receives = true };
	phone->side.video = (struct tl_video_side){ .sends = true, .receives = true };
	phone->side.video.formats[TL_VIDEO_VP8] = (struct tl_video_format){
		.payload_type = payload_type, .retransmission = payload_type + 1, .feedback = TL_VIDEO_NACK | TL_VIDEO_PLI };
	struct tl_fingerprint peer = fake_browser_fingerprint(&phone->browser);
	phone->port = tl_port_new_browser(talk->rig.media, TL_LAW_ALAW, &phone->log, &error);
	g_assert_no_error(error);
	tl_port_connect_browser(phone->port, &peer, &phone->answer, &error);
	g_assert_no_error(error);
	tl_port_set_remote(phone->port, &phone->side);
	fake_browser_aim(&phone->browser, &phone->answer, 0, true);
}

static void await_up(struct talk *talk, struct phone *phone)
{
	for (unsigned i = 0; !phone->log.links[TL_LINK_UP] || !phone->browser.send; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		if (i % 50 == 0)
			fake_browser_check(&phone->browser, true);
		step(talk);
	}
}

/* The bridge lives where its first party does. */
static void settle_on_third(struct talk *talk)
{
	struct tl_rtp_side local;
	struct tl_port *third = tl_port_new_rtp(talk->rig.media, TL_LAW_ALAW, &local, NULL, NULL);
	g_assert_cmpint(tl_bridge_add(talk->bridge, third), ==, 0);
	tl_port_free(third);
}

static void setup(struct talk *talk, gconstpointer spread)
{
	static const unsigned ties[] = { [TOGETHER] = 0, [APART] = 1, [BY_A_THIRD] = 2 };
	const char *addresses[] = { own_host(), NULL };
	struct tl_browser_config config = { .port = 40000 + getpid() % 5000 * 3, .addresses = addresses };
	struct tl_media_counters counters;
	rig_init_threads(&talk->rig, GPOINTER_TO_UINT(spread) == TOGETHER ? 1 : 3, &config);
	phone_begin(talk, &talk->anna, ANNA_VP8);
	phone_begin(talk, &talk->bert, BERT_VP8);
	await_up(talk, &talk->anna);
	await_up(talk, &talk->bert);
	talk->bridge = tl_bridge_new(talk->rig.media, TL_BRIDGE_VOICE);
	if (GPOINTER_TO_UINT(spread) == BY_A_THIRD)
		settle_on_third(talk);
	g_assert_cmpint(tl_bridge_add(talk->bridge, talk->anna.port), ==, 0);
	g_assert_cmpint(tl_bridge_add(talk->bridge, talk->bert.port), ==, 0);
	step(talk);
	tl_media_counters(talk->rig.media, &counters);
	g_assert_cmpuint(counters.ties, ==, ties[GPOINTER_TO_UINT(spread)]);
}

static void teardown(struct talk *talk, gconstpointer unused)
{
	tl_bridge_free(talk->bridge);
	tl_port_free(talk->anna.port);
	tl_port_free(talk->bert.port);
	rig_done(&talk->rig);
	fake_browser_done(&talk->anna.browser);
	fake_browser_done(&talk->bert.browser);
	g_byte_array_unref(talk->anna.told);
	g_byte_array_unref(talk->bert.told);
}

/* ---- what they say and hear ---- */

static void show(struct phone *phone, unsigned payload_type, uint32_t ssrc, uint16_t sequence, const char *payload, size_t n)
{
	struct fake_browser *browser = &phone->browser;
	browser->ssrc = ssrc;
	browser->sequence = sequence;
	fake_browser_say(browser, payload_type, 90000, (const uint8_t *)payload, n);
}

static const struct heard *hear(struct talk *talk, struct phone *phone)
{
	unsigned before = phone->n_heard;
	for (unsigned i = 0; phone->n_heard == before; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		step(talk);
	}
	return &phone->heard[before % HEARD];
}

/* What @phone says in one packet, as the other one hears it. */
static struct tl_video_packet pass(struct talk *talk, struct phone *phone, uint32_t ssrc, uint16_t sequence)
{
	show(phone, phone->side.video.formats[TL_VIDEO_VP8].payload_type, ssrc, sequence, "picture", 7);
	const struct heard *heard = hear(talk, phone == &talk->anna ? &talk->bert : &talk->anna);
	g_assert_cmpmem(heard->payload, heard->n, "picture", 7);
	return heard->packet;
}

/* The first part of what @phone was told that is of @type; NULL: none. */
static const uint8_t *feedback(const struct phone *phone, unsigned type)
{
	const uint8_t *octets = phone->told->data;
	for (size_t at = 0, n; at + 8 <= phone->told->len; at += n) {
		n = 4 * (1 + (octets[at + 2] << 8 | octets[at + 3]));
		if (octets[at + 1] == type)
			return octets + at;
	}
	return NULL;
}

/* Copies it, and forgets what @phone was told. */
static void await_feedback(struct talk *talk, struct phone *phone, unsigned type, uint8_t out[ASKED])
{
	const uint8_t *found;
	for (unsigned i = 0; !(found = feedback(phone, type)); i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		step(talk);
	}
	memcpy(out, found, MIN(ASKED, 4u * (1 + (found[2] << 8 | found[3]))));
	g_byte_array_set_size(phone->told, 0);
}

static void put32(uint8_t *octets, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		octets[i] = value >> (24 - 8 * i);
}

static uint32_t get32(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
}

/* @phone misses the packet that it would know as @sequence. */
static void miss(struct phone *phone, uint16_t sequence)
{
	uint8_t octets[24 + TL_SRTP_GROWTH_MAX] = { 0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 205, 0, 3, 0, 0, 0, 1 };
	put32(octets + 16, tl_video_ssrc(phone->answer.ssrc));
	octets[20] = sequence >> 8;
	octets[21] = sequence;
	fake_browser_report(&phone->browser, octets, 24);
}

/* ---- */

static void sent_anew(struct talk *talk, uint32_t ssrc, uint16_t first)
{
	struct phone *anna = &talk->anna, *bert = &talk->bert;
	struct tl_video_packet before = pass(talk, anna, ssrc, first);
	uint8_t asked[ASKED];
	await_feedback(talk, anna, PSFB, asked); /* a key frame of the new source */
	g_assert_cmphex(get32(asked + 8), ==, ssrc);
	uint16_t missing = before.sequence + 1;
	g_assert_cmpuint(pass(talk, anna, ssrc, first + 2).sequence, ==, (uint16_t)(missing + 1));
	g_assert_cmpuint(before.payload_type, ==, BERT_VP8);
	g_assert_cmphex(before.ssrc, ==, tl_video_ssrc(bert->answer.ssrc));
	miss(bert, missing);
	await_feedback(talk, anna, RTPFB, asked);
	g_assert_cmphex(get32(asked + 8), ==, ssrc);
	g_assert_cmpuint(asked[12] << 8 | asked[13], ==, (uint16_t)(first + 1));

	const char again[] = { asked[12], asked[13], 'x' };
	show(anna, ANNA_AGAIN, 0xa2a2, 500 + first, again, sizeof again);
	const struct heard *heard = hear(talk, bert);
	g_assert_cmpuint(heard->packet.payload_type, ==, BERT_AGAIN);
	g_assert_cmphex(heard->packet.ssrc, ==, before.ssrc + 1);
	g_assert_cmpuint(heard->payload[0] << 8 | heard->payload[1], ==, missing);
	g_assert_cmpuint(heard->payload[2], ==, 'x');
	/* It was not lost but late: it still gets its place. */
	g_assert_cmpuint(pass(talk, anna, ssrc, first + 1).sequence, ==, missing);
}

/* The numbers are the same at first, and not any more once the picture comes from another source. */
static void test_lost(struct talk *talk, gconstpointer unused)
{
	sent_anew(talk, 0xa1a1, 65534);
	sent_anew(talk, 0xb1b1, 7000);
}

/* A burst in the wrong order, as a bad network delivers it: nothing of it is refused or dropped. */
static void test_disorder(struct talk *talk, gconstpointer unused)
{
	struct tl_port_counters counters;
	uint16_t first = pass(talk, &talk->bert, 0xc1c1, 10).sequence;
	for (unsigned i = 0; i < 60; i++)
		show(&talk->bert, BERT_VP8, 0xc1c1, 11 + (i * 7) % 60, "burst", 5);
	for (unsigned i = 0; talk->anna.n_heard < 61; i++) {
		g_assert_cmpuint(i, <, TICKS_MAX);
		step(talk);
	}
	for (unsigned i = 0; i < 60; i++)
		g_assert_cmpuint((uint16_t)(talk->anna.heard[1 + i].packet.sequence - first), ==, 1 + (i * 7) % 60);
	tl_port_counters(talk->bert.port, &counters);
	g_assert_cmpuint(counters.video_received, ==, 61);
	g_assert_cmpuint(counters.video_dropped + counters.refused, ==, 0);
}

/* What nobody can be asked for: one's own stream, and one that is not of this bridge any more. */
static void test_nobody_asked(struct talk *talk, gconstpointer unused)
{
	struct phone *anna = &talk->anna, *bert = &talk->bert;
	uint8_t asked[ASKED];
	pass(talk, anna, 0xa1a1, 1);
	await_feedback(talk, anna, PSFB, asked);
	miss(anna, 1); /* she gets none */
	step(talk);
	tl_bridge_remove(talk->bridge, anna->port);
	miss(bert, 1);
	anna->n_told = bert->n_told = 0;
	for (unsigned i = 0; !anna->n_told || !bert->n_told; i++) { /* until the reports of their audio */
		g_assert_cmpuint(i, <, TICKS_MAX);
		step(talk);
	}
	g_assert_null(feedback(anna, RTPFB));
	g_assert_null(feedback(bert, RTPFB));
}

#define ADD(path, name, spread) \
	g_test_add("/media-video/" path #name, struct talk, GUINT_TO_POINTER(spread), setup, test_##name, teardown)
#define CASE(name) \
	do { \
		ADD("", name, TOGETHER); \
		ADD("apart/", name, APART); \
		ADD("by-a-third/", name, BY_A_THIRD); \
	} while (0)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	CASE(lost);
	CASE(disorder);
	CASE(nobody_asked);
	return g_test_run();
}
