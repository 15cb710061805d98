/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/command.h"

struct answer {
	JsonNode *result;
	GError *error;
};

struct tl_commands {
	GHashTable *answers; /* "caller\nid" -> struct answer */
	GQueue ages;         /* keys, oldest first; owned by the table */
	unsigned limit;
};

static void answer_free(void *data)
{
	struct answer *answer = data;
	g_clear_pointer(&answer->result, json_node_unref);
	g_clear_error(&answer->error);
	g_free(answer);
}

struct tl_commands *tl_commands_new(unsigned limit)
{
	struct tl_commands *commands = g_new0(struct tl_commands, 1);
	commands->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, answer_free);
	g_queue_init(&commands->ages);
	commands->limit = limit;
	return commands;
}

void tl_commands_free(struct tl_commands *commands)
{
	if (!commands)
		return;
	g_queue_clear(&commands->ages);
	g_hash_table_unref(commands->answers);
	g_free(commands);
}

static char *key_of(const char *caller, const char *id)
{
	return g_strconcat(caller, "\n", id, NULL);
}

bool tl_commands_find(struct tl_commands *commands, const char *caller, const char *id, JsonNode **result,
		      GError **error)
{
	g_autofree char *key = key_of(caller, id);
	const struct answer *answer = g_hash_table_lookup(commands->answers, key);
	if (!answer)
		return false;
	if (answer->error)
		g_propagate_error(error, g_error_copy(answer->error));
	else
		*result = answer->result ? json_node_ref(answer->result) : NULL;
	return true;
}

void tl_commands_keep(struct tl_commands *commands, const char *caller, const char *id, JsonNode *result,
		      const GError *error)
{
	char *key = key_of(caller, id);
	if (g_hash_table_contains(commands->answers, key)) {
		g_free(key);
		return;
	}
	struct answer *answer = g_new0(struct answer, 1);
	answer->result = result ? json_node_ref(result) : NULL;
	answer->error = error ? g_error_copy(error) : NULL;
	g_hash_table_insert(commands->answers, key, answer);
	g_queue_push_tail(&commands->ages, key);
	if (commands->ages.length > commands->limit)
		g_hash_table_remove(commands->answers, g_queue_pop_head(&commands->ages));
}
