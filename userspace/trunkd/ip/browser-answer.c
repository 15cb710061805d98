/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "ip/browser.h"

#define HOST_PREFERENCE 126u /* RFC 8445 5.1.2.2 */
#define COMPONENT 1

struct tl_rtp_side tl_browser_offer_choose(const struct tl_browser_offer *offer, const struct tl_browser_choice *choice)
{
	struct tl_rtp_side side = offer->side;
	enum tl_law other = choice->law == TL_LAW_ALAW ? TL_LAW_ULAW : TL_LAW_ALAW;
	bool has_g711 = offer->offers[choice->law] || offer->offers[other];
	if (has_g711 && !choice->opus)
		side.opus_payload_type = 0;
	side.law = side.opus_payload_type || offer->offers[choice->law] ? choice->law : other;
	return side;
}

static const char *codec_of(const struct tl_rtp_side *side, unsigned *type)
{
	*type = side->opus_payload_type ? side->opus_payload_type : side->law == TL_LAW_ALAW ? 8 : 0;
	return side->opus_payload_type ? "opus/48000/2" : side->law == TL_LAW_ALAW ? "PCMA/8000" : "PCMU/8000";
}

static const char *family_of(const char *host)
{
	return strchr(host, ':') ? "IP6" : "IP4";
}

/* RFC 8839 5.1; the first is preferred. */
static void format_candidates(GString *out, const struct tl_transport_side *transport)
{
	for (unsigned i = 0; i < transport->n_candidates; i++)
		g_string_append_printf(out, "a=candidate:%u %d udp %u %s %u typ host\r\n", i + 1, COMPONENT,
				       HOST_PREFERENCE << 24 | (65535 - i) << 8 | (256 - COMPONENT),
				       transport->candidates[i].host, transport->candidates[i].port);
	g_string_append(out, "a=end-of-candidates\r\n");
}

/* What is sent to us becomes 8 kHz, so that more than that is sent in vain (RFC 7587 6.1). */
static void format_codecs(GString *out, const struct tl_rtp_side *side, bool dtx)
{
	unsigned type;
	const char *name = codec_of(side, &type);
	g_string_append_printf(out, "a=rtpmap:%u %s\r\n", type, name);
	if (side->opus_payload_type)
		g_string_append_printf(out, "a=fmtp:%u minptime=10;useinbandfec=1;maxplaybackrate=8000;"
				       "sprop-maxcapturerate=8000;maxaveragebitrate=24000%s\r\n", type, dtx ? ";usedtx=1" : "");
	if (side->dtmf_payload_type >= 0)
		g_string_append_printf(out, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n",
				       side->dtmf_payload_type, side->dtmf_payload_type);
	g_string_append_printf(out, "a=ptime:%u\r\n", side->ptime_ms);
}

static void format_audio(GString *out, const struct tl_browser_offer *offer, const struct tl_browser_choice *choice,
			 const struct tl_transport_side *transport)
{
	static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	const struct tl_browser_stream *stream = &offer->streams[offer->audio];
	const struct tl_candidate *first = &transport->candidates[0];
	const struct tl_rtp_side side = tl_browser_offer_choose(offer, choice);
	unsigned type;
	codec_of(&side, &type);
	g_string_append_printf(out, "m=audio %u %s %u", first->port, stream->protocol, type);
	if (offer->side.dtmf_payload_type >= 0)
		g_string_append_printf(out, " %d", offer->side.dtmf_payload_type);
	g_string_append_printf(out, "\r\nc=IN %s %s\r\na=rtcp-mux\r\n", family_of(first->host), first->host);
	if (*stream->mid)
		g_string_append_printf(out, "a=mid:%s\r\n", stream->mid);
	g_string_append_printf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:passive\r\n",
			       transport->ufrag, transport->password, transport->fingerprint);
	/* What they send we receive. */
	g_string_append_printf(out, "a=%s\r\n", directions[(offer->side.receives ? 1 : 0) | (offer->side.sends ? 2 : 0)]);
	format_codecs(out, &side, choice->dtx);
	g_string_append_printf(out, "a=msid:trunkline audio\r\na=ssrc:%u cname:trunkline\r\n", transport->ssrc);
	format_candidates(out, transport);
}

char *tl_browser_answer_format(const struct tl_browser_offer *offer, const struct tl_browser_choice *choice,
			       const struct tl_transport_side *transport)
{
	GString *out = g_string_new("v=0\r\n");
	const char *host = transport->candidates[0].host, *mid = offer->streams[offer->audio].mid;
	g_string_append_printf(out, "o=- %u %u IN %s %s\r\ns=-\r\nt=0 0\r\n", transport->ssrc, transport->version, family_of(host),
			       host);
	if (*mid)
		g_string_append_printf(out, "a=group:BUNDLE %s\r\n", mid);
	g_string_append(out, "a=ice-lite\r\n");
	for (unsigned i = 0; i < offer->n_streams; i++) {
		const struct tl_browser_stream *stream = &offer->streams[i];
		if (i == offer->audio) {
			format_audio(out, offer, choice, transport);
			continue;
		}
		g_string_append_printf(out, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n", stream->media, stream->protocol,
				       stream->format);
		if (*stream->mid)
			g_string_append_printf(out, "a=mid:%s\r\n", stream->mid);
		g_string_append(out, "a=inactive\r\n");
	}
	return g_string_free(out, FALSE);
}
