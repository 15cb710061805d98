/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Counts what OpenSSL allocates, to prove that it allocates nothing where it must not. */
#pragma once

#include <stdint.h>

/** Before anything else calls OpenSSL. */
void openssl_memory_watch(void);
/** Allocations so far. */
uint64_t openssl_memory_allocations(void);
/** Octets that are allocated now. */
int64_t openssl_memory_octets(void);
