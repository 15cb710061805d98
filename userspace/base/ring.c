/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/ring.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#define CACHE_LINE 64

/* What one end needs is on one cache line of its own: its index, its last look at the other's, and where the values are. */
struct end {
	_Alignas(CACHE_LINE) atomic_size_t at; /* this end writes; the other one reads */
	size_t other_seen;
	size_t mask, value_size;               /* RO, as values */
	unsigned char *values;
};

struct tl_ring {
	struct end tail; /* the producer's */
	struct end head; /* the consumer's */
};

struct tl_ring *tl_ring_new(unsigned capacity, size_t value_size)
{
	g_assert(capacity > 0 && capacity <= 1u << 30 && value_size > 0);
	size_t n = 1;
	while (n < capacity)
		n <<= 1;
	struct tl_ring *ring = g_aligned_alloc0(1, sizeof *ring, CACHE_LINE);
	const struct end end = { .mask = n - 1, .value_size = value_size, .values = g_malloc0_n(n, value_size) };
	ring->tail = ring->head = end;
	return ring;
}

void tl_ring_free(struct tl_ring *ring)
{
	if (!ring)
		return;
	g_free(ring->tail.values);
	g_aligned_free(ring);
}

static unsigned char *value_at(const struct end *end, size_t index)
{
	return end->values + (index & end->mask) * end->value_size;
}

void *tl_ring_reserve(struct tl_ring *ring)
{
	struct end *end = &ring->tail;
	size_t tail = atomic_load_explicit(&end->at, memory_order_relaxed);
	if (tail - end->other_seen > end->mask) {
		end->other_seen = atomic_load_explicit(&ring->head.at, memory_order_acquire);
		if (tail - end->other_seen > end->mask)
			return NULL;
	}
	return value_at(end, tail);
}

void tl_ring_commit(struct tl_ring *ring)
{
	size_t tail = atomic_load_explicit(&ring->tail.at, memory_order_relaxed);
	/* Pairs with the acquire in tl_ring_peek(). */
	atomic_store_explicit(&ring->tail.at, tail + 1, memory_order_release);
}

bool tl_ring_push(struct tl_ring *ring, const void *value)
{
	void *place = tl_ring_reserve(ring);
	if (!place)
		return false;
	memcpy(place, value, ring->tail.value_size);
	tl_ring_commit(ring);
	return true;
}

const void *tl_ring_peek(struct tl_ring *ring)
{
	struct end *end = &ring->head;
	size_t head = atomic_load_explicit(&end->at, memory_order_relaxed);
	if (head == end->other_seen) {
		end->other_seen = atomic_load_explicit(&ring->tail.at, memory_order_acquire);
		if (head == end->other_seen)
			return NULL;
	}
	return value_at(end, head);
}

void tl_ring_drop(struct tl_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head.at, memory_order_relaxed);
	/* Pairs with the acquire in tl_ring_reserve(): the slot is free once this is seen. */
	atomic_store_explicit(&ring->head.at, head + 1, memory_order_release);
}

bool tl_ring_pop(struct tl_ring *ring, void *value)
{
	const void *oldest = tl_ring_peek(ring);
	if (!oldest)
		return false;
	memcpy(value, oldest, ring->head.value_size);
	tl_ring_drop(ring);
	return true;
}

unsigned tl_ring_count(const struct tl_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head.at, memory_order_acquire);
	size_t tail = atomic_load_explicit(&ring->tail.at, memory_order_acquire);
	size_t n = tail - head;
	return n > ring->tail.mask + 1 ? ring->tail.mask + 1 : n;
}

unsigned tl_ring_capacity(const struct tl_ring *ring)
{
	return ring->tail.mask + 1;
}
