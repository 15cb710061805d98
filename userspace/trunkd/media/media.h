/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The audio of legs: ports (a timeslot, or an RTP session) and the bridges that
 * join them, moved by one or more real-time threads 10 ms at a time. Main prepares and
 * commands; commands and events cross on rings of values; what main frees is
 * freed after the thread has let it go. All functions: thread main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"
#include "secure/secure.h"
#include "signal/inband.h"
#include "signal/leg.h"

#define TL_MEDIA_THREADS_MAX 16

/** What drives the tick. */
enum tl_tick_kind {
	TL_TICK_MONOTONIC, /* CLOCK_MONOTONIC, corrected by an adaptive reference span's skew */
	TL_TICK_SPAN,      /* the reference span's line time (clock mode loop) */
};

/** Browsers come by one UDP port a media thread, the same on every address. */
struct tl_browser_config {
	unsigned port;               /* the first thread's, the others' follow; 0: no browsers */
	const char *const *addresses; /* numeric, bound to; "0.0.0.0", "::": every one that the machine has; NULL-terminated */
	const char *const *announce; /* told to browsers instead, where addresses are translated; may be NULL */
	const char *certificate;     /* its file, tl_certificate_open(); NULL: of this process only */
	unsigned certificate_days;   /* until it is made anew; default 30 */
	unsigned sessions_max;       /* default 1000 */
	unsigned consent_ms;         /* a browser that has not checked for so long is gone; default 30000 (RFC 7675 5.1) */
	unsigned workers;            /* of handshakes, default 2 */
};

/** Opus towards legs that speak it; 8 kHz, mono. */
struct tl_opus_config {
	unsigned bit_rate;           /* bit/s, default 24000 */
	unsigned complexity;         /* 0-10; media use 5 unless told otherwise */
	bool dtx;                    /* in silence a packet each 400 ms */
};

struct tl_media_config {
	enum tl_tick_kind tick;
	unsigned realtime_priority;  /* SCHED_FIFO 1-99 where permitted; 0: ordinary scheduling */
	const char *rtp_host;        /* numeric address RTP sockets bind to (v4 or v6) */
	unsigned rtp_port_min, rtp_port_max; /* even ports are taken from this range */
	const char *rtp_announce;    /* address told to peers; NULL: rtp_host */
	unsigned jitter_min_ms, jitter_max_ms; /* RTP playout depth, default 20-120 */
	unsigned max_ports;          /* default 4096; everything is preallocated for it */
	unsigned load_limit_us;      /* tl_media_limit_load(); default 8000 */
	unsigned line_patience_ms;   /* TL_TICK_SPAN: so long ticks wait for a line that is silent, or for who taps it; default 1000 */
	unsigned threads;            /* 1 to TL_MEDIA_THREADS_MAX; default 1 */
	struct tl_browser_config browser;
	struct tl_opus_config opus;
};

struct tl_media;
struct tl_port;
struct tl_bridge;
struct tl_sound;
struct tl_tap;
struct tl_bell;

/* CED is what a modem answers with, too; the flags before a V.21 message are a fax machine's alone. */
enum tl_fax_tone { TL_FAX_TONE_CNG, TL_FAX_TONE_CED, TL_FAX_TONE_PREAMBLE };

/** What becomes of a browser's media. */
enum tl_link_state {
	TL_LINK_UP,      /* packets may flow, at first or again */
	TL_LINK_CONSENT, /* it no longer says that it wants to hear us; it may do so again */
	TL_LINK_CLOSED,  /* it said goodbye: only tl_port_connect_browser() helps */
	TL_LINK_FAILED,  /* the handshake failed: likewise */
};

/** One per thing that happened; on main. */
struct tl_media_handler {
	/** A whole DTMF digit (0-9 * # A-D) ended, from RFC 4733 or, where searched, the audio; each press once. */
	void (*on_digit)(struct tl_port *port, char digit, unsigned duration_ms, void *port_user);
	/** The play, tone or DTMF sending with @id ended; @completed false: stopped or replaced. */
	void (*on_done)(struct tl_port *port, uint64_t id, bool completed, void *port_user);
	/** An RTP port heard nothing, neither RTP nor RTCP, for @silent_ms (from 10 s on, then each 10 s), or heard again (0). */
	void (*on_silence)(struct tl_port *port, unsigned silent_ms, void *port_user);
	/** A fax machine's tone began: 1100 Hz (CNG), or 2100 Hz or its first flags (CED). May be NULL. */
	void (*on_fax_tone)(struct tl_port *port, enum tl_fax_tone tone, void *port_user);
	/** @text, during the call: UP, CONSENT: the browser's address and port; FAILED: why. NULL is legal for the function. */
	void (*on_link)(struct tl_port *port, enum tl_link_state state, const char *text, void *port_user);
	/** tl_media_is_overloaded() has changed with a load of @load_us. May be NULL. */
	void (*on_overload)(bool over, unsigned load_us, void *user);
	void *user; /* of on_overload */
};

#define TL_MEDIA_ERROR (tl_media_error_quark())
GQuark tl_media_error_quark(void);
enum tl_media_error_code { TL_MEDIA_ERROR_CONFIG, TL_MEDIA_ERROR_PORTS, TL_MEDIA_ERROR_SOUND, TL_MEDIA_ERROR_THREAD };

/** Allocates everything and starts the thread; SpanDSP's tables are warmed up first. (transfer full) */
struct tl_media *tl_media_new(const struct tl_media_config *config, const struct tl_media_handler *handler,
			      GError **error);
/** Stops the thread; ports and bridges must be freed before, spans removed. NULL is legal. */
void tl_media_free(struct tl_media *media);

/**
 * Gives @span's octets to a thread: to the first when line time drives the ticks and the span is in clock mode loop, else
 * to the one with the fewest. The first one added is the reference, then those of the first thread (fail-over).
 */
void tl_media_add_span(struct tl_media *media, struct tl_span *span);
/** Takes it back; returns when the thread no longer touches it (bounded by a tick). */
void tl_media_remove_span(struct tl_media *media, struct tl_span *span);

/* ---- ports ---- */

/**
 * The audio of @slot of @span; the timeslot carries idle octets until bridged or played to. NULL when max_ports are
 * in use. (transfer full)
 */
struct tl_port *tl_port_new_timeslot(struct tl_media *media, struct tl_span *span, unsigned slot, void *port_user);

/**
 * tl_port_new_rtp - a socket pair (RTP, RTCP) in the range; fills @local's host, port, law, ptime and payload type.
 * Packets from anyone but the remote side's hosts are refused and counted. (transfer full)
 */
struct tl_port *tl_port_new_rtp(struct tl_media *media, enum tl_law law, struct tl_rtp_side *local, void *port_user,
				GError **error);

/**
 * Where and how to send, and whether (hold: remote->receives false sends nothing; sends false: silence is expected).
 * T.38: no RTP either way; datagrams cross by a tap only.
 */
void tl_port_set_remote(struct tl_port *port, const struct tl_rtp_side *remote);

/**
 * tl_port_set_keys - from now on what the port sends is protected by @keys and what it takes must be (SRTP, SRTCP);
 * NULL: in the clear. A direction whose key is the one it has goes on as it was. Copies; the caller wipes its own.
 * Browsers' ports get theirs by themselves.
 */
bool tl_port_set_keys(struct tl_port *port, const struct tl_dtls_keys *keys, GError **error);

/**
 * tl_port_new_browser - an RTP port whose party comes by the browsers' port, once it is connected. tl_port_set_remote()
 * says law, events and directions; its addresses do not matter. (transfer full)
 */
struct tl_port *tl_port_new_browser(struct tl_media *media, enum tl_law law, void *port_user, GError **error);

/**
 * tl_port_connect_browser - expect a browser whose certificate has the digest @peer, as DTLS client; fills @local for
 * the answer to it. A former one is forgotten, what it still sends ignored; bridge, play and detection stay.
 */
bool tl_port_connect_browser(struct tl_port *port, const struct tl_fingerprint *peer, struct tl_transport_side *local,
			     GError **error);

/** ICE begins anew with the same browser and keys (RFC 8445 9). False: there is none, connect it. */
bool tl_port_restart_browser(struct tl_port *port, struct tl_transport_side *local);

/** Leaves its bridge, ends what plays, closes; no event follows. NULL is legal. */
void tl_port_free(struct tl_port *port);

/** Searches the audio for DTMF, unless the party uses RFC 4733, whose digits are told in any case. Off at first. */
void tl_port_detect_dtmf(struct tl_port *port, bool on);

/** Listening for the tones of fax machines. Off at first; costs about as much as DTMF detection. */
void tl_port_detect_fax(struct tl_port *port, bool on);
/** The same for the next @ms; nothing changes where it is on without end. */
void tl_port_detect_fax_within(struct tl_port *port, unsigned ms);

/** While muted, what the party says is heard by nobody (DTMF is still detected). */
void tl_port_mute(struct tl_port *port, bool on);

/** While on, and not bridged, the party hears itself: line tests, load. */
void tl_port_echo(struct tl_port *port, bool on);

/* Playing: towards the party, replaces what played before (on_done false), mutes the bridge towards it meanwhile. */

/** Plays @sounds (1-16, refs taken) one after the other; @loops 0: for ever. @id is chosen by the caller. */
void tl_port_play(struct tl_port *port, uint64_t id, struct tl_sound *const *sounds, unsigned n_sounds, unsigned loops);

enum tl_tone_kind { TL_TONE_DIAL, TL_TONE_RINGING, TL_TONE_BUSY, TL_TONE_CONGESTION, TL_TONE_CALL_WAITING,
		    TL_TONE_SPECIAL_INFORMATION, TL_TONE_BEEP, TL_TONE_MILLIWATT };
/** A call-progress tone with @country's cadence ("de", "us", "gb", ...; ITU-T E.180), for ever except SIT and beep.
 * -EINVAL: country or tone unknown. */
int tl_port_tone(struct tl_port *port, uint64_t id, const char *country, enum tl_tone_kind tone);
/** The countries whose tones are known: "de, us, ...". (transfer full), g_free. Any thread. */
char *tl_tone_countries(void);
/** Whether tl_port_tone() knows @country. Any thread. */
bool tl_tone_has_country(const char *country);
/** Reads "ringing", "busy" ... ; false when unknown. */
bool tl_tone_parse(const char *name, enum tl_tone_kind *tone);

/**
 * Sends digits (at most 64; w: half a second's pause): RFC 4733 where agreed, tones otherwise. Somebody presses keys
 * faster than they can be sent: they follow the digits that still play, of 32 calls at most (on_done false: more).
 */
int tl_port_send_dtmf(struct tl_port *port, uint64_t id, const char *digits, unsigned on_ms, unsigned off_ms);

/** Ends what plays. */
void tl_port_stop(struct tl_port *port);

/**
 * tl_port_record - copy what the party sends (TL_BLOCK_OCTETS octets of the port's own law a tick, gaps as idle)
 * into a ring that main reads with tl_port_recorded(); @seconds of room, more is dropped and counted. 0: stop.
 */
void tl_port_record(struct tl_port *port, unsigned seconds);
/** Reads one block; false when none waits. */
bool tl_port_recorded(struct tl_port *port, uint8_t block[TL_BLOCK_OCTETS]);

/**
 * tl_port_tap - from now on the party speaks with another thread of ours, and hears nothing else, whatever bridge or
 * play there is. Both ways blocks of TL_BLOCK_OCTETS of the law that the port has now; the far thread gives one for
 * each that it takes, @depth_blocks ahead. An RTP port's playout depth is fixed at its greatest meanwhile. When the
 * line's time can wait (pseudowires in clock mode loop), ticks wait for the far thread, line_patience_ms at most; otherwise a late block is
 * replaced by idle octets, and counted. (transfer full): tl_tap_free(), once the far thread uses it no more.
 */
struct tl_tap *tl_port_tap(struct tl_port *port, struct tl_bell *bell, unsigned depth_blocks);
/** Ends the tap that the port has; freeing the port does so as well. */
void tl_port_untap(struct tl_port *port);
/** NULL is legal. */
void tl_tap_free(struct tl_tap *tap);
/** Blocks that the party missed because the far thread was late, and that the far thread missed. Any thread. */
void tl_tap_counters(const struct tl_tap *tap, uint64_t *missed, uint64_t *dropped);

/* The far thread: */
enum tl_law tl_tap_law(const struct tl_tap *tap);
/**
 * The oldest block that the party said; false when none waits. @missing: of an RTP stream that is under way nothing of it had come
 * in time; it is idle octets.
 */
bool tl_tap_take(struct tl_tap *tap, uint8_t block[TL_BLOCK_OCTETS], bool *missing);
/** One block for the party, for each taken. */
void tl_tap_give(struct tl_tap *tap, const uint8_t block[TL_BLOCK_OCTETS]);
/** After some were given, on one tap or more: a line whose time waits for them goes on. */
void tl_taps_given(struct tl_media *media);

#define TL_DATAGRAM_MAX 1472 /* of an Ethernet frame */
/**
 * While the remote side of an RTP port is T.38 (tl_port_set_remote()), its datagrams go to the tap instead, as they come
 * and as long as there is room (64), and the blocks, which still give the time, are idle ones. True: copied to @octets.
 */
bool tl_tap_receive(struct tl_tap *tap, uint8_t octets[TL_DATAGRAM_MAX], size_t *n);
/** Sends @n octets with the next tick. False: no room, counted as dropped. */
bool tl_tap_send(struct tl_tap *tap, const uint8_t *octets, size_t n);

/** Whether line time stands still until it gives. */
bool tl_tap_line_waits(const struct tl_tap *tap);

/** What wakes a thread that serves taps; one a thread, which ends before @media is freed. (owned by @media) Thread: main. */
struct tl_bell *tl_bell_new(struct tl_media *media);
/** Readable once a tap has blocks. Any thread. */
int tl_bell_fd(const struct tl_bell *bell);
/** Wakes the thread for other reasons. Any thread. Real-time safe. */
void tl_bell_ring(struct tl_bell *bell);
/** The far thread, before it looks at its taps. */
void tl_bell_hush(struct tl_bell *bell);

enum tl_law tl_port_law(const struct tl_port *port);

struct tl_port_counters {
	uint64_t packets_received, packets_sent, lost, late, duplicate, concealed_blocks, overflow;
	uint64_t early;         /* of a browser that had its keys before us: they cannot be read yet */
	uint64_t refused;       /* malformed, of an unknown kind, or not the far end's */
	uint64_t corrections;   /* samples dropped or repeated, because the far end's clock is not ours */
	uint64_t digits_received, digits_sent, recorded_dropped;
	uint64_t video_received, video_sent, video_dropped; /* packets; dropped: received, and nobody to give them to */
	uint32_t jitter_us;     /* RFC 3550 6.4.1, ours of what we receive */
	uint32_t depth_us;      /* present playout depth */
	uint32_t remote_lost;   /* as the far end reports by RTCP */
	uint32_t round_trip_us; /* by RTCP; 0: unknown */
};
void tl_port_counters(const struct tl_port *port, struct tl_port_counters *counters);
/** How an RTP port's audio is coded: "PCMA", "PCMU" or "opus"; NULL: it is a timeslot. Static. */
const char *tl_port_codec(const struct tl_port *port);
/** Its protection, as DTLS names it; NULL: in the clear, or not agreed yet. Static. */
const char *tl_port_srtp(const struct tl_port *port);

/**
 * What signalling in the band of timeslots is given: ports of its own, of which this room's handler hears nothing.
 * @country: of its tones, copied.
 */
struct tl_inband_room tl_media_inband(struct tl_media *media, const char *country);

/* ---- bridges ---- */

enum tl_bridge_kind {
	TL_BRIDGE_CLEAR, /* two ports of one law: octets pass untouched */
	TL_BRIDGE_VOICE, /* laws are converted; three or more are mixed */
};

#define TL_BRIDGE_PORTS_MAX 8

/** It lives on the thread of the first port that joins; those of others are tied to it: 10 to 20 ms more each way. (transfer full) */
struct tl_bridge *tl_bridge_new(struct tl_media *media, enum tl_bridge_kind kind);
/** Joins; a port is in one bridge at most. -EBUSY, -ENOSPC, or -EPROTOTYPE (clear: laws differ, or a third port). */
int tl_bridge_add(struct tl_bridge *bridge, struct tl_port *port);
void tl_bridge_remove(struct tl_bridge *bridge, struct tl_port *port);
/**
 * tl_bridge_hold_still - what its ports say turned out to be data (modems): from now on and until they leave, what plays out is
 * fixed at its greatest depth (RTP), nothing is made up where packets are missing, and no line cancels echo.
 */
void tl_bridge_hold_still(struct tl_bridge *bridge);
/** Removes all ports. NULL is legal. */
void tl_bridge_free(struct tl_bridge *bridge);

/* ---- sounds ---- */

/**
 * tl_sound_load - read a WAV file on a worker: 8 or 16 kHz or other rates (resampled), mono or stereo (first channel),
 * 16-bit linear, A-law or mu-law (8 kHz octets of the port's own law are played untouched). At most @max_seconds.
 * @on_loaded gets the sound (transfer full) or an error (borrowed), on main.
 */
void tl_sound_load(const char *path, unsigned max_seconds,
		   void (*on_loaded)(struct tl_sound *sound, const GError *error, void *user), void *user);
/** The same, at once; for programs that may block. (transfer full) */
struct tl_sound *tl_sound_load_now(const char *path, unsigned max_seconds, GError **error);
/** From octets of @law, copied. (transfer full) */
struct tl_sound *tl_sound_new(enum tl_law law, const uint8_t *octets, size_t n_octets);
struct tl_sound *tl_sound_ref(struct tl_sound *sound);
void tl_sound_unref(struct tl_sound *sound);
unsigned tl_sound_duration_ms(const struct tl_sound *sound);
/** Writes octets of @law as a WAV file (format tag 6 or 7). */
bool tl_sound_save(const char *path, enum tl_law law, const uint8_t *octets, size_t n_octets, GError **error);

/* ---- recording of bridges: record.h ---- */

#include "media/g711.h"
#include "media/record.h"

/* ---- the thread's health ---- */

struct tl_media_counters {
	uint64_t ticks, late_ticks, skipped_ticks; /* late: more than 2 ms behind; skipped: beyond 100 ms, resynchronised */
	uint64_t commands, events, events_lost;
	/* parties in a bridge of another thread (a gauge); blocks of 10 ms that came too late there, or too early */
	uint64_t ties, tie_missed, tie_dropped;
	/* browsers: present (a gauge); datagrams; ICE checks good and refused; datagrams from unproved addresses and of
	 * no known kind; handshakes done, failed, and their datagrams refused */
	uint64_t browsers, browser_datagrams_received, browser_datagrams_sent, browser_send_failed, browser_checks,
		browser_checks_refused, browser_strangers, browser_malformed, dtls_connected, dtls_failed, dtls_refused;
	uint32_t tick_us_max;       /* longest work in a tick since the last call */
	uint32_t load_us, load_limit_us; /* mean work a tick of 10000 us, lately; tl_media_limit_load() */
};
/** Of several threads the sums; the greatest tick_us_max and load_us. */
void tl_media_counters(struct tl_media *media, struct tl_media_counters *counters);

/**
 * tl_media_limit_load - from how much work a tick of 10000 us on, in CPU time of a thread and as the mean of half a
 * second, it counts as overloaded; no longer so below nine tenths of that.
 */
void tl_media_limit_load(struct tl_media *media, unsigned limit_us);
/** Whether who asks for more would hurt those who are there. */
bool tl_media_is_overloaded(const struct tl_media *media);
