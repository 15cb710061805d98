/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Two legs with one fate until they are answered: what the called side says is
 * said to the calling side, causes pass both ways. Once answered they are an
 * ordinary bridge whose members end together.
 */
#include "call/tandem.h"

#include "call/junction.h"
#include "call/play.h"
#include "call/t38.h"

#define TL_ROOM "call"
#include "base/log.h"

/* ---- announcements ---- */

static void announce(struct tl_leg *leg, const char *sound)
{
	const char *const sounds[] = { sound, NULL };
	g_autoptr(GError) error = NULL;
	bool answered = tl_leg_state(leg) == TL_LEG_ANSWERED;
	leg->ends_after_play = true;
	if ((answered || tl_leg_progress(leg, &error)) && tl_play_start(leg, NULL, sounds, 1, &error))
		return;
	tl_warning("leg %s: announcement %s: %s", leg->id, sound, error->message);
	tl_leg_release(leg, TL_CAUSE_TEMPORARY_FAILURE);
}

/* ---- beginning ---- */

static struct tl_leg *calling_side(struct tl_leg *leg)
{
	return leg->outgoing ? leg->partner : leg;
}

static void join(struct tl_leg *a, struct tl_leg *b)
{
	g_autoptr(GError) error = NULL;
	if (a->junction && a->junction == b->junction) {
		tl_gateway_joined(a); /* they rang; a called machine speaks from now on */
		return;
	}
	tl_play_stop(a);
	struct tl_junction *junction = tl_junction_new(a->node, NULL, tl_junction_best_kind(a, b), NULL, NULL);
	if (tl_junction_add(junction, a, TL_ENDS_RELEASE_OTHERS, &error) &&
	    tl_junction_add(junction, b, TL_ENDS_RELEASE_OTHERS, &error))
		return;
	tl_junction_destroy(junction);
	tl_warning("legs %s and %s cannot be joined: %s", a->id, b->id, error->message);
	tl_leg_release(a, TL_CAUSE_TEMPORARY_FAILURE);
}

static unsigned cause_of(const GError *error, const struct tl_target *target)
{
	if (g_error_matches(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN))
		return TL_CAUSE_NO_ROUTE;
	return target->kind == TL_TARGET_USER ? TL_CAUSE_SUBSCRIBER_ABSENT : TL_CAUSE_NO_CIRCUIT;
}

static void dial(struct tl_leg *leg, const struct tl_target *target)
{
	g_autoptr(GError) error = NULL;
	struct tl_leg *other = tl_leg_new(leg->node, NULL, true);
	other->setup = leg->setup;
	other->setup.called_complete = true;
	other->taken = true;
	other->partner = leg;
	leg->partner = other;
	if (tl_leg_dial(other, target, tl_leg_law(leg), 0, &error))
		return;
	tl_notice("leg %s cannot go on: %s", leg->id, error->message);
	other->partner = leg->partner = NULL;
	tl_leg_bury(other);
	tl_leg_release(leg, cause_of(error, target));
}

void tl_tandem_begin(struct tl_leg *leg, const struct tl_target *target)
{
	struct tl_target to = *target;
	if (to.kind == TL_TARGET_ROUTE) {
		const struct tl_route *route = tl_routes_find(leg->node->routes, &leg->setup.called);
		if (!route) {
			tl_leg_release(leg, TL_CAUSE_UNALLOCATED);
			return;
		}
		to = route->to;
	}
	if (to.kind == TL_TARGET_ANNOUNCEMENT)
		announce(leg, to.name);
	else
		dial(leg, &to);
}

/* ---- going on ---- */

static void called_answered(struct tl_leg *caller, struct tl_leg *called)
{
	g_autoptr(GError) error = NULL;
	if (tl_leg_state(caller) != TL_LEG_ANSWERED && !tl_leg_answer(caller, &error)) {
		tl_debug("%s", error->message); /* it is hanging up */
		tl_leg_release(called, TL_CAUSE_NORMAL_CLEARING);
		return;
	}
	caller->partner = called->partner = NULL;
	join(caller, called);
}

void tl_tandem_on_state(struct tl_leg *leg)
{
	struct tl_leg *caller = calling_side(leg), *called = leg->outgoing ? leg : leg->partner;
	if (leg != called || !tl_leg_is_live(caller))
		return;
	if (tl_leg_state(called) == TL_LEG_ANSWERED) {
		called_answered(caller, called);
	} else if (tl_leg_state(called) == TL_LEG_PROCEEDING) {
		if (tl_leg_state(caller) == TL_LEG_OFFERED)
			tl_leg_proceed(caller, NULL);
	} else if (tl_leg_state(called) == TL_LEG_ALERTING) {
		if (tl_leg_state(caller) != TL_LEG_ANSWERED)
			tl_leg_alert(caller, called->inband, NULL);
		if (called->inband)
			join(caller, called);
	}
}

void tl_tandem_on_progress(struct tl_leg *leg)
{
	struct tl_leg *caller = calling_side(leg);
	if (leg == caller || !leg->inband || !tl_leg_is_live(caller))
		return;
	if (tl_leg_state(caller) != TL_LEG_ANSWERED)
		tl_leg_progress(caller, NULL);
	join(caller, leg);
}

void tl_tandem_on_ended(struct tl_leg *leg, unsigned cause)
{
	struct tl_leg *other = leg->partner;
	leg->partner = other->partner = NULL;
	tl_leg_release(other, cause);
}

void tl_tandem_part(struct tl_leg *leg)
{
	leg->partner->partner = NULL;
	leg->partner = NULL;
}
