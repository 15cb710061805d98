/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "power-cut.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
	char *name;
	ino_t inode;
	gboolean folder;
};

static GRecMutex mutex;
static GHashTable *files;   /* inode -> GBytes */
static GHashTable *folders; /* inode -> GPtrArray of struct entry */
static ino_t root_inode;
static void (*each)(void *user);
static void *each_user;
static atomic_bool hanging;
static atomic_int failing;

static void entry_free(void *data)
{
	struct entry *entry = data;
	g_free(entry->name);
	g_free(entry);
}

static gpointer key_of(ino_t inode)
{
	return GSIZE_TO_POINTER((gsize)inode);
}

void power_cut_watch(const char *root)
{
	struct stat info;
	g_assert_cmpint(stat(root, &info), ==, 0);
	g_rec_mutex_lock(&mutex);
	root_inode = info.st_ino;
	files = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
	folders = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	g_rec_mutex_unlock(&mutex);
}

void power_cut_each(void (*before)(void *user), void *user)
{
	g_rec_mutex_lock(&mutex);
	each = before;
	each_user = user;
	g_rec_mutex_unlock(&mutex);
}

void power_cut_hang(gboolean hang)
{
	hanging = hang;
}

void power_cut_fail(int error)
{
	failing = error;
}

void power_cut_done(void)
{
	g_rec_mutex_lock(&mutex);
	g_clear_pointer(&files, g_hash_table_unref);
	g_clear_pointer(&folders, g_hash_table_unref);
	each = NULL;
	g_rec_mutex_unlock(&mutex);
}

/* ---- the book ---- */

static void keep_file(const char *path, ino_t inode)
{
	char *contents;
	gsize n;
	g_assert_true(g_file_get_contents(path, &contents, &n, NULL));
	g_hash_table_replace(files, key_of(inode), g_bytes_new_take(contents, n));
}

static void keep_folder(const char *path, ino_t inode)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
	DIR *dir = opendir(path);
	g_assert_nonnull(dir);
	for (struct dirent *found; (found = readdir(dir));) {
		if (*found->d_name == '.')
			continue;
		struct entry *entry = g_new0(struct entry, 1);
		entry->name = g_strdup(found->d_name);
		entry->inode = found->d_ino;
		entry->folder = found->d_type == DT_DIR;
		g_ptr_array_add(entries, entry);
	}
	closedir(dir);
	g_hash_table_replace(folders, key_of(inode), entries);
}

static int synced(int fd)
{
	struct stat info;
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	while (hanging)
		g_usleep(1000);
	if (failing) {
		errno = failing;
		return -1;
	}
	g_rec_mutex_lock(&mutex);
	if (files && !fstat(fd, &info)) {
		if (each)
			each(each_user);
		if (S_ISDIR(info.st_mode))
			keep_folder(path, info.st_ino);
		else
			keep_file(path, info.st_ino);
	}
	g_rec_mutex_unlock(&mutex);
	return 0;
}

int fsync(int fd)
{
	return synced(fd);
}

int fdatasync(int fd)
{
	return synced(fd);
}

/* ---- the cut ---- */

static void leave(const char *target, ino_t inode)
{
	GPtrArray *entries = g_hash_table_lookup(folders, key_of(inode));
	for (unsigned i = 0; entries && i < entries->len; i++) {
		const struct entry *entry = g_ptr_array_index(entries, i);
		g_autofree char *path = g_build_filename(target, entry->name, NULL);
		GBytes *bytes = g_hash_table_lookup(files, key_of(entry->inode));
		gsize n = 0;
		const char *octets = bytes ? g_bytes_get_data(bytes, &n) : NULL;
		if (entry->folder) {
			g_assert_cmpint(g_mkdir(path, 0750), ==, 0);
			leave(path, entry->inode);
		} else {
			g_assert_true(g_file_set_contents(path, octets ? octets : "", n, NULL));
		}
	}
}

void power_cut_leave(const char *target)
{
	g_rec_mutex_lock(&mutex);
	leave(target, root_inode);
	g_rec_mutex_unlock(&mutex);
}
