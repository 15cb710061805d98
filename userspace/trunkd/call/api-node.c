/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/access.h"
#include "call/api.h"
#include "call/fax.h"
#include "call/journal.h"
#include "call/junction.h"
#include "call/play.h"
#include "call/taping.h"
#include "call/wire.h"

/* ---- snapshot ---- */

static JsonArray *describe_legs(struct tl_request *request)
{
	JsonArray *array = json_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, request->node->legs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct tl_leg *leg = value;
		if (!leg->offered && !leg->outgoing)
			continue; /* nobody has heard of it; leg.offered will come */
		if (request->session->role != TL_ROLE_APPLICATION || leg->owner == request->session->name)
			json_array_add_object_element(array, tl_wire_leg(leg));
	}
	return array;
}

static JsonArray *describe_bridges(struct tl_request *request)
{
	JsonArray *array = json_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, request->node->junctions);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (request->session->role != TL_ROLE_APPLICATION || tl_junction_owner(value) == request->session->name)
			json_array_add_object_element(array, tl_junction_describe(value));
	return array;
}

static JsonArray *describe_recordings(struct tl_request *request)
{
	JsonArray *array = json_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, request->node->tapings);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (request->session->role != TL_ROLE_APPLICATION || tl_taping_owner(value) == request->session->name)
			json_array_add_object_element(array, tl_taping_describe(value));
	return array;
}

static JsonArray *describe_phones(struct tl_node *node)
{
	JsonArray *array = json_array_new();
	GHashTableIter iter;
	gpointer user, contact;
	g_hash_table_iter_init(&iter, node->phones);
	while (g_hash_table_iter_next(&iter, &user, &contact))
		json_array_add_object_element(array, tl_wire_phone(user, contact));
	return array;
}

static JsonObject *snapshot(struct tl_request *request, GError **error)
{
	struct tl_node *node = request->node;
	JsonObject *result = json_object_new();
	JsonArray *spans = json_array_new();
	for (unsigned i = 0; i < node->accesses->len; i++)
		json_array_add_object_element(spans, tl_access_describe(g_ptr_array_index(node->accesses, i)));
	json_object_set_object_member(result, "node", tl_wire_node(node));
	json_object_set_array_member(result, "legs", describe_legs(request));
	json_object_set_array_member(result, "bridges", describe_bridges(request));
	json_object_set_array_member(result, "recordings", describe_recordings(request));
	json_object_set_array_member(result, "spans", spans);
	json_object_set_array_member(result, "phones", describe_phones(node));
	return result;
}

/* ---- drain ---- */

static JsonObject *drain(struct tl_request *request, GError **error)
{
	struct tl_node *node = request->node;
	const char *name = tl_request_string(request, "span", NULL);
	gint64 slot = tl_request_int(request, "slot", 0);
	bool off = tl_request_bool(request, "off", false);
	unsigned legs;
	struct tl_access *access = name ? tl_access_find(node, name) : NULL;
	if ((name && !access) || (slot && (!access || !tl_span_is_bearer(access->span, slot)))) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "span %s: no such span or bearer timeslot",
			    name ? name : "(missing)");
		return NULL;
	}
	if (access) {
		tl_access_drain(access, slot, off);
		legs = slot ? tl_access_leg_on(access, slot) != NULL : tl_access_legs(access);
	} else {
		node->draining = !off;
		legs = g_hash_table_size(node->legs);
		tl_node_changed(node);
	}
	JsonObject *result = json_object_new();
	json_object_set_int_member(result, "legs", legs);
	return result;
}

/* ---- counters ---- */

static void count_media(struct tl_node *node, JsonObject *object)
{
	struct tl_media_counters media;
	tl_media_counters(node->media, &media);
#define COUNT(field) json_object_set_int_member(object, "media_" #field, media.field)
	COUNT(ticks), COUNT(late_ticks), COUNT(skipped_ticks), COUNT(commands), COUNT(events), COUNT(events_lost);
	COUNT(ties), COUNT(tie_missed), COUNT(tie_dropped);
	COUNT(tick_us_max), COUNT(load_us), COUNT(load_limit_us);
	COUNT(browsers), COUNT(browser_datagrams_received), COUNT(browser_datagrams_sent), COUNT(browser_send_failed);
	COUNT(browser_checks), COUNT(browser_checks_refused), COUNT(browser_strangers), COUNT(browser_malformed);
	COUNT(dtls_connected), COUNT(dtls_failed), COUNT(dtls_refused);
#undef COUNT
}

static void count_sip(struct tl_node *node, JsonObject *object)
{
	struct tl_sip_counters sip;
	tl_sip_counters(node->sip, &sip);
#define COUNT(field) json_object_set_int_member(object, "sip_" #field, sip.field)
	COUNT(invites_received), COUNT(invites_sent), COUNT(registers), COUNT(auth_failures), COUNT(unknown_users);
	COUNT(unknown_peers), COUNT(sdp_refused), COUNT(overload_refused), COUNT(messages_refused);
	COUNT(tls_connections), COUNT(tls_accepted), COUNT(tls_refused_full), COUNT(tls_refused_address), COUNT(tls_refused_slow);
#undef COUNT
}

static void count_journal(struct tl_node *node, JsonObject *object)
{
	uint64_t commits, records;
	tl_journal_counters(node->journal, &commits, &records);
	json_object_set_int_member(object, "journal_commits", commits);
	json_object_set_int_member(object, "journal_records", records);
}

static void count_faxes(struct tl_node *node, JsonObject *object)
{
	struct tl_fax_counters fax;
	tl_fax_counters(node->fax_pool, &fax);
#define COUNT(field) json_object_set_int_member(object, "fax_" #field, fax.field)
	COUNT(started), COUNT(running), COUNT(pages_received), COUNT(pages_sent), COUNT(pages_unkept);
	COUNT(blocks_missed), COUNT(blocks_dropped);
	COUNT(t38_received), COUNT(t38_sent), COUNT(t38_malformed), COUNT(t38_recovered), COUNT(t38_lost);
#undef COUNT
}

static void count_spool(struct tl_node *node, JsonObject *object)
{
	struct tl_spool_counters spool;
	tl_spool_counters(node->spool, &spool);
#define COUNT(field) json_object_set_int_member(object, "spool_" #field, spool.field)
	COUNT(items), COUNT(octets), COUNT(free_octets), COUNT(opened), COUNT(commits), COUNT(commit_failures);
	COUNT(commit_timeouts), COUNT(refused), COUNT(commit_us_max);
#undef COUNT
}

static void count_recordings(struct tl_node *node, JsonObject *object)
{
	struct tl_record_counters record;
	tl_record_counters(node->record_pool, &record);
#define COUNT(field) json_object_set_int_member(object, "record_" #field, record.field)
	COUNT(recording), COUNT(blocks), COUNT(missed_blocks), COUNT(syncs), COUNT(slow_syncs), COUNT(errors), COUNT(sync_us_max);
#undef COUNT
}

static JsonObject *counters(struct tl_request *request, GError **error)
{
	struct tl_node *node = request->node;
	JsonObject *object = json_object_new(), *result = json_object_new();
#define COUNT(field) json_object_set_int_member(object, #field, node->counters.field)
	COUNT(legs_offered), COUNT(legs_originated), COUNT(legs_ended), COUNT(refused_overload), COUNT(refused_draining);
	COUNT(refused_journal), COUNT(fallbacks), COUNT(rules_run), COUNT(commands), COUNT(commands_repeated);
	COUNT(commands_refused), COUNT(rtp_timeouts);
#undef COUNT
	json_object_set_int_member(object, "legs", g_hash_table_size(node->legs));
	json_object_set_int_member(object, "bridges", g_hash_table_size(node->junctions));
	json_object_set_int_member(object, "sounds", tl_sounds_count(node->sounds));
	count_media(node, object);
	count_journal(node, object);
	count_faxes(node, object);
	count_spool(node, object);
	count_recordings(node, object);
	if (node->sip)
		count_sip(node, object);
	json_object_set_object_member(result, "counters", object);
	return result;
}

/* ---- trace ---- */

static void trace_sip(struct tl_session *session, bool on)
{
	bool any = false;
	session->traces_sip = on;
	for (GList *l = session->node->sessions; l; l = l->next)
		any = any || ((struct tl_session *)l->data)->traces_sip;
	if (session->node->sip)
		tl_sip_set_trace(session->node->sip, any);
}

void tl_api_trace_end(struct tl_session *session)
{
	GHashTableIter iter;
	gpointer access;
	g_hash_table_iter_init(&iter, session->traced);
	while (g_hash_table_iter_next(&iter, &access, NULL)) {
		tl_access_trace(access, false);
		g_hash_table_iter_remove(&iter);
	}
	if (session->traces_sip)
		trace_sip(session, false);
}

static JsonObject *trace_start(struct tl_request *request, GError **error)
{
	const char *name = tl_request_string(request, "span", NULL);
	bool sip = tl_request_bool(request, "sip", false);
	struct tl_access *access = name ? tl_access_find(request->node, name) : NULL;
	if ((name && (!access || !access->signalling || !tl_signalling_has_trace(access->signalling))) || (sip && !request->node->sip) || (!name && !sip)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "nothing to trace: expected a span with a D-channel, or sip");
		return NULL;
	}
	if (access && g_hash_table_add(request->session->traced, access))
		tl_access_trace(access, true);
	if (sip)
		trace_sip(request->session, true);
	return NULL;
}

static JsonObject *trace_stop(struct tl_request *request, GError **error)
{
	tl_api_trace_end(request->session);
	return NULL;
}

const struct tl_method_entry tl_api_node[] = {
	{ "node.snapshot", snapshot }, { "node.drain", drain }, { "node.counters", counters },
	{ "trace.start", trace_start }, { "trace.stop", trace_stop }, { NULL, NULL },
};
