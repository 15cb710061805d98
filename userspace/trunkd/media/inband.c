/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Ports that signalling uses: address digits, caller id, tones. Thread: main. */
#include <errno.h>
#include <glib.h>

#include "base/thread.h"
#include "media/caller-id.h"
#include "media/mf.h"
#include "media/port.h"

/* TIA/EIA-464: 50 ms and 45 ms at least; generous to older receivers. */
#define DTMF_ON_MS 80
#define DTMF_OFF_MS 80

struct tl_inband {
	struct tl_port *port; /* owns us */
	struct tl_inband_handler handler;
	void *user;
	uint64_t sending;     /* id of what plays; 0: nothing that is waited for */
	uint64_t informing;   /* id of the special information tone that plays; 0: none */
	uint64_t last_id;
	struct tl_mf_detector *mf;
	struct tl_caller_id_receiver *caller_id;
};

static struct tl_inband *inband_open(void *room, struct tl_span *span, unsigned slot,
				     const struct tl_inband_handler *handler, void *user)
{
	struct tl_port *port = tl_port_new_timeslot(room, span, slot, NULL);
	if (!port)
		return NULL;
	struct tl_inband *inband = port->inband = g_new0(struct tl_inband, 1);
	inband->port = port;
	inband->handler = *handler;
	inband->user = user;
	return inband;
}

static void inband_close(struct tl_inband *inband)
{
	if (!inband)
		return;
	inband->handler = (struct tl_inband_handler){ 0 };
	tl_port_free(inband->port);
}

void tl_inband_free(struct tl_inband *inband)
{
	if (!inband)
		return;
	tl_mf_detector_free(inband->mf);
	tl_caller_id_receiver_free(inband->caller_id);
	g_free(inband);
}

/* ---- towards the line ---- */

static int inband_send_digits(struct tl_inband *inband, enum tl_inband_digits kind, const char *digits)
{
	uint64_t id = ++inband->last_id;
	int result = kind == TL_INBAND_MF ? tl_port_send_mf(inband->port, id, digits) :
					    tl_port_send_dtmf(inband->port, id, digits, DTMF_ON_MS, DTMF_OFF_MS);
	if (result)
		return -EINVAL;
	inband->sending = id;
	return 0;
}

static int inband_send_caller_id(struct tl_inband *inband, enum tl_caller_id_kind kind, const struct tl_caller_id *id)
{
	if (kind == TL_CALLER_ID_NONE)
		return -EINVAL;
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *minute = g_date_time_format(now, "%m%d%H%M");
	struct tl_sound *sound = tl_caller_id_sound(kind, id, minute);
	inband->sending = ++inband->last_id;
	tl_port_play(inband->port, inband->sending, &sound, 1, 1);
	tl_sound_unref(sound);
	return 0;
}

static void inband_tone(struct tl_inband *inband, enum tl_inband_tone tone)
{
	static const enum tl_tone_kind kinds[] = { [TL_INBAND_DIAL_TONE] = TL_TONE_DIAL, [TL_INBAND_RINGING] = TL_TONE_RINGING,
						   [TL_INBAND_BUSY] = TL_TONE_BUSY, [TL_INBAND_CONGESTION] = TL_TONE_CONGESTION,
						   [TL_INBAND_UNOBTAINABLE] = TL_TONE_SPECIAL_INFORMATION };
	inband->sending = 0;
	inband->informing = tone == TL_INBAND_UNOBTAINABLE ? inband->last_id + 1 : 0;
	tl_port_tone(inband->port, ++inband->last_id, inband->port->media->first->inband_country, kinds[tone]);
}

static void inband_quiet(struct tl_inband *inband)
{
	inband->sending = 0;
	tl_port_stop(inband->port);
}

/* ---- from the line ---- */

static void inband_hear_digits(struct tl_inband *inband, enum tl_inband_digits kind)
{
	struct tl_listening listening = { 0 };
	if (kind == TL_INBAND_MF && !inband->mf)
		inband->mf = tl_mf_detector_new();
	if (kind == TL_INBAND_MF)
		listening.mf = inband->mf;
	tl_port_detect_dtmf(inband->port, kind == TL_INBAND_DTMF);
	tl_port_listen(inband->port, &listening);
}

static void inband_hear_caller_id(struct tl_inband *inband, enum tl_caller_id_kind kind)
{
	if (kind != TL_CALLER_ID_NONE && !inband->caller_id)
		inband->caller_id = tl_caller_id_receiver_new(kind);
	tl_port_detect_dtmf(inband->port, false);
	tl_port_listen(inband->port, &(struct tl_listening){ .caller_id = inband->caller_id });
}

void tl_inband_heard_digit(struct tl_port *port, char digit)
{
	struct tl_inband *inband = port->inband;
	if (inband->handler.on_digit)
		inband->handler.on_digit(inband, digit, inband->user);
}

void tl_inband_heard_caller_id(struct tl_port *port)
{
	struct tl_inband *inband = port->inband;
	struct tl_caller_id id;
	if (inband->handler.on_caller_id && tl_caller_id_receiver_take(inband->caller_id, &id))
		inband->handler.on_caller_id(inband, &id, inband->user);
}

void tl_inband_sent(struct tl_port *port, uint64_t id, bool completed)
{
	struct tl_inband *inband = port->inband;
	if (!completed)
		return;
	if (id == inband->informing)
		inband_tone(inband, TL_INBAND_CONGESTION);
	if (id != inband->sending)
		return;
	inband->sending = 0;
	if (inband->handler.on_sent)
		inband->handler.on_sent(inband, inband->user);
}

/* ---- the room ---- */

void tl_inband_warm_up(const int16_t samples[TL_BLOCK_OCTETS])
{
	struct tl_mf_detector *mf = tl_mf_detector_new();
	tl_mf_detector_hear(mf, samples, TL_BLOCK_OCTETS);
	tl_mf_detector_free(mf);
	for (enum tl_caller_id_kind kind = TL_CALLER_ID_BELL; kind <= TL_CALLER_ID_DTMF; kind++) {
		struct tl_caller_id_receiver *receiver = tl_caller_id_receiver_new(kind);
		tl_caller_id_receiver_hear(receiver, samples, TL_BLOCK_OCTETS);
		tl_caller_id_receiver_free(receiver);
	}
}

struct tl_inband_room tl_media_inband(struct tl_media *media, const char *country)
{
	static const struct tl_inband_ops ops = {
		.open = inband_open, .send_digits = inband_send_digits, .send_caller_id = inband_send_caller_id,
		.tone = inband_tone, .quiet = inband_quiet, .hear_digits = inband_hear_digits,
		.hear_caller_id = inband_hear_caller_id, .close = inband_close,
	};
	tl_assert_main();
	media->inband_country = g_intern_string(country);
	return (struct tl_inband_room){ &ops, media };
}
