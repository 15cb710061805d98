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
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "spans.h"

#define PACKET_NS 1000000ll
#define READY 256
#define SETTLE_PACKETS 100 /* 2 s of a leg: its buffers have found their depth */

struct leg {
	int fd;
	struct sockaddr_in far; /* port 0: not heard yet */
	uint8_t octets[RTP_OCTETS];
	uint16_t sequence;
	uint32_t timestamp;
	unsigned heard;
};

static struct leg legs[LEGS_MAX];
static unsigned long rtp_sent, rtp_received, late_ms;
static int epoll_fd;

static void watch(int fd, uint32_t id)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = id };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void watch_span(int fd, unsigned span)
{
	watch(fd, LEGS_MAX + span);
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
	spans_note_delay(octets + RTP_HEADER, at.tv_sec * 1000000000ll + at.tv_nsec);
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
				spans_receive(ready[i].data.u32 - LEGS_MAX);
		}
}

static void report(void)
{
	printf("{\"rtp_sent\": %lu, \"rtp_received\": %lu, \"late_ms\": %lu, ", rtp_sent, rtp_received, late_ms);
	spans_report();
	puts("}");
}

int main(int argc, char **argv)
{
	struct plan plan;
	plan_read(&plan, argc, argv);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	spans_open(&plan, watch_span);
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
		spans_send(&plan, packets);
		for (unsigned i = step % legs_apart; i < plan.legs; i += legs_apart)
			leg_send(&legs[i]);
		receive();
	}
	report();
	return 0;
}
