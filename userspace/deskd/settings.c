/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "settings.h"

#include <string.h>

#include "control/control.h"

#define S "one or more sounds: file:NAME, blob:SHA256, tone:KIND, number:N, silence:MS"
#define D "queue:NAME, service:NUMBER, announcement:SOUND, connect:TARGET or release:CAUSE"

const struct tl_config_key settings_keys[] = {
	{ "desk", "name", TL_CONFIG_STRING, "desk", .help = "this desk's name; different for each desk at one store" },
	{ "desk", "state_dir", TL_CONFIG_STRING, .required = TRUE, .help = "directory of the store, for this desk alone" },
	{ "desk", "store", TL_CONFIG_STRING, .help = "SQLite file; desks that share it stand by for each other; default: desk.db in state_dir" },
	{ "desk", "log_level", TL_CONFIG_CHOICE, "info", "error|warning|notice|info|debug", .help = "what is logged" },
	{ "desk", "lease_ms", TL_CONFIG_INT, "2000", NULL, 500, 60000,
	  .help = "another desk takes over when this one is silent for so long, ms" },
	{ "desk", "hold_music", TL_CONFIG_STRING, "file:music", .help = "sound that a caller on hold hears, looped" },
	{ "control", "socket", TL_CONFIG_STRING, .help = "UNIX socket for operators (trunkctl); none: not served" },
	{ "token", "token", TL_CONFIG_STRING, .required = TRUE, .help = "secret of a client of the control socket" },
	{ "token", "role", TL_CONFIG_CHOICE, "observer", "operator|observer", .help = "what the client may do" },
	{ "node", "address", TL_CONFIG_STRING, .required = TRUE, .help = "a node's control protocol: unix:PATH or ws://host:port" },
	{ "node", "token", TL_CONFIG_STRING, .required = TRUE, .help = "the node's token for its conductor" },
	{ "web", "listen", TL_CONFIG_ADDRESS, "127.0.0.1:8080", .help = "address of the live page and its API" },
	{ "web", "host", TL_CONFIG_STRING, .help = "name under which a TLS proxy in front serves it; none: no proxy" },
	{ "web", "certificate", TL_CONFIG_STRING, .help = "PEM file: HTTPS with this certificate and those that vouch for it; none: HTTP" },
	{ "web", "key", TL_CONFIG_STRING, .help = "PEM file: the certificate's private key" },
	{ "queue", "ring_s", TL_CONFIG_INT, "20", NULL, 1, 300, .help = "an agent's phone rings so long, s" },
	{ "queue", "wrap_up_s", TL_CONFIG_INT, "10", NULL, 0, 3600, .help = "an agent's time after a call, s" },
	{ "queue", "music", TL_CONFIG_STRING, "file:music", .help = "sound that waiting callers hear, looped" },
	{ "queue", "position", TL_CONFIG_LIST, .help = "sounds before the number of the caller's place; none: it is not told" },
	{ "queue", "position_every_s", TL_CONFIG_INT, "30", NULL, 5, 3600, .help = "how often the place is told, s" },
	{ "queue", "overflow_s", TL_CONFIG_INT, "300", NULL, 0, 86400, .help = "longest wait, s; 0: without end" },
	{ "queue", "overflow", TL_CONFIG_STRING, "release:31", .help = "where a caller goes who has waited too long: " D },
	{ "agent", "display", TL_CONFIG_STRING, .help = "name to be shown; default: the section's name" },
	{ "agent", "password", TL_CONFIG_STRING, .help = "Argon2id hash as deskd --hash-password prints it; none: no login" },
	{ "agent", "device", TL_CONFIG_CHOICE, "phone", "phone|browser|both", .help = "what it speaks with; both: the browser while it is connected" },
	{ "agent", "phone", TL_CONFIG_STRING, .help = "user:NAME, the user its SIP phone registers as; not for device browser" },
	{ "agent", "queues", TL_CONFIG_LIST, .required = TRUE, .help = "names of the queues it serves" },
	{ "agent", "auto_ready", TL_CONFIG_BOOL, "no", .help = "yes: ready as soon as the phone registers or the browser connects" },
	{ "agent", "auto_answer", TL_CONFIG_BOOL, "no", .help = "yes: calls are put through to the browser without being asked for" },
	{ "service", "announce", TL_CONFIG_LIST, .help = "played first: " S },
	{ "service", "menu_prompt", TL_CONFIG_LIST, .help = "played while a key is awaited: " S },
	{ "service", "menu", TL_CONFIG_LIST, .help = "KEY:DESTINATION ..., KEY one of 0-9 * # A-D, or t when none came; " D },
	{ "service", "menu_wait_s", TL_CONFIG_INT, "5", NULL, 1, 60, .help = "how long a key is awaited, s" },
	{ "service", "menu_tries", TL_CONFIG_INT, "3", NULL, 1, 10, .help = "how often" },
	{ "service", "otherwise", TL_CONFIG_STRING, .required = TRUE, .help = "without a menu, or after the last try: " D },
	{ NULL },
};

struct tl_queue_settings settings_queue(const struct tl_config_section *section)
{
	return (struct tl_queue_settings){ .name = tl_config_name(section), .ring_s = tl_config_int(section, "ring_s"),
					   .wrap_up_s = tl_config_int(section, "wrap_up_s") };
}

struct tl_agent_settings settings_agent(const struct tl_config_section *section)
{
	enum { PHONE, BROWSER, BOTH } device = tl_config_choice(section, "device");
	const char *phone = device == BROWSER ? NULL : tl_config_string(section, "phone");
	return (struct tl_agent_settings){ .name = tl_config_name(section), .display = tl_config_string(section, "display"),
					   .phone = phone ? phone + strlen("user:") : NULL,
					   .queues = tl_config_list(section, "queues"), .browser = device != PHONE,
					   .auto_ready = tl_config_bool(section, "auto_ready"),
					   .auto_answer = tl_config_bool(section, "auto_answer") };
}

/* An error of another room, "key: message", becomes the configuration's own. */
static gboolean refuse(const struct tl_config_section *section, const char *fallback_key, const GError *cause, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(cause->message, ": ", 2);
	for (const struct tl_config_key *k = settings_keys; parts[1] && k->section; k++)
		if (!strcmp(k->key, parts[0]))
			return tl_config_refuse(section, k->key, error, "%s", parts[1]);
	return tl_config_refuse(section, fallback_key, error, "%s", cause->message);
}

static gboolean add_queue(struct tl_flows *flows, const struct tl_config_section *section, GError **error)
{
	g_autoptr(GError) cause = NULL;
	struct tl_flow_queue queue = { .name = tl_config_name(section), .music = tl_config_string(section, "music"),
				       .position = tl_config_list(section, "position"),
				       .position_every_s = tl_config_int(section, "position_every_s"),
				       .overflow_s = tl_config_int(section, "overflow_s"),
				       .overflow = tl_config_string(section, "overflow") };
	return tl_flows_add_queue(flows, &queue, &cause) || refuse(section, "music", cause, error);
}

static gboolean add_service(struct tl_flows *flows, const struct tl_config_section *section, GError **error)
{
	g_autoptr(GError) cause = NULL;
	struct tl_flow_service service = { .number = tl_config_name(section), .announce = tl_config_list(section, "announce"),
					   .menu_prompt = tl_config_list(section, "menu_prompt"),
					   .menu = tl_config_list(section, "menu"),
					   .menu_wait_s = tl_config_int(section, "menu_wait_s"),
					   .menu_tries = tl_config_int(section, "menu_tries"),
					   .otherwise = tl_config_string(section, "otherwise") };
	if (strspn(service.number, "0123456789*#+") != strlen(service.number))
		return tl_config_refuse(section, "otherwise", error, "expected a telephone number as the section's name");
	return tl_flows_add_service(flows, &service, &cause) || refuse(section, "otherwise", cause, error);
}

static gboolean check_agent(const struct settings *settings, const struct tl_config_section *section, GError **error)
{
	const char *password = tl_config_string(section, "password"), *phone = tl_config_string(section, "phone");
	if (password && !g_str_has_prefix(password, "$argon2id$"))
		return tl_config_refuse(section, "password", error, "expected an Argon2id hash, as deskd --hash-password prints");
	bool browser_only = tl_config_choice(section, "device") == 1;
	if (browser_only && phone)
		return tl_config_refuse(section, "phone", error, "expected none, or device = both");
	if (!browser_only && !phone)
		return tl_config_refuse(section, "phone", error, "is missing: expected user:NAME, or device = browser");
	if (phone && (!g_str_has_prefix(phone, "user:") || !phone[strlen("user:")]))
		return tl_config_refuse(section, "phone", error, "\"%s\": expected user:NAME", phone);
	for (const char *const *name = tl_config_list(section, "queues"); *name; name++)
		if (!tl_flows_queue(settings->flows, *name))
			return tl_config_refuse(section, "queues", error, "\"%s\": expected a queue that is configured", *name);
	return TRUE;
}

static gboolean check_node(const struct tl_config_section *section, GError **error)
{
	const char *address = tl_config_string(section, "address");
	if (g_str_has_prefix(address, "unix:/") || g_str_has_prefix(address, "unix:.") || g_str_has_prefix(address, "ws://") ||
	    (g_str_has_prefix(address, "unix:") && address[strlen("unix:")]))
		return TRUE;
	return tl_config_refuse(section, "address", error, "\"%s\": expected unix:PATH or ws://host:port", address);
}

/* Sections that stand for things must say which. */
static gboolean check_names(const struct settings *settings, GError **error)
{
	static const struct { const char *kind, *key; } named[] = {
		{ "token", "token" }, { "node", "address" }, { "queue", "music" }, { "agent", "queues" }, { "service", "otherwise" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(named); i++) {
		const struct tl_config_section *s = NULL;
		while ((s = tl_config_next(settings->config, named[i].kind, s)))
			if (!tl_config_name(s) || strlen(tl_config_name(s)) > 64)
				return tl_config_refuse(s, named[i].key, error, "expected a name in [%s NAME], at most 64 octets",
							named[i].kind);
	}
	return TRUE;
}

static gboolean check_flows(const struct settings *settings, GError **error)
{
	g_autofree char *culprit = NULL;
	g_autoptr(GError) cause = NULL;
	if (tl_flows_check(settings->flows, &culprit, &cause))
		return TRUE;
	static const char *const kinds[] = { "service", "queue" };
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const struct tl_config_section *s = NULL;
		while ((s = tl_config_next(settings->config, kinds[i], s)))
			if (!strcmp(tl_config_name(s), culprit))
				return refuse(s, i ? "overflow" : "otherwise", cause, error);
	}
	g_assert_not_reached();
}

static gboolean check(struct settings *settings, GError **error)
{
	const struct tl_config_section *s = NULL;
	if (!check_names(settings, error))
		return FALSE;
	while ((s = tl_config_next(settings->config, "queue", s)))
		if (!add_queue(settings->flows, s, error))
			return FALSE;
	while ((s = tl_config_next(settings->config, "service", s)))
		if (!add_service(settings->flows, s, error))
			return FALSE;
	while ((s = tl_config_next(settings->config, "agent", s)))
		if (!check_agent(settings, s, error))
			return FALSE;
	while ((s = tl_config_next(settings->config, "node", s)))
		if (!check_node(s, error))
			return FALSE;
	const struct tl_config_section *desk = tl_config_section(settings->config, "desk");
	const struct tl_config_section *web = tl_config_section(settings->config, "web");
	if (!tl_config_string(web, "certificate") != !tl_config_string(web, "key"))
		return tl_config_refuse(web, tl_config_string(web, "key") ? "key" : "certificate", error,
					"expected both certificate and key, or neither");
	if (!tl_config_string(desk, "state_dir"))
		return tl_config_refuse(desk, "state_dir", error, "is missing: expected a directory");
	tl_log_parse_level(tl_config_string(desk, "log_level"), &settings->log_level);
	return check_flows(settings, error);
}

struct settings *settings_load(const char *path, GError **error)
{
	struct settings *settings = g_new0(struct settings, 1);
	settings->flows = tl_flows_new();
	settings->config = tl_config_load(path, settings_keys, error);
	if (settings->config && check(settings, error))
		return settings;
	settings_free(settings);
	return NULL;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	tl_flows_free(settings->flows);
	tl_config_free(settings->config);
	g_free(settings);
}
