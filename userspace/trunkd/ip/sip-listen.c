/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-listen.h"
#include "secure/secure.h"
#include "version.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/url.h>

#define UDP_MTU 65535       /* RFC 3261 18.1.1 would move long INVITEs to TCP, which many telephones do not listen on */
#define PORT_TRIES 16
#define METHODS "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REGISTER"
#define MIN_SE_S 90         /* RFC 4028 5 */

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(union address *address, int family, const char *host, unsigned port)
{
	memset(address, 0, sizeof(*address));
	address->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		address->v6.sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, host, &address->v6.sin6_addr);
		return sizeof(address->v6);
	}
	address->v4.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, host, &address->v4.sin_addr);
	return sizeof(address->v4);
}

/* Binds and lets go, to learn which port is free or why one is not: the stack does not say. */
static int probe(const struct tl_sip_listener *listener, int type, unsigned *port)
{
	union address address;
	socklen_t length = fill(&address, listener->family, listener->host, *port);
	int on = 1, fd = socket(listener->family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (listener->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	int e = 0;
	if (bind(fd, &address.sa, length) || getsockname(fd, &address.sa, &length))
		e = -errno;
	else
		*port = ntohs(listener->family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
	close(fd);
	return e;
}

static int probe_all(const struct tl_sip_listener *listener, unsigned *port, const char **protocol)
{
	int e = 0;
	*protocol = "udp";
	if (listener->udp)
		e = probe(listener, SOCK_DGRAM, port);
	if (!e && (listener->tcp || listener->tls)) {
		*protocol = "tcp";
		e = probe(listener, SOCK_STREAM, port);
	}
	return e;
}

static bool settle_port(struct tl_sip_listener *listener, GError **error)
{
	const char *protocol;
	int e = -EADDRINUSE;
	bool any = !listener->port;
	for (unsigned i = 0; e == -EADDRINUSE && i < (any ? PORT_TRIES : 1); i++) {
		unsigned port = listener->port;
		e = probe_all(listener, &port, &protocol);
		if (!e)
			listener->port = port;
	}
	if (e)
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_LISTEN, "cannot listen on %s %s port %u: %s", protocol,
			    listener->host, listener->port, e == -EADDRINUSE ? "port in use" : g_strerror(-e));
	return !e;
}

bool tl_listener_canonical(const char *text, char host[64])
{
	struct in6_addr v6;
	struct in_addr v4;
	if (inet_pton(AF_INET, text, &v4) == 1)
		return inet_ntop(AF_INET, &v4, host, 64);
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6))
		return inet_ntop(AF_INET, &v6.s6_addr[12], host, 64);
	return inet_ntop(AF_INET6, &v6, host, 64);
}

/* The numeric address in a URI's host part; family AF_UNSPEC for a name. */
static int uri_host(const char *text, char host[64])
{
	char bare[64];
	size_t n = text ? strlen(text) : 0;
	if (!n || n >= sizeof(bare))
		return AF_UNSPEC;
	bool brackets = text[0] == '[' && text[n - 1] == ']';
	g_strlcpy(bare, text + brackets, n + 1 - 2 * brackets);
	if (!tl_listener_canonical(bare, host))
		return AF_UNSPEC;
	return strchr(host, ':') ? AF_INET6 : AF_INET;
}

struct transports {
	bool udp, tcp, tls;
};

/* sips: is TLS all the way, RFC 3261 19.1. */
static struct transports url_transports(const url_t *url)
{
	char transport[16] = "";
	if (url->url_params)
		url_param(url->url_params, "transport", transport, sizeof(transport));
	bool any = !transport[0], tcp = !g_ascii_strcasecmp(transport, "tcp"), tls = !g_ascii_strcasecmp(transport, "tls");
	if (url->url_type == url_sips)
		return (struct transports){ .tls = any || tcp || tls };
	return (struct transports){ any || !g_ascii_strcasecmp(transport, "udp"), any || tcp, tls };
}

bool tl_listener_is_sip(const url_t *url)
{
	return url && (url->url_type == url_sip || url->url_type == url_sips) && url->url_host && url->url_host[0];
}

bool tl_listener_is_tls(const char *text)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_home_init(home);
	url_t *url = url_make(home, text);
	bool tls = tl_listener_is_sip(url) && url_transports(url).tls;
	su_home_deinit(home);
	return tls;
}

static bool read_url(struct tl_sip_listener *listener, const char *text, GError **error)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_home_init(home);
	url_t *url = url_make(home, text);
	bool good = tl_listener_is_sip(url) && !url->url_user;
	if (good) {
		listener->family = uri_host(url->url_host, listener->host);
		bool any = url->url_port && !strcmp(url->url_port, "*");
		struct transports by = url_transports(url);
		unsigned long port = url->url_port && !any ? strtoul(url->url_port, NULL, 10) : any ? 0 : by.tls ? 5061 : 5060;
		listener->udp = by.udp, listener->tcp = by.tcp, listener->tls = by.tls;
		listener->port = (unsigned)port;
		good = listener->family != AF_UNSPEC && port <= 65535 && (by.udp || by.tcp || by.tls);
	}
	su_home_deinit(home);
	if (!good)
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG,
			    "\"%s\" is no listening address: expected sip:ADDRESS:PORT, numeric, optionally ;transport=udp, tcp or tls, or sips:ADDRESS:PORT",
			    text);
	g_snprintf(listener->uri_host, sizeof(listener->uri_host), listener->family == AF_INET6 ? "[%s]" : "%s",
		   listener->host);
	return good;
}

static const char *own_transport(const struct tl_sip_listener *listener)
{
	if (listener->tls)
		return ";transport=tls";
	return listener->udp && listener->tcp ? "" : listener->tcp ? ";transport=tcp" : ";transport=udp";
}

bool tl_listener_is_wildcard(const struct tl_sip_listener *listener)
{
	return !strcmp(listener->host, "0.0.0.0") || !strcmp(listener->host, "::");
}

/* The address of ours that the kernel would send from, to @peer or, where that is not known, into the world. */
static bool own_address(int family, const char *peer, char host[64])
{
	union address address;
	const char *world = family == AF_INET6 ? "2001:db8::1" : "192.0.2.1"; /* RFC 3849, RFC 5737: nobody is there */
	socklen_t length = fill(&address, family, peer[0] ? peer : world, 9);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = fd >= 0 && !connect(fd, &address.sa, length) && !getsockname(fd, &address.sa, &length);
	const void *octets = family == AF_INET6 ? (const void *)&address.v6.sin6_addr : &address.v4.sin_addr;
	found = found && inet_ntop(family, octets, host, 64);
	if (fd >= 0)
		close(fd);
	return found;
}

void tl_listener_contact(const struct tl_sip_listener *listener, const char *peer, char contact[128])
{
	char host[64];
	contact[0] = '\0';
	if (!listener->tls)
		return;
	if (!tl_listener_is_wildcard(listener))
		g_strlcpy(host, listener->host, sizeof host);
	else if (!own_address(listener->family, peer, host))
		return;
	g_autofree char *uri = tl_listener_uri(host, listener->port, "tls");
	g_snprintf(contact, 128, "<%s>", uri);
}

bool tl_listener_open(struct tl_sip_listener *listener, const char *url, nua_callback_f on_event, GError **error)
{
	if (!read_url(listener, url, error) || !settle_port(listener, error))
		return false;
	struct tl_sip *sip = listener->sip;
	if (listener->tls && !sip->tls_folder) {
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "%s: no folder for TLS is configured", url);
		return false;
	}
	unsigned policy = sip->verifies ? TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT : TPTLS_VERIFY_NONE;
	char *bound = g_strdup_printf("%s:%s:%u%s", listener->tls ? "sips" : "sip", listener->uri_host, listener->port, own_transport(listener));
	/* Under 90 s only where the configured interval itself is shorter. */
	unsigned min_se_s = sip->session_expires_s ? MIN(MIN_SE_S, sip->session_expires_s) : MIN_SE_S;
	listener->nua = nua_create(sip->root, on_event, listener, NUTAG_URL(bound), NUTAG_MEDIA_ENABLE(0),
				   SIPTAG_USER_AGENT_STR("Trunkline/" TL_VERSION), SIPTAG_ALLOW_STR(METHODS),
				   NUTAG_APPL_METHOD("REGISTER, INFO, UPDATE"), SIPTAG_SUPPORTED_STR("timer"),
				   NUTAG_AUTOALERT(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(0), NUTAG_AUTO302(0), NUTAG_AUTO305(0),
				   NUTAG_MAX_RETRY_AFTER(0), NUTAG_EARLY_MEDIA(0), NUTAG_OUTBOUND("no-options-keepalive no-validate no-natify"),
				   NUTAG_SESSION_TIMER(sip->session_expires_s), NUTAG_MIN_SE(min_se_s), NUTAG_UPDATE_REFRESH(1),
				   NTATAG_UDP_MTU(UDP_MTU), NTATAG_MAX_PROCEEDING(2 * sip->max_dialogs),
				   TAG_IF(listener->tls, TPTAG_CERTIFICATE(sip->tls_folder)),
				   TAG_IF(listener->tls, TPTAG_TLS_VERIFY_POLICY(policy)), TAG_END());
	if (listener->nua && listener->tls)
		tl_tls_door_guard(listener->port);
	if (!listener->nua)
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_LISTEN, "cannot listen on %s", bound);
	g_free(bound);
	return listener->nua;
}

struct tl_sip_listener *tl_listener_for(struct tl_sip *sip, const url_t *url)
{
	char host[64];
	int family = uri_host(url->url_host, host);
	struct transports by = url_transports(url);
	for (unsigned i = 0; i < sip->n_listeners; i++) {
		struct tl_sip_listener *l = &sip->listeners[i];
		bool fits = by.udp ? l->udp : by.tcp ? l->tcp : by.tls && l->tls;
		if (fits && (family == AF_UNSPEC || family == l->family))
			return l;
	}
	return NULL;
}

bool tl_listener_canonical_host(const url_t *url, char host[64])
{
	return uri_host(url->url_host, host) != AF_UNSPEC;
}

bool tl_listener_source(const struct tl_sip_listener *listener, char *host, unsigned *port)
{
	msg_t *msg = nua_current_request(listener->nua);
	const su_sockaddr_t *su = msg ? msg_addr(msg) : NULL;
	char text[64];
	if (!su || (su->su_family != AF_INET && su->su_family != AF_INET6))
		return false;
	const void *octets = su->su_family == AF_INET6 ? (const void *)&su->su_sin6.sin6_addr : &su->su_sin.sin_addr;
	if (!inet_ntop(su->su_family, octets, text, sizeof(text)))
		return false;
	*port = ntohs(su->su_port);
	return tl_listener_canonical(text, host);
}

char *tl_listener_uri(const char *host, unsigned port, const char *transport)
{
	return g_strdup_printf(strchr(host, ':') ? "sip:[%s]:%u;transport=%s" : "sip:%s:%u;transport=%s", host, port,
			       transport);
}
