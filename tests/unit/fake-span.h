/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A span for tests of media: it implements the media face of line/line.h, runs
 * only as far as the test says (clock mode loop), says what the test gave it on
 * each timeslot, and keeps what was sent. Link it instead of the room line.
 */
#pragma once

#include "line/line.h"

#define FAKE_TICKS_MAX 6000

struct tl_span *fake_span_new(enum tl_span_kind kind, enum tl_law law);
void fake_span_free(struct tl_span *span);

/** @slot says @octets again and again, from the next tick on; borrowed. NULL: idle. Between ticks only. */
void fake_span_say(struct tl_span *span, unsigned slot, const uint8_t *octets, size_t n);

/** From now on @to receives what was sent on @from a tick before. Between ticks only. */
void fake_span_wire(struct tl_span *span, unsigned from, unsigned to);

/** From now on @span has a tick whenever @leader has; before both are given to media, the leader first. */
void fake_span_follow(struct tl_span *span, struct tl_span *leader);

/** Makes one more tick due. */
void fake_span_tick(struct tl_span *span);

/**
 * fake_span_look - wake the media thread with no tick due. Once fake_span_looked() is true of what this returned, the
 * thread has come round: what it had to tell of the tick before is told.
 */
unsigned fake_span_look(struct tl_span *span);
bool fake_span_looked(const struct tl_span *span, unsigned before);

/** Keeps no more than the last block of each timeslot (fake_span_last()): a benchmark has no use for the others. */
void fake_span_keep_last(struct tl_span *span);
const uint8_t *fake_span_last(const struct tl_span *span, unsigned slot);

/** Ticks done. */
unsigned fake_span_done(const struct tl_span *span);

/** What was done up to now counts for nothing: the next tick is the first one. Between ticks only. */
void fake_span_forget(struct tl_span *span);

/** All octets sent on @slot, from the first tick on; read between ticks. */
const uint8_t *fake_span_sent(const struct tl_span *span, unsigned slot);

/** Whether @slot is said to carry speech. */
bool fake_span_voice(const struct tl_span *span, unsigned slot);
