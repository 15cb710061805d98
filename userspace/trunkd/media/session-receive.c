/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the far end sends: from the socket into the playout buffer, and a block a tick out of it. Thread: tick. */
#include <string.h>

#include "media/browser.h"
#include "media/g711.h"
#include "media/session.h"

#define DATAGRAM_MAX 2048
#define CONCEALED_MAX 3          /* 30 ms: beyond it a repeated block sounds worse than silence */
#define SILENCE_TICKS 1000       /* 10 s */
#define SAMPLES_PER_MS 8
#define REPEAT_MS 20             /* Opus: a packet */

/* Codecs come with the first target that needs them, and stay. */
static void set_opus(struct tl_rtp_session *session, const struct tl_rtp_target *target)
{
	const struct tl_media_config *config = &session->port->media->config;
	if (target->opus_in) {
		session->opus_in = target->opus_in;
		session->opus_out = target->opus_out;
	}
	if (!target->opus_payload_type) {
		session->jitter.min = config->jitter_min_ms * SAMPLES_PER_MS;
		return;
	}
	tl_opus_in_reset(session->opus_in);
	tl_opus_out_expect(session->opus_out, target->opus_fec, 0);
	/* A lost packet is made good from the next one, which must be there by then. */
	session->jitter.min = MIN(config->jitter_min_ms + REPEAT_MS, config->jitter_max_ms) * SAMPLES_PER_MS;
}

void tl_rtp_session_set_target(struct tl_rtp_session *session, const struct tl_rtp_target *target)
{
	bool other_codec = session->port->law != target->law || session->target.t38 != target->t38 ||
			   session->target.opus_payload_type != target->opus_payload_type;
	if (session->rtp.fd >= 0)
		tl_rtp_sockets_aim(session, target);
	if (other_codec) {
		session->filled = 0;
		tl_jitter_reset(&session->jitter);
		session->concealed = CONCEALED_MAX; /* the last good block is of the other law, or of long ago */
		set_opus(session, target);
	}
	session->target = *target;
	session->quiet_ticks = 0;
	session->port->law = target->law;
}

void tl_rtp_session_set_fixed(struct tl_rtp_session *session, bool fixed)
{
	session->jitter.fixed = fixed;
}

void tl_rtp_session_set_deep(struct tl_rtp_session *session, bool deep)
{
	tl_jitter_set_deep(&session->jitter, deep);
}

static void heard_event(struct tl_rtp_session *session, const struct tl_rtp_packet *packet)
{
	struct tl_dtmf_press presses[TL_EVENT_PRESSES_MAX];
	struct tl_rtp_event event;
	if (tl_rtp_event_parse(packet->payload, packet->payload_octets, &event) != 0) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	session->events_heard = true;
	unsigned n = tl_event_in_hear(&session->event_in, packet->timestamp, &event, presses);
	for (unsigned i = 0; i < n; i++)
		tl_port_report_press(session->port, &presses[i]);
}

/* Whether they were taken. */
static bool put(struct tl_rtp_session *session, uint32_t timestamp, const uint8_t *octets, unsigned n)
{
	struct tl_port_tally *tally = &session->port->tally;
	switch (tl_jitter_put(&session->jitter, timestamp, octets, n)) {
	case TL_JITTER_LATE:
		TL_COUNT(tally->late, 1);
		return false;
	case TL_JITTER_DUPLICATE:
		TL_COUNT(tally->duplicate, 1);
		return false;
	case TL_JITTER_OVERFLOW:
		TL_COUNT(tally->overflow, 1);
		return true;
	case TL_JITTER_TAKEN:
	case TL_JITTER_MOVED:
		return true;
	}
	return false;
}

static void heard_audio(struct tl_rtp_session *session, const struct tl_rtp_packet *packet)
{
	uint8_t octets[DATAGRAM_MAX];
	enum tl_law law = packet->payload_type == TL_RTP_PAYLOAD_PCMA ? TL_LAW_ALAW : TL_LAW_ULAW;
	const uint8_t *payload = packet->payload;
	if (packet->payload_octets == 0)
		return;
	if (law != session->port->law) {
		tl_g711_convert(law, session->port->law, payload, octets, packet->payload_octets);
		payload = octets;
	}
	put(session, packet->timestamp, payload, packet->payload_octets);
}

/* The playout buffer gets the packet's place in time, and its octets wait beside it. */
static void heard_opus(struct tl_rtp_session *session, const struct tl_rtp_packet *packet)
{
	static const uint8_t place[TL_RTP_PACKET_SAMPLES_MAX];
	int samples = tl_opus_in_samples(packet->payload, packet->payload_octets);
	if (samples < 0) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	if (put(session, packet->timestamp, place, samples))
		tl_opus_in_keep(session->opus_in, packet->timestamp, packet->payload, packet->payload_octets, samples);
}

static void heard_again(struct tl_rtp_session *session)
{
	if (session->silence_told)
		tl_media_report(session->port->media,
				&(struct tl_event){ TL_EVENT_SILENCE, .port = session->port, .ms = 0 });
	session->silence_told = false;
	session->quiet_ticks = 0;
}

/* Whether the packet is to be used. */
static bool booked(struct tl_rtp_session *session, const struct tl_rtp_packet *packet, uint32_t arrival)
{
	struct tl_port_tally *tally = &session->port->tally;
	switch (tl_rtp_source_hear(&session->source, packet, arrival)) {
	case TL_RTP_RESTARTED:
		tl_jitter_reset(&session->jitter);
		if (session->opus_in)
			tl_opus_in_reset(session->opus_in);
		session->event_in = (struct tl_event_in){ 0 };
		break;
	case TL_RTP_NEW:
		break;
	case TL_RTP_DUPLICATE:
		TL_COUNT(tally->duplicate, 1);
		return false;
	case TL_RTP_STRAY:
		TL_COUNT(tally->refused, 1);
		return false;
	}
	int32_t lost = tl_rtp_source_lost(&session->source);
	TL_COUNT(tally->packets_received, 1);
	atomic_store_explicit(&tally->lost, lost > 0 ? lost : 0, memory_order_relaxed);
	atomic_store_explicit(&tally->jitter_us, tl_rtp_source_jitter(&session->source) * 125, memory_order_relaxed);
	return true;
}

void tl_rtp_session_hear(struct tl_rtp_session *session, const struct tl_rtp_packet *packet, uint32_t arrival)
{
	bool is_opus = tl_rtp_session_has_opus(session) && packet->payload_type == session->target.opus_payload_type;
	bool is_audio = !tl_rtp_session_has_opus(session) && (packet->payload_type == TL_RTP_PAYLOAD_PCMA ||
							      packet->payload_type == TL_RTP_PAYLOAD_PCMU);
	bool is_event = packet->payload_type == TL_RTP_EVENT_PAYLOAD ||
			packet->payload_type == session->target.dtmf_payload_type;
	if (!is_audio && !is_opus && !is_event) {
		TL_COUNT(session->port->tally.refused, 1);
		return;
	}
	struct tl_rtp_packet timed = *packet;
	if (tl_rtp_session_has_opus(session))
		timed.timestamp = tl_opus_in_time(session->opus_in, packet->timestamp);
	if (!booked(session, &timed, arrival))
		return;
	heard_again(session);
	if (is_opus)
		heard_opus(session, &timed);
	else if (is_audio)
		heard_audio(session, packet);
	else
		heard_event(session, packet);
}

/* Puts the last good block in the place of one that is not there, or not all of it, each time 6 dB lower. */
static void conceal(struct tl_rtp_session *session)
{
	int16_t samples[TL_BLOCK_OCTETS];
	struct tl_port *port = session->port;
	memset(port->block, tl_law_idle(port->law), TL_BLOCK_OCTETS);
	if (!session->jitter.running || !session->target.sends)
		return;
	TL_COUNT(port->tally.concealed_blocks, 1);
	if (session->jitter.fixed || session->jitter.deep || session->concealed >= CONCEALED_MAX)
		return;
	session->concealed++;
	tl_g711_decode(port->law, session->last, samples, TL_BLOCK_OCTETS);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		samples[i] /= 2;
	tl_g711_encode(port->law, samples, session->last, TL_BLOCK_OCTETS);
	memcpy(port->block, session->last, TL_BLOCK_OCTETS);
}

/* The tone of a digit that came as an event, in the audio's place. */
static void sound_event(struct tl_rtp_session *session, int code)
{
	int16_t samples[TL_BLOCK_OCTETS];
	if (code != session->tone && code >= 0)
		tl_dtmf_tone(&session->oscillator, code);
	session->tone = code;
	if (code < 0)
		return;
	tl_oscillator_fill(&session->oscillator, samples, TL_BLOCK_OCTETS);
	tl_g711_encode(session->port->law, samples, session->port->block, TL_BLOCK_OCTETS);
	session->port->said_event = code;
}

static void watch_silence(struct tl_rtp_session *session)
{
	if (!session->target.sends || session->target.rtp.length == 0 || session->target.t38)
		return; /* T.38 says nothing while a page is made or printed */
	if (++session->quiet_ticks % SILENCE_TICKS)
		return;
	session->silence_told = true;
	tl_media_report(session->port->media, &(struct tl_event){
		TL_EVENT_SILENCE, .port = session->port, .ms = session->quiet_ticks * 10 });
}

static void take_g711(struct tl_rtp_session *session)
{
	struct tl_port *port = session->port;
	unsigned missing = tl_jitter_missing(&session->jitter);
	if (missing)
		conceal(session);
	else
		session->concealed = 0;
	port->said_missing = missing == TL_BLOCK_OCTETS && session->jitter.running && session->target.sends;
	tl_jitter_get(&session->jitter, port->block, missing);
	if (missing < TL_BLOCK_OCTETS)
		memcpy(session->last, port->block, TL_BLOCK_OCTETS);
}

static void take_opus(struct tl_rtp_session *session)
{
	struct tl_port *port = session->port;
	int16_t samples[TL_BLOCK_OCTETS];
	uint32_t at = session->jitter.play;
	tl_jitter_get(&session->jitter, port->block, TL_BLOCK_OCTETS); /* it keeps places only */
	if (!session->jitter.running) {
		memset(port->block, tl_law_idle(port->law), TL_BLOCK_OCTETS);
		return;
	}
	enum tl_opus_fate fate = tl_opus_in_block(session->opus_in, at, samples);
	if (session->target.sends && (fate == TL_OPUS_CONCEALED || fate == TL_OPUS_RECOVERED))
		TL_COUNT(port->tally.concealed_blocks, 1);
	tl_g711_encode(port->law, samples, port->block, TL_BLOCK_OCTETS);
}

void tl_rtp_session_take(struct tl_rtp_session *session)
{
	struct tl_port *port = session->port;
	struct tl_dtmf_press press;
	if (tl_rtp_session_has_opus(session))
		take_opus(session);
	else
		take_g711(session);
	if (tl_event_in_tick(&session->event_in, &press))
		tl_port_report_press(port, &press);
	sound_event(session, tl_event_in_tone(&session->event_in));
	watch_silence(session);
	if (session->browser)
		tl_browser_watch(session->browser);
	atomic_store_explicit(&port->tally.corrections, session->jitter.corrections, memory_order_relaxed);
	atomic_store_explicit(&port->tally.depth_us, tl_jitter_depth(&session->jitter) * 125, memory_order_relaxed);
}
