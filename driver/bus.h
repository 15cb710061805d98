/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a framer and a span need of the bus a card sits on, whatever that bus
 * is: registers, a clock, lamps, and a stream of octets that starts and stops.
 */
#ifndef TL_BUS_H
#define TL_BUS_H

#include <linux/spinlock.h>
#include <linux/types.h>

/* The card's line clock. Without RECOVERED it is the card's own oscillator. */
#define TL_CLOCK_RECOVERED	0x1
/* Let the bus find the frame's first octet again; held for 100 ms. */
#define TL_CLOCK_REALIGN	0x2

enum tl_lamp {
	TL_LAMP_OFF,
	TL_LAMP_GREEN,
	TL_LAMP_RED,
	TL_LAMP_YELLOW,
};

struct tl_bus;

/**
 * struct tl_bus_ops - one kind of bus
 * @read: read a framer's register; 0xff once the card is gone
 * @write: write a framer's register; does nothing once the card is gone
 * @clock_set: set the line clock, TL_CLOCK_* flags
 * @lamp_set: show @lamp, and the test lamp if @test
 * @start: reset the stream of octets and let it flow, @idle until the first
 *	tick has been served; process context, may
 *	sleep; takes @lock itself. 0 or -ENODEV.
 * @stop: stop the stream; when it returns no tick runs or will run. Process
 *	context, may sleep; takes @lock itself.
 *
 * @read, @write, @clock_set and @lamp_set are called with the bus's lock held.
 */
struct tl_bus_ops {
	u8 (*read)(struct tl_bus *bus, u16 reg);
	void (*write)(struct tl_bus *bus, u16 reg, u8 value);
	void (*clock_set)(struct tl_bus *bus, unsigned int flags);
	void (*lamp_set)(struct tl_bus *bus, enum tl_lamp lamp, bool test);
	int (*start)(struct tl_bus *bus, u8 idle);
	void (*stop)(struct tl_bus *bus);
};

/**
 * struct tl_bus - a card's bus
 * @ops: what kind of bus it is
 * @lock: guards the window onto the registers, and what the framer remembers
 *	of them. Taken in hard IRQ and in process context; a leaf.
 * @gone: the card does not answer any more; only ever set, save by a PCI
 *	slot's reset
 */
struct tl_bus {
	const struct tl_bus_ops *ops;
	spinlock_t lock; /* guards the window onto the registers */
	bool gone;
};

#endif
