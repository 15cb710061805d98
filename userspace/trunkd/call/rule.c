/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/rule.h"

#include "call/node.h"
#include "call/play.h"
#include "call/tandem.h"

/* A caller that a desk has taken and left without a rule would ring for ever. */
static struct tl_rule effective(const struct tl_leg *leg)
{
	if (leg->rule.given || leg->outgoing || tl_leg_state(leg) == TL_LEG_ANSWERED)
		return leg->rule;
	return (struct tl_rule){ .action = TL_RULE_ROUTE, .after_s = 5, .to = { .kind = TL_TARGET_ROUTE } };
}

static void on_expiry(void *user)
{
	struct tl_leg *leg = user;
	struct tl_rule rule = effective(leg);
	leg->node->counters.rules_run++;
	switch (rule.action) {
	case TL_RULE_KEEP:
		break;
	case TL_RULE_RELEASE:
		tl_leg_release(leg, rule.cause ? rule.cause : TL_CAUSE_NORMAL_CLEARING);
		break;
	case TL_RULE_ROUTE:
		leg->rule = (struct tl_rule){ .given = true, .action = TL_RULE_KEEP }; /* once */
		tl_tandem_begin(leg, &rule.to);
		break;
	}
}

void tl_rule_apply(struct tl_leg *leg)
{
	struct tl_rule rule = effective(leg);
	bool due = !leg->node->conductor && !leg->partner && leg->taken && tl_leg_is_live(leg) &&
		   tl_leg_state(leg) != TL_LEG_NEW && rule.action != TL_RULE_KEEP && !leg->ends_after_play;
	if (!due) {
		if (leg->rule_timer)
			tl_timer_stop(leg->rule_timer);
		return;
	}
	if (!leg->rule_timer)
		leg->rule_timer = tl_timer_new("rule", on_expiry, leg);
	if (!tl_timer_running(leg->rule_timer))
		tl_timer_start(leg->rule_timer, rule.after_s * 1000);
}

void tl_rules_apply(struct tl_node *node)
{
	g_autoptr(GPtrArray) legs = g_ptr_array_new();
	GHashTableIter iter;
	gpointer leg;
	g_hash_table_iter_init(&iter, node->legs);
	while (g_hash_table_iter_next(&iter, NULL, &leg))
		g_ptr_array_add(legs, leg);
	for (unsigned i = 0; i < legs->len; i++) {
		struct tl_leg *each = g_ptr_array_index(legs, i);
		/* Offered and nobody there to take it any more. */
		if (!node->conductor && !each->taken && tl_leg_state(each) == TL_LEG_OFFERED)
			tl_offer_fall_back(each);
		else
			tl_rule_apply(each);
	}
}
