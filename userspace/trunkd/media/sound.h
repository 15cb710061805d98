/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What is inside a sound: the same samples as octets of both laws, so that playing is copying. Immutable. */
#pragma once

#include "media/media.h"

/** Copies @n octets of each law. (transfer full) Any thread. */
struct tl_sound *tl_sound_new_both(const uint8_t *alaw, const uint8_t *ulaw, size_t n);

/** From 8 kHz linear. (transfer full) Any thread. */
struct tl_sound *tl_sound_new_linear(const int16_t *samples, size_t n);

/** Its octets in @law, borrowed; @n_octets set. Any thread, real-time safe. */
const uint8_t *tl_sound_octets(const struct tl_sound *sound, enum tl_law law, size_t *n_octets);
