/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-dialog.h"

#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#include "ip/causes.h"
#include "ip/numbers.h"
#include "ip/sip-client.h"
#include "ip/sip-listen.h"

#define SDP_TYPE "application/sdp"

#define NOT_SECRET "SRTP is required for \"%s\", and its keys would not go by TLS"

static void route_free(void *data)
{
	struct tl_sip_route *route = data;
	g_free(route->uri), g_free(route->route);
	g_free(route);
}

static void add_route(struct tl_sip_dialog *d, const char *uri, const char *via, struct tl_sip_listener *listener)
{
	struct tl_sip_route *route = g_new0(struct tl_sip_route, 1);
	*route = (struct tl_sip_route){ g_strdup(uri), g_strdup(via), listener };
	g_ptr_array_add(d->routes, route);
}

void tl_sip_out_clear(struct tl_sip_dialog *d)
{
	if (d->routes)
		g_ptr_array_unref(d->routes);
	g_free(d->user), g_free(d->password), g_free(d->identity);
}

static const struct tl_sip_route *route_of(const struct tl_sip_dialog *d)
{
	return g_ptr_array_index(d->routes, d->route);
}

/* The host for our own URIs: a wildcard address would mean nothing to the peer. */
static const char *own_host(const struct tl_sip_listener *listener)
{
	return tl_listener_is_wildcard(listener) ? listener->sip->realm : listener->uri_host;
}

static void send_invite(struct tl_sip_dialog *d, const char *host)
{
	const struct tl_sip_route *route = route_of(d);
	struct tl_numbers_peer peer = { own_host(d->listener), host, d->identity, d->to_trunk };
	struct tl_numbers_headers headers;
	tl_numbers_write(&d->setup, &peer, &headers);
	char *to = headers.to ? g_strdup(headers.to) : g_strdup_printf("<%s>", route->uri);
	d->nh = nua_handle(d->listener->nua, &d->nua, NUTAG_URL(route->uri), SIPTAG_TO_STR(to), SIPTAG_FROM_STR(headers.from),
			   TAG_IF(route->route, NUTAG_PROXY(route->route)), TAG_END());
	nua_invite(d->nh, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE), SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, false)),
		   TL_SIP_CONTACT(d), TAG_IF(headers.privacy, SIPTAG_PRIVACY_STR(headers.privacy)),
		   TAG_IF(headers.asserted, SIPTAG_HEADER_STR(headers.asserted)),
		   TAG_IF(headers.diversion, SIPTAG_HEADER_STR(headers.diversion)), TAG_END());
	g_free(to);
	tl_numbers_clear(&headers);
}

/* Where it answers from, where that is known without asking a name server. */
static void note_peer(struct tl_sip_dialog *d, const struct tl_sip_route *route, su_home_t *home)
{
	url_t *url = url_make(home, route->route ? route->route : route->uri);
	if (!url || !tl_listener_canonical_host(url, d->base.remote.from))
		d->base.remote.from[0] = '\0';
}

void tl_sip_out_invite(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_sip_route *route = route_of(d);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_home_init(home);
	url_t *url = url_make(home, route->uri);
	d->listener = route->listener;
	d->sip->counters.invites_sent++;
	d->challenges = 0;
	tl_sip_keys_begin(&d->keys, d->srtp, d->listener); /* each contact gets keys of its own */
	note_peer(d, route, home);
	tl_listener_contact(d->listener, d->base.remote.from, d->contact);
	send_invite(d, url && url->url_host ? url->url_host : d->listener->uri_host);
	tl_timer_start(d->timer_b, d->sip->unreachable_ms);
	su_home_deinit(home);
}

static void take_early_media(struct tl_sip_dialog *d, const sip_t *sip, bool *inband)
{
	struct tl_sdp sdp;
	struct tl_rtp_side before = d->base.remote;
	*inband = !tl_sip_media_read(d, sip, &sdp) && tl_sip_media_take_answer(d, &sdp);
	if (*inband)
		tl_sip_media_tell(d, &before);
}

void tl_sip_out_provisional(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	struct tl_dialog_event told = { TL_DIALOG_PROCEEDING };
	tl_timer_stop(d->timer_b);
	if (event->status == 100) {
		if (d->proceeding)
			return;
		d->proceeding = true;
	} else {
		told.kind = event->status == 180 ? TL_DIALOG_ALERTING : TL_DIALOG_PROGRESS;
		take_early_media(d, event->sip, &told.inband);
	}
	tl_sip_dialog_tell(d, &told);
}

void tl_sip_out_accepted(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	struct tl_rtp_side before = d->base.remote;
	tl_timer_stop(d->timer_b);
	if (!tl_sip_media_acknowledge(d, data)) {
		struct tl_sip_ending ending = { TL_CAUSE_BEARER_NOT_IMPLEMENTED, false };
		tl_sip_dialog_fire(d, TL_SIP_RELEASE, &ending);
		return;
	}
	struct tl_dialog_event answered = { TL_DIALOG_ANSWERED, .inband = true };
	tl_sip_media_tell(d, &before);
	tl_sip_dialog_tell(d, &answered);
}

/* The next contact, or the end. */
static void go_on(struct tl_sip_dialog *d, bool elsewhere, struct tl_sip_ending ending)
{
	if (elsewhere && d->route + 1 < d->routes->len) {
		tl_sip_dialog_drop_handle(d);
		d->route++;
		tl_sip_out_invite(d, NULL);
	} else {
		tl_sip_dialog_fire(d, TL_SIP_FAILED, &ending);
	}
}

static struct tl_sip_ending nobody(const struct tl_sip_dialog *d)
{
	return (struct tl_sip_ending){ d->to_phone ? TL_CAUSE_NO_USER_RESPONSE : TL_CAUSE_NETWORK_OUT_OF_ORDER, false };
}

void tl_sip_out_refused(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	bool silent = nta_sip_is_internal(event->sip); /* the stack's own 408 or 503: no answer, no connection */
	struct tl_sip_ending ending = { tl_reason_cause(event->sip, TL_CAUSE_NETWORK_OUT_OF_ORDER), true };
	go_on(d, silent || event->status == 408 || event->status == 503, silent ? nobody(d) : ending);
}

void tl_sip_out_unreachable(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	go_on(d, true, nobody(d));
}

void tl_sip_out_cancel(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_sip_ending *ending = data;
	char reason[96];
	tl_sip_dialog_end(d, ending->cause, false);
	nua_cancel(d->nh, SIPTAG_REASON_STR(tl_reason_format(ending->cause, reason)), TAG_END());
}

bool tl_sip_out_authenticate(nua_handle_t *nh, const sip_t *sip, const char *user, const char *password)
{
	const msg_auth_t *challenge = !sip ? NULL : sip->sip_www_authenticate ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
	const char *realm = challenge ? msg_params_find(challenge->au_params, "realm=") : NULL;
	if (!realm || !user || !password)
		return false;
	char *credentials = g_strdup_printf(realm[0] == '"' ? "%s:%s:%s:%s" : "%s:\"%s\":%s:%s", challenge->au_scheme, realm,
					    user, password);
	nua_authenticate(nh, NUTAG_AUTH(credentials), TAG_END());
	explicit_bzero(credentials, strlen(credentials));
	g_free(credentials);
	return true;
}

static bool refuse(GError **error, enum tl_ip_error_code code, const char *format, const char *target)
{
	g_set_error(error, TL_IP_ERROR, code, format, target);
	return false;
}

static bool aim_at_user(struct tl_sip_dialog *d, const char *name, GError **error)
{
	struct tl_binding bindings[TL_REGISTRAR_CONTACTS_MAX];
	if (!g_hash_table_contains(d->sip->users, name))
		return refuse(error, TL_IP_ERROR_TARGET, "no SIP user \"%s\"", name);
	unsigned n = tl_registrar_lookup(d->sip->registrar, name, bindings);
	if (!n)
		return refuse(error, TL_IP_ERROR_UNREGISTERED, "SIP user \"%s\" is not registered", name);
	const struct tl_phone *phone = g_hash_table_lookup(d->sip->users, name);
	d->srtp = phone->srtp;
	for (unsigned i = 0; i < n; i++)
		if (tl_sip_keys_begin(&d->keys, d->srtp, bindings[i].via))
			add_route(d, bindings[i].contact, bindings[i].route, bindings[i].via);
	d->to_phone = true;
	return d->routes->len || refuse(error, TL_IP_ERROR_TARGET, NOT_SECRET, name);
}

/* @text as a URI, its user part the called number where @number is wanted or the URI has none. */
static bool aim_at_uri(struct tl_sip_dialog *d, const char *text, bool number, GError **error)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char user[3 * TL_DIGITS_MAX + 2];
	su_home_init(home);
	url_t *url = url_make(home, text);
	bool good = tl_listener_is_sip(url);
	struct tl_sip_listener *listener = good ? tl_listener_for(d->sip, url) : NULL;
	bool secret = listener && tl_sip_keys_begin(&d->keys, d->srtp, listener);
	if (secret) {
		if (d->setup.called.digits[0] && (number || !url->url_user))
			url->url_user = tl_numbers_user(&d->setup.called, user);
		add_route(d, url_as_string(home, url), NULL, listener);
		tl_sip_client_identify(d, url);
	}
	su_home_deinit(home);
	if (!good)
		return refuse(error, TL_IP_ERROR_TARGET, "\"%s\" is no SIP URI", text);
	if (!listener)
		return refuse(error, TL_IP_ERROR_TARGET, "no listening address reaches \"%s\" by its family and transport", text);
	return secret || refuse(error, TL_IP_ERROR_TARGET, NOT_SECRET, text);
}

static bool aim_at_trunk(struct tl_sip_dialog *d, const char *name, GError **error)
{
	const struct tl_trunk *trunk = tl_sip_trunk_named(d->sip, name);
	if (!trunk)
		return refuse(error, TL_IP_ERROR_TARGET, "no SIP trunk \"%s\"", name);
	d->to_trunk = true;
	d->srtp = trunk->srtp;
	d->user = g_strdup(trunk->user);
	d->password = g_strdup(trunk->password);
	d->identity = g_strdup(trunk->user);
	return aim_at_uri(d, trunk->target, true, error);
}

static bool aim(struct tl_sip_dialog *d, const char *target, GError **error)
{
	if (g_str_has_prefix(target, "user:"))
		return aim_at_user(d, target + 5, error);
	if (g_str_has_prefix(target, "trunk:"))
		return aim_at_trunk(d, target + 6, error);
	d->srtp = d->sip->srtp;
	if (g_str_has_prefix(target, "sip:") || g_str_has_prefix(target, "sips:"))
		return aim_at_uri(d, target, false, error);
	return refuse(error, TL_IP_ERROR_TARGET, "\"%s\": expected user:NAME, trunk:NAME or sip:URI", target);
}

struct tl_dialog *tl_sip_call(struct tl_sip *sip, const char *target, const struct tl_leg_setup *setup,
			      const struct tl_rtp_side *local,
			      void (*on_event)(struct tl_dialog *, const struct tl_dialog_event *, void *), void *user,
			      GError **error)
{
	if (sip->closing || sip->dialogs.length >= sip->max_dialogs) {
		sip->counters.overload_refused++;
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_TARGET, "%u SIP dialogs are up already", sip->dialogs.length);
		return NULL;
	}
	struct tl_sip_dialog *d = tl_sip_dialog_new(sip, NULL);
	d->routes = g_ptr_array_new_with_free_func(route_free);
	d->setup = *setup;
	if (!aim(d, target, error)) {
		tl_sip_dialog_forget(d);
		return NULL;
	}
	d->base.local = *local;
	d->base.on_event = on_event;
	d->base.user = user;
	tl_sip_dialog_fire(d, TL_SIP_CALL, NULL);
	return &d->base;
}
