/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * routing AGENTS QUEUES WAITING DECISIONS DIR: from "an agent becomes ready" to
 * "ring", with so many agents, queues and waiting contacts; beside it the floor,
 * a commit of one row in the same store. One JSON object on standard output.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "acd/acd.h"
#include "base/log.h"
#include "base/thread.h"

#define QUEUES_AN_AGENT 5
#define EPOCH 1

struct bench {
	struct tl_store *store;
	struct tl_acd *acd;
	unsigned agents, queues, waiting, decisions;
	unsigned done; /* transactions of ours */
	bool rung;
	char *contact; /* that rang last */
	double *decision_ms, *floor_ms;
};

static void on_done(const struct tl_result *result, const GError *error, void *user)
{
	(void)result;
	if (error)
		g_error("%s", error->message);
	((struct bench *)user)->done++;
}

static void run(struct bench *bench, struct tl_transaction *t)
{
	unsigned before = bench->done;
	tl_store_submit(bench->store, t, on_done, bench);
	while (bench->done == before)
		g_main_context_iteration(NULL, TRUE);
}

static void on_assigned(const struct tl_assignment *assignment, void *user)
{
	struct bench *bench = user;
	g_free(bench->contact);
	bench->contact = g_strdup(assignment->contact);
	bench->rung = true;
}
static void on_agent(const struct tl_agent_info *agent, void *user) { (void)agent, (void)user; }
static void on_queue(const struct tl_queue_info *queue, void *user) { (void)queue, (void)user; }

static void on_restored(const GError *error, void *user)
{
	if (error)
		g_error("%s", error->message);
	((struct bench *)user)->done++;
}

static char *name(const char *kind, unsigned i)
{
	return g_strdup_printf("%s%u", kind, i);
}

static void add_agent(struct bench *bench, unsigned i)
{
	char *queues[QUEUES_AN_AGENT + 1] = { NULL };
	g_autofree char *agent = name("a", i);
	for (unsigned q = 0; q < QUEUES_AN_AGENT; q++)
		queues[q] = name("q", (i + q * 397) % bench->queues);
	struct tl_agent_settings settings = { .name = agent, .phone = agent, .queues = (const char *const *)queues };
	if (!tl_acd_set_agent(bench->acd, &settings, NULL))
		g_error("agent %s", agent);
	for (unsigned q = 0; q < QUEUES_AN_AGENT; q++)
		g_free(queues[q]);
	tl_acd_phone(bench->acd, agent, true);
}

/* All wait; nobody is ready. */
static void add_contacts(struct bench *bench)
{
	struct tl_transaction *t = tl_transaction_new("contacts");
	for (unsigned i = 0; i < bench->waiting; i++) {
		g_autofree char *contact = name("c", i);
		tl_transaction_add(t, "INSERT INTO contact (id, kind, state, node, leg, called, calling, started_utc_us) "
				      "VALUES ($1, 'call', 'open', 'n', $1, '100', '', 1)", TL_VALUES(tl_text(contact)));
	}
	run(bench, t);
	for (unsigned i = 0; i < bench->waiting; i++) {
		g_autofree char *contact = name("c", i), *queue = name("q", i % bench->queues);
		if (!tl_acd_enqueue(bench->acd, contact, queue, NULL, 1 + i, NULL))
			g_error("contact %s", contact);
	}
	run(bench, tl_transaction_new("settle"));
}

static void set_up(struct bench *bench, const char *path)
{
	static const struct tl_acd_handler handler = { on_assigned, on_agent, on_queue };
	g_autoptr(GError) error = NULL;
	bench->store = tl_store_open(path, NULL, NULL, &error);
	if (!bench->store)
		g_error("%s", error->message);
	struct tl_transaction *t = tl_transaction_new("lease");
	tl_transaction_add(t, "INSERT INTO lease (name, holder, epoch, expires_us) VALUES ('conductor', 'bench', 1, 0)", TL_VALUES());
	run(bench, t);
	bench->acd = tl_acd_new(bench->store, &handler, bench);
	for (unsigned i = 0; i < bench->queues; i++) {
		g_autofree char *queue = name("q", i);
		tl_acd_set_queue(bench->acd, &(struct tl_queue_settings){ .name = queue, .ring_s = 20 });
	}
	for (unsigned i = 0; i < bench->agents; i++)
		add_agent(bench, i);
	unsigned before = bench->done;
	tl_acd_begin(bench->acd, EPOCH, on_restored, bench);
	while (bench->done == before)
		g_main_context_iteration(NULL, TRUE);
	tl_acd_open(bench->acd);
	add_contacts(bench);
}

static double floor_ms(struct bench *bench, unsigned i)
{
	struct tl_transaction *t = tl_transaction_new("floor");
	g_autofree char *queue = name("floor", i);
	int64_t start_us = g_get_monotonic_time();
	tl_transaction_add(t, "INSERT INTO queue (name, settings) VALUES ($1, '')", TL_VALUES(tl_text(queue)));
	run(bench, t);
	return (g_get_monotonic_time() - start_us) / 1000.0;
}

/* Another agent each time; before it becomes ready all is quiet. */
static double decision_ms(struct bench *bench, unsigned i)
{
	g_autofree char *agent = name("a", i % bench->agents);
	bench->rung = false;
	int64_t start_us = g_get_monotonic_time();
	if (!tl_acd_set_state(bench->acd, agent, TL_AGENT_READY, NULL, NULL))
		g_error("agent %s", agent);
	while (!bench->rung)
		g_main_context_iteration(NULL, TRUE);
	double ms = (g_get_monotonic_time() - start_us) / 1000.0;
	tl_acd_set_state(bench->acd, agent, TL_AGENT_OFFLINE, NULL, NULL);
	tl_acd_answered(bench->acd, bench->contact);
	tl_acd_finished(bench->acd, bench->contact, false);
	run(bench, tl_transaction_new("settle"));
	return ms;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double percentile(double *values, unsigned n, unsigned percent)
{
	qsort(values, n, sizeof *values, by_value);
	return values[MIN(n - 1, n * percent / 100)];
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: routing AGENTS QUEUES WAITING DECISIONS DIR\n");
		return EXIT_FAILURE;
	}
	struct bench bench = { .agents = atoi(argv[1]), .queues = atoi(argv[2]), .waiting = atoi(argv[3]), .decisions = atoi(argv[4]) };
	if (bench.waiting < bench.decisions || !bench.agents || !bench.queues || !bench.decisions) {
		fprintf(stderr, "routing: expected numbers, and no more decisions than contacts\n");
		return EXIT_FAILURE;
	}
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	g_autofree char *path = g_build_filename(argv[5], "routing.db", NULL);
	set_up(&bench, path);
	bench.decision_ms = g_new(double, bench.decisions);
	bench.floor_ms = g_new(double, bench.decisions);
	for (unsigned i = 0; i < bench.decisions; i++) { /* side by side: the disk's mood is the same for both */
		bench.floor_ms[i] = floor_ms(&bench, i);
		bench.decision_ms[i] = decision_ms(&bench, i);
	}
	printf("{\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"floor_p50_ms\": %.3f, \"floor_p99_ms\": %.3f}\n",
	       percentile(bench.decision_ms, bench.decisions, 50), percentile(bench.decision_ms, bench.decisions, 99),
	       percentile(bench.floor_ms, bench.decisions, 50), percentile(bench.floor_ms, bench.decisions, 99));
	tl_store_free(bench.store);
	tl_acd_free(bench.acd);
	g_free(bench.decision_ms);
	g_free(bench.floor_ms);
	g_free(bench.contact);
	return EXIT_SUCCESS;
}
