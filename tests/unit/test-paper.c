/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* faxpages as deskd runs it: good documents become pages, bad ones a clear error, and the sandbox holds. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"
#include "paper-rig.h"

static void expect_refusal(struct paper_rig *desk, const char *name, const void *octets, gssize n, const char *option, const char *why)
{
	struct paper_outcome outcome = paper_rig_convert(desk, name, octets, n, option);
	g_assert_false(outcome.ok);
	g_assert_cmpint(outcome.code, ==, G_IO_ERROR_INVALID_DATA);
	if (!strstr(outcome.why, why))
		g_error("%s: \"%s\" is not in: %s", name, why, outcome.why);
	paper_outcome_clear(&outcome);
}

/* Text to pages, pages to PDF, PDF to pages again: the letters are where they were. */
static void test_round(void)
{
	struct paper_rig desk = paper_rig_new();
	struct paper_outcome pages = paper_rig_convert(&desk, "a.txt", "one\ftwo\n", -1, NULL);
	g_assert_true(pages.ok);
	g_assert_cmpint(pages.pages, ==, 2);
	g_autofree char *tiff = tl_blobs_path(desk.blobs, pages.path);
	struct paper_outcome pdf = paper_rig_run(&desk, "pdf", (const char *[]){ "--title=x", tiff, NULL });
	g_assert_true(pdf.ok);
	g_autofree char *path = tl_blobs_path(desk.blobs, pdf.path), *octets = NULL;
	gsize n;
	g_assert_true(g_file_get_contents(path, &octets, &n, NULL));
	g_assert_true(g_str_has_prefix(octets, "%PDF-"));
	g_assert_nonnull(memmem(octets, n, "CCITTFaxDecode", strlen("CCITTFaxDecode"))); /* the very bits */
	struct paper_outcome again = paper_rig_run(&desk, "fax", (const char *[]){ path, NULL });
	g_assert_true(again.ok);
	g_assert_cmpint(again.pages, ==, 2);
	struct paper_outcome picture = paper_rig_run(&desk, "picture", (const char *[]){ "--page=2", "--width=200", tiff, NULL });
	g_assert_true(picture.ok);
	paper_outcome_clear(&pages), paper_outcome_clear(&pdf), paper_outcome_clear(&again), paper_outcome_clear(&picture);
	paper_rig_clear(&desk);
}

static char *nested(unsigned depth)
{
	GString *text = g_string_new("Subject: deep\r\nMIME-Version: 1.0\r\n");
	for (unsigned i = 0; i < depth; i++)
		g_string_append_printf(text, "Content-Type: multipart/mixed; boundary=\"b%u\"\r\n\r\n--b%u\r\n", i, i);
	g_string_append(text, "Content-Type: text/plain\r\n\r\ndeep\r\n");
	return g_string_free(text, FALSE);
}

/* A PNG that says it is 60,000 pixels wide and high. */
static const guint8 bomb[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60,
			       8, 0, 0, 0, 0, 0xab, 0x6b, 0x4f, 0x98 };

static void test_bad_input(void)
{
	struct paper_rig desk = paper_rig_new();
	g_autofree char *deep = nested(100), *deeper = nested(20000);
	expect_refusal(&desk, "a.pdf", "%PDF-1.4 nonsense", -1, NULL, "the PDF is broken");
	expect_refusal(&desk, "a.tif", "II*\0\xff\xff\xff\xff", 8, NULL, "the TIFF is broken");
	expect_refusal(&desk, "a.png", bomb, sizeof bomb, NULL, "a.png");
	expect_refusal(&desk, "a.bin", "\0\1\2", 3, NULL, "expected a PDF");
	expect_refusal(&desk, "empty", "", 0, NULL, "empty");
	expect_refusal(&desk, "-rf", "x\fx\fx\fx\fx\fx", -1, NULL, "more than 5 pages");
	expect_refusal(&desk, "deep.eml", deep, -1, "--mail", "nested more than 20 deep");
	expect_refusal(&desk, "deeper.eml", deeper, -1, "--mail", "nested more than 20 deep");
	expect_refusal(&desk, "exe.eml",
		       "MIME-Version: 1.0\r\nContent-Type: application/x-dosexec; name=\"../../a.exe\"\r\nContent-Disposition: attachment\r\n\r\nMZ\001",
		       -1, "--mail", "a.exe: no kind of document");
	struct paper_outcome good = paper_rig_convert(&desk, "good.txt", "still here\n", -1, NULL); /* the queue goes on */
	g_assert_true(good.ok);
	paper_outcome_clear(&good);
	paper_rig_clear(&desk);
}

/* Whatever takes too long is ended, with its whole group, and the next one runs. */
static void test_time(void)
{
	struct paper_rig desk = paper_rig_new();
	struct paper_outcome outcome = { false };
	g_autofree char *path = g_build_filename(desk.dir, "in", NULL);
	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	tl_papers_hook(desk.papers, "sh -c 'sleep 1000 & wait'", path, 1, paper_outcome_done, &outcome);
	while (!outcome.done)
		g_main_context_iteration(NULL, TRUE);
	g_assert_false(outcome.ok);
	g_assert_cmpint(outcome.code, ==, G_IO_ERROR_FAILED); /* others may have had the processor */
	paper_outcome_clear(&outcome);
	outcome = (struct paper_outcome){ false };
	tl_papers_hook(desk.papers, "cp {in} {out}", path, 20, paper_outcome_done, &outcome);
	while (!outcome.done)
		g_main_context_iteration(NULL, TRUE);
	g_assert_true(outcome.ok);
	paper_outcome_clear(&outcome);
	paper_rig_clear(&desk);
}

static struct paper_outcome run_hook(struct paper_rig *desk, const char *command, const char *path)
{
	struct paper_outcome outcome = { false };
	tl_papers_hook(desk->papers, command, path, 20, paper_outcome_done, &outcome);
	while (!outcome.done)
		g_main_context_iteration(NULL, TRUE);
	return outcome;
}

/* A program of the administrator's runs others and writes, and reaches no network. */
static void test_hook(void)
{
	struct paper_rig desk = paper_rig_new();
	g_autofree char *path = g_build_filename(desk.dir, "in", NULL);
	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	struct paper_outcome good = run_hook(&desk, "sh -c 'cat $0 >$TMPDIR/own && mv $TMPDIR/own $1' {in} {out}", path);
	struct paper_outcome local = run_hook(&desk, "python3 -c 'import socket as s, sys; s.socketpair(); open(sys.argv[1], \"w\")' {out}", path);
	struct paper_outcome net = run_hook(&desk, "python3 -c 'import socket as s, sys; open(sys.argv[1], \"w\"); s.socket()' {out}", path);
	g_assert_true(good.ok && local.ok && !net.ok);
	paper_outcome_clear(&good), paper_outcome_clear(&local), paper_outcome_clear(&net);
	paper_rig_clear(&desk);
}

/* Whose fault it is when nothing was made: the document's, told to who sent it; or the machine's, which may pass. */
static void test_blame(void)
{
	static const struct { const char *script; int code; const char *why; } cases[] = {
		{ "kill -KILL $$", G_IO_ERROR_FAILED, "ended by signal 9" }, /* the kernel's when there is no memory */
		{ "kill -TERM $$", G_IO_ERROR_FAILED, "ended by signal 15" },
		{ "exit 75", G_IO_ERROR_FAILED, "status 75" },
		{ "exit 2", G_IO_ERROR_FAILED, "status 2" },
		{ "echo '{\"error\":\"no space\"}'; exit 75", G_IO_ERROR_FAILED, "no space" },
		{ "kill -XCPU $$", G_IO_ERROR_INVALID_DATA, "more time or memory" },
		{ "kill -SEGV $$", G_IO_ERROR_INVALID_DATA, "broke its reader" },
		{ "echo '{\"error\":\"it is broken\"}'; exit 1", G_IO_ERROR_INVALID_DATA, "it is broken" },
	};
	g_autofree char *program = g_build_filename(g_get_tmp_dir(), "trunkline-blame-XXXXXX", NULL);
	close(g_mkstemp(program));
	struct paper_rig desk = paper_rig_with(program, 1, 512, 20);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", cases[i].script);
		g_assert_true(g_file_set_contents_full(program, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL));
		struct paper_outcome outcome = paper_rig_convert(&desk, "a.txt", "x", 1, NULL);
		g_assert_cmpint(outcome.code, ==, cases[i].code);
		g_assert_nonnull(strstr(outcome.why, cases[i].why));
		g_assert_true((tl_papers_alarm(desk.papers) != NULL) == (cases[i].code == G_IO_ERROR_FAILED));
		paper_outcome_clear(&outcome);
	}
	g_unlink(program);
	struct paper_outcome missing = paper_rig_convert(&desk, "a.txt", "x", 1, NULL);
	g_assert_true(!missing.ok && missing.code != G_IO_ERROR_INVALID_DATA && tl_papers_alarm(desk.papers));
	paper_outcome_clear(&missing);
	paper_rig_clear(&desk);
}

/* faxpages itself: a disk that is full, and an input that is not there. */
static void test_machine(void)
{
	g_autofree char *program = paper_rig_beside("faxpages"), *own = g_file_read_link("/proc/self/exe", NULL);
	const char *full[] = { program, "fax", "/dev/full", "/etc/hosts", NULL }, *missing[] = { program, "fax", "/dev/null", "/nowhere", NULL };
	const char *broken[] = { program, "fax", "/dev/null", own, NULL };
	const struct { const char **command; int status; } cases[] = { { full, 75 }, { missing, 75 }, { broken, 1 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *said = NULL;
		int status = 0;
		g_assert_true(g_spawn_sync(NULL, (char **)cases[i].command, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, NULL, &status, NULL));
		g_assert_true(WIFEXITED(status));
		g_assert_cmpint(WEXITSTATUS(status), ==, cases[i].status);
		g_assert_nonnull(strstr(said, "\"error\""));
	}
}

static unsigned lines_of(const char *path)
{
	g_autofree char *text = NULL;
	unsigned n = 0;
	for (const char *at = g_file_get_contents(path, &text, NULL, NULL) ? text : ""; *at; at++)
		n += *at == '\n';
	return n;
}

/* What three ask for at once is made once, for a fourth that asks later once more. */
static void test_once(void)
{
	g_autofree char *dir = g_dir_make_tmp("trunkline-once-XXXXXX", NULL), *real = paper_rig_beside("faxpages");
	g_autofree char *program = g_build_filename(dir, "faxpages", NULL), *log = g_build_filename(dir, "log", NULL);
	g_autofree char *script = g_strdup_printf("#!/bin/sh\necho run >>%s\nexec %s \"$@\"\n", log, real);
	g_autofree char *same = g_build_filename(dir, "same.txt", NULL), *other = g_build_filename(dir, "other.txt", NULL);
	const char *const inputs[] = { same, same, other, same };
	struct paper_outcome outcomes[G_N_ELEMENTS(inputs)] = { 0 };
	g_assert_true(g_file_set_contents_full(program, script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	g_assert_true(g_file_set_contents(same, "one\ftwo\n", -1, NULL));
	g_assert_true(g_file_set_contents(other, "one\n", -1, NULL));
	struct paper_rig desk = paper_rig_with(program, 1, 512, 20);
	for (unsigned i = 0; i < G_N_ELEMENTS(inputs); i++)
		tl_papers_run(desk.papers, "fax", (const char *[]){ inputs[i], NULL }, paper_outcome_done, &outcomes[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(inputs); i++) {
		while (!outcomes[i].done)
			g_main_context_iteration(NULL, TRUE);
		g_assert_true(outcomes[i].ok);
		g_assert_cmpint(outcomes[i].pages, ==, inputs[i] == other ? 1 : 2);
		g_assert_true(g_strcmp0(outcomes[i].path, outcomes[0].path) == 0 || inputs[i] == other);
	}
	g_assert_cmpuint(lines_of(log), ==, 2);
	struct paper_outcome later = paper_rig_run(&desk, "fax", (const char *[]){ same, NULL });
	g_assert_true(later.ok);
	g_assert_cmpuint(lines_of(log), ==, 3);
	for (unsigned i = 0; i < G_N_ELEMENTS(outcomes); i++)
		paper_outcome_clear(&outcomes[i]);
	paper_outcome_clear(&later);
	paper_rig_clear(&desk);
	const char *const files[] = { program, log, same, other };
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++)
		g_unlink(files[i]);
	g_rmdir(dir);
}

/* From its first instruction a job goes when its desk does, not only from when it has asked for that. */
static void test_orphan(void)
{
	static const char script[] = "#!/usr/bin/python3\nimport ctypes, sys\nnumber = ctypes.c_int()\nctypes.CDLL(None).prctl(2, ctypes.byref(number))\n"
				     "open(sys.argv[-2], 'w').close()\nprint('{\"pages\":%d}' % number.value)\n"; /* 2: PR_GET_PDEATHSIG */
	g_autofree char *program = g_build_filename(g_get_tmp_dir(), "trunkline-orphan-XXXXXX", NULL);
	close(g_mkstemp(program));
	g_assert_true(g_file_set_contents_full(program, script, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL));
	struct paper_rig desk = paper_rig_with(program, 1, 512, 20);
	struct paper_outcome outcome = paper_rig_convert(&desk, "a.txt", "x", 1, NULL);
	g_assert_true(outcome.ok);
	g_assert_cmpint(outcome.pages, ==, SIGKILL);
	paper_outcome_clear(&outcome);
	g_unlink(program);
	paper_rig_clear(&desk);
}

static void assert_office(struct paper_rig *desk, int code, const char *why)
{
	struct paper_outcome outcome = { false };
	g_autofree char *path = g_build_filename(desk->dir, "in", NULL);
	g_assert_true(g_file_set_contents(path, "{\\rtf1 Hello.}", -1, NULL));
	tl_papers_office(desk->papers, path, "../a.rtf", paper_outcome_done, &outcome);
	while (!outcome.done)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpint(outcome.code, ==, code);
	g_assert_nonnull(strstr(outcome.why, why));
	paper_outcome_clear(&outcome);
}

/* Where no LibreOffice is, who sent it is told what to do; likewise when it fails by the document, and not when it cannot
 * even run, or is killed. What it makes is for soak (fax_office.py). */
static void test_office(void)
{
	struct paper_rig desk = paper_rig_new();
	g_autofree char *bin = g_build_filename(desk.dir, "bin", NULL), *soffice = g_build_filename(bin, "soffice", NULL);
	g_autofree char *before = g_strdup(g_getenv("PATH"));
	g_mkdir(bin, 0700);
	g_setenv("PATH", bin, TRUE); /* whatever this machine has */
	assert_office(&desk, G_IO_ERROR_INVALID_DATA, "../a.rtf: office documents cannot be faxed here; send it as a PDF");
	static const struct { const char *script; int code; const char *why; } cases[] = {
		{ "#!/bin/false\n", G_IO_ERROR_INVALID_DATA, "../a.rtf: LibreOffice cannot read it" },
		{ "#!/bin/true\n", G_IO_ERROR_INVALID_DATA, "../a.rtf: LibreOffice cannot read it" },
		{ "#!/bin/sh\nexit 134\n", G_IO_ERROR_INVALID_DATA, "broke its reader" },
		{ "#!/bin/sh\nkill -KILL $$\n", G_IO_ERROR_FAILED, "signal 9" },
		{ "#!/bin/sh\n/bin/sh -c 'kill -KILL $$'\nexit $?\n", G_IO_ERROR_FAILED, "signal 9" },
		{ "#!/bin/sh\nexec /nowhere/soffice.bin\n", G_IO_ERROR_FAILED, "LibreOffice cannot be started" },
		{ "#!/nowhere\n", G_IO_ERROR_FAILED, "LibreOffice cannot be started" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_true(g_file_set_contents_full(soffice, cases[i].script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
		assert_office(&desk, cases[i].code, cases[i].why);
	}
	g_setenv("PATH", before, TRUE);
	paper_rig_clear(&desk);
}

static unsigned jobs_under_way(struct paper_rig *desk)
{
	g_autofree char *path = g_build_filename(desk->dir, "papers", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned n = 0;
	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

/* One at a time means an office document as well: it waits for its turn. */
static void test_turns(void)
{
	struct paper_rig desk = paper_rig_limited(1, 512, 20);
	struct paper_outcome hook = { false }, office = { false };
	g_autofree char *path = g_build_filename(desk.dir, "in", NULL), *go = g_build_filename(desk.dir, "go", NULL);
	g_autofree char *command = g_strdup_printf("sh -c 'cat \"$0\" >$1' %s {out}", go);
	g_autofree char *bin = g_build_filename(desk.dir, "bin", NULL), *soffice = g_build_filename(bin, "soffice", NULL);
	g_autofree char *before = g_strdup(g_getenv("PATH")), *paths = g_strconcat(before, ":", bin, NULL);
	g_assert_true(g_file_set_contents(path, "{\\rtf1 Hello.}", -1, NULL));
	g_assert_cmpint(mkfifo(go, 0600), ==, 0);
	g_mkdir(bin, 0700);
	g_assert_true(g_file_set_contents_full(soffice, "#!/bin/false\n", -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	g_setenv("PATH", paths, TRUE); /* one is there, whatever this machine has */
	tl_papers_hook(desk.papers, command, path, 20, paper_outcome_done, &hook);
	tl_papers_office(desk.papers, path, "a.rtf", paper_outcome_done, &office);
	g_assert_cmpuint(jobs_under_way(&desk), ==, 1);
	FILE *door = fopen(go, "w"); /* once the hook reads */
	g_assert_true(fputs("go", door) >= 0 && fclose(door) == 0);
	while (!hook.done)
		g_main_context_iteration(NULL, TRUE);
	g_setenv("PATH", before, TRUE);
	g_assert_true(hook.ok && !office.done);
	paper_rig_clear(&desk); /* ends it */
	g_assert_true(office.done);
	paper_outcome_clear(&hook), paper_outcome_clear(&office);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/paper/round", test_round);
	g_test_add_func("/paper/bad-input", test_bad_input);
	g_test_add_func("/paper/time", test_time);
	g_test_add_func("/paper/hook", test_hook);
	g_test_add_func("/paper/blame", test_blame);
	g_test_add_func("/paper/machine", test_machine);
	g_test_add_func("/paper/once", test_once);
	g_test_add_func("/paper/orphan", test_orphan);
	g_test_add_func("/paper/office", test_office);
	g_test_add_func("/paper/turns", test_turns);
	return g_test_run();
}
