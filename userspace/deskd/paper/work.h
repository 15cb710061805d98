/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What faxpages does, inside its sandbox: documents become fax pages, fax pages
 * become a PDF, a TIFF or a picture. A sheet is one page as a fax machine has
 * it (ITU-T T.4: 8.04 dots a mm across, 3.85 or 7.7 lines a mm). A book is the
 * sheets so far. Memory, time and files are bounded by the sandbox; what a
 * document asks beyond ends the process, and that is its error.
 * Thread: the program's only one. Not used by deskd itself.
 */
#pragma once

#include <cairo.h>
#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "paper/exit.h"

#define TL_PAPER_ERROR (tl_paper_error_quark())
GQuark tl_paper_error_quark(void);
enum tl_paper_error_code {
	TL_PAPER_ERROR_BROKEN,      /* it cannot be read */
	TL_PAPER_ERROR_UNSUPPORTED, /* no fax pages can be made of it */
	TL_PAPER_ERROR_LIMIT,       /* too many pages, pixels, levels */
	TL_PAPER_ERROR_MACHINE,     /* nothing that the document can help: no space, no memory, no sandbox */
};

/* ---- the sandbox (sandbox.c) ---- */

struct tl_sandbox_limits {
	unsigned memory_mib, cpu_s, file_mib; /* 0: none */
	bool may_run_programs;                /* LibreOffice is several */
};
/**
 * From here on: no network, no new files, no other programs (seccomp), nothing beyond the limits, gone with its parent.
 * What is to be written must be open already.
 */
bool tl_sandbox_enter(const struct tl_sandbox_limits *limits, GError **error);

/* ---- sheets (sheet.c) ---- */

#define TL_SHEET_WIDTH 1728      /* pels, 215 mm */
#define TL_SHEET_LINES_MAX 11000 /* a page of 1.4 m */
#define TL_SHEET_PIXELS_MAX (64 << 20) /* of an image that is to become a page */

struct tl_sheet {
	unsigned lines;
	uint8_t *bits; /* lines of TL_SHEET_WIDTH / 8 octets, the leftmost pel the highest bit, 1 is black */
};
void tl_sheet_free(struct tl_sheet *sheet); /* NULL is legal */

struct tl_book {
	GPtrArray *sheets;     /* struct tl_sheet */
	bool fine;             /* 7.7 lines a mm, else 3.85 */
	double paper_height_mm; /* 297: A4, 279.4: letter */
	unsigned sheets_max;
};
struct tl_book *tl_book_new(bool fine, bool letter, unsigned sheets_max);
void tl_book_free(struct tl_book *book);
/** (transfer full of @sheet, also with an error) */
bool tl_book_add(struct tl_book *book, struct tl_sheet *sheet, GError **error);
/** A white page to be drawn on, in points from its upper left corner; ended by tl_book_end_page(). */
cairo_t *tl_book_begin_page(struct tl_book *book);
/** What was drawn becomes black and white: edges stay sharp, shades are diffused. (transfer full of @cr) */
bool tl_book_end_page(struct tl_book *book, cairo_t *cr, GError **error);
double tl_book_width_pt(const struct tl_book *book);
double tl_book_height_pt(const struct tl_book *book);

/* ---- documents into sheets ---- */

/** By the content itself: PDF, TIFF, JPEG, PNG or text. @name: for messages. */
bool tl_book_add_document(struct tl_book *book, GBytes *document, const char *name, GError **error);
bool tl_book_add_tiff(struct tl_book *book, GBytes *document, GError **error);
bool tl_book_add_pdf(struct tl_book *book, GBytes *document, GError **error);
/** A picture of @width x @height points' worth of shape, turned when it lies. */
bool tl_book_add_picture(struct tl_book *book, cairo_surface_t *picture, double shape, GError **error);
bool tl_book_add_image(struct tl_book *book, GBytes *document, GError **error);
bool tl_book_add_text(struct tl_book *book, const char *utf8, GError **error);
/** A first page: @markup is Pango's, its {names} are replaced by @values (name -> text); goes before all others. */
bool tl_book_add_cover(struct tl_book *book, const char *markup, GHashTable *values, GError **error);
/** What the first octets say: "pdf", "tiff", "jpeg", "png", "office", "text" or NULL. Static. */
const char *tl_document_kind(GBytes *document, const char *type, const char *name);

/* ---- mails (mail.c) ---- */

struct tl_mail_part {
	char *name;
	const char *kind; /* as tl_document_kind */
	GBytes *content;
};
struct tl_mail {
	char *from, *subject, *message_id;
	char *text;       /* what was written, UTF-8; NULL: nothing */
	GPtrArray *parts; /* struct tl_mail_part: documents in their order */
	GPtrArray *refused; /* char *: "name: why" */
};
/** Reads @message (RFC 5322, MIME). Errors: too deep, too many parts, no message at all. (transfer full) */
struct tl_mail *tl_mail_read(GBytes *message, GError **error);
void tl_mail_free(struct tl_mail *mail);
/** @text (NULL: nothing) as one line of at most @max characters, valid UTF-8 without control characters. (transfer full) */
char *tl_mail_line(const char *text, unsigned max);

/* ---- what mail servers report (report.c) ---- */

struct tl_report_entry { /* of one recipient; "" where nothing is said */
	char *recipient, *action, *status, *diagnostic;
};
/** The recipients of a delivery status notification (RFC 3464); none when @message is anything else. (transfer full) */
GPtrArray *tl_report_read(GBytes *message);

/* ---- sheets into files (book-file.c, pdf.c) ---- */

/** G4 TIFF (ITU-T T.6) into @fd. */
bool tl_book_write_tiff(const struct tl_book *book, int fd, GError **error);
/** PDF with the pages' own bits inside (CCITT G4). */
bool tl_book_write_pdf(const struct tl_book *book, int fd, const char *title, GError **error);
/** One page (from 1) as a grey PNG @width pixels wide. */
bool tl_book_write_picture(const struct tl_book *book, unsigned page, unsigned width, int fd, GError **error);
