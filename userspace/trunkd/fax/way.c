/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The way of T.38's packets: UDPTL into the datagrams of a tap and out of them. A packet that nothing follows soon has no
 * successor to carry its copy: it is sent again itself, spread over some blocks, as loss comes in bursts. Thread: fax.
 */
#include "fax/inside.h"

#define COPIES 3        /* as most gateways do: bursts of three datagrams, 90 ms, are made good */
#define PARITIES 3      /* the same burst by FEC */
#define TIMES_WEIGHTY 4 /* what begins and ends a signal */
#define BLOCKS_APART 2

void tl_fax_way_open(struct tl_fax_way *way, const struct tl_t38_side *remote, tl_udptl_packet on_packet, void *user)
{
	const struct tl_udptl_config config = { remote->correction, COPIES, PARITIES, remote->datagram };
	way->udptl = tl_udptl_new(&config, on_packet, user);
}

void tl_fax_way_close(struct tl_fax_way *way)
{
	if (!way->udptl)
		return;
	way->counters = *tl_udptl_counters(way->udptl);
	tl_udptl_free(way->udptl);
	way->udptl = NULL;
}

/* No room: lost, as on any network. */
static void send_last(struct tl_fax_way *way)
{
	if (!way->faults || !way->faults->loses || !way->faults->loses(way->user))
		tl_tap_send(way->tap, way->last, way->n_last);
	way->again--;
	way->blocks = 0;
}

void tl_fax_way_say(struct tl_fax_way *way, const uint8_t *ifp, int n, int times)
{
	size_t n_last = tl_udptl_format(way->udptl, ifp, n, way->last);
	if (!n_last)
		return;
	way->n_last = n_last;
	way->again = times;
	send_last(way);
}

bool tl_fax_way_hear(struct tl_fax_way *way)
{
	uint8_t octets[TL_DATAGRAM_MAX];
	size_t n;
	if (!tl_tap_receive(way->tap, octets, &n))
		return false;
	tl_udptl_hear(way->udptl, octets, n);
	return true;
}

void tl_fax_way_block(struct tl_fax_way *way)
{
	if (way->again > 0 && ++way->blocks >= BLOCKS_APART)
		send_last(way);
}

void tl_fax_way_set_up(t38_core_state_t *core, const struct tl_t38_side *remote)
{
	t38_set_t38_version(core, 0);
	t38_set_data_transport_protocol(core, T38_TRANSPORT_UDPTL);
	t38_set_data_rate_management_method(core, T38_DATA_RATE_MANAGEMENT_TRANSFERRED_TCF);
	t38_set_fill_bit_removal(core, FALSE);
	t38_set_max_datagram_size(core, remote->datagram);
	t38_set_fastest_image_data_rate(core, remote->bit_rate);
	t38_set_redundancy_control(core, T38_PACKET_CATEGORY_INDICATOR, TIMES_WEIGHTY);
	t38_set_redundancy_control(core, T38_PACKET_CATEGORY_CONTROL_DATA_END, TIMES_WEIGHTY);
	t38_set_redundancy_control(core, T38_PACKET_CATEGORY_IMAGE_DATA_END, TIMES_WEIGHTY);
}
