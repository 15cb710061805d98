/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * One reader a node. It knows up to which sequence the store has the node's
 * facts, and moves on in unbroken steps only: what it misses, it reads.
 */
#include "ledger/ledger.h"

#include "ledger/cdr.h"

#define TL_ROOM "ledger"
#include "base/log.h"

#define READ_MAX 500

struct reader {
	struct tl_ledger *ledger;
	char *node;
	struct tl_control_client *client; /* NULL: detached */
	int64_t stored;   /* everything up to here is on disk */
	int64_t seen;     /* the highest sequence heard of */
	unsigned session; /* answers to an earlier connection do not count */
	bool busy;        /* asking the store or the node */
	bool caught_up;
};

struct tl_ledger {
	struct tl_store *store;
	struct tl_ledger_handler handler;
	void *user;
	GHashTable *readers; /* node -> struct reader */
};

/* One question under way, of one session of the reader. */
struct step {
	struct reader *reader;
	unsigned session;
	int64_t last;   /* highest sequence in the batch */
	JsonArray *facts; /* being stored */
	GArray *records; /* statements that derived a record; the next one reads it */
};

static void reader_free(void *data)
{
	struct reader *reader = data;
	g_free(reader->node);
	g_free(reader);
}

struct tl_ledger *tl_ledger_new(struct tl_store *store, const struct tl_ledger_handler *handler, void *user)
{
	struct tl_ledger *ledger = g_new0(struct tl_ledger, 1);
	ledger->store = store;
	ledger->handler = *handler;
	ledger->user = user;
	ledger->readers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, reader_free);
	return ledger;
}

void tl_ledger_free(struct tl_ledger *ledger)
{
	if (!ledger)
		return;
	g_hash_table_unref(ledger->readers);
	g_free(ledger);
}

static struct step *step_new(struct reader *reader)
{
	struct step *step = g_new0(struct step, 1);
	step->reader = reader;
	step->session = reader->session;
	reader->busy = true;
	return step;
}

/* Ends a step; false when its session is over. */
static bool step_done(struct step *step, struct reader **reader)
{
	*reader = step->reader;
	bool valid = step->session == (*reader)->session && (*reader)->client;
	if (valid)
		(*reader)->busy = false;
	if (step->records)
		g_array_unref(step->records);
	if (step->facts)
		json_array_unref(step->facts);
	g_free(step);
	return valid;
}

static void read_on(struct reader *reader);

static char *party_text(JsonObject *fact)
{
	if (!json_object_has_member(fact, "party"))
		return NULL;
	JsonObject *party = json_object_get_object_member(fact, "party");
	const char *name = json_object_get_string_member_with_default(party, "name", "");
	gint64 slot = json_object_get_int_member_with_default(party, "slot", 0);
	return slot ? g_strdup_printf("%s/%" G_GINT64_FORMAT, name, slot) : g_strdup(name);
}

static const char *text_of(JsonObject *object, const char *member, const char *inner)
{
	if (inner) {
		object = json_object_has_member(object, member) ? json_object_get_object_member(object, member) : NULL;
		member = inner;
	}
	return object ? json_object_get_string_member_with_default(object, member, NULL) : NULL;
}

static struct tl_value flag_of(JsonObject *fact)
{
	if (!json_object_has_member(fact, "by_peer"))
		return tl_text(NULL);
	return tl_int(json_object_get_boolean_member(fact, "by_peer"));
}

static void add_fact(struct step *step, struct tl_transaction *t, JsonObject *fact, JsonNode *node)
{
	g_autofree char *body = json_to_string(node, FALSE);
	g_autofree char *party = party_text(fact);
	const char *name = step->reader->node, *leg = text_of(fact, "leg", NULL), *kind = text_of(fact, "fact", NULL);
	int64_t sequence = json_object_get_int_member(fact, "sequence");
	tl_transaction_add(t, "INSERT INTO fact (node, sequence, boot, at_ns, utc_us, fact, leg, contact, service, agent, digits, "
			      "cause, by_peer, direction, called, calling, party, body) VALUES "
			      "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) "
			      "ON CONFLICT (node, sequence) DO NOTHING",
			   TL_VALUES(tl_text(name), tl_int(sequence), tl_text(text_of(fact, "boot", NULL)),
				     tl_int(json_object_get_int_member(fact, "at_ns")),
				     tl_int(json_object_get_int_member(fact, "utc_us")), tl_text(kind), tl_text(leg),
				     tl_text(text_of(fact, "tags", "contact")), tl_text(text_of(fact, "tags", "service")),
				     tl_text(text_of(fact, "tags", "agent")), tl_text(text_of(fact, "digits", NULL)),
				     tl_time(json_object_get_int_member_with_default(fact, "cause", 0)), flag_of(fact),
				     tl_text(text_of(fact, "direction", NULL)), tl_text(text_of(fact, "setup", "called")),
				     tl_text(text_of(fact, "setup", "calling")), tl_text(party), tl_text(body)));
	if (leg && !g_strcmp0(kind, "ended")) {
		tl_cdr_derive(t, name, leg, sequence);
		tl_cdr_select(t, name, leg);
	}
	step->last = MAX(step->last, sequence);
}

static void tell_records(struct reader *reader, const struct step *step, const struct tl_result *result)
{
	for (unsigned i = 0; i < step->records->len; i++) {
		unsigned derived = g_array_index(step->records, unsigned, i);
		if (!tl_result_changes(result, derived) || !tl_result_rows(result, derived + 1))
			continue; /* this end was stored before */
		struct tl_cdr cdr = tl_cdr_read(result, derived + 1, 0);
		reader->ledger->handler.on_cdr(&cdr, reader->ledger->user);
	}
}

static void tell_facts(struct reader *reader, const struct step *step)
{
	for (unsigned i = 0; i < json_array_get_length(step->facts); i++)
		reader->ledger->handler.on_fact(json_array_get_object_element(step->facts, i), reader->ledger->user);
}

static void on_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct step *step = user;
	struct reader *reader = step->reader;
	int64_t last = step->last;
	if (result) {
		tell_records(reader, step, result);
		tell_facts(reader, step);
	}
	if (!step_done(step, &reader))
		return;
	if (error) { /* the node keeps them; the next event or connection tries again */
		tl_warning("facts of %s: %s", reader->node, error->message);
		return;
	}
	reader->stored = MAX(reader->stored, last);
	JsonObject *params = json_object_new();
	json_object_set_int_member(params, "sequence", reader->stored);
	tl_control_client_call(reader->client, "journal.stored", params, NULL, NULL);
	read_on(reader);
}

static void store_facts(struct reader *reader, JsonArray *facts)
{
	struct step *step = step_new(reader);
	struct tl_transaction *t = tl_transaction_new("facts");
	unsigned statements = 0;
	step->records = g_array_new(FALSE, FALSE, sizeof(unsigned));
	step->facts = json_array_ref(facts);
	for (unsigned i = 0; i < json_array_get_length(facts); i++) {
		JsonObject *fact = json_array_get_object_element(facts, i);
		add_fact(step, t, fact, json_array_get_element(facts, i));
		statements++;
		if (!text_of(fact, "leg", NULL) || g_strcmp0(text_of(fact, "fact", NULL), "ended"))
			continue;
		g_array_append_val(step->records, statements);
		statements += 2;
	}
	for (unsigned i = 0; i < json_array_get_length(facts); i++)
		reader->ledger->handler.on_storing(t, json_array_get_object_element(facts, i), reader->ledger->user);
	const char *boot = text_of(json_array_get_object_element(facts, json_array_get_length(facts) - 1), "boot", NULL);
	tl_transaction_add(t, "INSERT INTO node (name, boot, stored_sequence) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
			      "SET boot = excluded.boot, stored_sequence = excluded.stored_sequence "
			      "WHERE excluded.stored_sequence > node.stored_sequence",
			   TL_VALUES(tl_text(reader->node), tl_text(boot), tl_int(step->last)));
	tl_store_submit(reader->ledger->store, t, on_stored, step);
}

static void on_read(JsonObject *result, const GError *error, void *user)
{
	struct reader *reader;
	if (!step_done(user, &reader))
		return;
	if (error) {
		tl_warning("journal of %s: %s", reader->node, error->message);
		return;
	}
	JsonArray *facts = json_object_get_array_member(result, "facts");
	int64_t last = json_object_get_int_member(result, "last");
	if (last < reader->stored)
		tl_error("journal of %s ends at %" G_GINT64_FORMAT ", but %" G_GINT64_FORMAT " is stored: was its state lost?",
			 reader->node, last, reader->stored);
	reader->seen = reader->seen == INT64_MAX ? last : MAX(reader->seen, last);
	if (json_array_get_length(facts)) {
		store_facts(reader, facts);
		return;
	}
	reader->seen = reader->stored; /* nothing after what we have, whatever was said */
	read_on(reader);
}

/* The next step, when there is one: read what is missing, or say that nothing is. */
static void read_on(struct reader *reader)
{
	if (reader->busy || !reader->client)
		return;
	if (reader->seen > reader->stored) {
		JsonObject *params = json_object_new();
		json_object_set_int_member(params, "after", reader->stored);
		json_object_set_int_member(params, "max", READ_MAX);
		tl_control_client_call(reader->client, "journal.read", params, on_read, step_new(reader));
	} else if (!reader->caught_up) {
		reader->caught_up = true;
		reader->ledger->handler.on_caught_up(reader->node, reader->ledger->user);
	}
}

static void on_position(const struct tl_result *result, const GError *error, void *user)
{
	struct reader *reader;
	if (!step_done(user, &reader))
		return;
	if (error) {
		tl_warning("position in the journal of %s: %s", reader->node, error->message);
		return;
	}
	reader->stored = tl_result_rows(result, 0) ? tl_result_int(result, 0, 0, 0) : 0;
	reader->seen = INT64_MAX; /* not known yet: ask */
	read_on(reader);
}

void tl_ledger_attach(struct tl_ledger *ledger, const char *node, struct tl_control_client *client)
{
	struct reader *reader = g_hash_table_lookup(ledger->readers, node);
	if (!reader) {
		reader = g_new0(struct reader, 1);
		reader->ledger = ledger;
		reader->node = g_strdup(node);
		g_hash_table_insert(ledger->readers, reader->node, reader);
	}
	reader->client = client;
	reader->session++;
	reader->caught_up = false;
	struct tl_transaction *t = tl_transaction_new("position in the journal");
	tl_transaction_add(t, "SELECT stored_sequence FROM node WHERE name = $1", TL_VALUES(tl_text(node)));
	tl_store_submit(ledger->store, t, on_position, step_new(reader));
}

void tl_ledger_detach(struct tl_ledger *ledger, const char *node)
{
	struct reader *reader = g_hash_table_lookup(ledger->readers, node);
	if (!reader)
		return;
	reader->client = NULL;
	reader->session++;
	reader->busy = false;
}

void tl_ledger_facts(struct tl_ledger *ledger, const char *node, JsonObject *params)
{
	struct reader *reader = g_hash_table_lookup(ledger->readers, node);
	JsonArray *facts = json_object_get_array_member(params, "facts");
	unsigned n = json_array_get_length(facts);
	if (!reader || !reader->client || !n)
		return;
	int64_t first = json_object_get_int_member(json_array_get_object_element(facts, 0), "sequence");
	int64_t last = json_object_get_int_member(json_array_get_object_element(facts, n - 1), "sequence");
	if (reader->seen != INT64_MAX)
		reader->seen = MAX(reader->seen, last);
	if (!reader->busy && first <= reader->stored + 1 && last > reader->stored)
		store_facts(reader, facts);
	else
		read_on(reader);
}

struct question {
	tl_ledger_cdrs_fn on_done;
	void *user;
};

static void on_cdrs(const struct tl_result *result, const GError *error, void *user)
{
	g_autofree struct question *question = user;
	unsigned n = result ? tl_result_rows(result, 0) : 0;
	g_autofree struct tl_cdr *cdrs = g_new0(struct tl_cdr, n + 1);
	for (unsigned i = 0; i < n; i++)
		cdrs[i] = tl_cdr_read(result, 0, i);
	question->on_done(cdrs, n, error, question->user);
}

void tl_ledger_cdrs(struct tl_ledger *ledger, unsigned max, int64_t since_utc_us, tl_ledger_cdrs_fn on_done, void *user)
{
	struct question *question = g_new(struct question, 1);
	*question = (struct question){ on_done, user };
	struct tl_transaction *t = tl_transaction_new("cdrs");
	tl_cdr_select_latest(t, max, since_utc_us);
	tl_store_submit(ledger->store, t, on_cdrs, question);
}
