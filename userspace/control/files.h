/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the two directions of files, download.c and upload.c, share. Not for other rooms. */
#pragma once

#include "control/server.h"

/** Answers with @status and one line of text. */
void tl_files_answer(SoupServerMessage *message, unsigned status, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** 0 when the request's bearer token (RFC 6750 2.1) has at least @role; else 401 or 403. */
unsigned tl_files_judge(struct tl_control_server *server, SoupServerMessage *message, enum tl_control_role role);
/** What to say with them. Static. */
const char *tl_files_why(unsigned status);

/** Sends the file, or the range of it that was asked for. */
void tl_download_start(SoupServerMessage *message, const char *path);

/** /blob/SHA256: before the body has come; and when it has. */
void tl_upload_begin(struct tl_control_server *server, SoupServerMessage *message, const char *path);
void tl_upload_end(SoupServerMessage *message);
/** Removes what an earlier run had not finished. Blocks. */
void tl_upload_sweep(const char *directory);
