/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* line-test's command line. */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/thread.h"
#include "report.h"
#include "run.h"
#include "version.h"

static const char usage[] =
	"Measures bit errors, slips and delay of timeslots by pseudo-random sequences (ITU-T O.150), over a loop: a loopback\n"
	"plug, the carrier's loop, line-test --loop or an exchange that echoes; or from a far end that sends its own.\n"
	"\n"
	"  line-test --dahdi 1                          all timeslots of DAHDI's span 1, looped, for 10 s\n"
	"  line-test --dahdi 1 --slots 1-15,17-31 --seconds 3600 --json\n"
	"  line-test --pseudowire 127.0.0.1:7001 --peer 127.0.0.1:7002\n"
	"  line-test --loop --clock loop --pseudowire 127.0.0.1:7002 --peer 127.0.0.1:7001\n"
	"\n"
	"trunkd must not hold the span. On dahdi, timeslots are those configured as bearers.\n"
	"Status: 0 good, 1 errors were found, 2 the test could not be made.";

static char *kind_text = "e1", *slots_text, *local, *peer, *clock_text = "local";
static int dahdi_span, pattern = 15, d_channel, frames = 8, jitter_ms = 20, errors, slips;
static double seconds = 10;
static gboolean loop, far_generator, json, version;
static volatile sig_atomic_t stop;

static const GOptionEntry entries[] = {
	{ "dahdi", 0, 0, G_OPTION_ARG_INT, &dahdi_span, "DAHDI's number of the span", "N" },
	{ "pseudowire", 0, 0, G_OPTION_ARG_STRING, &local, "address of a pseudowire here", "ADDRESS:PORT" },
	{ "peer", 0, 0, G_OPTION_ARG_STRING, &peer, "its far end", "ADDRESS:PORT" },
	{ "kind", 0, 0, G_OPTION_ARG_STRING, &kind_text, "e1 or t1 (e1)", NULL },
	{ "slots", 0, 0, G_OPTION_ARG_STRING, &slots_text, "timeslots, as in 1-15,17 (all)", "LIST" },
	{ "d-channel", 0, 0, G_OPTION_ARG_INT, &d_channel, "timeslot that DAHDI has as D-channel, left out (0: none)", "N" },
	{ "pattern", 0, 0, G_OPTION_ARG_INT, &pattern, "9, 11 or 15: 2^N-1 bits (15)", "N" },
	{ "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "line time of the test (10)", "S" },
	{ "loop", 0, 0, G_OPTION_ARG_NONE, &loop, "be the loop: send back what comes, until Ctrl-C", NULL },
	{ "far-generator", 0, 0, G_OPTION_ARG_NONE, &far_generator, "no loop: the far end sends a sequence of its own", NULL },
	{ "put-errors", 0, 0, G_OPTION_ARG_INT, &errors, "wrong bits to send on each timeslot during the test", "N" },
	{ "put-slips", 0, 0, G_OPTION_ARG_INT, &slips, "octets to leave out on each timeslot during the test", "N" },
	{ "clock", 0, 0, G_OPTION_ARG_STRING, &clock_text, "of a pseudowire: local, adaptive or loop (local)", NULL },
	{ "frames", 0, 0, G_OPTION_ARG_INT, &frames, "of a pseudowire: frames a packet (8)", "N" },
	{ "jitter-ms", 0, 0, G_OPTION_ARG_INT, &jitter_ms, "of a pseudowire: playout depth (20)", "MS" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "for programs", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version", NULL },
	{ NULL },
};

static void on_signal(int number)
{
	stop = 1;
}

static gboolean refuse(GError **error, const char *what)
{
	g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, what);
	return FALSE;
}

static gboolean parse_address(const char *text, char *host, unsigned *port, GError **error)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	guint64 number;

	if (!colon || colon - text >= 63 || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &number, NULL))
		return refuse(error, "--pseudowire and --peer: expected ADDRESS:PORT");
	tl_config_address(text, host, port);
	return TRUE;
}

/* "1-15,17" into flags; @most: the last timeslot there is. */
static gboolean parse_slots(const char *text, unsigned most, bool *chosen, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);

	for (char **part = parts; *part; part++) {
		g_auto(GStrv) ends = g_strsplit(*part, "-", 2);
		guint64 first, last;

		if (!ends[0] || !g_ascii_string_to_unsigned(ends[0], 10, 1, most, &first, NULL) ||
		    !g_ascii_string_to_unsigned(ends[1] ? ends[1] : ends[0], 10, first, most, &last, NULL))
			return refuse(error, "--slots: expected timeslots of the line, as in 1-15,17");
		for (; first <= last; first++)
			chosen[first] = true;
	}
	return TRUE;
}

static gboolean choose_clock(enum tl_clock_mode *clock, GError **error)
{
	static const char *const names[] = { [TL_CLOCK_ADAPTIVE] = "adaptive", [TL_CLOCK_LOCAL] = "local", [TL_CLOCK_LOOP] = "loop" };

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i], clock_text)) {
			*clock = (enum tl_clock_mode)i;
			return TRUE;
		}
	return refuse(error, "--clock: expected local, adaptive or loop");
}

/* @hosts: room for two addresses, borrowed by @config. */
static gboolean describe_span(struct tl_span_config *config, char hosts[2][64], GError **error)
{
	bool t1 = !strcmp(kind_text, "t1");

	if (!t1 && strcmp(kind_text, "e1"))
		return refuse(error, "--kind: expected e1 or t1");
	if (!dahdi_span == !local)
		return refuse(error, "expected one of --dahdi and --pseudowire");
	*config = (struct tl_span_config){ .name = "line-test", .kind = t1 ? TL_SPAN_T1 : TL_SPAN_E1,
					   .law = t1 ? TL_LAW_ULAW : TL_LAW_ALAW, .clock_domain = "line",
					   .d_channel = (unsigned)d_channel };
	if (dahdi_span) {
		config->backend = TL_SPAN_DAHDI;
		config->dahdi.span = (unsigned)dahdi_span;
		return TRUE;
	}
	config->pseudowire = (struct tl_pseudowire_config){ .local_host = hosts[0], .remote_host = hosts[1], .frames = (unsigned)frames,
							    .jitter_ms = (unsigned)jitter_ms };
	return parse_address(local, hosts[0], &config->pseudowire.local_port, error) &&
	       parse_address(peer, hosts[1], &config->pseudowire.remote_port, error) &&
	       choose_clock(&config->pseudowire.clock, error);
}

static gboolean describe_test(struct bert_options *options, const struct tl_span *span, GError **error)
{
	*options = (struct bert_options){ .order = (enum tl_prbs_order)pattern, .loop = loop, .far_generator = far_generator,
					  .errors = (unsigned)errors, .slips = (unsigned)slips };
	if (pattern != TL_PRBS_9 && pattern != TL_PRBS_11 && pattern != TL_PRBS_15)
		return refuse(error, "--pattern: expected 9, 11 or 15");
	if (!loop && !(seconds >= 1 && seconds <= 1e7))
		return refuse(error, "--seconds: expected 1 to 10000000");
	if (errors < 0 || slips < 0 || ((errors || slips) && seconds < 3) || (seconds > 3 && errors > (seconds - 2) * 1000))
		return refuse(error, "--put-errors, --put-slips: expected 0 or more, at least 3 seconds, at most 1,000 errors in each");
	options->ticks = loop ? 0 : (unsigned)(seconds * 1000000 / TL_TICK_US);
	if (slots_text && !parse_slots(slots_text, tl_span_slots(span), options->slots, error))
		return FALSE;
	for (unsigned i = 1; i <= tl_span_slots(span); i++) {
		if (slots_text && options->slots[i] && !tl_span_is_bearer(span, i))
			return refuse(error, "--slots: the D-channel's timeslot cannot be tested");
		options->slots[i] = slots_text ? options->slots[i] : tl_span_is_bearer(span, i);
	}
	return TRUE;
}

static int measure(struct tl_span *span, const struct bert_options *options)
{
	struct bert bert;
	int result;

	bert_init(&bert, options);
	result = run_test(&bert, span, &stop);
	if (json)
		report_json(&bert, span);
	else
		report_text(&bert, span);
	if (result)
		fprintf(stderr, "line-test: %s\n", result == -ETIMEDOUT ? "line time stands still: nothing comes from the far end" :
						   "the card has gone");
	return result ? 2 : options->loop || bert_is_good(&bert) ? 0 : 1;
}

static int test(GError **error)
{
	char hosts[2][64];
	struct tl_span_config config;
	struct bert_options options;
	struct tl_span *span = NULL;
	int status = 2;

	if (describe_span(&config, hosts, error) && (span = tl_span_new(&config, error)) && describe_test(&options, span, error)) {
		signal(SIGINT, on_signal);
		signal(SIGTERM, on_signal);
		status = measure(span, &options);
	}
	tl_span_free(span);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new("- bit errors, slips and delay of a line");
	int status = 2;

	tl_thread_become_main();
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, usage);
	if (g_option_context_parse(context, &argc, &argv, &error)) {
		if (version) {
			printf("line-test %s\n", TL_VERSION);
			return 0;
		}
		if (argc > 1)
			refuse(&error, "expected options only; --help lists them");
		else
			status = test(&error);
	}
	if (error)
		fprintf(stderr, "line-test: %s\n", error->message);
	return status;
}
