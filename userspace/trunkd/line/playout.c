/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/playout.h"

#include <string.h>
#include <glib.h>

#include "line/alarms.h"
#include "line/backend.h"

#define FRAMES_A_MS 8
/* Room beyond the greatest depth, for a media thread that was kept waiting. */
#define STALL_FRAMES (250 * FRAMES_A_MS)
/* A follower that is this far behind its sender for so long is kept so by another span's line time. */
#define BEHIND_FRAMES (STALL_FRAMES - TL_BLOCK_OCTETS)
#define BEHIND_TICKS 200
/* Packet-loss state: entered after 20 ms of nothing, left after 10 ms of packets. */
#define LOSS_ENTER_FRAMES (20 * FRAMES_A_MS)
#define LOSS_LEAVE_FRAMES (10 * FRAMES_A_MS)
/* Packets that all come too late for so long are the stream's new place. */
#define LATE_FRAMES (100 * FRAMES_A_MS)
/* So far above the greatest depth that dropping frame by frame would take minutes. */
#define FAR_ABOVE_FRAMES (50 * FRAMES_A_MS)
/* The mean depth follows over 64 ticks, 0.64 s. */
#define MEAN_TICKS 64
/* A packet further ahead of all others and of its time is not believed alone. */
#define LEAP_FRAMES (20 * FRAMES_A_MS)

struct place {
	int64_t sequence; /* extended; what is stored here, -1 none */
	bool has_payload, has_cas, l, remote;
	uint8_t cas[TL_CESOP_SLOTS_MAX + 1];
};

struct tl_playout {
	struct tl_playout_config config;
	struct tl_span_counters *counters;
	unsigned frames, slots; /* of a packet */
	unsigned n_places;      /* a power of two */
	struct place *places;   /* by sequence modulo n_places */
	uint8_t *payloads;      /* likewise, frames x slots octets each */

	bool synced;       /* a first packet has come */
	bool primed;       /* read is set */
	int64_t base;      /* sequence where the stream began: what is before was never sent to us */
	int64_t highest;   /* sequence */
	int64_t read;      /* frame to play next */
	uint64_t advanced; /* packets */
	bool fresh;        /* something was stored since the last tick */
	unsigned behind;   /* ticks in a row */

	bool jumping;      /* a packet outside the window came; its successor proves a jump */
	uint16_t jump_next;
	unsigned late_run; /* packets in a row that came too late */

	bool lost;
	unsigned lost_frames, good_frames; /* in a row */
	unsigned stream_defects;           /* L and remote of the last packet played */
	double mean_frames;
};

struct tl_playout *tl_playout_new(const struct tl_playout_config *config,
				  struct tl_span_counters *counters)
{
	struct tl_playout *playout = g_new0(struct tl_playout, 1);
	unsigned frames = config->format.frames;
	unsigned room = (config->max_frames + STALL_FRAMES) / frames + 2;

	playout->config = *config;
	playout->counters = counters;
	playout->frames = frames;
	playout->slots = config->format.slots;
	playout->n_places = 1;
	while (playout->n_places < room)
		playout->n_places *= 2;
	playout->places = g_new0(struct place, playout->n_places);
	for (unsigned i = 0; i < playout->n_places; i++)
		playout->places[i].sequence = -1;
	playout->payloads = g_malloc0((size_t)playout->n_places * frames * playout->slots);
	playout->lost = true;
	return playout;
}

void tl_playout_free(struct tl_playout *playout)
{
	if (!playout)
		return;
	g_free(playout->payloads);
	g_free(playout->places);
	g_free(playout);
}

static struct place *place_of(const struct tl_playout *playout, int64_t sequence)
{
	return &playout->places[sequence & (playout->n_places - 1)];
}

static uint8_t *payload_of(const struct tl_playout *playout, int64_t sequence)
{
	return playout->payloads +
	       (size_t)(sequence & (playout->n_places - 1)) * playout->frames * playout->slots;
}

static int64_t end_of(const struct tl_playout *playout, int64_t sequence)
{
	return (sequence + 1) * playout->frames;
}

/* Where the stream is now: the position played, or the newest packet before any was. */
static int64_t present_sequence(const struct tl_playout *playout)
{
	return playout->primed ? playout->read / playout->frames : playout->highest;
}

static int64_t extend(const struct tl_playout *playout, uint16_t sequence)
{
	int64_t present = present_sequence(playout);

	return present + (int16_t)(uint16_t)(sequence - (uint16_t)present);
}

unsigned tl_playout_due_frames(const struct tl_playout *playout)
{
	if (!playout->primed)
		return 0;

	int64_t due = end_of(playout, playout->highest) - playout->read - playout->config.depth_frames;

	return due > 0 ? (unsigned)due : 0;
}

/*
 * Begins anew at @sequence, in numbers never used before, so that nothing old
 * is taken for new. Line time that the sender has already given stays due.
 */
static void restart(struct tl_playout *playout, uint16_t sequence)
{
	unsigned due = tl_playout_due_frames(playout);
	int64_t epoch = ((playout->highest >> 16) + 2) << 16;

	playout->synced = true;
	playout->base = epoch + sequence;
	playout->highest = playout->base - 1;
	playout->jumping = false;
	playout->late_run = 0;
	playout->primed = playout->config.follows_sender;
	if (playout->primed)
		playout->read = end_of(playout, playout->highest) - playout->config.depth_frames - due;
}

static void advance(struct tl_playout *playout, int64_t sequence)
{
	playout->advanced += (uint64_t)(sequence - playout->highest);
	playout->highest = sequence;
}

static void store(struct tl_playout *playout, int64_t sequence, const struct tl_cesop_packet *packet)
{
	struct place *place = place_of(playout, sequence);

	if (place->sequence == sequence) {
		tl_count(&playout->counters->duplicate, 1);
		return;
	}
	if (sequence > playout->highest)
		advance(playout, sequence);
	else
		tl_count(&playout->counters->reordered, 1);
	place->sequence = sequence;
	place->l = packet->l;
	place->remote = packet->r || packet->m == 2;
	place->has_payload = packet->payload && !packet->l;
	place->has_cas = packet->has_cas && !packet->l;
	if (place->has_payload)
		memcpy(payload_of(playout, sequence), packet->payload,
		       (size_t)playout->frames * playout->slots);
	if (place->has_cas)
		memcpy(place->cas, packet->cas, sizeof(place->cas));
	playout->late_run = 0;
	playout->jumping = false;
	playout->fresh = true;
}

/*
 * A packet nowhere near the stream: one such is noise, two in sequence are the
 * stream's new place, of which the first is then lost.
 */
static void put_outside(struct tl_playout *playout, const struct tl_cesop_packet *packet)
{
	if (playout->jumping && packet->sequence == playout->jump_next) {
		restart(playout, (uint16_t)(packet->sequence - 1));
		store(playout, extend(playout, packet->sequence), packet);
		return;
	}
	tl_count(&playout->counters->jumps, 1);
	playout->jumping = true;
	playout->jump_next = (uint16_t)(packet->sequence + 1);
}

/* Too late to be played; yet when nothing else comes any more, this is where the stream is. */
static void put_late(struct tl_playout *playout, int64_t sequence, const struct tl_cesop_packet *packet)
{
	unsigned enough = playout->lost ? 2 : LATE_FRAMES / playout->frames + 2;

	if (place_of(playout, sequence)->sequence == sequence) {
		tl_count(&playout->counters->duplicate, 1);
		return;
	}
	/* With the sender's own time nothing is late, but what lies before a restart. */
	if (playout->config.follows_sender) {
		put_outside(playout, packet);
		return;
	}
	if (++playout->late_run < enough) {
		tl_count(&playout->counters->late, 1);
		return;
	}
	tl_count(&playout->counters->jumps, 1);
	restart(playout, packet->sequence);
	store(playout, extend(playout, packet->sequence), packet);
}

/* Whether @sequence is neither kept any more nor to be expected yet. */
static bool is_outside(const struct tl_playout *playout, int64_t sequence)
{
	int64_t newest = playout->highest;
	int64_t oldest = present_sequence(playout) - (playout->n_places - 1);

	if (playout->primed)
		newest = MAX(newest, (playout->read + TL_BLOCK_OCTETS + playout->config.depth_frames) /
					     playout->frames);
	newest += LEAP_FRAMES / playout->frames + 1;
	/* Before the first tick nothing frees places. */
	if (!playout->primed)
		return sequence > newest || sequence <= playout->base - (playout->n_places / 2) ||
		       sequence >= playout->base + playout->n_places / 2;
	return sequence > newest || sequence < oldest ||
	       sequence > present_sequence(playout) + playout->n_places - 1;
}

void tl_playout_put(struct tl_playout *playout, const struct tl_cesop_packet *packet)
{
	if (!playout->synced)
		restart(playout, packet->sequence);

	int64_t sequence = extend(playout, packet->sequence);

	if (is_outside(playout, sequence))
		put_outside(playout, packet);
	else if (playout->primed && end_of(playout, sequence) <= playout->read)
		put_late(playout, sequence, packet);
	else
		store(playout, sequence, packet);
}

uint64_t tl_playout_advanced(const struct tl_playout *playout)
{
	return playout->advanced;
}

bool tl_playout_is_lost(const struct tl_playout *playout)
{
	return playout->lost;
}

/* Counts @n frames played, and whether they were there, towards the packet-loss state. */
static void note_frames(struct tl_playout *playout, bool there, unsigned n)
{
	if (there) {
		playout->good_frames += n;
		playout->lost_frames = 0;
		if (playout->good_frames >= LOSS_LEAVE_FRAMES)
			playout->lost = false;
	} else {
		playout->lost_frames += n;
		playout->good_frames = 0;
		if (playout->lost_frames >= LOSS_ENTER_FRAMES)
			playout->lost = true;
	}
	/* Kept from wrapping in a silence of weeks. */
	playout->good_frames = MIN(playout->good_frames, LOSS_LEAVE_FRAMES);
	playout->lost_frames = MIN(playout->lost_frames, LOSS_ENTER_FRAMES);
}

static void fill_idle(const struct tl_playout *playout, uint8_t rx[][TL_BLOCK_OCTETS], unsigned at,
		      unsigned n)
{
	for (unsigned slot = 1; slot <= playout->slots; slot++)
		memset(&rx[slot][at], playout->config.idle[slot], n);
}

/* Frames lie row by row in a packet, timeslots row by row in a tick. */
static void fill_payload(const struct tl_playout *playout, uint8_t rx[][TL_BLOCK_OCTETS], unsigned at,
			 const uint8_t *rows, unsigned n)
{
	for (unsigned slot = 1; slot <= playout->slots; slot++) {
		const uint8_t *from = rows + slot - 1;
		uint8_t *to = &rx[slot][at];

		for (unsigned i = 0; i < n; i++, from += playout->slots)
			to[i] = *from;
	}
}

static void play_missing(struct tl_playout *playout, int64_t sequence, unsigned n, bool ends,
			 struct tl_playout_tick *tick)
{
	note_frames(playout, false, n);
	if (sequence < playout->base)
		return;
	tick->errored = true;
	tl_count(&playout->counters->idle_frames, n);
	/* A packet is missed once, with its last frame: until then it may still come. */
	if (ends && sequence < playout->highest)
		tl_count(&playout->counters->lost, 1);
	else if (ends)
		tl_count(&playout->counters->underruns, 1);
}

static void play_found(struct tl_playout *playout, const struct place *place, unsigned n, bool ends,
		       struct tl_playout_tick *tick)
{
	note_frames(playout, true, n);
	playout->stream_defects = (place->l ? TL_DEFECT_L : 0) | (place->remote ? TL_DEFECT_REMOTE : 0);
	if (place->l)
		tick->errored = true;
	if (ends && place->has_cas)
		tick->cas = place->cas;
}

/* Plays up to @most frames of the packet at read, to column @at. Returns how many. */
static unsigned play(struct tl_playout *playout, uint8_t rx[][TL_BLOCK_OCTETS], unsigned at,
		     unsigned most, struct tl_playout_tick *tick)
{
	int64_t sequence = playout->read / playout->frames;
	unsigned first = (unsigned)(playout->read % playout->frames);
	unsigned n = MIN(playout->frames - first, most);
	bool ends = first + n == playout->frames;
	const struct place *place = place_of(playout, sequence);
	bool found = place->sequence == sequence;

	if (found && place->has_payload)
		fill_payload(playout, rx, at, payload_of(playout, sequence) + (size_t)first * playout->slots, n);
	else
		fill_idle(playout, rx, at, n);
	if (found)
		play_found(playout, place, n, ends, tick);
	else
		play_missing(playout, sequence, n, ends, tick);
	playout->read += n;
	return n;
}

static void prime(struct tl_playout *playout)
{
	playout->read = end_of(playout, playout->highest) - TL_BLOCK_OCTETS - playout->config.depth_frames;
	playout->mean_frames = playout->config.depth_frames;
	playout->primed = true;
}

static void drop_excess(struct tl_playout *playout)
{
	int64_t before = playout->read;

	prime(playout);
	tl_count(&playout->counters->overruns, (uint64_t)(playout->read - before) / playout->frames);
}

/*
 * A follower's line time that the sender has given stays due, to be made up
 * for. Where that never happens it goes: with no room left all that comes
 * would be outside, for ever.
 */
static void keep_up(struct tl_playout *playout, struct tl_playout_tick *tick)
{
	playout->behind = tl_playout_due_frames(playout) > BEHIND_FRAMES ? playout->behind + 1 : 0;
	if (playout->behind < BEHIND_TICKS)
		return;
	drop_excess(playout);
	playout->behind = 0;
	tick->errored = true;
}

/* Keeps the mean depth within bounds by one whole frame a tick at most. */
static void keep_depth(struct tl_playout *playout, struct tl_playout_tick *tick)
{
	int64_t depth = end_of(playout, playout->highest) - playout->read - TL_BLOCK_OCTETS;

	if (playout->fresh)
		playout->mean_frames += ((double)depth - playout->mean_frames) / MEAN_TICKS;
	playout->fresh = false;
	if (playout->mean_frames > playout->config.max_frames + FAR_ABOVE_FRAMES) {
		drop_excess(playout);
		tick->errored = true;
	} else if (playout->mean_frames > playout->config.max_frames) {
		playout->read++;
		playout->mean_frames -= 1;
		tl_count(&playout->counters->slips_dropped, 1);
		tick->errored = true;
	} else if (playout->mean_frames < playout->config.depth_frames / 2.0) {
		playout->read--;
		playout->mean_frames += 1;
		tl_count(&playout->counters->slips_repeated, 1);
		tick->errored = true;
	}
}

static void gauge_depth(struct tl_playout *playout)
{
	int64_t depth_us = (end_of(playout, playout->highest) - playout->read) * 125;

	__atomic_store_n(&playout->counters->depth_us, MAX(depth_us, 0), __ATOMIC_RELAXED);
}

void tl_playout_take(struct tl_playout *playout, uint8_t rx[][TL_BLOCK_OCTETS],
		     struct tl_playout_tick *tick)
{
	*tick = (struct tl_playout_tick){ 0 };
	if (!playout->synced) {
		fill_idle(playout, rx, 0, TL_BLOCK_OCTETS);
		tick->defects = TL_DEFECT_LOSS;
		return;
	}
	if (!playout->primed)
		prime(playout);
	else if (playout->config.follows_sender)
		keep_up(playout, tick);
	else
		keep_depth(playout, tick);
	for (unsigned at = 0; at < TL_BLOCK_OCTETS;)
		at += play(playout, rx, at, TL_BLOCK_OCTETS - at, tick);
	gauge_depth(playout);
	tick->above_depth = playout->mean_frames - playout->config.depth_frames;
	tick->defects = playout->stream_defects | (playout->lost ? TL_DEFECT_LOSS : 0);
}
