/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a fax machine does wrong on purpose, between its T.30 and the line. Thread: the machine's, once it runs. */
#pragma once

#include <spandsp.h>

#include "fax/fax.h"

struct fault {
	awgn_state_t *noise;     /* added to what is heard; NULL: none */
	unsigned drop_every;     /* blocks heard; 0: none */
	unsigned bad_tcfs;       /* so many training checks are spoiled */
	unsigned lose_every, burst; /* T.38 datagrams sent, and as many in a row; 0: none */
	bool wrong_width;        /* DCS claims B4 */
	bool no_dcn;             /* silence instead of the farewell */

	unsigned blocks, packets;
	bool muted;
	enum { TCF_NONE, TCF_COMES, TCF_GAP, TCF_SPOILED } tcf;
	unsigned silent;         /* zeros in a row that were said */
	unsigned said;           /* samples of the check */
};

void fault_noise(struct fault *fault, int dbm0);
void fault_done(struct fault *fault);
struct tl_fax_faults fault_faults(struct fault *fault);
/** The faults that a machine's user (the first argument of tl_fax_start()'s user) has; fax.c. */
struct fault *fault_of(void *user);
