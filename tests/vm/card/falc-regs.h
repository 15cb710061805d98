/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Registers of the FALC56 (PEF2256) that the model gives a meaning. */
#pragma once

enum {
	CMDR = 0x02,
	IMR0 = 0x14, /* to IMR5 0x19 */
	FMR0 = 0x1c,
	FMR1 = 0x1d,
	FMR2 = 0x1e,
	XSW = 0x20,  /* E1 */
	FMR4 = 0x20, /* T1 */
	XSP = 0x21,  /* E1 */
	FMR5 = 0x21, /* T1 */
	XC0 = 0x22,
	XC1 = 0x23,
	RC0 = 0x24,
	RC1 = 0x25,
	CCB1 = 0x2f, /* T1, to CCB3 0x31: clear channels, channel 1 in bit 7 */
	LIM0 = 0x36,
	LIM1 = 0x37,
	SIC1 = 0x3e,
	GCR = 0x46,
	ESM = 0x47,
	VSTR = 0x4a,
	FRS0 = 0x4c,
	FRS1 = 0x4d,
	RSW = 0x4e, /* E1; FRS2 in T1 */
	RSP = 0x4f, /* E1; FRS3 in T1 */
	FECL = 0x50, /* six 16-bit error counters, low octet first, to 0x5b */
	DEC = 0x60,
	ISR0 = 0x68, /* to ISR5 0x6d */
	GIS = 0x6e,
	RS1 = 0x70, /* read: RS1-16; written: XS1-16 */
	WID = 0xec,
};

enum {
	CMDR_RECEIVER_RESET = 0x40,
	CMDR_TRANSMITTER_RESET = 0x10,
	FMR1_PMOD = 0x10, /* T1 */
	FMR1_ECM = 0x04,  /* error counters latched each second */
	FMR1_XAIS = 0x01,
	FMR2_RFS_CRC4 = 0x80, /* E1: RFS1, CRC-4 multiframe */
	FMR2_PLB = 0x04,
	FMR2_AXRA = 0x02,
	XSW_XRA = 0x20, /* and FMR4 */
	FMR4_FM_ESF = 0x02,
	XSP_CASEN = 0x40,
	FMR5_EIBR = 0x40,
	LIM0_LL = 0x02,
	LIM1_RL = 0x02,
	GCR_VIS = 0x80, /* masked interrupts are visible in ISR */
	GCR_SCI = 0x40, /* LOS and AIS interrupt at both ends */
};

enum {
	FRS0_LOS = 0x80,
	FRS0_AIS = 0x40,
	FRS0_LFA = 0x20,
	FRS0_RRA = 0x10,
	FRS0_NMF = 0x04, /* E1 */
	FRS0_LMFA = 0x02,
	E1_FRS1_TS16RA = 0x40,
	E1_FRS1_TS16LOS = 0x20,
	E1_FRS1_TS16AIS = 0x10,
	E1_FRS1_TS16LFA = 0x08,
	LLB_DOWN = 0x10, /* FRS1 in T1, RSP in E1 */
	LLB_UP = 0x08,
};

enum {
	ISR0_RSC = 0x08,
	ISR2_FAR = 0x80,
	ISR2_LFA = 0x40,
	ISR2_MFAR = 0x20,
	ISR2_LMFA = 0x10,
	ISR2_AIS = 0x08,
	ISR2_LOS = 0x04,
	ISR2_RAR = 0x02,
	ISR2_RA = 0x01,
	ISR3_ES = 0x80,
	ISR3_SEC = 0x40,
	ISR3_LMFA16 = 0x20,
	ISR3_AIS16 = 0x10,
	ISR3_RA16 = 0x08,
	ISR3_SLIP_NEGATIVE = 0x02,
	ISR3_SLIP_POSITIVE = 0x01,
};
