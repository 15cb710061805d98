/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Recording of bridges: a real engine on fake spans, real files, a disk that hangs and fails on demand. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <ogg/ogg.h>
#include <opus.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "media-rig.h"
#include "media/g711.h"
#include "media/wav.h"
#include "power-cut.h"

struct taping {
	struct rig rig;
	struct tl_record_pool *pool;
	char *directory, *path;
	struct tl_bridge *bridge;
	struct tl_port *left, *right, *third;
	struct tl_recorder *recorder;
	bool started, ended;
	struct tl_recorded recorded;
	char *trouble;
	unsigned troubles;
};

static void on_started(void *user)
{
	((struct taping *)user)->started = true;
}

static void on_ended(const struct tl_recorded *recorded, void *user)
{
	struct taping *taping = user;
	taping->ended = true;
	taping->recorded = *recorded;
}

static void on_trouble(const char *why, void *user)
{
	struct taping *taping = user;
	g_free(taping->trouble);
	taping->trouble = g_strdup(why);
	taping->troubles += why != NULL;
}

static const struct tl_recorder_handler handler = { on_started, on_ended };
static uint8_t words[3][8000]; /* what the parties say: noise of their laws */

static void setup(struct taping *taping, gconstpointer unused)
{
	rig_init(&taping->rig);
	taping->directory = g_dir_make_tmp("record-XXXXXX", NULL);
	taping->pool = tl_record_pool_new(&(struct tl_record_pool_config){ .threads = 2, .sync_ms = 50, .directory = taping->directory,
									    .on_trouble = on_trouble, .user = taping });
	taping->bridge = tl_bridge_new(taping->rig.media, TL_BRIDGE_VOICE);
	taping->left = tl_port_new_timeslot(taping->rig.media, taping->rig.e1, 1, NULL);
	taping->right = tl_port_new_timeslot(taping->rig.media, taping->rig.t1, 2, NULL);
	taping->third = tl_port_new_timeslot(taping->rig.media, taping->rig.e1, 3, NULL);
	for (unsigned i = 0; i < sizeof words[0]; i++) {
		words[0][i] = 0x80 | (i * 7 % 61); /* A-law, all different from idle */
		words[1][i] = 0x80 | (i * 5 % 59); /* mu-law */
		words[2][i] = 0x90;
	}
	fake_span_say(taping->rig.e1, 1, words[0], sizeof words[0]);
	fake_span_say(taping->rig.t1, 2, words[1], sizeof words[1]);
	tl_bridge_add(taping->bridge, taping->left);
	tl_bridge_add(taping->bridge, taping->right);
	rig_step(&taping->rig, 5);
}

static void teardown(struct taping *taping, gconstpointer unused)
{
	tl_bridge_free(taping->bridge);
	tl_port_free(taping->left);
	tl_port_free(taping->right);
	tl_port_free(taping->third);
	rig_done(&taping->rig);
	tl_record_pool_free(taping->pool);
	if (taping->path)
		g_unlink(taping->path);
	g_rmdir(taping->directory);
	g_free(taping->path);
	g_free(taping->trouble);
	g_free(taping->directory);
}

static void begin(struct taping *taping, enum tl_record_format format)
{
	int result;
	g_free(taping->path);
	taping->path = g_build_filename(taping->directory, tl_record_file(format), NULL);
	taping->started = taping->ended = false;
	taping->recorder = tl_recorder_new(taping->pool, taping->bridge, taping->left, format, taping->path, &handler, taping, &result);
	g_assert_nonnull(taping->recorder);
	g_assert_cmpint(result, ==, 0);
}

/* The pool lives by the clock: line time must not run away from it, as the ring holds 2.5 s. */
static void pace(struct taping *taping)
{
	rig_step(&taping->rig, 1);
	g_usleep(2000);
}

static void await(struct taping *taping, const bool *what)
{
	while (!*what)
		pace(taping);
}

static void end(struct taping *taping)
{
	tl_recorder_stop(taping->recorder);
	await(taping, &taping->ended);
}

static void read_wav(struct taping *taping, struct tl_wav *wav, uint8_t **octets)
{
	gsize n;
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_get_contents(taping->path, (char **)octets, &n, &error));
	g_assert_true(tl_wav_parse(*octets, n, wav, &error));
	g_assert_cmpuint(wav->channels, ==, 2);
	g_assert_cmpuint(wav->rate_hz, ==, 8000);
}

/* ---- what is in the file ---- */

static void test_sides(struct taping *taping, gconstpointer unused)
{
	struct tl_wav wav;
	g_autofree uint8_t *octets = NULL;
	begin(taping, TL_RECORD_WAV);
	await(taping, &taping->started);
	rig_step(&taping->rig, 50);
	end(taping);
	read_wav(taping, &wav, &octets);
	g_assert_cmpint(wav.format, ==, TL_WAV_ALAW);
	g_assert_cmpuint(wav.n_frames, ==, taping->recorded.ms * 8);
	g_assert_cmpuint(taping->recorded.ms, >=, 500);
	g_assert_cmpint(taping->recorded.result, ==, 0);
	g_assert_cmpuint(taping->recorded.missed_ms, ==, 0);
	/* Somewhere in what each says the recording begins, and goes on from there. */
	uint8_t said[2][sizeof words[0]];
	memcpy(said[0], words[0], sizeof said[0]);
	tl_g711_convert(TL_LAW_ULAW, TL_LAW_ALAW, words[1], said[1], sizeof said[1]);
	for (unsigned side = 0; side < 2; side++) {
		unsigned offset, i;
		for (offset = 0; offset < sizeof said[0]; offset += 80) {
			for (i = 0; i < 800 && wav.data[2 * i + side] == said[side][(offset + i) % sizeof said[0]]; i++)
				;
			if (i == 800)
				break;
		}
		g_assert_cmpuint(offset, <, sizeof said[0]);
	}
}

static void test_linear(struct taping *taping, gconstpointer unused)
{
	struct tl_wav wav;
	g_autofree uint8_t *octets = NULL;
	begin(taping, TL_RECORD_WAV16);
	await(taping, &taping->started);
	rig_step(&taping->rig, 10);
	end(taping);
	read_wav(taping, &wav, &octets);
	g_assert_cmpint(wav.format, ==, TL_WAV_LINEAR);
	int16_t first = wav.data[0] | wav.data[1] << 8, decoded;
	bool found = false;
	for (unsigned i = 0; i < sizeof words[0] && !found; i += 80) {
		tl_g711_decode(TL_LAW_ALAW, &words[0][i], &decoded, 1);
		found = decoded == first;
	}
	g_assert_true(found);
}

/* A third party is heard on the right, too; who was left may go, and the recording goes on. */
static void test_members(struct taping *taping, gconstpointer unused)
{
	struct tl_wav wav;
	g_autofree uint8_t *octets = NULL;
	fake_span_say(taping->rig.t1, 2, NULL, 0);
	fake_span_say(taping->rig.e1, 3, words[2], sizeof words[2]);
	rig_step(&taping->rig, 5);
	begin(taping, TL_RECORD_WAV16);
	await(taping, &taping->started);
	tl_bridge_add(taping->bridge, taping->third);
	rig_step(&taping->rig, 20);
	tl_bridge_remove(taping->bridge, taping->left);
	rig_step(&taping->rig, 20);
	end(taping);
	read_wav(taping, &wav, &octets);
	int16_t third;
	tl_g711_decode(TL_LAW_ALAW, words[2], &third, 1);
	const uint8_t *last = wav.data + 4 * (wav.n_frames - 1);
	g_assert_cmpint(abs((int16_t)(last[2] | last[3] << 8) - third), <=, abs(third) / 16);
	g_assert_cmpint(abs((int16_t)(last[0] | last[1] << 8)), <=, 8); /* idle */
}

static void test_pause(struct taping *taping, gconstpointer unused)
{
	begin(taping, TL_RECORD_WAV);
	await(taping, &taping->started);
	tl_recorder_pause(taping->recorder, true);
	rig_step(&taping->rig, 1000);
	tl_recorder_pause(taping->recorder, false);
	rig_step(&taping->rig, 10);
	end(taping);
	g_assert_cmpuint(taping->recorded.ms, <, 9000);
	g_assert_cmpuint(taping->recorded.ms, >=, 100);
}

/* ---- Opus ---- */

static unsigned decode(const char *path, double power[2])
{
	g_autofree char *octets = NULL;
	gsize n;
	int error;
	ogg_sync_state sync;
	ogg_stream_state stream;
	ogg_page page;
	ogg_packet packet;
	unsigned packets = 0, frames = 0;
	OpusDecoder *decoder = opus_decoder_create(8000, 2, &error);
	g_assert_true(g_file_get_contents(path, &octets, &n, NULL));
	ogg_sync_init(&sync);
	memcpy(ogg_sync_buffer(&sync, n), octets, n);
	ogg_sync_wrote(&sync, n);
	power[0] = power[1] = 0;
	while (ogg_sync_pageout(&sync, &page) == 1) {
		if (ogg_page_bos(&page))
			ogg_stream_init(&stream, ogg_page_serialno(&page));
		ogg_stream_pagein(&stream, &page);
		while (ogg_stream_packetout(&stream, &packet) == 1) {
			int16_t samples[2 * 960];
			if (packets++ < 2)
				continue; /* headers */
			int got = opus_decode(decoder, packet.packet, packet.bytes, samples, 960, 0);
			g_assert_cmpint(got, ==, 160);
			for (int i = 0; i < got; i++)
				for (unsigned side = 0; side < 2; side++)
					power[side] += (double)samples[2 * i + side] * samples[2 * i + side];
			frames += got;
		}
	}
	ogg_stream_clear(&stream);
	ogg_sync_clear(&sync);
	opus_decoder_destroy(decoder);
	return frames;
}

static void test_opus(struct taping *taping, gconstpointer unused)
{
	double power[2];
	fake_span_say(taping->rig.t1, 2, NULL, 0);
	begin(taping, TL_RECORD_OPUS);
	await(taping, &taping->started);
	rig_step(&taping->rig, 200);
	end(taping);
	unsigned frames = decode(taping->path, power);
	g_assert_cmpuint(frames, >=, taping->recorded.ms * 8);
	g_assert_cmpuint(frames, <=, taping->recorded.ms * 8 + 320);
	g_assert_cmpfloat(power[0], >, 100 * (power[1] + 1));
}

/* ---- death: the file as it was at the last sync, and what it can be cut to ---- */

static void check_salvage(struct taping *taping, enum tl_record_format format)
{
	gsize before, after;
	g_autofree char *whole = NULL, *cut = NULL;
	begin(taping, format);
	await(taping, &taping->started);
	struct tl_record_counters counters;
	tl_record_counters(taping->pool, &counters);
	uint64_t syncs = counters.syncs;
	do {
		pace(taping);
		tl_record_counters(taping->pool, &counters);
	} while (counters.syncs < syncs + 2);
	g_assert_true(g_file_get_contents(taping->path, &whole, &before, NULL));
	end(taping);
	/* As a process that dies leaves it: without an end, and with half of what came last. */
	g_assert_cmpuint(before, >, 200);
	g_assert_true(g_file_set_contents(taping->path, whole, before - 3, NULL));
	int fd = open(taping->path, O_RDWR);
	uint64_t size = tl_record_salvage(fd, tl_record_file(format));
	g_assert_cmpuint(size, >, 100);
	g_assert_cmpuint(size, <, before);
	g_assert_cmpint(ftruncate(fd, size), ==, 0);
	close(fd);
	g_assert_true(g_file_get_contents(taping->path, &cut, &after, NULL));
	if (format == TL_RECORD_OPUS) {
		double power[2];
		g_assert_cmpuint(decode(taping->path, power), >, 0);
	} else {
		struct tl_wav wav;
		g_assert_true(tl_wav_parse((uint8_t *)cut, after, &wav, NULL));
		g_assert_cmpuint(wav.n_frames, ==, (after - TL_WAV_HEADER_OCTETS) / (format == TL_RECORD_WAV ? 2 : 4));
	}
}

static void test_salvage_wav(struct taping *taping, gconstpointer unused)
{
	check_salvage(taping, TL_RECORD_WAV);
}

static void test_salvage_wav16(struct taping *taping, gconstpointer unused)
{
	check_salvage(taping, TL_RECORD_WAV16);
}

static void test_salvage_opus(struct taping *taping, gconstpointer unused)
{
	check_salvage(taping, TL_RECORD_OPUS);
}

static void test_salvage_garbage(struct taping *taping, gconstpointer unused)
{
	static const char *const names[] = { "audio.wav", "audio.opus", "other" };
	taping->path = g_build_filename(taping->directory, "garbage", NULL);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned n = 0; n < 3000; n += 113) {
			g_autofree char *octets = g_malloc(n + 1);
			for (unsigned k = 0; k < n; k++)
				octets[k] = g_test_rand_int();
			g_assert_true(g_file_set_contents(taping->path, octets, n, NULL));
			int fd = open(taping->path, O_RDWR);
			g_assert_cmpuint(tl_record_salvage(fd, names[i]), ==, 0);
			close(fd);
		}
}

/* ---- a bad disk ---- */

/* It hangs: media goes on, what does not fit is counted, and the recording keeps its time. */
static void test_slow(struct taping *taping, gconstpointer unused)
{
	struct tl_media_counters before, after;
	begin(taping, TL_RECORD_WAV);
	await(taping, &taping->started);
	power_cut_hang(TRUE);
	tl_media_counters(taping->rig.media, &before);
	rig_step(&taping->rig, 1000);
	tl_media_counters(taping->rig.media, &after);
	g_assert_cmpuint(after.ticks - before.ticks, >=, 1000);
	power_cut_hang(FALSE);
	while (!taping->trouble)
		pace(taping);
	end(taping);
	g_assert_cmpuint(taping->recorded.missed_ms, >, 0);
	g_assert_cmpuint(taping->recorded.ms, >=, 10000);
	g_assert_cmpint(taping->recorded.result, ==, 0);
	struct tl_wav wav;
	g_autofree uint8_t *octets = NULL;
	read_wav(taping, &wav, &octets);
	g_assert_cmpuint(wav.n_frames, ==, taping->recorded.ms * 8);
}

static void test_full(struct taping *taping, gconstpointer unused)
{
	begin(taping, TL_RECORD_WAV);
	await(taping, &taping->started);
	power_cut_fail(ENOSPC);
	while (!taping->trouble)
		pace(taping);
	power_cut_fail(0);
	g_assert_nonnull(strstr(taping->trouble, "No space left"));
	end(taping);
	g_assert_cmpint(taping->recorded.result, ==, -ENOSPC);
}

/* No first block, no start: a recording notice would not be played. */
static void test_never_started(struct taping *taping, gconstpointer unused)
{
	power_cut_fail(EIO);
	begin(taping, TL_RECORD_WAV);
	while (!taping->trouble)
		pace(taping);
	power_cut_fail(0);
	g_assert_false(taping->started);
	end(taping);
	g_assert_cmpint(taping->recorded.result, ==, -EIO);
}

static void test_bridge_gone(struct taping *taping, gconstpointer unused)
{
	int result;
	begin(taping, TL_RECORD_WAV);
	g_assert_null(tl_recorder_new(taping->pool, taping->bridge, NULL, TL_RECORD_WAV, "x", &handler, taping, &result));
	g_assert_cmpint(result, ==, -EBUSY);
	await(taping, &taping->started);
	tl_bridge_free(g_steal_pointer(&taping->bridge));
	await(taping, &taping->ended);
	g_assert_cmpuint(taping->recorded.ms, >, 0);
}

#define CASE(name) g_test_add("/record/" #name, struct taping, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	CASE(sides);
	CASE(linear);
	CASE(members);
	CASE(pause);
	CASE(opus);
	CASE(salvage_wav);
	CASE(salvage_wav16);
	CASE(salvage_opus);
	CASE(salvage_garbage);
	CASE(slow);
	CASE(full);
	CASE(never_started);
	CASE(bridge_gone);
	return g_test_run();
}
