/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/service.h"
#include "base/thread.h"
#include "desk.h"
#include "version.h"

#define TL_ROOM "deskd"
#include "base/log.h"

static char *config_path = "/etc/trunkline/deskd.conf";
static gboolean only_check, help_config, hash_password, show_version;

static const GOptionEntry options[] = {
	{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &config_path, "Read this configuration", "FILE" },
	{ "check", 0, 0, G_OPTION_ARG_NONE, &only_check, "Check the configuration and exit", NULL },
	{ "help-config", 0, 0, G_OPTION_ARG_NONE, &help_config, "List every key of the configuration", NULL },
	{ "hash-password", 0, 0, G_OPTION_ARG_NONE, &hash_password, "Read a password from standard input, print its hash", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Print the version", NULL },
	{ NULL },
};

struct running {
	GMainLoop *loop;
	struct desk *desk;
};

static int print_keys(void)
{
	const char *last = "";
	for (const struct tl_config_key *k = settings_keys; k->section; k++) {
		static const char *const named[] = { "token", "node", "queue", "agent", "fax", "fax-sender", "fax-line", NULL };
		const char *name = g_strv_contains(named, k->section) ? " NAME" : !strcmp(k->section, "service") ? " NUMBER" : "";
		if (strcmp(last, k->section))
			printf("\n[%s%s]\n", k->section, name);
		last = k->section;
		printf("%s = %s\n    %s%s\n", k->key, k->fallback ? k->fallback : "", k->help, k->required ? " (required)" : "");
	}
	return EXIT_SUCCESS;
}

static int print_hash(void)
{
	char password[256], hash[crypto_pwhash_STRBYTES];
	struct termios old, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	if (terminal) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
		fputs("Password: ", stderr);
	}
	char *line = fgets(password, sizeof password, stdin);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
	if (line)
		password[strcspn(password, "\n")] = '\0';
	if (!line || !*password) {
		fprintf(stderr, "deskd: expected a password on standard input\n");
		return EXIT_FAILURE;
	}
	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
		fprintf(stderr, "deskd: not enough memory to hash\n");
		return EXIT_FAILURE;
	}
	sodium_memzero(password, sizeof password);
	puts(hash);
	return EXIT_SUCCESS;
}

static gboolean on_term(void *user)
{
	g_main_loop_quit(((struct running *)user)->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(void *user)
{
	struct running *running = user;
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(config_path, &error);
	if (settings)
		desk_reload(running->desk, settings);
	else
		tl_error("%s; nothing has changed", error->message);
	return G_SOURCE_CONTINUE;
}

static int run(struct settings *settings)
{
	struct running running = { .loop = g_main_loop_new(NULL, FALSE) };
	g_autoptr(GError) error = NULL;
	tl_log_set_level(settings->log_level);
	running.desk = desk_start(settings, &error);
	if (!running.desk) {
		fprintf(stderr, "deskd: %s\n", error->message);
		return EXIT_FAILURE;
	}
	g_unix_signal_add(SIGTERM, on_term, &running);
	g_unix_signal_add(SIGINT, on_term, &running);
	g_unix_signal_add(SIGHUP, on_hangup, &running);
	if (!tl_service_ready(&error))
		tl_warning("the service manager is not told that the desk is up: %s", error->message);
	g_main_loop_run(running.loop);
	tl_notice("stops; calls stay up on the nodes");
	desk_stop(running.desk);
	g_main_loop_unref(running.loop);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("- the desk of a Trunkline contact centre");
	g_autoptr(GError) error = NULL;
	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error like any other */
	tl_thread_become_main();
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
		fprintf(stderr, "deskd: %s\n", error ? error->message : "expected options only; see --help");
		return EXIT_FAILURE;
	}
	if (sodium_init() < 0) {
		fprintf(stderr, "deskd: no source of random numbers\n");
		return EXIT_FAILURE;
	}
	if (show_version) {
		puts("deskd " TL_VERSION);
		return EXIT_SUCCESS;
	}
	if (help_config)
		return print_keys();
	if (hash_password)
		return print_hash();
	struct settings *settings = settings_load(config_path, &error);
	if (!settings) {
		fprintf(stderr, "deskd: %s\n", error->message);
		return EXIT_FAILURE;
	}
	if (!only_check)
		return run(settings);
	settings_free(settings);
	puts("the configuration is good");
	return EXIT_SUCCESS;
}
