/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The FALC56's channel-associated signalling: XS1-16 to the line, the line to
 * RS1-16. E1: timeslot 16 multiframe (ITU-T G.704 5.1.3.2.2), RS(n+1) holds
 * channel n in bits 7-4 and channel n+16's timeslot in bits 3-0. T1: robbed
 * bits; ESF two channels a register, D4 four with A and B each.
 */
#pragma once

#include <stdbool.h>

struct tl_falc;
struct tl_line_frame;

/** Put what XS1-16 say into a frame about to be sent. */
void tl_falc_signal(struct tl_falc *falc, struct tl_line_frame *sent);

/** Take a received frame's bits to RS1-16, frozen while frames are lost. True if they changed. */
bool tl_falc_take_signals(struct tl_falc *falc, const struct tl_line_frame *received);
