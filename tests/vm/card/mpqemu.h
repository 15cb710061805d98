/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The far side of QEMU's x-pci-proxy-dev: a PCI function whose configuration
 * space, BARs and DMA live in this process. One link is one function. The
 * message format is QEMU 7.2's (include/hw/remote/mpqemu-link.h); the guest's
 * CPU waits inside QEMU until each access is answered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tl_mpqemu;

/** What the guest does to the function; @octets is 1, 2, 4 or 8. */
struct tl_mpqemu_ops {
	uint32_t (*on_config_read)(void *owner, unsigned offset, unsigned octets);
	void (*on_config_write)(void *owner, unsigned offset, unsigned octets, uint32_t value);
	/* @address is the bus address, not an offset into the BAR. */
	uint64_t (*on_bar_read)(void *owner, bool memory, uint64_t address, unsigned octets);
	void (*on_bar_write)(void *owner, bool memory, uint64_t address, unsigned octets, uint64_t value);
	void (*on_reset)(void *owner);
};

/** Takes over @fd, one end of a stream socket pair. @ops and @owner are borrowed. */
struct tl_mpqemu *tl_mpqemu_new(int fd, const struct tl_mpqemu_ops *ops, void *owner);
void tl_mpqemu_free(struct tl_mpqemu *link);

/** For poll(). */
int tl_mpqemu_fd(const struct tl_mpqemu *link);

/** Serve one message; blocks until it is there. False once QEMU has gone or sent nonsense. */
bool tl_mpqemu_serve(struct tl_mpqemu *link);

/** @octets of guest memory at guest-physical @address, or NULL. Valid until the next serve. */
void *tl_mpqemu_memory(const struct tl_mpqemu *link, uint64_t address, size_t octets);
