/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The far end's clock against ours, from the depth of the playout buffer: a
 * slow second-order loop. The caller is expected to run its ticks by the
 * result; one that does not sees it drift to the limit. Pure. Thread: media.
 * Inside this room only.
 */
#pragma once

struct tl_skew {
	double integral_ppb;
	int ppb;
};

/** One tick of 10 ms in which the buffer's mean depth was @error_frames above its target. */
void tl_skew_tick(struct tl_skew *skew, double error_frames);
