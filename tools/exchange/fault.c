/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#define SEED 1234567
#define TRAINED_SAMPLES (8 * 1600) /* the longest training (V.17: 1.4 s) is over; of the check 1.3 s are left */
#define TRAINED_V29_SAMPLES (8 * 300) /* V.29's takes 0.25 s; a second without error is a good check */
#define IS_V29(octets) (((octets)[4] & 0x24) == 0x04) /* DCS bits 11-14 (T.30 table 2) */
#define BLOCKS_A_PACKET 2 /* RTP's, of 20 ms */
#define SILENCE 64 /* linear; of an idle line by G.711 8 are left */
#define GAP_SAMPLES (8 * 40) /* between signals of different modems there are 75 ms of silence (T.30 5.3.2.2) */

/* The facsimile control field without the bit X that tells the ends apart (T.30 5.3.6.1). */
#define FCF(octets) ((octets)[2] & 0xfe)

void fault_noise(struct fault *fault, int dbm0)
{
	static int machines; /* no two hear the same noise */
	fault_done(fault);
	fault->noise = awgn_init_dbm0(NULL, SEED + machines++, dbm0);
}

void fault_done(struct fault *fault)
{
	if (fault->noise)
		awgn_free(fault->noise);
	fault->noise = NULL;
}

/* The training check follows the DCS after a gap: once the modem has trained, it is spoiled until the next gap. */
static void spoil_tcf(struct fault *fault, int16_t *samples, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		fault->silent = abs(samples[i]) > SILENCE ? 0 : fault->silent + 1;
		if (fault->tcf == TCF_COMES && !fault->silent)
			fault->tcf = TCF_GAP; /* the DCS itself has begun, or has just been heard */
		else if (fault->tcf == TCF_GAP && fault->silent > GAP_SAMPLES)
			fault->tcf = TCF_SPOILED, fault->passed = 0;
		else if (fault->tcf == TCF_SPOILED && fault->passed > fault->trained && fault->silent > GAP_SAMPLES)
			fault->tcf = TCF_NONE;
		if (fault->tcf != TCF_SPOILED || fault->silent)
			continue;
		if (++fault->passed > fault->trained && i % 16 < 8)
			samples[i] = -samples[i];
	}
}

static bool is_lost(struct fault *fault)
{
	return fault->loss_percent && g_random_double_range(0, 100) < fault->loss_percent;
}

/* The line is as bad both ways. */
static void pass_line(struct fault *fault, struct passage *passage, int16_t *samples, unsigned n)
{
	if (fault->noise)
		for (unsigned i = 0; i < n; i++)
			samples[i] = CLAMP(samples[i] + awgn(fault->noise), G_MININT16, G_MAXINT16);
	if (passage->blocks++ % BLOCKS_A_PACKET == 0)
		passage->lost = is_lost(fault);
	if (passage->lost)
		memset(samples, 0, n * sizeof *samples);
}

static void on_heard(int16_t *samples, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	if (fault->tcf != TCF_NONE && fault->tcf_heard)
		spoil_tcf(fault, samples, n);
	pass_line(fault, &fault->heard, samples, n);
	if (fault->drop_every && ++fault->blocks % fault->drop_every == 0)
		memset(samples, 0, n * sizeof *samples);
}

static void on_said(int16_t *samples, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	if (fault->tcf != TCF_NONE && !fault->tcf_heard)
		spoil_tcf(fault, samples, n);
	if (fault->muted)
		memset(samples, 0, n * sizeof *samples);
	pass_line(fault, &fault->said, samples, n);
}

static bool on_packet(void *user)
{
	struct fault *fault = fault_of(user);
	return is_lost(fault) || (fault->lose_every && fault->packets++ % fault->lose_every < fault->burst);
}

/* A check is spoiled by whoever sends it, or by whoever hears it. */
static void on_dcs(struct fault *fault, bool sent, const uint8_t *octets, unsigned n)
{
	fault->trained = n > 4 && IS_V29(octets) ? TRAINED_V29_SAMPLES : TRAINED_SAMPLES;
	fault->tcf = fault->bad_tcfs ? TCF_COMES : TCF_NONE;
	fault->tcf_heard = !sent;
	if (fault->bad_tcfs)
		fault->bad_tcfs--;
}

static void on_frame(bool sent, uint8_t *octets, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	bool answer = sent == fault->tcf_heard;
	if (answer)
		fault->tcf = TCF_NONE;
	if (n < 3)
		return;
	if (FCF(octets) == T30_DCS)
		on_dcs(fault, sent, octets, n);
	if (sent && FCF(octets) == T30_DCS && fault->wrong_width && n > 5)
		octets[5] = (octets[5] & ~0x03) | 0x01;
	if (sent && fault->no_dcn && FCF(octets) == T30_DCN)
		fault->muted = true;
}

struct tl_fax_faults fault_faults(struct fault *fault)
{
	return (struct tl_fax_faults){ .heard = on_heard, .said = on_said, .loses = on_packet, .frame = on_frame };
}
