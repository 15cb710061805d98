/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "flow/destination.h"

#include <string.h>

#include "flow/flow.h"

static const struct {
	const char *prefix;
	enum tl_destination_kind kind;
} kinds[] = {
	{ "queue:", TL_TO_QUEUE },	     { "service:", TL_TO_SERVICE }, { "announcement:", TL_TO_ANNOUNCEMENT },
	{ "connect:", TL_TO_CONNECT }, { "release:", TL_TO_RELEASE },
	{ "fax:", TL_TO_FAX },	     { "clear:", TL_TO_CLEAR },
};

bool tl_sound_check(const char *text, GError **error)
{
	static const char *const prefixes[] = { "file:", "blob:", "tone:", "number:", "silence:" };
	for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(text, prefixes[i]) && text[strlen(prefixes[i])])
			return true;
	g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE,
		    "\"%s\": expected a sound: file:NAME, blob:SHA256, tone:KIND, number:N or silence:MS", text);
	return false;
}

static bool target_check(const char *text, GError **error)
{
	static const char *const prefixes[] = { "group:", "span:", "user:", "trunk:", "sip:" };
	for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(text, prefixes[i]) && text[strlen(prefixes[i])])
			return true;
	g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE,
		    "\"%s\": expected a target: group:NAME, span:NAME/SLOT, user:NAME, trunk:NAME or sip:URI", text);
	return false;
}

static bool cause_parse(const char *text, unsigned *cause, GError **error)
{
	guint64 n;
	if (g_ascii_string_to_unsigned(text, 10, 1, 127, &n, NULL)) {
		*cause = n;
		return true;
	}
	g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE, "release:%s: expected a Q.850 cause from 1 to 127", text);
	return false;
}

bool tl_destination_parse(const char *text, struct tl_destination *destination, GError **error)
{
	struct tl_destination read = { 0 };
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_str_has_prefix(text, kinds[i].prefix) && text[strlen(kinds[i].prefix)]) {
			read.kind = kinds[i].kind;
			read.what = text + strlen(kinds[i].prefix);
		}
	if (!read.what) {
		g_set_error(error, TL_FLOW_ERROR, TL_FLOW_ERROR_VALUE,
			    "\"%s\": expected queue:NAME, service:NUMBER, announcement:SOUND, connect:TARGET, clear:TARGET, fax:BOX or release:CAUSE", text);
		return false;
	}
	bool ok = true;
	if (read.kind == TL_TO_ANNOUNCEMENT)
		ok = tl_sound_check(read.what, error);
	else if (read.kind == TL_TO_CONNECT || read.kind == TL_TO_CLEAR)
		ok = target_check(read.what, error);
	else if (read.kind == TL_TO_RELEASE)
		ok = cause_parse(read.what, &read.cause, error);
	if (ok)
		*destination = read;
	return ok;
}
