/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What documents look like as fax pages, measured; and bombs, which end as an error and never as a page without them. */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <string.h>
#include <tiffio.h>

#include "base/thread.h"
#include "paper-rig.h"

/* ---- what is on the pages ---- */

struct page {
	guint8 *bits; /* lines of 1728 pels, the leftmost the highest bit, 1 is black */
	unsigned lines;
};

static struct page read_page(struct paper_rig *desk, const char *sha256, unsigned number)
{
	g_autofree char *path = tl_blobs_path(desk->blobs, sha256);
	TIFF *tiff = TIFFOpen(path, "r");
	uint32_t width = 0, lines = 0;
	g_assert_true(tiff && TIFFSetDirectory(tiff, number - 1));
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &lines);
	g_assert_cmpuint(width, ==, 1728);
	struct page page = { g_malloc(lines * 216), lines };
	for (unsigned y = 0; y < lines; y++)
		g_assert_cmpint(TIFFReadScanline(tiff, page.bits + y * 216, y, 0), ==, 1);
	TIFFClose(tiff);
	return page;
}

static bool is_black(const struct page *page, unsigned x, unsigned y)
{
	return page->bits[y * 216 + x / 8] >> (7 - x % 8) & 1;
}

/* Of 1: how much of the area is black. */
static double darkness(const struct page *page, unsigned x0, unsigned y0, unsigned x1, unsigned y1)
{
	unsigned black = 0;
	for (unsigned y = y0; y < y1; y++)
		for (unsigned x = x0; x < x1; x++)
			black += is_black(page, x, y);
	return (double)black / ((x1 - x0) * (y1 - y0));
}

/* So dark everywhere: in each of its squares, not only on the whole, or it would be a pattern and no shade. */
static void expect_shade(const struct page *page, unsigned x0, unsigned y0, unsigned x1, unsigned y1, double shade)
{
	g_assert_cmpfloat(ABS(darkness(page, x0, y0, x1, y1) - shade), <, 0.015);
	for (unsigned y = y0; y + 32 <= y1; y += 32)
		for (unsigned x = x0; x + 32 <= x1; x += 32)
			g_assert_cmpfloat(ABS(darkness(page, x, y, x + 32, y + 32) - shade), <, 0.06);
}

/* ---- pictures ---- */

#define WIDE 864
#define HIGH 1144

static void fill(GdkPixbuf *pixbuf, int x, int y, guint32 rgba)
{
	g_autoptr(GdkPixbuf) part = gdk_pixbuf_new_subpixbuf(pixbuf, x, y, WIDE / 2, HIGH / 2);
	gdk_pixbuf_fill(part, rgba);
}

/* Black and half grey above, white and a quarter grey below. */
static GdkPixbuf *quarters(void)
{
	GdkPixbuf *pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, WIDE, HIGH);
	fill(pixbuf, 0, 0, 0x000000ff);
	fill(pixbuf, WIDE / 2, 0, 0x808080ff);
	fill(pixbuf, 0, HIGH / 2, 0xffffffff);
	fill(pixbuf, WIDE / 2, HIGH / 2, 0xc0c0c0ff);
	return pixbuf;
}

/* The whole width of the sheet: its shape makes @lines of it. Shades from left to right, above and below. */
static void expect_quarters(struct paper_rig *desk, struct paper_outcome *outcome, unsigned lines, const double shades[4])
{
	enum { INSET = 40 };
	g_assert_true(outcome->ok);
	g_assert_cmpint(outcome->pages, ==, 1);
	struct page page = read_page(desk, outcome->path, 1);
	g_assert_cmpuint(page.lines, ==, 2287);
	for (unsigned i = 0; i < 4; i++) {
		unsigned x = i % 2 * 864, y = i / 2 * lines / 2;
		expect_shade(&page, x + INSET, y + INSET, x + 864 - INSET, y + lines / 2 - INSET, shades[i]);
	}
	g_assert_cmpfloat(darkness(&page, 0, lines + INSET, 1728, page.lines), ==, 0); /* paper below it */
	g_free(page.bits);
	paper_outcome_clear(outcome);
}

/* 215 mm for 864 pels makes 284.7 mm for 1144, at 7.7 lines a mm. */
#define UPRIGHT_LINES 2192
static const double upright[] = { 1, 1 - 128 / 255.0, 0, 1 - 192 / 255.0 };

/* @kind: "png" or "jpeg"; @orientation: Exif's, written in front of a JPEG's own segments; 0: none. */
static struct paper_outcome convert_picture(struct paper_rig *desk, GdkPixbuf *pixbuf, const char *kind, guint8 orientation)
{
	g_autofree char *octets = NULL;
	gsize n;
	g_assert_true(gdk_pixbuf_save_to_buffer(pixbuf, &octets, &n, kind, NULL, NULL));
	const guint8 exif[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, /* one entry: */
				1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0 };
	g_autoptr(GByteArray) file = g_byte_array_new();
	g_byte_array_append(file, (const guint8 *)octets, orientation ? 2 : n);
	if (orientation) {
		g_byte_array_append(file, exif, sizeof exif);
		g_byte_array_append(file, (const guint8 *)octets + 2, n - 2);
	}
	return paper_rig_convert(desk, "picture", file->data, file->len, NULL);
}

static void test_picture(void)
{
	struct paper_rig desk = paper_rig_new();
	g_autoptr(GdkPixbuf) pixbuf = quarters();
	struct paper_outcome png = convert_picture(&desk, pixbuf, "png", 0), jpeg = convert_picture(&desk, pixbuf, "jpeg", 0);
	expect_quarters(&desk, &png, UPRIGHT_LINES, upright);
	expect_quarters(&desk, &jpeg, UPRIGHT_LINES, upright);
	paper_rig_clear(&desk);
}

/* As cameras write them: however it was held, the page is upright. */
static void test_orientation(void)
{
	static const struct { guint8 orientation; GdkPixbufRotation stored; } held[] = {
		{ 3, GDK_PIXBUF_ROTATE_UPSIDEDOWN }, { 6, GDK_PIXBUF_ROTATE_COUNTERCLOCKWISE }, { 8, GDK_PIXBUF_ROTATE_CLOCKWISE } };
	struct paper_rig desk = paper_rig_new();
	g_autoptr(GdkPixbuf) pixbuf = quarters();
	for (unsigned i = 0; i < G_N_ELEMENTS(held); i++) {
		g_autoptr(GdkPixbuf) stored = gdk_pixbuf_rotate_simple(pixbuf, held[i].stored);
		struct paper_outcome outcome = convert_picture(&desk, stored, "jpeg", held[i].orientation);
		expect_quarters(&desk, &outcome, UPRIGHT_LINES, upright);
	}
	/* One that lies, and does not say how it was held, is turned a quarter to the right to fill the page. */
	g_autoptr(GdkPixbuf) lying = gdk_pixbuf_rotate_simple(pixbuf, GDK_PIXBUF_ROTATE_COUNTERCLOCKWISE);
	struct paper_outcome outcome = convert_picture(&desk, lying, "png", 0);
	expect_quarters(&desk, &outcome, UPRIGHT_LINES, upright);
	paper_rig_clear(&desk);
}

/* Colours by their brightness; what can be seen through is paper; a small picture is not blown up beyond 75 dpi. */
static void test_colours(void)
{
	static const double shades[] = { 1 - 77 * 255 / 256 / 255.0, 1 - 150 * 255 / 256 / 255.0, 1 - 29 * 255 / 256 / 255.0, 0 };
	struct paper_rig desk = paper_rig_new();
	g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, TRUE, 8, WIDE, HIGH);
	fill(pixbuf, 0, 0, 0xff0000ff);
	fill(pixbuf, WIDE / 2, 0, 0x00ff00ff);
	fill(pixbuf, 0, HIGH / 2, 0x0000ffff);
	fill(pixbuf, WIDE / 2, HIGH / 2, 0x00000000);
	struct paper_outcome outcome = convert_picture(&desk, pixbuf, "png", 0);
	expect_quarters(&desk, &outcome, UPRIGHT_LINES, shades);
	g_autoptr(GdkPixbuf) small = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 100, 100);
	gdk_pixbuf_fill(small, 0x000000ff);
	outcome = convert_picture(&desk, small, "png", 0);
	g_assert_true(outcome.ok);
	struct page page = read_page(&desk, outcome.path, 1);
	/* 100 / 75 inches: 272 pels in the middle of 1728, 261 lines. */
	g_assert_cmpfloat(darkness(&page, 732, 4, 996, 256), ==, 1);
	g_assert_cmpfloat(darkness(&page, 0, 0, 724, page.lines) + darkness(&page, 1004, 0, 1728, page.lines), ==, 0);
	g_assert_cmpfloat(darkness(&page, 0, 265, 1728, page.lines), ==, 0);
	g_free(page.bits);
	paper_outcome_clear(&outcome);
	paper_rig_clear(&desk);
}

/* ---- cover pages ---- */

static struct paper_outcome cover(struct paper_rig *desk, const char *markup, const char *to)
{
	g_autofree char *file = g_build_filename(desk->dir, "cover", NULL), *text = g_build_filename(desk->dir, "a.txt", NULL);
	g_autofree char *option = g_strdup_printf("--cover=%s", file), *value = g_strdup_printf("--value=to=%s", to);
	g_assert_true(g_file_set_contents(file, markup, -1, NULL) && g_file_set_contents(text, "a page\n", -1, NULL));
	return paper_rig_run(desk, "fax", (const char *[]){ option, value, text, NULL });
}

static bool same_page(struct paper_rig *desk, const struct paper_outcome *a, unsigned page_a, const struct paper_outcome *b, unsigned page_b)
{
	struct page one = read_page(desk, a->path, page_a), other = read_page(desk, b->path, page_b);
	bool same = one.lines == other.lines && !memcmp(one.bits, other.bits, one.lines * 216);
	g_free(one.bits);
	g_free(other.bits);
	return same;
}

/* Filled in, a cover looks as if it had been written so; what is filled in is text, whatever it looks like. */
static void test_cover(void)
{
	struct paper_rig desk = paper_rig_new();
	struct paper_outcome filled = cover(&desk, "<b>To {to}</b>\n{pages} pages {nothing}", "<i>030 &amp;");
	struct paper_outcome written = cover(&desk, "<b>To &lt;i&gt;030 &amp;amp;</b>\n2 pages {nothing}", "x");
	struct paper_outcome other = cover(&desk, "<b>To {to}</b>\n{pages} pages {nothing}", "<i>031 &amp;");
	struct paper_outcome broken = cover(&desk, "<b>To {to}", "x"), plain = paper_rig_convert(&desk, "a.txt", "a page\n", -1, NULL);
	g_assert_true(filled.ok && written.ok && other.ok && plain.ok);
	g_assert_cmpint(filled.pages, ==, 2);
	g_assert_true(same_page(&desk, &filled, 1, &written, 1));
	g_assert_false(same_page(&desk, &filled, 1, &other, 1));
	g_assert_true(same_page(&desk, &filled, 2, &plain, 1));
	g_assert_true(!broken.ok && strstr(broken.why, "the cover page: "));
	struct page page = read_page(&desk, filled.path, 1);
	g_assert_cmpfloat(darkness(&page, 0, 0, 1728, 300), >, 0.002);
	g_assert_cmpfloat(darkness(&page, 0, 300, 1728, page.lines), ==, 0);
	g_free(page.bits);
	struct paper_outcome *all[] = { &filled, &written, &other, &broken, &plain };
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
		paper_outcome_clear(all[i]);
	paper_rig_clear(&desk);
}

/* ---- bombs ---- */

static GBytes *packed(const char *octets, gsize n)
{
	g_autoptr(GConverter) zlib = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9));
	g_autoptr(GInputStream) plain = g_memory_input_stream_new_from_data(octets, n, NULL);
	g_autoptr(GInputStream) in = g_converter_input_stream_new(plain, zlib);
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_output_stream_splice(out, in, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

/* A page that shows its object 5; without a table of where objects are, which readers make themselves. */
static struct paper_outcome convert_pdf(struct paper_rig *desk, const char *content_head, GBytes *content, const char *image_head, GBytes *image)
{
	g_autoptr(GByteArray) file = g_byte_array_new();
	const struct { const char *head; GBytes *octets; } streams[] = { { content_head, content }, { image_head, image } };
	static const char begin[] = "%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
				    "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>\nendobj\n";
	static const char end[] = "trailer\n<</Size 6/Root 1 0 R>>\n%%EOF\n";
	g_byte_array_append(file, (const guint8 *)begin, strlen(begin));
	for (unsigned i = 0; i < 2; i++) {
		gsize n;
		const void *octets = g_bytes_get_data(streams[i].octets, &n);
		g_autofree char *head = g_strdup_printf("%u 0 obj\n<<%s/Length %zu>>\nstream\n", i + 4, streams[i].head, n);
		g_byte_array_append(file, (const guint8 *)head, strlen(head));
		g_byte_array_append(file, octets, n);
		g_byte_array_append(file, (const guint8 *)"\nendstream\nendobj\n", strlen("\nendstream\nendobj\n"));
	}
	g_byte_array_append(file, (const guint8 *)end, strlen(end));
	return paper_rig_convert(desk, "bomb.pdf", file->data, file->len, NULL);
}

#define TOO_MUCH "takes more time or memory than is allowed"

/* A few kilobytes that become a gigabyte of strokes: its second of a processor ends it. */
static void test_bomb_of_time(void)
{
	struct paper_rig desk = paper_rig_limited(1, 512, 1);
	g_autoptr(GString) strokes = g_string_new(NULL);
	while (strokes->len < 32 << 20)
		g_string_append(strokes, "0 0 10 10 re f ");
	g_autoptr(GBytes) once = packed(strokes->str, strokes->len), nothing = g_bytes_new("", 0);
	gsize n;
	const char *octets = g_bytes_get_data(once, &n);
	g_autoptr(GBytes) twice = packed(octets, n);
	struct paper_outcome outcome = convert_pdf(&desk, "/Filter[/FlateDecode/FlateDecode]", twice, "", nothing);
	g_assert_cmpuint(g_bytes_get_size(twice), <, 100 << 10);
	g_assert_true(!outcome.ok && outcome.code == G_IO_ERROR_INVALID_DATA);
	g_assert_nonnull(strstr(outcome.why, TOO_MUCH));
	paper_outcome_clear(&outcome);
	paper_rig_clear(&desk);
}

/* It would be allowed, and the machine has not got it: no fault of the document. */
static void assert_poor(struct paper_rig *desk, const char *release, GBytes *content, const char *head, GBytes *image)
{
	g_autofree char *program = g_build_filename(desk->dir, "poor", NULL);
	g_autofree char *text = g_strdup_printf("#!/bin/sh\nulimit -d 131072\nexec %s \"$@\"\n", release);
	g_assert_true(g_file_set_contents_full(program, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	struct paper_rig poor = paper_rig_with(program, 1, 512, 20);
	struct paper_outcome failed = convert_pdf(&poor, "", content, head, image);
	g_assert_true(!failed.ok && failed.code == G_IO_ERROR_FAILED);
	paper_outcome_clear(&failed);
	paper_rig_clear(&poor);
}

/* 64 kilobytes that become a picture of 256 MiB: more than one may take is an end, and never a page without it. */
static void test_bomb_of_memory(void)
{
	enum { SIDE = 8000 };
	g_autofree char *release = paper_rig_beside("../release/faxpages");
	if (!g_file_test(release, G_FILE_TEST_IS_EXECUTABLE)) {
		g_test_skip("a sanitizer knows no limit of memory, and there is no release build");
		return;
	}
	struct paper_rig small = paper_rig_with(release, 1, 128, 20), large = paper_rig_with(release, 1, 512, 20);
	g_autofree char *black = g_malloc0(SIDE * SIDE);
	g_autoptr(GBytes) image = packed(black, SIDE * SIDE), content = g_bytes_new("q 595 0 0 842 0 0 cm /I Do Q", 28);
	g_autofree char *head = g_strdup_printf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
						"/Filter/FlateDecode", SIDE, SIDE);
	struct paper_outcome refused = convert_pdf(&small, "", content, head, image), good = convert_pdf(&large, "", content, head, image);
	g_assert_true(!refused.ok && refused.code == G_IO_ERROR_INVALID_DATA);
	g_assert_nonnull(strstr(refused.why, TOO_MUCH));
	g_assert_true(good.ok);
	struct page page = read_page(&large, good.path, 1);
	g_assert_cmpfloat(darkness(&page, 40, 40, 1680, 2200), ==, 1);
	g_free(page.bits);
	paper_outcome_clear(&refused), paper_outcome_clear(&good);
	paper_rig_clear(&small);
	assert_poor(&large, release, content, head, image);
	paper_rig_clear(&large);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/paper/picture", test_picture);
	g_test_add_func("/paper/orientation", test_orientation);
	g_test_add_func("/paper/colours", test_colours);
	g_test_add_func("/paper/cover", test_cover);
	g_test_add_func("/paper/bomb-of-time", test_bomb_of_time);
	g_test_add_func("/paper/bomb-of-memory", test_bomb_of_memory);
	return g_test_run();
}
