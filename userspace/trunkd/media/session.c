/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A session's life on main. */
#include "media/session.h"

#include <string.h>

#include "base/thread.h"

struct tl_rtp_session *tl_rtp_session_new(struct tl_port *port)
{
	struct tl_media *media = port->media;
	struct tl_rtp_session *session = g_new0(struct tl_rtp_session, 1);
	session->port = port;
	session->rtp.fd = session->rtcp.fd = -1;
	session->ssrc = g_random_int();
	session->sequence = g_random_int() & 0x7fff; /* RFC 3550 5.1 asks for random ones */
	session->timestamp = g_random_int();
	session->random = session->ssrc | 1;
	session->phase = session->ssrc;
	session->report_ticks = 100 + session->ssrc % 400;
	session->tone = -1;
	tl_jitter_init(&session->jitter, media->config.jitter_min_ms, media->config.jitter_max_ms);
	return session;
}

void tl_rtp_session_free(struct tl_rtp_session *session)
{
	if (!session)
		return;
	if (session->rtp.fd >= 0)
		tl_rtp_sockets_close(session);
	tl_jitter_done(&session->jitter);
	tl_opus_in_free(session->opus_in);
	tl_opus_out_free(session->opus_out);
	explicit_bzero(&session->main_keys, sizeof session->main_keys);
	g_free(session);
}

static unsigned packet_samples(unsigned ptime_ms, bool is_opus)
{
	unsigned blocks = (is_opus ? tl_opus_out_packet_ms(ptime_ms) : ptime_ms) / 10;
	return TL_BLOCK_OCTETS * CLAMP(blocks, 1, TL_RTP_PACKET_SAMPLES_MAX / TL_BLOCK_OCTETS);
}

static struct tl_rtp_target target_of(const struct tl_rtp_side *remote)
{
	return (struct tl_rtp_target){
		.law = remote->law,
		.dtmf_payload_type = remote->dtmf_payload_type,
		.packet_samples = packet_samples(remote->ptime_ms ? remote->ptime_ms : 20, remote->opus_payload_type),
		.sends = remote->sends,
		.receives = remote->receives,
		.opus_payload_type = remote->opus_payload_type,
		.opus_fec = remote->opus_fec,
		.t38 = remote->t38.on,
		.video = remote->video,
	};
}

void tl_port_set_remote(struct tl_port *port, const struct tl_rtp_side *remote)
{
	tl_assert_main();
	g_return_if_fail(port->kind == TL_PORT_RTP);
	struct tl_command command = { TL_COMMAND_PORT_TARGET, .port = port, .target = target_of(remote) };
	if (port->rtp->rtp.fd >= 0 && remote->port)
		tl_rtp_target_locate(&command.target, remote);
	if (remote->opus_payload_type && !port->rtp->main_has_opus) {
		port->rtp->main_has_opus = true;
		command.target.opus_in = tl_opus_in_new(port->media->config.jitter_max_ms);
		command.target.opus_out = tl_opus_out_new(&port->media->config.opus);
	}
	port->rtp->main_is_opus = remote->opus_payload_type;
	port->main_law = remote->law;
	tl_media_command(port->media, &command);
}

void tl_rtp_keys_free(struct tl_rtp_keys *keys)
{
	tl_srtp_free(keys->send);
	tl_srtp_free(keys->receive);
	explicit_bzero(keys, sizeof *keys);
	g_free(keys);
}

static struct tl_srtp *srtp_new(enum tl_srtp_direction direction, enum tl_srtp_profile profile,
				const struct tl_srtp_key *key, GError **error)
{
	struct tl_srtp_config config = { .direction = direction, .profile = profile, .key = *key };
	struct tl_srtp *srtp = tl_srtp_new(&config, error);
	explicit_bzero(&config, sizeof config);
	return srtp;
}

static bool is_same(const struct tl_srtp_key *a, const struct tl_srtp_key *b)
{
	return !memcmp(a, b, sizeof *a);
}

/* A context begun anew under the same key would repeat key stream, or take what it has taken. */
static struct tl_rtp_keys *keys_new(const struct tl_rtp_session *session, const struct tl_dtls_keys *from, GError **error)
{
	const struct tl_dtls_keys *now = &session->main_keys;
	bool suite = session->main_secured && now->profile == from->profile;
	bool sends = suite && is_same(&now->send, &from->send), receives = suite && is_same(&now->receive, &from->receive);
	struct tl_rtp_keys *keys = g_new0(struct tl_rtp_keys, 1);
	keys->parcel.kind = TL_PARCEL_KEYS;
	if (!sends)
		keys->send = srtp_new(TL_SRTP_SEND, from->profile, &from->send, error);
	if (!receives && (sends || keys->send))
		keys->receive = srtp_new(TL_SRTP_RECEIVE, from->profile, &from->receive, error);
	if ((sends || keys->send) && (receives || keys->receive))
		return keys;
	tl_rtp_keys_free(keys);
	return NULL;
}

bool tl_port_set_keys(struct tl_port *port, const struct tl_dtls_keys *from, GError **error)
{
	tl_assert_main();
	g_return_val_if_fail(port->kind == TL_PORT_RTP, false);
	struct tl_rtp_session *session = port->rtp;
	struct tl_rtp_keys *keys = NULL;
	if (!from && !session->main_secured)
		return true;
	if (from && !(keys = keys_new(session, from, error)))
		return false;
	session->main_secured = from;
	if (from)
		session->main_keys = *from;
	tl_media_command(port->media, &(struct tl_command){ TL_COMMAND_PORT_KEYS, .port = port, .keys = keys });
	return true;
}

const char *tl_port_codec(const struct tl_port *port)
{
	if (!port->rtp)
		return NULL;
	return port->rtp->main_is_opus ? "opus" : port->main_law == TL_LAW_ALAW ? "PCMA" : "PCMU";
}

const char *tl_port_srtp(const struct tl_port *port)
{
	return port->rtp && port->rtp->main_secured ? tl_srtp_profile_name(port->rtp->main_keys.profile) : NULL;
}
