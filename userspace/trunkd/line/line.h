/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Spans and timeslots, whatever carries them: blocks of octets per timeslot,
 * the D-channel as frames, CAS bits, alarms as DAHDI names them, the clock
 * domain and counters. Backends: pseudowire (RFC 5086 over UDP) and dahdi (a
 * span of a telephony card).
 *
 * A span has two faces. *Main* configures it, sends and receives D-channel
 * frames, hears of alarms. One *media* thread moves its octets, 10 ms at a
 * time: receive, begin, (rx and tx of each timeslot), end.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TL_TICK_US 10000      /* nominal line time of a tick */
#define TL_BLOCK_OCTETS 80    /* one timeslot's octets in a tick (8 kHz, G.711 or clear) */
#define TL_SPAN_SLOTS_MAX 31
#define TL_D_FRAME_MAX 268    /* octets of a Q.921 frame without FCS: 4 + 260, and room */

enum tl_span_kind { TL_SPAN_E1, TL_SPAN_T1 };
enum tl_law { TL_LAW_ALAW, TL_LAW_ULAW };

/** An octet that sounds of nothing: 0xd5 (A-law), 0xff (mu-law). */
static inline uint8_t tl_law_idle(enum tl_law law)
{
	return law == TL_LAW_ALAW ? 0xd5 : 0xff;
}

/** Where a pseudowire's line time comes from. */
enum tl_clock_mode {
	TL_CLOCK_ADAPTIVE, /* recovered from the far end's packets */
	TL_CLOCK_LOCAL,    /* CLOCK_MONOTONIC */
	TL_CLOCK_LOOP,     /* one packet sent for each received: line time follows the far end exactly */
};

/** Alarms as DAHDI names and numbers them (dahdi/user.h). */
enum tl_alarm {
	TL_ALARM_RECOVER = 1 << 0,
	TL_ALARM_LOOPBACK = 1 << 1,
	TL_ALARM_YELLOW = 1 << 2,
	TL_ALARM_RED = 1 << 3,
	TL_ALARM_BLUE = 1 << 4,
	TL_ALARM_NOTOPEN = 1 << 5,
};

/** Alarms that make bearer octets useless: red, blue, not open. */
#define TL_ALARM_DOWN (TL_ALARM_RED | TL_ALARM_BLUE | TL_ALARM_NOTOPEN)

struct tl_pseudowire_config {
	const char *local_host; /* numeric; loopback unless told otherwise */
	unsigned local_port;    /* 0: any free one */
	const char *remote_host; /* the only peer whose packets are taken */
	unsigned remote_port;
	unsigned frames;        /* 125 us frames a packet, 1-40; must divide 80, or the multiframe with CAS */
	unsigned jitter_ms;     /* playout depth, 1-200 */
	unsigned jitter_max_ms; /* beyond it octets are dropped, frame by frame; 0: twice the depth + 10 */
	enum tl_clock_mode clock;
	bool rtp;
	unsigned rtp_payload_type; /* 96-127 */
	uint32_t rtp_ssrc;
};

enum tl_span_backend { TL_SPAN_PSEUDOWIRE, TL_SPAN_DAHDI };

/** Which span of this machine's DAHDI, as configured by dahdi_cfg. Its line time is the card's: clock mode loop. */
struct tl_dahdi_config {
	unsigned span;     /* 1-128, as in /etc/dahdi/system.conf */
	unsigned depth_ms; /* octets kept waiting to be sent, 10-60 in tens; 0: 20 */
	bool plain_io;     /* a system call a channel even where io_uring would do all in one */
};

struct tl_span_config {
	const char *name;         /* unique in the node */
	enum tl_span_backend backend;
	enum tl_span_kind kind;
	enum tl_law law;
	const char *clock_domain; /* spans of one domain never slip against each other */
	unsigned d_channel;       /* timeslot, 0: none */
	bool cas;
	bool lends;               /* dahdi with CAS: bearers begin lent to signalling, see tl_span_lend() */
	struct tl_pseudowire_config pseudowire;
	struct tl_dahdi_config dahdi;
};

/** All only grow. Written by the span's media thread or main, read as snapshots by main. */
struct tl_span_counters {
	uint64_t packets_received, packets_sent;
	uint64_t lost, reordered, duplicate, late;          /* by sequence; reordered ones were still used */
	uint64_t refused_peer;                              /* not from the configured peer */
	uint64_t refused_malformed;                         /* sum over enum tl_cesop_error */
	uint64_t jumps;                                     /* sequence out of any window: resynchronised */
	uint64_t underruns, overruns;                       /* of the playout buffer, in packets */
	uint64_t slips_dropped, slips_repeated;             /* whole frames */
	uint64_t idle_frames;                               /* frames filled with idle octets (concealment) */
	uint64_t remote_l, remote_r, remote_m;              /* packets received with these bits */
	uint64_t d_frames_received, d_frames_sent, d_bad_fcs, d_aborts, d_overflows;
	uint64_t seconds_errored, seconds_unavailable;
	int64_t depth_us;                                   /* present playout depth (a gauge) */
};

#define TL_LINE_ERROR (tl_line_error_quark())
GQuark tl_line_error_quark(void);
enum tl_line_error_code { TL_LINE_ERROR_CONFIG, TL_LINE_ERROR_OPEN };

struct tl_span;

/** What main hears from a span. Any member may be NULL. Thread: main. */
struct tl_span_handler {
	/** @alarms: all present enum tl_alarm bits, after a change. */
	void (*on_alarms)(struct tl_span *span, unsigned alarms, void *user);
	/** One good frame from address to information, FCS checked and removed; @octets lives during the call. */
	void (*on_d_frame)(struct tl_span *span, const uint8_t *octets, size_t n_octets, void *user);
	/**
	 * CAS bits of @slot changed to @abcd (ABCD in bits 3-0), at @line_us by tl_span_line_us(): main may hear of it late,
	 * but the time between two changes is the line's. All are 0 until the first change.
	 */
	void (*on_cas)(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user);
	/** @slot is lent now: see tl_span_lend(). */
	void (*on_lent)(struct tl_span *span, unsigned slot, void *user);
	/**
	 * A span that lends: its device went away (all that use its descriptors must stop, then tl_span_let_go() is due), or
	 * is there again with new descriptors and all bearers lent. Alarms tell of it, too.
	 */
	void (*on_device)(struct tl_span *span, bool there, void *user);
};

/** Opens the span's socket or device; no octet moves yet. Strings are copied. (transfer full) Thread: main. */
struct tl_span *tl_span_new(const struct tl_span_config *config, GError **error);

/** Thread: main, after its media thread has let it go. NULL is legal. */
void tl_span_free(struct tl_span *span);

void tl_span_set_handler(struct tl_span *span, const struct tl_span_handler *handler, void *user);

/* Facts that never change. Any thread. Strings are borrowed. */
const char *tl_span_name(const struct tl_span *span);
const char *tl_span_clock_domain(const struct tl_span *span);
enum tl_span_kind tl_span_get_kind(const struct tl_span *span);
enum tl_law tl_span_get_law(const struct tl_span *span);
enum tl_clock_mode tl_span_clock_mode(const struct tl_span *span);
/** Whether its line time can wait for us: a pseudowire in clock mode loop. A card's cannot. */
bool tl_span_can_wait(const struct tl_span *span);
unsigned tl_span_slots(const struct tl_span *span);     /* 31 or 24 */
unsigned tl_span_d_channel(const struct tl_span *span); /* 0: none */
bool tl_span_has_cas(const struct tl_span *span);
/** Whether CAS takes the lowest bit of every sixth frame from the octets, as on a T1: nothing there is clear. */
bool tl_span_robs_bits(const struct tl_span *span);
/** Whether @slot exists and may carry a call: not the D-channel, not an E1's slot 16 with CAS. */
bool tl_span_is_bearer(const struct tl_span *span, unsigned slot);
unsigned tl_span_local_port(const struct tl_span *span);

/**
 * tl_span_send_d_frame - queue one frame (address to information, no FCS; at most TL_D_FRAME_MAX octets).
 * Returns 0, -EMSGSIZE, -ENOBUFS when the queue is full (counted), -ENODEV without a D-channel. Thread: main.
 */
int tl_span_send_d_frame(struct tl_span *span, const uint8_t *octets, size_t n_octets);

#define TL_CAS_PULSE_MAX_MS 2550

/**
 * Sets the CAS bits sent for @slot (ABCD in bits 3-0) from the next tick on; ends a pulse. -ENODEV without CAS, -EINVAL.
 * Thread: main.
 */
int tl_span_send_cas(struct tl_span *span, unsigned slot, unsigned abcd);

/**
 * tl_span_pulse_cas - send @abcd on @slot for @ms (10 to TL_CAS_PULSE_MAX_MS, in tens) of line time and @then from then
 * on, however busy main is meanwhile. Errors as above. Thread: main.
 */
int tl_span_pulse_cas(struct tl_span *span, unsigned slot, unsigned abcd, unsigned ms, unsigned then);

/** How much line time has passed: ticks since the span was opened, in us. Thread: main. */
int64_t tl_span_line_us(const struct tl_span *span);

/**
 * tl_span_set_voice - whether what @slot carries is speech, whose echo the line may cancel, or must stay untouched. Off
 * at first and for clear bridges. On dahdi: the canceller that system.conf names for the channel, if any; gains are
 * never used. Elsewhere nothing follows. -EINVAL when @slot is no bearer. Thread: main.
 */
int tl_span_set_voice(struct tl_span *span, unsigned slot, bool voice);

/*
 * Bearers of a span that lends. Signalling that must drive a channel of DAHDI itself (registers of R2) has its descriptor
 * while it is *lent*: media neither reads nor writes it, hears idle octets, and sends none. CAS bits of such a span are
 * signalling's to send at any time; changes that media meets first are told by on_cas. Signalling may use the descriptor
 * on a thread of its own; of a bearer that is not lent only for CAS bits. Thread: main.
 */

/** The descriptor of a bearer, or -1 while the device is away. Borrowed until on_device. */
int tl_span_lent_fd(const struct tl_span *span, unsigned slot);
/** Throws away what the borrower of @fd has not read: nobody reads between two calls. Thread: the borrower's. */
void tl_lent_fd_flush(int fd);
/** Media lets go of @slot within a few ticks; on_lent follows, the descriptor having what buffers it is lent with. */
void tl_span_lend(struct tl_span *span, unsigned slot);
/** The borrower has stopped using @slot: media moves its octets from the next tick on. */
void tl_span_reclaim(struct tl_span *span, unsigned slot);
bool tl_span_is_lent(const struct tl_span *span, unsigned slot);
/** After on_device(false): nobody uses any descriptor any more. */
void tl_span_let_go(struct tl_span *span);

/** Present alarms. Thread: main. */
unsigned tl_span_alarms(const struct tl_span *span);
void tl_span_counters(const struct tl_span *span, struct tl_span_counters *counters);
/** "RED", "YELLOW RECOVER", "OK": DAHDI's words for @alarms. @text has at least 64 octets. */
const char *tl_alarm_names(unsigned alarms, char *text);

/**
 * tl_span_inject - test and maintenance: until called with 0, send as if the line had @alarms:
 * TL_ALARM_BLUE sends L, TL_ALARM_YELLOW sends M=2, TL_ALARM_RED stops sending. Without effect on dahdi, whose cards
 * cannot. Thread: main.
 */
void tl_span_inject(struct tl_span *span, unsigned alarms);

/* ---- The media face. One media thread, real-time safe. ---- */

/** The descriptor that becomes readable with input, for a tick that follows this span. */
int tl_span_fd(const struct tl_span *span);

/**
 * Takes what has arrived. @now_us: tl_clock_us(). In clock mode loop call it once a second even without input:
 * 10 s of silence by this clock are TL_ALARM_RED, as line time stands still; on dahdi 2 s.
 */
void tl_span_receive(struct tl_span *span, int64_t now_us);

/** Clock mode loop: whole ticks of line time that may be run now. Other modes: 1. */
unsigned tl_span_ticks_due(const struct tl_span *span);

/** Whether its device is not there at present, so that its line time stands still for long. */
bool tl_span_is_gone(const struct tl_span *span);

/** Adaptive mode: how much faster (+) or slower (-) the far end's clock is than ours, in parts per billion. */
int tl_span_skew_ppb(const struct tl_span *span);

/** Begins a tick: fetches 10 ms of every timeslot and presets what is sent to idle. */
void tl_span_begin_tick(struct tl_span *span);

/** Whether @slot carries what tl_span_tx() says: not while it is lent. */
bool tl_span_moves(const struct tl_span *span, unsigned slot);

/** TL_BLOCK_OCTETS octets received on @slot (1 to slots) in this tick; idle octets where nothing came. */
const uint8_t *tl_span_rx(const struct tl_span *span, unsigned slot);

/** TL_BLOCK_OCTETS octets to send on @slot in this tick; writable until tl_span_end_tick(). */
uint8_t *tl_span_tx(struct tl_span *span, unsigned slot);

/** Ends a tick: packs and sends what tl_span_tx() holds, D-channel and CAS included. */
void tl_span_end_tick(struct tl_span *span, int64_t now_us);
