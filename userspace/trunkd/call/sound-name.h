/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The names of sounds, as the control protocol and the configuration write them. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "media/media.h"

#define TL_SILENCE_MAX_MS 60000

enum tl_sound_kind {
	TL_SOUND_FILE,    /* file:NAME, a WAV file below the sounds directory */
	TL_SOUND_BLOB,    /* blob:SHA256 */
	TL_SOUND_TONE,    /* tone:KIND or tone:KIND/COUNTRY */
	TL_SOUND_NUMBER,  /* number:N, digit by digit */
	TL_SOUND_SILENCE, /* silence:MS */
};

struct tl_sound_name {
	enum tl_sound_kind kind;
	char name[257];           /* FILE: relative path with .wav; BLOB: 64 hex digits; NUMBER: digits; TONE: country or "" */
	enum tl_tone_kind tone;
	unsigned silence_ms;
};

/**
 * tl_sound_name_parse - read @text; a file's name never leads out of its directory.
 * On failure @expected says what was expected. Static. @name is untouched then.
 */
bool tl_sound_name_parse(const char *text, struct tl_sound_name *name, const char **expected);
