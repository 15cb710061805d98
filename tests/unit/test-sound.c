/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* WAV files, good and bad, and what is played of them. */
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "media/g711.h"
#include "media/resample.h"
#include "media/sound.h"
#include "media/wav.h"

struct wav_file {
	uint8_t octets[64];
	size_t n;
};

static struct wav_file wav_header(unsigned tag, unsigned channels, unsigned rate, unsigned bits)
{
	struct wav_file file = { .n = 44 };
	uint8_t *o = file.octets;
	memcpy(o, "RIFF\x40\0\0\0WAVEfmt \x10\0\0\0", 20);
	o[20] = tag; o[21] = tag >> 8;
	o[22] = channels;
	o[24] = rate; o[25] = rate >> 8; o[26] = rate >> 16;
	o[34] = bits;
	memcpy(o + 36, "data\x08\0\0\0", 8);
	memcpy(o + 44, "12345678", 8);
	file.n = 52;
	return file;
}

static void test_parse(void)
{
	struct wav_file file = wav_header(1, 2, 44100, 16);
	struct tl_wav wav;
	GError *error = NULL;
	g_assert_true(tl_wav_parse(file.octets, file.n, &wav, &error));
	g_assert_cmpint(wav.format, ==, TL_WAV_LINEAR);
	g_assert_cmpuint(wav.channels, ==, 2);
	g_assert_cmpuint(wav.rate_hz, ==, 44100);
	g_assert_cmpuint(wav.n_frames, ==, 2);
	g_assert_cmpmem(wav.data, 8, "12345678", 8);
	file.octets[40] = 0xff; /* says more than there is: what a recorder that was killed leaves behind */
	g_assert_true(tl_wav_parse(file.octets, file.n, &wav, &error));
	g_assert_cmpuint(wav.n_frames, ==, 2);
}

static void assert_refused(struct wav_file file)
{
	struct tl_wav wav = { .rate_hz = 1 };
	g_autoptr(GError) error = NULL;
	g_autofree uint8_t *octets = g_memdup2(file.octets, file.n); /* exactly as long: ASan sees over-reads */
	g_assert_false(tl_wav_parse(octets, file.n, &wav, &error));
	g_assert_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_SOUND);
	g_assert_cmpuint(wav.rate_hz, ==, 1);
}

static void test_refuse(void)
{
	struct wav_file good = wav_header(6, 1, 8000, 8), bad;
	struct tl_wav wav;
	g_assert_true(tl_wav_parse(good.octets, good.n, &wav, NULL));
	for (bad = good, bad.n = 0; bad.n < 44; bad.n++)
		assert_refused(bad);
	assert_refused(wav_header(2, 1, 8000, 8));   /* ADPCM */
	assert_refused(wav_header(3, 1, 8000, 32));  /* float */
	assert_refused(wav_header(1, 1, 8000, 24));
	assert_refused(wav_header(6, 1, 8000, 16));
	assert_refused(wav_header(1, 0, 8000, 16));
	assert_refused(wav_header(1, 3, 8000, 16));
	assert_refused(wav_header(1, 1, 0, 16));
	assert_refused(wav_header(1, 1, 1 << 20, 16));
	bad = good;
	bad.octets[0] = 'X';
	assert_refused(bad);
	bad = good;
	bad.octets[36] = 'X'; /* no data chunk */
	assert_refused(bad);
	bad = good;
	memset(bad.octets + 40, 0xff, 4);
	memcpy(bad.octets + 36, "LIST", 4); /* a chunk that leads beyond the end, and around */
	assert_refused(bad);
	bad = good;
	memcpy(bad.octets + 12, "data\x04\0\0\0", 8); /* data before fmt */
	assert_refused(bad);
}

static char *scratch(void)
{
	char *path = NULL;
	g_close(g_file_open_tmp("tl-sound-XXXXXX.wav", &path, NULL), NULL);
	return path;
}

static void test_save_and_load(void)
{
	g_autofree char *path = scratch();
	uint8_t octets[255];
	size_t n;
	GError *error = NULL;
	for (unsigned i = 0; i < sizeof octets; i++)
		octets[i] = i;
	for (enum tl_law law = TL_LAW_ALAW; law <= TL_LAW_ULAW; law++) {
		uint8_t other[255];
		g_assert_true(tl_sound_save(path, law, octets, sizeof octets, &error));
		struct tl_sound *sound = tl_sound_load_now(path, 10, &error);
		g_assert_no_error(error);
		g_assert_cmpmem(tl_sound_octets(sound, law, &n), n, octets, sizeof octets);
		tl_g711_convert(law, !law, octets, other, sizeof other);
		g_assert_cmpmem(tl_sound_octets(sound, !law, &n), n, other, sizeof other);
		g_assert_cmpuint(tl_sound_duration_ms(sound), ==, 31);
		tl_sound_unref(sound);
	}
	g_remove(path);
	g_assert_null(tl_sound_load_now(path, 10, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	g_clear_error(&error);
	g_assert_false(tl_sound_save("/nonexistent/x.wav", TL_LAW_ALAW, octets, 1, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
}

static double level(const int16_t *samples, unsigned n, double hz)
{
	double re = 0, im = 0;
	for (unsigned i = 0; i < n; i++) {
		re += samples[i] * cos(2 * M_PI * hz * i / 8000);
		im += samples[i] * sin(2 * M_PI * hz * i / 8000);
	}
	return 2 * sqrt(re * re + im * im) / n;
}

/* A tone keeps its pitch and level from any rate; one above 4 kHz does not come back as another. */
static void test_resample(void)
{
	static const unsigned rates[] = { 8000, 11025, 16000, 22050, 24000, 44100, 48000, 12345 };
	for (unsigned r = 0; r < G_N_ELEMENTS(rates); r++) {
		unsigned n = rates[r];
		g_autofree int16_t *in = g_new(int16_t, n), *out = g_new(int16_t, 8000);
		g_assert_cmpuint(tl_resample_length(n, n), ==, 8000);
		for (unsigned i = 0; i < n; i++)
			in[i] = lrint(10000 * sin(2 * M_PI * 1000 * i / n));
		tl_resample(n, in, n, out);
		g_assert_cmpfloat_with_epsilon(level(out + 1000, 6000, 1000), 10000, 150);
		g_assert_cmpfloat(level(out + 1000, 6000, 1800), <, 30);
		if (n < 16000)
			continue;
		for (unsigned i = 0; i < n; i++)
			in[i] = lrint(10000 * sin(2 * M_PI * 5500 * i / n));
		tl_resample(n, in, n, out);
		g_assert_cmpfloat(level(out + 1000, 6000, 2500), <, 50); /* where it would fold to */
	}
}

static void test_load_linear(void)
{
	g_autofree char *path = scratch();
	struct wav_file header = wav_header(1, 2, 16000, 16);
	g_autoptr(GByteArray) file = g_byte_array_new();
	GError *error = NULL;
	size_t n;
	memset(header.octets + 40, 0xff, 4);
	g_byte_array_append(file, header.octets, 44);
	for (unsigned i = 0; i < 32000; i++) { /* two seconds; the right channel shouts */
		int16_t frame[2] = { lrint(8000 * sin(2 * M_PI * 440 * i / 16000)), i % 2 ? 30000 : -30000 };
		g_byte_array_append(file, (const uint8_t *)frame, sizeof frame);
	}
	g_assert_true(g_file_set_contents(path, (const char *)file->data, file->len, &error));
	struct tl_sound *sound = tl_sound_load_now(path, 1, &error); /* at most one second of it */
	g_assert_no_error(error);
	const uint8_t *octets = tl_sound_octets(sound, TL_LAW_ULAW, &n);
	g_assert_cmpuint(n, ==, 8000);
	g_autofree int16_t *samples = g_new(int16_t, n);
	tl_g711_decode(TL_LAW_ULAW, octets, samples, n);
	g_assert_cmpfloat_with_epsilon(level(samples + 1000, 6000, 440), 8000, 150);
	tl_sound_unref(sound);
	g_remove(path);
}

struct loaded {
	struct tl_sound *sound;
	char *message;
	bool done;
};

static void on_loaded(struct tl_sound *sound, const GError *error, void *user)
{
	struct loaded *loaded = user;
	loaded->sound = sound;
	loaded->message = error ? g_strdup(error->message) : NULL;
	loaded->done = true;
}

static void test_load_on_worker(void)
{
#ifdef __SANITIZE_THREAD__
	g_test_skip("GLib's own locks are invisible to ThreadSanitizer: it calls every GTask a race");
	return;
#endif
	g_autofree char *path = scratch();
	struct loaded good = { 0 }, bad = { 0 };
	g_assert_true(tl_sound_save(path, TL_LAW_ALAW, (const uint8_t *)"abcdefgh", 8, NULL));
	tl_sound_load(path, 5, on_loaded, &good);
	tl_sound_load("/dev/null", 5, on_loaded, &bad);
	while (!good.done || !bad.done)
		g_main_context_iteration(NULL, TRUE);
	g_assert_nonnull(good.sound);
	g_assert_cmpuint(tl_sound_duration_ms(good.sound), ==, 1);
	g_assert_null(bad.sound);
	g_assert_true(g_str_has_prefix(bad.message, "/dev/null: "));
	tl_sound_unref(good.sound);
	g_free(bad.message);
	g_remove(path);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wav/parse", test_parse);
	g_test_add_func("/wav/refuse", test_refuse);
	g_test_add_func("/sound/save-and-load", test_save_and_load);
	g_test_add_func("/sound/resample", test_resample);
	g_test_add_func("/sound/load-linear", test_load_linear);
	g_test_add_func("/sound/load-on-worker", test_load_on_worker);
	return g_test_run();
}
