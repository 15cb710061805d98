/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What became of it, in words: T.30's outcomes, and a page's form. */
#include "fax/inside.h"

const char *tl_fax_trouble_name(enum tl_fax_trouble trouble)
{
	static const char *const names[] = {
		[TL_FAX_FINE] = "none", [TL_FAX_NO_FAX] = "no-fax", [TL_FAX_INCOMPATIBLE] = "incompatible",
		[TL_FAX_LINE] = "line", [TL_FAX_FAR_END] = "far-end", [TL_FAX_REFUSED] = "refused",
		[TL_FAX_BAD_DOCUMENT] = "document", [TL_FAX_DISK] = "disk", [TL_FAX_STOPPED] = "stopped",
		[TL_FAX_ENDED] = "ended",
	};
	return names[trouble];
}

/* Whether it is worth trying again, and what would have to change first. */
enum tl_fax_trouble tl_fax_trouble_of(int code)
{
	switch (code) {
	case T30_ERR_OK:
		return TL_FAX_FINE;
	case T30_ERR_CEDTONE:
	case T30_ERR_T0_EXPIRED:
	case T30_ERR_T1_EXPIRED:
	case T30_ERR_TX_NODIS:
	case T30_ERR_RX_NOFAX:
		return TL_FAX_NO_FAX;
	case T30_ERR_INCOMPATIBLE:
	case T30_ERR_RX_INCAPABLE:
	case T30_ERR_TX_INCAPABLE:
	case T30_ERR_NORESSUPPORT:
	case T30_ERR_NOSIZESUPPORT:
		return TL_FAX_INCOMPATIBLE;
	case T30_ERR_TX_BADPG:
	case T30_ERR_TX_GOTDCN:
	case T30_ERR_RX_DCNWHY:
	case T30_ERR_RX_DCNDATA:
	case T30_ERR_RX_DCNFAX:
	case T30_ERR_RX_DCNPHD:
	case T30_ERR_RX_DCNRRD:
	case T30_ERR_RX_DCNNORTN:
	case T30_ERR_CALLDROPPED:
		return TL_FAX_FAR_END;
	case T30_ERR_NOPOLL:
	case T30_ERR_IDENT_UNACCEPTABLE:
	case T30_ERR_SUB_UNACCEPTABLE:
	case T30_ERR_SEP_UNACCEPTABLE:
	case T30_ERR_PSA_UNACCEPTABLE:
	case T30_ERR_SID_UNACCEPTABLE:
	case T30_ERR_PWD_UNACCEPTABLE:
		return TL_FAX_REFUSED;
	case T30_ERR_FILEERROR:
	case T30_ERR_NOPAGE:
	case T30_ERR_BADTIFF:
	case T30_ERR_BADPAGE:
	case T30_ERR_BADTAG:
	case T30_ERR_BADTIFFHDR:
	case T30_ERR_NOMEM:
		return TL_FAX_BAD_DOCUMENT;
	default:
		return TL_FAX_LINE;
	}
}

static const char *coding_name(int encoding)
{
	switch (encoding) {
	case T4_COMPRESSION_ITU_T4_1D:
		return "mh";
	case T4_COMPRESSION_ITU_T4_2D:
		return "mr";
	case T4_COMPRESSION_ITU_T6:
		return "mmr";
	default:
		return "other";
	}
}

static const struct {
	int x, y;
	const char *name;
} resolutions[] = {
	{ T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_STANDARD, "standard" },
	{ T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_FINE, "fine" },
	{ T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_SUPERFINE, "superfine" },
	{ T4_X_RESOLUTION_R16, T4_Y_RESOLUTION_SUPERFINE, "r16" },
	{ T4_X_RESOLUTION_300, T4_Y_RESOLUTION_300, "300" },
	{ T4_X_RESOLUTION_600, T4_Y_RESOLUTION_600, "600" },
};

#define INCHES_PER_M 39.3701

void tl_fax_page_describe(struct tl_fax_page *page, const t30_stats_t *stats)
{
	page->width = MAX(stats->width, 0);
	page->length = MAX(stats->length, 0);
	page->bad_rows = MAX(stats->bad_rows, 0);
	page->bit_rate = stats->bit_rate;
	page->ecm = stats->error_correcting_mode;
	g_strlcpy(page->coding, coding_name(stats->encoding), sizeof page->coding);
	g_snprintf(page->resolution, sizeof page->resolution, "%.0f x %.0f", stats->x_resolution / INCHES_PER_M,
		   stats->y_resolution / INCHES_PER_M);
	for (unsigned i = 0; i < G_N_ELEMENTS(resolutions); i++)
		if (resolutions[i].x == stats->x_resolution && resolutions[i].y == stats->y_resolution)
			g_strlcpy(page->resolution, resolutions[i].name, sizeof page->resolution);
}
