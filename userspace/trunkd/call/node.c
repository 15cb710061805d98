/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The parts put together in order, and taken apart in the opposite one. */
#include "call/node.h"

#include <string.h>

#include "base/thread.h"
#include "call/access.h"
#include "call/api.h"
#include "call/browser.h"
#include "call/command.h"
#include "call/fax.h"
#include "call/t38.h"
#include "call/journal.h"
#include "call/junction.h"
#include "call/play.h"
#include "call/report.h"
#include "call/taping.h"
#include "call/wire.h"

#define TL_ROOM "call"
#include "base/log.h"

#define COMMANDS_KEPT 4096
#define HEARTBEAT_MS 1000
#define JOURNAL_CLOSE_MS 2000
#define LAST_WORDS_MS 250 /* 30 RELEASE COMPLETE of 13 octets take 50 ms of a D-channel; without them T308 runs twice */

G_DEFINE_QUARK(tl-call-error-quark, tl_call_error)

/* ---- state of the node itself ---- */

void tl_node_changed(struct tl_node *node)
{
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "node", tl_wire_node(node));
	tl_report_node(node, "node.changed", params);
}

unsigned tl_node_refusal(struct tl_node *node)
{
	if (node->journal_fault)
		node->counters.refused_journal++;
	else if (node->draining || node->stopping)
		node->counters.refused_draining++;
	else if (g_hash_table_size(node->legs) >= node->config->max_legs || tl_media_is_overloaded(node->media))
		node->counters.refused_overload++;
	else
		return 0;
	return TL_CAUSE_CONGESTION;
}

static void on_heartbeat(void *user)
{
	struct tl_node *node = user;
	if (!g_hash_table_size(node->legs))
		return;
	tl_journal_heartbeat(node->journal, g_get_monotonic_time() * 1000, tl_clock_utc_us());
	tl_timer_start(node->heartbeat, HEARTBEAT_MS);
}

static GPtrArray *list_legs(struct tl_node *node)
{
	GPtrArray *legs = g_ptr_array_new();
	GHashTableIter iter;
	gpointer leg;
	g_hash_table_iter_init(&iter, node->legs);
	while (g_hash_table_iter_next(&iter, NULL, &leg))
		g_ptr_array_add(legs, leg);
	return legs;
}

/* ---- journal ---- */

static void on_committed(void *user)
{
	tl_fact_flush(user);
}

/* A call whose first fact cannot be written was never taken. */
static void refuse_unwritten(struct tl_node *node)
{
	g_autoptr(GPtrArray) legs = list_legs(node);
	for (unsigned i = 0; i < legs->len; i++) {
		struct tl_leg *leg = g_ptr_array_index(legs, i);
		if (tl_leg_state(leg) != TL_LEG_NEW || leg->outgoing)
			continue;
		node->counters.refused_journal++;
		tl_leg_release(leg, TL_CAUSE_CONGESTION);
	}
}

static void on_journal_fault(const char *why, void *user)
{
	struct tl_node *node = user;
	g_free(node->journal_fault);
	node->journal_fault = g_strdup(why);
	if (why)
		tl_error("alarm journal-disk: %s; new calls are refused", why);
	else
		tl_notice("alarm journal-disk is over");
	if (why)
		refuse_unwritten(node);
	tl_node_changed(node);
}

static bool open_journal(struct tl_node *node, struct tl_journal_past *past, GError **error)
{
	static const struct tl_journal_handler handler = { on_committed, on_journal_fault };
	g_autofree char *directory = g_build_filename(node->config->state_dir, "journal", NULL);
	struct tl_journal_config config = { directory, (size_t)node->config->journal_segment_kib << 10,
					    (uint64_t)node->config->journal_max_mib << 20 };
	g_autoptr(GError) cause = NULL;
	node->journal = tl_journal_open(&config, &handler, node, past, &cause);
	if (!node->journal) {
		g_set_error(error, TL_CALL_ERROR, TL_CALL_ERROR_START, "the journal cannot be kept there: %s", cause->message);
		return false;
	}
	if (past->torn_octets || past->garbled_files)
		tl_warning("journal: %" G_GUINT64_FORMAT " octets at its end and the end of %u files are not readable; "
			   "what had been acknowledged before them is kept", past->torn_octets, past->garbled_files);
	return true;
}

/* ---- media ---- */

static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *port_user)
{
	struct tl_leg *leg = port_user;
	if (tl_leg_is_live(leg))
		tl_collect_digit(leg, digit, duration_ms);
}

static void on_done(struct tl_port *port, uint64_t id, bool completed, void *port_user)
{
	tl_play_on_done(port_user, id, completed);
}

static void on_silence(struct tl_port *port, unsigned silent_ms, void *port_user)
{
	struct tl_leg *leg = port_user;
	unsigned limit_s = leg->node->config->rtp_timeout_s;
	if (!silent_ms || !limit_s || silent_ms < limit_s * 1000 || leg->held || tl_leg_state(leg) != TL_LEG_ANSWERED)
		return;
	tl_notice("leg %s: nothing heard for %u s: released", leg->id, silent_ms / 1000);
	leg->node->counters.rtp_timeouts++;
	tl_leg_release(leg, TL_CAUSE_OUT_OF_ORDER);
}

static void on_fax_tone(struct tl_port *port, enum tl_fax_tone tone, void *port_user)
{
	struct tl_leg *leg = port_user;
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "tone", tone == TL_FAX_TONE_CNG ? "cng" : "ced");
	tl_report_leg(leg, "leg.fax_tone", params);
	if (tone != TL_FAX_TONE_CNG)
		tl_gateway_heard(leg, tone);
}

static void on_link(struct tl_port *port, enum tl_link_state state, const char *text, void *port_user)
{
	tl_browser_on_link(port_user, state, text);
}

static void on_overload(bool over, unsigned load_us, void *user)
{
	struct tl_node *node = user;
	if (over)
		tl_error("alarm media-load: %u us of work in a tick of 10000; new calls are refused", load_us);
	else
		tl_notice("alarm media-load is over");
	tl_node_changed(node);
}

static bool start_media(struct tl_node *node, GError **error)
{
	const struct tl_media_handler handler = { on_digit, on_done, on_silence, on_fax_tone, on_link, on_overload, node };
	node->media = tl_media_new(&node->config->media, &handler, error);
	if (!node->media)
		return false;
	/* An address that is not ours is a mistake to be told now, not with the first call. */
	struct tl_rtp_side side;
	struct tl_port *probe = tl_port_new_rtp(node->media, node->config->law, &side, NULL, error);
	tl_port_free(probe);
	return probe != NULL;
}

static bool start_accesses(struct tl_node *node, struct tl_node_blame *blame, GError **error)
{
	for (unsigned i = 0; i < node->config->n_accesses; i++) {
		struct tl_access *access = tl_access_new(node, &node->config->accesses[i], error);
		if (!access) {
			const struct tl_span_config *span = &node->config->accesses[i].span;
			*blame = (struct tl_node_blame){ "span", span->name, span->backend == TL_SPAN_DAHDI ? "dahdi_span" : "local" };
			return false;
		}
		g_ptr_array_add(node->accesses, access);
	}
	return true;
}

/* ---- SIP ---- */

static void on_sip_offered(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			   const struct tl_sip_origin *origin, void *user)
{
	tl_offer_from_sip(user, dialog, setup, origin);
}

static void on_registration(struct tl_sip *sip, const char *name, bool registered, const char *contact, void *user)
{
	struct tl_node *node = user;
	const char *known = registered && contact ? contact : registered ? "registered" : "";
	g_hash_table_replace(node->phones, g_strdup(name), g_strdup(known));
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "phone", tl_wire_phone(name, known));
	tl_report_node(node, "phone.changed", params);
}

static void on_sip_trace(struct tl_sip *sip, bool sent, const char *message, size_t length, void *user)
{
	tl_report_trace(user, NULL, sent, (const uint8_t *)message, length);
}

static void trunk_free(void *data)
{
	struct tl_trunk_entry *trunk = data;
	g_free(trunk->name);
	g_free(trunk);
}

static void read_peers(struct tl_node *node, const struct tl_node_config *config)
{
	g_autoptr(GHashTable) before = g_steal_pointer(&node->phones);
	node->phones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (unsigned i = 0; i < config->sip.n_users; i++) {
		const char *name = config->sip.users[i].name;
		const char *contact = before ? g_hash_table_lookup(before, name) : NULL;
		g_hash_table_insert(node->phones, g_strdup(name), g_strdup(contact ? contact : ""));
	}
	g_ptr_array_set_size(node->trunks, 0);
	for (unsigned i = 0; i < config->sip.n_trunks; i++) {
		struct tl_trunk_entry *trunk = g_new0(struct tl_trunk_entry, 1);
		trunk->name = g_strdup(config->sip.trunks[i].name);
		trunk->group = g_intern_string(config->trunk_groups[i]);
		g_ptr_array_add(node->trunks, trunk);
	}
}

static bool start_sip(struct tl_node *node, GError **error)
{
	static const struct tl_sip_handler handler = { on_sip_offered, on_registration, on_sip_trace };
	if (!node->config->sip_on)
		return true;
	g_autofree char *registrations = g_build_filename(node->config->state_dir, "registrations", NULL);
	g_autofree char *tls = g_build_filename(node->config->state_dir, "sip-tls", NULL);
	struct tl_sip_config config = node->config->sip;
	config.registrations_path = registrations;
	config.tls_folder = tls;
	node->sip = tl_sip_new(&config, &handler, node, error);
	return node->sip != NULL;
}

/* ---- routes ---- */

static void read_routes(struct tl_node *node, const struct tl_node_config *config)
{
	tl_routes_free(node->routes);
	node->routes = tl_routes_new();
	for (unsigned i = 0; i < config->n_routes; i++)
		tl_routes_add(node->routes, &config->routes[i]);
}

void tl_node_reload(struct tl_node *node, const struct tl_node_config *config)
{
	read_routes(node, config);
	read_peers(node, config);
	tl_media_limit_load(node->media, config->media.load_limit_us);
	g_autoptr(GError) error = NULL;
	if (!node->sip)
		return;
	tl_sip_set_peers(node->sip, config->sip.users, config->sip.n_users, config->sip.trunks, config->sip.n_trunks);
	if (!tl_sip_renew_certificate(node->sip, config->sip.certificate, config->sip.authorities, &error))
		tl_error("SIP's certificate stays the one of before: %s", error->message);
}

/* ---- start and stop ---- */

static void make_boot(struct tl_node *node)
{
	g_autofree char *uuid = g_uuid_string_random();
	char *to = node->boot;
	for (const char *from = uuid; *from; from++)
		if (*from != '-')
			*to++ = *from;
}

static bool start(struct tl_node *node, struct tl_node_blame *blame, GError **error)
{
	struct tl_journal_past past = { 0 };
	*blame = (struct tl_node_blame){ "node", NULL, "state_dir" };
	if (!tl_epoch_load(node->config->state_dir, &node->epoch, error) || !open_journal(node, &past, error))
		return false;
	tl_fact_boot(node, &past);
	tl_journal_past_clear(&past);
	if (!tl_api_spool_start(node, error))
		return false;
	tl_tapings_start(node);
	*blame = (struct tl_node_blame){ "media", NULL, "rtp_host" };
	if (!start_media(node, error) || !start_accesses(node, blame, error))
		return false;
	tl_faxes_start(node);
	*blame = (struct tl_node_blame){ "sip", NULL, "listen" };
	if (!start_sip(node, error))
		return false;
	*blame = (struct tl_node_blame){ "control", NULL, node->config->control.tcp_host ? "tcp" : "socket" };
	node->server = tl_control_server_new(&node->config->control, &tl_api_handler, node, error);
	if (node->server)
		tl_api_spool_serve(node);
	return node->server != NULL;
}

struct tl_node *tl_node_new(const struct tl_node_config *config, struct tl_node_blame *blame, GError **error)
{
	tl_assert_main();
	struct tl_node *node = g_new0(struct tl_node, 1);
	g_autofree char *blobs = g_build_filename(config->state_dir, "blobs", NULL);
	node->config = config;
	make_boot(node);
	node->accesses = g_ptr_array_new_with_free_func((GDestroyNotify)tl_access_free);
	node->trunks = g_ptr_array_new_with_free_func(trunk_free);
	node->legs = g_hash_table_new(g_str_hash, g_str_equal);
	node->junctions = g_hash_table_new(g_str_hash, g_str_equal);
	node->dead_legs = g_ptr_array_new();
	node->faxes = g_ptr_array_new();
	node->gateways = g_ptr_array_new();
	node->dead_dialogs = g_ptr_array_new();
	node->fresh_facts = json_array_new();
	node->commands = tl_commands_new(COMMANDS_KEPT);
	node->sounds = tl_sounds_new(config->sounds_dir, blobs, (size_t)config->sound_cache_mib << 20, config->sound_max_s);
	node->heartbeat = tl_timer_new("heartbeat", on_heartbeat, node);
	read_routes(node, config);
	read_peers(node, config);
	if (start(node, blame, error))
		return node;
	tl_node_free(node);
	return NULL;
}

static void stopped(void *user)
{
	struct tl_node *node = user;
	void (*on_stopped)(void *user) = g_steal_pointer(&node->on_stopped);
	tl_timer_stop(node->stop_timer);
	if (on_stopped)
		on_stopped(node->stopped_user);
}

void tl_node_leg_gone(struct tl_node *node)
{
	if (node->on_stopped && !g_hash_table_size(node->legs) && !g_hash_table_size(node->tapings))
		tl_timer_start(node->stop_timer, LAST_WORDS_MS);
}

void tl_node_stop(struct tl_node *node, unsigned within_ms, void (*on_stopped)(void *user), void *user)
{
	g_autoptr(GPtrArray) legs = list_legs(node);
	if (node->stopping)
		return;
	node->stopping = true;
	node->on_stopped = on_stopped;
	node->stopped_user = user;
	node->stop_timer = tl_timer_new("stop", stopped, node);
	tl_timer_start(node->stop_timer, within_ms);
	tl_node_changed(node);
	for (unsigned i = 0; i < legs->len; i++)
		tl_leg_release(g_ptr_array_index(legs, i), TL_CAUSE_TEMPORARY_FAILURE);
	tl_node_leg_gone(node);
}

/* Whoever is still there is cut off, with its books closed. */
static void end_legs(struct tl_node *node)
{
	g_autoptr(GPtrArray) legs = list_legs(node);
	for (unsigned i = 0; i < legs->len; i++) {
		struct tl_leg *leg = g_ptr_array_index(legs, i);
		if (tl_leg_find(node, leg->id) == leg)
			tl_leg_ended(leg, leg->cause ? leg->cause : TL_CAUSE_TEMPORARY_FAILURE, false);
	}
}

void tl_node_free(struct tl_node *node)
{
	if (!node)
		return;
	node->on_stopped = NULL;
	node->stopping = true;
	if (node->server)
		end_legs(node);
	/* Nobody asks or is told from here on, of what is taken apart. */
	tl_control_server_free(g_steal_pointer(&node->server));
	tl_sip_free(node->sip);
	g_ptr_array_unref(node->accesses);
	while (node->burial)
		g_main_context_iteration(NULL, FALSE);
	tl_fax_end_all(node);
	tl_media_free(node->media);
	tl_tapings_end(node);
	tl_journal_close(node->journal, JOURNAL_CLOSE_MS);
	tl_sounds_free(node->sounds);
	tl_commands_free(node->commands);
	tl_routes_free(node->routes);
	tl_timer_free(node->heartbeat);
	tl_timer_free(node->stop_timer);
	json_array_unref(node->fresh_facts);
	g_hash_table_unref(node->legs);
	g_hash_table_unref(node->junctions);
	g_hash_table_unref(node->phones);
	g_ptr_array_unref(node->dead_legs);
	g_ptr_array_unref(node->faxes);
	g_ptr_array_unref(node->gateways);
	g_ptr_array_unref(node->dead_dialogs);
	g_ptr_array_unref(node->trunks);
	g_free(node->journal_fault);
	g_free(node);
}
