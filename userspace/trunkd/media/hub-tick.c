/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Datagrams in and out of the hub. Thread: tick. */
#include <errno.h>
#include <string.h>

#include "media/hub.h"
#include "media/session.h"

#define HANDSHAKES_A_TICK 256 /* datagrams of handshakes */

/* ---- out ---- */

static void flush_socket(struct tl_hub *hub, struct tl_hub_socket *socket)
{
	unsigned sent = 0;
	while (sent < socket->n_out) {
		int n = sendmmsg(socket->fd, socket->out + sent, socket->n_out - sent, MSG_DONTWAIT);
		/* The first one failed: it is lost, as on any network; the others may have other ways. */
		TL_COUNT(*(n > 0 ? &hub->datagrams_out : &hub->send_failed), n > 0 ? n : 1);
		sent += n > 0 ? n : 1;
	}
	socket->n_out = 0;
}

bool tl_hub_send(struct tl_hub *hub, unsigned index, const union tl_address *to, const uint8_t *octets, size_t n)
{
	struct tl_hub_socket *socket = &hub->sockets[index];
	if (n > TL_HUB_DATAGRAM_MAX)
		return false;
	unsigned i = socket->n_out++;
	memcpy(socket->octets[i], octets, n);
	socket->to[i] = *to;
	socket->parts[i] = (struct iovec){ socket->octets[i], n };
	socket->out[i].msg_hdr = (struct msghdr){
		.msg_name = &socket->to[i],
		.msg_namelen = to->any.sa_family == AF_INET ? sizeof to->v4 : sizeof to->v6,
		.msg_iov = &socket->parts[i], .msg_iovlen = 1,
	};
	if (socket->n_out == TL_HUB_BATCH)
		flush_socket(hub, socket);
	return true;
}

/* A worker knows where to, not by which socket: the one where that address proved itself. */
static void send_handshake(struct tl_hub *hub, const struct tl_dtls_datagram *datagram)
{
	for (unsigned i = 0; i < hub->n_sockets; i++) {
		if (!tl_hub_find_pair(hub, i, &datagram->to))
			continue;
		tl_hub_send(hub, i, &datagram->to, datagram->octets, datagram->n_octets);
		return;
	}
}

void tl_hub_flush(struct tl_hub *hub)
{
	struct tl_dtls_datagram datagram;
	if (!hub)
		return;
	for (unsigned i = 0; i < HANDSHAKES_A_TICK && tl_dtls_pool_take(hub->pool, hub->channel, &datagram); i++)
		send_handshake(hub, &datagram);
	for (unsigned i = 0; i < hub->n_sockets; i++)
		flush_socket(hub, &hub->sockets[i]);
}

/* ---- in ---- */

static void heard_check(struct tl_hub *hub, unsigned socket, const uint8_t *octets, size_t n,
			const union tl_address *from)
{
	struct tl_ice_answer answer;
	tl_ice_lite_answer(&hub->ice, octets, n, from, hub->media->now_us, &answer);
	if (answer.verdict == TL_ICE_CHECKED || answer.verdict == TL_ICE_NOMINATED) {
		struct tl_browser_secret *secret = answer.session;
		tl_browser_checked(secret->browser, socket, from, answer.verdict == TL_ICE_NOMINATED);
		TL_COUNT(hub->checks, 1);
	} else {
		TL_COUNT(hub->checks_refused, 1);
	}
	if (answer.n_octets)
		tl_hub_send(hub, socket, from, answer.octets, answer.n_octets);
}

static void heard_packet(struct tl_rtp_session *session, uint8_t *octets, size_t n, bool is_rtcp,
			 struct msghdr *message)
{
	struct tl_rtp_packet packet;
	if (!tl_rtp_session_open(session, octets, &n, is_rtcp))
		return;
	if (is_rtcp) {
		tl_rtp_session_hear_report(session, octets, n);
		tl_rtp_session_hear_video_report(session, octets, n);
	} else if (tl_rtp_session_hear_video(session, octets, n)) {
		return;
	} else if (tl_rtp_parse(octets, n, &packet) == 0) {
		tl_rtp_session_hear(session, &packet, tl_rtp_arrival_of(message));
	} else {
		TL_COUNT(session->port->tally.refused, 1);
	}
}

static void heard_datagram(struct tl_hub *hub, unsigned socket, unsigned i)
{
	uint8_t *octets = hub->octets[i];
	size_t n = hub->in[i].msg_len;
	const union tl_address *from = &hub->from[i];
	enum tl_datagram_kind kind = tl_datagram_kind_of(octets, n);
	if (kind == TL_DATAGRAM_OTHER || hub->in[i].msg_hdr.msg_flags & MSG_TRUNC) {
		TL_COUNT(hub->malformed, 1);
		return;
	}
	if (kind == TL_DATAGRAM_STUN) {
		heard_check(hub, socket, octets, n, from);
		return;
	}
	struct tl_browser_pair *pair = tl_hub_find_pair(hub, socket, from);
	if (!pair)
		TL_COUNT(hub->strangers, 1);
	else if (kind == TL_DATAGRAM_DTLS)
		tl_association_feed(pair->browser->association, from, octets, n, hub->media->now_us);
	else
		heard_packet(pair->browser->port->rtp, octets, n, kind == TL_DATAGRAM_RTCP, &hub->in[i].msg_hdr);
}

static int receive_batch(struct tl_hub *hub, unsigned socket)
{
	for (unsigned i = 0; i < TL_HUB_BATCH; i++) {
		hub->parts[i] = (struct iovec){ hub->octets[i], TL_HUB_DATAGRAM_MAX };
		hub->in[i].msg_hdr = (struct msghdr){
			.msg_name = &hub->from[i], .msg_namelen = sizeof hub->from[i],
			.msg_iov = &hub->parts[i], .msg_iovlen = 1,
			.msg_control = hub->control[i], .msg_controllen = sizeof hub->control[i],
		};
	}
	int n = recvmmsg(hub->sockets[socket].fd, hub->in, TL_HUB_BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	TL_COUNT(hub->datagrams_in, n);
	for (int i = 0; i < n; i++)
		heard_datagram(hub, socket, i);
	return n;
}

/* A flood may cost its own packets' reading, and never more of the tick than the sessions' own traffic could. */
void tl_hub_receive(struct tl_hub *hub)
{
	if (!hub)
		return;
	unsigned rounds = 4 + 4 * hub->media->n_attached / TL_HUB_BATCH;
	for (unsigned i = 0; i < hub->n_sockets; i++)
		for (unsigned r = 0; r < rounds && receive_batch(hub, i) == TL_HUB_BATCH; r++)
			;
}
