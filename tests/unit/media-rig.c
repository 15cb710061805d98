/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media-rig.h"

#include "base/thread.h"

#define CEILING_US (60 * G_USEC_PER_SEC)

static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *user)
{
	struct rig_log *log = user;
	if (!log)
		return;
	g_assert_cmpuint(log->n_digits, <, sizeof log->digits - 1);
	log->digits[log->n_digits++] = digit;
	log->last_digit_ms = duration_ms;
}

static void on_done(struct tl_port *port, uint64_t id, bool completed, void *user)
{
	struct rig_log *log = user;
	if (!log)
		return;
	g_assert_cmpuint(log->n_done, <, RIG_IDS_MAX);
	log->done[log->n_done] = id;
	log->completed[log->n_done++] = completed;
}

static void on_silence(struct tl_port *port, unsigned silent_ms, void *user)
{
	struct rig_log *log = user;
	if (!log)
		return;
	log->n_silences++;
	log->silent_ms = silent_ms;
}

static void on_fax_tone(struct tl_port *port, enum tl_fax_tone tone, void *user)
{
	struct rig_log *log = user;
	if (!log)
		return;
	log->n_cng += tone == TL_FAX_TONE_CNG;
	log->n_ced += tone == TL_FAX_TONE_CED;
	log->n_preamble += tone == TL_FAX_TONE_PREAMBLE;
}

static void on_link(struct tl_port *port, enum tl_link_state state, const char *text, void *user)
{
	struct rig_log *log = user;
	if (!log)
		return;
	log->n_links++;
	log->links[state]++;
	g_strlcpy(log->link_text, text ? text : "", sizeof log->link_text);
}

static void turn(gint64 ceiling)
{
	g_assert_cmpint(g_get_monotonic_time(), <, ceiling);
	g_main_context_iteration(NULL, FALSE);
	g_usleep(10);
}

static void step(struct rig *rig)
{
	gint64 ceiling = g_get_monotonic_time() + CEILING_US;
	unsigned before = fake_span_done(rig->t1);
	fake_span_tick(rig->e1);
	while (fake_span_done(rig->t1) == before) /* the last one to be done */
		turn(ceiling);
	unsigned look = fake_span_look(rig->e1);
	while (!fake_span_looked(rig->e1, look))
		turn(ceiling);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Before a line's first tick time is the clock's, and goes on while a test prepares. */
static void begin_line_time(struct rig *rig)
{
	step(rig);
	fake_span_forget(rig->e1);
	fake_span_forget(rig->t1);
}

static void init(struct rig *rig, unsigned threads, const struct tl_browser_config *browser, unsigned patience_ms)
{
	static const struct tl_media_handler handler = { on_digit, on_done, on_silence, on_fax_tone, .on_link = on_link };
	const struct tl_media_config config = {
		.tick = TL_TICK_SPAN, .rtp_host = own_host(), .rtp_port_min = 20000, .rtp_port_max = 29999,
		.max_ports = 256, .browser = *browser, .threads = threads, .line_patience_ms = patience_ms,
	};
	GError *error = NULL;
	tl_thread_become_main();
	rig->media = tl_media_new(&config, &handler, &error);
	g_assert_no_error(error);
	rig->e1 = fake_span_new(TL_SPAN_E1, TL_LAW_ALAW);
	rig->t1 = fake_span_new(TL_SPAN_T1, TL_LAW_ULAW);
	fake_span_follow(rig->t1, rig->e1);
	tl_media_add_span(rig->media, rig->e1);
	tl_media_add_span(rig->media, rig->t1);
	begin_line_time(rig);
}

void rig_init(struct rig *rig)
{
	rig_init_patience(rig, CEILING_US / 1000);
}

void rig_init_patience(struct rig *rig, unsigned ms)
{
	init(rig, 1, &(struct tl_browser_config){ 0 }, ms);
}

void rig_init_browsers(struct rig *rig, const struct tl_browser_config *browser)
{
	init(rig, 1, browser, CEILING_US / 1000);
}

void rig_init_threads(struct rig *rig, unsigned threads, const struct tl_browser_config *browser)
{
	init(rig, threads, browser, CEILING_US / 1000);
}

void rig_done(struct rig *rig)
{
	tl_media_remove_span(rig->media, rig->t1);
	tl_media_remove_span(rig->media, rig->e1);
	tl_media_free(rig->media);
	fake_span_free(rig->e1);
	fake_span_free(rig->t1);
}

void rig_step(struct rig *rig, unsigned n)
{
	while (n--)
		step(rig);
}

void rig_rtp_pair(struct rig *rig, enum tl_law law, bool dtmf, struct tl_port **a, struct rig_log *log_a,
		  struct tl_port **b, struct rig_log *log_b)
{
	struct tl_rtp_side side_a, side_b;
	GError *error = NULL;
	*a = tl_port_new_rtp(rig->media, law, &side_a, log_a, &error);
	g_assert_no_error(error);
	*b = tl_port_new_rtp(rig->media, law, &side_b, log_b, &error);
	g_assert_no_error(error);
	if (!dtmf)
		side_a.dtmf_payload_type = side_b.dtmf_payload_type = -1;
	tl_port_set_remote(*a, &side_b);
	tl_port_set_remote(*b, &side_a);
}
