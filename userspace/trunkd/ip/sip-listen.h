/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Listening addresses: one stack each. Thread: main. */
#pragma once

#include "ip/sip.h"

/** Opens @url's sockets into @listener, whose sip is set. "port in use" is said with the address. */
bool tl_listener_open(struct tl_sip_listener *listener, const char *url, nua_callback_f on_event, GError **error);

/** Whether listening at @url means TLS. */
bool tl_listener_is_tls(const char *url);

/** Whether it listens at all addresses of its family. */
bool tl_listener_is_wildcard(const struct tl_sip_listener *listener);

/**
 * tl_listener_contact - our Contact for whom is at @peer, numeric, "": not known, where the stack's own would not do; else
 * "". By TLS it would say sips:, which telephones that speak TLS may still not know (RFC 5630 3.1.4 has no other).
 */
void tl_listener_contact(const struct tl_sip_listener *listener, const char *peer, char contact[128]);

/** The listener that can reach @url by its family and transport, or NULL. */
struct tl_sip_listener *tl_listener_for(struct tl_sip *sip, const url_t *url);

/** Numeric source address and port of the request being delivered. @host has at least 64 octets. */
bool tl_listener_source(const struct tl_sip_listener *listener, char *host, unsigned *port);

/** "sip:host:port;transport=..." for a numeric address, in brackets when IPv6. (transfer full), g_free. */
char *tl_listener_uri(const char *host, unsigned port, const char *transport);

/** Whether @url is sip: or sips: with a host. */
bool tl_listener_is_sip(const url_t *url);

/** The canonical text of a numeric address; IPv4 in IPv6 becomes IPv4. False when it is none. */
bool tl_listener_canonical(const char *text, char host[64]);
/** The same of a URI's host, where IPv6 has brackets. */
bool tl_listener_canonical_host(const url_t *url, char host[64]);
