/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A session's own pair of sockets: opening on main, latching and receiving on
 * the thread. The sockets are not connected, so that strangers' packets can be
 * counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "media/session.h"
#include "media/tap.h"

#define FOREIGN_TRIES 64        /* ports that others hold, before giving up */
#define DATAGRAM_MAX 2048
#define NS_PER_SAMPLE 125000
#define TOS_EXPEDITED (46 << 2) /* RFC 3246 */

static struct tl_endpoint address_of(const char *host, unsigned port)
{
	struct tl_endpoint address = { 0 };
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(port);
		address.length = sizeof address.v4;
	} else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(port);
		address.length = sizeof address.v6;
	}
	return address;
}

static int open_socket(const char *host, unsigned port)
{
	struct tl_endpoint address = address_of(host, port);
	int one = 1, tos = TOS_EXPEDITED;
	int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, &address.any, address.length) != 0) {
		int result = -errno;
		close(fd);
		return result;
	}
	/* Arrival times for the jitter, and the class of service, are a help but no need. */
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	if (address.any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
	return fd;
}

static int open_pair(struct tl_rtp_session *session, const char *host, unsigned port)
{
	int rtp = open_socket(host, port);
	if (rtp < 0)
		return rtp;
	int rtcp = open_socket(host, port + 1);
	if (rtcp < 0) {
		close(rtp);
		return rtcp;
	}
	session->rtp.fd = rtp;
	session->rtcp.fd = rtcp;
	session->local_port = port;
	return 0;
}

static unsigned next_port(struct tl_media *media)
{
	unsigned port = media->next_rtp_port;
	media->next_rtp_port += 2;
	if (media->next_rtp_port + 1 > media->config.rtp_port_max)
		media->next_rtp_port = media->config.rtp_port_min;
	return port;
}

static int open_any_pair(struct tl_rtp_session *session, struct tl_media *media)
{
	unsigned n = (media->config.rtp_port_max + 1 - media->config.rtp_port_min) / 2;
	int result = -EADDRINUSE;
	for (unsigned i = 0, tries = 0; i < n && tries < FOREIGN_TRIES; i++) {
		unsigned port = next_port(media->first);
		if (g_hash_table_contains(media->first->rtp_ports, GUINT_TO_POINTER(port)))
			continue;
		result = open_pair(session, media->config.rtp_host, port);
		if (result != -EADDRINUSE)
			return result;
		tries++;
	}
	return result;
}

bool tl_rtp_sockets_open(struct tl_rtp_session *session, GError **error)
{
	struct tl_media *media = session->port->media;
	int result = open_any_pair(session, media);
	if (result != 0) {
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: RTP sockets on %s ports %u-%u: %s",
			    media->config.rtp_host, media->config.rtp_port_min, media->config.rtp_port_max,
			    g_strerror(-result));
		return false;
	}
	g_hash_table_add(media->first->rtp_ports, GUINT_TO_POINTER(session->local_port));
	session->rtp.port = session->rtcp.port = session->port;
	session->rtcp.is_rtcp = true;
	session->phase = session->local_port / 2;
	return true;
}

void tl_rtp_sockets_close(struct tl_rtp_session *session)
{
	g_hash_table_remove(session->port->media->first->rtp_ports, GUINT_TO_POINTER(session->local_port));
	close(session->rtp.fd);
	close(session->rtcp.fd);
}

void tl_rtp_target_locate(struct tl_rtp_target *target, const struct tl_rtp_side *remote)
{
	target->rtp = address_of(remote->host, remote->port);
	target->rtcp = address_of(remote->host, remote->port + 1);
	target->from = address_of(remote->from, 0);
}

/* ---- thread: tick ---- */

static bool same_host(const struct tl_endpoint *a, const struct tl_endpoint *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static bool same_port(const struct tl_endpoint *a, const struct tl_endpoint *b)
{
	/* Both families keep the port in the same place. */
	return a->v4.sin_port == b->v4.sin_port;
}

static void watch(struct tl_media *media, struct tl_rtp_socket *socket, bool on)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = socket };
	media->n_watched += on ? 1 : -1;
	epoll_ctl(media->socket_epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, socket->fd, &event);
}

void tl_rtp_sockets_watch(struct tl_rtp_session *session, bool on)
{
	watch(session->port->media, &session->rtp, on);
	watch(session->port->media, &session->rtcp, on);
}

bool tl_rtp_sockets_send(struct tl_rtp_session *session, const uint8_t *octets, size_t n, bool is_rtcp)
{
	const struct tl_endpoint *to = is_rtcp ? &session->target.rtcp : &session->to;
	return sendto(is_rtcp ? session->rtcp.fd : session->rtp.fd, octets, n, 0, &to->any, to->length) >= 0;
}

void tl_rtp_sockets_aim(struct tl_rtp_session *session, const struct tl_rtp_target *target)
{
	bool moved = target->rtp.length == 0 || session->target.rtp.length == 0 ||
		     !same_host(&target->rtp, &session->target.rtp) || !same_port(&target->rtp, &session->target.rtp);
	if (!moved)
		return;
	session->to = target->rtp;
	session->latched = session->signalled_heard = false;
}

static bool is_remote_host(const struct tl_rtp_target *target, const struct tl_endpoint *from)
{
	return target->rtp.length && (same_host(from, &target->rtp) || same_host(from, &target->from));
}

/*
 * The signalled address always counts; another port of that host, or of the host that the signalling came from, only
 * while that one is silent (symmetric RTP, RFC 4961): a phone behind a translator, or with several addresses, does
 * not know where its packets seem to come from.
 */
static bool from_remote(struct tl_rtp_session *session, const struct tl_endpoint *from)
{
	const struct tl_endpoint *signalled = &session->target.rtp;
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

uint32_t tl_rtp_arrival_of(struct msghdr *message)
{
	struct timespec at;
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&at, CMSG_DATA(control), sizeof at);
	else
		clock_gettime(CLOCK_REALTIME, &at);
	return (uint64_t)at.tv_sec * 8000 + at.tv_nsec / NS_PER_SAMPLE;
}

static void heard_datagram(struct tl_rtp_session *session, const uint8_t *octets, size_t n,
			   const struct tl_endpoint *from, uint32_t arrival)
{
	struct tl_rtp_packet packet;
	if (session->target.t38) {
		if (!from_remote(session, from) || !session->port->tap || !tl_tap_hear_datagram(session->port->tap, octets, n))
			TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	if (tl_rtp_parse(octets, n, &packet) != 0 || !from_remote(session, from))
		TL_COUNT(session->port->tally.refused, 1);
	else
		tl_rtp_session_hear(session, &packet, arrival);
}

void tl_rtp_socket_receive(struct tl_rtp_socket *socket)
{
	struct tl_rtp_session *session = socket->port->rtp;
	uint8_t octets[DATAGRAM_MAX];
	_Alignas(struct cmsghdr) uint8_t control[64];
	struct tl_endpoint from = { 0 };
	struct iovec part = { octets, sizeof octets };
	struct msghdr message = {
		.msg_name = &from.any, .msg_namelen = sizeof from.v6, .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof control,
	};
	ssize_t received = recvmsg(socket->fd, &message, 0);
	if (received < 0)
		return; /* nothing there, or an ICMP error of what we sent: silence will tell */
	size_t n = received;
	from.length = message.msg_namelen;
	if (message.msg_flags & MSG_TRUNC || !is_remote_host(&session->target, &from))
		TL_COUNT(socket->port->tally.refused, 1);
	else if (session->target.t38 && socket->is_rtcp)
		return; /* a report that crossed the change */
	else if (!session->target.t38 && !tl_rtp_session_open(session, octets, &n, socket->is_rtcp))
		return;
	else if (socket->is_rtcp)
		tl_rtp_session_hear_report(session, octets, n);
	else
		heard_datagram(session, octets, n, &from, tl_rtp_arrival_of(&message));
}
