/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * PRI on libpri: one D-channel of one span, either side, EuroISDN (E1) or NI2 (T1). Thread: main.
 */
#pragma once

#include "base/config.h"
#include "signal/signalling.h"

enum tl_pri_side { TL_PRI_CPE, TL_PRI_NETWORK };
enum tl_pri_switch { TL_PRI_EUROISDN, TL_PRI_NI2 };

struct tl_pri_config {
	struct tl_span *span; /* with a D-channel; borrowed, outlives the PRI */
	enum tl_pri_side side;
	enum tl_pri_switch type;
	enum tl_slot_hunt hunt;
	bool exclusive;       /* ask for the very channel, not any (ITU-T Q.931 5.2.3.1) */
	bool overlap;         /* take called digits after SETUP (ITU-T Q.931 5.2.4) */
	bool restart_on_up;   /* RESTART every bearer channel when the D-channel first comes up (ITU-T Q.931 5.5) */
	unsigned t309_ms;     /* how long calls outlive the D-channel, default 90000 (ITU-T Q.931 9.2) */
};

struct tl_pri_counters {
	uint64_t setups_received, setups_sent, glare, no_channel;
	uint64_t restarts_received, restarts_sent, restart_retries;
	uint64_t d_channel_downs, t309_expiries;
	uint64_t events_unhandled;    /* libpri events that have no meaning here, each also counted by name in the log once */
	uint64_t protocol_errors;     /* libpri's own complaints */
};

struct tl_pri;

struct tl_pri_handler {
	/** A call from the trunk. (transfer full) of @dialog: set its on_event and user now. Its slot is settled or 0. */
	void (*on_offered)(struct tl_pri *pri, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user);
	/** The D-channel came up or went down (calls live on until T309). */
	void (*on_d_channel)(struct tl_pri *pri, bool up, void *user);
	/** The span's alarms changed; the PRI has already drawn its own conclusions. */
	void (*on_alarms)(struct tl_pri *pri, unsigned alarms, void *user);
	/** Timeslot states changed (idle, busy, restarting ...), coalesced. */
	void (*on_slots)(struct tl_pri *pri, void *user);
	/** Every Q.921 frame while tracing is on; address to information, no FCS. */
	void (*on_trace)(struct tl_pri *pri, bool sent, const uint8_t *octets, size_t n_octets, void *user);
};

/** Starts the D-channel: takes over the span's handler. (transfer full) */
struct tl_pri *tl_pri_new(const struct tl_pri_config *config, const struct tl_pri_handler *handler, void *user,
			  GError **error);
/** Frees; dialogs still alive get RELEASED (cause 41) first. NULL is legal. */
void tl_pri_free(struct tl_pri *pri);

struct tl_span *tl_pri_span(const struct tl_pri *pri);
bool tl_pri_is_up(const struct tl_pri *pri);
unsigned tl_pri_idle_slots(const struct tl_pri *pri);
enum tl_slot_state tl_pri_slot_state(const struct tl_pri *pri, unsigned slot);
void tl_pri_counters(const struct tl_pri *pri, struct tl_pri_counters *counters);
void tl_pri_set_trace(struct tl_pri *pri, bool on);

/**
 * tl_pri_call - send a SETUP on @slot, or on a hunted one when 0. (transfer full)
 * Errors: D-channel down, no idle channel, number refused.
 */
struct tl_dialog *tl_pri_call(struct tl_pri *pri, const struct tl_leg_setup *setup, unsigned slot,
			      void (*on_event)(struct tl_dialog *, const struct tl_dialog_event *, void *), void *user,
			      GError **error);

/** Sends more called-number digits for an overlap call (INFORMATION). 0 or negative errno. */
int tl_pri_send_digits(struct tl_dialog *dialog, const char *digits);

/** Sends RESTART for @slot; calls on it end with cause 41. 0 or negative errno. */
int tl_pri_restart(struct tl_pri *pri, unsigned slot);

/** Keeps @slot from new calls (or admits it again); a call in progress goes on. SERVICE is sent where the switch type has it. */
void tl_pri_block(struct tl_pri *pri, unsigned slot, bool block);

/** Its keys of [span NAME]; @restart is the default of that one. */
#define TL_PRI_KEYS(restart) \
	{ "span", "switch", TL_CONFIG_CHOICE, NULL, "euroisdn|ni2", .help = "PRI; default: euroisdn for e1, ni2 for t1" }, \
	{ "span", "exclusive", TL_CONFIG_BOOL, "no", .help = "PRI: outgoing calls accept no other timeslot than the one asked for" }, \
	{ "span", "overlap", TL_CONFIG_BOOL, "no", .help = "PRI: take called digits after SETUP" }, \
	{ "span", "restart", TL_CONFIG_BOOL, restart, .help = "PRI: RESTART every timeslot when the D-channel first comes up" }, \
	{ "span", "t309_ms", TL_CONFIG_INT, "90000", .min = 0, .max = 600000, .help = "PRI: how long calls outlive the D-channel" }

void tl_pri_config_read(const struct tl_config_section *section, enum tl_span_kind kind, struct tl_pri_config *config);

/** A PRI as the signalling system of @span; @config names no span. (transfer full) */
struct tl_signalling *tl_pri_signalling_new(struct tl_span *span, const struct tl_pri_config *config,
					    const struct tl_signalling_handler *handler, void *user, GError **error);
