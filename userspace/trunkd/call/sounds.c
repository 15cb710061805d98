/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Loaded sounds by path; a file that has changed since is loaded anew. */
#include <sys/stat.h>

#include "call/play.h"

struct waiter {
	tl_sounds_done on_done;
	void *user;
};

struct sound_file {
	struct tl_sounds *sounds;  /* NULL once the cache has gone while it was loaded */
	char *path;
	struct timespec mtime;
	struct tl_sound *sound;    /* NULL while it is loaded */
	GArray *waiters;           /* struct waiter, while it is loaded */
	size_t octets;
	GList place;               /* in the order of use */
};

struct tl_sounds {
	char *sounds_dir, *blobs_dir;
	size_t max_octets, octets;
	unsigned max_seconds;
	GHashTable *files;         /* path -> struct sound_file */
	GQueue used;               /* latest first; only loaded ones */
};

static void file_free(struct sound_file *file)
{
	if (file->sound)
		tl_sound_unref(file->sound);
	g_array_unref(file->waiters);
	g_free(file->path);
	g_free(file);
}

struct tl_sounds *tl_sounds_new(const char *sounds_dir, const char *blobs_dir, size_t max_octets, unsigned max_seconds)
{
	struct tl_sounds *sounds = g_new0(struct tl_sounds, 1);
	sounds->sounds_dir = g_strdup(sounds_dir);
	sounds->blobs_dir = g_strdup(blobs_dir);
	sounds->max_octets = max_octets;
	sounds->max_seconds = max_seconds;
	sounds->files = g_hash_table_new(g_str_hash, g_str_equal);
	g_queue_init(&sounds->used);
	return sounds;
}

static void forget(struct tl_sounds *sounds, struct sound_file *file)
{
	g_hash_table_remove(sounds->files, file->path);
	if (!file->sound)
		return; /* freed when its loading ends */
	g_queue_unlink(&sounds->used, &file->place);
	sounds->octets -= file->octets;
	file_free(file);
}

void tl_sounds_free(struct tl_sounds *sounds)
{
	if (!sounds)
		return;
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, sounds->files);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct sound_file *file = value;
		file->sounds = NULL;
		if (file->sound)
			file_free(file);
	}
	g_hash_table_unref(sounds->files);
	g_free(sounds->sounds_dir);
	g_free(sounds->blobs_dir);
	g_free(sounds);
}

static void keep(struct tl_sounds *sounds, struct sound_file *file)
{
	file->octets = (size_t)tl_sound_duration_ms(file->sound) * 8 * 2; /* 8 kHz, 16 bits: the most it may be */
	sounds->octets += file->octets;
	g_queue_push_head_link(&sounds->used, &file->place);
	while (sounds->octets > sounds->max_octets && sounds->used.length > 1)
		forget(sounds, sounds->used.tail->data);
}

static void on_loaded(struct tl_sound *sound, const GError *error, void *user)
{
	struct sound_file *file = user;
	struct tl_sounds *sounds = file->sounds;
	g_autoptr(GArray) waiters = g_array_ref(file->waiters);
	if (sounds && g_hash_table_lookup(sounds->files, file->path) != file)
		sounds = NULL; /* changed again meanwhile, and asked for anew */
	file->sound = sound;
	for (unsigned i = 0; i < waiters->len; i++) {
		struct waiter *waiter = &g_array_index(waiters, struct waiter, i);
		waiter->on_done(sound, error, waiter->user);
	}
	if (sounds && sound) {
		keep(sounds, file);
		return;
	}
	if (sounds)
		g_hash_table_remove(sounds->files, file->path);
	file_free(file);
}

static void begin_loading(struct tl_sounds *sounds, const char *path, const struct stat *info, const struct waiter *waiter)
{
	struct sound_file *file = g_new0(struct sound_file, 1);
	file->sounds = sounds;
	file->path = g_strdup(path);
	file->mtime = info->st_mtim;
	file->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
	file->place.data = file;
	g_array_append_val(file->waiters, *waiter);
	g_hash_table_insert(sounds->files, file->path, file);
	tl_sound_load(path, sounds->max_seconds, on_loaded, file);
}

void tl_sounds_get(struct tl_sounds *sounds, bool blob, const char *name, tl_sounds_done on_done, void *user)
{
	g_autofree char *path = g_build_filename(blob ? sounds->blobs_dir : sounds->sounds_dir, name, NULL);
	const struct waiter waiter = { on_done, user };
	struct stat info;
	if (stat(path, &info) || !S_ISREG(info.st_mode)) {
		g_autoptr(GError) error = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "%s%s: no such %s on this node",
						      blob ? "blob:" : "file:", name, blob ? "blob" : "file");
		on_done(NULL, error, user);
		return;
	}
	struct sound_file *file = g_hash_table_lookup(sounds->files, path);
	if (file && (file->mtime.tv_sec != info.st_mtim.tv_sec || file->mtime.tv_nsec != info.st_mtim.tv_nsec)) {
		forget(sounds, file);
		file = NULL;
	}
	if (!file) {
		begin_loading(sounds, path, &info, &waiter);
	} else if (!file->sound) {
		g_array_append_val(file->waiters, waiter);
	} else {
		g_queue_unlink(&sounds->used, &file->place);
		g_queue_push_head_link(&sounds->used, &file->place);
		on_done(file->sound, NULL, user);
	}
}

unsigned tl_sounds_count(const struct tl_sounds *sounds)
{
	return g_hash_table_size(sounds->files);
}
