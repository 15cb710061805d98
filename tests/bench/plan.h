/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the load, the floor and the subjects agree on: ports, packet sizes and
 * how a run is asked for. E1 pseudowires of 8 frames a packet, RTP of 20 ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SLOTS 31
#define BEARERS 30 /* slots 1-15 and 17-31 */
#define PW_FRAMES 8
#define PW_HEADER 4
#define PW_OCTETS (PW_HEADER + PW_FRAMES * SLOTS)
#define PW_A_TICK 10
#define RTP_HEADER 12
#define RTP_SAMPLES 160
#define RTP_OCTETS (RTP_HEADER + RTP_SAMPLES)
#define TICK_NS 10000000ll
#define SPANS_MAX 34
#define LEGS_MAX (SPANS_MAX * BEARERS)

/* The node's side of span i and the load's; RTP of the load's leg i, and the node's range. */
#define NODE_PW_PORT(i) (20000 + 2 * (i))
#define LOAD_PW_PORT(i) (20001 + 2 * (i))
#define LOAD_RTP_PORT(i) (40000 + 2 * (i))
#define NODE_RTP_MIN 24000
#define NODE_RTP_MAX 29998
#define NODE_BROWSER_PORT 23000

/* A browser leg's packet: RTP, and the tag of AEAD_AES_128_GCM. */
#define SRTP_TAG 16
#define SRTP_OCTETS (RTP_OCTETS + SRTP_TAG)
#define OPUS_PAYLOAD 111

/** Timeslot of a span's bearer 0-29. */
static inline unsigned bearer_slot(unsigned bearer)
{
	return bearer < 15 ? bearer + 1 : bearer + 2;
}

struct plan {
	const char *host; /* numeric IPv4 */
	unsigned legs, spans;
	bool smooth;    /* load: a packet each ms rather than ten each 10 ms */
	bool detect;    /* floor and subjects: DTMF detection on every timeslot */
	unsigned jitter_ms;
	bool echo;      /* browsers: no spans, each leg hears itself */
	bool opus;      /* browsers: Opus rather than G.711 */
	bool bare;      /* load: the far end is the floor, which shakes no hands */
	const char *folder; /* browsers: where certificate and answers are; else: record every call there, or NULL */
	bool record_opus;
	unsigned threads; /* browsers' subject: media threads */
};

/** Reads the command line; exits on a mistake. */
void plan_read(struct plan *plan, int argc, char **argv);

/** A UDP socket at host:port; exits on failure. */
int plan_socket(const struct plan *plan, unsigned port);
struct sockaddr_in plan_address(const struct plan *plan, unsigned port);

int64_t plan_now_ns(void);
/** Sleeps until @at_ns of CLOCK_MONOTONIC, or until SIGTERM. False: it is time to stop. */
bool plan_sleep_until(int64_t at_ns);
