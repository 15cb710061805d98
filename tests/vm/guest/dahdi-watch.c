/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * dahdi-watch [-t] [-d SLOT] SPAN: one span of the line room over DAHDI, looped
 * back by its line. Every bearer timeslot carries the test pattern. Says
 * "alarms NAMES" whenever they change. Commands on stdin, each answered by a line:
 *
 *   octets N   once every timeslot has brought N octets since now: "octets good"
 *              or "octets bad" when one was wrong
 *   end        "end", and ends
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "line/line.h"

#include "pattern.h"

#define LOOK_MS 100

struct watch {
	struct tl_span *span;
	struct tl_pattern sent[TL_SPAN_SLOTS_MAX + 1];
	struct tl_pattern_checker received[TL_SPAN_SLOTS_MAX + 1];
	uint64_t wanted; /* octets; 0: nobody asks */
	int64_t received_us;
};

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	char names[64];

	printf("alarms %s\n", tl_alarm_names(alarms, names));
}

static void begin_check(struct watch *watch)
{
	for (unsigned slot = 1; slot <= tl_span_slots(watch->span); slot++)
		tl_pattern_checker_init(&watch->received[slot], TL_PATTERN_TO_CARD, slot);
}

static void answer_octets(struct watch *watch)
{
	bool bad = false;

	for (unsigned slot = 1; slot <= tl_span_slots(watch->span); slot++) {
		const struct tl_pattern_checker *received = &watch->received[slot];

		if (!tl_span_is_bearer(watch->span, slot))
			continue;
		if (!received->errors && received->verified < watch->wanted)
			return;
		bad |= received->errors != 0;
	}
	watch->wanted = 0;
	printf("octets %s\n", bad ? "bad" : "good");
}

static void run_tick(struct watch *watch)
{
	tl_span_begin_tick(watch->span);
	for (unsigned slot = 1; slot <= tl_span_slots(watch->span); slot++) {
		const uint8_t *rx = tl_span_rx(watch->span, slot);
		uint8_t *tx = tl_span_tx(watch->span, slot);

		for (unsigned i = 0; tl_span_is_bearer(watch->span, slot) && i < TL_BLOCK_OCTETS; i++) {
			tl_pattern_check(&watch->received[slot], rx[i]);
			tx[i] = tl_pattern_next(&watch->sent[slot]);
		}
	}
	tl_span_end_tick(watch->span, tl_clock_us());
	if (watch->wanted)
		answer_octets(watch);
}

/* False when it is time to end. */
static bool obey(struct watch *watch)
{
	char line[80];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (sscanf(line, "octets %" G_GUINT64_FORMAT, &watch->wanted) == 1)
		begin_check(watch);
	return strcmp(line, "end\n") != 0;
}

static bool run_once(struct watch *watch)
{
	struct pollfd fds[2] = { { 0, POLLIN, 0 }, { tl_span_fd(watch->span), POLLIN, 0 } };

	poll(fds, 2, LOOK_MS);
	tl_thread_become_media();
	if (fds[1].revents || tl_clock_us() - watch->received_us > G_USEC_PER_SEC) {
		watch->received_us = tl_clock_us();
		tl_span_receive(watch->span, watch->received_us);
	}
	while (tl_span_ticks_due(watch->span))
		run_tick(watch);
	tl_thread_become_main();
	while (g_main_context_iteration(NULL, FALSE))
		;
	return !fds[0].revents || obey(watch);
}

int main(int argc, char **argv)
{
	static const struct tl_span_handler handler = { .on_alarms = on_alarms };
	static struct watch watch;
	struct tl_span_config config = { .name = "watched", .backend = TL_SPAN_DAHDI, .kind = TL_SPAN_E1 };
	GError *error = NULL;
	int option;

	while ((option = getopt(argc, argv, "td:")) != -1) {
		switch (option) {
		case 't': config.kind = TL_SPAN_T1; config.law = TL_LAW_ULAW; break;
		case 'd': config.d_channel = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 1)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	config.dahdi.span = (unsigned)atoi(argv[optind]);
	config.dahdi.depth_ms = 60; /* the card's time is the host's, which may be busy */
	tl_thread_become_main();
	watch.span = tl_span_new(&config, &error);
	if (!watch.span) {
		printf("# %s\n", error->message);
		return 1;
	}
	tl_span_set_handler(watch.span, &handler, NULL);
	for (unsigned slot = 1; slot <= tl_span_slots(watch.span); slot++)
		tl_pattern_init(&watch.sent[slot], TL_PATTERN_TO_CARD, slot);
	while (run_once(&watch))
		;
	tl_span_free(watch.span);
	puts("end");
	return 0;
}
