/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A bus whose card is an array: what was written, what will be read. */
#pragma once

#include "bus.h"

struct memory_bus {
	struct tl_bus bus;
	u8 written[256];
	u8 status[256];      /* what a read gives where is_status is set */
	bool is_status[256];
	bool clears[256];    /* a read clears the status */
	bool dead;           /* all reads give ones */
	unsigned reads, writes;
	u8 order[1024];      /* registers in the order in which they were written */
};

/* memory_bus_init - a FALC56 as after a reset, version 2.x. */
void memory_bus_init(struct memory_bus *memory);
/* Where in the order of writes @reg was last written, or -1. */
int memory_bus_when(const struct memory_bus *memory, u8 reg);
