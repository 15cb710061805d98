/* SPDX-License-Identifier: GPL-2.0-only */
/* Errored seconds, from what was counted in each second of the line. */
#ifndef TL_PERFORMANCE_H
#define TL_PERFORMANCE_H

#include <linux/types.h>

#include "framer.h"

/* Since the counts were last reset; a span's supervision writes them. */
struct tl_performance {
	u64 framing_errors;
	u64 code_violations;
	u64 crc_errors;
	u64 ebit_errors;
	u64 slips;
	u64 errored_seconds;
	u64 severely_errored_seconds;
};

/**
 * tl_performance_second - add one second.
 * @defects: every TL_DEFECT_* bit seen in that second
 * @slips: frames slipped in that second
 * Errored and severely errored seconds are those of ITU-T G.826 annexes B and D
 * for E1, of ANSI T1.231 6.5.2 for T1.
 * Returns true if the second was errored.
 */
bool tl_performance_second(struct tl_performance *performance,
			   const struct tl_framer_config *config,
			   const struct tl_framer_errors *errors,
			   unsigned int defects, unsigned int slips);

#endif
