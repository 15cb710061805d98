/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/dahdi-inner.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "line/d-channel.h"

#define TICKS_A_SECOND (1000000 / TL_TICK_US)
/* A read while the reference's next octets are due; at other times it is asked first whether there are any. */
#define EARLY_US (TL_TICK_US / 2)
#define LATE_US (TL_TICK_US * 3 / 2)
/* A card whose clock stands still. */
#define SILENCE_US (2 * 1000000)
/* As many frames as fit a tick. */
#define D_FRAMES_A_TICK 16
#define FCS_OCTETS 2

/* Nothing may touch the device from here on but main. */
void tl_dahdi_go(struct tl_dahdi *dahdi)
{
	if (dahdi->state == TL_DAHDI_GONE)
		return;
	tl_dahdi_watch(dahdi, EPOLL_CTL_DEL);
	dahdi->n_waiting = 0;
	tl_port_set_alarms(dahdi->port, TL_ALARM_NOTOPEN);
	dahdi->port->changed = true;
	tl_dahdi_set_state(dahdi, TL_DAHDI_GONE);
}

static void look_at_status(struct tl_dahdi *dahdi)
{
	struct tl_dahdi_status status;

	dahdi->look = false;
	if (tl_dahdi_device_status(&dahdi->device, &status)) {
		tl_dahdi_go(dahdi);
		return;
	}
	dahdi->second_errored |= status.line_errors != dahdi->line_errors;
	dahdi->line_errors = status.line_errors;
	tl_port_set_alarms(dahdi->port, status.alarms);
}

static void take_events(struct tl_dahdi *dahdi, unsigned slot)
{
	struct tl_span_counters *counters = &dahdi->port->counters;
	unsigned events = tl_dahdi_device_events(&dahdi->device, slot);

	if (events & TL_DAHDI_ALARM)
		dahdi->look = true;
	if (events & TL_DAHDI_BITS)
		dahdi->cas_heard[slot] = (uint8_t)tl_dahdi_device_cas(&dahdi->device, slot);
	if (events & TL_DAHDI_UNDERRUN)
		tl_count(&counters->underruns, 1);
	if (events & TL_DAHDI_OVERRUN)
		tl_count(&counters->overruns, 1);
	dahdi->ran_dry |= events & TL_DAHDI_UNDERRUN;
	dahdi->lost_time |= events & TL_DAHDI_OVERRUN;
	dahdi->anew[slot] |= (events & (TL_DAHDI_UNDERRUN | TL_DAHDI_OVERRUN)) != 0;
	if (events & TL_DAHDI_ABORT)
		tl_count(&counters->d_aborts, 1);
	if (events & TL_DAHDI_BAD_FCS)
		tl_count(&counters->d_bad_fcs, 1);
	if (events & TL_DAHDI_TOO_LONG)
		tl_count(&counters->d_overflows, 1);
}

static int result_of(ssize_t moved)
{
	return moved < 0 ? -errno : (int)moved;
}

/* A read or write that met an event is tried once more after it. */
static int read_again(struct tl_dahdi *dahdi, unsigned slot, void *octets, size_t room)
{
	take_events(dahdi, slot);
	return result_of(read(dahdi->device.fd[slot], octets, room));
}

static int write_again(struct tl_dahdi *dahdi, unsigned slot, const void *octets, size_t n)
{
	take_events(dahdi, slot);
	return result_of(write(dahdi->device.fd[slot], octets, n));
}

static void end_read(struct tl_dahdi *dahdi, unsigned slot, int result)
{
	dahdi->reading[slot] = false;
	if (result == -TL_DAHDI_ELAST)
		result = read_again(dahdi, slot, dahdi->landing[slot], TL_BLOCK_OCTETS);
	if (result == -ENODEV)
		tl_dahdi_go(dahdi);
	dahdi->landed[slot] = result == TL_BLOCK_OCTETS;
}

static void end_write(struct tl_dahdi *dahdi, unsigned slot, int result)
{
	dahdi->writing[slot] = false;
	if (result == -TL_DAHDI_ELAST)
		result = write_again(dahdi, slot, dahdi->port->tx[slot], TL_BLOCK_OCTETS);
	if (result == -ENODEV)
		tl_dahdi_go(dahdi);
}

/* The read under way brought one; more may wait behind it. */
static void end_frame(struct tl_dahdi *dahdi, int result)
{
	unsigned slot = dahdi->device.d_channel;

	dahdi->listening = false;
	for (unsigned i = 0; i < D_FRAMES_A_TICK; i++) {
		if (result == -TL_DAHDI_ELAST)
			take_events(dahdi, slot);
		else if (result > FCS_OCTETS)
			tl_d_channel_heard(dahdi->port->d, dahdi->frame, (size_t)(result - FCS_OCTETS));
		else
			break;
		dahdi->port->changed = true;
		result = result_of(read(dahdi->device.fd[slot], dahdi->frame, sizeof(dahdi->frame)));
	}
	if (result == -ENODEV)
		tl_dahdi_go(dahdi);
}

void tl_dahdi_reap(struct tl_dahdi *dahdi)
{
	unsigned tag;
	int result;

	while (dahdi->state != TL_DAHDI_GONE && tl_batch_next(dahdi->batch, &tag, &result)) {
		if ((tag & ~TL_DAHDI_TAG_SLOT) == TL_DAHDI_TAG_READ)
			end_read(dahdi, tag & TL_DAHDI_TAG_SLOT, result);
		else if ((tag & ~TL_DAHDI_TAG_SLOT) == TL_DAHDI_TAG_WRITE)
			end_write(dahdi, tag & TL_DAHDI_TAG_SLOT, result);
		else
			end_frame(dahdi, result);
	}
}

/*
 * All slots begin anew, the reference last: when its octets of a tick are
 * there, so are those of all others. What is to be sent begins with idle
 * octets, as many as our answers may be late. It is done where a tick ends,
 * which is the same time for all spans: a tick waits for the last of them, and
 * none should have to send while it waits.
 */
static void begin_anew(struct tl_dahdi *dahdi)
{
	const struct tl_dahdi_device *device = &dahdi->device;
	uint8_t idle[TL_BLOCK_OCTETS];

	for (unsigned i = 0; i < device->n_slots; i++) {
		unsigned slot = device->slots[i];

		memset(idle, dahdi->port->idle[slot], sizeof(idle));
		tl_dahdi_device_flush(device, slot);
		for (unsigned k = 0; k < dahdi->depth_ticks; k++)
			(void)!write(device->fd[slot], idle, sizeof(idle));
		if (dahdi->port->config->cas)
			dahdi->cas_heard[slot] = (uint8_t)tl_dahdi_device_cas(device, slot);
		dahdi->landed[slot] = false;
	}
	dahdi->n_waiting = 0;
	dahdi->owed = 0;
	dahdi->depth_now_ticks = dahdi->depth_ticks;
	dahdi->ran_dry = false;
	dahdi->lost_time = false;
}

static void begin(struct tl_dahdi *dahdi, int64_t now_us)
{
	memset(dahdi->reading, 0, sizeof(dahdi->reading));
	memset(dahdi->writing, 0, sizeof(dahdi->writing));
	memset(dahdi->cas_sent, 0xff, sizeof(dahdi->cas_sent));
	dahdi->listening = false;
	dahdi->look = true;
	dahdi->second_ticks = 0;
	dahdi->heard_us = now_us;
	dahdi->n_waiting = 0;
	dahdi->depth_now_ticks = dahdi->depth_ticks;
	tl_dahdi_set_state(dahdi, TL_DAHDI_LIVE);
	if (dahdi->port->config->lends)
		return;
	begin_anew(dahdi);
	dahdi->lost_time = true; /* once more at the first tick's end, with all others */
}

/* Starts what has not been started, and takes what is there. */
static void fetch(struct tl_dahdi *dahdi)
{
	const struct tl_dahdi_device *device = &dahdi->device;

	for (unsigned i = 0; i < device->n_slots; i++) {
		unsigned slot = device->slots[i];

		if (!dahdi->reading[slot] && !dahdi->landed[slot])
			dahdi->reading[slot] = tl_batch_read(dahdi->batch, device->fd[slot], dahdi->landing[slot],
							     TL_BLOCK_OCTETS, TL_DAHDI_TAG_READ | slot);
	}
	if (device->d_channel && !dahdi->listening)
		dahdi->listening = tl_batch_read(dahdi->batch, device->fd[device->d_channel], dahdi->frame,
						 sizeof(dahdi->frame), TL_DAHDI_TAG_FRAME);
	tl_batch_submit(dahdi->batch);
	tl_dahdi_reap(dahdi);
}

/* The place for one more tick; the oldest gives way, and will be made up for in what is sent. */
static uint8_t (*next_waiting(struct tl_dahdi *dahdi))[TL_BLOCK_OCTETS]
{
	if (dahdi->n_waiting == TL_DAHDI_WAITING_MAX) {
		dahdi->first_waiting = (dahdi->first_waiting + 1) % TL_DAHDI_WAITING_MAX;
		dahdi->n_waiting--;
		dahdi->owed++;
		dahdi->second_errored = true;
		tl_count(&dahdi->port->counters.slips_dropped, TL_BLOCK_OCTETS);
	}
	return dahdi->waiting[(dahdi->first_waiting + dahdi->n_waiting++) % TL_DAHDI_WAITING_MAX];
}

static void keep(struct tl_dahdi *dahdi)
{
	const struct tl_dahdi_device *device = &dahdi->device;
	uint8_t(*octets)[TL_BLOCK_OCTETS] = next_waiting(dahdi);
	bool all = true;

	for (unsigned i = 0; i < device->n_slots; i++) {
		unsigned slot = device->slots[i];

		if (dahdi->landed[slot])
			memcpy(octets[slot], dahdi->landing[slot], TL_BLOCK_OCTETS);
		else
			memset(octets[slot], dahdi->port->idle[slot], TL_BLOCK_OCTETS);
		all &= dahdi->landed[slot];
		dahdi->landed[slot] = false;
	}
	if (all)
		return;
	dahdi->second_errored = true;
	tl_count(&dahdi->port->counters.idle_frames, TL_BLOCK_OCTETS);
}

void tl_dahdi_note_tick(struct tl_dahdi *dahdi)
{
	struct tl_span_counters *counters = &dahdi->port->counters;

	if (++dahdi->second_ticks == TICKS_A_SECOND)
		dahdi->look = true;
	if (dahdi->look)
		look_at_status(dahdi);
	if (dahdi->second_ticks < TICKS_A_SECOND)
		return;
	if (dahdi->port->alarms & TL_ALARM_DOWN)
		tl_count(&counters->seconds_unavailable, 1);
	else if (dahdi->second_errored)
		tl_count(&counters->seconds_errored, 1);
	dahdi->second_ticks = 0;
	dahdi->second_errored = false;
}

/*
 * Out of its time the reference alone is asked: a card that has gone answers
 * each call after 5 ms.
 */
static bool is_there(struct tl_dahdi *dahdi, int64_t now_us)
{
	unsigned reference = tl_dahdi_device_reference(&dahdi->device);
	int64_t since_us = now_us - dahdi->heard_us;

	if (dahdi->reading[reference] || dahdi->landed[reference] || (since_us > EARLY_US && since_us < LATE_US))
		return true;
	end_read(dahdi, reference,
		 result_of(read(dahdi->device.fd[reference], dahdi->landing[reference], TL_BLOCK_OCTETS)));
	return dahdi->landed[reference];
}

void tl_dahdi_watch_silence(struct tl_dahdi *dahdi, int64_t now_us)
{
	if (dahdi->state == TL_DAHDI_GONE || now_us - dahdi->heard_us < SILENCE_US)
		return;
	look_at_status(dahdi);
	if (dahdi->state == TL_DAHDI_GONE)
		return;
	tl_port_set_alarms(dahdi->port, TL_ALARM_RED);
	dahdi->look = true;
}

/*
 * Nothing was there to be sent. A thread that was late begins anew; one that
 * was not has to wait for other spans, or the line takes its octets in bursts:
 * then one tick more is kept from now on.
 */
static void meet_dryness(struct tl_dahdi *dahdi, int64_t since_us)
{
	dahdi->ran_dry = false;
	dahdi->second_errored = true;
	if (since_us > (int64_t)dahdi->depth_ticks * TL_TICK_US || dahdi->depth_now_ticks == TL_DAHDI_DEPTH_MAX_TICKS) {
		dahdi->lost_time = true;
		return;
	}
	dahdi->depth_now_ticks++;
	dahdi->owed++;
}

void tl_dahdi_receive(void *backend, int64_t now_us)
{
	struct tl_dahdi *dahdi = backend;
	enum tl_dahdi_state state = tl_dahdi_state_of(dahdi);
	int64_t since_us = now_us - dahdi->heard_us;

	if (state == TL_DAHDI_GONE)
		return;
	if (state == TL_DAHDI_OPENED) {
		begin(dahdi, now_us);
		return;
	}
	if (dahdi->port->config->lends) {
		tl_dahdi_timed_receive(dahdi, now_us);
		return;
	}
	if (is_there(dahdi, now_us))
		fetch(dahdi);
	if (dahdi->state == TL_DAHDI_GONE || !dahdi->landed[tl_dahdi_device_reference(&dahdi->device)]) {
		tl_dahdi_watch_silence(dahdi, now_us);
		return;
	}
	dahdi->heard_us = now_us;
	keep(dahdi);
	if (dahdi->ran_dry)
		meet_dryness(dahdi, since_us);
	tl_dahdi_note_tick(dahdi);
}

unsigned tl_dahdi_ticks_due(const void *backend)
{
	const struct tl_dahdi *dahdi = backend;

	return dahdi->n_waiting;
}

void tl_dahdi_begin_tick(void *backend)
{
	struct tl_dahdi *dahdi = backend;
	struct tl_port *port = dahdi->port;
	const struct tl_dahdi_device *device = &dahdi->device;
	uint8_t(*octets)[TL_BLOCK_OCTETS] = dahdi->waiting[dahdi->first_waiting];

	if (dahdi->n_waiting == 0)
		return;
	if (port->config->lends) {
		tl_dahdi_timed_begin_tick(dahdi);
		return;
	}
	for (unsigned i = 0; i < device->n_slots; i++)
		memcpy(port->rx[device->slots[i]], octets[device->slots[i]], TL_BLOCK_OCTETS);
	dahdi->first_waiting = (dahdi->first_waiting + 1) % TL_DAHDI_WAITING_MAX;
	dahdi->n_waiting--;
	if (port->config->cas)
		tl_port_hear_cas(port, dahdi->cas_heard);
	__atomic_store_n(&port->counters.depth_us, (int64_t)(dahdi->depth_now_ticks + dahdi->n_waiting) * TL_TICK_US,
			 __ATOMIC_RELAXED);
}

static void send_octets(struct tl_dahdi *dahdi)
{
	const struct tl_dahdi_device *device = &dahdi->device;

	for (unsigned i = 0; i < device->n_slots; i++) {
		unsigned slot = device->slots[i];

		if (!dahdi->writing[slot])
			dahdi->writing[slot] = tl_batch_write(dahdi->batch, device->fd[slot], dahdi->port->tx[slot],
							      TL_BLOCK_OCTETS, TL_DAHDI_TAG_WRITE | slot);
	}
	tl_batch_submit(dahdi->batch);
	tl_dahdi_reap(dahdi);
}

/* The room for the FCS is ours to leave, its value DAHDI's to fill in. */
static void send_frames(struct tl_dahdi *dahdi)
{
	unsigned slot = dahdi->device.d_channel;
	uint8_t frame[TL_D_FRAME_MAX + FCS_OCTETS] = { 0 };
	const uint8_t *octets;
	size_t n;

	for (unsigned i = 0; i < D_FRAMES_A_TICK && (octets = tl_d_channel_next(dahdi->port->d, &n)); i++) {
		memcpy(frame, octets, n);

		int result = result_of(write(dahdi->device.fd[slot], frame, n + FCS_OCTETS));

		if (result == -TL_DAHDI_ELAST)
			result = write_again(dahdi, slot, frame, n + FCS_OCTETS);
		if (result == -ENODEV)
			tl_dahdi_go(dahdi);
		if (result < 0)
			return;
		tl_d_channel_sent(dahdi->port->d);
	}
}

static void send_cas(struct tl_dahdi *dahdi)
{
	for (unsigned i = 0; i < dahdi->device.n_slots; i++) {
		unsigned slot = dahdi->device.slots[i];
		uint8_t abcd = dahdi->port->cas_sent[slot];

		if (abcd == dahdi->cas_sent[slot])
			continue;
		tl_dahdi_device_set_cas(&dahdi->device, slot, abcd);
		dahdi->cas_sent[slot] = abcd;
	}
}

void tl_dahdi_end_tick(void *backend, int64_t now_us)
{
	struct tl_dahdi *dahdi = backend;

	if (tl_dahdi_state_of(dahdi) != TL_DAHDI_LIVE)
		return;
	if (dahdi->port->config->lends) {
		tl_dahdi_timed_end_tick(dahdi);
		return;
	}
	if (dahdi->lost_time) {
		dahdi->second_errored = true;
		begin_anew(dahdi);
		return;
	}
	if (dahdi->port->d)
		send_frames(dahdi);
	if (dahdi->port->config->cas && dahdi->state == TL_DAHDI_LIVE)
		send_cas(dahdi);
	for (bool again = true; again && dahdi->state == TL_DAHDI_LIVE; dahdi->owed -= again) {
		send_octets(dahdi);
		again = dahdi->owed > 0;
	}
}
