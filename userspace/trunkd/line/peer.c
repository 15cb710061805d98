/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line/line.h"

#define RECEIVE_BATCH 32
#define RECEIVE_ROUNDS 32
/* 100 ms of the smallest packets, as the kernel counts their memory. */
#define RECEIVE_BUFFER_OCTETS (1 << 20)

struct tl_peer {
	int fd;
	unsigned local_port;
	struct sockaddr_storage remote;
	socklen_t remote_length;
	size_t datagram_max;
	unsigned send_max;

	struct mmsghdr received[RECEIVE_BATCH];
	struct iovec received_iov[RECEIVE_BATCH];
	struct sockaddr_storage from[RECEIVE_BATCH];
	uint8_t *buffer; /* RECEIVE_BATCH x (datagram_max + 1) */
	struct mmsghdr *sent;
	struct iovec *sent_iov;
};

static gboolean resolve(const char *what, const char *host, unsigned port, int flags,
			struct sockaddr_storage *address, socklen_t *length, GError **error)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | flags,
				  .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	char service[16];

	g_snprintf(service, sizeof(service), "%u", port);
	if (port > 65535 || !host || getaddrinfo(host, service, &hints, &found) != 0) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG,
			    "%s %s:%u: expected a numeric address and a port up to 65535", what,
			    host ? host : "(none)", port);
		return FALSE;
	}
	memset(address, 0, sizeof(*address));
	memcpy(address, found->ai_addr, found->ai_addrlen);
	*length = found->ai_addrlen;
	freeaddrinfo(found);
	return TRUE;
}

static unsigned port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family || port_of(a) != port_of(b))
		return false;
	if (a->ss_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			       &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr));
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

static gboolean open_socket(struct tl_peer *peer, const struct tl_peer_config *config,
			    const struct sockaddr_storage *local, socklen_t length, GError **error)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t bound_length = sizeof(bound);
	int octets = RECEIVE_BUFFER_OCTETS;
	int expedited = IPTOS_DSCP_EF; /* RFC 5086 8 */

	peer->fd = socket(local->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (peer->fd < 0 || bind(peer->fd, (const struct sockaddr *)local, length) < 0 ||
	    getsockname(peer->fd, (struct sockaddr *)&bound, &bound_length) < 0) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_OPEN, "local %s:%u: %s",
			    config->local_host, config->local_port, g_strerror(errno));
		return FALSE;
	}
	peer->local_port = port_of(&bound);
	/* Better with these, but never worth a refusal. */
	if (setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)) < 0)
		(void)setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	if (local->ss_family == AF_INET6)
		(void)setsockopt(peer->fd, IPPROTO_IPV6, IPV6_TCLASS, &expedited, sizeof(expedited));
	else
		(void)setsockopt(peer->fd, IPPROTO_IP, IP_TOS, &expedited, sizeof(expedited));
	return TRUE;
}

static void prepare_messages(struct tl_peer *peer)
{
	size_t stride = peer->datagram_max + 1;

	peer->buffer = g_malloc(RECEIVE_BATCH * stride);
	for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
		peer->received_iov[i] = (struct iovec){ peer->buffer + i * stride, stride };
		peer->received[i].msg_hdr.msg_iov = &peer->received_iov[i];
		peer->received[i].msg_hdr.msg_iovlen = 1;
		peer->received[i].msg_hdr.msg_name = &peer->from[i];
	}
	peer->sent = g_new0(struct mmsghdr, peer->send_max);
	peer->sent_iov = g_new0(struct iovec, peer->send_max);
	for (unsigned i = 0; i < peer->send_max; i++) {
		peer->sent[i].msg_hdr.msg_iov = &peer->sent_iov[i];
		peer->sent[i].msg_hdr.msg_iovlen = 1;
		peer->sent[i].msg_hdr.msg_name = &peer->remote;
		peer->sent[i].msg_hdr.msg_namelen = peer->remote_length;
	}
}

struct tl_peer *tl_peer_new(const struct tl_peer_config *config, GError **error)
{
	struct tl_peer *peer = g_new0(struct tl_peer, 1);
	struct sockaddr_storage local;
	socklen_t length;

	peer->fd = -1;
	peer->datagram_max = config->datagram_max;
	peer->send_max = config->send_max;
	if (!resolve("local", config->local_host, config->local_port, AI_PASSIVE, &local, &length, error) ||
	    !resolve("remote", config->remote_host, config->remote_port, 0, &peer->remote,
		     &peer->remote_length, error))
		goto fail;
	if (config->remote_port == 0 || local.ss_family != peer->remote.ss_family) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG,
			    "remote %s:%u: expected a port from 1 and the address family of local %s",
			    config->remote_host, config->remote_port, config->local_host);
		goto fail;
	}
	if (!open_socket(peer, config, &local, length, error))
		goto fail;
	prepare_messages(peer);
	return peer;
fail:
	tl_peer_free(peer);
	return NULL;
}

void tl_peer_free(struct tl_peer *peer)
{
	if (!peer)
		return;
	if (peer->fd >= 0)
		close(peer->fd);
	g_free(peer->buffer);
	g_free(peer->sent);
	g_free(peer->sent_iov);
	g_free(peer);
}

int tl_peer_fd(const struct tl_peer *peer)
{
	return peer->fd;
}

unsigned tl_peer_local_port(const struct tl_peer *peer)
{
	return peer->local_port;
}

/* One batch. Returns datagrams read, 0 when there is none. */
static unsigned receive_batch(struct tl_peer *peer, tl_peer_datagram_fn on_datagram, void *user,
			      unsigned *strangers)
{
	for (unsigned i = 0; i < RECEIVE_BATCH; i++)
		peer->received[i].msg_hdr.msg_namelen = sizeof(peer->from[i]);

	int n = recvmmsg(peer->fd, peer->received, RECEIVE_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		if (is_same(&peer->from[i], &peer->remote))
			on_datagram(peer->received_iov[i].iov_base, peer->received[i].msg_len, user);
		else
			++*strangers;
	}
	return n > 0 ? (unsigned)n : 0;
}

unsigned tl_peer_receive(struct tl_peer *peer, tl_peer_datagram_fn on_datagram, void *user)
{
	unsigned strangers = 0;

	for (unsigned i = 0; i < RECEIVE_ROUNDS; i++)
		if (receive_batch(peer, on_datagram, user, &strangers) < RECEIVE_BATCH)
			break;
	return strangers;
}

unsigned tl_peer_send(struct tl_peer *peer, const struct tl_peer_datagram *datagrams, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		peer->sent_iov[i] = (struct iovec){ datagrams[i].octets, datagrams[i].n_octets };

	int taken = sendmmsg(peer->fd, peer->sent, n, MSG_DONTWAIT);

	return taken > 0 ? (unsigned)taken : 0;
}
