/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The exchange's command line. */
#include "exchange.h"
#include "fax.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "version.h"

#define TL_ROOM "exchange"
#include "base/log.h"

#define DEMO_SOCKET "build/run/exchange.sock"

static const char usage[] =
	"exchange - the far end: a network, its callers and telephones, for a node without a carrier\n"
	"\n"
	"  exchange run FILE               be the far end as FILE describes, until Ctrl-C\n"
	"  exchange call [options]         place calls through the running exchange\n"
	"  exchange fault SPAN ALARM       make its end of SPAN send red, blue, yellow or none\n"
	"  exchange status                 spans, agents and calls\n"
	"  exchange --help-config          every key of FILE\n"
	"\n"
	"Options of call:\n"
	"  --called N      number to dial (default 5551000)\n"
	"  --calling N     caller's number (default 030123456)\n"
	"  --dtmf DIGITS   digits to send, three seconds after the answer\n"
	"  --play FILE     WAV file to say after the digits\n"
	"  --record FILE   WAV file for what is heard\n"
	"  --hold S        seconds to stay after all that (default 20)\n"
	"  --script STEPS  all of the above by steps of your own, separated by ';'\n"
	"  --count N       how many calls (default 1)        --rate R   calls started a second (default 10)\n"
	"  --socket PATH   of the exchange (default " DEMO_SOCKET ", or $TRUNKLINE_EXCHANGE)\n"
	"  --json          results as JSON\n"
	"\n"
	"Steps of scripts (%n is the call's number in names of files and numbers):\n";

static const char examples[] =
	"\n"
	"Examples:\n"
	"  exchange call --dtmf 1 --play hello.wav --record answer.wav\n"
	"  exchange call --script 'dial 5551000 from 0301; wait answered; pause 3; send 2; expect audio; hangup'\n"
	"  exchange call --count 30 --rate 10 --script 'dial 5551000; wait answered; pause 10; hangup 16'\n";

static char *called, *calling, *dtmf, *play, *record, *script_text, *socket_path;
static double hold_s = 20, rate = 10;
static int count = 1;
static gboolean json, version, help_config;

static const GOptionEntry options[] = {
	{ "called", 0, 0, G_OPTION_ARG_STRING, &called, NULL, NULL },
	{ "calling", 0, 0, G_OPTION_ARG_STRING, &calling, NULL, NULL },
	{ "dtmf", 0, 0, G_OPTION_ARG_STRING, &dtmf, NULL, NULL },
	{ "play", 0, 0, G_OPTION_ARG_FILENAME, &play, NULL, NULL },
	{ "record", 0, 0, G_OPTION_ARG_FILENAME, &record, NULL, NULL },
	{ "hold", 0, 0, G_OPTION_ARG_DOUBLE, &hold_s, NULL, NULL },
	{ "script", 0, 0, G_OPTION_ARG_STRING, &script_text, NULL, NULL },
	{ "count", 0, 0, G_OPTION_ARG_INT, &count, NULL, NULL },
	{ "rate", 0, 0, G_OPTION_ARG_DOUBLE, &rate, NULL, NULL },
	{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &socket_path, NULL, NULL },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL },
	{ "help-config", 0, 0, G_OPTION_ARG_NONE, &help_config, NULL, NULL },
	{ NULL }
};

static void print_json(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(node, FALSE);
	puts(text);
	fflush(stdout);
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static int complain(const GError *error)
{
	fprintf(stderr, "exchange: %s\n", error->message);
	return 1;
}

static int run(const char *file)
{
	g_autoptr(GError) error = NULL;
	struct door *door = NULL;
	struct exchange *exchange = exchange_new(file, &error);
	if (!exchange)
		return complain(error);
	const char *path = tl_config_string(tl_config_section(exchange->config, "exchange"), "socket");
	if (path && !(door = door_new(exchange, path, &error))) {
		exchange_free(exchange);
		return complain(error);
	}
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_unix_signal_add(SIGINT, stop, loop);
	g_unix_signal_add(SIGTERM, stop, loop);
	tl_notice("ready: %u spans, %u agents", exchange->trunks->len, exchange->agents->len);
	g_main_loop_run(loop);
	g_autoptr(JsonObject) status = exchange_status(exchange);
	if (json)
		print_json(status);
	door_free(door);
	exchange_free(exchange);
	return 0;
}

static void print_result(JsonObject *result)
{
	if (json) {
		print_json(result);
		return;
	}
	char name[48];
	printf("call %" G_GINT64_FORMAT " to %s: ", json_object_get_int_member(result, "number"),
	       json_object_get_string_member(result, "called"));
	if (json_object_get_boolean_member(result, "ok"))
		printf("good, %s after %.1f s\n", tl_cause_name(json_object_get_int_member(result, "cause"), name),
		       json_object_get_int_member(result, "duration_us") / 1e6);
	else
		printf("FAILED: %s\n", json_object_get_string_member(result, "failure"));
	fflush(stdout);
}

static char *script_from_options(void)
{
	GString *text = g_string_new(NULL);
	g_string_printf(text, "dial %s from %s; wait answered 60", called ? called : "5551000", calling ? calling : "030123456");
	if (record)
		g_string_append_printf(text, "; record '%s'", record);
	if (dtmf)
		g_string_append_printf(text, "; pause 3; send %s", dtmf);
	if (play)
		g_string_append_printf(text, "; say '%s'", play);
	g_string_append_printf(text, "; pause %g; hangup", hold_s);
	return g_string_free(text, FALSE);
}

static int ask(JsonObject *order, bool print_last)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) last = door_ask(socket_path, order, print_result, &error);
	json_object_unref(order);
	if (!last)
		return complain(error);
	bool good = json_object_get_boolean_member_with_default(last, "ok", FALSE);
	if (json || print_last)
		print_json(last);
	else if (json_object_has_member(last, "failure"))
		fprintf(stderr, "exchange: %s\n", json_object_get_string_member(last, "failure"));
	else if (count > 1)
		printf("%" G_GINT64_FORMAT " of %d calls good\n", json_object_get_int_member(last, "good"), count);
	return good ? 0 : 1;
}

static int call(void)
{
	JsonObject *order = json_object_new();
	g_autofree char *here = g_get_current_dir(), *made = script_text ? NULL : script_from_options();
	json_object_set_string_member(order, "do", "call");
	json_object_set_string_member(order, "script", made ? made : script_text);
	json_object_set_string_member(order, "directory", here);
	json_object_set_int_member(order, "count", count);
	json_object_set_double_member(order, "rate", rate);
	return ask(order, false);
}

static int fault(const char *span, const char *alarms)
{
	JsonObject *order = json_object_new();
	json_object_set_string_member(order, "do", "fault");
	json_object_set_string_member(order, "span", span);
	json_object_set_string_member(order, "alarms", alarms);
	return ask(order, false);
}

static int status(void)
{
	JsonObject *order = json_object_new();
	json_object_set_string_member(order, "do", "status");
	return ask(order, true);
}

static int help(FILE *out, int code)
{
	fprintf(out, "%s%s%s%s", usage, script_help(), machine_help(), examples);
	return code;
}

static int print_config_keys(void)
{
	for (const struct tl_config_key *k = exchange_keys; k->section; k++)
		printf("[%s] %-18s %s%s%s%s\n", k->section, k->key, k->help, k->fallback ? " (default " : "",
		       k->fallback ? k->fallback : "", k->fallback ? ")" : "");
	return 0;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	tl_thread_become_main();
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return help(stdout, 0);
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return complain(error);
	if (version) {
		printf("exchange %s\n", TL_VERSION);
		return 0;
	}
	if (help_config)
		return print_config_keys();
	if (!socket_path)
		socket_path = g_strdup(g_getenv("TRUNKLINE_EXCHANGE") ? g_getenv("TRUNKLINE_EXCHANGE") : DEMO_SOCKET);
	if (argc == 3 && !strcmp(argv[1], "run"))
		return run(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "call"))
		return call();
	if (argc == 4 && !strcmp(argv[1], "fault"))
		return fault(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "status"))
		return status();
	return help(stderr, 2);
}
