/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a fax machine does wrong on purpose, between its T.30 and the line. Thread: the machine's, once it runs. */
#pragma once

#include <spandsp.h>

#include "fax/fax.h"

struct fault {
	awgn_state_t *noise;     /* added to what is heard and said; NULL: none */
	double loss_percent;     /* of packets both ways, and of T.38 datagrams sent, at random */
	unsigned drop_every;     /* blocks heard; 0: none */
	unsigned bad_tcfs;       /* so many training checks, said or heard, are spoiled */
	unsigned lose_every, burst; /* T.38 datagrams sent, and as many in a row; 0: none */
	bool wrong_width;        /* DCS claims B4 */
	bool no_dcn;             /* silence instead of the farewell */

	struct passage { unsigned blocks; bool lost; } heard, said;
	unsigned blocks, packets;
	bool muted;
	enum { TCF_NONE, TCF_COMES, TCF_GAP, TCF_SPOILED } tcf;
	bool tcf_heard;          /* the check comes from the far end */
	unsigned silent;         /* samples in a row */
	unsigned trained, passed; /* samples: the training's, of the check so far */
};

void fault_noise(struct fault *fault, int dbm0);
void fault_done(struct fault *fault);
struct tl_fax_faults fault_faults(struct fault *fault);
/** The faults that a machine's user (the first argument of tl_fax_start()'s user) has; fax.c. */
struct fault *fault_of(void *user);
