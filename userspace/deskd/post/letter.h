/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One letter being sent, on a worker. Values of the row and of the configuration, RO there. */
#pragma once

#include "post/post.h"

enum letter_outcome { LETTER_TAKEN, LETTER_LATER, LETTER_REFUSED };

struct letter {
	char *id, *kind, *about, *target;
	JsonObject *content;
	unsigned tries;
	int64_t created_utc_us;
	/* of the configuration, borrowed */
	const char *server, *ca_file, *user, *password, *hello;
	bool tls_required;
	struct tl_blobs *blobs;
	/* what came of it */
	enum letter_outcome outcome;
	char *why;
};

/** The message as it goes out (RFC 5322, CRLF), or NULL with an error. Any thread that may block. (transfer full) */
GBytes *letter_message(const struct letter *letter, GError **error);
/** Sets outcome and why. */
void letter_mail(struct letter *letter);
void letter_file(struct letter *letter);
void letter_post(struct letter *letter);
void letter_later(struct letter *letter, const char *format, ...) G_GNUC_PRINTF(2, 3);
void letter_refused(struct letter *letter, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** An attachment's member of the letter's content. */
const char *letter_attachment(JsonObject *attachment, const char *member);
JsonArray *letter_attachments(const struct letter *letter);
