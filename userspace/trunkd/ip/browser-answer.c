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
	if (!choice->video || !offer->has_video)
		side.video = (struct tl_video_side){ 0 };
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

static const char *direction_of(bool sends, bool receives)
{
	static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	return directions[(receives ? 1 : 0) | (sends ? 2 : 0)]; /* what they send we receive */
}

/* Behind an m= line. Of a bundle the first stream speaks for all (RFC 8843 7.3.3). */
static void format_head(GString *out, const struct tl_browser_stream *stream, const struct tl_transport_side *transport, bool speaks)
{
	const char *host = transport->candidates[0].host;
	g_string_append_printf(out, "\r\nc=IN %s %s\r\na=rtcp-mux\r\n", family_of(host), host);
	if (*stream->mid)
		g_string_append_printf(out, "a=mid:%s\r\n", stream->mid);
	if (speaks)
		g_string_append_printf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:passive\r\n",
				       transport->ufrag, transport->password, transport->fingerprint);
}

static void format_audio(GString *out, const struct tl_browser_offer *offer, const struct tl_browser_choice *choice,
			 const struct tl_transport_side *transport, bool speaks)
{
	const struct tl_browser_stream *stream = &offer->streams[offer->audio];
	const struct tl_rtp_side side = tl_browser_offer_choose(offer, choice);
	unsigned type;
	codec_of(&side, &type);
	g_string_append_printf(out, "m=audio %u %s %u", transport->candidates[0].port, stream->protocol, type);
	if (offer->side.dtmf_payload_type >= 0)
		g_string_append_printf(out, " %d", offer->side.dtmf_payload_type);
	format_head(out, stream, transport, speaks);
	g_string_append_printf(out, "a=%s\r\n", direction_of(side.sends, side.receives));
	format_codecs(out, &side, choice->dtx);
	g_string_append_printf(out, "a=msid:trunkline audio\r\na=ssrc:%u cname:trunkline\r\n", transport->ssrc);
	if (speaks)
		format_candidates(out, transport);
}

static void format_video_codec(GString *out, const struct tl_browser_offer *offer, enum tl_video_codec codec)
{
	static const char *const names[] = { "VP8", "H264", "VP9", "AV1" };
	static const char *const kinds[] = { "nack", "nack pli", "ccm fir", "goog-remb" };
	const struct tl_video_format *format = &offer->side.video.formats[codec];
	g_string_append_printf(out, "a=rtpmap:%u %s/90000\r\n", format->payload_type, names[codec]);
	if (*offer->video_parameters[codec])
		g_string_append_printf(out, "a=fmtp:%u %s\r\n", format->payload_type, offer->video_parameters[codec]);
	for (unsigned kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
		if (format->feedback & 1u << kind)
			g_string_append_printf(out, "a=rtcp-fb:%u %s\r\n", format->payload_type, kinds[kind]);
	if (format->retransmission)
		g_string_append_printf(out, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", format->retransmission,
				       format->retransmission, format->payload_type);
}

static void format_extension(GString *out, unsigned number, const char *name)
{
	if (number)
		g_string_append_printf(out, "a=extmap:%u %s\r\n", number, name);
}

static void format_video(GString *out, const struct tl_browser_offer *offer, const struct tl_transport_side *transport, bool speaks)
{
	const struct tl_browser_stream *stream = &offer->streams[offer->video];
	const struct tl_video_side *side = &offer->side.video;
	uint32_t ssrc = tl_video_ssrc(transport->ssrc);
	g_string_append_printf(out, "m=video %u %s", transport->candidates[0].port, stream->protocol);
	for (enum tl_video_codec codec = 0; codec < TL_VIDEO_CODECS; codec++) {
		if (side->formats[codec].payload_type)
			g_string_append_printf(out, " %u", side->formats[codec].payload_type);
		if (side->formats[codec].retransmission)
			g_string_append_printf(out, " %u", side->formats[codec].retransmission);
	}
	format_head(out, stream, transport, speaks);
	g_string_append_printf(out, "a=%s\r\n", direction_of(side->sends, side->receives));
	format_extension(out, side->send_time, TL_BROWSER_SEND_TIME);
	format_extension(out, side->orientation, TL_BROWSER_ORIENTATION);
	for (enum tl_video_codec codec = 0; codec < TL_VIDEO_CODECS; codec++)
		if (side->formats[codec].payload_type)
			format_video_codec(out, offer, codec);
	g_string_append_printf(out, "a=msid:trunkline video\r\na=ssrc-group:FID %u %u\r\na=ssrc:%u cname:trunkline\r\n"
			       "a=ssrc:%u cname:trunkline\r\n", ssrc, ssrc + 1, ssrc, ssrc + 1);
	if (speaks)
		format_candidates(out, transport);
}

static void format_refused(GString *out, const struct tl_browser_stream *stream)
{
	g_string_append_printf(out, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n", stream->media, stream->protocol, stream->format);
	if (*stream->mid)
		g_string_append_printf(out, "a=mid:%s\r\n", stream->mid);
	g_string_append(out, "a=inactive\r\n");
}

char *tl_browser_answer_format(const struct tl_browser_offer *offer, const struct tl_browser_choice *choice,
			       const struct tl_transport_side *transport)
{
	GString *out = g_string_new("v=0\r\n"), *streams = g_string_new(NULL), *bundle = g_string_new(NULL);
	const char *host = transport->candidates[0].host;
	bool speaks = true;
	for (unsigned i = 0; i < offer->n_streams; i++) {
		bool is_video = choice->video && offer->has_video && i == offer->video;
		if (i != offer->audio && !is_video) {
			format_refused(streams, &offer->streams[i]);
			continue;
		}
		if (is_video)
			format_video(streams, offer, transport, speaks);
		else
			format_audio(streams, offer, choice, transport, speaks);
		if (*offer->streams[i].mid)
			g_string_append_printf(bundle, " %s", offer->streams[i].mid);
		speaks = false;
	}
	g_string_append_printf(out, "o=- %u %u IN %s %s\r\ns=-\r\nt=0 0\r\n", transport->ssrc, transport->version, family_of(host),
			       host);
	if (bundle->len)
		g_string_append_printf(out, "a=group:BUNDLE%s\r\n", bundle->str);
	g_string_append_printf(out, "a=ice-lite\r\n%s", streams->str);
	g_string_free(streams, TRUE);
	g_string_free(bundle, TRUE);
	return g_string_free(out, FALSE);
}
