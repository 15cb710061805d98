/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct value {
	const struct tl_config_key *key;
	char *text;      /* NULL: none */
	char **list;     /* TL_CONFIG_LIST */
	unsigned line;   /* 0: the fallback */
};

struct tl_config_section {
	const struct tl_config *config;
	char *kind, *name;
	unsigned line;
	GPtrArray *values; /* struct value, one for each key of the kind */
};

struct tl_config {
	char *path;
	const struct tl_config_key *keys;
	GPtrArray *sections;
	GHashTable *defaults; /* kind -> section that the file lacks */
};

G_DEFINE_QUARK(tl-config-error-quark, tl_config_error)

static void value_free(void *data)
{
	struct value *value = data;
	g_free(value->text);
	g_strfreev(value->list);
	g_free(value);
}

static void section_free(void *data)
{
	struct tl_config_section *section = data;
	g_ptr_array_unref(section->values);
	g_free(section->kind);
	g_free(section->name);
	g_free(section);
}

void tl_config_free(struct tl_config *config)
{
	if (!config)
		return;
	g_ptr_array_unref(config->sections);
	g_hash_table_unref(config->defaults);
	g_free(config->path);
	g_free(config);
}

static gboolean refuse_line(const struct tl_config *config, unsigned line, GError **error, int code,
			    const char *format, ...) G_GNUC_PRINTF(5, 6);
static gboolean refuse_line(const struct tl_config *config, unsigned line, GError **error, int code,
			    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (line)
		g_set_error(error, TL_CONFIG_ERROR, code, "%s:%u: %s", config->path, line, text);
	else /* of a section that the file lacks */
		g_set_error(error, TL_CONFIG_ERROR, code, "%s: %s", config->path, text);
	return FALSE;
}

static const struct tl_config_key *find_key(const struct tl_config *config, const char *kind, const char *key)
{
	for (const struct tl_config_key *k = config->keys; k->section; k++)
		if (!strcmp(k->section, kind) && (!key || !strcmp(k->key, key)))
			return k;
	return NULL;
}

static char *known_names(const struct tl_config *config, const char *kind)
{
	GString *names = g_string_new(NULL);
	const char *last = NULL;
	for (const struct tl_config_key *k = config->keys; k->section; k++) {
		if (kind ? strcmp(k->section, kind) != 0 : (last && !strcmp(last, k->section)))
			continue;
		last = k->section;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", kind ? k->key : k->section);
	}
	return g_string_free(names, FALSE);
}

static gboolean is_address(const char *text)
{
	char host[64];
	unsigned port;
	unsigned char octets[16];
	const char *colon = strrchr(text, ':');
	if (!colon || colon - text >= 60 || strlen(colon) < 2 || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return FALSE;
	tl_config_address(text, host, &port);
	return port <= 65535 && (inet_pton(AF_INET, host, octets) == 1 || inet_pton(AF_INET6, host, octets) == 1);
}

static gboolean is_choice(const char *choices, const char *text, unsigned *index)
{
	g_auto(GStrv) all = g_strsplit(choices, "|", -1);
	for (unsigned i = 0; all[i]; i++)
		if (!strcmp(all[i], text)) {
			*index = i;
			return TRUE;
		}
	return FALSE;
}

/* What was expected, or NULL when @text is fine for @key. (transfer full) */
static char *expectation(const struct tl_config_key *key, const char *text)
{
	unsigned index;
	gint64 n;
	switch (key->type) {
	case TL_CONFIG_STRING:
		return *text ? NULL : g_strdup("a value");
	case TL_CONFIG_INT:
		if (g_ascii_string_to_signed(text, 10, key->min, key->max, &n, NULL))
			return NULL;
		return g_strdup_printf("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key->min, key->max);
	case TL_CONFIG_BOOL:
		return !strcmp(text, "yes") || !strcmp(text, "no") ? NULL : g_strdup("yes or no");
	case TL_CONFIG_CHOICE:
		return is_choice(key->choices, text, &index) ? NULL : g_strdup_printf("one of %s", key->choices);
	case TL_CONFIG_LIST:
		return NULL;
	case TL_CONFIG_ADDRESS:
		return is_address(text) ? NULL : g_strdup("a numeric address with port, such as 127.0.0.1:5060 or [::1]:5060");
	case TL_CONFIG_NUMBER:
		if (*text && strlen(text) <= 32 && strspn(text + (*text == '+'), "0123456789*#") == strlen(text + (*text == '+')))
			return NULL;
		return g_strdup("a telephone number of digits, * and #, perhaps with a leading +");
	}
	return NULL;
}

static struct value *section_value(const struct tl_config_section *section, const char *key)
{
	for (unsigned i = 0; i < section->values->len; i++) {
		struct value *value = g_ptr_array_index(section->values, i);
		if (!strcmp(value->key->key, key))
			return value;
	}
	g_error("configuration key [%s] %s is not in the table", section->kind, key);
}

static void value_set(struct value *value, const char *text, unsigned line)
{
	g_free(value->text);
	value->text = g_strdup(text);
	value->line = line;
	if (value->key->type != TL_CONFIG_LIST)
		return;
	g_strfreev(value->list);
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	g_auto(GStrv) parts = g_strsplit_set(text ? text : "", ", \t", -1);
	for (char **part = parts; *part; part++)
		if (**part)
			g_ptr_array_add(items, g_strdup(*part));
	g_ptr_array_add(items, NULL);
	value->list = (char **)g_ptr_array_steal(items, NULL);
}

static struct tl_config_section *section_new(const struct tl_config *config, const char *kind, const char *name,
					     unsigned line)
{
	struct tl_config_section *section = g_new0(struct tl_config_section, 1);
	section->config = config;
	section->kind = g_strdup(kind);
	section->name = g_strdup(name);
	section->line = line;
	section->values = g_ptr_array_new_with_free_func(value_free);
	for (const struct tl_config_key *k = config->keys; k->section; k++) {
		if (strcmp(k->section, kind))
			continue;
		struct value *value = g_new0(struct value, 1);
		value->key = k;
		value_set(value, k->fallback, 0);
		g_ptr_array_add(section->values, value);
	}
	return section;
}

static gboolean read_section_line(struct tl_config *config, char *text, unsigned line, GError **error)
{
	char *end = strchr(text, ']');
	if (!end || end[1])
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "expected [kind] or [kind name]");
	*end = '\0';
	g_strstrip(++text);
	char *name = strpbrk(text, " \t");
	if (name) {
		*name++ = '\0';
		g_strstrip(name);
	}
	if (!find_key(config, text, NULL)) {
		g_autofree char *known = known_names(config, NULL);
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "[%s]: unknown section; expected one of %s",
				   text, known);
	}
	for (unsigned i = 0; i < config->sections->len; i++) {
		struct tl_config_section *other = g_ptr_array_index(config->sections, i);
		if (!strcmp(other->kind, text) && !g_strcmp0(other->name, name))
			return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "[%s%s%s]: stands already at line %u",
					   text, name ? " " : "", name ? name : "", other->line);
	}
	g_ptr_array_add(config->sections, section_new(config, text, name, line));
	return TRUE;
}

static gboolean read_value_line(struct tl_config *config, char *text, unsigned line, GError **error)
{
	if (!config->sections->len)
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "expected a [section] first");
	struct tl_config_section *section = g_ptr_array_index(config->sections, config->sections->len - 1);
	char *equals = strchr(text, '=');
	if (!equals)
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "expected key = value");
	*equals++ = '\0';
	g_strstrip(text);
	g_strstrip(equals);
	const struct tl_config_key *key = find_key(config, section->kind, text);
	if (!key) {
		g_autofree char *known = known_names(config, section->kind);
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "[%s] %s: unknown key; expected one of %s",
				   section->kind, text, known);
	}
	g_autofree char *expected = expectation(key, equals);
	struct value *value = section_value(section, text);
	if (expected)
		return refuse_line(config, line, error, TL_CONFIG_ERROR_VALUE, "[%s] %s = %s: expected %s", section->kind,
				   text, equals, expected);
	if (value->line)
		return refuse_line(config, line, error, TL_CONFIG_ERROR_SYNTAX, "[%s] %s: stands already at line %u",
				   section->kind, text, value->line);
	value_set(value, equals, line);
	return TRUE;
}

static gboolean check_required(const struct tl_config *config, GError **error)
{
	for (unsigned i = 0; i < config->sections->len; i++) {
		struct tl_config_section *section = g_ptr_array_index(config->sections, i);
		for (unsigned v = 0; v < section->values->len; v++) {
			struct value *value = g_ptr_array_index(section->values, v);
			if (value->key->required && !value->text)
				return refuse_line(config, section->line, error, TL_CONFIG_ERROR_VALUE,
						   "[%s%s%s] %s is missing: expected %s", section->kind, section->name ? " " : "",
						   section->name ? section->name : "", value->key->key, value->key->help);
		}
	}
	return TRUE;
}

static gboolean read_lines(struct tl_config *config, char *contents, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(contents, "\n", -1);
	for (unsigned i = 0; lines[i]; i++) {
		char *text = g_strstrip(lines[i]);
		if (!*text || *text == '#' || *text == ';')
			continue;
		if (!(*text == '[' ? read_section_line : read_value_line)(config, text, i + 1, error))
			return FALSE;
	}
	return check_required(config, error);
}

struct tl_config *tl_config_load(const char *path, const struct tl_config_key *keys, GError **error)
{
	g_autofree char *contents = NULL;
	gsize length;
	g_autoptr(GError) cause = NULL;
	if (!g_file_get_contents(path, &contents, &length, &cause)) {
		g_set_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_READ, "%s: cannot be read: %s", path, cause->message);
		return NULL;
	}
	struct tl_config *config = g_new0(struct tl_config, 1);
	config->path = g_strdup(path);
	config->keys = keys;
	config->sections = g_ptr_array_new_with_free_func(section_free);
	config->defaults = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, section_free);
	if (strlen(contents) != length) {
		g_set_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_SYNTAX, "%s: expected text, found a NUL octet", path);
	} else if (read_lines(config, contents, error)) {
		return config;
	}
	tl_config_free(config);
	return NULL;
}

const char *tl_config_path(const struct tl_config *config)
{
	return config->path;
}

const struct tl_config_section *tl_config_next(const struct tl_config *config, const char *kind,
					       const struct tl_config_section *previous)
{
	gboolean take = !previous;
	for (unsigned i = 0; i < config->sections->len; i++) {
		struct tl_config_section *section = g_ptr_array_index(config->sections, i);
		if (take && !strcmp(section->kind, kind))
			return section;
		if (section == previous)
			take = TRUE;
	}
	return NULL;
}

const struct tl_config_section *tl_config_section(const struct tl_config *config, const char *kind)
{
	for (unsigned i = 0; i < config->sections->len; i++) {
		struct tl_config_section *section = g_ptr_array_index(config->sections, i);
		if (!section->name && !strcmp(section->kind, kind))
			return section;
	}
	struct tl_config_section *section = g_hash_table_lookup(config->defaults, kind);
	if (!section) {
		section = section_new(config, kind, NULL, 0);
		g_hash_table_insert(config->defaults, section->kind, section);
	}
	return section;
}

const char *tl_config_name(const struct tl_config_section *section)
{
	return section->name;
}

const char *tl_config_string(const struct tl_config_section *section, const char *key)
{
	return section_value(section, key)->text;
}

int64_t tl_config_int(const struct tl_config_section *section, const char *key)
{
	const char *text = section_value(section, key)->text;
	return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

gboolean tl_config_bool(const struct tl_config_section *section, const char *key)
{
	return !g_strcmp0(section_value(section, key)->text, "yes");
}

unsigned tl_config_choice(const struct tl_config_section *section, const char *key)
{
	unsigned index = 0;
	struct value *value = section_value(section, key);
	if (value->text)
		is_choice(value->key->choices, value->text, &index);
	return index;
}

const char *const *tl_config_list(const struct tl_config_section *section, const char *key)
{
	static const char *const none[] = { NULL };
	char **list = section_value(section, key)->list;
	return list ? (const char *const *)list : none;
}

gboolean tl_config_refuse(const struct tl_config_section *section, const char *key, GError **error,
			  const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	unsigned line = section_value(section, key)->line;
	return refuse_line(section->config, line ? line : section->line, error, TL_CONFIG_ERROR_VALUE, "[%s%s%s] %s: %s",
			   section->kind, section->name ? " " : "", section->name ? section->name : "", key, text);
}

void tl_config_address(const char *value, char *host, unsigned *port)
{
	const char *colon = strrchr(value, ':');
	const char *begin = value, *end = colon;
	if (*begin == '[' && end > begin && end[-1] == ']') {
		begin++;
		end--;
	}
	g_strlcpy(host, begin, MIN(64, end - begin + 1));
	*port = strtoul(colon + 1, NULL, 10);
}
