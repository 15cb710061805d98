/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/tiger.h"

#include <string.h>

enum {
	CONTROL = 0x00,
	OPERATION = 0x01,
	AUX_DATA = 0x03,
	MASK0 = 0x04,
	INTERRUPT_STATUS = 0x06,
	DMA_WRITE_START = 0x08,
	DMA_WRITE_INTERRUPT = 0x0c,
	DMA_WRITE_END = 0x10,
	DMA_READ_START = 0x18,
	DMA_READ_INTERRUPT = 0x1c,
	DMA_READ_END = 0x20,
	DMA_READ_POSITION = 0x24,
	SERIAL_CONTROL = 0x2d,
	FRAME_SYNC_DELAY = 0x2f,
	LOCAL_BUS = 0xc0, /* one octet in each 32-bit word */
};

#define CONTROL_RESETS 0x0e /* master, serial port, DMA */
#define OPERATION_DMA 0x01
#define RING_OCTETS_MAX 8192

static uint32_t get32(const struct tl_tiger *tiger, unsigned offset)
{
	const uint8_t *r = tiger->registers + offset;

	return (uint32_t)r[3] << 24 | (uint32_t)r[2] << 16 | (uint32_t)r[1] << 8 | r[0];
}

static void put32(struct tl_tiger *tiger, unsigned offset, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		tiger->registers[offset + i] = (uint8_t)(value >> (8 * i));
}

void tl_tiger_init(struct tl_tiger *tiger, const struct tl_tiger_ops *ops, void *owner)
{
	memset(tiger, 0, sizeof(*tiger));
	tiger->ops = ops;
	tiger->owner = owner;
}

void tl_tiger_reset(struct tl_tiger *tiger)
{
	tl_tiger_init(tiger, tiger->ops, tiger->owner);
	tiger->ops->on_interrupt(tiger->owner);
}

/* Every 32-bit address register points at the last word of its piece. */
static uint32_t ring_octets(const struct tl_tiger *tiger)
{
	return get32(tiger, DMA_READ_END) - get32(tiger, DMA_READ_START) + 4;
}

static uint32_t middle_octets(const struct tl_tiger *tiger)
{
	return get32(tiger, DMA_READ_INTERRUPT) - get32(tiger, DMA_READ_START) + 4;
}

unsigned tl_tiger_frames(const struct tl_tiger *tiger)
{
	uint32_t ring = ring_octets(tiger);

	if (ring == 0 || ring > RING_OCTETS_MAX || ring % (2 * TL_TIGER_SLOTS) ||
	    middle_octets(tiger) != ring / 2 ||
	    get32(tiger, DMA_WRITE_END) - get32(tiger, DMA_WRITE_START) + 4 != ring)
		return 0;
	return ring / 2 / TL_TIGER_SLOTS;
}

bool tl_tiger_running(const struct tl_tiger *tiger)
{
	return (tiger->registers[OPERATION] & OPERATION_DMA) &&
	       !(tiger->registers[CONTROL] & CONTROL_RESETS);
}

bool tl_tiger_aligned(const struct tl_tiger *tiger)
{
	return tiger->registers[SERIAL_CONTROL] == 0xc8 && tiger->registers[FRAME_SYNC_DELAY] == 0x01;
}

bool tl_tiger_interrupting(const struct tl_tiger *tiger)
{
	return tiger->registers[INTERRUPT_STATUS] & tiger->registers[MASK0];
}

uint8_t tl_tiger_read(struct tl_tiger *tiger, unsigned offset)
{
	if (offset < LOCAL_BUS)
		return tiger->registers[offset];
	if (offset & 3)
		return 0xff;
	return tiger->ops->on_local_read(tiger->owner, tiger->registers[AUX_DATA],
					 (offset - LOCAL_BUS) >> 2);
}

static void restart_rings(struct tl_tiger *tiger)
{
	tiger->position = 0;
	memset(tiger->pipeline, 0, sizeof(tiger->pipeline));
}

void tl_tiger_write(struct tl_tiger *tiger, unsigned offset, uint8_t value)
{
	if (offset >= LOCAL_BUS) {
		if (!(offset & 3))
			tiger->ops->on_local_write(tiger->owner, tiger->registers[AUX_DATA],
						   (offset - LOCAL_BUS) >> 2, value);
		return;
	}
	if (offset == INTERRUPT_STATUS) {
		tiger->registers[INTERRUPT_STATUS] &= (uint8_t)~value;
		tiger->ops->on_interrupt(tiger->owner);
		return;
	}
	if (offset >= DMA_READ_POSITION && offset < DMA_READ_POSITION + 4)
		return;
	if ((offset == CONTROL && value & CONTROL_RESETS) ||
	    (offset == OPERATION && value & OPERATION_DMA && !(tiger->registers[OPERATION] & OPERATION_DMA)))
		restart_rings(tiger);
	tiger->registers[offset] = value;
	if (offset == MASK0)
		tiger->ops->on_interrupt(tiger->owner);
}

void tl_tiger_raise(struct tl_tiger *tiger, uint8_t bits)
{
	tiger->registers[INTERRUPT_STATUS] |= bits;
	tiger->ops->on_interrupt(tiger->owner);
}

/* Words go over PCI with their first octet on the serial bus in bits 31-24. */
static unsigned swapped(unsigned octet)
{
	return octet ^ 3;
}

static int lead_nowhere(struct tl_tiger *tiger)
{
	tiger->aborts++;
	tl_tiger_raise(tiger, TL_TIGER_MASTER_ABORT);
	return -1;
}

int tl_tiger_fetch(struct tl_tiger *tiger, unsigned count, uint8_t transmit[][TL_TIGER_SLOTS])
{
	const size_t octets = (size_t)count * TL_TIGER_SLOTS;
	const uint8_t *memory = tiger->ops->on_memory(
		tiger->owner, get32(tiger, DMA_WRITE_START) + tiger->position, octets);
	uint8_t *out = transmit[0];

	if (!memory)
		return lead_nowhere(tiger);
	for (size_t i = 0; i < octets; i++) {
		const uint8_t *word = i < 4 ? tiger->pipeline : memory + (i & ~(size_t)3) - 4;

		out[i] = word[swapped(i & 3)];
	}
	memcpy(tiger->pipeline, memory + octets - 4, 4);
	return 0;
}

int tl_tiger_store(struct tl_tiger *tiger, unsigned count, const uint8_t receive[][TL_TIGER_SLOTS])
{
	const size_t octets = (size_t)count * TL_TIGER_SLOTS;
	uint8_t *memory = tiger->ops->on_memory(
		tiger->owner, get32(tiger, DMA_READ_START) + tiger->position, octets);
	const uint8_t *in = receive[0];
	bool end;

	if (!memory)
		return lead_nowhere(tiger);
	for (size_t i = 0; i < octets; i++)
		memory[(i & ~(size_t)3) + swapped(i & 3)] = in[i];
	tiger->position += (uint32_t)octets;
	end = tiger->position >= ring_octets(tiger);
	if (end)
		tiger->position = 0;
	put32(tiger, DMA_READ_POSITION, get32(tiger, DMA_READ_START) + tiger->position);
	return end ? TL_TIGER_WRITE_END | TL_TIGER_READ_END : TL_TIGER_WRITE_MIDDLE | TL_TIGER_READ_MIDDLE;
}
