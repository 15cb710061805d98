/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The file of a recording: stereo, 8 kHz, usable up to its last sync at any moment. Everything here may block.
 * RIFF WAVE with G.711 or linear samples; Ogg Opus (RFC 7845, RFC 6716).
 */
#pragma once

#include "media/record.h"
#include "line/line.h"

#define TL_RECORD_FRAMES 80 /* of a block: 10 ms */

struct tl_record_file;

/** Makes the file, with its header, durable (its folder is fsynced, too); NULL with *@result. @law: of TL_RECORD_WAV. */
struct tl_record_file *tl_record_file_new(const char *path, enum tl_record_format format, enum tl_law law, int *result);
/** @left, @right: TL_RECORD_FRAMES octets of their laws. 0 or negative errno. */
int tl_record_file_write(struct tl_record_file *file, enum tl_law left_law, const uint8_t *left, enum tl_law right_law,
			 const uint8_t *right);
/** Brings what was written into a form that can be played; does not fsync. */
int tl_record_file_settle(struct tl_record_file *file);
int tl_record_file_fd(const struct tl_record_file *file);
/** Ends the file and frees. NULL is legal. */
int tl_record_file_close(struct tl_record_file *file);

/** As tl_record_salvage(), of each kind. */
uint64_t tl_record_ogg_salvage(int fd);

/* ---- record-ogg.c: Opus packets in Ogg pages ---- */

struct tl_record_ogg;
typedef int (*tl_record_sink)(void *user, const void *octets, size_t n);
/** Writes both header pages. NULL with *@result. */
struct tl_record_ogg *tl_record_ogg_new(tl_record_sink sink, void *user, int *result);
/** @frames: interleaved, TL_RECORD_FRAMES of them. */
int tl_record_ogg_write(struct tl_record_ogg *ogg, const int16_t *frames);
/** Ends the present page; @last: and the stream. */
int tl_record_ogg_flush(struct tl_record_ogg *ogg, bool last);
void tl_record_ogg_free(struct tl_record_ogg *ogg);
