/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* trunkd, the telephony resource node: options, configuration, signals. All else is in the rooms. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/service.h"
#include "base/thread.h"
#include "settings.h"
#include "version.h"

#define TL_ROOM "trunkd"

#define STOP_WITHIN_MS 2000

struct daemon {
	GMainLoop *loop;
	char *path;
	struct tl_settings *settings;
	struct tl_node *node;
};

struct options {
	char *config;
	gboolean check, help_config, version;
};

static void on_stopped(void *user)
{
	struct daemon *daemon = user;
	g_main_loop_quit(daemon->loop);
}

static gboolean on_terminate(gpointer user)
{
	struct daemon *daemon = user;
	tl_notice("stopping: calls are released");
	tl_node_stop(daemon->node, STOP_WITHIN_MS, on_stopped, daemon);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer user)
{
	struct daemon *daemon = user;
	g_autoptr(GError) error = NULL;
	struct tl_settings *fresh = tl_settings_load(daemon->path, &error);
	if (!fresh) {
		tl_error("not reloaded: %s", error->message);
		return G_SOURCE_CONTINUE;
	}
	tl_node_reload(daemon->node, tl_settings_node(fresh));
	tl_log_set_level(tl_settings_log_level(fresh));
	tl_settings_free(fresh);
	tl_notice("routes, SIP users, SIP trunks, SIP's certificate and load_limit_us are reloaded; all else waits for a restart");
	return G_SOURCE_CONTINUE;
}

/* Returns the lock's descriptor, or -1. Held until the process ends. */
static int lock_state(const struct tl_settings *settings, GError **error)
{
	const char *directory = tl_settings_node(settings)->state_dir;
	const struct tl_node_blame blame = { "node", NULL, "state_dir" };
	g_autofree char *path = g_build_filename(directory, "lock", NULL);
	int fd = g_mkdir_with_parents(directory, 0750) ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		tl_settings_blame(settings, &blame, g_error_new(TL_CONFIG_ERROR, TL_CONFIG_ERROR_VALUE,
			"%s: expected a directory that can be written: %s", directory, g_strerror(errno)), error);
		return -1;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	tl_settings_blame(settings, &blame, g_error_new(TL_CONFIG_ERROR, TL_CONFIG_ERROR_VALUE,
		"%s: another trunkd runs on it", directory), error);
	close(fd);
	return -1;
}

static bool start_node(struct daemon *daemon, GError **error)
{
	struct tl_node_blame blame;
	GError *why = NULL;
	daemon->node = tl_node_new(tl_settings_node(daemon->settings), &blame, &why);
	if (!daemon->node)
		tl_settings_blame(daemon->settings, &blame, why, error);
	return daemon->node != NULL;
}

static void tell_ready(void)
{
	g_autoptr(GError) error = NULL;
	if (!tl_service_ready(&error))
		tl_warning("the service manager is not told that the node is up: %s", error->message);
}

/* What was made below it at the first start must not go at a power cut with all that is kept there from now on. */
static bool keep_names(const char *directory)
{
	g_autofree char *parent = g_path_get_dirname(directory);
	int fds[] = { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	bool kept = fds[0] >= 0 && !fsync(fds[0]);
	/* Where others may list nothing, who made the directory saw to its name. */
	if (fds[1] >= 0)
		kept = !fsync(fds[1]) && kept;
	for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return kept;
}

static bool run(struct daemon *daemon, GError **error)
{
	int lock = lock_state(daemon->settings, error);
	if (lock < 0)
		return false;
	bool started = start_node(daemon, error);
	if (started) {
		if (!keep_names(tl_settings_node(daemon->settings)->state_dir))
			tl_warning("%s: %s", tl_settings_node(daemon->settings)->state_dir, g_strerror(errno));
		g_unix_signal_add(SIGTERM, on_terminate, daemon);
		g_unix_signal_add(SIGINT, on_terminate, daemon);
		g_unix_signal_add(SIGHUP, on_hangup, daemon);
		tl_notice("node %s is up, version %s", tl_settings_node(daemon->settings)->name, TL_VERSION);
		tell_ready();
		g_main_loop_run(daemon->loop);
	}
	tl_node_free(daemon->node);
	close(lock);
	return started;
}

static bool parse_options(int *argc, char ***argv, struct options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config, "configuration file", "FILE" },
		{ "check", 0, 0, G_OPTION_ARG_NONE, &options->check, "only check the configuration", NULL },
		{ "help-config", 0, 0, G_OPTION_ARG_NONE, &options->help_config, "print every configuration key", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "print the version", NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- telephony resource node");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, "Runs trunks, media and calls as its configuration and a desk say.\n"
				     "SIGTERM releases all calls and ends; SIGHUP reloads routes, SIP users, SIP trunks, SIP's certificate and load_limit_us.");
	if (!g_option_context_parse(context, argc, argv, error))
		return false;
	if (*argc > 1) {
		g_set_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_VALUE, "%s: unexpected argument", (*argv)[1]);
		return false;
	}
	return true;
}

static bool serve(const struct options *options, GError **error)
{
	if (!options->config) {
		g_set_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_VALUE, "--config FILE is missing; --help-config prints what it may hold");
		return false;
	}
	struct daemon daemon = { .path = options->config, .settings = tl_settings_load(options->config, error) };
	if (!daemon.settings)
		return false;
	bool good = true;
	if (options->check) {
		printf("%s: good\n", options->config);
	} else {
		tl_log_set_level(tl_settings_log_level(daemon.settings));
		daemon.loop = g_main_loop_new(NULL, FALSE);
		good = run(&daemon, error);
		g_main_loop_unref(daemon.loop);
	}
	tl_settings_free(daemon.settings);
	return good;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	g_autoptr(GError) error = NULL;
	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error like any other */
	tl_thread_become_main();
	bool good = parse_options(&argc, &argv, &options, &error);
	if (good && options.version)
		printf("trunkd %s\n", TL_VERSION);
	else if (good && options.help_config)
		tl_settings_print_help();
	else if (good)
		good = serve(&options, &error);
	if (!good)
		fprintf(stderr, "trunkd: %s\n", error->message);
	g_free(options.config);
	return good ? 0 : 1;
}
