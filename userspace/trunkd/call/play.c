/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/play.h"

#include <string.h>

#include "call/report.h"
#include "call/sound-name.h"

#define TL_ROOM "call"
#include "base/log.h"

#define SOUNDS_MAX 16 /* that media takes at once */

/* A tone, or a sound; numbers have become one item a digit. */
struct item {
	bool tone;
	enum tl_tone_kind kind;
	char country[4];
	char file[264];
	bool blob;
	unsigned silence_ms;
	struct tl_sound *sound; /* once loaded */
};

struct tl_play {
	struct tl_leg *leg;     /* NULL: stopped, but sounds are still being loaded for it */
	char *id;               /* NULL: nobody asked */
	GArray *items;
	unsigned loops_left;    /* 0: for ever */
	bool for_ever;
	unsigned at;            /* item that plays, or the first of those that do */
	unsigned n_now;         /* items that play now */
	uint64_t media_id;
	unsigned loading;
	char *error;            /* the first that failed to load */
};

static struct item *item_at(const struct tl_play *play, unsigned i)
{
	return &g_array_index(play->items, struct item, i);
}

static void play_free(struct tl_play *play)
{
	for (unsigned i = 0; i < play->items->len; i++)
		if (item_at(play, i)->sound)
			tl_sound_unref(item_at(play, i)->sound);
	g_array_unref(play->items);
	g_free(play->id);
	g_free(play->error);
	g_free(play);
}

/* An announcement that nobody waits for ends its leg. */
static void end_announced(struct tl_leg *leg, bool failed)
{
	bool answered = tl_leg_state(leg) == TL_LEG_ANSWERED;
	if (leg->ends_after_play && tl_leg_is_live(leg))
		tl_leg_release(leg, failed ? TL_CAUSE_TEMPORARY_FAILURE :
			       answered ? TL_CAUSE_NORMAL_CLEARING : TL_CAUSE_NORMAL_UNSPECIFIED);
}

static void finish(struct tl_play *play, bool completed)
{
	struct tl_leg *leg = play->leg;
	bool failed = play->error != NULL;
	leg->play = NULL;
	play->leg = NULL;
	if (play->id) {
		JsonObject *params = json_object_new();
		json_object_set_string_member(params, "play", play->id);
		json_object_set_boolean_member(params, "completed", completed);
		if (play->error)
			json_object_set_string_member(params, "error", play->error);
		tl_report_leg(leg, "leg.played", params);
	} else if (play->error) {
		tl_warning("leg %s: %s", leg->id, play->error);
	}
	tl_collect_play_ended(leg);
	if (!play->loading)
		play_free(play);
	end_announced(leg, failed);
}

static void fail(struct tl_play *play, const char *error)
{
	g_free(play->error);
	play->error = g_strdup(error);
	finish(play, false);
}

/* ---- names to items ---- */

static void add_items(struct tl_play *play, const struct tl_sound_name *name, const char *country)
{
	struct item item = { 0 };
	switch (name->kind) {
	case TL_SOUND_FILE:
	case TL_SOUND_BLOB:
		item.blob = name->kind == TL_SOUND_BLOB;
		g_strlcpy(item.file, name->name, sizeof item.file);
		break;
	case TL_SOUND_TONE:
		item.tone = true;
		item.kind = name->tone;
		g_strlcpy(item.country, *name->name ? name->name : country, sizeof item.country);
		break;
	case TL_SOUND_NUMBER:
		for (const char *digit = name->name; *digit; digit++) {
			g_snprintf(item.file, sizeof item.file, "digits/%c.wav", *digit);
			g_array_append_val(play->items, item);
		}
		return;
	case TL_SOUND_SILENCE:
		item.silence_ms = name->silence_ms;
		break;
	}
	g_array_append_val(play->items, item);
}

static struct tl_sound *make_silence(unsigned ms, enum tl_law law)
{
	g_autofree uint8_t *octets = g_malloc(ms * 8);
	memset(octets, tl_law_idle(law), ms * 8);
	return tl_sound_new(law, octets, ms * 8);
}

/* ---- playing ---- */

static void play_tone(struct tl_play *play, struct tl_port *port)
{
	const struct item *item = item_at(play, play->at);
	play->n_now = 1;
	if (tl_port_tone(port, play->media_id, item->country, item->kind)) {
		g_autofree char *error = g_strdup_printf("no such tone for country %s", item->country);
		fail(play, error);
	}
}

static void play_sounds(struct tl_play *play, struct tl_port *port)
{
	struct tl_sound *sounds[SOUNDS_MAX];
	unsigned n = 0;
	for (; n < SOUNDS_MAX && play->at + n < play->items->len && !item_at(play, play->at + n)->tone; n++)
		sounds[n] = item_at(play, play->at + n)->sound;
	play->n_now = n;
	bool whole = n == play->items->len;
	tl_port_play(port, play->media_id, sounds, n, whole ? play->loops_left : 1);
	if (whole) { /* media repeats it without a gap */
		play->for_ever = false;
		play->loops_left = 1;
	}
}

static void play_next(struct tl_play *play)
{
	g_autoptr(GError) error = NULL;
	struct tl_port *port = tl_leg_audio(play->leg, &error);
	if (!port) {
		fail(play, error->message);
		return;
	}
	play->media_id = ++play->leg->node->media_id;
	if (item_at(play, play->at)->tone)
		play_tone(play, port);
	else
		play_sounds(play, port);
}

void tl_play_on_done(struct tl_leg *leg, uint64_t media_id, bool completed)
{
	struct tl_play *play = leg->play;
	if (!play || play->media_id != media_id)
		return;
	if (!completed) {
		finish(play, false);
		return;
	}
	play->at += play->n_now;
	if (play->at >= play->items->len) {
		play->at = 0;
		if (!play->for_ever && !--play->loops_left) {
			finish(play, true);
			return;
		}
	}
	play_next(play);
}

/* ---- loading ---- */

struct load {
	struct tl_play *play;
	unsigned item;
};

static void loaded(struct tl_play *play)
{
	if (!play->leg)
		play_free(play);
	else if (play->error)
		finish(play, false);
	else
		play_next(play);
}

static void on_loaded(struct tl_sound *sound, const GError *error, void *user)
{
	struct load *load = user;
	struct tl_play *play = load->play;
	if (sound)
		item_at(play, load->item)->sound = tl_sound_ref(sound);
	else if (!play->error)
		play->error = g_strdup(error->message);
	g_free(load);
	if (!--play->loading)
		loaded(play);
}

static void load_all(struct tl_play *play)
{
	struct tl_leg *leg = play->leg;
	play->loading = 1; /* so that what is in the cache does not finish before the last is asked for */
	for (unsigned i = 0; i < play->items->len; i++) {
		struct item *item = item_at(play, i);
		if (item->silence_ms)
			item->sound = make_silence(item->silence_ms, tl_leg_law(leg));
		if (item->tone || item->sound)
			continue;
		struct load *load = g_new(struct load, 1);
		*load = (struct load){ play, i };
		play->loading++;
		tl_sounds_get(leg->node->sounds, item->blob, item->file, on_loaded, load);
	}
	if (!--play->loading)
		loaded(play);
}

static void drop_current(struct tl_leg *leg)
{
	struct tl_play *play = leg->play;
	if (!play)
		return;
	bool ends = leg->ends_after_play;
	leg->ends_after_play = false; /* replaced or cut, not played to its end */
	finish(play, false);
	leg->ends_after_play = ends;
}

bool tl_play_start(struct tl_leg *leg, const char *id, const char *const *sounds, unsigned loops, GError **error)
{
	struct tl_play *play = g_new0(struct tl_play, 1);
	play->items = g_array_new(FALSE, TRUE, sizeof(struct item));
	for (unsigned i = 0; sounds[i]; i++) {
		struct tl_sound_name name;
		const char *expected;
		if (!tl_sound_name_parse(sounds[i], &name, &expected)) {
			g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "sounds: %s: expected %s", sounds[i], expected);
			play_free(play);
			return false;
		}
		add_items(play, &name, leg->node->config->country);
	}
	if (!tl_leg_audio(leg, error)) {
		play_free(play);
		return false;
	}
	drop_current(leg);
	play->leg = leg;
	play->id = g_strdup(id);
	play->for_ever = !loops;
	play->loops_left = loops;
	leg->play = play;
	tl_collect_play_began(leg);
	load_all(play);
	return true;
}

void tl_play_stop(struct tl_leg *leg)
{
	if (!leg->play)
		return;
	if (leg->port && leg->play->media_id)
		tl_port_stop(leg->port);
	drop_current(leg);
}

const char *tl_play_id(const struct tl_leg *leg)
{
	return leg->play ? leg->play->id : NULL;
}
