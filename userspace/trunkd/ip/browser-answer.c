/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "ip/browser.h"

#define HOST_PREFERENCE 126u /* RFC 8445 5.1.2.2 */
#define COMPONENT 1

enum tl_law tl_browser_offer_law(const struct tl_browser_offer *offer, enum tl_law preferred)
{
	return offer->offers[preferred] ? preferred : preferred == TL_LAW_ALAW ? TL_LAW_ULAW : TL_LAW_ALAW;
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

static void format_codecs(GString *out, const struct tl_rtp_side *side, enum tl_law law)
{
	unsigned type = law == TL_LAW_ALAW ? 8 : 0;
	g_string_append_printf(out, "a=rtpmap:%u %s/8000\r\n", type, law == TL_LAW_ALAW ? "PCMA" : "PCMU");
	if (side->dtmf_payload_type >= 0)
		g_string_append_printf(out, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n",
				       side->dtmf_payload_type, side->dtmf_payload_type);
	g_string_append_printf(out, "a=ptime:%u\r\n", side->ptime_ms);
}

static void format_audio(GString *out, const struct tl_browser_offer *offer, enum tl_law law,
			 const struct tl_transport_side *transport)
{
	static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	const struct tl_browser_stream *stream = &offer->streams[offer->audio];
	const struct tl_candidate *first = &transport->candidates[0];
	g_string_append_printf(out, "m=audio %u %s %u", first->port, stream->protocol, law == TL_LAW_ALAW ? 8 : 0);
	if (offer->side.dtmf_payload_type >= 0)
		g_string_append_printf(out, " %d", offer->side.dtmf_payload_type);
	g_string_append_printf(out, "\r\nc=IN %s %s\r\na=rtcp-mux\r\n", family_of(first->host), first->host);
	if (*stream->mid)
		g_string_append_printf(out, "a=mid:%s\r\n", stream->mid);
	g_string_append_printf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:passive\r\n",
			       transport->ufrag, transport->password, transport->fingerprint);
	/* What they send we receive. */
	g_string_append_printf(out, "a=%s\r\n", directions[(offer->side.receives ? 1 : 0) | (offer->side.sends ? 2 : 0)]);
	format_codecs(out, &offer->side, law);
	g_string_append_printf(out, "a=msid:trunkline audio\r\na=ssrc:%u cname:trunkline\r\n", transport->ssrc);
	format_candidates(out, transport);
}

char *tl_browser_answer_format(const struct tl_browser_offer *offer, enum tl_law law,
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
			format_audio(out, offer, law, transport);
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
