/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/wav.h"

#include <string.h>

#include "media/media.h"

#define EXTENSIBLE 0xfffe

static unsigned get16(const uint8_t *o)
{
	return o[0] | o[1] << 8;
}

static uint32_t get32(const uint8_t *o)
{
	return get16(o) | (uint32_t)get16(o + 2) << 16;
}

static void put16(uint8_t *o, unsigned value)
{
	o[0] = value;
	o[1] = value >> 8;
}

static void put32(uint8_t *o, uint32_t value)
{
	put16(o, value);
	put16(o + 2, value >> 16);
}

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_SOUND, "not a usable WAV file: %s", what);
	return FALSE;
}

static gboolean format_parse(const uint8_t *o, size_t n, struct tl_wav *wav, GError **error)
{
	if (n < 16)
		return refuse(error, "the fmt chunk is shorter than 16 octets");
	unsigned tag = get16(o), bits = get16(o + 14);
	if (tag == EXTENSIBLE && n >= 26)
		tag = get16(o + 24); /* the first octets of the sub-format's GUID */
	wav->format = tag;
	wav->channels = get16(o + 2);
	wav->rate_hz = get32(o + 4);
	if (tag != TL_WAV_LINEAR && tag != TL_WAV_ALAW && tag != TL_WAV_ULAW)
		return refuse(error, "expected format 1 (linear), 6 (A-law) or 7 (mu-law)");
	if (bits != (tag == TL_WAV_LINEAR ? 16 : 8))
		return refuse(error, "expected 16 bits a sample (linear) or 8 (A-law, mu-law)");
	if (wav->channels < 1 || wav->channels > 2)
		return refuse(error, "expected one or two channels");
	if (wav->rate_hz < 4000 || wav->rate_hz > 192000)
		return refuse(error, "expected a rate of 4000 to 192000 Hz");
	return TRUE;
}

gboolean tl_wav_parse(const uint8_t *octets, size_t n_octets, struct tl_wav *wav, GError **error)
{
	struct tl_wav found = { 0 };
	if (n_octets < 12 || memcmp(octets, "RIFF", 4) || memcmp(octets + 8, "WAVE", 4))
		return refuse(error, "it does not begin with RIFF and WAVE");
	size_t at = 12;
	while (n_octets - at >= 8) {
		const uint8_t *chunk = octets + at;
		size_t room = n_octets - at - 8, n = get32(chunk + 4);
		if (!memcmp(chunk, "fmt ", 4)) {
			if (!format_parse(chunk + 8, MIN(n, room), &found, error))
				return FALSE;
		} else if (!memcmp(chunk, "data", 4)) {
			if (!found.channels)
				return refuse(error, "the data come before the fmt chunk");
			found.data = chunk + 8;
			found.n_frames = MIN(n, room) / (found.channels * (found.format == TL_WAV_LINEAR ? 2 : 1));
			*wav = found;
			return TRUE;
		}
		if (n >= room)
			break;
		at += 8 + n + (n & 1 && n < room ? 1 : 0);
	}
	return refuse(error, "it has no data chunk");
}

void tl_wav_format(enum tl_wav_format format, unsigned channels, size_t n_octets, uint8_t header[TL_WAV_HEADER_OCTETS])
{
	unsigned octets = format == TL_WAV_LINEAR ? 2 : 1, frame = octets * channels;
	uint8_t *o = header;
	memset(o, 0, TL_WAV_HEADER_OCTETS);
	memcpy(o, "RIFF", 4);
	put32(o + 4, TL_WAV_HEADER_OCTETS - 8 + n_octets + (n_octets & 1));
	memcpy(o + 8, "WAVEfmt ", 8);
	put32(o + 16, 18);
	put16(o + 20, format);
	put16(o + 22, channels);
	put32(o + 24, 8000);
	put32(o + 28, 8000 * frame);
	put16(o + 32, frame);
	put16(o + 34, 8 * octets);
	memcpy(o + 38, "fact", 4); /* required of formats other than linear */
	put32(o + 42, 4);
	put32(o + 46, n_octets / frame);
	memcpy(o + 50, "data", 4);
	put32(o + 54, n_octets);
}
