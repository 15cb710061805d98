/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What signalling in the band of a timeslot asks of its audio: address digits,
 * caller id and the tones that an exchange gives, before the call has audio of
 * its own and after. Signalling uses it, media offers it; neither knows the
 * other. Values and one small interface. Thread: main.
 */
#pragma once

#include <stdbool.h>

#include "line/line.h"

/** How address digits sound: ITU-T Q.23, or R1's (ITU-T Q.320), KP written as * and ST as #. */
enum tl_inband_digits { TL_INBAND_DTMF, TL_INBAND_MF };

enum tl_inband_tone { TL_INBAND_DIAL_TONE, TL_INBAND_RINGING, TL_INBAND_BUSY, TL_INBAND_CONGESTION,
		      TL_INBAND_UNOBTAINABLE /* the special information tone, then congestion */ };

/** What a refused caller should hear of @cause (ITU-T E.180 6 and 7). */
enum tl_inband_tone tl_inband_refusal(unsigned cause);

/** How a calling number is told between ringing signals. */
enum tl_caller_id_kind {
	TL_CALLER_ID_NONE,
	TL_CALLER_ID_BELL, /* Bell 202 FSK, Telcordia GR-30 MDMF; SDMF is understood */
	TL_CALLER_ID_V23,  /* V.23 FSK, ETSI EN 300 659-1 */
	TL_CALLER_ID_DTMF, /* A number C; B10C: restricted, B00C: unavailable (ETSI EN 300 659-1 annex) */
};

#define TL_CALLER_ID_DIGITS_MAX 20
#define TL_CALLER_ID_NAME_MAX 32

struct tl_caller_id {
	char digits[TL_CALLER_ID_DIGITS_MAX + 1]; /* "": not told */
	char name[TL_CALLER_ID_NAME_MAX + 1];     /* UTF-8; on the line Latin letters without accents; DTMF has none */
	bool restricted;                          /* the caller withholds it; otherwise "" means unavailable */
};

struct tl_inband;

/** What the audio says. Any member may be NULL. */
struct tl_inband_handler {
	/** A digit was heard: 0-9 * # A-D; of MF 0-9, * (KP), # (ST) and A, B, C (ST', ST'', ST'''). */
	void (*on_digit)(struct tl_inband *inband, char digit, void *user);
	/** The digits or caller id have been sent. */
	void (*on_sent)(struct tl_inband *inband, void *user);
	/** A caller id was heard in whole, its checksum good. It is the only one. */
	void (*on_caller_id)(struct tl_inband *inband, const struct tl_caller_id *id, void *user);
};

struct tl_inband_ops {
	/** Takes hold of @slot's audio: idle octets at first, nothing is listened for. NULL: no room. (transfer full) */
	struct tl_inband *(*open)(void *room, struct tl_span *span, unsigned slot, const struct tl_inband_handler *handler,
				  void *user);
	/** At most 64; w pauses half a second. 0 or -EINVAL. Replaces what is being sent. */
	int (*send_digits)(struct tl_inband *inband, enum tl_inband_digits kind, const char *digits);
	/** 0 or -EINVAL. Replaces what is being sent. */
	int (*send_caller_id)(struct tl_inband *inband, enum tl_caller_id_kind kind, const struct tl_caller_id *id);
	/** Until something else is sent. */
	void (*tone)(struct tl_inband *inband, enum tl_inband_tone tone);
	/** Ends what is being sent; no on_sent follows. */
	void (*quiet)(struct tl_inband *inband);
	/** From now on, instead of what was listened for before. */
	void (*hear_digits)(struct tl_inband *inband, enum tl_inband_digits kind);
	void (*hear_caller_id)(struct tl_inband *inband, enum tl_caller_id_kind kind);
	/** Lets go; nothing is told after it. Legal within a handler. NULL is legal. */
	void (*close)(struct tl_inband *inband);
};

/** What a signalling system is given. Plain value; @room outlives whatever is open. */
struct tl_inband_room {
	const struct tl_inband_ops *ops;
	void *room;
};
