/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bridges as main sees them: it keeps its own list, decides what is allowed, and tells the thread. */
#include "media/bridge.h"

#include "base/thread.h"
#include "media/recorder.h"
#include "media/tie.h"

struct tl_bridge *tl_bridge_new(struct tl_media *media, enum tl_bridge_kind kind)
{
	tl_assert_main();
	struct tl_bridge *bridge = g_new0(struct tl_bridge, 1);
	bridge->parcel.kind = TL_PARCEL_BRIDGE;
	bridge->media = media;
	bridge->kind = kind;
	return bridge;
}

/* The line may cancel the echo of speech, and of nothing else. A canceller that is missing is no fault of the bridge. */
static void tell_line(struct tl_port *port, bool voice)
{
	if (port->span)
		(void)tl_span_set_voice(port->span, port->slot, voice);
}

/* It lives where its first party does: from then on that thread may know it. */
static void settle(struct tl_bridge *bridge, const struct tl_port *port)
{
	if (!bridge->settled)
		bridge->media = port->media;
	bridge->settled = true;
}

int tl_bridge_add(struct tl_bridge *bridge, struct tl_port *port)
{
	tl_assert_main();
	if (port->main_bridge)
		return -EBUSY;
	if (bridge->kind == TL_BRIDGE_CLEAR &&
	    (bridge->n_main_ports == 2 ||
	     (bridge->n_main_ports == 1 && bridge->main_ports[0]->main_law != port->main_law) || tl_port_transcodes(port)))
		return -EPROTOTYPE;
	if (bridge->n_main_ports == TL_BRIDGE_PORTS_MAX)
		return -ENOSPC;
	bridge->main_ports[bridge->n_main_ports++] = port;
	port->main_bridge = bridge;
	tell_line(port, bridge->kind == TL_BRIDGE_VOICE);
	settle(bridge, port);
	if (port->media != bridge->media)
		tl_tie_begin(port, bridge);
	tl_media_command(bridge->media,
			 &(struct tl_command){ TL_COMMAND_BRIDGE_ADD, .port = tl_tie_member(port), .bridge = bridge });
	return 0;
}

void tl_bridge_remove(struct tl_bridge *bridge, struct tl_port *port)
{
	tl_assert_main();
	g_return_if_fail(port->main_bridge == bridge);
	unsigned i = 0;
	while (bridge->main_ports[i] != port)
		i++;
	bridge->main_ports[i] = bridge->main_ports[--bridge->n_main_ports];
	port->main_bridge = NULL;
	tell_line(port, false);
	tl_media_command(bridge->media,
			 &(struct tl_command){ TL_COMMAND_BRIDGE_REMOVE, .port = tl_tie_member(port), .bridge = bridge });
	if (port->main_tie)
		tl_tie_end(port);
}

void tl_bridge_hold_still(struct tl_bridge *bridge)
{
	tl_assert_main();
	for (unsigned i = 0; i < bridge->n_main_ports; i++) {
		struct tl_port *port = bridge->main_ports[i];
		tell_line(port, false);
		if (port->rtp)
			tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_STILL, .port = port });
	}
}

void tl_bridge_free(struct tl_bridge *bridge)
{
	if (!bridge)
		return;
	tl_assert_main();
	while (bridge->n_main_ports)
		tl_bridge_remove(bridge, bridge->main_ports[0]);
	tl_recorder_stop(bridge->main_recorder);
	tl_media_command(bridge->media, &(struct tl_command){ TL_COMMAND_BRIDGE_DETACH, .bridge = bridge });
}
