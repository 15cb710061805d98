/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "openssl-memory.h"

#include <glib.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_uint_fast64_t allocations;
static atomic_int_fast64_t octets;

static void *counted(void *memory)
{
	if (memory) {
		allocations++;
		octets += (int64_t)malloc_usable_size(memory);
	}
	return memory;
}

static void *watch_malloc(size_t n, const char *file, int line)
{
	return counted(malloc(n));
}

static void *watch_realloc(void *memory, size_t n, const char *file, int line)
{
	if (memory)
		octets -= (int64_t)malloc_usable_size(memory);
	return counted(realloc(memory, n));
}

static void watch_free(void *memory, const char *file, int line)
{
	if (memory)
		octets -= (int64_t)malloc_usable_size(memory);
	free(memory);
}

void openssl_memory_watch(void)
{
	g_assert_true(CRYPTO_set_mem_functions(watch_malloc, watch_realloc, watch_free));
}

uint64_t openssl_memory_allocations(void)
{
	return allocations;
}

int64_t openssl_memory_octets(void)
{
	return octets;
}
