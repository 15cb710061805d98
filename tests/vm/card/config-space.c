/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/config-space.h"

#include <string.h>

enum {
	ID = 0x00,
	COMMAND = 0x04,
	CLASS_REVISION = 0x08,
	CACHE_LINE = 0x0c,
	LATENCY = 0x0d,
	BAR0 = 0x10,
	BAR1 = 0x14,
	SUBSYSTEM = 0x2c,
	INTERRUPT_LINE = 0x3c,
	INTERRUPT_PIN = 0x3d,
	MIN_GRANT = 0x3e,
	MAX_LATENCY = 0x3f,
};

#define COMMAND_MASTER 0x04

static void put32(uint8_t *octets, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(value >> (8 * i));
}

void tl_config_space_init(struct tl_config_space *config, uint16_t subsystem_vendor,
			  uint16_t subsystem_device)
{
	memset(config, 0, sizeof(*config));
	put32(config->octets + ID, 0x0001e159);
	put32(config->octets + COMMAND, 0x02900000);
	put32(config->octets + CLASS_REVISION, 0x07800000); /* communication controller */
	put32(config->octets + BAR0, 1);                    /* I/O */
	put32(config->octets + SUBSYSTEM, (uint32_t)subsystem_device << 16 | subsystem_vendor);
	config->octets[INTERRUPT_PIN] = 1;
	config->octets[MIN_GRANT] = 1;
	config->octets[MAX_LATENCY] = 0x40;
	put32(config->writable + COMMAND, 0x00000147);
	put32(config->writable + BAR0, 0xffffff00);
	put32(config->writable + BAR1, 0xfffff000);
	config->writable[CACHE_LINE] = 0xff;
	config->writable[LATENCY] = 0xff;
	config->writable[INTERRUPT_LINE] = 0xff;
}

uint32_t tl_config_space_read(const struct tl_config_space *config, unsigned offset, unsigned octets)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < octets && offset + i < sizeof(config->octets); i++)
		value |= (uint32_t)config->octets[offset + i] << (8 * i);
	return value;
}

void tl_config_space_write(struct tl_config_space *config, unsigned offset, unsigned octets,
			   uint32_t value)
{
	for (unsigned i = 0; i < octets && offset + i < sizeof(config->octets); i++) {
		uint8_t mask = config->writable[offset + i];
		uint8_t *octet = &config->octets[offset + i];

		*octet = (uint8_t)((*octet & ~mask) | ((value >> (8 * i)) & mask));
	}
}

unsigned tl_config_space_offset(const struct tl_config_space *config, bool memory, uint64_t address)
{
	uint64_t base = memory ? tl_config_space_read(config, BAR1, 4) & ~0xfu
			       : tl_config_space_read(config, BAR0, 4) & ~0x3u;

	return (unsigned)(address - base) & 0xff;
}

bool tl_config_space_master(const struct tl_config_space *config)
{
	return config->octets[COMMAND] & COMMAND_MASTER;
}

unsigned tl_config_space_line(const struct tl_config_space *config)
{
	return config->octets[INTERRUPT_LINE];
}
