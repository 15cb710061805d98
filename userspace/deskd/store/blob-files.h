/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What writing and sweeping blobs share. */
#pragma once

#include "store/blob.h"

struct tl_blobs {
	char *dir;       /* RO */
	unsigned grace_s; /* RO */
	unsigned shard;  /* main: the next to look at */
	bool sweeping;   /* main */
	bool freed;      /* main: the sweep under way is its last user */
	uint64_t swept;  /* main */
};

bool blob_fsync_directory(const char *path, GError **error);
/** The lock that naming and removing hold, as a descriptor to be closed; -1 with an error. */
int blob_lock(struct tl_blobs *blobs, GError **error);
