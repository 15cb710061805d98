/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The engine as main sees it: starting and stopping the thread, and the two rings. */
#include "media/engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "media/bridge.h"
#include "media/hub.h"
#include "media/play.h"
#include "media/fax-tone.h"
#include "media/recorder.h"
#include "media/session.h"
#include "media/tap.h"
#include "media/tie.h"

G_DEFINE_QUARK(tl-media-error-quark, tl_media_error)

#define STACK_OCTETS (512 * 1024) /* Opus works on it */
#define RING_MIN 1024

static bool is_numeric(const char *host)
{
	uint8_t address[16];
	return host && (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1);
}

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_CONFIG, "media: %s", what);
	return FALSE;
}

static gboolean config_check(const struct tl_media_config *c, GError **error)
{
	if (!is_numeric(c->rtp_host))
		return refuse(error, "rtp_host: expected a numeric IPv4 or IPv6 address");
	if (c->rtp_announce && !is_numeric(c->rtp_announce))
		return refuse(error, "rtp_announce: expected a numeric IPv4 or IPv6 address");
	if (c->rtp_port_min < 1024 || c->rtp_port_max > 65535 || c->rtp_port_min + 1 > c->rtp_port_max)
		return refuse(error, "rtp ports: expected a range of at least two within 1024-65535");
	if (c->jitter_min_ms < 10 || c->jitter_max_ms < c->jitter_min_ms || c->jitter_max_ms > 1000)
		return refuse(error, "jitter: expected 10 <= min <= max <= 1000 ms");
	if (c->max_ports < 1 || c->max_ports > 65536)
		return refuse(error, "max_ports: expected 1-65536");
	if (c->browser.port && (c->browser.port > 65535 || !c->browser.addresses || !c->browser.addresses[0]))
		return refuse(error, "browsers: expected a port up to 65535 and at least one address");
	if (c->threads > TL_MEDIA_THREADS_MAX || (c->browser.port && c->browser.port + c->threads > 65536))
		return refuse(error, "threads: expected 1-16, and as many ports for browsers");
	if (c->realtime_priority > 99)
		return refuse(error, "realtime_priority: expected 0-99");
	return TRUE;
}

static void browser_copy(struct tl_browser_config *to, const struct tl_browser_config *from)
{
	to->addresses = (const char *const *)g_strdupv((char **)from->addresses);
	to->announce = (const char *const *)g_strdupv((char **)from->announce);
	to->certificate = g_strdup(from->certificate);
	if (!to->sessions_max)
		to->sessions_max = 1000;
	if (!to->consent_ms)
		to->consent_ms = 30000;
	if (!to->certificate_days)
		to->certificate_days = 30;
}

static void config_copy(struct tl_media_config *to, const struct tl_media_config *from)
{
	*to = *from;
	to->rtp_host = g_strdup(from->rtp_host);
	to->rtp_announce = g_strdup(from->rtp_announce ? from->rtp_announce : from->rtp_host);
	if (!to->jitter_min_ms && !to->jitter_max_ms) {
		to->jitter_min_ms = 20;
		to->jitter_max_ms = 120;
	}
	if (!to->max_ports)
		to->max_ports = 4096;
	if (!to->threads)
		to->threads = 1;
	if (!to->load_limit_us)
		to->load_limit_us = 8000;
	if (!to->line_patience_ms)
		to->line_patience_ms = 1000;
	to->rtp_port_min = (to->rtp_port_min + 1) & ~1u;
	browser_copy(&to->browser, &from->browser);
	if (!to->opus.bit_rate)
		to->opus = (struct tl_opus_config){ .bit_rate = 24000, .complexity = 5 };
}

static void config_free(struct tl_media_config *config)
{
	g_free((char *)config->rtp_host);
	g_free((char *)config->rtp_announce);
	g_strfreev((char **)config->browser.addresses);
	g_strfreev((char **)config->browser.announce);
	g_free((char *)config->browser.certificate);
}

/* Two descriptors a port; the soft limit of 1024 is what select() asks for, and nobody selects here. */
static void raise_descriptor_limit(unsigned max_ports)
{
	struct rlimit limit;
	rlim_t wanted = 2 * (rlim_t)max_ports + 1024;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = MIN(wanted, limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* SpanDSP makes its tables when first used, unguarded: use all that the thread will use. */
static void warm_up(void)
{
	struct tl_dtmf_detector *detector = tl_dtmf_detector_new();
	struct tl_dtmf_press press;
	struct tl_oscillator oscillator;
	int16_t samples[TL_BLOCK_OCTETS];
	tl_dtmf_tone(&oscillator, 0);
	tl_oscillator_fill(&oscillator, samples, TL_BLOCK_OCTETS);
	tl_dtmf_detector_hear(detector, samples, TL_BLOCK_OCTETS, &press);
	tl_dtmf_detector_free(detector);
	enum tl_fax_tone tone;
	struct tl_fax_ear *ear = tl_fax_ear_new();
	tl_fax_ear_hear(ear, samples, TL_BLOCK_OCTETS, &tone);
	tl_fax_ear_free(ear);
	tl_inband_warm_up(samples);
}

static void returned(struct tl_media *media, struct tl_parcel *parcel)
{
	switch (parcel->kind) {
	case TL_PARCEL_PLAY: {
		struct tl_play *play = (struct tl_play *)parcel;
		if (play->port->inband)
			tl_inband_sent(play->port, play->id, play->completed);
		else if (!play->port->freed && !play->quiet && media->handler.on_done)
			media->handler.on_done(play->port, play->id, play->completed, play->port->user);
		tl_play_free(play);
		break;
	}
	case TL_PARCEL_RECORDING:
		tl_recording_dispose((struct tl_recording *)parcel);
		break;
	case TL_PARCEL_RECORDER:
		tl_recorder_returned((struct tl_recorder *)parcel);
		break;
	case TL_PARCEL_TAP:
		tl_tap_dispose((struct tl_tap *)parcel);
		break;
	case TL_PARCEL_PORT:
		tl_port_dispose((struct tl_port *)parcel);
		break;
	case TL_PARCEL_BRIDGE:
		g_free(parcel);
		break;
	case TL_PARCEL_TIE:
		tl_tie_returned((struct tl_tie *)parcel);
		break;
	case TL_PARCEL_KEYS:
		tl_rtp_keys_free((struct tl_rtp_keys *)parcel);
		break;
	case TL_PARCEL_BROWSER:
		tl_browser_dispose((struct tl_browser *)parcel);
		break;
	case TL_PARCEL_SECRET:
		tl_browser_secret_free((struct tl_browser_secret *)parcel);
		break;
	}
}

static void dispatch(struct tl_media *media, const struct tl_event *event)
{
	const struct tl_media_handler *handler = &media->handler;
	switch (event->kind) {
	case TL_EVENT_RETURNED:
		returned(media, event->parcel);
		break;
	case TL_EVENT_DIGIT:
		if (event->port->inband)
			tl_inband_heard_digit(event->port, event->digit);
		else if (!event->port->freed && handler->on_digit)
			handler->on_digit(event->port, event->digit, event->ms, event->port->user);
		break;
	case TL_EVENT_CALLER_ID:
		tl_inband_heard_caller_id(event->port);
		break;
	case TL_EVENT_SILENCE:
		if (!event->port->freed && handler->on_silence)
			handler->on_silence(event->port, event->ms, event->port->user);
		break;
	case TL_EVENT_FAX_TONE:
		if (!event->port->freed && handler->on_fax_tone)
			handler->on_fax_tone(event->port, event->fax_tone, event->port->user);
		break;
	case TL_EVENT_LINK:
		tl_browser_heard(event);
		break;
	case TL_EVENT_OVERLOAD:
		tl_media_heard_overload(media, event->up, event->ms);
		break;
	}
}

static bool flush_backlog(struct tl_media *media)
{
	struct tl_command *command;
	while ((command = g_queue_peek_head(&media->backlog))) {
		if (!tl_ring_push(media->commands, command))
			return false;
		g_free(g_queue_pop_head(&media->backlog));
	}
	return true;
}

static void on_ring(void *user)
{
	struct tl_media *media = user;
	struct tl_event event;
	while (tl_ring_pop(media->events, &event))
		dispatch(media, &event);
	flush_backlog(media);
}

void tl_media_command(struct tl_media *media, const struct tl_command *command)
{
	/* When the ring is full, the thread rings after it has made room. */
	if (!flush_backlog(media) || !tl_ring_push(media->commands, command))
		g_queue_push_tail(&media->backlog, g_memdup2(command, sizeof *command));
}

void tl_media_kick(struct tl_media *media)
{
	uint64_t one = 1;
	if (write(media->kick_fd, &one, sizeof one) != sizeof one)
		g_assert(errno == EAGAIN);
}

void tl_media_command_now(struct tl_media *media, const struct tl_command *command)
{
	tl_media_command(media, command);
	tl_media_kick(media);
	while (!flush_backlog(media)) {
		g_usleep(1000);
		tl_media_kick(media);
	}
	tl_media_kick(media);
}

static void watch(int epoll_fd, int fd, void *data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		g_error("epoll_ctl: %s", g_strerror(errno));
}

static void open_descriptors(struct tl_media *media)
{
	media->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	media->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	media->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	media->socket_epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (media->kick_fd < 0 || media->timer_fd < 0 || media->epoll_fd < 0 || media->socket_epoll_fd < 0)
		g_error("media: descriptors: %s", g_strerror(errno));
	watch(media->epoll_fd, media->kick_fd, &media->kick_fd);
	watch(media->epoll_fd, media->timer_fd, &media->timer_fd);
}

static int start_thread(struct tl_media *media)
{
	pthread_attr_t attributes;
	struct sched_param priority = { .sched_priority = media->config.realtime_priority };
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_OCTETS);
	if (media->config.realtime_priority) {
		pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
		pthread_attr_setschedparam(&attributes, &priority);
	}
	int result = pthread_create(&media->thread, &attributes, tl_media_run, media);
	if (result == EPERM && media->config.realtime_priority) /* not permitted: ordinary scheduling */
		result = pthread_create(&media->thread, NULL, tl_media_run, media);
	pthread_attr_destroy(&attributes);
	if (result == 0)
		pthread_setname_np(media->thread, media->index ? "media-more" : "media");
	return result;
}

static void thread_dispose(struct tl_media *media)
{
	close(media->kick_fd);
	close(media->timer_fd);
	close(media->epoll_fd);
	close(media->socket_epoll_fd);
	sem_destroy(&media->span_released);
	tl_wake_free(media->wake);
	tl_ring_free(media->commands);
	tl_ring_free(media->events);
	g_queue_clear_full(&media->backlog, g_free);
	g_free(media->ports);
	g_free(media->recorders);
	tl_hub_free(media->hub);
	g_free(media);
}

static void dispose(struct tl_media *media)
{
	struct tl_media_config own = media->config;
	tl_bells_free(media);
	g_hash_table_unref(media->tones);
	g_hash_table_unref(media->rtp_ports);
	g_hash_table_unref(media->homes);
	for (unsigned i = media->n_threads; i > 1; i--)
		thread_dispose(media->threads[i - 1]);
	thread_dispose(media);
	config_free(&own);
}

/* One more thread of @first's, not started yet; NULL: it is the first. */
static struct tl_media *thread_new(struct tl_media *first, const struct tl_media_config *config,
				   const struct tl_media_handler *handler)
{
	struct tl_media *media = g_new0(struct tl_media, 1);
	media->first = first ? first : media;
	media->index = media->first->n_threads;
	media->first->threads[media->first->n_threads++] = media;
	media->config = *config;
	media->handler = *handler;
	media->commands = tl_ring_new(MAX(config->max_ports, RING_MIN), sizeof(struct tl_command));
	media->events = tl_ring_new(MAX(config->max_ports, RING_MIN), sizeof(struct tl_event));
	media->wake = tl_wake_new(on_ring, media);
	media->ports = g_new0(struct tl_port *, 2 * config->max_ports);
	media->recorders = g_new0(struct tl_recorder *, config->max_ports);
	media->returned_end = &media->returned;
	sem_init(&media->span_released, 0, 0);
	open_descriptors(media);
	return media;
}

static struct tl_media *first_new(const struct tl_media_config *config, const struct tl_media_handler *handler)
{
	struct tl_media *media = thread_new(NULL, config, handler);
	media->tones = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)tl_sound_unref);
	media->rtp_ports = g_hash_table_new(NULL, NULL);
	media->homes = g_hash_table_new(NULL, NULL);
	media->next_rtp_port = config->rtp_port_min;
	for (unsigned i = 1; i < config->threads; i++)
		thread_new(media, config, handler);
	tl_media_limit_load(media, config->load_limit_us);
	return media;
}

static bool open_hubs(struct tl_media *media, GError **error)
{
	for (unsigned i = 0; media->config.browser.port && i < media->n_threads; i++) {
		struct tl_media *thread = media->threads[i];
		if (!(thread->hub = tl_hub_new(thread, &thread->config.browser, error)))
			return false;
	}
	return true;
}

/* What the events' ring had no room for comes after what is in it. */
static void stop_thread(struct tl_media *media)
{
	tl_media_command_now(media, &(struct tl_command){ TL_COMMAND_STOP });
	pthread_join(media->thread, NULL);
	on_ring(media);
	while (media->returned) {
		struct tl_parcel *parcel = media->returned;
		media->returned = parcel->next;
		returned(media, parcel);
	}
}

/* The first one last: it has somebody to begin its ticks for. */
static bool start_threads(struct tl_media *media, GError **error)
{
	for (unsigned i = media->n_threads; i > 0; i--) {
		int result = start_thread(media->threads[i - 1]);
		if (!result)
			continue;
		g_set_error(error, TL_MEDIA_ERROR, TL_MEDIA_ERROR_THREAD, "media: thread: %s", g_strerror(result));
		for (; i < media->n_threads; i++)
			stop_thread(media->threads[i]);
		return false;
	}
	return true;
}

struct tl_media *tl_media_new(const struct tl_media_config *config, const struct tl_media_handler *handler,
			      GError **error)
{
	tl_assert_main();
	struct tl_media_config own;
	config_copy(&own, config);
	if (!config_check(&own, error)) {
		config_free(&own);
		return NULL;
	}
	struct tl_media *media = first_new(&own, handler);
	raise_descriptor_limit(own.max_ports);
	warm_up();
	if (open_hubs(media, error) && start_threads(media, error))
		return media;
	dispose(media);
	return NULL;
}

void tl_media_free(struct tl_media *media)
{
	if (!media)
		return;
	tl_assert_main();
	for (unsigned i = 0; i < media->n_threads; i++) /* the first one would wait for the others */
		stop_thread(media->threads[i]);
	g_assert(media->n_ports == 0);
	dispose(media);
}
