/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the node keeps on its own disk until a desk has stored it: recordings
 * and fax pages. An *item* is one recording or one received fax; its *parts* are files.
 * A part that has been committed outlives a kill -9 and a power cut. It knows files and
 * nothing of audio, pages or protocols.
 * Threads: main owns the index; blocking work is on threads of the spool's own;
 * a part is written and committed on whatever thread may block.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TL_SPOOL_ERROR (tl_spool_error_quark())
GQuark tl_spool_error_quark(void);
enum tl_spool_error_code {
	TL_SPOOL_ERROR_DISK,    /* what was tried and why it failed */
	TL_SPOOL_ERROR_RESERVE, /* less than the reserve is free */
	TL_SPOOL_ERROR_UNKNOWN, /* no such item */
	TL_SPOOL_ERROR_OPEN,    /* still being written */
};

enum tl_spool_kind { TL_SPOOL_FAX, TL_SPOOL_RECORDING };

struct tl_spool;
struct tl_spool_item; /* one that is being written */

struct tl_spool_config {
	const char *directory;   /* made when missing; an item is a folder in it */
	uint64_t reserve_octets; /* with less free, nothing new is taken */
	unsigned watch_ms;       /* how often the disk is looked at; 0: 5000 */
	/**
	 * A part that was still being written when the last run died: makes what is there usable and returns its
	 * size, to which it is cut; 0: drop it. NULL: all such parts are dropped. Thread: one that may block.
	 */
	uint64_t (*salvage)(int fd, const char *part);
};

/** Both on main. */
struct tl_spool_handler {
	/** @item (borrowed; type spool_item of node.schema.json) is new or has changed. */
	void (*on_changed)(JsonObject *item, void *user);
	/** The alarms (tl_spool_alarms) have changed; @why says what is wrong, NULL: nothing any more. */
	void (*on_alarm)(const char *why, void *user);
};

/**
 * tl_spool_new - open the spool and find what the last run left. Items left open by a death become *partial*: committed
 * parts stay, others are salvaged or dropped; on_changed tells each. Blocks for reading the names. (transfer full)
 */
struct tl_spool *tl_spool_new(const struct tl_spool_config *config, const struct tl_spool_handler *handler, void *user,
			      GError **error);
/** Waits for work in progress, of which nobody is told any more. Items still open are found as partial next time. NULL is legal. Thread: main. */
void tl_spool_free(struct tl_spool *spool);

/** What is known of an item when it is begun; borrowed during the call. */
struct tl_spool_about {
	enum tl_spool_kind kind;
	const char *id;     /* of the recording or the fax, as its requester chose it */
	const char *leg;    /* may be NULL */
	JsonObject *tags;   /* of strings; may be NULL */
};

/** @item is open and durable (borrowed until tl_spool_close()), or NULL with @error. Thread: main. */
typedef void (*tl_spool_opened)(struct tl_spool_item *item, const GError *error, void *user);

/**
 * tl_spool_open - begin an item. @on_opened comes exactly once, later. Refused below the reserve and while the disk
 * fails. Thread: main.
 */
void tl_spool_open(struct tl_spool *spool, const struct tl_spool_about *about, tl_spool_opened on_opened, void *user);

/**
 * tl_spool_close - the item ends; nobody writes to it any more. Parts not committed are removed.
 * @complete: all of it is there; otherwise it is called partial. Frees @item. Thread: main.
 */
void tl_spool_close(struct tl_spool_item *item, bool complete);

/** Instead, of an item in which nothing was written: it is forgotten and deleted. Frees @item. Thread: main. */
void tl_spool_discard(struct tl_spool_item *item);

/** Something to be known of the item, such as a fax machine's ident; kept when the item ends. Thread: main. */
void tl_spool_note(struct tl_spool_item *item, const char *name, const char *value);

/** Name of the item: digits and '-', ascending with time. Borrowed. Any thread. */
const char *tl_spool_item_name(const struct tl_spool_item *item);

/**
 * tl_spool_part_path - where to write @part before it is committed: a file in the item's folder, made by the caller.
 * @part: letters, digits, '.', '_', '-', at most 48, not beginning with '.'. (transfer full) Any thread.
 */
char *tl_spool_part_path(const struct tl_spool_item *item, const char *part);

/**
 * tl_spool_commit - make @part durable: data, then name, then folder. Blocks @within_ms at most.
 * Returns 0, -ETIMEDOUT (it must not be relied upon; it may be committed again), or negative errno (-ENOSPC ...).
 * Thread: one that may block, at most one at a time for an item.
 */
int tl_spool_commit(struct tl_spool_item *item, const char *part, unsigned within_ms);

/** The same without waiting, however long it takes; @on_done (0 or negative errno) once, on main. Thread: main. */
void tl_spool_submit(struct tl_spool_item *item, const char *part, void (*on_done)(int result, void *user), void *user);

/* ---- what is there; thread: main ---- */

/** Type spool_item of node.schema.json, after item @after (NULL: from the oldest on), at most @max. (transfer full) */
JsonArray *tl_spool_list(struct tl_spool *spool, const char *after, unsigned max);
/** The path of a committed part; NULL when there is none of that name. (transfer full) */
char *tl_spool_find(struct tl_spool *spool, const char *item, const char *part);
/** Forgets and deletes an item that is stored elsewhere. */
bool tl_spool_remove(struct tl_spool *spool, const char *item, GError **error);

struct tl_spool_counters {
	uint64_t items, octets, free_octets; /* now */
	uint64_t opened, commits, commit_failures, commit_timeouts, refused;
	uint64_t commit_us_max;
};
void tl_spool_counters(const struct tl_spool *spool, struct tl_spool_counters *counters);

/** "spool-reserve" (too little is free), "spool-disk" (it fails or does not answer); NULL-terminated, static strings. */
#define TL_SPOOL_ALARMS 2
void tl_spool_alarms(const struct tl_spool *spool, const char *names[TL_SPOOL_ALARMS + 1]);
