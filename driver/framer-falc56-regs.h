/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of the Infineon FALC56 (PEF 2256) that this driver uses: falc56.md. */
#ifndef TL_FRAMER_FALC56_REGS_H
#define TL_FRAMER_FALC56_REGS_H

#include <linux/bits.h>

#define CMDR			0x02
#define CMDR_RRES		BIT(6)
#define CMDR_XRES		BIT(4)

#define IPC			0x08	/* interrupt pin */
#define IPC_PUSH_PULL_LOW	0x05

#define IMR0			0x14
#define IMR1			0x15
#define IMR2			0x16
#define IMR3			0x17
#define IMR4			0x18

/* IERR: one defect sent for each bit written */
#define IERR			0x1b
#define IERR_BIPOLAR		BIT(0)
#define IERR_CAS		BIT(2)
#define IERR_CRC		BIT(3)
#define IERR_MULTIFRAME		BIT(4)
#define IERR_FAS		BIT(5)

#define FMR0			0x1c
#define FMR0_AMI		0xa0	/* both directions */
#define FMR0_HDB3_B8ZS		0xf0	/* both directions */

#define FMR1			0x1d
#define FMR1_PMOD_T1		BIT(4)
#define FMR1_CRC		BIT(3)	/* E1: send CRC-4 (XFS); T1: CRC-6 in ESF */
#define FMR1_ECM		BIT(2)	/* error counters latched each second */
#define FMR1_XAIS		BIT(0)

#define FMR2			0x1e
#define FMR2_E1_RFS_AUTO_CRC4	0xc0
#define FMR2_T1_SSP		BIT(5)	/* and no ESF bits: falc56.md Q9 */
#define FMR2_PLB		BIT(2)
#define FMR2_AXRA		BIT(1)	/* RAI sent by the chip while out of frame */
#define FMR2_E1_ALMF		BIT(0)	/* multiframe search starts again by itself */

#define XSW_E1			0x20
#define XSW_E1_XSIS		BIT(7)
#define XSW_E1_XRA		BIT(5)
#define XSW_E1_SPARE		0x1f

#define FMR4_T1			0x20
#define FMR4_T1_XRA		BIT(5)
#define FMR4_T1_2_OF_5		BIT(3)
#define FMR4_T1_AUTO		BIT(2)
#define FMR4_T1_ESF		BIT(1)

#define XSP_E1			0x21
#define XSP_E1_CASEN		BIT(6)
#define XSP_E1_EBP		BIT(4)
#define XSP_E1_AXS		BIT(3)	/* E bits sent by the chip */
#define XSP_E1_XSIF		BIT(2)

#define FMR5_T1			0x21
#define FMR5_T1_EIBR		BIT(6)	/* robbed bits from XS1-12 */
#define FMR5_T1_XLD		BIT(5)
#define FMR5_T1_XLU		BIT(4)

#define XC0			0x22
#define XC1			0x23
#define RC0			0x24
#define RC1			0x25
#define XPM0			0x26
#define XPM1			0x27
#define XPM2			0x28
#define CCB1_T1			0x2f	/* to 0x31: clear channels, first on top: falc56.md Q13 */

#define LIM0			0x36
#define LIM0_EQON		BIT(3)	/* fixed in version 2: falc56.md Q2 */
#define LIM0_LL			BIT(1)

#define LIM1			0x37
#define LIM1_CLOS		BIT(7)
#define LIM1_RIL_LOWEST		0x70
#define LIM1_DCOC_T1		BIT(3)
#define LIM1_JATT		BIT(2)
#define LIM1_RL			BIT(1)

#define PCD			0x38
#define PCR			0x39
#define LIM2			0x3a
#define LIM2_LBO(step)		((step) << 6)
#define LIM2_SLT_50		BIT(5)
#define LIM2_T1_LOS1		BIT(0)
#define LCR1			0x3b

#define SIC1			0x3e
#define SIC1_XBS_2_FRAMES	0x02
#define SIC2			0x3f
#define SIC3			0x40
#define SIC3_RESR		BIT(2)
#define CMR1			0x44
#define CMR1_RS_DCOR_8192	0x30
#define CMR2			0x45
#define GCR			0x46
#define GCR_VIS			BIT(7)	/* masked interrupts show in ISR0-4 */
#define GCR_SCI			BIT(6)

#define VSTR			0x4a
#define VSTR_1_2		0x00
#define VSTR_2_1		0x10
#define VSTR_2_X		0x05

#define FRS0			0x4c
#define FRS0_LOS		BIT(7)
#define FRS0_AIS		BIT(6)	/* not bit 2: falc56.md Q8 */
#define FRS0_LFA		BIT(5)
#define FRS0_RRA		BIT(4)
#define FRS0_E1_NMF		BIT(2)
#define FRS0_LMFA		BIT(1)

#define FRS1			0x4d
#define FRS1_E1_TS16RA		BIT(6)
#define FRS1_E1_TS16AIS		BIT(4)
#define FRS1_E1_TS16LFA		BIT(3)
#define FRS1_T1_LLBDD		BIT(4)
#define FRS1_T1_LLBAD		BIT(3)
#define FRS3_T1			0x4f	/* LLBDD, LLBAD of version 1.2: falc56.md Q11 */

#define FECL			0x50
#define CVCL			0x52
#define CECL			0x54
#define EBCL			0x56

#define ISR3			0x6b
#define ISR3_SEC		BIT(6)
#define ISR3_SLIP		(BIT(1) | BIT(0))
#define ISR4			0x6c
#define ISR4_SLIP		(BIT(7) | BIT(6))

/* Signalling: RS1-16 when read, XS1-16 when written */
#define RS(n)			(0x70 + (n) - 1)
#define XS(n)			(0x70 + (n) - 1)
#define XS1_E1_SPARE		0x0b	/* falc56.md Q10 */
#define XS1_E1_DISTANT		BIT(2)

#define PC1			0x80
#define PC2			0x81
#define PC3			0x82
#define PC4			0x83
#define PC5			0x84
#define GPC1			0x85
#define PC6			0x86
#define GCM(n)			(0x92 + (n) - 1)

/* Undocumented; what peers write after a receiver reset: falc56.md Q5 */
#define TEST_ADDRESS		0xbb
#define TEST_DATA		0xbc

#endif
