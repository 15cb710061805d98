/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A bell by which another thread makes the main loop run a function: an
 * eventfd as a GSource. Rings before the main loop looks are coalesced.
 */
#pragma once

struct tl_wake;

/** Called on main after one or more rings. */
typedef void (*tl_wake_fn)(void *user);

/** A bell on the main context that calls @on_ring(@user). Thread: main. (transfer full) */
struct tl_wake *tl_wake_new(tl_wake_fn on_ring, void *user);

/** Removes the source; NULL is legal. Thread: main, after the ringing thread has stopped. */
void tl_wake_free(struct tl_wake *wake);

/** Makes main call on_ring soon; at most one system call. Any thread. Real-time safe. */
void tl_wake_ring(struct tl_wake *wake);
