/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the far end is to hear: blocks gathered into packets, digits as events. Thread: tick. */
#include "media/g711.h"
#include "media/session.h"
#include "media/tap.h"

static void send_packet(struct tl_rtp_session *session, uint8_t *octets, size_t payload_octets, uint8_t payload_type,
			bool marker, uint32_t timestamp)
{
	struct tl_rtp_packet packet = {
		.payload_type = payload_type, .marker = marker, .sequence = session->sequence++,
		.timestamp = tl_rtp_session_stream_time(session, timestamp), .ssrc = session->ssrc,
	};
	tl_rtp_format(&packet, octets);
	if (!tl_rtp_session_send(session, octets, TL_RTP_HEADER_OCTETS + payload_octets, false))
		return; /* full or unreachable: lost, as on any network */
	session->packets++;
	session->octets += payload_octets;
	TL_COUNT(session->port->tally.packets_sent, 1);
}

/* The octets gathered become an Opus packet in their place. Returns its octets; 0: silence that need not be sent. */
static size_t encode(struct tl_rtp_session *session)
{
	int16_t samples[TL_RTP_PACKET_SAMPLES_MAX];
	uint8_t *payload = session->packet + TL_RTP_HEADER_OCTETS;
	tl_g711_decode(session->port->law, payload, samples, session->filled);
	return tl_opus_out_encode(session->opus_out, samples, session->filled, payload, TL_RTP_PACKET_SAMPLES_MAX);
}

static void send_audio(struct tl_rtp_session *session)
{
	bool is_opus = tl_rtp_session_has_opus(session);
	unsigned type = is_opus ? session->target.opus_payload_type :
			session->port->law == TL_LAW_ALAW ? TL_RTP_PAYLOAD_PCMA : TL_RTP_PAYLOAD_PCMU;
	size_t octets = is_opus ? encode(session) : session->filled;
	if (octets)
		send_packet(session, session->packet, octets, type, !session->talking,
			    session->timestamp + TL_BLOCK_OCTETS - session->filled);
	session->talking = octets;
	session->filled = 0;
}

static void send_events(struct tl_rtp_session *session, int code)
{
	struct tl_event_packet packets[TL_EVENT_PACKETS_MAX];
	uint8_t octets[TL_RTP_HEADER_OCTETS + TL_RTP_EVENT_OCTETS + TL_SRTP_GROWTH_MAX];
	unsigned n = tl_event_out_tick(&session->event_out, code, session->timestamp, session->target.packet_samples,
				       packets);
	for (unsigned i = 0; i < n; i++) {
		tl_rtp_event_format(&packets[i].event, octets + TL_RTP_HEADER_OCTETS);
		send_packet(session, octets, TL_RTP_EVENT_OCTETS, session->target.dtmf_payload_type,
			    packets[i].marker, packets[i].timestamp);
	}
}

/* Sessions begin their packets in different ticks, so that no tick has to send for all of them. */
static bool may_begin(const struct tl_rtp_session *session)
{
	unsigned blocks = session->target.packet_samples / TL_BLOCK_OCTETS;
	return (session->port->media->tick + session->phase) % blocks == 0;
}

void tl_rtp_session_send_datagrams(struct tl_rtp_session *session)
{
	const struct tl_datagram *datagram;
	struct tl_tap *tap = session->port->tap;
	bool sends = session->target.t38 && session->target.receives && tl_rtp_session_can_send(session, false);
	while (tap && (datagram = tl_tap_next_datagram(tap))) {
		if (sends && tl_rtp_sockets_send(session, datagram->octets, datagram->n, false))
			TL_COUNT(session->port->tally.packets_sent, 1);
		tl_tap_drop_datagram(tap);
	}
}

void tl_rtp_session_give(struct tl_rtp_session *session)
{
	bool sends = session->target.receives && tl_rtp_session_can_send(session, false);
	uint8_t *block = session->packet + TL_RTP_HEADER_OCTETS + session->filled;
	int code = tl_port_hear(session->port, block); /* also while held: what plays, plays on */
	if (session->target.t38) {
		tl_rtp_session_send_datagrams(session);
		session->filled = 0;
		session->talking = false;
		return;
	}
	bool as_event = session->target.dtmf_payload_type >= 0;
	if (sends && as_event)
		send_events(session, code);
	if (!sends || (as_event && code >= 0)) {
		session->filled = 0; /* at most a packet's first half, in the digit's favour */
		session->talking = false;
	} else if (session->talking || session->filled || may_begin(session)) {
		session->filled += TL_BLOCK_OCTETS;
		if (session->filled >= session->target.packet_samples)
			send_audio(session);
	}
	session->timestamp += TL_BLOCK_OCTETS;
}
