/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Reads and writes of many descriptors in one system call, by io_uring; where
 * the kernel or the build has none, by one call each. Descriptors must be
 * non-blocking. A read that finds nothing may stay under way until something
 * comes; its room must live until tl_batch_next() has told its end. One thread;
 * new and free: main. Inside this room only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tl_batch;

/** Room for @most operations under way. @plain: a call each in any case. (transfer full) */
struct tl_batch *tl_batch_new(unsigned most, bool plain);

/** Ends what is under way first. NULL is legal. Thread: main, after the media thread has let it go. */
void tl_batch_free(struct tl_batch *batch);

/** Whether one call does it all. */
bool tl_batch_is_ring(const struct tl_batch *batch);

/** Adds an operation; @tag comes back with its result. false: no room, nothing is added. */
bool tl_batch_read(struct tl_batch *batch, int fd, void *octets, size_t n_octets, unsigned tag);
bool tl_batch_write(struct tl_batch *batch, int fd, const void *octets, size_t n_octets, unsigned tag);

/** Starts all that was added. At most one system call where tl_batch_is_ring(). */
void tl_batch_submit(struct tl_batch *batch);

/** Tells the end of one operation: its tag, and octets moved or a negative errno. false: no more for now. */
bool tl_batch_next(struct tl_batch *batch, unsigned *tag, int *result);
