// SPDX-License-Identifier: GPL-2.0-only
#include "performance.h"

/* 30 % of the 1000 blocks an E1 with CRC-4 carries in a second (G.826 D.1) */
#define E1_SEVERE_CRC4		300
/* Frame alignment signals errored at a bit error ratio of 1E-3 (G.821 annex A) */
#define E1_SEVERE_FAS		28
/* CRC-6 events of 333, and frame bits of the superframe (T1.231 6.5.2.5.2) */
#define T1_SEVERE_CRC6		320
#define T1_SEVERE_FRAMING	8

#define BAD_SECOND	(TL_DEFECT_LOS | TL_DEFECT_AIS | TL_DEFECT_LFA)

static bool is_severe(const struct tl_framer_config *c,
		      const struct tl_framer_errors *e, unsigned int defects)
{
	if (defects & BAD_SECOND)
		return true;
	if (c->line == TL_LINE_E1)
		return c->crc4 ? e->crc >= E1_SEVERE_CRC4 :
				 e->framing >= E1_SEVERE_FAS;
	return c->d4 ? e->framing >= T1_SEVERE_FRAMING :
		       e->crc >= T1_SEVERE_CRC6;
}

bool tl_performance_second(struct tl_performance *performance,
			   const struct tl_framer_config *config,
			   const struct tl_framer_errors *errors,
			   unsigned int defects, unsigned int slips)
{
	bool severe = is_severe(config, errors, defects);
	bool errored = severe || errors->crc || errors->framing || slips;

	performance->framing_errors += errors->framing;
	performance->code_violations += errors->code;
	performance->crc_errors += errors->crc;
	performance->ebit_errors += errors->ebit;
	performance->slips += slips;
	performance->errored_seconds += errored;
	performance->severely_errored_seconds += severe;
	return errored;
}
