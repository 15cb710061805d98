/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * span-test: what the tests do to a DAHDI span from inside the guest.
 *
 *   data FIRST COUNT OCTETS [loop]   all channels busy both ways until OCTETS of
 *                                    each are verified; loop: our own come back
 *   burst CHANNEL OCTETS             on a looped line: OCTETS are written and each comes back once;
 *                                    all else, before and for 2 s after, is idle
 *   bits CHANNEL                     received ABCD, as a hexadecimal digit
 *   send-bits                        send ABCD as lines of stdin say, "CHANNEL BITS",
 *                                    each answered with ok, and hold them to its end
 *   wait-bits SECONDS CHANNEL:BITS...
 *   alarms SPAN                      names, or OK
 *   wait-alarms SPAN NAMES SECONDS   until the span's alarms are exactly NAMES
 *   counters SPAN                    name=value ...
 *   maint SPAN WHAT                  none local network payload loopup loopdown
 *   frame CHANNEL SECONDS            the next HDLC frame of a D-channel, in hexadecimal
 *   hold CHANNEL                     keep it open until stdin ends
 *
 * Channel numbers are DAHDI's. Status 0: as it should be; 1: not; 2: usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <dahdi/user.h>

#include "pattern.h"

#define CHANNELS_MAX 31
#define DAHDI_CHANNELS_MAX 256
#define BLOCK_OCTETS 512
#define BLOCKS 32
#define CLEAR_IDLE 0xff /* what DAHDI sends on a clear channel that nobody writes to */
#define BURST_MAX (8 * BLOCK_OCTETS)
#define QUIET_MS 30000 /* no octet on any channel for so long: the span is dead */

struct channel {
	unsigned number, timeslot;
	int fd;
	struct tl_pattern sent;
	struct tl_pattern_checker received;
	uint8_t block[BLOCK_OCTETS]; /* written as a whole, or kept for the next try */
	bool block_full;
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	const int error = errno;
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	printf(": %s\n", strerror(error));
	exit(1);
}

static int open_channel(unsigned number)
{
	int channel = (int)number;
	int fd = open("/dev/dahdi/channel", O_RDWR | O_NONBLOCK);

	if (fd < 0)
		die("/dev/dahdi/channel");
	if (ioctl(fd, DAHDI_SPECIFY, &channel))
		die("channel %u", number);
	return fd;
}

static void set_buffers(int fd)
{
	struct dahdi_bufferinfo buffers = { .txbufpolicy = DAHDI_POLICY_IMMEDIATE,
					    .rxbufpolicy = DAHDI_POLICY_IMMEDIATE,
					    .numbufs = BLOCKS,
					    .bufsize = BLOCK_OCTETS };

	if (ioctl(fd, DAHDI_SET_BUFINFO, &buffers))
		die("DAHDI_SET_BUFINFO");
}

/* An event stands in the way of data until it is fetched. */
static bool fetched_event(struct channel *channel)
{
	int event;

	if (errno != ELAST || ioctl(channel->fd, DAHDI_GETEVENT, &event))
		return false;
	printf("# channel %u: event %d\n", channel->number, event);
	return true;
}

static void write_blocks(struct channel *channel)
{
	for (;;) {
		if (!channel->block_full)
			for (unsigned i = 0; i < BLOCK_OCTETS; i++)
				channel->block[i] = tl_pattern_next(&channel->sent);
		channel->block_full = true;
		if (write(channel->fd, channel->block, BLOCK_OCTETS) == BLOCK_OCTETS)
			channel->block_full = false;
		else if (errno == EAGAIN)
			return;
		else if (!fetched_event(channel))
			die("write to channel %u", channel->number);
	}
}

static void read_blocks(struct channel *channel)
{
	uint8_t octets[BLOCK_OCTETS];

	for (;;) {
		ssize_t got = read(channel->fd, octets, sizeof(octets));

		if (got < 0 && errno == EAGAIN)
			return;
		if (got < 0 && !fetched_event(channel))
			die("read of channel %u", channel->number);
		for (ssize_t i = 0; i < got; i++)
			tl_pattern_check(&channel->received, octets[i]);
	}
}

static bool all_verified(const struct channel *channels, unsigned count, uint64_t octets)
{
	for (unsigned i = 0; i < count; i++)
		if (channels[i].received.verified < octets)
			return false;
	return true;
}

static int report(const struct channel *channels, unsigned count, uint64_t octets)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct tl_pattern_checker *received = &channels[i].received;

		if (received->verified >= octets && !received->errors)
			continue;
		bad++;
		printf("# channel %u: %llu octets verified, %llu wrong\n", channels[i].number,
		       (unsigned long long)received->verified, (unsigned long long)received->errors);
	}
	printf("# %u channels, %u bad\n", count, bad);
	return bad != 0;
}

static void start_channels(struct channel *channels, unsigned first, unsigned count, bool loop)
{
	for (unsigned i = 0; i < count; i++) {
		struct channel *channel = &channels[i];

		channel->number = first + i;
		channel->timeslot = 1 + i;
		channel->fd = open_channel(channel->number);
		set_buffers(channel->fd);
		tl_pattern_init(&channel->sent, TL_PATTERN_FROM_CARD, channel->timeslot);
		tl_pattern_checker_init(&channel->received,
					loop ? TL_PATTERN_FROM_CARD : TL_PATTERN_TO_CARD,
					channel->timeslot);
	}
}

static int run_data(char **words, int count)
{
	static struct channel channels[CHANNELS_MAX];
	const unsigned first = (unsigned)atoi(words[0]), number = (unsigned)atoi(words[1]);
	const uint64_t octets = strtoull(words[2], NULL, 10);
	struct pollfd fds[CHANNELS_MAX];

	if (number < 1 || number > CHANNELS_MAX)
		return 2;
	start_channels(channels, first, number, count > 3 && !strcmp(words[3], "loop"));
	while (!all_verified(channels, number, octets)) {
		for (unsigned i = 0; i < number; i++) {
			write_blocks(&channels[i]);
			read_blocks(&channels[i]);
			fds[i] = (struct pollfd){ channels[i].fd, POLLIN | POLLPRI, 0 };
		}
		if (poll(fds, number, QUIET_MS) == 0) {
			printf("# no octet for %d ms\n", QUIET_MS);
			break;
		}
	}
	return report(channels, number, octets);
}

static size_t read_octets(struct channel *channel, uint8_t octets[BLOCK_OCTETS])
{
	struct pollfd poll_for = { channel->fd, POLLIN | POLLPRI, 0 };
	ssize_t got;

	while ((got = read(channel->fd, octets, BLOCK_OCTETS)) <= 0)
		if (!fetched_event(channel) && poll(&poll_for, 1, QUIET_MS) != 1)
			die("no octet for %d ms", QUIET_MS);
	return (size_t)got;
}

/* Never idle. */
static uint8_t burst_octet(unsigned n)
{
	return (uint8_t)(1 + n % 100);
}

static int run_burst(char **words, int count)
{
	struct channel channel = { .number = (unsigned)atoi(words[0]) };
	const unsigned sent = (unsigned)atoi(words[1]);
	uint8_t octets[BLOCK_OCTETS];
	unsigned heard = 0, strange = 0;

	(void)count;
	if (sent > BURST_MAX)
		return 2;
	channel.fd = open_channel(channel.number);
	set_buffers(channel.fd);
	for (size_t before = 0; before < 2 * BLOCK_OCTETS;) /* of whoever had the channel */
		before += read_octets(&channel, octets);
	for (unsigned i = 0; i < sent; i++) {
		octets[i % BLOCK_OCTETS] = burst_octet(i);
		if ((i + 1) % BLOCK_OCTETS == 0 && write(channel.fd, octets, BLOCK_OCTETS) != BLOCK_OCTETS)
			die("write to channel %u", channel.number);
	}
	for (size_t all = 0; all < sent + 16000;) {
		size_t got = read_octets(&channel, octets);

		for (size_t i = 0; i < got; i++) {
			if (octets[i] == CLEAR_IDLE)
				continue;
			strange += octets[i] != burst_octet(heard);
			heard++;
		}
		all += got;
	}
	printf("# of %u octets %u came back, %u strange\n", sent, heard, strange);
	return heard != sent || strange;
}

static unsigned received_bits(int fd)
{
	int bits;

	if (ioctl(fd, DAHDI_GETRXBITS, &bits))
		die("DAHDI_GETRXBITS");
	return (unsigned)bits & 0xf;
}

static int run_bits(char **words, int count)
{
	(void)count;
	printf("%x\n", received_bits(open_channel((unsigned)atoi(words[0]))));
	return 0;
}

/* DAHDI returns a channel's bits to idle when it is closed, so all stay open. */
static int run_send_bits(char **words, int count)
{
	static int fds[DAHDI_CHANNELS_MAX];
	unsigned channel;
	int bits;

	(void)words, (void)count;
	while (scanf("%u %x", &channel, (unsigned *)&bits) == 2 && channel < DAHDI_CHANNELS_MAX) {
		if (!fds[channel])
			fds[channel] = open_channel(channel);
		if (ioctl(fds[channel], DAHDI_SETTXBITS, &bits))
			die("DAHDI_SETTXBITS");
		puts("ok");
		fflush(stdout);
	}
	return 0;
}

/* @seconds are those of an idle host. */
static time_t deadline(const char *seconds)
{
	return time(NULL) + 4 * atoi(seconds);
}

static void breathe(void)
{
	const struct timespec pause = { 0, 20 * 1000 * 1000 };

	nanosleep(&pause, NULL);
}

static bool wait_for_bits(const char *pair, time_t end)
{
	unsigned number, wanted;
	int fd;

	if (sscanf(pair, "%u:%x", &number, &wanted) != 2)
		return false;
	fd = open_channel(number);
	while (received_bits(fd) != wanted && time(NULL) <= end)
		breathe();
	if (received_bits(fd) != wanted) {
		printf("# channel %u has %x, not %x\n", number, received_bits(fd), wanted);
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

static int run_wait_bits(char **words, int count)
{
	const time_t end = deadline(words[0]);
	int bad = 0;

	for (int i = 1; i < count; i++)
		bad |= !wait_for_bits(words[i], end);
	return bad;
}

static void get_span(int number, struct dahdi_spaninfo *span)
{
	int fd = open("/dev/dahdi/ctl", O_RDWR);

	memset(span, 0, sizeof(*span));
	span->spanno = number;
	if (fd < 0 || ioctl(fd, DAHDI_SPANSTAT, span))
		die("span %d", number);
	close(fd);
}

static const char *alarm_names(int alarms)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ DAHDI_ALARM_RED, "RED" },	      { DAHDI_ALARM_BLUE, "BLUE" },
		{ DAHDI_ALARM_YELLOW, "YELLOW" },     { DAHDI_ALARM_RECOVER, "RECOVER" },
		{ DAHDI_ALARM_LOOPBACK, "LOOPBACK" }, { DAHDI_ALARM_NOTOPEN, "NOTOPEN" },
	};
	static char text[64];

	text[0] = '\0';
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(alarms & names[i].bit))
			continue;
		if (text[0])
			strcat(text, ",");
		strcat(text, names[i].name);
	}
	return text[0] ? text : "OK";
}

static int run_alarms(char **words, int count)
{
	struct dahdi_spaninfo span;

	(void)count;
	get_span(atoi(words[0]), &span);
	puts(alarm_names(span.alarms));
	return 0;
}

static int run_wait_alarms(char **words, int count)
{
	const time_t end = deadline(words[2]);
	struct dahdi_spaninfo span;

	(void)count;
	for (;;) {
		get_span(atoi(words[0]), &span);
		if (!strcmp(alarm_names(span.alarms), words[1]))
			return 0;
		if (time(NULL) > end)
			break;
		breathe();
	}
	printf("# span %s is %s, not %s\n", words[0], alarm_names(span.alarms), words[1]);
	return 1;
}

static int run_counters(char **words, int count)
{
	struct dahdi_spaninfo span;

	(void)count;
	get_span(atoi(words[0]), &span);
	printf("bpv=%d crc=%d ebit=%d fas=%d fe=%u cv=%u errsec=%u irqmisses=%d\n", span.bpvcount,
	       span.crc4count, span.ebitcount, span.fascount, span.fecount, span.cvcount, span.errsec,
	       span.irqmisses);
	return 0;
}

static int run_maint(char **words, int count)
{
	static const struct {
		const char *name;
		int command;
	} names[] = {
		{ "none", DAHDI_MAINT_NONE },
		{ "local", DAHDI_MAINT_LOCALLOOP },
		{ "network", DAHDI_MAINT_NETWORKLINELOOP },
		{ "payload", DAHDI_MAINT_NETWORKPAYLOADLOOP },
		{ "loopup", DAHDI_MAINT_LOOPUP },
		{ "loopdown", DAHDI_MAINT_LOOPDOWN },
	};
	int fd = open("/dev/dahdi/ctl", O_RDWR);

	(void)count;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dahdi_maintinfo maint = { atoi(words[0]), names[i].command };

		if (strcmp(names[i].name, words[1]))
			continue;
		if (ioctl(fd, DAHDI_MAINT, &maint))
			die("DAHDI_MAINT %s", words[1]);
		return 0;
	}
	return 2;
}

static int run_frame(char **words, int count)
{
	struct channel channel = { .number = (unsigned)atoi(words[0]) };
	struct pollfd poll_for;
	uint8_t octets[BLOCK_OCTETS];
	ssize_t got;

	(void)count;
	channel.fd = open_channel(channel.number);
	set_buffers(channel.fd);
	poll_for = (struct pollfd){ channel.fd, POLLIN | POLLPRI, 0 };
	while ((got = read(channel.fd, octets, sizeof(octets))) <= 0)
		if (!fetched_event(&channel) && poll(&poll_for, 1, atoi(words[1]) * 1000) != 1)
			return 1;
	for (ssize_t i = 0; i < got; i++)
		printf("%02x", octets[i]);
	puts("");
	return 0;
}

static int run_hold(char **words, int count)
{
	char octet;
	int fd = open_channel((unsigned)atoi(words[0]));

	(void)count;
	puts("open");
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **words, int count);
} commands[] = {
	{ "burst", 2, run_burst },
	{ "data", 3, run_data },	     { "bits", 1, run_bits },	    { "send-bits", 0, run_send_bits },
	{ "wait-bits", 2, run_wait_bits },   { "alarms", 1, run_alarms },   { "maint", 2, run_maint },
	{ "wait-alarms", 3, run_wait_alarms }, { "counters", 1, run_counters }, { "hold", 1, run_hold },
	{ "frame", 2, run_frame },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]) && argc - 2 >= commands[i].words)
			return commands[i].run(argv + 2, argc - 2);
	fprintf(stderr, "usage: span-test COMMAND ...; see the top of span-test.c\n");
	return 2;
}
