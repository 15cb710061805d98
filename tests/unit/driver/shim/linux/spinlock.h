/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One thread: a lock only checks that it is not taken twice. */
#pragma once

#include <assert.h>

typedef struct {
	int held;
} spinlock_t;

#define spin_lock_irqsave(lock, flags) ((flags) = 0, assert(!(lock)->held), (lock)->held = 1)
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), assert((lock)->held), (lock)->held = 0)
