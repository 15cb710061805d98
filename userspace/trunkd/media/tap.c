/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Taps: a port whose party speaks with another thread of ours (fax) and not
 * with other ports. Blocks each way; the far thread gives one for each that
 * it takes, so that what lies between stays the depth that it began with.
 */
#include "media/tap.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "media/g711.h"
#include "media/session.h"

#define BACKLOG_BLOCKS 64 /* beyond the depth, before blocks are dropped */
#define DATAGRAMS 64

enum kind {
	AUDIO,
	IDLE,
	MISSING, /* idle, because nothing came */
};

/* ---- a way: each function on the thread of its end ---- */

static void way_open(struct tl_tap_way *way, unsigned blocks)
{
	way->kinds = tl_ring_new(blocks, 1);
	way->first = tl_ring_reserve(way->kinds);
	way->octets = g_malloc0_n(tl_ring_capacity(way->kinds), TL_BLOCK_OCTETS);
}

static void way_close(struct tl_tap_way *way)
{
	tl_ring_free(way->kinds);
	g_free(way->octets);
}

static bool is_idle(enum tl_law law, const uint8_t *octets)
{
	return octets[0] == tl_law_idle(law) && !memcmp(octets, octets + 1, TL_BLOCK_OCTETS - 1);
}

static bool put(struct tl_tap_way *way, enum kind kind, const uint8_t *octets)
{
	uint8_t *place = tl_ring_reserve(way->kinds);
	if (!place)
		return false;
	*place = kind;
	if (kind == AUDIO)
		memcpy(way->octets[place - way->first], octets, TL_BLOCK_OCTETS);
	tl_ring_commit(way->kinds);
	return true;
}

static bool is_there(const struct tl_tap_way *way)
{
	return tl_ring_peek(way->kinds) != NULL;
}

/* False: none waits. */
static bool take(struct tl_tap_way *way, enum tl_law law, enum kind *kind, uint8_t *octets)
{
	const uint8_t *place = tl_ring_peek(way->kinds);
	if (!place)
		return false;
	*kind = *place;
	if (*kind == AUDIO)
		memcpy(octets, way->octets[place - way->first], TL_BLOCK_OCTETS);
	else
		memset(octets, tl_law_idle(law), TL_BLOCK_OCTETS);
	tl_ring_drop(way->kinds);
	return true;
}

/* ---- bells ---- */

struct tl_bell *tl_bell_new(struct tl_media *media)
{
	struct tl_bell *bell = g_new0(struct tl_bell, 1);
	bell->media = media;
	bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bell->fd < 0)
		g_error("media: eventfd: %s", g_strerror(errno));
	bell->next = media->bells;
	media->bells = bell;
	return bell;
}

void tl_bells_free(struct tl_media *media)
{
	while (media->bells) {
		struct tl_bell *bell = media->bells;
		media->bells = bell->next;
		close(bell->fd);
		g_free(bell);
	}
}

int tl_bell_fd(const struct tl_bell *bell)
{
	return bell->fd;
}

void tl_bell_ring(struct tl_bell *bell)
{
	uint64_t one = 1;
	if (!atomic_exchange(&bell->rung, true))
		(void)!write(bell->fd, &one, sizeof one);
}

void tl_bell_hush(struct tl_bell *bell)
{
	uint64_t count;
	(void)!read(bell->fd, &count, sizeof count);
	atomic_store(&bell->rung, false); /* before the rings are looked at: pairs with tl_bell_ring() */
}

/* ---- main ---- */

struct tl_tap *tl_port_tap(struct tl_port *port, struct tl_bell *bell, unsigned depth_blocks)
{
	tl_assert_main();
	struct tl_tap *tap = g_new0(struct tl_tap, 1);
	tap->parcel.kind = TL_PARCEL_TAP;
	tap->media = port->media;
	tap->law = port->main_law;
	tap->depth = CLAMP(depth_blocks, 1, BACKLOG_BLOCKS);
	tap->batch = MAX(tap->depth / 2, 1);
	tap->bell = bell;
	way_open(&tap->said, tap->depth + BACKLOG_BLOCKS);
	way_open(&tap->heard, tap->depth + BACKLOG_BLOCKS);
	if (port->rtp) {
		tap->came = tl_ring_new(DATAGRAMS, sizeof(struct tl_datagram));
		tap->going = tl_ring_new(DATAGRAMS, sizeof(struct tl_datagram));
	}
	for (unsigned i = 0; i < tap->depth; i++)
		put(&tap->heard, IDLE, NULL);
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_TAP, .port = port, .tap = tap });
	port->was_tapped = true;
	return tap;
}

void tl_port_untap(struct tl_port *port)
{
	tl_assert_main();
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_TAP, .port = port, .tap = NULL });
	tl_media_kick(port->media); /* a tick may be waiting for it */
}

static void free_when_both_did(struct tl_tap *tap)
{
	if (!tap->returned || !tap->freed)
		return;
	way_close(&tap->said);
	way_close(&tap->heard);
	tl_ring_free(tap->came);
	tl_ring_free(tap->going);
	g_free(tap);
}

void tl_tap_dispose(struct tl_tap *tap)
{
	tap->returned = true;
	free_when_both_did(tap);
}

void tl_tap_free(struct tl_tap *tap)
{
	if (!tap)
		return;
	tl_assert_main();
	tap->freed = true;
	free_when_both_did(tap);
}

void tl_tap_counters(const struct tl_tap *tap, uint64_t *missed, uint64_t *dropped)
{
	*missed = atomic_load(&tap->blocks_missed);
	*dropped = atomic_load(&tap->blocks_dropped) + atomic_load(&tap->datagrams_dropped);
}

/* ---- the far thread ---- */

enum tl_law tl_tap_law(const struct tl_tap *tap)
{
	return tap->law;
}

bool tl_tap_take(struct tl_tap *tap, uint8_t block[TL_BLOCK_OCTETS], bool *missing)
{
	enum kind kind;
	if (!take(&tap->said, tap->law, &kind, block))
		return false;
	*missing = kind == MISSING;
	return true;
}

void tl_tap_give(struct tl_tap *tap, const uint8_t block[TL_BLOCK_OCTETS])
{
	(void)put(&tap->heard, is_idle(tap->law, block) ? IDLE : AUDIO, block); /* as many were taken before: there is room */
}

void tl_taps_given(struct tl_media *media)
{
	for (unsigned i = 0; i < media->n_threads; i++)
		if (atomic_exchange(&media->threads[i]->awaits_taps, false))
			tl_media_kick(media->threads[i]);
}

bool tl_tap_receive(struct tl_tap *tap, uint8_t octets[TL_DATAGRAM_MAX], size_t *n)
{
	const struct tl_datagram *datagram = tap->came ? tl_ring_peek(tap->came) : NULL;
	if (!datagram)
		return false;
	*n = datagram->n;
	memcpy(octets, datagram->octets, datagram->n);
	tl_ring_drop(tap->came);
	return true;
}

bool tl_tap_send(struct tl_tap *tap, const uint8_t *octets, size_t n)
{
	struct tl_datagram datagram = { .n = n };
	g_assert(n <= TL_DATAGRAM_MAX);
	memcpy(datagram.octets, octets, n);
	if (tap->going && tl_ring_push(tap->going, &datagram))
		return true;
	TL_COUNT(tap->datagrams_dropped, 1);
	return false;
}

bool tl_tap_line_waits(const struct tl_tap *tap)
{
	return atomic_load_explicit(&tap->media->line_waits, memory_order_relaxed);
}

/* ---- tick ---- */

void tl_port_set_tap(struct tl_port *port, struct tl_tap *tap)
{
	struct tl_media *media = port->media;
	if (port->tap) {
		if (port->rtp)
			tl_rtp_session_send_datagrams(port->rtp); /* its last words */
		media->n_taps--;
		tl_media_return(media, &port->tap->parcel);
	}
	port->tap = tap;
	if (tap)
		media->n_taps++;
	if (port->rtp)
		tl_rtp_session_set_deep(port->rtp, tap != NULL);
}

/* Between the port's law, which may change, and the tap's. Returns @in itself where they are one. */
static const uint8_t *in_law(enum tl_law from, enum tl_law to, const uint8_t *in, uint8_t room[TL_BLOCK_OCTETS])
{
	if (from == to)
		return in;
	tl_g711_convert(from, to, in, room, TL_BLOCK_OCTETS);
	return room;
}

void tl_port_take_tap(struct tl_port *port)
{
	uint8_t room[TL_BLOCK_OCTETS];
	struct tl_tap *tap = port->tap;
	const uint8_t *said = in_law(port->law, tap->law, port->said, room);
	if (!put(&tap->said, port->said_missing ? MISSING : is_idle(tap->law, said) ? IDLE : AUDIO, said))
		TL_COUNT(tap->blocks_dropped, 1);
	/* All taps in the same tick: one wake-up serves every machine of a thread. */
	if (port->media->tick % tap->batch == 0)
		tl_bell_ring(tap->bell);
}

bool tl_tap_hear_datagram(struct tl_tap *tap, const uint8_t *octets, size_t n)
{
	struct tl_datagram datagram;
	if (!tap->came || n > TL_DATAGRAM_MAX)
		return false;
	datagram.n = n;
	memcpy(datagram.octets, octets, n);
	return tl_ring_push(tap->came, &datagram);
}

const struct tl_datagram *tl_tap_next_datagram(struct tl_tap *tap)
{
	return tap->going ? tl_ring_peek(tap->going) : NULL;
}

void tl_tap_drop_datagram(struct tl_tap *tap)
{
	tl_ring_drop(tap->going);
}

void tl_port_hear_tap(struct tl_port *port, uint8_t *block)
{
	struct tl_tap *tap = port->tap;
	enum kind kind;
	if (take(&tap->heard, tap->law, &kind, block)) {
		(void)in_law(tap->law, port->law, block, block);
		return;
	}
	TL_COUNT(tap->blocks_missed, 1);
	memset(block, tl_law_idle(port->law), TL_BLOCK_OCTETS);
}

static bool look_at_taps(const struct tl_media *media)
{
	unsigned left = media->n_taps;
	for (unsigned i = 0; left && i < media->n_attached; i++) {
		struct tl_tap *tap = media->ports[i]->tap;
		if (!tap)
			continue;
		if (!is_there(&tap->heard))
			return false;
		left--;
	}
	return true;
}

bool tl_taps_ready(struct tl_media *media)
{
	if (!media->n_taps || look_at_taps(media))
		return true;
	atomic_store(&media->awaits_taps, true); /* before the second look: pairs with tl_taps_given() */
	return look_at_taps(media);
}
