/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A real media engine on two fake spans (an E1 with A-law, a T1 with mu-law), stepped tick by tick by a test. */
#pragma once

#include "fake-span.h"
#include "media/media.h"
#include "noise.h"
#include "own-host.h"

#define RIG_IDS_MAX 64

/** What a port's callbacks said; give one as port_user (or NULL). */
struct rig_log {
	char digits[128];
	unsigned n_digits, last_digit_ms;
	uint64_t done[RIG_IDS_MAX];
	bool completed[RIG_IDS_MAX];
	unsigned n_done;
	unsigned n_silences, silent_ms;
	unsigned n_cng, n_ced, n_preamble;
	unsigned n_links, links[4]; /* all; of each enum tl_link_state */
	char link_text[160];
};

struct rig {
	struct tl_media *media;
	struct tl_span *e1, *t1;
};

void rig_init(struct rig *rig);
/** The same, but ticks wait only @ms for a line that is silent, or for who taps it; else it is a minute, for busy machines. */
void rig_init_patience(struct rig *rig, unsigned ms);
/** The same with a port for browsers. */
void rig_init_browsers(struct rig *rig, const struct tl_browser_config *browser);
/** The same with @threads media threads; the spans are the first one's. */
void rig_init_threads(struct rig *rig, unsigned threads, const struct tl_browser_config *browser);
void rig_done(struct rig *rig);

/** Runs @n ticks, and main's events after each. */
void rig_step(struct rig *rig, unsigned n);

/** Steps until @condition is true; fails after @most ticks. */
#define rig_step_until(rig, condition, most) \
	do { \
		unsigned left_ = (most); \
		while (!(condition)) { \
			g_assert_cmpuint(left_--, >, 0); \
			rig_step(rig, 1); \
		} \
	} while (0)

/** An RTP port, and another at which it is aimed; both of @law. @dtmf: telephone events agreed. */
void rig_rtp_pair(struct rig *rig, enum tl_law law, bool dtmf, struct tl_port **a, struct rig_log *log_a,
		  struct tl_port **b, struct rig_log *log_b);
