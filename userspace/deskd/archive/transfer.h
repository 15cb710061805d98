/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Files between a node and the blob directory, by HTTP. Workers; blocking. */
#pragma once

#include <stdatomic.h>

#include "store/store.h"

/** Where a node is; RO, counted: transfers may outlive the connection. */
struct transfer_place {
	gint references;
	char *url;    /* http://host:port */
	char *socket; /* UNIX socket, or NULL */
	char *token;
	atomic_bool stop; /* transfers end soon */
};
/** @address: unix:PATH, ws://... or wss://... (transfer full) */
struct transfer_place *transfer_place_new(const char *address, const char *token);
struct transfer_place *transfer_place_ref(struct transfer_place *place);
void transfer_place_unref(struct transfer_place *place);

/** GET @path; it must have @sha256 and @size. What broke off goes on where it was, a few times. */
bool transfer_get(struct transfer_place *place, const char *path, const char *sha256, int64_t size, struct tl_blobs *blobs,
		  struct tl_blob *blob, GError **error);
/** PUT the blob; 201 (or 200) says that it is on the node's disk. */
bool transfer_put(struct transfer_place *place, const char *sha256, struct tl_blobs *blobs, GError **error);
