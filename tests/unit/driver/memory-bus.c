/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "memory-bus.h"

#include <assert.h>
#include <string.h>

static struct memory_bus *memory_of(struct tl_bus *bus)
{
	return (struct memory_bus *)bus;
}

static u8 read_register(struct tl_bus *bus, u16 reg)
{
	struct memory_bus *memory = memory_of(bus);
	u8 value;

	assert(bus->lock.held && reg < 256);
	memory->reads++;
	if (memory->dead)
		return 0xff;
	if (!memory->is_status[reg])
		return memory->written[reg];
	value = memory->status[reg];
	if (memory->clears[reg])
		memory->status[reg] = 0;
	return value;
}

static void write_register(struct tl_bus *bus, u16 reg, u8 value)
{
	struct memory_bus *memory = memory_of(bus);

	assert(bus->lock.held && reg < 256);
	memory->written[reg] = value;
	memory->order[memory->writes++ % sizeof(memory->order)] = (u8)reg;
}

void memory_bus_init(struct memory_bus *memory)
{
	static const struct tl_bus_ops ops = { .read = read_register, .write = write_register };

	memset(memory, 0, sizeof(*memory));
	memory->bus.ops = &ops;
	for (unsigned reg = 0x4a; reg < 0x60; reg++)
		memory->is_status[reg] = true;
	for (unsigned reg = 0x64; reg < 0x80; reg++)
		memory->is_status[reg] = true;
	for (unsigned reg = 0x68; reg < 0x6e; reg++)
		memory->clears[reg] = true;
	memory->status[0x4a] = 0x05;
}

int memory_bus_when(const struct memory_bus *memory, u8 reg)
{
	for (int i = (int)memory->writes - 1; i >= 0; i--)
		if (memory->order[i] == reg)
			return i;
	return -1;
}
