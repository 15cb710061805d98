/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A terminal of T.38 by SpanDSP. Its time is the tap's blocks, as audio's is; while a page is being kept nothing is read and no
 * time passes. Thread: fax.
 */
#include <string.h>

#include "fax/inside.h"

/* While it is held nothing is asked of T.30; what it may still have to say would be a lie. */
static int on_say(t38_core_state_t *core, void *user, const uint8_t *ifp, int n, int times)
{
	struct tl_fax *fax = user;
	if (fax->hold == TL_FAX_OPEN)
		tl_fax_way_say(&fax->way, ifp, n, times);
	return 0;
}

static void on_packet(const uint8_t *ifp, size_t n, uint16_t sequence, void *user)
{
	struct tl_fax *fax = user;
	t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(fax->t38), ifp, n, sequence);
}

void tl_fax_t38_open(struct tl_fax *fax)
{
	fax->way = (struct tl_fax_way){ .tap = fax->tap, .faults = fax->config.faults, .user = fax->user };
	tl_fax_way_open(&fax->way, &fax->config.t38, on_packet, fax);
	fax->t38 = t38_terminal_init(NULL, fax->config.calling, on_say, fax);
	tl_fax_way_set_up(t38_terminal_get_t38_core_state(fax->t38), &fax->config.t38);
	t38_terminal_set_fill_bit_removal(fax->t38, FALSE);
	fax->t30 = t38_terminal_get_t30_state(fax->t38);
}

void tl_fax_t38_close(struct tl_fax *fax)
{
	tl_fax_way_close(&fax->way);
	t38_terminal_free(fax->t38);
	fax->t38 = NULL;
}

void tl_fax_t38_block(struct tl_fax *fax, uint8_t out[TL_BLOCK_OCTETS])
{
	memset(out, tl_law_idle(tl_tap_law(fax->tap)), TL_BLOCK_OCTETS);
	while (fax->hold == TL_FAX_OPEN && tl_fax_way_hear(&fax->way))
		;
	if (fax->hold != TL_FAX_OPEN)
		return;
	tl_fax_way_block(&fax->way);
	t38_terminal_send_timeout(fax->t38, TL_BLOCK_OCTETS);
}
