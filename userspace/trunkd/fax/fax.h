/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Fax machines: ITU-T T.30 by SpanDSP on a pool of ordinary threads, each
 * machine on one of them for life. Its audio crosses from and to the media
 * thread by a tap (media/media.h); so do the datagrams of T.38. A page received is confirmed on the line only after its keeper
 * said that it is durable. It knows no legs, no spool and no protocol.
 * All functions: thread main, unless said otherwise.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

#define TL_FAX_ERROR (tl_fax_error_quark())
GQuark tl_fax_error_quark(void);
enum tl_fax_error_code {
	TL_FAX_ERROR_OPTIONS,  /* nothing that this build is able to do is left */
	TL_FAX_ERROR_DOCUMENT, /* unreadable, or no pages of fax */
	TL_FAX_ERROR_SYSTEM,
};

/* What a machine is able to do: bits. */
enum tl_fax_ability { TL_FAX_MODEM, TL_FAX_CODING, TL_FAX_RESOLUTION, TL_FAX_WIDTH };
#define TL_FAX_ALL 0xffu
/** Adds the bit of @name, as node.schema.json spells it ("v17", "mmr", "fine", "a4"); false when unknown. Any thread. */
bool tl_fax_ability_parse(enum tl_fax_ability ability, const char *name, unsigned *bits);

#define TL_FAX_IDENT_MAX 20 /* T.30 5.3.6.2.4 */

struct tl_fax_options {
	char ident[TL_FAX_IDENT_MAX + 1];
	char header[51];                 /* above each page sent; "": no line */
	char header_zone[65];            /* a rule as in TZ, of tl_fax_zone(); "": the machine's */
	char sub_address[TL_FAX_IDENT_MAX + 1], password[TL_FAX_IDENT_MAX + 1]; /* sent; "": none */
	bool ecm;
	unsigned modems, codings, resolutions, widths; /* bits, TL_FAX_ALL: everything */
};

/**
 * @name, a zone of this system ("Europe/Berlin") or a rule as in TZ, as the rule that header_zone wants, into @rule of @size
 * octets. An unknown name stays as it is. Reads a file. Main.
 */
void tl_fax_zone(const char *name, char *rule, size_t size);

/** A page that is durable, or that the far end confirmed. */
struct tl_fax_page {
	unsigned number;                 /* received: from 1; sent: of the document */
	unsigned width, length, bad_rows; /* pixels, rows */
	unsigned ms;                     /* line time since the page before, or the begin */
	unsigned bit_rate;
	bool ecm;
	char coding[8];                  /* mh, mr, mmr */
	char resolution[24];             /* as in the schema, or X x Y dots/inch */
};

struct tl_fax_negotiated {
	char remote_ident[TL_FAX_IDENT_MAX + 1], sub_address[TL_FAX_IDENT_MAX + 1];
	unsigned bit_rate;
	bool ecm, t38;
};

enum tl_fax_trouble {
	TL_FAX_FINE,
	TL_FAX_NO_FAX,        /* nobody spoke T.30 */
	TL_FAX_INCOMPATIBLE,
	TL_FAX_LINE,          /* bad line, or it would not train */
	TL_FAX_FAR_END,       /* it broke off */
	TL_FAX_REFUSED,       /* password, sub-address, polling */
	TL_FAX_BAD_DOCUMENT,  /* ours */
	TL_FAX_DISK,          /* ours */
	TL_FAX_STOPPED,       /* tl_fax_stop() */
	TL_FAX_ENDED,         /* the call ended in the middle */
};
/** As the schema spells it. Static. Any thread. */
const char *tl_fax_trouble_name(enum tl_fax_trouble trouble);

struct tl_fax_result {
	char words[128];                 /* "ok", or what went wrong */
	int code;                        /* T30_ERR_..., -1: not T.30's */
	enum tl_fax_trouble trouble;
	unsigned pages, bit_rate, ms;
	bool ecm, t38;
	char remote_ident[TL_FAX_IDENT_MAX + 1], sub_address[TL_FAX_IDENT_MAX + 1], password[TL_FAX_IDENT_MAX + 1];
};

struct tl_fax;

/** On main, but for keep. */
struct tl_fax_handler {
	void (*on_negotiated)(struct tl_fax *fax, const struct tl_fax_negotiated *negotiated, void *user); /* may be NULL */
	void (*on_page)(struct tl_fax *fax, const struct tl_fax_page *page, void *user);
	/** The last word; @fax is freed after it. */
	void (*on_ended)(struct tl_fax *fax, const struct tl_fax_result *result, void *user);
	/**
	 * Makes page @number durable: a TIFF of one page, G4. 0, or negative errno. Takes @within_ms at most; what comes
	 * later does not count. Thread: one that may block; one at a time for a fax.
	 */
	int (*keep)(unsigned number, const void *octets, size_t n, unsigned within_ms, void *user);
};

/**
 * What lies between the machine and the line, for a far end that misbehaves on purpose. Each may be NULL; thread: the
 * machine's. @samples linear, 8 kHz.
 */
struct tl_fax_faults {
	void (*heard)(int16_t *samples, unsigned n, void *user);
	void (*said)(int16_t *samples, unsigned n, void *user);
	/** T.38: a datagram is about to be sent; true: it is lost. */
	bool (*loses)(void *user);
	/** A T.30 frame, from its address octet on; of those sent, @octets may be changed. */
	void (*frame)(bool sent, uint8_t *octets, unsigned n, void *user);
};

struct tl_fax_config {
	bool sends, calling;             /* T.30's calling end; calling and receiving polls */
	struct tl_fax_options options;
	const char *document;            /* sends: path of a TIFF; opened now */
	unsigned first_page, last_page;  /* sends: from 1; 0: first, last */
	unsigned max_pages;              /* receives; 0: no bound */
	struct tl_t38_side t38;          /* the far end's, when it is on: T.38 from the beginning */
	const struct tl_fax_faults *faults; /* NULL: an honest machine; borrowed for the life of the fax */
};

struct tl_fax_pool_config {
	struct tl_media *media;
	unsigned threads;                /* 1-64 */
	unsigned depth_ms;               /* audio kept ahead of the media thread, 10-200 */
	unsigned keep_within_ms;         /* for a page to become durable; the far end waits 3 s in all (T4) */
};

struct tl_fax_pool;

/** Warms up SpanDSP's tables and starts the threads. (transfer full) */
struct tl_fax_pool *tl_fax_pool_new(const struct tl_fax_pool_config *config);
/** Ends what still runs, without a word; returns when the threads have ended. NULL is legal. */
void tl_fax_pool_free(struct tl_fax_pool *pool);

/**
 * tl_fax_start - a machine on @port's party. The port is tapped until the fax has ended; if it is
 * freed before, tl_fax_port_gone() must be called.
 * (owned by the pool until on_ended)
 */
struct tl_fax *tl_fax_start(struct tl_fax_pool *pool, struct tl_port *port, const struct tl_fax_config *config,
			    const struct tl_fax_handler *handler, void *user, GError **error);

/**
 * tl_fax_go_t38 - from now on by T.38, whose far end is @remote; T.30 begins anew, so after the first page it would
 * be too late: then it ends with trouble "line". The port's remote side is T.38, too.
 */
void tl_fax_go_t38(struct tl_fax *fax, const struct tl_t38_side *remote);

/**
 * tl_fax_gateway_start - joins two parties that fax with each other: @line's by audio, @image's by T.38, whose side of it is
 * @remote. Both ports are tapped until tl_fax_stop(); of @handler on_ended alone is called: what passed, and whoever stopped it.
 * (owned by the pool until on_ended)
 */
struct tl_fax *tl_fax_gateway_start(struct tl_fax_pool *pool, struct tl_port *line, struct tl_port *image,
				    const struct tl_t38_side *remote, const struct tl_fax_handler *handler, void *user);

/** Ends it, with @trouble TL_FAX_STOPPED or TL_FAX_ENDED unless T.30 has ended well; on_ended follows. */
void tl_fax_stop(struct tl_fax *fax, enum tl_fax_trouble trouble);

/** @port, on which it was started, is about to be freed. The fax goes on, deaf, until it is stopped. */
void tl_fax_port_gone(struct tl_fax *fax, struct tl_port *port);

struct tl_fax_counters {
	uint64_t started, pages_received, pages_sent, pages_unkept, blocks_missed, blocks_dropped;
	/* T.38, of faxes that have ended: datagrams; packets had from copies or parities, and lost for good */
	uint64_t t38_received, t38_sent, t38_malformed, t38_recovered, t38_lost;
	unsigned running;
};
void tl_fax_counters(const struct tl_fax_pool *pool, struct tl_fax_counters *counters);

/**
 * tl_fax_document_check - number of pages of the TIFF at @path, all of them fit to be faxed (one bit a pixel, within
 * bounds of size). Blocks. Any thread. 0 with @error.
 */
unsigned tl_fax_document_check(const char *path, GError **error);
