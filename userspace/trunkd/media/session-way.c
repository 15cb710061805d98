/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The way of a session's packets: whether by its own sockets or by the hub, protected or in the clear. Thread: tick. */
#include "media/browser.h"
#include "media/session.h"

void tl_rtp_session_set_keys(struct tl_rtp_session *session, struct tl_rtp_keys *keys)
{
	struct tl_rtp_keys *before = session->keys;
	if (keys && !keys->send)
		keys->send = before->send, before->send = NULL;
	if (keys && !keys->receive)
		keys->receive = before->receive, before->receive = NULL;
	if (before)
		tl_media_return(session->port->media, &before->parcel);
	session->keys = keys;
}

void tl_rtp_session_attach(struct tl_rtp_session *session)
{
	if (session->rtp.fd >= 0)
		tl_rtp_sockets_watch(session, true);
}

void tl_rtp_session_detach(struct tl_rtp_session *session)
{
	if (session->rtp.fd >= 0)
		tl_rtp_sockets_watch(session, false);
	if (!session->target.t38)
		tl_rtp_session_send_report(session, true);
	tl_browser_set(session, NULL);
	tl_rtp_session_set_keys(session, NULL);
}

bool tl_rtp_session_can_send(const struct tl_rtp_session *session, bool is_rtcp)
{
	if (session->rtp.fd < 0)
		return session->browser && tl_browser_is_up(session->browser);
	return is_rtcp ? session->target.rtcp.length : session->to.length;
}

bool tl_rtp_session_send(struct tl_rtp_session *session, uint8_t *octets, size_t n, bool is_rtcp)
{
	size_t room = n + TL_SRTP_GROWTH_MAX;
	if (session->keys && (is_rtcp ? tl_srtp_protect_rtcp(session->keys->send, octets, &n, room) :
					tl_srtp_protect(session->keys->send, octets, &n, room)))
		return false;
	return session->rtp.fd < 0 ? tl_browser_send(session->browser, octets, n) :
				     tl_rtp_sockets_send(session, octets, n, is_rtcp);
}

bool tl_rtp_session_open(struct tl_rtp_session *session, uint8_t *octets, size_t *n, bool is_rtcp)
{
	if (!session->keys && session->rtp.fd >= 0)
		return true;
	if (session->keys && !(is_rtcp ? tl_srtp_unprotect_rtcp(session->keys->receive, octets, n) :
					 tl_srtp_unprotect(session->keys->receive, octets, n)))
		return true;
	struct tl_port_tally *tally = &session->port->tally;
	TL_COUNT(*(session->keys ? &tally->refused : &tally->early), 1);
	return false;
}
