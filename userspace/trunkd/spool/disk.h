/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The spool's files. Everything here blocks: for the spool's own threads, and for main before it serves. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TL_SPOOL_META "meta.json"
#define TL_SPOOL_UNFINISHED ".part" /* added to a part's name until it is committed */
#define TL_SPOOL_PART_MAX 48

/** A committed part. */
struct tl_spool_part {
	char name[TL_SPOOL_PART_MAX + 1];
	uint64_t octets;
	char sha256[65];
};

bool tl_spool_is_part_name(const char *name);

/* All return 0 or negative errno. */
/** Makes folder @path and its meta.json, durably, in @parent. */
int tl_spool_disk_begin(const char *parent, const char *path, const char *meta);
/** Replaces meta.json, durably. */
int tl_spool_disk_meta(const char *path, const char *meta);
/** fsyncs the unfinished @name and fills @part. */
int tl_spool_disk_sync(const char *path, const char *name, struct tl_spool_part *part);
/** Gives the unfinished @name its own name, durably. */
int tl_spool_disk_name(const char *path, const char *name);
/** Removes files of @path that are neither meta.json nor among @parts (struct tl_spool_part). */
int tl_spool_disk_sweep(const char *path, GArray *parts);
/** Removes the folder and all in it. */
int tl_spool_disk_remove(const char *path);
/** Salvages unfinished parts and lists all of them into @parts. */
int tl_spool_disk_settle(const char *path, uint64_t (*salvage)(int fd, const char *part), GArray *parts);
/** Free octets for us; with @probe, whether a file can be written and fsynced, too. */
int tl_spool_disk_look(const char *path, bool probe, uint64_t *free_octets);
