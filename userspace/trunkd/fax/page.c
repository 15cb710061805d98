/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Pages as TIFF: SpanDSP writes all it receives to one file, in memory; each
 * page leaves it as a file of its own, strips copied as they are. And what is
 * to be sent, looked at before.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "fax/inside.h"

#define PAGES_MAX 10000
#define IMAGE_OCTETS_MAX (64 << 20) /* SpanDSP holds a whole page, decoded */
#define STRIP_OCTETS_MAX (64 << 20)
#define WIDTH_MIN 200               /* pixels; no fax is as narrow or as wide */
#define WIDTH_MAX 20000

/* ---- received ---- */

static void copy_tags(TIFF *from, TIFF *to)
{
	static const struct { uint32_t tag; bool is_float, is_long; } tags[] = {
		{ TIFFTAG_IMAGEWIDTH, .is_long = true }, { TIFFTAG_IMAGELENGTH, .is_long = true }, { TIFFTAG_BITSPERSAMPLE },
		{ TIFFTAG_SAMPLESPERPIXEL }, { TIFFTAG_COMPRESSION }, { TIFFTAG_PHOTOMETRIC }, { TIFFTAG_FILLORDER },
		{ TIFFTAG_ORIENTATION }, { TIFFTAG_PLANARCONFIG }, { TIFFTAG_RESOLUTIONUNIT },
		{ TIFFTAG_ROWSPERSTRIP, .is_long = true }, { TIFFTAG_XRESOLUTION, .is_float = true },
		{ TIFFTAG_YRESOLUTION, .is_float = true },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
		uint16_t word;
		uint32_t wide;
		float real;
		if (tags[i].is_float && TIFFGetField(from, tags[i].tag, &real))
			TIFFSetField(to, tags[i].tag, real);
		else if (tags[i].is_long && TIFFGetField(from, tags[i].tag, &wide))
			TIFFSetField(to, tags[i].tag, wide);
		else if (!tags[i].is_float && !tags[i].is_long && TIFFGetField(from, tags[i].tag, &word))
			TIFFSetField(to, tags[i].tag, word);
	}
	TIFFSetField(to, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
	TIFFSetField(to, TIFFTAG_PAGENUMBER, 0, 1);
}

static bool copy_strips(TIFF *from, TIFF *to)
{
	uint32_t n = TIFFNumberOfStrips(from);
	for (uint32_t strip = 0; strip < n; strip++) {
		tmsize_t size = TIFFRawStripSize(from, strip);
		if (size <= 0 || size > STRIP_OCTETS_MAX)
			return false;
		g_autofree uint8_t *octets = g_try_malloc(size);
		if (!octets || TIFFReadRawStrip(from, strip, octets, size) != size ||
		    TIFFWriteRawStrip(to, strip, octets, size) != size)
			return false;
	}
	return n > 0;
}

/* What has been copied is not needed again: the memory of a long fax stays that of a page. */
static void give_back(TIFF *from, int file)
{
	for (uint32_t strip = 0; strip < TIFFNumberOfStrips(from); strip++)
		fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, TIFFGetStrileOffset(from, strip),
			  TIFFGetStrileByteCount(from, strip));
}

static GBytes *read_all(int fd)
{
	struct stat stat;
	if (fstat(fd, &stat) != 0 || stat.st_size <= 0)
		return NULL;
	uint8_t *octets = g_try_malloc(stat.st_size);
	if (!octets)
		return NULL;
	if (pread(fd, octets, stat.st_size, 0) == stat.st_size)
		return g_bytes_new_take(octets, stat.st_size);
	g_free(octets);
	return NULL;
}

/* Opened anew: SpanDSP's own handle has its own place in the file. */
static TIFF *open_last_page(int file)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file);
	TIFF *tiff = TIFFOpen(path, "rm");
	while (tiff && !TIFFLastDirectory(tiff))
		if (!TIFFReadDirectory(tiff)) {
			TIFFClose(tiff);
			return NULL;
		}
	return tiff;
}

GBytes *tl_fax_page_extract(int file)
{
	GBytes *page = NULL;
	TIFF *from = open_last_page(file);
	int memory = memfd_create("fax-page", MFD_CLOEXEC);
	TIFF *to = memory >= 0 ? TIFFFdOpen(dup(memory), "page", "w") : NULL;
	if (from && to) {
		copy_tags(from, to);
		if (copy_strips(from, to) && TIFFWriteDirectory(to)) {
			TIFFFlush(to);
			page = read_all(memory);
		}
		give_back(from, file);
	}
	if (from)
		TIFFClose(from);
	if (to)
		TIFFClose(to);
	if (memory >= 0)
		close(memory);
	if (!page)
		errno = EIO;
	return page;
}

/* ---- to be sent ---- */

static const char *page_fault(TIFF *tiff)
{
	uint16_t bits = 1, samples = 1;
	uint32_t width = 0, length = 0;
	TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &length);
	if (bits != 1 || samples != 1)
		return "is not black and white";
	if (width < WIDTH_MIN || width > WIDTH_MAX || !length)
		return "has no size of a fax";
	if ((uint64_t)(width + 7) / 8 * length > IMAGE_OCTETS_MAX)
		return "is too large";
	if (TIFFIsTiled(tiff) || !TIFFNumberOfStrips(tiff))
		return "is not kept in strips";
	return NULL;
}

unsigned tl_fax_document_check(const char *path, GError **error)
{
	unsigned pages = 0;
	TIFF *tiff = TIFFOpen(path, "rm");
	const char *fault = tiff ? NULL : "is not readable as TIFF";
	if (tiff) {
		do {
			pages++;
			fault = pages > PAGES_MAX ? "is one too many" : page_fault(tiff);
		} while (!fault && TIFFReadDirectory(tiff));
		TIFFClose(tiff);
	}
	if (!fault)
		return pages;
	if (pages)
		g_set_error(error, TL_FAX_ERROR, TL_FAX_ERROR_DOCUMENT, "page %u of the document %s", pages, fault);
	else
		g_set_error(error, TL_FAX_ERROR, TL_FAX_ERROR_DOCUMENT, "the document %s", fault);
	return 0;
}
