/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line/line.h"

#define RECEIVE_BATCH 16
#define RECEIVE_MAX 1024
/* What the kernel may glue together or is to cut apart: an IP packet's worth, and as many as its oldest versions take. */
#define GLUED_OCTETS 65535
#define GLUED_STRIDE (65536 + 5 * 64) /* small datagrams side by side in the cache, not all in its same lines */
#define CUT_OCTETS 65000
#define CUT_MAX 64
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
	struct control {
		_Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(int))];
	} controls[RECEIVE_BATCH];
	uint8_t *buffer; /* RECEIVE_BATCH x GLUED_STRIDE, of which only what is used takes memory */
	bool cuts;       /* the kernel cuts what we send */
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
	int glued = 1;

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
	(void)setsockopt(peer->fd, IPPROTO_UDP, UDP_GRO, &glued, sizeof(glued));
	return TRUE;
}

static void prepare_messages(struct tl_peer *peer)
{
	peer->cuts = true;
	peer->buffer = g_malloc((size_t)RECEIVE_BATCH * GLUED_STRIDE);
	for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
		peer->received_iov[i] = (struct iovec){ peer->buffer + (size_t)i * GLUED_STRIDE, GLUED_OCTETS };
		peer->received[i].msg_hdr.msg_iov = &peer->received_iov[i];
		peer->received[i].msg_hdr.msg_iovlen = 1;
		peer->received[i].msg_hdr.msg_name = &peer->from[i];
		peer->received[i].msg_hdr.msg_control = &peer->controls[i];
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

/* The length at which a message is to be cut into datagrams; the whole when it is one. */
static size_t cut_of(struct mmsghdr *message)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(&message->msg_hdr);
	int octets;

	if (!control || control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO)
		return message->msg_len;
	memcpy(&octets, CMSG_DATA(control), sizeof(octets));
	return octets > 0 ? (size_t)octets : message->msg_len;
}

/* Returns how many datagrams the message was; an empty one is one, too. */
static unsigned hear(struct tl_peer *peer, struct mmsghdr *message, tl_peer_datagram_fn on_datagram, void *user)
{
	const uint8_t *octets = message->msg_hdr.msg_iov->iov_base;
	size_t cut = cut_of(message), at = 0;
	unsigned n = 0;

	do {
		size_t length = MIN(cut, message->msg_len - at);

		if (on_datagram)
			on_datagram(octets + at, MIN(length, peer->datagram_max + 1), user);
		at += length;
		n++;
	} while (at < message->msg_len);
	return n;
}

/* One batch. Returns messages read, 0 when there is none. */
static unsigned receive_batch(struct tl_peer *peer, tl_peer_datagram_fn on_datagram, void *user,
			      unsigned *datagrams, unsigned *strangers)
{
	for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
		peer->received[i].msg_hdr.msg_namelen = sizeof(peer->from[i]);
		peer->received[i].msg_hdr.msg_controllen = sizeof(peer->controls[i]);
	}

	int n = recvmmsg(peer->fd, peer->received, RECEIVE_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		if (is_same(&peer->from[i], &peer->remote))
			*datagrams += hear(peer, &peer->received[i], on_datagram, user);
		else
			*strangers += hear(peer, &peer->received[i], NULL, NULL);
	}
	return n > 0 ? (unsigned)n : 0;
}

unsigned tl_peer_receive(struct tl_peer *peer, tl_peer_datagram_fn on_datagram, void *user)
{
	unsigned datagrams = 0, strangers = 0;

	while (receive_batch(peer, on_datagram, user, &datagrams, &strangers) == RECEIVE_BATCH)
		if (datagrams + strangers >= RECEIVE_MAX)
			break;
	return strangers;
}

/* Whether the kernel can cut them: of one length, but for a shorter last one. */
static bool are_alike(const struct tl_peer_datagram *datagrams, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (datagrams[i].n_octets > datagrams[0].n_octets ||
		    (i < n - 1 && datagrams[i].n_octets != datagrams[0].n_octets))
			return false;
	return n > 1;
}

static int send_glued(struct tl_peer *peer, unsigned first, unsigned n)
{
	struct control control = { 0 };
	struct msghdr message = {
		.msg_name = &peer->remote,
		.msg_namelen = peer->remote_length,
		.msg_iov = &peer->sent_iov[first],
		.msg_iovlen = n,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(uint16_t)),
	};
	struct cmsghdr *cut = CMSG_FIRSTHDR(&message);
	uint16_t octets = (uint16_t)peer->sent_iov[first].iov_len;

	cut->cmsg_level = IPPROTO_UDP;
	cut->cmsg_type = UDP_SEGMENT;
	cut->cmsg_len = CMSG_LEN(sizeof(octets));
	memcpy(CMSG_DATA(cut), &octets, sizeof(octets));
	return sendmsg(peer->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/*
 * As one message, which the kernel cuts after it went through the stack once:
 * a third of sendmmsg()'s cost on the loopback. Stops at what the kernel does not take; what
 * this kernel, device or MTU cannot do is not tried again.
 */
static unsigned send_cut(struct tl_peer *peer, unsigned n)
{
	unsigned most = CLAMP(CUT_OCTETS / peer->sent_iov[0].iov_len, 1, CUT_MAX);
	int result = 0;
	unsigned sent = 0;

	while (sent < n && result == 0) {
		unsigned now = MIN(most, n - sent);

		result = send_glued(peer, sent, now);
		if (result == 0)
			sent += now;
	}
	if (result == -EINVAL || result == -EIO || result == -EMSGSIZE || result == -EOPNOTSUPP)
		peer->cuts = false;
	return sent;
}

unsigned tl_peer_send(struct tl_peer *peer, const struct tl_peer_datagram *datagrams, unsigned n)
{
	bool cuts = peer->cuts && are_alike(datagrams, n);
	unsigned sent = 0;

	for (unsigned i = 0; i < n; i++)
		peer->sent_iov[i] = (struct iovec){ datagrams[i].octets, datagrams[i].n_octets };
	if (cuts)
		sent = send_cut(peer, n);
	if (cuts && peer->cuts)
		return sent;

	int taken = sendmmsg(peer->fd, peer->sent + sent, n - sent, MSG_DONTWAIT);

	return sent + (taken > 0 ? (unsigned)taken : 0);
}
