/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax-rig.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define TICKS_MAX 60000 /* ten minutes of line time */

static void on_negotiated(struct tl_fax *fax, const struct tl_fax_negotiated *negotiated, void *user)
{
	struct fax_log *log = user;
	log->n_negotiated++;
	log->negotiated = *negotiated;
}

static void on_page(struct tl_fax *fax, const struct tl_fax_page *page, void *user)
{
	struct fax_log *log = user;
	g_assert_cmpuint(log->n_pages, <, G_N_ELEMENTS(log->pages));
	log->pages[log->n_pages++] = *page;
}

static void on_ended(struct tl_fax *fax, const struct tl_fax_result *result, void *user)
{
	struct fax_log *log = user;
	g_assert_false(log->ended);
	log->result = *result;
	log->ended = true;
	log->fax = NULL;
}

static int keep(unsigned number, const void *octets, size_t n, unsigned within_ms, void *user)
{
	struct fax_log *log = user;
	g_autofree char *path = g_strdup_printf("%s/page-%04u.tif", log->directory, number);
	if (log->keep_ms)
		g_usleep(log->keep_ms * 1000);
	if (log->keep_result)
		return log->keep_result;
	g_assert_true(g_file_set_contents(path, octets, n, NULL));
	log->n_kept++;
	return 0;
}

const struct tl_fax_handler fax_rig_handler = { on_negotiated, on_page, on_ended, keep };

void fax_rig_init(struct fax_rig *rig, const struct fax_paper *paper, unsigned keep_within_ms)
{
	*rig = (struct fax_rig){ .paper = *paper };
	rig_init(&rig->rig);
	rig->directory = g_dir_make_tmp("fax-XXXXXX", NULL);
	rig->document = g_build_filename(rig->directory, "document.tif", NULL);
	rig->receiver.directory = rig->sender.directory = rig->directory;
	fax_paper_write(rig->document, paper);
	const struct tl_fax_pool_config config = { .media = rig->rig.media, .threads = 2, .depth_ms = 40,
						   .keep_within_ms = keep_within_ms };
	rig->pool = tl_fax_pool_new(&config);
	rig->sender.port = tl_port_new_timeslot(rig->rig.media, rig->rig.e1, 1, NULL);
	rig->receiver.port = tl_port_new_timeslot(rig->rig.media, rig->rig.e1, 2, NULL);
	fake_span_wire(rig->rig.e1, 1, 2);
	fake_span_wire(rig->rig.e1, 2, 1);
}

void fax_rig_done(struct fax_rig *rig)
{
	tl_fax_pool_free(rig->pool);
	tl_port_free(rig->sender.port);
	tl_port_free(rig->receiver.port);
	rig_done(&rig->rig);
	g_autoptr(GDir) directory = g_dir_open(rig->directory, 0, NULL);
	for (const char *name; (name = g_dir_read_name(directory));) {
		g_autofree char *path = g_build_filename(rig->directory, name, NULL);
		g_unlink(path);
	}
	g_rmdir(rig->directory);
	g_free(rig->directory);
	g_free(rig->document);
}

struct tl_fax_config fax_rig_config(bool sends, bool ecm)
{
	return (struct tl_fax_config){
		.sends = sends, .calling = sends,
		.options = { .ident = "+49 30 1", .ecm = ecm, .modems = TL_FAX_ALL, .codings = TL_FAX_ALL,
			     .resolutions = TL_FAX_ALL, .widths = TL_FAX_ALL },
	};
}

static void start(struct fax_rig *rig, struct fax_log *log, struct tl_fax_config config)
{
	GError *error = NULL;
	config.document = rig->document;
	log->fax = tl_fax_start(rig->pool, log->port, &config, &fax_rig_handler, log, &error);
	g_assert_no_error(error);
}

void fax_rig_start(struct fax_rig *rig, const struct tl_fax_config *sends, const struct tl_fax_config *receives)
{
	start(rig, &rig->receiver, *receives);
	rig_step(&rig->rig, rig->head_start);
	start(rig, &rig->sender, *sends);
}

void fax_rig_finish(struct fax_rig *rig)
{
	rig_step_until(&rig->rig, rig->sender.ended && rig->receiver.ended, TICKS_MAX);
}

void fax_rig_call(struct fax_rig *rig, const struct tl_fax_config *sends, const struct tl_fax_config *receives)
{
	fax_rig_start(rig, sends, receives);
	fax_rig_finish(rig);
}

void fax_rig_assert_whole(struct fax_rig *rig)
{
	g_assert_cmpstr(rig->sender.result.words, ==, "ok");
	g_assert_cmpstr(rig->receiver.result.words, ==, "ok");
	g_assert_cmpuint(rig->sender.result.pages, ==, rig->paper.pages);
	g_assert_cmpuint(rig->receiver.result.pages, ==, rig->paper.pages);
	g_assert_cmpuint(rig->sender.n_pages, ==, rig->paper.pages);
	g_assert_cmpuint(rig->receiver.n_pages, ==, rig->paper.pages);
	for (unsigned page = 1; page <= rig->paper.pages; page++) {
		g_autofree char *path = g_strdup_printf("%s/page-%04u.tif", rig->directory, page);
		g_assert_cmpuint(rig->receiver.pages[page - 1].number, ==, page);
		fax_paper_assert(path, &rig->paper, page);
	}
}
