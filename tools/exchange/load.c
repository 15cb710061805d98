/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Many calls of one script at a steady rate, and what came of them. */
#include "exchange.h"

#include "base/clock.h"

struct load {
	struct exchange *exchange;
	struct script *script;
	char *directory;
	unsigned count, started, ended, good, answered;
	double rate;
	int64_t start_us;
	struct tl_timer *timer;
	GArray *answer_us; /* int64_t */
	GHashTable *causes; /* cause -> count */
	JsonArray *failures; /* the first few, whole */
	void (*on_result)(JsonObject *result, void *user);
	party_done on_done;
	void *user;
};

#define FAILURES_SHOWN 10

static gint by_value(gconstpointer a, gconstpointer b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
	return (x > y) - (x < y);
}

static void add_percentiles(struct load *load, JsonObject *summary)
{
	static const struct { const char *name; double part; } marks[] = {
		{ "answer_us_p50", 0.50 }, { "answer_us_p95", 0.95 }, { "answer_us_p99", 0.99 }, { "answer_us_max", 1 } };
	if (!load->answer_us->len)
		return;
	g_array_sort(load->answer_us, by_value);
	for (unsigned i = 0; i < G_N_ELEMENTS(marks); i++) {
		unsigned at = MIN((unsigned)(marks[i].part * load->answer_us->len), load->answer_us->len - 1);
		json_object_set_int_member(summary, marks[i].name, g_array_index(load->answer_us, gint64, at));
	}
}

static JsonObject *summarize(struct load *load)
{
	JsonObject *summary = json_object_new(), *causes = json_object_new();
	GHashTableIter iter;
	void *cause, *n;
	g_hash_table_iter_init(&iter, load->causes);
	while (g_hash_table_iter_next(&iter, &cause, &n)) {
		char name[48];
		json_object_set_int_member(causes, tl_cause_name(GPOINTER_TO_UINT(cause), name), GPOINTER_TO_UINT(n));
	}
	json_object_set_boolean_member(summary, "ok", load->good == load->count);
	json_object_set_int_member(summary, "calls", load->count);
	json_object_set_int_member(summary, "good", load->good);
	json_object_set_int_member(summary, "answered", load->answered);
	json_object_set_int_member(summary, "us", tl_clock_us() - load->start_us);
	json_object_set_object_member(summary, "causes", causes);
	add_percentiles(load, summary);
	json_object_set_array_member(summary, "failures", json_array_ref(load->failures));
	return summary;
}

static void load_end(struct load *load)
{
	g_autoptr(JsonObject) summary = summarize(load);
	load->on_done(summary, load->user);
	tl_timer_free(load->timer);
	script_free(load->script);
	g_array_unref(load->answer_us);
	g_hash_table_unref(load->causes);
	json_array_unref(load->failures);
	g_free(load->directory);
	g_free(load);
}

static void on_party_done(JsonObject *result, void *user)
{
	struct load *load = user;
	void *cause = GUINT_TO_POINTER((guint)json_object_get_int_member(result, "cause"));
	load->ended++;
	if (json_object_get_boolean_member(result, "ok"))
		load->good++;
	else if (json_array_get_length(load->failures) < FAILURES_SHOWN)
		json_array_add_object_element(load->failures, json_object_ref(result));
	if (json_object_get_boolean_member(result, "answered")) {
		gint64 us = json_object_get_int_member(result, "answer_us");
		load->answered++;
		g_array_append_val(load->answer_us, us);
	}
	g_hash_table_insert(load->causes, cause, GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(load->causes, cause)) + 1));
	if (load->on_result)
		load->on_result(result, load->user);
	if (load->ended == load->count)
		load_end(load);
}

static void start_due(void *user)
{
	struct load *load = user;
	int64_t elapsed_us = tl_clock_us() - load->start_us;
	unsigned due = MIN(load->count, (unsigned)(elapsed_us * load->rate / 1e6) + 1);
	unsigned count = load->count;
	if (due < count)
		tl_timer_start(load->timer, MAX(1, (unsigned)(1000 / load->rate)));
	while (load->started < due) {
		bool last = ++load->started == count; /* its end, at once, would be the load's */
		party_start(load->exchange, load->script, load->directory, load->started, on_party_done, load);
		if (last)
			return;
	}
}

void load_start(struct exchange *exchange, struct script *script, const char *directory, unsigned count, double rate,
		void (*on_result)(JsonObject *result, void *user), party_done on_done, void *user)
{
	struct load *load = g_new0(struct load, 1);
	load->exchange = exchange;
	load->script = script;
	load->directory = g_strdup(directory);
	load->count = count;
	load->rate = rate;
	load->on_result = on_result;
	load->on_done = on_done;
	load->user = user;
	load->start_us = tl_clock_us();
	load->answer_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	load->causes = g_hash_table_new(NULL, NULL);
	load->failures = json_array_new();
	load->timer = tl_timer_new("load", start_due, load);
	start_due(load);
}
