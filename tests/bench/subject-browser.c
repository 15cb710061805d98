/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The line, media and secure rooms as the node uses them for browsers: every
 * browser bridged to a timeslot, or hearing itself (-e). The load's browsers all
 * have the certificate of FOLDER/browsers.pem; what they must know is written to
 * FOLDER/answers.
 */
#include <glib-unix.h>
#include <stdio.h>

#include "base/log.h"
#include "base/thread.h"
#include "media/media.h"
#include "subject-spans.h"

static struct tl_port *browsers[LEGS_MAX];

static struct tl_port *browser_open(const struct plan *plan, struct tl_media *media, const struct tl_fingerprint *peer,
				    GString *answers)
{
	const struct tl_rtp_side side = { .law = TL_LAW_ALAW, .dtmf_payload_type = 126, .ptime_ms = 20, .sends = true,
					  .receives = true, .opus_payload_type = plan->opus ? OPUS_PAYLOAD : 0,
					  .opus_fec = plan->opus };
	struct tl_transport_side local;
	GError *error = NULL;
	struct tl_port *port = tl_port_new_browser(media, TL_LAW_ALAW, NULL, &error);
	if (!port || !tl_port_connect_browser(port, peer, &local, &error))
		g_error("%s", error->message);
	tl_port_set_remote(port, &side);
	g_string_append_printf(answers, "%s %u %s %s %s\n", local.candidates[0].host, local.candidates[0].port, local.ufrag,
			       local.password, local.fingerprint);
	return port;
}

static void call_start(const struct plan *plan, struct tl_media *media, struct tl_span *span, unsigned i,
		       struct tl_port *browser)
{
	struct tl_bridge *bridge = tl_bridge_new(media, TL_BRIDGE_VOICE);
	struct tl_port *slot = tl_port_new_timeslot(media, span, bearer_slot(i % BEARERS), NULL);
	tl_port_detect_dtmf(slot, plan->detect);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, browser);
}

static void start_all(const struct plan *plan, struct tl_media *media, const struct tl_fingerprint *peer)
{
	struct tl_span *spans[SPANS_MAX];
	g_autoptr(GString) answers = g_string_new(NULL);
	g_autofree char *path = g_build_filename(plan->folder, "answers", NULL);
	GError *error = NULL;
	subject_spans_open(plan, media, spans);
	for (unsigned i = 0; i < plan->legs; i++) {
		struct tl_port *browser = browsers[i] = browser_open(plan, media, peer, answers);
		if (plan->echo)
			tl_port_echo(browser, true);
		else
			call_start(plan, media, spans[i / BEARERS], i, browser);
	}
	if (!g_file_set_contents(path, answers->str, (gssize)answers->len, &error))
		g_error("%s", error->message);
}

static struct tl_fingerprint peer_of(const struct plan *plan)
{
	g_autofree char *path = g_build_filename(plan->folder, "browsers.pem", NULL);
	struct tl_fingerprint peer;
	GError *error = NULL;
	struct tl_certificate *certificate = tl_certificate_open(path, 30, &error);
	if (!certificate || !tl_fingerprint_parse(tl_certificate_fingerprint(certificate), &peer, &error))
		g_error("%s", error->message);
	tl_certificate_unref(certificate);
	return peer;
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static void report(const struct plan *plan, struct tl_media *media)
{
	struct tl_media_counters counters;
	struct tl_port_counters port;
	uint64_t received = 0, lost = 0, late = 0;
	for (unsigned i = 0; i < plan->legs; i++) {
		tl_port_counters(browsers[i], &port);
		received += port.packets_received;
		lost += port.lost;
		late += port.late;
	}
	tl_media_counters(media, &counters);
	printf("{\"ticks\": %" G_GUINT64_FORMAT ", \"late\": %" G_GUINT64_FORMAT ", \"skipped\": %" G_GUINT64_FORMAT
	       ", \"tick_us_max\": %u, \"ties\": %" G_GUINT64_FORMAT ", \"ties_missed\": %" G_GUINT64_FORMAT ", \"received\": %" G_GUINT64_FORMAT ", \"lost\": %" G_GUINT64_FORMAT ", \"too_late\": %"
	       G_GUINT64_FORMAT "}\n", counters.ticks, counters.late_ticks, counters.skipped_ticks, counters.tick_us_max,
	       counters.ties, counters.tie_missed, received, lost, late);
}

int main(int argc, char **argv)
{
	static const struct tl_media_handler handler = { 0 };
	struct plan plan;
	GError *error = NULL;
	plan_read(&plan, argc, argv);
	tl_thread_become_main();
	const char *addresses[] = { plan.host, NULL };
	struct tl_media_config config = {
		.tick = TL_TICK_MONOTONIC, .rtp_host = plan.host, .rtp_port_min = NODE_RTP_MIN, .rtp_port_max = NODE_RTP_MAX, .threads = plan.threads,
		.browser = { .port = NODE_BROWSER_PORT, .addresses = addresses, .sessions_max = LEGS_MAX },
	};
	struct tl_media *media = tl_media_new(&config, &handler, &error);
	if (!media)
		g_error("%s", error->message);
	const struct tl_fingerprint peer = peer_of(&plan);
	start_all(&plan, media, &peer);
	puts("ready");
	fflush(stdout);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_unix_signal_add(SIGTERM, stop, loop);
	g_main_loop_run(loop);
	report(&plan, media);
	return 0; /* the kernel takes the rest */
}
