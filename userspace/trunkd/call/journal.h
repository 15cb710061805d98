/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The journal: billable facts on disk, fsynced before they are acknowledged,
 * kept until the conductor says that they are stored. It knows subjects that
 * open and close (legs), not what the payloads say.
 *
 * Main submits values; one thread writes whatever waits and fsyncs once for
 * all of it (group commit); completions come back to main in order. A disk
 * that fails is retried each half second, records waiting in memory.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "call/segment.h"

#define TL_JOURNAL_ERROR (tl_journal_error_quark())
GQuark tl_journal_error_quark(void);
enum tl_journal_error_code { TL_JOURNAL_ERROR_OPEN, TL_JOURNAL_ERROR_READ };

struct tl_journal;

struct tl_journal_config {
	const char *directory;   /* made when missing; only this process uses it */
	size_t segment_octets;   /* a new file is begun beyond it */
	uint64_t max_octets;     /* beyond it a fault is raised, though writing goes on */
};

struct tl_journal_handler {
	/** After the callbacks of all records of one commit. Thread: main. */
	void (*on_committed)(void *user);
	/** Records cannot be made durable now (@why says what was tried), or can again (NULL). Thread: main. */
	void (*on_fault)(const char *why, void *user);
};

/** A subject that was opened and never closed before the end of the last run. */
struct tl_journal_orphan {
	char *subject, *payload; /* of its opening record */
};

/** What the last run left. */
struct tl_journal_past {
	GPtrArray *orphans;      /* struct tl_journal_orphan, oldest first */
	int64_t at_ns, utc_us;   /* when it was last known to live; 0: never */
	uint64_t torn_octets;    /* unreadable at the end of the last file, left there */
	unsigned garbled_files;  /* others that ended early; their good records count */
};
void tl_journal_past_clear(struct tl_journal_past *past);

/**
 * tl_journal_open - read what is there up to a torn tail, and start the thread. Blocks; for start-up.
 * Errors: the directory cannot be made, read or written. (transfer full; @past is the caller's to clear)
 */
struct tl_journal *tl_journal_open(const struct tl_journal_config *config, const struct tl_journal_handler *handler,
				   void *user, struct tl_journal_past *past, GError **error);

/** Waits until what was submitted is durable, at most @wait_ms, and stops. NULL is legal. Thread: main. */
void tl_journal_close(struct tl_journal *journal, unsigned wait_ms);

/** The sequence that the next record gets. Sequences never restart. Thread: main. */
uint64_t tl_journal_next(const struct tl_journal *journal);

/**
 * tl_journal_append - submit one record.
 * @record: kind, subject, times and payload; copied; its sequence is tl_journal_next().
 * @on_durable: once it is on disk; may be NULL. Thread: main.
 */
void tl_journal_append(struct tl_journal *journal, const struct tl_record *record, void (*on_durable)(void *user),
		       void *user);

typedef void (*tl_journal_read_done)(GPtrArray *payloads, uint64_t last, const GError *error, void *user);
/** Durable records (not carried ones) after @after, at most @max, oldest first; @payloads (borrowed) are strings. */
void tl_journal_read(struct tl_journal *journal, uint64_t after, unsigned max, tl_journal_read_done on_done, void *user);

/** Everything up to @sequence is stored elsewhere: whole files of it are deleted. Thread: main. */
void tl_journal_forget(struct tl_journal *journal, uint64_t sequence);

/** Notes that this process lives, for tl_journal_past; not fsynced, it costs nothing. Thread: main. */
void tl_journal_heartbeat(struct tl_journal *journal, int64_t at_ns, int64_t utc_us);

/** First sequence not forgotten; last durable one (0: none yet). Thread: main. */
uint64_t tl_journal_first(const struct tl_journal *journal);
uint64_t tl_journal_last(const struct tl_journal *journal);
bool tl_journal_is_faulty(const struct tl_journal *journal);
/** Commits made, and records in them. Thread: main. */
void tl_journal_counters(const struct tl_journal *journal, uint64_t *commits, uint64_t *records);
