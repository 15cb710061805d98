/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/falc.h"

#include <string.h>

#include "card/falc-regs.h"
#include "card/falc-signalling.h"

#define SECOND_FRAMES 8000

void tl_falc_init(struct tl_falc *falc, bool t1)
{
	memset(falc, 0, sizeof(*falc));
	falc->t1 = t1;
	/* All interrupts are masked after reset. */
	memset(falc->written + IMR0, 0xff, 6);
}

/* T1 or E1 is set by FMR1.PMOD; a framer set for the other never finds frames. */
static bool mode_fits(const struct tl_falc *falc)
{
	return !(falc->written[FMR1] & FMR1_PMOD) == !falc->t1;
}

bool tl_falc_aligned(const struct tl_falc *falc)
{
	const uint8_t *w = falc->written;

	return w[XC0] == 0x00 && w[XC1] == 0x04 && w[RC0] == 0x07 && w[RC1] == 0x05 && w[SIC1] == 0x02;
}

static void interrupt(struct tl_falc *falc, unsigned n, uint8_t bits)
{
	if (!(falc->written[GCR] & GCR_VIS))
		bits &= (uint8_t)~falc->written[IMR0 + n];
	falc->interrupts[n] |= bits;
}

static uint8_t read_interrupts(struct tl_falc *falc, unsigned n)
{
	uint8_t bits = falc->interrupts[n];

	falc->interrupts[n] = 0;
	return bits;
}

static uint8_t global_interrupts(const struct tl_falc *falc)
{
	uint8_t bits = 0;

	for (unsigned n = 0; n < 6; n++)
		bits |= (uint8_t)((falc->interrupts[n] != 0) << n);
	return bits;
}

static uint8_t received_service_word(const struct tl_falc *falc)
{
	return falc->t1 ? 0 : (uint8_t)(0x9f | (falc->frs0 & FRS0_RRA ? 0x20 : 0));
}

static uint8_t loop_codes(const struct tl_falc *falc)
{
	return (uint8_t)((falc->faults.loop_up ? LLB_UP : 0) | (falc->faults.loop_down ? LLB_DOWN : 0));
}

static void latch(struct tl_falc *falc, unsigned counter)
{
	falc->latched[counter] = falc->live[counter];
	falc->live[counter] = 0;
}

/* The high octet ends the reading: its DEC bit falls back (data sheet, DEC). */
static uint8_t read_counter(struct tl_falc *falc, unsigned address)
{
	static const uint8_t dec_bit[] = { 0x01, 0x02, 0x08, 0x04, 0x10, 0x20 };
	unsigned counter = (address - FECL) / 2;

	if (!(address & 1))
		return (uint8_t)falc->latched[counter];
	falc->written[DEC] &= (uint8_t)~dec_bit[counter];
	return (uint8_t)(falc->latched[counter] >> 8);
}

static void write_dec(struct tl_falc *falc, uint8_t value)
{
	static const unsigned counter_of_bit[] = { TL_FALC_FRAMING, TL_FALC_CODE_VIOLATION, TL_FALC_EBIT,
						   TL_FALC_CRC, TL_FALC_BIT, TL_FALC_COFA };
	uint8_t rising = value & (uint8_t)~falc->written[DEC];

	if (!(falc->written[FMR1] & FMR1_ECM))
		for (unsigned bit = 0; bit < 6; bit++)
			if (rising & 1u << bit)
				latch(falc, counter_of_bit[bit]);
	falc->written[DEC] = value;
}

uint8_t tl_falc_read(struct tl_falc *falc, uint8_t address)
{
	if (address >= RS1 && address < RS1 + 16)
		return falc->received_cas[address - RS1];
	if (address >= FECL && address < FECL + 2 * TL_FALC_COUNTERS)
		return read_counter(falc, address);
	if (address >= ISR0 && address < ISR0 + 6)
		return read_interrupts(falc, address - ISR0);
	switch (address) {
	case VSTR:
		return 0x05; /* V2.x */
	case WID:
		return 0x40; /* V2.2 */
	case FRS0:
		return falc->frs0;
	case FRS1:
		return falc->t1 ? loop_codes(falc) : falc->frs1;
	case RSW:
		return received_service_word(falc);
	case RSP:
		return falc->t1 ? 0 : loop_codes(falc);
	case GIS:
		return global_interrupts(falc);
	default:
		return falc->written[address];
	}
}

void tl_falc_write(struct tl_falc *falc, uint8_t address, uint8_t value)
{
	if (address == DEC)
		write_dec(falc, value);
	else
		falc->written[address] = value;
}

void tl_falc_count(struct tl_falc *falc, enum tl_falc_counter counter, unsigned count)
{
	unsigned sum = falc->live[counter] + count;

	falc->live[counter] = sum > 0xffff ? 0xffff : (uint16_t)sum;
	falc->second_errored |= count > 0;
}

void tl_falc_slip(struct tl_falc *falc, bool positive)
{
	interrupt(falc, 3, positive ? ISR3_SLIP_POSITIVE : ISR3_SLIP_NEGATIVE);
}

static void one_second(struct tl_falc *falc)
{
	uint8_t bits = ISR3_SEC;

	if (falc->written[FMR1] & FMR1_ECM)
		for (unsigned i = 0; i < TL_FALC_COUNTERS; i++)
			latch(falc, i);
	if (falc->second_errored || falc->frs0 & (FRS0_LOS | FRS0_LFA | FRS0_AIS))
		bits |= ISR3_ES;
	falc->second_errored = false;
	interrupt(falc, 3, bits);
}

static uint8_t line_status(const struct tl_falc *falc, const struct tl_line_frame *received)
{
	const struct tl_falc_faults *faults = &falc->faults;
	const bool los = received->los || faults->los;
	const bool ais = !los && (received->ais || faults->ais);
	const bool lfa = los || ais || faults->lfa || !mode_fits(falc);
	const bool multiframe = falc->t1 ? falc->written[FMR4] & FMR4_FM_ESF
					 : falc->written[FMR2] & FMR2_RFS_CRC4;
	const bool lmfa = multiframe && (lfa || faults->lmfa || faults->nmf);

	return (uint8_t)((los ? FRS0_LOS : 0) | (ais ? FRS0_AIS : 0) | (lfa ? FRS0_LFA : 0) |
			 (!lfa && (received->rai || faults->rai) ? FRS0_RRA : 0) |
			 (!falc->t1 && multiframe && !lfa && faults->nmf ? FRS0_NMF : 0) |
			 (lmfa ? FRS0_LMFA : 0));
}

static uint8_t timeslot16_status(const struct tl_falc *falc, const struct tl_line_frame *received)
{
	const struct tl_falc_faults *faults = &falc->faults;

	if (!(falc->written[XSP] & XSP_CASEN))
		return 0;
	if (falc->frs0 & FRS0_LFA)
		return E1_FRS1_TS16LFA | E1_FRS1_TS16LOS;
	if (faults->ais16)
		return E1_FRS1_TS16AIS | E1_FRS1_TS16LFA;
	return (uint8_t)((faults->lmfa16 || !received->has_cas ? E1_FRS1_TS16LFA : 0) |
			 (faults->rai16 ? E1_FRS1_TS16RA : 0));
}

/* Which interrupt a status bit gives when it comes and when it goes. */
struct edge {
	uint8_t status, register_number, coming, going;
	bool going_by_sci; /* only with GCR.SCI */
};

static void interrupt_edges(struct tl_falc *falc, const struct edge *edges, unsigned count, uint8_t before,
			    uint8_t after)
{
	for (unsigned i = 0; i < count; i++) {
		const struct edge *edge = &edges[i];

		if (!((before ^ after) & edge->status))
			continue;
		if (after & edge->status)
			interrupt(falc, edge->register_number, edge->coming);
		else if (!edge->going_by_sci || falc->written[GCR] & GCR_SCI)
			interrupt(falc, edge->register_number, edge->going);
	}
}

static void update_status(struct tl_falc *falc, const struct tl_line_frame *received)
{
	static const struct edge frs0_edges[] = {
		{ FRS0_LOS, 2, ISR2_LOS, ISR2_LOS, true },   { FRS0_AIS, 2, ISR2_AIS, ISR2_AIS, true },
		{ FRS0_LFA, 2, ISR2_LFA, ISR2_FAR, false },  { FRS0_RRA, 2, ISR2_RA, ISR2_RAR, false },
		{ FRS0_LMFA, 2, ISR2_LMFA, ISR2_MFAR, false },
	};
	static const struct edge frs1_edges[] = {
		{ E1_FRS1_TS16LFA, 3, ISR3_LMFA16, ISR3_LMFA16, true },
		{ E1_FRS1_TS16AIS, 3, ISR3_AIS16, ISR3_AIS16, true },
		{ E1_FRS1_TS16RA, 3, ISR3_RA16, ISR3_RA16, false },
	};
	uint8_t frs0 = line_status(falc, received), frs1;

	interrupt_edges(falc, frs0_edges, sizeof(frs0_edges) / sizeof(frs0_edges[0]), falc->frs0, frs0);
	falc->frs0 = frs0;
	if (falc->t1)
		return;
	frs1 = timeslot16_status(falc, received);
	interrupt_edges(falc, frs1_edges, sizeof(frs1_edges) / sizeof(frs1_edges[0]), falc->frs1, frs1);
	falc->frs1 = frs1;
}

static bool sends_rai(const struct tl_falc *falc)
{
	/* XRA is bit 5 of the register at 0x20 in both modes: XSW, FMR4. */
	return falc->written[XSW] & XSW_XRA ||
	       (falc->written[FMR2] & FMR2_AXRA && falc->frs0 & FRS0_LFA);
}

static unsigned bus_slot(const struct tl_falc *falc, unsigned timeslot)
{
	return falc->t1 ? (timeslot - 1) / 3 * 4 + (timeslot - 1) % 3 + 1 : timeslot;
}

static void transmit_frame(struct tl_falc *falc, const uint8_t transmit[32], struct tl_line_frame *sent)
{
	const unsigned timeslots = falc->t1 ? 24 : 31;

	memset(sent, 0, sizeof(*sent));
	sent->ais = falc->written[FMR1] & FMR1_XAIS;
	sent->rai = sends_rai(falc);
	for (unsigned timeslot = 1; timeslot <= timeslots; timeslot++)
		sent->slots[timeslot] = transmit[bus_slot(falc, timeslot)];
	tl_falc_signal(falc, sent);
}

/* The frame words that reach the system bus: FAS and NFAS in E1, the F-bit's octet in T1. */
static uint8_t slot_zero(const struct tl_falc *falc)
{
	if (falc->t1)
		return 0x7f;
	if (!(falc->frames & 1))
		return 0x9b;
	return falc->frs0 & FRS0_RRA ? 0xff : 0xdf;
}

static void receive_frame(struct tl_falc *falc, const struct tl_line_frame *received, uint8_t receive[32])
{
	const unsigned timeslots = falc->t1 ? 24 : 31;

	memset(receive, 0xff, 32);
	if (falc->frs0 & (FRS0_LOS | FRS0_AIS | FRS0_LFA))
		return;
	receive[0] = slot_zero(falc);
	for (unsigned timeslot = 1; timeslot <= timeslots; timeslot++) {
		receive[bus_slot(falc, timeslot)] = received->slots[timeslot];
		if (falc->bit_errors) {
			falc->bit_errors--;
			receive[bus_slot(falc, timeslot)] ^= 0x01;
		}
	}
}

void tl_falc_frame(struct tl_falc *falc, const uint8_t transmit[32], const struct tl_line_frame *received,
		   uint8_t receive[32], struct tl_line_frame *sent)
{
	struct tl_line_frame own, looped;

	/* XAIS goes to the line only: what is looped back is without it (data sheet, FMR1.XAIS). */
	if (falc->written[LIM0] & LIM0_LL) {
		looped = falc->sent;
		looped.ais = false;
		received = &looped;
	}
	update_status(falc, received);
	transmit_frame(falc, transmit, &own);
	if (falc->written[FMR2] & FMR2_PLB && !falc->faults.los && !received->los)
		memcpy(own.slots, received->slots, sizeof(own.slots));
	receive_frame(falc, received, receive);
	if (tl_falc_take_signals(falc, received))
		interrupt(falc, 0, ISR0_RSC);
	*sent = falc->written[LIM1] & LIM1_RL ? *received : own;
	falc->sent = own;
	if (++falc->frames % SECOND_FRAMES == 0)
		one_second(falc);
}
