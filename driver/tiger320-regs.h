/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of the TigerJet Tiger320 as these cards use it: tiger320.md. */
#ifndef TL_TIGER320_REGS_H
#define TL_TIGER320_REGS_H

#include <linux/bits.h>

/* Control: resets, and whether DMA wraps around at the ring's end */
#define TIGER_CNTL		0x00
#define TIGER_CNTL_WRAP		BIT(0)
#define TIGER_CNTL_RESET	(BIT(3) | BIT(2) | BIT(1))

/* Operation: DMA runs; a pulse on RESTART begins at the ring's start */
#define TIGER_OPER		0x01
#define TIGER_OPER_DMA		BIT(0)
#define TIGER_OPER_RESTART	BIT(1)

/* Auxiliary pins: direction (1 is output; pin 1 is an input) and data */
#define TIGER_AUXC		0x02
#define TIGER_AUXC_OUTPUTS	0xfd
#define TIGER_AUXD		0x03
/* What the auxiliary pins select in the user window */
#define TIGER_AUXD_CPLD		BIT(7)
#define TIGER_AUXD_FRAMER(reg)	(((reg) & 0xf0) >> 1)

#define TIGER_MASK0		0x04
#define TIGER_MASK1		0x05

/* Interrupt status; write ones to clear */
#define TIGER_INTSTAT		0x06
#define TIGER_INT_TX_FIRST	BIT(0)
#define TIGER_INT_TX_SECOND	BIT(1)
#define TIGER_INT_RX_FIRST	BIT(2)
#define TIGER_INT_RX_SECOND	BIT(3)
#define TIGER_INT_MASTER_ABORT	BIT(4)
#define TIGER_INT_TARGET_ABORT	BIT(5)
#define TIGER_INT_TX		(TIGER_INT_TX_FIRST | TIGER_INT_TX_SECOND)
#define TIGER_INT_RX		(TIGER_INT_RX_FIRST | TIGER_INT_RX_SECOND)
#define TIGER_INT_ABORT		(TIGER_INT_MASTER_ABORT | TIGER_INT_TARGET_ABORT)
#define TIGER_INT_RESERVED	0xc0

/* DMA addresses, 32 bits: "write" goes to the line, "read" comes from it */
#define TIGER_DMA_TX_START	0x08
#define TIGER_DMA_TX_MIDDLE	0x0c
#define TIGER_DMA_TX_END	0x10
#define TIGER_DMA_RX_START	0x18
#define TIGER_DMA_RX_MIDDLE	0x1c
#define TIGER_DMA_RX_END	0x20
#define TIGER_DMA_RX_POSITION	0x24	/* where it will write next */

/* Serial port: double clock, 20 ns sync, MSB first; frame sync one later */
#define TIGER_SERC		0x2d
#define TIGER_SERC_TDM		0xc8
#define TIGER_FSCDELAY		0x2f
#define TIGER_FSCDELAY_ONE	0x01

/* Sixteen byte-wide registers of what AUXD selects, four addresses apart */
#define TIGER_USER(reg)		(0xc0 + (((reg) & 0xf) << 2))

/* The CPLD behind the user window */
#define CPLD_CLOCK		0x0
#define CPLD_CLOCK_RECOVERED	BIT(0)
#define CPLD_CLOCK_REALIGN	BIT(1)	/* tiger320.md Q5 */
#define CPLD_CLOCK_ON		BIT(2)
#define CPLD_CLOCK_JUMPER_T1	BIT(5)	/* read */
#define CPLD_LAMPS		0x1
#define CPLD_LAMP_RED		BIT(0)
#define CPLD_LAMP_GREEN		BIT(1)
#define CPLD_LAMP_TEST		BIT(2)
#define CPLD_VERSION		0x2
#define CPLD_SCRATCH		0x3

#define TIGER_IO_OCTETS		0x100

#endif
