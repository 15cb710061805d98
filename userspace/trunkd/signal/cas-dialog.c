/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Dialogs of CAS: what their owners ask and hear; and the audio of a slot while no call has it. */
#include "signal/cas-inner.h"

#include <errno.h>
#include <string.h>

#include "base/thread.h"

/* ---- operations ---- */

static struct cas_dialog *dialog_of(struct tl_dialog *base)
{
	return (struct cas_dialog *)base;
}

static void leave(struct cas_dialog *dialog)
{
	if (!--dialog->depth && dialog->doomed)
		g_free(dialog);
}

static int ask(struct tl_dialog *base, enum cas_event event, const struct cas_news *news)
{
	struct cas_dialog *dialog = dialog_of(base);
	tl_assert_main();
	if (!dialog->slot)
		return -EINVAL;
	dialog->depth++; /* so that result can still be read */
	dialog->result = 0;
	int result = tl_cas_fire(dialog->slot, event, news) ? dialog->result : -EINVAL;
	leave(dialog);
	return result;
}

/* The line has no word for it. */
static int proceed(struct tl_dialog *base)
{
	return dialog_of(base)->slot && !dialog_of(base)->outgoing ? 0 : -EINVAL;
}

/* Nor for this: the caller hears a ringing tone, from the owner if it is in band already. */
static int alert(struct tl_dialog *base, bool inband)
{
	if (inband)
		return proceed(base);
	return ask(base, EV_ALERT, NULL);
}

static int progress(struct tl_dialog *base, bool inband)
{
	int result = proceed(base);
	if (!result)
		tl_cas_audio_close(dialog_of(base)->slot);
	return result;
}

static int answer(struct tl_dialog *base)
{
	return ask(base, EV_ANSWER, NULL);
}

static int release(struct tl_dialog *base, unsigned cause)
{
	return ask(base, EV_RELEASE, &(struct cas_news){ .cause = cause });
}

static int flash(struct tl_dialog *base)
{
	return ask(base, EV_FLASH, NULL);
}

static int update(struct tl_dialog *base)
{
	return -ENOTSUP;
}

static void free_dialog(struct tl_dialog *base)
{
	struct cas_dialog *dialog = dialog_of(base);
	dialog->base.on_event = NULL;
	if (dialog->slot) /* the owner broke the rule: the slot shall not pay for it */
		release(base, TL_CAUSE_TEMPORARY_FAILURE);
	if (dialog->depth)
		dialog->doomed = true;
	else
		g_free(dialog);
}

static const struct tl_dialog_ops ops = {
	.proceed = proceed, .alert = alert, .progress = progress, .answer = answer, .release = release, .update = update,
	.flash = flash, .free = free_dialog,
};

struct cas_dialog *tl_cas_dialog_new(struct cas_slot *slot, const struct tl_leg_setup *setup, bool outgoing)
{
	struct cas_dialog *dialog = g_new0(struct cas_dialog, 1);
	dialog->base.ops = &ops;
	dialog->base.media = TL_MEDIA_TIMESLOT;
	dialog->base.span = slot->cas->base.span;
	dialog->slot = slot;
	dialog->setup = *setup;
	dialog->outgoing = outgoing;
	slot->dialog = dialog;
	return dialog;
}

/* ---- what owners are told ---- */

static void tell(struct cas_dialog *dialog, const struct tl_dialog_event *event)
{
	dialog->depth++;
	if (dialog->base.on_event)
		dialog->base.on_event(&dialog->base, event, dialog->base.user);
	leave(dialog);
}

void tl_cas_tell(struct cas_slot *slot, enum tl_dialog_event_kind kind, bool inband)
{
	if (slot->dialog)
		tell(slot->dialog, &(struct tl_dialog_event){ .kind = kind, .inband = inband });
}

void tl_cas_settle(struct cas_slot *slot)
{
	tl_cas_audio_close(slot);
	if (!slot->dialog || slot->dialog->base.slot)
		return;
	slot->dialog->base.slot = slot->number;
	tl_cas_tell(slot, TL_DIALOG_MEDIA, false);
}

void tl_cas_released(struct cas_slot *slot, unsigned cause, bool by_peer)
{
	struct cas_dialog *dialog = slot->dialog;
	if (!dialog)
		return;
	slot->dialog = NULL;
	dialog->slot = NULL;
	tell(dialog, &(struct tl_dialog_event){ .kind = TL_DIALOG_RELEASED, .cause = cause, .by_peer = by_peer });
}

static void add_caller_id(const struct cas_slot *slot, struct tl_leg_setup *setup)
{
	const struct tl_caller_id *id = &slot->caller_id;
	setup->calling.presentation = TL_PRESENTATION_UNAVAILABLE;
	if (!slot->has_caller_id)
		return;
	g_strlcpy(setup->calling.digits, id->digits, sizeof setup->calling.digits);
	g_strlcpy(setup->calling_name, id->name, sizeof setup->calling_name);
	setup->calling.screening = TL_SCREENING_NETWORK;
	if (id->restricted)
		setup->calling.presentation = TL_PRESENTATION_RESTRICTED;
	else if (id->digits[0])
		setup->calling.presentation = TL_PRESENTATION_ALLOWED;
}

static bool read_setup(struct cas_slot *slot, struct tl_leg_setup *setup)
{
	const struct tl_cas *cas = slot->cas;
	if (slot->address->len)
		return tl_cas_address_parse(cas->config.kind, cas->config.digits, slot->address->str, setup);
	*setup = (struct tl_leg_setup){ .bearer = TL_BEARER_AUDIO_3K1, .called_complete = true };
	if (cas->number)
		tl_number_parse(cas->number, &setup->called);
	add_caller_id(slot, setup);
	return true;
}

bool tl_cas_offer(struct cas_slot *slot)
{
	struct tl_cas *cas = slot->cas;
	struct tl_leg_setup setup;
	tl_cas_audio_close(slot);
	if (!read_setup(slot, &setup)) {
		cas->counters.bad_numbers++;
		return false;
	}
	struct cas_dialog *dialog = tl_cas_dialog_new(slot, &setup, false);
	dialog->base.slot = slot->number;
	dialog->depth++;
	cas->base.handler.on_offered(&cas->base, &dialog->base, &setup, cas->base.user);
	leave(dialog);
	return true;
}

/* ---- the slot's audio ---- */

static void on_digit(struct tl_inband *inband, char digit, void *user)
{
	tl_cas_fire(user, EV_DIGIT, &(struct cas_news){ .digit = digit });
}

static void on_sent(struct tl_inband *inband, void *user)
{
	tl_cas_fire(user, EV_SENT, NULL);
}

static void on_caller_id(struct tl_inband *inband, const struct tl_caller_id *id, void *user)
{
	tl_cas_fire(user, EV_CALLER_ID, &(struct cas_news){ .caller_id = id });
}

static bool audio_open(struct cas_slot *slot)
{
	static const struct tl_inband_handler handler = { on_digit, on_sent, on_caller_id };
	const struct tl_inband_room *room = &slot->cas->audio;
	if (!slot->audio)
		slot->audio = room->ops->open(room->room, slot->cas->base.span, slot->number, &handler, slot);
	return slot->audio != NULL;
}

void tl_cas_audio_close(struct cas_slot *slot)
{
	if (slot->audio)
		slot->cas->audio.ops->close(g_steal_pointer(&slot->audio));
}

void tl_cas_hear_digits(struct cas_slot *slot, enum tl_inband_digits kind)
{
	if (audio_open(slot))
		slot->cas->audio.ops->hear_digits(slot->audio, kind);
}

void tl_cas_hear_caller_id(struct cas_slot *slot)
{
	if (audio_open(slot))
		slot->cas->audio.ops->hear_caller_id(slot->audio, slot->cas->config.caller_id);
}

void tl_cas_send_digits(struct cas_slot *slot, enum tl_inband_digits kind, const char *digits)
{
	if (!*digits || !audio_open(slot) || slot->cas->audio.ops->send_digits(slot->audio, kind, digits))
		tl_cas_fire(slot, EV_SENT, NULL);
}

void tl_cas_send_caller_id(struct cas_slot *slot)
{
	const struct tl_leg_setup *setup = &slot->dialog->setup;
	struct tl_caller_id id = { .restricted = setup->calling.presentation == TL_PRESENTATION_RESTRICTED };
	const char *end;
	if (!id.restricted) {
		g_strlcpy(id.digits, setup->calling.digits, sizeof id.digits);
		g_strlcpy(id.name, setup->calling_name, sizeof id.name);
		if (!g_utf8_validate(id.name, -1, &end))
			id.name[end - id.name] = '\0'; /* cut within a character */
	}
	if (audio_open(slot))
		slot->cas->audio.ops->send_caller_id(slot->audio, slot->cas->config.caller_id, &id);
}

void tl_cas_tone(struct cas_slot *slot, enum tl_inband_tone tone)
{
	if (audio_open(slot))
		slot->cas->audio.ops->tone(slot->audio, tone);
}

void tl_cas_quiet(struct cas_slot *slot)
{
	if (slot->audio)
		slot->cas->audio.ops->quiet(slot->audio);
}
