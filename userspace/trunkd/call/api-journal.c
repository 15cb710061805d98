/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/api.h"
#include "call/journal.h"

#define TL_ROOM "call"
#include "base/log.h"

/* Reading facts back into JSON is main's work: no more at once than fits into its 5 ms. */
#define FACTS_MAX 250

static void on_read(GPtrArray *payloads, uint64_t last, const GError *error, void *user)
{
	struct tl_control_reply *reply = user;
	if (error) {
		tl_control_reply_error(reply, error);
		return;
	}
	JsonObject *result = json_object_new();
	JsonArray *facts = json_array_new();
	for (unsigned i = 0; i < payloads->len; i++) {
		g_autoptr(GError) cause = NULL;
		JsonNode *fact = json_from_string(g_ptr_array_index(payloads, i), &cause);
		if (fact)
			json_array_add_element(facts, fact);
		else
			tl_warning("a fact in the journal is not readable: %s", cause ? cause->message : "empty");
	}
	json_object_set_array_member(result, "facts", facts);
	json_object_set_int_member(result, "last", last);
	JsonNode *node = json_node_init_object(json_node_alloc(), result);
	json_object_unref(result);
	tl_control_reply_result(reply, node);
}

static JsonObject *read_facts(struct tl_request *request, GError **error)
{
	tl_journal_read(request->node->journal, tl_request_int(request, "after", 0),
			MIN(tl_request_int(request, "max", FACTS_MAX), FACTS_MAX), on_read, g_steal_pointer(&request->reply));
	return NULL;
}

static JsonObject *stored(struct tl_request *request, GError **error)
{
	tl_journal_forget(request->node->journal, tl_request_int(request, "sequence", 0));
	return NULL;
}

const struct tl_method_entry tl_api_journal[] = {
	{ "journal.read", read_facts }, { "journal.stored", stored }, { NULL, NULL },
};
