/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * For LD_PRELOAD: keeps what a folder would have left after a power cut, by the strictest reading of POSIX. A file's octets count
 * as of its last fsync(), names as of the last fsync() of their folder; nothing else counts, syncfs() neither. POWER_CUT_OF is the
 * folder, POWER_CUT_KEPT where the records go, one a file or folder, named by inode and birth, for inodes are used again:
 *   root, d-KEY   lines "f KEY NAME" or "d KEY NAME"
 *   f-KEY         octets
 * What stands there when the program starts is taken to be durable. Nothing really waits for the disk; instead each fsync() takes
 * a moment before and after it counts, so that a kill finds every order of things.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOMENT_US 8000

static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER; /* an older record must not replace a newer one */
static const char *folder, *kept;

static bool stat_key(int fd, const char *name, char key[64], bool *is_folder)
{
	struct statx info;
	if (statx(fd, name, *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_BTIME, &info))
		return false;
	*is_folder = S_ISDIR(info.stx_mode);
	snprintf(key, 64, "%llx-%llx.%x", (unsigned long long)info.stx_ino, (unsigned long long)info.stx_btime.tv_sec,
		 info.stx_btime.tv_nsec);
	return S_ISDIR(info.stx_mode) || S_ISREG(info.stx_mode);
}

static FILE *record_open(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s.new", kept, name);
	FILE *record = fopen(path, "we");
	if (!record)
		abort(); /* a test without records would prove nothing */
	return record;
}

static void record_close(FILE *record, char path[PATH_MAX])
{
	char to[PATH_MAX];
	snprintf(to, sizeof to, "%.*s", (int)(strlen(path) - 4), path);
	if (fclose(record) || rename(path, to))
		abort();
}

static void record_file(int fd, const char *name)
{
	char path[PATH_MAX], octets[65536];
	FILE *record = record_open(path, name);
	off_t at = 0;
	for (ssize_t n; (n = pread(fd, octets, sizeof octets, at)) > 0; at += n)
		if (fwrite(octets, 1, n, record) != (size_t)n)
			abort();
	record_close(record, path);
}

static void record_tree(int fd, const char *name);

/* @deep: what is in it, too. */
static void record_folder(int fd, const char *name, bool deep)
{
	char path[PATH_MAX], key[64], child[80];
	bool is_folder;
	FILE *record = record_open(path, name);
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !stat_key(fd, entry->d_name, key, &is_folder))
			continue;
		fprintf(record, "%c %s %s\n", is_folder ? 'd' : 'f', key, entry->d_name);
		if (!deep)
			continue;
		snprintf(child, sizeof child, "%c-%s", is_folder ? 'd' : 'f', key);
		int below = openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (below >= 0)
			record_tree(below, child);
	}
	if (dir)
		closedir(dir);
	record_close(record, path);
}

static void record_tree(int fd, const char *name)
{
	if (name[0] == 'f')
		record_file(fd, name);
	else
		record_folder(fd, name, true);
	close(fd);
}

__attribute__((constructor)) static void begin(void)
{
	folder = getenv("POWER_CUT_OF");
	kept = getenv("POWER_CUT_KEPT");
	unsetenv("LD_PRELOAD"); /* a child would take for durable what is there when it starts */
	int fd = folder && kept ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		record_tree(fd, "root");
}

/* Its path below the folder, "" for the folder itself; NULL: not ours. */
static const char *below(int fd, char path[PATH_MAX])
{
	char link[64];
	size_t n = folder ? strlen(folder) : 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = kept && n ? readlink(link, path, PATH_MAX - 1) : -1;
	if (length < 0)
		return NULL;
	path[length] = '\0';
	return !strncmp(path, folder, n) && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

static void moment(void)
{
	unsigned char chance[2];
	if (syscall(SYS_getrandom, chance, sizeof chance, 0) == sizeof chance)
		usleep((chance[0] << 8 | chance[1]) % MOMENT_US);
}

static int record(int fd)
{
	char path[PATH_MAX], key[64], name[80];
	bool is_folder;
	const char *rest = below(fd, path);
	if (!rest)
		return syscall(SYS_fsync, fd);
	moment();
	/* The descriptor may be for writing only. */
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int again = open(name, O_RDONLY | O_CLOEXEC);
	if (again < 0 || !stat_key(again, "", key, &is_folder))
		abort();
	pthread_mutex_lock(&recording);
	snprintf(name, sizeof name, "%c-%s", is_folder ? 'd' : 'f', key);
	if (is_folder)
		record_folder(again, *rest ? name : "root", false);
	else
		record_file(again, name);
	pthread_mutex_unlock(&recording);
	close(again);
	moment();
	return 0;
}

int fsync(int fd)
{
	return record(fd);
}

int fdatasync(int fd)
{
	return record(fd);
}
