/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bridges as the thread sees them: two hear each other, three and more hear the sum of the others. */
#include <string.h>

#include "media/bridge.h"
#include "media/g711.h"
#include "media/recorder.h"
#include "media/session.h"

static void set_fixed(struct tl_port *port, bool fixed)
{
	if (!port->rtp)
		return;
	tl_rtp_session_set_fixed(port->rtp, fixed);
	tl_rtp_session_set_deep(port->rtp, port->tap != NULL); /* held still no longer */
}

void tl_bridge_attach_port(struct tl_bridge *bridge, struct tl_port *port)
{
	bridge->ports[bridge->n_ports++] = port;
	port->bridge = bridge;
	bridge->mixed_tick = 0;
	set_fixed(port, bridge->kind == TL_BRIDGE_CLEAR);
}

void tl_bridge_detach_port(struct tl_bridge *bridge, struct tl_port *port)
{
	unsigned i = 0;
	while (i < bridge->n_ports && bridge->ports[i] != port)
		i++;
	if (i == bridge->n_ports)
		return;
	bridge->ports[i] = bridge->ports[--bridge->n_ports];
	port->bridge = NULL;
	if (bridge->recorder && bridge->recorder->left == port)
		bridge->recorder->left = NULL;
	bridge->mixed_tick = 0;
	set_fixed(port, false);
}

static void mix(struct tl_bridge *bridge)
{
	memset(bridge->sum, 0, sizeof bridge->sum);
	for (unsigned p = 0; p < bridge->n_ports; p++) {
		const struct tl_port *port = bridge->ports[p];
		tl_g711_decode(port->law, port->said, bridge->linear[p], TL_BLOCK_OCTETS);
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
			bridge->sum[i] += bridge->linear[p][i];
	}
	bridge->mixed_tick = bridge->media->tick;
}

static void others(struct tl_bridge *bridge, const struct tl_port *port, uint8_t *block)
{
	int16_t samples[TL_BLOCK_OCTETS];
	unsigned own = 0;
	if (bridge->mixed_tick != bridge->media->tick)
		mix(bridge);
	while (bridge->ports[own] != port)
		own++;
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		samples[i] = CLAMP(bridge->sum[i] - bridge->linear[own][i], INT16_MIN, INT16_MAX);
	tl_g711_encode(port->law, samples, block, TL_BLOCK_OCTETS);
}

int tl_bridge_block(struct tl_bridge *bridge, const struct tl_port *port, uint8_t *block)
{
	if (bridge->n_ports < 2) {
		memset(block, tl_law_idle(port->law), TL_BLOCK_OCTETS);
		return -1;
	}
	if (bridge->n_ports > 2) {
		others(bridge, port, block);
		return -1; /* the tone is in the sum */
	}
	const struct tl_port *peer = bridge->ports[bridge->ports[0] == port];
	tl_g711_convert(peer->law, port->law, peer->said, block, TL_BLOCK_OCTETS);
	return peer->said_event;
}
