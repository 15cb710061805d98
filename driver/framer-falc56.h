/* SPDX-License-Identifier: GPL-2.0-only */
/* What the FALC56's files share among themselves. */
#ifndef TL_FRAMER_FALC56_H
#define TL_FRAMER_FALC56_H

#include "bus.h"
#include "framer.h"

static inline u8 tl_falc56_read(struct tl_framer *framer, u8 reg)
{
	return framer->bus->ops->read(framer->bus, framer->base + reg);
}

static inline void tl_falc56_write(struct tl_framer *framer, u8 reg, u8 value)
{
	framer->bus->ops->write(framer->bus, framer->base + reg, value);
}

/* Write XS1-16 again, as after a reset of the chip. */
void tl_falc56_signalling_restore(struct tl_framer *framer);

#endif
