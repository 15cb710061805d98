/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/ring.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#define CACHE_LINE 64

struct tl_ring {
	/* RO */
	size_t mask, value_size;
	unsigned char *values;
	/* Each end keeps its own index and its last look at the other's, on a cache line of its own. */
	_Alignas(CACHE_LINE) atomic_size_t tail; /* producer writes */
	size_t head_seen;                        /* producer */
	_Alignas(CACHE_LINE) atomic_size_t head; /* consumer writes */
	size_t tail_seen;                        /* consumer */
};

struct tl_ring *tl_ring_new(unsigned capacity, size_t value_size)
{
	g_assert(capacity > 0 && capacity <= 1u << 30 && value_size > 0);
	size_t n = 1;
	while (n < capacity)
		n <<= 1;
	struct tl_ring *ring = g_aligned_alloc0(1, sizeof *ring, CACHE_LINE);
	ring->mask = n - 1;
	ring->value_size = value_size;
	ring->values = g_malloc0_n(n, value_size);
	return ring;
}

void tl_ring_free(struct tl_ring *ring)
{
	if (!ring)
		return;
	g_free(ring->values);
	g_aligned_free(ring);
}

static unsigned char *value_at(const struct tl_ring *ring, size_t index)
{
	return ring->values + (index & ring->mask) * ring->value_size;
}

bool tl_ring_push(struct tl_ring *ring, const void *value)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	if (tail - ring->head_seen > ring->mask) {
		ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
		if (tail - ring->head_seen > ring->mask)
			return false;
	}
	memcpy(value_at(ring, tail), value, ring->value_size);
	/* Pairs with the acquire in tl_ring_peek(). */
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

const void *tl_ring_peek(struct tl_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (head == ring->tail_seen) {
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (head == ring->tail_seen)
			return NULL;
	}
	return value_at(ring, head);
}

void tl_ring_drop(struct tl_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	/* Pairs with the acquire in tl_ring_push(): the slot is free once this is seen. */
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

bool tl_ring_pop(struct tl_ring *ring, void *value)
{
	const void *oldest = tl_ring_peek(ring);
	if (!oldest)
		return false;
	memcpy(value, oldest, ring->value_size);
	tl_ring_drop(ring);
	return true;
}

unsigned tl_ring_count(const struct tl_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	size_t n = tail - head;
	return n > ring->mask + 1 ? ring->mask + 1 : n;
}

unsigned tl_ring_capacity(const struct tl_ring *ring)
{
	return ring->mask + 1;
}
