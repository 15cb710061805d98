/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The least desk there can be: answers every call that a node offers, and with
 * -t calls a target for each and bridges the two (voice, DTMF detection on).
 * Says "ready" when the node has let it in, "bridged" once -n calls are answered
 * or bridged, and "heard" once as many digits were heard from their callers. At SIGTERM it prints, from the journal's own times, how
 * long calls took from SETUP to CONNECT, and what ticks the node missed.
 */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "control/control.h"

struct conductor {
	struct tl_control_client *client;
	GMainLoop *loop;
	const char *target;    /* NULL: only answer */
	unsigned wanted, done, digits, failed;
	GHashTable *offered_ns; /* leg -> gint64, in legs only */
	GArray *setup_ms;      /* double */
	gint64 ticks, skipped_ticks;
};

static JsonObject *leg_params(const char *leg)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", leg);
	return params;
}

static void on_done(JsonObject *result, const GError *error, void *user)
{
	struct conductor *conductor = user;
	if (error && conductor->failed++ < 3)
		fprintf(stderr, "conductor: %s\n", error->message);
}

static void call(struct conductor *conductor, const char *method, JsonObject *params)
{
	tl_control_client_call(conductor->client, method, params, on_done, conductor);
}

static void one_more(const struct conductor *conductor, unsigned *count, const char *said_at_last)
{
	if (++*count == conductor->wanted) {
		puts(said_at_last);
		fflush(stdout);
	}
}

static void on_offered(struct conductor *conductor, const char *leg)
{
	if (!conductor->target) {
		call(conductor, "leg.answer", leg_params(leg));
		return;
	}
	g_autofree char *other = g_strconcat("to-", leg, NULL);
	JsonObject *take = leg_params(leg), *params = leg_params(other), *setup = json_object_new();
	/* Both directions are searched for digits. */
	json_object_set_boolean_member(take, "digits", TRUE);
	json_object_set_boolean_member(params, "digits", TRUE);
	call(conductor, "leg.take", take);
	call(conductor, "leg.answer", leg_params(leg));
	json_object_set_string_member(setup, "called", "100");
	json_object_set_object_member(params, "setup", setup);
	json_object_set_string_member(params, "to", conductor->target);
	call(conductor, "leg.originate", params);
}

static void bridge(struct conductor *conductor, const char *to_leg)
{
	JsonObject *params = json_object_new();
	JsonArray *members = json_array_new();
	json_array_add_object_element(members, leg_params(to_leg));
	json_array_add_object_element(members, leg_params(to_leg + strlen("to-")));
	json_object_set_string_member(params, "bridge", to_leg);
	json_object_set_string_member(params, "kind", "voice");
	json_object_set_array_member(params, "members", members);
	call(conductor, "bridge.create", params);
	one_more(conductor, &conductor->done, "bridged");
}

static void on_fact(struct conductor *conductor, JsonObject *fact)
{
	const char *what = json_object_get_string_member(fact, "fact");
	const char *leg = json_object_get_string_member_with_default(fact, "leg", "");
	gint64 at_ns = json_object_get_int_member(fact, "at_ns"), *offered_ns;
	if (strcmp(json_object_get_string_member_with_default(fact, "direction", ""), "in"))
		return;
	if (!strcmp(what, "offered"))
		g_hash_table_insert(conductor->offered_ns, g_strdup(leg), g_memdup2(&at_ns, sizeof at_ns));
	if (strcmp(what, "answered") || !(offered_ns = g_hash_table_lookup(conductor->offered_ns, leg)))
		return;
	double ms = (at_ns - *offered_ns) / 1e6;
	g_array_append_val(conductor->setup_ms, ms);
	if (!conductor->target)
		one_more(conductor, &conductor->done, "bridged");
}

static void on_facts(struct conductor *conductor, JsonArray *facts)
{
	unsigned n = json_array_get_length(facts);
	JsonObject *params = json_object_new(), *last = json_array_get_object_element(facts, n - 1);
	for (unsigned i = 0; i < n; i++)
		on_fact(conductor, json_array_get_object_element(facts, i));
	json_object_set_int_member(params, "sequence", json_object_get_int_member(last, "sequence"));
	call(conductor, "journal.stored", params);
}

static void on_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	struct conductor *conductor = user;
	if (!strcmp(name, "journal.facts")) {
		on_facts(conductor, json_object_get_array_member(params, "facts"));
	} else if (!strcmp(name, "leg.offered")) {
		JsonObject *leg = json_object_get_object_member(params, "leg");
		on_offered(conductor, json_object_get_string_member(leg, "leg"));
	} else if (!strcmp(name, "leg.state")) {
		const char *leg = json_object_get_string_member(params, "leg");
		if (g_str_has_prefix(leg, "to-") && !strcmp(json_object_get_string_member(params, "state"), "answered"))
			bridge(conductor, leg);
	} else if (!strcmp(name, "leg.digit")) {
		if (!g_str_has_prefix(json_object_get_string_member(params, "leg"), "to-"))
			one_more(conductor, &conductor->digits, "heard");
	}
}

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	puts("ready");
	fflush(stdout);
}

static void on_close(struct tl_control_client *client, const GError *why, void *user)
{
	fprintf(stderr, "conductor: %s\n", why ? why->message : "closed");
	exit(1);
}

static void on_counters(JsonObject *result, const GError *error, void *user)
{
	struct conductor *conductor = user;
	JsonObject *counters = result ? json_object_get_object_member(result, "counters") : NULL;
	if (counters) {
		conductor->ticks = json_object_get_int_member_with_default(counters, "media_ticks", 0);
		conductor->skipped_ticks = json_object_get_int_member_with_default(counters, "media_skipped_ticks", 0);
	}
	g_main_loop_quit(conductor->loop);
}

static gboolean stop(gpointer user)
{
	struct conductor *conductor = user;
	tl_control_client_call(conductor->client, "node.counters", NULL, on_counters, conductor);
	return G_SOURCE_REMOVE;
}

static gint by_value(gconstpointer a, gconstpointer b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report(struct conductor *conductor)
{
	GArray *ms = conductor->setup_ms;
	g_array_sort(ms, by_value);
	printf("{\"done\": %u, \"failed\": %u, \"setups\": %u, \"ticks\": %" G_GINT64_FORMAT ", \"skipped\": %"
	       G_GINT64_FORMAT, conductor->done, conductor->failed, ms->len, conductor->ticks, conductor->skipped_ticks);
	if (ms->len)
		printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f", g_array_index(ms, double, ms->len / 2),
		       g_array_index(ms, double, ms->len * 99 / 100), g_array_index(ms, double, ms->len - 1));
	puts("}");
}

int main(int argc, char **argv)
{
	static const struct tl_control_client_handler handler = { on_open, on_close, on_event };
	struct tl_control_client_config config = { .schema = "node", .name = "bench", .epoch = 1 };
	struct conductor conductor = { 0 };
	int option;
	while ((option = getopt(argc, argv, "s:k:t:n:")) != -1) {
		if (option == 's')
			config.address = optarg;
		else if (option == 'k')
			config.token = optarg;
		else if (option == 't')
			conductor.target = optarg;
		else if (option == 'n')
			conductor.wanted = (unsigned)atoi(optarg);
		else
			return 2;
	}
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_ERROR);
	conductor.offered_ns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	conductor.setup_ms = g_array_new(FALSE, FALSE, sizeof(double));
	conductor.loop = g_main_loop_new(NULL, FALSE);
	conductor.client = tl_control_client_new(&config, &handler, &conductor);
	g_unix_signal_add(SIGTERM, stop, &conductor);
	g_main_loop_run(conductor.loop);
	report(&conductor);
	return 0; /* the kernel takes the rest */
}
