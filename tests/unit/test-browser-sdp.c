/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Offers of real browsers read, answers written, and what cannot be is said in words. */
#include <string.h>

#include "browser-offers.h"
#include "ip/ip.h"

static const struct tl_transport_side transport = {
	.ufrag = "ABCDEFGH", .password = "abcdefghijklmnopqrstuvwx", .fingerprint = "sha-256 00:11", .ssrc = 4711, .version = 2,
	.n_candidates = 2, .candidates = { { "192.0.2.1", 3478 }, { "2001:db8::1", 3478 } },
};

static const struct tl_browser_choice alaw = { .law = TL_LAW_ALAW };

static struct tl_browser_offer read_offer(const char *text)
{
	struct tl_browser_offer offer;
	GError *error = NULL;
	tl_browser_offer_parse(text, &offer, &error);
	g_assert_no_error(error);
	return offer;
}

static void test_audio(void)
{
	struct tl_browser_offer offer = read_offer(offer_audio);
	g_assert_cmpuint(offer.n_streams, ==, 1);
	g_assert_cmpstr(offer.streams[0].mid, ==, "0");
	g_assert_true(offer.offers[TL_LAW_ALAW] && offer.offers[TL_LAW_ULAW]);
	g_assert_cmpint(offer.side.law, ==, TL_LAW_ULAW); /* named first */
	g_assert_cmpint(offer.side.dtmf_payload_type, ==, 126); /* of 8 kHz, not 110 of 48 kHz */
	g_assert_true(offer.side.sends && offer.side.receives);
	g_assert_cmpuint(offer.side.ptime_ms, ==, 20);
	g_assert_cmpint(offer.fingerprint.hash, ==, TL_FINGERPRINT_SHA256);
	g_assert_cmphex(offer.fingerprint.octets[0], ==, 0xcf);
	g_assert_cmpstr(offer.session, ==, "7665267813234826658");
	g_assert_cmpint(tl_browser_offer_choose(&offer, &alaw).law, ==, TL_LAW_ALAW);
}

static void test_answer(void)
{
	struct tl_browser_offer offer = read_offer(offer_audio);
	g_autofree char *answer = tl_browser_answer_format(&offer, &alaw, &transport);
	g_assert_cmpstr(answer, ==,
		"v=0\r\no=- 4711 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n"
		"m=audio 3478 UDP/TLS/RTP/SAVPF 8 126\r\nc=IN IP4 192.0.2.1\r\na=rtcp-mux\r\na=mid:0\r\n"
		"a=ice-ufrag:ABCDEFGH\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00:11\r\n"
		"a=setup:passive\r\na=sendrecv\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:126 telephone-event/8000\r\n"
		"a=fmtp:126 0-15\r\na=ptime:20\r\na=msid:trunkline audio\r\na=ssrc:4711 cname:trunkline\r\n"
		"a=candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host\r\n"
		"a=candidate:2 1 udp 2130706175 2001:db8::1 3478 typ host\r\na=end-of-candidates\r\n");
}

static char *edit(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);
	g_assert_cmpuint(g_strv_length(parts), >, 1);
	return g_strjoinv(to, parts);
}

/* Opus where it is wanted, or where there is nothing else; never against the other side's offer. */
static void test_opus(void)
{
	const struct tl_browser_choice opus = { .law = TL_LAW_ALAW, .opus = true, .dtx = true };
	struct tl_browser_offer both = read_offer(offer_audio);
	g_autofree char *only_text = edit(offer_audio, "111 63 9 0 8 13 110 126", "111 126");
	g_autofree char *none_text = edit(offer_audio, "111 63 9 0 8 13 110 126", "0 126");
	struct tl_browser_offer only = read_offer(only_text), none = read_offer(none_text);
	g_assert_cmpuint(tl_browser_offer_choose(&both, &alaw).opus_payload_type, ==, 0);
	struct tl_rtp_side side = tl_browser_offer_choose(&both, &opus);
	g_assert_cmpuint(side.opus_payload_type, ==, 111);
	g_assert_true(side.opus_fec);
	g_assert_cmpint(side.law, ==, TL_LAW_ALAW);
	g_assert_cmpuint(tl_browser_offer_choose(&only, &alaw).opus_payload_type, ==, 111);
	g_assert_cmpint(tl_browser_offer_choose(&only, &alaw).law, ==, TL_LAW_ALAW);
	side = tl_browser_offer_choose(&none, &opus);
	g_assert_cmpuint(side.opus_payload_type, ==, 0);
	g_assert_cmpint(side.law, ==, TL_LAW_ULAW);
	g_autofree char *answer = tl_browser_answer_format(&both, &opus, &transport);
	g_assert_nonnull(strstr(answer, "m=audio 3478 UDP/TLS/RTP/SAVPF 111 126\r\n"));
	g_assert_nonnull(strstr(answer, "a=rtpmap:111 opus/48000/2\r\n"));
	g_assert_nonnull(strstr(answer, "a=fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=8000;sprop-maxcapturerate=8000;"
					"maxaveragebitrate=24000;usedtx=1\r\n"));
	g_autofree char *deaf_text = edit(offer_audio, "useinbandfec=1", "useinbandfec=0");
	struct tl_browser_offer deaf = read_offer(deaf_text);
	g_assert_false(tl_browser_offer_choose(&deaf, &opus).opus_fec);
}

/* What we have no use for is refused stream by stream, each under its name. */
static void test_other_streams(void)
{
	struct tl_browser_offer offer = read_offer(offer_video);
	g_assert_cmpuint(offer.n_streams, ==, 3);
	g_assert_cmpuint(offer.audio, ==, 0);
	g_autofree char *answer = tl_browser_answer_format(&offer, &(struct tl_browser_choice){ TL_LAW_ULAW }, &transport);
	g_assert_nonnull(strstr(answer, "a=group:BUNDLE 0\r\n"));
	g_assert_nonnull(strstr(answer, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n"));
	g_assert_nonnull(strstr(answer, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
}

/* Audio and video on one transport: of each codec the form that all browsers have, retransmissions, and what of feedback was
 * offered; estimates of bandwidth by REMB, and no transport-wide ones, since there are two transports. */
static void test_video(void)
{
	const struct tl_browser_choice choice = { .law = TL_LAW_ALAW, .video = true };
	struct tl_browser_offer offer = read_offer(offer_video);
	const struct tl_video_side *video = &offer.side.video;
	g_assert_true(offer.has_video && video->sends && video->receives);
	g_assert_cmpuint(offer.video, ==, 1);
	g_assert_cmpuint(video->formats[TL_VIDEO_VP8].payload_type, ==, 96);
	g_assert_cmpuint(video->formats[TL_VIDEO_VP8].retransmission, ==, 97);
	g_assert_cmpuint(video->formats[TL_VIDEO_VP8].feedback, ==, TL_VIDEO_NACK | TL_VIDEO_PLI | TL_VIDEO_FIR | TL_VIDEO_REMB);
	g_assert_cmpuint(video->formats[TL_VIDEO_AV1].payload_type, ==, 45);
	g_assert_cmpuint(video->formats[TL_VIDEO_VP9].payload_type, ==, 98);
	g_assert_cmpuint(video->orientation, ==, 13);
	g_autofree char *answer = tl_browser_answer_format(&offer, &choice, &transport);
	g_assert_nonnull(strstr(answer, "a=group:BUNDLE 0 1\r\n"));
	g_assert_nonnull(strstr(answer, "m=video 3478 UDP/TLS/RTP/SAVPF 96 97 "));
	const char *at = strstr(answer, "m=video");
	g_assert_null(strstr(at, "a=ice-ufrag")); /* the audio speaks for both */
	g_assert_nonnull(strstr(at, "a=mid:1\r\na=sendrecv\r\na=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"));
	g_assert_nonnull(strstr(at, "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\n"
				    "a=rtcp-fb:96 goog-remb\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"));
	g_assert_nonnull(strstr(at, "a=ssrc-group:FID 4712 4713\r\n"));
	g_assert_null(strstr(at, "transport-cc"));
	g_autofree char *apart_text = edit(offer_video, "a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 2");
	struct tl_browser_offer apart = read_offer(apart_text);
	g_autofree char *refused = tl_browser_answer_format(&apart, &choice, &transport);
	g_assert_false(apart.has_video);
	g_assert_nonnull(strstr(refused, "m=video 0 "));
}

static void test_directions(void)
{
	static const char *const theirs[] = { "sendonly", "recvonly", "inactive" }, *const ours[] = { "recvonly", "sendonly", "inactive" };
	for (unsigned i = 0; i < G_N_ELEMENTS(theirs); i++) {
		g_autofree char *text = edit(offer_audio, "sendrecv", theirs[i]);
		g_autofree char *expected = g_strdup_printf("a=%s\r\n", ours[i]);
		struct tl_browser_offer offer = read_offer(text);
		g_autofree char *answer = tl_browser_answer_format(&offer, &alaw, &transport);
		g_assert_cmpint(offer.side.sends, ==, i == 0);
		g_assert_cmpint(offer.side.receives, ==, i == 1);
		g_assert_nonnull(strstr(answer, expected));
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *from, *to, *why;
	} cases[] = {
		{ "v=0", "v=1", "line 1: expected v=0" },
		{ "m=audio", "m=video", "expected m=audio" },
		{ "UDP/TLS/RTP/SAVPF", "RTP/AVP", "audio: expected UDP/TLS/RTP/SAVPF, found RTP/AVP" },
		{ "a=rtcp-mux\r\n", "", "audio: expected a=rtcp-mux" },
		{ "a=ice-ufrag", "a=nothing", "audio: expected ICE (a=ice-ufrag)" },
		{ "sha-256 CF", "sha-1 CF", "audio: expected a=fingerprint with sha-256, sha-384 or sha-512, found sha-1" },
		{ "actpass", "passive", "audio: expected a=setup:actpass or active, found passive" },
		{ "111 63 9 0 8 13 110 126", "63 9", "expected PCMA/8000, PCMU/8000 or opus/48000/2, found red/48000/2, G722/8000" },
		{ "9 UDP", "x UDP", "m= line 1: expected media, port" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = edit(offer_audio, cases[i].from, cases[i].to);
		struct tl_browser_offer offer;
		g_autoptr(GError) error = NULL;
		g_assert_false(tl_browser_offer_parse(text, &offer, &error));
		g_assert_error(error, TL_IP_ERROR, TL_IP_ERROR_OFFER);
		if (!strstr(error->message, cases[i].why))
			g_error("%s: expected %s", error->message, cases[i].why);
	}
}

/* Long and many: refused for it, whatever they say. */
static void test_bombs(void)
{
	struct tl_browser_offer offer;
	GString *text = g_string_new(offer_audio);
	for (unsigned i = 0; i < 8; i++)
		g_string_append(text, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n");
	g_assert_false(tl_browser_offer_parse(text->str, &offer, NULL));
	g_string_assign(text, offer_audio);
	for (unsigned i = 0; i < 5000; i++)
		g_string_append(text, "a=x\n");
	g_assert_false(tl_browser_offer_parse(text->str, &offer, NULL));
	g_string_set_size(text, TL_BROWSER_OCTETS_MAX + 1);
	memset(text->str, 'a', text->len);
	g_assert_false(tl_browser_offer_parse(text->str, &offer, NULL));
	g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/browser-sdp/audio", test_audio);
	g_test_add_func("/browser-sdp/answer", test_answer);
	g_test_add_func("/browser-sdp/opus", test_opus);
	g_test_add_func("/browser-sdp/other-streams", test_other_streams);
	g_test_add_func("/browser-sdp/video", test_video);
	g_test_add_func("/browser-sdp/directions", test_directions);
	g_test_add_func("/browser-sdp/refusals", test_refusals);
	g_test_add_func("/browser-sdp/bombs", test_bombs);
	return g_test_run();
}
