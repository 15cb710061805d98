/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Flows: what happens to a contact before and between agents. A flow is data
 * (services and queues as configured); a run is one contact's way through it.
 * A run asks for things by its ops and is told what came of them; it knows no
 * leg, node or store. Its step is a short text from which another desk goes on.
 * Thread: main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/fsm.h"

#define TL_FLOW_ERROR (tl_flow_error_quark())
GQuark tl_flow_error_quark(void);
enum tl_flow_error_code { TL_FLOW_ERROR_VALUE };

/**
 * Configuration; copied. A destination is one of
 *   queue:NAME  service:NUMBER  announcement:SOUND  connect:TARGET  release:CAUSE
 *   fax:BOX (a fax machine takes the call)  clear:TARGET (connected with nothing touching the audio)
 * a SOUND and a TARGET are as node.schema.json has them, a CAUSE is a Q.850 value.
 */
struct tl_flow_service {
	const char *number;             /* the called number */
	const char *const *announce;    /* sounds; may be empty; before a menu a key may cut them short */
	const char *const *menu_prompt; /* sounds */
	const char *const *menu;        /* KEY:DESTINATION, KEY one of 0-9 * # A-D, or t (no key in time); may be empty */
	unsigned menu_wait_s, menu_tries;
	const char *otherwise;          /* destination without a menu, or after the last try */
	const char *fax_tone;           /* destination when the caller turns out to be a fax machine; NULL: nobody listens */
};
struct tl_flow_queue {
	const char *name;
	const char *music;             /* sound, looped */
	const char *const *position;   /* sounds before the number of the place; empty: no position is told */
	unsigned position_every_s;
	unsigned overflow_s;           /* 0: waits without end */
	const char *overflow;          /* destination */
	const char *const *record_notice; /* sounds; whether there is a recording is not the flow's */
};

struct tl_flows;
struct tl_flows *tl_flows_new(void);
void tl_flows_free(struct tl_flows *flows);
/** Adds one; errors say what was expected of which key ("menu: ..."). */
bool tl_flows_add_queue(struct tl_flows *flows, const struct tl_flow_queue *queue, GError **error);
/** A fax box that destinations may name. */
void tl_flows_add_box(struct tl_flows *flows, const char *name);
bool tl_flows_add_service(struct tl_flows *flows, const struct tl_flow_service *service, GError **error);
/** When all are added: every destination leads somewhere. @culprit: the service or queue at fault. */
bool tl_flows_check(struct tl_flows *flows, char **culprit, GError **error);
bool tl_flows_has_service(const struct tl_flows *flows, const char *number);
/** NULL when there is none; borrowed. */
const struct tl_flow_queue *tl_flows_queue(const struct tl_flows *flows, const char *name);

/** What a node does by itself with a leg at this step when no desk is left for @after_s. */
struct tl_flow_fallback {
	const char *route; /* a target, or NULL: release with @cause */
	unsigned cause;
	unsigned after_s;
};

struct tl_flow_ops {
	/** The run has come to @step; both are borrowed. Comes before what the step asks for. */
	void (*step)(void *user, const char *step, const struct tl_flow_fallback *fallback);
	void (*play)(void *user, const char *const *sounds);
	/** One key, while @sounds play or within @wait_s after them. */
	void (*collect)(void *user, const char *const *sounds, unsigned wait_s);
	void (*queue)(void *user, const struct tl_flow_queue *queue);
	void (*connect)(void *user, const char *target, bool clear);
	/** A fax machine of this box answers; the leg's end is the run's. */
	void (*fax)(void *user, const char *box);
	/** Listen for a fax machine; tl_flow_run_fax_tone() when one is heard. */
	void (*detect_fax)(void *user);
	void (*release)(void *user, unsigned cause);
};

struct tl_flow_run;
/** @service must exist. (transfer full) It keeps @flows alive. */
struct tl_flow_run *tl_flow_run_new(const struct tl_flows *flows, const char *service, const struct tl_flow_ops *ops,
				    void *user);
void tl_flow_run_free(struct tl_flow_run *run);
/** From the beginning (@step NULL), or on from @step; one that no longer makes sense begins again. */
void tl_flow_run_start(struct tl_flow_run *run, const char *step);
void tl_flow_run_played(struct tl_flow_run *run);
/** @digits is empty when no key came in time. */
void tl_flow_run_collected(struct tl_flow_run *run, const char *digits);
void tl_flow_run_overflowed(struct tl_flow_run *run);
/** The caller is a fax machine: where the service that was dialled says, once. */
void tl_flow_run_fax_tone(struct tl_flow_run *run);
/** The contact could not be queued or connected. */
void tl_flow_run_failed(struct tl_flow_run *run, unsigned cause);

/** A run's table of states, to be printed and checked. */
extern const struct tl_fsm_machine tl_flow_machine;
