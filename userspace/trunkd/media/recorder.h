/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The inside of a recorder: a ring from the media thread to the pool's thread that writes it. */
#pragma once

#include "media/bridge.h"
#include "media/record-file.h"

/** 10 ms of a bridge. */
struct tl_record_block {
	uint8_t left[TL_BLOCK_OCTETS], right[TL_BLOCK_OCTETS];
	uint8_t left_law, right_law;
	uint32_t missed;            /* blocks lost before this one */
};

struct record_thread;

struct tl_recorder {
	struct tl_parcel parcel;
	struct tl_record_pool *pool; /* RO */
	struct record_thread *thread; /* RO */
	struct tl_ring *blocks;     /* tick to the pool's thread */
	_Atomic bool paused;        /* main to tick */
	_Atomic uint32_t missed;    /* tick: blocks lost since the last that was not; the pool takes them at the end */

	/* main */
	struct tl_media *media;
	struct tl_bridge *main_bridge; /* NULL once it is stopped */
	struct tl_recorder_handler handler;
	void *user;

	/* tick */
	struct tl_bridge *bridge;
	struct tl_port *left;       /* NULL: it has left */
	unsigned index;             /* in media->recorders */

	/* the pool's thread */
	struct tl_record_file *file;
	char *path;
	enum tl_record_format format;
	bool started, finishing, dirty;
	struct tl_recorded recorded;
};

/* ---- the media thread: recorder-tick.c ---- */
void tl_bridge_set_recorder(struct tl_bridge *bridge, struct tl_recorder *recorder, struct tl_port *left);
void tl_recorders_tick(struct tl_media *media);

/* ---- main ---- */
/** The media thread has let it go. */
void tl_recorder_returned(struct tl_recorder *recorder);
