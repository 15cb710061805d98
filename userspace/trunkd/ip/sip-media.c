/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-dialog.h"

#include <errno.h>
#include <string.h>

#include <sofia-sip/sip_tag.h>

#include "ip/causes.h"

#define SDP_TYPE "application/sdp"

/* RFC 3261 14.1: who made the Call-ID waits 2.1-4 s after a collision, the other at most 2 s. */
#define GLARE_CALLER_MIN_MS 2100
#define GLARE_CALLER_MAX_MS 4000
#define GLARE_CALLEE_MAX_MS 2000

static char *describe(struct tl_sip_dialog *d, const struct tl_rtp_side *side, bool answer)
{
	struct tl_sdp_local local = {
		.side = side,
		.both_laws = !answer,
		.shape = d->has_shape ? &d->shape : NULL,
		.answer = answer,
		.session_id = d->session_id,
		.version = d->version,
	};
	if (!side->t38.on)
		tl_sip_keys_describe(&d->keys, answer, &local);
	return tl_sdp_format(&local);
}

static void forget(char *description)
{
	if (description)
		explicit_bzero(description, strlen(description));
	g_free(description);
}

void tl_sip_media_forget(struct tl_sip_dialog *d)
{
	forget(g_steal_pointer(&d->description));
}

const char *tl_sip_media_describe(struct tl_sip_dialog *d, bool answer)
{
	struct tl_rtp_side side = d->base.local;
	if (answer) {
		/* An answer cannot ask for more than the offer gives (RFC 3264 6.1). */
		side.sends = side.sends && d->base.remote.receives;
		side.receives = side.receives && d->base.remote.sends;
		if (!d->base.remote.port)
			side.port = 0;
	}
	char *text = describe(d, &side, answer);
	if (d->description && strcmp(text, d->description)) {
		forget(text);
		d->version++;
		text = describe(d, &side, answer);
	}
	forget(d->description);
	return d->description = text;
}

int tl_sip_media_read(struct tl_sip_dialog *d, const sip_t *sip, struct tl_sdp *sdp)
{
	const sip_payload_t *payload = sip ? sip->sip_payload : NULL;
	const sip_content_type_t *type = sip ? sip->sip_content_type : NULL;
	if (!payload || !payload->pl_len)
		return -ENODATA;
	int e = -EPROTONOSUPPORT;
	if (!type || !type->c_type || !g_ascii_strcasecmp(type->c_type, SDP_TYPE))
		e = tl_sdp_parse(payload->pl_data, payload->pl_len, d->keys.policy != TL_SRTP_OFF, sdp);
	if (!e)
		e = tl_sip_keys_check(&d->keys, sdp);
	if (e)
		d->sip->counters.sdp_refused++;
	return e;
}

static void set_remote(struct tl_sip_dialog *d, const struct tl_rtp_side *side)
{
	struct tl_rtp_side before = d->base.remote;
	d->base.remote = *side;
	d->base.keys = d->keys.agreed ? &d->keys.both : NULL;
	memcpy(d->base.remote.from, before.from, sizeof before.from); /* no description tells it */
	if (side->t38.on)
		d->base.remote.law = before.law;
}

void tl_sip_media_take_offer(struct tl_sip_dialog *d, const struct tl_sdp *sdp)
{
	d->shape = *sdp;
	d->has_shape = true;
	if (!sdp->side.t38.on)
		tl_sip_keys_take_offer(&d->keys, sdp);
	set_remote(d, &sdp->side);
}

void tl_sip_media_agree(struct tl_sip_dialog *d)
{
	if (d->base.remote.port)
		tl_sdp_agree(&d->shape, &d->base.local, &d->base.remote);
}

bool tl_sip_media_take_answer(struct tl_sip_dialog *d, const struct tl_sdp *sdp)
{
	if (!sdp->side.port || (!sdp->side.t38.on && !tl_sip_keys_take_answer(&d->keys, sdp)))
		return false;
	int events = d->base.local.dtmf_payload_type < 0 ? -1 : sdp->side.dtmf_payload_type;
	if (sdp->side.t38.on && !d->base.local.t38.on)
		return false;
	d->shape = *sdp;
	d->has_shape = true;
	set_remote(d, &sdp->side);
	d->base.remote.dtmf_payload_type = events;
	if (sdp->side.t38.on)
		d->base.local.t38.correction = sdp->side.t38.correction;
	else
		d->base.local.law = sdp->side.law, d->base.local.t38.on = false;
	return true;
}

void tl_sip_media_tell(struct tl_sip_dialog *d, const struct tl_rtp_side *before)
{
	struct tl_dialog_event event = { TL_DIALOG_MEDIA };
	if (tl_sdp_side_equal(before, &d->base.remote) && !d->keys.changed)
		return;
	d->keys.changed = false;
	tl_sip_dialog_tell(d, &event);
}

bool tl_sip_media_acknowledge(struct tl_sip_dialog *d, const struct tl_nua_event *event)
{
	int is_offer = 0;
	tl_gets(event->tags, NUTAG_OFFER_RECV_REF(is_offer), TAG_END());
	if (!is_offer || d->verdict) {
		nua_ack(d->nh, TAG_END());
		return !d->verdict && tl_sip_media_take_answer(d, &d->fresh);
	}
	tl_sip_media_take_offer(d, &d->fresh);
	tl_sip_media_agree(d);
	nua_ack(d->nh, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE), SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, true)), TAG_END());
	return true;
}

void tl_sip_media_reoffer(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	d->reoffer_again = false;
	nua_invite(d->nh, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE), SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, false)), TAG_END());
}

void tl_sip_media_reoffer_later(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	d->reoffer_again = true;
}

static void reoffer_again(struct tl_sip_dialog *d)
{
	if (d->reoffer_again)
		tl_sip_dialog_fire(d, TL_SIP_REOFFER, NULL);
}

/* No change of medium: what was agreed before stays in force, and the owner hears of it. */
static void stay(struct tl_sip_dialog *d)
{
	if (d->base.local.t38.on == d->base.remote.t38.on)
		return;
	struct tl_dialog_event event = { TL_DIALOG_MEDIA };
	d->base.local.t38.on = d->base.remote.t38.on;
	tl_sip_dialog_tell(d, &event);
}

void tl_sip_media_reoffer_accepted(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	struct tl_rtp_side before = d->base.remote;
	/* An unusable answer leaves what was agreed before in force. */
	if (tl_sip_media_acknowledge(d, data))
		tl_sip_media_tell(d, &before);
	stay(d);
	if (tl_sip_dialog_is_confirmed(d))
		reoffer_again(d);
}

void tl_sip_media_reoffer_refused(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	bool caller = d->routes;
	bool changes = d->base.local.t38.on != d->base.remote.t38.on;
	if (event->status == 491 || (event->status == 500 && !changes)) {
		tl_timer_start(d->retry, caller ? (unsigned)g_random_int_range(GLARE_CALLER_MIN_MS, GLARE_CALLER_MAX_MS)
						: (unsigned)g_random_int_range(0, GLARE_CALLEE_MAX_MS));
		return;
	}
	stay(d);
	reoffer_again(d);
}

/* The stack has repeated an INVITE to keep the session alive (RFC 4028 7.4). */
void tl_sip_media_refreshed(void *user, const void *data)
{
	tl_sip_media_reoffer_accepted(user, data);
}

void tl_sip_media_glare(void *user, const void *data)
{
	const struct tl_nua_event *event = data;
	nua_respond(event->nh, 491, tl_status_phrase(491), NUTAG_WITH_THIS(event->listener->nua), TAG_END());
}

static void accept_offer(struct tl_sip_dialog *d, const struct tl_nua_event *event, const struct tl_sdp *sdp)
{
	struct tl_rtp_side before = d->base.remote;
	if (sdp->side.t38.on)
		tl_timer_stop(d->retry); /* both wanted the same */
	tl_sip_media_take_offer(d, sdp);
	tl_sip_media_agree(d);
	nua_respond(event->nh, 200, "OK", NUTAG_WITH_THIS(event->listener->nua), SIPTAG_CONTENT_TYPE_STR(SDP_TYPE),
		    SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, true)), TAG_END());
	tl_sip_media_tell(d, &before);
}

static bool takes(const struct tl_sip_dialog *d, const struct tl_sdp *sdp)
{
	if (!sdp->side.t38.on || d->base.remote.t38.on)
		return true;
	/* UDPTL has no protection: a call that has it keeps to audio. */
	return !d->base.keys && d->base.may_go_t38 && d->base.may_go_t38((struct tl_dialog *)&d->base, d->base.user);
}

void tl_sip_media_reinvited(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	struct tl_sdp sdp;
	int e = tl_sip_media_read(d, event->sip, &sdp);
	if (!e && !takes(d, &sdp))
		e = -EPROTONOSUPPORT;
	if (e == -ENODATA)
		nua_respond(event->nh, 200, "OK", NUTAG_WITH_THIS(event->listener->nua), SIPTAG_CONTENT_TYPE_STR(SDP_TYPE),
			    SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, false)), TAG_END());
	else if (e) {
		unsigned status = e == -EBADMSG ? 400 : 488;
		nua_respond(event->nh, (int)status, tl_status_phrase(status), NUTAG_WITH_THIS(event->listener->nua), TAG_END());
	} else
		accept_offer(d, event, &sdp);
}

/* The answer to the offer in our 200 to a re-INVITE that had none. */
void tl_sip_media_reacked(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	struct tl_rtp_side before = d->base.remote;
	struct tl_sdp sdp;
	if (!tl_sip_media_read(d, event->sip, &sdp) && tl_sip_media_take_answer(d, &sdp))
		tl_sip_media_tell(d, &before);
}
