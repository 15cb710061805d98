/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Sheets as a PDF (their bits as CCITT G4, which cairo takes over unchanged) and as small pictures. */
#include "paper/work.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#define STRIDE (TL_SHEET_WIDTH / 8)

/* ---- one sheet in T.6, by way of a TIFF in memory ---- */

struct growing {
	GByteArray *octets;
	toff_t at;
};

static tmsize_t growing_read(thandle_t handle, void *to, tmsize_t n)
{
	struct growing *growing = handle;
	tmsize_t left = growing->at < growing->octets->len ? (tmsize_t)(growing->octets->len - growing->at) : 0;
	n = MIN(n, left);
	memcpy(to, growing->octets->data + growing->at, n);
	growing->at += n;
	return n;
}

static tmsize_t growing_write(thandle_t handle, void *from, tmsize_t n)
{
	struct growing *growing = handle;
	if (growing->at + n > growing->octets->len)
		g_byte_array_set_size(growing->octets, growing->at + n);
	memcpy(growing->octets->data + growing->at, from, n);
	growing->at += n;
	return n;
}

static toff_t growing_seek(thandle_t handle, toff_t offset, int whence)
{
	struct growing *growing = handle;
	growing->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? growing->at + offset : growing->octets->len + offset;
	return growing->at;
}

static int growing_close(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t growing_size(thandle_t handle)
{
	return ((struct growing *)handle)->octets->len;
}

/* (transfer full), NULL without memory */
static uint8_t *encode(const struct tl_sheet *sheet, gsize *ret_n)
{
	struct growing growing = { .octets = g_byte_array_new() };
	TIFF *tiff = TIFFClientOpen("page", "w", &growing, growing_read, growing_write, growing_seek, growing_close, growing_size, NULL, NULL);
	uint8_t *strip = NULL;
	if (!tiff)
		goto out;
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, TL_SHEET_WIDTH);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, sheet->lines);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T6);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
	TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, sheet->lines);
	bool ok = TIFFWriteEncodedStrip(tiff, 0, sheet->bits, (tmsize_t)sheet->lines * STRIDE) >= 0;
	TIFFClose(tiff);
	growing.at = 0;
	tiff = ok ? TIFFClientOpen("page", "rm", &growing, growing_read, growing_write, growing_seek, growing_close, growing_size, NULL, NULL) : NULL;
	if (!tiff)
		goto out;
	*ret_n = TIFFRawStripSize(tiff, 0);
	strip = g_malloc(*ret_n);
	if (TIFFReadRawStrip(tiff, 0, strip, *ret_n) != (tmsize_t)*ret_n)
		g_clear_pointer(&strip, g_free);
	TIFFClose(tiff);
out:
	g_byte_array_unref(growing.octets);
	return strip;
}

/* ---- PDF ---- */

static cairo_status_t write_out(void *closure, const unsigned char *octets, unsigned n)
{
	int fd = *(int *)closure;
	while (n) {
		ssize_t written = write(fd, octets, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return CAIRO_STATUS_WRITE_ERROR;
		octets += written, n -= written;
	}
	return CAIRO_STATUS_SUCCESS;
}

static bool add_pdf_page(cairo_t *cr, const struct tl_book *book, const struct tl_sheet *sheet)
{
	gsize n;
	uint8_t *strip = encode(sheet, &n);
	if (!strip)
		return false;
	double width = tl_book_width_pt(book), height = sheet->lines / (book->fine ? 7.7 : 3.85) * 72 / 25.4;
	/* The surface's own pels are never looked at. */
	cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_A1, TL_SHEET_WIDTH, sheet->lines);
	char *params = g_strdup_printf("Columns=%d Rows=%u K=-1 BlackIs1=false", TL_SHEET_WIDTH, sheet->lines);
	cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_CCITT_FAX, strip, n, g_free, strip);
	cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_CCITT_FAX_PARAMS, (const unsigned char *)params, strlen(params), g_free, params);
	cairo_pdf_surface_set_size(cairo_get_target(cr), width, height);
	cairo_save(cr);
	cairo_scale(cr, width / TL_SHEET_WIDTH, height / sheet->lines);
	cairo_set_source_surface(cr, image, 0, 0);
	cairo_paint(cr);
	cairo_restore(cr);
	cairo_show_page(cr);
	cairo_surface_destroy(image);
	return true;
}

bool tl_book_write_pdf(const struct tl_book *book, int fd, const char *title, GError **error)
{
	cairo_surface_t *pdf = cairo_pdf_surface_create_for_stream(write_out, &fd, tl_book_width_pt(book), tl_book_height_pt(book));
	cairo_t *cr = cairo_create(pdf);
	bool ok = true;
	cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATOR, "Trunkline");
	if (title)
		cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_TITLE, title);
	for (unsigned i = 0; ok && i < book->sheets->len; i++)
		ok = add_pdf_page(cr, book, book->sheets->pdata[i]);
	cairo_destroy(cr);
	cairo_surface_finish(pdf);
	cairo_status_t status = cairo_surface_status(pdf);
	cairo_surface_destroy(pdf);
	if (ok && !status)
		return true;
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "the PDF cannot be written: %s", cairo_status_to_string(status));
	return false;
}

/* ---- pictures ---- */

static unsigned grey_at(const struct tl_sheet *sheet, unsigned x0, unsigned x1, unsigned y0, unsigned y1)
{
	unsigned black = 0, all = (x1 - x0) * (y1 - y0);
	for (unsigned y = y0; y < y1; y++)
		for (unsigned x = x0; x < x1; x++)
			black += sheet->bits[(size_t)y * STRIDE + x / 8] >> (7 - x % 8) & 1;
	return 255 - black * 255 / MAX(all, 1);
}

bool tl_book_write_picture(const struct tl_book *book, unsigned page, unsigned width, int fd, GError **error)
{
	if (page < 1 || page > book->sheets->len) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_LIMIT, "there is no page %u of %u", page, book->sheets->len);
		return false;
	}
	const struct tl_sheet *sheet = book->sheets->pdata[page - 1];
	unsigned height = MAX((unsigned)(sheet->lines * (book->fine ? 1.0 : 2.0) * width / TL_SHEET_WIDTH), 1);
	cairo_surface_t *picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	uint8_t *data = cairo_image_surface_get_data(picture);
	for (unsigned y = 0; data && y < height; y++) {
		uint32_t *pels = (uint32_t *)(data + (size_t)y * cairo_image_surface_get_stride(picture));
		unsigned y0 = (uint64_t)y * sheet->lines / height, y1 = MAX((uint64_t)(y + 1) * sheet->lines / height, y0 + 1);
		for (unsigned x = 0; x < width; x++) {
			unsigned x0 = x * TL_SHEET_WIDTH / width, x1 = MAX((x + 1) * TL_SHEET_WIDTH / width, x0 + 1);
			pels[x] = grey_at(sheet, x0, x1, y0, y1) * 0x010101U;
		}
	}
	cairo_surface_mark_dirty(picture);
	cairo_status_t status = cairo_surface_write_to_png_stream(picture, write_out, &fd);
	cairo_surface_destroy(picture);
	if (!status)
		return true;
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "the picture cannot be written: %s", cairo_status_to_string(status));
	return false;
}
