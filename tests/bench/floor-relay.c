/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The floor: a relay of the same packets over the same sockets and nothing
 * else. Each 10 ms it reads ten packets of every span and sends ten; each 20 ms
 * it reads a packet of every leg and sends one. Octets go across as they come:
 * no sequence, no timestamp, no jitter, no law. With -d, SpanDSP's DTMF
 * detector hears as many samples as cross. With -f, both sides of every call are
 * written to a file a call each 100 ms, and never synced.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spandsp.h>

#include "floor-spans.h"

#define TICK_SAMPLES 80
#define WRITE_TICKS 10

struct leg {
	int fd, rtcp_fd;
	struct sockaddr_in far;
	uint8_t octets[RTP_OCTETS];
	dtmf_rx_state_t *detector;
	int file;
};

static struct leg legs[LEGS_MAX];

static void leg_open(struct leg *leg, const struct plan *plan, unsigned i)
{
	leg->fd = plan_socket(plan, NODE_RTP_MIN + 2 * i);
	leg->rtcp_fd = plan_socket(plan, NODE_RTP_MIN + 2 * i + 1);
	leg->far = plan_address(plan, LOAD_RTP_PORT(i));
	leg->octets[0] = 0x80;
	leg->octets[1] = 8;
	if (plan->detect)
		leg->detector = dtmf_rx_init(NULL, NULL, NULL);
	if (!plan->folder)
		return;
	char path[256];
	snprintf(path, sizeof path, "%s/%u", plan->folder, i);
	leg->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void leg_relay(struct leg *leg)
{
	(void)!recv(leg->fd, leg->octets, RTP_OCTETS, MSG_DONTWAIT);
	(void)!sendto(leg->fd, leg->octets, RTP_OCTETS, MSG_DONTWAIT, (struct sockaddr *)&leg->far, sizeof leg->far);
}

static void detect(struct leg *leg)
{
	static int16_t samples[TICK_SAMPLES];
	dtmf_rx(leg->detector, samples, TICK_SAMPLES);
}

static void write_all(const struct plan *plan, unsigned tick)
{
	static const uint8_t octets[2 * TICK_SAMPLES * WRITE_TICKS];
	for (unsigned i = tick % WRITE_TICKS; i < plan->legs; i += WRITE_TICKS)
		(void)!write(legs[i].file, octets, sizeof octets);
}

int main(int argc, char **argv)
{
	struct plan plan;
	plan_read(&plan, argc, argv);
	floor_spans_open(&plan);
	for (unsigned i = 0; i < plan.legs; i++)
		leg_open(&legs[i], &plan, i);
	puts("ready");
	fflush(stdout);
	int64_t next_ns = plan_now_ns();
	for (unsigned tick = 0; plan_sleep_until(next_ns); tick++, next_ns += TICK_NS) {
		floor_spans_relay(&plan);
		for (unsigned i = tick % 2; i < plan.legs; i += 2)
			leg_relay(&legs[i]);
		for (unsigned i = 0; plan.detect && i < plan.legs; i++)
			detect(&legs[i]);
		if (plan.folder)
			write_all(&plan, tick);
	}
	return 0;
}
