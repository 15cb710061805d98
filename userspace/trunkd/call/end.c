/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/fax.h"
#include "call/junction.h"
#include "call/play.h"
#include "call/report.h"
#include "call/tandem.h"
#include "call/wire.h"

/* What must not outlive a leg's usefulness: all that could still act on it, or for it. */
static void let_go(struct tl_leg *leg)
{
	if (leg->timer)
		tl_timer_stop(leg->timer);
	if (leg->rule_timer)
		tl_timer_stop(leg->rule_timer);
	tl_collect_end(leg, "ended");
	tl_play_stop(leg);
	tl_leg_fax_lost(leg);
	tl_junction_leg_ends(leg, leg->cause);
	if (leg->partner)
		tl_tandem_on_ended(leg, leg->cause);
}

void tl_leg_release(struct tl_leg *leg, unsigned cause)
{
	if (!tl_leg_is_live(leg))
		return;
	leg->cause = cause;
	tl_leg_fire(leg, TL_LEG_RELEASE);
	let_go(leg);
	/* RELEASED may come before this returns. */
	if (!leg->dialog || tl_dialog_release(leg->dialog, cause))
		if (tl_leg_state(leg) == TL_LEG_RELEASING && !leg->dialog)
			tl_leg_ended(leg, cause, false);
}

/* @media: (transfer full), NULL: there was no RTP. */
static void close_books(struct tl_leg *leg, unsigned cause, bool by_peer, JsonObject *media)
{
	JsonObject *more = json_object_new();
	json_object_set_int_member(more, "cause", cause);
	json_object_set_boolean_member(more, "by_peer", by_peer);
	tl_fact_leg(leg, "ended", more, NULL);
	if (!leg->offered && !leg->outgoing) {
		g_clear_pointer(&media, json_object_unref);
		return; /* nobody has heard of it */
	}
	JsonObject *params = json_object_new();
	json_object_set_int_member(params, "cause", cause);
	json_object_set_boolean_member(params, "by_peer", by_peer);
	if (media)
		json_object_set_object_member(params, "media", media);
	tl_report_leg(leg, "leg.ended", params);
}

void tl_leg_ended(struct tl_leg *leg, unsigned cause, bool by_peer)
{
	bool live = tl_leg_is_live(leg);
	leg->cause = cause;
	tl_leg_fire(leg, TL_LEG_RELEASED);
	if (live)
		let_go(leg);
	JsonObject *media = tl_wire_media(leg);
	tl_leg_audio_close(leg);
	if (leg->dialog)
		tl_dialog_bury(leg->node, g_steal_pointer(&leg->dialog));
	close_books(leg, cause, by_peer, media);
	leg->node->counters.legs_ended++;
	tl_leg_bury(leg);
}

static void on_refused_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	if (event->kind == TL_DIALOG_RELEASED)
		tl_dialog_bury(user, dialog);
}

void tl_dialog_refuse(struct tl_node *node, struct tl_dialog *dialog, unsigned cause)
{
	dialog->on_event = on_refused_event;
	dialog->user = node;
	tl_dialog_release(dialog, cause);
}
