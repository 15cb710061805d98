/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The queue of jobs and their processes. A process is the leader of a group of its own, ended as a whole. */
#include "paper/paper.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "paper/exit.h"

#define TL_ROOM "paper"
#include "base/log.h"

#define QUEUE_MAX 10000

struct tl_papers {
	struct tl_papers_config config;
	char *program, *folder;
	GQueue waiting;  /* struct job */
	GHashTable *jobs; /* by what they make: what waits or runs and may be asked for once more */
	GList *running, *telling;
	unsigned number;
	char *alarm;     /* the machine's fault by which the last job failed */
	bool stopping;
};

struct job {
	struct tl_papers *papers;
	char *name, *office, *called; /* office: the document's path, and name */
	char *hook;               /* a program of the administrator's */
	unsigned limit_s;         /* for all of it */
	char **arguments;         /* office: its suffix, then where the document is put */
	char *out, *own_folder;
	GSubprocess *process;
	struct tl_timer *limit;
	bool late;
	JsonObject *result;
	GError *error;
	struct tl_blob blob;
	char *key;       /* NULL: not shared */
	GArray *askers;  /* struct asker */
	unsigned told;   /* of them */
};

struct asker {
	tl_paper_done on_done;
	void *user;
};

static void start_next(struct tl_papers *papers);

static void remove_folder(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *inner = g_build_filename(path, name, NULL);
		if (g_file_test(inner, G_FILE_TEST_IS_DIR) && !g_file_test(inner, G_FILE_TEST_IS_SYMLINK))
			remove_folder(inner);
		else
			g_unlink(inner);
	}
	g_rmdir(path);
}

static void job_free(struct job *job)
{
	if (job->out)
		g_unlink(job->out);
	if (job->own_folder)
		remove_folder(job->own_folder);
	g_clear_object(&job->process);
	g_clear_pointer(&job->result, json_object_unref);
	g_clear_error(&job->error);
	tl_timer_free(job->limit);
	g_strfreev(job->arguments);
	g_free(job->name);
	g_free(job->office);
	g_free(job->called);
	g_free(job->hook);
	g_free(job->out);
	g_free(job->own_folder);
	g_free(job->key);
	g_array_unref(job->askers);
	g_free(job);
}

/* Told once when it begins and once when it is over. */
static void set_alarm(struct tl_papers *papers, const GError *error)
{
	bool on = error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
	if (on && !papers->alarm)
		tl_error("ALARM: this machine cannot convert documents: %s", error->message);
	else if (!on && papers->alarm)
		tl_notice("documents are converted again");
	g_free(papers->alarm);
	papers->alarm = on ? g_strdup(error->message) : NULL;
}

/* One in each turn of the main loop: what a thousand make of it takes its time. */
static gboolean tell_next(gpointer user)
{
	struct job *job = user;
	struct asker *asker = &g_array_index(job->askers, struct asker, job->told++);
	asker->on_done(job->error ? NULL : &job->blob, job->result, job->error, asker->user);
	if (job->told < job->askers->len)
		return G_SOURCE_CONTINUE;
	job->papers->telling = g_list_remove(job->papers->telling, job);
	job_free(job);
	return G_SOURCE_REMOVE;
}

static void finish(struct job *job)
{
	struct tl_papers *papers = job->papers;
	papers->running = g_list_remove(papers->running, job);
	if (papers->stopping && !job->error)
		g_set_error(&job->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the desk stops");
	if (!papers->stopping)
		set_alarm(papers, job->error);
	if (job->key && g_hash_table_lookup(papers->jobs, job->key) == job)
		g_hash_table_remove(papers->jobs, job->key);
	papers->telling = g_list_prepend(papers->telling, job);
	if (tell_next(job) == G_SOURCE_CONTINUE)
		g_idle_add(tell_next, job);
	if (!papers->stopping)
		start_next(papers);
}

/* ---- what it wrote becomes a blob, on a worker ---- */

static void keep(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct job *job = data;
	(void)source, (void)cancellable;
	g_task_return_boolean(task, tl_blobs_put_file(job->papers->config.blobs, job->out, &job->blob, &job->error));
}

static void on_kept(GObject *source, GAsyncResult *result, gpointer user)
{
	(void)source, (void)result;
	finish(user);
}

/* ---- how it ended ---- */

static void read_result(struct job *job, const char *text)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	if (text && json_parser_load_from_data(parser, text, -1, NULL) && json_parser_get_root(parser) &&
	    JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		job->result = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

/* A signal that a document brings upon its reader: by the sandbox's limits, or by a fault of its own. */
static bool is_of_document(int number)
{
	static const int numbers[] = { SIGXCPU, SIGXFSZ, SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGSYS };
	for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

static void blame(struct job *job, bool document, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void blame(struct job *job, bool document, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	job->error = g_error_new_valist(G_IO_ERROR, document ? G_IO_ERROR_INVALID_DATA : G_IO_ERROR_FAILED, format, arguments);
	va_end(arguments);
}

/* Whose fault it is that nothing was made. */
static void judge(struct job *job)
{
	bool exited = g_subprocess_get_if_exited(job->process), made = job->result || job->office || job->hook;
	int status = exited ? g_subprocess_get_exit_status(job->process) : 0;
	int number = exited ? 0 : g_subprocess_get_term_sig(job->process);
	const char *said = job->result ? json_object_get_string_member_with_default(job->result, "error", NULL) : NULL;
	if (exited && status == 0 && made && (!job->office || g_file_test(job->out, G_FILE_TEST_EXISTS)))
		return;
	if (job->papers->stopping)
		g_set_error(&job->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the desk stops");
	else if (said)
		blame(job, status != TL_PAPER_EXIT_MACHINE, "%s", said);
	else if (job->late)
		blame(job, false, "it took longer than %u s", job->limit_s);
	else if (!exited && is_of_document(number))
		blame(job, true, "the document takes more time or memory than is allowed, or broke its reader");
	else if (!exited)
		blame(job, false, "its reader was ended by signal %d (%s)", number, g_strsignal(number));
	else if (job->office && status != TL_PAPER_EXIT_MACHINE)
		blame(job, true, "%s: LibreOffice cannot read it", job->called);
	else
		blame(job, false, "faxpages %s ended with status %d", job->name, status);
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer user)
{
	struct job *job = user;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &text, NULL, &error);
	tl_timer_stop(job->limit);
	read_result(job, text);
	judge(job);
	if (job->error) {
		finish(job);
		return;
	}
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_kept, job);
	g_task_set_task_data(task, job, NULL);
	g_task_run_in_thread(task, keep);
}

/* ---- starting ---- */

static void on_late(void *user)
{
	struct job *job = user;
	const char *pid = job->process ? g_subprocess_get_identifier(job->process) : NULL;
	job->late = true;
	if (pid)
		kill(-(pid_t)atoi(pid), SIGKILL);
}

/* In the new process: its desk may be dead already, and then nobody would end it. */
static void own_group(gpointer user)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != GPOINTER_TO_INT(user))
		_exit(TL_PAPER_EXIT_MACHINE);
}

static GPtrArray *command_of(struct job *job)
{
	struct tl_papers *papers = job->papers;
	GPtrArray *command = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(command, g_strdup(papers->program));
	g_ptr_array_add(command, g_strdup_printf("--memory-mib=%u", papers->config.memory_mib));
	g_ptr_array_add(command, g_strdup_printf("--cpu-s=%u", job->hook ? job->limit_s : papers->config.time_s));
	g_ptr_array_add(command, g_strdup_printf("--pages-max=%u", papers->config.pages_max));
	g_ptr_array_add(command, g_strdup("--"));
	g_ptr_array_add(command, g_strdup(job->name));
	g_ptr_array_add(command, g_strdup(job->own_folder ? job->own_folder : job->out));
	return command;
}

static char **hook_command(struct job *job, GError **error)
{
	g_auto(GStrv) words = NULL;
	if (!g_shell_parse_argv(job->hook, NULL, &words, error))
		return NULL;
	GPtrArray *command = command_of(job);
	for (char **word = words; *word; word++) {
		GString *filled = g_string_new(*word);
		g_string_replace(filled, "{in}", job->arguments[0], 0);
		g_string_replace(filled, "{out}", job->out, 0);
		g_ptr_array_add(command, g_string_free(filled, FALSE));
	}
	g_ptr_array_add(command, NULL);
	return (char **)g_ptr_array_free(command, FALSE);
}

/* Options stand before "--", as a document's name may begin with anything. */
static char **full_command(struct job *job)
{
	GPtrArray *command = command_of(job);
	unsigned options = command->len - 3;
	for (char **argument = job->arguments; *argument; argument++) {
		if (g_str_has_prefix(*argument, "--"))
			g_ptr_array_insert(command, options++, g_strdup(*argument));
		else
			g_ptr_array_add(command, g_strdup(*argument));
	}
	g_ptr_array_add(command, NULL);
	return (char **)g_ptr_array_free(command, FALSE);
}

/* No other desk's: a process of one that was killed may still write. */
static char *next_name(struct tl_papers *papers)
{
	return g_strdup_printf("%s/%d-%u", papers->folder, getpid(), papers->number++);
}

static bool prepare(struct job *job, GError **error)
{
	struct tl_papers *papers = job->papers;
	if (g_mkdir_with_parents(papers->folder, 0750) < 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s cannot be made", papers->folder);
		return false;
	}
	g_autofree char *name = next_name(papers);
	if (!job->office && !job->hook) {
		job->out = g_steal_pointer(&name);
		return true;
	}
	job->own_folder = g_strdup_printf("%s.d", name);
	job->out = g_build_filename(job->own_folder, "document.pdf", NULL);
	g_mkdir(job->own_folder, 0750);
	if (!job->office)
		return true;
	g_autofree char *suffix = job->arguments[0];
	job->arguments[0] = g_strdup_printf("%s/document%.8s", job->own_folder, suffix);
	if (symlink(job->office, job->arguments[0]) == 0)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s cannot be made", job->arguments[0]);
	return false;
}

static gboolean refuse_later(gpointer user)
{
	finish(user); /* from the main loop, never from within the call */
	return G_SOURCE_REMOVE;
}

static void start(struct job *job)
{
	struct tl_papers *papers = job->papers;
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	g_autofree char *path = g_strconcat("PATH=", g_getenv("PATH") ? g_getenv("PATH") : "/usr/local/bin:/usr/bin:/bin", NULL);
	const char *environment[] = { path, "LANG=C.UTF-8", NULL };
	papers->running = g_list_prepend(papers->running, job);
	g_subprocess_launcher_set_environ(launcher, (char **)environment);
	g_subprocess_launcher_set_child_setup(launcher, own_group, GINT_TO_POINTER(getpid()), NULL);
	if (prepare(job, &job->error)) {
		g_auto(GStrv) command = job->hook ? hook_command(job, &job->error) : full_command(job);
		job->process = !command ? NULL : g_subprocess_launcher_spawnv(launcher, (const char *const *)command, &job->error);
	}
	if (!job->process) {
		g_idle_add(refuse_later, job);
		return;
	}
	job->limit = tl_timer_new("paper", on_late, job);
	tl_timer_start(job->limit, job->limit_s * 1000);
	g_subprocess_communicate_utf8_async(job->process, NULL, NULL, on_ended, job);
}

static void start_next(struct tl_papers *papers)
{
	while (g_list_length(papers->running) < papers->config.at_once && papers->waiting.length)
		start(g_queue_pop_head(&papers->waiting));
}

static void enqueue(struct tl_papers *papers, struct job *job)
{
	job->papers = papers;
	/* The processor's time is the process's own limit. LibreOffice reads hundreds of files first, which a busy machine lets it wait for. */
	if (!job->hook)
		job->limit_s = papers->config.time_s * (job->office ? 10 : 2) + 10;
	if (papers->waiting.length < QUEUE_MAX && !papers->stopping) {
		g_queue_push_tail(&papers->waiting, job);
		start_next(papers);
		return;
	}
	g_set_error(&job->error, G_IO_ERROR, G_IO_ERROR_BUSY, "%u documents wait already", QUEUE_MAX);
	papers->running = g_list_prepend(papers->running, job);
	g_idle_add(refuse_later, job);
}

static struct job *job_new(const char *name, tl_paper_done on_done, void *user)
{
	struct job *job = g_new0(struct job, 1);
	struct asker asker = { on_done, user };
	job->name = g_strdup(name);
	job->askers = g_array_new(FALSE, FALSE, sizeof asker);
	g_array_append_val(job->askers, asker);
	return job;
}

/* The faxes of a batch ask for the same: it is made once. True: it waits or runs already, and tells this one, too. */
static bool join(struct tl_papers *papers, const char *key, tl_paper_done on_done, void *user)
{
	struct job *job = g_hash_table_lookup(papers->jobs, key);
	struct asker asker = { on_done, user };
	if (job)
		g_array_append_val(job->askers, asker);
	return job;
}

static void enqueue_shared(struct tl_papers *papers, struct job *job, char *key)
{
	job->key = key;
	g_hash_table_insert(papers->jobs, job->key, job);
	enqueue(papers, job);
}

void tl_papers_run(struct tl_papers *papers, const char *name, const char *const *arguments, tl_paper_done on_done, void *user)
{
	g_autofree char *words = g_strjoinv("\n", (char **)arguments), *key = g_strconcat(name, "\n", words, NULL);
	if (join(papers, key, on_done, user))
		return;
	struct job *job = job_new(name, on_done, user);
	job->arguments = g_strdupv((char **)arguments);
	enqueue_shared(papers, job, g_steal_pointer(&key));
}

void tl_papers_hook(struct tl_papers *papers, const char *command, const char *path, unsigned limit_s, tl_paper_done on_done, void *user)
{
	struct job *job = job_new("run", on_done, user);
	job->hook = g_strdup(command);
	job->arguments = g_new0(char *, 2);
	job->arguments[0] = g_strdup(path);
	job->limit_s = limit_s;
	enqueue(papers, job);
}

void tl_papers_office(struct tl_papers *papers, const char *path, const char *name, tl_paper_done on_done, void *user)
{
	g_autofree char *key = g_strconcat("office\n", path, "\n", name, NULL);
	if (join(papers, key, on_done, user))
		return;
	struct job *job = job_new("office", on_done, user);
	const char *suffix = strrchr(name, '.');
	g_autofree char *plain = g_strcanon(g_strdup(suffix ? suffix : ""), ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 'x');
	g_autofree char *soffice = g_find_program_in_path("soffice");
	job->office = g_strdup(path);
	job->called = g_strdup(name);
	job->arguments = g_new0(char *, 2);
	job->arguments[0] = g_steal_pointer(&plain);
	if (soffice) {
		enqueue_shared(papers, job, g_steal_pointer(&key));
		return;
	}
	g_set_error(&job->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: office documents cannot be faxed here; send it as a PDF", name);
	job->papers = papers;
	papers->running = g_list_prepend(papers->running, job);
	g_idle_add(refuse_later, job);
}

/* ---- the whole ---- */

static char *beside(const char *name)
{
	g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = own ? g_path_get_dirname(own) : g_strdup("/usr/bin");
	char *path = g_build_filename(folder, name, NULL);
	if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
		return path;
	g_free(path);
	g_autofree char *parent = g_path_get_dirname(folder); /* sbin/deskd, bin/faxpages */
	return g_build_filename(parent, "bin", name, NULL);
}

struct tl_papers *tl_papers_new(const struct tl_papers_config *config)
{
	struct tl_papers *papers = g_new0(struct tl_papers, 1);
	papers->config = *config;
	papers->program = config->program ? g_strdup(config->program) : beside("faxpages");
	papers->folder = g_strdup(config->folder);
	papers->jobs = g_hash_table_new(g_str_hash, g_str_equal);
	remove_folder(papers->folder);
	return papers;
}

const char *tl_papers_alarm(const struct tl_papers *papers)
{
	return papers->alarm;
}

void tl_papers_free(struct tl_papers *papers)
{
	if (!papers)
		return;
	papers->stopping = true;
	for (struct job *job; (job = g_queue_pop_head(&papers->waiting));)
		finish(job);
	for (GList *l = papers->running; l; l = l->next)
		on_late(l->data);
	while (papers->running || papers->telling)
		g_main_context_iteration(NULL, TRUE);
	g_hash_table_unref(papers->jobs);
	g_free(papers->program);
	g_free(papers->folder);
	g_free(papers->alarm);
	g_free(papers);
}
