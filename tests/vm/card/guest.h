/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the guest's CPU had of this machine. Interrupts paced by the wall clock
 * alone would leave a guest on a busy host no time but for their handlers; so a
 * card waits until the guest has run for a while since the last acknowledgement
 * of any card, or has nothing to do. Time is QEMU's CPU time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tl_guest;

struct tl_guest *tl_guest_new(void);
void tl_guest_free(struct tl_guest *guest);

/** QEMU is @pid, started with "-name debug-threads=on". */
void tl_guest_start(struct tl_guest *guest, pid_t pid);

/** An interrupt was acknowledged. */
void tl_guest_served(struct tl_guest *guest);

/** The guest has run for @gap_us since, or its CPU sleeps. */
bool tl_guest_breathed(struct tl_guest *guest, int64_t gap_us);
