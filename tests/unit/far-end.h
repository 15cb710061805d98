/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What drives spans in tests: addresses of our own, ticks run by hand with
 * their packets awaited rather than slept for, and a bare far end that can
 * send what no span would.
 */
#pragma once

#include <stdint.h>

#include "line/cesop.h"
#include "line/line.h"

/** A loopback address that no other process of these tests uses, and ports of it. Static. */
const char *far_end_host(void);
unsigned far_end_port(void); /* another one each time */

/** An E1 or T1 over the pseudowire between two fresh ports, 8 frames a packet, 20 ms, clock local. */
struct tl_span_config far_end_config(enum tl_span_kind kind);
/** The same wire seen from the other side. */
struct tl_span_config far_end_mirror(const struct tl_span_config *config);

/** tl_span_new() that must succeed. */
struct tl_span *far_end_span(const struct tl_span_config *config);

/** The counters of @span now. */
struct tl_span_counters far_end_counters(const struct tl_span *span);

/** Receives on @span until it has seen @packets datagrams in all, refused ones included; fails after 5 s. */
void far_end_await(struct tl_span *span, uint64_t packets);

/** Media calls with the thread declared to be one. */
unsigned far_end_due(struct tl_span *span);
void far_end_begin(struct tl_span *span);
void far_end_end(struct tl_span *span);

/** Runs main's handlers that are due. */
void far_end_main(void);

/** A bare far end of a span: a socket and a format. */
struct far_end {
	int fd;
	struct tl_cesop_format format;
	uint16_t sequence;
	uint64_t frame;   /* next to send */
	uint64_t sent;    /* datagrams */
	bool l, r;
	uint8_t m;
};

/** Opens the far end of the span that @config describes. */
void far_end_open(struct far_end *end, const struct tl_span_config *config);
void far_end_close(struct far_end *end);

/** Octet that the far end sends on @slot in frame @frame: different in every slot and frame. */
uint8_t far_end_octet(unsigned slot, uint64_t frame);

/** Writes the next packet to @octets and moves on. Returns its length. */
size_t far_end_packet(struct far_end *end, uint8_t *octets);
/** Sends octets as they are. */
void far_end_send(struct far_end *end, const void *octets, size_t n_octets);
/** Sends the next @packets packets. */
void far_end_run(struct far_end *end, unsigned packets);
/** Waits for a packet of the span and parses it to @packet, whose payload points into @octets. */
void far_end_receive(struct far_end *end, uint8_t *octets, struct tl_cesop_packet *packet);
/** Whether a packet waits. */
bool far_end_has_input(const struct far_end *end);
/** Throws away what waits. */
void far_end_drain(const struct far_end *end);
