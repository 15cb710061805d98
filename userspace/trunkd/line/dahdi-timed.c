/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Ticks of a DAHDI span that lends its bearers: told by DAHDI's timer, for there may be no channel whose octets could tell
 * them. Each bearer joins and leaves by itself, at a tick's end. Thread: media.
 */
#include "line/dahdi-inner.h"

#include <string.h>
#include <unistd.h>

void tl_dahdi_timed_receive(struct tl_dahdi *dahdi, int64_t now_us)
{
	int tick = tl_dahdi_device_take_tick(&dahdi->device);

	if (tick < 0) {
		tl_dahdi_go(dahdi);
		return;
	}
	if (!tick) {
		tl_dahdi_watch_silence(dahdi, now_us);
		return;
	}
	dahdi->heard_us = now_us;
	if (dahdi->n_waiting < TL_DAHDI_WAITING_MAX)
		dahdi->n_waiting++;
	else
		tl_count(&dahdi->port->counters.slips_dropped, TL_BLOCK_OCTETS); /* what came meanwhile waits in the channels */
	tl_dahdi_note_tick(dahdi);
}

static void fetch(struct tl_dahdi *dahdi)
{
	const struct tl_dahdi_device *device = &dahdi->device;

	for (unsigned i = 0; i < device->n_slots; i++) {
		unsigned slot = device->slots[i];

		if (tl_dahdi_holder_of(dahdi, slot) == TL_DAHDI_MOVED && !dahdi->reading[slot] && !dahdi->landed[slot])
			dahdi->reading[slot] = tl_batch_read(dahdi->batch, device->fd[slot], dahdi->landing[slot],
							     TL_BLOCK_OCTETS, TL_DAHDI_TAG_READ | slot);
	}
	tl_batch_submit(dahdi->batch);
	tl_dahdi_reap(dahdi);
}

/*
 * A bearer's octets come at its own point of a tick. One that was just missed is there in the next tick and always from then
 * on, a tick later than it could be.
 */
void tl_dahdi_timed_begin_tick(struct tl_dahdi *dahdi)
{
	struct tl_port *port = dahdi->port;

	dahdi->n_waiting--;
	fetch(dahdi);
	for (unsigned i = 0; i < dahdi->device.n_slots; i++) {
		unsigned slot = dahdi->device.slots[i];

		if (dahdi->landed[slot])
			memcpy(port->rx[slot], dahdi->landing[slot], TL_BLOCK_OCTETS);
		else
			memset(port->rx[slot], port->idle[slot], TL_BLOCK_OCTETS);
		dahdi->landed[slot] = false;
	}
	tl_port_hear_cas(port, dahdi->cas_heard);
	__atomic_store_n(&port->counters.depth_us, (int64_t)dahdi->depth_now_ticks * TL_TICK_US, __ATOMIC_RELAXED);
}

static void begin_slot(struct tl_dahdi *dahdi, unsigned slot)
{
	uint8_t idle[TL_BLOCK_OCTETS];

	memset(idle, dahdi->port->idle[slot], sizeof(idle));
	tl_dahdi_device_flush(&dahdi->device, slot);
	for (unsigned k = 0; k < dahdi->depth_now_ticks; k++)
		(void)!write(dahdi->device.fd[slot], idle, sizeof(idle));
	dahdi->cas_heard[slot] = (uint8_t)tl_dahdi_device_cas(&dahdi->device, slot);
	dahdi->landed[slot] = false;
	dahdi->anew[slot] = false;
}

/*
 * Main may want it back meanwhile: then it leaves in the next tick. It is told the bits in any case, for the borrower saw
 * others than media did, and perhaps not the last change.
 */
static void join(struct tl_dahdi *dahdi, unsigned slot)
{
	uint8_t joining = TL_DAHDI_JOINING;

	begin_slot(dahdi, slot);
	dahdi->port->cas_heard[slot] = (uint8_t)~dahdi->cas_heard[slot];
	__atomic_compare_exchange_n(&dahdi->holder[slot], &joining, (uint8_t)TL_DAHDI_MOVED, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
}

static void leave(struct tl_dahdi *dahdi, unsigned slot)
{
	if (dahdi->reading[slot] || dahdi->writing[slot])
		return;
	dahdi->landed[slot] = false;
	dahdi->port->changed = true;
	tl_dahdi_set_holder(dahdi, slot, TL_DAHDI_LEFT);
}

/* A bearer that ran dry or over: from now on all keep one tick more. */
static void move(struct tl_dahdi *dahdi, unsigned slot)
{
	if (dahdi->anew[slot]) {
		if (dahdi->depth_now_ticks < TL_DAHDI_DEPTH_MAX_TICKS)
			dahdi->depth_now_ticks++;
		dahdi->second_errored = true;
		begin_slot(dahdi, slot);
	} else if (!dahdi->writing[slot]) {
		dahdi->writing[slot] = tl_batch_write(dahdi->batch, dahdi->device.fd[slot], dahdi->port->tx[slot],
						      TL_BLOCK_OCTETS, TL_DAHDI_TAG_WRITE | slot);
	}
}

void tl_dahdi_timed_end_tick(struct tl_dahdi *dahdi)
{
	for (unsigned i = 0; i < dahdi->device.n_slots; i++) {
		unsigned slot = dahdi->device.slots[i];

		switch (tl_dahdi_holder_of(dahdi, slot)) {
		case TL_DAHDI_JOINING:
			join(dahdi, slot);
			break;
		case TL_DAHDI_MOVED:
			move(dahdi, slot);
			break;
		case TL_DAHDI_LEAVING:
			leave(dahdi, slot);
			break;
		case TL_DAHDI_LENT:
		case TL_DAHDI_LEFT:
			break;
		}
	}
	tl_batch_submit(dahdi->batch);
	tl_dahdi_reap(dahdi);
}
