/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One letter being sent, on a worker. Values of the row and of the configuration, RO there. */
#pragma once

#include "post/post.h"

enum letter_outcome { LETTER_TAKEN, LETTER_LATER, LETTER_REFUSED };

struct letter_webhook {
	char *url, *token, *secret;
};
struct letter_account {
	char *server, *ca_file, *user, *password, *hello, *bounce_domain;
	bool tls_required;
	struct letter_webhook *webhooks;
	unsigned n_webhooks;
};
/** (transfer full) Counted, from any thread; RO once made. */
struct letter_account *letter_account_new(const struct tl_post_config *config);
void letter_account_unref(struct letter_account *account);
/** Whose url @url begins with, the longest; or NULL. Borrowed. */
const struct letter_webhook *letter_webhook_of(const struct letter_account *account, const char *url);

struct letter {
	char *id, *kind, *about, *target, *bounce;
	JsonObject *content;
	unsigned tries;
	int64_t created_utc_us;
	struct letter_account *account; /* a reference */
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
