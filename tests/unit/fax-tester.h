/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A tester of fax machines in the manner of TSB-85: it is the far end, by script, frame by frame, on SpanDSP's modems and without
 * its T.30. Steps, divided by "; ":
 *   ced                            2100 Hz, 3 s, and the silence after it
 *   hear FRAME [MS]                the next frame but NSF, CSI, TSI, CIG, PWD, SEP and SUB is this one, within MS (40,000)
 *   say FRAME [octets, hex]        after 75 ms; FRAME! has a bad check sequence
 *   ahead FRAME [octets, hex]      is said in one breath with the next frame, before it
 *   dis [ecm|nothing|polled]       a DIS of V.27 ter and V.29, or of one that does not receive, or that can be polled
 *   dcs RATE [ecm]                 its DCS: A4, standard, MH, no minimum time
 *   tcf RATE [bad]                 V.27 ter or V.29 by RATE
 *   page RATE ROWS [bad]           white, without ECM; bad: two rows of three are garbled
 *   blocks RATE N [skip I]         a partial page of N frames of 256 octets by ECM, without the Ith
 *   pps FRAME N [again]            PPS with this as its FCF2 and N frames; again: though MCF came
 *   quiet MS                       nobody says a frame
 *   wait MS
 */
#pragma once

#include "line/line.h"

struct fax_tester;

/** At the far end of @slot of a fake span that is not wired there. @name is told when the script does not come true. */
struct fax_tester *fax_tester_new(struct tl_span *span, unsigned slot, const char *name, const char *script);
void fax_tester_free(struct fax_tester *tester);
/** Before a block of line time, and after it. */
void fax_tester_speak(struct fax_tester *tester);
void fax_tester_hear(struct fax_tester *tester);
/** Whether all steps are done. A step that does not come true fails the test. */
bool fax_tester_done(const struct fax_tester *tester);
