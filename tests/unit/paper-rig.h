/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Documents through faxpages as deskd runs it, in a folder of their own; each is waited for. */
#pragma once

#include "paper/paper.h"

struct paper_rig {
	char *dir;
	struct tl_blobs *blobs;
	struct tl_papers *papers;
};

struct paper_outcome {
	bool done, ok;
	int code, pages;
	char *why, *path; /* path: the blob's name */
};

/** A program's path that is built with us. (transfer full) */
char *paper_rig_beside(const char *name);
struct paper_rig paper_rig_new(void);
/** @program: a faxpages; the one built with us is paper_rig_limited()'s. */
struct paper_rig paper_rig_with(const char *program, unsigned at_once, unsigned memory_mib, unsigned time_s);
struct paper_rig paper_rig_limited(unsigned at_once, unsigned memory_mib, unsigned time_s);
/** Ends what runs. */
void paper_rig_clear(struct paper_rig *desk);

/** A tl_paper_done; @user: the outcome. */
void paper_outcome_done(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user);
struct paper_outcome paper_rig_run(struct paper_rig *desk, const char *job, const char *const *arguments);
/** A file @name of @octets becomes fax pages; @option: "--mail" when it is one. */
struct paper_outcome paper_rig_convert(struct paper_rig *desk, const char *name, const void *octets, gssize n, const char *option);
void paper_outcome_clear(struct paper_outcome *outcome);
