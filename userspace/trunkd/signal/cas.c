/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/cas-inner.h"

#include "base/thread.h"

/* ANSI T1.403: how long a line may be away before its calls are given up. */
#define ALARM_MS 2500
/* GR-506: 750 ms and more; a telephone's is longer than what an exchange may take for a hook flash. */
#define EM_GUARD_MS 750
#define FXO_GUARD_MS 500
#define FXS_GUARD_MS 2000

static const struct cas_kind kinds[TL_CAS_KINDS] = {
	[TL_CAS_EM_IMMEDIATE] = { &tl_cas_em_machine, .guard_ms = EM_GUARD_MS },
	[TL_CAS_EM_WINK] = { &tl_cas_em_machine, .guard_ms = EM_GUARD_MS },
	[TL_CAS_FGD] = { &tl_cas_em_machine, .guard_ms = EM_GUARD_MS },
	[TL_CAS_FXS_LOOP] = { &tl_cas_fxs_machine, .telephone = true, .guard_ms = FXS_GUARD_MS },
	[TL_CAS_FXS_KEWL] = { &tl_cas_fxs_machine, .telephone = true, .kewl = true, .guard_ms = FXS_GUARD_MS },
	[TL_CAS_FXO_LOOP] = { &tl_cas_fxo_machine, .guard_ms = FXO_GUARD_MS },
	[TL_CAS_FXO_KEWL] = { &tl_cas_fxo_machine, .kewl = true, .guard_ms = FXO_GUARD_MS },
};

static struct tl_cas *cas_of(const struct tl_signalling *base)
{
	return (struct tl_cas *)base;
}

/* ---- the span ---- */

static void fire_all(struct tl_cas *cas, enum cas_event event)
{
	for (unsigned n = 1; n <= tl_span_slots(cas->base.span); n++)
		if (cas->slots[n].number)
			tl_cas_fire(&cas->slots[n], event, NULL);
}

static void set_down(struct tl_cas *cas, bool down)
{
	cas->down = down;
	fire_all(cas, down ? EV_DOWN : EV_UP);
	if (cas->base.handler.on_up)
		cas->base.handler.on_up(&cas->base, !down, cas->base.user);
}

static void on_alarm_timer(void *user)
{
	set_down(user, true);
}

static void on_alarms(struct tl_span *span, unsigned alarms, void *user)
{
	struct tl_cas *cas = user;
	if (!(alarms & TL_ALARM_DOWN)) {
		tl_timer_stop(cas->alarm);
		if (cas->down)
			set_down(cas, false);
	} else if (!cas->down && !tl_timer_running(cas->alarm)) {
		tl_timer_start(cas->alarm, ALARM_MS);
	}
	if (cas->base.handler.on_alarms)
		cas->base.handler.on_alarms(&cas->base, alarms, cas->base.user);
}

static void on_cas(struct tl_span *span, unsigned slot, unsigned abcd, int64_t line_us, void *user)
{
	struct tl_cas *cas = user;
	if (cas->slots[slot].number)
		tl_cas_on_bits(&cas->slots[slot], abcd, line_us);
}

static gboolean tell_slots(gpointer user)
{
	struct tl_cas *cas = user;
	cas->slots_news = 0;
	cas->base.handler.on_slots(&cas->base, cas->base.user);
	return G_SOURCE_REMOVE;
}

void tl_cas_slots_changed(struct tl_cas *cas)
{
	if (!cas->slots_news && cas->base.handler.on_slots)
		cas->slots_news = g_idle_add(tell_slots, cas);
}

/* ---- what the owner asks ---- */

static enum tl_slot_state slot_state(const struct tl_signalling *base, unsigned n)
{
	const struct cas_slot *slot = &cas_of(base)->slots[n];
	if (!slot->number || slot->fsm.state == CAS_DOWN)
		return TL_SLOT_UNUSABLE;
	if (slot->fsm.state == CAS_IDLE)
		return TL_SLOT_IDLE;
	bool held = !slot->cas->kind->telephone && slot->fsm.state == CAS_HELD;
	return held || slot->fsm.state == CAS_BLOCKED ? TL_SLOT_BLOCKED : TL_SLOT_BUSY;
}

static bool is_up(const struct tl_signalling *base)
{
	return !cas_of(base)->down;
}

static unsigned find_slot(struct tl_cas *cas, unsigned wanted)
{
	unsigned n = tl_span_slots(cas->base.span);
	if (wanted)
		return wanted <= n && slot_state(&cas->base, wanted) == TL_SLOT_IDLE ? wanted : 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = tl_slot_hunt(cas->config.hunt, cas->last_hunted, i, n);
		if (slot_state(&cas->base, slot) == TL_SLOT_IDLE)
			return cas->last_hunted = slot;
	}
	return 0;
}

/* Why @setup cannot go over this line, or NULL. */
static const char *refusal(const struct tl_cas *cas, const struct tl_leg_setup *setup)
{
	g_autofree char *address = tl_cas_address_format(cas->config.kind, cas->config.digits, setup);
	if (!address)
		return "the number has digits that the line cannot say";
	if (setup->bearer == TL_BEARER_UNRESTRICTED && tl_span_robs_bits(cas->base.span))
		return "robbed bits leave no 64 kbit/s";
	return NULL;
}

static struct tl_dialog *call(struct tl_signalling *base, const struct tl_leg_setup *setup, unsigned wanted,
			      tl_dialog_listener on_event, void *user, GError **error)
{
	struct tl_cas *cas = cas_of(base);
	const char *name = tl_span_name(base->span), *why = refusal(cas, setup);
	unsigned n = find_slot(cas, wanted);
	tl_assert_main();
	if (cas->down)
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_DOWN, "span %s is down", name);
	else if (why)
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NUMBER, "span %s: %s", name, why);
	else if (!n)
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_NO_CHANNEL, "span %s has no idle timeslot", name);
	if (cas->down || why || !n)
		return NULL;
	struct cas_dialog *dialog = tl_cas_dialog_new(&cas->slots[n], setup, true);
	dialog->base.on_event = on_event;
	dialog->base.user = user;
	tl_cas_fire(&cas->slots[n], EV_CALL, NULL);
	return &dialog->base;
}

static void block(struct tl_signalling *base, unsigned n, bool on)
{
	struct cas_slot *slot = &cas_of(base)->slots[n];
	tl_assert_main();
	if (!slot->number)
		return;
	slot->blocked = on;
	if (on && slot->fsm.state == CAS_IDLE)
		tl_cas_fire(slot, EV_BLOCK, NULL);
	else if (!on && slot->fsm.state == CAS_BLOCKED)
		tl_cas_fire(slot, EV_UNBLOCK, NULL);
}

static void counters(const struct tl_signalling *base, tl_counter_listener each, void *user)
{
	const struct cas_counters *c = &cas_of(base)->counters;
#define TELL(field) each(#field, c->field, user)
	TELL(seizures_received), TELL(seizures_sent), TELL(glare), TELL(no_wink), TELL(bad_winks), TELL(no_digits);
	TELL(bad_numbers), TELL(abandoned), TELL(held), TELL(flashes), TELL(caller_ids), TELL(alarm_drops);
#undef TELL
}

static void free_cas(struct tl_signalling *base)
{
	struct tl_cas *cas = cas_of(base);
	tl_assert_main();
	tl_span_set_handler(base->span, NULL, NULL);
	for (unsigned n = 1; n <= tl_span_slots(base->span); n++) {
		if (!cas->slots[n].number)
			continue;
		tl_cas_released(&cas->slots[n], TL_CAUSE_TEMPORARY_FAILURE, false);
		tl_cas_slot_done(&cas->slots[n]);
	}
	if (cas->slots_news)
		g_source_remove(cas->slots_news);
	tl_timer_free(cas->alarm);
	g_free(cas->number);
	g_free(cas);
}

/* ---- birth ---- */

static const struct tl_signalling_ops ops = {
	.call = call, .block = block, .slot_state = slot_state, .is_up = is_up, .counters = counters, .free = free_cas,
};

struct tl_signalling *tl_cas_signalling_new(struct tl_span *span, const struct tl_cas_config *config,
					    const struct tl_inband_room *audio, const struct tl_signalling_handler *handler,
					    void *user, GError **error)
{
	static const struct tl_span_handler hears = { .on_alarms = on_alarms, .on_cas = on_cas };
	tl_assert_main();
	if (!tl_span_has_cas(span) || !audio->ops) {
		g_set_error(error, TL_SIGNAL_ERROR, TL_SIGNAL_ERROR_CONFIG, "span %s: expected CAS bits and audio for signalling",
			    tl_span_name(span));
		return NULL;
	}
	struct tl_cas *cas = g_new0(struct tl_cas, 1);
	cas->base = (struct tl_signalling){
		.ops = &ops,
		.kind = (enum tl_signalling_kind)(TL_SIGNALLING_CAS_EM_IMMEDIATE + config->kind),
		.span = span,
		.handler = *handler,
		.user = user,
	};
	cas->config = *config;
	cas->audio = *audio;
	cas->number = g_strdup(config->number);
	cas->kind = &kinds[config->kind];
	cas->alarm = tl_timer_new("carrier group alarm", on_alarm_timer, cas);
	cas->down = tl_span_alarms(span) & TL_ALARM_DOWN;
	for (unsigned n = 1; n <= tl_span_slots(span); n++)
		if (tl_span_is_bearer(span, n))
			tl_cas_slot_init(&cas->slots[n], cas, n);
	tl_span_set_handler(span, &hears, cas);
	if (!cas->down)
		fire_all(cas, EV_UP);
	return &cas->base;
}

bool tl_cas_config_read(const struct tl_config_section *section, enum tl_cas_kind kind, struct tl_cas_config *config,
			GError **error)
{
	config->kind = kind;
	config->hunt = tl_config_choice(section, "hunt");
	config->digits = tl_config_choice(section, "cas_digits");
	config->caller_id = tl_config_choice(section, "caller_id");
	config->number = tl_config_string(section, "cas_number");
	config->digits_max = (unsigned)tl_config_int(section, "cas_digits_max");
	config->first_digit_ms = (unsigned)tl_config_int(section, "cas_first_digit_ms");
	config->digit_ms = (unsigned)tl_config_int(section, "cas_digit_ms");
	config->wink_ms = (unsigned)tl_config_int(section, "cas_wink_ms");
	config->dial_tone_ms = (unsigned)tl_config_int(section, "cas_dial_tone_ms");
	config->holds = tl_config_choice(section, "cas_glare") == 1;
	config->flash = tl_config_bool(section, "cas_flash");
	config->reversal = tl_config_bool(section, "cas_reversal");
	if (kind >= TL_CAS_FXS_LOOP && config->digits == TL_INBAND_MF)
		return tl_config_refuse(section, "cas_digits", error, "expected dtmf, because a loop line is dialled so");
	if (kind < TL_CAS_FXS_LOOP && config->caller_id != TL_CALLER_ID_NONE)
		return tl_config_refuse(section, "caller_id", error, "expected none, because an E&M trunk does not ring");
	if (kind < TL_CAS_FXS_LOOP && config->reversal)
		return tl_config_refuse(section, "cas_reversal", error, "expected no, because an E&M trunk has no battery");
	if ((kind == TL_CAS_FXS_LOOP || kind == TL_CAS_FXS_KEWL) && !config->number)
		return tl_config_refuse(section, "cas_number", error, "expected the line's number, for its callers dial none here");
	return true;
}
