/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-dialog.h"

#include <errno.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>

#include "ip/causes.h"
#include "ip/numbers.h"
#include "ip/sip-auth.h"
#include "ip/sip-listen.h"

#define SDP_TYPE "application/sdp"
#define RETRY_AFTER_S "10"

int tl_sip_in_provisional(struct tl_sip_dialog *d, unsigned status, bool inband)
{
	/* Without an offer to answer, a description in a 1xx would be an offer, which needs 100rel (RFC 3261 13.2.1). */
	bool describe = inband && d->offered && d->base.local.port;
	if (describe)
		tl_sip_media_agree(d);
	nua_respond(d->nh, (int)status, tl_status_phrase(status), TL_SIP_CONTACT(d),
		    TAG_IF(describe, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE)),
		    TAG_IF(describe, SIPTAG_PAYLOAD_STR(describe ? tl_sip_media_describe(d, true) : "")), TAG_END());
	return 0;
}

void tl_sip_in_answer(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	if (d->offered)
		tl_sip_media_agree(d);
	nua_respond(d->nh, 200, "OK", TL_SIP_CONTACT(d), SIPTAG_CONTENT_TYPE_STR(SDP_TYPE),
		    SIPTAG_PAYLOAD_STR(tl_sip_media_describe(d, d->offered)), TAG_END());
}

/* The ACK; to an INVITE without an offer it brings the answer (RFC 3261 13.2.1). */
void tl_sip_in_confirmed(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_nua_event *event = data;
	struct tl_sdp sdp;
	if (!d->offered) {
		if (tl_sip_media_read(d, event->sip, &sdp) || !tl_sip_media_take_answer(d, &sdp)) {
			struct tl_sip_ending ending = { TL_CAUSE_BEARER_NOT_IMPLEMENTED, false };
			tl_sip_dialog_fire(d, TL_SIP_RELEASE, &ending);
			return;
		}
		struct tl_dialog_event media = { TL_DIALOG_MEDIA };
		tl_sip_dialog_tell(d, &media);
	}
	if (d->reoffer_again && tl_sip_dialog_is_confirmed(d))
		tl_sip_dialog_fire(d, TL_SIP_REOFFER, NULL);
}

void tl_sip_in_refuse(void *user, const void *data)
{
	struct tl_sip_dialog *d = user;
	const struct tl_sip_ending *ending = data;
	char reason[96];
	unsigned status = tl_sip_status_from_cause(ending->cause);
	tl_sip_dialog_end(d, ending->cause, false);
	nua_respond(d->nh, (int)status, tl_status_phrase(status), SIPTAG_REASON_STR(tl_reason_format(ending->cause, reason)),
		    TAG_IF(ending->cause == TL_CAUSE_CONGESTION, SIPTAG_RETRY_AFTER_STR(RETRY_AFTER_S)), TAG_END());
}

static void refuse(const struct tl_nua_event *event, unsigned status)
{
	nua_respond(event->nh, (int)status, tl_status_phrase(status), NUTAG_WITH_THIS(event->listener->nua),
		    TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(RETRY_AFTER_S)), TAG_END());
	nua_handle_destroy(event->nh);
}

/* Who sends this: a trunk by its address, a user by digest. False when it was answered here. */
static bool admit(const struct tl_nua_event *event, struct tl_sip_origin *origin, enum tl_srtp_policy *srtp)
{
	struct tl_sip *sip = event->listener->sip;
	char host[64];
	unsigned port;
	const struct tl_trunk *trunk = tl_listener_source(event->listener, host, &port) ? tl_sip_trunk_from(sip, host) : NULL;
	if (trunk) {
		*origin = (struct tl_sip_origin){ TL_SIP_TRUNK, trunk->name };
		*srtp = trunk->srtp;
		return true;
	}
	const char *from = event->sip->sip_from ? event->sip->sip_from->a_url->url_user : NULL;
	const char *name = from ? tl_sip_user_named(sip, from) : NULL;
	if (!name) {
		sip->counters.unknown_peers++;
		refuse(event, 403);
		return false;
	}
	if (!tl_sip_auth_check(event, name))
		return false;
	*origin = (struct tl_sip_origin){ TL_SIP_USER, name };
	*srtp = ((const struct tl_phone *)g_hash_table_lookup(sip->users, name))->srtp;
	return true;
}

static struct tl_sip_dialog *dialog_from(const struct tl_nua_event *event, enum tl_srtp_policy srtp,
					 const struct tl_sdp *sdp)
{
	struct tl_sip_dialog *d = tl_sip_dialog_new(event->listener->sip, event->listener);
	tl_sip_keys_begin(&d->keys, srtp, d->listener);
	d->nh = event->nh;
	nua_handle_bind(d->nh, &d->nua);
	const sip_allow_t *allow = event->sip->sip_allow;
	nua_set_hparams(d->nh, NUTAG_UPDATE_REFRESH(sip_is_allowed(allow, sip_method_update, "UPDATE")), TAG_END());
	d->offered = sdp;
	unsigned port;
	tl_listener_source(event->listener, d->base.remote.from, &port);
	tl_listener_contact(d->listener, d->base.remote.from, d->contact);
	if (sdp)
		tl_sip_media_take_offer(d, sdp);
	d->keys.changed = false; /* the owner has not looked yet */
	return d;
}

/* 0 with *@has_offer, or the status to refuse with. */
static unsigned read_offer(const struct tl_nua_event *event, enum tl_srtp_policy srtp, struct tl_sdp *sdp, bool *has_offer)
{
	struct tl_sip_dialog reader = { .sip = event->listener->sip };
	*has_offer = false;
	if (!tl_sip_keys_begin(&reader.keys, srtp, event->listener))
		return 488;
	int e = tl_sip_media_read(&reader, event->sip, sdp);
	*has_offer = !e;
	if (e == -ENODATA)
		return 0;
	if (!e && sdp->side.port && (!sdp->side.t38.on || event->listener->sip->t38))
		return 0;
	return e == -EBADMSG ? 400 : 488;
}

void tl_sip_in_invite(const struct tl_nua_event *event)
{
	struct tl_sip *sip = event->listener->sip;
	struct tl_sip_origin origin;
	struct tl_sdp sdp;
	bool has_offer;
	sip->counters.invites_received++;
	if (sip->closing || sip->dialogs.length >= sip->max_dialogs) {
		sip->counters.overload_refused++;
		refuse(event, 503);
		return;
	}
	enum tl_srtp_policy srtp;
	if (!admit(event, &origin, &srtp))
		return;
	unsigned status = read_offer(event, srtp, &sdp, &has_offer);
	if (status) {
		refuse(event, status);
		return;
	}
	const sip_request_t *request = event->sip->sip_request;
	origin.asked = request && request->rq_url->url_user ? request->rq_url->url_user : "";
	struct tl_leg_setup setup;
	tl_numbers_read(event->sip, origin.kind == TL_SIP_TRUNK, &setup);
	struct tl_sip_dialog *d = dialog_from(event, srtp, has_offer ? &sdp : NULL);
	explicit_bzero(sdp.keys, sizeof sdp.keys);
	tl_sip_dialog_fire(d, TL_SIP_OFFERED, NULL);
	sip->handler.on_offered(sip, &d->base, &setup, &origin, sip->user);
}
