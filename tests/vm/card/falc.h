/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The FALC56 framer (PEF2256 V2.2), E1 or T1, at the level of whole frames:
 * alarms with their status and interrupt bits, error counters, CAS and robbed
 * bits, loopbacks, what is sent. Pulses, clocks and HDLC are not modelled; the
 * line's own faults that a pseudowire cannot carry are put in from outside
 * (struct tl_falc_faults).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "card/line.h"

enum tl_falc_counter {
	TL_FALC_FRAMING,
	TL_FALC_CODE_VIOLATION,
	TL_FALC_CRC,
	TL_FALC_EBIT,
	TL_FALC_BIT,
	TL_FALC_COFA,
	TL_FALC_COUNTERS,
};

/** What is wrong with the received signal, beside what the line itself says. */
struct tl_falc_faults {
	bool los, ais, rai;
	bool lfa;  /* no frame alignment */
	bool lmfa; /* no CRC-4 (E1) or ESF (T1) multiframe */
	bool nmf;  /* E1: far end without CRC-4, 400 ms over */
	bool lmfa16, ais16, rai16; /* E1 with CAS: timeslot 16 */
	bool loop_up, loop_down;   /* line loop-back codes */
};

struct tl_falc {
	bool t1;                 /* what the line is; the driver must set the same */
	uint8_t written[256];
	uint8_t interrupts[6];   /* ISR0-5 */
	uint8_t frs0, frs1;
	uint8_t received_cas[16]; /* RS1-16 */
	struct tl_falc_faults faults;
	uint16_t live[TL_FALC_COUNTERS], latched[TL_FALC_COUNTERS];
	bool second_errored;
	uint64_t frames;
	struct tl_line_frame sent; /* last frame sent, for local loop and inspection */
	unsigned bit_errors;       /* received octets yet to be spoiled */
};

void tl_falc_init(struct tl_falc *falc, bool t1);

uint8_t tl_falc_read(struct tl_falc *falc, uint8_t address);
void tl_falc_write(struct tl_falc *falc, uint8_t address, uint8_t value);

/**
 * One frame time. @transmit: 32 octets from the system bus, @received: from the
 * line; @receive: 32 octets to the system bus, @sent: to the line.
 * T1 channel n lies on bus slot (n-1)/3*4 + (n-1)%3 + 1.
 */
void tl_falc_frame(struct tl_falc *falc, const uint8_t transmit[32], const struct tl_line_frame *received,
		   uint8_t receive[32], struct tl_line_frame *sent);

/** Timing of the system bus is set as the card's wiring needs it. */
bool tl_falc_aligned(const struct tl_falc *falc);

/** Count @count errors, saturating. */
void tl_falc_count(struct tl_falc *falc, enum tl_falc_counter counter, unsigned count);

/** A slip of the receive elastic buffer; @positive repeats a frame, else one is lost. */
void tl_falc_slip(struct tl_falc *falc, bool positive);
