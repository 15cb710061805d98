/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-dialog.h"

#include <errno.h>
#include <string.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>

#include "base/thread.h"
#include "ip/causes.h"

enum state { NEW, OFFERED, ANSWERED, CALLING, CONFIRMED, REOFFERING, UNACKED, CLEARING, OVER, N_STATES };

static void send_bye(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	char reason[96];
	nua_bye(d->nh, SIPTAG_REASON_STR(tl_reason_format(d->ending.cause, reason)), TAG_END());
}

static void release_bye(void *user, const void *data)
{
	const struct tl_sip_ending *ending = data;
	tl_sip_dialog_end(user, ending->cause, false);
	send_bye(user, NULL);
}

/* A callee may not send BYE before the ACK (RFC 3261 15). */
static void release_unacked(void *user, const void *data)
{
	const struct tl_sip_ending *ending = data;
	tl_sip_dialog_end(user, ending->cause, false);
}

static void cleared_by_peer(void *user, const void *data)
{
	const struct tl_nua_event *event = data;
	tl_sip_dialog_end(user, tl_reason_cause(event->sip, TL_CAUSE_NORMAL_CLEARING), true);
}

/* The stack sends the BYE by itself. */
static void lost(void *user, const void *data)
{
	tl_sip_dialog_end(user, TL_CAUSE_RECOVERY_ON_TIMER, false);
}

static void over(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	tl_sip_dialog_end(d, TL_CAUSE_RECOVERY_ON_TIMER, false);
	tl_sip_dialog_drop_handle(d);
}

static void failed(void *user, const void *data)
{
	const struct tl_sip_ending *ending = data;
	tl_sip_dialog_end(user, ending->cause, ending->by_peer);
	tl_sip_dialog_drop_handle(user);
}

/* A 200 that crossed our CANCEL: the call exists, and is ended (RFC 3261 9.1). */
static void accepted_too_late(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	nua_ack(d->nh, TAG_END());
	send_bye(d, NULL);
}

static const char *const state_names[] = { "new", "offered", "answered", "calling", "confirmed", "reoffering", "unacked",
					   "clearing", "over" };
static const char *const event_names[] = { "offered", "call", "provisional", "accepted", "refused", "unreachable",
					   "failed", "answer", "ack", "reinvite", "reoffer", "cancelled", "bye", "release",
					   "lost", "terminated" };

static const struct tl_fsm_row rows[] = {
	{ NEW, TL_SIP_OFFERED, OFFERED, NULL },
	{ NEW, TL_SIP_CALL, CALLING, tl_sip_out_invite },

	{ OFFERED, TL_SIP_ANSWER, ANSWERED, tl_sip_in_answer },
	{ OFFERED, TL_SIP_REINVITE, OFFERED, tl_sip_media_glare },
	{ OFFERED, TL_SIP_RELEASE, CLEARING, tl_sip_in_refuse },
	{ OFFERED, TL_SIP_CANCELLED, CLEARING, cleared_by_peer },
	{ OFFERED, TL_SIP_BYE, CLEARING, cleared_by_peer },
	{ OFFERED, TL_SIP_LOST, CLEARING, lost },
	{ OFFERED, TL_SIP_TERMINATED, OVER, over },

	{ ANSWERED, TL_SIP_ACK, CONFIRMED, tl_sip_in_confirmed },
	{ ANSWERED, TL_SIP_REINVITE, ANSWERED, tl_sip_media_glare },
	{ ANSWERED, TL_SIP_REOFFER, ANSWERED, tl_sip_media_reoffer_later },
	{ ANSWERED, TL_SIP_RELEASE, UNACKED, release_unacked },
	{ ANSWERED, TL_SIP_CANCELLED, CLEARING, cleared_by_peer },
	{ ANSWERED, TL_SIP_BYE, CLEARING, cleared_by_peer },
	{ ANSWERED, TL_SIP_LOST, CLEARING, lost },
	{ ANSWERED, TL_SIP_TERMINATED, OVER, over },

	{ CALLING, TL_SIP_PROVISIONAL, CALLING, tl_sip_out_provisional },
	{ CALLING, TL_SIP_ACCEPTED, CONFIRMED, tl_sip_out_accepted },
	{ CALLING, TL_SIP_REFUSED, CALLING, tl_sip_out_refused },
	{ CALLING, TL_SIP_UNREACHABLE, CALLING, tl_sip_out_unreachable },
	{ CALLING, TL_SIP_FAILED, OVER, failed },
	{ CALLING, TL_SIP_REINVITE, CALLING, tl_sip_media_glare },
	{ CALLING, TL_SIP_RELEASE, CLEARING, tl_sip_out_cancel },
	{ CALLING, TL_SIP_BYE, CLEARING, cleared_by_peer },
	{ CALLING, TL_SIP_LOST, CLEARING, lost },
	{ CALLING, TL_SIP_TERMINATED, OVER, over },

	{ CONFIRMED, TL_SIP_REINVITE, CONFIRMED, tl_sip_media_reinvited },
	{ CONFIRMED, TL_SIP_ACK, CONFIRMED, tl_sip_media_reacked },
	{ CONFIRMED, TL_SIP_REOFFER, REOFFERING, tl_sip_media_reoffer },
	{ CONFIRMED, TL_SIP_PROVISIONAL, CONFIRMED, NULL },
	{ CONFIRMED, TL_SIP_ACCEPTED, CONFIRMED, tl_sip_media_refreshed },
	{ CONFIRMED, TL_SIP_REFUSED, CONFIRMED, NULL },
	{ CONFIRMED, TL_SIP_BYE, CLEARING, cleared_by_peer },
	{ CONFIRMED, TL_SIP_RELEASE, CLEARING, release_bye },
	{ CONFIRMED, TL_SIP_LOST, CLEARING, lost },
	{ CONFIRMED, TL_SIP_TERMINATED, OVER, over },

	{ REOFFERING, TL_SIP_PROVISIONAL, REOFFERING, NULL },
	{ REOFFERING, TL_SIP_ACCEPTED, CONFIRMED, tl_sip_media_reoffer_accepted },
	{ REOFFERING, TL_SIP_REFUSED, CONFIRMED, tl_sip_media_reoffer_refused },
	{ REOFFERING, TL_SIP_REOFFER, REOFFERING, tl_sip_media_reoffer_later },
	{ REOFFERING, TL_SIP_REINVITE, REOFFERING, tl_sip_media_glare },
	{ REOFFERING, TL_SIP_ACK, REOFFERING, tl_sip_media_reacked },
	{ REOFFERING, TL_SIP_BYE, CLEARING, cleared_by_peer },
	{ REOFFERING, TL_SIP_RELEASE, CLEARING, release_bye },
	{ REOFFERING, TL_SIP_LOST, CLEARING, lost },
	{ REOFFERING, TL_SIP_TERMINATED, OVER, over },

	{ UNACKED, TL_SIP_ACK, CLEARING, send_bye },
	{ UNACKED, TL_SIP_BYE, CLEARING, NULL },
	{ UNACKED, TL_SIP_CANCELLED, CLEARING, NULL },
	{ UNACKED, TL_SIP_RELEASE, UNACKED, NULL },
	{ UNACKED, TL_SIP_REINVITE, UNACKED, tl_sip_media_glare },
	{ UNACKED, TL_SIP_LOST, CLEARING, NULL },
	{ UNACKED, TL_SIP_TERMINATED, OVER, over },

	{ CLEARING, TL_SIP_PROVISIONAL, CLEARING, NULL },
	{ CLEARING, TL_SIP_ACCEPTED, CLEARING, accepted_too_late },
	{ CLEARING, TL_SIP_REFUSED, CLEARING, NULL },
	{ CLEARING, TL_SIP_ACK, CLEARING, NULL },
	{ CLEARING, TL_SIP_REINVITE, CLEARING, tl_sip_media_glare },
	{ CLEARING, TL_SIP_CANCELLED, CLEARING, NULL },
	{ CLEARING, TL_SIP_BYE, CLEARING, NULL },
	{ CLEARING, TL_SIP_RELEASE, CLEARING, NULL },
	{ CLEARING, TL_SIP_LOST, CLEARING, NULL },
	{ CLEARING, TL_SIP_TERMINATED, OVER, over },

	{ OVER, TL_SIP_RELEASE, OVER, NULL },
};

const struct tl_fsm_machine tl_sip_dialog_machine = {
	.name = "sip-dialog",
	.states = state_names, .n_states = N_STATES,
	.events = event_names, .n_events = TL_SIP_N_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows),
	.initial = NEW,
};

bool tl_sip_dialog_is_confirmed(const struct tl_sip_dialog *d)
{
	return d->fsm.state == CONFIRMED || d->fsm.state == REOFFERING;
}

static void destroy(struct tl_sip_dialog *d)
{
	if (d->telling)
		g_source_remove(d->telling);
	tl_timer_free(d->timer_b), tl_timer_free(d->retry);
	tl_sip_out_clear(d);
	tl_sip_media_forget(d);
	explicit_bzero(d, sizeof *d);
	g_free(d);
}

/* The owner and the stack let go in either order; the second frees. */
static void free_if_done(struct tl_sip_dialog *d)
{
	if (d->disowned && !d->sip)
		destroy(d);
}

static void leave(struct tl_sip_dialog *d)
{
	if (!d->sip)
		return;
	g_queue_unlink(&d->sip->dialogs, &d->link);
	d->sip = NULL;
	tl_timer_stop(d->timer_b), tl_timer_stop(d->retry);
	free_if_done(d);
}

void tl_sip_dialog_forget(struct tl_sip_dialog *d)
{
	d->disowned = true;
	leave(d);
}

bool tl_sip_dialog_fire(struct tl_sip_dialog *d, enum tl_sip_dialog_event event, const void *data)
{
	bool known = tl_fsm_fire(&d->fsm, event, d, data);
	if (d->fsm.state == OVER)
		leave(d);
	return known;
}

void tl_sip_dialog_tell(struct tl_sip_dialog *d, const struct tl_dialog_event *event)
{
	if (d->base.on_event && !d->told && !d->disowned)
		d->base.on_event(&d->base, event, d->base.user);
}

static void tell_released(struct tl_sip_dialog *d)
{
	if (d->told)
		return;
	struct tl_dialog_event event = { TL_DIALOG_RELEASED, .cause = d->ending.cause, .by_peer = d->ending.by_peer };
	bool heard = d->base.on_event && !d->disowned;
	d->told = true;
	if (heard)
		d->base.on_event(&d->base, &event, d->base.user);
}

static gboolean on_tell(gpointer user)
{
	struct tl_sip_dialog *d = user;
	d->telling = 0;
	tell_released(d);
	return G_SOURCE_REMOVE;
}

void tl_sip_dialog_end(struct tl_sip_dialog *d, unsigned cause, bool by_peer)
{
	if (d->has_ended)
		return;
	d->has_ended = true;
	d->ending = (struct tl_sip_ending){ cause, by_peer };
	tl_timer_stop(d->timer_b), tl_timer_stop(d->retry);
	d->telling = g_idle_add_full(G_PRIORITY_DEFAULT, on_tell, d, NULL);
}

void tl_sip_dialog_drop_handle(struct tl_sip_dialog *d)
{
	if (d->nh)
		nua_handle_destroy(d->nh);
	d->nh = NULL;
}

void tl_sip_dialog_abandon(struct tl_sip_dialog *d)
{
	tl_sip_dialog_end(d, TL_CAUSE_TEMPORARY_FAILURE, false);
	tl_sip_dialog_drop_handle(d);
	/* The owner may free it when told; what is left of it is freed by leave(). */
	bool owned = !d->disowned;
	if (d->telling)
		g_source_remove(d->telling);
	d->telling = 0;
	d->fsm.state = OVER;
	if (owned)
		tell_released(d);
	leave(d);
}

static int dialog_proceed(struct tl_dialog *dialog)
{
	const struct tl_sip_dialog *d = (const struct tl_sip_dialog *)dialog;
	return d->fsm.state == OFFERED ? 0 : -EINVAL; /* the stack has sent its 100 */
}

static int dialog_alert(struct tl_dialog *dialog, bool inband)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	return d->fsm.state == OFFERED ? tl_sip_in_provisional(d, 180, inband) : -EINVAL;
}

static int dialog_progress(struct tl_dialog *dialog, bool inband)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	return d->fsm.state == OFFERED ? tl_sip_in_provisional(d, 183, inband) : -EINVAL;
}

static int dialog_answer(struct tl_dialog *dialog)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	return d->fsm.state == OFFERED && tl_sip_dialog_fire(d, TL_SIP_ANSWER, NULL) ? 0 : -EINVAL;
}

static int dialog_release(struct tl_dialog *dialog, unsigned cause)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	struct tl_sip_ending ending = { cause, false };
	tl_assert_main();
	return tl_sip_dialog_fire(d, TL_SIP_RELEASE, &ending) ? 0 : -EINVAL;
}

static int dialog_update(struct tl_dialog *dialog)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	if (!tl_sip_dialog_is_confirmed(d) && d->fsm.state != ANSWERED)
		return -EINVAL;
	return tl_sip_dialog_fire(d, TL_SIP_REOFFER, NULL) ? 0 : -EINVAL;
}

static void dialog_free(struct tl_dialog *dialog)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)dialog;
	tl_assert_main();
	d->disowned = true;
	struct tl_sip_ending ending = { TL_CAUSE_NORMAL_CLEARING, false };
	if (!d->has_ended && d->sip)
		tl_sip_dialog_fire(d, TL_SIP_RELEASE, &ending);
	else
		free_if_done(d);
}

static const struct tl_dialog_ops dialog_ops = {
	dialog_proceed, dialog_alert, dialog_progress, dialog_answer, dialog_release, dialog_update, dialog_free,
};

/* SIP INFO: application/dtmf-relay "Signal=5", application/dtmf "5". */
static bool read_dtmf(const sip_t *sip, char digit[2])
{
	if (!sip || !sip->sip_payload || !sip->sip_content_type || !sip->sip_content_type->c_type)
		return false;
	const char *type = sip->sip_content_type->c_type;
	const char *at = sip->sip_payload->pl_data, *end = at + sip->sip_payload->pl_len;
	if (!g_ascii_strcasecmp(type, "application/dtmf-relay")) {
		const char *signal = g_strstr_len(at, end - at, "Signal");
		at = signal ? memchr(signal, '=', (size_t)(end - signal)) : NULL;
		if (!at)
			return false;
		at++;
	} else if (g_ascii_strcasecmp(type, "application/dtmf")) {
		return false;
	}
	while (at < end && *at == ' ')
		at++;
	if (at >= end || !*at || !strchr("0123456789*#ABCDabcd", *at))
		return false;
	digit[0] = g_ascii_toupper(*at);
	/* RFC 4733's numbers for * and #, as some telephones send them here too. */
	if (*at == '1' && at + 1 < end && (at[1] == '0' || at[1] == '1'))
		digit[0] = at[1] == '0' ? '*' : '#';
	digit[1] = 0;
	return true;
}

static void on_info(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	char digit[2];
	bool good = read_dtmf(event->sip, digit);
	nua_respond(event->nh, good ? 200 : 415, tl_status_phrase(good ? 200 : 415), NUTAG_WITH_THIS(event->listener->nua),
		    TAG_IF(!good, SIPTAG_ACCEPT_STR("application/dtmf-relay, application/dtmf")), TAG_END());
	struct tl_dialog_event dtmf = { TL_DIALOG_DTMF, .digits = digit };
	if (good)
		tl_sip_dialog_tell(d, &dtmf);
	else
		d->sip->counters.messages_refused++;
}

/* UPDATE without a description only refreshes the session timer (RFC 4028 7.4), which is the stack's. */
static void on_update(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	if (event->status >= 200)
		return;
	if (event->sip->sip_payload && event->sip->sip_payload->pl_len)
		tl_sip_dialog_fire(d, TL_SIP_REINVITE, event);
	else
		nua_respond(event->nh, 200, "OK", NUTAG_WITH_THIS(event->listener->nua), TAG_END());
}

static void on_state(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	int state = nua_callstate_init;
	tl_gets(event->tags, NUTAG_CALLSTATE_REF(state), TAG_END());
	if (state == nua_callstate_completing)
		tl_sip_dialog_fire(d, TL_SIP_ACCEPTED, event);
	else if (state == nua_callstate_terminating && !d->has_ended)
		tl_sip_dialog_fire(d, TL_SIP_LOST, NULL);
	else if (state == nua_callstate_terminated)
		tl_sip_dialog_fire(d, TL_SIP_TERMINATED, NULL);
}

static bool on_challenge(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	/* A second challenge is answered too: the nonce may have been stale; a third is a refusal. */
	return d->challenges++ < 2 && tl_sip_out_authenticate(event->nh, event->sip, d->user, d->password);
}

static void on_invite_response(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	if (event->status < 200) {
		/* The stack says 100 itself while it restarts a request; only the peer's own counts. */
		if (event->sip && event->sip->sip_status && event->sip->sip_status->st_status < 200)
			tl_sip_dialog_fire(d, TL_SIP_PROVISIONAL, event);
	} else if (event->status < 300) {
		d->challenges = 0;
		const sip_allow_t *allow = event->sip->sip_allow;
		nua_set_hparams(d->nh, NUTAG_UPDATE_REFRESH(sip_is_allowed(allow, sip_method_update, "UPDATE")), TAG_END());
		d->verdict = tl_sip_media_read(d, event->sip, &d->fresh);
	} else {
		tl_sip_dialog_fire(d, TL_SIP_REFUSED, event);
	}
}

/* A refresh that finds no such call at the other end ends it here too (RFC 3261 12.2.1.2). */
static void on_update_response(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	if ((event->status != 408 && event->status != 481) || !tl_sip_dialog_is_confirmed(d))
		return;
	tl_sip_dialog_fire(d, TL_SIP_LOST, NULL);
	send_bye(d, NULL);
}

static void on_nua(struct tl_nua_owner *owner, const struct tl_nua_event *event)
{
	struct tl_sip_dialog *d = (struct tl_sip_dialog *)((char *)owner - offsetof(struct tl_sip_dialog, nua));
	bool response = event->kind >= nua_r_set_params;
	if (response && (event->status == 401 || event->status == 407) && on_challenge(d, event))
		return;
	switch (event->kind) {
	case nua_r_invite:
		on_invite_response(d, event);
		break;
	case nua_i_invite:
		if (event->status < 200)
			tl_sip_dialog_fire(d, TL_SIP_REINVITE, event);
		break;
	case nua_i_update:
		on_update(d, event);
		break;
	case nua_i_ack:
		tl_sip_dialog_fire(d, TL_SIP_ACK, event);
		break;
	case nua_i_cancel:
		tl_sip_dialog_fire(d, TL_SIP_CANCELLED, event);
		break;
	case nua_i_bye:
		tl_sip_dialog_fire(d, TL_SIP_BYE, event);
		break;
	case nua_i_info:
		on_info(d, event);
		break;
	case nua_i_state:
		on_state(d, event);
		break;
	case nua_r_bye:
		if (event->status >= 200)
			tl_sip_dialog_fire(d, TL_SIP_TERMINATED, NULL);
		break;
	case nua_r_update:
		on_update_response(d, event);
		break;
	default:
		break;
	}
}

static void on_timer_b(void *user)
{
	tl_sip_dialog_fire(user, TL_SIP_UNREACHABLE, NULL);
}

static void on_retry(void *user)
{
	struct tl_sip_dialog *d = user;
	if (tl_sip_dialog_is_confirmed(d))
		tl_sip_dialog_fire(d, TL_SIP_REOFFER, NULL);
}

struct tl_sip_dialog *tl_sip_dialog_new(struct tl_sip *sip, struct tl_sip_listener *listener)
{
	struct tl_sip_dialog *d = g_new0(struct tl_sip_dialog, 1);
	d->base.ops = &dialog_ops;
	d->base.media = TL_MEDIA_RTP;
	d->base.local = (struct tl_rtp_side){ .dtmf_payload_type = -1, .ptime_ms = 20, .sends = true, .receives = true };
	d->base.remote = d->base.local;
	d->nua.on_event = on_nua;
	d->sip = sip;
	d->listener = listener;
	d->session_id = ((uint64_t)g_random_int() << 16) | (g_random_int() & 0xffff);
	d->timer_b = tl_timer_new("timer B", on_timer_b, d);
	d->retry = tl_timer_new("re-offer", on_retry, d);
	tl_fsm_init(&d->fsm, &tl_sip_dialog_machine);
	d->link.data = d;
	g_queue_push_tail_link(&sip->dialogs, &d->link);
	return d;
}
