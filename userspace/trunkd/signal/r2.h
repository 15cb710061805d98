/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * MFC/R2 on OpenR2 (ITU-T Q.400-Q.490 and national variants): the bearers of a DAHDI E1 with CAS, calls both ways.
 * OpenR2 drives channels itself, on a thread of its own; the span must lend its bearers. Thread: main.
 */
#pragma once

#include "base/config.h"
#include "signal/inband.h"
#include "signal/signalling.h"

/** In the order of TL_R2_VARIANTS. */
enum tl_r2_variant {
	TL_R2_ITU, TL_R2_AR, TL_R2_BR, TL_R2_CN, TL_R2_CZ, TL_R2_CO, TL_R2_EC, TL_R2_ID, TL_R2_MX, TL_R2_PH, TL_R2_VE,
	TL_N_R2_VARIANTS,
};
#define TL_R2_VARIANTS "itu|ar|br|cn|cz|co|ec|id|mx|ph|ve"

/** Calling party's category (ITU-T Q.441 4.2.4, group II), in the order of TL_R2_CATEGORIES. */
enum tl_r2_category {
	TL_R2_NATIONAL, TL_R2_NATIONAL_PRIORITY, TL_R2_INTERNATIONAL, TL_R2_INTERNATIONAL_PRIORITY, TL_R2_COLLECT, TL_R2_TEST,
};
#define TL_R2_CATEGORIES "national|national-priority|international|international-priority|collect|test"

/** yes, no, or as the variant has it. */
enum tl_r2_choice { TL_R2_NO, TL_R2_YES, TL_R2_BY_VARIANT };

/** -1: as the variant has it. */
struct tl_r2_config {
	enum tl_r2_variant variant;
	enum tl_slot_hunt hunt;
	unsigned max_ani, max_dnis;      /* digits asked for at most */
	enum tl_r2_choice ani_first;     /* the caller's number before the rest of the called one */
	enum tl_r2_category category;    /* of our calls */
	bool skip_category;              /* do not ask for the caller's; OpenR2 then asks for no caller's number either */
	bool charge;                     /* accept calls with charge (B-6 of ITU-T Q.441) or without (B-7) */
	bool immediate_accept;           /* accept in group A, without groups B and II */
	bool accept_collect;             /* else calls of that category are refused */
	bool double_answer;              /* answer, clear back and answer: the network drops collect calls by it */
	bool forced_release;             /* end answered calls by forced release instead of clear back */
	int metering_ms;                 /* a clear back that is followed by answer within it is a metering pulse; 0: none is */
	int mf_timeout_ms;               /* how long to wait for a caller's next tone before the number is taken as complete */
	int mf_threshold_ms;             /* as long must a tone, or silence, last beyond the detector's own time */
	bool dtmf_dial, dtmf_detect;     /* numbers by DTMF instead of MF */
	unsigned dtmf_on_ms, dtmf_off_ms;
	int dtmf_end_ms;                 /* silence that ends a number of DTMF */
};

/** Its keys of [span NAME]. */
#define TL_R2_KEYS \
	{ "span", "r2_variant", TL_CONFIG_CHOICE, "itu", TL_R2_VARIANTS, .help = "R2: ITU-T's signals or a country's" }, \
	{ "span", "r2_max_ani", TL_CONFIG_INT, "20", .min = 0, .max = 32, .help = "R2: most digits of the caller's number asked for" }, \
	{ "span", "r2_max_dnis", TL_CONFIG_INT, "20", .min = 1, .max = 32, .help = "R2: most digits of the called number asked for" }, \
	{ "span", "r2_ani_first", TL_CONFIG_CHOICE, "by-variant", "no|yes|by-variant", \
	  .help = "R2: ask for the caller's number after the first called digit" }, \
	{ "span", "r2_category", TL_CONFIG_CHOICE, "national", TL_R2_CATEGORIES, .help = "R2: category of outgoing calls" }, \
	{ "span", "r2_skip_category", TL_CONFIG_BOOL, "no", .help = "R2: do not ask callers for category and number" }, \
	{ "span", "r2_charge", TL_CONFIG_BOOL, "yes", .help = "R2: accept calls with charge" }, \
	{ "span", "r2_immediate_accept", TL_CONFIG_BOOL, "no", .help = "R2: accept without groups B and II" }, \
	{ "span", "r2_accept_collect", TL_CONFIG_BOOL, "yes", .help = "R2: take calls whose category says collect" }, \
	{ "span", "r2_double_answer", TL_CONFIG_BOOL, "no", .help = "R2: answer twice, so that the network drops collect calls" }, \
	{ "span", "r2_forced_release", TL_CONFIG_BOOL, "no", .help = "R2: end calls by forced release instead of clear back" }, \
	{ "span", "r2_metering_ms", TL_CONFIG_INT, "-1", .min = -1, .max = 5000, \
	  .help = "R2: longest metering pulse; 0: none comes, -1: as the variant has it" }, \
	{ "span", "r2_mf_timeout_ms", TL_CONFIG_INT, "-1", .min = -1, .max = 30000, \
	  .help = "R2: wait for a caller's next digit, then the number is complete; -1: as the variant has it" }, \
	{ "span", "r2_mf_threshold_ms", TL_CONFIG_INT, "-1", .min = -1, .max = 500, \
	  .help = "R2: how long a tone must be there to count; -1: as the variant has it" }, \
	{ "span", "r2_dtmf_dial", TL_CONFIG_BOOL, "no", .help = "R2: send numbers by DTMF" }, \
	{ "span", "r2_dtmf_detect", TL_CONFIG_BOOL, "no", .help = "R2: take numbers by DTMF" }, \
	{ "span", "r2_dtmf_on_ms", TL_CONFIG_INT, "50", .min = 40, .max = 1000, .help = "R2: length of a DTMF digit sent" }, \
	{ "span", "r2_dtmf_off_ms", TL_CONFIG_INT, "100", .min = 40, .max = 1000, .help = "R2: pause after a DTMF digit sent" }, \
	{ "span", "r2_dtmf_end_ms", TL_CONFIG_INT, "-1", .min = -1, .max = 30000, \
	  .help = "R2: silence that ends a number of DTMF; -1: as the variant has it" }

/** From a section that has TL_R2_KEYS and hunt; refuses what does not go together. */
bool tl_r2_config_read(const struct tl_config_section *section, struct tl_r2_config *config, GError **error);

/** Starts R2 on @span, which lends its bearers; refused callers hear tones from @audio. (transfer full) */
struct tl_signalling *tl_r2_new(struct tl_span *span, const struct tl_r2_config *config,
				const struct tl_inband_room *audio, const struct tl_signalling_handler *handler, void *user, GError **error);
