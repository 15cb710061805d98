/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A browser's video, for the other browser of a bridge of two, and what that one says of it. Thread: tick. */
#include "media/bridge.h"
#include "media/browser.h"
#include "media/hub.h"
#include "media/session.h"
#include "media/tie.h"

#define PAUSE_TICKS 100 /* after it the row goes on with a step: a stream that jumps would lose SRTP's count of rounds */

static uint32_t video_ssrc(const struct tl_rtp_session *session)
{
	return tl_video_ssrc(session->ssrc);
}

/* Tells the other party's session, wherever that is. */
static bool tell(struct tl_rtp_session *session, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	struct tl_port *port = session->port;
	if (port->tie)
		return tl_tie_tell_video(port->tie, word, octets, n);
	struct tl_port *other = tl_bridge_other(port->bridge, port);
	return other && tl_port_tell_video(other, word, octets, n);
}

static void ask_refresh(struct tl_rtp_session *session)
{
	uint8_t octets[TL_VIDEO_REFRESH_OCTETS + TL_SRTP_GROWTH_MAX];
	size_t n = tl_video_ask_refresh(video_ssrc(session), session->video.source, octets);
	tl_rtp_session_send(session, octets, n, true);
}

/* Which codec of @side's has this payload type; false: none, and it is no video. */
static bool codec_of(const struct tl_video_side *side, uint8_t payload_type, unsigned *codec, bool *again)
{
	for (unsigned i = 0; i < TL_VIDEO_CODECS && payload_type; i++) {
		const struct tl_video_format *format = &side->formats[i];
		if (format->payload_type != payload_type && format->retransmission != payload_type)
			continue;
		*codec = i;
		*again = format->payload_type != payload_type;
		return true;
	}
	return false;
}

/* The row goes on with this packet; the source is asked for a key frame where it has just begun. */
static void join(struct tl_rtp_session *session, const struct tl_video_packet *packet, bool again)
{
	struct tl_session_video *video = &session->video;
	uint64_t tick = session->port->media->tick;
	if (tick - video->given_tick > PAUSE_TICKS)
		video->row.source = video->again.source = ~packet->ssrc;
	video->given_tick = tick;
	if (tl_video_row_join(again ? &video->again : &video->row, packet) && !again)
		tell(session, &(struct tl_video_word){ TL_VIDEO_REFRESH }, NULL, 0);
}

/* A packet of the other party's. */
static bool give_packet(struct tl_rtp_session *session, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	const struct tl_video_side *has = &session->target.video;
	const struct tl_video_format *format = &has->formats[word->codec];
	unsigned payload_type = word->again ? format->retransmission : format->payload_type;
	uint8_t out[TL_HUB_DATAGRAM_MAX + TL_SRTP_GROWTH_MAX];
	struct tl_video_packet packet;
	if (!has->receives || !payload_type || tl_video_packet_parse(octets, n, &packet))
		return false;
	join(session, &packet, word->again);
	struct tl_video_row *row = word->again ? &session->video.again : &session->video.row;
	const struct tl_video_way way = {
		.payload_type = payload_type, .ssrc = video_ssrc(session) + word->again,
		.sequence = row->sequence, .timestamp = session->video.row.timestamp,
		.is_retransmission = word->again, .original = session->video.row.sequence,
		.from = { word->extensions[0], word->extensions[1] }, .to = { has->send_time, has->orientation },
	};
	size_t made = tl_video_forward(octets, n, &way, out, TL_HUB_DATAGRAM_MAX - TL_SRTP_GROWTH_MAX);
	if (!made || !tl_rtp_session_send(session, out, made, false))
		return false;
	tl_video_row_note(row, packet.sequence + way.sequence, packet.timestamp + way.timestamp);
	TL_COUNT(session->port->tally.video_sent, 1);
	return true;
}

/* What the other party says of the two streams. */
static bool give_report(struct tl_rtp_session *session, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	uint8_t out[TL_HUB_DATAGRAM_MAX + TL_SRTP_GROWTH_MAX];
	const struct tl_session_video *video = &session->video;
	const struct tl_video_view view = {
		.gets = word->gets, .source = word->row.source, .sequence = word->row.sequence,
		.has_source = word->row.running && video->heard && word->row.source == video->source,
		.sends = word->source, .seen = video_ssrc(session), .timestamp = video->row.timestamp,
		.has_sent = video->row.running && word->sends && video->row.source == word->source,
	};
	size_t made = tl_video_feedback(octets, n, &view, out, TL_HUB_DATAGRAM_MAX - TL_SRTP_GROWTH_MAX);
	return made && tl_rtp_session_send(session, out, made, true);
}

bool tl_port_tell_video(struct tl_port *port, const struct tl_video_word *word, const uint8_t *octets, size_t n)
{
	if (port->kind == TL_PORT_TIE)
		return tl_tie_hear_video(port->tie, word, octets, n);
	struct tl_rtp_session *session = port->rtp;
	if (!session || !session->browser || !tl_browser_is_up(session->browser))
		return false;
	switch (word->kind) {
	case TL_VIDEO_PACKET:
		return give_packet(session, word, octets, n);
	case TL_VIDEO_REPORT:
		return give_report(session, word, octets, n);
	case TL_VIDEO_REFRESH:
		ask_refresh(session);
		return true;
	}
	return false;
}

bool tl_rtp_session_hear_video(struct tl_rtp_session *session, const uint8_t *octets, size_t n)
{
	const struct tl_video_side *side = &session->target.video;
	struct tl_video_packet packet;
	unsigned codec;
	bool again;
	if (tl_video_packet_parse(octets, n, &packet) || !codec_of(side, packet.payload_type, &codec, &again))
		return false;
	if (!again) {
		session->video.heard = true;
		session->video.source = packet.ssrc;
	}
	TL_COUNT(session->port->tally.video_received, 1);
	const struct tl_video_word word = { TL_VIDEO_PACKET, .codec = codec, .again = again,
					    .extensions = { side->send_time, side->orientation } };
	if (!tell(session, &word, octets, n))
		TL_COUNT(session->port->tally.video_dropped, 1);
	return true;
}

void tl_rtp_session_hear_video_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n)
{
	const struct tl_session_video *video = &session->video;
	const struct tl_video_word word = { TL_VIDEO_REPORT, .gets = video_ssrc(session), .row = video->row,
					    .sends = video->heard, .source = video->source };
	if (video->heard || video->row.running)
		tell(session, &word, octets, n);
}
