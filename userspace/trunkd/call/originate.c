/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "call/access.h"
#include "call/report.h"
#include "call/t38.h"

/* One circuit, or kind of circuit, that may carry the call. */
struct candidate {
	struct tl_access *access; /* or */
	const char *target;       /* "trunk:NAME" and the like, interned */
	enum tl_party_kind kind;  /* of target */
	const char *group;        /* interned */
	unsigned slot;            /* of access; 0: hunt */
};

struct tl_hunt {
	GArray *candidates;
	unsigned next;
	enum tl_law law;
};

void tl_hunt_free(struct tl_hunt *hunt)
{
	if (!hunt)
		return;
	g_array_unref(hunt->candidates);
	g_free(hunt);
}

/* ---- who could carry it ---- */

static bool add_group(struct tl_node *node, const char *name, GArray *candidates)
{
	bool known = false;
	for (unsigned i = 0; i < node->accesses->len; i++) {
		struct tl_access *access = g_ptr_array_index(node->accesses, i);
		if (g_strcmp0(access->group, name))
			continue;
		known = true;
		struct candidate candidate = { .access = access, .group = access->group };
		g_array_append_val(candidates, candidate);
	}
	for (unsigned i = 0; i < node->trunks->len; i++) {
		struct tl_trunk_entry *trunk = g_ptr_array_index(node->trunks, i);
		if (g_strcmp0(trunk->group, name))
			continue;
		known = true;
		g_autofree char *target = g_strconcat("trunk:", trunk->name, NULL);
		struct candidate candidate = { .target = g_intern_string(target), .kind = TL_PARTY_SIP_TRUNK,
					       .group = trunk->group };
		g_array_append_val(candidates, candidate);
	}
	return known;
}

static bool add_span(struct tl_node *node, const struct tl_target *target, GArray *candidates)
{
	struct candidate candidate = { .access = tl_access_find(node, target->name), .slot = target->slot };
	if (!candidate.access || !tl_span_is_bearer(candidate.access->span, target->slot))
		return false;
	candidate.group = candidate.access->group;
	g_array_append_val(candidates, candidate);
	return true;
}

static bool add_sip(struct tl_node *node, const struct tl_target *target, GArray *candidates)
{
	static const char *const schemes[] = { [TL_TARGET_USER] = "user:", [TL_TARGET_TRUNK] = "trunk:", [TL_TARGET_SIP] = "" };
	static const enum tl_party_kind kinds[] = { [TL_TARGET_USER] = TL_PARTY_SIP_USER,
						    [TL_TARGET_TRUNK] = TL_PARTY_SIP_TRUNK,
						    [TL_TARGET_SIP] = TL_PARTY_SIP_URI };
	bool known = target->kind == TL_TARGET_SIP ||
		     (target->kind == TL_TARGET_USER && g_hash_table_contains(node->phones, target->name));
	const char *group = NULL;
	for (unsigned i = 0; target->kind == TL_TARGET_TRUNK && i < node->trunks->len; i++) {
		struct tl_trunk_entry *trunk = g_ptr_array_index(node->trunks, i);
		if (strcmp(trunk->name, target->name))
			continue;
		known = true;
		group = trunk->group;
	}
	if (!node->sip || !known)
		return false;
	g_autofree char *text = g_strconcat(schemes[target->kind], target->name, NULL);
	struct candidate candidate = { .target = g_intern_string(text), .kind = kinds[target->kind], .group = group };
	g_array_append_val(candidates, candidate);
	return true;
}

static bool find_candidates(struct tl_node *node, const struct tl_target *target, GArray *candidates)
{
	switch (target->kind) {
	case TL_TARGET_GROUP:
		return add_group(node, target->name, candidates);
	case TL_TARGET_SPAN:
		return add_span(node, target, candidates);
	case TL_TARGET_USER:
	case TL_TARGET_TRUNK:
	case TL_TARGET_SIP:
		return add_sip(node, target, candidates);
	case TL_TARGET_ANNOUNCEMENT:
	case TL_TARGET_ROUTE:
		break;
	}
	return false;
}

/* ---- trying ---- */

static bool try_access(struct tl_leg *leg, const struct candidate *candidate, GError **error)
{
	struct tl_access *access = candidate->access;
	if (access->draining || (candidate->slot && access->drained_slots & 1u << candidate->slot)) {
		tl_control_refuse_circuit(error, TL_CAUSE_NO_CIRCUIT, "span %s is draining", tl_span_name(access->span));
		return false;
	}
	if (!access->signalling) {
		tl_control_refuse_circuit(error, TL_CAUSE_NO_CIRCUIT, "span %s has no signalling",
			    tl_span_name(access->span));
		return false;
	}
	struct tl_dialog *dialog = tl_signalling_call(access->signalling, &leg->setup, candidate->slot, tl_leg_on_dialog, leg, error);
	if (!dialog)
		return false;
	leg->dialog = dialog;
	tl_party_set(&leg->party, TL_PARTY_TIMESLOT, tl_span_name(access->span), dialog->slot, candidate->group);
	return true;
}

static bool try_sip(struct tl_leg *leg, const struct candidate *candidate, GError **error)
{
	struct tl_rtp_side local = { 0 };
	if (!tl_leg_audio_rtp(leg, leg->hunt->law, &local, error))
		return false;
	struct tl_dialog *dialog = tl_sip_call(leg->node->sip, candidate->target, &leg->setup, &local, tl_leg_on_dialog, leg,
					       error);
	if (!dialog) {
		tl_leg_audio_close(leg);
		return false;
	}
	leg->dialog = dialog;
	tl_leg_t38_allow(leg);
	const char *name = candidate->kind == TL_PARTY_SIP_URI ? candidate->target : strchr(candidate->target, ':') + 1;
	tl_party_set(&leg->party, candidate->kind, name, 0, candidate->group);
	return true;
}

/* The first candidate that takes the call; the last one's reason otherwise. */
static bool try_next(struct tl_leg *leg, GError **error)
{
	struct tl_hunt *hunt = leg->hunt;
	while (hunt->next < hunt->candidates->len) {
		const struct candidate *candidate = &g_array_index(hunt->candidates, struct candidate, hunt->next++);
		g_clear_error(error);
		if (candidate->access ? try_access(leg, candidate, error) : try_sip(leg, candidate, error))
			return true;
	}
	return false;
}

static void on_no_answer(void *user)
{
	tl_leg_release(user, TL_CAUSE_NO_ANSWER);
}

bool tl_leg_dial(struct tl_leg *leg, const struct tl_target *target, enum tl_law law, unsigned timeout_ms, GError **error)
{
	g_autoptr(GError) cause = NULL;
	leg->hunt = g_new0(struct tl_hunt, 1);
	leg->hunt->candidates = g_array_new(FALSE, FALSE, sizeof(struct candidate));
	leg->hunt->law = law;
	if (!find_candidates(leg->node, target, leg->hunt->candidates)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "%s: no such trunk group, span, timeslot, user or trunk",
			    target->name);
		return false;
	}
	if (!try_next(leg, &cause)) {
		tl_control_refuse_circuit(error, target->kind == TL_TARGET_USER ? TL_CAUSE_SUBSCRIBER_ABSENT : TL_CAUSE_NO_CIRCUIT,
					  "%s: %s", target->name, cause->message);
		return false;
	}
	leg->node->counters.legs_originated++;
	leg->timer = tl_timer_new("answer", on_no_answer, leg);
	if (timeout_ms)
		tl_timer_start(leg->timer, timeout_ms);
	/* SETUP does not wait for the disk: a leg that dies with this process was not answered, or ends now. */
	tl_fact_leg(leg, "offered", NULL, NULL);
	tl_leg_fire(leg, TL_LEG_DIAL);
	return true;
}

static bool is_for_want_of_circuit(unsigned cause)
{
	return cause == TL_CAUSE_NO_CIRCUIT || cause == TL_CAUSE_NETWORK_OUT_OF_ORDER ||
	       cause == TL_CAUSE_TEMPORARY_FAILURE || cause == TL_CAUSE_CONGESTION ||
	       cause == TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE;
}

bool tl_leg_dial_again(struct tl_leg *leg, unsigned cause)
{
	if (!is_for_want_of_circuit(cause) || leg->hunt->next >= leg->hunt->candidates->len)
		return false;
	g_autoptr(GError) error = NULL;
	struct tl_dialog *over = g_steal_pointer(&leg->dialog);
	tl_leg_audio_close(leg);
	tl_dialog_bury(leg->node, over);
	return try_next(leg, &error);
}
