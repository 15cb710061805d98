/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * faxpages: documents into fax pages and back, for deskd and by hand. Input and
 * output are opened, then the sandbox is entered, then the input is looked at.
 * The result is one line of JSON; what is wrong with a document is told in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paper/work.h"
#include "version.h"

#ifdef __SANITIZE_ADDRESS__
/* It would start a process at the end, which the sandbox forbids. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:abort_on_error=1"; }
#endif

static int memory_mib = 1024, cpu_s = 60, file_mib = 256, pages_max = 200, page = 1, width = 864;
static gboolean standard, letter, version;
static char *mail_path, *cover_path, *title, *body, *name;
static char **values, **replace;

static const GOptionEntry options[] = {
	{ "standard", 0, 0, G_OPTION_ARG_NONE, &standard, "fax: 98 lines an inch instead of 196", NULL },
	{ "letter", 0, 0, G_OPTION_ARG_NONE, &letter, "fax: letter paper instead of A4", NULL },
	{ "mail", 0, 0, G_OPTION_ARG_FILENAME, &mail_path, "fax: a mail whose text and attachments are the document", "FILE" },
	{ "replace", 0, 0, G_OPTION_ARG_STRING_ARRAY, &replace, "fax: the mail's part N is in FILE (as a PDF)", "N=FILE" },
	{ "body", 0, 0, G_OPTION_ARG_STRING, &body, "fax: the mail's text on a page (default: only without attachments), on the cover, or never", "page|cover|none" },
	{ "cover", 0, 0, G_OPTION_ARG_FILENAME, &cover_path, "fax: a cover page of this Pango markup, with {names}", "FILE" },
	{ "value", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values, "fax: what a {name} of the cover page is", "NAME=TEXT" },
	{ "name", 0, 0, G_OPTION_ARG_STRING, &name, "fax: what the document is called when it cannot be read", "TEXT" },
	{ "title", 0, 0, G_OPTION_ARG_STRING, &title, "pdf: its title", "TEXT" },
	{ "page", 0, 0, G_OPTION_ARG_INT, &page, "picture, part: which one, from 1", "N" },
	{ "width", 0, 0, G_OPTION_ARG_INT, &width, "picture: so many pixels wide", "N" },
	{ "pages-max", 0, 0, G_OPTION_ARG_INT, &pages_max, "refuse more pages", "N" },
	{ "memory-mib", 0, 0, G_OPTION_ARG_INT, &memory_mib, "end beyond so much memory", "N" },
	{ "cpu-s", 0, 0, G_OPTION_ARG_INT, &cpu_s, "end beyond so much time of a processor", "N" },
	{ "file-mib", 0, 0, G_OPTION_ARG_INT, &file_mib, "end beyond so large an output", "N" },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL },
	{ NULL },
};

struct job {
	int out;
	GPtrArray *inputs; /* GBytes */
	char **names;      /* of the inputs */
	GBytes *mail;
	char *cover;
	GHashTable *values, *replaced;
	JsonObject *result;
};

static GBytes *read_file(const char *path, GError **error)
{
	/* Mapped: what was opened before the sandbox may be looked at in it. */
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
	return file ? g_mapped_file_get_bytes(file) : NULL;
}

static void add_texts(JsonObject *object, const char *member, GPtrArray *texts)
{
	JsonArray *array = json_array_new();
	for (unsigned i = 0; i < texts->len; i++)
		json_array_add_string_element(array, texts->pdata[i]);
	json_object_set_array_member(object, member, array);
}

/* ---- fax ---- */

static bool add_mail_part(struct job *job, struct tl_book *book, const struct tl_mail_part *part, unsigned number,
			  JsonArray *office, GError **error)
{
	g_autofree char *key = g_strdup_printf("%u", number);
	GBytes *replaced = g_hash_table_lookup(job->replaced, key);
	if (replaced)
		return tl_book_add_document(book, replaced, part->name, error);
	if (strcmp(part->kind, "office"))
		return tl_book_add_document(book, part->content, part->name, error);
	JsonObject *wanted = json_object_new();
	json_object_set_int_member(wanted, "part", number);
	json_object_set_string_member(wanted, "name", part->name);
	json_array_add_object_element(office, wanted);
	return true;
}

static bool add_mail(struct job *job, struct tl_book *book, GError **error)
{
	struct tl_mail *mail = tl_mail_read(job->mail, error);
	if (!mail)
		return false;
	JsonArray *office = json_array_new();
	bool ok = true;
	json_object_set_string_member(job->result, "from", mail->from);
	json_object_set_string_member(job->result, "subject", mail->subject);
	json_object_set_string_member(job->result, "message_id", mail->message_id);
	g_hash_table_insert(job->values, g_strdup("subject"), g_strdup(mail->subject));
	g_hash_table_insert(job->values, g_strdup("from"), g_strdup(mail->from));
	g_hash_table_insert(job->values, g_strdup("text"), g_strdup(!g_strcmp0(body, "cover") && mail->text ? mail->text : ""));
	bool on_page = mail->text && (!body ? !mail->parts->len : !strcmp(body, "page") || (!mail->parts->len && !job->cover));
	if (mail->refused->len) {
		add_texts(job->result, "refused", mail->refused);
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_UNSUPPORTED, "%s", (char *)mail->refused->pdata[0]);
		ok = false;
	}
	if (ok && on_page)
		ok = tl_book_add_text(book, mail->text, error);
	for (unsigned i = 0; ok && i < mail->parts->len; i++)
		ok = add_mail_part(job, book, mail->parts->pdata[i], i + 1, office, error);
	json_object_set_array_member(job->result, "office", office);
	tl_mail_free(mail);
	return ok;
}

static bool run_fax(struct job *job, GError **error)
{
	struct tl_book *book = tl_book_new(!standard, letter, pages_max);
	bool ok = !job->mail || add_mail(job, book, error);
	for (unsigned i = 0; ok && i < job->inputs->len; i++)
		ok = tl_book_add_document(book, job->inputs->pdata[i], job->names[i], error);
	unsigned documents = book->sheets->len;
	bool waits = json_object_has_member(job->result, "office") &&
		     json_array_get_length(json_object_get_array_member(job->result, "office"));
	if (ok && !documents && !waits && !(job->cover && g_hash_table_contains(job->values, "text"))) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_UNSUPPORTED, "there is nothing to be faxed");
		ok = false;
	}
	if (ok && job->cover && !waits) {
		g_hash_table_insert(job->values, g_strdup("pages"), g_strdup_printf("%u", documents + 1));
		book->sheets_max++;
		ok = tl_book_add_cover(book, job->cover, job->values, error);
	}
	ok = ok && (waits || tl_book_write_tiff(book, job->out, error));
	json_object_set_int_member(job->result, "pages", ok ? book->sheets->len : 0);
	tl_book_free(book);
	return ok;
}

/* ---- the others ---- */

static bool read_pages(struct job *job, struct tl_book *book, GError **error)
{
	for (unsigned i = 0; i < job->inputs->len; i++)
		if (!tl_book_add_document(book, job->inputs->pdata[i], job->names[i], error))
			return false;
	return true;
}

static bool run_pdf(struct job *job, GError **error)
{
	struct tl_book *book = tl_book_new(true, letter, pages_max);
	bool ok = read_pages(job, book, error) && tl_book_write_pdf(book, job->out, title, error);
	json_object_set_int_member(job->result, "pages", book->sheets->len);
	tl_book_free(book);
	return ok;
}

static bool run_picture(struct job *job, GError **error)
{
	struct tl_book *book = tl_book_new(true, letter, pages_max);
	bool ok = read_pages(job, book, error) && tl_book_write_picture(book, page, CLAMP(width, 16, 1728), job->out, error);
	tl_book_free(book);
	return ok;
}

static bool run_report(struct job *job, GError **error)
{
	static const char *const members[] = { "recipient", "action", "status", "diagnostic" };
	g_autoptr(GPtrArray) entries = tl_report_read(job->inputs->pdata[0]);
	JsonArray *array = json_array_new();
	(void)error;
	for (unsigned i = 0; i < entries->len; i++) {
		const struct tl_report_entry *entry = entries->pdata[i];
		const char *values[] = { entry->recipient, entry->action, entry->status, entry->diagnostic };
		JsonObject *object = json_object_new();
		for (unsigned m = 0; m < G_N_ELEMENTS(members); m++)
			json_object_set_string_member(object, members[m], values[m]);
		json_array_add_object_element(array, object);
	}
	json_object_set_array_member(job->result, "entries", array);
	return true;
}

static bool run_part(struct job *job, GError **error)
{
	struct tl_mail *mail = tl_mail_read(job->inputs->pdata[0], error);
	bool ok = mail && page >= 1 && (unsigned)page <= mail->parts->len;
	if (ok) {
		gsize n;
		const char *octets = g_bytes_get_data(((struct tl_mail_part *)mail->parts->pdata[page - 1])->content, &n);
		ok = write(job->out, octets, n) == (ssize_t)n;
	}
	if (!ok && error && !*error)
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "part %d cannot be written", page);
	tl_mail_free(mail);
	return ok;
}

static pid_t child;

/* Deskd is gone, and what the child has started with it: all are of a group of ours. */
static void on_parent_gone(int number)
{
	bool leads = getpgrp() == getpid();
	(void)number;
	if (leads || child > 0) /* 0 would be a group of others' */
		kill(leads ? 0 : child, SIGKILL);
	_exit(EXIT_FAILURE);
}

/* So do we: who waits for us is to know of the limit that ended it. */
static void end_by(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

static int await_child(void)
{
	enum { CANNOT_RUN = 126, NOT_FOUND, BY_SIGNAL }; /* as shells say it, of which LibreOffice's door is one */
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : BY_SIGNAL + WTERMSIG(status);
	if (code > BY_SIGNAL)
		end_by(code - BY_SIGNAL);
	return code == CANNOT_RUN || code == NOT_FOUND ? TL_PAPER_EXIT_MACHINE : code;
}

/*
 * A program of others, in a sandbox that lets it run its own programs and write, but reach no network. What those are is
 * not known, so one of us stays and ends them all with its parent. @command: with its NULL.
 */
static int run_program(const char *folder, char **command)
{
	struct tl_sandbox_limits limits = { memory_mib * 4U, cpu_s, file_mib, true };
	g_autoptr(GError) error = NULL;
	setenv("HOME", folder, 1);
	setenv("TMPDIR", folder, 1);
	signal(SIGTERM, on_parent_gone);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	child = fork();
	if (child > 0)
		return await_child();
	signal(SIGTERM, SIG_DFL);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* what is said on standard output is ours */
	if (child == 0 && tl_sandbox_enter(&limits, &error))
		execvp(command[0], command);
	fprintf(stderr, "faxpages: %s: %s\n", command[0], error ? error->message : g_strerror(errno));
	return TL_PAPER_EXIT_MACHINE;
}

static int say(JsonObject *result, int status)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), result);
	g_autofree char *text = json_to_string(node, FALSE);
	puts(text);
	fflush(stdout);
	return status;
}

/* LibreOffice says alike of a document that it cannot read and of a disk that is full. */
static bool is_full(const char *folder)
{
	enum { ROOM = 16 << 20 };
	struct statvfs disk;
	return statvfs(folder, &disk) == 0 && (disk.f_bavail * disk.f_frsize < ROOM || (disk.f_files && !disk.f_favail));
}

static int run_office(char *folder, char *input)
{
	g_autofree char *profile = g_strdup_printf("-env:UserInstallation=file://%s/profile", folder);
	char *command[] = { "soffice", profile, "--headless", "--norestore", "--convert-to", "pdf", "--outdir", folder, input, NULL };
	g_autofree char *made = g_build_filename(folder, "document.pdf", NULL);
	int status = run_program(folder, command);
	bool full = child > 0 && (status || !g_file_test(made, G_FILE_TEST_EXISTS)) && is_full(folder);
	if (child <= 0 || (!full && status != TL_PAPER_EXIT_MACHINE))
		return status;
	g_autoptr(JsonObject) result = json_object_new();
	json_object_set_string_member(result, "error", full ? "no space is left on its disk" : "LibreOffice cannot be started");
	return say(result, TL_PAPER_EXIT_MACHINE);
}

static const struct {
	const char *name, *usage;
	unsigned inputs_min;
	bool (*run)(struct job *job, GError **error);
} jobs[] = {
	{ "fax", "fax OUT.tif [--mail FILE] [DOCUMENT...]", 0, run_fax },
	{ "pdf", "pdf OUT.pdf PAGES.tif...", 1, run_pdf },
	{ "picture", "picture OUT.png PAGES.tif", 1, run_picture },
	{ "part", "part OUT MAIL", 1, run_part },
	{ "report", "report OUT MAIL", 1, run_report },
};

static bool read_pairs(char **pairs, GHashTable *table, bool files, GError **error)
{
	for (; pairs && *pairs; pairs++) {
		char *equals = strchr(*pairs, '=');
		if (!equals)
			continue;
		void *value = files ? (void *)read_file(equals + 1, error) : g_strdup(equals + 1);
		if (!value)
			return false;
		g_hash_table_insert(table, g_strndup(*pairs, equals - *pairs), value);
	}
	return true;
}

static bool open_all(struct job *job, const char *out, char **inputs, GError **error)
{
	job->inputs = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	job->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	job->replaced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	job->names = g_strdupv(inputs);
	for (unsigned i = 0; inputs[i]; i++) {
		GBytes *input = read_file(inputs[i], error);
		if (!input)
			return false;
		g_ptr_array_add(job->inputs, input);
		g_free(job->names[i]);
		job->names[i] = name ? g_strdup(name) : g_path_get_basename(inputs[i]);
	}
	if ((mail_path && !(job->mail = read_file(mail_path, error))) ||
	    (cover_path && !g_file_get_contents(cover_path, &job->cover, NULL, error)) ||
	    !read_pairs(values, job->values, false, error) || !read_pairs(replace, job->replaced, true, error))
		return false;
	job->out = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (job->out < 0)
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "%s: %s", out, g_strerror(errno));
	return job->out >= 0;
}

static void job_clear(struct job *job)
{
	g_clear_pointer(&job->inputs, g_ptr_array_unref);
	g_clear_pointer(&job->values, g_hash_table_unref);
	g_clear_pointer(&job->replaced, g_hash_table_unref);
	g_clear_pointer(&job->mail, g_bytes_unref);
	g_clear_pointer(&job->result, json_object_unref);
	g_strfreev(job->names);
	g_free(job->cover);
	if (job->out >= 0)
		close(job->out);
}

static int run(unsigned which, const char *out, char **inputs)
{
	struct tl_sandbox_limits limits = { memory_mib, cpu_s, file_mib, false };
	struct job job = { .out = -1, .result = json_object_new() };
	g_autoptr(GError) error = NULL;
	bool ok = open_all(&job, out, inputs, &error) && tl_sandbox_enter(&limits, &error) && jobs[which].run(&job, &error);
	bool document = error && error->domain == TL_PAPER_ERROR && error->code != TL_PAPER_ERROR_MACHINE;
	if (!ok)
		json_object_set_string_member(job.result, "error", error ? error->message : "it failed");
	int status = say(job.result, ok ? EXIT_SUCCESS : document ? EXIT_FAILURE : TL_PAPER_EXIT_MACHINE);
	job_clear(&job);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("JOB OUT [INPUT...] - documents into fax pages and back");
	g_autoptr(GError) error = NULL;
	setlocale(LC_ALL, "");
	g_option_context_add_main_entries(context, options, NULL);
	g_option_context_set_summary(context, "Jobs:\n  fax OUT.tif [--mail FILE] [DOCUMENT...]   PDF, TIFF, JPEG, PNG and text\n"
					      "  pdf OUT.pdf PAGES.tif...\n  picture OUT.png PAGES.tif\n  part OUT MAIL\n  report OUT MAIL   what a mail server says of a mail that came back\n  office FOLDER DOCUMENT\n  run FOLDER PROGRAM [ARGUMENT...]   an own program, without a network");
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "faxpages: %s\n", error->message);
		return 2;
	}
	if (argc > 1 && !strcmp(argv[1], "--")) /* GOption leaves it when something after it begins with - */
		argv++, argc--;
	if (version) {
		puts("faxpages " TL_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 4 && !strcmp(argv[1], "office"))
		return run_office(argv[2], argv[3]);
	if (argc >= 4 && !strcmp(argv[1], "run"))
		return run_program(argv[2], argv + 3);
	for (unsigned i = 0; argc > 2 && i < G_N_ELEMENTS(jobs); i++)
		if (!strcmp(jobs[i].name, argv[1]) && (unsigned)argc - 3 >= jobs[i].inputs_min)
			return run(i, argv[2], argv + 3);
	fprintf(stderr, "faxpages: expected a job and its files; see --help\n");
	return 2;
}
