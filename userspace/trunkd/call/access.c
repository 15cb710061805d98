/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/access.h"

#include <string.h>

#include "call/api.h"
#include "call/report.h"

#define TL_ROOM "call"
#include "base/log.h"

#define REPORT_EVERY_MS 100

/* ---- span.changed, at most ten a second ---- */

static void report(struct tl_access *access)
{
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "span", tl_access_describe(access));
	access->report_due = false;
	tl_report_node(access->node, "span.changed", params);
	tl_timer_start(access->report, REPORT_EVERY_MS);
}

static void on_report_timer(void *user)
{
	struct tl_access *access = user;
	if (access->report_due)
		report(access);
}

void tl_access_changed(struct tl_access *access)
{
	if (!access->node->server)
		return; /* nobody is there to be told */
	if (tl_timer_running(access->report))
		access->report_due = true;
	else
		report(access);
}

/* ---- what the signalling says ---- */

static void on_offered(struct tl_signalling *signalling, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	tl_offer_from_access(user, dialog, setup);
}

static void on_up(struct tl_signalling *signalling, bool up, void *user)
{
	struct tl_access *access = user;
	tl_notice("span %s: signalling %s", tl_span_name(access->span), up ? "up" : "down");
	tl_access_changed(access);
}

static void on_alarms(struct tl_signalling *signalling, unsigned alarms, void *user)
{
	struct tl_access *access = user;
	char text[64];
	tl_notice("span %s: alarms %s", tl_span_name(access->span), tl_alarm_names(alarms, text));
	tl_access_changed(access);
}

static void on_slots(struct tl_signalling *signalling, void *user)
{
	tl_access_changed(user);
}

static void on_trace(struct tl_signalling *signalling, bool sent, const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_access *access = user;
	tl_report_trace(access->node, access, sent, octets, n_octets);
}

static const struct tl_signalling_handler signalling_handler = {
	.on_offered = on_offered, .on_up = on_up, .on_alarms = on_alarms, .on_slots = on_slots,
	.on_trace = on_trace,
};

static void on_span_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	on_alarms(NULL, alarms, user);
}

static const struct tl_span_handler span_handler = { .on_alarms = on_span_alarms };

struct tl_access *tl_access_new(struct tl_node *node, const struct tl_access_config *config, GError **error)
{
	struct tl_access *access = g_new0(struct tl_access, 1);
	access->node = node;
	access->config = config;
	access->group = g_intern_string(config->group);
	access->report = tl_timer_new("span-report", on_report_timer, access);
	access->span = tl_span_new(&config->span, error);
	if (!access->span) {
		tl_access_free(access);
		return NULL;
	}
	if (config->signalling.kind != TL_SIGNALLING_NONE) {
		struct tl_signalling_config signalling = config->signalling;
		signalling.audio = tl_media_inband(node->media, node->config->country);
		access->signalling = tl_signalling_new(access->span, &signalling, &signalling_handler, access, error);
		if (!access->signalling) {
			tl_access_free(access);
			return NULL;
		}
	} else {
		tl_span_set_handler(access->span, &span_handler, access);
	}
	tl_media_add_span(node->media, access->span);
	return access;
}

void tl_access_free(struct tl_access *access)
{
	if (!access)
		return;
	tl_signalling_free(access->signalling);
	if (access->span)
		tl_media_remove_span(access->node->media, access->span);
	tl_span_free(access->span);
	tl_timer_free(access->report);
	g_free(access);
}

struct tl_access *tl_access_find(const struct tl_node *node, const char *name)
{
	for (unsigned i = 0; i < node->accesses->len; i++) {
		struct tl_access *access = g_ptr_array_index(node->accesses, i);
		if (!strcmp(tl_span_name(access->span), name))
			return access;
	}
	return NULL;
}

/* ---- slots ---- */

/* Legs of the span by slot. */
static void legs_by_slot(const struct tl_access *access, struct tl_leg *legs[TL_SPAN_SLOTS_MAX + 1])
{
	GHashTableIter iter;
	gpointer value;
	memset(legs, 0, sizeof legs[0] * (TL_SPAN_SLOTS_MAX + 1));
	g_hash_table_iter_init(&iter, access->node->legs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct tl_leg *leg = value;
		if (leg->dialog && leg->dialog->media == TL_MEDIA_TIMESLOT && leg->dialog->span == access->span)
			legs[leg->dialog->slot] = leg;
	}
}

struct tl_leg *tl_access_leg_on(const struct tl_access *access, unsigned slot)
{
	struct tl_leg *legs[TL_SPAN_SLOTS_MAX + 1];
	legs_by_slot(access, legs);
	return legs[slot];
}

unsigned tl_access_legs(const struct tl_access *access)
{
	struct tl_leg *legs[TL_SPAN_SLOTS_MAX + 1];
	unsigned n = 0;
	legs_by_slot(access, legs);
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		n += legs[slot] != NULL;
	return n;
}

void tl_access_drain(struct tl_access *access, unsigned slot, bool off)
{
	if (!slot) {
		access->draining = !off;
	} else {
		access->drained_slots = off ? access->drained_slots & ~(1u << slot) : access->drained_slots | 1u << slot;
		if (access->signalling)
			tl_signalling_block(access->signalling, slot, !off);
	}
	tl_access_changed(access);
}

static const char *slot_state(const struct tl_access *access, unsigned slot)
{
	static const char *const names[] = { [TL_SLOT_IDLE] = "idle", [TL_SLOT_BUSY] = "busy",
					     [TL_SLOT_RESTARTING] = "restarting", [TL_SLOT_BLOCKED] = "blocked",
					     [TL_SLOT_UNUSABLE] = "unusable" };
	if (slot == tl_span_d_channel(access->span))
		return "d-channel";
	if (!access->signalling || !tl_span_is_bearer(access->span, slot))
		return "unused";
	return names[tl_signalling_slot_state(access->signalling, slot)];
}

/* ---- description ---- */

static JsonArray *describe_slots(const struct tl_access *access)
{
	struct tl_leg *legs[TL_SPAN_SLOTS_MAX + 1];
	JsonArray *slots = json_array_new();
	legs_by_slot(access, legs);
	for (unsigned slot = 1; slot <= tl_span_slots(access->span); slot++) {
		JsonObject *object = json_object_new();
		json_object_set_int_member(object, "slot", slot);
		json_object_set_string_member(object, "state", slot_state(access, slot));
		if (legs[slot])
			json_object_set_string_member(object, "leg", legs[slot]->id);
		json_array_add_object_element(slots, object);
	}
	return slots;
}

static void describe_counter(const char *name, uint64_t value, void *user)
{
	json_object_set_int_member(user, name, value);
}

static JsonObject *describe_counters(const struct tl_access *access)
{
	JsonObject *object = json_object_new();
	struct tl_span_counters span;
	tl_span_counters(access->span, &span);
#define COUNT(from, field) json_object_set_int_member(object, #field, from.field)
	COUNT(span, packets_received), COUNT(span, packets_sent), COUNT(span, lost), COUNT(span, reordered);
	COUNT(span, duplicate), COUNT(span, late), COUNT(span, refused_peer), COUNT(span, refused_malformed);
	COUNT(span, jumps), COUNT(span, underruns), COUNT(span, overruns), COUNT(span, slips_dropped);
	COUNT(span, slips_repeated), COUNT(span, idle_frames), COUNT(span, remote_l), COUNT(span, remote_r);
	COUNT(span, remote_m), COUNT(span, d_frames_received), COUNT(span, d_frames_sent), COUNT(span, d_bad_fcs);
	COUNT(span, d_aborts), COUNT(span, d_overflows), COUNT(span, seconds_errored);
	COUNT(span, seconds_unavailable), COUNT(span, depth_us);
#undef COUNT
	if (access->signalling)
		tl_signalling_counters(access->signalling, describe_counter, object);
	return object;
}

JsonObject *tl_access_describe(const struct tl_access *access)
{
	JsonObject *object = json_object_new();
	char text[64];
	json_object_set_string_member(object, "span", tl_span_name(access->span));
	json_object_set_string_member(object, "kind", tl_span_get_kind(access->span) == TL_SPAN_E1 ? "e1" : "t1");
	json_object_set_string_member(object, "law", tl_span_get_law(access->span) == TL_LAW_ALAW ? "alaw" : "ulaw");
	json_object_set_string_member(object, "backend",
				      access->config->span.backend == TL_SPAN_DAHDI ? "dahdi" : "pseudowire");
	json_object_set_string_member(object, "clock_domain", tl_span_clock_domain(access->span));
	json_object_set_string_member(object, "alarms", tl_alarm_names(tl_span_alarms(access->span), text));
	json_object_set_string_member(object, "signalling", tl_signalling_name(access->config->signalling.kind));
	json_object_set_boolean_member(object, "d_channel_up", access->signalling && tl_signalling_is_up(access->signalling));
	if (access->group)
		json_object_set_string_member(object, "group", access->group);
	json_object_set_array_member(object, "slots", describe_slots(access));
	json_object_set_object_member(object, "counters", describe_counters(access));
	return object;
}

void tl_access_trace(struct tl_access *access, bool on)
{
	access->tracers += on ? 1 : -1;
	tl_signalling_set_trace(access->signalling, access->tracers);
}
