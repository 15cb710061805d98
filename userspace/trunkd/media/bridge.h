/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The inside of a bridge: who is in it, and one tick's mixture. */
#pragma once

#include "media/port.h"

struct tl_bridge {
	struct tl_parcel parcel;
	struct tl_media *media;         /* RO once it is settled */
	enum tl_bridge_kind kind;       /* RO */

	/* main */
	bool settled;                   /* its thread may know it */
	struct tl_port *main_ports[TL_BRIDGE_PORTS_MAX];
	unsigned n_main_ports;
	struct tl_recorder *main_recorder;

	/* tick */
	struct tl_port *ports[TL_BRIDGE_PORTS_MAX];
	unsigned n_ports;
	struct tl_recorder *recorder;
	uint64_t mixed_tick;            /* of the next two; 0: none yet */
	int32_t sum[TL_BLOCK_OCTETS];
	int16_t linear[TL_BRIDGE_PORTS_MAX][TL_BLOCK_OCTETS];
};

/** Tick: who else is in a bridge of two; NULL: nobody, or not one alone. */
static inline struct tl_port *tl_bridge_other(const struct tl_bridge *bridge, const struct tl_port *port)
{
	return bridge && bridge->n_ports == 2 ? bridge->ports[bridge->ports[0] == port] : NULL;
}

/* The thread's side: mix.c. */
void tl_bridge_attach_port(struct tl_bridge *bridge, struct tl_port *port);
void tl_bridge_detach_port(struct tl_bridge *bridge, struct tl_port *port);
/** What @port hears of the others, in its law; returns the DTMF code that the block is the tone of, or -1. */
int tl_bridge_block(struct tl_bridge *bridge, const struct tl_port *port, uint8_t *block);
