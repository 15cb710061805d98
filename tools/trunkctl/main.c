/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "trunkctl.h"

#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "version.h"

#define SYSTEM_RUN "/run/trunkline"

static char *node, *desk, *token_file;
static gboolean json, check, version, help;

static const GOptionEntry options[] = {
	{ "node", 0, 0, G_OPTION_ARG_STRING, &node, NULL, NULL },
	{ "desk", 0, 0, G_OPTION_ARG_STRING, &desk, NULL, NULL },
	{ "token-file", 0, 0, G_OPTION_ARG_FILENAME, &token_file, NULL, NULL },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
	{ "check", 0, 0, G_OPTION_ARG_NONE, &check, NULL, NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL },
	{ "help", 'h', 0, G_OPTION_ARG_NONE, &help, NULL, NULL },
	{ NULL }
};

static int print_help(FILE *out, int status)
{
	fprintf(out, "trunkctl - look at a running centre and steer it\n\n");
	for (const struct command *c = commands; c->name; c++) {
		g_autofree char *words = g_strdup_printf("%s %s", c->name, c->usage);
		fprintf(out, "  trunkctl %-54s %s\n", words, c->help);
	}
	fprintf(out, "\nOptions:\n"
		     "  --json              for programs\n"
		     "  --node ADDRESS      unix:PATH or ws://host:port of the node\n"
		     "  --desk ADDRESS      the same of the desk\n"
		     "  --token-file FILE   holds the token to sign in with\n"
		     "  --check             hold all that is received against the protocol's schema\n"
		     "trunkctl fax --help and trunkctl recording --help say more of these.\n"
		     "Without them: $TRUNKLINE_RUN, the demonstration that `make run` started, or " SYSTEM_RUN ".\n");
	return status;
}

/* The directory with the daemons' sockets and the operator's token. (transfer full) */
static char *find_run_directory(void)
{
	const char *told = g_getenv("TRUNKLINE_RUN");
	if (told && *told)
		return g_strdup(told);
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	for (char *at = self ? g_path_get_dirname(self) : NULL; at && strlen(at) > 1;) {
		g_autofree char *run = g_build_filename(at, "run", NULL);
		g_autofree char *token = g_build_filename(run, "operator.token", NULL);
		if (g_file_test(token, G_FILE_TEST_EXISTS)) {
			g_free(at);
			return g_steal_pointer(&run);
		}
		char *parent = g_path_get_dirname(at);
		g_free(at);
		at = parent;
	}
	return g_strdup(SYSTEM_RUN);
}

static bool find_place(struct place *place)
{
	g_autofree char *run = find_run_directory();
	g_autofree char *file = token_file ? g_strdup(token_file) : g_build_filename(run, "operator.token", NULL);
	g_autoptr(GError) error = NULL;
	place->node = node ? g_strdup(node) : g_strdup_printf("unix:%s/trunkd.sock", run);
	place->desk = desk ? g_strdup(desk) : g_strdup_printf("unix:%s/deskd.sock", run);
	place->json = json;
	place->check = check;
	if (!g_file_get_contents(file, &place->token, NULL, &error)) {
		fprintf(stderr, "trunkctl: no running centre was found: %s\n", error->message);
		return false;
	}
	g_strstrip(place->token);
	return true;
}

static int run_command(char **words)
{
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, words[0]))
			continue;
		struct place place = { 0 };
		if (c->explain && (help || !words[1]))
			return c->explain(help ? stdout : stderr, help ? 0 : 2);
		if (help)
			return print_help(stdout, 0);
		int status = find_place(&place) ? c->run(&place, words + 1) : 1;
		g_free(place.node);
		g_free(place.desk);
		g_free(place.token);
		return status;
	}
	fprintf(stderr, "trunkctl: \"%s\" is not a command; trunkctl --help lists them\n", words[0]);
	return 2;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	tl_thread_become_main();
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "trunkctl: %s\n", error->message);
		return 2;
	}
	if (version) {
		printf("trunkctl %s\n", TL_VERSION);
		return 0;
	}
	if (help && argc < 2)
		return print_help(stdout, 0);
	return argc > 1 ? run_command(argv + 1) : print_help(stderr, 2);
}
