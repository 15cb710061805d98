// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channel-associated signalling in the FALC56's RS (received) and XS (sent)
 * registers: an E1's timeslot 16 (ITU-T G.704 5.1.3.2), a T1's robbed bits.
 *
 *   E1:  RS(n + 1) = timeslot n, timeslot n + 16         n = 1-15, ABCD each
 *   ESF: RS(n)     = channel 2n - 1, channel 2n          n = 1-12, ABCD each
 *   D4:  RS(n)     = channels 4n - 3 ... 4n              n = 1-6,  AB each
 */
#include "framer-falc56.h"

#include "framer-falc56-regs.h"

#define D4_REGISTERS	6
#define ESF_REGISTERS	12
#define E1_REGISTERS	15

static u8 xs1_e1(const struct tl_framer *framer)
{
	return XS1_E1_SPARE | (framer->distant_mfa ? XS1_E1_DISTANT : 0);
}

unsigned int tl_framer_signalling_count(const struct tl_framer *framer)
{
	const struct tl_framer_config *c = &framer->config;

	if (c->line == TL_LINE_E1)
		return c->cas ? E1_REGISTERS : 0;
	return c->d4 ? D4_REGISTERS : ESF_REGISTERS;
}

unsigned int tl_framer_signalling_read(struct tl_framer *framer,
				       unsigned int index,
				       struct tl_framer_abcd *abcd)
{
	const struct tl_framer_config *c = &framer->config;
	unsigned int i;
	u8 value;

	/* The framing may have changed since the caller counted. */
	if (index >= tl_framer_signalling_count(framer))
		return 0;
	if (c->line == TL_LINE_E1) {
		value = tl_falc56_read(framer, RS(index + 2));
		abcd[0] = (struct tl_framer_abcd){ index + 1, value >> 4 };
		abcd[1] = (struct tl_framer_abcd){ index + 17, value & 0xf };
		return 2;
	}
	value = tl_falc56_read(framer, RS(index + 1));
	if (!c->d4) {
		abcd[0] = (struct tl_framer_abcd){ 2 * index + 1, value >> 4 };
		abcd[1] = (struct tl_framer_abcd){ 2 * index + 2, value & 0xf };
		return 2;
	}
	for (i = 0; i < 4; i++, value <<= 2)
		abcd[i] = (struct tl_framer_abcd){ 4 * index + i + 1,
						   value >> 4 & 0xc };
	return 4;
}

/* Replace the field of @width bits, @position fields from the left. */
static u8 replace(u8 value, unsigned int position, unsigned int width, u8 bits)
{
	unsigned int shift = 8 - (position + 1) * width;
	u8 mask = (1 << width) - 1;

	return (value & ~(mask << shift)) | (bits & mask) << shift;
}

static void write_xs(struct tl_framer *framer, unsigned int n, u8 value)
{
	framer->xs[n - 1] = value;
	tl_falc56_write(framer, XS(n), value);
}

static void set_e1(struct tl_framer *framer, unsigned int timeslot, u8 abcd)
{
	unsigned int n = (timeslot & 15) + 1;

	if (timeslot == 0 || timeslot == 16 || timeslot > 31)
		return;
	write_xs(framer, n, replace(framer->xs[n - 1], timeslot > 16, 4, abcd));
}

/* Superframe sends XS1-6 and XS7-12 in turn: falc56.md Q7. */
static void set_d4(struct tl_framer *framer, unsigned int channel, u8 abcd)
{
	unsigned int n = (channel - 1) / 4 + 1;
	u8 value = replace(framer->xs[n - 1], (channel - 1) % 4, 2, abcd >> 2);

	write_xs(framer, n, value);
	write_xs(framer, n + D4_REGISTERS, value);
}

static void set_esf(struct tl_framer *framer, unsigned int channel, u8 abcd)
{
	unsigned int n = (channel - 1) / 2 + 1;

	write_xs(framer, n, replace(framer->xs[n - 1], (channel - 1) % 2, 4, abcd));
}

void tl_framer_signalling_set(struct tl_framer *framer, unsigned int channel,
			      u8 abcd)
{
	const struct tl_framer_config *c = &framer->config;

	if (c->line == TL_LINE_E1)
		set_e1(framer, channel, abcd);
	else if (channel < 1 || channel > 24)
		return;
	else if (c->d4)
		set_d4(framer, channel, abcd);
	else
		set_esf(framer, channel, abcd);
}

void tl_framer_distant_mfa_set(struct tl_framer *framer, bool alarm)
{
	framer->distant_mfa = alarm;
	if (framer->config.line == TL_LINE_E1 && framer->config.cas)
		write_xs(framer, 1, xs1_e1(framer));
}

void tl_falc56_signalling_restore(struct tl_framer *framer)
{
	unsigned int n, count = ESF_REGISTERS;

	if (framer->config.line == TL_LINE_E1) {
		framer->xs[0] = xs1_e1(framer);
		count = framer->config.cas ? TL_FRAMER_XS_COUNT : 0;
	}
	for (n = 1; n <= count; n++)
		tl_falc56_write(framer, XS(n), framer->xs[n - 1]);
}
