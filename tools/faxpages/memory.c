/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * No memory is the end of the program. Poppler and cairo would go on without the picture that did not fit, and the page
 * would be faxed white, as if nothing had been there. Loaded in front of the C library's own (its manual, "Replacing
 * malloc", lets a program do so); a sanitizer has its own, and ends by abort_on_error. The document's limit ends it by
 * SIGABRT; that the machine has none left is told apart, as no document can help it.
 */
#ifndef __SANITIZE_ADDRESS__
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "paper/exit.h"

#define MARGIN (1 << 20) /* what the C library itself takes with it */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);

/* With @n octets more there would be more than it may have, or than any machine has. Without the use of any. */
static bool is_beyond_limit(size_t n)
{
	struct rlimit limit;
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	bool read_it = fd >= 0 && read(fd, text, sizeof text - 1) > 0;
	rlim_t pages = strtoul(text, NULL, 10); /* proc(5): the first is the size of all */
	if (!read_it || getrlimit(RLIMIT_AS, &limit) < 0)
		return true;
	rlim_t has = pages * getpagesize() + MARGIN;
	return n > PTRDIFF_MAX || (limit.rlim_cur != RLIM_INFINITY && has + n > limit.rlim_cur);
}

static void *there(void *memory, size_t n)
{
	if (memory || !n)
		return memory;
	if (is_beyond_limit(n))
		abort();
	_exit(TL_PAPER_EXIT_MACHINE);
}

void *malloc(size_t n)
{
	return there(__libc_malloc(n), n);
}

void *calloc(size_t n, size_t size)
{
	size_t whole;
	return there(__libc_calloc(n, size), __builtin_mul_overflow(n, size, &whole) ? SIZE_MAX : whole);
}

void *realloc(void *old, size_t n)
{
	return there(__libc_realloc(old, n), n);
}
#endif
