/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The archive: what nodes have recorded or received comes from their spools
 * (HTTP GET on the control listener, by range, digest checked) into the blob
 * directory. Blobs, rows and whatever an item leads to are one transaction, and
 * only after its commit the node may free the item: so each is stored exactly
 * once, whenever a desk or a node dies. The other way round, blobs are put onto
 * a node before it needs them. Only the conductor does it.
 * Thread: main; transfers, hashing and files are on workers.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "control/control.h"
#include "store/store.h"

struct tl_archive;

struct tl_spool_part {
	char *name;
	struct tl_blob blob;
};

/** One item whose parts are blobs now; borrowed. */
struct tl_spool_item {
	const char *node, *item, *kind; /* fax, recording */
	const char *id;                 /* of the fax or recording, as it was asked for */
	bool partial;
	const char *contact, *leg, *agent; /* may be NULL */
	JsonObject *meta;               /* node.schema.json's spool_item */
	const struct tl_spool_part *parts;
	unsigned n_parts;
};

struct tl_archive_handler {
	/** Add what must be stored together with the item. */
	void (*on_item)(struct tl_transaction *transaction, const struct tl_spool_item *item, void *user);
	/** It is committed. */
	void (*on_stored)(const struct tl_spool_item *item, void *user);
};

/** A recording that is stored; strings are borrowed during the callback, NULL where there is none. */
struct tl_recording {
	const char *id, *call, *agent, *queue, *calling, *called;
	const char *name, *sha256; /* of its file */
	int64_t size, begun_utc_us, ended_utc_us;
	bool partial;
};

struct tl_recording_filter {
	unsigned max;
	const char *call, *agent, *sha256; /* NULL: any */
};
typedef void (*tl_archive_recordings_done)(const struct tl_recording *all, unsigned n, const GError *error, void *user);
/** Those whose files are still kept, the latest first. @on_done exactly once. */
void tl_archive_recordings(struct tl_store *store, const struct tl_recording_filter *filter, tl_archive_recordings_done on_done,
			   void *user);

/** @keep_fax_days, @keep_recording_days: of the blobs; 0: for ever. Rooms are borrowed. (transfer full) */
struct tl_archive *tl_archive_new(struct tl_store *store, struct tl_blobs *blobs, unsigned keep_fax_days, unsigned keep_recording_days,
				  const struct tl_archive_handler *handler, void *user);
/** Waits for transfers, which are broken off. NULL is legal. */
void tl_archive_free(struct tl_archive *archive);

/** @node is connected: its spool is listed. @address and @token as for the control protocol. */
void tl_archive_attach(struct tl_archive *archive, const char *node, const char *address, const char *token, int64_t epoch,
		       struct tl_control_client *client);
void tl_archive_detach(struct tl_archive *archive, const char *node);
/** The event spool.changed of @node. */
void tl_archive_changed(struct tl_archive *archive, const char *node, JsonObject *params);

typedef void (*tl_archive_put_done)(const GError *error, void *user);
/** Puts the blob @sha256 onto @node, durably. @on_done once, never from within the call. */
void tl_archive_put(struct tl_archive *archive, const char *node, const char *sha256, tl_archive_put_done on_done, void *user);
