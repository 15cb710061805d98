/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Caller id as it is told between ringing signals: the message as values, its
 * sound by SpanDSP's ADSI transmitter (made beforehand, so that the thread only
 * copies), and its receiver, which hears one message.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "media/media.h"
#include "signal/inband.h"

/** The sound of @id as @kind tells it, at @minute ("MMDDHHMM"). (transfer full) Any thread that may allocate. */
struct tl_sound *tl_caller_id_sound(enum tl_caller_id_kind kind, const struct tl_caller_id *id, const char *minute);

/**
 * tl_caller_id_parse - read a message as it came from a line: MDMF or SDMF, checksum left out (Telcordia GR-30 2.4,
 * ETSI EN 300 659-3 5), or the digits of DTMF. False, @id untouched, when it is none or says neither number nor reason.
 */
bool tl_caller_id_parse(enum tl_caller_id_kind kind, const uint8_t *octets, size_t n_octets, struct tl_caller_id *id);

struct tl_caller_id_receiver;
/** Thread: main. (transfer full) */
struct tl_caller_id_receiver *tl_caller_id_receiver_new(enum tl_caller_id_kind kind);
void tl_caller_id_receiver_free(struct tl_caller_id_receiver *receiver);

/** Hears @n linear samples; true once, when a message is there: main may read it, nothing is heard any more. Tick. */
bool tl_caller_id_receiver_hear(struct tl_caller_id_receiver *receiver, const int16_t *samples, unsigned n);

/** The message heard; false when it makes no sense. Thread: main, after the thread has told of it. */
bool tl_caller_id_receiver_take(const struct tl_caller_id_receiver *receiver, struct tl_caller_id *id);
