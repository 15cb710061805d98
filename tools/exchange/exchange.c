/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The exchange as configured: spans with signalling, telephones, callers; who answers what. */
#include "exchange.h"

#include <string.h>

#include "base/clock.h"

#define TL_ROOM "exchange"
#include "base/log.h"

#define TICK_MS 10

const struct tl_config_key exchange_keys[] = {
	{ "exchange", "socket", TL_CONFIG_STRING, .help = "UNIX socket that takes orders (exchange call ...)" },
	{ "exchange", "log_level", TL_CONFIG_CHOICE, "notice", "error|warning|notice|info|debug", .help = "what is logged" },
	{ "media", "tick", TL_CONFIG_CHOICE, "monotonic", "monotonic|span", .help = "what drives line time" },
	{ "media", "rtp_host", TL_CONFIG_STRING, "127.0.0.1", .help = "address of RTP sockets" },
	{ "media", "rtp_port_min", TL_CONFIG_INT, "30000", .min = 1024, .max = 65000, .help = "first RTP port" },
	{ "media", "rtp_port_max", TL_CONFIG_INT, "33998", .min = 1026, .max = 65534, .help = "last RTP port" },
	{ "media", "realtime_priority", TL_CONFIG_INT, "0", .min = 0, .max = 99, .help = "SCHED_FIFO priority, 0: none" },
	{ "span", "kind", TL_CONFIG_CHOICE, "e1", "e1|t1", .help = "line" },
	{ "span", "law", TL_CONFIG_CHOICE, NULL, "alaw|ulaw", .help = "default alaw on e1, ulaw on t1" },
	{ "span", "d_channel", TL_CONFIG_INT, NULL, .min = 0, .max = 31, .help = "timeslot; default 16 on e1, 24 on t1; 0: none" },
	{ "span", "backend", TL_CONFIG_CHOICE, "pseudowire", "pseudowire|dahdi", .help = "what carries it: packets, or a card through DAHDI" },
	{ "span", "dahdi_span", TL_CONFIG_INT, NULL, .min = 1, .max = 128, .help = "DAHDI's number of the span" },
	{ "span", "local", TL_CONFIG_ADDRESS, .help = "where its packets are taken" },
	{ "span", "remote", TL_CONFIG_ADDRESS, .help = "the node's end" },
	{ "span", "frames", TL_CONFIG_INT, "8", .min = 1, .max = 40, .help = "125 us frames a packet" },
	{ "span", "jitter_ms", TL_CONFIG_INT, "20", .min = 1, .max = 200, .help = "playout depth" },
	{ "span", "clock", TL_CONFIG_CHOICE, "local", "adaptive|local|loop", .help = "where line time comes from" },
	{ "span", "rtp", TL_CONFIG_BOOL, "no", .help = "RTP header in front of the control word" },
	TL_SIGNALLING_KEYS("pri-network", "no"),
	{ "sip", "listen", TL_CONFIG_LIST, NULL, .help = "sip:host:port, more by commas" },
	{ "sip", "peers", TL_CONFIG_LIST, "127.0.0.1, ::1", .help = "addresses whose calls are taken: the node under test" },
	{ "agent", "registrar", TL_CONFIG_STRING, .required = TRUE, .help = "sip:host:port of the node" },
	{ "agent", "user", TL_CONFIG_STRING, .required = TRUE, .help = "name at the registrar" },
	{ "agent", "password", TL_CONFIG_STRING, .required = TRUE, .help = "its password" },
	{ "agent", "script", TL_CONFIG_STRING, .required = TRUE, .help = "name of the script that answers its calls" },
	{ "answer", "script", TL_CONFIG_STRING, .required = TRUE, .help = "name of the script that takes calls to numbers with this prefix" },
	{ "caller", "script", TL_CONFIG_STRING, .required = TRUE, .help = "name of the script to run" },
	{ "caller", "first_s", TL_CONFIG_INT, "2", .min = 0, .max = 86400, .help = "seconds before its first call" },
	{ "caller", "every_s", TL_CONFIG_INT, "30", .min = 1, .max = 86400, .help = "seconds between its calls" },
	{ "script", "steps", TL_CONFIG_STRING, .required = TRUE, .help = "steps, separated by ';' (exchange --help lists them)" },
	{ NULL }
};

struct agent {
	struct exchange *exchange;
	const struct tl_config_section *section;
	struct tl_sip_registration *registration;
	bool registered;
};

struct caller {
	struct exchange *exchange;
	const struct tl_config_section *section;
	struct script *script; /* borrowed */
	struct tl_timer *timer;
	unsigned calls;
};

/* ---- who answers ---- */

static const struct tl_config_section *answer_for(struct exchange *exchange, const char *called)
{
	const struct tl_config_section *section = NULL, *best = NULL;
	while ((section = tl_config_next(exchange->config, "answer", section))) {
		const char *prefix = tl_config_name(section) ? tl_config_name(section) : "";
		if (g_str_has_prefix(called, prefix) && (!best || strlen(prefix) >= strlen(tl_config_name(best) ?: "")))
			best = section;
	}
	return best;
}

static void refuse_late(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	if (event->kind == TL_DIALOG_RELEASED)
		g_idle_add_once((GSourceOnceFunc)tl_dialog_free, dialog);
}

static void offer(struct exchange *exchange, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
		  const char *script_name)
{
	struct script *script = script_name ? g_hash_table_lookup(exchange->scripts, script_name) : NULL;
	exchange->calls_offered++;
	if (script) {
		party_accept(exchange, script, exchange->directory, dialog, setup);
		return;
	}
	dialog->on_event = refuse_late;
	tl_dialog_release(dialog, TL_CAUSE_UNALLOCATED);
}

static void on_trunk_offered(struct tl_signalling *signalling, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			     void *user)
{
	struct trunk_end *trunk = user;
	const struct tl_config_section *answer = answer_for(trunk->exchange, setup->called.digits);
	offer(trunk->exchange, dialog, setup, answer ? tl_config_string(answer, "script") : NULL);
}

static void on_up(struct tl_signalling *signalling, bool up, void *user)
{
	struct trunk_end *trunk = user;
	tl_notice("%s: signalling %s", trunk->name, up ? "up" : "down");
}

static void on_alarms(struct tl_signalling *signalling, unsigned alarms, void *user)
{
	struct trunk_end *trunk = user;
	char names[64];
	tl_notice("%s: %s", trunk->name, tl_alarm_names(alarms, names));
}

static void on_sip_offered(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			   const struct tl_sip_origin *origin, void *user)
{
	struct exchange *exchange = user;
	for (unsigned i = 0; i < exchange->agents->len; i++) {
		struct agent *agent = g_ptr_array_index(exchange->agents, i);
		if (!strcmp(tl_config_string(agent->section, "user"), origin->asked)) {
			offer(exchange, dialog, setup, tl_config_string(agent->section, "script"));
			return;
		}
	}
	const struct tl_config_section *answer = answer_for(exchange, setup->called.digits);
	offer(exchange, dialog, setup, answer ? tl_config_string(answer, "script") : NULL);
}

/* ---- building ---- */

static bool read_scripts(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(exchange->config, "script", section))) {
		g_autoptr(GError) cause = NULL;
		struct script *script = script_parse(tl_config_string(section, "steps"), &cause);
		if (!script)
			return tl_config_refuse(section, "steps", error, "%s", cause->message);
		g_hash_table_insert(exchange->scripts, g_strdup(tl_config_name(section)), script);
	}
	return true;
}

static struct script *script_of(struct exchange *exchange, const struct tl_config_section *section, GError **error)
{
	const char *name = tl_config_string(section, "script");
	struct script *script = g_hash_table_lookup(exchange->scripts, name);
	if (!script)
		tl_config_refuse(section, "script", error, "there is no [script %s]", name);
	return script;
}

/* Looked up call by call; a name that is wrong is told at once. */
static bool check_answers(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(exchange->config, "answer", section)))
		if (!script_of(exchange, section, error))
			return false;
	return true;
}

uint64_t exchange_line_ms(const struct exchange *exchange)
{
	struct tl_media_counters counters;
	if (!exchange->line_time)
		return UINT64_MAX;
	tl_media_counters(exchange->media, &counters);
	return counters.ticks * TICK_MS;
}

static bool make_media(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = tl_config_section(exchange->config, "media");
	struct tl_media_config config = {
		.tick = tl_config_choice(section, "tick") ? TL_TICK_SPAN : TL_TICK_MONOTONIC,
		.rtp_host = tl_config_string(section, "rtp_host"),
		.rtp_port_min = tl_config_int(section, "rtp_port_min"),
		.rtp_port_max = tl_config_int(section, "rtp_port_max"),
		.realtime_priority = tl_config_int(section, "realtime_priority"),
	};
	exchange->line_time = config.tick == TL_TICK_SPAN;
	exchange->media = tl_media_new(&config, &party_media_handler, error);
	return exchange->media != NULL;
}

static struct tl_span *make_span(const struct tl_config_section *section, struct tl_signalling_config *signalling,
				 GError **error)
{
	char local[64], remote[64];
	bool t1 = tl_config_choice(section, "kind") == 1;
	bool law_given = tl_config_string(section, "law") != NULL;
	struct tl_span_config config = {
		.name = tl_config_name(section),
		.kind = t1 ? TL_SPAN_T1 : TL_SPAN_E1,
		.law = law_given ? (enum tl_law)tl_config_choice(section, "law") : t1 ? TL_LAW_ULAW : TL_LAW_ALAW,
		.clock_domain = "exchange",
		.d_channel = tl_config_string(section, "d_channel") ? tl_config_int(section, "d_channel") : 0,
		.pseudowire = {
			.local_host = local, .remote_host = remote,
			.frames = tl_config_int(section, "frames"), .jitter_ms = tl_config_int(section, "jitter_ms"),
			.clock = tl_config_choice(section, "clock"), .rtp = tl_config_bool(section, "rtp"), .rtp_payload_type = 96,
		},
	};
	bool dahdi = tl_config_choice(section, "backend") == 1;
	for (const char *const *key = (const char *const[]){ "local", "remote", NULL }; *key && !dahdi; key++)
		if (!tl_config_string(section, *key)) {
			tl_config_refuse(section, *key, error, "expected an address and port");
			return NULL;
		}
	if (dahdi) {
		config.backend = TL_SPAN_DAHDI;
		config.dahdi.span = tl_config_string(section, "dahdi_span") ? tl_config_int(section, "dahdi_span") : 0;
	} else {
		tl_config_address(tl_config_string(section, "local"), local, &config.pseudowire.local_port);
		tl_config_address(tl_config_string(section, "remote"), remote, &config.pseudowire.remote_port);
	}
	g_autoptr(GError) cause = NULL;
	if (!tl_signalling_config_read(section, signalling, &config, error))
		return NULL;
	struct tl_span *span = tl_span_new(&config, &cause);
	if (!span)
		tl_config_refuse(section, dahdi ? "dahdi_span" : "local", error, "%s", cause->message);
	return span;
}

static bool make_trunk(struct trunk_end *trunk, const struct tl_config_section *section, GError **error)
{
	static const struct tl_signalling_handler handler = { .on_offered = on_trunk_offered, .on_up = on_up,
							      .on_alarms = on_alarms };
	struct tl_signalling_config config = { 0 };
	g_autoptr(GError) cause = NULL;
	trunk->span = make_span(section, &config, error);
	if (!trunk->span || config.kind == TL_SIGNALLING_NONE)
		return trunk->span;
	config.audio = tl_media_inband(trunk->exchange->media, "us");
	trunk->signalling = tl_signalling_new(trunk->span, &config, &handler, trunk, &cause);
	return trunk->signalling || tl_config_refuse(section, "signalling", error, "%s", cause->message);
}

static bool make_trunks(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(exchange->config, "span", section))) {
		struct trunk_end *trunk = g_new0(struct trunk_end, 1);
		trunk->exchange = exchange;
		trunk->name = g_strdup(tl_config_name(section));
		g_ptr_array_add(exchange->trunks, trunk);
		if (!make_trunk(trunk, section, error))
			return false;
		tl_media_add_span(exchange->media, trunk->span);
	}
	return true;
}

static void on_registration(bool registered, unsigned status, void *user)
{
	struct agent *agent = user;
	agent->registered = registered;
	tl_notice("agent %s: %s (%u)", tl_config_string(agent->section, "user"), registered ? "registered" : "not registered",
		  status);
}

static bool make_agents(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(exchange->config, "agent", section))) {
		struct agent *agent = g_new0(struct agent, 1);
		agent->exchange = exchange;
		agent->section = section;
		g_ptr_array_add(exchange->agents, agent);
		if (!script_of(exchange, section, error))
			return false;
		agent->registration = tl_sip_register(exchange->sip, tl_config_string(section, "registrar"),
						      tl_config_string(section, "user"), tl_config_string(section, "password"),
						      on_registration, agent, error);
		if (!agent->registration)
			return false;
	}
	return true;
}

static bool make_sip(struct exchange *exchange, GError **error)
{
	static const struct tl_sip_handler handler = { .on_offered = on_sip_offered };
	const struct tl_config_section *section = tl_config_section(exchange->config, "sip");
	struct tl_sip_trunk node = { .name = "node", .target = "sip:127.0.0.1", .peers = tl_config_list(section, "peers") };
	struct tl_sip_config config = { .listen = tl_config_list(section, "listen"), .realm = "exchange", .trunks = &node,
		.n_trunks = 1, .register_min_s = 30, .register_max_s = 3600, .session_expires_s = 1800, .max_dialogs = 4000 };
	if (!config.listen[0])
		return true;
	exchange->sip = tl_sip_new(&config, &handler, exchange, error);
	return exchange->sip && make_agents(exchange, error);
}

static void call_now(void *user)
{
	struct caller *caller = user;
	tl_timer_start(caller->timer, tl_config_int(caller->section, "every_s") * 1000);
	party_start(caller->exchange, caller->script, caller->exchange->directory, ++caller->calls, NULL, NULL);
}

static bool make_callers(struct exchange *exchange, GError **error)
{
	const struct tl_config_section *section = NULL;
	while ((section = tl_config_next(exchange->config, "caller", section))) {
		struct caller *caller = g_new0(struct caller, 1);
		caller->exchange = exchange;
		caller->section = section;
		caller->timer = tl_timer_new("caller", call_now, caller);
		g_ptr_array_add(exchange->callers, caller);
		caller->script = script_of(exchange, section, error);
		if (!caller->script)
			return false;
		tl_timer_start(caller->timer, tl_config_int(section, "first_s") * 1000);
	}
	return true;
}

static void agent_free(void *data)
{
	struct agent *agent = data;
	if (agent->registration)
		tl_sip_unregister(agent->registration);
	g_free(agent);
}

static void caller_free(void *data)
{
	struct caller *caller = data;
	tl_timer_free(caller->timer);
	g_free(caller);
}

static void trunk_free(void *data)
{
	struct trunk_end *trunk = data;
	tl_signalling_free(trunk->signalling);
	if (trunk->span && trunk->exchange->media)
		tl_media_remove_span(trunk->exchange->media, trunk->span);
	tl_span_free(trunk->span);
	g_free(trunk->name);
	g_free(trunk);
}

struct exchange *exchange_new(const char *path, GError **error)
{
	struct exchange *exchange = g_new0(struct exchange, 1);
	g_autofree char *full = g_canonicalize_filename(path, NULL);
	enum tl_log_level level;
	exchange->directory = g_path_get_dirname(full);
	exchange->scripts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)script_free);
	exchange->trunks = g_ptr_array_new_with_free_func(trunk_free);
	exchange->agents = g_ptr_array_new_with_free_func(agent_free);
	exchange->callers = g_ptr_array_new_with_free_func(caller_free);
	exchange->config = tl_config_load(path, exchange_keys, error);
	if (exchange->config &&
	    tl_log_parse_level(tl_config_string(tl_config_section(exchange->config, "exchange"), "log_level"), &level))
		tl_log_set_level(level);
	if (exchange->config && read_scripts(exchange, error) && check_answers(exchange, error) && make_media(exchange, error) &&
	    make_trunks(exchange, error) && make_sip(exchange, error) && make_callers(exchange, error))
		return exchange;
	exchange_free(exchange);
	return NULL;
}

void exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	g_ptr_array_unref(exchange->callers);
	g_ptr_array_unref(exchange->agents);
	tl_sip_free(exchange->sip);
	g_ptr_array_unref(exchange->trunks);
	while (g_main_context_iteration(NULL, FALSE))
		; /* parties that have ended free themselves from the loop */
	tl_fax_pool_free(exchange->fax_pool);
	tl_media_free(exchange->media);
	g_hash_table_unref(exchange->scripts);
	tl_config_free(exchange->config);
	g_free(exchange->directory);
	g_free(exchange);
}

static bool trunk_is_up(const struct trunk_end *trunk)
{
	return trunk->signalling && tl_signalling_is_up(trunk->signalling);
}

struct trunk_end *exchange_trunk(struct exchange *exchange, const char *name)
{
	for (unsigned i = 0; i < exchange->trunks->len; i++) {
		unsigned at = name ? i : (exchange->next_trunk + i) % exchange->trunks->len;
		struct trunk_end *trunk = g_ptr_array_index(exchange->trunks, at);
		if (name ? !strcmp(trunk->name, name) : trunk_is_up(trunk) && tl_signalling_idle_slots(trunk->signalling)) {
			exchange->next_trunk = at + 1;
			return trunk;
		}
	}
	return NULL;
}

JsonObject *exchange_status(struct exchange *exchange)
{
	JsonObject *status = json_object_new();
	JsonArray *trunks = json_array_new(), *agents = json_array_new();
	char names[64];
	for (unsigned i = 0; i < exchange->trunks->len; i++) {
		struct trunk_end *trunk = g_ptr_array_index(exchange->trunks, i);
		struct tl_span_counters counters;
		JsonObject *entry = json_object_new();
		tl_span_counters(trunk->span, &counters);
		json_object_set_string_member(entry, "span", trunk->name);
		json_object_set_string_member(entry, "alarms", tl_alarm_names(tl_span_alarms(trunk->span), names));
		json_object_set_boolean_member(entry, "d_channel_up", trunk_is_up(trunk));
		json_object_set_int_member(entry, "idle", trunk->signalling ? tl_signalling_idle_slots(trunk->signalling) : 0);
		json_object_set_int_member(entry, "packets_received", counters.packets_received);
		json_object_set_int_member(entry, "lost", counters.lost);
		json_object_set_int_member(entry, "slips", counters.slips_dropped + counters.slips_repeated);
		json_array_add_object_element(trunks, entry);
	}
	for (unsigned i = 0; i < exchange->agents->len; i++) {
		struct agent *agent = g_ptr_array_index(exchange->agents, i);
		JsonObject *entry = json_object_new();
		json_object_set_string_member(entry, "user", tl_config_string(agent->section, "user"));
		json_object_set_boolean_member(entry, "registered", agent->registered);
		json_array_add_object_element(agents, entry);
	}
	json_object_set_array_member(status, "spans", trunks);
	json_object_set_array_member(status, "agents", agents);
	json_object_set_int_member(status, "calls_offered", exchange->calls_offered);
	json_object_set_int_member(status, "calls_answered", exchange->calls_answered);
	json_object_set_int_member(status, "calls_failed", exchange->calls_failed);
	return status;
}
