/* SPDX-License-Identifier: GPL-2.0-only */
/* A card put together: bus, dma, framer and span. */
#ifndef TL_BOARD_H
#define TL_BOARD_H

#include <linux/workqueue.h>

#include "bus-pci.h"
#include "dma.h"
#include "framer.h"
#include "span.h"

/* A family of cards that differ in nothing but this */
struct tl_board_family {
	const char *name;
};

struct tl_board {
	const struct tl_board_family *family;
	int number;
	char location[32];
	struct tl_dma dma;
	struct tl_pci pci;
	struct tl_framer framer;
	struct tl_span *span;

	/* The watchdog's */
	struct delayed_work watchdog;
	unsigned int watched_ticks;
	unsigned int still_ms;	/* wall clock */
	u64 watched_dead;
	u64 watched_aborts;
	u64 stalls;
};

/* Read-only files beside the PCI device's own */
extern const struct attribute_group *tl_sysfs_groups[];

#endif
