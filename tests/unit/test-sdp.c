/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Session descriptions: RFC 8866, RFC 3264, RFC 4733 2.4. */
#include "ip/sdp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n"

static int parse_as(const char *text, bool secure, struct tl_sdp *sdp)
{
	/* On the heap without a terminator, so that a read past the end is seen. */
	size_t n = strlen(text);
	char *copy = g_malloc(n ? n : 1);
	memcpy(copy, text, n);
	int e = tl_sdp_parse(copy, n, secure, sdp);
	g_free(copy);
	return e;
}

static int parse(const char *text, struct tl_sdp *sdp)
{
	return parse_as(text, false, sdp);
}

static void test_plain(void)
{
	struct tl_sdp sdp;
	g_assert_cmpint(parse(HEAD "c=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:0 PCMU/8000\r\n"
			      "a=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\na=sendonly\r\n", &sdp), ==, 0);
	g_assert_cmpstr(sdp.side.host, ==, "192.0.2.9");
	g_assert_cmpuint(sdp.side.port, ==, 4000);
	g_assert_cmpint(sdp.side.law, ==, TL_LAW_ULAW);
	g_assert_true(sdp.offers[TL_LAW_ULAW] && sdp.offers[TL_LAW_ALAW]);
	g_assert_cmpint(sdp.side.dtmf_payload_type, ==, 96);
	g_assert_cmpuint(sdp.side.ptime_ms, ==, 30);
	g_assert_true(sdp.side.sends);
	g_assert_false(sdp.side.receives);
}

static void test_levels(void)
{
	struct tl_sdp sdp;
	/* The stream's own address and direction overrule the session's; bare LF is read; video is skipped. */
	g_assert_cmpint(parse("v=0\no=- 1 1 IN IP6 ::1\ns=-\nc=IN IP4 example.org\na=inactive\nt=0 0\n"
			      "m=video 5000 RTP/AVP 31\nc=IN IP4 10.0.0.1\nm=audio 4002 RTP/AVP 8\nc=IN IP6 2001:db8::1\na=recvonly\n",
			      &sdp), ==, 0);
	g_assert_cmpstr(sdp.side.host, ==, "2001:db8::1");
	g_assert_cmpuint(sdp.n_streams, ==, 2);
	g_assert_cmpuint(sdp.ours, ==, 1);
	g_assert_false(sdp.side.sends);
	g_assert_true(sdp.side.receives);
	g_assert_cmpint(sdp.side.dtmf_payload_type, ==, -1);
	g_assert_cmpuint(sdp.side.ptime_ms, ==, 20);
	g_assert_cmpint(parse("v=0\nc=IN IP4 192.0.2.1\na=sendonly\nm=audio 4002 RTP/AVP 8\n", &sdp), ==, 0);
	g_assert_true(sdp.side.sends && !sdp.side.receives);
}

static void test_hold(void)
{
	struct tl_sdp sdp;
	g_assert_cmpint(parse(HEAD "c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n", &sdp), ==, 0);
	g_assert_false(sdp.side.receives);
	g_assert_cmpint(parse(HEAD "m=audio 0 RTP/AVP 8\r\n", &sdp), ==, 0);
	g_assert_cmpuint(sdp.side.port, ==, 0);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EBADMSG },
		{ "hello", -EBADMSG },
		{ "v=1\r\n", -EBADMSG },
		{ HEAD, -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 18\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/SAVP 0\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 L16/44100\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 0\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP6 ff02::1\r\nm=audio 4000 RTP/AVP 0\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 host.example\r\nm=audio 4000 RTP/AVP 0\r\n", -EPROTONOSUPPORT },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\n", -EPROTONOSUPPORT },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio 70000 RTP/AVP 0\r\n", -EBADMSG },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio x RTP/AVP 0\r\n", -EBADMSG },
		{ HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000\r\n", -EBADMSG },
		{ HEAD "c=ATM NSAP x\r\nm=audio 4000 RTP/AVP 0\r\n", -EBADMSG },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_sdp sdp = { .n_streams = 77 };
		g_assert_cmpint(parse(cases[i].text, &sdp), ==, cases[i].error);
		g_assert_cmpuint(sdp.n_streams, ==, 77);
	}
}

static void test_ptime(void)
{
	static const unsigned pairs[][2] = { { 5, 10 }, { 20, 20 }, { 25, 20 }, { 40, 40 }, { 500, 60 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
		struct tl_sdp sdp;
		char *text = g_strdup_printf(HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 0\r\na=ptime:%u\r\n", pairs[i][0]);
		g_assert_cmpint(parse(text, &sdp), ==, 0);
		g_assert_cmpuint(sdp.side.ptime_ms, ==, pairs[i][1]);
		g_free(text);
	}
}

static void test_too_much(void)
{
	struct tl_sdp sdp;
	GString *text = g_string_new(HEAD "c=IN IP4 1.2.3.4\r\n");
	for (unsigned i = 0; i <= TL_SDP_STREAMS_MAX; i++)
		g_string_append(text, "m=audio 4000 RTP/AVP 0\r\n");
	g_assert_cmpint(parse(text->str, &sdp), ==, -EBADMSG);
	g_string_assign(text, HEAD);
	while (text->len <= TL_SDP_OCTETS_MAX)
		g_string_append(text, "a=x:0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
	g_assert_cmpint(parse(text->str, &sdp), ==, -EBADMSG);
	g_string_free(text, TRUE);
}

/* What is formatted is read back the same, over both families, laws and all directions. */
static void test_round_trip(void)
{
	for (unsigned i = 0; i < 64; i++) {
		struct tl_rtp_side side = { .port = 4000 + i, .law = i & 1 ? TL_LAW_ALAW : TL_LAW_ULAW, .ptime_ms = 10 * (1 + i % 6),
					    .dtmf_payload_type = i & 2 ? 101 : -1, .sends = i & 4, .receives = i & 8 };
		g_strlcpy(side.host, i & 16 ? "2001:db8::7" : "192.0.2.7", sizeof(side.host));
		struct tl_sdp_local local = { .side = &side, .both_laws = i & 32, .session_id = 9, .version = i };
		char *text = tl_sdp_format(&local);
		struct tl_sdp sdp;
		g_assert_cmpint(parse(text, &sdp), ==, 0);
		g_assert_true(tl_sdp_side_equal(&sdp.side, &side));
		g_assert_cmpint(sdp.offers[!side.law], ==, !!(i & 32));
		g_free(text);
	}
}

/* An answer names every stream of the offer, and refuses those that are not ours (RFC 3264 6). */
static void test_answer(void)
{
	struct tl_sdp offer, answer;
	g_assert_cmpint(parse(HEAD "c=IN IP4 1.2.3.4\r\nm=video 9 RTP/SAVPF 96\r\nm=audio 4000 RTP/AVP 0 97\r\n"
			      "a=rtpmap:97 telephone-event/8000\r\nm=image 4004 udptl t38\r\n", &offer), ==, 0);
	struct tl_rtp_side local = { .host = "192.0.2.7", .port = 7000, .law = TL_LAW_ALAW, .dtmf_payload_type = 101, .ptime_ms = 20,
				     .sends = true, .receives = true };
	struct tl_rtp_side remote = offer.side;
	tl_sdp_agree(&offer, &local, &remote);
	g_assert_cmpint(local.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(remote.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(local.dtmf_payload_type, ==, 97);
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &offer });
	g_assert_nonnull(strstr(text, "m=video 0 RTP/SAVPF 96\r\nm=audio 7000 RTP/AVP 0 97\r\n"));
	g_assert_nonnull(strstr(text, "m=image 0 udptl t38\r\n"));
	g_assert_cmpint(parse(text, &answer), ==, 0);
	g_assert_cmpuint(answer.n_streams, ==, 3);
	g_assert_cmpuint(answer.ours, ==, 1);
	g_assert_false(answer.offers[TL_LAW_ALAW]);
	g_free(text);
}

#define SAVP HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/SAVP 8\r\n"
#define AVP HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8\r\n"
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 9.2 */
#define CM "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

/* RFC 4568: RTP/SAVP is taken where it may be, with a key that we can use; others beside it are passed over. */
static void test_keys(void)
{
	struct tl_sdp sdp;
	g_assert_cmpint(parse_as(SAVP CM, true, &sdp), ==, 0);
	g_assert_true(sdp.savp);
	g_assert_cmpuint(sdp.n_keys, ==, 1);
	g_assert_cmpint(parse_as(SAVP CM, false, &sdp), ==, -EPROTONOSUPPORT);
	g_assert_cmpint(parse_as(SAVP, true, &sdp), ==, -EPROTONOSUPPORT);
	g_assert_cmpint(parse_as(SAVP "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY "\r\n", true, &sdp), ==, -EPROTONOSUPPORT);
	g_assert_cmpint(parse_as(SAVP "a=crypto:3 F8_128_HMAC_SHA1_80 inline:" KEY "\r\na=crypto:x\r\n" CM, true, &sdp), ==, 0);
	g_assert_cmpuint(sdp.n_keys, ==, 1);
	g_assert_cmpuint(sdp.keys[0].tag, ==, 1);
	g_assert_cmpint(parse_as(AVP CM, true, &sdp), ==, 0);
	g_assert_false(sdp.savp);
	g_assert_cmpuint(sdp.n_keys, ==, 1);
	g_assert_cmpint(parse_as(AVP, true, &sdp), ==, 0);
	g_assert_cmpuint(sdp.n_keys, ==, 0);
	/* A key of another stream or of the session is none of ours. */
	g_assert_cmpint(parse_as(AVP "m=video 9 RTP/SAVP 96\r\n" CM, true, &sdp), ==, 0);
	g_assert_cmpuint(sdp.n_keys, ==, 0);
	g_assert_cmpint(parse_as(HEAD CM "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/SAVP 8\r\n", true, &sdp), ==, -EPROTONOSUPPORT);
	/* An offer of both: what may be taken. */
	static const char both[] = HEAD "c=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/SAVP 8\r\n" CM "m=audio 4002 RTP/AVP 8\r\n";
	g_assert_cmpint(parse_as(both, true, &sdp), ==, 0);
	g_assert_cmpuint(sdp.side.port, ==, 4000);
	g_assert_cmpint(parse_as(both, false, &sdp), ==, 0);
	g_assert_cmpuint(sdp.side.port, ==, 4002);
}

static void test_keys_said(void)
{
	struct tl_sdes keys[2] = { { 1, TL_SRTP_AEAD_AES_128_GCM }, { 7, TL_SRTP_AES128_CM_SHA1_80 } };
	struct tl_rtp_side side = { .host = "192.0.2.7", .port = 4000, .law = TL_LAW_ALAW, .dtmf_payload_type = -1 };
	struct tl_sdp sdp;
	for (unsigned i = 0; i < 2; i++)
		tl_srtp_key_make(&keys[i].key);
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &side, .savp = true, .keys = keys, .n_keys = 2 });
	g_assert_nonnull(strstr(text, "m=audio 4000 RTP/SAVP 8\r\n"));
	g_assert_nonnull(strstr(text, "\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"));
	g_assert_cmpint(parse_as(text, true, &sdp), ==, 0);
	g_assert_cmpuint(sdp.n_keys, ==, 2);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpuint(sdp.keys[i].tag, ==, keys[i].tag);
		g_assert_true(tl_sdes_same_key(&sdp.keys[i], &keys[i]));
	}
	g_free(text);
}

/* T.38 (ITU-T T.38 annex D): in the audio's place, or in a place of its own, as the others write it. */
static void test_image(void)
{
	struct tl_sdp offer, again;
	g_assert_cmpint(parse(HEAD "c=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\nm=image 4004 UDPTL t38\r\na=T38FaxVersion:3\r\n"
			      "a=T38MaxBitRate:9600\r\na=T38FaxFillBitRemoval:0\r\na=T38FaxTranscodingMMR:0\r\n"
			      "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:72\r\na=T38FaxMaxDatagram:316\r\n"
			      "a=T38FaxUdpEC:t38UDPFEC\r\n", &offer), ==, 0);
	g_assert_true(offer.side.t38.on);
	g_assert_cmpuint(offer.ours, ==, 1);
	g_assert_cmpuint(offer.side.port, ==, 4004);
	g_assert_cmpuint(offer.side.t38.version, ==, 3);
	g_assert_cmpuint(offer.side.t38.bit_rate, ==, 9600);
	g_assert_cmpuint(offer.side.t38.datagram, ==, 316);
	g_assert_cmpint(offer.side.t38.correction, ==, TL_T38_FEC);
	g_assert_false(offer.side.t38.fill_bit_removal);
	struct tl_rtp_side local = { .host = "192.0.2.7", .port = 7000, .law = TL_LAW_ULAW, .dtmf_payload_type = 101, .ptime_ms = 20,
				     .sends = true, .receives = true };
	struct tl_rtp_side remote = offer.side;
	tl_sdp_agree(&offer, &local, &remote);
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &offer, .answer = true });
	g_assert_nonnull(strstr(text, "m=audio 0 RTP/AVP 0\r\nm=image 7000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:9600\r\n"
				      "a=T38FaxRateManagement:transferredTCF\r\n"));
	g_assert_nonnull(strstr(text, "a=T38FaxUdpEC:t38UDPFEC\r\n"));
	g_assert_cmpint(parse(text, &again), ==, 0);
	g_assert_true(again.side.t38.on);
	g_free(text);
	/* Back to audio: in the place that was the audio's. */
	local.t38.on = false;
	text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &offer });
	g_assert_nonnull(strstr(text, "m=audio 7000 RTP/AVP 0 101\r\n"));
	g_assert_nonnull(strstr(text, "m=image 0 UDPTL t38\r\n"));
	g_free(text);
}

static void test_image_offers(void)
{
	static const struct {
		const char *text;
		int error;
		bool image;
	} cases[] = {
		{ "m=audio 4000 RTP/AVP 8\r\nm=image 4004 udptl t38\r\n", 0, false }, /* both: the audio */
		{ "m=image 4004 udptl t38\r\n", 0, true },
		{ "m=image 4004 udptl t38\r\na=T38MaxBitRate:7\r\na=T38FaxMaxDatagram:1\r\na=T38FaxUdpEC:what\r\n", 0, true },
		{ "m=image 4004 udptl t38\r\na=T38FaxRateManagement:localTCF\r\n", -EPROTONOSUPPORT, false },
		{ "m=image 4004 tcp t38\r\n", -EPROTONOSUPPORT, false },
		{ "m=image 4004 udptl t39\r\n", -EPROTONOSUPPORT, false },
		{ "m=audio 4000 RTP/AVP 9\r\nm=image 4004 udptl t38\r\n", -EPROTONOSUPPORT, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_sdp sdp;
		g_autofree char *text = g_strconcat(HEAD "c=IN IP4 1.2.3.4\r\n", cases[i].text, NULL);
		g_assert_cmpint(parse(text, &sdp), ==, cases[i].error);
		if (cases[i].error)
			continue;
		g_assert_cmpint(sdp.side.t38.on, ==, cases[i].image);
		g_assert_true(!cases[i].image || (sdp.side.t38.bit_rate == 14400 && sdp.side.t38.datagram == 400));
	}
	/* The first description, and the audio's place taken (RFC 3264 8.3.3). */
	struct tl_rtp_side local = { .host = "192.0.2.7", .port = 7000, .sends = true, .receives = true, .dtmf_payload_type = -1,
				     .t38 = { .on = true, .bit_rate = 14400, .datagram = 1400, .correction = TL_T38_REDUNDANCY } };
	struct tl_sdp audio;
	g_assert_cmpint(parse(HEAD "c=IN IP4 1.2.3.4\r\nm=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\n", &audio), ==, 0);
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &audio });
	g_assert_nonnull(strstr(text, "m=video 0 RTP/AVP 31\r\nm=image 7000 udptl t38\r\n"));
	g_assert_null(strstr(text, "m=audio"));
	g_free(text);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sdp/plain", test_plain);
	g_test_add_func("/sdp/levels", test_levels);
	g_test_add_func("/sdp/hold", test_hold);
	g_test_add_func("/sdp/refused", test_refused);
	g_test_add_func("/sdp/ptime", test_ptime);
	g_test_add_func("/sdp/too-much", test_too_much);
	g_test_add_func("/sdp/round-trip", test_round_trip);
	g_test_add_func("/sdp/answer", test_answer);
	g_test_add_func("/sdp/keys", test_keys);
	g_test_add_func("/sdp/keys-said", test_keys_said);
	g_test_add_func("/sdp/image", test_image);
	g_test_add_func("/sdp/image-offers", test_image_offers);
	return g_test_run();
}
