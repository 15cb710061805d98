/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Dialogs: the operations of a call and what each sends. The states themselves are in pri-states.c. */
#include "signal/signal.h"

#include <errno.h>
#include <string.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "base/thread.h"
#include "signal/pri-inner.h"

#define HUNTS 3

static struct pri_dialog *dialog_of(struct tl_dialog *base)
{
	return (struct pri_dialog *)base;
}

static int ask(struct tl_dialog *base, enum dialog_event event, const struct dialog_news *news)
{
	struct pri_dialog *dialog = dialog_of(base);
	struct tl_pri *pri = dialog->pri;
	tl_assert_main();
	if (!pri)
		return -EINVAL;
	dialog->depth++; /* so that result can still be read */
	dialog->result = 0;
	int result = tl_pri_dialog_fire(dialog, event, news) ? dialog->result : -EINVAL;
	tl_pri_schedule_arm(pri);
	tl_pri_dialog_leave(dialog);
	return result;
}

static int proceed(struct tl_dialog *base)
{
	return ask(base, EV_PROCEED, NULL);
}

static int alert(struct tl_dialog *base, bool inband)
{
	return ask(base, EV_ALERT, &(struct dialog_news){ .inband = inband });
}

static int progress(struct tl_dialog *base, bool inband)
{
	return ask(base, EV_PROGRESS, &(struct dialog_news){ .inband = inband });
}

static int answer(struct tl_dialog *base)
{
	return ask(base, EV_ANSWER, NULL);
}

/* With the D-channel down nothing can be said: the call ends here and RESTART tells the far end later. */
static int release(struct tl_dialog *base, unsigned cause)
{
	struct pri_dialog *dialog = dialog_of(base);
	if (dialog->pri && !dialog->pri->up)
		return ask(base, EV_DROP, &(struct dialog_news){ .cause = cause, .resync = true });
	return ask(base, EV_RELEASE, &(struct dialog_news){ .cause = cause });
}

static int update(struct tl_dialog *base)
{
	return -ENOTSUP;
}

static void destroy(struct pri_dialog *dialog)
{
	tl_timer_free(dialog->t302);
	tl_timer_free(dialog->guard);
	g_free(dialog);
}

void tl_pri_dialog_leave(struct pri_dialog *dialog)
{
	if (!--dialog->depth && dialog->doomed)
		destroy(dialog);
}

bool tl_pri_dialog_fire(struct pri_dialog *dialog, enum dialog_event event, const struct dialog_news *news)
{
	static const struct dialog_news none;
	dialog->depth++;
	bool known = tl_fsm_fire(&dialog->fsm, event, dialog, news ? news : &none);
	tl_pri_dialog_leave(dialog);
	return known;
}

static void free_dialog(struct tl_dialog *base)
{
	struct pri_dialog *dialog = dialog_of(base);
	dialog->base.on_event = NULL;
	if (dialog->pri) /* never offered, or the owner broke the rule: the slot shall not pay for it */
		tl_pri_dialog_fire(dialog, EV_DROP, &(struct dialog_news){ .cause = TL_CAUSE_TEMPORARY_FAILURE, .resync = true });
	if (dialog->depth)
		dialog->doomed = true;
	else
		destroy(dialog);
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

static void on_t302(void *user)
{
	tl_pri_dialog_fire(user, EV_INFORMATION_IND, &(struct dialog_news){ .digits = "", .complete = true });
}

/* T305 and twice T308 have passed and libpri said nothing: the slot is not lost for that. */
static void on_guard(void *user)
{
	struct pri_dialog *dialog = user;
	struct tl_pri *pri = dialog->pri;
	tl_warning("%s: timeslot %u: clearing did not end; forced", tl_span_name(pri->config.span), dialog->slot);
	tl_pri_dialog_fire(dialog, EV_DROP, &(struct dialog_news){ .cause = dialog->cause, .resync = true });
	tl_pri_schedule_arm(pri);
}

struct pri_dialog *tl_pri_dialog_new(struct tl_pri *pri, q931_call *call)
{
	struct pri_dialog *dialog = g_new0(struct pri_dialog, 1);
	dialog->base.ops = &ops;
	dialog->base.media = TL_MEDIA_TIMESLOT;
	dialog->base.span = pri->config.span;
	dialog->pri = pri;
	dialog->call = call;
	dialog->t302 = tl_timer_new("T302", on_t302, dialog);
	dialog->guard = tl_timer_new("clearing guard", on_guard, dialog);
	tl_fsm_init(&dialog->fsm, &tl_pri_dialog_machine);
	g_ptr_array_add(pri->dialogs, dialog);
	return dialog;
}

static bool digits_are_sane(const char *digits)
{
	size_t n = strnlen(digits, TL_DIGITS_MAX + 1);
	return n <= TL_DIGITS_MAX && strspn(digits, "0123456789*#ABCD") == n;
}

static bool setup_is_sane(const struct tl_leg_setup *setup, GError **error)
{
	if (!digits_are_sane(setup->called.digits) || (setup->called_complete && !*setup->called.digits))
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER,
			    "called number: expected 1 to %u of 0-9 * # A-D", TL_DIGITS_MAX);
	else if (!digits_are_sane(setup->calling.digits) || !digits_are_sane(setup->redirecting.digits))
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER,
			    "calling or redirecting number: expected at most %u of 0-9 * # A-D", TL_DIGITS_MAX);
	else
		return true;
	return false;
}

static unsigned choose_slot(struct tl_pri *pri, unsigned wanted, GError **error)
{
	const char *name = tl_span_name(pri->config.span);
	if (!wanted) {
		unsigned slot = tl_pri_slot_hunt(pri, 0);
		if (!slot)
			g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "%s: no idle timeslot", name);
		return slot;
	}
	if (tl_pri_slot_state(pri, wanted) == TL_SLOT_IDLE)
		return wanted;
	pri->counters.no_channel++;
	g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "%s: timeslot %u is not idle", name, wanted);
	return 0;
}

struct tl_dialog *tl_pri_call(struct tl_pri *pri, const struct tl_leg_setup *setup, unsigned slot,
			      void (*on_event)(struct tl_dialog *, const struct tl_dialog_event *, void *), void *user,
			      GError **error)
{
	tl_assert_main();
	if (!pri->up) {
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_DOWN, "%s: the D-channel is down",
			    tl_span_name(pri->config.span));
		return NULL;
	}
	unsigned chosen = setup_is_sane(setup, error) ? choose_slot(pri, slot, error) : 0;
	if (!chosen)
		return NULL;
	struct pri_dialog *dialog = tl_pri_dialog_new(pri, NULL);
	dialog->setup = *setup;
	dialog->hunted = !slot;
	dialog->hunts_left = HUNTS;
	dialog->slot = chosen;
	tl_pri_slot_take(pri, chosen, dialog);
	if (!ask(&dialog->base, EV_DIAL, NULL)) {
		dialog->base.on_event = on_event;
		dialog->base.user = user;
		return &dialog->base;
	}
	/* No event has an owner yet, so this ends in silence. */
	tl_dialog_free(&dialog->base);
	g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "%s: libpri takes no further call",
		    tl_span_name(pri->config.span));
	return NULL;
}

int tl_pri_send_digits(struct tl_dialog *base, const char *digits)
{
	if (!digits_are_sane(digits))
		return -EINVAL;
	return ask(base, EV_SEND_DIGITS, &(struct dialog_news){ .digits = digits });
}
