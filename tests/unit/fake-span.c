/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fake-span.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct slot {
	const uint8_t *octets;  /* said, again and again */
	size_t n, at;
	unsigned wired_from;    /* 0: none */
	uint8_t rx[TL_BLOCK_OCTETS], tx[TL_BLOCK_OCTETS];
	uint8_t *sent;          /* FAKE_TICKS_MAX blocks */
};

struct tl_span {
	enum tl_span_kind kind;
	enum tl_law law;
	int fd;
	atomic_uint due, done, received;
	unsigned due_seen;      /* media thread: what ticks_due() said last */
	struct tl_span *leader;
	struct slot slots[TL_SPAN_SLOTS_MAX + 1];
	bool voice[TL_SPAN_SLOTS_MAX + 1];
	bool keeps_last;        /* RO once it ticks */
};

struct tl_span *fake_span_new(enum tl_span_kind kind, enum tl_law law)
{
	struct tl_span *span = g_new0(struct tl_span, 1);
	span->kind = kind;
	span->law = law;
	span->fd = eventfd(0, EFD_NONBLOCK);
	for (unsigned i = 1; i <= tl_span_slots(span); i++)
		span->slots[i].sent = g_malloc0(FAKE_TICKS_MAX * TL_BLOCK_OCTETS);
	return span;
}

void fake_span_free(struct tl_span *span)
{
	for (unsigned i = 1; i <= TL_SPAN_SLOTS_MAX; i++)
		g_free(span->slots[i].sent);
	close(span->fd);
	g_free(span);
}

void fake_span_say(struct tl_span *span, unsigned slot, const uint8_t *octets, size_t n)
{
	span->slots[slot].octets = octets;
	span->slots[slot].n = n;
	span->slots[slot].at = 0;
}

void fake_span_wire(struct tl_span *span, unsigned from, unsigned to)
{
	span->slots[to].wired_from = from;
}

void fake_span_follow(struct tl_span *span, struct tl_span *leader)
{
	span->leader = leader;
}

static void wake(struct tl_span *span)
{
	uint64_t one = 1;
	g_assert(write(span->fd, &one, sizeof one) == sizeof one);
}

void fake_span_tick(struct tl_span *span)
{
	atomic_fetch_add(&span->due, 1);
	wake(span);
}

unsigned fake_span_look(struct tl_span *span)
{
	unsigned before = atomic_load(&span->received);
	wake(span);
	return before;
}

bool fake_span_looked(const struct tl_span *span, unsigned before)
{
	return atomic_load(&span->received) != before;
}

void fake_span_keep_last(struct tl_span *span)
{
	span->keeps_last = true;
}

const uint8_t *fake_span_last(const struct tl_span *span, unsigned slot)
{
	return span->slots[slot].tx;
}

unsigned fake_span_done(const struct tl_span *span)
{
	return atomic_load(&span->done);
}

void fake_span_forget(struct tl_span *span)
{
	atomic_store(&span->done, 0);
}

const uint8_t *fake_span_sent(const struct tl_span *span, unsigned slot)
{
	return span->slots[slot].sent;
}

bool fake_span_voice(const struct tl_span *span, unsigned slot)
{
	return span->voice[slot];
}

/* ---- the media face ---- */

enum tl_law tl_span_get_law(const struct tl_span *span)
{
	return span->law;
}

enum tl_clock_mode tl_span_clock_mode(const struct tl_span *span)
{
	return TL_CLOCK_LOOP;
}

bool tl_span_is_gone(const struct tl_span *span)
{
	return false;
}

int tl_span_set_voice(struct tl_span *span, unsigned slot, bool voice)
{
	span->voice[slot] = voice;
	return 0;
}

bool tl_span_can_wait(const struct tl_span *span)
{
	return true;
}

unsigned tl_span_slots(const struct tl_span *span)
{
	return span->kind == TL_SPAN_E1 ? 31 : 24;
}

int tl_span_fd(const struct tl_span *span)
{
	return span->fd;
}

void tl_span_receive(struct tl_span *span, int64_t now_us)
{
	uint64_t n;
	g_assert(read(span->fd, &n, sizeof n) == sizeof n || errno == EAGAIN);
	atomic_fetch_add(&span->received, 1);
}

unsigned tl_span_ticks_due(const struct tl_span *span)
{
	if (span->leader)
		return span->leader->due_seen;
	return ((struct tl_span *)span)->due_seen = atomic_load(&span->due);
}

int tl_span_skew_ppb(const struct tl_span *span)
{
	return 0;
}

/* In pieces: what the rig costs is part of what benchmarks see of the media thread. */
static void speak(struct slot *slot)
{
	for (unsigned o = 0, n; o < TL_BLOCK_OCTETS; o += n) {
		n = MIN(TL_BLOCK_OCTETS - o, slot->n - slot->at);
		memcpy(slot->rx + o, slot->octets + slot->at, n);
		slot->at = (slot->at + n) % slot->n;
	}
}

void tl_span_begin_tick(struct tl_span *span)
{
	for (unsigned i = 1; i <= tl_span_slots(span); i++) {
		struct slot *slot = &span->slots[i];
		if (slot->wired_from)
			memcpy(slot->rx, span->slots[slot->wired_from].tx, TL_BLOCK_OCTETS);
		else if (slot->octets)
			speak(slot);
		else
			memset(slot->rx, tl_law_idle(span->law), TL_BLOCK_OCTETS);
	}
	for (unsigned i = 1; i <= tl_span_slots(span); i++)
		memset(span->slots[i].tx, tl_law_idle(span->law), TL_BLOCK_OCTETS);
}

bool tl_span_moves(const struct tl_span *span, unsigned slot)
{
	return true;
}

const uint8_t *tl_span_rx(const struct tl_span *span, unsigned slot)
{
	return span->slots[slot].rx;
}

uint8_t *tl_span_tx(struct tl_span *span, unsigned slot)
{
	return span->slots[slot].tx;
}

void tl_span_end_tick(struct tl_span *span, int64_t now_us)
{
	unsigned tick = atomic_load(&span->done);
	g_assert(span->keeps_last || tick < FAKE_TICKS_MAX);
	for (unsigned i = 1; i <= tl_span_slots(span) && !span->keeps_last; i++)
		memcpy(span->slots[i].sent + tick * TL_BLOCK_OCTETS, span->slots[i].tx, TL_BLOCK_OCTETS);
	if (!span->leader)
		atomic_fetch_sub(&span->due, 1);
	atomic_fetch_add(&span->done, 1);
}
