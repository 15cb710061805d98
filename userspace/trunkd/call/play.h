/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Playing to a leg, and gathering digits from it. Thread: main. */
#pragma once

#include "call/node.h"

/* ---- play.c ---- */

/**
 * tl_play_start - play @sounds (as the protocol names them) in order, @loops times (0: for ever), instead of what plays.
 * @id may be NULL: then nobody is told. Errors: a name that is none. What cannot be loaded is told by leg.played.
 */
bool tl_play_start(struct tl_leg *leg, const char *id, const char *const *sounds, unsigned loops, GError **error);
void tl_play_stop(struct tl_leg *leg);
/** Its id; NULL when nothing plays or nobody asked. */
const char *tl_play_id(const struct tl_leg *leg);
/** Media has done @media_id. */
void tl_play_on_done(struct tl_leg *leg, uint64_t media_id, bool completed);

/* ---- collect.c ---- */

struct tl_collect_config {
	const char *id;
	unsigned max;
	const char *terminators;
	unsigned first_ms, next_ms;
};
void tl_collect_start(struct tl_leg *leg, const struct tl_collect_config *config);
/** Ends what is gathered; @why as the protocol says. Harmless when nothing is. */
void tl_collect_end(struct tl_leg *leg, const char *why);
/** A digit came, by whatever way. */
void tl_collect_digit(struct tl_leg *leg, char digit, unsigned duration_ms);
/** While something plays the wait for the first digit has not begun; it does when that has ended. */
void tl_collect_play_began(struct tl_leg *leg);
void tl_collect_play_ended(struct tl_leg *leg);

/* ---- sounds.c: the cache ---- */

/** @max_octets: beyond it the longest unused are dropped. (transfer full) */
struct tl_sounds *tl_sounds_new(const char *sounds_dir, const char *blobs_dir, size_t max_octets, unsigned max_seconds);
void tl_sounds_free(struct tl_sounds *sounds);
typedef void (*tl_sounds_done)(struct tl_sound *sound, const GError *error, void *user);
/** Loads "digits/7.wav" of the sounds directory, or a blob; @on_done (sound borrowed) now or later, exactly once. */
void tl_sounds_get(struct tl_sounds *sounds, bool blob, const char *name, tl_sounds_done on_done, void *user);
unsigned tl_sounds_count(const struct tl_sounds *sounds);
