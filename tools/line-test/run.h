/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Moves a span's ticks for a test, from one thread that is main and media in turn. */
#pragma once

#include <signal.h>

#include "bert.h"

/**
 * Runs until the test is over or @stop becomes true. Pseudowires in clock modes local and adaptive tick by the clock,
 * all else by its line time. -ETIMEDOUT when line time stood still for 10 s, -ENODEV when the card went away.
 */
int run_test(struct bert *bert, struct tl_span *span, const volatile sig_atomic_t *stop);
