/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Browsers as main sees them: what a description says becomes secrets, an association, commands. Thread: main. */
#include "media/browser.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/thread.h"
#include "media/hub.h"
#include "media/session.h"

struct tl_port *tl_port_new_browser(struct tl_media *media, enum tl_law law, void *port_user, GError **error)
{
	if (!media->hub) {
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_CONFIG, "media: no port for browsers is configured");
		return NULL;
	}
	if (media->hub->n_browsers >= media->config.browser.sessions_max) {
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: all %u places for browsers are in use",
			    media->config.browser.sessions_max);
		return NULL;
	}
	struct tl_port *port = tl_port_new_session(tl_media_choose(media), law, port_user, error);
	if (!port)
		return NULL;
	media->hub->n_browsers++;
	return tl_port_begin(port);
}

/* The former session is let go, and what it still says is not believed. */
static void set_browser(struct tl_port *port, struct tl_browser *browser)
{
	port->rtp->main_browser = browser;
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_BROWSER, .port = port, .browser = browser });
}

static struct tl_browser_secret *secret_new(struct tl_browser *browser)
{
	struct tl_browser_secret *secret = g_new0(struct tl_browser_secret, 1);
	secret->parcel.kind = TL_PARCEL_SECRET;
	secret->browser = browser;
	tl_ice_secret_make(&secret->ice);
	return secret;
}

static struct tl_browser *browser_new(struct tl_port *port, const struct tl_fingerprint *peer, GError **error)
{
	struct tl_hub *hub = port->media->hub;
	struct tl_association_config config = { .certificate = tl_hub_certificate(hub), .role = TL_DTLS_SERVER,
						.peer = *peer, .channel = hub->channel };
	struct tl_browser *browser = g_new0(struct tl_browser, 1);
	browser->parcel.kind = TL_PARCEL_BROWSER;
	browser->port = port;
	browser->hub = hub;
	browser->association = tl_association_new(hub->pool, &config, browser);
	if (browser->association) {
		browser->certificate = tl_certificate_ref(config.certificate);
		return browser;
	}
	g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: too many handshakes");
	g_free(browser);
	return NULL;
}

static void describe(const struct tl_browser_secret *secret, struct tl_transport_side *local)
{
	const struct tl_browser *browser = secret->browser;
	const struct tl_hub *hub = browser->hub;
	const char *const *announce = hub->media->config.browser.announce;
	*local = (struct tl_transport_side){ .ssrc = browser->port->rtp->ssrc,
					      .version = ++browser->port->rtp->main_version };
	g_strlcpy(local->ufrag, secret->ice.ufrag, sizeof local->ufrag);
	g_strlcpy(local->password, secret->ice.password, sizeof local->password);
	g_strlcpy(local->fingerprint, tl_certificate_fingerprint(browser->certificate), sizeof local->fingerprint);
	for (unsigned i = 0; announce && announce[i] && i < TL_CANDIDATES_MAX; i++) {
		struct tl_candidate *candidate = &local->candidates[local->n_candidates++];
		candidate->port = hub->sockets[0].told.port;
		g_strlcpy(candidate->host, announce[i], sizeof candidate->host);
	}
	for (unsigned i = 0; !(announce && *announce) && i < hub->n_sockets; i++)
		local->candidates[local->n_candidates++] = hub->sockets[i].told;
}

bool tl_port_connect_browser(struct tl_port *port, const struct tl_fingerprint *peer, struct tl_transport_side *local,
			     GError **error)
{
	tl_assert_main();
	struct tl_browser *browser = browser_new(port, peer, error);
	if (!browser)
		return false;
	browser->secret = secret_new(browser);
	describe(browser->secret, local);
	set_browser(port, browser);
	return true;
}

bool tl_port_restart_browser(struct tl_port *port, struct tl_transport_side *local)
{
	tl_assert_main();
	struct tl_browser *browser = port->rtp->main_browser;
	if (!browser)
		return false;
	struct tl_browser_secret *secret = secret_new(browser);
	describe(secret, local);
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_SECRET, .port = port, .secret = secret });
	return true;
}

void tl_browser_dispose(struct tl_browser *browser)
{
	tl_association_free(browser->association);
	tl_certificate_unref(browser->certificate);
	tl_browser_secret_free(browser->secret);
	g_free(browser);
}

void tl_browser_secret_free(struct tl_browser_secret *secret)
{
	explicit_bzero(&secret->ice, sizeof secret->ice);
	g_free(secret);
}

/* ---- what the handshakes' workers say ---- */

static bool is_present(const struct tl_browser *browser)
{
	return !browser->port->freed && browser->port->rtp->main_browser == browser;
}

static void tell(struct tl_port *port, enum tl_link_state state, const char *text)
{
	const struct tl_media_handler *handler = &port->media->handler;
	if (handler->on_link)
		handler->on_link(port, state, text, port->user);
}

static void on_failed(struct tl_association *association, const char *reason, void *user)
{
	struct tl_browser *browser = user;
	if (!is_present(browser))
		return;
	set_browser(browser->port, NULL);
	tell(browser->port, TL_LINK_FAILED, reason);
}

static void on_keys(struct tl_association *association, const struct tl_dtls_keys *keys, void *user)
{
	struct tl_browser *browser = user;
	g_autoptr(GError) error = NULL;
	if (is_present(browser) && !tl_port_set_keys(browser->port, keys, &error))
		on_failed(association, error->message, browser);
}

static void on_closed(struct tl_association *association, void *user)
{
	struct tl_browser *browser = user;
	if (!is_present(browser))
		return;
	set_browser(browser->port, NULL);
	tell(browser->port, TL_LINK_CLOSED, NULL);
}

const struct tl_dtls_handler tl_browser_dtls = { on_keys, on_failed, on_closed };

/* ---- what the media thread says ---- */

void tl_browser_heard(const struct tl_event *event)
{
	char host[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];
	const union tl_address *from = &event->address;
	if (event->port->freed || event->port->rtp->main_browser != event->browser)
		return;
	if (from->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &from->v4.sin_addr, host, sizeof host);
	else if (from->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &from->v6.sin6_addr, host, sizeof host);
	g_snprintf(text, sizeof text, from->any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		   ntohs(from->v4.sin_port));
	tell(event->port, event->up ? TL_LINK_UP : TL_LINK_CONSENT, text);
}
