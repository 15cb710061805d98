/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/jitter.h"

#include <glib.h>
#include <string.h>

#define WORD 64 /* bits of there[] in one place */
#define PER_MS 8
#define SLACK (40 * PER_MS)       /* beyond the depth before it counts as too deep */
#define PACKET_MAX (200 * PER_MS) /* RFC 3551 4.2; the rest of a longer one is dropped */
#define WINDOW_TICKS 400
#define SPARE_MIN (TL_BLOCK_OCTETS + 40) /* packets are read once a tick, so a clock that is off shows by a block at once */
#define OFF_SAMPLES 8             /* 1 ms: less is the network's doing */
#define OFF_WINDOWS 8             /* so many in a row are a clock's: 32 s, in which 50 ppm make 13 samples */
#define CORRECTION_TICKS 150      /* one sample each 1.5 s: 83 ppm */
#define GIVE_UP (1000 * PER_MS)   /* dry for so long: the next packet starts anew */

void tl_jitter_init(struct tl_jitter *jitter, unsigned min_ms, unsigned max_ms)
{
	uint32_t n = 1024;
	while (n < max_ms * PER_MS + MAX(max_ms * PER_MS, SLACK) + PACKET_MAX)
		n <<= 1;
	*jitter = (struct tl_jitter){
		.octets = g_new0(uint8_t, n), .there = g_new0(uint64_t, n / WORD), .mask = n - 1,
		.min = min_ms * PER_MS, .max = max_ms * PER_MS,
	};
	tl_jitter_reset(jitter);
}

void tl_jitter_done(struct tl_jitter *jitter)
{
	g_clear_pointer(&jitter->octets, g_free);
	g_clear_pointer(&jitter->there, g_free);
}

void tl_jitter_reset(struct tl_jitter *jitter)
{
	jitter->running = false;
	memset(jitter->there, 0, (jitter->mask + 1) / WORD * sizeof *jitter->there);
}

void tl_jitter_set_deep(struct tl_jitter *jitter, bool deep)
{
	if (deep == jitter->deep)
		return;
	jitter->deep = deep;
	tl_jitter_reset(jitter);
}

static bool is_fixed(const struct tl_jitter *jitter)
{
	return jitter->fixed || jitter->deep;
}

static uint32_t depth_at_start(const struct tl_jitter *jitter)
{
	return jitter->deep ? jitter->max : jitter->min;
}

/* Held deep, it may become as much too deep as it may run low: its first packet may have been a late one, and a skip costs a page. */
static uint32_t slack(const struct tl_jitter *jitter)
{
	return jitter->deep ? MAX(jitter->max, SLACK) : SLACK;
}

/* The word that holds the bit of sample @at, and of it the bits of up to @n samples. Returns how many those are. */
static unsigned bits_at(const struct tl_jitter *jitter, uint32_t at, unsigned n, uint64_t **word, uint64_t *bits)
{
	unsigned first = at % WORD, taken = MIN(WORD - first, n);
	*word = &jitter->there[(at & jitter->mask) / WORD];
	*bits = (~(uint64_t)0 >> (WORD - taken)) << first;
	return taken;
}

static unsigned count(const struct tl_jitter *jitter, uint32_t at, unsigned n)
{
	unsigned found = 0;
	uint64_t *word, bits;
	for (unsigned taken; n; at += taken, n -= taken) {
		taken = bits_at(jitter, at, n, &word, &bits);
		found += __builtin_popcountll(*word & bits);
	}
	return found;
}

static void mark(struct tl_jitter *jitter, uint32_t at, unsigned n, bool there)
{
	uint64_t *word, bits;
	for (unsigned taken; n; at += taken, n -= taken) {
		taken = bits_at(jitter, at, n, &word, &bits);
		*word = there ? *word | bits : *word & ~bits;
	}
}

/* The playout point has moved: what spare there is now is the usual one. */
static void forget_clock(struct tl_jitter *jitter)
{
	jitter->ticks = 0;
	jitter->spare = jitter->usual = INT32_MAX;
	jitter->owed = jitter->off_side = 0;
	jitter->off_windows = 0;
}

static void start_at(struct tl_jitter *jitter, uint32_t timestamp)
{
	tl_jitter_reset(jitter);
	jitter->running = true;
	jitter->play = timestamp - depth_at_start(jitter);
	jitter->end = timestamp;
	forget_clock(jitter);
}

/* Moves the playout point up to @play, over samples that nobody will hear. */
static void skip_to(struct tl_jitter *jitter, uint32_t play)
{
	mark(jitter, jitter->play, play - jitter->play, false);
	jitter->play = play;
	forget_clock(jitter);
}

/* Holds playing back by whole blocks, so that what comes at @timestamp is in time, if the bound allows it. */
static bool grow(struct tl_jitter *jitter, uint32_t timestamp, unsigned n)
{
	uint32_t behind = jitter->play - timestamp;
	uint32_t shift = (behind + TL_BLOCK_OCTETS - 1) / TL_BLOCK_OCTETS * TL_BLOCK_OCTETS;
	uint32_t newest = (int32_t)(jitter->end - (timestamp + n)) > 0 ? jitter->end : timestamp + n;
	if (is_fixed(jitter) || (int32_t)(newest - (jitter->play - shift)) > (int32_t)(jitter->max + n))
		return false;
	jitter->play -= shift; /* that place was emptied when it was played */
	forget_clock(jitter);
	return true;
}

/* Brings the playout point and the packet together; says how, or that the packet is too late. */
static enum tl_jitter_fate place(struct tl_jitter *jitter, uint32_t timestamp, unsigned n)
{
	int32_t ahead = timestamp - jitter->play;
	uint32_t depth_max = is_fixed(jitter) ? depth_at_start(jitter) : jitter->max;
	if (!jitter->running) {
		start_at(jitter, timestamp);
		return TL_JITTER_TAKEN;
	}
	if (ahead > (int32_t)GIVE_UP || ahead < -(int32_t)GIVE_UP) {
		start_at(jitter, timestamp);
		return TL_JITTER_MOVED;
	}
	if (ahead > (int32_t)(depth_max + slack(jitter))) {
		if (ahead > (int32_t)(jitter->mask / 2))
			start_at(jitter, timestamp);
		else
			skip_to(jitter, timestamp - depth_at_start(jitter));
		return TL_JITTER_OVERFLOW;
	}
	if (ahead >= 0 || grow(jitter, timestamp, n))
		return TL_JITTER_TAKEN;
	if ((int32_t)(jitter->end - jitter->play) <= 0) { /* dry: it is the playout point that is wrong */
		start_at(jitter, timestamp);
		return TL_JITTER_MOVED;
	}
	return ahead + (int32_t)n > 0 ? TL_JITTER_TAKEN : TL_JITTER_LATE;
}

static void store(struct tl_jitter *jitter, uint32_t at, const uint8_t *octets, unsigned n)
{
	uint32_t place = at & jitter->mask;
	unsigned before_wrap = MIN(n, jitter->mask + 1 - place);
	memcpy(jitter->octets + place, octets, before_wrap);
	memcpy(jitter->octets, octets + before_wrap, n - before_wrap);
}

enum tl_jitter_fate tl_jitter_put(struct tl_jitter *jitter, uint32_t timestamp, const uint8_t *octets, unsigned n)
{
	if (n > PACKET_MAX)
		n = PACKET_MAX;
	enum tl_jitter_fate fate = place(jitter, timestamp, n);
	jitter->spare = MIN(jitter->spare, (int32_t)(timestamp - jitter->play));
	if (fate == TL_JITTER_LATE)
		return fate;
	unsigned over = (int32_t)(timestamp - jitter->play) < 0 ? jitter->play - timestamp : 0;
	over = MIN(over, n);
	unsigned left = n - over;
	if (count(jitter, timestamp + over, left) == left)
		return TL_JITTER_DUPLICATE;
	store(jitter, timestamp + over, octets + over, left);
	mark(jitter, timestamp + over, left, true);
	if ((int32_t)(timestamp + n - jitter->end) > 0)
		jitter->end = timestamp + n;
	return fate;
}

/* Spare that is off its usual value to one side again and again: the sender's clock runs faster or slower than ours. */
static void watch_clock(struct tl_jitter *jitter)
{
	if (jitter->usual == INT32_MAX)
		jitter->usual = MAX(jitter->spare, SPARE_MIN);
	if (jitter->owed)
		return;
	int32_t off = jitter->spare - jitter->usual;
	int side = off > OFF_SAMPLES ? 1 : off < -OFF_SAMPLES ? -1 : 0;
	jitter->off_windows = side && side == jitter->off_side ? jitter->off_windows + 1 : 0;
	jitter->off_side = side;
	if (jitter->off_windows >= OFF_WINDOWS) {
		jitter->owed = off;
		jitter->off_windows = 0;
	}
}

/* At the end of a window: one block less when it was never needed. */
static void end_window(struct tl_jitter *jitter)
{
	if (++jitter->ticks < WINDOW_TICKS)
		return;
	if (is_fixed(jitter))
		jitter->owed = 0;
	else if (jitter->spare == INT32_MAX)
		; /* nobody spoke */
	else if (jitter->spare >= (int32_t)(jitter->min + TL_BLOCK_OCTETS))
		skip_to(jitter, jitter->play + TL_BLOCK_OCTETS);
	else
		watch_clock(jitter);
	jitter->ticks = 0;
	jitter->spare = INT32_MAX;
}

/* How far the playout point goes with this block: a sample more or less where one is owed. */
static unsigned next_step(struct tl_jitter *jitter)
{
	if (!jitter->owed || is_fixed(jitter) || ++jitter->pace < CORRECTION_TICKS)
		return TL_BLOCK_OCTETS;
	int one = jitter->owed > 0 ? 1 : -1;
	jitter->pace = 0;
	jitter->owed -= one;
	jitter->corrections++;
	return TL_BLOCK_OCTETS + one;
}

/* The octets of the next block that are there. */
static void load(const struct tl_jitter *jitter, uint8_t *block)
{
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++) {
		uint32_t place = (jitter->play + i) & jitter->mask;
		bool there = jitter->there[place / WORD] >> place % WORD & 1;
		block[i] = there ? jitter->octets[place] : block[i];
	}
}

static void load_whole(const struct tl_jitter *jitter, uint8_t *block)
{
	uint32_t place = jitter->play & jitter->mask;
	unsigned before_wrap = MIN(TL_BLOCK_OCTETS, jitter->mask + 1 - place);
	memcpy(block, jitter->octets + place, before_wrap);
	memcpy(block + before_wrap, jitter->octets, TL_BLOCK_OCTETS - before_wrap);
}

unsigned tl_jitter_missing(const struct tl_jitter *jitter)
{
	return TL_BLOCK_OCTETS - count(jitter, jitter->play, TL_BLOCK_OCTETS);
}

void tl_jitter_get(struct tl_jitter *jitter, uint8_t *block, unsigned missing)
{
	int32_t depth = jitter->end - jitter->play;
	if (jitter->running && depth < -(int32_t)GIVE_UP)
		jitter->running = false;
	if (!missing)
		load_whole(jitter, block);
	else
		load(jitter, block);
	if (!jitter->running)
		return;
	unsigned step = next_step(jitter);
	mark(jitter, jitter->play, step, false);
	jitter->play += step;
	end_window(jitter);
}

unsigned tl_jitter_depth(const struct tl_jitter *jitter)
{
	int32_t depth = jitter->end - jitter->play;
	return jitter->running && depth > 0 ? depth : 0;
}

void tl_jitter_ahead(const struct tl_jitter *jitter)
{
	uint32_t place = jitter->play & jitter->mask;
	__builtin_prefetch(&jitter->there[place / WORD]);
	__builtin_prefetch(&jitter->octets[place]);
	__builtin_prefetch(&jitter->octets[(place + TL_BLOCK_OCTETS - 1) & jitter->mask]);
}
