/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>
#include <time.h>

#include "call/journal.h"
#include "call/report.h"
#include "call/wire.h"

#define TL_ROOM "call"
#include "base/log.h"

struct pending {
	struct tl_node *node;
	JsonObject *fact;
	char leg[TL_ID_MAX + 1];
	void (*then)(struct tl_leg *leg);
};

static int64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void on_durable(void *user)
{
	struct pending *pending = user;
	struct tl_node *node = pending->node;
	struct tl_leg *leg = tl_leg_find(node, pending->leg);
	json_array_add_object_element(node->fresh_facts, pending->fact);
	if (leg && pending->then)
		pending->then(leg);
	g_free(pending);
}

static enum tl_record_kind kind_of(const char *fact)
{
	return !strcmp(fact, "offered") ? TL_RECORD_OPENS : !strcmp(fact, "ended") ? TL_RECORD_CLOSES : TL_RECORD_NOTE;
}

/* @object (transfer full) lacks only what every fact has. */
static void submit(struct tl_node *node, JsonObject *object, const char *fact, const char *boot, int64_t at_ns,
		   int64_t utc_us, const char *leg_id, void (*then)(struct tl_leg *leg))
{
	json_object_set_int_member(object, "sequence", tl_journal_next(node->journal));
	json_object_set_string_member(object, "node", node->config->name);
	json_object_set_string_member(object, "boot", boot);
	json_object_set_int_member(object, "at_ns", at_ns);
	json_object_set_int_member(object, "utc_us", utc_us);
	json_object_set_string_member(object, "fact", fact);
	g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(root, FALSE);
	struct pending *pending = g_new0(struct pending, 1);
	pending->node = node;
	pending->fact = object;
	pending->then = then;
	g_strlcpy(pending->leg, leg_id, sizeof pending->leg);
	struct tl_record record = { .at_ns = at_ns, .utc_us = utc_us, .kind = kind_of(fact), .subject = leg_id,
				    .n_subject = strlen(leg_id), .payload = text, .n_payload = strlen(text) };
	tl_journal_append(node->journal, &record, on_durable, pending);
}

void tl_fact_leg(struct tl_leg *leg, const char *fact, JsonObject *more, void (*then)(struct tl_leg *leg))
{
	JsonObject *object = more ? more : json_object_new();
	json_object_set_string_member(object, "leg", leg->id);
	json_object_set_string_member(object, "direction", leg->outgoing ? "out" : "in");
	json_object_set_object_member(object, "party", tl_wire_party(&leg->party));
	json_object_set_object_member(object, "setup", tl_wire_setup(&leg->setup));
	json_object_set_object_member(object, "tags", tl_wire_tags(leg));
	submit(leg->node, object, fact, leg->node->boot, monotonic_ns(), tl_clock_utc_us(), leg->id, then);
}

void tl_fact_owned(struct tl_node *node, const char *leg, JsonObject *tags, const char *fact, JsonObject *more)
{
	json_object_set_string_member(more, "leg", leg);
	if (tags)
		json_object_set_object_member(more, "tags", json_object_ref(tags));
	submit(node, more, fact, node->boot, monotonic_ns(), tl_clock_utc_us(), leg, NULL);
}

/* A copy of an opening fact, to be made into an ended one. (transfer full); NULL when it cannot be read. */
static JsonObject *read_fact(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) root = json_from_string(text, &error);
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		return json_object_ref(json_node_get_object(root));
	tl_warning("a fact in the journal is not readable: %s", error ? error->message : "not an object");
	return NULL;
}

static void close_orphan(struct tl_node *node, const struct tl_journal_orphan *orphan, const struct tl_journal_past *past)
{
	JsonObject *object = read_fact(orphan->payload);
	if (!object)
		object = json_object_new();
	/* The end is in the dead run's own time, so that durations within it stay exact. */
	int64_t at_ns = json_object_get_int_member_with_default(object, "at_ns", past->at_ns);
	g_autofree char *boot = g_strdup(json_object_get_string_member_with_default(object, "boot", node->boot));
	int64_t utc_us = MAX(past->utc_us, json_object_get_int_member_with_default(object, "utc_us", 0));
	json_object_set_string_member(object, "leg", orphan->subject);
	json_object_set_int_member(object, "cause", TL_CAUSE_TEMPORARY_FAILURE);
	json_object_set_boolean_member(object, "by_peer", FALSE);
	submit(node, object, "ended", boot, MAX(past->at_ns, at_ns), utc_us, orphan->subject, NULL);
}

void tl_fact_boot(struct tl_node *node, const struct tl_journal_past *past)
{
	for (unsigned i = 0; i < past->orphans->len; i++)
		close_orphan(node, g_ptr_array_index(past->orphans, i), past);
	if (past->orphans->len)
		tl_notice("the last run left %u legs open; their books are closed with cause %d", past->orphans->len,
			  TL_CAUSE_TEMPORARY_FAILURE);
	submit(node, json_object_new(), "boot", node->boot, monotonic_ns(), tl_clock_utc_us(), "", NULL);
}

void tl_fact_flush(struct tl_node *node)
{
	JsonArray *facts = node->fresh_facts;
	node->fresh_facts = json_array_new();
	if (node->conductor && json_array_get_length(facts))
		tl_report_facts(node, facts);
	else
		json_array_unref(facts); /* a conductor that comes reads the journal */
}
