/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The PCI configuration space of a Tiger320 card: type 0 header, one I/O BAR of
 * 256 octets, one memory BAR of 4 KiB that mirrors it, INTA.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tl_config_space {
	uint8_t octets[256];
	uint8_t writable[256];
};

/** Power-on state with the given subsystem ids (what tells the family's cards apart). */
void tl_config_space_init(struct tl_config_space *config, uint16_t subsystem_vendor,
			  uint16_t subsystem_device);
uint32_t tl_config_space_read(const struct tl_config_space *config, unsigned offset, unsigned octets);
void tl_config_space_write(struct tl_config_space *config, unsigned offset, unsigned octets,
			   uint32_t value);

/** Offset of a bus address into the 256 registers. */
unsigned tl_config_space_offset(const struct tl_config_space *config, bool memory, uint64_t address);

/** The guest allowed the function to use the bus. */
bool tl_config_space_master(const struct tl_config_space *config);

/** PCI_INTERRUPT_LINE as the firmware wrote it: on the machine "pc", the I/O APIC's pin. */
unsigned tl_config_space_line(const struct tl_config_space *config);
