/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A port's tick, whatever its kind. Thread: tick. */
#include <errno.h>
#include <string.h>

#include "media/bridge.h"
#include "media/fax-tone.h"
#include "media/caller-id.h"
#include "media/g711.h"
#include "media/mf.h"
#include "media/play.h"
#include "media/session.h"
#include "media/tap.h"
#include "media/tie.h"

#define REPEAT8(x) x, x, x, x, x, x, x, x
#define REPEAT80(x) REPEAT8(REPEAT8(x)), REPEAT8(x), REPEAT8(x)

static const uint8_t idle[2][TL_BLOCK_OCTETS] = {
	[TL_LAW_ALAW] = { REPEAT80(0xd5) },
	[TL_LAW_ULAW] = { REPEAT80(0xff) },
};

void tl_port_attach(struct tl_port *port)
{
	struct tl_media *media = port->media;
	port->index = media->n_attached;
	media->ports[media->n_attached++] = port;
	port->said = idle[port->law];
	port->said_event = -1;
	tl_port_find_line(port);
	if (port->rtp)
		tl_rtp_session_attach(port->rtp);
}

void tl_port_detach(struct tl_port *port)
{
	struct tl_media *media = port->media;
	if (port->bridge)
		tl_bridge_detach_port(port->bridge, port);
	tl_port_set_play(port, NULL);
	tl_port_set_recording(port, NULL);
	tl_port_set_tap(port, NULL);
	if (port->kind != TL_PORT_TIE)
		tl_port_set_tie(port, NULL);
	if (port->rtp)
		tl_rtp_session_detach(port->rtp);
	media->ports[port->index] = media->ports[--media->n_attached];
	media->ports[port->index]->index = port->index;
	tl_media_return(media, &port->parcel);
}

void tl_port_find_line(struct tl_port *port)
{
	port->line = NULL;
	for (unsigned i = 0; port->span && i < TL_MEDIA_SPANS_MAX; i++)
		if (port->media->spans[i].span == port->span)
			port->line = &port->media->spans[i];
}

static void end_play(struct tl_port *port)
{
	struct tl_play *ended = port->play;
	port->play = ended->next;
	tl_media_return(port->media, &ended->parcel);
}

void tl_port_set_play(struct tl_port *port, struct tl_play *play)
{
	if (play && port->play && tl_play_waits(play, port->play)) {
		if (!tl_play_append(port->play, play))
			tl_media_return(port->media, &play->parcel);
		return;
	}
	while (port->play) /* TL_PLAY_WAITING_MAX + 1 at most */
		end_play(port);
	port->play = play;
}

void tl_port_set_recording(struct tl_port *port, struct tl_recording *recording)
{
	if (port->recording)
		tl_media_return(port->media, &port->recording->parcel);
	port->recording = recording;
}

void tl_port_report_press(struct tl_port *port, const struct tl_dtmf_press *press)
{
	TL_COUNT(port->tally.digits_received, 1);
	tl_media_report(port->media, &(struct tl_event){
		TL_EVENT_DIGIT, .port = port, .digit = press->digit, .ms = press->duration_ms });
}

static void detect_fax(struct tl_port *port)
{
	int16_t samples[TL_BLOCK_OCTETS];
	enum tl_fax_tone tone;
	tl_g711_decode(port->law, port->said, samples, TL_BLOCK_OCTETS);
	if (tl_fax_ear_hear(port->fax_ear, samples, TL_BLOCK_OCTETS, &tone))
		tl_media_report(port->media, &(struct tl_event){ TL_EVENT_FAX_TONE, .port = port, .fax_tone = tone });
	if (port->fax_ticks && !--port->fax_ticks)
		port->fax_ear = NULL;
}

static void detect(struct tl_port *port)
{
	int16_t samples[TL_BLOCK_OCTETS];
	struct tl_dtmf_press press;
	tl_g711_decode(port->law, port->said, samples, TL_BLOCK_OCTETS);
	if (tl_dtmf_detector_hear(port->detector, samples, TL_BLOCK_OCTETS, &press))
		tl_port_report_press(port, &press);
}

static void listen_inband(struct tl_port *port)
{
	const struct tl_listening *listening = &port->listening;
	int16_t samples[TL_BLOCK_OCTETS];
	tl_g711_decode(port->law, port->said, samples, TL_BLOCK_OCTETS);
	char digit = listening->mf ? tl_mf_detector_hear(listening->mf, samples, TL_BLOCK_OCTETS) : 0;
	if (digit)
		tl_media_report(port->media, &(struct tl_event){ TL_EVENT_DIGIT, .port = port, .digit = digit });
	if (listening->caller_id && tl_caller_id_receiver_hear(listening->caller_id, samples, TL_BLOCK_OCTETS))
		tl_media_report(port->media, &(struct tl_event){ TL_EVENT_CALLER_ID, .port = port });
}

/* A timeslot that signalling has borrowed: what plays to it waits. */
static bool is_on_line(const struct tl_port *port)
{
	return port->line && port->line->ticking && tl_span_moves(port->span, port->slot);
}

void tl_port_take(struct tl_port *port)
{
	port->said_event = -1;
	port->said_missing = false;
	if (port->kind == TL_PORT_TIE) {
		tl_tie_take(port);
		return;
	}
	if (port->rtp) {
		port->said = port->block;
		tl_rtp_session_take(port->rtp);
		tl_rtp_session_report_tick(port->rtp);
	} else {
		port->said = is_on_line(port) ? tl_span_rx(port->span, port->slot) : idle[port->law];
	}
	/* Once events were heard, the tone in the audio is the same press again. */
	if (port->detector && !(port->rtp && port->rtp->events_heard))
		detect(port);
	if (port->fax_ear)
		detect_fax(port);
	if (port->tap)
		tl_port_take_tap(port);
	if (port->listening.mf || port->listening.caller_id)
		listen_inband(port);
	if (port->muted) {
		port->said = idle[port->law];
		port->said_event = -1;
	}
	if (port->tie)
		tl_tie_exchange(port);
	if (port->recording && !tl_ring_push(port->recording->blocks, port->said))
		TL_COUNT(port->tally.recorded_dropped, 1);
}

static bool hear_play(struct tl_port *port, uint8_t *block, int *code)
{
	bool begins = port->play->at == 0;
	if (!tl_play_block(port->play, port->law, block, code)) {
		port->play->completed = true;
		end_play(port);
		return port->play && hear_play(port, block, code);
	}
	if (*code >= 0 && begins)
		TL_COUNT(port->tally.digits_sent, 1);
	return true;
}

int tl_port_hear(struct tl_port *port, uint8_t *block)
{
	int code;
	if (port->tap) {
		tl_port_hear_tap(port, block);
		return -1;
	}
	if (port->play && hear_play(port, block, &code))
		return code;
	if (port->bridge)
		return tl_bridge_block(port->bridge, port, block);
	if (port->tie)
		return tl_tie_hear(port, block);
	memcpy(block, port->echo ? port->said : idle[port->law], TL_BLOCK_OCTETS);
	return port->echo ? port->said_event : -1;
}

void tl_port_give(struct tl_port *port)
{
	if (port->kind == TL_PORT_TIE)
		tl_tie_give(port);
	else if (port->rtp)
		tl_rtp_session_give(port->rtp);
	else if (is_on_line(port))
		tl_port_hear(port, tl_span_tx(port->span, port->slot));
}
