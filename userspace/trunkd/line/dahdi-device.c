/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/dahdi-device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if __has_include(<dahdi/user.h>)
#include <dahdi/user.h>

#define SLOTS_E1 31
#define SLOTS_T1 24
#define E1_CAS_SLOT 16
/* A whole frame and its FCS in each; as many as DAHDI gives. */
#define D_BUFFER_OCTETS 512
#define D_BUFFERS 32
/* What OpenR2 asks for, too: 20 ms each, and little enough that a tone ends soon after it was ended. */
#define LENT_OCTETS 160
#define LENT_BUFFERS 4
/* 16 ms: the echo of a line's far end and its hybrid; DAHDI takes powers of two. */
#define ECHO_TAPS 128

struct place {
	int channel;
	int signalling; /* DAHDI_SIG_* */
};

void tl_dahdi_device_init(struct tl_dahdi_device *device)
{
	*device = (struct tl_dahdi_device){ .control = -1, .timer = -1 };
	for (unsigned slot = 0; slot <= TL_SPAN_SLOTS_MAX; slot++)
		device->fd[slot] = -1;
}

unsigned tl_dahdi_device_reference(const struct tl_dahdi_device *device)
{
	return device->slots[device->n_slots - 1];
}

static gboolean refuse(GError **error, int code, const struct tl_span_config *config, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

static gboolean refuse(GError **error, int code, const struct tl_span_config *config, const char *format, ...)
{
	va_list arguments;
	g_autofree char *what = NULL;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, TL_LINE_ERROR, code, "span %s: DAHDI span %u: %s", config->name, config->dahdi.span, what);
	return FALSE;
}

static gboolean open_control(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error)
{
	unsigned slots = config->kind == TL_SPAN_E1 ? SLOTS_E1 : SLOTS_T1;
	struct dahdi_spaninfo info = { .spanno = (int)config->dahdi.span };

	device->control = open("/dev/dahdi/ctl", O_RDWR | O_CLOEXEC);
	if (device->control < 0)
		return refuse(error, TL_LINE_ERROR_OPEN, config, "/dev/dahdi/ctl: %s%s", g_strerror(errno),
			      errno == ENOENT ? " (is the card's driver loaded?)" : "");
	if (ioctl(device->control, DAHDI_SPANSTAT, &info))
		return refuse(error, TL_LINE_ERROR_OPEN, config, "there is none of this number");
	if (info.totalchans != (int)slots)
		return refuse(error, TL_LINE_ERROR_CONFIG, config, "it has %d timeslots, %s has %u", info.totalchans,
			      config->kind == TL_SPAN_E1 ? "an E1" : "a T1", slots);
	return TRUE;
}

/* DAHDI numbers channels through all spans; only they know whose they are. */
static void find_places(const struct tl_dahdi_device *device, struct place *places)
{
	memset(places, 0, (TL_SPAN_SLOTS_MAX + 1) * sizeof(*places));
	for (int channel = 1; channel < DAHDI_MAX_CHANNELS; channel++) {
		struct dahdi_params params = { .channo = channel };

		if (ioctl(device->control, DAHDI_GET_PARAMS, &params) || params.spanno != (int)device->span)
			continue;
		if (params.chanpos >= 1 && params.chanpos <= TL_SPAN_SLOTS_MAX)
			places[params.chanpos] = (struct place){ channel, params.sigtype };
	}
}

static bool does_hdlc(int signalling)
{
	return signalling == DAHDI_SIG_HDLCFCS || signalling == DAHDI_SIG_HARDHDLC;
}

/* What system.conf should say of @slot where it does not, or NULL. */
static const char *missing(const struct tl_span_config *config, unsigned slot, int signalling)
{
	if (slot == config->d_channel)
		return does_hdlc(signalling) ? NULL : "dchan or hardhdlc";
	if (config->cas)
		return signalling == DAHDI_SIG_CAS ? NULL : "cas";
	return signalling == DAHDI_SIG_NONE || (signalling & DAHDI_SIG_HDLCRAW) == DAHDI_SIG_HDLCRAW ||
			       signalling == DAHDI_SIG_HARDHDLC || signalling == DAHDI_SIG_SLAVE ? "bchan" : NULL;
}

static bool set_int(int fd, unsigned long request, int value)
{
	return ioctl(fd, request, &value) == 0;
}

static bool set_buffers(int fd, unsigned octets, unsigned buffers)
{
	struct dahdi_bufferinfo info = { .txbufpolicy = DAHDI_POLICY_IMMEDIATE,
					 .rxbufpolicy = DAHDI_POLICY_IMMEDIATE,
					 .numbufs = (int)buffers,
					 .bufsize = (int)octets };

	return ioctl(fd, DAHDI_SET_BUFINFO, &info) == 0;
}

static bool set_unity_gain(int fd)
{
	struct dahdi_gains gains = { 0 };

	for (unsigned i = 0; i < 256; i++)
		gains.rxgain[i] = gains.txgain[i] = (unsigned char)i;
	return ioctl(fd, DAHDI_SETGAINS, &gains) == 0;
}

/* Only what DAHDI processes as audio has gains, and may be read as linear samples. */
static bool set_up_bearer(int fd, enum tl_law law, bool switches)
{
	if (!set_buffers(fd, TL_BLOCK_OCTETS, TL_DAHDI_BUFFERS) ||
	    !set_int(fd, DAHDI_SETLAW, law == TL_LAW_ALAW ? DAHDI_LAW_ALAW : DAHDI_LAW_MULAW))
		return false;
	if (switches)
		return set_int(fd, DAHDI_AUDIOMODE, 0);
	return set_int(fd, DAHDI_SETLINEAR, 0) && set_unity_gain(fd) && set_int(fd, DAHDI_ECHOCANCEL, 0);
}

static gboolean open_slot(struct tl_dahdi_device *device, const struct tl_span_config *config, unsigned slot,
			  const struct place *place, GError **error)
{
	const char *wanted = missing(config, slot, place->signalling);
	int fd;

	if (wanted)
		return refuse(error, TL_LINE_ERROR_CONFIG, config,
			      "timeslot %u, channel %d: expected %s in /etc/dahdi/system.conf", slot, place->channel, wanted);
	fd = device->fd[slot] = open("/dev/dahdi/channel", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refuse(error, TL_LINE_ERROR_OPEN, config, "/dev/dahdi/channel: %s", g_strerror(errno));
	if (!set_int(fd, DAHDI_SPECIFY, place->channel))
		return refuse(error, TL_LINE_ERROR_OPEN, config, "timeslot %u, channel %d: %s", slot, place->channel,
			      errno == EBUSY ? "in use by another program" : g_strerror(errno));
	device->switches[slot] = place->signalling == DAHDI_SIG_CLEAR;
	if (slot == config->d_channel ? !set_buffers(fd, D_BUFFER_OCTETS, D_BUFFERS) :
					!set_up_bearer(fd, config->law, device->switches[slot]))
		return refuse(error, TL_LINE_ERROR_OPEN, config, "timeslot %u, channel %d: cannot be set up: %s", slot,
			      place->channel, g_strerror(errno));
	return TRUE;
}

static bool is_ours(const struct tl_span_config *config, unsigned slot)
{
	return !(config->cas && config->kind == TL_SPAN_E1 && slot == E1_CAS_SLOT);
}

/* With every bearer lent no channel could tell the time. */
static gboolean open_timer(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error)
{
	device->timer = open("/dev/dahdi/timer", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device->timer < 0 || !set_int(device->timer, DAHDI_TIMERCONFIG, TL_BLOCK_OCTETS))
		return refuse(error, TL_LINE_ERROR_OPEN, config, "/dev/dahdi/timer: %s", g_strerror(errno));
	return TRUE;
}

int tl_dahdi_device_take_tick(const struct tl_dahdi_device *device)
{
	int event = DAHDI_EVENT_NONE;

	if (ioctl(device->timer, DAHDI_GETEVENT, &event))
		return -ENODEV;
	return event == DAHDI_EVENT_TIMER_EXPIRED && set_int(device->timer, DAHDI_TIMERACK, 1);
}

int tl_dahdi_device_pacer(const struct tl_dahdi_device *device, uint32_t *events)
{
	bool timed = device->timer >= 0;

	*events = timed ? EPOLLPRI : EPOLLIN;
	return timed ? device->timer : device->fd[tl_dahdi_device_reference(device)];
}

int tl_dahdi_device_lend(const struct tl_dahdi_device *device, unsigned slot, bool lent)
{
	int fd = device->fd[slot];

	if (!set_buffers(fd, lent ? LENT_OCTETS : TL_BLOCK_OCTETS, lent ? LENT_BUFFERS : TL_DAHDI_BUFFERS))
		return -errno;
	set_int(fd, DAHDI_BUFFER_EVENTS, !lent);
	return 0;
}

static gboolean open_slots(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error)
{
	unsigned slots = config->kind == TL_SPAN_E1 ? SLOTS_E1 : SLOTS_T1;
	struct place places[TL_SPAN_SLOTS_MAX + 1];

	find_places(device, places);
	for (unsigned slot = 1; slot <= slots; slot++) {
		if (!is_ours(config, slot))
			continue;
		if (!open_slot(device, config, slot, &places[slot], error))
			return FALSE;
		if (slot != config->d_channel)
			device->slots[device->n_slots++] = slot;
	}
	if (config->lends)
		return open_timer(device, config, error);
	/* Older kernels' DAHDI cannot tell of it; then a late thread only costs delay. */
	set_int(device->fd[tl_dahdi_device_reference(device)], DAHDI_BUFFER_EVENTS, 1);
	return TRUE;
}

gboolean tl_dahdi_device_open(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error)
{
	tl_dahdi_device_init(device);
	device->span = config->dahdi.span;
	device->d_channel = config->d_channel;
	if (open_control(device, config, error) && open_slots(device, config, error))
		return TRUE;
	tl_dahdi_device_close(device);
	return FALSE;
}

void tl_dahdi_device_close(struct tl_dahdi_device *device)
{
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		if (device->fd[slot] >= 0)
			close(device->fd[slot]);
	if (device->control >= 0)
		close(device->control);
	if (device->timer >= 0)
		close(device->timer);
	tl_dahdi_device_init(device);
}

/* DAHDI's first six alarms are ours; a card may tell the reasons of a red one alone. */
static unsigned alarms_of(int alarms)
{
	bool red = alarms & (DAHDI_ALARM_LOS | DAHDI_ALARM_LFA | DAHDI_ALARM_LMFA);

	return ((unsigned)alarms & (2 * TL_ALARM_NOTOPEN - 1)) | (red ? TL_ALARM_RED : 0);
}

int tl_dahdi_device_status(const struct tl_dahdi_device *device, struct tl_dahdi_status *status)
{
	struct dahdi_spaninfo info = { .spanno = (int)device->span };

	/* Asked through a channel: another span may have our number by now, and ours be gone. */
	if (ioctl(device->fd[tl_dahdi_device_reference(device)], DAHDI_SPANSTAT, &info))
		return -ENODEV;
	status->alarms = alarms_of(info.alarms);
	status->line_errors = (uint64_t)info.bpvcount + (uint64_t)info.crc4count + (uint64_t)info.fascount +
			      info.fecount + info.cvcount;
	return 0;
}

static unsigned event_of(int event)
{
	switch (event) {
	case DAHDI_EVENT_ALARM:
	case DAHDI_EVENT_NOALARM:
		return TL_DAHDI_ALARM;
	case DAHDI_EVENT_BITSCHANGED:
		return TL_DAHDI_BITS;
	case DAHDI_EVENT_WRITE_UNDERRUN:
		return TL_DAHDI_UNDERRUN;
	case DAHDI_EVENT_READ_OVERRUN:
		return TL_DAHDI_OVERRUN;
	case DAHDI_EVENT_ABORT:
		return TL_DAHDI_ABORT;
	case DAHDI_EVENT_BADFCS:
		return TL_DAHDI_BAD_FCS;
	case DAHDI_EVENT_OVERRUN:
		return TL_DAHDI_TOO_LONG;
	default:
		return 0;
	}
}

unsigned tl_dahdi_device_events(const struct tl_dahdi_device *device, unsigned slot)
{
	unsigned events = 0;
	int event = DAHDI_EVENT_NONE;

	for (unsigned i = 0; i < DAHDI_MAX_EVENTSIZE; i++) {
		if (ioctl(device->fd[slot], DAHDI_GETEVENT, &event) || event == DAHDI_EVENT_NONE)
			break;
		events |= event_of(event);
	}
	return events;
}

void tl_dahdi_device_flush(const struct tl_dahdi_device *device, unsigned slot)
{
	set_int(device->fd[slot], DAHDI_FLUSH, DAHDI_FLUSH_ALL);
}

void tl_lent_fd_flush(int fd)
{
	set_int(fd, DAHDI_FLUSH, DAHDI_FLUSH_READ);
}

unsigned tl_dahdi_device_cas(const struct tl_dahdi_device *device, unsigned slot)
{
	int bits = 0;

	/* dahdi_dynamic leaves a neighbour's bits above those of the channel. */
	return ioctl(device->fd[slot], DAHDI_GETRXBITS, &bits) ? 0 : (unsigned)bits & 0xf;
}

void tl_dahdi_device_set_cas(const struct tl_dahdi_device *device, unsigned slot, unsigned abcd)
{
	set_int(device->fd[slot], DAHDI_SETTXBITS, (int)abcd);
}

int tl_dahdi_device_set_voice(const struct tl_dahdi_device *device, unsigned slot, bool voice)
{
	int fd = device->fd[slot];

	if (fd < 0)
		return -ENODEV;
	/* Leaving audio mode ends the canceller, and gains. */
	if (device->switches[slot] && !set_int(fd, DAHDI_AUDIOMODE, voice))
		return -errno;
	if ((voice || !device->switches[slot]) && !set_int(fd, DAHDI_ECHOCANCEL, voice ? ECHO_TAPS : 0))
		return -errno;
	return 0;
}

#endif
