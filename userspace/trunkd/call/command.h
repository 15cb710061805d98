/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Commands already done, by the id that their caller chose: a repeated one gets
 * the first answer and does nothing. The oldest are forgotten beyond a limit.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

struct tl_commands;

/** Keeps at most @limit answers. (transfer full) */
struct tl_commands *tl_commands_new(unsigned limit);
void tl_commands_free(struct tl_commands *commands);

/**
 * tl_commands_find - the first answer to @caller's command @id.
 * True when there is one: then @result (transfer full, may be NULL for an empty one) or @error is set.
 */
bool tl_commands_find(struct tl_commands *commands, const char *caller, const char *id, JsonNode **result,
		      GError **error);

/** Keeps an answer: @result (may be NULL; a reference is taken, it must not change any more) or @error (copied). */
void tl_commands_keep(struct tl_commands *commands, const char *caller, const char *id, JsonNode *result,
		      const GError *error);
