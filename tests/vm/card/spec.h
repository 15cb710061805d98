/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A card in words: "e1" or "t1", then options after commas:
 *   open                    nothing in the socket (default: a loopback plug)
 *   port=P,peer=P           a pseudowire between two ports of 127.0.0.1 (port 0: any), with
 *   frames=8 cas rtp=SSRC window=24 patience=2000
 *   subsystem=71fe:0003     PCI subsystem vendor and device
 */
#pragma once

#include <stdbool.h>

struct tl_card_config;

/** False with a message on stderr; @config is then undefined. */
bool tl_spec_parse(const char *text, struct tl_card_config *config);
