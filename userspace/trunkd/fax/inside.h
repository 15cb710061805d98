/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the files of this room share. Fields say which thread: main, or the machine's ("fax"). Not for other rooms. */
#pragma once

#include <stdatomic.h>

#include <spandsp.h>

#include "base/wake.h"
#include "fax/fax.h"

/** Whether what T.30 says reaches the line. */
enum tl_fax_hold {
	TL_FAX_OPEN,
	TL_FAX_KEEPING, /* a page is on its way to the disk: silence, and T.30's time stands still */
	TL_FAX_CUT,     /* for good: what T.30 says now would be a lie */
};

struct tl_fax_thread;

struct tl_fax {
	struct tl_fax_pool *pool;        /* RO */
	struct tl_fax_thread *thread;    /* RO */
	struct tl_fax_config config;     /* RO; the document's path is not kept */
	struct tl_fax_handler handler;   /* RO */
	void *user;                      /* RO */
	int file;                        /* RO; sends: the document, receives: T.30's pages, in memory */
	struct tl_tap *tap;              /* RO for fax; freed by main */

	/* main */
	struct tl_port *port;            /* NULL once it is no longer ours to untap */

	/* fax */
	fax_state_t *audio;
	t30_state_t *t30;
	enum tl_fax_hold hold;
	int64_t hold_until_us;
	struct tl_fax_page page;         /* being kept */
	bool procedure_ended;            /* the last page was confirmed */
	bool over;
	uint64_t samples, samples_at_page, samples_at_look;
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

/** Makes the T.30 end on audio. */
void tl_fax_terminal_open(struct tl_fax *fax);
void tl_fax_terminal_close(struct tl_fax *fax);
/** One block of audio through the machine; idle while it is held. */
void tl_fax_terminal_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS]);
/** The keeper has spoken, or its time is over. */
void tl_fax_terminal_look(struct tl_fax *fax, int64_t now_us);
/** T.30 ends here; @trouble says why unless it had ended well. */
void tl_fax_terminal_stop(struct tl_fax *fax, enum tl_fax_trouble trouble, const char *words);

/* ---- options.c ---- */

/** What T.30 will say that we can do; -ENOTSUP when nothing is left of some ability. */
int tl_fax_options_check(const struct tl_fax_options *options);
void tl_fax_options_apply(const struct tl_fax_options *options, t30_state_t *t30);

/* ---- words.c ---- */

enum tl_fax_trouble tl_fax_trouble_of(int code);
void tl_fax_page_describe(struct tl_fax_page *page, const t30_stats_t *stats);

/* ---- warm-up.c ---- */

/** SpanDSP makes its tables when first used, unguarded: uses all that the threads will use. Once a process. Main. */
void tl_fax_warm_up(void);

/* ---- page.c ---- */

/** Copies the last page of the TIFF in @file to one of its own, as it is, and gives back its memory there. NULL: why in errno. */
GBytes *tl_fax_page_extract(int file);
