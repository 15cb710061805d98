// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signalling bits between the framer's registers and DAHDI's channels. One
 * register is looked at each millisecond, so a change is seen within 15 ms of
 * the multiframe that brought it; a span whose channels are all clear looks at
 * none.
 */
#include "span-private.h"

#include "bus.h"

static bool uses_bits(const struct dahdi_chan *chan)
{
	return chan->sig && (chan->sig & DAHDI_SIG_CLEAR) != DAHDI_SIG_CLEAR;
}

/* DAHDI takes the channel's lock and calls back tl_span_rbsbits() with it held. */
int tl_span_rbsbits(struct dahdi_chan *chan, int bits)
{
	struct tl_span *span = chan->pvt;
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;

	spin_lock_irqsave(&bus->lock, flags);
	tl_framer_signalling_set(span->parts.framer, chan->chanpos, bits & 0xf);
	spin_unlock_irqrestore(&bus->lock, flags);
	return 0;
}

/* After a change of framing or of a channel's signalling. Process context. */
void tl_span_signalling_update(struct tl_span *span)
{
	struct tl_bus *bus = span->parts.bus;
	bool used = false;
	u32 clear = 0;
	unsigned long flags;
	int i;

	for (i = 0; i < span->dahdi.channels; i++) {
		if (uses_bits(&span->chan[i]))
			used = true;
		else
			clear |= BIT(i);
	}
	spin_lock_irqsave(&bus->lock, flags);
	tl_framer_clear_set(span->parts.framer, clear);
	WRITE_ONCE(span->rs_count, used ?
		   tl_framer_signalling_count(span->parts.framer) : 0);
	spin_unlock_irqrestore(&bus->lock, flags);
}

/* Hard IRQ. */
void tl_span_signalling_poll(struct tl_span *span)
{
	struct tl_framer_abcd abcd[TL_FRAMER_ABCD_MAX];
	struct tl_bus *bus = span->parts.bus;
	unsigned int i, count;

	if (span->rs_next >= READ_ONCE(span->rs_count))
		span->rs_next = 0;
	spin_lock(&bus->lock);
	count = tl_framer_signalling_read(span->parts.framer, span->rs_next, abcd);
	spin_unlock(&bus->lock);
	span->rs_next++;
	for (i = 0; i < count; i++) {
		struct dahdi_chan *chan = &span->chan[abcd[i].channel - 1];

		if (uses_bits(chan) && chan->rxsig != abcd[i].bits)
			dahdi_rbsbits(chan, abcd[i].bits);
	}
}
