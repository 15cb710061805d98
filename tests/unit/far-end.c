/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "far-end.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

#define CEILING_MS 60000

/* All of 127/8 is this machine: a process's tests have an address to themselves. */
const char *far_end_host(void)
{
	static char host[16];
	unsigned pid = (unsigned)getpid();

	g_snprintf(host, sizeof(host), "127.%u.%u.%u", 64 + (pid >> 16) % 64, pid >> 8 & 0xff, pid & 0xff);
	return host;
}

unsigned far_end_port(void)
{
	static unsigned port = 20000;

	return port++;
}

struct tl_span_config far_end_config(enum tl_span_kind kind)
{
	return (struct tl_span_config){
		.name = "near",
		.kind = kind,
		.law = kind == TL_SPAN_E1 ? TL_LAW_ALAW : TL_LAW_ULAW,
		.pseudowire = { .local_host = far_end_host(),
				.local_port = far_end_port(),
				.remote_host = far_end_host(),
				.remote_port = far_end_port(),
				.frames = 8,
				.jitter_ms = 20,
				.clock = TL_CLOCK_LOCAL },
	};
}

struct tl_span_config far_end_mirror(const struct tl_span_config *config)
{
	struct tl_span_config mirror = *config;

	mirror.name = "far";
	mirror.pseudowire.local_port = config->pseudowire.remote_port;
	mirror.pseudowire.remote_port = config->pseudowire.local_port;
	return mirror;
}

struct tl_span *far_end_span(const struct tl_span_config *config)
{
	GError *error = NULL;

	tl_thread_become_main();

	struct tl_span *span = tl_span_new(config, &error);

	g_assert_no_error(error);
	g_assert_nonnull(span);
	return span;
}

struct tl_span_counters far_end_counters(const struct tl_span *span)
{
	struct tl_span_counters counters;

	tl_span_counters(span, &counters);
	return counters;
}

static uint64_t seen(const struct tl_span *span)
{
	struct tl_span_counters counters = far_end_counters(span);

	return counters.packets_received + counters.refused_peer + counters.refused_malformed;
}

void far_end_await(struct tl_span *span, uint64_t packets)
{
	struct pollfd fd = { .fd = tl_span_fd(span), .events = POLLIN };

	while (seen(span) < packets) {
		g_assert_cmpint(poll(&fd, 1, CEILING_MS), ==, 1);
		tl_thread_become_media();
		tl_span_receive(span, 0);
		tl_thread_become_main();
	}
	g_assert_cmpuint(seen(span), ==, packets);
}

unsigned far_end_due(struct tl_span *span)
{
	tl_thread_become_media();

	unsigned due = tl_span_ticks_due(span);

	tl_thread_become_main();
	return due;
}

void far_end_begin(struct tl_span *span)
{
	tl_thread_become_media();
	tl_span_begin_tick(span);
	tl_thread_become_main();
}

void far_end_end(struct tl_span *span)
{
	tl_thread_become_media();
	tl_span_end_tick(span, 0);
	tl_thread_become_main();
}

void far_end_main(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static struct sockaddr_in address(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	g_assert_cmpint(inet_pton(AF_INET, far_end_host(), &in.sin_addr), ==, 1);
	return in;
}

void far_end_open(struct far_end *end, const struct tl_span_config *config)
{
	struct sockaddr_in local = address(config->pseudowire.remote_port);
	struct sockaddr_in remote = address(config->pseudowire.local_port);

	*end = (struct far_end){
		.format = { .slots = config->kind == TL_SPAN_E1 ? 31 : 24,
			    .frames = config->pseudowire.frames,
			    .cas = config->cas,
			    .multiframe = config->kind == TL_SPAN_E1 ? 16 : 24 },
		.sequence = 65000,
	};
	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(end->fd, >=, 0);
	g_assert_cmpint(bind(end->fd, (struct sockaddr *)&local, sizeof(local)), ==, 0);
	g_assert_cmpint(connect(end->fd, (struct sockaddr *)&remote, sizeof(remote)), ==, 0);
}

void far_end_close(struct far_end *end)
{
	close(end->fd);
}

uint8_t far_end_octet(unsigned slot, uint64_t frame)
{
	/* The frame's number in the first three slots, so that a slip can be told; a hash in the others. */
	if (slot <= 3)
		return (uint8_t)(frame >> (8 * (slot - 1)));
	return (uint8_t)((frame * 31 + slot) * 2654435761u >> 13);
}

size_t far_end_packet(struct far_end *end, uint8_t *octets)
{
	uint8_t payload[TL_CESOP_FRAMES_MAX * TL_CESOP_SLOTS_MAX];
	struct tl_cesop_packet packet = { .l = end->l, .r = end->r, .m = end->m,
					  .sequence = end->sequence++, .payload = payload };
	uint8_t *to = payload;

	for (unsigned i = 0; i < end->format.frames; i++, end->frame++)
		for (unsigned slot = 1; slot <= end->format.slots; slot++)
			*to++ = far_end_octet(slot, end->frame);
	return tl_cesop_format_packet(&end->format, &packet, octets);
}

void far_end_send(struct far_end *end, const void *octets, size_t n_octets)
{
	g_assert_cmpint(send(end->fd, octets, n_octets, 0), ==, n_octets);
	end->sent++;
}

void far_end_run(struct far_end *end, unsigned packets)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];

	while (packets--)
		far_end_send(end, octets, far_end_packet(end, octets));
}

void far_end_receive(struct far_end *end, uint8_t *octets, struct tl_cesop_packet *packet)
{
	struct pollfd fd = { .fd = end->fd, .events = POLLIN };

	g_assert_cmpint(poll(&fd, 1, CEILING_MS), ==, 1);

	ssize_t n = recv(end->fd, octets, TL_CESOP_PACKET_MAX, 0);

	g_assert_cmpint(n, >, 0);
	g_assert_cmpint(tl_cesop_parse(&end->format, octets, (size_t)n, packet), ==, TL_CESOP_OK);
}

bool far_end_has_input(const struct far_end *end)
{
	struct pollfd fd = { .fd = end->fd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

void far_end_drain(const struct far_end *end)
{
	uint8_t octets[TL_CESOP_PACKET_MAX];

	while (recv(end->fd, octets, sizeof(octets), MSG_DONTWAIT) >= 0)
		;
}
