/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Sheets, the book they are collected in, and how grey becomes black and white. */
#include "paper/work.h"

#include <math.h>
#include <string.h>

#define STRIDE (TL_SHEET_WIDTH / 8)
#define SHEET_WIDTH_MM 215.0
#define PT_A_MM (72.0 / 25.4)
/* An edge, not a shade: so much difference within three by three pels. */
#define EDGE 150

G_DEFINE_QUARK(tl-paper-error-quark, tl_paper_error)

void tl_sheet_free(struct tl_sheet *sheet)
{
	if (!sheet)
		return;
	g_free(sheet->bits);
	g_free(sheet);
}

static void free_sheet(void *sheet)
{
	tl_sheet_free(sheet);
}

struct tl_book *tl_book_new(bool fine, bool letter, unsigned sheets_max)
{
	struct tl_book *book = g_new0(struct tl_book, 1);
	book->sheets = g_ptr_array_new_with_free_func(free_sheet);
	book->fine = fine;
	book->paper_height_mm = letter ? 279.4 : 297;
	book->sheets_max = sheets_max;
	return book;
}

void tl_book_free(struct tl_book *book)
{
	if (!book)
		return;
	g_ptr_array_unref(book->sheets);
	g_free(book);
}

bool tl_book_add(struct tl_book *book, struct tl_sheet *sheet, GError **error)
{
	if (book->sheets->len < book->sheets_max) {
		g_ptr_array_add(book->sheets, sheet);
		return true;
	}
	tl_sheet_free(sheet);
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_LIMIT, "more than %u pages", book->sheets_max);
	return false;
}

double tl_book_width_pt(const struct tl_book *book)
{
	(void)book;
	return SHEET_WIDTH_MM * PT_A_MM;
}

double tl_book_height_pt(const struct tl_book *book)
{
	return book->paper_height_mm * PT_A_MM;
}

cairo_t *tl_book_begin_page(struct tl_book *book)
{
	double lines_a_mm = book->fine ? 7.7 : 3.85;
	int lines = lround(book->paper_height_mm * lines_a_mm);
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, TL_SHEET_WIDTH, lines);
	cairo_t *cr = cairo_create(surface);
	cairo_surface_destroy(surface);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_scale(cr, TL_SHEET_WIDTH / tl_book_width_pt(book), lines / tl_book_height_pt(book));
	return cr;
}

/* Grey of one line, with a white pel on either side. */
static void grey_line(const uint8_t *data, int stride, int height, int line, uint8_t *grey)
{
	memset(grey, 255, TL_SHEET_WIDTH + 2);
	if (line < 0 || line >= height)
		return;
	const uint32_t *pels = (const uint32_t *)(data + (size_t)line * stride);
	for (int x = 0; x < TL_SHEET_WIDTH; x++) {
		unsigned r = pels[x] >> 16 & 255, g = pels[x] >> 8 & 255, b = pels[x] & 255;
		grey[x + 1] = (77 * r + 150 * g + 29 * b) >> 8;
	}
}

static bool on_edge(uint8_t *const lines[3], int x)
{
	uint8_t low = 255, high = 0;
	for (int y = 0; y < 3; y++)
		for (int i = x - 1; i <= x + 1; i++) {
			low = MIN(low, lines[y][i]);
			high = MAX(high, lines[y][i]);
		}
	return high - low > EDGE;
}

/* Floyd and Steinberg's diffusion, to and fro, except where there is an edge: letters stay as they were drawn. */
static void diffuse_line(uint8_t *const lines[3], int *errors, int *next, bool backwards, uint8_t *bits)
{
	int step = backwards ? -1 : 1;
	memset(next, 0, (TL_SHEET_WIDTH + 2) * sizeof *next);
	for (int i = 0; i < TL_SHEET_WIDTH; i++) {
		int x = backwards ? TL_SHEET_WIDTH - i : i + 1;
		int grey = lines[1][x];
		bool edge = on_edge(lines, x);
		int wanted = edge ? grey : grey + errors[x] / 16;
		bool black = wanted < 128;
		if (black)
			bits[(x - 1) / 8] |= 0x80 >> (x - 1) % 8;
		if (edge || grey > 250)
			continue;
		int left = wanted - (black ? 0 : 255);
		errors[x + step] += left * 7;
		next[x - step] += left * 3;
		next[x] += left * 5;
		next[x + step] += left;
	}
}

static struct tl_sheet *sheet_of(cairo_surface_t *surface)
{
	const uint8_t *data = cairo_image_surface_get_data(surface);
	int height = cairo_image_surface_get_height(surface), stride = cairo_image_surface_get_stride(surface);
	struct tl_sheet *sheet = g_new0(struct tl_sheet, 1);
	sheet->lines = height;
	sheet->bits = g_malloc0((size_t)height * STRIDE);
	g_autofree uint8_t *grey = g_malloc(3 * (TL_SHEET_WIDTH + 2));
	g_autofree int *errors = g_new0(int, 2 * (TL_SHEET_WIDTH + 2));
	uint8_t *lines[3] = { grey, grey + TL_SHEET_WIDTH + 2, grey + 2 * (TL_SHEET_WIDTH + 2) };
	int *now = errors, *next = errors + TL_SHEET_WIDTH + 2;
	grey_line(data, stride, height, -1, lines[0]);
	grey_line(data, stride, height, 0, lines[1]);
	for (int y = 0; y < height; y++) {
		grey_line(data, stride, height, y + 1, lines[2]);
		diffuse_line(lines, now, next, y % 2, sheet->bits + (size_t)y * STRIDE);
		uint8_t *oldest = lines[0];
		lines[0] = lines[1], lines[1] = lines[2], lines[2] = oldest;
		int *spent = now;
		now = next, next = spent;
	}
	return sheet;
}

bool tl_book_end_page(struct tl_book *book, cairo_t *cr, GError **error)
{
	cairo_surface_t *surface = cairo_get_target(cr);
	cairo_status_t status = cairo_status(cr);
	cairo_surface_flush(surface);
	struct tl_sheet *sheet = status ? NULL : sheet_of(surface);
	cairo_destroy(cr);
	if (sheet)
		return tl_book_add(book, sheet, error);
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_BROKEN, "cannot be drawn: %s", cairo_status_to_string(status));
	return false;
}
