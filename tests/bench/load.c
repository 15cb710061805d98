/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The load: the far ends of spans and RTP legs. Sends every pseudowire packet
 * and every leg's RTP packet at its time, answers each leg to where it was
 * heard from, counts what comes back. The timeslots carry marks, by which the
 * delay from a pseudowire packet's sending to its octets' arrival as RTP is
 * measured by the kernel's time of arrival. Prints counts at SIGTERM as JSON.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "plan.h"

#define PACKET_NS 1000000ll
#define READY 256
#define DELAYS_MAX 4000000
#define SETTLE_PACKETS 100 /* 2 s of a leg: its buffers have found their depth */

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

struct leg {
	int fd;
	struct sockaddr_in far; /* port 0: not heard yet */
	uint8_t octets[RTP_OCTETS];
	uint16_t sequence;
	uint32_t timestamp;
	unsigned heard;
};

static struct span spans[SPANS_MAX];
static struct leg legs[LEGS_MAX];
static int64_t sent_ns[NUMBERS]; /* CLOCK_REALTIME, of packets by number */
static float *delays_ms;
static unsigned n_delays;
static unsigned long pw_sent, pw_received, rtp_sent, rtp_received, unmarked, late_ms;
static int epoll_fd;

static int64_t realtime_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void watch(int fd, uint32_t id)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = id };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
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
	watch(span->fd, LEGS_MAX + i);
}

static void leg_open(struct leg *leg, const struct plan *plan, unsigned i)
{
	int one = 1;
	leg->fd = plan_socket(plan, LOAD_RTP_PORT(i));
	setsockopt(leg->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	memset(leg->octets, 0xd5, RTP_OCTETS);
	memset(leg->octets, 0, RTP_HEADER);
	leg->octets[0] = 0x80;
	leg->octets[1] = 8; /* PCMA */
	leg->octets[11] = (uint8_t)(i + 1);
	watch(leg->fd, i);
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

static void spans_send(unsigned n_spans, unsigned *number, unsigned packets)
{
	for (unsigned i = 0; i < n_spans; i++) {
		for (unsigned k = 0; k < packets; k++)
			span_fill(&spans[i], k, (*number + k) % NUMBERS);
		int n = sendmmsg(spans[i].fd, spans[i].out, packets, MSG_DONTWAIT);
		pw_sent += n > 0 ? n : 0;
	}
	int64_t now = realtime_ns();
	for (unsigned k = 0; k < packets; k++)
		sent_ns[(*number)++ % NUMBERS] = now;
}

static void leg_send(struct leg *leg)
{
	if (!leg->far.sin_port)
		return;
	leg->octets[2] = (uint8_t)(leg->sequence >> 8);
	leg->octets[3] = (uint8_t)leg->sequence++;
	leg->timestamp += RTP_SAMPLES;
	for (unsigned i = 0; i < 4; i++)
		leg->octets[4 + i] = (uint8_t)(leg->timestamp >> (24 - 8 * i));
	if (sendto(leg->fd, leg->octets, RTP_OCTETS, MSG_DONTWAIT, (struct sockaddr *)&leg->far, sizeof leg->far) > 0)
		rtp_sent++;
}

/* The delay of the packet's last sample: from then on nothing but the far end kept it. */
static void note_delay(const uint8_t *payload, int64_t arrival_ns)
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

static void leg_receive(struct leg *leg)
{
	uint8_t octets[2048];
	_Alignas(struct cmsghdr) uint8_t control[64];
	struct iovec part = { octets, sizeof octets };
	struct msghdr message = { .msg_name = &leg->far, .msg_namelen = sizeof leg->far, .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(leg->fd, &message, 0);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	struct timespec at;
	if (n != RTP_OCTETS)
		return;
	rtp_received++;
	if (++leg->heard <= SETTLE_PACKETS || !header || header->cmsg_type != SCM_TIMESTAMPNS)
		return;
	memcpy(&at, CMSG_DATA(header), sizeof at);
	note_delay(octets + RTP_HEADER, at.tv_sec * 1000000000ll + at.tv_nsec);
}

static void span_receive(struct span *span)
{
	static uint8_t octets[PW_A_TICK][PW_OCTETS];
	static struct mmsghdr in[PW_A_TICK];
	static struct iovec in_iov[PW_A_TICK];
	for (unsigned k = 0; k < PW_A_TICK; k++) {
		in_iov[k] = (struct iovec){ octets[k], PW_OCTETS };
		in[k].msg_hdr = (struct msghdr){ .msg_iov = &in_iov[k], .msg_iovlen = 1 };
	}
	int n = recvmmsg(span->fd, in, PW_A_TICK, MSG_DONTWAIT, NULL);
	pw_received += n > 0 ? n : 0;
}

static void receive(void)
{
	struct epoll_event ready[READY];
	int n;
	while ((n = epoll_wait(epoll_fd, ready, READY, 0)) > 0)
		for (int i = 0; i < n; i++) {
			if (ready[i].data.u32 < LEGS_MAX)
				leg_receive(&legs[ready[i].data.u32]);
			else
				span_receive(&spans[ready[i].data.u32 - LEGS_MAX]);
		}
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void report(void)
{
	printf("{\"pw_sent\": %lu, \"pw_received\": %lu, \"rtp_sent\": %lu, \"rtp_received\": %lu, \"late_ms\": %lu, "
	       "\"unmarked\": %lu", pw_sent, pw_received, rtp_sent, rtp_received, late_ms, unmarked);
	qsort(delays_ms, n_delays, sizeof *delays_ms, by_value);
	if (n_delays)
		printf(", \"delay_ms\": {\"n\": %u, \"p1\": %.3f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", n_delays,
		       delays_ms[n_delays / 100], delays_ms[n_delays / 2], delays_ms[n_delays / 100 * 99], delays_ms[n_delays - 1]);
	puts("}");
}

int main(int argc, char **argv)
{
	struct plan plan;
	unsigned number = 0;
	plan_read(&plan, argc, argv);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	delays_ms = malloc(DELAYS_MAX * sizeof *delays_ms);
	for (unsigned i = 0; i < plan.spans; i++)
		span_open(&spans[i], &plan, i);
	for (unsigned i = 0; i < plan.legs; i++)
		leg_open(&legs[i], &plan, i);
	puts("ready");
	fflush(stdout);
	int64_t step_ns = plan.smooth ? PACKET_NS : TICK_NS;
	unsigned packets = plan.smooth ? 1 : PW_A_TICK;
	unsigned legs_apart = (unsigned)(2 * TICK_NS / step_ns); /* each leg's turn comes every 20 ms */
	int64_t next_ns = plan_now_ns();
	for (unsigned step = 0; plan_sleep_until(next_ns); step++, next_ns += step_ns) {
		late_ms += (unsigned long)((plan_now_ns() - next_ns) / 1000000);
		spans_send(plan.spans, &number, packets);
		for (unsigned i = step % legs_apart; i < plan.legs; i += legs_apart)
			leg_send(&legs[i]);
		receive();
	}
	report();
	return 0;
}
