/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/journal-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_MIN_OCTETS 34

struct file {
	char *path;
	uint64_t first, last; /* last is first - 1 while it holds no record of its own */
	uint64_t octets;      /* good ones */
};

struct tl_journal_disk {
	char *directory;
	size_t segment_octets;
	GPtrArray *files;     /* struct file, oldest first; the last one is written to */
	int fd;               /* of the last file; -1: a new one is begun with the next commit */
	int heartbeat_fd;
	uint64_t forgotten;   /* everything up to it is stored elsewhere */
	uint64_t last;
	GHashTable *open;     /* subject -> GBytes: its opening record, as a carried one */
	uint64_t cursor_after; /* where the last read ended ... */
	uint64_t cursor_file;
	size_t cursor_offset;  /* ... is here in the file that begins with cursor_file */
};

void tl_journal_entry_free(void *data)
{
	struct tl_journal_entry *entry = data;
	g_free(entry->subject);
	g_byte_array_unref(entry->octets);
	g_free(entry);
}

static void file_free(void *data)
{
	struct file *file = data;
	g_free(file->path);
	g_free(file);
}

static struct file *newest(const struct tl_journal_disk *disk)
{
	return disk->files->len ? g_ptr_array_index(disk->files, disk->files->len - 1) : NULL;
}

static struct file *file_add(struct tl_journal_disk *disk, uint64_t first)
{
	struct file *file = g_new0(struct file, 1);
	file->path = g_strdup_printf("%s/%020" G_GUINT64_FORMAT ".journal", disk->directory, first);
	file->first = first;
	file->last = first - 1;
	g_ptr_array_add(disk->files, file);
	return file;
}

static int sync_directory(const struct tl_journal_disk *disk)
{
	int fd = open(disk->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 || fsync(fd) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return result;
}

/* ---- what lives ---- */

static void remember(struct tl_journal_disk *disk, const struct tl_record *record)
{
	char *subject = g_strndup(record->subject, record->n_subject);
	if (record->kind == TL_RECORD_CLOSES) {
		g_hash_table_remove(disk->open, subject);
		g_free(subject);
		return;
	}
	if (record->kind == TL_RECORD_NOTE) {
		g_free(subject);
		return;
	}
	struct tl_record carried = *record;
	carried.kind = TL_RECORD_CARRY;
	GByteArray *octets = g_byte_array_new();
	tl_record_format(&carried, octets);
	g_hash_table_replace(disk->open, subject, g_byte_array_free_to_bytes(octets));
}

static void remember_entry(struct tl_journal_disk *disk, const struct tl_journal_entry *entry)
{
	struct tl_record record;
	size_t offset = 0;
	if (entry->kind != TL_RECORD_NOTE &&
	    tl_record_parse(entry->octets->data, entry->octets->len, &offset, &record) == 1)
		remember(disk, &record);
}

/* ---- start-up ---- */

static void note_time(struct tl_journal_past *past, int64_t at_ns, int64_t utc_us)
{
	if (utc_us <= past->utc_us)
		return;
	past->utc_us = utc_us;
	past->at_ns = at_ns;
}

/* Reads @file up to sequence @end (0: none); false when it cannot be read at all. */
static bool scan_file(struct tl_journal_disk *disk, struct file *file, uint64_t end, uint64_t *total,
		      struct tl_journal_past *past, GError **error)
{
	g_autofree char *contents = NULL;
	gsize n;
	if (!g_file_get_contents(file->path, &contents, &n, error))
		return false;
	*total = n;
	if (n < TL_SEGMENT_MAGIC_OCTETS || memcmp(contents, TL_SEGMENT_MAGIC, TL_SEGMENT_MAGIC_OCTETS))
		return true;
	struct tl_record record;
	size_t offset = TL_SEGMENT_MAGIC_OCTETS;
	file->octets = offset;
	while (tl_record_parse((const uint8_t *)contents, n, &offset, &record) == 1) {
		bool carried = record.kind == TL_RECORD_CARRY;
		if (!carried && (record.sequence != file->last + 1 || (end && record.sequence >= end)))
			break;
		if (!carried)
			file->last = record.sequence;
		file->octets = offset;
		remember(disk, &record);
		if (!carried)
			note_time(past, record.at_ns, record.utc_us);
	}
	return true;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_files(const char *directory, GError **error)
{
	GDir *dir = g_dir_open(directory, 0, error);
	if (!dir)
		return NULL;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(dir));)
		if (strlen(name) == 28 && strspn(name, "0123456789") == 20 && !strcmp(name + 20, ".journal"))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(names, by_path);
	return names;
}

static bool read_files(struct tl_journal_disk *disk, struct tl_journal_past *past, GError **error)
{
	g_autoptr(GPtrArray) names = list_files(disk->directory, error);
	if (!names)
		return false;
	for (unsigned i = 0; i < names->len; i++) {
		uint64_t end = i + 1 < names->len ? g_ascii_strtoull(g_ptr_array_index(names, i + 1), NULL, 10) : 0;
		uint64_t total = 0;
		struct file *file = file_add(disk, g_ascii_strtoull(g_ptr_array_index(names, i), NULL, 10));
		if (!scan_file(disk, file, end, &total, past, error))
			return false;
		if (total != file->octets && end)
			past->garbled_files += file->last + 1 != end;
		else if (total != file->octets)
			past->torn_octets = total - file->octets;
	}
	struct file *last = newest(disk);
	disk->last = last ? last->last : 0;
	return true;
}

/*
 * Goes on in the newest file when it is whole. Otherwise a new one is begun, with all that lives carried into it, and
 * with a first sequence beyond any that the unreadable rest could have held, so that no sequence is used twice.
 */
static bool reopen_newest(struct tl_journal_disk *disk, uint64_t torn_octets, GError **error)
{
	struct file *file = newest(disk);
	uint64_t skipped = torn_octets / RECORD_MIN_OCTETS;
	disk->last += skipped;
	if (!file)
		return true;
	bool empty = file->last < file->first;
	if (empty && !skipped)
		g_ptr_array_set_size(disk->files, disk->files->len - 1); /* begun anew under its own name */
	if (empty || torn_octets)
		return true;
	disk->fd = open(file->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (disk->fd < 0)
		g_set_error(error, TL_JOURNAL_ERROR, TL_JOURNAL_ERROR_OPEN, "%s: cannot be written: %s", file->path,
			    g_strerror(errno));
	return disk->fd >= 0;
}

static gint by_sequence(gconstpointer a, gconstpointer b)
{
	struct tl_record x, y;
	size_t n, offset = 0;
	const uint8_t *octets = g_bytes_get_data(*(GBytes *const *)a, &n);
	tl_record_parse(octets, n, &offset, &x);
	offset = 0;
	octets = g_bytes_get_data(*(GBytes *const *)b, &n);
	tl_record_parse(octets, n, &offset, &y);
	return (x.sequence > y.sequence) - (x.sequence < y.sequence);
}

static void list_orphans(struct tl_journal_disk *disk, struct tl_journal_past *past)
{
	g_autoptr(GPtrArray) open = g_ptr_array_new();
	GHashTableIter iter;
	gpointer bytes;
	g_hash_table_iter_init(&iter, disk->open);
	while (g_hash_table_iter_next(&iter, NULL, &bytes))
		g_ptr_array_add(open, bytes);
	g_ptr_array_sort(open, by_sequence);
	for (unsigned i = 0; i < open->len; i++) {
		struct tl_record record;
		size_t n, offset = 0;
		const uint8_t *octets = g_bytes_get_data(g_ptr_array_index(open, i), &n);
		tl_record_parse(octets, n, &offset, &record);
		struct tl_journal_orphan *orphan = g_new0(struct tl_journal_orphan, 1);
		orphan->subject = g_strndup(record.subject, record.n_subject);
		orphan->payload = g_strndup(record.payload, record.n_payload);
		g_ptr_array_add(past->orphans, orphan);
	}
}

static bool open_heartbeat(struct tl_journal_disk *disk, struct tl_journal_past *past, GError **error)
{
	g_autofree char *path = g_build_filename(disk->directory, "heartbeat", NULL);
	int64_t times[3];
	disk->heartbeat_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (disk->heartbeat_fd < 0) {
		g_set_error(error, TL_JOURNAL_ERROR, TL_JOURNAL_ERROR_OPEN, "%s: cannot be written: %s", path, g_strerror(errno));
		return false;
	}
	if (pread(disk->heartbeat_fd, times, sizeof times, 0) == sizeof times && times[2] == (times[0] ^ times[1]))
		note_time(past, times[0], times[1]);
	return true;
}

struct tl_journal_disk *tl_journal_disk_open(const struct tl_journal_config *config, struct tl_journal_past *past,
					     GError **error)
{
	struct tl_journal_disk *disk = g_new0(struct tl_journal_disk, 1);
	disk->directory = g_strdup(config->directory);
	disk->segment_octets = config->segment_octets;
	disk->files = g_ptr_array_new_with_free_func(file_free);
	disk->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	disk->fd = disk->heartbeat_fd = -1;
	bool made = !g_mkdir_with_parents(disk->directory, 0750);
	if (!made)
		g_set_error(error, TL_JOURNAL_ERROR, TL_JOURNAL_ERROR_OPEN, "%s: cannot be made: %s", disk->directory,
			    g_strerror(errno));
	if (made && read_files(disk, past, error) && reopen_newest(disk, past->torn_octets, error) && open_heartbeat(disk, past, error)) {
		list_orphans(disk, past);
		return disk;
	}
	tl_journal_disk_close(disk);
	return NULL;
}

void tl_journal_disk_close(struct tl_journal_disk *disk)
{
	if (!disk)
		return;
	if (disk->fd >= 0)
		close(disk->fd);
	if (disk->heartbeat_fd >= 0)
		close(disk->heartbeat_fd);
	g_ptr_array_unref(disk->files);
	g_hash_table_unref(disk->open);
	g_free(disk->directory);
	g_free(disk);
}

/* ---- writing ---- */

static int write_all(int fd, const uint8_t *octets, size_t n)
{
	while (n) {
		ssize_t written = write(fd, octets, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		octets += written;
		n -= written;
	}
	return 0;
}

/* After a failed write or fsync the kernel may have dropped the pages: the file is never trusted or used again. */
static void give_up_newest(struct tl_journal_disk *disk)
{
	struct file *file = newest(disk);
	close(disk->fd); /* what is left behind has sequences that the next file's name rules out */
	disk->fd = -1;
	if (file->last < file->first)
		g_ptr_array_set_size(disk->files, disk->files->len - 1);
}

static int begin_file(struct tl_journal_disk *disk, uint64_t first, GByteArray *out)
{
	struct file *file = file_add(disk, first);
	disk->fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
	if (disk->fd < 0) {
		int result = -errno;
		g_ptr_array_set_size(disk->files, disk->files->len - 1);
		return result;
	}
	g_byte_array_append(out, (const uint8_t *)TL_SEGMENT_MAGIC, TL_SEGMENT_MAGIC_OCTETS);
	GHashTableIter iter;
	gpointer bytes;
	g_hash_table_iter_init(&iter, disk->open);
	while (g_hash_table_iter_next(&iter, NULL, &bytes)) {
		gsize n;
		const uint8_t *octets = g_bytes_get_data(bytes, &n);
		g_byte_array_append(out, octets, n);
	}
	return sync_directory(disk);
}

int tl_journal_disk_commit(struct tl_journal_disk *disk, GPtrArray *entries, char **why)
{
	struct tl_journal_entry *first = g_ptr_array_index(entries, 0);
	g_autoptr(GByteArray) out = g_byte_array_new();
	int result = 0;
	if (disk->fd >= 0 && newest(disk)->octets > disk->segment_octets) {
		close(disk->fd);
		disk->fd = -1;
	}
	if (disk->fd < 0)
		result = begin_file(disk, first->sequence, out);
	for (unsigned i = 0; i < entries->len; i++) {
		struct tl_journal_entry *entry = g_ptr_array_index(entries, i);
		g_byte_array_append(out, entry->octets->data, entry->octets->len);
	}
	if (!result)
		result = write_all(disk->fd, out->data, out->len);
	if (!result && fdatasync(disk->fd))
		result = -errno;
	if (result) {
		*why = g_strdup_printf("%s: cannot be written: %s", disk->directory, g_strerror(-result));
		if (disk->fd >= 0)
			give_up_newest(disk);
		return result;
	}
	struct file *file = newest(disk);
	file->octets += out->len;
	for (unsigned i = 0; i < entries->len; i++) {
		struct tl_journal_entry *entry = g_ptr_array_index(entries, i);
		disk->last = file->last = entry->sequence;
		remember_entry(disk, entry);
	}
	return 0;
}

void tl_journal_disk_heartbeat(struct tl_journal_disk *disk, int64_t at_ns, int64_t utc_us)
{
	int64_t times[3] = { at_ns, utc_us, at_ns ^ utc_us };
	if (pwrite(disk->heartbeat_fd, times, sizeof times, 0) != sizeof times)
		return; /* a full disk is noticed, and told, by the records */
}

/* ---- reading and forgetting ---- */

static bool read_file(struct tl_journal_disk *disk, struct file *file, uint64_t after, unsigned max, GPtrArray *payloads,
		      char **why)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GMappedFile) mapped = g_mapped_file_new(file->path, FALSE, &cause);
	if (!mapped || g_mapped_file_get_length(mapped) < file->octets) {
		*why = g_strdup_printf("%s: cannot be read: %s", file->path, cause ? cause->message : "it has been cut");
		return false;
	}
	size_t offset = TL_SEGMENT_MAGIC_OCTETS;
	if (disk->cursor_after == after && disk->cursor_file == file->first)
		offset = disk->cursor_offset;
	struct tl_record record;
	const uint8_t *octets = (const uint8_t *)g_mapped_file_get_contents(mapped);
	while (payloads->len < max && tl_record_parse(octets, file->octets, &offset, &record) == 1) {
		if (record.kind == TL_RECORD_CARRY || record.sequence <= after)
			continue;
		g_ptr_array_add(payloads, g_strndup(record.payload, record.n_payload));
		disk->cursor_after = record.sequence;
		disk->cursor_file = file->first;
		disk->cursor_offset = offset;
	}
	return true;
}

GPtrArray *tl_journal_disk_read(struct tl_journal_disk *disk, uint64_t after, unsigned max, char **why)
{
	GPtrArray *payloads = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < disk->files->len && payloads->len < max; i++) {
		struct file *file = g_ptr_array_index(disk->files, i);
		if (file->last <= after || file->last < file->first)
			continue;
		if (!read_file(disk, file, after, max, payloads, why)) {
			g_ptr_array_unref(payloads);
			return NULL;
		}
	}
	return payloads;
}

void tl_journal_disk_forget(struct tl_journal_disk *disk, uint64_t sequence)
{
	disk->forgotten = MAX(disk->forgotten, MIN(sequence, disk->last));
	/* The newest file stays: its name keeps the sequence, its carried records keep who lives. */
	while (disk->files->len > 1) {
		struct file *file = g_ptr_array_index(disk->files, 0);
		if (file->last > disk->forgotten || unlink(file->path))
			return;
		g_ptr_array_remove_index(disk->files, 0);
	}
}

uint64_t tl_journal_disk_first(const struct tl_journal_disk *disk)
{
	struct file *oldest = disk->files->len ? g_ptr_array_index(disk->files, 0) : NULL;
	return MAX(oldest ? oldest->first : disk->last + 1, disk->forgotten + 1);
}

uint64_t tl_journal_disk_last(const struct tl_journal_disk *disk)
{
	return disk->last;
}

uint64_t tl_journal_disk_octets(const struct tl_journal_disk *disk)
{
	uint64_t octets = 0;
	for (unsigned i = 0; i < disk->files->len; i++)
		octets += ((struct file *)g_ptr_array_index(disk->files, i))->octets;
	return octets;
}
