/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/ip.h"

#include <string.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#include "base/thread.h"
#include "ip/sip-auth.h"
#include "ip/sip-client.h"
#include "ip/sip-dialog.h"
#include "ip/sip-listen.h"
#include "ip/kept.h"
#include "ip/sip-trace.h"
#include "ip/sip.h"

#define DEFAULT(value, fallback) ((value) ? (value) : (fallback))
#define LAST_BREATH_MS 1000 /* for the BYEs of a shutdown to be answered */

G_DEFINE_QUARK(tl-ip-error-quark, tl_ip_error)

static void trunk_free(void *data)
{
	struct tl_trunk *trunk = data;
	if (trunk->password)
		explicit_bzero(trunk->password, strlen(trunk->password));
	g_free(trunk->name), g_free(trunk->target), g_free(trunk->user), g_free(trunk->password);
	g_strfreev(trunk->peers);
	g_free(trunk);
}

static void phone_free(void *data)
{
	struct tl_phone *phone = data;
	g_free(phone->ha1);
	g_free(phone);
}

static struct tl_phone *phone_new(const struct tl_sip_user *given)
{
	struct tl_phone *phone = g_new0(struct tl_phone, 1);
	*phone = (struct tl_phone){ g_strdup(given->ha1), given->srtp };
	return phone;
}

static char **canonical_peers(const char *const *peers)
{
	GPtrArray *array = g_ptr_array_new();
	char host[64];
	for (; peers && *peers; peers++)
		g_ptr_array_add(array, g_strdup(tl_listener_canonical(*peers, host) ? host : *peers));
	g_ptr_array_add(array, NULL);
	return (char **)g_ptr_array_free(array, FALSE);
}

static struct tl_trunk *trunk_new(const struct tl_sip_trunk *given)
{
	struct tl_trunk *trunk = g_new0(struct tl_trunk, 1);
	*trunk = (struct tl_trunk){ g_strdup(given->name), g_strdup(given->target), g_strdup(given->user),
				    g_strdup(given->password), canonical_peers(given->peers), given->srtp };
	return trunk;
}

const struct tl_trunk *tl_sip_trunk_named(const struct tl_sip *sip, const char *name)
{
	for (unsigned i = 0; i < sip->trunks->len; i++) {
		const struct tl_trunk *trunk = g_ptr_array_index(sip->trunks, i);
		if (!strcmp(trunk->name, name))
			return trunk;
	}
	return NULL;
}

const struct tl_trunk *tl_sip_trunk_from(const struct tl_sip *sip, const char *host)
{
	for (unsigned i = 0; i < sip->trunks->len; i++) {
		const struct tl_trunk *trunk = g_ptr_array_index(sip->trunks, i);
		if (g_strv_contains((const char *const *)trunk->peers, host))
			return trunk;
	}
	return NULL;
}

static bool is_known(const char *name, void *user)
{
	return tl_sip_user_named(user, name);
}

void tl_sip_set_peers(struct tl_sip *sip, const struct tl_sip_user *users, unsigned n_users,
		      const struct tl_sip_trunk *trunks, unsigned n_trunks)
{
	tl_assert_main();
	g_hash_table_remove_all(sip->users);
	g_ptr_array_set_size(sip->trunks, 0);
	for (unsigned i = 0; i < n_users; i++)
		g_hash_table_insert(sip->users, g_strdup(users[i].name), phone_new(&users[i]));
	for (unsigned i = 0; i < n_trunks; i++)
		g_ptr_array_add(sip->trunks, trunk_new(&trunks[i]));
	tl_registrar_retain(sip->registrar, is_known, sip);
}

static void on_stray(const struct tl_nua_event *event)
{
	struct tl_sip *sip = event->listener->sip;
	if (event->kind == nua_r_shutdown)
		event->listener->down = event->status >= 200;
	if (!event->nh)
		return;
	if (event->kind == nua_i_invite && event->status < 200) {
		tl_sip_in_invite(event);
	} else if (event->kind == nua_i_register && event->status < 200) {
		tl_sip_auth_register(event);
	} else {
		/* The stack has answered: OPTIONS, what it does not allow, what it found wrong. */
		if (event->status >= 300)
			sip->counters.messages_refused++;
		nua_handle_destroy(event->nh);
	}
}

static void on_nua(nua_event_t kind, int status, const char *phrase, nua_t *nua, struct tl_sip_listener *listener,
		   nua_handle_t *nh, struct tl_nua_owner *owner, const sip_t *sip, tagi_t tags[])
{
	struct tl_nua_event event = { (int)kind, status, nh, sip, tags, listener };
	if (owner)
		owner->on_event(owner, &event);
	else
		on_stray(&event);
}

static void on_registration(const char *name, bool registered, const char *contact, void *user)
{
	struct tl_sip *sip = user;
	tl_kept_changed(sip->kept);
	if (sip->handler.on_registration && !sip->closing)
		sip->handler.on_registration(sip, name, registered, contact, sip->user);
}

static bool check_trunk(const struct tl_sip_trunk *trunk, GError **error)
{
	char host[64];
	su_home_t home[1] = { SU_HOME_INIT(home) };
	su_home_init(home);
	url_t *url = url_make(home, trunk->target);
	bool good = tl_listener_is_sip(url);
	su_home_deinit(home);
	if (!good)
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "SIP trunk %s: target \"%s\" is not sip:host:port or sips:host:port", trunk->name,
			    trunk->target);
	for (const char *const *p = trunk->peers; good && p && *p; p++)
		if (!tl_listener_canonical(*p, host)) {
			g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "SIP trunk %s: peer \"%s\" is no numeric address",
				    trunk->name, *p);
			good = false;
		}
	if (good && trunk->password && strchr(trunk->password, ':')) {
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "SIP trunk %s: the password may not have a colon", trunk->name);
		good = false;
	}
	return good;
}

static bool check(const struct tl_sip_config *config, GError **error)
{
	for (unsigned i = 0; i < config->n_users; i++) {
		const struct tl_sip_user *user = &config->users[i];
		if (!user->ha1 || strlen(user->ha1) != 32 || strspn(user->ha1, "0123456789abcdefABCDEF") != 32) {
			g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "SIP user %s: ha1 is not 32 hex digits", user->name);
			return false;
		}
	}
	for (unsigned i = 0; i < config->n_trunks; i++)
		if (!check_trunk(&config->trunks[i], error))
			return false;
	if (!config->listen || !config->listen[0] || !config->realm || !config->realm[0]) {
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG, "SIP needs a listening address and a realm");
		return false;
	}
	return true;
}

/* Before the first listener: the stack reads it when it binds. */
static bool prepare_tls(struct tl_sip *sip, const struct tl_sip_config *config, GError **error)
{
	bool wanted = false;
	for (unsigned i = 0; config->listen[i]; i++)
		wanted = wanted || tl_listener_is_tls(config->listen[i]);
	if (!wanted || !config->tls_folder)
		return true;
	sip->tls_folder = g_strdup(config->tls_folder);
	sip->verifies = config->authorities;
	tl_tls_door_open(&(struct tl_tls_limits){ config->tls_connections, config->tls_connections_per_address, config->tls_handshake_ms });
	return tl_tls_folder_make(sip->tls_folder, config->certificate, config->authorities, error);
}

gboolean tl_sip_renew_certificate(struct tl_sip *sip, const char *certificate, const char *authorities, GError **error)
{
	tl_assert_main();
	return !sip->tls_folder || (tl_tls_folder_make(sip->tls_folder, certificate, authorities, error) &&
				    tl_tls_door_renew(sip->tls_folder, error));
}

static bool open_listeners(struct tl_sip *sip, const char *const *listen, GError **error)
{
	sip->listeners = g_new0(struct tl_sip_listener, g_strv_length((char **)listen));
	for (unsigned i = 0; listen[i]; i++) {
		struct tl_sip_listener *listener = &sip->listeners[sip->n_listeners++];
		listener->sip = sip;
		if (!tl_listener_open(listener, listen[i], on_nua, error))
			return false;
	}
	return true;
}

static void start_stack(struct tl_sip *sip)
{
	su_init();
	tl_trace_init();
	sip->root = su_glib_root_create(NULL);
	su_root_threading(sip->root, 0);
	sip->source = su_glib_root_gsource(sip->root);
	g_source_attach(sip->source, NULL);
	sip->refused_before = tl_trace_refused();
}

struct tl_sip *tl_sip_new(const struct tl_sip_config *config, const struct tl_sip_handler *handler, void *user,
			  GError **error)
{
	tl_assert_main();
	if (!check(config, error))
		return NULL;
	struct tl_sip *sip = g_new0(struct tl_sip, 1);
	sip->handler = *handler;
	sip->user = user;
	sip->realm = g_strdup(config->realm);
	sip->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, phone_free);
	sip->trunks = g_ptr_array_new_with_free_func(trunk_free);
	sip->register_min_s = DEFAULT(config->register_min_s, 60);
	sip->register_max_s = DEFAULT(config->register_max_s, 3600);
	sip->session_expires_s = config->session_expires_s;
	sip->t38 = config->t38;
	sip->max_dialogs = DEFAULT(config->max_dialogs, 4000);
	sip->srtp = config->srtp;
	sip->keys_in_clear = config->keys_in_clear;
	sip->unreachable_ms = DEFAULT(config->unreachable_ms, 8000);
	sip->digest = tl_digest_new(config->realm);
	sip->registrar = tl_registrar_new(on_registration, sip);
	tl_sip_set_peers(sip, config->users, config->n_users, config->trunks, config->n_trunks);
	start_stack(sip);
	if (!prepare_tls(sip, config, error) || !open_listeners(sip, config->listen, error)) {
		tl_sip_free(sip);
		return NULL;
	}
	if (config->registrations_path)
		sip->kept = tl_kept_new(sip, config->registrations_path);
	return sip;
}

static void shorten_transactions(struct tl_sip *sip)
{
	for (unsigned i = 0; i < sip->n_listeners; i++)
		if (sip->listeners[i].nua)
			nua_set_params(sip->listeners[i].nua, NTATAG_SIP_T1X64(LAST_BREATH_MS), TAG_END());
}

static void stop_stack(struct tl_sip *sip)
{
	for (unsigned i = 0; i < sip->n_listeners; i++) {
		nua_t *nua = sip->listeners[i].nua;
		if (!nua)
			continue;
		nua_shutdown(nua);
		while (!sip->listeners[i].down)
			g_main_context_iteration(NULL, TRUE);
		nua_destroy(nua);
	}
	g_source_destroy(sip->source);
	su_root_destroy(sip->root);
	su_deinit();
}

void tl_sip_free(struct tl_sip *sip)
{
	if (!sip)
		return;
	tl_assert_main();
	sip->closing = true;
	tl_trace_set(sip, false);
	shorten_transactions(sip);
	while (sip->dialogs.head)
		tl_sip_dialog_abandon(sip->dialogs.head->data);
	tl_sip_client_abandon(sip);
	stop_stack(sip);
	tl_kept_free(sip->kept);
	tl_registrar_free(sip->registrar);
	tl_digest_free(sip->digest);
	g_hash_table_destroy(sip->users);
	g_ptr_array_unref(sip->trunks);
	g_free(sip->listeners);
	g_free(sip->realm), g_free(sip->tls_folder);
	g_free(sip);
}

bool tl_sip_is_registered(const struct tl_sip *sip, const char *user)
{
	struct tl_binding bindings[TL_REGISTRAR_CONTACTS_MAX];
	return tl_registrar_lookup(sip->registrar, user, bindings);
}

unsigned tl_sip_port(const struct tl_sip *sip)
{
	return sip->listeners[0].port;
}

void tl_sip_counters(const struct tl_sip *sip, struct tl_sip_counters *counters)
{
	*counters = sip->counters;
	counters->messages_refused += tl_trace_refused() - sip->refused_before;
	struct tl_tls_counters tls;
	tl_tls_door_counters(&tls);
	counters->tls_connections = tls.connections;
	counters->tls_accepted = tls.accepted;
	counters->tls_refused_full = tls.refused_full;
	counters->tls_refused_address = tls.refused_address;
	counters->tls_refused_slow = tls.refused_slow;
}

void tl_sip_set_trace(struct tl_sip *sip, bool on)
{
	tl_trace_set(sip, on);
}
