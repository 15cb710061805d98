/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Abilities: their names, and what they are to SpanDSP. */
#include <errno.h>
#include <string.h>

#include "fax/inside.h"

/* SpanDSP is built without T.85 here: it would announce what it cannot decode. */
static const struct {
	enum tl_fax_ability ability;
	const char *name;
	int t30;
} abilities[] = {
	{ TL_FAX_MODEM, "v27ter", T30_SUPPORT_V27TER },
	{ TL_FAX_MODEM, "v29", T30_SUPPORT_V29 },
	{ TL_FAX_MODEM, "v17", T30_SUPPORT_V17 },
	{ TL_FAX_CODING, "mh", T30_SUPPORT_T4_1D_COMPRESSION },
	{ TL_FAX_CODING, "mr", T30_SUPPORT_T4_2D_COMPRESSION },
	{ TL_FAX_CODING, "mmr", T30_SUPPORT_T6_COMPRESSION },
	{ TL_FAX_CODING, "t85", 0 },
	{ TL_FAX_RESOLUTION, "standard", T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_R8_RESOLUTION },
	{ TL_FAX_RESOLUTION, "fine", T30_SUPPORT_FINE_RESOLUTION | T30_SUPPORT_R8_RESOLUTION },
	{ TL_FAX_RESOLUTION, "superfine", T30_SUPPORT_SUPERFINE_RESOLUTION | T30_SUPPORT_R8_RESOLUTION },
	{ TL_FAX_RESOLUTION, "r16", T30_SUPPORT_SUPERFINE_RESOLUTION | T30_SUPPORT_R16_RESOLUTION },
	{ TL_FAX_RESOLUTION, "300", T30_SUPPORT_300_300_RESOLUTION },
	{ TL_FAX_RESOLUTION, "400", T30_SUPPORT_400_400_RESOLUTION },
	{ TL_FAX_RESOLUTION, "600", T30_SUPPORT_600_600_RESOLUTION },
	{ TL_FAX_WIDTH, "a4", T30_SUPPORT_215MM_WIDTH },
	{ TL_FAX_WIDTH, "b4", T30_SUPPORT_255MM_WIDTH },
	{ TL_FAX_WIDTH, "a3", T30_SUPPORT_303MM_WIDTH },
};

#define ANY_LENGTH (T30_SUPPORT_UNLIMITED_LENGTH | T30_SUPPORT_A4_LENGTH | T30_SUPPORT_B4_LENGTH | \
		    T30_SUPPORT_US_LETTER_LENGTH | T30_SUPPORT_US_LEGAL_LENGTH)
#define FEATURES (T30_SUPPORT_IDENTIFICATION | T30_SUPPORT_SELECTIVE_POLLING | T30_SUPPORT_POLLED_SUB_ADDRESSING | \
		  T30_SUPPORT_SUB_ADDRESSING)

bool tl_fax_ability_parse(enum tl_fax_ability ability, const char *name, unsigned *bits)
{
	unsigned bit = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(abilities); i++) {
		if (abilities[i].ability != ability)
			continue;
		if (!strcmp(abilities[i].name, name)) {
			*bits |= 1u << bit;
			return true;
		}
		bit++;
	}
	return false;
}

static int support(enum tl_fax_ability ability, unsigned bits)
{
	unsigned bit = 0;
	int all = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(abilities); i++)
		if (abilities[i].ability == ability && bits & 1u << bit++)
			all |= abilities[i].t30;
	return all;
}

/* V.27ter from 2400 on is every machine's. */
int tl_fax_modems_within(unsigned bits, unsigned bit_rate)
{
	int modems = support(TL_FAX_MODEM, bits);
	if (bit_rate < 14400)
		modems &= ~T30_SUPPORT_V17;
	if (bit_rate < 9600)
		modems &= ~T30_SUPPORT_V29;
	return modems ? modems : T30_SUPPORT_V27TER;
}

int tl_fax_options_check(const struct tl_fax_options *options)
{
	return support(TL_FAX_MODEM, options->modems) && support(TL_FAX_CODING, options->codings) &&
	       support(TL_FAX_RESOLUTION, options->resolutions) && support(TL_FAX_WIDTH, options->widths) ? 0 : -ENOTSUP;
}

void tl_fax_options_apply(const struct tl_fax_options *options, t30_state_t *t30)
{
	t30_set_supported_modems(t30, support(TL_FAX_MODEM, options->modems));
	t30_set_supported_compressions(t30, support(TL_FAX_CODING, options->codings));
	t30_set_supported_resolutions(t30, support(TL_FAX_RESOLUTION, options->resolutions));
	t30_set_supported_image_sizes(t30, support(TL_FAX_WIDTH, options->widths) | ANY_LENGTH);
	t30_set_supported_t30_features(t30, FEATURES);
	t30_set_ecm_capability(t30, options->ecm);
	t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
	t30_set_tx_ident(t30, options->ident);
	t30_set_tx_sub_address(t30, options->sub_address);
	t30_set_tx_selective_polling_address(t30, options->sub_address);
	t30_set_tx_password(t30, options->password);
	if (*options->header)
		t30_set_tx_page_header_info(t30, options->header);
	if (*options->header_zone)
		t30_set_tx_page_header_tz(t30, options->header_zone);
}
