/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the files of this room share. Fields say which thread: main, or the machine's ("fax"). Not for other rooms. */
#pragma once

#include <stdatomic.h>

#include <spandsp.h>

#include "base/wake.h"
#include "fax/fax.h"
#include "fax/udptl.h"

/** Whether what T.30 says reaches the line. */
enum tl_fax_hold {
	TL_FAX_OPEN,
	TL_FAX_KEEPING, /* a page is on its way to the disk: silence, and T.30's time stands still */
	TL_FAX_CUT,     /* for good: what T.30 says now would be a lie */
};

struct tl_fax_thread;

/** The way of T.38's packets: UDPTL and the datagrams of a tap. All: fax. */
struct tl_fax_way {
	struct tl_udptl *udptl;          /* NULL: closed */
	struct tl_tap *tap;
	const struct tl_fax_faults *faults; /* or NULL */
	void *user;                      /* of faults */
	uint8_t last[TL_UDPTL_OCTETS_MAX]; /* the last datagram, to be sent so many times more */
	size_t n_last;
	int again, blocks;               /* blocks: since it was sent */
	struct tl_udptl_counters counters; /* once it is closed: to main, with the end */
};

struct tl_fax {
	struct tl_fax_pool *pool;        /* RO */
	struct tl_fax_thread *thread;    /* RO */
	struct tl_fax_config config;     /* RO; the document's path is not kept */
	struct tl_fax_handler handler;   /* RO */
	void *user;                      /* RO */
	int file;                        /* RO; sends: the document, receives: T.30's pages, in memory */
	struct tl_tap *tap;              /* RO for fax; freed by main */
	bool is_gateway;                 /* RO; config: t38 only */
	struct tl_tap *image_tap;        /* gateway: of the side that speaks T.38; else NULL; as tap */

	/* main */
	struct tl_port *port, *image_port; /* NULL once it is no longer ours to untap */

	/* fax */
	fax_state_t *audio;              /* or */
	t38_terminal_state_t *t38;       /* or */
	t38_gateway_state_t *gateway;
	modem_connect_tones_tx_state_t *cng; /* gateway: to the line, while the image's side calls */
	bool calls;
	struct tl_fax_way way;           /* with t38 or gateway */
	t30_state_t *t30;                /* of audio or t38; a gateway has none */
	enum tl_fax_hold hold;
	int64_t hold_until_us;
	struct tl_fax_page page;         /* being kept */
	bool procedure_ended;            /* the last page was confirmed */
	uint8_t command;                 /* that ended a page, heard last; 0: none yet */
	bool command_told;               /* by the phase-D handler, before its answer */
	uint8_t confirmed;               /* the command that was answered well last; 0: none yet */
	unsigned missing;                /* blocks in a row, this one the last, of which nothing has come */
	unsigned loud;                   /* samples since then in which the far end was heard and we said nothing */
	bool silent;                     /* we, in the block before */
	bool over;
	uint64_t samples, samples_at_page, samples_at_look, samples_at_confirmation;
	struct tl_fax_result result;

	_Atomic int keeping;             /* KEEP_...: set by the keeper's thread */
	int keep_result;                 /* written before keeping is */
};

enum { KEEP_NONE, KEEP_RUNNING, KEEP_DONE };

/* ---- pool.c ---- */

enum tl_fax_event_kind { TL_FAX_EVENT_NEGOTIATED, TL_FAX_EVENT_PAGE, TL_FAX_EVENT_ENDED };

struct tl_fax_event {
	struct tl_fax *fax;
	enum tl_fax_event_kind kind;
	union {
		struct tl_fax_negotiated negotiated;
		struct tl_fax_page page;
		struct tl_fax_result result;
	};
};

/** To main; @event is copied. Thread: fax. */
void tl_fax_tell(const struct tl_fax_event *event);
/** Hands the octets of fax->page (transfer full) to a thread that may block. Thread: fax. */
void tl_fax_keep(struct tl_fax *fax, GBytes *octets);

/* ---- terminal.c: T.30; thread fax ---- */

/** Makes the T.30 end, on audio or T.38 as the configuration says. */
void tl_fax_terminal_open(struct tl_fax *fax);
void tl_fax_terminal_close(struct tl_fax *fax);
/** One block of time and audio through the machine; idle while it is held. */
void tl_fax_terminal_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS]);
/** The keeper has spoken, or its time is over. */
void tl_fax_terminal_look(struct tl_fax *fax, int64_t now_us);
/** T.30 ends here; @trouble says why unless it had ended well. */
void tl_fax_terminal_stop(struct tl_fax *fax, enum tl_fax_trouble trouble, const char *words);

/** What was heard in a block, for those who decide whether a command is a repetition. */
void tl_fax_terminal_hear(struct tl_fax *fax, const int16_t samples[TL_BLOCK_OCTETS]);

/** T.38 with @remote instead of audio. */
void tl_fax_terminal_go_t38(struct tl_fax *fax, const struct tl_t38_side *remote);

/* ---- audio.c, t38.c, gateway.c: what is between the line and T.30; thread fax. A block is 10 ms; open makes fax->t30 ---- */

void tl_fax_audio_open(struct tl_fax *fax);
void tl_fax_audio_close(struct tl_fax *fax);
void tl_fax_audio_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS]);
/** A block to the line; whether it is silence. */
bool tl_fax_encode(enum tl_law law, const int16_t *samples, uint8_t *octets);

void tl_fax_t38_open(struct tl_fax *fax);
void tl_fax_t38_close(struct tl_fax *fax);
void tl_fax_t38_block(struct tl_fax *fax, uint8_t out[TL_BLOCK_OCTETS]);

void tl_fax_gateway_open(struct tl_fax *fax);
void tl_fax_gateway_close(struct tl_fax *fax);
void tl_fax_gateway_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS]);
/** What it has seen, into the result. */
void tl_fax_gateway_note(struct tl_fax *fax);

/* ---- way.c; thread fax ---- */

/** To @remote by @way->tap; gives what comes to @on_packet. */
void tl_fax_way_open(struct tl_fax_way *way, const struct tl_t38_side *remote, tl_udptl_packet on_packet, void *user);
void tl_fax_way_close(struct tl_fax_way *way);
/** Sends a packet, @times within the next blocks. */
void tl_fax_way_say(struct tl_fax_way *way, const uint8_t *ifp, int n, int times);
/** Takes one datagram; false when none waits. */
bool tl_fax_way_hear(struct tl_fax_way *way);
/** 10 ms have passed. */
void tl_fax_way_block(struct tl_fax_way *way);
/** What @remote and UDP ask of SpanDSP's T.38. */
void tl_fax_way_set_up(t38_core_state_t *core, const struct tl_t38_side *remote);

/* ---- options.c ---- */

/** What T.30 will say that we can do; -ENOTSUP when nothing is left of some ability. */
int tl_fax_options_check(const struct tl_fax_options *options);
void tl_fax_options_apply(const struct tl_fax_options *options, t30_state_t *t30);
/** Modems of @bits whose slowest rate is within @bit_rate, as SpanDSP's bits. */
int tl_fax_modems_within(unsigned bits, unsigned bit_rate);

/* ---- words.c ---- */

enum tl_fax_trouble tl_fax_trouble_of(int code);
void tl_fax_page_describe(struct tl_fax_page *page, const t30_stats_t *stats);

/* ---- warm-up.c ---- */

/** SpanDSP makes its tables when first used, unguarded: uses all that the threads will use. Once a process. Main. */
void tl_fax_warm_up(void);

/* ---- page.c ---- */

/** Copies the last page of the TIFF in @file to one of its own, as it is, and gives back its memory there. NULL: why in errno. */
GBytes *tl_fax_page_extract(int file);
