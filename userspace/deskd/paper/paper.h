/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Documents are never looked at inside deskd: each job is a faxpages process in
 * its sandbox, with a limit of time, so many at once. What it wrote comes back
 * as a blob. Thread: main; files are hashed on workers.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "store/store.h"

struct tl_papers;

/** Strings are copied, blobs are borrowed. */
struct tl_papers_config {
	const char *program;   /* faxpages; NULL: beside this program */
	const char *folder;    /* for files on their way; made when needed, emptied at start */
	struct tl_blobs *blobs;
	unsigned at_once, memory_mib, time_s, pages_max;
};

/** (transfer full) */
struct tl_papers *tl_papers_new(const struct tl_papers_config *config);
/** Ends what runs and waits; all are called with G_IO_ERROR_CANCELLED. NULL is legal. */
void tl_papers_free(struct tl_papers *papers);

/**
 * @blob: what was written; @result: what faxpages said; both borrowed, @result may come with an error, too.
 * Errors: G_IO_ERROR_INVALID_DATA is the document's fault, for good; others are the machine's (memory, disk, programs that
 * are missing, a processor that others have), and may pass.
 */
typedef void (*tl_paper_done)(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user);

/**
 * Queues a job: "fax", "pdf", "picture", "part" or "report" (what it said is all) with @arguments (options and inputs; copied).
 * What waits or runs already is made once, for all who ask. @arguments name files that do not change.
 */
void tl_papers_run(struct tl_papers *papers, const char *job, const char *const *arguments, tl_paper_done on_done, void *user);
/**
 * An administrator's own program, such as ocrmypdf: @command with {in} and {out} in it, for at most @limit_s. It may run
 * programs and write files (in a folder of its own: TMPDIR, HOME), but reach no network.
 */
void tl_papers_hook(struct tl_papers *papers, const char *command, const char *path, unsigned limit_s, tl_paper_done on_done, void *user);
/** What the machine's fault was when the last job failed by it; NULL: the last one did not. Borrowed until the next job. */
const char *tl_papers_alarm(const struct tl_papers *papers);
/** By its suffix, whether @name is a document of an office suite. Pure; any thread. */
bool tl_paper_is_office(const char *name);
/** A document of an office suite (@path, called @name) becomes a PDF by LibreOffice; an error where that is not there. */
void tl_papers_office(struct tl_papers *papers, const char *path, const char *name, tl_paper_done on_done, void *user);
