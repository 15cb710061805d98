/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/line.h"

#include <errno.h>
#include <string.h>

#include "base/ring.h"
#include "base/thread.h"
#include "base/wake.h"
#include "line/cas-bits.h"
#include "line/d-channel.h"
#include "line/dahdi.h"
#include "line/pseudowire.h"

#define SLOTS_E1 31
#define SLOTS_T1 24
#define E1_CAS_SLOT 16
/* CAS changes waiting for main: every slot some dozen times. */
#define CAS_QUEUE 1024
#define TICK_MS (TL_TICK_US / 1000)
/* D-channel octets that never came: ones, which end a frame as HDLC's abort. */
#define D_IDLE 0xff

G_DEFINE_QUARK(tl-line-error-quark, tl_line_error)

struct tl_span {
	struct tl_span_config config; /* RO, strings are ours */
	struct tl_port port;
	const struct tl_backend *ops;
	void *backend;
	struct tl_wake *wake;
	uint64_t refused_d_frames; /* main; queue full */
	struct tl_cas_bits *cas;   /* NULL: the line has none */

	struct tl_span_handler handler; /* main */
	void *user;                     /* main */
	unsigned alarms_told;           /* main */
};

static gboolean check(const struct tl_span_config *config, unsigned slots, GError **error)
{
	if (!config->name || !*config->name) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG, "span: expected a name");
		return FALSE;
	}
	if (config->d_channel > slots) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG,
			    "span %s: expected a D-channel from 1 to %u, or 0 for none", config->name, slots);
		return FALSE;
	}
	if (config->cas && config->kind == TL_SPAN_E1 && config->d_channel == E1_CAS_SLOT) {
		g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG,
			    "span %s: timeslot 16 carries CAS, expected the D-channel elsewhere", config->name);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_lending(const struct tl_span_config *config, GError **error)
{
	if (!config->lends || (config->cas && config->backend == TL_SPAN_DAHDI))
		return TRUE;
	g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_CONFIG, "span %s: only a DAHDI span with CAS lends its timeslots",
		    config->name);
	return FALSE;
}

static void copy_config(struct tl_span_config *to, const struct tl_span_config *from)
{
	*to = *from;
	to->name = g_strdup(from->name);
	to->clock_domain = g_strdup(from->clock_domain ? from->clock_domain : from->name);
	to->pseudowire.local_host = g_strdup(from->pseudowire.local_host);
	to->pseudowire.remote_host = g_strdup(from->pseudowire.remote_host);
	if (to->backend == TL_SPAN_DAHDI)
		to->pseudowire.clock = TL_CLOCK_LOOP;
}

static void free_config(struct tl_span_config *config)
{
	g_free((char *)config->name);
	g_free((char *)config->clock_domain);
	g_free((char *)config->pseudowire.local_host);
	g_free((char *)config->pseudowire.remote_host);
}

static void on_d_frame(const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_span *span = user;

	if (span->handler.on_d_frame)
		span->handler.on_d_frame(span, octets, n_octets, span->user);
}

static void tell_cas(struct tl_span *span)
{
	struct tl_cas_change change;

	while (span->port.cas_changes && tl_ring_pop(span->port.cas_changes, &change))
		if (span->handler.on_cas)
			span->handler.on_cas(span, change.slot, change.abcd, (int64_t)change.tick * TL_TICK_US, span->user);
}

/* Alarms first: what follows may be judged by them. */
static void on_wake(void *user)
{
	struct tl_span *span = user;
	unsigned alarms = __atomic_load_n(&span->port.alarms, __ATOMIC_ACQUIRE);

	if (alarms != span->alarms_told) {
		span->alarms_told = alarms;
		if (span->handler.on_alarms)
			span->handler.on_alarms(span, alarms, span->user);
	}
	tell_cas(span);
	if (span->port.d)
		tl_d_channel_deliver(span->port.d, on_d_frame, span);
	if (span->ops->on_main)
		span->ops->on_main(span->backend);
}

static void preset_tx(struct tl_port *port)
{
	for (unsigned slot = 1; slot <= port->slots; slot++)
		memset(port->tx[slot], port->idle[slot], TL_BLOCK_OCTETS);
}

static struct tl_span *span_of(struct tl_port *port)
{
	return (struct tl_span *)((char *)port - offsetof(struct tl_span, port));
}

static void on_lent(struct tl_port *port, unsigned slot)
{
	struct tl_span *span = span_of(port);

	if (span->handler.on_lent)
		span->handler.on_lent(span, slot, span->user);
}

static void on_device(struct tl_port *port, bool there)
{
	struct tl_span *span = span_of(port);

	if (span->handler.on_device)
		span->handler.on_device(span, there, span->user);
	else if (!there)
		tl_span_let_go(span);
}

static void open_port(struct tl_span *span)
{
	struct tl_port *port = &span->port;

	port->config = &span->config;
	port->slots = span->config.kind == TL_SPAN_E1 ? SLOTS_E1 : SLOTS_T1;
	port->fd = -1;
	memset(port->idle, tl_law_idle(span->config.law), sizeof(port->idle));
	if (span->config.d_channel)
		port->idle[span->config.d_channel] = D_IDLE;
	for (unsigned slot = 0; slot <= TL_SPAN_SLOTS_MAX; slot++)
		memset(port->rx[slot], port->idle[slot], TL_BLOCK_OCTETS);
	preset_tx(port);
	port->alarms = TL_ALARM_NOTOPEN;
	port->on_lent = on_lent;
	port->on_device = on_device;
	if (span->config.cas) {
		span->cas = tl_cas_bits_new();
		port->cas_changes = tl_ring_new(CAS_QUEUE, sizeof(struct tl_cas_change));
	}
	if (span->config.d_channel)
		port->d = tl_d_channel_new(&port->counters);
}

struct tl_span *tl_span_new(const struct tl_span_config *config, GError **error)
{
	tl_assert_main();
	if (!check(config, config->kind == TL_SPAN_E1 ? SLOTS_E1 : SLOTS_T1, error) || !check_lending(config, error))
		return NULL;

	struct tl_span *span = g_new0(struct tl_span, 1);

	copy_config(&span->config, config);
	open_port(span);
	span->alarms_told = TL_ALARM_NOTOPEN;
	span->ops = config->backend == TL_SPAN_DAHDI ? &tl_dahdi_backend : &tl_pseudowire_backend;
	span->backend = span->ops->new(&span->port, error);
	if (!span->backend) {
		tl_span_free(span);
		return NULL;
	}
	span->wake = tl_wake_new(on_wake, span);
	return span;
}

void tl_span_free(struct tl_span *span)
{
	if (!span)
		return;
	tl_assert_main();
	tl_wake_free(span->wake);
	span->ops->free(span->backend);
	tl_d_channel_free(span->port.d);
	tl_ring_free(span->port.cas_changes);
	tl_cas_bits_free(span->cas);
	free_config(&span->config);
	g_free(span);
}

void tl_span_set_handler(struct tl_span *span, const struct tl_span_handler *handler, void *user)
{
	tl_assert_main();
	span->handler = handler ? *handler : (struct tl_span_handler){ 0 };
	span->user = user;
}

const char *tl_span_name(const struct tl_span *span)
{
	return span->config.name;
}

const char *tl_span_clock_domain(const struct tl_span *span)
{
	return span->config.clock_domain;
}

enum tl_span_kind tl_span_get_kind(const struct tl_span *span)
{
	return span->config.kind;
}

enum tl_law tl_span_get_law(const struct tl_span *span)
{
	return span->config.law;
}

enum tl_clock_mode tl_span_clock_mode(const struct tl_span *span)
{
	return span->config.pseudowire.clock;
}

bool tl_span_can_wait(const struct tl_span *span)
{
	return span->config.backend == TL_SPAN_PSEUDOWIRE && tl_span_clock_mode(span) == TL_CLOCK_LOOP;
}

unsigned tl_span_slots(const struct tl_span *span)
{
	return span->port.slots;
}

unsigned tl_span_d_channel(const struct tl_span *span)
{
	return span->config.d_channel;
}

bool tl_span_has_cas(const struct tl_span *span)
{
	return span->config.cas;
}

bool tl_span_robs_bits(const struct tl_span *span)
{
	return span->config.cas && span->config.kind == TL_SPAN_T1;
}

bool tl_span_is_bearer(const struct tl_span *span, unsigned slot)
{
	if (slot < 1 || slot > span->port.slots || slot == span->config.d_channel)
		return false;
	return !(span->config.cas && span->config.kind == TL_SPAN_E1 && slot == E1_CAS_SLOT);
}

unsigned tl_span_local_port(const struct tl_span *span)
{
	return span->port.local_port;
}

int tl_span_send_d_frame(struct tl_span *span, const uint8_t *octets, size_t n_octets)
{
	tl_assert_main();
	if (!span->port.d)
		return -ENODEV;

	int result = tl_d_channel_queue(span->port.d, octets, n_octets);

	if (result == -ENOBUFS)
		span->refused_d_frames++;
	return result;
}

static int order_cas(struct tl_span *span, unsigned slot, unsigned now, unsigned ticks, unsigned then)
{
	tl_assert_main();
	if (!span->cas)
		return -ENODEV;
	if (!tl_span_is_bearer(span, slot) || now > 0xf || then > 0xf)
		return -EINVAL;
	tl_cas_bits_want(span->cas, slot, now, ticks, then);
	return 0;
}

int tl_span_send_cas(struct tl_span *span, unsigned slot, unsigned abcd)
{
	return order_cas(span, slot, abcd, 0, abcd);
}

int tl_span_pulse_cas(struct tl_span *span, unsigned slot, unsigned abcd, unsigned ms, unsigned then)
{
	if (ms < TICK_MS || ms > TL_CAS_PULSE_MAX_MS)
		return -EINVAL;
	return order_cas(span, slot, abcd, ms / TICK_MS, then);
}

int64_t tl_span_line_us(const struct tl_span *span)
{
	tl_assert_main();
	return (int64_t)__atomic_load_n(&span->port.ticks, __ATOMIC_RELAXED) * TL_TICK_US;
}

int tl_span_set_voice(struct tl_span *span, unsigned slot, bool voice)
{
	tl_assert_main();
	if (!tl_span_is_bearer(span, slot))
		return -EINVAL;
	return span->ops->set_voice ? span->ops->set_voice(span->backend, slot, voice) : 0;
}

int tl_span_lent_fd(const struct tl_span *span, unsigned slot)
{
	tl_assert_main();
	g_assert(span->config.lends && tl_span_is_bearer(span, slot));
	return span->ops->lending->fd(span->backend, slot);
}

void tl_span_lend(struct tl_span *span, unsigned slot)
{
	tl_assert_main();
	g_assert(span->config.lends && tl_span_is_bearer(span, slot));
	span->ops->lending->lend(span->backend, slot);
}

void tl_span_reclaim(struct tl_span *span, unsigned slot)
{
	tl_assert_main();
	g_assert(span->config.lends && tl_span_is_bearer(span, slot));
	span->ops->lending->reclaim(span->backend, slot);
}

bool tl_span_is_lent(const struct tl_span *span, unsigned slot)
{
	tl_assert_main();
	return span->config.lends && span->ops->lending->is_lent(span->backend, slot);
}

void tl_span_let_go(struct tl_span *span)
{
	tl_assert_main();
	g_assert(span->config.lends);
	span->ops->lending->let_go(span->backend);
}

unsigned tl_span_alarms(const struct tl_span *span)
{
	tl_assert_main();
	return __atomic_load_n(&span->port.alarms, __ATOMIC_ACQUIRE);
}

void tl_span_counters(const struct tl_span *span, struct tl_span_counters *counters)
{
	const uint64_t *from = (const uint64_t *)&span->port.counters;
	uint64_t *to = (uint64_t *)counters;

	G_STATIC_ASSERT(sizeof(*counters) % sizeof(*to) == 0);
	tl_assert_main();
	for (size_t i = 0; i < sizeof(*counters) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	counters->d_overflows += span->refused_d_frames;
}

const char *tl_alarm_names(unsigned alarms, char *text)
{
	static const struct {
		unsigned alarm;
		const char *name;
	} names[] = {
		{ TL_ALARM_BLUE, "BLUE" },     { TL_ALARM_YELLOW, "YELLOW" },
		{ TL_ALARM_RED, "RED" },       { TL_ALARM_LOOPBACK, "LB" },
		{ TL_ALARM_RECOVER, "RECOVER" }, { TL_ALARM_NOTOPEN, "NOTOPEN" },
	};

	*text = '\0';
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!(alarms & names[i].alarm))
			continue;
		if (*text)
			g_strlcat(text, " ", 64);
		g_strlcat(text, names[i].name, 64);
	}
	if (!*text)
		g_strlcpy(text, "OK", 64);
	return text;
}

void tl_span_inject(struct tl_span *span, unsigned alarms)
{
	tl_assert_main();
	__atomic_store_n(&span->port.injected, alarms, __ATOMIC_RELAXED);
}

int tl_span_fd(const struct tl_span *span)
{
	return span->port.fd;
}

/* Rings main when the backend or the D-channel left something to hear. */
static void tell_main(struct tl_span *span)
{
	if (span->port.changed)
		tl_wake_ring(span->wake);
	span->port.changed = false;
}

void tl_span_receive(struct tl_span *span, int64_t now_us)
{
	tl_assert_media();
	span->ops->receive(span->backend, now_us);
	tell_main(span);
}

unsigned tl_span_ticks_due(const struct tl_span *span)
{
	tl_assert_media();
	return span->ops->ticks_due(span->backend);
}

bool tl_span_is_gone(const struct tl_span *span)
{
	tl_assert_media();
	return span->ops->is_gone && span->ops->is_gone(span->backend);
}

int tl_span_skew_ppb(const struct tl_span *span)
{
	tl_assert_media();
	return span->ops->skew_ppb(span->backend);
}

void tl_span_begin_tick(struct tl_span *span)
{
	struct tl_port *port = &span->port;

	tl_assert_media();
	__atomic_store_n(&port->ticks, port->ticks + 1, __ATOMIC_RELAXED);
	span->ops->begin_tick(span->backend);
	preset_tx(port);
	if (port->d && !span->ops->has_hdlc &&
	    tl_d_channel_rx(port->d, port->rx[span->config.d_channel], TL_BLOCK_OCTETS))
		port->changed = true;
	tell_main(span);
}

bool tl_span_moves(const struct tl_span *span, unsigned slot)
{
	return !span->config.lends || span->ops->lending->moves(span->backend, slot);
}

const uint8_t *tl_span_rx(const struct tl_span *span, unsigned slot)
{
	return span->port.rx[slot];
}

uint8_t *tl_span_tx(struct tl_span *span, unsigned slot)
{
	return span->port.tx[slot];
}

void tl_span_end_tick(struct tl_span *span, int64_t now_us)
{
	tl_assert_media();
	if (span->port.d && !span->ops->has_hdlc)
		tl_d_channel_tx(span->port.d, span->port.tx[span->config.d_channel], TL_BLOCK_OCTETS);
	if (span->cas)
		tl_cas_bits_settle(span->cas, &span->port);
	span->ops->end_tick(span->backend, now_us);
}
