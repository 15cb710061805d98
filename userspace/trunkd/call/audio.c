/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/access.h"
#include "call/fax.h"
#include "call/report.h"
#include "call/t38.h"

#define TL_ROOM "call"
#include "base/log.h"

enum tl_law tl_leg_law(const struct tl_leg *leg)
{
	if (leg->port)
		return tl_port_law(leg->port);
	if (leg->dialog && leg->dialog->media == TL_MEDIA_TIMESLOT)
		return tl_span_get_law(leg->dialog->span);
	/* Towards a trunk its law, so that nothing is converted; a far end that does not have it says so in time. */
	const struct tl_dialog *other = leg->partner ? leg->partner->dialog : NULL;
	return other && other->media == TL_MEDIA_TIMESLOT ? tl_span_get_law(other->span) : leg->node->config->law;
}

static void opened(struct tl_leg *leg)
{
	if (leg->wants_digits || leg->collect)
		tl_leg_audio_search(leg);
	if (leg->muted)
		tl_port_mute(leg->port, true);
}

void tl_leg_audio_search(struct tl_leg *leg)
{
	if (leg->port)
		tl_port_detect_dtmf(leg->port, leg->wants_digits || leg->collect);
}

bool tl_leg_audio_rtp(struct tl_leg *leg, enum tl_law law, struct tl_rtp_side *local, GError **error)
{
	g_autoptr(GError) cause = NULL;
	leg->port = tl_port_new_rtp(leg->node->media, law, local, leg, &cause);
	if (!leg->port) {
		tl_control_refuse_circuit(error, TL_CAUSE_CONGESTION, "no audio for leg %s: %s", leg->id, cause->message);
		return false;
	}
	local->sends = local->receives = true;
	opened(leg);
	return true;
}

/* Keys first: without them nothing is sent, nor taken. */
static bool set_remote(struct tl_leg *leg, GError **error)
{
	if (!tl_port_set_keys(leg->port, leg->dialog->keys, error))
		return false;
	tl_port_set_remote(leg->port, &leg->dialog->remote);
	return true;
}

static bool open_rtp(struct tl_leg *leg, GError **error)
{
	struct tl_dialog *dialog = leg->dialog;
	g_autoptr(GError) cause = NULL;
	if (!tl_leg_audio_rtp(leg, tl_leg_law(leg), &dialog->local, error))
		return false;
	if (!dialog->remote.port || set_remote(leg, &cause))
		return true;
	tl_leg_audio_close(leg);
	tl_control_refuse_circuit(error, TL_CAUSE_TEMPORARY_FAILURE, "no SRTP for leg %s: %s", leg->id, cause->message);
	return false;
}

struct tl_port *tl_leg_audio(struct tl_leg *leg, GError **error)
{
	struct tl_dialog *dialog = leg->dialog;
	if (leg->port)
		return leg->port;
	if (!dialog || !tl_leg_is_live(leg) || (dialog->media == TL_MEDIA_TIMESLOT && !dialog->slot)) {
		tl_control_refuse_state(error, tl_leg_state_name(leg), "leg %s has no audio yet; state %s", leg->id,
			    tl_leg_state_name(leg));
		return NULL;
	}
	if (dialog->media == TL_MEDIA_TIMESLOT) {
		leg->port = tl_port_new_timeslot(leg->node->media, dialog->span, dialog->slot, leg);
		opened(leg);
	} else if (!open_rtp(leg, error)) {
		return NULL;
	}
	return leg->port;
}

static void set_held(struct tl_leg *leg, bool held)
{
	if (held == leg->held)
		return;
	leg->held = held;
	JsonObject *params = json_object_new();
	json_object_set_boolean_member(params, "held", held);
	tl_report_leg(leg, "leg.held", params);
}

static void slot_settled(struct tl_leg *leg)
{
	struct tl_dialog *dialog = leg->dialog;
	if (dialog->slot == leg->party.slot)
		return;
	/* Moved by the far end before there was audio worth keeping (ITU-T Q.931 5.1.2.1). */
	leg->party.slot = dialog->slot;
	tl_leg_audio_close(leg);
}

void tl_leg_audio_changed(struct tl_leg *leg)
{
	struct tl_dialog *dialog = leg->dialog;
	g_autoptr(GError) error = NULL;
	if (dialog->media == TL_MEDIA_TIMESLOT) {
		slot_settled(leg);
		return;
	}
	if (!leg->port || dialog->media == TL_MEDIA_BROWSER || !dialog->remote.port)
		return;
	if (!set_remote(leg, &error)) {
		tl_error("leg %s: no SRTP: %s", leg->id, error->message);
		tl_leg_release(leg, TL_CAUSE_TEMPORARY_FAILURE);
		return;
	}
	tl_leg_t38_changed(leg);
	if (tl_leg_state(leg) == TL_LEG_ANSWERED)
		set_held(leg, !dialog->remote.receives);
}

void tl_leg_audio_close(struct tl_leg *leg)
{
	tl_leg_fax_lost(leg);
	tl_gateway_parted(leg);
	tl_port_free(g_steal_pointer(&leg->port));
}

bool tl_leg_mute(struct tl_leg *leg, bool on, GError **error)
{
	if (!tl_leg_audio(leg, error))
		return false;
	tl_port_mute(leg->port, on);
	leg->muted = on;
	return true;
}
