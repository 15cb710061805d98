/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The line and media rooms alone, as the node uses them: every timeslot bridged
 * to an RTP leg, without signalling, recorded if asked for. Tells how much of the node's work is theirs.
 */
#include <glib-unix.h>
#include <stdio.h>

#include "base/log.h"
#include "base/thread.h"
#include "media/media.h"
#include "media/record.h"
#include "subject-spans.h"

static void on_started(void *user)
{
}

static void on_ended(const struct tl_recorded *recorded, void *user)
{
	if (recorded->result)
		g_error("a recording ended: %s", g_strerror(-recorded->result));
}

static void record(const struct plan *plan, struct tl_bridge *bridge, struct tl_port *left, unsigned i)
{
	static const struct tl_recorder_handler handler = { on_started, on_ended };
	static struct tl_record_pool *pool;
	const struct tl_record_pool_config config = { .directory = plan->folder };
	g_autofree char *path = g_strdup_printf("%s/%u", plan->folder, i);
	int result;
	if (!pool)
		pool = tl_record_pool_new(&config);
	if (!tl_recorder_new(pool, bridge, left, plan->record_opus ? TL_RECORD_OPUS : TL_RECORD_WAV, path, &handler, NULL, &result))
		g_error("recording %u: %s", i, g_strerror(-result));
}

static void call_start(const struct plan *plan, struct tl_media *media, struct tl_span *span, unsigned i)
{
	GError *error = NULL;
	struct tl_rtp_side local;
	struct tl_rtp_side remote = { .port = LOAD_RTP_PORT(i), .law = TL_LAW_ALAW, .dtmf_payload_type = 101,
				      .ptime_ms = 20, .sends = true, .receives = true };
	struct tl_bridge *bridge = tl_bridge_new(media, TL_BRIDGE_VOICE);
	struct tl_port *slot = tl_port_new_timeslot(media, span, bearer_slot(i % BEARERS), NULL);
	struct tl_port *rtp = tl_port_new_rtp(media, TL_LAW_ALAW, &local, NULL, &error);
	if (!rtp)
		g_error("%s", error->message);
	g_strlcpy(remote.host, plan->host, sizeof remote.host);
	tl_port_set_remote(rtp, &remote);
	tl_port_detect_dtmf(slot, plan->detect);
	tl_bridge_add(bridge, slot);
	tl_bridge_add(bridge, rtp);
	if (plan->folder)
		record(plan, bridge, slot, i);
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static void report(struct tl_media *media)
{
	struct tl_media_counters counters;
	tl_media_counters(media, &counters);
	printf("{\"ticks\": %" G_GUINT64_FORMAT ", \"late\": %" G_GUINT64_FORMAT ", \"skipped\": %" G_GUINT64_FORMAT
	       ", \"tick_us_max\": %u}\n", counters.ticks, counters.late_ticks, counters.skipped_ticks, counters.tick_us_max);
}

int main(int argc, char **argv)
{
	static const struct tl_media_handler handler = { 0 };
	struct tl_span *spans[SPANS_MAX];
	struct plan plan;
	GError *error = NULL;
	plan_read(&plan, argc, argv);
	tl_thread_become_main();
	struct tl_media_config config = { .tick = TL_TICK_MONOTONIC, .rtp_host = plan.host, .rtp_port_min = NODE_RTP_MIN,
					  .rtp_port_max = NODE_RTP_MAX };
	struct tl_media *media = tl_media_new(&config, &handler, &error);
	if (!media)
		g_error("%s", error->message);
	subject_spans_open(&plan, media, spans);
	for (unsigned i = 0; i < plan.legs; i++)
		call_start(&plan, media, spans[i / BEARERS], i);
	puts("ready");
	fflush(stdout);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_unix_signal_add(SIGTERM, stop, loop);
	g_main_loop_run(loop);
	report(media);
	return 0; /* the kernel takes the rest */
}
