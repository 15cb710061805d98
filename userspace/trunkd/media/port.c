/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Ports as main sees them: memory is made here, wishes become commands. Thread: main. */
#include "media/port.h"

#include <errno.h>
#include <string.h>

#include "base/thread.h"
#include "media/bridge.h"
#include "media/fax-tone.h"
#include "media/hub.h"
#include "media/mf.h"
#include "media/play.h"
#include "media/session.h"
#include "media/tie.h"
#include "media/tone.h"

#define BLOCKS_PER_S 100
#define DIGIT_MS_MAX 8000

struct tl_port *tl_port_make(struct tl_media *media, enum tl_port_kind kind, enum tl_law law, void *user)
{
	tl_assert_main();
	struct tl_port *port = g_new0(struct tl_port, 1);
	port->parcel.kind = TL_PARCEL_PORT;
	port->media = media;
	port->kind = kind;
	port->law = port->main_law = law;
	port->user = user;
	return port;
}

static void send_command(struct tl_port *port, struct tl_command command)
{
	tl_assert_main();
	g_assert(!port->freed);
	command.port = port;
	tl_media_command(port->media, &command);
}

struct tl_port *tl_port_begin(struct tl_port *port)
{
	port->media->first->n_ports++;
	port->media->n_sessions += port->rtp != NULL;
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_ATTACH });
	return port;
}

struct tl_port *tl_port_new_timeslot(struct tl_media *media, struct tl_span *span, unsigned slot, void *port_user)
{
	g_assert(slot >= 1 && slot <= tl_span_slots(span));
	if (media->n_ports >= media->config.max_ports)
		return NULL;
	struct tl_port *port = tl_port_make(tl_media_home(media, span), TL_PORT_TIMESLOT, tl_span_get_law(span), port_user);
	port->span = span;
	port->slot = slot;
	return tl_port_begin(port);
}

struct tl_port *tl_port_new_session(struct tl_media *media, enum tl_law law, void *port_user, GError **error)
{
	if (media->first->n_ports >= media->config.max_ports) {
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_PORTS, "media: all %u ports are in use",
			    media->config.max_ports);
		return NULL;
	}
	struct tl_port *port = tl_port_make(media, TL_PORT_RTP, law, port_user);
	port->rtp = tl_rtp_session_new(port);
	return port;
}

struct tl_port *tl_port_new_rtp(struct tl_media *media, enum tl_law law, struct tl_rtp_side *local, void *port_user,
				GError **error)
{
	struct tl_port *port = tl_port_new_session(tl_media_choose(media), law, port_user, error);
	if (port && !tl_rtp_sockets_open(port->rtp, error)) {
		tl_rtp_session_free(port->rtp);
		g_free(port);
		return NULL;
	}
	if (!port)
		return NULL;
	*local = (struct tl_rtp_side){
		.port = port->rtp->local_port,
		.law = law,
		.dtmf_payload_type = TL_RTP_EVENT_PAYLOAD,
		.ptime_ms = 20,
		.sends = true,
		.receives = true,
	};
	g_strlcpy(local->host, media->config.rtp_announce, sizeof local->host);
	return tl_port_begin(port);
}

void tl_port_free(struct tl_port *port)
{
	if (!port)
		return;
	if (port->main_bridge)
		tl_bridge_remove(port->main_bridge, port);
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_DETACH });
	if (port->was_tapped)
		tl_media_kick(port->media); /* a tick may be waiting for the tap */
	port->freed = true;
}

void tl_port_dispose(struct tl_port *port)
{
	if (port->kind == TL_PORT_TIE) {
		tl_tie_proxy_returned(port->tie);
		return;
	}
	port->media->first->n_ports--;
	port->media->n_sessions -= port->rtp != NULL;
	if (port->rtp && port->rtp->rtp.fd < 0)
		port->media->first->hub->n_browsers--;
	tl_rtp_session_free(port->rtp);
	tl_dtmf_detector_free(port->main_detector);
	tl_fax_ear_free(port->main_fax_ear);
	tl_inband_free(port->inband);
	if (port->main_recording) { /* the thread returned it before the port */
		tl_ring_free(port->main_recording->blocks);
		g_free(port->main_recording);
	}
	g_free(port);
}

void tl_port_detect_dtmf(struct tl_port *port, bool on)
{
	if (on && !port->main_detector)
		port->main_detector = tl_dtmf_detector_new();
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_DETECT, .detector = on ? port->main_detector : NULL });
}

void tl_port_detect_fax(struct tl_port *port, bool on)
{
	if (on && !port->main_fax_ear)
		port->main_fax_ear = tl_fax_ear_new();
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_DETECT_FAX, .fax_ear = on ? port->main_fax_ear : NULL });
}

void tl_port_detect_fax_within(struct tl_port *port, unsigned ms)
{
	if (!port->main_fax_ear)
		port->main_fax_ear = tl_fax_ear_new();
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_DETECT_FAX_WITHIN, .fax_ear = port->main_fax_ear, .ticks = ms / 10 });
}

void tl_port_echo(struct tl_port *port, bool on)
{
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_ECHO, .on = on });
}

void tl_port_mute(struct tl_port *port, bool on)
{
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_MUTE, .on = on });
}

static void start_play(struct tl_port *port, struct tl_play *play)
{
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_PLAY, .play = play });
}

void tl_port_play(struct tl_port *port, uint64_t id, struct tl_sound *const *sounds, unsigned n_sounds, unsigned loops)
{
	start_play(port, tl_play_new_sounds(port, id, sounds, n_sounds, loops));
}

/* A tone's sound is made once and kept: it is the same for every port. */
static struct tl_sound *tone_sound(struct tl_media *media, const struct tl_tone_plan *plan, enum tl_tone_kind tone)
{
	struct tl_sound *sound = g_hash_table_lookup(media->first->tones, plan);
	if (!sound) {
		sound = tone == TL_TONE_MILLIWATT ? tl_tone_milliwatt() : tl_tone_render(plan);
		g_hash_table_insert(media->first->tones, (gpointer)plan, sound);
	}
	return sound;
}

int tl_port_tone(struct tl_port *port, uint64_t id, const char *country, enum tl_tone_kind tone)
{
	const struct tl_tone_plan *plan = tl_tone_find(country, tone);
	if (!plan)
		return -EINVAL;
	struct tl_sound *sound = tone_sound(port->media, plan, tone);
	start_play(port, tl_play_new_sounds(port, id, &sound, 1, plan->once ? 1 : 0));
	return 0;
}

int tl_port_send_dtmf(struct tl_port *port, uint64_t id, const char *digits, unsigned on_ms, unsigned off_ms)
{
	if (!*digits || on_ms < 40 || on_ms > DIGIT_MS_MAX || off_ms < 40 || off_ms > DIGIT_MS_MAX)
		return -EINVAL;
	for (const char *at = digits; *at; at++)
		if (*at != 'w' && tl_dtmf_code(*at) < 0)
			return -EINVAL;
	if (strlen(digits) > TL_PLAY_DIGITS_MAX)
		return -ENOSPC;
	start_play(port, tl_play_new_digits(port, id, digits, on_ms, off_ms));
	return 0;
}

int tl_port_send_mf(struct tl_port *port, uint64_t id, const char *digits)
{
	if (!*digits || strlen(digits) > TL_PLAY_DIGITS_MAX)
		return -EINVAL;
	for (const char *at = digits; *at; at++)
		if (*at != 'w' && tl_mf_code(*at) < 0)
			return -EINVAL;
	start_play(port, tl_play_new_mf(port, id, digits));
	return 0;
}

void tl_port_listen(struct tl_port *port, const struct tl_listening *listening)
{
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_LISTEN, .listening = *listening });
}

void tl_port_stop(struct tl_port *port)
{
	start_play(port, NULL);
}

void tl_recording_dispose(struct tl_recording *recording)
{
	recording->returned = true;
	if (!recording->orphan)
		return; /* main may still read what is in it */
	tl_ring_free(recording->blocks);
	g_free(recording);
}

void tl_port_record(struct tl_port *port, unsigned seconds)
{
	struct tl_recording *recording = NULL, *before = port->main_recording;
	if (seconds) {
		recording = g_new0(struct tl_recording, 1);
		recording->parcel.kind = TL_PARCEL_RECORDING;
		recording->blocks = tl_ring_new(seconds * BLOCKS_PER_S, TL_BLOCK_OCTETS);
		port->main_recording = recording;
	}
	send_command(port, (struct tl_command){ TL_COMMAND_PORT_RECORD, .recording = recording });
	if (!seconds || !before)
		return;
	before->orphan = true;
	if (before->returned)
		tl_recording_dispose(before);
}

bool tl_port_recorded(struct tl_port *port, uint8_t block[TL_BLOCK_OCTETS])
{
	tl_assert_main();
	return port->main_recording && tl_ring_pop(port->main_recording->blocks, block);
}

bool tl_port_transcodes(const struct tl_port *port)
{
	return port->rtp && port->rtp->main_is_opus;
}

enum tl_law tl_port_law(const struct tl_port *port)
{
	return port->main_law;
}

void tl_port_counters(const struct tl_port *port, struct tl_port_counters *counters)
{
	const struct tl_port_tally *tally = &port->tally;
	*counters = (struct tl_port_counters){
		.packets_received = atomic_load(&tally->packets_received),
		.packets_sent = atomic_load(&tally->packets_sent),
		.lost = atomic_load(&tally->lost),
		.late = atomic_load(&tally->late),
		.duplicate = atomic_load(&tally->duplicate),
		.early = atomic_load(&tally->early),
		.refused = atomic_load(&tally->refused),
		.concealed_blocks = atomic_load(&tally->concealed_blocks),
		.overflow = atomic_load(&tally->overflow),
		.corrections = atomic_load(&tally->corrections),
		.digits_received = atomic_load(&tally->digits_received),
		.digits_sent = atomic_load(&tally->digits_sent),
		.recorded_dropped = atomic_load(&tally->recorded_dropped),
		.video_received = atomic_load(&tally->video_received),
		.video_sent = atomic_load(&tally->video_sent),
		.video_dropped = atomic_load(&tally->video_dropped),
		.jitter_us = atomic_load(&tally->jitter_us),
		.depth_us = atomic_load(&tally->depth_us),
		.remote_lost = atomic_load(&tally->remote_lost),
		.round_trip_us = atomic_load(&tally->round_trip_us),
	};
}
