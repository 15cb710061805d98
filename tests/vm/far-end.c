/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * far-end [t1] [cas] [frames=N] DIRECTORY: the other end of an emulated card's
 * pseudowire, in loop mode: one packet sent for each received, so it runs at the
 * card's pace. It sends the test pattern in every timeslot and checks what comes;
 * sends CAS bits and alarms as told. Writes its UDP port to DIRECTORY/port and
 * takes commands on DIRECTORY/control, a line each:
 *
 *   status             packets=N verified=N errors=N worst=TIMESLOT: the least
 *                      verified timeslot's octets, all timeslots' errors
 *   expect OCTETS [own]  check afresh, each timeslot until so many are verified;
 *                      own: what was sent from here comes back, from a loop
 *   send pattern|echo|idle
 *   alarm none|rai|ais
 *   silent on|off      answer nothing
 *   cas BITS           send ABCD, a word of a hexadecimal digit each from timeslot 1 on
 *   seen               received ABCD, likewise
 *   line               l=0 r=0 m=0: as the card last said
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "line/cesop.h"
#include "pattern.h"

#define SLOTS (TL_CESOP_SLOTS_MAX + 1)

enum sending { SEND_PATTERN, SEND_ECHO, SEND_IDLE };

struct far_end {
	struct tl_cesop_format format;
	int udp, listener, client;
	char text[256];
	size_t length;

	enum sending sending;
	bool rai, ais, silent;
	uint16_t sequence;
	uint32_t timestamp;
	struct tl_pattern patterns[SLOTS];
	struct tl_pattern_checker checkers[SLOTS];
	uint64_t expected; /* octets a timeslot; what comes after is not looked at */
	uint8_t cas_sent[SLOTS], cas_seen[SLOTS];
	struct tl_cesop_packet last;
	uint64_t packets;
};

static void expect(struct far_end *end, uint64_t octets, bool own)
{
	const enum tl_pattern_direction direction = own ? TL_PATTERN_TO_CARD : TL_PATTERN_FROM_CARD;

	end->expected = octets;
	for (unsigned slot = 1; slot <= end->format.slots; slot++)
		tl_pattern_checker_init(&end->checkers[slot], direction, slot);
}

static bool open_sockets(struct far_end *end, const char *directory)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un control = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(here);
	char path[128];
	FILE *port;

	end->client = -1;
	end->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	end->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(control.sun_path, sizeof(control.sun_path), "%s/control", directory);
	if (bind(end->udp, (struct sockaddr *)&here, sizeof(here)) ||
	    getsockname(end->udp, (struct sockaddr *)&here, &length) ||
	    bind(end->listener, (struct sockaddr *)&control, sizeof(control)) || listen(end->listener, 1))
		return false;
	snprintf(path, sizeof(path), "%s/port", directory);
	port = fopen(path, "w");
	if (!port)
		return false;
	fprintf(port, "%u\n", ntohs(here.sin_port));
	return fclose(port) == 0;
}

static void check(struct far_end *end, const struct tl_cesop_packet *packet)
{
	const unsigned slots = end->format.slots;

	if (packet->has_cas)
		memcpy(end->cas_seen, packet->cas, sizeof(packet->cas));
	if (!packet->payload || packet->l)
		return;
	for (unsigned i = 0; i < end->format.frames * slots; i++) {
		struct tl_pattern_checker *checker = &end->checkers[1 + i % slots];

		if (checker->verified < end->expected)
			tl_pattern_check(checker, packet->payload[i]);
	}
}

static void fill(struct far_end *end, const struct tl_cesop_packet *received, uint8_t *payload)
{
	const unsigned slots = end->format.slots;

	for (unsigned i = 0; i < end->format.frames * slots; i++) {
		if (end->sending == SEND_PATTERN)
			payload[i] = tl_pattern_next(&end->patterns[1 + i % slots]);
		else if (end->sending == SEND_ECHO && received->payload)
			payload[i] = received->payload[i];
		else
			payload[i] = 0xff;
	}
}

static void answer_packet(struct far_end *end, const struct tl_cesop_packet *received,
			  const struct sockaddr_in *card)
{
	uint8_t payload[TL_CESOP_FRAMES_MAX * TL_CESOP_SLOTS_MAX], octets[TL_CESOP_PACKET_MAX];
	/* The fragment follows the card's: both ends' multiframes run together. */
	struct tl_cesop_packet packet = { .l = end->ais,
					  .m = end->rai && !end->ais ? 2 : 0,
					  .fragment = received->fragment,
					  .sequence = end->sequence++,
					  .rtp_timestamp = end->timestamp,
					  .payload = payload };

	fill(end, received, payload);
	packet.has_cas = end->format.cas && (packet.fragment == 0 || packet.fragment == 2);
	memcpy(packet.cas, end->cas_sent, sizeof(packet.cas));
	end->timestamp += end->format.frames;
	sendto(end->udp, octets, tl_cesop_format_packet(&end->format, &packet, octets), 0,
	       (const struct sockaddr *)card, sizeof(*card));
}

static void serve_packets(struct far_end *end)
{
	uint8_t octets[TL_CESOP_PACKET_MAX + 1];
	struct tl_cesop_packet packet;
	struct sockaddr_in card;

	for (;;) {
		socklen_t length = sizeof(card);
		ssize_t got = recvfrom(end->udp, octets, sizeof(octets), 0, (struct sockaddr *)&card, &length);

		if (got < 0)
			return;
		if (tl_cesop_parse(&end->format, octets, (size_t)got, &packet) != TL_CESOP_OK)
			continue;
		end->packets++;
		end->last = packet;
		check(end, &packet);
		if (!end->silent)
			answer_packet(end, &packet, &card);
	}
}

static void say_status(struct far_end *end, char *answer, size_t octets)
{
	uint64_t verified = UINT64_MAX, errors = 0;
	unsigned worst = 0;

	for (unsigned slot = 1; slot <= end->format.slots; slot++) {
		const struct tl_pattern_checker *checker = &end->checkers[slot];

		errors += checker->errors;
		if (checker->verified >= verified)
			continue;
		verified = checker->verified;
		worst = slot;
	}
	snprintf(answer, octets, "packets=%llu verified=%llu errors=%llu worst=%u",
		 (unsigned long long)end->packets, (unsigned long long)verified,
		 (unsigned long long)errors, worst);
}

static bool set_sending(struct far_end *end, const char *what)
{
	static const char *const names[] = { "pattern", "echo", "idle" };

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(what, names[i]))
			continue;
		end->sending = i;
		return true;
	}
	return false;
}

static bool set_cas(struct far_end *end, const char *digits)
{
	for (unsigned slot = 1; digits[slot - 1] && slot <= end->format.slots; slot++) {
		char digit[2] = { digits[slot - 1], 0 };

		end->cas_sent[slot] = (uint8_t)strtoul(digit, NULL, 16);
	}
	return true;
}

static void say_seen(const struct far_end *end, char *answer)
{
	for (unsigned slot = 1; slot <= end->format.slots; slot++)
		sprintf(answer + slot - 1, "%x", end->cas_seen[slot]);
}

static bool run_simple(struct far_end *end, const char *name, const char *word, const char *whose)
{
	if (!strcmp(name, "expect"))
		return expect(end, strtoull(word, NULL, 10), !strcmp(whose, "own")), true;
	if (!strcmp(name, "send"))
		return set_sending(end, word);
	if (!strcmp(name, "silent"))
		return end->silent = !strcmp(word, "on"), true;
	if (!strcmp(name, "alarm")) {
		end->rai = !strcmp(word, "rai");
		end->ais = !strcmp(word, "ais");
		return true;
	}
	if (!strcmp(name, "cas"))
		return set_cas(end, word);
	return false;
}

static void run_command(struct far_end *end, char *text, char *answer, size_t octets)
{
	char name[32] = "", word[32] = "", whose[32] = "";

	sscanf(text, "%31s %31s %31s", name, word, whose);
	if (!strcmp(name, "status"))
		say_status(end, answer, octets);
	else if (!strcmp(name, "seen"))
		say_seen(end, answer);
	else if (!strcmp(name, "line"))
		snprintf(answer, octets, "l=%d r=%d m=%d", end->last.l, end->last.r, end->last.m);
	else
		snprintf(answer, octets, "%s", run_simple(end, name, word, whose) ? "ok" : "error");
}

static void serve_client(struct far_end *end)
{
	ssize_t got = read(end->client, end->text + end->length, sizeof(end->text) - 1 - end->length);
	char answer[256], *newline;

	if (got <= 0) {
		close(end->client);
		end->client = -1;
		end->length = 0;
		return;
	}
	end->length += (size_t)got;
	end->text[end->length] = '\0';
	while ((newline = strchr(end->text, '\n'))) {
		*newline = '\0';
		run_command(end, end->text, answer, sizeof(answer) - 1);
		strcat(answer, "\n");
		(void)!send(end->client, answer, strlen(answer), MSG_NOSIGNAL);
		end->length -= (size_t)(newline + 1 - end->text);
		memmove(end->text, newline + 1, end->length + 1);
	}
	if (end->length == sizeof(end->text) - 1)
		end->length = 0;
}

static void serve(struct far_end *end)
{
	for (;;) {
		struct pollfd fds[] = { { end->udp, POLLIN, 0 },
					{ end->listener, POLLIN, 0 },
					{ end->client, POLLIN, 0 } };

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			serve_packets(end);
		if (fds[2].revents && end->client >= 0)
			serve_client(end);
		if (fds[1].revents) {
			close(end->client);
			end->client = accept(end->listener, NULL, NULL);
			end->length = 0;
		}
	}
}

int main(int argc, char **argv)
{
	static struct far_end end = { .format = { .slots = 31, .frames = 8, .multiframe = 16 } };
	const char *directory = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "t1"))
			end.format.slots = end.format.multiframe = 24;
		else if (!strcmp(argv[i], "cas"))
			end.format.cas = true;
		else if (!strncmp(argv[i], "frames=", 7))
			end.format.frames = (unsigned)atoi(argv[i] + 7);
		else
			directory = argv[i];
	}
	if (!directory || end.format.frames < 1 || end.format.frames > TL_CESOP_FRAMES_MAX) {
		fprintf(stderr, "usage: far-end [t1] [cas] [frames=N] DIRECTORY\n");
		return 2;
	}
	for (unsigned slot = 1; slot <= end.format.slots; slot++)
		tl_pattern_init(&end.patterns[slot], TL_PATTERN_TO_CARD, slot);
	expect(&end, 0, false);
	if (!open_sockets(&end, directory)) {
		perror("far-end: cannot open its sockets");
		return 1;
	}
	serve(&end);
}
