/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/falc-signalling.h"

#include <string.h>

#include "card/falc-regs.h"
#include "card/falc.h"

static bool is_esf(const struct tl_falc *falc)
{
	return falc->written[FMR4] & FMR4_FM_ESF;
}

static bool is_clear(const struct tl_falc *falc, unsigned channel)
{
	return falc->written[CCB1 + (channel - 1) / 8] & 0x80 >> (channel - 1) % 8;
}

static void signal_e1(const struct tl_falc *falc, struct tl_line_frame *sent)
{
	const uint8_t *xs = falc->written + RS1;

	sent->has_cas = true;
	sent->slots[16] = xs[falc->frames % 16];
	for (unsigned timeslot = 1; timeslot <= 15; timeslot++) {
		sent->cas[timeslot] = xs[timeslot] >> 4;
		sent->cas[timeslot + 16] = xs[timeslot] & 0xf;
	}
}

/* D4 has A and B only; C and D repeat them. */
static uint8_t t1_bits(const struct tl_falc *falc, const uint8_t *xs, unsigned channel)
{
	unsigned n = channel - 1, ab;

	if (is_esf(falc))
		return n & 1 ? xs[n / 2] & 0xf : xs[n / 2] >> 4;
	ab = xs[n / 4] >> (6 - 2 * (n % 4)) & 3;
	return (uint8_t)(ab << 2 | ab);
}

/* Frames 6, 12, 18 and 24 of the extended superframe carry A, B, C and D. */
static void signal_t1(const struct tl_falc *falc, struct tl_line_frame *sent)
{
	const unsigned frame = (unsigned)(falc->frames % 24) + 1;

	sent->has_cas = true;
	for (unsigned channel = 1; channel <= 24; channel++) {
		uint8_t bits = t1_bits(falc, falc->written + RS1, channel);

		if (is_clear(falc, channel))
			continue;
		sent->cas[channel] = bits;
		if (frame % 6 == 0)
			sent->slots[channel] =
				(uint8_t)((sent->slots[channel] & 0xfe) | (bits >> (4 - frame / 6) & 1));
	}
}

void tl_falc_signal(struct tl_falc *falc, struct tl_line_frame *sent)
{
	if (falc->t1 && falc->written[FMR5] & FMR5_EIBR)
		signal_t1(falc, sent);
	else if (!falc->t1 && falc->written[XSP] & XSP_CASEN)
		signal_e1(falc, sent);
}

static void take_e1(const struct tl_line_frame *received, uint8_t *rs)
{
	rs[0] = 0x0b; /* 0000 alignment, spare bits 1, Y 0 */
	for (unsigned timeslot = 1; timeslot <= 15; timeslot++)
		rs[timeslot] = (uint8_t)(received->cas[timeslot] << 4 | (received->cas[timeslot + 16] & 0xf));
}

static void take_t1(const struct tl_falc *falc, const struct tl_line_frame *received, uint8_t *rs)
{
	for (unsigned n = 0; n < 24; n++) {
		uint8_t bits = received->cas[n + 1] & 0xf;

		if (is_esf(falc))
			rs[n / 2] |= (uint8_t)(n & 1 ? bits : bits << 4);
		else
			rs[n / 4] |= (uint8_t)((bits >> 2) << (6 - 2 * (n % 4)));
	}
	if (!is_esf(falc))
		memcpy(rs + 6, rs, 6);
}

bool tl_falc_take_signals(struct tl_falc *falc, const struct tl_line_frame *received)
{
	uint8_t rs[16] = { 0 };

	if (!received->has_cas || falc->frs0 & (FRS0_LOS | FRS0_AIS | FRS0_LFA) ||
	    falc->frs1 & E1_FRS1_TS16LFA)
		return false;
	if (falc->t1)
		take_t1(falc, received, rs);
	else
		take_e1(received, rs);
	if (!memcmp(rs, falc->received_cas, sizeof(rs)))
		return false;
	memcpy(falc->received_cas, rs, sizeof(rs));
	return true;
}
