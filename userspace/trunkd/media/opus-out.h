/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a far end hears in Opus (RFC 6716, RFC 7587), made of 8 kHz samples. Thread: tick; real-time safe after new. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

struct tl_opus_out;

/** Thread: main. */
struct tl_opus_out *tl_opus_out_new(const struct tl_opus_config *config);
/** NULL is legal. Thread: main. */
void tl_opus_out_free(struct tl_opus_out *out);

/** Whether packets repeat what the one before them said; the loss that the far end reports, in percent. */
void tl_opus_out_expect(struct tl_opus_out *out, bool fec, unsigned loss_percent);
/** Encodes @n samples (10, 20, 40 or 60 ms). Returns octets; 0: silence that need not be sent. */
size_t tl_opus_out_encode(struct tl_opus_out *out, const int16_t *samples, unsigned n, uint8_t *octets, size_t room);
/** The packet time nearest below @ms that Opus has. */
unsigned tl_opus_out_packet_ms(unsigned ms);
