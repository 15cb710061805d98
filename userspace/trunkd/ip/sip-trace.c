/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-trace.h"

#include <stdarg.h>
#include <string.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#define NTA_LEVEL 5 /* where the stack says that it refused a message */
#define INDENT "   "
#define SEPARATOR INDENT "-----"

extern su_log_t nta_log[], nua_log[], tport_log[], su_log_default[];

static uint64_t refused;
static GQueue tracers = G_QUEUE_INIT; /* of struct tl_sip */
static GString *line, *message;
static bool in_message, sent;

/* The stack counts these, but shows its counts to nobody above it; each is logged with a fixed format. */
static void on_nta_line(void *stream, const char *format, va_list arguments)
{
	if (g_str_has_prefix(format, "nta_agent: received garbage") || g_str_has_prefix(format, "nta: bad version"))
		refused++;
	else if (!strcmp(format, "nta: %s (%u) is %s\n")) {
		va_list copy;
		va_copy(copy, arguments);
		va_arg(copy, const char *), va_arg(copy, unsigned);
		refused += strncmp(va_arg(copy, const char *), "Bad ", 4) == 0;
		va_end(copy);
	} else if (!strcmp(format, "nta: %03d %s %s\n")) {
		refused++;
	}
}

static void on_silent_line(void *stream, const char *format, va_list arguments)
{
}

/* Keys of SRTP are nobody's business: what follows "inline:" (RFC 4568 6.1) is starred. */
static void hide_keys(char *text)
{
	for (char *at = text; (at = strstr(at, "inline:"));)
		for (at += strlen("inline:"); *at && !strchr("| ;\r\n", *at); at++)
			*at = '*';
}

static void deliver(void)
{
	hide_keys(message->str);
	for (GList *l = tracers.head; l; l = l->next) {
		struct tl_sip *sip = l->data;
		if (sip->handler.on_trace)
			sip->handler.on_trace(sip, sent, message->str, message->len, sip->user);
	}
}

/* A trace is "send N bytes to ...:", a separator, the indented lines of the message, a separator. */
static void take_line(const char *text)
{
	if (g_str_has_prefix(text, SEPARATOR)) {
		if (in_message)
			deliver();
		in_message = !in_message;
		g_string_truncate(message, 0);
	} else if (in_message) {
		g_string_append(message, g_str_has_prefix(text, INDENT) ? text + strlen(INDENT) : text);
		g_string_append(message, "\r\n");
	} else {
		sent = g_str_has_prefix(text, "send");
	}
}

static void on_transport_line(void *stream, const char *format, va_list arguments)
{
	if (!tracers.length)
		return;
	g_string_append_vprintf(line, format, arguments);
	char *from = line->str;
	for (char *end; (end = strchr(from, '\n')); from = end + 1) {
		*end = 0;
		take_line(from);
	}
	g_string_erase(line, 0, from - line->str);
}

void tl_trace_init(void)
{
	if (line)
		return;
	line = g_string_new(NULL);
	message = g_string_new(NULL);
	su_log_init(nta_log);
	su_log_set_level(nta_log, NTA_LEVEL);
	su_log_redirect(nta_log, on_nta_line, NULL);
	su_log_redirect(su_log_default, on_transport_line, NULL);
	su_log_redirect(nua_log, on_silent_line, NULL);
	su_log_redirect(tport_log, on_silent_line, NULL);
}

void tl_trace_set(struct tl_sip *sip, bool on)
{
	if (on == sip->tracing)
		return;
	sip->tracing = on;
	if (on)
		g_queue_push_tail(&tracers, sip);
	else
		g_queue_remove(&tracers, sip);
	for (unsigned i = 0; i < sip->n_listeners; i++)
		if (sip->listeners[i].nua)
			nua_set_params(sip->listeners[i].nua, TPTAG_LOG(on), TAG_END());
}

uint64_t tl_trace_refused(void)
{
	return refused;
}
