/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A browser's video, for the other browser of a bridge of two, and what that one says of it. Thread: tick. */
#include "media/bridge.h"
#include "media/browser.h"
#include "media/hub.h"
#include "media/session.h"

#define PAUSE_US 1000000 /* after it the row goes on with a step: a stream that jumps would lose SRTP's count of rounds */

static uint32_t video_ssrc(const struct tl_rtp_session *session)
{
	return tl_video_ssrc(session->ssrc);
}

static struct tl_rtp_session *other_of(const struct tl_rtp_session *session)
{
	const struct tl_bridge *bridge = session->port->bridge;
	if (!bridge || bridge->n_ports != 2)
		return NULL;
	struct tl_port *other = bridge->ports[bridge->ports[0] == session->port];
	return other->kind == TL_PORT_RTP && other->rtp->browser && tl_browser_is_up(other->rtp->browser) ? other->rtp : NULL;
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

/* The receiver's row goes on with this packet; the source is asked for a key frame where it has just begun. */
static void join(struct tl_rtp_session *from, struct tl_rtp_session *to, const struct tl_video_packet *packet, bool again)
{
	struct tl_session_video *video = &to->video;
	int64_t now_us = to->port->media->now_us;
	if (now_us - video->given_us > PAUSE_US)
		video->row.source = video->again.source = ~packet->ssrc;
	video->given_us = now_us;
	if (tl_video_row_join(again ? &video->again : &video->row, packet) && !again)
		ask_refresh(from);
}

static void forward(struct tl_rtp_session *from, struct tl_rtp_session *to, const struct tl_video_packet *packet,
		    const struct tl_video_format *format, bool again, const uint8_t *octets, size_t n)
{
	const struct tl_video_side *had = &from->target.video, *has = &to->target.video;
	uint8_t out[TL_HUB_DATAGRAM_MAX + TL_SRTP_GROWTH_MAX];
	join(from, to, packet, again);
	struct tl_video_row *row = again ? &to->video.again : &to->video.row;
	const struct tl_video_way way = {
		.payload_type = again ? format->retransmission : format->payload_type,
		.ssrc = video_ssrc(to) + again, .sequence = row->sequence, .timestamp = to->video.row.timestamp,
		.is_retransmission = again, .original = to->video.row.sequence,
		.from = { had->send_time, had->orientation }, .to = { has->send_time, has->orientation },
	};
	size_t made = tl_video_forward(octets, n, &way, out, TL_HUB_DATAGRAM_MAX - TL_SRTP_GROWTH_MAX);
	if (!made || !tl_rtp_session_send(to, out, made, false)) {
		TL_COUNT(from->port->tally.video_dropped, 1);
		return;
	}
	tl_video_row_note(row, packet->sequence + way.sequence, packet->timestamp + way.timestamp);
	TL_COUNT(to->port->tally.video_sent, 1);
}

bool tl_rtp_session_hear_video(struct tl_rtp_session *session, const uint8_t *octets, size_t n)
{
	struct tl_video_packet packet;
	unsigned codec;
	bool again;
	if (tl_video_packet_parse(octets, n, &packet) ||
	    !codec_of(&session->target.video, packet.payload_type, &codec, &again))
		return false;
	if (!again) {
		session->video.heard = true;
		session->video.source = packet.ssrc;
	}
	TL_COUNT(session->port->tally.video_received, 1);
	struct tl_rtp_session *other = other_of(session);
	const struct tl_video_format *format = other ? &other->target.video.formats[codec] : NULL;
	if (!other || !other->target.video.receives || !(again ? format->retransmission : format->payload_type))
		TL_COUNT(session->port->tally.video_dropped, 1);
	else
		forward(session, other, &packet, format, again, octets, n);
	return true;
}

void tl_rtp_session_hear_video_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n)
{
	uint8_t out[TL_HUB_DATAGRAM_MAX + TL_SRTP_GROWTH_MAX];
	struct tl_rtp_session *other = other_of(session);
	if (!other)
		return;
	const struct tl_session_video *video = &session->video, *others = &other->video;
	const struct tl_video_view view = {
		.gets = video_ssrc(session), .source = video->row.source, .sequence = video->row.sequence,
		.has_source = video->row.running && others->heard && video->row.source == others->source,
		.sends = video->source, .seen = video_ssrc(other), .timestamp = others->row.timestamp,
		.has_sent = others->row.running && video->heard && others->row.source == video->source,
	};
	size_t made = tl_video_feedback(octets, n, &view, out, TL_HUB_DATAGRAM_MAX - TL_SRTP_GROWTH_MAX);
	if (made)
		tl_rtp_session_send(other, out, made, true);
}
