/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/target.h"

#include <glib.h>
#include <string.h>

#include "line/line.h"

static const struct {
	const char *scheme;
	enum tl_target_kind kind;
} schemes[] = {
	{ "group:", TL_TARGET_GROUP }, { "span:", TL_TARGET_SPAN },   { "user:", TL_TARGET_USER },
	{ "trunk:", TL_TARGET_TRUNK }, { "sip:", TL_TARGET_SIP },     { "sips:", TL_TARGET_SIP }, { "announcement:", TL_TARGET_ANNOUNCEMENT },
};

static bool parse_span(const char *name, struct tl_target *target)
{
	const char *slash = strrchr(name, '/');
	guint64 slot;
	if (!slash || slash == name || !g_ascii_string_to_unsigned(slash + 1, 10, 1, TL_SPAN_SLOTS_MAX, &slot, NULL))
		return false;
	*target = (struct tl_target){ .kind = TL_TARGET_SPAN, .slot = slot };
	memcpy(target->name, name, slash - name);
	return true;
}

bool tl_target_parse(const char *text, struct tl_target *target)
{
	if (strlen(text) > TL_TARGET_MAX)
		return false;
	if (!strcmp(text, "route")) {
		*target = (struct tl_target){ .kind = TL_TARGET_ROUTE };
		return true;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
		size_t n = strlen(schemes[i].scheme);
		if (strncmp(text, schemes[i].scheme, n) || !text[n])
			continue;
		if (schemes[i].kind == TL_TARGET_SPAN)
			return parse_span(text + n, target);
		*target = (struct tl_target){ .kind = schemes[i].kind };
		strcpy(target->name, schemes[i].kind == TL_TARGET_SIP ? text : text + n);
		return true;
	}
	return false;
}
