/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* OpenR2's callbacks and the loop that feeds it. All but the last part runs on the engine's own thread. */
#include "signal/r2-engine.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ring.h"
#include "base/thread.h"
#include "base/wake.h"
#include "signal/r2-words.h"

/* Tones are looked at and made so often; DAHDI holds 80 ms of them. */
#define MF_STEP_MS 10
#define ORDERS 256
#define NEWS 2048

struct line {
	struct r2_engine *engine;
	unsigned slot;
	openr2_context_t *context; /* its own, for OpenR2 frees a channel only with its context; NULL: not open */
	openr2_chan_t *chan;
	int fd;
	bool lent;                 /* audio is ours */
	bool registers;            /* tones are exchanged */
	bool in_call;
	bool blocked;              /* towards the far end, now or after the call */
	bool accepts_itself;       /* OpenR2 is accepting an offered call of its own accord, and hears of nothing else meanwhile */
	bool clear_waits;          /* a clear back for when it has */
	openr2_call_disconnect_cause_t clear_cause;
};

struct r2_engine {
	struct tl_r2_config config;
	void (*on_news)(const struct r2_news *news, void *user);
	void *user;
	GThread *thread;
	struct tl_ring *orders, *news;
	struct tl_wake *wake;
	int bell;   /* eventfd: there are orders */
	bool stop;  /* atomic */
	struct line lines[TL_SPAN_SLOTS_MAX + 1];
};

/* ---- news ---- */

static bool stopping(const struct r2_engine *engine)
{
	return __atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE);
}

/* Main that takes no news for long holds up this thread, not the news. */
static void tell_news(struct r2_engine *engine, const struct r2_news *news)
{
	while (!tl_ring_push(engine->news, news)) {
		if (news->kind == R2_LOG || stopping(engine))
			return;
		tl_wake_ring(engine->wake);
		g_usleep(1000);
	}
	tl_wake_ring(engine->wake);
}

static void tell(struct line *line, enum r2_news_kind kind)
{
	tell_news(line->engine, &(struct r2_news){ .kind = kind, .slot = line->slot });
}

static struct line *line_of(openr2_chan_t *chan)
{
	return openr2_chan_get_client_data(chan);
}

static void set_registers(struct line *line, bool on)
{
	line->registers = on;
	if (on && line->lent)
		openr2_chan_enable_read(line->chan);
	else
		openr2_chan_disable_read(line->chan);
}

static bool far_is_idle(const struct line *line)
{
	return !strcmp(openr2_chan_get_rx_cas_string(line->chan), "IDLE");
}

/* ---- what OpenR2 tells ---- */

static void on_call_init(openr2_chan_t *chan)
{
	struct line *line = line_of(chan);
	line->in_call = true;
	set_registers(line, true);
	tell(line, R2_SEIZED);
}

static void copy_digits(const char *digits, char *to)
{
	size_t n = digits ? strspn(digits, "0123456789") : 0;
	n = MIN(n, TL_DIGITS_MAX);
	memcpy(to, digits ? digits : "", n);
	to[n] = '\0';
}

static void on_call_offered(openr2_chan_t *chan, const char *ani, const char *dnis, openr2_calling_party_category_t category)
{
	struct line *line = line_of(chan);
	struct r2_news news = { .kind = R2_OFFERED, .slot = line->slot,
				.collect = category == OR2_CALLING_PARTY_CATEGORY_COLLECT_CALL };
	copy_digits(dnis, news.called);
	copy_digits(ani, news.calling);
	line->accepts_itself = line->engine->config.immediate_accept && !line->engine->config.dtmf_detect;
	tell_news(line->engine, &news);
}

static void on_call_accepted(openr2_chan_t *chan, openr2_call_mode_t mode)
{
	struct line *line = line_of(chan);
	set_registers(line, false);
	line->lent = line->accepts_itself = false;
	tell(line, R2_ACCEPTED);
	if (line->clear_waits)
		openr2_chan_disconnect_call(chan, line->clear_cause);
	line->clear_waits = false;
}

static void on_call_answered(openr2_chan_t *chan)
{
	tell(line_of(chan), R2_ANSWERED);
}

/* A call that is not wanted any more is answered at once: the far end's bearer shall not wait for us. */
static void on_call_disconnect(openr2_chan_t *chan, openr2_call_disconnect_cause_t cause)
{
	struct line *line = line_of(chan);
	set_registers(line, false);
	tell_news(line->engine, &(struct r2_news){ .kind = R2_DISCONNECTED, .slot = line->slot,
						   .cause = tl_r2_cause_read(cause) });
	openr2_chan_disconnect_call(chan, OR2_CAUSE_NORMAL_CLEARING);
}

static void end_call(struct line *line)
{
	line->in_call = line->accepts_itself = line->clear_waits = false;
	set_registers(line, false);
	if (line->blocked)
		openr2_chan_set_blocked(line->chan);
}

static void on_call_end(openr2_chan_t *chan)
{
	struct line *line = line_of(chan);
	end_call(line);
	tell(line, R2_ENDED);
}

static void on_protocol_error(openr2_chan_t *chan, openr2_protocol_error_t error)
{
	struct line *line = line_of(chan);
	struct r2_news news = { .kind = R2_FAILED, .slot = line->slot, .in_call = line->in_call,
				.cause = tl_r2_error_cause(error) };
	end_call(line);
	tell(line, far_is_idle(line) ? R2_FAR_IDLE : R2_FAR_BUSY);
	tell_news(line->engine, &news);
}

static void on_line_idle(openr2_chan_t *chan)
{
	tell(line_of(chan), R2_FAR_IDLE);
}

static void on_line_blocked(openr2_chan_t *chan)
{
	tell(line_of(chan), R2_FAR_BUSY);
}

static void on_billing_pulse(openr2_chan_t *chan)
{
	tell(line_of(chan), R2_PULSE);
}

/* Main hears of alarms and of devices that go from the line. */
static void on_hardware_alarm(openr2_chan_t *chan, int alarm)
{
}

static void on_os_error(openr2_chan_t *chan, int error)
{
}

static void on_call_read(openr2_chan_t *chan, const unsigned char *octets, int n)
{
}

static int on_dnis_digit(openr2_chan_t *chan, char digit)
{
	return 1; /* as many as the configuration allows */
}

static void on_ani_digit(openr2_chan_t *chan, char digit)
{
}

static void on_chan_log(openr2_chan_t *chan, openr2_log_level_t level, const char *format, va_list ap)
{
	struct line *line = line_of(chan);
	struct r2_news news = { .kind = R2_LOG };
	if (!line)
		return;
	news.slot = line->slot;
	vsnprintf(news.text, sizeof(news.text), format, ap);
	g_strdelimit(g_strchomp(news.text), "\n", ' ');
	tell_news(line->engine, &news);
}

/* A context has no user data: what it says of itself comes back as a failure to open. */
static void on_context_log(openr2_context_t *context, openr2_log_level_t level, const char *format, va_list ap)
{
}

/* Not const: OpenR2 fills in what is missing. */
static openr2_event_interface_t events = {
	.on_call_init = on_call_init, .on_call_offered = on_call_offered, .on_call_accepted = on_call_accepted,
	.on_call_answered = on_call_answered, .on_call_disconnect = on_call_disconnect, .on_call_end = on_call_end,
	.on_call_read = on_call_read, .on_hardware_alarm = on_hardware_alarm, .on_os_error = on_os_error,
	.on_protocol_error = on_protocol_error, .on_line_blocked = on_line_blocked, .on_line_idle = on_line_idle,
	.on_context_log = on_context_log, .on_dnis_digit_received = on_dnis_digit, .on_ani_digit_received = on_ani_digit,
	.on_billing_pulse_received = on_billing_pulse,
};

/* ---- bearers ---- */

static void close_line(struct line *line)
{
	if (line->context)
		openr2_context_delete(line->context);
	line->context = NULL;
	line->chan = NULL;
}

static void tell_refusal(struct line *line)
{
	struct r2_news news = { .kind = R2_LOG, .slot = line->slot };
	snprintf(news.text, sizeof(news.text), "OpenR2 does not take the channel: %s", line->context ?
		 openr2_context_error_string(openr2_context_get_last_error(line->context)) : "no memory");
	tell_news(line->engine, &news);
}

/* A channel that begins anew also learns the far end's bits anew. */
static void begin_line(struct line *line)
{
	close_line(line);
	line->context = tl_r2_context_new(&line->engine->config, &events);
	line->chan = line->context ? openr2_chan_new_from_fd(line->context, line->fd, NULL, NULL) : NULL;
	line->in_call = line->registers = line->accepts_itself = line->clear_waits = false;
	if (!line->chan) {
		tell_refusal(line);
		close_line(line);
		return;
	}
	openr2_chan_set_client_data(line->chan, line);
	openr2_chan_set_logging_func(line->chan, on_chan_log);
	openr2_chan_set_log_level(line->chan, OR2_LOG_ERROR | OR2_LOG_WARNING);
	openr2_chan_disable_call_files(line->chan);
	openr2_chan_disable_read(line->chan);
	if (line->blocked)
		openr2_chan_set_blocked(line->chan);
	else
		openr2_chan_set_idle(line->chan);
	openr2_chan_handle_cas(line->chan);
}

static void open_line(struct line *line, const struct r2_order *order)
{
	line->fd = order->fd;
	line->blocked = order->blocked;
	line->lent = true;
	tell(line, R2_OPENED);
	begin_line(line);
	if (!line->chan)
		tell(line, R2_FAR_BUSY);
}

static void make_call(struct line *line, const struct r2_order *order)
{
	const struct tl_r2_config *config = &line->engine->config;
	/* It may stand within a call that is just arriving. */
	if (line->in_call || !line->lent || line->blocked ||
	    openr2_chan_make_call(line->chan, order->restricted ? NULL : order->calling, order->called,
				  tl_r2_category_write(config->category))) {
		tell(line, R2_REFUSED);
		return;
	}
	line->in_call = true;
	set_registers(line, true);
}

static void disconnect(struct line *line, const struct r2_order *order)
{
	openr2_call_disconnect_cause_t cause = tl_r2_cause_write(order->cause);
	if (!line->in_call)
		return; /* it has ended meanwhile, and main will hear of it */
	if (order->refused_collect)
		cause = OR2_CAUSE_COLLECT_CALL_REJECTED;
	else if (line->engine->config.forced_release && (!line->registers || line->accepts_itself))
		cause = OR2_CAUSE_FORCED_RELEASE;
	if (openr2_chan_get_direction(line->chan) == OR2_DIR_FORWARD)
		set_registers(line, false);
	line->clear_waits = line->accepts_itself;
	line->clear_cause = cause;
	if (!line->clear_waits)
		openr2_chan_disconnect_call(line->chan, cause);
}

static void accept_call(struct line *line)
{
	if (!line->engine->config.immediate_accept || line->engine->config.dtmf_detect)
		openr2_chan_accept_call(line->chan, line->engine->config.charge ? OR2_CALL_WITH_CHARGE : OR2_CALL_NO_CHARGE);
}

static void unblock(struct line *line)
{
	bool was = line->blocked;
	line->blocked = false;
	if (!was || line->in_call)
		return;
	if (line->lent)
		begin_line(line);
	else
		openr2_chan_set_idle(line->chan);
}

static void obey(struct r2_engine *engine, const struct r2_order *order)
{
	struct line *line = &engine->lines[order->slot];
	if (order->kind == R2_CLOSE) {
		for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
			close_line(&engine->lines[slot]);
		tell(line, R2_CLOSED);
		return;
	}
	if (order->kind == R2_OPEN) {
		open_line(line, order);
		return;
	}
	if (!line->chan) {
		if (order->kind == R2_CALL)
			tell(line, R2_REFUSED);
		return;
	}
	switch (order->kind) {
	case R2_LENT:
		line->lent = true;
		set_registers(line, line->registers);
		openr2_chan_handle_cas(line->chan);
		break;
	case R2_LOOK:
		openr2_chan_handle_cas(line->chan);
		break;
	case R2_BLOCK:
		line->blocked = true;
		if (!line->in_call)
			openr2_chan_set_blocked(line->chan);
		break;
	case R2_UNBLOCK:
		unblock(line);
		break;
	case R2_CALL:
		make_call(line, order);
		break;
	case R2_ACCEPT:
		accept_call(line);
		break;
	case R2_ANSWER:
		openr2_chan_answer_call(line->chan);
		break;
	case R2_DISCONNECT:
		disconnect(line, order);
		break;
	case R2_OPEN:
	case R2_CLOSE:
		break;
	}
}

/* ---- the loop ---- */

/* Milliseconds until something must be done, -1: nothing. */
static int time_left(struct r2_engine *engine)
{
	int left = -1;
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		struct line *line = &engine->lines[slot];
		if (!line->chan)
			continue;
		int ms = line->registers ? MF_STEP_MS : openr2_chan_get_time_to_next_event(line->chan);
		if (ms >= 0 && (left < 0 || ms < left))
			left = ms;
	}
	return left;
}

/* The bell, and bearers whose bits nobody else watches. */
static unsigned gather(struct r2_engine *engine, struct pollfd *fds, unsigned *slots)
{
	unsigned n = 0;
	fds[n++] = (struct pollfd){ .fd = engine->bell, .events = POLLIN };
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		struct line *line = &engine->lines[slot];
		if (!line->chan || !line->lent)
			continue;
		slots[n] = slot;
		fds[n++] = (struct pollfd){ .fd = line->fd, .events = POLLPRI };
	}
	return n;
}

static void run_lines(struct r2_engine *engine, const bool *ready)
{
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		struct line *line = &engine->lines[slot];
		if (line->chan && (ready[slot] || line->registers || openr2_chan_get_time_to_next_event(line->chan) == 0))
			openr2_chan_process_event(line->chan);
	}
}

/* Our call ends by clear forward, which is idle; theirs by clear back, which is blocked, and nobody is here for another. */
static void leave_line(struct line *line)
{
	if (line->chan && openr2_chan_get_direction(line->chan) == OR2_DIR_FORWARD)
		openr2_chan_set_idle(line->chan);
	else if (line->chan)
		openr2_chan_set_blocked(line->chan);
	close_line(line);
}

static void *run(void *user)
{
	struct r2_engine *engine = user;
	struct pollfd fds[TL_SPAN_SLOTS_MAX + 1];
	unsigned slots[TL_SPAN_SLOTS_MAX + 1] = { 0 };
	struct r2_order order;
	uint64_t rings;
	while (!stopping(engine)) {
		bool ready[TL_SPAN_SLOTS_MAX + 1] = { false };
		unsigned n = gather(engine, fds, slots);
		poll(fds, n, time_left(engine));
		if (fds[0].revents)
			(void)!read(engine->bell, &rings, sizeof(rings));
		for (unsigned i = 1; i < n; i++)
			ready[slots[i]] = fds[i].revents;
		while (tl_ring_pop(engine->orders, &order))
			obey(engine, &order);
		run_lines(engine, ready);
	}
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		leave_line(&engine->lines[slot]);
	return NULL;
}

/* ---- main ---- */

static void on_wake(void *user)
{
	struct r2_engine *engine = user;
	struct r2_news news;
	while (tl_ring_pop(engine->news, &news))
		engine->on_news(&news, engine->user);
}

struct r2_engine *tl_r2_engine_new(const struct tl_r2_config *config, void (*on_news)(const struct r2_news *news, void *user),
				   void *user)
{
	tl_assert_main();
	struct r2_engine *engine = g_new0(struct r2_engine, 1);
	engine->config = *config;
	engine->on_news = on_news;
	engine->user = user;
	engine->orders = tl_ring_new(ORDERS, sizeof(struct r2_order));
	engine->news = tl_ring_new(NEWS, sizeof(struct r2_news));
	engine->wake = tl_wake_new(on_wake, engine);
	engine->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (unsigned slot = 0; slot <= TL_SPAN_SLOTS_MAX; slot++)
		engine->lines[slot] = (struct line){ .engine = engine, .slot = slot };
	engine->thread = g_thread_new("r2", run, engine);
	return engine;
}

static void ring(struct r2_engine *engine)
{
	static const uint64_t one = 1;
	(void)!write(engine->bell, &one, sizeof(one));
}

void tl_r2_engine_free(struct r2_engine *engine)
{
	if (!engine)
		return;
	tl_assert_main();
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	ring(engine);
	g_thread_join(engine->thread);
	tl_wake_free(engine->wake);
	close(engine->bell);
	tl_ring_free(engine->orders);
	tl_ring_free(engine->news);
	g_free(engine);
}

/* The ring holds several orders of each bearer; a thread that takes none for so long is broken. */
void tl_r2_engine_order(struct r2_engine *engine, const struct r2_order *order)
{
	tl_assert_main();
	if (!tl_ring_push(engine->orders, order))
		g_error("r2: the thread takes no orders");
	ring(engine);
}
