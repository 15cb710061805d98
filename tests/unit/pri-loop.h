/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Two PRIs, network and CPE, joined frame by frame on a clock that the test
 * moves, libpri's clock included. Replaces the line room: no octet moves, so a
 * test can take frames away, change them, or cut the line at will.
 */
#pragma once

#include "signal/signal.h"

enum { NET, CPE };

/** A party of a call: what it heard, as text, one word or pair of words an event: "media:1 alerting+ answered ". */
struct party {
	struct tl_dialog *dialog; /* NULL before the offer and after RELEASED */
	struct tl_leg_setup setup;
	unsigned slot;
	unsigned n_released;
	GString *heard;
};

struct loop_end {
	struct loop *loop;
	struct tl_span *span;
	struct tl_pri *pri;
	struct tl_pri_config config;
	GPtrArray *offered; /* of party, in the order of their offers */
	unsigned n_up, n_down, n_slots_news, n_traced;
	/* Answers an offered call at once, before the offer returns; NULL: leaves it be. */
	void (*on_offered)(struct loop_end *end, struct party *party);
};

struct loop {
	enum tl_span_kind kind;
	struct loop_end ends[2];
	bool cut; /* no frame arrives anywhere */
	/* Sees every frame on its way; may change it; false takes it away. */
	bool (*filter)(struct loop *loop, unsigned from, uint8_t *octets, size_t n_octets);
};

/** Q.931 message type of an information frame, 0 of any other; loop_retype() changes it. */
unsigned loop_message_type(const uint8_t *octets, size_t n_octets);
void loop_retype(uint8_t *octets, unsigned type);

/** @tweak may change either end's configuration before they start. Both D-channels are up on return. */
struct loop *loop_new(enum tl_span_kind kind, void (*tweak)(struct tl_pri_config *config, unsigned end));
void loop_free(struct loop *loop);
void loop_end_start(struct loop_end *end);
void loop_end_stop(struct loop_end *end);

/** Delivers frames until none is on its way. */
void loop_settle(struct loop *loop);
/** Lets @ms pass, frames flowing. */
void loop_pass(struct loop *loop, unsigned ms);
/** What @end sent arrives; then main stands still for @ms, and finds all that the other end answered before its timers run. */
void loop_hold_up(struct loop *loop, unsigned end, unsigned ms);
void loop_set_alarms(struct loop *loop, unsigned end, unsigned alarms);

struct party *party_new(void);
void party_free(struct party *party);
/** Calls "100" from @end; fails the test if the call cannot be made. */
struct party *loop_call(struct loop *loop, unsigned end, unsigned slot);
struct party *loop_call_setup(struct loop *loop, unsigned end, unsigned slot, const struct tl_leg_setup *setup);
/** The @i-th party offered at @end; fails the test if there is none. */
struct party *loop_offered(struct loop *loop, unsigned end, unsigned i);
/** Fails unless every bearer slot is idle at both ends, and every party has been released exactly once. */
void loop_assert_quiet(struct loop *loop);
