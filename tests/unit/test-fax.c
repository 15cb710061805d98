/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Fax machines of the pool, calling each other: every modem and coding, pixel by pixel; and pages that cannot be kept. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <tiffio.h>
#include <time.h>

#include "fax-rig.h"

#define KEEP_WITHIN_MS 20000

static const struct fax_paper small = FAX_PAPER_SMALL;

/* ---- modems and codings ---- */

struct way {
	const char *name, *modem, *coding;
	bool ecm;
	unsigned bit_rate;
};

static const struct way ways[] = {
	{ "v27ter-mh", "v27ter", "mh", false, 4800 },
	{ "v29-mr", "v29", "mr", false, 9600 },
	{ "v17-mh", "v17", "mh", false, 14400 },
	{ "v17-mr-ecm", "v17", "mr", true, 14400 },
	{ "v29-mh-ecm", "v29", "mh", true, 9600 },
	{ "v27ter-mmr-ecm", "v27ter", "mmr", true, 4800 },
	{ "v17-mmr-ecm", "v17", "mmr", true, 14400 },
};

static void test_way(const void *data)
{
	const struct way *way = data;
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, way->ecm), receives = fax_rig_config(false, way->ecm);
	receives.options.modems = receives.options.codings = 0;
	g_assert_true(tl_fax_ability_parse(TL_FAX_MODEM, way->modem, &receives.options.modems));
	/* V.17 machines have V.29 and V.27 ter as well (T.30 table 2). */
	if (!strcmp(way->modem, "v17"))
		receives.options.modems = TL_FAX_ALL;
	if (!strcmp(way->modem, "v29"))
		g_assert_true(tl_fax_ability_parse(TL_FAX_MODEM, "v27ter", &receives.options.modems));
	g_assert_true(tl_fax_ability_parse(TL_FAX_CODING, "mh", &receives.options.codings));
	g_assert_true(tl_fax_ability_parse(TL_FAX_CODING, way->coding, &receives.options.codings));
	fax_rig_call(&rig, &sends, &receives);
	fax_rig_assert_whole(&rig);
	g_assert_cmpstr(rig.receiver.pages[0].coding, ==, way->coding);
	g_assert_cmpuint(rig.receiver.pages[0].bit_rate, ==, way->bit_rate);
	g_assert_cmpint(rig.receiver.pages[0].ecm, ==, way->ecm);
	g_assert_cmpstr(rig.receiver.pages[0].resolution, ==, "standard");
	fax_rig_done(&rig);
}

static void test_pages(void)
{
	struct fax_rig rig;
	const struct fax_paper paper = { .pages = 4, .width = 2432, .length = 50, .x_dpi = 204, .y_dpi = 196 };
	fax_rig_init(&rig, &paper, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, true), receives = fax_rig_config(false, true);
	fax_rig_call(&rig, &sends, &receives);
	fax_rig_assert_whole(&rig);
	g_assert_cmpstr(rig.receiver.pages[3].resolution, ==, "fine");
	g_assert_cmpstr(rig.receiver.result.remote_ident, ==, "+49 30 1");
	g_assert_cmpstr(rig.sender.result.remote_ident, ==, "+49 30 1");
	g_assert_cmpuint(rig.receiver.n_negotiated, >=, 1);
	fax_rig_done(&rig);
}

/* The rest of a document, from the page on that failed before. */
static void test_first_page(void)
{
	struct fax_rig rig;
	const struct fax_paper paper = { .pages = 3, .width = 1728, .length = 50, .x_dpi = 204, .y_dpi = 98 };
	fax_rig_init(&rig, &paper, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, false), receives = fax_rig_config(false, false);
	sends.first_page = 2;
	sends.last_page = 2;
	fax_rig_call(&rig, &sends, &receives);
	g_assert_cmpstr(rig.sender.result.words, ==, "ok");
	g_assert_cmpuint(rig.sender.n_pages, ==, 1);
	g_assert_cmpuint(rig.sender.pages[0].number, ==, 2);
	g_autofree char *path = g_build_filename(rig.directory, "page-0001.tif", NULL);
	fax_paper_assert(path, &paper, 2);
	fax_rig_done(&rig);
}

static void test_polling(void)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, true), receives = fax_rig_config(false, true);
	sends.calling = false;
	receives.calling = true;
	strcpy(receives.options.sub_address, "4711");
	strcpy(receives.options.password, "99");
	fax_rig_call(&rig, &sends, &receives);
	fax_rig_assert_whole(&rig);
	g_assert_cmpstr(rig.sender.result.sub_address, ==, "4711");
	g_assert_cmpstr(rig.sender.result.password, ==, "99");
	fax_rig_done(&rig);
}

static void test_sub_address(void)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, true), receives = fax_rig_config(false, true);
	strcpy(sends.options.sub_address, "4711");
	fax_rig_call(&rig, &sends, &receives);
	fax_rig_assert_whole(&rig);
	g_assert_cmpstr(rig.receiver.result.sub_address, ==, "4711");
	fax_rig_done(&rig);
}

static void test_incompatible(void)
{
	struct fax_rig rig;
	const struct fax_paper wide = { .pages = 1, .width = 2432, .length = 50, .x_dpi = 204, .y_dpi = 98 };
	fax_rig_init(&rig, &wide, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, false), receives = fax_rig_config(false, false);
	receives.options.widths = 0;
	g_assert_true(tl_fax_ability_parse(TL_FAX_WIDTH, "a4", &receives.options.widths));
	fax_rig_call(&rig, &sends, &receives);
	g_assert_cmpint(rig.sender.result.trouble, ==, TL_FAX_INCOMPATIBLE);
	g_assert_cmpuint(rig.receiver.result.pages, ==, 0);
	g_assert_cmpint(rig.receiver.result.trouble, !=, TL_FAX_FINE);
	fax_rig_done(&rig);
}

/* ---- pages that cannot be kept are never confirmed ---- */

static void assert_unconfirmed(struct fax_rig *rig)
{
	g_assert_cmpint(rig->receiver.result.trouble, ==, TL_FAX_DISK);
	g_assert_cmpuint(rig->receiver.n_pages, ==, 0);
	g_assert_cmpuint(rig->sender.n_pages, ==, 0);
	g_assert_cmpuint(rig->sender.result.pages, ==, 0);
	g_assert_cmpint(rig->sender.result.trouble, !=, TL_FAX_FINE);
}

static void test_disk_full(const void *ecm)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, ecm), receives = fax_rig_config(false, ecm);
	rig.receiver.keep_result = -ENOSPC;
	fax_rig_call(&rig, &sends, &receives);
	assert_unconfirmed(&rig);
	g_assert_nonnull(strstr(rig.receiver.result.words, "No space left"));
	fax_rig_done(&rig);
}

/* The disk answers, but too late: the line was cut at the limit, whatever the disk says then. */
static void test_disk_slow(const void *ecm)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, 20);
	struct tl_fax_config sends = fax_rig_config(true, ecm), receives = fax_rig_config(false, ecm);
	rig.receiver.keep_ms = 400;
	fax_rig_call(&rig, &sends, &receives);
	g_assert_cmpint(rig.receiver.result.trouble, ==, TL_FAX_DISK);
	g_assert_cmpuint(rig.sender.n_pages, ==, 0);
	g_assert_cmpint(rig.sender.result.trouble, !=, TL_FAX_FINE);
	fax_rig_done(&rig);
}

/* As slow as it may be: T.30's time stands still meanwhile, and the page is confirmed. */
static void test_disk_in_time(const void *ecm)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, ecm), receives = fax_rig_config(false, ecm);
	rig.receiver.keep_ms = 300;
	fax_rig_call(&rig, &sends, &receives);
	fax_rig_assert_whole(&rig);
	fax_rig_done(&rig);
}

/* ---- far ends that misbehave ---- */

#define DCS_FRAME 0x82 /* T.30 5.3.6.1.3, its first bit as sent by a caller masked */

/* A DCS that claims B4 before rows of A4: whatever the receiver makes of the rows, it must not confirm a page that it has not. */
static void lie_about_width(bool sent, uint8_t *octets, unsigned n, void *user)
{
	if (sent && n > 5 && (octets[2] & 0xfe) == DCS_FRAME)
		octets[5] = (octets[5] & ~0x03) | 0x01;
}

static void test_wrong_width(const void *ecm)
{
	static const struct tl_fax_faults faults = { .frame = lie_about_width };
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, ecm), receives = fax_rig_config(false, ecm);
	sends.faults = &faults;
	fax_rig_call(&rig, &sends, &receives);
	g_assert_cmpuint(rig.sender.n_pages, <=, rig.receiver.n_kept);
	fax_rig_done(&rig);
}

static void test_stop(void)
{
	struct fax_rig rig;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config receives = fax_rig_config(false, true);
	GError *error = NULL;
	rig.receiver.fax = tl_fax_start(rig.pool, rig.receiver.port, &receives, &fax_rig_handler, &rig.receiver, &error);
	g_assert_no_error(error);
	rig_step(&rig.rig, 100);
	tl_fax_stop(rig.receiver.fax, TL_FAX_STOPPED);
	rig_step_until(&rig.rig, rig.receiver.ended, 1000);
	g_assert_cmpint(rig.receiver.result.trouble, ==, TL_FAX_STOPPED);
	g_assert_cmpint(rig.receiver.result.code, ==, -1);
	/* The port is free again; and a pool that is freed under a fax ends it without a word. */
	rig.receiver.ended = false;
	tl_fax_start(rig.pool, rig.receiver.port, &receives, &fax_rig_handler, &rig.receiver, &error);
	g_assert_no_error(error);
	rig_step(&rig.rig, 10);
	fax_rig_done(&rig);
	g_assert_false(rig.receiver.ended);
}

/* ---- the line above each page ---- */

static _Atomic time_t clock_of_headers; /* 0: the real one */

/* In place of the C library's own: SpanDSP dates its lines by it. */
time_t time(time_t *at)
{
	struct timespec now = { clock_of_headers, 0 };
	if (!clock_of_headers)
		clock_gettime(CLOCK_REALTIME, &now);
	if (at)
		*at = now.tv_sec;
	return now.tv_sec;
}

/* What stands above a page that is sent at @utc from a place of @zone: its rows, 216 octets each. */
static GByteArray *header_at(time_t utc, const char *zone)
{
	struct fax_rig rig;
	guint8 row[216];
	uint32_t lines = 0;
	fax_rig_init(&rig, &small, KEEP_WITHIN_MS);
	struct tl_fax_config sends = fax_rig_config(true, false), receives = fax_rig_config(false, false);
	strcpy(sends.options.header, "Smith & Co");
	tl_fax_zone(zone, sends.options.header_zone, sizeof sends.options.header_zone);
	clock_of_headers = utc;
	fax_rig_call(&rig, &sends, &receives);
	clock_of_headers = 0;
	g_assert_cmpstr(rig.receiver.result.words, ==, "ok");
	g_autofree char *path = g_build_filename(rig.directory, "page-0001.tif", NULL);
	TIFF *tiff = TIFFOpen(path, "r");
	g_assert_nonnull(tiff);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &lines);
	g_assert_cmpuint(lines, >, small.length); /* nothing of the page is hidden by it */
	GByteArray *header = g_byte_array_new();
	for (unsigned y = 0; y < lines - small.length; y++) {
		g_assert_cmpint(TIFFReadScanline(tiff, row, y, 0), ==, 1);
		g_byte_array_append(header, row, sizeof row);
	}
	TIFFClose(tiff);
	fax_rig_done(&rig);
	return header;
}

static bool same(const GByteArray *a, const GByteArray *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* The time of the place, summer and winter: pel by pel the line of a clock that shows it anyway. */
static void test_header(void)
{
	static const struct { const char *zone; time_t local; int ahead_s; } places[] = {
		{ "Europe/Berlin", 1768465800, 3600 },       /* 2026-01-15 08:30 */
		{ "Europe/Berlin", 1784104200, 7200 },       /* 2026-07-15 08:30 */
		{ "America/Sao_Paulo", 1768465800, -10800 }, /* its zone has no name but <-03> */
		{ "IST-5:30", 1768465800, 19800 },           /* as in TZ */
	};
	g_autoptr(GByteArray) winter = header_at(places[0].local, "UTC0"), summer = header_at(places[1].local, "UTC0");
	unsigned black = 0;
	for (unsigned i = 0; i < winter->len * 8; i++)
		black += winter->data[i / 8] >> i % 8 & 1;
	g_assert_cmpuint(black, >, 200);
	g_assert_false(same(winter, summer));
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GByteArray) header = header_at(places[i].local - places[i].ahead_s, places[i].zone);
		if (!same(header, places[i].local == places[0].local ? winter : summer))
			g_error("%s: not the time of the place", places[i].zone);
	}
}

/* ---- documents ---- */

static void test_documents(void)
{
	g_autofree char *directory = g_dir_make_tmp("fax-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "document.tif", NULL);
	const struct fax_paper paper = { .pages = 3, .width = 1728, .length = 10, .x_dpi = 204, .y_dpi = 98 };
	const struct fax_paper narrow = { .pages = 1, .width = 80, .length = 10, .x_dpi = 204, .y_dpi = 98 };
	g_autoptr(GError) error = NULL;
	fax_paper_write(path, &paper);
	g_assert_cmpuint(tl_fax_document_check(path, &error), ==, 3);
	g_assert_no_error(error);
	fax_paper_write(path, &narrow);
	g_assert_cmpuint(tl_fax_document_check(path, &error), ==, 0);
	g_assert_error(error, TL_FAX_ERROR, TL_FAX_ERROR_DOCUMENT);
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, "II*\0 and then nothing of use", 20, NULL));
	g_assert_cmpuint(tl_fax_document_check(path, &error), ==, 0);
	g_assert_error(error, TL_FAX_ERROR, TL_FAX_ERROR_DOCUMENT);
	g_remove(path);
	g_remove(directory);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *name = g_strdup_printf("/fax/way/%s", ways[i].name);
		g_test_add_data_func(name, &ways[i], test_way);
	}
	g_test_add_func("/fax/pages", test_pages);
	g_test_add_func("/fax/first-page", test_first_page);
	g_test_add_func("/fax/polling", test_polling);
	g_test_add_func("/fax/sub-address", test_sub_address);
	g_test_add_func("/fax/incompatible", test_incompatible);
	g_test_add_data_func("/fax/disk-full/plain", NULL, test_disk_full);
	g_test_add_data_func("/fax/disk-full/ecm", "ecm", test_disk_full);
	g_test_add_data_func("/fax/disk-slow/plain", NULL, test_disk_slow);
	g_test_add_data_func("/fax/disk-slow/ecm", "ecm", test_disk_slow);
	g_test_add_data_func("/fax/disk-in-time/plain", NULL, test_disk_in_time);
	g_test_add_data_func("/fax/disk-in-time/ecm", "ecm", test_disk_in_time);
	g_test_add_data_func("/fax/wrong-width/plain", NULL, test_wrong_width);
	g_test_add_data_func("/fax/wrong-width/ecm", "ecm", test_wrong_width);
	g_test_add_func("/fax/stop", test_stop);
	g_test_add_func("/fax/header", test_header);
	g_test_add_func("/fax/documents", test_documents);
	return g_test_run();
}
