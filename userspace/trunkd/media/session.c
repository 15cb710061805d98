/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Opening and closing a session's sockets. Thread: main. */
#include "media/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"

#define FOREIGN_TRIES 64        /* ports that others hold, before giving up */
#define TOS_EXPEDITED (46 << 2) /* RFC 3246 */

static struct tl_address address_of(const char *host, unsigned port)
{
	struct tl_address address = { 0 };
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
	struct tl_address address = address_of(host, port);
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
		unsigned port = next_port(media);
		if (g_hash_table_contains(media->rtp_ports, GUINT_TO_POINTER(port)))
			continue;
		result = open_pair(session, media->config.rtp_host, port);
		if (result != -EADDRINUSE)
			return result;
		tries++;
	}
	return result;
}

int tl_media_open_udp(struct tl_media *media, unsigned *port, GError **error)
{
	unsigned n = (media->config.rtp_port_max + 1 - media->config.rtp_port_min) / 2;
	int fd = -EADDRINUSE;
	for (unsigned i = 0, tries = 0; fd == -EADDRINUSE && i < n && tries < FOREIGN_TRIES; i++) {
		*port = next_port(media);
		if (g_hash_table_contains(media->rtp_ports, GUINT_TO_POINTER(*port)))
			continue;
		fd = open_socket(media->config.rtp_host, *port);
		tries++;
	}
	if (fd >= 0)
		return fd;
	g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: UDP socket on %s ports %u-%u: %s",
		    media->config.rtp_host, media->config.rtp_port_min, media->config.rtp_port_max, g_strerror(-fd));
	return -1;
}

const char *tl_media_announced(const struct tl_media *media)
{
	return media->config.rtp_announce;
}

struct tl_rtp_session *tl_rtp_session_new(struct tl_port *port, GError **error)
{
	struct tl_media *media = port->media;
	struct tl_rtp_session *session = g_new0(struct tl_rtp_session, 1);
	int result = open_any_pair(session, media);
	if (result != 0) {
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: RTP sockets on %s ports %u-%u: %s",
			    media->config.rtp_host, media->config.rtp_port_min, media->config.rtp_port_max,
			    g_strerror(-result));
		g_free(session);
		return NULL;
	}
	g_hash_table_add(media->rtp_ports, GUINT_TO_POINTER(session->local_port));
	session->port = session->rtp.port = session->rtcp.port = port;
	session->rtcp.is_rtcp = true;
	session->ssrc = g_random_int();
	session->sequence = g_random_int() & 0x7fff; /* RFC 3550 5.1 asks for random ones */
	session->timestamp = g_random_int();
	session->random = session->ssrc | 1;
	session->report_ticks = 100 + session->ssrc % 400;
	session->tone = -1;
	tl_jitter_init(&session->jitter, media->config.jitter_min_ms, media->config.jitter_max_ms);
	return session;
}

void tl_rtp_session_free(struct tl_rtp_session *session)
{
	if (!session)
		return;
	g_hash_table_remove(session->port->media->rtp_ports, GUINT_TO_POINTER(session->local_port));
	close(session->rtp.fd);
	close(session->rtcp.fd);
	tl_jitter_done(&session->jitter);
	g_free(session);
}

static unsigned packet_samples(unsigned ptime_ms)
{
	unsigned blocks = ptime_ms / 10;
	return TL_BLOCK_OCTETS * CLAMP(blocks, 1, TL_RTP_PACKET_SAMPLES_MAX / TL_BLOCK_OCTETS);
}

void tl_port_set_remote(struct tl_port *port, const struct tl_rtp_side *remote)
{
	tl_assert_main();
	g_return_if_fail(port->kind == TL_PORT_RTP);
	struct tl_command command = { TL_COMMAND_PORT_TARGET, .port = port, .target = {
		.law = remote->law,
		.dtmf_payload_type = remote->dtmf_payload_type,
		.packet_samples = packet_samples(remote->ptime_ms ? remote->ptime_ms : 20),
		.sends = remote->sends,
		.receives = remote->receives,
	} };
	if (remote->port) {
		command.target.rtp = address_of(remote->host, remote->port);
		command.target.rtcp = address_of(remote->host, remote->port + 1);
		command.target.from = address_of(remote->from, 0);
	}
	port->main_law = remote->law;
	tl_media_command(port->media, &command);
}
