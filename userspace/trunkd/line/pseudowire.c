/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/pseudowire.h"

#include <glib.h>

#include "line/alarms.h"
#include "line/cesop.h"
#include "line/packer.h"
#include "line/peer.h"
#include "line/playout.h"
#include "line/skew.h"

#define FRAMES_A_MS 8
#define TICKS_A_SECOND (1000000 / TL_TICK_US)
/* A sender whose time we follow may pause for seconds; one silent for longer is dead. */
#define LOOP_SILENCE_US (10 * 1000000)

struct tl_pseudowire {
	struct tl_port *port;
	enum tl_clock_mode clock;
	struct tl_cesop_format format;
	struct tl_peer *peer;
	struct tl_playout *playout;
	struct tl_packer *packer;
	struct tl_alarms alarms;
	struct tl_skew skew;
	struct tl_peer_datagram *datagrams; /* room for a send */
	unsigned send_max;
	uint64_t answered; /* clock mode loop: packets sent for playout's advance */
	int64_t heard_us;  /* clock mode loop: when a packet came last */

	unsigned second_ticks; /* of the present second of line time */
	bool second_errored;
	bool second_available;
};

static gboolean refuse(const struct tl_span_config *config, GError **error, const char *expected)
{
	g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG, "span %s: expected %s", config->name, expected);
	return FALSE;
}

static gboolean check(const struct tl_span_config *config, const struct tl_cesop_format *format,
		      GError **error)
{
	const struct tl_pseudowire_config *wire = &config->pseudowire;

	if (wire->frames < 1 || wire->frames > TL_CESOP_FRAMES_MAX)
		return refuse(config, error, "1 to 40 frames a packet");
	if (config->cas && format->multiframe % wire->frames)
		return refuse(config, error, config->kind == TL_SPAN_E1 ?
				      "with CAS, frames a packet to divide an E1's multiframe of 16" :
				      "with CAS, frames a packet to divide a T1's multiframe of 24");
	if (!config->cas && TL_BLOCK_OCTETS % wire->frames)
		return refuse(config, error, "frames a packet to divide 80");
	if (wire->jitter_ms < 1 || wire->jitter_ms > 200)
		return refuse(config, error, "a jitter depth of 1 to 200 ms");
	if (wire->jitter_max_ms && (wire->jitter_max_ms < wire->jitter_ms || wire->jitter_max_ms > 1000))
		return refuse(config, error, "a greatest jitter depth from the depth to 1000 ms, or 0");
	if (wire->rtp && (wire->rtp_payload_type < 96 || wire->rtp_payload_type > 127))
		return refuse(config, error, "an RTP payload type of 96 to 127");
	return TRUE;
}

static struct tl_playout *open_playout(struct tl_pseudowire *wire)
{
	const struct tl_pseudowire_config *config = &wire->port->config->pseudowire;
	unsigned max_ms = config->jitter_max_ms ? config->jitter_max_ms : 2 * config->jitter_ms + 10;
	struct tl_playout_config playout = {
		.format = wire->format,
		.depth_frames = config->jitter_ms * FRAMES_A_MS,
		.max_frames = max_ms * FRAMES_A_MS,
		.follows_sender = config->clock == TL_CLOCK_LOOP,
		.idle = wire->port->idle,
	};

	return tl_playout_new(&playout, &wire->port->counters);
}

static struct tl_peer *open_peer(struct tl_pseudowire *wire, GError **error)
{
	const struct tl_pseudowire_config *config = &wire->port->config->pseudowire;
	struct tl_peer_config peer = {
		.local_host = config->local_host ? config->local_host : "127.0.0.1",
		.local_port = config->local_port,
		.remote_host = config->remote_host,
		.remote_port = config->remote_port,
		.datagram_max = TL_CESOP_PACKET_MAX,
		.send_max = wire->send_max,
	};

	return tl_peer_new(&peer, error);
}

static void pseudowire_free(void *backend)
{
	struct tl_pseudowire *wire = backend;

	if (!wire)
		return;
	g_free(wire->datagrams);
	tl_packer_free(wire->packer);
	tl_playout_free(wire->playout);
	tl_peer_free(wire->peer);
	g_free(wire);
}

/*
 * In clock mode loop a packet is answered when it comes, though its tick runs
 * only after 10 ms of them: so a tick of idle frames is in hand from the start,
 * and a sender that waits for every answer is never kept waiting.
 */
static void fill_hand(struct tl_pseudowire *wire)
{
	struct tl_packer_status status = { .r = true };

	tl_packer_put(wire->packer, (const uint8_t(*)[TL_BLOCK_OCTETS])wire->port->tx, wire->port->cas_sent,
		      &status);
}

static void *pseudowire_new(struct tl_port *port, GError **error)
{
	const struct tl_span_config *config = port->config;
	struct tl_pseudowire *wire = g_new0(struct tl_pseudowire, 1);

	wire->port = port;
	wire->clock = config->pseudowire.clock;
	wire->format = (struct tl_cesop_format){
		.slots = port->slots,
		.frames = config->pseudowire.frames,
		.rtp = config->pseudowire.rtp,
		.rtp_payload_type = (uint8_t)config->pseudowire.rtp_payload_type,
		.rtp_ssrc = config->pseudowire.rtp_ssrc,
		.cas = config->cas,
		.multiframe = config->kind == TL_SPAN_E1 ? 16 : 24,
	};
	if (!check(config, &wire->format, error))
		goto fail;
	wire->send_max = 2 * tl_packer_tick_packets(&wire->format) + 2;
	wire->peer = open_peer(wire, error);
	if (!wire->peer) {
		g_prefix_error(error, "span %s: ", config->name);
		goto fail;
	}
	wire->playout = open_playout(wire);
	wire->packer = tl_packer_new(&wire->format, (uint16_t)g_random_int());
	wire->datagrams = g_new0(struct tl_peer_datagram, wire->send_max);
	tl_alarms_init(&wire->alarms);
	if (wire->clock == TL_CLOCK_LOOP)
		fill_hand(wire);
	port->fd = tl_peer_fd(wire->peer);
	port->local_port = tl_peer_local_port(wire->peer);
	return wire;
fail:
	pseudowire_free(wire);
	return NULL;
}

/* Packets that may go now: all, or in clock mode loop one for each that came. */
static unsigned may_send(const struct tl_pseudowire *wire)
{
	if (wire->clock != TL_CLOCK_LOOP)
		return wire->send_max;

	uint64_t owed = tl_playout_advanced(wire->playout) - wire->answered;

	return owed < wire->send_max ? (unsigned)owed : wire->send_max;
}

static void send_packets(struct tl_pseudowire *wire)
{
	unsigned injected = __atomic_load_n(&wire->port->injected, __ATOMIC_RELAXED);
	unsigned n = tl_packer_take(wire->packer, wire->datagrams, may_send(wire));

	wire->answered += n;
	if (n == 0 || injected & TL_ALARM_RED)
		return;
	tl_count(&wire->port->counters.packets_sent, tl_peer_send(wire->peer, wire->datagrams, n));
}

static void on_datagram(const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_pseudowire *wire = user;
	struct tl_span_counters *counters = &wire->port->counters;
	struct tl_cesop_packet packet;

	if (tl_cesop_parse(&wire->format, octets, n_octets, &packet) != TL_CESOP_OK) {
		tl_count(&counters->refused_malformed, 1);
		return;
	}
	tl_count(&counters->packets_received, 1);
	if (packet.l)
		tl_count(&counters->remote_l, 1);
	if (packet.r)
		tl_count(&counters->remote_r, 1);
	if (packet.m)
		tl_count(&counters->remote_m, 1);
	tl_playout_put(wire->playout, &packet);
}

/*
 * Without packets the followed line time stands still and no integration ends,
 * so a dead sender shows by our own clock: red as if never heard.
 */
static void watch_silence(struct tl_pseudowire *wire, bool heard, int64_t now_us)
{
	if (heard || wire->heard_us == 0)
		wire->heard_us = now_us;
	if (now_us - wire->heard_us < LOOP_SILENCE_US)
		return;
	tl_alarms_init(&wire->alarms);
	tl_port_set_alarms(wire->port, TL_ALARM_RED);
}

static void pseudowire_receive(void *backend, int64_t now_us)
{
	struct tl_pseudowire *wire = backend;
	uint64_t before = wire->port->counters.packets_received;
	unsigned strangers = tl_peer_receive(wire->peer, on_datagram, wire);

	if (strangers)
		tl_count(&wire->port->counters.refused_peer, strangers);
	if (wire->clock != TL_CLOCK_LOOP)
		return;
	watch_silence(wire, wire->port->counters.packets_received != before, now_us);
	send_packets(wire);
}

static unsigned pseudowire_ticks_due(const void *backend)
{
	const struct tl_pseudowire *wire = backend;

	if (wire->clock != TL_CLOCK_LOOP)
		return 1;
	return tl_playout_due_frames(wire->playout) / TL_BLOCK_OCTETS;
}

static int pseudowire_skew_ppb(const void *backend)
{
	const struct tl_pseudowire *wire = backend;

	return wire->skew.ppb;
}

/* Seconds of line time, errored or unavailable as a whole, never both. */
static void note_second(struct tl_pseudowire *wire, bool errored, unsigned alarms)
{
	struct tl_span_counters *counters = &wire->port->counters;

	wire->second_errored |= errored;
	wire->second_available |= !(alarms & TL_ALARM_DOWN);
	if (++wire->second_ticks < TICKS_A_SECOND)
		return;
	if (!wire->second_available)
		tl_count(&counters->seconds_unavailable, 1);
	else if (wire->second_errored)
		tl_count(&counters->seconds_errored, 1);
	wire->second_ticks = 0;
	wire->second_errored = false;
	wire->second_available = false;
}

static void pseudowire_begin_tick(void *backend)
{
	struct tl_pseudowire *wire = backend;
	struct tl_playout_tick tick;

	tl_playout_take(wire->playout, wire->port->rx, &tick);
	if (tick.cas)
		tl_port_hear_cas(wire->port, tick.cas);
	if (wire->clock == TL_CLOCK_ADAPTIVE && !(tick.defects & TL_DEFECT_LOSS))
		tl_skew_tick(&wire->skew, tick.above_depth);

	unsigned alarms = tl_alarms_tick(&wire->alarms, tick.defects);

	note_second(wire, tick.errored, alarms);
	tl_port_set_alarms(wire->port, alarms);
}

static void pseudowire_end_tick(void *backend, int64_t now_us)
{
	struct tl_pseudowire *wire = backend;
	struct tl_port *port = wire->port;
	unsigned injected = __atomic_load_n(&port->injected, __ATOMIC_RELAXED);
	struct tl_packer_status status = {
		.l = injected & TL_ALARM_BLUE,
		.r = tl_playout_is_lost(wire->playout),
		/* As a terminal does on a real line: remote alarm while red or blue. */
		.rdi = injected & TL_ALARM_YELLOW || port->alarms & (TL_ALARM_RED | TL_ALARM_BLUE),
	};

	tl_packer_put(wire->packer, (const uint8_t(*)[TL_BLOCK_OCTETS])port->tx, port->cas_sent, &status);
	send_packets(wire);
}

const struct tl_backend tl_pseudowire_backend = {
	.new = pseudowire_new,
	.free = pseudowire_free,
	.receive = pseudowire_receive,
	.ticks_due = pseudowire_ticks_due,
	.skew_ppb = pseudowire_skew_ppb,
	.begin_tick = pseudowire_begin_tick,
	.end_tick = pseudowire_end_tick,
};
