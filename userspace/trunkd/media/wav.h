/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* RIFF WAVE files as octets: what is read of them, and the header that is written. Pure; any thread. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define TL_WAV_HEADER_OCTETS 58

enum tl_wav_format { TL_WAV_LINEAR = 1, TL_WAV_ALAW = 6, TL_WAV_ULAW = 7 };

struct tl_wav {
	enum tl_wav_format format;
	unsigned rate_hz;        /* 4000-192000 */
	unsigned channels;       /* 1 or 2 */
	const uint8_t *data;     /* inside the parsed octets; whole frames */
	size_t n_frames;
};

/**
 * tl_wav_parse - read a file's octets: linear 16 bit (also as WAVE_FORMAT_EXTENSIBLE), A-law or mu-law, 1-2 channels.
 * A data chunk cut short by the file's end is taken as far as it goes. TL_MEDIA_ERROR_SOUND otherwise.
 */
gboolean tl_wav_parse(const uint8_t *octets, size_t n_octets, struct tl_wav *wav, GError **error);

/** Writes the header for @n_octets of @channels at 8 kHz. */
void tl_wav_format(enum tl_wav_format format, unsigned channels, size_t n_octets, uint8_t header[TL_WAV_HEADER_OCTETS]);
