/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the far end sends: from the socket into the playout buffer, and a block a tick out of it. Thread: tick. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "media/g711.h"
#include "media/session.h"

#define DATAGRAM_MAX 2048
#define CONCEALED_MAX 3          /* 30 ms: beyond it a repeated block sounds worse than silence */
#define SILENCE_TICKS 1000       /* 10 s */
#define NS_PER_SAMPLE 125000

static bool same_host(const struct tl_address *a, const struct tl_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static bool same_port(const struct tl_address *a, const struct tl_address *b)
{
	/* Both families keep the port in the same place. */
	return a->v4.sin_port == b->v4.sin_port;
}

void tl_rtp_session_set_target(struct tl_rtp_session *session, const struct tl_rtp_target *target)
{
	bool moved = target->rtp.length == 0 || session->target.rtp.length == 0 ||
		     !same_host(&target->rtp, &session->target.rtp) || !same_port(&target->rtp, &session->target.rtp);
	if (moved) {
		session->to = target->rtp;
		session->latched = session->signalled_heard = false;
	}
	session->target = *target;
	session->quiet_ticks = 0;
	if (session->port->law != target->law) {
		session->filled = 0;
		tl_jitter_reset(&session->jitter);
		session->concealed = CONCEALED_MAX; /* the last good block is of the other law */
	}
	session->port->law = target->law;
}

void tl_rtp_session_set_fixed(struct tl_rtp_session *session, bool fixed)
{
	session->jitter.fixed = fixed;
}

void tl_rtp_session_set_deep(struct tl_rtp_session *session, bool deep)
{
	tl_jitter_set_deep(&session->jitter, deep);
}

static bool is_remote_host(const struct tl_rtp_target *target, const struct tl_address *from)
{
	return target->rtp.length && (same_host(from, &target->rtp) || same_host(from, &target->from));
}

/*
 * The signalled address always counts; another port of that host, or of the host that the signalling came from, only
 * while that one is silent (symmetric RTP, RFC 4961): a phone behind a translator, or with several addresses, does
 * not know where its packets seem to come from.
 */
static bool from_remote(struct tl_rtp_session *session, const struct tl_address *from)
{
	const struct tl_address *signalled = &session->target.rtp;
	if (!is_remote_host(&session->target, from))
		return false;
	if (same_host(from, signalled) && same_port(from, signalled)) {
		session->signalled_heard = true;
		session->to = *signalled;
		return true;
	}
	if (session->signalled_heard)
		return false;
	if (!session->latched) {
		session->latched = true;
		session->to = *from;
	}
	return same_host(from, &session->to) && same_port(from, &session->to);
}

static void heard_event(struct tl_rtp_session *session, const struct tl_rtp_packet *packet)
{
	struct tl_dtmf_press presses[TL_EVENT_PRESSES_MAX];
	struct tl_rtp_event event;
	if (tl_rtp_event_parse(packet->payload, packet->payload_octets, &event) != 0) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	session->events_heard = true;
	unsigned n = tl_event_in_hear(&session->event_in, packet->timestamp, &event, presses);
	for (unsigned i = 0; i < n; i++)
		tl_port_report_press(session->port, &presses[i]);
}

static void heard_audio(struct tl_rtp_session *session, const struct tl_rtp_packet *packet)
{
	struct tl_port_tally *tally = &session->port->tally;
	uint8_t octets[DATAGRAM_MAX];
	enum tl_law law = packet->payload_type == TL_RTP_PAYLOAD_PCMA ? TL_LAW_ALAW : TL_LAW_ULAW;
	const uint8_t *payload = packet->payload;
	if (packet->payload_octets == 0)
		return;
	if (law != session->port->law) {
		tl_g711_convert(law, session->port->law, payload, octets, packet->payload_octets);
		payload = octets;
	}
	switch (tl_jitter_put(&session->jitter, packet->timestamp, payload, packet->payload_octets)) {
	case TL_JITTER_LATE:
		TL_COUNT(tally->late, 1);
		break;
	case TL_JITTER_DUPLICATE:
		TL_COUNT(tally->duplicate, 1);
		break;
	case TL_JITTER_OVERFLOW:
		TL_COUNT(tally->overflow, 1);
		break;
	case TL_JITTER_TAKEN:
	case TL_JITTER_MOVED:
		break;
	}
}

static void heard_again(struct tl_rtp_session *session)
{
	if (session->silence_told)
		tl_media_report(session->port->media,
				&(struct tl_event){ TL_EVENT_SILENCE, .port = session->port, .ms = 0 });
	session->silence_told = false;
	session->quiet_ticks = 0;
}

/* Whether the packet is to be used. */
static bool booked(struct tl_rtp_session *session, const struct tl_rtp_packet *packet, uint32_t arrival)
{
	struct tl_port_tally *tally = &session->port->tally;
	switch (tl_rtp_source_hear(&session->source, packet, arrival)) {
	case TL_RTP_RESTARTED:
		tl_jitter_reset(&session->jitter);
		session->event_in = (struct tl_event_in){ 0 };
		break;
	case TL_RTP_NEW:
		break;
	case TL_RTP_DUPLICATE:
		TL_COUNT(tally->duplicate, 1);
		return false;
	case TL_RTP_STRAY:
		TL_COUNT(tally->refused, 1);
		return false;
	}
	int32_t lost = tl_rtp_source_lost(&session->source);
	TL_COUNT(tally->packets_received, 1);
	atomic_store_explicit(&tally->lost, lost > 0 ? lost : 0, memory_order_relaxed);
	atomic_store_explicit(&tally->jitter_us, tl_rtp_source_jitter(&session->source) * 125, memory_order_relaxed);
	return true;
}

static void heard_datagram(struct tl_rtp_session *session, const uint8_t *octets, size_t n,
			   const struct tl_address *from, uint32_t arrival)
{
	struct tl_rtp_packet packet;
	if (tl_rtp_parse(octets, n, &packet) != 0 || !from_remote(session, from)) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	bool is_audio = packet.payload_type == TL_RTP_PAYLOAD_PCMA || packet.payload_type == TL_RTP_PAYLOAD_PCMU;
	bool is_event = packet.payload_type == TL_RTP_EVENT_PAYLOAD ||
			packet.payload_type == session->target.dtmf_payload_type;
	if (!is_audio && !is_event) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	if (!booked(session, &packet, arrival))
		return;
	heard_again(session);
	if (is_audio)
		heard_audio(session, &packet);
	else
		heard_event(session, &packet);
}

/* The kernel's time of arrival in samples; reading happens a tick at a time and knows nothing of it. */
static uint32_t arrival_of(struct msghdr *message)
{
	struct timespec at;
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&at, CMSG_DATA(control), sizeof at);
	else
		clock_gettime(CLOCK_REALTIME, &at);
	return (uint64_t)at.tv_sec * 8000 + at.tv_nsec / NS_PER_SAMPLE;
}

void tl_rtp_socket_receive(struct tl_rtp_socket *socket)
{
	struct tl_rtp_session *session = socket->port->rtp;
	uint8_t octets[DATAGRAM_MAX];
	_Alignas(struct cmsghdr) uint8_t control[64];
	struct tl_address from = { 0 };
	struct iovec part = { octets, sizeof octets };
	struct msghdr message = {
		.msg_name = &from.any, .msg_namelen = sizeof from.v6, .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(socket->fd, &message, 0);
	if (n < 0)
		return; /* nothing there, or an ICMP error of what we sent: silence will tell */
	from.length = message.msg_namelen;
	if (message.msg_flags & MSG_TRUNC)
		TL_COUNT(socket->port->tally.refused, 1);
	else if (!socket->is_rtcp)
		heard_datagram(session, octets, n, &from, arrival_of(&message));
	else if (is_remote_host(&session->target, &from))
		tl_rtp_session_hear_report(session, octets, n);
	else
		TL_COUNT(socket->port->tally.refused, 1);
}

/* Puts the last good block in the missing one's place, each time 6 dB lower. */
static void conceal(struct tl_rtp_session *session)
{
	int16_t samples[TL_BLOCK_OCTETS];
	struct tl_port *port = session->port;
	if (!session->jitter.running || !session->target.sends)
		return;
	TL_COUNT(port->tally.concealed_blocks, 1);
	if (session->jitter.fixed || session->jitter.deep || session->concealed >= CONCEALED_MAX)
		return;
	session->concealed++;
	tl_g711_decode(port->law, session->last, samples, TL_BLOCK_OCTETS);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		samples[i] /= 2;
	tl_g711_encode(port->law, samples, session->last, TL_BLOCK_OCTETS);
	memcpy(port->block, session->last, TL_BLOCK_OCTETS);
}

/* The tone of a digit that came as an event, in the audio's place. */
static void sound_event(struct tl_rtp_session *session, int code)
{
	int16_t samples[TL_BLOCK_OCTETS];
	if (code != session->tone && code >= 0)
		tl_dtmf_tone(&session->oscillator, code);
	session->tone = code;
	if (code < 0)
		return;
	tl_oscillator_fill(&session->oscillator, samples, TL_BLOCK_OCTETS);
	tl_g711_encode(session->port->law, samples, session->port->block, TL_BLOCK_OCTETS);
	session->port->said_event = code;
}

static void watch_silence(struct tl_rtp_session *session)
{
	if (!session->target.sends || session->target.rtp.length == 0)
		return;
	if (++session->quiet_ticks % SILENCE_TICKS)
		return;
	session->silence_told = true;
	tl_media_report(session->port->media, &(struct tl_event){
		TL_EVENT_SILENCE, .port = session->port, .ms = session->quiet_ticks * 10 });
}

void tl_rtp_session_take(struct tl_rtp_session *session)
{
	struct tl_port *port = session->port;
	struct tl_dtmf_press press;
	unsigned missing = tl_jitter_get(&session->jitter, port->block, tl_law_idle(port->law));
	if (missing == TL_BLOCK_OCTETS) {
		conceal(session);
	} else {
		session->concealed = 0;
		memcpy(session->last, port->block, TL_BLOCK_OCTETS);
	}
	if (tl_event_in_tick(&session->event_in, &press))
		tl_port_report_press(port, &press);
	sound_event(session, tl_event_in_tone(&session->event_in));
	watch_silence(session);
	atomic_store_explicit(&port->tally.depth_us, tl_jitter_depth(&session->jitter) * 125, memory_order_relaxed);
}
