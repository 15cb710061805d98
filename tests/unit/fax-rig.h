/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Two fax machines, wired to each other over timeslots of a rig's E1, in line time as fast as they can. */
#pragma once

#include "fax-paper.h"
#include "fax/fax.h"
#include "media-rig.h"

/** What one machine said of itself. */
struct fax_log {
	struct tl_fax *fax;             /* NULL once it has ended */
	struct tl_port *port;
	char *directory;                /* received pages, page-0001.tif ... */
	unsigned n_pages, n_negotiated;
	struct tl_fax_page pages[32];
	struct tl_fax_negotiated negotiated;
	struct tl_fax_result result;
	bool ended;
	int keep_result;                /* what the keeper answers */
	unsigned keep_ms;               /* after so long */
	_Atomic unsigned n_kept;
	unsigned left, right;           /* for a test's own faults */
	unsigned n_packets;             /* fax: datagrams of T.38 */
};

struct fax_rig {
	struct rig rig;
	struct tl_fax_pool *pool;
	struct fax_log sender, receiver;
	char *directory, *document;
	struct fax_paper paper;
	unsigned head_start;            /* ticks between the receiver's beginning and the sender's */
};

void fax_rig_init(struct fax_rig *rig, const struct fax_paper *paper, unsigned keep_within_ms);
void fax_rig_done(struct fax_rig *rig);

extern const struct tl_fax_handler fax_rig_handler; /* user: a struct fax_log */

/** Everything, ECM or not. */
struct tl_fax_config fax_rig_config(bool sends, bool ecm);

/** Starts both, the sender on the document. */
void fax_rig_start(struct fax_rig *rig, const struct tl_fax_config *sends, const struct tl_fax_config *receives);
/** Steps until both have ended. */
void fax_rig_finish(struct fax_rig *rig);
/** Both of these. */
void fax_rig_call(struct fax_rig *rig, const struct tl_fax_config *sends, const struct tl_fax_config *receives);

/** Both ended well, all pages are there, pixel by pixel. */
void fax_rig_assert_whole(struct fax_rig *rig);
