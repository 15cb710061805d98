/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A PRI in the shape that every signalling system has. */
#include "signal/pri.h"

struct pri_signalling {
	struct tl_signalling base;
	struct tl_pri *pri;
};

static struct tl_pri *pri_of(const struct tl_signalling *base)
{
	return ((const struct pri_signalling *)base)->pri;
}

/* ---- what it says ---- */

static void on_offered(struct tl_pri *pri, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	struct tl_signalling *s = user;
	s->handler.on_offered(s, dialog, setup, s->user);
}

static void on_d_channel(struct tl_pri *pri, bool up, void *user)
{
	struct tl_signalling *s = user;
	if (s->handler.on_up)
		s->handler.on_up(s, up, s->user);
}

static void on_alarms(struct tl_pri *pri, unsigned alarms, void *user)
{
	struct tl_signalling *s = user;
	if (s->handler.on_alarms)
		s->handler.on_alarms(s, alarms, s->user);
}

static void on_slots(struct tl_pri *pri, void *user)
{
	struct tl_signalling *s = user;
	if (s->handler.on_slots)
		s->handler.on_slots(s, s->user);
}

static void on_trace(struct tl_pri *pri, bool sent, const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_signalling *s = user;
	if (s->handler.on_trace)
		s->handler.on_trace(s, sent, octets, n_octets, s->user);
}

/* ---- what it is asked ---- */

static struct tl_dialog *call(struct tl_signalling *s, const struct tl_leg_setup *setup, unsigned slot,
			      tl_dialog_listener on_event, void *user, GError **error)
{
	return tl_pri_call(pri_of(s), setup, slot, on_event, user, error);
}

static void block(struct tl_signalling *s, unsigned slot, bool block)
{
	tl_pri_block(pri_of(s), slot, block);
}

static enum tl_slot_state slot_state(const struct tl_signalling *s, unsigned slot)
{
	return tl_pri_slot_state(pri_of(s), slot);
}

static bool is_up(const struct tl_signalling *s)
{
	return tl_pri_is_up(pri_of(s));
}

static void counters(const struct tl_signalling *s, tl_counter_listener each, void *user)
{
	struct tl_pri_counters c;
	tl_pri_counters(pri_of(s), &c);
#define TELL(field) each(#field, c.field, user)
	TELL(setups_received), TELL(setups_sent), TELL(glare), TELL(no_channel);
	TELL(restarts_received), TELL(restarts_sent), TELL(restart_retries);
	TELL(d_channel_downs), TELL(t309_expiries), TELL(events_unhandled), TELL(protocol_errors);
#undef TELL
}

static void set_trace(struct tl_signalling *s, bool on)
{
	tl_pri_set_trace(pri_of(s), on);
}

static void free_signalling(struct tl_signalling *s)
{
	tl_pri_free(pri_of(s));
	g_free(s);
}

static const struct tl_signalling_ops ops = {
	.call = call,
	.block = block,
	.slot_state = slot_state,
	.is_up = is_up,
	.counters = counters,
	.set_trace = set_trace,
	.free = free_signalling,
};

struct tl_signalling *tl_pri_signalling_new(struct tl_span *span, const struct tl_pri_config *config,
					    const struct tl_signalling_handler *handler, void *user, GError **error)
{
	static const struct tl_pri_handler hears = { .on_offered = on_offered, .on_d_channel = on_d_channel,
						     .on_alarms = on_alarms, .on_slots = on_slots, .on_trace = on_trace };
	struct pri_signalling *s = g_new0(struct pri_signalling, 1);
	struct tl_pri_config with_span = *config;
	with_span.span = span;
	s->base = (struct tl_signalling){
		.ops = &ops,
		.kind = config->side == TL_PRI_NETWORK ? TL_SIGNALLING_PRI_NETWORK : TL_SIGNALLING_PRI_CPE,
		.span = span,
		.handler = *handler,
		.user = user,
	};
	s->pri = tl_pri_new(&with_span, &hears, s, error);
	if (!s->pri)
		g_clear_pointer(&s, g_free);
	return s ? &s->base : NULL;
}

void tl_pri_config_read(const struct tl_config_section *section, enum tl_span_kind kind, struct tl_pri_config *config)
{
	config->type = kind == TL_SPAN_E1 ? TL_PRI_EUROISDN : TL_PRI_NI2;
	if (tl_config_string(section, "switch"))
		config->type = tl_config_choice(section, "switch");
	config->hunt = tl_config_choice(section, "hunt");
	config->exclusive = tl_config_bool(section, "exclusive");
	config->overlap = tl_config_bool(section, "overlap");
	config->restart_on_up = tl_config_bool(section, "restart");
	config->t309_ms = tl_config_int(section, "t309_ms");
}
