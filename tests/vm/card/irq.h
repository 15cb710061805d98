/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Interrupt lines of the guest's I/O APIC, driven by QEMU's qtest protocol
 * (set_irq_in). Cards may share a line: it is high while any of them holds it,
 * which qtest itself does not do.
 */
#pragma once

#include <stdbool.h>

struct tl_irq;

/** Takes over @fd, connected to a qtest object of the machine "pc". */
struct tl_irq *tl_irq_new(int fd);
void tl_irq_free(struct tl_irq *irq);

/** For poll(). */
int tl_irq_fd(const struct tl_irq *irq);

/** Something came that nobody waits for; false once QEMU has gone. */
bool tl_irq_drain(struct tl_irq *irq);

/**
 * Card @holder (0-31) asserts or releases @pin (0-23). Returns only when QEMU
 * has done it: a line lowered after the guest's acknowledgement was answered
 * would interrupt the guest once more.
 */
void tl_irq_set(struct tl_irq *irq, unsigned holder, unsigned pin, bool level);
