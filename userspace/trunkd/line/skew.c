/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/skew.h"

#include <glib.h>

/*
 * Depth grows by 8000 x (far - ours) frames a second. With w = 0.02 rad/s and
 * damping 1 a loop settles in minutes and passes on little of the jitter:
 *   Kp = 2 w / 8000      = 5e-6     = 5000 ppb a frame
 *   Ki = w^2 / 8000      = 5e-8 /s  = 50 ppb a frame and second
 */
#define PROPORTIONAL_PPB 5000.0
#define INTEGRAL_PPB_TICK (50.0 / 100)
/* ITU-T G.703 allows E1 50 ppm, T1 32 ppm; ordinary crystals stay below 150. */
#define LIMIT_PPB 200000.0

void tl_skew_tick(struct tl_skew *skew, double error_frames)
{
	skew->integral_ppb = CLAMP(skew->integral_ppb + INTEGRAL_PPB_TICK * error_frames,
				   -LIMIT_PPB, LIMIT_PPB);
	skew->ppb = (int)CLAMP(skew->integral_ppb + PROPORTIONAL_PPB * error_frames,
			       -LIMIT_PPB, LIMIT_PPB);
}
