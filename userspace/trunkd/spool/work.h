/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The spool's own threads: *commits*, several, as a disk groups what is fsynced at once; and one for *chores*, so
 * that chores are done in order and no commit waits for one.
 */
#pragma once

#include <stdbool.h>

struct tl_spool_work;

/** Embedded first in what is to be done. */
struct tl_spool_job {
	void (*run)(struct tl_spool_job *job);  /* on a thread that may block */
	void (*done)(struct tl_spool_job *job); /* on main afterwards; gives the job up */
	void (*after)(struct tl_spool_job *job); /* on the same thread once main will hear of it; may be NULL */
};

struct tl_spool_work *tl_spool_work_new(void);
/** Waits until all is done, and said. Thread: main. */
void tl_spool_work_free(struct tl_spool_work *work);
/** Says what is done by now. Thread: main. */
void tl_spool_work_drain(struct tl_spool_work *work);
/** Any thread. */
void tl_spool_work_commit(struct tl_spool_work *work, struct tl_spool_job *job);
void tl_spool_work_chore(struct tl_spool_work *work, struct tl_spool_job *job);
