/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* TIFF in and out, by libtiff. A page that is a fax page already keeps its very bits. */
#include "paper/work.h"

#include <errno.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#define STRIDE (TL_SHEET_WIDTH / 8)

/* A file in memory, for libtiff. */
struct memory {
	const uint8_t *octets;
	toff_t size, at;
};

static tmsize_t memory_read(thandle_t handle, void *to, tmsize_t n)
{
	struct memory *memory = handle;
	tmsize_t left = memory->at < memory->size ? (tmsize_t)(memory->size - memory->at) : 0;
	n = MIN(n, left);
	memcpy(to, memory->octets + memory->at, n);
	memory->at += n;
	return n;
}

static tmsize_t memory_write(thandle_t handle, void *from, tmsize_t n)
{
	(void)handle, (void)from, (void)n;
	return 0;
}

static toff_t memory_seek(thandle_t handle, toff_t offset, int whence)
{
	struct memory *memory = handle;
	memory->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? memory->at + offset : memory->size + offset;
	return memory->at;
}

static int memory_close(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t memory_size(thandle_t handle)
{
	return ((struct memory *)handle)->size;
}

static char last_fault[256];

static void on_fault(const char *module, const char *format, va_list arguments)
{
	(void)module;
	vsnprintf(last_fault, sizeof last_fault, format, arguments);
}

static bool broken(GError **error)
{
	g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_BROKEN, "the TIFF is broken%s%s", *last_fault ? ": " : "", last_fault);
	return false;
}

static unsigned lines_an_inch(TIFF *tiff)
{
	float resolution = 0;
	uint16_t unit = RESUNIT_INCH;
	TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &resolution);
	TIFFGetField(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
	if (unit == RESUNIT_CENTIMETER)
		resolution *= 2.54F;
	return resolution > 0 && resolution < 10000 ? (unsigned)(resolution + 0.5F) : 0;
}

/* How high a pel is, measured in its width. */
static double shape_of(TIFF *tiff)
{
	float x = 0, y = 0;
	TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x);
	TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &y);
	double shape = x > 0 && y > 0 ? x / y : 1;
	return shape > 0.1 && shape < 10 ? shape : 1;
}

/* How often a line of the file stands for a line of the sheet, in halves: 1 (of two lines one) to 4 (one is two). */
static unsigned halves(const struct tl_book *book, unsigned dpi, unsigned height)
{
	bool standard = dpi ? dpi < 150 : height < 1500;
	bool superfine = dpi > 300;
	unsigned per_line = standard ? 4 : superfine ? 1 : 2;
	return book->fine ? per_line : MAX(per_line / 2, 1);
}

static void add_line(struct tl_sheet *sheet, const uint8_t *line, bool merge)
{
	uint8_t *to = sheet->bits + (size_t)(sheet->lines - merge) * STRIDE;
	for (unsigned i = 0; i < STRIDE; i++)
		to[i] |= line[i];
	sheet->lines += !merge;
}

static bool add_fax_page(struct tl_book *book, TIFF *tiff, unsigned height, GError **error)
{
	uint16_t photometric = PHOTOMETRIC_MINISWHITE, order = FILLORDER_MSB2LSB;
	g_autofree uint8_t *line = g_malloc0(MAX((size_t)TIFFScanlineSize(tiff), STRIDE));
	struct tl_sheet *sheet = g_new0(struct tl_sheet, 1);
	unsigned share = halves(book, lines_an_inch(tiff), height), faults = 0;
	TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
	TIFFGetField(tiff, TIFFTAG_FILLORDER, &order); /* libtiff has turned the bits already */
	sheet->bits = g_malloc0(((size_t)height * 2 + 1) * STRIDE);
	for (unsigned y = 0; y < height; y++) {
		if (TIFFReadScanline(tiff, line, y, 0) < 0) {
			faults++; /* the line before stands in */
		} else if (photometric == PHOTOMETRIC_MINISBLACK) {
			for (unsigned i = 0; i < STRIDE; i++)
				line[i] ^= 0xff;
		}
		add_line(sheet, line, share == 1 && y % 2 == 1);
		if (share == 4)
			add_line(sheet, line, false);
	}
	if (faults == height) {
		tl_sheet_free(sheet);
		return broken(error);
	}
	return tl_book_add(book, sheet, error);
}

static bool add_shades(struct tl_book *book, TIFF *tiff, unsigned width, unsigned height, GError **error)
{
	if ((uint64_t)width * height > TL_SHEET_PIXELS_MAX) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_LIMIT, "the image has too many pixels");
		return false;
	}
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	uint32_t *pels = (uint32_t *)cairo_image_surface_get_data(surface);
	/* Without this libtiff would give up at the first fault; what can be read is worth more. */
	bool ok = pels && TIFFReadRGBAImageOriented(tiff, width, height, pels, ORIENTATION_TOPLEFT, 0);
	for (size_t i = 0; ok && i < (size_t)width * height; i++)
		pels[i] = TIFFGetR(pels[i]) << 16 | TIFFGetG(pels[i]) << 8 | TIFFGetB(pels[i]);
	if (ok) {
		cairo_surface_mark_dirty(surface);
		ok = tl_book_add_picture(book, surface, shape_of(tiff), error);
	} else {
		broken(error);
	}
	cairo_surface_destroy(surface);
	return ok;
}

static bool add_directory(struct tl_book *book, TIFF *tiff, GError **error)
{
	uint32_t width = 0, height = 0;
	uint16_t bits = 1, samples = 1;
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
	if (!width || !height)
		return broken(error);
	if (width == TL_SHEET_WIDTH && bits == 1 && samples == 1 && height <= TL_SHEET_LINES_MAX && !TIFFIsTiled(tiff))
		return add_fax_page(book, tiff, height, error);
	return add_shades(book, tiff, width, height, error);
}

bool tl_book_add_tiff(struct tl_book *book, GBytes *document, GError **error)
{
	gsize size;
	struct memory memory = { .octets = g_bytes_get_data(document, &size) };
	memory.size = size;
	*last_fault = '\0';
	TIFFSetErrorHandler(on_fault);
	TIFFSetWarningHandler(NULL);
	TIFF *tiff = TIFFClientOpen("document", "rm", &memory, memory_read, memory_write, memory_seek, memory_close, memory_size, NULL, NULL);
	if (!tiff)
		return broken(error);
	bool ok = true;
	do
		ok = add_directory(book, tiff, error);
	while (ok && TIFFReadDirectory(tiff));
	TIFFClose(tiff);
	return ok;
}

static void describe(TIFF *tiff, const struct tl_book *book, unsigned page)
{
	const struct tl_sheet *sheet = book->sheets->pdata[page];
	TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, TL_SHEET_WIDTH);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, sheet->lines);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T6);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
	TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
	TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
	TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, sheet->lines);
	TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
	TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
	TIFFSetField(tiff, TIFFTAG_YRESOLUTION, book->fine ? 196.0 : 98.0);
	TIFFSetField(tiff, TIFFTAG_PAGENUMBER, page, book->sheets->len);
	TIFFSetField(tiff, TIFFTAG_SOFTWARE, "Trunkline");
}

bool tl_book_write_tiff(const struct tl_book *book, int fd, GError **error)
{
	*last_fault = '\0';
	TIFFSetErrorHandler(on_fault);
	TIFF *tiff = TIFFFdOpen(dup(fd), "pages", "w");
	bool ok = tiff;
	for (unsigned page = 0; ok && page < book->sheets->len; page++) {
		const struct tl_sheet *sheet = book->sheets->pdata[page];
		describe(tiff, book, page);
		ok = TIFFWriteEncodedStrip(tiff, 0, sheet->bits, (tmsize_t)sheet->lines * STRIDE) >= 0 && TIFFWriteDirectory(tiff);
	}
	if (tiff)
		TIFFClose(tiff);
	if (!ok)
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_MACHINE, "cannot be written: %s", last_fault);
	return ok;
}
