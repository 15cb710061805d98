/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bearers of a DAHDI span lent to signalling: main's half. The media thread's is in dahdi-timed.c. */
#include "line/dahdi-inner.h"

static int fd_of(const void *backend, unsigned slot)
{
	const struct tl_dahdi *dahdi = backend;

	return tl_dahdi_state_of(dahdi) == TL_DAHDI_GONE ? -1 : dahdi->device.fd[slot];
}

static void lend(void *backend, unsigned slot)
{
	struct tl_dahdi *dahdi = backend;

	if (tl_dahdi_state_of(dahdi) != TL_DAHDI_GONE && tl_dahdi_holder_of(dahdi, slot) != TL_DAHDI_LENT)
		tl_dahdi_set_holder(dahdi, slot, TL_DAHDI_LEAVING);
}

/* What a borrower left in the buffers is no part of the call's audio. */
static void reclaim(void *backend, unsigned slot)
{
	struct tl_dahdi *dahdi = backend;

	if (tl_dahdi_state_of(dahdi) == TL_DAHDI_GONE || tl_dahdi_holder_of(dahdi, slot) != TL_DAHDI_LENT)
		return;
	tl_dahdi_device_lend(&dahdi->device, slot, false);
	tl_dahdi_set_holder(dahdi, slot, TL_DAHDI_JOINING);
}

static bool is_lent(const void *backend, unsigned slot)
{
	return tl_dahdi_holder_of(backend, slot) == TL_DAHDI_LENT;
}

static bool moves(const void *backend, unsigned slot)
{
	return tl_dahdi_holder_of(backend, slot) == TL_DAHDI_MOVED;
}

static void let_go(void *backend)
{
	tl_dahdi_close_and_wait(backend);
}

void tl_dahdi_lend_all(struct tl_dahdi *dahdi)
{
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		tl_dahdi_set_holder(dahdi, slot, TL_DAHDI_LENT);
}

void tl_dahdi_tell_lent(struct tl_dahdi *dahdi)
{
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		if (tl_dahdi_holder_of(dahdi, slot) != TL_DAHDI_LEFT)
			continue;
		/* Signals must meet no canceller; the next call's bridge turns it on again. */
		if (dahdi->voice[slot])
			tl_dahdi_device_set_voice(&dahdi->device, slot, false);
		dahdi->voice[slot] = false;
		tl_dahdi_device_lend(&dahdi->device, slot, true);
		tl_dahdi_set_holder(dahdi, slot, TL_DAHDI_LENT);
		dahdi->port->on_lent(dahdi->port, slot);
	}
}

const struct tl_lending tl_dahdi_lending = {
	.fd = fd_of,
	.lend = lend,
	.reclaim = reclaim,
	.is_lent = is_lent,
	.moves = moves,
	.let_go = let_go,
};
