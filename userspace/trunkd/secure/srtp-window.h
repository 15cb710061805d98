/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One SSRC's packet indices: the rollover counter guessed, replays told. Pure. RFC 3711 3.3.1, 3.3.2 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tl_srtp_window {
	uint64_t highest; /* index of the newest packet taken */
	uint64_t seen[2]; /* bit i of the pair: highest - i was taken */
	bool any;
};

/**
 * tl_srtp_window_guess - the 48-bit index that a packet with @sequence most likely has. One past the last index
 * (2^48) means that the rollover counter is used up. RFC 3711 appendix A
 */
uint64_t tl_srtp_window_guess(const struct tl_srtp_window *window, uint16_t sequence);

/** 0, -EALREADY (taken before) or -ESTALE (older than the window). */
int tl_srtp_window_check(const struct tl_srtp_window *window, uint64_t index);

/** Takes an index that passed the check and whose packet was authentic. */
void tl_srtp_window_accept(struct tl_srtp_window *window, uint64_t index);
