/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "settings.h"

#include <string.h>

#include "control/control.h"

#define S "one or more sounds: file:NAME, blob:SHA256, tone:KIND, number:N, silence:MS"
#define D "queue:NAME, service:NUMBER, announcement:SOUND, connect:TARGET, clear:TARGET (for fax machines), fax:BOX or release:CAUSE"

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
	{ "web", "video", TL_CONFIG_BOOL, "no", .help = "agents in browsers may show each other their cameras" },
	{ "web", "turn", TL_CONFIG_LIST, .help = "TURN servers for agents whose network lets no UDP through: turn:HOST:PORT?transport=tcp, turns:HOST:PORT?transport=tcp ..." },
	{ "web", "turn_secret", TL_CONFIG_STRING, .help = "theirs and ours (coturn: static-auth-secret); browsers get credentials made with it, never the secret" },
	{ "web", "turn_only", TL_CONFIG_BOOL, "no", .help = "browsers do not try the direct way first: where it is known to be shut" },
	{ "web", "turn_lifetime_s", TL_CONFIG_INT, "43200", NULL, 600, 604800, .help = "such credentials are good for so long, s; a shift at least" },
	{ "queue", "ring_s", TL_CONFIG_INT, "20", NULL, 1, 300, .help = "an agent's phone rings so long, s" },
	{ "queue", "wrap_up_s", TL_CONFIG_INT, "10", NULL, 0, 3600, .help = "an agent's time after a call, s" },
	{ "queue", "music", TL_CONFIG_STRING, "file:music", .help = "sound that waiting callers hear, looped" },
	{ "queue", "position", TL_CONFIG_LIST, .help = "sounds before the number of the caller's place; none: it is not told" },
	{ "queue", "position_every_s", TL_CONFIG_INT, "30", NULL, 5, 3600, .help = "how often the place is told, s" },
	{ "queue", "record", TL_CONFIG_CHOICE, "no", "no|opus|wav|wav16", .help = "what callers and agents say is recorded, the caller left: Ogg Opus, WAV with G.711 or with 16 bits" },
	{ "queue", "record_notice", TL_CONFIG_LIST, .help = "sounds that both hear first, once the recording has begun" },
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
	{ "service", "fax_tone", TL_CONFIG_STRING, .help = "where a caller goes who turns out to be a fax machine: " D },
	{ "blobs", "dir", TL_CONFIG_STRING, .help = "directory of recordings, faxes and documents; desks at one store share it; default: blobs in state_dir" },
	{ "blobs", "keep_fax_days", TL_CONFIG_INT, "365", NULL, 0, 36500, .help = "faxes are deleted after so many days; 0: never" },
	{ "blobs", "keep_recording_days", TL_CONFIG_INT, "90", NULL, 0, 36500, .help = "recordings likewise; 0: never" },
	{ "mail", "server", TL_CONFIG_STRING, .help = "smtp://host:port or smtps://host:port that takes our mails; none: they wait" },
	{ "mail", "tls", TL_CONFIG_CHOICE, "offered", "offered|required", .help = "smtp: STARTTLS where it is offered, or nothing without it" },
	{ "mail", "ca_file", TL_CONFIG_STRING, .help = "certificates to trust; default: the system's" },
	{ "mail", "user", TL_CONFIG_STRING, .help = "name at the server, if it wants one" },
	{ "mail", "password", TL_CONFIG_STRING, .help = "its password" },
	{ "mail", "from", TL_CONFIG_STRING, "fax@localhost", .help = "sender of our mails" },
	{ "mail", "bounces", TL_CONFIG_STRING, .help = "one of the domains of [lmtp]: mails that come back do so to bounce+ID@ it, and are shown as bounced; none: to the sender" },
	{ "mail", "hello", TL_CONFIG_STRING, .help = "our name for the server; default: the host's" },
	{ "mail", "retry_first_s", TL_CONFIG_INT, "60", NULL, 1, 86400, .help = "what was not taken is tried again after this, then after twice as long ..., s" },
	{ "mail", "retry_max_s", TL_CONFIG_INT, "3600", NULL, 1, 86400, .help = "... but not later than this, s" },
	{ "mail", "give_up_h", TL_CONFIG_INT, "72", NULL, 1, 720, .help = "not tried any longer, h" },
	{ "lmtp", "socket", TL_CONFIG_STRING, .help = "UNIX socket where a mail server hands over mails that are to be faxed; none: not served" },
	{ "lmtp", "group", TL_CONFIG_STRING, .help = "group that may write to it, such as postfix" },
	{ "lmtp", "domains", TL_CONFIG_LIST, .help = "domains whose addresses are fax numbers: NUMBER@DOMAIN" },
	{ "lmtp", "max_mib", TL_CONFIG_INT, "30", NULL, 1, 200, .help = "largest mail, MiB" },
	{ "fax", "ident", TL_CONFIG_STRING, .help = "what our machine calls itself (T.30), at most 20 characters, mostly its number" },
	{ "fax", "header", TL_CONFIG_STRING, .help = "text of the line above each page sent, at most 50 characters" },
	{ "fax", "header_zone", TL_CONFIG_STRING, .help = "time zone of that line, such as Europe/Berlin" },
	{ "fax", "number", TL_CONFIG_NUMBER, .help = "calling number when sending" },
	{ "fax", "ecm", TL_CONFIG_BOOL, "yes", .help = "error correction" },
	{ "fax", "pages_max", TL_CONFIG_INT, "1000", NULL, 1, 1000, .help = "the line is cleared after so many pages" },
	{ "fax", "deliver", TL_CONFIG_LIST, .help = "whom faxes go to: mail:ADDRESS, dir:PATH, http://URL or https://URL ..." },
	{ "fax", "format", TL_CONFIG_CHOICE, "pdf", "pdf|tiff", .help = "as what" },
	{ "fax", "subject", TL_CONFIG_STRING, .help = "of the mail; {from} {to} {pages} {ident} {calling} {date} {id} {note}" },
	{ "fax", "text", TL_CONFIG_STRING, .help = "of the mail, likewise; \\n is a new line" },
	{ "fax", "ocr", TL_CONFIG_STRING, .help = "command that makes the PDF searchable, with {in} and {out}, such as: ocrmypdf {in} {out}" },
	{ "webhook", "url", TL_CONFIG_STRING, .required = TRUE, .help = "http://... or https://...: how those know us whose URL begins so" },
	{ "webhook", "token", TL_CONFIG_STRING, .help = "sent as Authorization: Bearer" },
	{ "webhook", "secret", TL_CONFIG_STRING, .help = "Trunkline-Signature: sha256=HMAC of the body by this secret is sent" },
	{ "fax-sender", "addresses", TL_CONFIG_LIST, .help = "who may send faxes by mail: a@b or *@b (the envelope's sender)" },
	{ "fax-sender", "token", TL_CONFIG_STRING, .help = "instead: who knows it, by NUMBER+TOKEN@DOMAIN" },
	{ "fax-sender", "box", TL_CONFIG_STRING, .help = "fax box whose name, header and number are shown; default: the first" },
	{ "fax-sender", "priority", TL_CONFIG_INT, "5", NULL, 1, 9, .help = "1 first; 1 does not mind quiet hours" },
	{ "fax-line", "to", TL_CONFIG_STRING, .required = TRUE, .help = "group:NAME, trunk:NAME or span:NAME/SLOT" },
	{ "fax-line", "prefixes", TL_CONFIG_LIST, .help = "numbers that go this way; none: any" },
	{ "fax-line", "lines", TL_CONFIG_INT, "2", NULL, 1, 1000, .help = "faxes sent at once" },
	{ "faxes", "tries", TL_CONFIG_INT, "5", NULL, 1, 100, .help = "how often a fax is tried" },
	{ "faxes", "retry_busy_s", TL_CONFIG_INT, "120", NULL, 1, 86400, .help = "after busy, s" },
	{ "faxes", "retry_no_answer_s", TL_CONFIG_INT, "900", NULL, 1, 86400, .help = "after no answer, s" },
	{ "faxes", "retry_trouble_s", TL_CONFIG_INT, "60", NULL, 1, 86400, .help = "after trouble in the middle: it goes on at the page that failed, s" },
	{ "faxes", "no_line_h", TL_CONFIG_INT, "12", NULL, 1, 168, .help = "calls for which no line is free are no tries; for so long they are made again, later each time, h" },
	{ "faxes", "quiet", TL_CONFIG_STRING, .help = "no faxes are sent in these hours, such as 22:00-07:00" },
	{ "faxes", "zone", TL_CONFIG_STRING, .help = "time zone of quiet hours and of dates in mails; default: the system's" },
	{ "faxes", "block", TL_CONFIG_LIST, .help = "beginnings of numbers that no fax is sent to" },
	{ "faxes", "resolution", TL_CONFIG_CHOICE, "fine", "standard|fine", .help = "of documents" },
	{ "faxes", "paper", TL_CONFIG_CHOICE, "a4", "a4|letter", .help = "of documents" },
	{ "faxes", "cover", TL_CONFIG_STRING, .help = "file with the cover page: Pango markup with {to} {from} {subject} {pages} {date} {text}; none: no cover" },
	{ "faxes", "body", TL_CONFIG_CHOICE, "auto", "auto|page|cover|none", .help = "a mail's text: a page when there is no attachment, always, on the cover, or not at all" },
	{ "faxes", "converter", TL_CONFIG_STRING, .help = "faxpages; default: beside deskd" },
	{ "faxes", "convert_at_once", TL_CONFIG_INT, "2", NULL, 1, 64, .help = "documents being converted at once" },
	{ "faxes", "convert_mib", TL_CONFIG_INT, "1024", NULL, 64, 65536, .help = "memory that one may take, MiB" },
	{ "faxes", "convert_s", TL_CONFIG_INT, "60", NULL, 1, 3600, .help = "time of a processor that one may take, s" },
	{ "faxes", "convert_retry_s", TL_CONFIG_INT, "30", NULL, 1, 900, .help = "when this machine cannot convert (no memory, disk, program): again after this, then after twice as long ..., s" },
	{ "faxes", "convert_give_up_s", TL_CONFIG_INT, "1800", NULL, 1, 86400, .help = "... and who sent it is told so after this, s" },
	{ "faxes", "convert_pages", TL_CONFIG_INT, "200", NULL, 1, 1000, .help = "pages that one may have" },
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
				       .record_notice = tl_config_list(section, "record_notice"),
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
					   .otherwise = tl_config_string(section, "otherwise"),
					   .fax_tone = tl_config_string(section, "fax_tone") };
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
		{ "fax", "deliver" },  { "fax-sender", "addresses" }, { "fax-line", "to" }, { "webhook", "url" },
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

static gboolean check_zone(const struct tl_config_section *section, const char *key, GError **error)
{
	const char *name = tl_config_string(section, key);
	g_autoptr(GTimeZone) zone = name && strlen(name) <= 64 ? g_time_zone_new_identifier(name) : NULL;
	return !name || zone || tl_config_refuse(section, key, error, "\"%s\": expected a time zone such as Europe/Berlin", name);
}

static gboolean check_box(const struct tl_config_section *section, GError **error)
{
	static const struct { const char *key; unsigned max; } texts[] = { { "ident", 20 }, { "header", 50 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *text = tl_config_string(section, texts[i].key);
		if (text && strlen(text) > texts[i].max)
			return tl_config_refuse(section, texts[i].key, error, "expected at most %u octets", texts[i].max);
	}
	if (!check_zone(section, "header_zone", error))
		return FALSE;
	for (const char *const *to = tl_config_list(section, "deliver"); *to; to++)
		if (!(g_str_has_prefix(*to, "mail:") && strchr(*to, '@')) && !g_str_has_prefix(*to, "dir:/") &&
		    !g_str_has_prefix(*to, "http://") && !g_str_has_prefix(*to, "https://"))
			return tl_config_refuse(section, "deliver", error, "\"%s\": expected mail:ADDRESS, dir:/PATH, http://URL or https://URL", *to);
	return TRUE;
}

static bool has_box(const struct settings *settings, const char *name)
{
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(settings->config, "fax", s)))
		if (!strcmp(tl_config_name(s), name))
			return true;
	return false;
}

static gboolean check_bounces(const struct settings *settings, GError **error)
{
	const struct tl_config_section *mail = tl_config_section(settings->config, "mail"), *lmtp = tl_config_section(settings->config, "lmtp");
	const char *bounces = tl_config_string(mail, "bounces");
	if (!bounces || (tl_config_string(lmtp, "socket") && g_strv_contains(tl_config_list(lmtp, "domains"), bounces)))
		return TRUE;
	return tl_config_refuse(mail, "bounces", error, "\"%s\": expected one of the domains of [lmtp], and its socket", bounces);
}

static gboolean is_way(const char *to)
{
	return g_regex_match_simple("^((group|trunk):.+|span:[^/]+/[1-9][0-9]*)$", to, 0, 0);
}

static gboolean check_sending(const struct settings *settings, GError **error)
{
	const struct tl_config_section *s = NULL, *faxes = tl_config_section(settings->config, "faxes");
	const char *quiet = tl_config_string(faxes, "quiet"), *server = tl_config_string(tl_config_section(settings->config, "mail"), "server");
	while ((s = tl_config_next(settings->config, "fax-sender", s)))
		if (tl_config_string(s, "box") && !has_box(settings, tl_config_string(s, "box")))
			return tl_config_refuse(s, "box", error, "expected a fax box that is configured");
		else if (!tl_config_list(s, "addresses")[0] == !tl_config_string(s, "token"))
			return tl_config_refuse(s, "addresses", error, "expected either addresses or a token");
	s = NULL;
	while ((s = tl_config_next(settings->config, "fax-line", s)))
		if (!is_way(tl_config_string(s, "to")))
			return tl_config_refuse(s, "to", error, "expected group:NAME, trunk:NAME or span:NAME/SLOT");
	s = NULL;
	while ((s = tl_config_next(settings->config, "webhook", s)))
		if (!g_str_has_prefix(tl_config_string(s, "url"), "http://") && !g_str_has_prefix(tl_config_string(s, "url"), "https://"))
			return tl_config_refuse(s, "url", error, "expected http://... or https://...");
	if (!check_zone(faxes, "zone", error))
		return FALSE;
	if (quiet && !g_regex_match_simple("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", quiet, 0, 0))
		return tl_config_refuse(faxes, "quiet", error, "expected hours such as 22:00-07:00");
	if (server && !g_str_has_prefix(server, "smtp://") && !g_str_has_prefix(server, "smtps://"))
		return tl_config_refuse(tl_config_section(settings->config, "mail"), "server", error, "expected smtp://host:port or smtps://host:port");
	return TRUE;
}

static gboolean check_faxes(const struct settings *settings, GError **error)
{
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(settings->config, "fax", s))) {
		if (!check_box(s, error))
			return FALSE;
		tl_flows_add_box(settings->flows, tl_config_name(s));
	}
	return check_bounces(settings, error) && check_sending(settings, error);
}

/* RFC 7065; a browser refuses all servers for one that it cannot read. */
static gboolean check_turn(const struct tl_config_section *web, GError **error)
{
	const char *const *urls = tl_config_list(web, "turn");
	const char *secret = tl_config_string(web, "turn_secret");
	for (const char *const *url = urls; *url; url++)
		if (!g_regex_match_simple("^turns?:(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+)"
					  "(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
					  "(\\?transport=(udp|tcp))?$", *url, 0, 0))
			return tl_config_refuse(web, "turn", error, "\"%s\": expected turn:HOST:PORT or turns:HOST:PORT, perhaps with ?transport=tcp or udp", *url);
	if (urls[0] && (!secret || !secret[0]))
		return tl_config_refuse(web, "turn_secret", error, "is missing: expected the TURN servers' static-auth-secret");
	if (!urls[0] && tl_config_bool(web, "turn_only"))
		return tl_config_refuse(web, "turn_only", error, "expected no, or servers as turn");
	return urls[0] || !secret || tl_config_refuse(web, "turn_secret", error, "expected none, or servers as turn");
}

static gboolean check_web(const struct tl_config_section *web, GError **error)
{
	if (!tl_config_string(web, "certificate") != !tl_config_string(web, "key"))
		return tl_config_refuse(web, tl_config_string(web, "key") ? "key" : "certificate", error,
					"expected both certificate and key, or neither");
	return check_turn(web, error);
}

static gboolean check(struct settings *settings, GError **error)
{
	const struct tl_config_section *s = NULL;
	if (!check_names(settings, error) || !check_faxes(settings, error))
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
	if (!check_web(tl_config_section(settings->config, "web"), error))
		return FALSE;
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
