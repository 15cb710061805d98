/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Dialogs: what their owners ask. The states themselves are in r2-states.c. */
#include "signal/r2-inner.h"

#include <errno.h>
#include <string.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "base/thread.h"

#define HUNTS 3

static struct r2_dialog *dialog_of(struct tl_dialog *base)
{
	return (struct r2_dialog *)base;
}

static void destroy(struct r2_dialog *dialog)
{
	tl_timer_free(dialog->guard);
	tl_timer_free(dialog->heard);
	g_free(dialog);
}

static void leave(struct r2_dialog *dialog)
{
	if (!--dialog->depth && dialog->doomed)
		destroy(dialog);
}

bool tl_r2_dialog_fire(struct r2_dialog *dialog, enum r2_event event, const struct r2_detail *detail)
{
	static const struct r2_detail none;
	dialog->depth++;
	bool known = tl_fsm_fire(&dialog->fsm, event, dialog, detail ? detail : &none);
	leave(dialog);
	return known;
}

static int ask(struct tl_dialog *base, enum r2_event event, const struct r2_detail *detail)
{
	tl_assert_main();
	if (!dialog_of(base)->r2 || dialog_of(base)->told)
		return -EINVAL;
	return tl_r2_dialog_fire(dialog_of(base), event, detail) ? 0 : -EINVAL;
}

static int proceed(struct tl_dialog *base)
{
	return ask(base, R2_EV_PROCEED, NULL);
}

static int alert(struct tl_dialog *base, bool inband)
{
	return ask(base, R2_EV_ALERT, NULL);
}

/* Audio before the answer needs the registers out of its way. */
static int progress(struct tl_dialog *base, bool inband)
{
	return ask(base, inband ? R2_EV_ALERT : R2_EV_PROCEED, NULL);
}

static int answer(struct tl_dialog *base)
{
	return ask(base, R2_EV_ANSWER, NULL);
}

static int release(struct tl_dialog *base, unsigned cause)
{
	return ask(base, R2_EV_RELEASE, &(struct r2_detail){ .cause = cause });
}

static int update(struct tl_dialog *base)
{
	return -ENOTSUP;
}

static void free_dialog(struct tl_dialog *base)
{
	struct r2_dialog *dialog = dialog_of(base);
	dialog->base.on_event = NULL;
	if (dialog->r2 && dialog->told) {
		dialog->unowned = true;
		return;
	}
	dialog->doomed = true;
	dialog->depth++;
	if (dialog->r2) /* the owner broke the rule: the bearer shall not pay for it */
		tl_r2_dialog_fire(dialog, R2_EV_DROP, &(struct r2_detail){ .cause = TL_CAUSE_TEMPORARY_FAILURE });
	leave(dialog);
}

static const struct tl_dialog_ops ops = {
	.proceed = proceed,
	.alert = alert,
	.progress = progress,
	.answer = answer,
	.release = release,
	.update = update,
	.free = free_dialog,
};

static void on_guard(void *user)
{
	struct r2_dialog *dialog = user;
	tl_warning("%s: timeslot %u: the far end does not clear; the call ends without it",
		   tl_span_name(dialog->r2->base.span), dialog->slot);
	dialog->r2->counters.forced_ends++;
	tl_r2_dialog_fire(dialog, R2_EV_DROP, NULL);
}

struct r2_dialog *tl_r2_dialog_new(struct tl_r2 *r2)
{
	struct r2_dialog *dialog = g_new0(struct r2_dialog, 1);
	dialog->base.ops = &ops;
	dialog->base.media = TL_MEDIA_TIMESLOT;
	dialog->base.span = r2->base.span;
	dialog->r2 = r2;
	dialog->guard = tl_timer_new("clearing guard", on_guard, dialog);
	dialog->heard = tl_timer_new("answer heard", tl_r2_answer_heard, dialog);
	tl_fsm_init(&dialog->fsm, &tl_r2_dialog_machine);
	g_ptr_array_add(r2->dialogs, dialog);
	return dialog;
}

void tl_r2_refusal_tone(struct r2_dialog *dialog)
{
	static const struct tl_inband_handler deaf;
	const struct tl_inband_room *room = &dialog->r2->audio;
	dialog->tone = room->ops->open(room->room, dialog->base.span, dialog->slot, &deaf, NULL);
	if (dialog->tone)
		room->ops->tone(dialog->tone, tl_inband_refusal(dialog->cause));
}

void tl_r2_quiet(struct r2_dialog *dialog)
{
	if (dialog->tone)
		dialog->r2->audio.ops->close(g_steal_pointer(&dialog->tone));
}

static bool is_numeric(const char *digits)
{
	return strspn(digits, "0123456789") == strlen(digits);
}

static bool setup_is_sane(const struct tl_r2 *r2, const struct tl_leg_setup *setup, GError **error)
{
	if (*setup->called.digits && is_numeric(setup->called.digits) && is_numeric(setup->calling.digits))
		return true;
	g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER, "%s: R2 sends digits 0-9 only, and one at least",
		    tl_span_name(r2->base.span));
	return false;
}

static unsigned choose_slot(struct tl_r2 *r2, unsigned wanted, GError **error)
{
	const char *name = tl_span_name(r2->base.span);
	unsigned slot = wanted ? wanted : tl_r2_hunt(r2, 0);
	if (slot && tl_r2_slot_state(r2, slot) == TL_SLOT_IDLE)
		return slot;
	r2->counters.no_channel++;
	if (wanted)
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "%s: timeslot %u is not idle", name, wanted);
	else
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "%s: no idle timeslot", name);
	return 0;
}

struct tl_dialog *tl_r2_call(struct tl_signalling *base, const struct tl_leg_setup *setup, unsigned slot,
			     tl_dialog_listener on_event, void *user, GError **error)
{
	struct tl_r2 *r2 = (struct tl_r2 *)base;
	tl_assert_main();
	unsigned chosen = setup_is_sane(r2, setup, error) ? choose_slot(r2, slot, error) : 0;
	if (!chosen)
		return NULL;
	struct r2_dialog *dialog = tl_r2_dialog_new(r2);
	dialog->setup = *setup;
	dialog->hunted = !slot;
	dialog->hunts_left = HUNTS;
	dialog->slot = dialog->base.slot = chosen;
	dialog->base.on_event = on_event;
	dialog->base.user = user;
	tl_r2_slot_take(r2, chosen, dialog);
	tl_r2_dialog_fire(dialog, R2_EV_DIAL, NULL);
	return &dialog->base;
}
