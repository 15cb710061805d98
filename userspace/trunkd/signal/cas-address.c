/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* How a number goes over a trunk, digit by digit: * is KP, # is ST in MF. */
#include "signal/cas-inner.h"

#include <string.h>

/* ANI information digits (Telcordia SR-2275): an ordinary line; a number that is not known. */
#define II_ORDINARY "00"
#define II_UNKNOWN "02"
#define II_DIGITS (sizeof((struct tl_leg_setup *)0)->calling_ii - 1)

static bool is_said_by(const char *digits, const char *alphabet)
{
	return strspn(digits, alphabet) == strlen(digits);
}

char *tl_cas_address_format(enum tl_cas_kind kind, enum tl_inband_digits digits, const struct tl_leg_setup *setup)
{
	const char *called = setup->called.digits, *calling = setup->calling.digits, *ii = setup->calling_ii;
	bool mf = digits == TL_INBAND_MF;
	if (kind >= TL_CAS_FXS_LOOP)
		return is_said_by(called, "0123456789*#ABCD") ? g_strdup(called) : NULL;
	if (!*called || !is_said_by(called, "0123456789"))
		return NULL;
	if (kind != TL_CAS_FGD)
		return mf ? g_strdup_printf("*%s#", called) : g_strdup(called);
	if (!is_said_by(calling, "0123456789"))
		calling = "";
	if (!mf)
		return g_strdup_printf("*%s*%s*", calling, called);
	if (strspn(ii, "0123456789") != II_DIGITS)
		ii = *calling ? II_ORDINARY : II_UNKNOWN;
	return g_strdup_printf("*%s%s#*%s#", ii, calling, called);
}

static unsigned count(const char *text, const char *of)
{
	unsigned n = 0;
	for (; *text; text++)
		n += strchr(of, *text) != NULL;
	return n;
}

bool tl_cas_address_is_complete(enum tl_cas_kind kind, enum tl_inband_digits digits, unsigned max, const char *heard)
{
	if (kind < TL_CAS_FXS_LOOP && digits == TL_INBAND_MF)
		return count(heard, "#ABC") >= (kind == TL_CAS_FGD ? 2u : 1u);
	if (kind == TL_CAS_FGD)
		return count(heard, "*") >= 3;
	return (max && strlen(heard) >= max) || g_str_has_suffix(heard, "#");
}

static bool take(struct tl_number *number, const char *digits, size_t n)
{
	if (n > TL_DIGITS_MAX || strspn(digits, "0123456789") < n)
		return false;
	memcpy(number->digits, digits, n);
	number->digits[n] = '\0';
	return true;
}

/* "*ANI*DNIS*" */
static bool parse_fgd_dtmf(const char *heard, struct tl_leg_setup *setup)
{
	g_auto(GStrv) parts = g_strsplit(heard, "*", -1);
	return g_strv_length(parts) == 4 && !*parts[0] && take(&setup->calling, parts[1], strlen(parts[1])) &&
	       take(&setup->called, parts[2], strlen(parts[2]));
}

/* One field between KP and one of the STs; what follows it, or NULL. */
static const char *mf_field(const char *heard, const char **field, size_t *n)
{
	if (*heard != '*')
		return NULL;
	*field = heard + 1;
	*n = strspn(*field, "0123456789");
	return (*field)[*n] && strchr("#ABC", (*field)[*n]) ? *field + *n + 1 : NULL;
}

static bool parse_mf(enum tl_cas_kind kind, const char *heard, struct tl_leg_setup *setup)
{
	const char *field;
	size_t n;
	if (kind == TL_CAS_FGD) {
		heard = mf_field(heard, &field, &n);
		/* Without ANI there may be no information digits either. */
		if (!heard || (n >= II_DIGITS && !take(&setup->calling, field + II_DIGITS, n - II_DIGITS)))
			return false;
		if (n >= II_DIGITS)
			memcpy(setup->calling_ii, field, II_DIGITS);
	}
	heard = mf_field(heard, &field, &n);
	return heard && !*heard && take(&setup->called, field, n);
}

bool tl_cas_address_parse(enum tl_cas_kind kind, enum tl_inband_digits digits, const char *heard,
			  struct tl_leg_setup *setup)
{
	struct tl_leg_setup read = { .bearer = TL_BEARER_AUDIO_3K1, .called_complete = true };
	bool good;
	if (kind < TL_CAS_FXS_LOOP && digits == TL_INBAND_MF)
		good = parse_mf(kind, heard, &read);
	else if (kind == TL_CAS_FGD)
		good = parse_fgd_dtmf(heard, &read);
	else if (kind < TL_CAS_FXS_LOOP || !strchr(heard, '*'))
		good = take(&read.called, heard, strlen(heard) - g_str_has_suffix(heard, "#"));
	else /* a subscriber's service code, such as *21# */
		good = tl_number_parse(heard, &read.called);
	if (!good || !read.called.digits[0])
		return false;
	read.calling.presentation = read.calling.digits[0] ? TL_PRESENTATION_ALLOWED : TL_PRESENTATION_UNAVAILABLE;
	if (read.calling.digits[0])
		read.calling.screening = TL_SCREENING_NETWORK;
	*setup = read;
	return true;
}
