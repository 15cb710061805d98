/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * dahdi-line: two spans of the line room over DAHDI, looped to one another,
 * moved tick by tick from one thread.
 *
 *   dahdi-line OPTION... NEAR FAR TICKS
 *     -t        T1 instead of E1
 *     -d SLOT   D-channel; frames go both ways
 *     -c        CAS; the bits of every timeslot change and arrive
 *     -p        plain reads and writes
 *     -e        echo cancellers on and off again, octets untouched afterwards
 *     -w MS     first stay away from the spans for MS once all is well
 *
 * Every bearer timeslot carries the test pattern both ways at once, and must
 * arrive without a wrong octet for TICKS ticks. Status 0: as it should be.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "line/line.h"

#include "pattern.h"

#define QUIET_MS 20000 /* nothing of a span for so long: it is dead */
#define FRAMES 60     /* D-channel frames each way */
#define SETTLE_TICKS 20
#define PATIENCE_TICKS 1000 /* what frames may take beyond TICKS */

struct end {
	struct tl_span *span;
	enum tl_pattern_direction sends;
	struct tl_pattern sent[TL_SPAN_SLOTS_MAX + 1];
	struct tl_pattern_checker received[TL_SPAN_SLOTS_MAX + 1];
	unsigned frames_sent, frames_heard, frames_wrong;
	unsigned cas_heard[TL_SPAN_SLOTS_MAX + 1];
	unsigned alarms, alarms_told;
	struct end *other;
};

static bool with_cas, with_echo;
static unsigned d_channel, away_ms;

/* Frames of every length, their octets told by length and number. */
static unsigned frame_of(unsigned number, uint8_t octets[TL_D_FRAME_MAX])
{
	unsigned n = 4 + number * 7 % (260 - 4);

	for (unsigned i = 0; i < n; i++)
		octets[i] = (uint8_t)(number * 31 + i * 7);
	return n;
}

static void on_d_frame(struct tl_span *span, const uint8_t *octets, size_t n, void *user)
{
	struct end *end = user;
	uint8_t wanted[TL_D_FRAME_MAX];
	unsigned length = frame_of(end->frames_heard++, wanted);

	if (n != length || memcmp(octets, wanted, n))
		end->frames_wrong++;
}

static void on_cas(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user)
{
	struct end *end = user;

	end->cas_heard[slot] = abcd;
}

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	struct end *end = user;

	end->alarms = alarms;
	end->alarms_told++;
}

static void open_end(struct end *end, unsigned number, enum tl_span_kind kind, bool plain, enum tl_pattern_direction sends)
{
	static const struct tl_span_handler handler = { on_alarms, on_d_frame, on_cas };
	g_autofree char *name = g_strdup_printf("dahdi%u", number);
	GError *error = NULL;
	struct tl_span_config config = { .name = name,
					 .backend = TL_SPAN_DAHDI,
					 .kind = kind,
					 .law = kind == TL_SPAN_E1 ? TL_LAW_ALAW : TL_LAW_ULAW,
					 .d_channel = d_channel,
					 .cas = with_cas,
					 .dahdi = { .span = number, .plain_io = plain } };

	end->span = tl_span_new(&config, &error);
	if (!end->span) {
		printf("# %s\n", error->message);
		exit(1);
	}
	tl_span_set_handler(end->span, &handler, end);
	end->sends = sends;
	end->alarms = TL_ALARM_NOTOPEN;
}

static void begin_patterns(struct end *end)
{
	for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++)
		tl_pattern_init(&end->sent[slot], end->sends, slot);
}

static void begin_checks(struct end *ends)
{
	for (unsigned slot = 1; slot <= tl_span_slots(ends->span); slot++) {
		tl_pattern_checker_init(&ends[0].received[slot], ends[1].sends, slot);
		tl_pattern_checker_init(&ends[1].received[slot], ends[0].sends, slot);
	}
}

/* Receives until both have a tick. */
static void await_tick(struct end *ends)
{
	tl_thread_become_media();
	while (!tl_span_ticks_due(ends[0].span) || !tl_span_ticks_due(ends[1].span)) {
		struct pollfd fds[2] = { { tl_span_fd(ends[0].span), POLLIN, 0 }, { tl_span_fd(ends[1].span), POLLIN, 0 } };

		if (poll(fds, 2, QUIET_MS) == 0) {
			printf("# no tick for %d ms\n", QUIET_MS);
			exit(1);
		}
		for (unsigned i = 0; i < 2; i++)
			if (fds[i].revents)
				tl_span_receive(ends[i].span, tl_clock_us());
	}
}

static void run_end(struct end *end)
{
	tl_span_begin_tick(end->span);
	for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++) {
		const uint8_t *rx = tl_span_rx(end->span, slot);
		uint8_t *tx = tl_span_tx(end->span, slot);

		if (!tl_span_is_bearer(end->span, slot))
			continue;
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++) {
			tl_pattern_check(&end->received[slot], rx[i]);
			tx[i] = tl_pattern_next(&end->sent[slot]);
		}
	}
	tl_span_end_tick(end->span, tl_clock_us());
}

static void run_tick(struct end *ends)
{
	await_tick(ends);
	run_end(&ends[0]);
	run_end(&ends[1]);
	tl_thread_become_main();
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void send_frames(struct end *end)
{
	uint8_t octets[TL_D_FRAME_MAX];

	while (end->frames_sent < FRAMES && end->frames_sent - end->other->frames_heard < 20) {
		unsigned n = frame_of(end->frames_sent, octets);

		if (tl_span_send_d_frame(end->span, octets, n))
			return;
		end->frames_sent++;
	}
}

static void send_cas(struct end *end, unsigned turn)
{
	for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++)
		tl_span_send_cas(end->span, slot, (slot + turn) & 0xf);
}

static unsigned wrong_cas(const struct end *end, unsigned turn)
{
	unsigned wrong = 0;

	for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++)
		wrong += tl_span_is_bearer(end->span, slot) && end->cas_heard[slot] != ((slot + turn) & 0xf);
	return wrong;
}

static int say(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	return !good;
}

static int check_octets(const struct end *end)
{
	unsigned bad = 0, bearers = 0;
	uint64_t least = UINT64_MAX;
	struct tl_span_counters counters;
	g_autofree char *what = NULL;

	for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++) {
		if (!tl_span_is_bearer(end->span, slot))
			continue;
		bearers++;
		bad += end->received[slot].errors || !end->received[slot].verified;
		least = MIN(least, end->received[slot].verified);
	}
	tl_span_counters(end->span, &counters);
	printf("# %s: at least %" G_GUINT64_FORMAT " octets verified a timeslot; underruns %" G_GUINT64_FORMAT
	       ", overruns %" G_GUINT64_FORMAT ", idle frames %" G_GUINT64_FORMAT ", dropped %" G_GUINT64_FORMAT "\n",
	       tl_span_name(end->span), least, counters.underruns, counters.overruns, counters.idle_frames,
	       counters.slips_dropped);
	what = g_strdup_printf("%s: %u timeslots byte-exact", tl_span_name(end->span), bearers);
	return say(bad == 0, what);
}

static int check_frames(const struct end *end)
{
	struct tl_span_counters counters;

	tl_span_counters(end->span, &counters);
	printf("# %s: %u frames heard, %u wrong, %" G_GUINT64_FORMAT " bad FCS, %" G_GUINT64_FORMAT " aborts\n",
	       tl_span_name(end->span), end->frames_heard, end->frames_wrong, counters.d_bad_fcs, counters.d_aborts);
	return say(end->frames_heard == FRAMES && !end->frames_wrong, "D-channel frames of every length arrive");
}

/* A canceller may change octets while it is on; afterwards nothing may. */
static int try_echo(struct end *ends)
{
	int result = 0;

	for (int on = 1; on >= 0; on--) {
		for (unsigned i = 0; i < 2; i++)
			for (unsigned slot = 1; slot <= tl_span_slots(ends[i].span); slot++)
				if (tl_span_is_bearer(ends[i].span, slot))
					result |= tl_span_set_voice(ends[i].span, slot, on);
		for (unsigned i = 0; i < SETTLE_TICKS; i++)
			run_tick(ends);
	}
	return say(result == 0, "echo cancellers go on and off");
}

static int stay_away(struct end *ends)
{
	struct tl_span_counters before, after;

	tl_span_counters(ends[0].span, &before);
	g_usleep(away_ms * 1000);
	for (unsigned i = 0; i < SETTLE_TICKS; i++)
		run_tick(ends);
	tl_span_counters(ends[0].span, &after);
	return say(after.underruns > before.underruns, "a late thread is counted, and begins anew");
}

static bool awaits_frames(const struct end *ends)
{
	return d_channel && (ends[0].frames_heard < FRAMES || ends[1].frames_heard < FRAMES);
}

static int run(struct end *ends, unsigned ticks)
{
	int bad = 0;
	unsigned turn = 0;

	for (unsigned i = 0; i < SETTLE_TICKS; i++)
		run_tick(ends);
	if (with_echo)
		bad += try_echo(ends);
	if (away_ms)
		bad += stay_away(ends);
	begin_checks(ends);
	for (unsigned i = 0; i < ticks || (awaits_frames(ends) && i < ticks + PATIENCE_TICKS); i++) {
		if (d_channel)
			send_frames(&ends[0]), send_frames(&ends[1]);
		if (with_cas && i % 50 == 0)
			turn++, send_cas(&ends[0], turn), send_cas(&ends[1], turn + 5);
		run_tick(ends);
	}
	bad += check_octets(&ends[0]) + check_octets(&ends[1]);
	if (d_channel)
		bad += check_frames(&ends[0]) + check_frames(&ends[1]);
	if (with_cas)
		bad += say(wrong_cas(&ends[1], turn) == 0, "CAS bits of every timeslot arrive") +
		       say(wrong_cas(&ends[0], turn + 5) == 0, "CAS bits of every timeslot arrive the other way");
	bad += say(ends[0].alarms == 0 && ends[0].alarms_told, "no alarm stands, and that was told");
	return bad;
}

int main(int argc, char **argv)
{
	static struct end ends[2];
	enum tl_span_kind kind = TL_SPAN_E1;
	bool plain = false;
	int option, bad;

	while ((option = getopt(argc, argv, "td:cpew:")) != -1) {
		switch (option) {
		case 't': kind = TL_SPAN_T1; break;
		case 'd': d_channel = (unsigned)atoi(optarg); break;
		case 'c': with_cas = true; break;
		case 'p': plain = true; break;
		case 'e': with_echo = true; break;
		case 'w': away_ms = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 3)
		return 2;
	/* Whatever waits for the host's files, a page of this program or a line of its output, lets the clock of a guest
	 * that counts instructions run away. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		perror("# mlockall");
	tl_thread_become_main();
	open_end(&ends[0], (unsigned)atoi(argv[optind]), kind, plain, TL_PATTERN_TO_CARD);
	open_end(&ends[1], (unsigned)atoi(argv[optind + 1]), kind, plain, TL_PATTERN_FROM_CARD);
	ends[0].other = &ends[1], ends[1].other = &ends[0];
	begin_patterns(&ends[0]);
	begin_patterns(&ends[1]);
	bad = run(ends, (unsigned)atoi(argv[optind + 2]));
	tl_span_free(ends[0].span);
	tl_span_free(ends[1].span);
	return bad != 0;
}
