/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What main and a media thread share: rings of commands and events, and
 * parcels, the things that go to the thread by a command and come back by an
 * event, to be freed by main. Fields say who touches them.
 */
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/ring.h"
#include "base/wake.h"
#include "media/media.h"

#define TL_MEDIA_SPANS_MAX 64

enum tl_parcel_kind { TL_PARCEL_PORT, TL_PARCEL_BRIDGE, TL_PARCEL_PLAY, TL_PARCEL_RECORDING, TL_PARCEL_TAP,
		      TL_PARCEL_KEYS, TL_PARCEL_BROWSER, TL_PARCEL_SECRET, TL_PARCEL_RECORDER, TL_PARCEL_TIE };

/** The head of whatever the thread hands back; embedded first. */
struct tl_parcel {
	struct tl_parcel *next; /* tick */
	enum tl_parcel_kind kind; /* RO */
};

struct tl_endpoint {
	socklen_t length;       /* 0: none */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/** What tl_port_set_remote() says, ready for the thread. */
struct tl_rtp_target {
	struct tl_endpoint rtp, rtcp;
	struct tl_endpoint from; /* any port of this host may speak, too; length 0: nobody else */
	enum tl_law law;
	int dtmf_payload_type;
	unsigned packet_samples;
	bool sends, receives;
	unsigned opus_payload_type; /* 0: G.711 */
	bool opus_fec;
	struct tl_opus_in *opus_in;  /* of the first target with Opus, from then on the session's; else NULL */
	struct tl_opus_out *opus_out;
	bool t38;                /* datagrams of the tap instead of RTP */
	struct tl_video_side video;
};

enum tl_command_kind {
	TL_COMMAND_PORT_ATTACH, TL_COMMAND_PORT_DETACH, TL_COMMAND_PORT_TARGET, TL_COMMAND_PORT_DETECT,
	TL_COMMAND_PORT_MUTE, TL_COMMAND_PORT_ECHO, TL_COMMAND_PORT_PLAY, TL_COMMAND_PORT_RECORD,
	TL_COMMAND_PORT_TAP, TL_COMMAND_PORT_LISTEN, TL_COMMAND_PORT_DETECT_FAX, TL_COMMAND_PORT_DETECT_FAX_WITHIN,
	TL_COMMAND_PORT_STILL,
	TL_COMMAND_PORT_KEYS, TL_COMMAND_PORT_BROWSER, TL_COMMAND_PORT_SECRET, TL_COMMAND_PORT_TIE,
	TL_COMMAND_BRIDGE_ADD, TL_COMMAND_BRIDGE_REMOVE, TL_COMMAND_BRIDGE_DETACH, TL_COMMAND_BRIDGE_RECORD,
	TL_COMMAND_SPAN_ADD, TL_COMMAND_SPAN_REMOVE, TL_COMMAND_STOP,
};

/** What a port listens for besides DTMF; NULL: not. */
struct tl_listening {
	struct tl_mf_detector *mf;
	struct tl_caller_id_receiver *caller_id;
};

struct tl_play;
struct tl_recording;
struct tl_recorder;
struct tl_dtmf_detector;
struct tl_fax_ear;
struct tl_tap;
struct tl_tie;
struct tl_rtp_keys;
struct tl_browser;
struct tl_browser_secret;
struct tl_hub;
struct tl_opus_in;
struct tl_opus_out;

struct tl_command {
	enum tl_command_kind kind;
	struct tl_port *port;
	struct tl_recorder *recorder;           /* BRIDGE_RECORD; NULL: stop. Port: whom the left channel is of */
	unsigned ticks;                         /* PORT_DETECT_FAX_WITHIN */
	union {
		struct tl_bridge *bridge;
		struct tl_span *span;
		struct tl_play *play;           /* NULL: stop */
		struct tl_recording *recording; /* NULL: stop */
		struct tl_dtmf_detector *detector; /* NULL: off */
		struct tl_fax_ear *fax_ear;     /* NULL: off */
		struct tl_tap *tap;             /* NULL: none */
		struct tl_tie *tie;             /* NULL: none */
		struct tl_listening listening;
		struct tl_rtp_keys *keys;       /* NULL: in the clear */
		struct tl_browser *browser;
		struct tl_browser_secret *secret;
		bool on;
		struct tl_rtp_target target;
	};
};

enum tl_event_kind { TL_EVENT_RETURNED, TL_EVENT_DIGIT, TL_EVENT_SILENCE, TL_EVENT_FAX_TONE, TL_EVENT_CALLER_ID,
		     TL_EVENT_LINK, TL_EVENT_OVERLOAD };

struct tl_event {
	enum tl_event_kind kind;
	struct tl_port *port;
	struct tl_parcel *parcel;
	char digit;
	unsigned ms;
	enum tl_fax_tone fax_tone;
	/* a browser's media are up, or gone; an overload has begun, or is over, with ms as the load in us: */
	const struct tl_browser *browser;
	bool up;
	union tl_address address;
};

/** A span as the thread sees it. */
struct tl_media_span {
	struct tl_span *span;   /* NULL: place free */
	bool loop;              /* clock mode loop */
	bool can_wait;          /* loop: its line time waits for ours */
	bool live;              /* loop: had a tick due lately */
	bool ticking;           /* takes part in the present tick */
	bool ready;             /* loop: its descriptor has input */
	int64_t looked_us;      /* when it was last received from */
	int64_t heard_us;       /* loop: last time a tick was due */
};

/** How busy the thread is: load.c. */
struct tl_load {
	/* tick */
	unsigned ticks;                /* of the present window */
	int64_t spent_ns;              /* CPU time of the thread when it began */
	bool told;                     /* main was told of an overload */

	bool main_over;                /* main: so it was told */

	_Atomic uint32_t us, limit_us; /* by tick; by main */
	_Atomic bool over;             /* by tick */
};

/**
 * One thread, and its rings. Owners know the first one, whose clock is everybody's: each of its ticks is one of the
 * others', who have nothing else to wait for, so that what crosses from one to another (tie.h) never slips.
 */
struct tl_media {
	struct tl_media *first;        /* RO; of the first: itself */
	struct tl_media *threads[TL_MEDIA_THREADS_MAX]; /* RO; the first's: all, itself before the others */
	unsigned n_threads;            /* RO; the first's */
	unsigned index;                /* RO; in threads */
	struct tl_media_config config; /* RO; strings owned by the first */
	struct tl_media_handler handler; /* RO */
	struct tl_ring *commands;      /* main to tick */
	struct tl_ring *events;        /* tick to main */
	struct tl_wake *wake;          /* rung by tick */
	int kick_fd;                   /* main to tick: look at the commands now */
	sem_t span_released;           /* tick posts, main waits */
	pthread_t thread;

	/* main */
	GQueue backlog;                /* commands that the ring had no room for */
	unsigned n_sessions, n_spans;  /* RTP sessions and spans that live on it */

	/* main; the first's alone */
	const char *inband_country;    /* interned */
	GHashTable *homes;             /* struct tl_span to the thread that it lives on */
	unsigned n_ties;
	bool over;                     /* a thread is overloaded, and the owner knows */
	GHashTable *tones;             /* struct tl_tone_plan to struct tl_sound */
	GHashTable *rtp_ports;         /* those in use by our own sockets */
	unsigned next_rtp_port;
	unsigned n_ports;
	struct tl_bell *bells;

	struct tl_hub *hub;            /* RO; NULL: no browsers */

	/* tick */
	int epoll_fd, socket_epoll_fd, timer_fd;
	bool stopping;
	struct tl_port **ports;        /* attached; twice max_ports places: each may have a tie's far end here */
	unsigned n_attached;
	struct tl_recorder **recorders; /* of bridges; max_ports places */
	unsigned n_recorders;
	struct tl_media_span spans[TL_MEDIA_SPANS_MAX];
	struct tl_parcel *returned, **returned_end;
	uint64_t tick;                 /* number of the present one */
	int64_t now_us;                /* when it began */
	int64_t armed_ns;              /* what the timer is set to */
	int64_t next_ns, next_rest;    /* when the next tick is due, CLOCK_MONOTONIC; and 1e-9 ns of it */
	int64_t patience_ns;           /* the first: until when a late tick waits for the others; 0: none does */
	bool must_ring;
	unsigned n_watched;            /* sockets in socket_epoll_fd */
	unsigned n_taps;
	int64_t taps_awaited_us;       /* since when a line's tick waits for a tap; 0: none does */
	struct tl_load load;

	_Atomic bool awaits_taps;      /* set by tick, cleared by who kicks */
	_Atomic bool line_waits;       /* by tick: line time that can wait drives the ticks */
	_Atomic uint64_t begun;        /* the first: ticks begun */
	_Atomic uint64_t followed;     /* the others: how many of those are done */
	_Atomic bool awaits_followers; /* set by the first, cleared by who kicks */

	/* written by tick, read by main */
	_Atomic uint64_t ticks, late_ticks, skipped_ticks, commands_done, events_sent, events_lost, tie_missed, tie_dropped;
	_Atomic uint32_t tick_us_max;
};

/** Adds to a counter of which the calling thread is the only writer. */
#define TL_COUNT(counter, n) \
	atomic_store_explicit(&(counter), atomic_load_explicit(&(counter), memory_order_relaxed) + (n), \
			      memory_order_relaxed)

/** Queues @command; never blocks, never fails. Thread: main. */
void tl_media_command(struct tl_media *media, const struct tl_command *command);

/** Hands @parcel back to main, in order; it may be freed from now on. Thread: tick. */
void tl_media_return(struct tl_media *media, struct tl_parcel *parcel);

/** Tells main of something that may get lost when main sleeps too long (counted): false. Thread: tick. */
bool tl_media_report(struct tl_media *media, const struct tl_event *event);

/** Sends what waits in the list of the returned, and rings. Thread: tick. */
void tl_media_flush(struct tl_media *media);

/** At the end of each tick: how much work was it? Thread: tick. */
void tl_load_tick(struct tl_media *media);

/** Makes it look at its commands, or at what another thread has done, now. Any thread. Real-time safe. */
void tl_media_kick(struct tl_media *media);

/** The same, and main waits until @command and all before it are in the ring. Thread: main. */
void tl_media_command_now(struct tl_media *media, const struct tl_command *command);

/* threads.c; thread: main */
/** The thread for a party that may live on any. */
struct tl_media *tl_media_choose(struct tl_media *media);
/** The one that @span lives on, from the first time on that it is asked for. */
struct tl_media *tl_media_home(struct tl_media *media, struct tl_span *span);
/** A thread has said whether it is overloaded (load.c). */
void tl_media_heard_overload(struct tl_media *media, bool over, unsigned load_us);

/** Does what main asked. Thread: tick. */
void tl_media_obey(struct tl_media *media);

/** The thread: a struct tl_media. */
void *tl_media_run(void *media);
