/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/signal.h"

#include "base/thread.h"

#define D_CHANNEL_E1 16
#define D_CHANNEL_T1 24

static bool is_pri(enum tl_signalling_kind kind)
{
	return kind == TL_SIGNALLING_PRI_CPE || kind == TL_SIGNALLING_PRI_NETWORK;
}

static bool is_cas(enum tl_signalling_kind kind)
{
	return kind >= TL_SIGNALLING_CAS_EM_IMMEDIATE && kind <= TL_SIGNALLING_CAS_FXO_KEWL;
}

/* A packet must not reach over the end of a CAS multiframe (RFC 5086 4.4.2). */
static bool read_cas(const struct tl_config_section *section, struct tl_signalling_config *config,
		     const struct tl_span_config *span, GError **error)
{
	unsigned multiframe = span->kind == TL_SPAN_E1 ? 16 : 24;
	if (span->backend == TL_SPAN_PSEUDOWIRE && multiframe % span->pseudowire.frames)
		return tl_config_refuse(section, "frames", error, "expected a divisor of %u, because signalling is %s", multiframe,
					tl_signalling_name(config->kind));
	return tl_cas_config_read(section, (enum tl_cas_kind)(config->kind - TL_SIGNALLING_CAS_EM_IMMEDIATE), &config->cas, error);
}

bool tl_signalling_config_read(const struct tl_config_section *section, struct tl_signalling_config *config,
			       struct tl_span_config *span, GError **error)
{
	config->kind = tl_config_choice(section, "signalling");
	if (is_pri(config->kind)) {
		if (!tl_config_string(section, "d_channel"))
			span->d_channel = span->kind == TL_SPAN_E1 ? D_CHANNEL_E1 : D_CHANNEL_T1;
		if (!span->d_channel)
			return tl_config_refuse(section, "d_channel", error, "expected a timeslot from 1 to %u, because signalling is %s",
						span->kind == TL_SPAN_E1 ? 31 : 24, tl_signalling_name(config->kind));
		config->pri.side = config->kind == TL_SIGNALLING_PRI_NETWORK ? TL_PRI_NETWORK : TL_PRI_CPE;
		tl_pri_config_read(section, span->kind, &config->pri);
	}
	if (config->kind == TL_SIGNALLING_R2) {
		if (span->d_channel)
			return tl_config_refuse(section, "d_channel", error, "expected none, because signalling is r2");
		span->cas = span->lends = true;
		return tl_r2_config_read(section, &config->r2, error);
	}
	if (is_cas(config->kind)) {
		span->cas = true;
		return read_cas(section, config, span, error);
	}
	return true;
}

struct tl_signalling *tl_signalling_new(struct tl_span *span, const struct tl_signalling_config *config,
					const struct tl_signalling_handler *handler, void *user, GError **error)
{
	tl_assert_main();
	switch (config->kind) {
	case TL_SIGNALLING_PRI_CPE:
	case TL_SIGNALLING_PRI_NETWORK:
		return tl_pri_signalling_new(span, &config->pri, handler, user, error);
	case TL_SIGNALLING_R2:
		return tl_r2_new(span, &config->r2, &config->audio, handler, user, error);
	case TL_SIGNALLING_CAS_EM_IMMEDIATE:
	case TL_SIGNALLING_CAS_EM_WINK:
	case TL_SIGNALLING_CAS_FGD:
	case TL_SIGNALLING_CAS_FXS_LOOP:
	case TL_SIGNALLING_CAS_FXS_KEWL:
	case TL_SIGNALLING_CAS_FXO_LOOP:
	case TL_SIGNALLING_CAS_FXO_KEWL:
		return tl_cas_signalling_new(span, &config->cas, &config->audio, handler, user, error);
	case TL_SIGNALLING_NONE:
		break;
	}
	g_assert_not_reached();
}
