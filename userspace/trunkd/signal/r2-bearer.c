/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/r2-bearer.h"

#include <stdio.h>
#include <string.h>

#include "signal/r2-words.h"

/* Tones are looked at and made so often; DAHDI holds 80 ms of them. */
#define MF_STEP_MS 10

/* ---- news ---- */

static void tell_news(struct r2_bearer *bearer, const struct r2_news *news)
{
	bearer->tell(news, bearer->user);
}

static void tell(struct r2_bearer *bearer, enum r2_news_kind kind)
{
	tell_news(bearer, &(struct r2_news){ .kind = kind, .slot = bearer->slot });
}

static struct r2_bearer *bearer_of(openr2_chan_t *chan)
{
	return openr2_chan_get_client_data(chan);
}

static void set_registers(struct r2_bearer *bearer, bool on)
{
	bearer->registers = on;
	if (on && bearer->lent)
		openr2_chan_enable_read(bearer->chan);
	else
		openr2_chan_disable_read(bearer->chan);
}

/* Without what was left of the call before: an old tone would be the first of this one. */
static void begin_registers(struct r2_bearer *bearer)
{
	tl_lent_fd_flush(bearer->fd);
	bearer->in_call = true;
	bearer->offered = false;
	set_registers(bearer, true);
}

static bool far_is_idle(const struct r2_bearer *bearer)
{
	return !strcmp(openr2_chan_get_rx_cas_string(bearer->chan), "IDLE");
}

/* ---- what OpenR2 tells ---- */

static void on_call_init(openr2_chan_t *chan)
{
	struct r2_bearer *bearer = bearer_of(chan);
	begin_registers(bearer);
	tell(bearer, R2_SEIZED);
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
	struct r2_bearer *bearer = bearer_of(chan);
	/* OpenR2 offers a call again when the caller's last tone falters. */
	if (bearer->offered)
		return;
	bearer->offered = true;
	struct r2_news news = { .kind = R2_OFFERED, .slot = bearer->slot,
				.collect = category == OR2_CALLING_PARTY_CATEGORY_COLLECT_CALL,
				.accepting = bearer->config->immediate_accept && !bearer->config->dtmf_detect };
	copy_digits(dnis, news.called);
	copy_digits(ani, news.calling);
	tell_news(bearer, &news);
}

static void on_call_accepted(openr2_chan_t *chan, openr2_call_mode_t mode)
{
	struct r2_bearer *bearer = bearer_of(chan);
	set_registers(bearer, false);
	bearer->lent = false;
	tell(bearer, R2_ACCEPTED);
}

static void on_call_answered(openr2_chan_t *chan)
{
	tell(bearer_of(chan), R2_ANSWERED);
}

/* A call that is not wanted any more is answered at once: the far end's bearer shall not wait for us. */
static void on_call_disconnect(openr2_chan_t *chan, openr2_call_disconnect_cause_t cause)
{
	struct r2_bearer *bearer = bearer_of(chan);
	set_registers(bearer, false);
	tell_news(bearer, &(struct r2_news){ .kind = R2_DISCONNECTED, .slot = bearer->slot,
						   .cause = tl_r2_cause_read(cause) });
	openr2_chan_disconnect_call(chan, OR2_CAUSE_NORMAL_CLEARING);
}

static void end_call(struct r2_bearer *bearer)
{
	bearer->in_call = false;
	set_registers(bearer, false);
	if (bearer->blocked)
		openr2_chan_set_blocked(bearer->chan);
}

static void on_call_end(openr2_chan_t *chan)
{
	struct r2_bearer *bearer = bearer_of(chan);
	end_call(bearer);
	tell(bearer, R2_ENDED);
}

static void on_protocol_error(openr2_chan_t *chan, openr2_protocol_error_t error)
{
	struct r2_bearer *bearer = bearer_of(chan);
	struct r2_news news = { .kind = R2_FAILED, .slot = bearer->slot, .in_call = bearer->in_call,
				.cause = tl_r2_error_cause(error) };
	end_call(bearer);
	tell(bearer, far_is_idle(bearer) ? R2_FAR_IDLE : R2_FAR_BUSY);
	tell_news(bearer, &news);
}

static void on_line_idle(openr2_chan_t *chan)
{
	tell(bearer_of(chan), R2_FAR_IDLE);
}

static void on_line_blocked(openr2_chan_t *chan)
{
	tell(bearer_of(chan), R2_FAR_BUSY);
}

static void on_billing_pulse(openr2_chan_t *chan)
{
	tell(bearer_of(chan), R2_PULSE);
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
	struct r2_bearer *bearer = bearer_of(chan);
	struct r2_news news = { .kind = R2_LOG };
	if (!bearer)
		return;
	news.slot = bearer->slot;
	vsnprintf(news.text, sizeof(news.text), format, ap);
	g_strdelimit(g_strchomp(news.text), "\n", ' ');
	tell_news(bearer, &news);
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

void tl_r2_bearer_close(struct r2_bearer *bearer)
{
	if (bearer->context)
		openr2_context_delete(bearer->context);
	bearer->context = NULL;
	bearer->chan = NULL;
}

static void tell_refusal(struct r2_bearer *bearer)
{
	struct r2_news news = { .kind = R2_LOG, .slot = bearer->slot };
	snprintf(news.text, sizeof(news.text), "OpenR2 does not take the channel: %s", bearer->context ?
		 openr2_context_error_string(openr2_context_get_last_error(bearer->context)) : "no memory, or no /proc");
	tell_news(bearer, &news);
}

/* A channel that begins anew also learns the far end's bits anew. */
static void begin_bearer(struct r2_bearer *bearer)
{
	tl_r2_bearer_close(bearer);
	bearer->context = tl_r2_context_new(bearer->config, &events);
	bearer->chan = bearer->context ? openr2_chan_new_from_fd(bearer->context, bearer->fd, NULL, NULL) : NULL;
	bearer->in_call = bearer->registers = false;
	if (!bearer->chan) {
		tell_refusal(bearer);
		tl_r2_bearer_close(bearer);
		return;
	}
	openr2_chan_set_client_data(bearer->chan, bearer);
	openr2_chan_set_logging_func(bearer->chan, on_chan_log);
	openr2_chan_set_log_level(bearer->chan, OR2_LOG_ERROR | OR2_LOG_WARNING);
	openr2_chan_disable_call_files(bearer->chan);
	openr2_chan_disable_read(bearer->chan);
	if (bearer->blocked)
		openr2_chan_set_blocked(bearer->chan);
	else
		openr2_chan_set_idle(bearer->chan);
	openr2_chan_handle_cas(bearer->chan);
}

static void open_bearer(struct r2_bearer *bearer, const struct r2_order *order)
{
	bearer->fd = order->fd;
	bearer->blocked = order->blocked;
	bearer->lent = true;
	tell(bearer, R2_OPENED);
	begin_bearer(bearer);
	if (!bearer->chan)
		tell(bearer, R2_FAR_BUSY);
}

static void make_call(struct r2_bearer *bearer, const struct r2_order *order)
{
	const struct tl_r2_config *config = bearer->config;
	/* It may stand within a call that is just arriving. */
	if (bearer->in_call || !bearer->lent || bearer->blocked ||
	    openr2_chan_make_call(bearer->chan, order->restricted ? NULL : order->calling, order->called,
				  tl_r2_category_write(config->category))) {
		tell(bearer, R2_REFUSED);
		return;
	}
	begin_registers(bearer);
}

static void disconnect(struct r2_bearer *bearer, const struct r2_order *order)
{
	openr2_call_disconnect_cause_t cause = tl_r2_cause_write(order->cause);
	if (!bearer->in_call)
		return; /* it has ended meanwhile, and main will hear of it */
	if (order->refused_collect)
		cause = OR2_CAUSE_COLLECT_CALL_REJECTED;
	else if (bearer->config->forced_release && !bearer->registers)
		cause = OR2_CAUSE_FORCED_RELEASE;
	if (openr2_chan_get_direction(bearer->chan) == OR2_DIR_FORWARD)
		set_registers(bearer, false);
	openr2_chan_disconnect_call(bearer->chan, cause);
}

static void unblock(struct r2_bearer *bearer)
{
	bool was = bearer->blocked;
	bearer->blocked = false;
	if (!was || bearer->in_call)
		return;
	if (bearer->lent)
		begin_bearer(bearer);
	else
		openr2_chan_set_idle(bearer->chan);
}

void tl_r2_bearer_obey(struct r2_bearer *bearer, const struct r2_order *order)
{
	if (order->kind == R2_OPEN) {
		open_bearer(bearer, order);
		return;
	}
	if (!bearer->chan) {
		if (order->kind == R2_CALL)
			tell(bearer, R2_REFUSED);
		return;
	}
	switch (order->kind) {
	case R2_LENT:
		bearer->lent = true;
		set_registers(bearer, bearer->registers);
		openr2_chan_handle_cas(bearer->chan);
		break;
	case R2_LOOK:
		openr2_chan_handle_cas(bearer->chan);
		break;
	case R2_BLOCK:
		bearer->blocked = true;
		if (!bearer->in_call)
			openr2_chan_set_blocked(bearer->chan);
		break;
	case R2_UNBLOCK:
		unblock(bearer);
		break;
	case R2_CALL:
		make_call(bearer, order);
		break;
	case R2_ACCEPT:
		openr2_chan_accept_call(bearer->chan, bearer->config->charge ? OR2_CALL_WITH_CHARGE : OR2_CALL_NO_CHARGE);
		break;
	case R2_ANSWER:
		openr2_chan_answer_call(bearer->chan);
		break;
	case R2_DISCONNECT:
		disconnect(bearer, order);
		break;
	case R2_OPEN:
	case R2_CLOSE:
		break;
	}
}

/* Our call ends by clear forward, which is idle; theirs by clear back, which is blocked, and nobody is here for another. */
void tl_r2_bearer_leave(struct r2_bearer *bearer)
{
	if (bearer->chan && openr2_chan_get_direction(bearer->chan) == OR2_DIR_FORWARD)
		openr2_chan_set_idle(bearer->chan);
	else if (bearer->chan)
		openr2_chan_set_blocked(bearer->chan);
	tl_r2_bearer_close(bearer);
}

/* ---- the loop ---- */

int tl_r2_bearer_time_left(const struct r2_bearer *bearer)
{
	if (!bearer->chan)
		return -1;
	return bearer->registers ? MF_STEP_MS : openr2_chan_get_time_to_next_event(bearer->chan);
}

void tl_r2_bearer_run(struct r2_bearer *bearer, bool ready)
{
	if (bearer->chan && (ready || bearer->registers || openr2_chan_get_time_to_next_event(bearer->chan) == 0))
		openr2_chan_process_event(bearer->chan);
}
