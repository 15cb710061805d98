/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The R2 of a span: its bearers, alarms, and what the engine tells. */
#include "signal/r2.h"

#include <string.h>

#define TL_ROOM "signal"
#include "base/log.h"
#include "base/thread.h"
#include "signal/r2-inner.h"

static struct tl_r2 *r2_of(const struct tl_signalling *base)
{
	return (struct tl_r2 *)base;
}

static bool is_bearer(const struct tl_r2 *r2, unsigned slot)
{
	return tl_span_is_bearer(r2->base.span, slot);
}

void tl_r2_order(struct tl_r2 *r2, unsigned slot, enum r2_order_kind kind)
{
	tl_r2_engine_order(r2->engine, &(struct r2_order){ .kind = kind, .slot = slot });
}

/* ---- bearers ---- */

static bool is_up(const struct tl_r2 *r2)
{
	return r2->there && !(r2->alarms & TL_ALARM_DOWN);
}

enum tl_slot_state tl_r2_slot_state(const struct tl_r2 *r2, unsigned slot)
{
	if (!is_bearer(r2, slot))
		return TL_SLOT_UNUSABLE;
	const struct r2_slot *s = &r2->slots[slot];
	if (s->dialog || s->seized)
		return TL_SLOT_BUSY;
	if (!is_up(r2))
		return TL_SLOT_UNUSABLE;
	if (s->begin || s->opening || !tl_span_is_lent(r2->base.span, slot))
		return TL_SLOT_RESTARTING;
	return s->blocked_here || !s->far_idle ? TL_SLOT_BLOCKED : TL_SLOT_IDLE;
}

unsigned tl_r2_hunt(struct tl_r2 *r2, uint32_t refused)
{
	unsigned n = tl_span_slots(r2->base.span);
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = tl_slot_hunt(r2->config.hunt, r2->last_hunted, i, n);
		if (tl_r2_slot_state(r2, slot) == TL_SLOT_IDLE && !(refused & 1u << slot))
			return r2->last_hunted = slot;
	}
	return 0;
}

static gboolean tell_slots(gpointer user)
{
	struct tl_r2 *r2 = user;
	r2->slots_news = 0;
	r2->base.handler.on_slots(&r2->base, r2->base.user);
	return G_SOURCE_REMOVE;
}

static void slots_changed(struct tl_r2 *r2)
{
	if (!r2->slots_news && r2->base.handler.on_slots)
		r2->slots_news = g_idle_add(tell_slots, r2);
}

void tl_r2_slot_take(struct tl_r2 *r2, unsigned slot, struct r2_dialog *dialog)
{
	g_assert(!r2->slots[slot].dialog);
	r2->slots[slot].dialog = dialog;
	r2->slots[slot].seized = false;
	slots_changed(r2);
}

/* A bearer can begin anew only with its descriptor lent and a line that carries bits. */
static void try_begin(struct tl_r2 *r2, unsigned slot)
{
	struct r2_slot *s = &r2->slots[slot];
	if (!s->begin || !is_up(r2) || !tl_span_is_lent(r2->base.span, slot))
		return;
	s->begin = false;
	s->opening = true;
	tl_r2_engine_order(r2->engine, &(struct r2_order){ .kind = R2_OPEN, .slot = slot, .blocked = s->blocked_here,
							   .fd = tl_span_lent_fd(r2->base.span, slot) });
}

void tl_r2_slot_drop(struct tl_r2 *r2, unsigned slot, bool anew)
{
	struct r2_slot *s = &r2->slots[slot];
	s->dialog = NULL;
	s->audio = false;
	if (anew) {
		s->far_idle = s->seized = false;
		s->begin = true;
	}
	if (r2->there && !tl_span_is_lent(r2->base.span, slot))
		tl_span_lend(r2->base.span, slot);
	else if (!anew)
		tl_r2_order(r2, slot, R2_LENT); /* accepted and given up in one: media never took it */
	try_begin(r2, slot);
	slots_changed(r2);
}

void tl_r2_slot_audio(struct tl_r2 *r2, unsigned slot)
{
	r2->slots[slot].audio = true;
	if (r2->there && tl_span_is_lent(r2->base.span, slot))
		tl_span_reclaim(r2->base.span, slot);
}

static void on_lent(struct tl_span *span, unsigned slot, void *user)
{
	struct tl_r2 *r2 = user;
	if (r2->slots[slot].audio)
		tl_span_reclaim(span, slot); /* the next call has come as far meanwhile */
	else if (r2->slots[slot].begin)
		try_begin(r2, slot);
	else
		tl_r2_order(r2, slot, R2_LENT);
	slots_changed(r2);
}

static void on_cas(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user)
{
	tl_r2_order(user, slot, R2_LOOK);
}

/* ---- the line ---- */

static void begin_all(struct tl_r2 *r2)
{
	for (unsigned slot = 1; slot <= tl_span_slots(r2->base.span); slot++)
		if (is_bearer(r2, slot))
			try_begin(r2, slot);
}

/* Bits mean nothing now: no call survives, and every bearer begins anew afterwards. */
static void drop_all(struct tl_r2 *r2, unsigned cause)
{
	const struct r2_detail detail = { .cause = cause };
	while (r2->dialogs->len) {
		r2->counters.alarm_drops++;
		tl_r2_dialog_fire(g_ptr_array_index(r2->dialogs, 0), R2_EV_DROP, &detail);
	}
	for (unsigned slot = 1; slot <= tl_span_slots(r2->base.span); slot++) {
		struct r2_slot *s = &r2->slots[slot];
		s->seized = s->far_idle = false;
		s->begin = is_bearer(r2, slot);
	}
}

static void line_changed(struct tl_r2 *r2)
{
	bool up = is_up(r2);
	slots_changed(r2);
	if (up == r2->was_up)
		return;
	r2->was_up = up;
	if (up)
		begin_all(r2);
	else
		drop_all(r2, TL_CAUSE_NETWORK_OUT_OF_ORDER);
	if (r2->base.handler.on_up)
		r2->base.handler.on_up(&r2->base, up, r2->base.user);
}

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	struct tl_r2 *r2 = user;
	r2->alarms = alarms;
	line_changed(r2);
	if (r2->base.handler.on_alarms)
		r2->base.handler.on_alarms(&r2->base, alarms, r2->base.user);
}

/* Away: the engine lets go of all descriptors first, then the line may close them. */
static void on_device(struct tl_span *span, bool there, void *user)
{
	struct tl_r2 *r2 = user;
	r2->there = there;
	line_changed(r2);
	if (!there)
		tl_r2_order(r2, 0, R2_CLOSE);
}

/* ---- what the engine tells ---- */

static void offer(struct tl_r2 *r2, const struct r2_news *news)
{
	struct tl_leg_setup setup = { .called_complete = true };
	struct r2_dialog *dialog = tl_r2_dialog_new(r2);
	r2->counters.calls_received++;
	dialog->slot = dialog->base.slot = news->slot;
	tl_r2_slot_take(r2, news->slot, dialog);
	tl_r2_dialog_fire(dialog, news->accepting ? R2_EV_OFFER_ACCEPTING : R2_EV_OFFER, NULL);
	if (news->collect && !r2->config.accept_collect) {
		r2->counters.collect_refused++;
		dialog->unowned = true;
		tl_r2_dialog_fire(dialog, R2_EV_RELEASE, &(struct r2_detail){ .cause = TL_CAUSE_REJECTED, .collect = true });
		return;
	}
	g_strlcpy(setup.called.digits, news->called, sizeof(setup.called.digits));
	g_strlcpy(setup.calling.digits, news->calling, sizeof(setup.calling.digits));
	if (!*news->calling)
		setup.calling.presentation = TL_PRESENTATION_UNAVAILABLE;
	r2->base.handler.on_offered(&r2->base, &dialog->base, &setup, r2->base.user);
}

/* To the call on the bearer. */
static void pass(struct r2_slot *s, enum r2_event event, const struct r2_news *news)
{
	const struct r2_detail detail = { .cause = news->cause, .by_peer = true };
	if (s->dialog)
		tl_r2_dialog_fire(s->dialog, event, &detail);
}

static void ended(struct tl_r2 *r2, struct r2_slot *s, const struct r2_news *news)
{
	s->seized = false;
	slots_changed(r2);
	pass(s, R2_EV_ENDED, news);
}

static void failed(struct tl_r2 *r2, struct r2_slot *s, const struct r2_news *news)
{
	r2->counters.protocol_errors++;
	if (news->in_call)
		ended(r2, s, news);
}

static void set_far_idle(struct tl_r2 *r2, struct r2_slot *s, bool idle)
{
	s->far_idle = idle;
	slots_changed(r2);
}

static void closed(struct tl_r2 *r2)
{
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		r2->slots[slot].opening = false;
	tl_span_let_go(r2->base.span);
}

static void handle_news(struct tl_r2 *r2, struct r2_slot *s, const struct r2_news *news)
{
	switch (news->kind) {
	case R2_FAR_IDLE:
	case R2_FAR_BUSY:
		set_far_idle(r2, s, news->kind == R2_FAR_IDLE);
		break;
	case R2_SEIZED:
		s->seized = true;
		slots_changed(r2);
		break;
	case R2_OFFERED:
		offer(r2, news);
		break;
	case R2_ACCEPTED:
		pass(s, R2_EV_ACCEPTED, news);
		break;
	case R2_ANSWERED:
		pass(s, R2_EV_ANSWERED, news);
		break;
	case R2_DISCONNECTED:
		pass(s, R2_EV_DISCONNECTED, news);
		break;
	case R2_ENDED:
		ended(r2, s, news);
		break;
	case R2_FAILED:
		failed(r2, s, news);
		break;
	case R2_REFUSED:
		pass(s, R2_EV_REFUSED, news);
		break;
	case R2_PULSE:
		r2->counters.metering_pulses++;
		break;
	case R2_OPENED:
	case R2_CLOSED:
	case R2_LOG:
		break;
	}
}

static void on_news(const struct r2_news *news, void *user)
{
	struct tl_r2 *r2 = user;
	struct r2_slot *s = &r2->slots[news->slot];
	if (news->kind == R2_LOG)
		tl_info("%s: timeslot %u: %s", tl_span_name(r2->base.span), news->slot, news->text);
	else if (news->kind == R2_CLOSED)
		closed(r2);
	else if (news->kind == R2_OPENED)
		s->opening = false;
	else if (!s->begin && !s->opening) /* not of the time before */
		handle_news(r2, s, news);
	slots_changed(r2);
}

/* ---- the system ---- */

static enum tl_slot_state slot_state(const struct tl_signalling *base, unsigned slot)
{
	return tl_r2_slot_state(r2_of(base), slot);
}

static bool signalling_is_up(const struct tl_signalling *base)
{
	return is_up(r2_of(base));
}

static void block(struct tl_signalling *base, unsigned slot, bool block)
{
	struct tl_r2 *r2 = r2_of(base);
	if (!is_bearer(r2, slot) || r2->slots[slot].blocked_here == block)
		return;
	r2->slots[slot].blocked_here = block;
	tl_r2_order(r2, slot, block ? R2_BLOCK : R2_UNBLOCK);
	slots_changed(r2);
}

static void counters(const struct tl_signalling *base, tl_counter_listener each, void *user)
{
	const struct tl_r2 *r2 = r2_of(base);
#define TELL(field) each(#field, r2->counters.field, user)
	TELL(calls_received), TELL(calls_sent), TELL(no_channel), TELL(glare), TELL(collect_refused), TELL(metering_pulses);
	TELL(protocol_errors), TELL(alarm_drops), TELL(forced_ends);
#undef TELL
}

/* Calls are cleared towards the far end as far as the engine comes with it, then all bearers are blocked. */
static void free_r2(struct tl_signalling *base)
{
	static const struct tl_span_handler deaf;
	struct tl_r2 *r2 = r2_of(base);
	tl_span_set_handler(r2->base.span, &deaf, NULL);
	r2->there = false;
	drop_all(r2, TL_CAUSE_TEMPORARY_FAILURE);
	tl_r2_engine_free(r2->engine);
	g_clear_handle_id(&r2->slots_news, g_source_remove);
	g_ptr_array_free(r2->dialogs, TRUE);
	g_free(r2);
}

static const struct tl_signalling_ops ops = {
	.call = tl_r2_call,
	.block = block,
	.slot_state = slot_state,
	.is_up = signalling_is_up,
	.counters = counters,
	.free = free_r2,
};

struct tl_signalling *tl_r2_new(struct tl_span *span, const struct tl_r2_config *config,
				const struct tl_inband_room *audio, const struct tl_signalling_handler *handler, void *user, GError **error)
{
	static const struct tl_span_handler hears = { .on_alarms = on_alarms, .on_cas = on_cas, .on_lent = on_lent,
						      .on_device = on_device };
	tl_assert_main();
	if (tl_span_get_kind(span) != TL_SPAN_E1 || tl_span_get_law(span) != TL_LAW_ALAW || !audio->ops) {
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG, "span %s: R2 needs an E1 with A-law, and audio for signalling",
			    tl_span_name(span));
		return NULL;
	}
	struct tl_r2 *r2 = g_new0(struct tl_r2, 1);
	r2->base = (struct tl_signalling){ .ops = &ops, .kind = TL_SIGNALLING_R2, .span = span, .handler = *handler, .user = user };
	r2->config = *config;
	r2->audio = *audio;
	r2->alarms = tl_span_alarms(span);
	r2->there = true;
	r2->dialogs = g_ptr_array_new();
	for (unsigned slot = 1; slot <= tl_span_slots(span); slot++)
		r2->slots[slot].begin = is_bearer(r2, slot);
	r2->engine = tl_r2_engine_new(config, on_news, r2);
	tl_span_set_handler(span, &hears, r2);
	return &r2->base;
}

/* OpenR2 asks for the category on its way from the first digit to the caller's number, and without it goes to the end. */
static bool needs_category(const struct tl_r2_config *config)
{
	return config->ani_first == TL_R2_YES || (config->ani_first == TL_R2_BY_VARIANT && config->variant != TL_R2_MX);
}

static bool registers_go_together(const struct tl_config_section *section, const struct tl_r2_config *config, GError **error)
{
	if (config->skip_category && needs_category(config))
		return tl_config_refuse(section, "r2_skip_category", error,
					"expected no, or r2_ani_first = no: the caller's number would end the called one");
	if (config->category == TL_R2_COLLECT && config->variant != TL_R2_BR)
		return tl_config_refuse(section, "r2_category", error, "expected another, because only variant br has a signal for collect");
	/* No signal of group A means it there. */
	if (config->immediate_accept &&
	    (config->variant == TL_R2_BR || config->variant == TL_R2_CN || config->variant == TL_R2_MX))
		return tl_config_refuse(section, "r2_immediate_accept", error, "expected no, because this variant has no signal for it");
	return true;
}

bool tl_r2_config_read(const struct tl_config_section *section, struct tl_r2_config *config, GError **error)
{
	*config = (struct tl_r2_config){
		.variant = tl_config_choice(section, "r2_variant"),
		.hunt = tl_config_choice(section, "hunt"),
		.max_ani = tl_config_int(section, "r2_max_ani"),
		.max_dnis = tl_config_int(section, "r2_max_dnis"),
		.ani_first = tl_config_choice(section, "r2_ani_first"),
		.category = tl_config_choice(section, "r2_category"),
		.skip_category = tl_config_bool(section, "r2_skip_category"),
		.charge = tl_config_bool(section, "r2_charge"),
		.immediate_accept = tl_config_bool(section, "r2_immediate_accept"),
		.accept_collect = tl_config_bool(section, "r2_accept_collect"),
		.double_answer = tl_config_bool(section, "r2_double_answer"),
		.forced_release = tl_config_bool(section, "r2_forced_release"),
		.metering_ms = tl_config_int(section, "r2_metering_ms"),
		.mf_timeout_ms = tl_config_int(section, "r2_mf_timeout_ms"),
		.mf_threshold_ms = tl_config_int(section, "r2_mf_threshold_ms"),
		.dtmf_dial = tl_config_bool(section, "r2_dtmf_dial"),
		.dtmf_detect = tl_config_bool(section, "r2_dtmf_detect"),
		.dtmf_on_ms = tl_config_int(section, "r2_dtmf_on_ms"),
		.dtmf_off_ms = tl_config_int(section, "r2_dtmf_off_ms"),
		.dtmf_end_ms = tl_config_int(section, "r2_dtmf_end_ms"),
	};
	if (!g_strcmp0(tl_config_string(section, "kind"), "t1"))
		return tl_config_refuse(section, "kind", error, "expected e1, because signalling is r2");
	if (g_strcmp0(tl_config_string(section, "backend"), "dahdi"))
		return tl_config_refuse(section, "backend", error, "expected dahdi, because signalling is r2");
	if (!g_strcmp0(tl_config_string(section, "law"), "ulaw"))
		return tl_config_refuse(section, "law", error, "expected alaw, because signalling is r2");
	return registers_go_together(section, config, error);
}
