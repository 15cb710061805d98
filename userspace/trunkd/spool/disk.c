/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "spool/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READ_OCTETS 65536
#define PROBE ".probe"

bool tl_spool_is_part_name(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= TL_SPOOL_PART_MAX && *name != '.' && strcmp(name, TL_SPOOL_META) &&
	       !g_str_has_suffix(name, TL_SPOOL_UNFINISHED) &&
	       strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == n;
}

/* ---- pieces ---- */

static int sync_and_close(int fd)
{
	int result = fsync(fd) ? -errno : 0;
	close(fd);
	return result;
}

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : sync_and_close(fd);
}

static int write_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	while (n) {
		ssize_t written = write(fd, text, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			int result = written ? -errno : -EIO;
			close(fd);
			return result;
		}
		text += written;
		n -= written;
	}
	return sync_and_close(fd);
}

static int digest(int fd, struct tl_spool_part *part)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *octets = g_malloc(READ_OCTETS);
	part->octets = 0;
	for (;;) {
		ssize_t n = pread(fd, octets, READ_OCTETS, part->octets);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		g_checksum_update(sum, octets, n);
		part->octets += n;
	}
	g_strlcpy(part->sha256, g_checksum_get_string(sum), sizeof part->sha256);
	return 0;
}

/* ---- an item ---- */

int tl_spool_disk_meta(const char *path, const char *meta)
{
	g_autofree char *name = g_build_filename(path, TL_SPOOL_META, NULL);
	g_autofree char *fresh = g_strconcat(name, TL_SPOOL_UNFINISHED, NULL);
	int result = write_file(fresh, meta, strlen(meta));
	if (!result && rename(fresh, name))
		result = -errno;
	return result ? result : sync_directory(path);
}

int tl_spool_disk_begin(const char *parent, const char *path, const char *meta)
{
	if (mkdir(path, 0750))
		return -errno;
	int result = tl_spool_disk_meta(path, meta);
	if (!result)
		result = sync_directory(parent);
	if (result)
		tl_spool_disk_remove(path);
	return result;
}

static char *unfinished(const char *path, const char *name)
{
	return g_strconcat(path, "/", name, TL_SPOOL_UNFINISHED, NULL);
}

int tl_spool_disk_sync(const char *path, const char *name, struct tl_spool_part *part)
{
	g_autofree char *from = unfinished(path, name);
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	g_strlcpy(part->name, name, sizeof part->name);
	int result = fsync(fd) ? -errno : digest(fd, part);
	close(fd);
	return result;
}

int tl_spool_disk_name(const char *path, const char *name)
{
	g_autofree char *from = unfinished(path, name);
	g_autofree char *to = g_build_filename(path, name, NULL);
	return rename(from, to) ? -errno : sync_directory(path);
}

static bool is_listed(GArray *parts, const char *name)
{
	for (unsigned i = 0; parts && i < parts->len; i++)
		if (!strcmp(g_array_index(parts, struct tl_spool_part, i).name, name))
			return true;
	return false;
}

int tl_spool_disk_sweep(const char *path, GArray *parts)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	int result = dir ? 0 : -errno;
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		if (!strcmp(name, TL_SPOOL_META) || is_listed(parts, name))
			continue;
		g_autofree char *file = g_build_filename(path, name, NULL);
		if (unlink(file))
			result = -errno;
	}
	return result;
}

int tl_spool_disk_remove(const char *path)
{
	g_autofree char *meta = g_build_filename(path, TL_SPOOL_META, NULL);
	int result = tl_spool_disk_sweep(path, NULL);
	/* Last: what is left of a removal that was cut short is still known as an item. */
	if (!result && unlink(meta) && errno != ENOENT)
		result = -errno;
	return result ? result : rmdir(path) ? -errno : 0;
}

/* ---- what a death left ---- */

static int salvage_part(const char *path, const char *name, uint64_t (*salvage)(int fd, const char *part))
{
	g_autofree char *from = unfinished(path, name);
	int fd = open(from, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	uint64_t octets = salvage ? salvage(fd, name) : 0;
	int result = octets && !ftruncate(fd, octets) ? 0 : -ENODATA;
	if (!result && fsync(fd))
		result = -errno;
	close(fd);
	if (!result)
		return tl_spool_disk_name(path, name);
	return result == -ENODATA && !unlink(from) ? 0 : result;
}

static int add_part(const char *path, const char *name, GArray *parts)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	struct tl_spool_part part = { 0 };
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	g_strlcpy(part.name, name, sizeof part.name);
	int result = digest(fd, &part);
	close(fd);
	if (!result)
		g_array_append_val(parts, part);
	return result;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_names(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; dir && (name = g_dir_read_name(dir));)
		g_ptr_array_add(names, g_strdup(name));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

int tl_spool_disk_settle(const char *path, uint64_t (*salvage)(int fd, const char *part), GArray *parts)
{
	g_autoptr(GPtrArray) before = list_names(path);
	int result = 0;
	for (unsigned i = 0; i < before->len; i++) {
		char *name = g_ptr_array_index(before, i);
		if (!g_str_has_suffix(name, TL_SPOOL_UNFINISHED))
			continue;
		name[strlen(name) - strlen(TL_SPOOL_UNFINISHED)] = '\0';
		if (tl_spool_is_part_name(name) && (result = salvage_part(path, name, salvage)))
			return result;
	}
	g_autoptr(GPtrArray) names = list_names(path);
	for (unsigned i = 0; i < names->len && !result; i++)
		if (tl_spool_is_part_name(g_ptr_array_index(names, i)))
			result = add_part(path, g_ptr_array_index(names, i), parts);
	return result;
}

/* ---- the disk ---- */

int tl_spool_disk_look(const char *path, bool probe, uint64_t *free_octets)
{
	struct statvfs info;
	if (statvfs(path, &info))
		return -errno;
	*free_octets = (uint64_t)info.f_bavail * info.f_frsize;
	if (!probe)
		return 0;
	g_autofree char *file = g_build_filename(path, PROBE, NULL);
	int result = write_file(file, "probe\n", 6);
	unlink(file);
	return result;
}
