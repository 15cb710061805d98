/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/play.h"

#include <string.h>

#include "media/g711.h"
#include "media/mf.h"
#include "media/sound.h"

#define BLOCK_MS 10
#define PAUSE_BLOCKS 50 /* w */

static struct tl_play *play_new(struct tl_port *port, uint64_t id)
{
	struct tl_play *play = g_new0(struct tl_play, 1);
	play->parcel.kind = TL_PARCEL_PLAY;
	play->port = port;
	play->id = id;
	return play;
}

struct tl_play *tl_play_new_sounds(struct tl_port *port, uint64_t id, struct tl_sound *const *sounds,
				   unsigned n_sounds, unsigned loops)
{
	g_assert(n_sounds >= 1 && n_sounds <= TL_PLAY_SOUNDS_MAX);
	struct tl_play *play = play_new(port, id);
	for (unsigned i = 0; i < n_sounds; i++)
		play->sounds[i] = tl_sound_ref(sounds[i]);
	play->n_sounds = n_sounds;
	play->loops = loops;
	return play;
}

struct tl_play *tl_play_new_digits(struct tl_port *port, uint64_t id, const char *digits, unsigned on_ms,
				   unsigned off_ms)
{
	struct tl_play *play = play_new(port, id);
	g_strlcpy(play->digits, digits, sizeof play->digits);
	play->on_blocks = (on_ms + BLOCK_MS - 1) / BLOCK_MS;
	play->off_blocks = (off_ms + BLOCK_MS - 1) / BLOCK_MS;
	return play;
}

struct tl_play *tl_play_new_mf(struct tl_port *port, uint64_t id, const char *digits)
{
	struct tl_play *play = tl_play_new_digits(port, id, digits, 0, tl_mf_on_ms(0));
	play->mf = true;
	return play;
}

bool tl_play_waits(const struct tl_play *digits, const struct tl_play *play)
{
	return digits->digits[0] && play->digits[0] && digits->mf == play->mf;
}

bool tl_play_append(struct tl_play *play, struct tl_play *digits)
{
	for (unsigned waiting = 0; waiting < TL_PLAY_WAITING_MAX; waiting++, play = play->next)
		if (!play->next) {
			play->next = digits;
			return true;
		}
	return false;
}

void tl_play_free(struct tl_play *play)
{
	if (!play)
		return;
	for (unsigned i = 0; i < play->n_sounds; i++)
		tl_sound_unref(play->sounds[i]);
	g_free(play);
}

/* Steps to the next sound; false after the last one of the last round. */
static bool next_sound(struct tl_play *play)
{
	play->at = 0;
	if (++play->item < play->n_sounds)
		return true;
	play->item = 0;
	play->rounds += play->loops > 0;
	return play->loops == 0 || play->rounds < play->loops;
}

static bool sounds_over(const struct tl_play *play)
{
	return play->loops > 0 && play->rounds >= play->loops;
}

static bool sounds_block(struct tl_play *play, enum tl_law law, uint8_t *block)
{
	unsigned filled = 0, empty = 0;
	if (sounds_over(play))
		return false;
	/* A round of nothing but empty sounds ends it: the loop below is bounded. */
	while (filled < TL_BLOCK_OCTETS && empty <= play->n_sounds) {
		size_t n;
		const uint8_t *octets = tl_sound_octets(play->sounds[play->item], law, &n);
		size_t take = MIN(n - play->at, TL_BLOCK_OCTETS - filled);
		memcpy(block + filled, octets + play->at, take);
		filled += take;
		play->at += take;
		empty = n ? 0 : empty + 1;
		if (play->at == n && !next_sound(play))
			break;
	}
	if (empty > play->n_sounds)
		play->loops = play->rounds = 1;
	memset(block + filled, tl_law_idle(law), TL_BLOCK_OCTETS - filled);
	return filled > 0;
}

static void tone_block(struct tl_play *play, enum tl_law law, unsigned code, uint8_t *block)
{
	int16_t samples[TL_BLOCK_OCTETS];
	if (play->at == 0)
		(play->mf ? tl_mf_tone : tl_dtmf_tone)(&play->oscillator, code);
	tl_oscillator_fill(&play->oscillator, samples, TL_BLOCK_OCTETS);
	tl_g711_encode(law, samples, block, TL_BLOCK_OCTETS);
}

static bool digits_block(struct tl_play *play, enum tl_law law, uint8_t *block, int *event)
{
	char digit = play->digits[play->item];
	int code = play->mf ? tl_mf_code(digit) : tl_dtmf_code(digit);
	unsigned on = code < 0 ? 0 : play->mf ? tl_mf_on_ms(code) / BLOCK_MS : play->on_blocks;
	if (!digit)
		return false;
	if (play->at < on) {
		tone_block(play, law, code, block);
		*event = play->mf ? -1 : code;
	} else {
		memset(block, tl_law_idle(law), TL_BLOCK_OCTETS);
	}
	if (++play->at >= on + (code < 0 ? PAUSE_BLOCKS : play->off_blocks)) {
		play->item++;
		play->at = 0;
	}
	return true;
}

bool tl_play_block(struct tl_play *play, enum tl_law law, uint8_t *block, int *event)
{
	*event = -1;
	if (play->digits[0])
		return digits_block(play, law, block, event);
	return sounds_block(play, law, block);
}
