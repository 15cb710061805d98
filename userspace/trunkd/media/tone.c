/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/tone.h"

#include <glib.h>
#include <math.h>
#include <spandsp.h>

#include "media/sound.h"

#define PER_MS 8

void tl_oscillator_start(struct tl_oscillator *oscillator, const unsigned hz[2], const int dbm0[2])
{
	for (unsigned i = 0; i < 2; i++) {
		oscillator->phase[i] = 0;
		oscillator->rate[i] = dds_phase_rate(hz[i]);
		oscillator->level[i] = hz[i] ? dds_scaling_dbm0(dbm0[i]) : 0;
	}
}

void tl_oscillator_fill(struct tl_oscillator *o, int16_t *samples, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		samples[i] = dds_mod(&o->phase[0], o->rate[0], o->level[0], 0) +
			     dds_mod(&o->phase[1], o->rate[1], o->level[1], 0);
}

static unsigned plan_samples(const struct tl_tone_plan *plan)
{
	unsigned n = 0;
	for (unsigned i = 0; i < TL_TONE_SEGMENTS_MAX && plan->segments[i].ms; i++)
		n += plan->segments[i].ms * PER_MS;
	return n;
}

/* By nine tenths: a warble, as zones that modulate their tones want it. */
static void modulate(int16_t *samples, unsigned n, unsigned hz)
{
	for (unsigned i = 0; i < n; i++)
		samples[i] *= (1 + 0.9 * sin(2 * G_PI * hz * i / (1000 * PER_MS))) / 1.9;
}

struct tl_sound *tl_tone_render(const struct tl_tone_plan *plan)
{
	unsigned n = plan_samples(plan);
	g_autofree int16_t *samples = g_new(int16_t, n);
	int16_t *at = samples;
	for (unsigned i = 0; i < TL_TONE_SEGMENTS_MAX && plan->segments[i].ms; i++) {
		const struct tl_tone_segment *segment = &plan->segments[i];
		const unsigned hz[2] = { segment->hz[0], segment->modulated ? 0 : segment->hz[1] };
		const int dbm0[2] = { plan->dbm0, plan->dbm0 };
		struct tl_oscillator oscillator;
		tl_oscillator_start(&oscillator, hz, dbm0);
		tl_oscillator_fill(&oscillator, at, segment->ms * PER_MS);
		if (segment->modulated)
			modulate(at, segment->ms * PER_MS, segment->hz[1]);
		at += segment->ms * PER_MS;
	}
	return tl_sound_new_linear(samples, n);
}

struct tl_sound *tl_tone_milliwatt(void)
{
	static const uint8_t alaw[8] = { 0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4 };
	static const uint8_t ulaw[8] = { 0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e };
	return tl_sound_new_both(alaw, ulaw, sizeof alaw);
}

bool tl_tone_parse(const char *name, enum tl_tone_kind *tone)
{
	static const char *const names[TL_TONE_KINDS] = {
		[TL_TONE_DIAL] = "dial",
		[TL_TONE_RINGING] = "ringing",
		[TL_TONE_BUSY] = "busy",
		[TL_TONE_CONGESTION] = "congestion",
		[TL_TONE_CALL_WAITING] = "call-waiting",
		[TL_TONE_SPECIAL_INFORMATION] = "special-information",
		[TL_TONE_BEEP] = "beep",
		[TL_TONE_MILLIWATT] = "milliwatt",
	};
	for (unsigned i = 0; i < TL_TONE_KINDS; i++) {
		if (g_strcmp0(name, names[i]) == 0) {
			*tone = i;
			return true;
		}
	}
	return false;
}
