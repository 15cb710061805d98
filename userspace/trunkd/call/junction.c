/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/junction.h"

#include <errno.h>
#include <string.h>

#include "call/report.h"
#include "call/t38.h"
#include "call/wire.h"

#define DTMF_MS 100

struct member {
	struct tl_leg *leg;
	enum tl_when_ends when_ends;
};

struct tl_junction {
	struct tl_node *node;
	char id[TL_ID_MAX + 1];
	enum tl_bridge_kind kind;
	const char *owner;
	JsonObject *tags;         /* may be NULL */
	struct tl_bridge *bridge;
	GArray *members;          /* struct member */
};

struct tl_junction *tl_junction_new(struct tl_node *node, const char *id, enum tl_bridge_kind kind, const char *owner,
				    JsonObject *tags)
{
	struct tl_junction *junction = g_new0(struct tl_junction, 1);
	junction->node = node;
	if (id)
		g_strlcpy(junction->id, id, sizeof junction->id);
	else
		g_snprintf(junction->id, sizeof junction->id, "%.16s-%u", node->boot, ++node->leg_number);
	junction->kind = kind;
	junction->owner = owner;
	junction->tags = tags ? json_object_ref(tags) : NULL;
	junction->bridge = tl_bridge_new(node->media, kind);
	junction->members = g_array_new(FALSE, FALSE, sizeof(struct member));
	g_hash_table_insert(node->junctions, junction->id, junction);
	return junction;
}

static void junction_free(struct tl_junction *junction)
{
	g_hash_table_remove(junction->node->junctions, junction->id);
	tl_bridge_free(junction->bridge);
	if (junction->tags)
		json_object_unref(junction->tags);
	g_array_unref(junction->members);
	g_free(junction);
}

struct tl_junction *tl_junction_find(const struct tl_node *node, const char *id)
{
	return g_hash_table_lookup(node->junctions, id);
}

const char *tl_junction_id(const struct tl_junction *junction)
{
	return junction->id;
}

const char *tl_junction_owner(const struct tl_junction *junction)
{
	return junction->owner;
}

static struct member *member_at(const struct tl_junction *junction, unsigned i)
{
	return &g_array_index(junction->members, struct member, i);
}

unsigned tl_junction_size(const struct tl_junction *junction)
{
	return junction->members->len;
}

struct tl_leg *tl_junction_leg(const struct tl_junction *junction, unsigned i)
{
	return member_at(junction, i)->leg;
}

enum tl_bridge_kind tl_junction_kind(const struct tl_junction *junction)
{
	return junction->kind;
}

struct tl_bridge *tl_junction_bridge(const struct tl_junction *junction)
{
	return junction->bridge;
}

JsonObject *tl_junction_describe(const struct tl_junction *junction)
{
	JsonObject *object = json_object_new();
	JsonArray *legs = json_array_new();
	for (unsigned i = 0; i < junction->members->len; i++)
		json_array_add_string_element(legs, member_at(junction, i)->leg->id);
	json_object_set_string_member(object, "bridge", junction->id);
	json_object_set_string_member(object, "kind", junction->kind == TL_BRIDGE_CLEAR ? "clear" : "voice");
	json_object_set_array_member(object, "legs", legs);
	if (junction->tags)
		json_object_set_object_member(object, "tags", json_object_ref(junction->tags));
	return object;
}

static void changed(struct tl_junction *junction)
{
	JsonObject *params = tl_junction_describe(junction);
	json_object_remove_member(params, "kind");
	json_object_remove_member(params, "tags");
	tl_report_junction(junction->node, junction->owner, params);
}

static void tell_fact(struct tl_junction *junction, const char *fact, struct tl_leg *leg)
{
	for (unsigned i = 0; i < junction->members->len; i++) {
		JsonObject *more = json_object_new();
		json_object_set_string_member(more, "bridge", junction->id);
		json_object_set_string_member(more, "other", member_at(junction, i)->leg->id);
		tl_fact_leg(leg, fact, more, NULL);
	}
}

/* ---- clear or voice ---- */

static bool is_timeslot(const struct tl_leg *leg)
{
	return leg->dialog && leg->dialog->media == TL_MEDIA_TIMESLOT;
}

/* Every sixth frame's lowest bit is signalling's. */
static bool is_robbed(const struct tl_leg *leg)
{
	return is_timeslot(leg) && tl_span_robs_bits(leg->dialog->span);
}

static bool slips(const struct tl_leg *a, const struct tl_leg *b)
{
	/* An RTP leg's clock is its far end's; its playout buffer deals with it either way. */
	return is_timeslot(a) && is_timeslot(b) &&
	       g_strcmp0(tl_span_clock_domain(a->dialog->span), tl_span_clock_domain(b->dialog->span));
}

enum tl_bridge_kind tl_junction_best_kind(const struct tl_leg *a, const struct tl_leg *b)
{
	bool one_clock = is_timeslot(a) && is_timeslot(b) && !slips(a, b);
	if (is_robbed(a) || is_robbed(b))
		return TL_BRIDGE_VOICE;
	/* Speech by RTP does better with a playout depth that adapts and with concealment; data never does. */
	bool data = a->setup.bearer == TL_BEARER_UNRESTRICTED;
	return tl_leg_law(a) == tl_leg_law(b) && (one_clock || data) ? TL_BRIDGE_CLEAR : TL_BRIDGE_VOICE;
}

static bool fits(const struct tl_junction *junction, const struct tl_leg *leg, GError **error)
{
	const char *why = NULL;
	if (junction->kind == TL_BRIDGE_CLEAR && junction->members->len > 1)
		why = "a clear bridge has two legs";
	else if (junction->kind == TL_BRIDGE_CLEAR && junction->members->len == 1) {
		const struct tl_leg *other = member_at(junction, 0)->leg;
		why = tl_leg_law(other) != tl_leg_law(leg) ? "a clear bridge needs one law on both legs" :
		      slips(other, leg)			   ? "a clear bridge needs one clock domain" :
		      is_robbed(other) || is_robbed(leg)   ? "a T1's CAS robs bits: nothing there is clear" :
							     NULL;
	}
	if (why)
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s cannot join bridge %s: %s", leg->id, junction->id, why);
	return !why;
}

/* ---- members ---- */

static int take_out(struct tl_junction *junction, struct tl_leg *leg, enum tl_when_ends *when_ends)
{
	for (unsigned i = 0; i < junction->members->len; i++) {
		if (member_at(junction, i)->leg != leg)
			continue;
		*when_ends = member_at(junction, i)->when_ends;
		tl_gateway_parted(leg);
		g_array_remove_index(junction->members, i);
		leg->junction = NULL;
		if (leg->port)
			tl_bridge_remove(junction->bridge, leg->port);
		tell_fact(junction, "unbridged", leg);
		return 0;
	}
	return -ENOENT;
}

static void settle(struct tl_junction *junction)
{
	changed(junction);
	if (!junction->members->len)
		junction_free(junction);
}

bool tl_junction_add(struct tl_junction *junction, struct tl_leg *leg, enum tl_when_ends when_ends, GError **error)
{
	struct tl_port *port = tl_leg_audio(leg, error);
	if (!port || !fits(junction, leg, error))
		return false;
	if (leg->junction == junction)
		return true;
	if (leg->junction)
		tl_junction_remove(leg->junction, leg);
	int result = tl_bridge_add(junction->bridge, port);
	if (result) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s cannot join bridge %s: %s", leg->id, junction->id,
			    result == -ENOSPC ? "it is full" : g_strerror(-result));
		return false;
	}
	tell_fact(junction, "bridged", leg);
	struct member member = { leg, when_ends };
	g_array_append_val(junction->members, member);
	leg->junction = junction;
	tl_gateway_joined(leg);
	changed(junction);
	return true;
}

void tl_junction_remove(struct tl_junction *junction, struct tl_leg *leg)
{
	enum tl_when_ends when_ends;
	if (!take_out(junction, leg, &when_ends))
		settle(junction);
}

void tl_junction_pass_digits(struct tl_leg *leg, const char *digits)
{
	for (unsigned i = 0; leg->junction && i < leg->junction->members->len; i++) {
		struct tl_leg *other = member_at(leg->junction, i)->leg;
		if (other != leg && other->port)
			tl_port_send_dtmf(other->port, ++leg->node->media_id, digits, DTMF_MS, DTMF_MS);
	}
}

void tl_junction_destroy(struct tl_junction *junction)
{
	enum tl_when_ends when_ends;
	while (junction->members->len)
		take_out(junction, member_at(junction, junction->members->len - 1)->leg, &when_ends);
	settle(junction);
}

void tl_junction_leg_ends(struct tl_leg *leg, unsigned cause)
{
	struct tl_junction *junction = leg->junction;
	enum tl_when_ends when_ends;
	if (!junction || take_out(junction, leg, &when_ends))
		return;
	/* Releasing one may end others and with them the bridge: the list is taken first. */
	g_autoptr(GPtrArray) others = g_ptr_array_new();
	for (unsigned i = 0; i < junction->members->len; i++)
		g_ptr_array_add(others, member_at(junction, i)->leg);
	settle(junction);
	if (when_ends == TL_ENDS_KEEP_OTHERS || (when_ends == TL_ENDS_RELEASE_IF_ALONE && leg->node->conductor))
		return;
	for (unsigned i = 0; i < others->len; i++)
		tl_leg_release(g_ptr_array_index(others, i), cause);
}
