/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The mail intake: a conversation of LMTP from an unknown client, in pieces of many sizes; what it hands over as a
 * message, and the input itself as one, is taken apart by the MIME reader, and read as a report of a mail server.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "paper/work.h"
#include "post/lmtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

struct talk {
	struct tl_lmtp *lmtp;
	GBytes *message;
};

static void on_reply(const char *text, void *user)
{
	(void)user;
	g_assert(g_str_has_suffix(text, "\r\n") && strlen(text) < 4096);
}

static char *on_recipient(const char *sender, const char *recipient, void *user)
{
	(void)user;
	g_assert(sender && *recipient);
	return *recipient == 'n' ? g_strdup("550 5.1.1 no") : NULL;
}

static void on_message(GBytes *message, const char *sender, const char *const *recipients, void *user)
{
	struct talk *talk = user;
	(void)sender;
	g_assert(recipients[0]);
	g_clear_pointer(&talk->message, g_bytes_unref);
	talk->message = g_bytes_ref(message);
	tl_lmtp_answer(talk->lmtp, "250 2.0.0 ok");
}

static void read_mail(GBytes *message)
{
	g_autoptr(GError) error = NULL;
	struct tl_mail *mail = tl_mail_read(message, &error);
	g_assert(!mail == (error != NULL));
	if (mail)
		g_assert(g_utf8_validate(mail->subject, -1, NULL) && g_utf8_validate(mail->from, -1, NULL) &&
			 (!mail->text || g_utf8_validate(mail->text, -1, NULL)));
	tl_mail_free(mail);
	g_autoptr(GPtrArray) report = tl_report_read(message);
	for (unsigned i = 0; i < report->len; i++) {
		const struct tl_report_entry *entry = report->pdata[i];
		g_assert(*entry->action && g_utf8_validate(entry->recipient, -1, NULL) && g_utf8_validate(entry->diagnostic, -1, NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const struct tl_lmtp_handler handler = { on_reply, on_recipient, on_message };
	struct talk talk = { NULL, NULL };
	talk.lmtp = tl_lmtp_new("desk", 2048, &handler, &talk);
	for (size_t at = 0, piece; at < n; at += piece) {
		piece = MIN((size_t)octets[at] % 61 + 1, n - at);
		if (!tl_lmtp_feed(talk.lmtp, (const char *)octets + at, piece))
			break;
	}
	tl_lmtp_free(talk.lmtp);
	g_autoptr(GBytes) whole = g_bytes_new(octets, n);
	read_mail(whole);
	if (talk.message)
		read_mail(talk.message);
	g_clear_pointer(&talk.message, g_bytes_unref);
	return 0;
}
