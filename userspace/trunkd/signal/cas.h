/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Channel-associated signalling on a span with CAS bits (ANSI T1.403.02 robbed bits, an E1's timeslot 16): E&M trunks, and
 * both ends of loop lines. Numbers go in the band. Thread: main.
 */
#pragma once

#include "base/config.h"
#include "signal/inband.h"
#include "signal/signalling.h"

/** What is spoken. FXS and FXO name the signalling, as DAHDI does: who speaks FXS is like a telephone. */
enum tl_cas_kind {
	TL_CAS_EM_IMMEDIATE, /* E&M, digits some 150 ms after the seizure (TIA/EIA-464 immediate-dial) */
	TL_CAS_EM_WINK,      /* E&M, digits after a wink */
	TL_CAS_FGD,          /* E&M with a wink, ANI before the number, and a wink after it (Telcordia GR-506 feature group D) */
	TL_CAS_FXS_LOOP,     /* like a telephone on a loop-start line */
	TL_CAS_FXS_KEWL,     /* the same; the exchange opens the loop when its side has hung up */
	TL_CAS_FXO_LOOP,     /* like an exchange's line card */
	TL_CAS_FXO_KEWL,     /* the same, opening the loop to disconnect */
};

#define TL_CAS_KINDS (TL_CAS_FXO_KEWL + 1)

struct tl_cas_config {
	enum tl_cas_kind kind;
	enum tl_slot_hunt hunt;
	enum tl_inband_digits digits;      /* of E&M; loop lines dial DTMF */
	enum tl_caller_id_kind caller_id;  /* of loop lines */
	const char *number;                /* FXS: the line's own, which its callers have called; FXO: a hot line to it; or NULL */
	unsigned digits_max;               /* a number of so many DTMF digits is complete; 0: when none follows for digit_ms */
	unsigned first_digit_ms, digit_ms; /* how long a digit is waited for */
	unsigned wink_ms;                  /* of ours, in tens */
	unsigned dial_tone_ms;             /* FXS: from off-hook to the first digit */
	bool holds;                        /* E&M: of two seizures at once ours goes on; otherwise the far end's */
	bool reversal;                     /* loop lines: the exchange reverses the battery while its side of a call has answered */
	bool flash;                        /* FXO: a short on-hook is a hook flash; otherwise it is the end, too */
};

/** Its keys of [span NAME]. */
#define TL_CAS_KEYS \
	{ "span", "cas_digits", TL_CONFIG_CHOICE, "dtmf", "dtmf|mf", .help = "CAS: how numbers sound on E&M trunks" }, \
	{ "span", "cas_number", TL_CONFIG_NUMBER, .help = "CAS: fxs: number of the line, called by its callers; fxo: where a telephone gets at once" }, \
	{ "span", "cas_digits_max", TL_CONFIG_INT, "0", .min = 0, .max = 32, .help = "CAS: a DTMF number of so many digits is complete; 0: by # or a pause" }, \
	{ "span", "cas_first_digit_ms", TL_CONFIG_INT, "10000", .min = 1000, .max = 60000, .help = "CAS: how long the first digit is waited for" }, \
	{ "span", "cas_digit_ms", TL_CONFIG_INT, "3000", .min = 500, .max = 30000, .help = "CAS: how long another digit is waited for" }, \
	{ "span", "cas_wink_ms", TL_CONFIG_INT, "200", .min = 140, .max = 290, .help = "CAS: length of our winks, in tens" }, \
	{ "span", "cas_dial_tone_ms", TL_CONFIG_INT, "1000", .min = 100, .max = 10000, .help = "CAS: fxs: from off-hook to the first digit" }, \
	{ "span", "cas_glare", TL_CONFIG_CHOICE, "yield", "yield|hold", .help = "CAS: whose call goes on when both ends seize an E&M trunk; the ends should differ" }, \
	{ "span", "cas_flash", TL_CONFIG_BOOL, "yes", .help = "CAS: fxo: a short on-hook is a hook flash, so that an end takes 1.1 s to be seen" }, \
	{ "span", "cas_reversal", TL_CONFIG_BOOL, "no", .help = "CAS: loop lines: the exchange reverses the battery when a call is answered, and back at its end" }, \
	{ "span", "caller_id", TL_CONFIG_CHOICE, "none", "none|bell|v23|dtmf", .help = "CAS: how loop lines tell the caller, after the first ring" }

/** False: @error says what @kind of span cannot be. */
bool tl_cas_config_read(const struct tl_config_section *section, enum tl_cas_kind kind, struct tl_cas_config *config,
			GError **error);

/**
 * CAS as the signalling system of @span, which has CAS bits; idle bits go out at once. The slot of a call that goes out is
 * settled, and its audio free, from TL_DIALOG_PROCEEDING or ANSWERED on. After 2.5 s without a line calls end with cause
 * 38 (ANSI T1.403 carrier group alarm). (transfer full)
 */
struct tl_signalling *tl_cas_signalling_new(struct tl_span *span, const struct tl_cas_config *config,
					    const struct tl_inband_room *audio, const struct tl_signalling_handler *handler,
					    void *user, GError **error);
