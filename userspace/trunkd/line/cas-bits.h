/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * CAS bits between main and media: what main wants sent on each slot, now and after a pulse, and what the line has been
 * heard to send. Inside this room only.
 */
#pragma once

#include "line/backend.h"

struct tl_cas_bits;

/** Idle: nothing wanted, nothing sent. (transfer full) Thread: main. */
struct tl_cas_bits *tl_cas_bits_new(void);
void tl_cas_bits_free(struct tl_cas_bits *bits);

/** @now is to be sent on @slot from the next tick on, and @then after @ticks (0: never). Thread: main. */
void tl_cas_bits_want(struct tl_cas_bits *bits, unsigned slot, unsigned now, unsigned ticks, unsigned then);

/** Writes into @port->cas_sent what is to be sent in this tick. Thread: media. */
void tl_cas_bits_settle(struct tl_cas_bits *bits, struct tl_port *port);
