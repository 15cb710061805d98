/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The journal's files: <first sequence>.journal, oldest to newest, and the
 * heartbeat. Everything here blocks; it belongs to main until the journal's
 * thread starts, and to that thread from then on.
 */
#pragma once

#include "call/journal.h"

struct tl_journal_disk;

/** A record ready to be written. */
struct tl_journal_entry {
	uint64_t sequence;
	enum tl_record_kind kind;
	char *subject;
	GByteArray *octets;
	void (*on_durable)(void *user);
	void *user;
};
void tl_journal_entry_free(void *entry);

struct tl_journal_disk *tl_journal_disk_open(const struct tl_journal_config *config, struct tl_journal_past *past,
					     GError **error);
void tl_journal_disk_close(struct tl_journal_disk *disk);

/**
 * Writes and fsyncs @entries (struct tl_journal_entry) as one. On failure nothing of it counts, the file in use is
 * given up, and *@why says what was tried. (transfer full of @why) Returns 0 or negative errno.
 */
int tl_journal_disk_commit(struct tl_journal_disk *disk, GPtrArray *entries, char **why);

/** (transfer full) strings, or NULL with *@why set. */
GPtrArray *tl_journal_disk_read(struct tl_journal_disk *disk, uint64_t after, unsigned max, char **why);

void tl_journal_disk_forget(struct tl_journal_disk *disk, uint64_t sequence);
void tl_journal_disk_heartbeat(struct tl_journal_disk *disk, int64_t at_ns, int64_t utc_us);

uint64_t tl_journal_disk_first(const struct tl_journal_disk *disk);
uint64_t tl_journal_disk_last(const struct tl_journal_disk *disk);
uint64_t tl_journal_disk_octets(const struct tl_journal_disk *disk);
