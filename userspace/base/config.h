/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Configuration files: INI with sections "[kind]" or "[kind name]", read
 * against a table of every key that exists. Every refusal names file, line,
 * section, key and what was expected.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

enum tl_config_type {
	TL_CONFIG_STRING,
	TL_CONFIG_INT,    /* within min and max */
	TL_CONFIG_BOOL,   /* yes or no */
	TL_CONFIG_CHOICE, /* one of choices, separated by '|' */
	TL_CONFIG_LIST,   /* strings separated by commas or blanks */
	TL_CONFIG_ADDRESS, /* host:port or [v6]:port, numeric */
	TL_CONFIG_NUMBER, /* a telephone number: digits, * # +, at most 32 */
};

/** One key that may stand in a section of @section's kind. */
struct tl_config_key {
	const char *section; /* kind, such as "span" */
	const char *key;
	enum tl_config_type type;
	const char *fallback; /* as it would be written; NULL: none */
	const char *choices;  /* TL_CONFIG_CHOICE */
	int64_t min, max;     /* TL_CONFIG_INT */
	gboolean required;
	const char *help;     /* one line, with unit */
};

#define TL_CONFIG_ERROR (tl_config_error_quark())
GQuark tl_config_error_quark(void);
enum tl_config_error_code { TL_CONFIG_ERROR_READ, TL_CONFIG_ERROR_SYNTAX, TL_CONFIG_ERROR_VALUE };

struct tl_config;
struct tl_config_section;

/** tl_config_load - read @path against @keys (the last row has a NULL section). (transfer full) */
struct tl_config *tl_config_load(const char *path, const struct tl_config_key *keys, GError **error);
void tl_config_free(struct tl_config *config);

/** The file's path, borrowed. */
const char *tl_config_path(const struct tl_config *config);

/**
 * tl_config_next - the section of @kind after @previous (NULL: the first), in the file's order, or NULL.
 * A kind that the file lacks but whose keys all have fallbacks still yields none; use tl_config_section().
 */
const struct tl_config_section *tl_config_next(const struct tl_config *config, const char *kind,
					       const struct tl_config_section *previous);

/** The unnamed section of @kind; its fallbacks apply even when the file lacks it. Never NULL. */
const struct tl_config_section *tl_config_section(const struct tl_config *config, const char *kind);

/** The name in "[kind name]", or NULL. Borrowed. */
const char *tl_config_name(const struct tl_config_section *section);

/** Values; the key must be in the table. Strings are borrowed and may be NULL without a fallback. */
const char *tl_config_string(const struct tl_config_section *section, const char *key);
int64_t tl_config_int(const struct tl_config_section *section, const char *key);
gboolean tl_config_bool(const struct tl_config_section *section, const char *key);
/** Index of the value among the choices. */
unsigned tl_config_choice(const struct tl_config_section *section, const char *key);
/** NULL-terminated, borrowed, never NULL. */
const char *const *tl_config_list(const struct tl_config_section *section, const char *key);

/**
 * tl_config_refuse - set @error to "<file>:<line>: [section] key: <message>", for what only the caller can check.
 * Returns FALSE, so that it can end a function.
 */
gboolean tl_config_refuse(const struct tl_config_section *section, const char *key, GError **error,
			  const char *format, ...) G_GNUC_PRINTF(4, 5);

/** Splits a checked TL_CONFIG_ADDRESS value; @host has at least 64 octets. */
void tl_config_address(const char *value, char *host, unsigned *port);
