/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "paper-rig.h"

char *paper_rig_beside(const char *name)
{
	g_autofree char *own = g_file_read_link("/proc/self/exe", NULL), *folder = g_path_get_dirname(own);
	return g_build_filename(folder, "..", "..", name, NULL);
}

struct paper_rig paper_rig_with(const char *program, unsigned at_once, unsigned memory_mib, unsigned time_s)
{
	struct paper_rig desk = { .dir = g_dir_make_tmp("trunkline-paper-XXXXXX", NULL) };
	g_autofree char *blobs = g_build_filename(desk.dir, "blobs", NULL);
	g_autofree char *papers = g_build_filename(desk.dir, "papers", NULL);
	desk.blobs = tl_blobs_new(blobs, 0);
	desk.papers = tl_papers_new(&(struct tl_papers_config){ .program = program, .folder = papers, .blobs = desk.blobs, .at_once = at_once,
								.memory_mib = memory_mib, .time_s = time_s, .pages_max = 5 });
	return desk;
}

struct paper_rig paper_rig_limited(unsigned at_once, unsigned memory_mib, unsigned time_s)
{
	g_autofree char *program = paper_rig_beside("faxpages");
	return paper_rig_with(program, at_once, memory_mib, time_s);
}

struct paper_rig paper_rig_new(void)
{
	return paper_rig_limited(2, 512, 20);
}

void paper_rig_clear(struct paper_rig *desk)
{
	tl_papers_free(desk->papers);
	tl_blobs_free(desk->blobs);
	g_autofree char *quoted = g_shell_quote(desk->dir), *command = g_strdup_printf("rm -rf %s", quoted);
	g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	g_free(desk->dir);
}

void paper_outcome_done(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct paper_outcome *outcome = user;
	outcome->done = true;
	outcome->ok = !error;
	outcome->code = error ? error->code : 0;
	outcome->why = error ? g_strdup(error->message) : NULL;
	outcome->pages = result ? json_object_get_int_member_with_default(result, "pages", 0) : 0;
	outcome->path = blob ? g_strdup(blob->sha256) : NULL;
}

struct paper_outcome paper_rig_run(struct paper_rig *desk, const char *job, const char *const *arguments)
{
	struct paper_outcome outcome = { false };
	tl_papers_run(desk->papers, job, arguments, paper_outcome_done, &outcome);
	while (!outcome.done)
		g_main_context_iteration(NULL, TRUE);
	return outcome;
}

void paper_outcome_clear(struct paper_outcome *outcome)
{
	g_free(outcome->why);
	g_free(outcome->path);
}

struct paper_outcome paper_rig_convert(struct paper_rig *desk, const char *name, const void *octets, gssize n, const char *option)
{
	g_autofree char *path = g_build_filename(desk->dir, name, NULL), *mail = option ? g_strdup_printf("%s=%s", option, path) : NULL;
	g_assert_true(g_file_set_contents(path, octets, n, NULL));
	return paper_rig_run(desk, "fax", (const char *[]){ mail ? mail : path, NULL });
}
