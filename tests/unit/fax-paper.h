/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Documents for tests of fax: pages of a pattern that no two places of share, and how to tell that one came through. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct fax_paper {
	unsigned pages, width, length;
	float x_dpi, y_dpi;
};

/** R8 x 3.85, A4, so short that a test has time for many. */
#define FAX_PAPER_SMALL { .pages = 1, .width = 1728, .length = 60, .x_dpi = 204, .y_dpi = 98 }

/** Writes @paper as a TIFF (G4) to @path. */
void fax_paper_write(const char *path, const struct fax_paper *paper);

/** Asserts that the only page of the TIFF at @path is page @page (from 1) of @paper, pixel by pixel. */
void fax_paper_assert(const char *path, const struct fax_paper *paper, unsigned page);
