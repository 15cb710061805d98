/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Which documents are an office suite's. For deskd and for faxpages. */
#include "paper/paper.h"

bool tl_paper_is_office(const char *name)
{
	static const char *const suffixes[] = { ".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".ods", ".ppt", ".pptx", ".odp" };
	g_autofree char *lower = g_ascii_strdown(name, -1);
	for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(lower, suffixes[i]))
			return true;
	return false;
}
