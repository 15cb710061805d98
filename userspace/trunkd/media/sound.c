/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/sound.h"

#include <gio/gio.h>
#include <string.h>

#include "media/g711.h"
#include "media/resample.h"
#include "media/wav.h"

struct tl_sound {
	gatomicrefcount references;
	size_t n;
	uint8_t *octets[2]; /* by law; RO */
};

static struct tl_sound *sound_alloc(size_t n)
{
	struct tl_sound *sound = g_new0(struct tl_sound, 1);
	g_atomic_ref_count_init(&sound->references);
	sound->n = n;
	sound->octets[TL_LAW_ALAW] = g_malloc(n + 1);
	sound->octets[TL_LAW_ULAW] = g_malloc(n + 1);
	return sound;
}

struct tl_sound *tl_sound_new_both(const uint8_t *alaw, const uint8_t *ulaw, size_t n)
{
	struct tl_sound *sound = sound_alloc(n);
	memcpy(sound->octets[TL_LAW_ALAW], alaw, n);
	memcpy(sound->octets[TL_LAW_ULAW], ulaw, n);
	return sound;
}

struct tl_sound *tl_sound_new_linear(const int16_t *samples, size_t n)
{
	struct tl_sound *sound = sound_alloc(n);
	for (enum tl_law law = TL_LAW_ALAW; law <= TL_LAW_ULAW; law++)
		tl_g711_encode(law, samples, sound->octets[law], n);
	return sound;
}

struct tl_sound *tl_sound_new(enum tl_law law, const uint8_t *octets, size_t n_octets)
{
	struct tl_sound *sound = sound_alloc(n_octets);
	for (enum tl_law to = TL_LAW_ALAW; to <= TL_LAW_ULAW; to++)
		tl_g711_convert(law, to, octets, sound->octets[to], n_octets);
	return sound;
}

struct tl_sound *tl_sound_ref(struct tl_sound *sound)
{
	g_atomic_ref_count_inc(&sound->references);
	return sound;
}

void tl_sound_unref(struct tl_sound *sound)
{
	if (!sound || !g_atomic_ref_count_dec(&sound->references))
		return;
	g_free(sound->octets[TL_LAW_ALAW]);
	g_free(sound->octets[TL_LAW_ULAW]);
	g_free(sound);
}

unsigned tl_sound_duration_ms(const struct tl_sound *sound)
{
	return sound->n / 8;
}

const uint8_t *tl_sound_octets(const struct tl_sound *sound, enum tl_law law, size_t *n_octets)
{
	*n_octets = sound->n;
	return sound->octets[law];
}

/* The first channel as linear. */
static int16_t *linear_of(const struct tl_wav *wav, size_t n)
{
	int16_t *samples = g_new(int16_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = wav->data + i * wav->channels * (wav->format == TL_WAV_LINEAR ? 2 : 1);
		if (wav->format == TL_WAV_LINEAR)
			samples[i] = (int16_t)(at[0] | at[1] << 8);
		else
			tl_g711_decode(wav->format == TL_WAV_ALAW ? TL_LAW_ALAW : TL_LAW_ULAW, at, samples + i, 1);
	}
	return samples;
}

static struct tl_sound *sound_from_wav(const struct tl_wav *wav, unsigned max_seconds)
{
	size_t n = MIN(wav->n_frames, (size_t)max_seconds * wav->rate_hz);
	if (wav->format != TL_WAV_LINEAR && wav->rate_hz == 8000 && wav->channels == 1)
		return tl_sound_new(wav->format == TL_WAV_ALAW ? TL_LAW_ALAW : TL_LAW_ULAW, wav->data, n);
	g_autofree int16_t *samples = linear_of(wav, n);
	size_t n_out = tl_resample_length(wav->rate_hz, n);
	g_autofree int16_t *out = g_new(int16_t, n_out + 1);
	tl_resample(wav->rate_hz, samples, n, out);
	return tl_sound_new_linear(out, n_out);
}

struct tl_sound *tl_sound_load_now(const char *path, unsigned max_seconds, GError **error)
{
	struct tl_wav wav;
	g_autofree char *octets = NULL;
	gsize n;
	if (!g_file_get_contents(path, &octets, &n, error))
		return NULL;
	if (!tl_wav_parse((const uint8_t *)octets, n, &wav, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	return sound_from_wav(&wav, max_seconds);
}

struct load {
	char *path;
	unsigned max_seconds;
	void (*on_loaded)(struct tl_sound *sound, const GError *error, void *user);
	void *user;
};

static void load_free(void *data)
{
	struct load *load = data;
	g_free(load->path);
	g_free(load);
}

static void load_on_worker(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct load *load = data;
	GError *error = NULL;
	struct tl_sound *sound = tl_sound_load_now(load->path, load->max_seconds, &error);
	if (sound)
		g_task_return_pointer(task, sound, (GDestroyNotify)tl_sound_unref);
	else
		g_task_return_error(task, error);
}

static void load_done(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	struct load *load = g_task_get_task_data(G_TASK(result));
	struct tl_sound *sound = g_task_propagate_pointer(G_TASK(result), &error);
	load->on_loaded(sound, error, load->user);
}

void tl_sound_load(const char *path, unsigned max_seconds,
		   void (*on_loaded)(struct tl_sound *sound, const GError *error, void *user), void *user)
{
	struct load *load = g_new0(struct load, 1);
	*load = (struct load){ g_strdup(path), max_seconds, on_loaded, user };
	g_autoptr(GTask) task = g_task_new(NULL, NULL, load_done, NULL);
	g_task_set_task_data(task, load, load_free);
	g_task_run_in_thread(task, load_on_worker);
}

bool tl_sound_save(const char *path, enum tl_law law, const uint8_t *octets, size_t n_octets, GError **error)
{
	uint8_t header[TL_WAV_HEADER_OCTETS];
	g_autoptr(GByteArray) file = g_byte_array_sized_new(sizeof header + n_octets + 1);
	tl_wav_format(law == TL_LAW_ALAW ? TL_WAV_ALAW : TL_WAV_ULAW, 1, n_octets, header);
	g_byte_array_append(file, header, sizeof header);
	g_byte_array_append(file, octets, n_octets);
	if (n_octets & 1)
		g_byte_array_append(file, (const uint8_t *)"", 1);
	return g_file_set_contents_full(path, (const char *)file->data, file->len, G_FILE_SET_CONTENTS_CONSISTENT,
					0644, error);
}
