/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* UDPTL from the network, and what it carries, given to SpanDSP's T.38: datagrams, each behind two octets of length. */
#include <glib.h>
#include <spandsp.h>

#include "fax/udptl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_packet(const uint8_t *ifp, size_t n, uint16_t sequence, void *user)
{
	g_assert(n > 0 && n <= TL_UDPTL_IFP_MAX);
	t38_core_rx_ifp_packet(user, ifp, n, sequence);
}

static int to_nobody(t38_core_state_t *core, void *user, const uint8_t *octets, int n, int times)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tl_udptl_config config = { .datagram_max = TL_UDPTL_OCTETS_MAX };
	t38_terminal_state_t *terminal = t38_terminal_init(NULL, FALSE, to_nobody, NULL);
	struct tl_udptl *udptl = tl_udptl_new(&config, on_packet, t38_terminal_get_t38_core_state(terminal));
	while (size >= 2) {
		size_t n = MIN((size_t)data[0] << 8 | data[1], size - 2);
		tl_udptl_hear(udptl, data + 2, n);
		data += 2 + n, size -= 2 + n;
	}
	tl_udptl_free(udptl);
	t38_terminal_free(terminal);
	return 0;
}
