/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What an operator can say, as a table. */
#include "trunkctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int expected(const char *usage)
{
	fprintf(stderr, "trunkctl: expected %s\n", usage);
	return 2;
}

/* Asks for a snapshot and prints one of its arrays. */
static int print_part(const struct place *place, const char *whom, const char *method, const char *part,
		      const struct column *columns)
{
	g_autoptr(JsonObject) result = ask(place, whom, method, NULL);
	if (!result)
		return 1;
	if (place->json) {
		g_autoptr(JsonObject) only = json_object_new();
		json_object_set_array_member(only, part, json_array_ref(json_object_get_array_member(result, part)));
		print_json(only);
		return 0;
	}
	JsonArray *rows = json_object_get_array_member(result, part);
	if (json_array_get_length(rows))
		print_table(rows, columns);
	else
		printf("no %s\n", part);
	return 0;
}

static int print_done(const struct place *place, JsonObject *result)
{
	if (!result)
		return 1;
	if (place->json)
		print_json(result);
	json_object_unref(result);
	return 0;
}

/* One letter a timeslot: . idle, C call, D D-channel, R restarting, B blocked, x unusable. */
static void print_slots(JsonObject *span)
{
	static const struct { const char *state; char letter; } letters[] = {
		{ "idle", '.' }, { "busy", 'C' }, { "d-channel", 'D' }, { "restarting", 'R' }, { "blocked", 'B' },
		{ "unusable", 'x' }, { "unused", ' ' } };
	JsonArray *slots = json_object_get_array_member(span, "slots");
	for (guint i = 0; i < json_array_get_length(slots); i++) {
		const char *state = json_object_get_string_member(json_array_get_object_element(slots, i), "state");
		char letter = '?';
		for (guint l = 0; l < G_N_ELEMENTS(letters); l++)
			if (!strcmp(letters[l].state, state))
				letter = letters[l].letter;
		printf("%s%c", i && i % 8 == 0 ? " " : "", letter);
	}
	putchar('\n');
}

static int run_spans(const struct place *place, char **words)
{
	g_autoptr(JsonObject) result = ask(place, "node", "node.snapshot", NULL);
	if (!result)
		return 1;
	JsonArray *spans = json_object_get_array_member(result, "spans");
	if (place->json) {
		g_autoptr(JsonObject) only = json_object_new();
		json_object_set_array_member(only, "spans", json_array_ref(spans));
		print_json(only);
		return 0;
	}
	for (guint i = 0; i < json_array_get_length(spans); i++) {
		JsonObject *span = json_array_get_object_element(spans, i);
		printf("%-12s %s %s  %-10s %-11s %-4s  ", json_object_get_string_member(span, "span"),
		       json_object_get_string_member(span, "kind"), json_object_get_string_member(span, "law"),
		       json_object_get_string_member(span, "alarms"),
		       json_object_get_string_member_with_default(span, "signalling", "none"),
		       json_object_get_boolean_member(span, "d_channel_up") ? "up" : "down");
		print_slots(span);
	}
	printf("timeslots from 1: . idle  C call  D D-channel  R restarting  B blocked  x unusable\n");
	return 0;
}

static int run_calls(const struct place *place, char **words)
{
	static const struct column columns[] = { { "CALL", "call" }, { "STATE", "state" }, { "FROM", "calling" }, { "TO", "called" },
		{ "STEP", "step" }, { "QUEUE", "queue" }, { "POS", "position" }, { "AGENT", "agent" }, { "SPAN", "span" }, { "SLOT", "slot" },
		{ "SINCE", "started_utc_us" }, { NULL, NULL } };
	return print_part(place, "desk", "desk.snapshot", "calls", columns);
}

static int run_agents(const struct place *place, char **words)
{
	static const struct column columns[] = { { "AGENT", "agent" }, { "NAME", "name" }, { "STATE", "state" }, { "REASON", "reason" },
		{ "PHONE", "phone_registered" }, { "CALL", "call" }, { "SINCE", "since_utc_us" }, { "QUEUES", "queues" }, { NULL, NULL } };
	return print_part(place, "desk", "desk.snapshot", "agents", columns);
}

static int run_queues(const struct place *place, char **words)
{
	static const struct column columns[] = { { "QUEUE", "queue" }, { "WAITING", "waiting" }, { "LONGEST", "longest_wait_s" },
		{ "READY", "ready" }, { "TALKING", "talking" }, { "ANSWERED", "answered_today" }, { "ABANDONED", "abandoned_today" },
		{ "OVERFLOWED", "overflowed_today" }, { NULL, NULL } };
	return print_part(place, "desk", "desk.snapshot", "queues", columns);
}

static int run_legs(const struct place *place, char **words)
{
	static const struct column columns[] = { { "LEG", "leg" }, { "STATE", "state" }, { "DIR", "direction" }, { "KIND", "party.kind" },
		{ "PARTY", "party.name" }, { "SLOT", "party.slot" }, { "FROM", "setup.calling" }, { "TO", "setup.called" }, { "BRIDGE", "bridge" },
		{ "PLAYING", "playing" }, { NULL, NULL } };
	return print_part(place, "node", "node.snapshot", "legs", columns);
}

static int run_cdrs(const struct place *place, char **words)
{
	static const struct column columns[] = { { "ENDED", "ended_utc_us" }, { "DIR", "direction" }, { "FROM", "calling" }, { "TO", "called" },
		{ "PARTY", "party" }, { "SERVICE", "service" }, { "AGENT", "agent" }, { "DURATION", "duration_ms" }, { "BILLABLE", "billable_ms" },
		{ "CAUSE", "cause" }, { NULL, NULL } };
	return print_part(place, "desk", "desk.cdrs", "cdrs", columns);
}

static int run_counters(const struct place *place, char **words)
{
	JsonObject *params = NULL;
	if (words[0]) {
		params = json_object_new();
		json_object_set_string_member(params, "leg", words[0]);
	}
	g_autoptr(JsonObject) result = ask(place, "node", words[0] ? "leg.counters" : "node.counters", params);
	if (result)
		print_json(result);
	return result ? 0 : 1;
}

static int run_agent(const struct place *place, char **words)
{
	if (!words[0] || !words[1])
		return expected("agent NAME ready|offline|break [REASON]");
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "agent", words[0]);
	json_object_set_string_member(params, "state", words[1]);
	if (words[2])
		json_object_set_string_member(params, "reason", words[2]);
	return print_done(place, ask(place, "desk", "agent.set", params));
}

static int run_place(const struct place *place, char **words)
{
	if (!words[0] || !words[1])
		return expected("place TARGET NUMBER [agent NAME | service NUMBER]; a TARGET is group:NAME, user:NAME, trunk:NAME or sip:URI");
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "to", words[0]);
	json_object_set_string_member(params, "called", words[1]);
	if (words[2] && words[3] && (!strcmp(words[2], "agent") || !strcmp(words[2], "service")))
		json_object_set_string_member(params, words[2], words[3]);
	g_autoptr(JsonObject) result = ask(place, "desk", "call.place", params);
	if (result && place->json)
		print_json(result);
	else if (result)
		puts(json_object_get_string_member(json_object_get_object_member(result, "call"), "call"));
	return result ? 0 : 1;
}

static int run_hangup(const struct place *place, char **words)
{
	bool leg = words[0] && !strcmp(words[0], "leg");
	if (!words[0] || (leg && !words[1]))
		return expected("hangup CALL [CAUSE], or hangup leg LEG [CAUSE]");
	JsonObject *params = json_object_new();
	const char *cause = words[leg ? 2 : 1];
	json_object_set_string_member(params, leg ? "leg" : "call", words[leg]);
	if (cause)
		json_object_set_int_member(params, "cause", atoi(cause));
	return print_done(place, leg ? ask(place, "node", "leg.release", params) : ask(place, "desk", "call.release", params));
}

static int run_drain(const struct place *place, char **words)
{
	JsonObject *params = json_object_new();
	guint n = g_strv_length(words);
	if (n && !strcmp(words[n - 1], "off")) {
		json_object_set_boolean_member(params, "off", TRUE);
		n--;
	}
	if (n > 0 && strcmp(words[0], "node"))
		json_object_set_string_member(params, "span", words[0]);
	if (n > 1)
		json_object_set_int_member(params, "slot", atoi(words[1]));
	g_autoptr(JsonObject) result = ask(place, "node", "node.drain", params);
	if (result && place->json)
		print_json(result);
	else if (result)
		printf("%" G_GINT64_FORMAT " calls still in progress there\n", json_object_get_int_member(result, "legs"));
	return result ? 0 : 1;
}

static void on_followed(const char *name, JsonObject *params, void *user)
{
	const struct place *place = user;
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), params);
	g_autofree char *text = json_to_string(node, FALSE);
	if (place->json) {
		printf("{\"event\":\"%s\",\"params\":%s}\n", name, text);
	} else {
		g_autofree char *when = text_at(params, "utc_us");
		g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(g_ascii_strtoll(when, NULL, 10) / G_USEC_PER_SEC);
		g_autoptr(GDateTime) local = g_date_time_to_local(utc);
		g_autofree char *clock = g_date_time_format(local, "%H:%M:%S");
		printf("%s %-14s %s\n", clock, name, text);
	}
	fflush(stdout);
}

static int run_follow(const struct place *place, char **words)
{
	bool node = words[0] && !strcmp(words[0], "node");
	if (words[0] && !node && strcmp(words[0], "desk"))
		return expected("follow [node|desk]");
	return listen_to(place, node ? "node" : "desk", NULL, NULL, on_followed, (void *)place);
}

static void print_node(JsonObject *node, JsonObject *counters)
{
	g_autofree char *alarms = text_at(node, "alarms");
	bool draining = json_object_get_boolean_member_with_default(node, "draining", FALSE);
	printf("node    %s, version %s%s\n", json_object_get_string_member(node, "node"),
	       json_object_get_string_member(node, "version"), draining ? ", draining" : "");
	printf("desk    %s, epoch %" G_GINT64_FORMAT "\n",
	       json_object_get_boolean_member_with_default(node, "conductor", FALSE) ? "commands it" : "none",
	       json_object_get_int_member(node, "epoch"));
	printf("calls   %" G_GINT64_FORMAT " legs, %" G_GINT64_FORMAT " bridges\n", json_object_get_int_member(counters, "legs"),
	       json_object_get_int_member(counters, "bridges"));
	/* Of a tick's 10000 us. */
	printf("media   %.1f %% busy; from %.1f %% on new calls are refused\n",
	       json_object_get_int_member(counters, "media_load_us") / 100.0,
	       json_object_get_int_member(counters, "media_load_limit_us") / 100.0);
	printf("alarms  %s\n", *alarms ? alarms : "none");
}

static int run_node(const struct place *place, char **words)
{
	g_autoptr(JsonObject) snapshot = ask(place, "node", "node.snapshot", NULL);
	if (snapshot && place->json) {
		print_json(json_object_get_object_member(snapshot, "node"));
		return 0;
	}
	g_autoptr(JsonObject) counted = snapshot ? ask(place, "node", "node.counters", NULL) : NULL;
	if (!counted)
		return 1;
	print_node(json_object_get_object_member(snapshot, "node"), json_object_get_object_member(counted, "counters"));
	return 0;
}

const struct command commands[] = {
	{ "spans", "", "trunks with alarms, D-channels and timeslots", run_spans },
	{ "calls", "", "customers' calls and where they are", run_calls },
	{ "agents", "", "agents and their states", run_agents },
	{ "queues", "", "queues: waiting, ready, today's figures", run_queues },
	{ "legs", "", "the node's legs", run_legs },
	{ "cdrs", "", "call detail records, the latest first", run_cdrs },
	{ "node", "", "the node itself", run_node },
	{ "counters", "[LEG]", "the node's counters, or one leg's", run_counters },
	{ "agent", "NAME ready|offline|break [REASON]", "set an agent's state", run_agent },
	{ "place", "TARGET NUMBER agent NAME | service NUMBER", "place a call, and join it with that agent or flow", run_place },
	{ "fax", "send FILE NUMBER... | list | show | cancel | retry", "faxes, in and out", run_fax, explain_fax },
	{ "recording", "list | save | pause | resume", "recordings of calls", run_recording, explain_recording },
	{ "hangup", "CALL | leg LEG [CAUSE]", "hang up", run_hangup },
	{ "drain", "node | SPAN [SLOT] [off]", "take no new calls there; calls in progress go on", run_drain },
	{ "follow", "[desk|node]", "print events as they happen, until Ctrl-C", run_follow },
	{ "trace", "SPAN FILE.pcap | sip [FILE]", "record the D-channel or SIP messages, until Ctrl-C", run_trace },
	{ NULL }
};
