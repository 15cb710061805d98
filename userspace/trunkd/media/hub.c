/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The hub as main sees it: addresses, sockets, the certificate, the handshakes' workers. */
#include "media/hub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include "base/thread.h"

#define TOS_EXPEDITED (46 << 2) /* RFC 3246 */
#define BUFFER_OCTETS (4 << 20) /* 20 ms of thousands of browsers */

static bool read_address(const char *host, unsigned port, union tl_address *address)
{
	*address = (union tl_address){ 0 };
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
		return false;
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	return true;
}

static bool refuse(GError **error, const char *host, unsigned port, int why)
{
	g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: browsers' socket on %s port %u: %s", host, port,
		    g_strerror(why));
	return false;
}

static void tune(int fd, int family)
{
	int one = 1, tos = TOS_EXPEDITED, octets = BUFFER_OCTETS;
	/* All of these are a help but no need. */
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
}

static bool open_socket(struct tl_hub *hub, const char *host, unsigned port, GError **error)
{
	union tl_address address;
	int one = 1;
	if (hub->n_sockets == TL_HUB_SOCKETS_MAX || !read_address(host, port, &address))
		return refuse(error, host, port, hub->n_sockets == TL_HUB_SOCKETS_MAX ? EMFILE : EINVAL);
	int family = address.any.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(error, host, port, errno);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &address.any, family == AF_INET ? sizeof address.v4 : sizeof address.v6) != 0) {
		int why = errno;
		close(fd);
		return refuse(error, host, port, why);
	}
	tune(fd, family);
	struct tl_hub_socket *socket = &hub->sockets[hub->n_sockets++];
	socket->fd = fd;
	socket->family = family;
	socket->told.port = port;
	g_strlcpy(socket->told.host, host, sizeof socket->told.host);
	return true;
}

/* "0.0.0.0" and "::": one socket for each address that the machine has now, so that answers leave whence they were asked. */
static bool open_every(struct tl_hub *hub, int family, unsigned port, GError **error)
{
	struct ifaddrs *all, *at;
	bool good = true, loopback_only = true;
	char host[INET6_ADDRSTRLEN];
	if (getifaddrs(&all) != 0)
		return refuse(error, "every address", port, errno);
	for (at = all; at; at = at->ifa_next)
		if (at->ifa_addr && at->ifa_addr->sa_family == family && !(at->ifa_flags & IFF_LOOPBACK))
			loopback_only = false;
	for (at = all; at && good; at = at->ifa_next) {
		const union tl_address *address = (const union tl_address *)at->ifa_addr;
		if (!address || address->any.sa_family != family || !(at->ifa_flags & IFF_UP) ||
		    (!loopback_only && at->ifa_flags & IFF_LOOPBACK) ||
		    (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr)))
			continue;
		inet_ntop(family, family == AF_INET ? (const void *)&address->v4.sin_addr : &address->v6.sin6_addr, host,
			  sizeof host);
		good = open_socket(hub, host, port, error);
	}
	freeifaddrs(all);
	return good;
}

static bool open_sockets(struct tl_hub *hub, const struct tl_browser_config *config, GError **error)
{
	unsigned port = config->port + hub->channel;
	for (const char *const *host = config->addresses; *host; host++) {
		bool good = !g_strcmp0(*host, "0.0.0.0") ? open_every(hub, AF_INET, port, error) :
			    !g_strcmp0(*host, "::")      ? open_every(hub, AF_INET6, port, error) :
							     open_socket(hub, *host, port, error);
		if (!good)
			return false;
	}
	return hub->n_sockets || refuse(error, "any address", port, EADDRNOTAVAIL);
}

static bool open_pool(struct tl_hub *hub, const struct tl_browser_config *config, GError **error)
{
	struct tl_dtls_config dtls = { .workers = config->workers, .channels = hub->media->config.threads,
				       .associations_max = 2 * config->sessions_max };
	if (hub->first != hub) {
		hub->pool = hub->first->pool;
		return true;
	}
	hub->certificate = config->certificate ? tl_certificate_open(config->certificate, config->certificate_days, error) :
						 tl_certificate_new(config->certificate_days, error);
	if (hub->certificate)
		hub->pool = tl_dtls_pool_new(&dtls, &tl_browser_dtls, error);
	return hub->pool != NULL;
}

static const struct tl_ice_secret *find_secret(const char *ufrag, size_t n, void **session, void *user)
{
	struct tl_browser_secret *secret = tl_hub_find_secret(user, ufrag, n);
	*session = secret;
	return secret ? &secret->ice : NULL;
}

struct tl_hub *tl_hub_new(struct tl_media *media, const struct tl_browser_config *config, GError **error)
{
	struct tl_hub *hub = g_new0(struct tl_hub, 1);
	uint32_t n = 64;
	while (n < 4 * config->sessions_max)
		n <<= 1;
	hub->media = media;
	hub->first = media->first == media ? hub : media->first->hub;
	hub->channel = media->index;
	hub->sockets = g_new0(struct tl_hub_socket, TL_HUB_SOCKETS_MAX);
	hub->by_name = g_new0(struct tl_browser_secret *, n);
	hub->by_address = g_new0(struct tl_browser_pair *, n);
	hub->mask = n - 1;
	hub->seed = g_random_int();
	tl_ice_lite_init(&hub->ice, find_secret, hub, 0);
	if (open_sockets(hub, config, error) && open_pool(hub, config, error))
		return hub;
	tl_hub_free(hub);
	return NULL;
}

void tl_hub_free(struct tl_hub *hub)
{
	if (!hub)
		return;
	while (hub->renewing)
		g_main_context_iteration(NULL, TRUE);
	if (hub->first == hub)
		tl_dtls_pool_free(hub->pool);
	tl_certificate_unref(hub->certificate);
	for (unsigned i = 0; i < hub->n_sockets; i++)
		close(hub->sockets[i].fd);
	g_free(hub->sockets);
	g_free(hub->by_name);
	g_free(hub->by_address);
	g_free(hub);
}

void tl_hub_count(const struct tl_hub *hub, struct tl_media_counters *counters)
{
	struct tl_dtls_counters dtls;
	counters->browser_datagrams_received += atomic_load(&hub->datagrams_in);
	counters->browser_datagrams_sent += atomic_load(&hub->datagrams_out);
	counters->browser_send_failed += atomic_load(&hub->send_failed);
	counters->browser_checks += atomic_load(&hub->checks);
	counters->browser_checks_refused += atomic_load(&hub->checks_refused);
	counters->browser_strangers += atomic_load(&hub->strangers);
	counters->browser_malformed += atomic_load(&hub->malformed);
	if (hub->first != hub)
		return;
	tl_dtls_pool_counters(hub->pool, &dtls);
	counters->browsers = hub->n_browsers;
	counters->dtls_connected = dtls.connected;
	counters->dtls_failed = dtls.failed;
	counters->dtls_refused = dtls.refused_malformed + dtls.refused_rate + dtls.refused_full;
}

/* ---- the certificate's renewal ---- */

static void renew(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	const struct tl_browser_config *config = data;
	GError *error = NULL;
	struct tl_certificate *fresh = config->certificate ?
		tl_certificate_open(config->certificate, config->certificate_days, &error) :
		tl_certificate_new(config->certificate_days, &error);
	if (fresh)
		g_task_return_pointer(task, fresh, (GDestroyNotify)tl_certificate_unref);
	else
		g_task_return_error(task, error);
}

static void on_renewed(GObject *source, GAsyncResult *result, gpointer user)
{
	struct tl_hub *hub = user;
	struct tl_certificate *fresh = g_task_propagate_pointer(G_TASK(result), NULL);
	hub->renewing = false;
	if (!fresh)
		return; /* the old one is good for twice as long again; the next session tries anew */
	tl_certificate_unref(hub->certificate);
	hub->certificate = fresh;
}

struct tl_certificate *tl_hub_certificate(struct tl_hub *hub)
{
	tl_assert_main();
	hub = hub->first;
	if (!hub->renewing && tl_certificate_due(hub->certificate)) {
		GTask *task = g_task_new(NULL, NULL, on_renewed, hub);
		hub->renewing = true;
		g_task_set_task_data(task, &hub->media->config.browser, NULL);
		g_task_run_in_thread(task, renew);
		g_object_unref(task);
	}
	return hub->certificate;
}
