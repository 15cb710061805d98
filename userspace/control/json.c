/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* JSON from strangers. json-glib recurses without bound, takes comments and several values in a row, and leaks all but
 * the last of them: what is not one plain object or array of bounded depth never reaches it. */
#include "control/control.h"

#include <string.h>

#define OCTETS_MAX (1 << 20)
#define NESTING_MAX 32

struct scan {
	unsigned depth;
	bool quoted, escaped, closed;
};

/* False: no JSON text goes on like this. */
static bool step(struct scan *scan, char c)
{
	if (scan->quoted) {
		scan->quoted = scan->escaped || c != '"';
		scan->escaped = !scan->escaped && c == '\\';
		return true;
	}
	if (strchr(" \t\r\n", c))
		return c;
	if (scan->closed || c == '/')
		return false;
	if (c == '{' || c == '[')
		return ++scan->depth <= NESTING_MAX;
	if (!scan->depth)
		return false;
	scan->quoted = c == '"';
	if (c == '}' || c == ']')
		scan->closed = !--scan->depth;
	return true;
}

static bool is_plain(const char *text, gsize n)
{
	struct scan scan = { 0 };
	for (gsize i = 0; i < n; i++)
		if (!step(&scan, text[i]))
			return false;
	return scan.closed;
}

JsonNode *tl_json_parse(const char *text, gssize length, GError **error)
{
	gsize n = length < 0 ? strlen(text) : (gsize)length;
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(GError) cause = NULL;
	if (n > OCTETS_MAX || !g_utf8_validate(text, n, NULL) || !is_plain(text, n)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_PARSE,
			    "expected one JSON object or array of at most %d octets in UTF-8, nested at most %d deep", OCTETS_MAX,
			    NESTING_MAX);
		return NULL;
	}
	if (!json_parser_load_from_data(parser, text, n, &cause)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_PARSE, "not JSON: %s", cause->message);
		return NULL;
	}
	return json_parser_steal_root(parser);
}
