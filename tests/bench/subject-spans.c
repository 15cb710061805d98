/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "subject-spans.h"

#include "base/log.h"

static struct tl_span *span_open(const struct plan *plan, struct tl_media *media, unsigned i)
{
	g_autofree char *name = g_strdup_printf("e1-%u", i);
	GError *error = NULL;
	struct tl_span_config config = {
		.name = name, .kind = TL_SPAN_E1, .law = TL_LAW_ALAW, .clock_domain = "load", .d_channel = 16,
		.pseudowire = { .local_host = plan->host, .local_port = NODE_PW_PORT(i), .remote_host = plan->host,
				.remote_port = LOAD_PW_PORT(i), .frames = PW_FRAMES, .jitter_ms = plan->jitter_ms,
				.clock = TL_CLOCK_LOCAL },
	};
	struct tl_span *span = tl_span_new(&config, &error);
	if (!span)
		g_error("%s", error->message);
	tl_media_add_span(media, span);
	return span;
}

void subject_spans_open(const struct plan *plan, struct tl_media *media, struct tl_span *spans[SPANS_MAX])
{
	for (unsigned i = 0; i < plan->spans; i++)
		spans[i] = span_open(plan, media, i);
}
