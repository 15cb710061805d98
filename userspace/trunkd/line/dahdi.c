/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/dahdi-inner.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

#define TICK_MS (TL_TICK_US / 1000)
#define DEPTH_MS 20
#define DEPTH_MAX_MS (TL_DAHDI_DEPTH_MAX_TICKS * TICK_MS)
#define REOPEN_FIRST_S 1
#define REOPEN_MOST_S 30
/* Reads and writes of all slots, and of the D-channel. */
#define UNDER_WAY_MAX (2 * (TL_SPAN_SLOTS_MAX + 1))

bool tl_dahdi_watch(const struct tl_dahdi *dahdi, int operation)
{
	uint32_t events;
	int pacer = tl_dahdi_device_pacer(&dahdi->device, &events);
	struct epoll_event event = { .events = events };

	return epoll_ctl(dahdi->poll_fd, operation, pacer, &event) == 0;
}

static gboolean check(const struct tl_span_config *config, GError **error)
{
	const struct tl_dahdi_config *dahdi = &config->dahdi;
	const char *expected = NULL;

	if (dahdi->span < 1 || dahdi->span > 128)
		expected = "a DAHDI span from 1 to 128";
	else if (dahdi->depth_ms % TICK_MS || dahdi->depth_ms > DEPTH_MAX_MS)
		expected = "a DAHDI depth of 10 to 60 ms in tens, or 0";
	if (expected)
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG, "span %s: expected %s", config->name, expected);
	return !expected;
}

static gboolean open_device(struct tl_dahdi *dahdi, GError **error)
{
	const struct tl_span_config *config = dahdi->port->config;

	if (!tl_dahdi_device_open(&dahdi->device, config, error))
		return FALSE;
	dahdi->batch = tl_batch_new(UNDER_WAY_MAX, config->dahdi.plain_io);
	if (!tl_dahdi_watch(dahdi, EPOLL_CTL_ADD)) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_OPEN, "span %s: epoll: %s", config->name, g_strerror(errno));
		return FALSE;
	}
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		if (dahdi->voice[slot])
			tl_dahdi_device_set_voice(&dahdi->device, slot, true);
	return TRUE;
}

static void close_device(struct tl_dahdi *dahdi)
{
	tl_batch_free(dahdi->batch);
	dahdi->batch = NULL;
	tl_dahdi_device_close(&dahdi->device);
}

static void on_reopen(void *user)
{
	struct tl_dahdi *dahdi = user;

	if (open_device(dahdi, NULL)) {
		dahdi->reopen_s = REOPEN_FIRST_S;
		dahdi->away_told = false;
		tl_dahdi_lend_all(dahdi);
		tl_dahdi_set_state(dahdi, TL_DAHDI_OPENED);
		if (dahdi->port->config->lends)
			dahdi->port->on_device(dahdi->port, true);
		return;
	}
	close_device(dahdi);
	dahdi->reopen_s = MIN(2 * dahdi->reopen_s, REOPEN_MOST_S);
	tl_timer_start(dahdi->reopen, dahdi->reopen_s * 1000);
}

void tl_dahdi_close_and_wait(struct tl_dahdi *dahdi)
{
	close_device(dahdi);
	tl_timer_start(dahdi->reopen, dahdi->reopen_s * 1000);
}

static void dahdi_on_main(void *backend)
{
	struct tl_dahdi *dahdi = backend;
	bool lends = dahdi->port->config->lends;

	if (lends)
		tl_dahdi_tell_lent(dahdi);
	if (tl_dahdi_state_of(dahdi) != TL_DAHDI_GONE || tl_timer_running(dahdi->reopen) || dahdi->away_told)
		return;
	if (!lends) {
		tl_dahdi_close_and_wait(dahdi);
		return;
	}
	dahdi->away_told = true;
	dahdi->port->on_device(dahdi->port, false);
}

static void dahdi_free(void *backend)
{
	struct tl_dahdi *dahdi = backend;

	if (!dahdi)
		return;
	tl_timer_free(dahdi->reopen);
	close_device(dahdi);
	if (dahdi->poll_fd >= 0)
		close(dahdi->poll_fd);
	g_free(dahdi);
}

static void *dahdi_new(struct tl_port *port, GError **error)
{
	unsigned depth_ms = port->config->dahdi.depth_ms ? port->config->dahdi.depth_ms : DEPTH_MS;
	struct tl_dahdi *dahdi;

	if (!check(port->config, error))
		return NULL;
	dahdi = g_new0(struct tl_dahdi, 1);
	dahdi->port = port;
	dahdi->depth_ticks = depth_ms / TICK_MS;
	tl_dahdi_device_init(&dahdi->device);
	dahdi->reopen_s = REOPEN_FIRST_S;
	dahdi->reopen = tl_timer_new("reopen", on_reopen, dahdi);
	dahdi->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!open_device(dahdi, error)) {
		dahdi_free(dahdi);
		return NULL;
	}
	port->fd = dahdi->poll_fd;
	return dahdi;
}

static int dahdi_set_voice(void *backend, unsigned slot, bool voice)
{
	struct tl_dahdi *dahdi = backend;

	dahdi->voice[slot] = voice;
	return tl_dahdi_state_of(dahdi) == TL_DAHDI_GONE ? 0 : tl_dahdi_device_set_voice(&dahdi->device, slot, voice);
}

static int dahdi_skew_ppb(const void *backend)
{
	return 0;
}

static bool dahdi_is_gone(const void *backend)
{
	return tl_dahdi_state_of(backend) == TL_DAHDI_GONE;
}

const struct tl_backend tl_dahdi_backend = {
	.new = dahdi_new,
	.free = dahdi_free,
	.receive = tl_dahdi_receive,
	.ticks_due = tl_dahdi_ticks_due,
	.skew_ppb = dahdi_skew_ppb,
	.is_gone = dahdi_is_gone,
	.begin_tick = tl_dahdi_begin_tick,
	.end_tick = tl_dahdi_end_tick,
	.has_hdlc = true,
	.set_voice = dahdi_set_voice,
	.lending = &tl_dahdi_lending,
	.on_main = dahdi_on_main,
};
