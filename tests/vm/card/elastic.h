/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The receive elastic buffer between the line's clock and the system bus, in
 * whole frames. It starts half full; a slip makes it one frame longer (a frame
 * comes twice) or shorter (a frame is lost).
 */
#pragma once

#include <stdbool.h>

#include "card/line.h"

#define TL_ELASTIC_FRAMES 8

struct tl_elastic {
	struct tl_line_frame frames[TL_ELASTIC_FRAMES];
	unsigned head, count;
	int slips; /* due: positive repeats a frame, negative loses one */
};

void tl_elastic_init(struct tl_elastic *elastic);

/** Have the next frame slip. False if the buffer has no room that way. */
bool tl_elastic_slip(struct tl_elastic *elastic, bool positive);

/** One frame in, one frame out; the pointer holds until the next call. */
const struct tl_line_frame *tl_elastic_pass(struct tl_elastic *elastic, const struct tl_line_frame *in);
