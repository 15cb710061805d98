/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fast-line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line/cesop.h"

#define FRAMES 40
#define SLOTS 31
#define GATHERED 4    /* answers of an end before it is reckoned with */
#define UNREAD 40     /* packets for an end that has not answered yet: more would fill its socket, and be lost */
#define STEP_US 125   /* for 5 ms of line time */
#define PROBE_ROUNDS 400 /* that an end owes an answer, before it is looked whether it is there */

struct end {
	int fd;
	GQueue answers; /* GBytes */
	bool flows;
	unsigned unread; /* packets sent, not answered */
	unsigned owes;   /* rounds without an answer */
};

struct fast_line {
	struct end ends[2];
	GThread *thread;
	_Atomic bool stopping;
	uint16_t sequence;
	GBytes *idle;
};

static int open_end(unsigned to)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in peer = own;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	peer.sin_port = htons(to);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&peer, sizeof peer), ==, 0);
	return fd;
}

static void take(struct end *end)
{
	uint8_t octets[2048];
	ssize_t n;
	while ((n = recv(end->fd, octets, sizeof octets, 0)) > 0) {
		g_queue_push_tail(&end->answers, g_bytes_new(octets, n));
		end->unread -= MIN(end->unread, 1);
		end->owes = 0;
	}
	bool gone = n < 0 && errno == ECONNREFUSED;
	if (gone)
		end->unread = 0;
	end->flows = !gone && (end->flows || g_queue_get_length(&end->answers) >= GATHERED);
	/* What it found in its socket when it began to read would let the two ends' times drift apart by as much. */
	for (unsigned kept = gone ? 0 : 2 * GATHERED; g_queue_get_length(&end->answers) > kept;)
		g_bytes_unref(g_queue_pop_head(&end->answers));
}

/* However long an end takes, it is waited for: a busy disk may hold up one that keeps a page. Only one that is not there is not. */
static bool may_step(struct end *end)
{
	if (end->flows ? !g_queue_is_empty(&end->answers) : end->unread < UNREAD)
		return true;
	if (++end->owes % PROBE_ROUNDS)
		return false;
	if (end->flows)
		(void)!send(end->fd, NULL, 0, 0); /* malformed; the kernel refuses it where nobody listens */
	return !end->flows;
}

/* The sequence is the line's own: idle and answers take turns until both ends flow. */
static void send_next(struct fast_line *line, struct end *from, struct end *to)
{
	GBytes *packet = from->flows ? g_queue_pop_head(&from->answers) : NULL;
	uint8_t octets[2048];
	gsize n = g_bytes_get_size(packet ? packet : line->idle);
	memcpy(octets, g_bytes_get_data(packet ? packet : line->idle, NULL), n);
	octets[2] = line->sequence >> 8;
	octets[3] = line->sequence;
	(void)!send(to->fd, octets, n, 0);
	to->unread++;
	if (packet)
		g_bytes_unref(packet);
}

static void *run(void *data)
{
	struct fast_line *line = data;
	while (!line->stopping) {
		g_usleep(STEP_US);
		take(&line->ends[0]);
		take(&line->ends[1]);
		if (!may_step(&line->ends[0]) || !may_step(&line->ends[1]))
			continue;
		send_next(line, &line->ends[0], &line->ends[1]);
		send_next(line, &line->ends[1], &line->ends[0]);
		line->sequence++;
	}
	return NULL;
}

struct fast_line *fast_line_new(unsigned a, unsigned b)
{
	const unsigned ports[] = { a, b };
	const struct tl_cesop_format format = { .slots = SLOTS, .frames = FRAMES };
	uint8_t payload[FRAMES * SLOTS], octets[TL_CESOP_PACKET_MAX];
	struct fast_line *line = g_new0(struct fast_line, 1);
	memset(payload, 0xd5, sizeof payload);
	const struct tl_cesop_packet idle = { .payload = payload };
	size_t n = tl_cesop_format_packet(&format, &idle, octets);
	line->idle = g_bytes_new(octets, n);
	for (unsigned i = 0; i < 2; i++)
		line->ends[i].fd = open_end(ports[i]);
	line->thread = g_thread_new("line", run, line);
	return line;
}

void fast_line_free(struct fast_line *line)
{
	line->stopping = true;
	g_thread_join(line->thread);
	for (unsigned i = 0; i < 2; i++) {
		close(line->ends[i].fd);
		g_queue_clear_full(&line->ends[i].answers, (GDestroyNotify)g_bytes_unref);
	}
	g_bytes_unref(line->idle);
	g_free(line);
}

unsigned fast_line_port(const struct fast_line *line, unsigned end)
{
	struct sockaddr_in own;
	socklen_t length = sizeof own;
	getsockname(line->ends[end].fd, (struct sockaddr *)&own, &length);
	return ntohs(own.sin_port);
}
