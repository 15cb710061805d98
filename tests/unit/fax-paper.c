/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax-paper.h"

#include <string.h>
#include <tiffio.h>

/* Runs of black and white whose lengths differ from row to row and page to page; long ones, so that pages stay small. */
static void draw(uint8_t *row, unsigned width, unsigned y, unsigned page)
{
	uint32_t state = (page * 7919 + y / 4) * 2654435761u | 1;
	bool black = false;
	memset(row, 0, (width + 7) / 8);
	for (unsigned x = 0; x < width; black = !black) {
		state = state * 1664525 + 1013904223;
		unsigned run = 20 + (state >> 24);
		for (unsigned end = MIN(x + run, width); x < end; x++)
			if (black)
				row[x / 8] |= 0x80 >> x % 8;
	}
}

void fax_paper_write(const char *path, const struct fax_paper *paper)
{
	uint8_t row[1024];
	TIFF *tiff = TIFFOpen(path, "w");
	g_assert_nonnull(tiff);
	for (unsigned page = 1; page <= paper->pages; page++) {
		TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, paper->width);
		TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, paper->length);
		TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
		TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
		TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T6);
		TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
		TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, -1);
		TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
		TIFFSetField(tiff, TIFFTAG_XRESOLUTION, paper->x_dpi);
		TIFFSetField(tiff, TIFFTAG_YRESOLUTION, paper->y_dpi);
		TIFFSetField(tiff, TIFFTAG_PAGENUMBER, page - 1, paper->pages);
		for (unsigned y = 0; y < paper->length; y++) {
			draw(row, paper->width, y, page);
			g_assert_cmpint(TIFFWriteScanline(tiff, row, y, 0), ==, 1);
		}
		g_assert_cmpint(TIFFWriteDirectory(tiff), ==, 1);
	}
	TIFFClose(tiff);
}

void fax_paper_assert(const char *path, const struct fax_paper *paper, unsigned page)
{
	uint8_t wanted[1024], got[1024];
	uint32_t width = 0, length = 0;
	TIFF *tiff = TIFFOpen(path, "r");
	g_assert_nonnull(tiff);
	g_assert_true(TIFFLastDirectory(tiff));
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &length);
	g_assert_cmpuint(width, ==, paper->width);
	g_assert_cmpuint(length, ==, paper->length);
	for (unsigned y = 0; y < length; y++) {
		draw(wanted, width, y, page);
		g_assert_cmpint(TIFFReadScanline(tiff, got, y, 0), ==, 1);
		g_assert_cmpmem(got, width / 8, wanted, width / 8);
	}
	TIFFClose(tiff);
}
