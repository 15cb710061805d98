/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "pri-loop.h"

#include <string.h>
#include <sys/time.h>

#include "base/clock.h"

#define STEP_MS 100
#define MESSAGE_TYPE_AT 8 /* 4 octets of Q.921, discriminator, length of the call reference, 2 octets of it */

struct tl_span {
	struct loop *loop;
	unsigned end;
	unsigned alarms;
	struct tl_span_handler handler;
	void *user;
	GQueue frames; /* of GBytes, sent and not yet arrived */
};

/* libpri takes the time from here: the test's clock is its clock. */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	now->tv_sec = tl_clock_us() / G_USEC_PER_SEC;
	now->tv_usec = tl_clock_us() % G_USEC_PER_SEC;
	return 0;
}

/* ---- the part of line.h that PRI uses ---- */

void tl_span_set_handler(struct tl_span *span, const struct tl_span_handler *handler, void *user)
{
	span->handler = *handler;
	span->user = user;
}

const char *tl_span_name(const struct tl_span *span)
{
	return span->end == NET ? "net" : "cpe";
}

enum tl_span_kind tl_span_get_kind(const struct tl_span *span)
{
	return span->loop->kind;
}

enum tl_law tl_span_get_law(const struct tl_span *span)
{
	return span->loop->kind == TL_SPAN_E1 ? TL_LAW_ALAW : TL_LAW_ULAW;
}

unsigned tl_span_slots(const struct tl_span *span)
{
	return span->loop->kind == TL_SPAN_E1 ? 31 : 24;
}

unsigned tl_span_d_channel(const struct tl_span *span)
{
	return span->loop->kind == TL_SPAN_E1 ? 16 : 24;
}

bool tl_span_is_bearer(const struct tl_span *span, unsigned slot)
{
	return slot >= 1 && slot <= tl_span_slots(span) && slot != tl_span_d_channel(span);
}

unsigned tl_span_alarms(const struct tl_span *span)
{
	return span->alarms;
}

int tl_span_send_d_frame(struct tl_span *span, const uint8_t *octets, size_t n_octets)
{
	g_assert_cmpuint(n_octets, <=, TL_D_FRAME_MAX);
	g_queue_push_tail(&span->frames, g_bytes_new(octets, n_octets));
	return 0;
}

/* ---- frames on their way ---- */

unsigned loop_message_type(const uint8_t *octets, size_t n_octets)
{
	bool information = n_octets > MESSAGE_TYPE_AT && !(octets[2] & 1);
	return information ? octets[MESSAGE_TYPE_AT] : 0;
}

void loop_retype(uint8_t *octets, unsigned type)
{
	octets[MESSAGE_TYPE_AT] = type;
}

static bool deliver_one(struct loop *loop, unsigned from)
{
	struct tl_span *to = loop->ends[!from].span;
	GBytes *frame = g_queue_pop_head(&loop->ends[from].span->frames);
	if (!frame)
		return false;
	size_t n;
	uint8_t *octets = g_bytes_unref_to_data(frame, &n);
	bool arrives = !loop->cut && (!loop->filter || loop->filter(loop, from, octets, n));
	if (arrives && to->handler.on_d_frame)
		to->handler.on_d_frame(to, octets, n, to->user);
	g_free(octets);
	return true;
}

void loop_settle(struct loop *loop)
{
	bool moved;
	do {
		tl_clock_advance(0);
		moved = deliver_one(loop, NET) | deliver_one(loop, CPE);
	} while (moved || g_main_context_iteration(NULL, FALSE));
}

void loop_pass(struct loop *loop, unsigned ms)
{
	for (unsigned step; ms; ms -= step) {
		step = MIN(ms, STEP_MS);
		tl_clock_advance(step * 1000);
		loop_settle(loop);
	}
}

void loop_hold_up(struct loop *loop, unsigned end, unsigned ms)
{
	while (deliver_one(loop, end))
		;
	tl_clock_fake(tl_clock_us() + (int64_t)ms * 1000); /* no timer has had its turn */
	while (deliver_one(loop, !end))
		;
	loop_settle(loop);
}

void loop_set_alarms(struct loop *loop, unsigned end, unsigned alarms)
{
	struct tl_span *span = loop->ends[end].span;
	span->alarms = alarms;
	span->handler.on_alarms(span, alarms, span->user);
}

/* ---- parties ---- */

struct party *party_new(void)
{
	struct party *party = g_new0(struct party, 1);
	party->heard = g_string_new(NULL);
	return party;
}

void party_free(struct party *party)
{
	g_string_free(party->heard, TRUE);
	g_free(party);
}

static void hear(struct party *party, const struct tl_dialog_event *event)
{
	static const char *const names[] = {
		[TL_DIALOG_PROCEEDING] = "proceeding", [TL_DIALOG_ALERTING] = "alerting", [TL_DIALOG_PROGRESS] = "progress",
		[TL_DIALOG_ANSWERED] = "answered", [TL_DIALOG_DIGITS] = "digits", [TL_DIALOG_DTMF] = "dtmf",
		[TL_DIALOG_FLASH] = "flash", [TL_DIALOG_MEDIA] = "media", [TL_DIALOG_RELEASED] = "released",
	};
	g_string_append(party->heard, names[event->kind]);
	if (event->kind == TL_DIALOG_MEDIA)
		g_string_append_printf(party->heard, ":%u", party->dialog->slot);
	else if (event->kind == TL_DIALOG_RELEASED)
		g_string_append_printf(party->heard, ":%u%s", event->cause, event->by_peer ? "<" : "");
	else if (event->kind == TL_DIALOG_DIGITS)
		g_string_append_printf(party->heard, ":%s%s", event->digits, event->complete ? "." : "");
	else if (event->kind != TL_DIALOG_ANSWERED && event->inband)
		g_string_append(party->heard, "+");
	g_string_append_c(party->heard, ' ');
}

static void on_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct party *party = user;
	g_assert_true(party->dialog == dialog);
	g_assert_cmpuint(party->n_released, ==, 0);
	hear(party, event);
	party->slot = dialog->slot;
	if (event->kind != TL_DIALOG_RELEASED)
		return;
	party->n_released++;
	party->dialog = NULL;
	tl_dialog_free(dialog);
}

static void on_offered(struct tl_pri *pri, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	struct loop_end *end = user;
	struct party *party = party_new();
	party->dialog = dialog;
	party->setup = *setup;
	party->slot = dialog->slot;
	dialog->on_event = on_event;
	dialog->user = party;
	g_ptr_array_add(end->offered, party);
	if (end->on_offered)
		end->on_offered(end, party);
}

struct party *loop_call_setup(struct loop *loop, unsigned end, unsigned slot, const struct tl_leg_setup *setup)
{
	GError *error = NULL;
	struct party *party = party_new();
	party->dialog = tl_pri_call(loop->ends[end].pri, setup, slot, on_event, party, &error);
	g_assert_no_error(error);
	g_assert_nonnull(party->dialog);
	return party;
}

struct party *loop_call(struct loop *loop, unsigned end, unsigned slot)
{
	struct tl_leg_setup setup = { .called_complete = true };
	g_assert_true(tl_number_parse("100", &setup.called));
	return loop_call_setup(loop, end, slot, &setup);
}

struct party *loop_offered(struct loop *loop, unsigned end, unsigned i)
{
	g_assert_cmpuint(i, <, loop->ends[end].offered->len);
	return g_ptr_array_index(loop->ends[end].offered, i);
}

/* ---- ends ---- */

static void on_d_channel(struct tl_pri *pri, bool up, void *user)
{
	struct loop_end *end = user;
	if (up)
		end->n_up++;
	else
		end->n_down++;
}

static void on_slots(struct tl_pri *pri, void *user)
{
	struct loop_end *end = user;
	end->n_slots_news++;
}

static void on_trace(struct tl_pri *pri, bool sent, const uint8_t *octets, size_t n_octets, void *user)
{
	struct loop_end *end = user;
	g_assert_cmpuint(n_octets, >=, 3);
	end->n_traced++;
}

void loop_end_start(struct loop_end *end)
{
	static const struct tl_pri_handler handler = {
		.on_offered = on_offered, .on_d_channel = on_d_channel, .on_slots = on_slots, .on_trace = on_trace,
	};
	GError *error = NULL;
	end->pri = tl_pri_new(&end->config, &handler, end, &error);
	g_assert_no_error(error);
}

void loop_end_stop(struct loop_end *end)
{
	tl_pri_free(end->pri);
	end->pri = NULL;
}

static void end_init(struct loop *loop, unsigned i, void (*tweak)(struct tl_pri_config *config, unsigned end))
{
	struct loop_end *end = &loop->ends[i];
	end->loop = loop;
	end->span = g_new0(struct tl_span, 1);
	end->span->loop = loop;
	end->span->end = i;
	end->offered = g_ptr_array_new_with_free_func((GDestroyNotify)party_free);
	end->config = (struct tl_pri_config){
		.span = end->span,
		.side = i == NET ? TL_PRI_NETWORK : TL_PRI_CPE,
		.type = loop->kind == TL_SPAN_E1 ? TL_PRI_EUROISDN : TL_PRI_NI2,
		.hunt = i == NET ? TL_HUNT_LOWEST : TL_HUNT_HIGHEST,
	};
	if (tweak)
		tweak(&end->config, i);
	loop_end_start(end);
}

struct loop *loop_new(enum tl_span_kind kind, void (*tweak)(struct tl_pri_config *config, unsigned end))
{
	struct loop *loop = g_new0(struct loop, 1);
	tl_clock_fake(1000 * G_USEC_PER_SEC);
	loop->kind = kind;
	end_init(loop, NET, tweak);
	end_init(loop, CPE, tweak);
	loop_settle(loop);
	g_assert_true(tl_pri_is_up(loop->ends[NET].pri));
	g_assert_true(tl_pri_is_up(loop->ends[CPE].pri));
	return loop;
}

void loop_free(struct loop *loop)
{
	for (unsigned i = NET; i <= CPE; i++) {
		struct loop_end *end = &loop->ends[i];
		loop_end_stop(end);
		g_queue_clear_full(&end->span->frames, (GDestroyNotify)g_bytes_unref);
		g_free(end->span);
		g_ptr_array_unref(end->offered);
	}
	g_free(loop);
}

void loop_assert_quiet(struct loop *loop)
{
	for (unsigned e = NET; e <= CPE; e++) {
		const struct loop_end *end = &loop->ends[e];
		for (unsigned slot = 1; slot <= tl_span_slots(end->span); slot++)
			if (tl_span_is_bearer(end->span, slot))
				g_assert_cmpint(tl_pri_slot_state(end->pri, slot), ==, TL_SLOT_IDLE);
		for (unsigned i = 0; i < end->offered->len; i++)
			g_assert_cmpuint(loop_offered(loop, e, i)->n_released, ==, 1);
	}
}
