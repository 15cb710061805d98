/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Trunk signalling: a span's configuration becomes its signalling system. What all systems have in common is in
 * signalling.h, calls are in leg.h; each system's own settings are beside it. Thread: main.
 */
#pragma once

#include "base/config.h"
#include "signal/cas.h"
#include "signal/pri.h"
#include "signal/r2.h"
#include "signal/signalling.h"

/** What a span speaks and how. Only the part of its kind is read. */
struct tl_signalling_config {
	enum tl_signalling_kind kind;
	struct tl_pri_config pri; /* but for the span */
	struct tl_r2_config r2;
	struct tl_cas_config cas;
	struct tl_inband_room audio; /* what CAS and R2 speak in; not read from a file but given by the owner */
};

/** Rows for a program's table of keys: what stands in [span NAME] about signalling. Defaults of signalling and restart. */
#define TL_SIGNALLING_KEYS(signalling, restart) \
	{ "span", "signalling", TL_CONFIG_CHOICE, signalling, TL_SIGNALLING_CHOICES, .help = "what it speaks" }, \
	{ "span", "hunt", TL_CONFIG_CHOICE, "lowest", "lowest|highest|round-robin", \
	  .help = "free timeslot that outgoing calls try first" }, \
	TL_PRI_KEYS(restart), \
	TL_R2_KEYS, \
	TL_CAS_KEYS

/**
 * tl_signalling_config_read - from a section that has TL_SIGNALLING_KEYS. @span has kind and d_channel (0: not said);
 * what the signalling needs of the line is added there (d_channel, cas). Strings are borrowed from @section.
 */
bool tl_signalling_config_read(const struct tl_config_section *section, struct tl_signalling_config *config,
			       struct tl_span_config *span, GError **error);

/**
 * tl_signalling_new - start a system on @span, whose handler it takes over. (transfer full)
 * Not for TL_SIGNALLING_NONE. @user is the handler's.
 */
struct tl_signalling *tl_signalling_new(struct tl_span *span, const struct tl_signalling_config *config,
					const struct tl_signalling_handler *handler, void *user, GError **error);
