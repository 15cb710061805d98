/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What main asked, done by the thread; and what the thread tells main. Thread: tick. */
#include <sys/epoll.h>

#include "media/bridge.h"
#include "media/browser.h"
#include "media/play.h"
#include "media/recorder.h"
#include "media/session.h"
#include "media/tap.h"
#include "media/tie.h"

static void find_lines(struct tl_media *media)
{
	for (unsigned i = 0; i < media->n_attached; i++)
		tl_port_find_line(media->ports[i]);
}

static void add_span(struct tl_media *media, struct tl_span *span)
{
	struct epoll_event event = { .events = EPOLLIN };
	unsigned i = 0;
	while (i < TL_MEDIA_SPANS_MAX && media->spans[i].span)
		i++;
	g_assert(i < TL_MEDIA_SPANS_MAX);
	media->spans[i] = (struct tl_media_span){ .span = span, .loop = tl_span_clock_mode(span) == TL_CLOCK_LOOP,
						.can_wait = tl_span_can_wait(span) };
	event.data.ptr = &media->spans[i];
	if (media->config.tick == TL_TICK_SPAN && media->spans[i].loop)
		epoll_ctl(media->epoll_fd, EPOLL_CTL_ADD, tl_span_fd(span), &event);
	find_lines(media);
}

static void remove_span(struct tl_media *media, struct tl_span *span)
{
	for (unsigned i = 0; i < TL_MEDIA_SPANS_MAX; i++) {
		if (media->spans[i].span != span)
			continue;
		if (media->config.tick == TL_TICK_SPAN && media->spans[i].loop)
			epoll_ctl(media->epoll_fd, EPOLL_CTL_DEL, tl_span_fd(span), NULL);
		media->spans[i] = (struct tl_media_span){ 0 };
	}
	find_lines(media);
	sem_post(&media->span_released);
}

static void obey(struct tl_media *media, const struct tl_command *command)
{
	struct tl_port *port = command->port;
	switch (command->kind) {
	case TL_COMMAND_PORT_ATTACH:
		tl_port_attach(port);
		break;
	case TL_COMMAND_PORT_DETACH:
		tl_port_detach(port);
		break;
	case TL_COMMAND_PORT_TARGET:
		tl_rtp_session_set_target(port->rtp, &command->target);
		break;
	case TL_COMMAND_PORT_KEYS:
		tl_rtp_session_set_keys(port->rtp, command->keys);
		break;
	case TL_COMMAND_PORT_BROWSER:
		tl_browser_set(port->rtp, command->browser);
		break;
	case TL_COMMAND_PORT_SECRET:
		tl_browser_set_secret(command->secret);
		break;
	case TL_COMMAND_PORT_DETECT:
		if (command->detector && !port->detector)
			tl_dtmf_detector_restart(command->detector); /* what it heard last was long ago */
		port->detector = command->detector;
		break;
	case TL_COMMAND_PORT_DETECT_FAX:
		port->fax_ear = command->fax_ear;
		port->fax_ticks = 0;
		break;
	case TL_COMMAND_PORT_DETECT_FAX_WITHIN:
		if (!port->fax_ear || port->fax_ticks)
			port->fax_ticks = command->ticks;
		port->fax_ear = command->fax_ear;
		break;
	case TL_COMMAND_PORT_STILL:
		tl_rtp_session_set_deep(port->rtp, true);
		break;
	case TL_COMMAND_PORT_TAP:
		tl_port_set_tap(port, command->tap);
		break;
	case TL_COMMAND_PORT_TIE:
		tl_port_set_tie(port, command->tie);
		break;
	case TL_COMMAND_PORT_LISTEN:
		port->listening = command->listening;
		break;
	case TL_COMMAND_PORT_ECHO:
		port->echo = command->on;
		break;
	case TL_COMMAND_PORT_MUTE:
		port->muted = command->on;
		break;
	case TL_COMMAND_PORT_PLAY:
		tl_port_set_play(port, command->play);
		break;
	case TL_COMMAND_PORT_RECORD:
		tl_port_set_recording(port, command->recording);
		break;
	case TL_COMMAND_BRIDGE_ADD:
		tl_bridge_attach_port(command->bridge, port);
		break;
	case TL_COMMAND_BRIDGE_REMOVE:
		tl_bridge_detach_port(command->bridge, port);
		break;
	case TL_COMMAND_BRIDGE_RECORD:
		tl_bridge_set_recorder(command->bridge, command->recorder, port);
		break;
	case TL_COMMAND_BRIDGE_DETACH:
		tl_bridge_set_recorder(command->bridge, NULL, NULL);
		tl_media_return(media, &command->bridge->parcel);
		break;
	case TL_COMMAND_SPAN_ADD:
		add_span(media, command->span);
		break;
	case TL_COMMAND_SPAN_REMOVE:
		remove_span(media, command->span);
		break;
	case TL_COMMAND_STOP:
		media->stopping = true;
		break;
	}
}

void tl_media_obey(struct tl_media *media)
{
	struct tl_command command;
	/* Main waits for room when the ring was (nearly) full; a bound, so that the line's time goes on. */
	unsigned n = tl_ring_count(media->commands), most = tl_ring_capacity(media->commands);
	if (n > most / 2)
		media->must_ring = true;
	for (unsigned i = 0; i < n && tl_ring_pop(media->commands, &command); i++) {
		obey(media, &command);
		TL_COUNT(media->commands_done, 1);
	}
}

static bool tell(struct tl_media *media, const struct tl_event *event)
{
	if (!tl_ring_push(media->events, event))
		return false;
	media->must_ring = true;
	TL_COUNT(media->events_sent, 1);
	return true;
}

void tl_media_return(struct tl_media *media, struct tl_parcel *parcel)
{
	parcel->next = NULL;
	*media->returned_end = parcel;
	media->returned_end = &parcel->next;
}

bool tl_media_report(struct tl_media *media, const struct tl_event *event)
{
	bool told = tell(media, event);
	if (!told)
		TL_COUNT(media->events_lost, 1);
	return told;
}

void tl_media_flush(struct tl_media *media)
{
	while (media->returned) {
		struct tl_parcel *parcel = media->returned, *next = parcel->next;
		if (!tell(media, &(struct tl_event){ TL_EVENT_RETURNED, .parcel = parcel }))
			break;
		media->returned = next;
	}
	if (!media->returned)
		media->returned_end = &media->returned;
	if (media->must_ring)
		tl_wake_ring(media->wake);
	media->must_ring = false;
}
