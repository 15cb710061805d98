/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A DAHDI span as its two halves share it: main opens, reopens and closes the
 * device (dahdi.c), the media thread moves its octets (dahdi-tick.c). Inside
 * these two only.
 */
#pragma once

#include "line/batch.h"
#include "line/dahdi-device.h"
#include "line/dahdi.h"

struct tl_timer;

/* Ticks received and not yet run; one more and the oldest is dropped: our time is slower than the line's. */
#define TL_DAHDI_WAITING_MAX 4
#define TL_DAHDI_FRAME_ROOM 512
#define TL_DAHDI_DEPTH_MAX_TICKS 6

/* Whose turn the device is. */
enum tl_dahdi_state {
	TL_DAHDI_OPENED, /* main has opened it, the media thread may begin */
	TL_DAHDI_LIVE,   /* the media thread's */
	TL_DAHDI_GONE,   /* it went away; main closes it and tries again */
};

/* Of a span that lends: whose a bearer is. */
enum tl_dahdi_holder {
	TL_DAHDI_LENT,     /* signalling's */
	TL_DAHDI_JOINING,  /* main has handed it over: it begins with the next tick */
	TL_DAHDI_MOVED,    /* the media thread's */
	TL_DAHDI_LEAVING,  /* main wants it; what is under way ends first */
	TL_DAHDI_LEFT,     /* the media thread has let go; main lends it */
};

/* One tick of every slot. */
typedef uint8_t tl_dahdi_octets[TL_SPAN_SLOTS_MAX + 1][TL_BLOCK_OCTETS];

struct tl_dahdi {
	struct tl_port *port;
	enum tl_dahdi_state state;     /* atomic */
	struct tl_dahdi_device device; /* main's while GONE, then the media thread's */
	struct tl_batch *batch;        /* likewise */
	int poll_fd;                   /* RO; an epoll that holds the reference, so that it outlives it */
	unsigned depth_ticks;          /* RO */

	struct tl_timer *reopen;             /* main */
	unsigned reopen_s;                   /* main */
	bool voice[TL_SPAN_SLOTS_MAX + 1];   /* main */
	bool away_told;                      /* main; borrowers know that the device is away */

	uint8_t holder[TL_SPAN_SLOTS_MAX + 1]; /* atomic, enum tl_dahdi_holder; who may change it is said there */

	/* all below: media */
	tl_dahdi_octets landing;               /* where reads under way put them */
	bool reading[TL_SPAN_SLOTS_MAX + 1];   /* under way */
	bool landed[TL_SPAN_SLOTS_MAX + 1];
	bool writing[TL_SPAN_SLOTS_MAX + 1];   /* under way */
	tl_dahdi_octets waiting[TL_DAHDI_WAITING_MAX];
	unsigned first_waiting, n_waiting;
	unsigned owed;                         /* ticks to send twice: for those dropped, or for more depth */

	bool listening;                        /* a frame's read is under way */
	uint8_t frame[TL_DAHDI_FRAME_ROOM];

	uint8_t cas_heard[TL_SPAN_SLOTS_MAX + 1], cas_sent[TL_SPAN_SLOTS_MAX + 1];

	int64_t heard_us;                      /* when the reference's octets came last */
	bool anew[TL_SPAN_SLOTS_MAX + 1];      /* of a span that lends: to be flushed at the tick's end */
	bool ran_dry;                          /* nothing was there to be sent */
	bool lost_time;                        /* begin anew at the tick's end */
	unsigned depth_now_ticks;              /* from depth_ticks on */
	bool look;                             /* the span's status is to be looked at */
	unsigned second_ticks;
	bool second_errored;
	uint64_t line_errors;
};

static inline enum tl_dahdi_state tl_dahdi_state_of(const struct tl_dahdi *dahdi)
{
	return __atomic_load_n(&dahdi->state, __ATOMIC_ACQUIRE);
}

static inline void tl_dahdi_set_state(struct tl_dahdi *dahdi, enum tl_dahdi_state state)
{
	__atomic_store_n(&dahdi->state, state, __ATOMIC_RELEASE);
}

static inline enum tl_dahdi_holder tl_dahdi_holder_of(const struct tl_dahdi *dahdi, unsigned slot)
{
	return (enum tl_dahdi_holder)__atomic_load_n(&dahdi->holder[slot], __ATOMIC_ACQUIRE);
}

static inline void tl_dahdi_set_holder(struct tl_dahdi *dahdi, unsigned slot, enum tl_dahdi_holder holder)
{
	__atomic_store_n(&dahdi->holder[slot], (uint8_t)holder, __ATOMIC_RELEASE);
}

/** Begins (EPOLL_CTL_ADD) or ends (EPOLL_CTL_DEL) to wake the media thread by the reference. Either half. */
bool tl_dahdi_watch(const struct tl_dahdi *dahdi, int operation);

/* Main's half of lending (dahdi-lend.c). */
extern const struct tl_lending tl_dahdi_lending;
/** All bearers are lent, as after opening. */
void tl_dahdi_lend_all(struct tl_dahdi *dahdi);
/** Tells of bearers that the media thread has let go of. */
void tl_dahdi_tell_lent(struct tl_dahdi *dahdi);
/** Closes the device, which has gone, and tries to open it again in a while (dahdi.c). */
void tl_dahdi_close_and_wait(struct tl_dahdi *dahdi);

/* What an operation under way was, and for which slot. */
enum tl_dahdi_tag { TL_DAHDI_TAG_READ = 0x100, TL_DAHDI_TAG_WRITE = 0x200, TL_DAHDI_TAG_FRAME = 0x300, TL_DAHDI_TAG_SLOT = 0xff };

/* Of the media half (dahdi-tick.c), what the ticks of a span that lends (dahdi-timed.c) use, too. */
/** The device went away: nothing may touch it from here on but main. */
void tl_dahdi_go(struct tl_dahdi *dahdi);
void tl_dahdi_reap(struct tl_dahdi *dahdi);
void tl_dahdi_note_tick(struct tl_dahdi *dahdi);
void tl_dahdi_watch_silence(struct tl_dahdi *dahdi, int64_t now_us);
void tl_dahdi_timed_receive(struct tl_dahdi *dahdi, int64_t now_us);
void tl_dahdi_timed_begin_tick(struct tl_dahdi *dahdi);
void tl_dahdi_timed_end_tick(struct tl_dahdi *dahdi);

/* The media half of the backend. */
void tl_dahdi_receive(void *backend, int64_t now_us);
unsigned tl_dahdi_ticks_due(const void *backend);
void tl_dahdi_begin_tick(void *backend);
void tl_dahdi_end_tick(void *backend, int64_t now_us);
