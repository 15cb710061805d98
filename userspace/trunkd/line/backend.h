/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What carries a span's octets, and the port through which it meets the span.
 * A backend moves whole ticks between its line and the port's blocks, tells
 * alarms and CAS changes, and counts. HDLC, handlers and threads are the
 * span's. Inside this room only.
 */
#pragma once

#include "line/line.h"

struct tl_ring;
struct tl_d_channel;

struct tl_cas_change {
	uint8_t slot;
	uint8_t abcd;
	uint64_t tick;
};

struct tl_port {
	const struct tl_span_config *config; /* RO */
	unsigned slots;                      /* RO */
	int fd;                              /* set by the backend's new() */
	unsigned local_port;                 /* set by the backend's new(); 0: none */
	uint8_t idle[TL_SPAN_SLOTS_MAX + 1]; /* RO: what fills each slot where nothing came */

	uint8_t rx[TL_SPAN_SLOTS_MAX + 1][TL_BLOCK_OCTETS]; /* media; by slot */
	uint8_t tx[TL_SPAN_SLOTS_MAX + 1][TL_BLOCK_OCTETS]; /* media; by slot */
	uint8_t cas_heard[TL_SPAN_SLOTS_MAX + 1];           /* media; last told to main */

	struct tl_span_counters counters; /* media writes, main reads: tl_count() */
	uint8_t cas_sent[TL_SPAN_SLOTS_MAX + 1]; /* media; what the backend is to send now */
	uint64_t ticks;                          /* media writes, main reads, atomic */
	unsigned alarms;                  /* media writes, main reads, atomic */
	unsigned injected;                /* main writes, media reads, atomic */
	struct tl_d_channel *d;           /* NULL: none. By backend->has_hdlc its frames are the backend's to move */
	struct tl_ring *cas_changes;      /* struct tl_cas_change, media to main; NULL without CAS */
	bool changed;                     /* media: main has something to hear */
	/* main; set by a span that lends, told by its backend */
	void (*on_lent)(struct tl_port *port, unsigned slot);
	void (*on_device)(struct tl_port *port, bool there);
};

struct tl_lending {
	int (*fd)(const void *backend, unsigned slot);
	void (*lend)(void *backend, unsigned slot);
	void (*reclaim)(void *backend, unsigned slot);
	bool (*is_lent)(const void *backend, unsigned slot);
	bool (*moves)(const void *backend, unsigned slot); /* media */
	void (*let_go)(void *backend);
};

/** All but new and free: media thread, real-time safe. */
struct tl_backend {
	/** (transfer full) Opens; sets port->fd and local_port. Thread: main. */
	void *(*new)(struct tl_port *port, GError **error);
	/** Thread: main. NULL is legal. */
	void (*free)(void *backend);
	void (*receive)(void *backend, int64_t now_us);
	unsigned (*ticks_due)(const void *backend);
	int (*skew_ppb)(const void *backend);
	/** NULL: never. */
	bool (*is_gone)(const void *backend);
	/** Fills port->rx, alarms and CAS. */
	void (*begin_tick)(void *backend);
	/** Sends port->tx and cas_sent. */
	void (*end_tick)(void *backend, int64_t now_us);
	/** The line does HDLC: the backend moves port->d's frames instead of its octets. */
	bool has_hdlc;
	/** tl_span_set_voice() of a bearer. NULL: nothing to do. Thread: main. */
	int (*set_voice)(void *backend, unsigned slot, bool voice);
	/** Bearers lent to signalling, by tl_span_lend() and its neighbours. NULL: the backend cannot. Thread: main. */
	const struct tl_lending *lending;
	/** Something changed: what the media thread must not do itself can be done here. NULL: nothing. Thread: main. */
	void (*on_main)(void *backend);
};

/** Adds to a counter that another thread reads; only one thread ever writes it. */
static inline void tl_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/** Sets the alarms that main will hear of. */
static inline void tl_port_set_alarms(struct tl_port *port, unsigned alarms)
{
	if (port->alarms == alarms)
		return;
	__atomic_store_n(&port->alarms, alarms, __ATOMIC_RELEASE);
	port->changed = true;
}

/** Tells main of the bits of all slots that differ from those it knows. @cas: by slot. */
void tl_port_hear_cas(struct tl_port *port, const uint8_t *cas);
