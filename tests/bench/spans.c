/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "spans.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define DELAYS_MAX 4000000

/* A mark every 8 frames: MARK, then the packet's number in two octets of 7 bits. */
#define MARK 0xaa
#define QUIET 0xd5
#define NUMBERS (1u << 14)

struct span {
	int fd;
	struct sockaddr_in far;
	struct mmsghdr out[PW_A_TICK];
	struct iovec out_iov[PW_A_TICK];
	uint8_t octets[PW_A_TICK][PW_OCTETS];
	uint16_t sequence;
};

static struct span spans[SPANS_MAX];
static int64_t sent_ns[NUMBERS]; /* CLOCK_REALTIME, of packets by number */
static unsigned next_number;
static float *delays_ms;
static unsigned n_delays;
static unsigned long pw_sent, pw_received, unmarked;

static int64_t realtime_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void span_open(struct span *span, const struct plan *plan, unsigned i)
{
	span->fd = plan_socket(plan, LOAD_PW_PORT(i));
	span->far = plan_address(plan, NODE_PW_PORT(i));
	for (unsigned k = 0; k < PW_A_TICK; k++) {
		memset(span->octets[k], QUIET, PW_OCTETS);
		memset(span->octets[k], 0, PW_HEADER);
		span->out_iov[k] = (struct iovec){ span->octets[k], PW_OCTETS };
		span->out[k].msg_hdr = (struct msghdr){ .msg_name = &span->far, .msg_namelen = sizeof span->far,
							.msg_iov = &span->out_iov[k], .msg_iovlen = 1 };
	}
}

void spans_open(const struct plan *plan, void (*watch)(int fd, unsigned span))
{
	delays_ms = malloc(DELAYS_MAX * sizeof *delays_ms);
	for (unsigned i = 0; i < plan->spans; i++) {
		span_open(&spans[i], plan, i);
		watch(spans[i].fd, i);
	}
}

static void span_fill(struct span *span, unsigned k, unsigned number)
{
	uint8_t *frames = span->octets[k] + PW_HEADER;
	span->octets[k][2] = (uint8_t)(span->sequence >> 8);
	span->octets[k][3] = (uint8_t)span->sequence++;
	memset(frames, MARK, SLOTS);
	memset(frames + SLOTS, number & 0x7f, SLOTS);
	memset(frames + 2 * SLOTS, number >> 7 & 0x7f, SLOTS);
	for (unsigned row = 0; row < 3; row++) /* the D-channel: HDLC's idle */
		frames[row * SLOTS + 15] = 0xff;
}

void spans_send(const struct plan *plan, unsigned packets)
{
	for (unsigned i = 0; i < plan->spans; i++) {
		for (unsigned k = 0; k < packets; k++)
			span_fill(&spans[i], k, (next_number + k) % NUMBERS);
		int n = sendmmsg(spans[i].fd, spans[i].out, packets, MSG_DONTWAIT);
		pw_sent += n > 0 ? n : 0;
	}
	int64_t now = realtime_ns();
	for (unsigned k = 0; k < packets; k++)
		sent_ns[next_number++ % NUMBERS] = now;
}

/* The delay of the packet's last sample: from then on nothing but the far end kept it. */
void spans_note_delay(const uint8_t *payload, int64_t arrival_ns)
{
	for (int at = RTP_SAMPLES - 8; at >= 0; at--) {
		if (payload[at] != MARK)
			continue;
		unsigned number = payload[at + 1] | (unsigned)payload[at + 2] << 7;
		unsigned last = (number + (RTP_SAMPLES - 1 - (unsigned)at) / PW_FRAMES) % NUMBERS;
		if (n_delays < DELAYS_MAX)
			delays_ms[n_delays++] = (arrival_ns - sent_ns[last]) / 1e6f;
		return;
	}
	unmarked++;
}

void spans_receive(unsigned span)
{
	static uint8_t octets[PW_A_TICK][PW_OCTETS];
	static struct mmsghdr in[PW_A_TICK];
	static struct iovec in_iov[PW_A_TICK];
	for (unsigned k = 0; k < PW_A_TICK; k++) {
		in_iov[k] = (struct iovec){ octets[k], PW_OCTETS };
		in[k].msg_hdr = (struct msghdr){ .msg_iov = &in_iov[k], .msg_iovlen = 1 };
	}
	int n = recvmmsg(spans[span].fd, in, PW_A_TICK, MSG_DONTWAIT, NULL);
	pw_received += n > 0 ? n : 0;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

void spans_report(void)
{
	qsort(delays_ms, n_delays, sizeof *delays_ms, by_value);
	if (n_delays)
		printf("\"delay_ms\": {\"n\": %u, \"p1\": %.3f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", n_delays,
		       delays_ms[n_delays / 100], delays_ms[n_delays / 2], delays_ms[n_delays / 100 * 99], delays_ms[n_delays - 1]);
	printf("\"pw_sent\": %lu, \"pw_received\": %lu, \"unmarked\": %lu", pw_sent, pw_received, unmarked);
}
