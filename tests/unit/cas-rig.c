/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "cas-rig.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

#define SEND_MS 100 /* whatever is sent */

/* ---- audio ---- */

struct rig_audio {
	struct rig_end *end;
	unsigned slot;
	struct tl_inband_handler handler;
	void *user;
	bool hears_digits, hears_id;
	enum tl_inband_digits kind;
	enum tl_caller_id_kind id_kind;
	struct tl_timer *timer;
	char *digits;           /* being sent; or */
	struct tl_caller_id id;
	enum tl_caller_id_kind says_id;
	enum tl_inband_digits says;
};

static struct rig_audio *peer_of(const struct rig_audio *audio)
{
	for (unsigned i = 0; i < audio->end->other->audio->len; i++) {
		struct rig_audio *other = g_ptr_array_index(audio->end->other->audio, i);
		if (other->slot == audio->slot)
			return other;
	}
	return NULL;
}

static void pass_digits(struct rig_audio *audio, const char *digits)
{
	for (; *digits; digits++) {
		struct rig_audio *peer = peer_of(audio);
		if (peer && peer->hears_digits && peer->kind == audio->says)
			peer->handler.on_digit((struct tl_inband *)peer, *digits, peer->user);
	}
}

static void on_timer(void *user)
{
	struct rig_audio *audio = user, *peer = peer_of(audio);
	if (audio->digits) {
		g_autofree char *digits = g_steal_pointer(&audio->digits);
		pass_digits(audio, digits);
	} else if (peer && peer->hears_id && peer->id_kind == audio->says_id) {
		peer->hears_id = false;
		peer->handler.on_caller_id((struct tl_inband *)peer, &audio->id, peer->user);
	}
	audio->handler.on_sent((struct tl_inband *)audio, audio->user);
}

static struct tl_inband *audio_open(void *room, struct tl_span *span, unsigned slot, const struct tl_inband_handler *handler,
				    void *user)
{
	struct rig_audio *audio = g_new0(struct rig_audio, 1);
	audio->end = room;
	audio->slot = slot;
	audio->handler = *handler;
	audio->user = user;
	audio->timer = tl_timer_new("audio", on_timer, audio);
	g_assert_false(audio->end->dialog && audio->end->dialog->slot == slot && audio->end->answered);
	g_ptr_array_add(audio->end->audio, audio);
	return (struct tl_inband *)audio;
}

static void audio_free(void *data)
{
	struct rig_audio *audio = data;
	tl_timer_free(audio->timer);
	g_free(audio->digits);
	g_free(audio);
}

static void audio_close(struct tl_inband *inband)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->end->has_tone = false;
	g_ptr_array_remove(audio->end->audio, audio);
}

static int send_digits(struct tl_inband *inband, enum tl_inband_digits kind, const char *digits)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->digits = g_strdup(digits);
	audio->says = kind;
	tl_timer_start(audio->timer, SEND_MS);
	return 0;
}

static int send_caller_id(struct tl_inband *inband, enum tl_caller_id_kind kind, const struct tl_caller_id *id)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->id = *id;
	audio->says_id = kind;
	tl_timer_start(audio->timer, SEND_MS);
	return 0;
}

static void tone(struct tl_inband *inband, enum tl_inband_tone tone)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->end->tone = tone;
	audio->end->has_tone = true;
}

static void quiet(struct tl_inband *inband)
{
	((struct rig_audio *)inband)->end->has_tone = false;
}

static void hear_digits(struct tl_inband *inband, enum tl_inband_digits kind)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->hears_digits = true;
	audio->kind = kind;
}

static void hear_caller_id(struct tl_inband *inband, enum tl_caller_id_kind kind)
{
	struct rig_audio *audio = (struct rig_audio *)inband;
	audio->hears_id = true;
	audio->id_kind = kind;
}

static const struct tl_inband_ops audio_ops = {
	.open = audio_open, .send_digits = send_digits, .send_caller_id = send_caller_id, .tone = tone, .quiet = quiet,
	.hear_digits = hear_digits, .hear_caller_id = hear_caller_id, .close = audio_close,
};

/* ---- the owner ---- */

static void on_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct rig_end *end = user;
	switch (event->kind) {
	case TL_DIALOG_PROCEEDING: end->proceeding = true; break;
	case TL_DIALOG_ALERTING: end->alerting = true; break;
	case TL_DIALOG_PROGRESS: end->progress = true; break;
	case TL_DIALOG_ANSWERED: end->answered = true; break;
	case TL_DIALOG_FLASH: end->flashes++; break;
	case TL_DIALOG_DIGITS:
	case TL_DIALOG_DTMF:
	case TL_DIALOG_MEDIA: break;
	case TL_DIALOG_RELEASED:
		end->released = true;
		end->cause = event->cause;
		end->by_peer = event->by_peer;
		end->dialog = NULL;
		tl_dialog_free(dialog);
		return;
	}
	/* Numbers and tones are done with when a call's audio is its own. */
	if (end->answered)
		g_assert_cmpuint(dialog->slot, ==, 1);
}

static void on_offered(struct tl_signalling *s, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	struct rig_end *end = user;
	g_assert_null(end->dialog);
	end->calls_offered++;
	end->offered = true;
	end->released = false;
	end->dialog = dialog;
	end->setup = *setup;
	dialog->on_event = on_event;
	dialog->user = end;
	if (end->answers) {
		g_assert_cmpint(tl_dialog_answer(dialog), ==, 0);
		end->answered = true;
	}
}

void rig_call(struct rig_end *from)
{
	struct tl_leg_setup setup = { .called_complete = true, .bearer = TL_BEARER_AUDIO_3K1 };
	g_autoptr(GError) error = NULL;
	tl_number_parse("5551000", &setup.called);
	tl_number_parse("3015550", &setup.calling);
	g_strlcpy(setup.calling_name, "Anna", sizeof setup.calling_name);
	g_strlcpy(setup.calling_ii, "23", sizeof setup.calling_ii);
	from->dialog = tl_signalling_call(from->s, &setup, 1, on_event, from, &error);
	g_assert_no_error(error);
}

/* ---- the line ---- */

static void on_bits(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user)
{
	struct rig_end *end = user;
	if (slot == 1)
		end->bits = abcd;
}

static void end_open(struct rig *rig, struct rig_end *end, struct rig_end *other, const struct tl_span_config *line,
		     const struct tl_cas_config *cas)
{
	static const struct tl_signalling_handler handler = { .on_offered = on_offered };
	static const struct tl_span_handler bare = { .on_cas = on_bits };
	struct tl_cas_config config = { .first_digit_ms = 10000, .digit_ms = 3000, .wink_ms = 200, .dial_tone_ms = 1000,
					.flash = true };
	const struct tl_inband_room room = { &audio_ops, end };
	g_autoptr(GError) error = NULL;
	*end = (struct rig_end){ .rig = rig, .other = other };
	end->audio = g_ptr_array_new_with_free_func(audio_free);
	end->span = far_end_span(line);
	if (!cas) {
		tl_span_set_handler(end->span, &bare, end);
		return;
	}
	config.kind = cas->kind;
	config.digits = cas->digits;
	config.caller_id = cas->caller_id;
	config.number = cas->number;
	config.holds = cas->holds;
	config.digits_max = cas->digits_max;
	config.reversal = cas->reversal;
	end->s = tl_cas_signalling_new(end->span, &config, &room, &handler, end, &error);
	g_assert_no_error(error);
}

void rig_open(struct rig *rig, enum tl_span_kind line, const struct tl_cas_config *a, const struct tl_cas_config *b)
{
	struct tl_span_config config = far_end_config(line), mirror;
	tl_clock_fake(1000000);
	config.cas = true;
	mirror = far_end_mirror(&config);
	rig->deaf = false;
	end_open(rig, &rig->a, &rig->b, &config, a);
	end_open(rig, &rig->b, &rig->a, &mirror, b);
	rig_run(rig, 5000);
}

static void end_close(struct rig_end *end)
{
	if (end->s)
		tl_signalling_free(end->s);
	g_assert_cmpuint(end->audio->len, ==, 0);
	g_assert_null(end->dialog);
	tl_span_free(end->span);
	g_ptr_array_unref(end->audio);
}

void rig_close(struct rig *rig)
{
	end_close(&rig->a);
	end_close(&rig->b);
}

static void tick(struct rig_end *end)
{
	far_end_await(end->span, far_end_counters(end->other->span).packets_sent);
	far_end_begin(end->span);
	far_end_end(end->span);
}

static void step(struct rig *rig)
{
	tick(&rig->a);
	tick(&rig->b);
	if (rig->deaf)
		return;
	far_end_main();
	tl_clock_advance(TL_TICK_US);
}

void rig_run(struct rig *rig, unsigned ms)
{
	for (unsigned i = 0; i < ms / 10; i++)
		step(rig);
}

bool rig_until(struct rig *rig, const bool *flag, unsigned ms)
{
	for (unsigned i = 0; !*flag && i < ms / 10; i++)
		step(rig);
	return *flag;
}

static bool is_idle(const struct rig_end *end)
{
	unsigned bearers = tl_span_get_kind(end->span) == TL_SPAN_E1 ? 30 : 24;
	return !end->s || (!end->dialog && tl_signalling_idle_slots(end->s) == bearers);
}

bool rig_idle(struct rig *rig, unsigned ms)
{
	for (unsigned i = 0; i < ms / 10 && !(is_idle(&rig->a) && is_idle(&rig->b)); i++)
		step(rig);
	return is_idle(&rig->a) && is_idle(&rig->b);
}

void rig_forget(struct rig *rig)
{
	struct rig_end *ends[] = { &rig->a, &rig->b };
	for (unsigned i = 0; i < 2; i++) {
		struct rig_end *end = ends[i];
		g_assert_null(end->dialog);
		end->offered = end->proceeding = end->alerting = end->progress = end->answered = end->released = end->by_peer = false;
		end->cause = end->flashes = end->calls_offered = 0;
	}
}

struct wanted {
	const char *name;
	uint64_t value;
};

static void on_counter(const char *name, uint64_t value, void *user)
{
	struct wanted *wanted = user;
	if (!strcmp(name, wanted->name))
		wanted->value = value;
}

uint64_t rig_counter(struct rig_end *end, const char *name)
{
	struct wanted wanted = { name, 0 };
	tl_signalling_counters(end->s, on_counter, &wanted);
	return wanted.value;
}
