/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fault.h"

#include <string.h>

#define SEED 1234567
#define TRAINED_SAMPLES (8 * 1600) /* the longest training (V.17: 1.4 s) is over; of the check 1.3 s are left */
#define GAP_SAMPLES (8 * 40) /* between signals of different modems there are 75 ms of silence (T.30 5.3.2.2) */

/* The facsimile control field without the bit X that tells the ends apart (T.30 5.3.6.1). */
#define FCF(octets) ((octets)[2] & 0xfe)

void fault_noise(struct fault *fault, int dbm0)
{
	fault_done(fault);
	fault->noise = awgn_init_dbm0(NULL, SEED, dbm0);
}

void fault_done(struct fault *fault)
{
	if (fault->noise)
		awgn_free(fault->noise);
	fault->noise = NULL;
}

static void on_heard(int16_t *samples, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	if (fault->noise)
		for (unsigned i = 0; i < n; i++)
			samples[i] = CLAMP(samples[i] + awgn(fault->noise), G_MININT16, G_MAXINT16);
	if (fault->drop_every && ++fault->blocks % fault->drop_every == 0)
		memset(samples, 0, n * sizeof *samples);
}

/* The training check follows the DCS after a gap: once the modem has trained, it is spoiled until the next gap. */
static void spoil_tcf(struct fault *fault, int16_t *samples, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		fault->silent = samples[i] ? 0 : fault->silent + 1;
		if (fault->tcf == TCF_COMES && !fault->silent)
			fault->tcf = TCF_GAP; /* the DCS itself has begun */
		else if (fault->tcf == TCF_GAP && fault->silent > GAP_SAMPLES)
			fault->tcf = TCF_SPOILED, fault->said = 0;
		else if (fault->tcf == TCF_SPOILED && fault->said > TRAINED_SAMPLES && fault->silent > GAP_SAMPLES)
			fault->tcf = TCF_NONE;
		if (fault->tcf != TCF_SPOILED || fault->silent)
			continue;
		if (++fault->said > TRAINED_SAMPLES && i % 16 < 8)
			samples[i] = -samples[i];
	}
}

static void on_said(int16_t *samples, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	if (fault->tcf != TCF_NONE)
		spoil_tcf(fault, samples, n);
	if (fault->muted)
		memset(samples, 0, n * sizeof *samples);
}

static bool on_packet(void *user)
{
	struct fault *fault = fault_of(user);
	return fault->lose_every && fault->packets++ % fault->lose_every < fault->burst;
}

static void on_frame(bool sent, uint8_t *octets, unsigned n, void *user)
{
	struct fault *fault = fault_of(user);
	if (!sent)
		fault->tcf = TCF_NONE;
	if (!sent || n < 3)
		return;
	if (FCF(octets) == T30_DCS) {
		if (fault->wrong_width && n > 5)
			octets[5] = (octets[5] & ~0x03) | 0x01;
		if (fault->bad_tcfs) {
			fault->bad_tcfs--;
			fault->tcf = TCF_COMES;
		}
	}
	if (fault->no_dcn && FCF(octets) == T30_DCN)
		fault->muted = true;
}

struct tl_fax_faults fault_faults(struct fault *fault)
{
	return (struct tl_fax_faults){ .heard = on_heard, .said = on_said, .loses = on_packet, .frame = on_frame };
}
