/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct tl_guest {
	pid_t pid;
	clockid_t clock;
	int status; /* of the CPU's thread: /proc/PID/task/TID/stat */
	int64_t served_us;
};

struct tl_guest *tl_guest_new(void)
{
	struct tl_guest *guest = calloc(1, sizeof(*guest));

	guest->status = -1;
	return guest;
}

void tl_guest_free(struct tl_guest *guest)
{
	if (!guest)
		return;
	if (guest->status >= 0)
		close(guest->status);
	free(guest);
}

void tl_guest_start(struct tl_guest *guest, pid_t pid)
{
	guest->pid = pid;
	clock_getcpuclockid(pid, &guest->clock);
}

static int64_t cpu_us(const struct tl_guest *guest)
{
	struct timespec now;

	if (clock_gettime(guest->clock, &now))
		return INT64_MAX; /* it has ended: nobody to wait for */
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

void tl_guest_served(struct tl_guest *guest)
{
	guest->served_us = cpu_us(guest);
}

static bool is_cpu(const char *directory, const char *thread)
{
	char path[512], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/comm", directory, thread);
	file = fopen(path, "re");
	if (!file)
		return false;
	(void)!fgets(name, sizeof(name), file);
	fclose(file);
	return !strncmp(name, "CPU ", 4);
}

static int open_status(pid_t pid)
{
	char directory[64], path[512];
	struct dirent *entry;
	DIR *tasks;
	int fd = -1;

	snprintf(directory, sizeof(directory), "/proc/%d/task", pid);
	tasks = opendir(directory);
	while (tasks && fd < 0 && (entry = readdir(tasks))) {
		if (!is_cpu(directory, entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/stat", directory, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (tasks)
		closedir(tasks);
	return fd;
}

/* "TID (NAME) STATE ..." and NAME may hold blanks, not the last parenthesis. */
static bool sleeps(struct tl_guest *guest)
{
	char text[128], *state;
	ssize_t length;

	if (guest->status < 0)
		guest->status = open_status(guest->pid);
	length = pread(guest->status, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return false;
	text[length] = '\0';
	state = strrchr(text, ')');
	return state && state[1] && state[2] == 'S';
}

bool tl_guest_breathed(struct tl_guest *guest, int64_t gap_us)
{
	return cpu_us(guest) - guest->served_us >= gap_us || sleeps(guest);
}
