/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/event.h"

#define TONE_MIN 480       /* 60 ms: Q.24 asks receivers for 40 */
#define PAUSE 400          /* 50 ms */
#define SEGMENT_MAX 0xffff
#define QUIET_TICKS_MAX 20 /* 200 ms: ten packets of 20 ms lost in a row */

static void tone_begin(struct tl_event_in *in)
{
	in->has_tone = in->n_tones < TL_EVENT_QUEUE;
	if (!in->has_tone)
		return; /* the digit is still reported; only its sound is lost */
	unsigned i = (in->first + in->n_tones++) % TL_EVENT_QUEUE;
	in->tones[i].code = in->code;
	in->tones[i].ended = false;
}

static void tone_end(struct tl_event_in *in)
{
	if (!in->has_tone)
		return;
	in->has_tone = false;
	unsigned i = (in->first + in->n_tones - 1) % TL_EVENT_QUEUE;
	in->tones[i].ended = true;
	in->tones[i].want = in->duration > TONE_MIN ? in->duration : TONE_MIN;
}

static struct tl_dtmf_press finish(struct tl_event_in *in)
{
	in->down = false;
	tone_end(in);
	return (struct tl_dtmf_press){ tl_dtmf_digit(in->code), in->duration / 8 };
}

static void begin(struct tl_event_in *in, uint32_t timestamp, uint8_t code)
{
	in->heard = in->down = true;
	in->code = code;
	in->timestamp = timestamp;
	in->earlier = in->duration = 0;
	tone_begin(in);
}

unsigned tl_event_in_hear(struct tl_event_in *in, uint32_t timestamp, const struct tl_rtp_event *event,
			  struct tl_dtmf_press presses[TL_EVENT_PRESSES_MAX])
{
	unsigned n = 0;
	int32_t newer = timestamp - in->timestamp;
	if (event->event > 15 || (in->heard && (newer < 0 || (newer == 0 && !in->down))))
		return 0; /* not a digit; or old: a press already over */
	if (in->down && newer == SEGMENT_MAX && event->event == in->code) {
		in->earlier += SEGMENT_MAX;
		in->timestamp = timestamp;
	} else if (!in->heard || newer > 0) {
		if (in->down)
			presses[n++] = finish(in); /* its end packets were lost */
		begin(in, timestamp, event->event);
	}
	in->quiet_ticks = 0;
	if (in->earlier + event->duration > in->duration)
		in->duration = in->earlier + event->duration;
	if (event->end)
		presses[n++] = finish(in);
	return n;
}

bool tl_event_in_tick(struct tl_event_in *in, struct tl_dtmf_press *press)
{
	if (!in->down || ++in->quiet_ticks < QUIET_TICKS_MAX)
		return false;
	*press = finish(in);
	return true;
}

int tl_event_in_tone(struct tl_event_in *in)
{
	if (in->pause) {
		in->pause -= TL_BLOCK_OCTETS;
		return -1;
	}
	if (in->n_tones == 0)
		return -1;
	if (in->tones[in->first].ended && in->sounded >= in->tones[in->first].want) {
		in->first = (in->first + 1) % TL_EVENT_QUEUE;
		in->n_tones--;
		in->sounded = 0;
		in->pause = PAUSE - TL_BLOCK_OCTETS;
		return -1;
	}
	in->sounded += TL_BLOCK_OCTETS;
	return in->tones[in->first].code;
}
