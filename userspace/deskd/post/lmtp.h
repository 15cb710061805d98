/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The server's end of LMTP (RFC 2033) as a machine without a socket: octets in,
 * replies out. Only CRLF ends a line and only CRLF.CRLF a message, so that no
 * second message can be smuggled into one. Pure; fuzzed. Thread: main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tl_lmtp;

struct tl_lmtp_handler {
	/** What goes back to the client; borrowed. */
	void (*on_reply)(const char *text, void *user);
	/** NULL: the recipient is taken; else the reply without CRLF. (transfer full) */
	char *(*on_recipient)(const char *sender, const char *recipient, void *user);
	/** A whole message for @recipients (NULL-terminated); answer by tl_lmtp_answer(), now or later. All borrowed. */
	void (*on_message)(GBytes *message, const char *sender, const char *const *recipients, void *user);
};

#define TL_LMTP_LINE_MAX 2048
#define TL_LMTP_RECIPIENTS_MAX 100

/** @name: our host's. Greets at once. (transfer full) */
struct tl_lmtp *tl_lmtp_new(const char *name, unsigned message_max_octets, const struct tl_lmtp_handler *handler, void *user);
void tl_lmtp_free(struct tl_lmtp *lmtp);
/** Takes what came. False: the conversation is over, close when all replies are out. */
bool tl_lmtp_feed(struct tl_lmtp *lmtp, const char *octets, gsize n);
/** The reply for the message, once for each recipient; goes on with what came meanwhile. False as above. */
bool tl_lmtp_answer(struct tl_lmtp *lmtp, const char *reply);
