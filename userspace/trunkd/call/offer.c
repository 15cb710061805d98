/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "call/access.h"
#include "call/report.h"
#include "call/t38.h"
#include "call/tandem.h"

static void on_timeout(void *user)
{
	struct tl_leg *leg = user;
	if (!leg->taken)
		tl_offer_fall_back(leg);
}

/* The fact is on the disk: from here on the call exists for everybody. */
static void offered(struct tl_leg *leg)
{
	if (tl_leg_state(leg) != TL_LEG_NEW)
		return;
	leg->offered = true;
	leg->node->counters.legs_offered++;
	tl_leg_fire(leg, TL_LEG_OFFER);
	tl_report_offered(leg);
	if (leg->node->conductor)
		tl_timer_start(leg->timer, leg->node->config->offer_timeout_ms);
	else
		tl_offer_fall_back(leg);
}

static void submit(struct tl_leg *leg)
{
	tl_fact_leg(leg, "offered", NULL, offered);
}

static struct tl_leg *begin(struct tl_node *node, struct tl_dialog *dialog, const struct tl_leg_setup *setup)
{
	unsigned cause = tl_node_refusal(node);
	if (cause) {
		tl_dialog_refuse(node, dialog, cause);
		return NULL;
	}
	struct tl_leg *leg = tl_leg_new(node, NULL, false);
	leg->dialog = dialog;
	leg->setup = *setup;
	leg->timer = tl_timer_new("offer", on_timeout, leg);
	dialog->on_event = tl_leg_on_dialog;
	dialog->user = leg;
	tl_leg_t38_allow(leg);
	return leg;
}

void tl_offer_from_access(struct tl_access *access, struct tl_dialog *dialog, const struct tl_leg_setup *setup)
{
	if (access->draining || (dialog->slot && access->drained_slots & 1u << dialog->slot)) {
		access->node->counters.refused_draining++;
		tl_dialog_refuse(access->node, dialog, TL_CAUSE_CONGESTION);
		return;
	}
	struct tl_leg *leg = begin(access->node, dialog, setup);
	if (!leg)
		return;
	tl_party_set(&leg->party, TL_PARTY_TIMESLOT, tl_span_name(access->span), dialog->slot, access->group);
	/* Without its last digit nobody could say where the call is to go. */
	if (setup->called_complete)
		submit(leg);
}

void tl_offer_from_sip(struct tl_node *node, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
		       const struct tl_sip_origin *origin)
{
	struct tl_leg *leg = begin(node, dialog, setup);
	if (!leg)
		return;
	const char *group = NULL;
	for (unsigned i = 0; origin->kind == TL_SIP_TRUNK && i < node->trunks->len; i++) {
		struct tl_trunk_entry *trunk = g_ptr_array_index(node->trunks, i);
		if (!strcmp(trunk->name, origin->name))
			group = trunk->group;
	}
	tl_party_set(&leg->party, origin->kind == TL_SIP_USER ? TL_PARTY_SIP_USER : TL_PARTY_SIP_TRUNK, origin->name, 0,
		     group);
	submit(leg);
}

void tl_offer_digits(struct tl_leg *leg, const char *digits, bool complete)
{
	if (leg->setup.called_complete)
		return; /* its fact is being written */
	g_strlcat(leg->setup.called.digits, digits, sizeof leg->setup.called.digits);
	if (!complete)
		return;
	leg->setup.called_complete = true;
	submit(leg);
}

void tl_offer_take(struct tl_leg *leg)
{
	leg->taken = true;
	if (!leg->outgoing)
		tl_timer_stop(leg->timer);
	if (leg->partner)
		tl_tandem_part(leg);
	tl_rule_apply(leg);
}

void tl_offer_fall_back(struct tl_leg *leg)
{
	const struct tl_target by_number = { .kind = TL_TARGET_ROUTE };
	leg->taken = true;
	leg->node->counters.fallbacks++;
	tl_timer_stop(leg->timer);
	tl_tandem_begin(leg, &by_number);
}
