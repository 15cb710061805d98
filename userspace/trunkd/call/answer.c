/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/node.h"

static bool refuse_state(struct tl_leg *leg, const char *what, GError **error)
{
	tl_control_refuse_state(error, tl_leg_state_name(leg), "cannot %s leg %s: it is %s in state %s", what, leg->id,
		    leg->outgoing ? "an outgoing one" : "an incoming one", tl_leg_state_name(leg));
	return false;
}

/* Common to all that is said to a calling party: is it due, is there audio if it carries any, does signalling take it? */
static bool say(struct tl_leg *leg, enum tl_leg_event event, const char *what, int result, GError **error)
{
	if (result) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "cannot %s leg %s: signalling refused it: %s; state %s",
			    what, leg->id, g_strerror(-result), tl_leg_state_name(leg));
		return false;
	}
	if (!tl_leg_may(leg, event)) /* ended meanwhile */
		return refuse_state(leg, what, error);
	if (leg->port)
		tl_leg_audio_changed(leg);
	tl_leg_fire(leg, event);
	return true;
}

static bool is_due(struct tl_leg *leg, enum tl_leg_event event, bool inband, const char *what, GError **error)
{
	if (leg->outgoing || !tl_leg_may(leg, event))
		return refuse_state(leg, what, error);
	return !inband || tl_leg_audio(leg, error);
}

bool tl_leg_proceed(struct tl_leg *leg, GError **error)
{
	return is_due(leg, TL_LEG_PROCEED, false, "proceed", error) &&
	       say(leg, TL_LEG_PROCEED, "proceed", tl_dialog_proceed(leg->dialog), error);
}

bool tl_leg_alert(struct tl_leg *leg, bool inband, GError **error)
{
	if (!is_due(leg, TL_LEG_ALERT, inband, "alert", error))
		return false;
	leg->inband = leg->inband || inband;
	return say(leg, TL_LEG_ALERT, "alert", tl_dialog_alert(leg->dialog, inband), error);
}

bool tl_leg_progress(struct tl_leg *leg, GError **error)
{
	if (!is_due(leg, TL_LEG_PROGRESS, true, "progress", error))
		return false;
	leg->inband = true;
	return say(leg, TL_LEG_PROGRESS, "progress", tl_dialog_progress(leg->dialog, true), error);
}

bool tl_leg_answer(struct tl_leg *leg, GError **error)
{
	/* The answered fact goes to the disk while CONNECT goes out: a crash in between ends the call at once, so that
	 * there is nothing to bill, and a set-up waits for one fsync only. */
	return is_due(leg, TL_LEG_ANSWER, true, "answer", error) &&
	       say(leg, TL_LEG_ANSWER, "answer", tl_dialog_answer(leg->dialog), error);
}
