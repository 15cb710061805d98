/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Post: letters that leave (by mail, into a directory, to a webhook) and mails
 * that come (LMTP, RFC 2033). A letter is a row of table delivery: added by the
 * transaction that has a reason for it, tried until it is taken, refused for
 * good or too old. It is taken over exactly once as far as the other side lets
 * us know; should we die between its answer and our commit it is sent again,
 * with the same Message-ID (name, header). A mail that comes is a blob, and its
 * receiver's rows are committed, before it is acknowledged.
 * Thread: main; letters are built and sent on workers.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "post/lmtp.h"
#include "store/store.h"

struct tl_post;

/** How those at @url, and at what begins so, know that it is us. */
struct tl_post_webhook {
	const char *url;
	const char *token;  /* Authorization: Bearer; or NULL */
	const char *secret; /* Trunkline-Signature: sha256=HMAC of the body (RFC 2104), hexadecimal; or NULL */
};
/** All is copied but the rooms; NULL: not used. */
struct tl_post_config {
	const char *server;   /* smtp://host:port or smtps://host:port; NULL: mails wait */
	bool tls_required;    /* smtp: STARTTLS or nothing; else where it is offered */
	const char *ca_file;  /* whom to trust; NULL: the system's */
	const char *user, *password;
	const char *hello;    /* our name */
	const char *bounce_domain; /* of the envelope's senders, where reports come to; NULL: the mails' own sender */
	unsigned retry_first_s, retry_max_s, give_up_s;
	const struct tl_post_webhook *webhooks;
	unsigned n_webhooks;
	struct tl_store *store;
	struct tl_blobs *blobs;
};

/** For those who look on. Strings are borrowed. */
struct tl_delivery_info {
	const char *id, *kind, *about, *target, *state, *why;
	unsigned tries;
};
typedef void (*tl_post_changed)(const struct tl_delivery_info *delivery, void *user);

/** (transfer full) */
struct tl_post *tl_post_new(const struct tl_post_config *config, tl_post_changed on_changed, void *user);
/** Other settings, the same rooms; letters under way keep theirs. */
void tl_post_configure(struct tl_post *post, const struct tl_post_config *config);
/** Waits for what is being sent. NULL is legal. */
void tl_post_free(struct tl_post *post);
/** This desk sends from now on (the conductor @epoch does), or no longer. */
void tl_post_begin(struct tl_post *post, int64_t epoch);
void tl_post_end(struct tl_post *post);
/** Something was added and committed. */
void tl_post_look(struct tl_post *post);

enum tl_delivery_kind { TL_DELIVERY_MAIL, TL_DELIVERY_DIRECTORY, TL_DELIVERY_WEBHOOK };

struct tl_attachment {
	const char *sha256, *name, *type;
};
/** A letter; all borrowed during the call. */
struct tl_letter {
	enum tl_delivery_kind kind;
	const char *about;  /* whose it is */
	const char *number; /* tells apart letters about the same; one of the same id is added once */
	const char *target; /* address, directory or URL */
	const char *from, *subject, *text; /* mail */
	JsonObject *facts;  /* webhook; may be NULL */
	const struct tl_attachment *attachments;
	unsigned n_attachments;
};
/** Adds @letter to @transaction; tl_post_look() after its commit. */
void tl_post_add(struct tl_transaction *transaction, const struct tl_letter *letter);

/* ---- what comes back of a mail ---- */

/** The token of bounce+TOKEN@DOMAIN, or NULL for any other address. Pure. (transfer full) */
char *tl_post_bounce_token(const char *recipient);
/** @known: there is such a mail. */
typedef void (*tl_post_reported)(bool known, const GError *error, void *user);
/** A report on the mail of @token: @failed makes it bounced for good; else only @why is noted. @on_done once it is stored. */
void tl_post_report(struct tl_post *post, const char *token, bool failed, const char *why, tl_post_reported on_done, void *user);

/* ---- mails that come ---- */

struct tl_post_door;
struct tl_post_door_config {
	const char *path;  /* of the UNIX socket; mode 0660 */
	const char *group; /* that may write to it; NULL: our own */
	const char *name;  /* our host's */
	unsigned message_max_octets;
	struct tl_blobs *blobs;
};
struct tl_post_door_handler {
	/** NULL: it is taken; else the reply, such as "550 5.1.1 no such number". (transfer full) */
	char *(*on_recipient)(const char *sender, const char *recipient, void *user);
	/** @message is on disk. Answer by tl_post_door_answer() once it is committed. All borrowed. */
	void (*on_message)(struct tl_post_door *door, uint64_t letter, const struct tl_blob *message, const char *sender,
			   const char *const *recipients, void *user);
};
/** Listens; errors name the path. (transfer full) */
struct tl_post_door *tl_post_door_new(const struct tl_post_door_config *config, const struct tl_post_door_handler *handler,
				      void *user, GError **error);
/** Closes it and all conversations; messages that are being written are not handed on. NULL is legal. */
void tl_post_door_stop(struct tl_post_door *door);
/** After all that was handed on was answered. NULL is legal. */
void tl_post_door_free(struct tl_post_door *door);
/** @reply: "250 2.0.0 ..." or "451 4.3.0 ..."; harmless when the client has gone. */
void tl_post_door_answer(struct tl_post_door *door, uint64_t letter, const char *reply);
