/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/line.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_AT_ONCE 4
#define QUEUE_FRAMES 1024 /* a power of two, above window x frames */

struct tl_line {
	struct tl_line_config config;
	int fd;
	struct tl_line_counters counters;

	struct tl_line_frame queue[QUEUE_FRAMES]; /* received, not yet on the line */
	unsigned head, tail;
	bool far_end;            /* answers come; without, frames are LOS and nobody waits */
	bool primed;             /* the window is full: received frames go to the card */
	int64_t heard_us;        /* last answer, or when waiting began */
	uint16_t expected;       /* next sequence number from the far end */
	uint8_t cas[TL_LINE_SLOTS]; /* held over packets without */
	bool has_cas;

	unsigned unanswered;
	uint16_t sequence;
	uint32_t timestamp;
	unsigned multiframe_position; /* frames since the multiframe began */
	unsigned filled;              /* frames of the packet being filled */
	bool filling_ais, filling_rai;
	uint8_t payload[TL_CESOP_FRAMES_MAX * TL_CESOP_SLOTS_MAX];

	struct tl_line_frame plugged; /* what the loopback plug returns next */
};

static bool open_socket(struct tl_line *line)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)line->config.local_port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in there = here;

	there.sin_port = htons((uint16_t)line->config.remote_port);
	line->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (line->fd < 0 || bind(line->fd, (struct sockaddr *)&here, sizeof(here)) ||
	    connect(line->fd, (struct sockaddr *)&there, sizeof(there))) {
		perror("card-model: fatal: cannot open the pseudowire's port");
		return false;
	}
	return true;
}

struct tl_line *tl_line_new(const struct tl_line_config *config)
{
	struct tl_line *line = calloc(1, sizeof(*line));

	line->config = *config;
	line->fd = -1;
	line->plugged.los = true;
	if (config->kind == TL_LINE_PSEUDOWIRE && !open_socket(line)) {
		tl_line_free(line);
		return NULL;
	}
	return line;
}

void tl_line_free(struct tl_line *line)
{
	if (!line)
		return;
	if (line->fd >= 0)
		close(line->fd);
	free(line);
}

int tl_line_fd(const struct tl_line *line)
{
	return line->fd;
}

const struct tl_line_counters *tl_line_counters(const struct tl_line *line)
{
	return &line->counters;
}

static unsigned queued(const struct tl_line *line)
{
	return line->tail - line->head;
}

static void queue_frame(struct tl_line *line, const struct tl_cesop_packet *packet, unsigned n)
{
	const unsigned slots = line->config.format.slots;
	struct tl_line_frame *frame = &line->queue[line->tail % QUEUE_FRAMES];

	if (queued(line) == QUEUE_FRAMES) {
		line->counters.lost++;
		return;
	}
	memset(frame, 0, sizeof(*frame));
	frame->ais = packet->l;
	frame->rai = !packet->l && packet->m == 2;
	if (packet->payload && !packet->l)
		memcpy(frame->slots + 1, packet->payload + n * slots, slots);
	frame->has_cas = line->has_cas;
	memcpy(frame->cas, line->cas, sizeof(frame->cas));
	line->tail++;
}

/* A lost packet leaves a hole of AIS, so that line time does not run short. */
static void take_packet(struct tl_line *line, const struct tl_cesop_packet *packet)
{
	const struct tl_cesop_packet hole = { .l = true };
	uint16_t missing = (uint16_t)(packet->sequence - line->expected);

	if (!line->far_end || missing >= line->config.window)
		missing = 0;
	line->expected = (uint16_t)(packet->sequence + 1);
	line->counters.lost += missing;
	if (packet->has_cas) {
		memcpy(line->cas, packet->cas, sizeof(packet->cas));
		line->has_cas = true;
	}
	for (unsigned i = 0; i < missing * line->config.format.frames; i++)
		queue_frame(line, &hole, 0);
	for (unsigned i = 0; i < line->config.format.frames; i++)
		queue_frame(line, packet, i);
	line->unanswered -= line->unanswered > missing ? missing + 1u : line->unanswered;
	line->counters.remote_loss += packet->r;
}

static void take_octets(struct tl_line *line, const uint8_t *octets, size_t length, int64_t now_us)
{
	struct tl_cesop_packet packet;

	if (tl_cesop_parse(&line->config.format, octets, length, &packet) != TL_CESOP_OK) {
		line->counters.refused++;
		return;
	}
	line->counters.packets_received++;
	take_packet(line, &packet);
	if (!line->far_end) {
		/* The first answer after silence: older ones are not waited for. */
		line->far_end = true;
		line->primed = false;
		line->unanswered = 0;
	}
	line->heard_us = now_us;
}

void tl_line_receive(struct tl_line *line, int64_t now_us)
{
	uint8_t octets[PACKETS_AT_ONCE][TL_CESOP_PACKET_MAX + 1];
	struct iovec vectors[PACKETS_AT_ONCE];
	struct mmsghdr messages[PACKETS_AT_ONCE] = { 0 };
	int count;

	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		vectors[i] = (struct iovec){ octets[i], sizeof(octets[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	count = recvmmsg(line->fd, messages, PACKETS_AT_ONCE, 0, NULL);
	for (int i = 0; i < count; i++)
		take_octets(line, octets[i], messages[i].msg_len, now_us);
}

static void give_up(struct tl_line *line)
{
	line->counters.stalls += line->far_end;
	line->far_end = line->primed = line->has_cas = false;
	line->head = line->tail;
	line->unanswered = 0;
}

bool tl_line_ready(struct tl_line *line, unsigned count, int64_t now_us)
{
	if (line->config.kind != TL_LINE_PSEUDOWIRE || !line->far_end)
		return true;
	if (!line->primed && queued(line) / line->config.format.frames + line->unanswered < line->config.window)
		return true;
	line->primed = true;
	if (queued(line) >= count)
		return true;
	if (now_us < tl_line_patience_us(line))
		return false;
	give_up(line);
	return true;
}

int64_t tl_line_patience_us(const struct tl_line *line)
{
	return line->heard_us + line->config.patience_ms * 1000LL;
}

static uint8_t fragment(const struct tl_line *line)
{
	const struct tl_cesop_format *format = &line->config.format;

	if (!format->cas || format->frames == format->multiframe)
		return 0;
	if (line->multiframe_position == format->frames)
		return 1;
	return line->multiframe_position == format->multiframe ? 2 : 3;
}

static void send_packet(struct tl_line *line, const struct tl_line_frame *last)
{
	const struct tl_cesop_format *format = &line->config.format;
	uint8_t octets[TL_CESOP_PACKET_MAX];
	struct tl_cesop_packet packet = { .l = line->filling_ais,
					  .r = !line->far_end,
					  .m = line->filling_rai && !line->filling_ais ? 2 : 0,
					  .fragment = fragment(line),
					  .sequence = line->sequence++,
					  .rtp_timestamp = line->timestamp,
					  .payload = line->payload };

	packet.has_cas = format->cas && (packet.fragment == 0 || packet.fragment == 2);
	if (packet.has_cas)
		memcpy(packet.cas, last->cas, sizeof(packet.cas));
	line->timestamp += format->frames;
	line->filled = 0;
	line->filling_ais = line->filling_rai = false;
	/* A refused send is a far end that is not there: patience will tell. */
	(void)!send(line->fd, octets, tl_cesop_format_packet(format, &packet, octets), 0);
	line->counters.packets_sent++;
	if (line->far_end)
		line->unanswered++;
}

static void fill_packet(struct tl_line *line, const struct tl_line_frame *out)
{
	const struct tl_cesop_format *format = &line->config.format;

	memcpy(line->payload + line->filled * format->slots, out->slots + 1, format->slots);
	line->filling_ais |= out->ais;
	line->filling_rai |= out->rai;
	if (format->cas)
		line->multiframe_position = line->multiframe_position % format->multiframe + 1;
	if (++line->filled == format->frames)
		send_packet(line, out);
}

void tl_line_exchange(struct tl_line *line, const struct tl_line_frame *out, struct tl_line_frame *in,
		      int64_t now_us)
{
	if (line->config.kind == TL_LINE_PLUG) {
		*in = line->plugged;
		line->plugged = *out;
		return;
	}
	memset(in, 0, sizeof(*in));
	in->los = true;
	if (line->config.kind == TL_LINE_OPEN)
		return;
	if (!line->far_end)
		line->heard_us = now_us;
	if (line->primed && queued(line))
		*in = line->queue[line->head++ % QUEUE_FRAMES];
	fill_packet(line, out);
}
