/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "settings.h"

#include <arpa/inet.h>
#include <string.h>

#include "media/media.h"

struct tl_settings {
	struct tl_config *config;
	struct tl_node_config node;
	GStringChunk *strings;   /* what the file does not hold as it is needed */
	GArray *accesses, *users, *trunks, *trunk_groups, *tokens, *routes;
};

static const char *keep(struct tl_settings *settings, const char *text)
{
	return g_string_chunk_insert(settings->strings, text);
}

static bool is_name(const char *name)
{
	return name && *name && strlen(name) <= 32 &&
	       strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == strlen(name);
}

static bool check_name(const struct tl_config_section *section, const char *key, GError **error)
{
	return is_name(tl_config_name(section)) ||
	       tl_config_refuse(section, key, error, "the section's name: expected letters, digits, . _ -, at most 32");
}

/* ---- [node], [media], [control], [token] ---- */

static bool read_node(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = tl_config_section(settings->config, "node");
	struct tl_node_config *node = &settings->node;
	node->name = tl_config_string(section, "name");
	node->state_dir = tl_config_string(section, "state_dir");
	node->sounds_dir = tl_config_string(section, "sounds_dir");
	node->country = tl_config_string(section, "country");
	node->offer_timeout_ms = tl_config_int(section, "offer_timeout_ms");
	node->max_legs = tl_config_int(section, "max_legs");
	node->journal_segment_kib = tl_config_int(section, "journal_segment_kib");
	node->journal_max_mib = tl_config_int(section, "journal_max_mib");
	node->spool_reserve_mib = tl_config_int(section, "spool_reserve_mib");
	node->record_threads = tl_config_int(section, "record_threads");
	node->blob_max_mib = tl_config_int(section, "blob_max_mib");
	node->sound_cache_mib = tl_config_int(section, "sound_cache_mib");
	node->sound_max_s = tl_config_int(section, "sound_max_s");
	if (!is_name(node->name))
		return tl_config_refuse(section, "name", error, "expected letters, digits, . _ -, at most 32");
	if (!tl_tone_has_country(node->country)) {
		g_autofree char *known = tl_tone_countries();
		return tl_config_refuse(section, "country", error, "%s: expected one of %s", node->country, known);
	}
	return true;
}

static void read_fax(struct tl_settings *settings)
{
	const struct tl_config_section *section = tl_config_section(settings->config, "fax");
	settings->node.fax_threads = tl_config_int(section, "threads");
	settings->node.fax_depth_ms = tl_config_int(section, "depth_ms");
	settings->node.fax_page_timeout_ms = tl_config_int(section, "page_timeout_ms");
	settings->node.t38 = settings->node.sip.t38 = tl_config_bool(section, "t38");
	settings->node.t38_correction = tl_config_choice(section, "t38_correction");
}

static bool is_numeric_address(const char *text)
{
	unsigned char octets[16];
	return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}

static bool has_card(const struct tl_settings *settings)
{
	for (unsigned i = 0; i < settings->accesses->len; i++)
		if (g_array_index(settings->accesses, struct tl_access_config, i).span.backend == TL_SPAN_DAHDI)
			return true;
	return false;
}

static bool read_media(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = tl_config_section(settings->config, "media");
	struct tl_media_config *media = &settings->node.media;
	if (tl_config_string(section, "tick"))
		media->tick = tl_config_choice(section, "tick");
	else
		media->tick = has_card(settings) ? TL_TICK_SPAN : TL_TICK_MONOTONIC;
	media->realtime_priority = tl_config_int(section, "realtime_priority");
	media->rtp_host = tl_config_string(section, "rtp_host");
	media->rtp_announce = tl_config_string(section, "rtp_announce");
	media->rtp_port_min = tl_config_int(section, "rtp_port_min");
	media->rtp_port_max = tl_config_int(section, "rtp_port_max");
	media->jitter_min_ms = tl_config_int(section, "jitter_min_ms");
	media->jitter_max_ms = tl_config_int(section, "jitter_max_ms");
	media->max_ports = MIN(settings->node.max_legs, 4096);
	media->load_limit_us = tl_config_int(section, "load_limit_us");
	media->line_patience_ms = tl_config_int(section, "line_patience_ms");
	media->threads = tl_config_int(section, "threads");
	if (tl_config_string(section, "law"))
		settings->node.law = tl_config_choice(section, "law");
	if (!is_numeric_address(media->rtp_host))
		return tl_config_refuse(section, "rtp_host", error, "expected a numeric address");
	if (media->rtp_port_max <= media->rtp_port_min)
		return tl_config_refuse(section, "rtp_port_max", error, "expected more than rtp_port_min (%u)", media->rtp_port_min);
	if (media->jitter_max_ms < media->jitter_min_ms)
		return tl_config_refuse(section, "jitter_max_ms", error, "expected at least jitter_min_ms (%u)", media->jitter_min_ms);
	return true;
}

static bool read_tokens(struct tl_settings *settings, GError **error)
{
	static const enum tl_control_role roles[] = { TL_ROLE_OBSERVER, TL_ROLE_OPERATOR, TL_ROLE_APPLICATION,
						      TL_ROLE_CONDUCTOR };
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(settings->config, "token", section))) {
		struct tl_control_token token = { .token = tl_config_string(section, "token"),
						  .role = roles[tl_config_choice(section, "role")],
						  .name = tl_config_name(section) };
		if (!check_name(section, "token", error))
			return false;
		if (strlen(token.token) < 8 || strlen(token.token) > 256)
			return tl_config_refuse(section, "token", error, "expected a secret of 8 to 256 characters");
		g_array_append_val(settings->tokens, token);
	}
	return true;
}

static bool read_control(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = tl_config_section(settings->config, "control");
	struct tl_control_server_config *control = &settings->node.control;
	const char *tcp = tl_config_string(section, "tcp");
	char host[64];
	control->schema = "node";
	control->socket_path = tl_config_string(section, "socket");
	control->events_kept = tl_config_int(section, "events_kept");
	control->backlog_max_octets = tl_config_int(section, "backlog_max_kib") << 10;
	if (tcp) {
		tl_config_address(tcp, host, &control->tcp_port);
		control->tcp_host = keep(settings, host);
	} else if (!control->socket_path) {
		g_autofree char *path = g_build_filename(settings->node.state_dir, "trunkd.sock", NULL);
		control->socket_path = keep(settings, path);
	}
	if (control->socket_path && strlen(control->socket_path) > 107)
		return tl_config_refuse(section, "socket", error, "expected a path of at most 107 octets: %s", control->socket_path);
	return read_tokens(settings, error);
}

/* ---- [span NAME] ---- */

static bool check_span(const struct tl_config_section *section, const struct tl_access_config *access, GError **error)
{
	const struct tl_span_config *span = &access->span;
	unsigned slots = span->kind == TL_SPAN_E1 ? 31 : 24;
	if (!check_name(section, "kind", error))
		return false;
	if (span->d_channel > slots)
		return tl_config_refuse(section, "d_channel", error, "expected a timeslot from 1 to %u", slots);
	if (span->backend == TL_SPAN_PSEUDOWIRE && !span->cas && 80 % span->pseudowire.frames)
		return tl_config_refuse(section, "frames", error, "expected a divisor of 80: 1, 2, 4, 5, 8, 10, 16, 20 or 40");
	return true;
}

static bool read_pseudowire(struct tl_settings *settings, const struct tl_config_section *section,
			    struct tl_pseudowire_config *wire, GError **error)
{
	char host[64];
	for (const char *const *key = (const char *const[]){ "local", "remote", NULL }; *key; key++)
		if (!tl_config_string(section, *key))
			return tl_config_refuse(section, *key, error, "expected an address and port, because backend is pseudowire");
	tl_config_address(tl_config_string(section, "local"), host, &wire->local_port);
	wire->local_host = keep(settings, host);
	tl_config_address(tl_config_string(section, "remote"), host, &wire->remote_port);
	wire->remote_host = keep(settings, host);
	wire->frames = tl_config_int(section, "frames");
	wire->jitter_ms = tl_config_int(section, "jitter_ms");
	wire->jitter_max_ms = tl_config_int(section, "jitter_max_ms");
	wire->clock = tl_config_choice(section, "clock");
	wire->rtp = tl_config_bool(section, "rtp");
	wire->rtp_payload_type = 96;
	wire->rtp_ssrc = g_random_int();
	return true;
}

static bool read_dahdi(const struct tl_config_section *section, struct tl_dahdi_config *dahdi, GError **error)
{
	if (!tl_config_string(section, "dahdi_span"))
		return tl_config_refuse(section, "dahdi_span", error, "expected DAHDI's number of the span, because backend is dahdi");
	dahdi->span = tl_config_int(section, "dahdi_span");
	dahdi->depth_ms = tl_config_int(section, "dahdi_depth_ms");
	return dahdi->depth_ms % 10 == 0 || tl_config_refuse(section, "dahdi_depth_ms", error, "expected tens of ms");
}

static bool read_spans(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(settings->config, "span", section))) {
		struct tl_access_config access = { .group = tl_config_string(section, "group") };
		struct tl_span_config *span = &access.span;
		span->name = tl_config_name(section);
		span->kind = tl_config_choice(section, "kind");
		span->law = span->kind == TL_SPAN_E1 ? TL_LAW_ALAW : TL_LAW_ULAW;
		if (tl_config_string(section, "law"))
			span->law = tl_config_choice(section, "law");
		span->clock_domain = tl_config_string(section, "clock_domain");
		if (tl_config_string(section, "d_channel"))
			span->d_channel = tl_config_int(section, "d_channel");
		span->backend = tl_config_choice(section, "backend");
		if (span->backend == TL_SPAN_DAHDI ? !read_dahdi(section, &span->dahdi, error) :
						     !read_pseudowire(settings, section, &span->pseudowire, error))
			return false;
		if (!tl_signalling_config_read(section, &access.signalling, span, error) ||
		    !check_span(section, &access, error))
			return false;
		if (!span->clock_domain)
			span->clock_domain = span->name;
		g_array_append_val(settings->accesses, access);
	}
	if (settings->accesses->len)
		settings->node.law = g_array_index(settings->accesses, struct tl_access_config, 0).span.law;
	return true;
}

/* ---- [sip], [user NAME], [trunk NAME] ---- */

static const char *ha1_of(struct tl_settings *settings, const char *name, const char *realm, const char *password)
{
	g_autofree char *secret = g_strdup_printf("%s:%s:%s", name, realm, password);
	g_autofree char *ha1 = g_compute_checksum_for_string(G_CHECKSUM_MD5, secret, -1);
	memset(secret, 0, strlen(secret));
	return keep(settings, ha1);
}

static enum tl_srtp_policy srtp_of(const struct tl_settings *settings, const struct tl_config_section *section)
{
	return tl_config_string(section, "srtp") ? tl_config_choice(section, "srtp") : settings->node.sip.srtp;
}

static bool is_tls(const char *uri)
{
	return g_str_has_prefix(uri, "sips:") || strstr(uri, ";transport=tls");
}

static bool has_prefix(const char *uri)
{
	return g_str_has_prefix(uri, "sip:") || g_str_has_prefix(uri, "sips:");
}

static bool read_users(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(settings->config, "user", section))) {
		const char *password = tl_config_string(section, "password"), *ha1 = tl_config_string(section, "ha1");
		struct tl_sip_user user = { .name = tl_config_name(section), .ha1 = ha1,
					    .srtp = srtp_of(settings, section) };
		if (!check_name(section, "password", error))
			return false;
		if (!password == !ha1)
			return tl_config_refuse(section, "password", error, "expected either password or ha1");
		if (ha1 && (strlen(ha1) != 32 || strspn(ha1, "0123456789abcdef") != 32))
			return tl_config_refuse(section, "ha1", error, "expected 32 hexadecimal digits in lower case");
		if (password)
			user.ha1 = ha1_of(settings, user.name, settings->node.sip.realm, password);
		g_array_append_val(settings->users, user);
	}
	return true;
}

static bool read_trunks(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(settings->config, "trunk", section))) {
		struct tl_sip_trunk trunk = { .name = tl_config_name(section), .target = tl_config_string(section, "target"),
					      .peers = tl_config_list(section, "peers"),
					      .user = tl_config_string(section, "user"),
					      .password = tl_config_string(section, "password"),
					      .srtp = srtp_of(settings, section) };
		const char *group = tl_config_string(section, "group");
		if (!check_name(section, "target", error))
			return false;
		if (!has_prefix(trunk.target))
			return tl_config_refuse(section, "target", error, "expected sip:host:port, perhaps with ;transport=tcp, or sips:");
		if (trunk.srtp == TL_SRTP_REQUIRE && !settings->node.sip.keys_in_clear && !is_tls(trunk.target))
			return tl_config_refuse(section, "srtp", error, "require: expected a target by TLS, else the keys can be read by others");
		for (unsigned i = 0; trunk.peers[i]; i++)
			if (!is_numeric_address(trunk.peers[i]))
				return tl_config_refuse(section, "peers", error, "%s: expected a numeric address", trunk.peers[i]);
		if (!trunk.user != !trunk.password)
			return tl_config_refuse(section, trunk.user ? "user" : "password", error, "expected user and password together");
		g_array_append_val(settings->trunks, trunk);
		g_array_append_val(settings->trunk_groups, group);
	}
	return true;
}

static bool read_sip(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = tl_config_section(settings->config, "sip");
	struct tl_sip_config *sip = &settings->node.sip;
	settings->node.sip_on = tl_config_next(settings->config, "sip", NULL) != NULL;
	sip->listen = tl_config_list(section, "listen");
	sip->realm = tl_config_string(section, "realm");
	sip->register_min_s = tl_config_int(section, "register_min_s");
	sip->register_max_s = tl_config_int(section, "register_max_s");
	sip->session_expires_s = tl_config_int(section, "session_expires_s");
	sip->max_dialogs = tl_config_int(section, "max_dialogs");
	sip->certificate = tl_config_string(section, "certificate");
	sip->authorities = tl_config_string(section, "authorities");
	sip->tls_connections = tl_config_int(section, "tls_connections");
	sip->tls_connections_per_address = tl_config_int(section, "tls_connections_per_address");
	sip->tls_handshake_ms = 1000 * tl_config_int(section, "tls_handshake_s");
	sip->srtp = tl_config_choice(section, "srtp");
	sip->keys_in_clear = tl_config_bool(section, "keys_in_clear");
	settings->node.rtp_timeout_s = tl_config_int(section, "rtp_timeout_s");
	if (settings->node.sip_on && !sip->listen[0])
		return tl_config_refuse(section, "listen", error, "expected at least one sip: URI");
	for (unsigned i = 0; sip->listen[i]; i++)
		if (!has_prefix(sip->listen[i]))
			return tl_config_refuse(section, "listen", error, "%s: expected sip:host:port or sips:host:port", sip->listen[i]);
	if (sip->register_max_s < sip->register_min_s)
		return tl_config_refuse(section, "register_max_s", error, "expected at least register_min_s (%u)", sip->register_min_s);
	return read_users(settings, error) && read_trunks(settings, error);
}

/* ---- [route NAME] ---- */

static bool has_group(const struct tl_settings *settings, const char *name)
{
	for (unsigned i = 0; i < settings->accesses->len; i++)
		if (!g_strcmp0(g_array_index(settings->accesses, struct tl_access_config, i).group, name))
			return true;
	for (unsigned i = 0; i < settings->trunk_groups->len; i++)
		if (!g_strcmp0(g_array_index(settings->trunk_groups, const char *, i), name))
			return true;
	return false;
}

static bool has_section(const struct tl_settings *settings, const char *kind, const char *name)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(settings->config, kind, section)))
		if (!g_strcmp0(tl_config_name(section), name))
			return true;
	return false;
}

static bool target_exists(const struct tl_settings *settings, const struct tl_target *to)
{
	switch (to->kind) {
	case TL_TARGET_GROUP:
		return has_group(settings, to->name);
	case TL_TARGET_SPAN:
		return has_section(settings, "span", to->name);
	case TL_TARGET_USER:
		return has_section(settings, "user", to->name);
	case TL_TARGET_TRUNK:
		return has_section(settings, "trunk", to->name);
	case TL_TARGET_SIP:
	case TL_TARGET_ANNOUNCEMENT:
		return true;
	case TL_TARGET_ROUTE:
		return false;
	}
	return false;
}

static bool read_routes(struct tl_settings *settings, GError **error)
{
	const struct tl_config_section *section = NULL;
	g_autoptr(GHashTable) prefixes = g_hash_table_new(g_str_hash, g_str_equal);
	while ((section = tl_config_next(settings->config, "route", section))) {
		const char *prefix = tl_config_string(section, "prefix"), *to = tl_config_string(section, "to");
		struct tl_route route = { .name = tl_config_name(section), .prefix = prefix ? prefix : "" };
		if (!check_name(section, "to", error))
			return false;
		if (!tl_target_parse(to, &route.to) || route.to.kind == TL_TARGET_ROUTE)
			return tl_config_refuse(section, "to", error, "%s: expected group:NAME, span:NAME/SLOT, user:NAME, trunk:NAME, "
						"sip:URI or announcement:SOUND", to);
		if (!target_exists(settings, &route.to))
			return tl_config_refuse(section, "to", error, "%s: expected the name of a group, span, user or trunk of this file", to);
		if (!g_hash_table_add(prefixes, (char *)route.prefix))
			return tl_config_refuse(section, "prefix", error, "another route has %s already",
						*route.prefix ? route.prefix : "no prefix, too");
		g_array_append_val(settings->routes, route);
	}
	return true;
}

/* ---- the whole ---- */

static void settle(struct tl_settings *settings)
{
	struct tl_node_config *node = &settings->node;
	node->accesses = (void *)settings->accesses->data;
	node->n_accesses = settings->accesses->len;
	node->sip.users = (void *)settings->users->data;
	node->sip.n_users = settings->users->len;
	node->sip.trunks = (void *)settings->trunks->data;
	node->sip.n_trunks = settings->trunks->len;
	node->trunk_groups = (void *)settings->trunk_groups->data;
	node->control.tokens = (void *)settings->tokens->data;
	node->control.n_tokens = settings->tokens->len;
	node->routes = (void *)settings->routes->data;
	node->n_routes = settings->routes->len;
}

struct tl_settings *tl_settings_load(const char *path, GError **error)
{
	struct tl_config *config = tl_config_load(path, tl_settings_keys, error);
	if (!config)
		return NULL;
	struct tl_settings *settings = g_new0(struct tl_settings, 1);
	settings->config = config;
	settings->strings = g_string_chunk_new(256);
	settings->accesses = g_array_new(FALSE, TRUE, sizeof(struct tl_access_config));
	settings->users = g_array_new(FALSE, TRUE, sizeof(struct tl_sip_user));
	settings->trunks = g_array_new(FALSE, TRUE, sizeof(struct tl_sip_trunk));
	settings->trunk_groups = g_array_new(FALSE, TRUE, sizeof(char *));
	settings->tokens = g_array_new(FALSE, TRUE, sizeof(struct tl_control_token));
	settings->routes = g_array_new(FALSE, TRUE, sizeof(struct tl_route));
	read_fax(settings);
	if (read_node(settings, error) && read_spans(settings, error) && read_media(settings, error) &&
	    tl_settings_read_browser(settings->config, &settings->node, error) &&
	    read_control(settings, error) && read_sip(settings, error) && read_routes(settings, error)) {
		settle(settings);
		return settings;
	}
	tl_settings_free(settings);
	return NULL;
}

void tl_settings_free(struct tl_settings *settings)
{
	if (!settings)
		return;
	GArray *const arrays[] = { settings->accesses, settings->users, settings->trunks, settings->trunk_groups,
				   settings->tokens, settings->routes };
	for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
		g_array_unref(arrays[i]);
	g_string_chunk_free(settings->strings);
	tl_config_free(settings->config);
	g_free(settings);
}

const struct tl_node_config *tl_settings_node(const struct tl_settings *settings)
{
	return &settings->node;
}

enum tl_log_level tl_settings_log_level(const struct tl_settings *settings)
{
	enum tl_log_level level = TL_LOG_INFO;
	tl_log_parse_level(tl_config_string(tl_config_section(settings->config, "node"), "log_level"), &level);
	return level;
}

void tl_settings_blame(const struct tl_settings *settings, const struct tl_node_blame *blame, GError *why, GError **error)
{
	const struct tl_config_section *section = NULL;
	while (blame->name && (section = tl_config_next(settings->config, blame->section, section)))
		if (!g_strcmp0(tl_config_name(section), blame->name))
			break;
	if (!section)
		section = tl_config_section(settings->config, blame->section);
	tl_config_refuse(section, blame->key, error, "%s", why->message);
	g_error_free(why);
}
