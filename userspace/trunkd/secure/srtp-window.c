/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/srtp-window.h"

#include <errno.h>

#include "secure/srtp.h"

#define HALF 0x8000u

_Static_assert(TL_SRTP_WINDOW == 128, "the window is a pair of 64-bit words");

uint64_t tl_srtp_window_guess(const struct tl_srtp_window *window, uint16_t sequence)
{
	uint64_t rollover = window->highest >> 16;
	unsigned newest = window->highest & 0xffff;

	if (!window->any)
		return sequence;
	/* Before the first rollover there is nothing to step back to: it is a jump ahead. */
	if (newest < HALF && sequence > newest + HALF && rollover)
		rollover--;
	else if (newest >= HALF && sequence < newest - HALF)
		rollover++;
	return rollover << 16 | sequence;
}

int tl_srtp_window_check(const struct tl_srtp_window *window, uint64_t index)
{
	uint64_t behind;

	if (!window->any || index > window->highest)
		return 0;
	behind = window->highest - index;
	if (behind >= TL_SRTP_WINDOW)
		return -ESTALE;
	return window->seen[behind / 64] >> behind % 64 & 1 ? -EALREADY : 0;
}

static void slide(struct tl_srtp_window *window, uint64_t steps)
{
	if (steps >= 128) {
		window->seen[0] = window->seen[1] = 0;
	} else if (steps >= 64) {
		window->seen[1] = window->seen[0] << (steps - 64);
		window->seen[0] = 0;
	} else if (steps) {
		window->seen[1] = window->seen[1] << steps | window->seen[0] >> (64 - steps);
		window->seen[0] <<= steps;
	}
}

void tl_srtp_window_accept(struct tl_srtp_window *window, uint64_t index)
{
	uint64_t behind;

	if (!window->any || index > window->highest) {
		slide(window, window->any ? index - window->highest : TL_SRTP_WINDOW);
		window->highest = index;
		window->any = true;
	}
	behind = window->highest - index;
	window->seen[behind / 64] |= (uint64_t)1 << behind % 64;
}
