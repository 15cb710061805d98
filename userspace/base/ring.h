/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A ring of values between one producing and one consuming thread, without
 * locks. Values are copied; the ring never allocates after tl_ring_new().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tl_ring;

/**
 * tl_ring_new - a ring for at least @capacity values of @value_size octets each.
 * Thread: main, before either end starts. (transfer full)
 */
struct tl_ring *tl_ring_new(unsigned capacity, size_t value_size);

/** Frees; NULL is legal. Thread: main, after both ends have stopped. */
void tl_ring_free(struct tl_ring *ring);

/** Copies @value in; false when full (nothing changes). Thread: the producer. Real-time safe. */
bool tl_ring_push(struct tl_ring *ring, const void *value);

/**
 * The place of the next value, to be filled in place, or NULL when full; nobody sees it before tl_ring_commit().
 * Thread: the producer. Real-time safe.
 */
void *tl_ring_reserve(struct tl_ring *ring);

/** The value at the place that tl_ring_reserve() gave is there. Thread: the producer. Real-time safe. */
void tl_ring_commit(struct tl_ring *ring);

/** Copies the oldest value out and removes it; false when empty. Thread: the consumer. Real-time safe. */
bool tl_ring_pop(struct tl_ring *ring, void *value);

/**
 * The oldest value in place, or NULL when empty; it stays until tl_ring_drop().
 * Thread: the consumer. Real-time safe.
 */
const void *tl_ring_peek(struct tl_ring *ring);

/** Removes the value that tl_ring_peek() showed. Thread: the consumer. Real-time safe. */
void tl_ring_drop(struct tl_ring *ring);

/** Values waiting; exact for the calling end's own direction, a snapshot for the other. Either end. */
unsigned tl_ring_count(const struct tl_ring *ring);

/** Values it can hold. Any thread. */
unsigned tl_ring_capacity(const struct tl_ring *ring);
