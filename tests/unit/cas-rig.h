/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Two ends of a CAS line over a pseudowire, run tick by tick with a clock that
 * follows the line. Their timeslots' audio is a fake that passes digits and
 * caller id from one end to the other.
 */
#pragma once

#include "far-end.h"
#include "signal/signal.h"

struct rig;

struct rig_end {
	struct rig *rig;
	struct rig_end *other;
	struct tl_span *span;
	struct tl_signalling *s; /* NULL: bare line */
	GPtrArray *audio;        /* open; struct rig_audio */
	/* the call at hand, outgoing or incoming */
	struct tl_dialog *dialog;
	struct tl_leg_setup setup;
	bool offered, proceeding, alerting, progress, answered, released, by_peer;
	unsigned cause, flashes, calls_offered;
	enum tl_inband_tone tone;
	bool has_tone;
	bool answers;            /* calls, at once */
	unsigned bits;           /* heard on slot 1, of a bare line */
};

struct rig {
	struct rig_end a, b;
	bool deaf; /* main does not run */
};

/** @b NULL: a bare line. */
void rig_open(struct rig *rig, enum tl_span_kind line, const struct tl_cas_config *a, const struct tl_cas_config *b);
void rig_close(struct rig *rig);
/** Both ends' line and clock by @ms. */
void rig_run(struct rig *rig, unsigned ms);
/** Until @flag, at most @ms. */
bool rig_until(struct rig *rig, const bool *flag, unsigned ms);
/** Until both ends have no call and idle slots only, at most @ms. */
bool rig_idle(struct rig *rig, unsigned ms);
/** A call to 5551000 from 3015550; slot 1. */
void rig_call(struct rig_end *from);
/** What was heard of the call before is forgotten. */
void rig_forget(struct rig *rig);
uint64_t rig_counter(struct rig_end *end, const char *name);
