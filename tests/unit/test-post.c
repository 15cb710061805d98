/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* LMTP as a machine (RFC 2033): what is answered, what is refused, what a message is; and which addresses are of our letters. */
#include <glib.h>
#include <string.h>

#include "base/thread.h"
#include "post/post.h"

struct talk {
	struct tl_lmtp *lmtp;
	GString *replies;
	GString *messages; /* "SENDER>RECIPIENT,...:OCTETS|" */
	const char *answer; /* NULL: later */
};

static void on_reply(const char *text, void *user)
{
	g_string_append(((struct talk *)user)->replies, text);
}

static char *on_recipient(const char *sender, const char *recipient, void *user)
{
	(void)sender, (void)user;
	return g_str_has_prefix(recipient, "no@") ? g_strdup("550 5.1.1 no") : NULL;
}

static void on_message(GBytes *message, const char *sender, const char *const *recipients, void *user)
{
	struct talk *talk = user;
	gsize n;
	const char *octets = g_bytes_get_data(message, &n);
	g_autofree char *all = g_strjoinv(",", (char **)recipients);
	g_string_append_printf(talk->messages, "%s>%s:", sender, all);
	g_string_append_len(talk->messages, octets, n);
	g_string_append_c(talk->messages, '|');
	if (talk->answer)
		tl_lmtp_answer(talk->lmtp, talk->answer);
}

static struct talk *talk_new(const char *answer)
{
	static const struct tl_lmtp_handler handler = { on_reply, on_recipient, on_message };
	struct talk *talk = g_new0(struct talk, 1);
	talk->replies = g_string_new(NULL);
	talk->messages = g_string_new(NULL);
	talk->answer = answer;
	talk->lmtp = tl_lmtp_new("desk", 1000, &handler, talk);
	g_assert_cmpstr(talk->replies->str, ==, "220 desk Trunkline LMTP\r\n");
	tl_lmtp_feed(talk->lmtp, "LHLO client\r\n", 13);
	g_string_truncate(talk->replies, 0);
	return talk;
}

static void talk_free(struct talk *talk)
{
	tl_lmtp_free(talk->lmtp);
	g_string_free(talk->replies, TRUE);
	g_string_free(talk->messages, TRUE);
	g_free(talk);
}

/* Says @text octet by octet, so that no line comes in one piece, and expects the codes of @codes. */
static void say(struct talk *talk, const char *text, const char *codes)
{
	g_string_truncate(talk->replies, 0);
	for (const char *at = text; *at; at++)
		tl_lmtp_feed(talk->lmtp, at, 1);
	GString *heard = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(talk->replies->str, "\r\n", -1);
	for (char **line = lines; *line && **line; line++)
		g_string_append_printf(heard, "%s%.3s", heard->len ? " " : "", *line);
	g_assert_cmpstr(heard->str, ==, codes);
	g_string_free(heard, TRUE);
}

static void test_message(void)
{
	struct talk *talk = talk_new("250 2.0.0 ok");
	say(talk, "MAIL FROM:<a@b> SIZE=10\r\nRCPT TO:<1@fax>\r\nRCPT TO:<no@fax>\r\nRCPT TO:<@x:2@fax>\r\nDATA\r\n", "250 250 550 250 354");
	/* One reply for each recipient that was taken (RFC 2033 4.2); dots are unstuffed (RFC 5321 4.5.2). */
	say(talk, "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n", "250 250 221");
	g_assert_cmpstr(talk->messages->str, ==, "a@b>1@fax,2@fax:Subject: x\r\n\r\n.dot\r\n|");
	talk_free(talk);
}

static void test_order(void)
{
	struct talk *talk = talk_new("250 2.0.0 ok");
	say(talk, "RCPT TO:<1@fax>\r\nDATA\r\nEHLO x\r\nMAIL FROM:a@b\r\nMAIL FROM:<>\r\nMAIL FROM:<a@b>\r\nRSET\r\nDATA\r\nNOOP\r\n",
	    "503 503 500 501 250 503 250 503 250");
	say(talk, "MAIL FROM:<a@b> SIZE=1001\r\n", "552");
	talk_free(talk);
}

/* Pipelined behind a message whose answer takes its time: nothing of it is lost. */
static void test_ahead(void)
{
	struct talk *talk = talk_new(NULL);
	say(talk, "MAIL FROM:<a@b>\r\nRCPT TO:<1@fax>\r\nDATA\r\nx\r\n.\r\nMAIL FROM:<c@d>\r\n", "250 250 354");
	g_string_truncate(talk->replies, 0);
	g_assert_true(tl_lmtp_answer(talk->lmtp, "451 4.3.0 later"));
	g_assert_cmpstr(talk->replies->str, ==, "451 4.3.0 later\r\n250 2.1.0 ok\r\n");
	talk_free(talk);
}

/* What only some programs take for the end of a message is none. */
static void test_smuggling(void)
{
	struct talk *talk = talk_new("250 2.0.0 ok");
	say(talk, "MAIL FROM:<a@b>\r\nRCPT TO:<1@fax>\r\nDATA\r\nx\n.\nMAIL FROM:<evil@b>\r\ny\n.\r\nz\r\n.\r\n", "250 250 354 250");
	g_assert_cmpstr(talk->messages->str, ==, "a@b>1@fax:x\n.\nMAIL FROM:<evil@b>\r\ny\n.\r\nz\r\n|");
	talk_free(talk);
}

static void test_limits(void)
{
	struct talk *talk = talk_new("250 2.0.0 ok");
	g_autofree char *long_line = g_strnfill(5000, 'x');
	g_autofree char *command = g_strconcat("NOOP ", long_line, "\r\nNOOP\r\n", NULL);
	say(talk, command, "500 250");
	g_autofree char *data = g_strconcat("MAIL FROM:<a@b>\r\nRCPT TO:<1@fax>\r\nDATA\r\n", long_line, "\r\n.\r\nNOOP\r\n", NULL);
	say(talk, data, "250 250 354 552 250");
	g_assert_cmpuint(talk->messages->len, ==, 0);
	g_autofree char *dots = g_strnfill(400, '\n');
	g_autoptr(GString) many = g_string_new("MAIL FROM:<a@b>\r\nRCPT TO:<1@fax>\r\nDATA\r\n");
	for (const char *at = dots; *at; at++)
		g_string_append(many, "y\r\n");
	g_string_append(many, ".\r\n");
	say(talk, many->str, "250 250 354 552");
	talk_free(talk);
}

static void test_zero(void)
{
	struct talk *talk = talk_new("250 2.0.0 ok");
	g_string_truncate(talk->replies, 0);
	tl_lmtp_feed(talk->lmtp, "NO\0OP\r\n", 7);
	g_assert_true(g_str_has_prefix(talk->replies->str, "500"));
	say(talk, "MAIL FROM:<a@b>\r\nRCPT TO:<1@fax>\r\nDATA\r\n", "250 250 354");
	tl_lmtp_feed(talk->lmtp, "a\0b\r\n.\r\n", 8);
	g_assert_cmpuint(talk->messages->len, ==, strlen("a@b>1@fax:") + 5 + 1);
	talk_free(talk);
}

static void test_bounce_token(void)
{
	static const char *const others[] = { "bounce@x", "bounce+@x", "bounce+0123456789abcdef0123456789abcde@x", "bounce+0123456789abcdef0123456789abcdef0@x",
					      "bounce+0123456789abcdef0123456789abcdeg@x", "bounce-0123456789abcdef0123456789abcdef@x",
					      "bounce+0123456789abcdef0123456789abcdef", "", "@" };
	g_autofree char *token = tl_post_bounce_token("Bounce+0123456789ABCDEF0123456789abcdef@fax.example"); /* servers may change case */
	g_assert_cmpstr(token, ==, "0123456789abcdef0123456789abcdef");
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
		g_assert_null(tl_post_bounce_token(others[i]));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/lmtp/message", test_message);
	g_test_add_func("/lmtp/order", test_order);
	g_test_add_func("/lmtp/ahead", test_ahead);
	g_test_add_func("/lmtp/smuggling", test_smuggling);
	g_test_add_func("/lmtp/limits", test_limits);
	g_test_add_func("/lmtp/zero", test_zero);
	g_test_add_func("/post/bounce-token", test_bounce_token);
	return g_test_run();
}
