/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/cas-bits.h"

#include "base/ring.h"

/* A number, so that the same may be wanted again; as one word, so that media reads all of it or nothing. */
struct order {
	_Alignas(uint32_t) uint8_t now;
	uint8_t then, ticks, number;
};

struct tl_cas_bits {
	struct order wanted[TL_SPAN_SLOTS_MAX + 1]; /* main writes, media reads, atomic */
	struct order taken[TL_SPAN_SLOTS_MAX + 1];  /* media */
	uint8_t ticks[TL_SPAN_SLOTS_MAX + 1];       /* media; left of a pulse */
};

struct tl_cas_bits *tl_cas_bits_new(void)
{
	return g_new0(struct tl_cas_bits, 1);
}

void tl_cas_bits_free(struct tl_cas_bits *bits)
{
	g_free(bits);
}

void tl_cas_bits_want(struct tl_cas_bits *bits, unsigned slot, unsigned now, unsigned ticks, unsigned then)
{
	struct order *wanted = &bits->wanted[slot];
	struct order order = { (uint8_t)now, (uint8_t)then, (uint8_t)ticks, (uint8_t)(wanted->number + 1) };

	__atomic_store(wanted, &order, __ATOMIC_RELAXED);
}

/* A new order, or the end of a pulse. */
void tl_cas_bits_settle(struct tl_cas_bits *bits, struct tl_port *port)
{
	for (unsigned slot = 1; slot <= port->slots; slot++) {
		struct order *taken = &bits->taken[slot], order;

		__atomic_load(&bits->wanted[slot], &order, __ATOMIC_RELAXED);
		if (order.number != taken->number) {
			*taken = order;
			bits->ticks[slot] = order.ticks;
			port->cas_sent[slot] = order.now;
		} else if (bits->ticks[slot] && --bits->ticks[slot] == 0) {
			port->cas_sent[slot] = taken->then;
		}
	}
}

void tl_port_hear_cas(struct tl_port *port, const uint8_t *cas)
{
	for (unsigned slot = 1; slot <= port->slots; slot++) {
		struct tl_cas_change change = { (uint8_t)slot, cas[slot], port->ticks };

		/* A full ring is tried again with the next multiframe: only what main missed is lost. */
		if (cas[slot] == port->cas_heard[slot] || !tl_ring_push(port->cas_changes, &change))
			continue;
		port->cas_heard[slot] = cas[slot];
		port->changed = true;
	}
}
