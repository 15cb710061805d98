/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * No memory is the end of the program. Poppler and cairo would go on without the picture that did not fit, and the page
 * would be faxed white, as if nothing had been there. Loaded in front of the C library's own (its manual, "Replacing
 * malloc", lets a program do so); a sanitizer has its own, and ends by abort_on_error.
 */
#ifndef __SANITIZE_ADDRESS__
#include <stdlib.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);

static void *there(void *memory, size_t n)
{
	if (!memory && n)
		abort();
	return memory;
}

void *malloc(size_t n)
{
	return there(__libc_malloc(n), n);
}

void *calloc(size_t n, size_t size)
{
	return there(__libc_calloc(n, size), n && size);
}

void *realloc(void *old, size_t n)
{
	return there(__libc_realloc(old, n), n);
}
#endif
