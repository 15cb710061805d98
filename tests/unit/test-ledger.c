/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The ledger against a node's journal over the real protocol: every fact once, every leg's record once and exact. */
#include <glib.h>
#include <glib/gstdio.h>

#include "base/thread.h"
#include "fake-node.h"
#include "ledger/ledger.h"

struct books {
	char *dir, *path;
	struct tl_store *store;
	struct tl_ledger *ledger;
	struct fake_node *node;
	struct tl_control_client *client;
	unsigned opened, closed, caught_up, done;
	int64_t storing, told; /* sequences of facts */
	GPtrArray *cdrs; /* "leg duration billable cause" in the order told */
	int64_t answer;
};

static void on_cdr(const struct tl_cdr *cdr, void *user)
{
	struct books *books = user;
	g_ptr_array_add(books->cdrs, g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %u %s", cdr->leg,
						     cdr->duration_ms, cdr->billable_ms, cdr->cause, cdr->called));
}
static void on_caught_up(const char *node, void *user)
{
	struct books *books = user;
	g_assert_cmpstr(node, ==, "north");
	g_assert_cmpint(books->told, ==, books->node->facts->len);
	books->caught_up++;
}
static void on_storing(struct tl_transaction *transaction, JsonObject *fact, void *user)
{
	struct books *books = user;
	g_assert_nonnull(transaction);
	books->storing = MAX(books->storing, json_object_get_int_member(fact, "sequence"));
}
/* In unbroken steps, none before it is being stored. */
static void on_fact(JsonObject *fact, void *user)
{
	struct books *books = user;
	int64_t sequence = json_object_get_int_member(fact, "sequence");
	g_assert_cmpint(sequence, <=, books->told + 1);
	g_assert_cmpint(sequence, <=, books->storing);
	books->told = MAX(books->told, sequence);
}
static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	struct books *books = user;
	(void)result, (void)resumed;
	books->opened++;
	tl_ledger_attach(books->ledger, "north", client);
}
static void on_close(struct tl_control_client *client, const GError *why, void *user)
{
	struct books *books = user;
	(void)client, (void)why;
	books->closed++;
	tl_ledger_detach(books->ledger, "north");
}
static void on_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	(void)client;
	if (!g_strcmp0(name, "journal.facts"))
		tl_ledger_facts(((struct books *)user)->ledger, "north", params);
}

static void wait_for(const unsigned *count, unsigned n)
{
	while (*count < n)
		g_main_context_iteration(NULL, TRUE);
}

static void connect_desk(struct books *books)
{
	static const struct tl_control_client_handler handler = { on_open, on_close, on_event };
	struct tl_control_client_config config = { .schema = "node", .address = books->node->address, .token = FAKE_TOKEN,
						   .epoch = 1, .reconnect = true, .check = true };
	unsigned before = books->caught_up;
	books->client = tl_control_client_new(&config, &handler, books);
	wait_for(&books->caught_up, before + 1);
}

static struct books *books_new(void)
{
	static const struct tl_ledger_handler handler = { on_cdr, on_caught_up, on_storing, on_fact };
	struct books *books = g_new0(struct books, 1);
	books->dir = g_dir_make_tmp("trunkline-ledger-XXXXXX", NULL);
	books->path = g_build_filename(books->dir, "desk.db", NULL);
	books->cdrs = g_ptr_array_new_with_free_func(g_free);
	books->node = fake_node_new(books->dir, "north");
	books->store = tl_store_open(books->path, NULL, NULL, NULL);
	books->ledger = tl_ledger_new(books->store, &handler, books);
	return books;
}

static void books_free(struct books *books)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	tl_store_free(books->store);
	tl_control_client_free(books->client);
	tl_ledger_free(books->ledger);
	fake_node_free(books->node);
	for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file = g_strconcat(books->path, suffixes[i], NULL);
		g_unlink(file);
	}
	g_rmdir(books->dir);
	g_ptr_array_unref(books->cdrs);
	g_free(books->path);
	g_free(books->dir);
	g_free(books);
}

static void on_count(const struct tl_result *result, const GError *error, void *user)
{
	struct books *books = user;
	g_assert_no_error(error);
	books->answer = tl_result_int(result, 0, 0, 0);
	books->done++;
}

static int64_t count(struct books *books, const char *sql)
{
	unsigned before = books->done;
	struct tl_transaction *t = tl_transaction_new("count");
	tl_transaction_add(t, sql, TL_VALUES());
	tl_store_submit(books->store, t, on_count, books);
	wait_for(&books->done, before + 1);
	return books->answer;
}

static void wait_stored(struct books *books, gint64 sequence)
{
	while (books->node->stored < sequence)
		g_main_context_iteration(NULL, TRUE);
}

/* Its own fact would have today's time; the test's facts are exact. */
static void offer_unwritten(struct fake_node *node, const char *leg)
{
	gboolean silent = node->silent_facts;
	node->silent_facts = TRUE;
	fake_node_offer(node, leg, "100", "030123");
	g_ptr_array_set_size(node->facts, node->facts->len - 1);
	node->silent_facts = silent;
}

/* A call of 12.5 s, answered after 2.5 s. */
static void journal_call(struct fake_node *node, const char *leg, gint64 at_ms, unsigned cause)
{
	offer_unwritten(node, leg);
	fake_node_fact(node, "offered", leg, at_ms, 0);
	fake_node_fact(node, "answered", leg, at_ms + 2500, 0);
	fake_node_fact(node, "ended", leg, at_ms + 12500, cause);
}

static void test_catch_up(void)
{
	struct books *books = books_new();
	for (unsigned i = 0; i < 400; i++) { /* more than one reading */
		g_autofree char *leg = g_strdup_printf("leg-%u", i);
		journal_call(books->node, leg, 1000 * i, 16);
	}
	connect_desk(books);
	wait_stored(books, 1200);
	g_assert_cmpint(count(books, "SELECT count(*) FROM fact"), ==, 1200);
	g_assert_cmpint(count(books, "SELECT count(*) FROM cdr WHERE duration_ms = 12500 AND billable_ms = 10000"), ==, 400);
	g_assert_cmpuint(books->cdrs->len, ==, 400);
	g_assert_cmpint(books->told, ==, 1200);
	g_assert_cmpstr(g_ptr_array_index(books->cdrs, 0), ==, "leg-0 12500 10000 16 100");
	books_free(books);
}

/* Events lost, repeated and overlapping: still once each. */
static void test_exactly_once(void)
{
	struct books *books = books_new();
	connect_desk(books);
	books->node->silent_facts = TRUE;
	journal_call(books->node, "lost", 0, 17);
	books->node->silent_facts = FALSE;
	journal_call(books->node, "heard", 100000, 16);
	wait_stored(books, 6);
	JsonObject *repeated = json_object_new();
	JsonArray *facts = json_array_new();
	for (unsigned i = 2; i < 6; i++)
		json_array_add_element(facts, json_node_copy(g_ptr_array_index(books->node->facts, i)));
	json_object_set_array_member(repeated, "facts", facts);
	tl_ledger_facts(books->ledger, "north", repeated);
	tl_ledger_facts(books->ledger, "north", repeated);
	json_object_unref(repeated);
	fake_node_fact(books->node, "boot", NULL, 200000, 0);
	wait_stored(books, 7);
	g_assert_cmpint(count(books, "SELECT count(*) FROM fact"), ==, 7);
	g_assert_cmpint(books->told, ==, 7);
	g_assert_cmpuint(books->cdrs->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(books->cdrs, 0), ==, "lost 12500 10000 17 100");
	/* A desk that lost its memory but not its store reads on where the store is. */
	tl_ledger_detach(books->ledger, "north");
	tl_ledger_attach(books->ledger, "north", books->client);
	wait_for(&books->caught_up, 2);
	g_assert_cmpuint(books->cdrs->len, ==, 2);
	g_assert_cmpint(count(books, "SELECT count(*) FROM cdr"), ==, 2);
	books_free(books);
}

/* The node dies in the call: the next boot ends it; the durations come from the wall clock then. */
static void test_over_boots(void)
{
	struct books *books = books_new();
	connect_desk(books);
	offer_unwritten(books->node, "cut");
	fake_node_fact(books->node, "offered", "cut", 1000, 0);
	fake_node_fact(books->node, "answered", "cut", 3000, 0);
	g_free(books->node->boot);
	books->node->boot = g_strdup("boot-2");
	fake_node_fact(books->node, "boot", NULL, 0, 0);
	fake_node_fact(books->node, "ended", "cut", 9000, 41);
	fake_node_fact(books->node, "ended", "cut", 9500, 41);
	wait_stored(books, 5);
	g_assert_cmpint(count(books, "SELECT count(*) FROM cdr"), ==, 1);
	g_assert_cmpuint(books->cdrs->len, ==, 1);
	g_assert_cmpstr(g_ptr_array_index(books->cdrs, 0), ==, "cut 8000 6000 41 100");
	books_free(books);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ledger/catch-up", test_catch_up);
	g_test_add_func("/ledger/exactly-once", test_exactly_once);
	g_test_add_func("/ledger/over-boots", test_over_boots);
	return g_test_run();
}
