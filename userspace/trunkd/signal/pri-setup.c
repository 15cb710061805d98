/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A leg's setup in libpri's words and back (ITU-T Q.931 4.5). */
#include "signal/signal.h"

#include <errno.h>
#include <string.h>

#include "signal/pri-inner.h"

static int plan_write(const struct tl_number *number)
{
	return number->type << 4 | number->plan;
}

static int presentation_write(const struct tl_number *number)
{
	return number->presentation << 5 | number->screening;
}

static void number_write(const struct tl_number *number, struct pri_party_number *out)
{
	out->valid = *number->digits || number->presentation != TL_PRESENTATION_ALLOWED;
	out->plan = plan_write(number);
	out->presentation = presentation_write(number);
	g_strlcpy(out->str, number->digits, sizeof(out->str));
}

/* The display element carries IA5 on most switches; Latin-1 is what libpri knows of the rest. */
static void name_write(const char *name, struct pri_party_name *out)
{
	g_autofree char *latin = g_convert_with_fallback(name, -1, "ISO-8859-1", "UTF-8", "?", NULL, NULL, NULL);
	if (!latin || !*latin)
		return;
	out->valid = 1;
	out->presentation = PRI_PRES_ALLOWED;
	out->char_set = PRI_CHAR_SET_ISO8859_1;
	g_strlcpy(out->str, latin, sizeof(out->str));
}

static void caller_write(struct pri_sr *sr, const struct tl_leg_setup *setup)
{
	struct pri_party_id caller = { 0 };
	number_write(&setup->calling, &caller.number);
	name_write(setup->calling_name, &caller.name);
	caller.name.presentation = caller.number.presentation;
	if (caller.name.valid && !caller.number.valid) { /* libpri drops a name without a number */
		caller.number.valid = 1;
		caller.number.presentation = PRES_NUMBER_NOT_AVAILABLE;
	}
	if (caller.number.valid)
		pri_sr_set_caller_party(sr, &caller);
}

static void redirecting_write(struct pri_sr *sr, const struct tl_leg_setup *setup)
{
	struct pri_party_redirecting redirecting = { .count = 1, .reason = setup->redirecting_reason };
	number_write(&setup->redirecting, &redirecting.from.number);
	if (redirecting.from.number.valid)
		pri_sr_set_redirecting_parties(sr, &redirecting);
}

static int capability_write(enum tl_bearer bearer)
{
	switch (bearer) {
	case TL_BEARER_AUDIO_3K1:
		return PRI_TRANS_CAP_3_1K_AUDIO;
	case TL_BEARER_UNRESTRICTED:
		return PRI_TRANS_CAP_DIGITAL;
	case TL_BEARER_SPEECH:
		break;
	}
	return PRI_TRANS_CAP_SPEECH;
}

int tl_pri_setup_send(struct tl_pri *pri, q931_call *call, const struct tl_leg_setup *setup, unsigned slot)
{
	bool alaw = tl_span_get_law(pri->config.span) == TL_LAW_ALAW;
	char digits[TL_DIGITS_MAX + 1];
	struct pri_sr *sr = pri_sr_new();
	if (!sr)
		return -ENOMEM;
	g_strlcpy(digits, setup->called.digits, sizeof(digits));
	pri_sr_set_channel(sr, slot, pri->config.exclusive, 0);
	pri_sr_set_bearer(sr, capability_write(setup->bearer), alaw ? PRI_LAYER_1_ALAW : PRI_LAYER_1_ULAW);
	pri_sr_set_called(sr, digits, plan_write(&setup->called), setup->called_complete);
	caller_write(sr, setup);
	redirecting_write(sr, setup);
	int result = pri_setup(pri->libpri, call, sr);
	pri_sr_free(sr);
	return result ? -EIO : 0;
}

static void number_read(const char *digits, int plan, int presentation, struct tl_number *out)
{
	size_t n = strspn(digits, "0123456789*#ABCD");
	n = MIN(n, TL_DIGITS_MAX);
	memcpy(out->digits, digits, n);
	out->digits[n] = '\0';
	out->type = plan >> 4 & 7;
	out->plan = plan & 15;
	out->presentation = presentation >> 5 & 3;
	out->screening = presentation & 3;
}

static void name_read(const struct pri_party_name *name, char *out)
{
	if (!name->valid)
		return;
	g_autofree char *text = g_utf8_validate(name->str, -1, NULL) ?
		g_strdup(name->str) : g_convert(name->str, -1, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
	for (char *c = text; c && *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	if (!text)
		return;
	g_strlcpy(out, text, TL_NAME_MAX + 1);
	const char *end; /* a character may have been cut */
	if (!g_utf8_validate(out, -1, &end))
		out[end - out] = '\0';
}

static void redirecting_read(const pri_event_ring *ring, struct tl_leg_setup *setup)
{
	for (int i = 0; ring->subcmds && i < ring->subcmds->counter_subcmd; i++) {
		const struct pri_subcommand *sub = &ring->subcmds->subcmd[i];
		if (sub->cmd != PRI_SUBCMD_REDIRECTING)
			continue;
		const struct pri_party_number *from = &sub->u.redirecting.from.number;
		number_read(from->str, from->plan, from->presentation, &setup->redirecting);
		setup->redirecting_reason = sub->u.redirecting.reason;
	}
}

bool tl_pri_bearer_read(int capability, enum tl_bearer *bearer)
{
	switch (capability) {
	case PRI_TRANS_CAP_SPEECH:
		*bearer = TL_BEARER_SPEECH;
		return true;
	case PRI_TRANS_CAP_3_1K_AUDIO:
		*bearer = TL_BEARER_AUDIO_3K1;
		return true;
	case PRI_TRANS_CAP_DIGITAL:
	case PRI_TRANS_CAP_DIGITAL_W_TONES:
		*bearer = TL_BEARER_UNRESTRICTED;
		return true;
	default:
		return false;
	}
}

void tl_pri_setup_read(const struct tl_pri *pri, const pri_event_ring *ring, struct tl_leg_setup *setup)
{
	*setup = (struct tl_leg_setup){ 0 };
	number_read(ring->callednum, ring->calledplan, 0, &setup->called);
	if (ring->calling.number.valid)
		number_read(ring->calling.number.str, ring->calling.number.plan, ring->calling.number.presentation,
			    &setup->calling);
	name_read(&ring->calling.name, setup->calling_name);
	redirecting_read(ring, setup);
	tl_pri_bearer_read(ring->ctype, &setup->bearer);
	setup->called_complete = ring->complete || !pri->config.overlap || pri->config.type == TL_PRI_NI2;
}
