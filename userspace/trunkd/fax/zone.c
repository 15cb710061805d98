/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A time zone's name as its rule, which is all that SpanDSP reads: "Europe/Berlin" would silently be UTC. Thread: main. */
#include <string.h>

#include "fax/inside.h"

#define FOLDER "/usr/share/zoneinfo"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-"

/* RFC 9636 3.3: a file of a zone ends with its rule as in TZ, between two new lines. */
static char *rule_of(const char *name)
{
	g_autofree char *path = g_build_filename(FOLDER, name, NULL), *octets = NULL;
	gsize n = 0;
	if (!*name || *name == '/' || strspn(name, NAME_CHARACTERS) != strlen(name) || !g_file_get_contents(path, &octets, &n, NULL) ||
	    n < 6 || memcmp(octets, "TZif", 4) || octets[n - 1] != '\n')
		return NULL;
	octets[n - 1] = '\0';
	const char *before = memrchr(octets, '\n', n - 1);
	return before && before[1] ? g_strdup(before + 1) : NULL;
}

void tl_fax_zone(const char *name, char *rule, size_t size)
{
	g_autofree char *found = rule_of(name);
	GString *text = g_string_new(NULL);
	for (const char *at = found ? found : name; *at;) {
		const char *end = *at == '<' ? strchr(at, '>') : NULL; /* "<-03>3": names of letters are all that it knows */
		g_string_append_c(text, end ? 'U' : *at);
		if (end)
			g_string_append(text, "TC");
		at = end ? end + 1 : at + 1;
	}
	g_strlcpy(rule, text->str, size);
	g_string_free(text, TRUE);
}
