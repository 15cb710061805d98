/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The flow's wishes for the caller's leg: steps, sounds, keys; and waiting in a queue. */
#include "contact/call.h"

#define TL_ROOM "contact"
#include "base/log.h"

#define SOUNDS_MAX 16
#define PROMPT_MAX_MS 600000 /* the longest first_ms */
#define CAUSE_TEMPORARY_FAILURE 41

static JsonArray *sounds_json(const char *const *sounds)
{
	JsonArray *array = json_array_new();
	for (unsigned i = 0; sounds && sounds[i] && i < SOUNDS_MAX; i++)
		json_array_add_string_element(array, sounds[i]);
	return array;
}

static void play(struct tl_contact *contact, JsonArray *sounds, unsigned loops)
{
	contact->play = ++contact->numbers;
	g_autofree char *id = g_strdup_printf("%s-%u", contact->id, contact->play);
	g_clear_pointer(&contact->playing, g_free);
	JsonObject *params = command_new(contact->leg);
	json_object_set_string_member(params, "play", id);
	json_object_set_array_member(params, "sounds", sounds);
	json_object_set_int_member(params, "loops", loops);
	command_send(contact, "leg.play", params, NULL);
}

/* For another's leg, and without an answer: nobody waits for it. */
void wait_play_on(struct tl_contact *contact, const char *leg, const char *sound)
{
	g_autofree char *id = g_strdup_printf("h-%.50s-%u", contact->id, ++contact->bridges);
	JsonArray *sounds = json_array_new();
	json_array_add_string_element(sounds, sound);
	JsonObject *params = command_new(leg);
	json_object_set_string_member(params, "play", id);
	json_object_set_array_member(params, "sounds", sounds);
	json_object_set_int_member(params, "loops", 0);
	command_send(contact, "leg.play", params, NULL);
}

static void collect(struct tl_contact *contact, unsigned first_ms)
{
	g_autofree char *id = g_strdup_printf("%s-%u", contact->id, ++contact->numbers);
	JsonObject *params = command_new(contact->leg);
	json_object_set_string_member(params, "collect", id);
	json_object_set_int_member(params, "max", 1);
	json_object_set_int_member(params, "first_ms", first_ms);
	command_send(contact, "leg.collect", params, NULL);
}

void tl_contact_step(struct tl_contact *contact, const char *step, const struct tl_contact_fallback *fallback)
{
	g_free(contact->step);
	contact->step = g_strdup(step);
	struct tl_transaction *t = tl_transaction_new("step");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "UPDATE contact SET step = $1, digits = $2 WHERE id = $3",
			   TL_VALUES(tl_text(step), tl_text(contact->digits->str), tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
	JsonObject *params = command_new(contact->leg);
	command_tags(contact, params, "caller");
	command_rule(params, fallback);
	command_send(contact, "leg.tag", params, NULL);
	contact_changed(contact);
}

void tl_contact_play(struct tl_contact *contact, const char *const *sounds)
{
	play(contact, sounds_json(sounds), 1);
}

void tl_contact_collect(struct tl_contact *contact, const char *const *sounds, unsigned wait_s)
{
	bool prompted = sounds && sounds[0];
	contact->collect_wait_s = prompted ? wait_s : 0;
	if (prompted)
		play(contact, sounds_json(sounds), 1);
	contact->collect = contact->numbers + 1;
	collect(contact, prompted ? PROMPT_MAX_MS : wait_s * 1000);
}

/* Only now the caller is to decide. */
void wait_prompt_played(struct tl_contact *contact)
{
	unsigned wait_s = contact->collect_wait_s;
	contact->collect_wait_s = 0;
	if (wait_s)
		collect(contact, wait_s * 1000);
}

void tl_contact_release(struct tl_contact *contact, unsigned cause)
{
	if (contact->of) /* its leg is that of an agent */
		consult_over(contact, cause);
	else
		command_release(contact, contact->leg, cause);
}

void tl_contact_queue(struct tl_contact *contact, const struct tl_contact_wait *wait)
{
	if (g_strcmp0(contact->queue, wait->queue)) {
		contact->enqueued_utc_us = 0; /* another queue: at its end */
		contact->overflowed = false;
	}
	contact->overflow_due = false;
	g_free(contact->queue);
	g_free(contact->music);
	g_strfreev(contact->position);
	contact->queue = g_strdup(wait->queue);
	contact->music = g_strdup(wait->music);
	contact->position = g_strdupv((char **)wait->position);
	contact->position_every_s = wait->position_every_s;
	if (!contact->enqueued_utc_us)
		contact->enqueued_utc_us = tl_clock_utc_us();
	if (wait->overflow_s) {
		int64_t left_us = contact->enqueued_utc_us + (int64_t)wait->overflow_s * G_USEC_PER_SEC - tl_clock_utc_us();
		tl_timer_start(contact->overflow, CLAMP(left_us, 0, (int64_t)wait->overflow_s * G_USEC_PER_SEC) / 1000);
	}
	contact_fire(contact, CONTACT_QUEUE, NULL);
}

/*
 * One endless play: the place, then music for long. Should the desk die, the
 * caller goes on hearing something without anybody having to ask for it.
 */
static void play_music(struct tl_contact *contact)
{
	JsonArray *sounds = sounds_json((const char *const *)contact->position);
	unsigned place = tl_acd_position(contact->contacts->acd, contact->id);
	bool told = json_array_get_length(sounds) && place;
	if (told) {
		g_autofree char *number = g_strdup_printf("number:%u", place);
		json_array_add_string_element(sounds, number);
	} else {
		json_array_unref(sounds);
		sounds = json_array_new();
	}
	do
		json_array_add_string_element(sounds, contact->music);
	while (told && json_array_get_length(sounds) < SOUNDS_MAX);
	play(contact, sounds, 0);
	if (contact->position && contact->position[0] && contact->position_every_s)
		tl_timer_start(contact->position_timer, contact->position_every_s * 1000);
}

static void queue_refused(struct tl_contact *contact, const GError *error)
{
	tl_notice("%s: %s", contact->id, error->message);
	if (contact->queue)
		contact_fire(contact, CONTACT_OVERFLOW, NULL);
	else
		tl_contact_release(contact, CAUSE_TEMPORARY_FAILURE);
}

void wait_queued(void *user, const void *data)
{
	struct tl_contact *contact = user;
	g_autoptr(GError) error = NULL;
	const char *agent = contact->transfer_to ? contact->transfer_to : contact->place_agent;
	(void)data;
	if (!tl_acd_enqueue(contact->contacts->acd, contact->id, contact->queue, agent, contact->enqueued_utc_us, &error)) {
		queue_refused(contact, error);
		return;
	}
	if (contact->music && !contact->playing)
		play_music(contact);
	g_clear_pointer(&contact->playing, g_free); /* the next time it is ours to begin */
	contact_changed(contact);
}

void wait_stop(struct tl_contact *contact)
{
	tl_timer_stop(contact->overflow);
	tl_timer_stop(contact->position_timer);
}

void wait_overflowed(void *user, const void *data)
{
	struct tl_contact *contact = user;
	(void)data;
	wait_stop(contact);
	contact->overflowed = true;
	tl_acd_finished(contact->contacts->acd, contact->id, true);
	struct tl_transaction *t = tl_transaction_new("overflow");
	tl_transaction_guard(t, contact->contacts->epoch);
	tl_transaction_add(t, "UPDATE contact SET state = 'open', outcome = 'overflowed' WHERE id = $1",
			   TL_VALUES(tl_text(contact->id)));
	tl_store_submit(contact->contacts->store, t, NULL, NULL);
	contact->contacts->handler.on_overflow(contact, contact->contacts->user);
}
