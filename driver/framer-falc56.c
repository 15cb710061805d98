// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Infineon FALC56 (PEF 2256), versions 1.2 to 2.2: bring-up, state and
 * counters. Signalling bits are in framer-falc56-cas.c. What a value means is
 * in framer-falc56-regs.h, how it is known in firmware-notes/falc56.md.
 */
#include "framer.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "bus.h"
#include "framer-falc56.h"
#include "framer-falc56-regs.h"

struct setting {
	u8 reg;
	u8 value;
};

/* The system side: 32 slots at 2.048 MHz, two frames of elastic store each way. */
static const struct setting system_side[] = {
	{ GPC1, 0xe0 },		/* FSC is an output, low */
	{ IPC, IPC_PUSH_PULL_LOW },
	{ GCR, GCR_VIS | GCR_SCI },	/* VIS: falc56.md Q1 */
	{ SIC1, SIC1_XBS_2_FRAMES },
	{ SIC2, 0x00 },
	{ SIC3, SIC3_RESR },
	{ CMR1, CMR1_RS_DCOR_8192 },
	{ CMR2, 0x00 },
	{ XC0, 0x00 },
	{ XC1, 0x04 },
	{ RC0, 0x07 },		/* the receive offset just below 2048 bits ... */
	{ PC1, 0x00 },		/* SYPR, SYPX */
	{ PC2, 0x22 },		/* RMFB, XSIG */
	{ PC3, 0x65 },
	{ PC4, 0x35 },
	{ PC5, 0x31 },
	{ PC6, 0x03 },		/* CLK1: transmit clock; CLK2: 8.192 MHz of DCO-R */
	{ LCR1, 0x00 },
};

/* The 8.192 MHz master clock, GCM1 onwards. */
static const u8 clock_v1_2[] = { 0x00, 0x58, 0xd2, 0xc2, 0x03, 0x10 };
static const u8 clock_v2[] = { 0x00, 0x18, 0xfb, 0x0b, 0x00, 0x0b, 0xdb, 0xdf };

/* What peers write after the receiver's reset in E1: falc56.md Q5. */
static const struct setting e1_receiver[] = {
	{ TEST_ADDRESS, 0x17 }, { TEST_DATA, 0x55 }, { TEST_ADDRESS, 0x97 },
	{ TEST_ADDRESS, 0x11 }, { TEST_DATA, 0xaa }, { TEST_ADDRESS, 0x91 },
	{ TEST_ADDRESS, 0x12 }, { TEST_DATA, 0x55 }, { TEST_ADDRESS, 0x92 },
	{ TEST_ADDRESS, 0x0c }, { TEST_ADDRESS, 0x00 }, { TEST_ADDRESS, 0x8c },
};

static const u8 e1_pulse[3] = { 0x54, 0x02, 0x00 };
static const u8 t1_pulse[4][3] = {
	{ 0xd7, 0x22, 0x01 },	/* 0 dB */
	{ 0x8c, 0x01, 0x00 },	/* 7.5 dB */
	{ 0x8c, 0x11, 0x01 },	/* 15 dB */
	{ 0x07, 0x01, 0x00 },	/* 22.5 dB */
};

static void write_all(struct tl_framer *framer, const struct setting *s,
		      unsigned int count)
{
	for (; count; count--, s++)
		tl_falc56_write(framer, s->reg, s->value);
}

/* IMR0 holds what it is given, and no other register does when asked for it. */
static bool answers(struct tl_framer *framer)
{
	static const u8 patterns[] = { 0x55, 0xaa, 0x00, 0xff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		tl_falc56_write(framer, IMR0, patterns[i]);
		tl_falc56_write(framer, XPM0, (u8)~patterns[i]);
		if (tl_falc56_read(framer, IMR0) != patterns[i])
			return false;
	}
	return true;
}

static void write_clock(struct tl_framer *framer)
{
	const u8 *value = framer->v1_2 ? clock_v1_2 : clock_v2;
	unsigned int i, count = framer->v1_2 ? ARRAY_SIZE(clock_v1_2) :
					       ARRAY_SIZE(clock_v2);

	for (i = 0; i < count; i++)
		tl_falc56_write(framer, GCM(i + 1), value[i]);
}

static void bring_up(struct tl_framer *framer)
{
	unsigned int reg;

	framer->version = tl_falc56_read(framer, VSTR);
	framer->v1_2 = framer->version == VSTR_1_2;
	write_all(framer, system_side, ARRAY_SIZE(system_side));
	/* ... and here the rest of it, one bit more in version 2 */
	tl_falc56_write(framer, RC1, framer->v1_2 ? 0x04 : 0x05);
	write_clock(framer);
	for (reg = IMR0; reg <= IMR4; reg++)
		tl_falc56_write(framer, reg, 0xff);
}

int tl_framer_revive(struct tl_framer *framer)
{
	struct tl_bus *bus = framer->bus;
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&bus->lock, flags);
	found = answers(framer);
	if (found)
		bring_up(framer);
	spin_unlock_irqrestore(&bus->lock, flags);
	return found ? 0 : -ENODEV;
}

int tl_framer_init(struct tl_framer *framer, struct tl_bus *bus, u16 base)
{
	memset(framer, 0, sizeof(*framer));
	framer->bus = bus;
	framer->base = base;
	return tl_framer_revive(framer);
}

/* Registers that hold both configuration and state are always written whole. */

/* AFR stays 0: falc56.md Q3. */
static void write_fmr1(struct tl_framer *framer)
{
	const struct tl_framer_config *c = &framer->config;
	u8 value = FMR1_ECM;

	if (c->line == TL_LINE_T1)
		value |= FMR1_PMOD_T1 | FMR1_CRC;
	else if (c->crc4)
		value |= FMR1_CRC;
	/* A local loop keeps our octets from the line, so it is due AIS. */
	if (framer->ais || framer->loop == TL_LOOP_LOCAL)
		value |= FMR1_XAIS;
	tl_falc56_write(framer, FMR1, value);
}

static void write_fmr2(struct tl_framer *framer)
{
	const struct tl_framer_config *c = &framer->config;
	u8 value;

	if (c->line == TL_LINE_T1) {
		value = FMR2_T1_SSP;
	} else {
		value = FMR2_AXRA | FMR2_E1_ALMF;
		if (c->crc4)
			value |= FMR2_E1_RFS_AUTO_CRC4;
	}
	if (framer->loop == TL_LOOP_PAYLOAD)
		value |= FMR2_PLB;
	tl_falc56_write(framer, FMR2, value);
}

static void write_rai(struct tl_framer *framer)
{
	u8 value;

	if (framer->config.line == TL_LINE_E1) {
		value = XSW_E1_XSIS | XSW_E1_SPARE;
		if (framer->rai)
			value |= XSW_E1_XRA;
		tl_falc56_write(framer, XSW_E1, value);
		return;
	}
	value = FMR4_T1_2_OF_5 | FMR4_T1_AUTO;
	if (!framer->config.d4)
		value |= FMR4_T1_ESF;
	if (framer->rai)
		value |= FMR4_T1_XRA;
	tl_falc56_write(framer, FMR4_T1, value);
}

/* LIM1 first: falc56.md Q4. */
static void write_line_interface(struct tl_framer *framer)
{
	u8 lim1 = LIM1_CLOS | LIM1_RIL_LOWEST;

	if (framer->config.line == TL_LINE_T1)
		lim1 |= LIM1_DCOC_T1;
	if (framer->loop == TL_LOOP_NETWORK)
		lim1 |= LIM1_RL | LIM1_JATT;
	tl_falc56_write(framer, LIM1, lim1);
	tl_falc56_write(framer, LIM0, LIM0_EQON |
			(framer->loop == TL_LOOP_LOCAL ? LIM0_LL : 0));
}

static void write_fmr5(struct tl_framer *framer)
{
	u8 value = FMR5_T1_EIBR;

	if (framer->loop_code == TL_LOOP_CODE_UP)
		value |= FMR5_T1_XLU;
	else if (framer->loop_code == TL_LOOP_CODE_DOWN)
		value |= FMR5_T1_XLD;
	tl_falc56_write(framer, FMR5_T1, value);
}

static void write_pulse(struct tl_framer *framer, const u8 pulse[3])
{
	tl_falc56_write(framer, XPM0, pulse[0]);
	tl_falc56_write(framer, XPM1, pulse[1]);
	tl_falc56_write(framer, XPM2, pulse[2]);
}

static void configure_e1(struct tl_framer *framer)
{
	write_all(framer, e1_receiver, ARRAY_SIZE(e1_receiver));
	tl_falc56_write(framer, LIM2, LIM2_SLT_50);
	tl_falc56_write(framer, XSP_E1, XSP_E1_EBP | XSP_E1_AXS | XSP_E1_XSIF |
			(framer->config.cas ? XSP_E1_CASEN : 0));
	write_pulse(framer, e1_pulse);
}

static void configure_t1(struct tl_framer *framer)
{
	u8 step = framer->config.build_out & 3;

	tl_falc56_write(framer, LIM2, LIM2_SLT_50 | LIM2_T1_LOS1 | LIM2_LBO(step));
	write_fmr5(framer);
	write_pulse(framer, t1_pulse[step]);
	tl_framer_clear_set(framer, framer->config.clear);
}

void tl_framer_configure(struct tl_framer *framer,
			 const struct tl_framer_config *config)
{
	framer->config = *config;
	write_fmr1(framer);
	write_fmr2(framer);
	tl_falc56_write(framer, FMR0, config->ami ? FMR0_AMI : FMR0_HDB3_B8ZS);
	write_line_interface(framer);
	/* Here and not later: falc56.md Q12. */
	tl_falc56_write(framer, CMDR, CMDR_RRES | CMDR_XRES);
	tl_falc56_write(framer, CMDR, 0);
	tl_falc56_write(framer, PCD, 10);	/* LOS after (10 + 1) * 16 zeros */
	tl_falc56_write(framer, PCR, 21);	/* and until 21 + 1 ones among them */
	if (config->line == TL_LINE_E1)
		configure_e1(framer);
	else
		configure_t1(framer);
	write_rai(framer);
	tl_falc56_signalling_restore(framer);
}

void tl_framer_ais_set(struct tl_framer *framer, bool ais)
{
	framer->ais = ais;
	write_fmr1(framer);
}

void tl_framer_rai_set(struct tl_framer *framer, bool rai)
{
	framer->rai = rai;
	write_rai(framer);
}

void tl_framer_loop_set(struct tl_framer *framer, enum tl_loop loop)
{
	framer->loop = loop;
	write_fmr1(framer);
	write_fmr2(framer);
	write_line_interface(framer);
}

void tl_framer_loop_code_set(struct tl_framer *framer, enum tl_loop_code code)
{
	if (framer->config.line != TL_LINE_T1)
		return;
	framer->loop_code = code;
	write_fmr5(framer);
}

void tl_framer_clear_set(struct tl_framer *framer, u32 clear)
{
	unsigned int channel, reg;

	framer->config.clear = clear;
	if (framer->config.line != TL_LINE_T1)
		return;
	for (reg = 0; reg < 3; reg++) {
		u8 value = 0;

		for (channel = 0; channel < 8; channel++)
			if (clear & BIT(8 * reg + channel))
				value |= 0x80 >> channel;
		tl_falc56_write(framer, CCB1_T1 + reg, value);
	}
}

int tl_framer_error_send(struct tl_framer *framer, enum tl_framer_error error)
{
	const struct tl_framer_config *c = &framer->config;
	u8 value = 0;

	switch (error) {
	case TL_FRAMER_ERROR_FAS:
		value = IERR_FAS;
		break;
	case TL_FRAMER_ERROR_MULTIFRAME:
		value = IERR_MULTIFRAME;
		break;
	case TL_FRAMER_ERROR_CRC:
		value = c->crc4 || (c->line == TL_LINE_T1 && !c->d4) ? IERR_CRC : 0;
		break;
	case TL_FRAMER_ERROR_CAS:
		value = c->cas ? IERR_CAS : 0;
		break;
	case TL_FRAMER_ERROR_BIPOLAR:
		value = IERR_BIPOLAR;
		break;
	}
	if (!value)
		return -EOPNOTSUPP;
	tl_falc56_write(framer, IERR, value);
	return 0;
}

static unsigned int e1_defects(struct tl_framer *framer, u8 frs0)
{
	const struct tl_framer_config *c = &framer->config;
	unsigned int seen = 0;
	u8 frs1;

	if (c->crc4 && (frs0 & FRS0_E1_NMF))
		seen |= TL_SEEN_NO_CRC4;
	else if (c->crc4 && (frs0 & FRS0_LMFA))
		seen |= TL_DEFECT_LMFA;
	if (!c->cas)
		return seen;
	frs1 = tl_falc56_read(framer, FRS1);
	if (frs1 & FRS1_E1_TS16LFA)
		seen |= TL_DEFECT_LMFA;
	if (frs1 & FRS1_E1_TS16RA)
		seen |= TL_DEFECT_DISTANT_MFA;
	return seen;
}

static unsigned int t1_codes(struct tl_framer *framer)
{
	u8 codes = tl_falc56_read(framer, framer->v1_2 ? FRS3_T1 : FRS1);
	unsigned int seen = 0;

	if (codes & FRS1_T1_LLBAD)
		seen |= TL_SEEN_LOOP_UP;
	if (codes & FRS1_T1_LLBDD)
		seen |= TL_SEEN_LOOP_DOWN;
	return seen;
}

unsigned int tl_framer_defects(struct tl_framer *framer)
{
	u8 frs0 = tl_falc56_read(framer, FRS0);
	unsigned int seen;

	if (framer->config.line == TL_LINE_E1)
		seen = e1_defects(framer, frs0);
	else
		seen = t1_codes(framer);
	if (frs0 & FRS0_LOS)
		seen |= TL_DEFECT_LOS;
	if (frs0 & FRS0_AIS)
		seen |= TL_DEFECT_AIS;
	if (frs0 & FRS0_LFA)
		seen |= TL_DEFECT_LFA;
	if (frs0 & FRS0_RRA)
		seen |= TL_DEFECT_RAI;
	return seen;
}

static u16 read_counter(struct tl_framer *framer, u8 low)
{
	u8 octet = tl_falc56_read(framer, low);

	return tl_falc56_read(framer, low + 1) << 8 | octet;
}

bool tl_framer_second(struct tl_framer *framer, struct tl_framer_errors *errors,
		      unsigned int *slips)
{
	u8 isr3 = tl_falc56_read(framer, ISR3);

	if (isr3 & ISR3_SLIP)
		++*slips;
	if (!(isr3 & ISR3_SEC))
		return false;
	if (tl_falc56_read(framer, ISR4) & ISR4_SLIP)
		++*slips;
	errors->framing = read_counter(framer, FECL);
	errors->code = read_counter(framer, CVCL);
	errors->crc = read_counter(framer, CECL);
	errors->ebit = read_counter(framer, EBCL);
	return true;
}
