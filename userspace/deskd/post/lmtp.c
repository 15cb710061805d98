/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "post/lmtp.h"

#include <string.h>

/* What a client may send ahead of our answer. */
#define AHEAD_MAX (64 << 10)

enum state { COMMAND, DATA, ANSWER, OVER };

struct tl_lmtp {
	char *name;
	unsigned message_max;
	struct tl_lmtp_handler handler;
	void *user;
	enum state state;
	bool greeted, too_long; /* too_long: of the message, or of the line that is skipped */
	GString *line;          /* the line so far */
	GByteArray *message;
	char *sender;           /* NULL: no MAIL yet */
	GPtrArray *recipients;
	GString *ahead;         /* came while an answer was awaited */
};

static void reply(struct tl_lmtp *lmtp, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\r\n", NULL);
	lmtp->handler.on_reply(line, lmtp->user);
}

struct tl_lmtp *tl_lmtp_new(const char *name, unsigned message_max_octets, const struct tl_lmtp_handler *handler, void *user)
{
	struct tl_lmtp *lmtp = g_new0(struct tl_lmtp, 1);
	lmtp->name = g_strdup(name);
	lmtp->message_max = message_max_octets;
	lmtp->handler = *handler;
	lmtp->user = user;
	lmtp->line = g_string_new(NULL);
	lmtp->ahead = g_string_new(NULL);
	lmtp->message = g_byte_array_new();
	lmtp->recipients = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *greeting = g_strdup_printf("220 %s Trunkline LMTP", name);
	reply(lmtp, greeting);
	return lmtp;
}

void tl_lmtp_free(struct tl_lmtp *lmtp)
{
	if (!lmtp)
		return;
	g_string_free(lmtp->line, TRUE);
	g_string_free(lmtp->ahead, TRUE);
	g_byte_array_unref(lmtp->message);
	g_ptr_array_unref(lmtp->recipients);
	g_free(lmtp->sender);
	g_free(lmtp->name);
	g_free(lmtp);
}

static void reset(struct tl_lmtp *lmtp)
{
	g_clear_pointer(&lmtp->sender, g_free);
	g_ptr_array_set_size(lmtp->recipients, 0);
	g_byte_array_unref(lmtp->message);
	lmtp->message = g_byte_array_new();
	lmtp->too_long = false;
}

/* The path in "<...>" after the colon, without a source route; NULL when it is none. Parameters may follow. */
static char *path_of(const char *text)
{
	while (*text == ' ')
		text++;
	const char *end = *text == '<' ? strchr(text, '>') : NULL;
	if (!end || end - text > 512 || (end[1] && end[1] != ' '))
		return NULL;
	g_autofree char *path = g_strndup(text + 1, end - text - 1);
	const char *last = *path == '@' ? strchr(path, ':') : NULL;
	char *plain = g_strdup(last ? last + 1 : path);
	for (const char *at = plain; *at; at++)
		if ((guchar)*at < 0x21 || *at == 0x7f) {
			g_free(plain);
			return NULL;
		}
	return plain;
}

static void on_hello(struct tl_lmtp *lmtp, const char *rest)
{
	g_autofree char *size = g_strdup_printf("250 SIZE %u", lmtp->message_max);
	g_autofree char *first = g_strdup_printf("250-%s", lmtp->name);
	(void)rest;
	reset(lmtp);
	lmtp->greeted = true;
	reply(lmtp, first);
	reply(lmtp, "250-PIPELINING");
	reply(lmtp, "250-ENHANCEDSTATUSCODES");
	reply(lmtp, "250-8BITMIME");
	reply(lmtp, size);
}

static void on_mail(struct tl_lmtp *lmtp, const char *rest)
{
	g_autofree char *path = path_of(rest);
	const char *size = strstr(rest, "SIZE=");
	if (!lmtp->greeted || lmtp->sender)
		reply(lmtp, lmtp->greeted ? "503 5.5.1 there is a sender already" : "503 5.5.1 say LHLO first");
	else if (!path)
		reply(lmtp, "501 5.1.7 expected MAIL FROM:<address>");
	else if (size && g_ascii_strtoull(size + 5, NULL, 10) > lmtp->message_max)
		reply(lmtp, "552 5.3.4 the message is too large");
	else {
		lmtp->sender = g_steal_pointer(&path);
		reply(lmtp, "250 2.1.0 ok");
	}
}

static void on_recipient(struct tl_lmtp *lmtp, const char *rest)
{
	g_autofree char *path = path_of(rest), *refusal = NULL;
	if (!lmtp->sender) {
		reply(lmtp, "503 5.5.1 say MAIL first");
	} else if (!path || !*path) {
		reply(lmtp, "501 5.1.3 expected RCPT TO:<address>");
	} else if (lmtp->recipients->len >= TL_LMTP_RECIPIENTS_MAX) {
		reply(lmtp, "452 4.5.3 too many recipients at once");
	} else if ((refusal = lmtp->handler.on_recipient(lmtp->sender, path, lmtp->user))) {
		reply(lmtp, refusal);
	} else {
		g_ptr_array_add(lmtp->recipients, g_steal_pointer(&path));
		reply(lmtp, "250 2.1.5 ok");
	}
}

static void on_data(struct tl_lmtp *lmtp, const char *rest)
{
	(void)rest;
	if (!lmtp->recipients->len) {
		reply(lmtp, "503 5.5.1 no valid recipients");
		return;
	}
	lmtp->state = DATA;
	reply(lmtp, "354 go on, end with a line of one dot");
}

static void on_reset(struct tl_lmtp *lmtp, const char *rest)
{
	(void)rest;
	reset(lmtp);
	reply(lmtp, "250 2.0.0 ok");
}

static void on_noop(struct tl_lmtp *lmtp, const char *rest)
{
	(void)rest;
	reply(lmtp, "250 2.0.0 ok");
}

static void on_verify(struct tl_lmtp *lmtp, const char *rest)
{
	(void)rest;
	reply(lmtp, "252 2.5.2 send it and see");
}

static void on_quit(struct tl_lmtp *lmtp, const char *rest)
{
	(void)rest;
	lmtp->state = OVER;
	reply(lmtp, "221 2.0.0 bye");
}

static const struct {
	const char *verb;
	void (*handle)(struct tl_lmtp *lmtp, const char *rest);
} commands[] = {
	{ "LHLO", on_hello }, { "MAIL FROM:", on_mail }, { "RCPT TO:", on_recipient }, { "DATA", on_data },
	{ "RSET", on_reset }, { "NOOP", on_noop },	 { "VRFY", on_verify },	       { "QUIT", on_quit },
};

static void on_command(struct tl_lmtp *lmtp, const char *line)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
		size_t n = strlen(commands[i].verb);
		if (!g_ascii_strncasecmp(line, commands[i].verb, n) && (commands[i].verb[n - 1] == ':' || !line[n] || line[n] == ' ')) {
			commands[i].handle(lmtp, line + n);
			return;
		}
	}
	reply(lmtp, "500 5.5.2 this is LMTP: LHLO, MAIL, RCPT, DATA, RSET, NOOP, VRFY, QUIT");
}

static void on_end_of_data(struct tl_lmtp *lmtp)
{
	lmtp->state = ANSWER;
	if (lmtp->too_long) {
		tl_lmtp_answer(lmtp, "552 5.3.4 the message is too large");
		return;
	}
	g_autoptr(GBytes) message = g_byte_array_free_to_bytes(g_steal_pointer(&lmtp->message));
	lmtp->message = g_byte_array_new();
	g_ptr_array_add(lmtp->recipients, NULL);
	lmtp->handler.on_message(message, lmtp->sender, (const char *const *)lmtp->recipients->pdata, lmtp->user);
}

static void on_data_line(struct tl_lmtp *lmtp, const char *line, gsize n)
{
	if (n == 1 && *line == '.') {
		on_end_of_data(lmtp);
		return;
	}
	if (*line == '.')
		line++, n--; /* RFC 5321 4.5.2 */
	if (lmtp->message->len + n + 2 > lmtp->message_max)
		lmtp->too_long = true;
	if (lmtp->too_long)
		return;
	g_byte_array_append(lmtp->message, (const guint8 *)line, n);
	g_byte_array_append(lmtp->message, (const guint8 *)"\r\n", 2);
}

static void on_line(struct tl_lmtp *lmtp)
{
	g_autoptr(GString) line = g_steal_pointer(&lmtp->line);
	lmtp->line = g_string_new(NULL);
	if (lmtp->state == DATA)
		on_data_line(lmtp, line->str, line->len);
	else if (line->len > TL_LMTP_LINE_MAX || strlen(line->str) != line->len)
		reply(lmtp, "500 5.5.2 the line is too long or has a zero in it");
	else
		on_command(lmtp, line->str);
}

/* Up to the end of a line, or all there is. Returns what was taken. */
static gsize take_line(struct tl_lmtp *lmtp, const char *octets, gsize n)
{
	const char *end = memchr(octets, '\n', n);
	gsize taken = end ? (gsize)(end - octets) + 1 : n;
	/* Of a command more than the limit is not kept; a message's lines may be as long as the message. */
	gsize room = lmtp->state == DATA ? (gsize)lmtp->message_max + 4 : TL_LMTP_LINE_MAX + 4;
	gsize kept = lmtp->line->len < room ? MIN(taken, room - lmtp->line->len) : 0;
	g_string_append_len(lmtp->line, octets, kept);
	if (!end)
		return taken;
	if (kept < taken) { /* the end itself was beyond the limit */
		lmtp->too_long |= lmtp->state == DATA;
		on_line(lmtp);
	} else if (lmtp->line->len >= 2 && lmtp->line->str[lmtp->line->len - 2] == '\r') {
		g_string_truncate(lmtp->line, lmtp->line->len - 2);
		on_line(lmtp);
	} else if (lmtp->state != DATA) {
		g_string_truncate(lmtp->line, 0);
		reply(lmtp, "500 5.5.2 expected lines that end with CR LF");
	}
	return taken;
}

bool tl_lmtp_feed(struct tl_lmtp *lmtp, const char *octets, gsize n)
{
	while (n && lmtp->state != OVER) {
		if (lmtp->state == ANSWER) {
			if (lmtp->ahead->len + n > AHEAD_MAX)
				return false;
			g_string_append_len(lmtp->ahead, octets, n);
			return true;
		}
		gsize taken = take_line(lmtp, octets, n);
		octets += taken, n -= taken;
	}
	return lmtp->state != OVER;
}

bool tl_lmtp_answer(struct tl_lmtp *lmtp, const char *text)
{
	g_assert(lmtp->state == ANSWER);
	for (unsigned i = 0; i < lmtp->recipients->len; i++)
		if (lmtp->recipients->pdata[i])
			reply(lmtp, text);
	reset(lmtp);
	lmtp->state = COMMAND;
	g_autoptr(GString) ahead = g_steal_pointer(&lmtp->ahead);
	lmtp->ahead = g_string_new(NULL);
	return tl_lmtp_feed(lmtp, ahead->str, ahead->len);
}
