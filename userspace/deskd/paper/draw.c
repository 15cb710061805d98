/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Documents drawn onto sheets: PDF by poppler, images by gdk-pixbuf, text and covers by Pango. */
#include "paper/work.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <pango/pangocairo.h>
#include <poppler.h>
#include <string.h>

#include "paper/paper.h"

#define MARGIN_PT 42.0
/* An image of few pixels is not blown up beyond so many points a pixel. */
#define PIXEL_PT_MAX 0.96 /* 75 dpi */
#define TEXT_FONT "Monospace 10"
#define COVER_FONT "Sans 11"
#define TEXT_MAX (4 << 20)

static bool fail(GError **error, enum tl_paper_error_code code, const char *what)
{
	g_set_error_literal(error, TL_PAPER_ERROR, code, what);
	return false;
}

/* ---- images ---- */

bool tl_book_add_picture(struct tl_book *book, cairo_surface_t *picture, double shape, GError **error)
{
	double width = cairo_image_surface_get_width(picture), height = cairo_image_surface_get_height(picture);
	double tall = height * shape; /* in pixels as wide as they are high */
	bool lies = width > tall * 1.1;
	double page_width = tl_book_width_pt(book), page_height = tl_book_height_pt(book);
	double across = lies ? tall : width, down = lies ? width : tall;
	double scale = MIN(MIN(page_width / across, page_height / down), PIXEL_PT_MAX);
	cairo_t *cr = tl_book_begin_page(book);
	cairo_translate(cr, (page_width - across * scale) / 2, 0);
	if (lies) { /* a quarter to the right */
		cairo_translate(cr, across * scale, 0);
		cairo_rotate(cr, G_PI / 2);
	}
	cairo_scale(cr, scale, scale * shape);
	cairo_set_source_surface(cr, picture, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
	cairo_paint(cr);
	return tl_book_end_page(book, cr, error);
}

static void on_size(GdkPixbufLoader *loader, int width, int height, gpointer user)
{
	bool *too_large = user;
	if (width < 1 || height < 1 || (int64_t)width * height > TL_SHEET_PIXELS_MAX) {
		*too_large = true;
		gdk_pixbuf_loader_set_size(loader, 0, 0); /* it reads no further */
	}
}

static cairo_surface_t *surface_of(GdkPixbuf *pixbuf)
{
	int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf), n = gdk_pixbuf_get_n_channels(pixbuf);
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	uint8_t *to = cairo_image_surface_get_data(surface);
	if (cairo_surface_status(surface))
		return surface;
	for (int y = 0; y < height; y++) {
		const uint8_t *from = gdk_pixbuf_read_pixels(pixbuf) + (size_t)y * gdk_pixbuf_get_rowstride(pixbuf);
		uint32_t *pels = (uint32_t *)(to + (size_t)y * cairo_image_surface_get_stride(surface));
		for (int x = 0; x < width; x++, from += n) {
			unsigned alpha = n == 4 ? from[3] : 255, white = 255 - alpha; /* on white paper */
			pels[x] = (from[0] * alpha / 255 + white) << 16 | (from[1] * alpha / 255 + white) << 8 |
				  (from[2] * alpha / 255 + white);
		}
	}
	cairo_surface_mark_dirty(surface);
	return surface;
}

bool tl_book_add_image(struct tl_book *book, GBytes *document, GError **error)
{
	g_autoptr(GdkPixbufLoader) loader = gdk_pixbuf_loader_new();
	g_autoptr(GError) why = NULL;
	bool too_large = false;
	g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), &too_large);
	bool good = gdk_pixbuf_loader_write_bytes(loader, document, &why);
	good = gdk_pixbuf_loader_close(loader, good ? &why : NULL) && good;
	if (too_large)
		return fail(error, TL_PAPER_ERROR_LIMIT, "the image has too many pixels");
	GdkPixbuf *read = gdk_pixbuf_loader_get_pixbuf(loader);
	if (!good || !read) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_BROKEN, "the image is broken: %s", why ? why->message : "no end");
		return false;
	}
	g_autoptr(GdkPixbuf) upright = gdk_pixbuf_apply_embedded_orientation(read);
	cairo_surface_t *surface = surface_of(upright ? upright : read);
	good = tl_book_add_picture(book, surface, 1, error);
	cairo_surface_destroy(surface);
	return good;
}

/* ---- PDF ---- */

static bool add_pdf_page(struct tl_book *book, PopplerPage *page, GError **error)
{
	double width, height, page_width = tl_book_width_pt(book), page_height = tl_book_height_pt(book);
	poppler_page_get_size(page, &width, &height);
	if (!(width > 1) || !(height > 1) || width > 1e5 || height > 1e5)
		return fail(error, TL_PAPER_ERROR_BROKEN, "a page of the PDF has no sensible size");
	bool lies = width > height * 1.1;
	double across = lies ? height : width, down = lies ? width : height;
	double scale = MIN(page_width / across, page_height / down);
	if (scale > 1 && across > page_width * 0.9)
		scale = 1; /* A4 and letter are not stretched to the sheet's 215 mm */
	cairo_t *cr = tl_book_begin_page(book);
	cairo_translate(cr, (page_width - across * scale) / 2, 0);
	if (lies) {
		cairo_translate(cr, across * scale, 0);
		cairo_rotate(cr, G_PI / 2);
	}
	cairo_scale(cr, scale, scale);
	poppler_page_render_for_printing(page, cr);
	return tl_book_end_page(book, cr, error);
}

static bool add_pdf_pages(struct tl_book *book, PopplerDocument *pdf, GError **error)
{
	int n = poppler_document_get_n_pages(pdf);
	bool ok = n > 0 || fail(error, TL_PAPER_ERROR_BROKEN, "the PDF has no pages");
	for (int i = 0; ok && i < n; i++) {
		PopplerPage *page = poppler_document_get_page(pdf, i);
		ok = page ? add_pdf_page(book, page, error) : fail(error, TL_PAPER_ERROR_BROKEN, "the PDF is broken");
		g_clear_object(&page);
	}
	return ok;
}

bool tl_book_add_pdf(struct tl_book *book, GBytes *document, GError **error)
{
	g_autoptr(GError) why = NULL;
	PopplerDocument *pdf = poppler_document_new_from_bytes(document, NULL, &why);
	if (!pdf) {
		bool locked = g_error_matches(why, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
		return fail(error, TL_PAPER_ERROR_BROKEN, locked ? "the PDF wants a password" : "the PDF is broken");
	}
	bool ok = add_pdf_pages(book, pdf, error);
	g_object_unref(pdf);
	return ok;
}

/* ---- text ---- */

static PangoLayout *text_layout(cairo_t *cr, const struct tl_book *book, const char *font)
{
	PangoLayout *layout = pango_cairo_create_layout(cr);
	PangoFontDescription *description = pango_font_description_from_string(font);
	pango_cairo_context_set_resolution(pango_layout_get_context(layout), 72);
	pango_layout_set_font_description(layout, description);
	pango_font_description_free(description);
	pango_layout_set_width(layout, (tl_book_width_pt(book) - 2 * MARGIN_PT) * PANGO_SCALE);
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	return layout;
}

/* Draws lines from @first until the page is full; returns the next one. */
static int draw_lines(cairo_t *cr, const struct tl_book *book, PangoLayout *layout, int first)
{
	int n = pango_layout_get_line_count(layout);
	double y = MARGIN_PT;
	for (; first < n; first++) {
		PangoLayoutLine *line = pango_layout_get_line_readonly(layout, first);
		PangoRectangle box;
		pango_layout_line_get_extents(line, NULL, &box);
		double height = MAX((double)box.height / PANGO_SCALE, 1);
		if (y > MARGIN_PT && y + height > tl_book_height_pt(book) - MARGIN_PT)
			break;
		cairo_move_to(cr, MARGIN_PT, y - (double)box.y / PANGO_SCALE);
		pango_cairo_show_layout_line(cr, line);
		y += height;
	}
	return first;
}

/* One page's worth of text is laid out at a time, so that a long text costs no more. */
static const char *text_chunk(const char *text, char **ret_chunk)
{
	enum { LINES = 120, OCTETS = 16000 };
	const char *end = text;
	unsigned lines = 0;
	while (*end && *end != '\f' && lines < LINES && end - text < OCTETS) {
		lines += *end == '\n';
		end = g_utf8_next_char(end);
	}
	*ret_chunk = g_strndup(text, end - text);
	return end;
}

bool tl_book_add_text(struct tl_book *book, const char *utf8, GError **error)
{
	if (strlen(utf8) > TEXT_MAX)
		return fail(error, TL_PAPER_ERROR_LIMIT, "the text is too long");
	const char *at = utf8;
	do {
		g_autofree char *chunk = NULL;
		const char *chunk_end = text_chunk(at, &chunk);
		cairo_t *cr = tl_book_begin_page(book);
		g_autoptr(PangoLayout) layout = text_layout(cr, book, TEXT_FONT);
		pango_layout_set_text(layout, chunk, -1);
		int next = draw_lines(cr, book, layout, 0);
		if (next < pango_layout_get_line_count(layout))
			at += pango_layout_get_line_readonly(layout, next)->start_index;
		else
			at = *chunk_end == '\f' ? chunk_end + 1 : chunk_end;
		if (!tl_book_end_page(book, cr, error))
			return false;
	} while (*at);
	return true;
}

static char *fill_in(const char *markup, GHashTable *values)
{
	GString *text = g_string_new(NULL);
	for (const char *at = markup; *at;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		g_autofree char *name = end ? g_strndup(at + 1, end - at - 1) : NULL;
		const char *value = name ? g_hash_table_lookup(values, name) : NULL;
		if (value) {
			g_autofree char *escaped = g_markup_escape_text(value, -1);
			g_string_append(text, escaped);
			at = end + 1;
		} else {
			g_string_append_c(text, *at++);
		}
	}
	return g_string_free(text, FALSE);
}

bool tl_book_add_cover(struct tl_book *book, const char *markup, GHashTable *values, GError **error)
{
	g_autofree char *filled = fill_in(markup, values), *text = NULL;
	PangoAttrList *attributes = NULL;
	g_autoptr(GError) why = NULL;
	if (!pango_parse_markup(filled, -1, 0, &attributes, &text, NULL, &why)) {
		g_set_error(error, TL_PAPER_ERROR, TL_PAPER_ERROR_BROKEN, "the cover page: %s", why->message);
		return false;
	}
	cairo_t *cr = tl_book_begin_page(book);
	g_autoptr(PangoLayout) layout = text_layout(cr, book, COVER_FONT);
	pango_layout_set_text(layout, text, -1);
	pango_layout_set_attributes(layout, attributes);
	pango_attr_list_unref(attributes);
	draw_lines(cr, book, layout, 0); /* what does not fit on one page is cut */
	if (!tl_book_end_page(book, cr, error))
		return false;
	struct tl_sheet *cover = g_ptr_array_steal_index(book->sheets, book->sheets->len - 1);
	g_ptr_array_insert(book->sheets, 0, cover);
	return true;
}

/* ---- any document ---- */

static bool begins(GBytes *document, const char *magic, size_t n)
{
	gsize size;
	const char *octets = g_bytes_get_data(document, &size);
	return size >= n && !memcmp(octets, magic, n);
}

static bool has_pdf_magic(GBytes *document)
{
	gsize size;
	const char *octets = g_bytes_get_data(document, &size);
	return size && g_strstr_len(octets, MIN(size, 1024), "%PDF-"); /* readers allow some octets before it */
}

const char *tl_document_kind(GBytes *document, const char *type, const char *name)
{
	if (begins(document, "II*\0", 4) || begins(document, "MM\0*", 4))
		return "tiff";
	if (begins(document, "\x89PNG", 4))
		return "png";
	if (begins(document, "\xff\xd8\xff", 3))
		return "jpeg";
	if (has_pdf_magic(document))
		return "pdf";
	bool packed = begins(document, "PK\3\4", 4) || begins(document, "\xd0\xcf\x11\xe0", 4) || begins(document, "{\\rtf", 5);
	if (packed && name && tl_paper_is_office(name))
		return "office";
	gsize size;
	const char *octets = g_bytes_get_data(document, &size);
	bool text = size && (!type || g_str_has_prefix(type, "text/")) && !memchr(octets, '\0', size) && g_utf8_validate(octets, size, NULL);
	return text ? "text" : NULL;
}

bool tl_book_add_document(struct tl_book *book, GBytes *document, const char *name, GError **error)
{
	const char *kind = tl_document_kind(document, NULL, name);
	gsize size;
	const char *octets = g_bytes_get_data(document, &size);
	bool ok = false;
	if (!g_strcmp0(kind, "tiff")) {
		ok = tl_book_add_tiff(book, document, error);
	} else if (!g_strcmp0(kind, "pdf")) {
		ok = tl_book_add_pdf(book, document, error);
	} else if (!g_strcmp0(kind, "jpeg") || !g_strcmp0(kind, "png")) {
		ok = tl_book_add_image(book, document, error);
	} else if (!g_strcmp0(kind, "text")) {
		g_autofree char *text = g_strndup(octets, size);
		ok = tl_book_add_text(book, text, error);
	} else {
		fail(error, TL_PAPER_ERROR_UNSUPPORTED, size ? "expected a PDF, TIFF, JPEG, PNG or text" : "it is empty");
	}
	if (!ok)
		g_prefix_error(error, "%s: ", name);
	return ok;
}
