/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What main (recorder.c) and the threads that write (record-thread.c) share. */
#pragma once

#include "media/recorder.h"

#define TL_RECORDERS_A_THREAD 1024

enum record_order_kind { RECORD_BEGIN, RECORD_FINISH, RECORD_STOP };
struct record_order {
	enum record_order_kind kind;
	struct tl_recorder *recorder;
};

enum record_report_kind { RECORD_STARTED, RECORD_ENDED };
struct record_report {
	enum record_report_kind kind;
	struct tl_recorder *recorder;
};

struct record_thread {
	struct tl_record_pool *pool; /* RO */
	GThread *thread;
	struct tl_ring *orders;      /* main to the thread; has room for two of each recorder */
	struct tl_ring *reports;     /* the thread to main; the same */
	int bell;
	unsigned n_main;             /* main: recorders given to it */
	/* the thread */
	GPtrArray *recorders;
	int64_t synced_us;
	bool stopping;
};

struct tl_record_pool {
	struct tl_record_pool_config config; /* RO */
	int directory_fd;            /* RO; for syncfs() */
	struct record_thread *threads; /* RO */
	struct tl_wake *wake;        /* rung by the threads */
	/* main */
	struct tl_timer *calm;       /* until trouble is over */
	uint64_t troubles_seen;
	bool troubled, closing;
	/* counted by the threads */
	_Atomic uint64_t blocks, missed_blocks, syncs, slow_syncs, errors;
	_Atomic int last_error;
	_Atomic uint32_t sync_us_max;
};

/** One of them: a struct record_thread. */
gpointer tl_record_thread_run(gpointer thread);
