/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/signal.h"

#include <string.h>
#include <sys/time.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "base/thread.h"
#include "signal/pri-inner.h"

#define T309_DEFAULT_MS 90000
#define FCS_OCTETS 2

/* libpri cannot free a D-channel: those that are done stay reachable here. */
static GPtrArray *retired;

static int64_t wall_us(void)
{
	struct timeval now;
	gettimeofday(&now, NULL); /* the clock by which libpri sets its timers */
	return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_usec;
}

static bool next_timer(struct tl_pri *pri, int64_t *due_us)
{
	const struct timeval *next = pri_schedule_next(pri->libpri);
	if (next)
		*due_us = (int64_t)next->tv_sec * G_USEC_PER_SEC + next->tv_usec;
	return next != NULL;
}

void tl_pri_schedule_arm(struct tl_pri *pri)
{
	int64_t due_us;
	if (!next_timer(pri, &due_us)) {
		tl_timer_stop(pri->schedule);
		return;
	}
	int64_t wait_us = MAX(due_us - wall_us(), 0);
	tl_timer_start(pri->schedule, (wait_us + 999) / 1000);
}

static void run_timers(struct tl_pri *pri)
{
	int64_t due_us;
	while (next_timer(pri, &due_us) && due_us <= wall_us()) {
		const pri_event *event = pri_schedule_run(pri->libpri);
		if (!event)
			continue;
		pri->in_timer = true;
		tl_pri_event_handle(pri, event);
		pri->in_timer = false;
	}
	tl_pri_schedule_arm(pri);
}

static void on_schedule(void *user)
{
	run_timers(user);
}

static int on_libpri_read(struct pri *libpri, void *octets, int max_octets)
{
	struct tl_pri *pri = pri_get_userdata(libpri);
	if (!pri || !pri->rx || pri->n_rx_octets + FCS_OCTETS > (size_t)max_octets)
		return 0;
	memcpy(octets, pri->rx, pri->n_rx_octets);
	memset((uint8_t *)octets + pri->n_rx_octets, 0, FCS_OCTETS);
	pri->rx = NULL;
	return pri->n_rx_octets + FCS_OCTETS;
}

static int on_libpri_write(struct pri *libpri, void *octets, int n_octets)
{
	struct tl_pri *pri = pri_get_userdata(libpri);
	if (!pri)
		return n_octets;
	/* A frame that finds no room is lost like one on the line: T200 sends it again. */
	int result = tl_span_send_d_frame(pri->config.span, octets, n_octets - FCS_OCTETS);
	if (result)
		tl_debug("%s: D-channel frame lost: %s", tl_span_name(pri->config.span), g_strerror(-result));
	else if (pri->tracing && pri->handler.on_trace)
		pri->handler.on_trace(pri, true, octets, n_octets - FCS_OCTETS, pri->user);
	return n_octets;
}

static void on_d_frame(struct tl_span *span, const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_pri *pri = user;
	if (pri->tracing && pri->handler.on_trace)
		pri->handler.on_trace(pri, false, octets, n_octets, pri->user);
	pri->rx = octets;
	pri->n_rx_octets = n_octets;
	const pri_event *event = pri_check_event(pri->libpri);
	if (event)
		tl_pri_event_handle(pri, event);
	pri->rx = NULL;
	tl_pri_schedule_arm(pri); /* not run: of several frames that waited the next may be the answer */
}

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	struct tl_pri *pri = user;
	pri->alarms = alarms;
	tl_pri_slots_changed(pri);
	if (pri->handler.on_alarms)
		pri->handler.on_alarms(pri, alarms, pri->user);
}

/* Calls in progress outlive the D-channel by T309 (ITU-T Q.931 5.8.9); libpri ends the others itself. */
static void d_channel_down(struct tl_pri *pri)
{
	pri->counters.d_channel_downs++;
	tl_pri_restart_suspend(pri);
	if (pri->dialogs->len)
		tl_timer_start(pri->t309, pri->config.t309_ms);
}

static void d_channel_up(struct tl_pri *pri)
{
	tl_timer_stop(pri->t309);
	if (!pri->was_up && pri->config.restart_on_up)
		tl_pri_restart_all(pri);
	pri->was_up = true;
	tl_pri_restart_next(pri);
	tl_pri_blocks_repeat(pri);
}

void tl_pri_d_channel_changed(struct tl_pri *pri, bool up)
{
	if (up == pri->up)
		return;
	pri->up = up;
	tl_notice("%s: D-channel %s", tl_span_name(pri->config.span), up ? "up" : "down");
	if (up)
		d_channel_up(pri);
	else
		d_channel_down(pri);
	if (pri->handler.on_d_channel)
		pri->handler.on_d_channel(pri, up, pri->user);
}

static void drop_all(struct tl_pri *pri, unsigned cause, bool resync)
{
	const struct dialog_news news = { .cause = cause, .resync = resync };
	while (pri->dialogs->len)
		tl_pri_dialog_fire(g_ptr_array_index(pri->dialogs, 0), EV_DROP, &news);
}

static void on_t309(void *user)
{
	struct tl_pri *pri = user;
	tl_warning("%s: T309 expired, %u calls end", tl_span_name(pri->config.span), pri->dialogs->len);
	pri->counters.t309_expiries++;
	drop_all(pri, TL_CAUSE_OUT_OF_ORDER, true);
	tl_pri_schedule_arm(pri);
}

static void on_libpri_message(struct pri *libpri, char *text)
{
	tl_debug("libpri: %s", g_strchomp(text));
}

static void on_libpri_error(struct pri *libpri, char *text)
{
	struct tl_pri *pri = libpri ? pri_get_userdata(libpri) : NULL;
	if (pri)
		pri->counters.protocol_errors++;
	tl_debug("%s: libpri: %s", pri ? tl_span_name(pri->config.span) : "-", g_strchomp(text));
}

static bool config_is_sane(const struct tl_pri_config *config, GError **error)
{
	const char *name = tl_span_name(config->span);
	enum tl_span_kind kind = config->type == TL_PRI_NI2 ? TL_SPAN_T1 : TL_SPAN_E1;
	if (!tl_span_d_channel(config->span))
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG, "span %s: PRI needs a D-channel", name);
	else if (tl_span_get_kind(config->span) != kind)
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG, "span %s: expected %s", name,
			    kind == TL_SPAN_T1 ? "a T1 for NI2" : "an E1 for EuroISDN");
	else
		return true;
	return false;
}

static bool libpri_start(struct tl_pri *pri)
{
	const struct tl_pri_config *config = &pri->config;
	bool ni2 = config->type == TL_PRI_NI2;
	pri_set_message(on_libpri_message);
	pri_set_error(on_libpri_error);
	pri->libpri = pri_new_cb(-1, config->side == TL_PRI_NETWORK ? PRI_NETWORK : PRI_CPE,
				 ni2 ? PRI_SWITCH_NI2 : PRI_SWITCH_EUROISDN_E1, on_libpri_read, on_libpri_write, pri);
	if (!pri->libpri)
		return false;
	pri_hangup_fix_enable(pri->libpri, 1); /* RELEASE COMPLETE only as an answer to SETUP (ITU-T Q.931 5.3.2 a) */
	/* Without this libpri adds Sending complete to every EuroISDN SETUP; NI2 does not have the element. */
	pri_set_overlapdial(pri->libpri, !ni2);
	pri_set_service_message_support(pri->libpri, ni2);
	/* Ours rules. libpri's, which it does not start while another timer of the call runs, is only the net below. */
	pri_set_timer(pri->libpri, PRI_TIMER_T309, config->t309_ms + 1000);
	return true;
}

struct tl_pri *tl_pri_new(const struct tl_pri_config *config, const struct tl_pri_handler *handler, void *user,
			  GError **error)
{
	static const struct tl_span_handler hears = { .on_alarms = on_alarms, .on_d_frame = on_d_frame };
	tl_assert_main();
	if (!config_is_sane(config, error))
		return NULL;
	struct tl_pri *pri = g_new0(struct tl_pri, 1);
	pri->config = *config;
	if (!pri->config.t309_ms)
		pri->config.t309_ms = T309_DEFAULT_MS;
	pri->handler = *handler;
	pri->user = user;
	pri->alarms = tl_span_alarms(config->span);
	pri->dialogs = g_ptr_array_new();
	pri->schedule = tl_timer_new("libpri", on_schedule, pri);
	pri->t309 = tl_timer_new("T309", on_t309, pri);
	pri->t316 = tl_timer_new("T316", tl_pri_t316_expired, pri);
	if (!libpri_start(pri)) {
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG, "span %s: libpri refuses to start",
			    tl_span_name(config->span));
		tl_pri_free(pri);
		return NULL;
	}
	tl_span_set_handler(config->span, &hears, pri);
	tl_pri_schedule_arm(pri);
	return pri;
}

static void libpri_retire(struct tl_pri *pri)
{
	static const struct tl_span_handler deaf;
	tl_span_set_handler(pri->config.span, &deaf, NULL);
	pri_set_userdata(pri->libpri, NULL);
	if (!retired)
		retired = g_ptr_array_new();
	g_ptr_array_add(retired, pri->libpri);
}

static void hang_up_all(struct tl_pri *pri)
{
	for (unsigned i = 0; i < pri->dialogs->len; i++) {
		struct pri_dialog *dialog = g_ptr_array_index(pri->dialogs, i);
		if (dialog->call)
			pri_hangup(pri->libpri, dialog->call, TL_CAUSE_TEMPORARY_FAILURE);
		dialog->call = NULL;
	}
}

void tl_pri_free(struct tl_pri *pri)
{
	if (!pri)
		return;
	if (pri->libpri) {
		hang_up_all(pri);
		drop_all(pri, TL_CAUSE_TEMPORARY_FAILURE, false);
		libpri_retire(pri);
	}
	g_clear_handle_id(&pri->slots_news, g_source_remove);
	tl_timer_free(pri->schedule);
	tl_timer_free(pri->t309);
	tl_timer_free(pri->t316);
	g_ptr_array_free(pri->dialogs, TRUE);
	g_free(pri);
}

struct tl_span *tl_pri_span(const struct tl_pri *pri)
{
	return pri->config.span;
}

bool tl_pri_is_up(const struct tl_pri *pri)
{
	return pri->up;
}

void tl_pri_counters(const struct tl_pri *pri, struct tl_pri_counters *counters)
{
	*counters = pri->counters;
}

void tl_pri_set_trace(struct tl_pri *pri, bool on)
{
	pri->tracing = on;
}
