/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Recording of bridges, a part of media.h. What a bridge's parties say becomes a
 * stereo file: one party left, all others right. Threads of a pool write it; the
 * media thread only fills rings for them, and never waits. What was said a second ago is
 * fsynced and playable, whatever happens to the process. Thread of all functions: main.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tl_media;
struct tl_bridge;
struct tl_port;
struct tl_record_pool;
struct tl_recorder;

enum tl_record_format {
	TL_RECORD_WAV,   /* G.711 of the first party's law, 8 kHz */
	TL_RECORD_WAV16, /* 16-bit linear, 8 kHz */
	TL_RECORD_OPUS,  /* Ogg Opus (RFC 7845) */
};
/** Reads "wav", "wav16" or "opus". */
bool tl_record_format_parse(const char *name, enum tl_record_format *format);
/** Name of the file that a recording of @format is kept in: "audio.wav" or "audio.opus". Static. */
const char *tl_record_file(enum tl_record_format format);

struct tl_record_pool_config {
	unsigned threads;      /* 1-16; default 2 */
	unsigned sync_ms;      /* from fsync to fsync; default 500, so that what was heard a second ago is on the disk */
	const char *directory; /* below which all files are written: one syncfs() for many */
	/** @why: files cannot be written, or too slowly; NULL: that is over. */
	void (*on_trouble)(const char *why, void *user);
	void *user;
};

/** (transfer full) */
struct tl_record_pool *tl_record_pool_new(const struct tl_record_pool_config *config);
/** Ends what is being recorded, files finished; nobody is told any more. Media must be freed before. NULL is legal. */
void tl_record_pool_free(struct tl_record_pool *pool);

struct tl_recorded {
	int result;         /* 0 or negative errno: why the file ends early */
	uint64_t ms;        /* in the file */
	uint64_t missed_ms; /* of them silence, where the disk was too slow */
};

struct tl_recorder_handler {
	/** The file's first block is written and fsynced: from now on what is said is kept. */
	void (*on_started)(void *user);
	/** The file is whole but not fsynced since its last second; the recorder is gone. Always comes. */
	void (*on_ended)(const struct tl_recorded *recorded, void *user);
};

/**
 * tl_recorder_new - record @bridge into the new file @path: @left (which may leave the bridge) left, all others right.
 * NULL with -errno in *@result: -EBUSY, the bridge is being recorded; -ENOSPC, the pool is full.
 * (owned by the pool until on_ended)
 */
struct tl_recorder *tl_recorder_new(struct tl_record_pool *pool, struct tl_bridge *bridge, struct tl_port *left,
				    enum tl_record_format format, const char *path, const struct tl_recorder_handler *handler,
				    void *user, int *result);
/** While paused nothing is written: the file goes on where it was. */
void tl_recorder_pause(struct tl_recorder *recorder, bool on);
/** on_ended follows, as it does when the bridge is freed. NULL is legal. */
void tl_recorder_stop(struct tl_recorder *recorder);

struct tl_record_counters {
	uint64_t recording;     /* now */
	uint64_t blocks, missed_blocks, syncs, slow_syncs, errors;
	uint32_t sync_us_max;
};
void tl_record_counters(struct tl_record_pool *pool, struct tl_record_counters *counters);

/**
 * tl_record_salvage - make the file that a dead process was recording whole: sizes in the header, or an end after the
 * last page that is complete. Returns the size to cut it to; 0: nothing usable. Any thread that may block.
 */
uint64_t tl_record_salvage(int fd, const char *part);
