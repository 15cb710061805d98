/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The Tiger320 PCI bridge as cards of the TE110P class use it: a register file,
 * a DMA ring for each direction on a 32-timeslot serial bus, interrupts at the
 * middle and at the end of each ring, and a byte-wide local bus whose address
 * lines hang on the AUX pins. Knows nothing of framers or lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_TIGER_SLOTS 32 /* octets of one frame on the serial bus */

/** What the bridge is wired to. */
struct tl_tiger_ops {
	/* The local bus: @aux as driven on AUX7-0, @address 0-15. */
	uint8_t (*on_local_read)(void *owner, uint8_t aux, unsigned address);
	void (*on_local_write)(void *owner, uint8_t aux, unsigned address, uint8_t value);
	/* Guest memory for DMA, or NULL: a master abort. */
	uint8_t *(*on_memory)(void *owner, uint32_t address, size_t octets);
	/* The level of INTA may have changed: see tl_tiger_interrupting. */
	void (*on_interrupt)(void *owner);
};

/** Bits of the interrupt status and mask registers. */
enum {
	TL_TIGER_WRITE_MIDDLE = 0x01, /* transmit DMA passed its interrupt address */
	TL_TIGER_WRITE_END = 0x02,
	TL_TIGER_READ_MIDDLE = 0x04, /* receive DMA passed its interrupt address */
	TL_TIGER_READ_END = 0x08,
	TL_TIGER_MASTER_ABORT = 0x10,
	TL_TIGER_TARGET_ABORT = 0x20,
};

struct tl_tiger {
	uint8_t registers[256];
	uint32_t position;     /* octets into both rings */
	uint8_t pipeline[4];   /* fetched for transmission, not yet on the serial bus */
	uint64_t aborts;
	const struct tl_tiger_ops *ops;
	void *owner;
};

void tl_tiger_init(struct tl_tiger *tiger, const struct tl_tiger_ops *ops, void *owner);
void tl_tiger_reset(struct tl_tiger *tiger);

/** One octet of the register window; @offset 0-255. */
uint8_t tl_tiger_read(struct tl_tiger *tiger, unsigned offset);
void tl_tiger_write(struct tl_tiger *tiger, unsigned offset, uint8_t value);

/** DMA is switched on and out of reset. */
bool tl_tiger_running(const struct tl_tiger *tiger);

/** The serial port and its frame sync are set as the card's wiring needs it. */
bool tl_tiger_aligned(const struct tl_tiger *tiger);

/** Unmasked interrupt bits are set. */
bool tl_tiger_interrupting(const struct tl_tiger *tiger);

/** Frames that both rings move between two interrupts, 0 if the rings make no sense. */
unsigned tl_tiger_frames(const struct tl_tiger *tiger);

/**
 * Frames go by: fetch @count x 32 octets to @transmit, in slot order, as they
 * reach the serial bus. They lag the ring by one 4-octet word of pipeline.
 * @receive is stored and the position moves on. Returns the interrupt bits due,
 * without setting them; or negative: the guest's addresses lead nowhere.
 */
int tl_tiger_fetch(struct tl_tiger *tiger, unsigned count, uint8_t transmit[][TL_TIGER_SLOTS]);
int tl_tiger_store(struct tl_tiger *tiger, unsigned count, const uint8_t receive[][TL_TIGER_SLOTS]);

/** Set interrupt bits. */
void tl_tiger_raise(struct tl_tiger *tiger, uint8_t bits);
