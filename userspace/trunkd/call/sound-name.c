/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/sound-name.h"

#include <string.h>

#define FILE_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/"

/* No component that is empty or begins with a dot: neither .. nor hidden files nor / at the front. */
static bool is_inside(const char *path)
{
	for (const char *component = path; component; component = strchr(component, '/')) {
		component += component != path; /* skip the slash */
		if (*component == '.' || *component == '/' || !*component)
			return false;
	}
	return strspn(path, FILE_CHARACTERS) == strlen(path);
}

static bool parse_file(const char *text, struct tl_sound_name *name)
{
	if (!is_inside(text) || strlen(text) + 4 >= sizeof name->name)
		return false;
	g_strlcpy(name->name, text, sizeof name->name);
	if (!g_str_has_suffix(text, ".wav"))
		g_strlcat(name->name, ".wav", sizeof name->name);
	return true;
}

static bool parse_blob(const char *text, struct tl_sound_name *name)
{
	if (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
		return false;
	g_strlcpy(name->name, text, sizeof name->name);
	return true;
}

static bool parse_tone(const char *text, struct tl_sound_name *name)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);
	if (!tl_tone_parse(parts[0], &name->tone) || (parts[1] && strlen(parts[1]) != 2))
		return false;
	g_strlcpy(name->name, parts[1] ? parts[1] : "", sizeof name->name);
	return true;
}

static bool parse_number(const char *text, struct tl_sound_name *name)
{
	size_t n = strlen(text);
	if (!n || n > 32 || strspn(text, G_CSET_DIGITS) != n)
		return false;
	g_strlcpy(name->name, text, sizeof name->name);
	return true;
}

static bool parse_silence(const char *text, struct tl_sound_name *name)
{
	guint64 ms;
	if (!g_ascii_string_to_unsigned(text, 10, 10, TL_SILENCE_MAX_MS, &ms, NULL))
		return false;
	name->silence_ms = ms;
	return true;
}

static const struct {
	const char *scheme;
	enum tl_sound_kind kind;
	bool (*parse)(const char *text, struct tl_sound_name *name);
	const char *expected;
} schemes[] = {
	{ "file:", TL_SOUND_FILE, parse_file, "file:NAME of letters, digits, . _ - and /, below the sounds directory" },
	{ "blob:", TL_SOUND_BLOB, parse_blob, "blob: and 64 hexadecimal digits in lower case" },
	{ "tone:", TL_SOUND_TONE, parse_tone,
	  "tone:dial, ringing, busy, congestion, ..., perhaps with /COUNTRY of two letters" },
	{ "number:", TL_SOUND_NUMBER, parse_number, "number: and 1 to 32 digits" },
	{ "silence:", TL_SOUND_SILENCE, parse_silence, "silence: and 10 to 60000 ms" },
};

bool tl_sound_name_parse(const char *text, struct tl_sound_name *name, const char **expected)
{
	*expected = "file:NAME, blob:SHA256, tone:KIND, number:N or silence:MS";
	for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
		struct tl_sound_name parsed = { .kind = schemes[i].kind };
		if (!g_str_has_prefix(text, schemes[i].scheme))
			continue;
		*expected = schemes[i].expected;
		if (!schemes[i].parse(text + strlen(schemes[i].scheme), &parsed))
			return false;
		*name = parsed;
		return true;
	}
	return false;
}
