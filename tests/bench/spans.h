/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The load's ends of spans: every pseudowire packet sent at its time, its octets
 * marked, so that whoever hears them elsewhere can tell how long they took.
 */
#pragma once

#include "plan.h"

/** Opens @plan's spans; @watch is called for each descriptor with the span's number. */
void spans_open(const struct plan *plan, void (*watch)(int fd, unsigned span));
/** Sends @packets (at most PW_A_TICK) of each. */
void spans_send(const struct plan *plan, unsigned packets);
/** Reads what waits at @span. */
void spans_receive(unsigned span);
/** @payload, RTP_SAMPLES octets of a timeslot, arrived at @arrival_ns of CLOCK_REALTIME. */
void spans_note_delay(const uint8_t *payload, int64_t arrival_ns);
/** The counts, as members of a JSON object, with a comma after each but the last. */
void spans_report(void);
