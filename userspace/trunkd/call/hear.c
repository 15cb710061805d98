/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/junction.h"
#include "call/play.h"
#include "call/report.h"
#include "call/tandem.h"

static void heard_audio(struct tl_leg *leg, bool inband)
{
	if (!inband)
		return;
	leg->inband = true;
	tl_leg_audio(leg, NULL);
	tl_leg_audio_changed(leg);
}

static void heard_progress(struct tl_leg *leg, const struct tl_dialog_event *event)
{
	heard_audio(leg, event->inband);
	JsonObject *params = json_object_new();
	if (event->cause)
		json_object_set_int_member(params, "cause", event->cause);
	tl_report_leg(leg, "leg.progress", params);
	tl_leg_fire(leg, TL_LEG_PROGRESS);
}

static void heard_answer(struct tl_leg *leg)
{
	leg->inband = true;
	tl_leg_audio_changed(leg);
	tl_leg_fire(leg, TL_LEG_ANSWER);
}

static void heard_digits(struct tl_leg *leg, const struct tl_dialog_event *event)
{
	if (tl_leg_state(leg) == TL_LEG_NEW && !leg->outgoing) {
		tl_offer_digits(leg, event->digits, event->complete);
		return;
	}
	for (const char *digit = event->digits; *digit; digit++)
		tl_collect_digit(leg, *digit, 0);
}

static void heard_release(struct tl_leg *leg, const struct tl_dialog_event *event)
{
	if (leg->outgoing && tl_leg_state(leg) == TL_LEG_DIALING && tl_leg_dial_again(leg, event->cause))
		return;
	tl_leg_ended(leg, event->cause ? event->cause : TL_CAUSE_NORMAL_UNSPECIFIED, event->by_peer);
}

void tl_leg_on_dialog(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct tl_leg *leg = user;
	if (!leg->dialog) /* said while it is being made: the dialog is what we are about to get */
		leg->dialog = dialog;
	if (!tl_leg_is_live(leg) && event->kind != TL_DIALOG_RELEASED)
		return;
	switch (event->kind) {
	case TL_DIALOG_PROCEEDING:
		tl_leg_fire(leg, TL_LEG_PROCEED);
		break;
	case TL_DIALOG_ALERTING:
		heard_audio(leg, event->inband);
		tl_leg_fire(leg, TL_LEG_ALERT);
		break;
	case TL_DIALOG_PROGRESS:
		heard_progress(leg, event);
		break;
	case TL_DIALOG_ANSWERED:
		heard_answer(leg);
		break;
	case TL_DIALOG_DIGITS:
		heard_digits(leg, event);
		break;
	case TL_DIALOG_DTMF:
		tl_junction_pass_digits(leg, event->digits);
		for (const char *digit = event->digits; *digit; digit++)
			tl_collect_digit(leg, *digit, 0);
		break;
	case TL_DIALOG_FLASH:
		tl_report_leg(leg, "leg.flash", json_object_new());
		break;
	case TL_DIALOG_MEDIA:
		tl_leg_audio_changed(leg);
		break;
	case TL_DIALOG_RELEASED:
		heard_release(leg, event);
		break;
	}
}
